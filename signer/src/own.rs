//! What a line signed itself, told from everything else that a scanner reads.

use crate::error::{Error, Result};
use touchmark_formats::base45;
use touchmark_formats::carried::Carried;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::key::PublicKey;
use touchmark_formats::text::Label;

/// A mark or container mark of the line, its signature checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// What the symbol carries.
    pub carried: Carried,
    /// The part that it names.
    pub part: Label,
    /// Its lot under the delegation.
    pub lot: Option<Label>,
}

/// What a text form says, with or without `TM1:` before it. Nothing is proven by it.
///
/// # Errors
/// It is none of a mark or container mark.
pub fn carried(text: &str) -> Result<Carried> {
    let unusable =
        |why: &dyn std::fmt::Display| Error::unusable(format!("{text:?} is not the text form of a mark: {why}"));
    let bytes = base45::decode(text.strip_prefix("TM1:").unwrap_or(text)).map_err(|e| unusable(&e))?;
    Carried::from_bytes(&bytes).map_err(|e| unusable(&e))
}

/// Part and lot of a mark that the line with this delegation and public key signed; `None` if it did not.
#[must_use]
pub fn signed(carried: &Carried, delegation: &Delegation, key: &PublicKey) -> Option<(Label, Option<Label>)> {
    let lot = carried.lot(delegation).cloned();
    let part = delegation.part_named(carried.part()).cloned()?;
    let message = carried.message(&delegation.maker, &part, lot.as_ref());
    key.verify(&message, carried.signature()).then_some((part, lot))
}

/// What the line with `delegation`, whose public key is `key`, signed under this text form.
///
/// # Errors
/// It is no text form of a mark, or not one that this line signed.
pub fn read(text: &str, delegation: &Delegation, key: &PublicKey) -> Result<Own> {
    let carried = carried(text)?;
    match signed(&carried, delegation, key) {
        Some((part, lot)) => Ok(Own { carried, part, lot }),
        None => Err(Error::refused(format!("serials {}: this line did not sign the mark {text:?}", carried.serials()))),
    }
}

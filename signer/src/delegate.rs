//! Delegations: a line asks with its own key, the maker's root key grants within limits.

use crate::error::{Error, Result};
use crate::keys::{SigningKey, sign_document};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Delegation, DelegationError, Lot, Request, SerialRange};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::{Signed, message};
use touchmark_formats::text::Label;

/// Bytes of the capsule that keep a usual mark (13 characters of part, 7 of lot) at 96 bytes, with 24 bits of check.
pub const CAPSULE_BYTES: u8 = 6;

/// What a line may mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The site where the line stands.
    pub site: u16,
    /// First date that a mark may carry.
    pub not_before: Date,
    /// Last date that a mark may carry.
    pub not_after: Date,
    /// The serials.
    pub serials: SerialRange,
    /// The parts, which marks then name by number.
    pub parts: Vec<Label>,
    /// Whether other parts may be marked.
    pub other_parts: bool,
    /// The lots by serial.
    pub lots: Vec<Lot>,
    /// Whether other lots may be marked.
    pub other_lots: bool,
    /// Bytes of the capsule, 3 to 8.
    pub capsule_bytes: u8,
}

impl Limits {
    /// Any part, any lot and any serial, for the dates given.
    #[must_use]
    pub fn wide(site: u16, not_before: Date, not_after: Date) -> Self {
        Self {
            site,
            not_before,
            not_after,
            serials: SerialRange::ALL,
            parts: Vec::new(),
            other_parts: true,
            lots: Vec::new(),
            other_lots: true,
            capsule_bytes: CAPSULE_BYTES,
        }
    }
}

/// The wish of the line with the key `key` to mark for the maker with the root key `maker`, signed by the line.
///
/// # Errors
/// The key's holder refuses.
pub fn request(key: &dyn SigningKey, line: Label, maker: KeyBytes) -> Result<Signed<Request>> {
    let mut envelope = Signed::new(Request { maker, key: key.public(), line });
    sign_document(key, &mut envelope)?;
    Ok(envelope)
}

/// Grants `request` within `limits`, signed by the maker's root key.
///
/// # Errors
/// The request is for another maker or not signed by its line, or the limits make no sense.
pub fn grant(root: &dyn SigningKey, request: &Signed<Request>, limits: Limits) -> Result<Signed<Delegation>> {
    let Request { maker, key, line } = request.signed.clone();
    if maker != root.public() {
        return Err(Error::refused(format!("the request of line {:?} is for another maker, {maker}", line.as_str())));
    }
    let public = key.check().map_err(|e| Error::unusable(format!("the key of line {:?}: {e}", line.as_str())))?;
    let signed =
        request.signatures.iter().find(|s| s.key == key && public.verify(&message(&request.signed), &s.signature.0));
    let Some(possession) = signed.map(|s| s.signature) else {
        return Err(Error::refused(format!("the request of line {:?} is not signed by its own key", line.as_str())));
    };
    let Limits { site, not_before, not_after, serials, parts, other_parts, lots, other_lots, capsule_bytes } = limits;
    let mut envelope = Signed::new(Delegation {
        maker,
        key,
        line,
        possession,
        site,
        not_before,
        not_after,
        serials,
        parts,
        other_parts,
        lots,
        other_lots,
        capsule_bytes,
    });
    sign_document(root, &mut envelope)?;
    Delegation::check(&envelope, &root_check(root)?).map_err(|e: DelegationError| Error::unusable(e.to_string()))?;
    Ok(envelope)
}

fn root_check(root: &dyn SigningKey) -> Result<touchmark_formats::key::PublicKey> {
    root.public().check().map_err(|e| Error::unusable(format!("the root key: {e}")))
}

//! Containers by their names, for whoever ships them: the SSCC, or what a scanner reads on the label.

use super::{Book, Packed, not_packed_here};
use crate::error::{Error, Result};
use crate::ledger::Parts;
use crate::own::{carried, signed};
use touchmark_formats::base45;
use touchmark_formats::carried::Carried;
use touchmark_formats::container::Sscc;
use touchmark_formats::delegation::Delegation;

fn parts(packed: &Packed) -> Parts {
    let code = packed.sscc.as_ref().map_or_else(String::new, |code| format!(" {code}"));
    Parts { name: format!("{}{code}", packed.level), line: packed.key, serials: packed.serials.clone() }
}

/// The container in `book` with this SSCC.
///
/// # Errors
/// There is none, or there are several.
pub fn by_name(sscc: Sscc, book: &Book) -> Result<Parts> {
    let code = sscc.to_string();
    let whole = book.packed().iter().filter(|packed| packed.opened.is_none());
    let mut found = whole.filter(|packed| packed.sscc.as_ref() == Some(&code));
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(parts(only)),
        (None, _) => {
            Err(Error::refused(format!("no container with SSCC {code} is on record in {}", book.path().display()))
                .hint("scan its label, or name its serials"))
        }
        _ => Err(Error::refused(format!("several containers in {} have SSCC {code}", book.path().display()))
            .hint("scan the label of the one that is meant")),
    }
}

/// What a scanner read: the text form of the mark of a part or a container that one of `lines` signed. A container of which
/// no serial is missing need not stand in `book`.
///
/// # Errors
/// It is no mark, or none of these lines signed it; or which serials are in the container is not known here.
pub fn by_scan(text: &str, lines: &[Delegation], book: &Book) -> Result<Parts> {
    let carried = carried(text)?;
    let made = |line: &&Delegation| {
        line.key.id() == carried.key_id() && line.key.check().is_ok_and(|key| signed(&carried, line, &key).is_some())
    };
    let line = lines.iter().find(made).ok_or_else(|| {
        Error::refused(format!("serials {}: no line of this home signed the mark {text:?}", carried.serials()))
            .hint("what nobody made is no part; the delegation of a line elsewhere must be in this home")
    })?;
    let mark = base45::encode(&carried.to_bytes());
    match (book.find(&mark), &carried) {
        (Some(packed), _) => packed.require_whole().map(parts),
        (None, Carried::Container(signed)) if signed.container.missing > 0 => {
            Err(not_packed_here(&signed.container, book.path()))
        }
        (None, carried) => {
            let what = match carried {
                Carried::Mark(signed) => format!("part {}", signed.mark.serial),
                Carried::Container(signed) => signed.container.level.name().to_owned(),
            };
            Ok(Parts { name: what, line: line.key, serials: vec![carried.serials()] })
        }
    }
}

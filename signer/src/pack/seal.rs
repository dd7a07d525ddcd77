//! The consignee of a container, sealed into its mark as into those of parts (SPEC.md, section 6), and held against theirs.

use super::{Contents, Packed, Piece};
use crate::error::{Error, Result};
use crate::issue::capsule_size;
use std::collections::BTreeMap;
use touchmark_formats::capsule::{Capsule, ItemKey, YearKey};
use touchmark_formats::carried::Carried;
use touchmark_formats::container::Container;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::text::Label;

/// Seals consignee `number` into the mark of a container. `year` is the key of the year of packing.
///
/// # Errors
/// The number does not fit into the delegation's capsules.
pub fn seal(contents: &mut Contents, delegation: &Delegation, number: u64, year: &YearKey) -> Result<()> {
    let size = capsule_size(delegation, number)?;
    let container = &mut contents.container;
    // The head announces a capsule, so one of the right size stands in while the real one is made.
    container.capsule = Capsule::from_bytes(&[0; 8][..usize::from(size.bytes())]);
    let key = container_key(container, contents.lot.as_ref(), year);
    let sealed = Capsule::seal(number, size, &key, &container.head_bytes(), &delegation.maker);
    container.capsule = Some(sealed.ok_or_else(|| Error::unusable(format!("consignee {number} cannot be sealed")))?);
    Ok(())
}

fn container_key(container: &Container, lot: Option<&Label>, year: &YearKey) -> ItemKey {
    year.day(container.date).lot(lot).container(container.key_id, container.level as u8, container.serials)
}

/// The consignee that is sealed into the mark of a container, if there is one. `year` is the key of the year of packing.
///
/// # Errors
/// The key does not open it; or the record holds no mark.
pub fn consignee(packed: &Packed, root: &KeyBytes, year: &YearKey) -> Result<Option<u64>> {
    let container = packed.signed()?.container;
    let Some(capsule) = container.capsule else { return Ok(None) };
    let key = container_key(&container, packed.lot.as_ref(), year);
    let number = capsule.open(&key, &container.head_bytes(), root);
    number.map(Some).ok_or_else(|| {
        let year = container.date.year();
        Error::unusable(format!("the disclosure key of {year} does not open the {}", packed.described()))
    })
}

/// Refuses a container for consignee `number` with something in it that is sealed for another. `years` has the keys of the
/// years of all sealed pieces.
///
/// # Errors
/// One is; or a key is missing or does not open what was sealed in its year.
pub fn require_consignee(pieces: &[Piece], root: &KeyBytes, number: u64, years: &BTreeMap<i16, YearKey>) -> Result<()> {
    for piece in pieces {
        let Some((mark, capsule)) = piece.sealed.as_ref().and_then(|mark| Some((mark, mark.capsule()?))) else {
            continue;
        };
        let year = mark.date().year();
        let missing = |what| {
            Error::refused(format!("serials {}: the disclosure key of {year} {what}", mark.serials()))
                .hint("restore that key, or pack without --consignee")
        };
        let lot = years.get(&year).ok_or_else(|| missing("is not here"))?.day(mark.date()).lot(piece.lot.as_ref());
        let (key, head) = match mark {
            Carried::Mark(signed) => (lot.item(signed.mark.key_id, signed.mark.serial), signed.mark.head_bytes()),
            Carried::Container(signed) => {
                let container = &signed.container;
                (lot.container(container.key_id, container.level as u8, container.serials), container.head_bytes())
            }
        };
        match capsule.open(&key, &head, root) {
            Some(own) if own == number => {}
            Some(_) => {
                return Err(Error::refused(format!(
                    "serials {} are sealed for another consignee than {number}",
                    mark.serials()
                ))
                .hint("a container is for one consignee, and so is what is in it"));
            }
            None => return Err(missing("does not open its capsule")),
        }
    }
    Ok(())
}

//! What is known of a mark before it is read: the ids of the keys that may have signed it, what their delegations allow,
//! and the print beside it. Known bytes are free error correction.

use crate::codec::put_leb128;
use crate::delegation::Delegation;
use crate::key::KeyId;
use crate::mark::{CAPSULE, EXTENSION, KIND, LOT_INLINE, PART_INLINE, SIGNATURE_BYTES};
use crate::symbol::recover::Template;
use crate::text::{Label, put_packed};
use std::iter::{once, repeat_n};

/// What is printed beside a mark, where somebody can still read it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Print<'a> {
    /// The part number.
    pub part: Option<&'a Label>,
    /// The lot.
    pub lot: Option<&'a Label>,
}

/// Entries of a part list that are tried where no part number is printed.
const MOST_LISTED: usize = 16;

/// A text that a mark may spell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelled<'a> {
    Not,
    Known(&'a Label),
    /// Something that nobody knows.
    Unknown,
}

impl<'a> Spelled<'a> {
    fn from_print(print: Option<&'a Label>) -> Self {
        print.map_or(Self::Unknown, Self::Known)
    }
}

/// Every look of a mark that a line key may have made. Its signature, serial and capsule are unknown; its date is as far
/// as the delegation's span leaves it open.
#[must_use]
pub fn templates(key_id: KeyId, delegation: &Delegation, print: &Print<'_>) -> Vec<Template> {
    let serials = leb128(delegation.serials.first.get()).len()..=leb128(delegation.serials.last.get()).len();
    let capsules = once(None).chain(delegation.capsule_size().map(|size| Some(usize::from(size.bytes()))));
    let capsules: Vec<Option<usize>> = capsules.collect();
    let mut out = Vec::new();
    for (index, part) in parts(delegation, print) {
        for lot in once(Spelled::Not).chain(delegation.other_lots.then(|| Spelled::from_print(print.lot))) {
            for site in [false, true] {
                for &capsule in &capsules {
                    let look = Look { key_id, delegation, index, part, lot, site, capsule };
                    out.extend(serials.clone().map(|bytes| look.template(bytes)));
                }
            }
        }
    }
    out
}

/// The entry of the part list, or the part as it is spelled.
fn parts<'a>(delegation: &Delegation, print: &Print<'a>) -> Vec<(Option<u16>, Spelled<'a>)> {
    let listed = (0u16..).zip(&delegation.parts).filter(|(_, part)| print.part.is_none_or(|printed| printed == *part));
    let listed = listed.take(MOST_LISTED).map(|(index, _)| (Some(index), Spelled::Not));
    listed.chain(delegation.other_parts.then(|| (None, Spelled::from_print(print.part)))).collect()
}

struct Look<'a> {
    key_id: KeyId,
    delegation: &'a Delegation,
    index: Option<u16>,
    part: Spelled<'a>,
    lot: Spelled<'a>,
    site: bool,
    capsule: Option<usize>,
}

impl Look<'_> {
    /// With a serial of so many bytes.
    fn template(&self, serial_bytes: usize) -> Template {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let header = KIND
            | flag(self.index.is_none(), PART_INLINE)
            | flag(self.lot != Spelled::Not, LOT_INLINE)
            | flag(self.capsule.is_some(), CAPSULE)
            | flag(self.site, EXTENSION);
        let (from, to) = (self.delegation.not_before.days(), self.delegation.not_after.days());
        let mut bytes: Vec<Option<u8>> = once(header).chain(self.key_id.0).map(Some).collect();
        bytes.extend(repeat_n(None, serial_bytes));
        bytes.extend([(from >> 8 == to >> 8).then_some((from >> 8) as u8), None]);
        bytes.extend(self.index.map(|index| leb128(index.into())).into_iter().flatten().map(Some));
        if [self.part, self.lot].contains(&Spelled::Unknown) {
            return Template { bytes, complete: false };
        }
        let texts = [self.part, self.lot].into_iter().filter_map(|text| match text {
            Spelled::Known(label) => Some(label),
            Spelled::Not | Spelled::Unknown => None,
        });
        let texts: Vec<&Label> = texts.collect();
        let mut packed = Vec::new();
        if !texts.is_empty() {
            put_packed(&mut packed, &texts);
        }
        bytes.extend(packed.into_iter().map(Some));
        if self.site {
            // Length of the block, tag 1, two bytes (SPEC.md, section 2.2).
            bytes.extend([Some(4), Some(1), Some(2), None, None]);
        }
        bytes.extend(repeat_n(None, self.capsule.unwrap_or(0) + SIGNATURE_BYTES));
        Template { bytes, complete: true }
    }
}

fn leb128(value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    put_leb128(&mut out, value);
    out
}

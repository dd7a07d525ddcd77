//! Optional extras: entries of a tag, a size and a value, in rising order of the tags (SPEC.md, section 2.2).

use super::MarkError;
use crate::codec::Reader;

/// The optional extras of a mark. Version 1 defines these three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Extension {
    /// Tag 1: the site, where it is not the delegation's.
    pub site: Option<u16>,
    /// Tag 2: first four bytes of SHA-256(`"touchmark/v1/die-id" 00` ‖ the die's own id).
    pub die_id: Option<[u8; 4]>,
    /// Tag 3: print quality when made, ten times the grade of ISO/IEC 15415: 0 to 40.
    pub grade: Option<u8>,
}

impl Extension {
    /// The highest [`Extension::grade`].
    pub const MAX_GRADE: u8 = 40;

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        let (site, grade) = (self.site.map(u16::to_be_bytes), self.grade.map(|grade| [grade]));
        let entries = [
            (SITE, site.as_ref().map(|v| v.as_slice())),
            (DIE_ID, self.die_id.as_ref().map(|v| v.as_slice())),
            (GRADE, grade.as_ref().map(|v| v.as_slice())),
        ];
        put_entries(out, &entries);
    }

    pub(crate) fn take(reader: &mut Reader<'_>) -> Result<Self, MarkError> {
        let mut extension = Self::default();
        take_entries(reader, |tag, value| {
            match tag {
                SITE => extension.site = Some(value.u16().map_err(|_| MarkError::ExtensionValue)?),
                DIE_ID => extension.die_id = Some(value.array().map_err(|_| MarkError::ExtensionValue)?),
                GRADE => extension.grade = Some(value.u8().map_err(|_| MarkError::ExtensionValue)?),
                _ => return Err(MarkError::ExtensionTag),
            }
            if extension.grade.is_some_and(|grade| grade > Self::MAX_GRADE) {
                return Err(MarkError::ExtensionValue);
            }
            Ok(())
        })?;
        Ok(extension)
    }
}

/// Tags of entries.
pub(crate) const SITE: u8 = 1;
const DIE_ID: u8 = 2;
const GRADE: u8 = 3;
pub(crate) const SSCC: u8 = 4;

/// Appends the entries that have a value, with the length of all of them before.
pub(crate) fn put_entries(out: &mut Vec<u8>, entries: &[(u8, Option<&[u8]>)]) {
    let mut body = Vec::new();
    for (tag, value) in entries {
        if let Some(value) = value {
            // Values have at most eight bytes.
            body.extend([*tag, value.len() as u8]);
            body.extend(*value);
        }
    }
    out.push(body.len() as u8);
    out.extend(body);
}

/// Takes a block of entries; `entry` takes the value of each.
pub(crate) fn take_entries(
    reader: &mut Reader<'_>,
    mut entry: impl FnMut(u8, &mut Reader<'_>) -> Result<(), MarkError>,
) -> Result<(), MarkError> {
    let length = reader.u8()?;
    let mut body = Reader::new(reader.take(length.into())?);
    let mut last = 0;
    while body.len() > 0 {
        let (tag, size) = (body.u8()?, body.u8()?);
        let mut value = Reader::new(body.take(size.into())?);
        if tag <= last {
            return Err(MarkError::ExtensionOrder);
        }
        last = tag;
        entry(tag, &mut value)?;
        if value.len() > 0 {
            return Err(MarkError::ExtensionValue);
        }
    }
    if last == 0 { Err(MarkError::ExtensionEmpty) } else { Ok(()) }
}

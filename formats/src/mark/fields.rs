//! What marks and containers have in common: header and signature around the fields, part, lot, capsule, and the message that
//! is signed.

use super::{CAPSULE, EXTENSION, KINDS, LOT_INLINE, MAX_BYTES, MarkError, PART_INLINE, Part, SIGNATURE_BYTES};
use crate::capsule::Capsule;
use crate::codec::{Fault, Reader, put_leb128};
use crate::key::KeyBytes;
use crate::text::{Label, put_packed, take_packed};

/// The header, the fields behind it and the signature of a mark of the kind `kind`, the high nibble of its header.
pub(crate) fn open(bytes: &[u8], kind: u8) -> Result<(u8, Reader<'_>, [u8; SIGNATURE_BYTES]), MarkError> {
    let header = *bytes.first().ok_or(MarkError::NotAMark)?;
    match header & 0xF0 {
        own if own == kind => {}
        other if KINDS.contains(&other) => return Err(MarkError::UnknownKind),
        _ => return Err(MarkError::NotAMark),
    }
    if bytes.len() > MAX_BYTES {
        return Err(MarkError::TooLong);
    }
    let (fields, signature) = bytes.split_last_chunk::<SIGNATURE_BYTES>().ok_or(MarkError::Truncated)?;
    let mut reader = Reader::new(fields);
    reader.u8()?;
    Ok((header, reader, *signature))
}

/// What is signed of a mark: its head and, after that, its capsule.
pub(crate) fn unsigned(mut head: Vec<u8>, capsule: Option<&Capsule>) -> Vec<u8> {
    head.extend(capsule.iter().flat_map(|capsule| capsule.bytes()));
    head
}

/// The mark with its signature behind.
pub(crate) fn signed(mut unsigned: Vec<u8>, signature: &[u8; SIGNATURE_BYTES]) -> Vec<u8> {
    unsigned.extend(signature);
    unsigned
}

/// The low bits of a header.
pub(crate) fn flags(part: &Part, lot: bool, capsule: bool, extension: bool) -> u8 {
    let flag = |set: bool, bit: u8| if set { bit } else { 0 };
    flag(matches!(part, Part::Inline(_)), PART_INLINE)
        | flag(lot, LOT_INLINE)
        | flag(capsule, CAPSULE)
        | flag(extension, EXTENSION)
}

pub(crate) fn put_part_and_lot(out: &mut Vec<u8>, part: &Part, lot: Option<&Label>) {
    let inline = match part {
        Part::Listed(index) => {
            put_leb128(out, (*index).into());
            None
        }
        Part::Inline(text) => Some(text),
    };
    match (inline, lot) {
        (Some(part), Some(lot)) => put_packed(out, &[part, lot]),
        (Some(only), None) | (None, Some(only)) => put_packed(out, &[only]),
        (None, None) => {}
    }
}

pub(crate) fn take_part_and_lot(reader: &mut Reader<'_>, header: u8) -> Result<(Part, Option<Label>), MarkError> {
    let has = |bit: u8| header & bit != 0;
    let index = match has(PART_INLINE) {
        true => None,
        false => Some(reader.leb128(u16::MAX.into()).map_err(number_error(MarkError::PartIndex))? as u16),
    };
    let count = usize::from(has(PART_INLINE)) + usize::from(has(LOT_INLINE));
    let mut texts = if count > 0 { take_packed(reader, count)? } else { Vec::new() };
    let lot = if has(LOT_INLINE) { texts.pop() } else { None };
    match (index, texts.pop()) {
        (Some(index), _) => Ok((Part::Listed(index), lot)),
        (None, Some(text)) => Ok((Part::Inline(text), lot)),
        (None, None) => Err(MarkError::Truncated),
    }
}

/// The capsule, which is all that is left.
pub(crate) fn take_capsule(reader: Reader<'_>, header: u8) -> Result<Option<Capsule>, MarkError> {
    match (header & CAPSULE != 0, reader.rest()) {
        (false, []) => Ok(None),
        (false, _) => Err(MarkError::CapsuleLength),
        (true, rest) => Capsule::from_bytes(rest).map(Some).ok_or(MarkError::CapsuleLength),
    }
}

pub(crate) fn number_error(error: MarkError) -> impl Fn(Fault) -> MarkError {
    move |fault| if fault == Fault::Truncated { MarkError::Truncated } else { error }
}

pub(crate) fn message(domain: &[u8], unsigned: &[u8], root: &KeyBytes, part: &Label, lot: Option<&Label>) -> Vec<u8> {
    let mut out = Vec::with_capacity(domain.len() + 32 + 2 * 64 + unsigned.len());
    out.extend(domain);
    out.extend(root.fingerprint());
    for text in [part.as_str(), lot.map_or("", Label::as_str)] {
        // A label is at most 63 bytes long.
        out.push(text.len() as u8);
        out.extend(text.as_bytes());
    }
    out.extend(unsigned);
    out
}

//! The self-contained mark, version 1: fields, bytes, and what its signature is over (SPEC.md, sections 2 and 3).

use crate::capsule::Capsule;
mod error;
pub(crate) mod extension;
pub(crate) mod fields;

pub use error::MarkError;
pub use extension::Extension;

use crate::codec::{Reader, put_leb128};
use crate::date::Date;
use crate::key::{KeyBytes, KeyId, domain};
use crate::text::Label;

/// High nibble of the first byte of a mark of version 1.
pub(crate) const KIND: u8 = 0x90;
/// High nibbles of the first bytes of marks, those of later versions too.
pub(crate) const KINDS: [u8; 3] = [KIND, 0xA0, crate::container::KIND];
pub(crate) const PART_INLINE: u8 = 8;
pub(crate) const LOT_INLINE: u8 = 4;
pub(crate) const CAPSULE: u8 = 2;
pub(crate) const EXTENSION: u8 = 1;

/// The longest mark, signature included, in bytes.
pub const MAX_BYTES: usize = 255;
/// Bytes of an Ed25519 signature (RFC 8032, section 5.1.6).
pub const SIGNATURE_BYTES: usize = 64;

/// A serial number: 0 to 2^53 - 1, so that it survives JSON readers and spreadsheets that count in doubles (RFC 8259,
/// section 6). The default is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Serial(u64);

impl Serial {
    /// The largest serial, 2^53 - 1.
    pub const MAX: u64 = (1 << 53) - 1;

    /// `number` as a serial; `None` above [`Serial::MAX`].
    #[must_use]
    pub const fn new(number: u64) -> Option<Self> {
        if number <= Self::MAX { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for Serial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// How a mark names its part.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Part {
    /// The entry of the delegation's part list with this index, counted from 0.
    Listed(u16),
    /// The part number itself.
    Inline(Label),
}

/// What a mark says, without its signature.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Hint at the line key that signed it.
    pub key_id: KeyId,
    /// The serial, unique under its key.
    pub serial: Serial,
    /// The day of production.
    pub date: Date,
    /// The part.
    pub part: Part,
    /// The lot; where it is `None` the delegation implies it by the serial.
    pub lot: Option<Label>,
    /// Optional extras.
    pub extension: Extension,
    /// The sealed consignee.
    pub capsule: Option<Capsule>,
}

impl Mark {
    /// The bytes before the capsule: with the root key's fingerprint, the tweak that binds a capsule to this mark.
    #[must_use]
    pub fn head_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAX_BYTES);
        out.push(
            KIND | fields::flags(&self.part, self.lot.is_some(), self.capsule.is_some(), !self.extension.is_empty()),
        );
        out.extend(self.key_id.0);
        put_leb128(&mut out, self.serial.get());
        out.extend(self.date.days().to_be_bytes());
        fields::put_part_and_lot(&mut out, &self.part, self.lot.as_ref());
        if !self.extension.is_empty() {
            self.extension.put(&mut out);
        }
        out
    }

    /// The mark's bytes without its signature. Every mark has exactly one encoding, of 9 to 165 bytes.
    #[must_use]
    pub fn unsigned_bytes(&self) -> Vec<u8> {
        fields::unsigned(self.head_bytes(), self.capsule.as_ref())
    }

    /// The message that the line key signs: the domain, the fingerprint of the maker's `root` key, part and lot as
    /// text (also where the mark carries an index, or nothing), and the mark's own bytes.
    #[must_use]
    pub fn message(&self, root: &KeyBytes, part: &Label, lot: Option<&Label>) -> Vec<u8> {
        fields::message(domain::MARK, &self.unsigned_bytes(), root, part, lot)
    }
}

/// A mark and its signature, as carried by a symbol.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignedMark {
    /// What it says.
    pub mark: Mark,
    /// Ed25519 over [`Mark::message`].
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedMark {
    /// The bytes that a symbol carries.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        fields::signed(self.mark.unsigned_bytes(), &self.signature)
    }

    /// The mark in `bytes`, which must be its one canonical encoding. Nothing is proven by it: the fields count only
    /// once the signature was verified.
    ///
    /// # Errors
    /// The [`MarkError`] that says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MarkError> {
        let (header, fields, signature) = fields::open(bytes, KIND)?;
        Ok(Self { mark: fields_from(header, fields)?, signature })
    }
}

fn fields_from(header: u8, mut reader: Reader<'_>) -> Result<Mark, MarkError> {
    let key_id = KeyId(reader.array()?);
    let serial = Serial(reader.leb128(Serial::MAX).map_err(fields::number_error(MarkError::Serial))?);
    let date = Date::from_days(reader.u16()?);
    let (part, lot) = fields::take_part_and_lot(&mut reader, header)?;
    let extension = if header & EXTENSION != 0 { Extension::take(&mut reader)? } else { Extension::default() };
    let capsule = fields::take_capsule(reader, header)?;
    Ok(Mark { key_id, serial, date, part, lot, extension, capsule })
}

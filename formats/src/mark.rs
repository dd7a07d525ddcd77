//! The self-contained mark, version 1: fields, bytes, and what its signature is over (SPEC.md, sections 2 and 3).

use crate::capsule::Capsule;
use crate::codec::{Fault, Reader, put_leb128};
use crate::date::Date;
use crate::key::{KeyBytes, KeyId, domain};
use crate::text::{Label, PackFault, put_packed, take_packed};

/// High nibble of the first byte of a mark of version 1.
pub(crate) const KIND: u8 = 0x90;
pub(crate) const PART_INLINE: u8 = 8;
pub(crate) const LOT_INLINE: u8 = 4;
pub(crate) const CAPSULE: u8 = 2;
pub(crate) const EXTENSION: u8 = 1;

/// The longest mark, signature included, in bytes.
pub const MAX_BYTES: usize = 255;
/// Bytes of an Ed25519 signature (RFC 8032, section 5.1.6).
pub const SIGNATURE_BYTES: usize = 64;

/// A serial number: 0 to 2^53 - 1, so that it survives JSON readers and spreadsheets that count in doubles (RFC 8259,
/// section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn put(&self, out: &mut Vec<u8>) {
        let mut body = Vec::new();
        let mut field = |tag: u8, value: &[u8]| {
            body.extend([tag, value.len() as u8]);
            body.extend(value);
        };
        if let Some(site) = self.site {
            field(1, &site.to_be_bytes());
        }
        if let Some(die_id) = self.die_id {
            field(2, &die_id);
        }
        if let Some(grade) = self.grade {
            field(3, &[grade]);
        }
        out.push(body.len() as u8);
        out.extend(body);
    }

    fn take(reader: &mut Reader<'_>) -> Result<Self, MarkError> {
        let length = reader.u8()?;
        let mut body = Reader::new(reader.take(length.into())?);
        let mut extension = Self::default();
        let mut last = 0;
        while body.len() > 0 {
            let (tag, size) = (body.u8()?, body.u8()?);
            let mut value = Reader::new(body.take(size.into())?);
            if tag <= last {
                return Err(MarkError::ExtensionOrder);
            }
            last = tag;
            match tag {
                1 => extension.site = Some(value.u16().map_err(|_| MarkError::ExtensionValue)?),
                2 => extension.die_id = Some(value.array().map_err(|_| MarkError::ExtensionValue)?),
                3 => extension.grade = Some(value.u8().map_err(|_| MarkError::ExtensionValue)?),
                _ => return Err(MarkError::ExtensionTag),
            }
            if value.len() > 0 || extension.grade.is_some_and(|g| g > Self::MAX_GRADE) {
                return Err(MarkError::ExtensionValue);
            }
        }
        if extension.is_empty() { Err(MarkError::ExtensionEmpty) } else { Ok(extension) }
    }
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

/// Why bytes are no mark. Each is one kind of refusal with a stable name; the sentence beside it may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MarkError {
    /// The first byte is not 0x90 to 0x9F: something else.
    NotAMark,
    /// Kinds that a later version defines: 0xA0 to 0xBF (micro and container marks).
    UnknownKind,
    /// More than [`MAX_BYTES`].
    TooLong,
    /// The bytes end before the fields do, or leave no room for a signature.
    Truncated,
    /// A serial above [`Serial::MAX`], or not in its shortest form.
    Serial,
    /// A part index above 65,535, or not in its shortest form.
    PartIndex,
    /// A text of no characters.
    TextEmpty,
    /// A packed text beyond what its characters can make.
    TextOverflow,
    /// A text in a larger alphabet than it needs.
    TextAlphabet,
    /// A text that is not UTF-8.
    TextUtf8,
    /// A text that is no [`Label`].
    TextCharacter,
    /// An extension block with nothing in it.
    ExtensionEmpty,
    /// Tags that do not rise.
    ExtensionOrder,
    /// A tag that version 1 does not define.
    ExtensionTag,
    /// A value of the wrong length or out of range.
    ExtensionValue,
    /// A capsule of fewer than 3 or more than 8 bytes, or bytes where no capsule was announced.
    CapsuleLength,
}

impl MarkError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name_and_sentence().0
    }

    fn name_and_sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::NotAMark => ("not-a-mark", "the first byte is not that of a Touchmark"),
            Self::UnknownKind => ("unknown-kind", "a kind of Touchmark that this version does not know"),
            Self::TooLong => ("too-long", "more than 255 bytes"),
            Self::Truncated => ("truncated", "the bytes end within a field or the signature"),
            Self::Serial => ("serial", "the serial is out of range or not in its shortest form"),
            Self::PartIndex => ("part-index", "the part index is out of range or not in its shortest form"),
            Self::TextEmpty => ("text-empty", "a text without characters"),
            Self::TextOverflow => ("text-overflow", "a packed text beyond its range"),
            Self::TextAlphabet => ("text-alphabet", "a text in a larger alphabet than it needs"),
            Self::TextUtf8 => ("text-utf8", "a text that is not UTF-8"),
            Self::TextCharacter => ("text-character", "a text with characters that a mark may not hold"),
            Self::ExtensionEmpty => ("extension-empty", "an extension block with nothing in it"),
            Self::ExtensionOrder => ("extension-order", "extension tags that do not rise"),
            Self::ExtensionTag => ("extension-tag", "an extension that version 1 does not define"),
            Self::ExtensionValue => ("extension-value", "an extension value of the wrong length or range"),
            Self::CapsuleLength => ("capsule-length", "a capsule that is not 3 to 8 bytes long"),
        }
    }
}

impl std::fmt::Display for MarkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name_and_sentence().1)
    }
}

impl std::error::Error for MarkError {}

impl From<Fault> for MarkError {
    fn from(_: Fault) -> Self {
        Self::Truncated
    }
}

impl From<PackFault> for MarkError {
    fn from(fault: PackFault) -> Self {
        match fault {
            PackFault::Truncated => Self::Truncated,
            PackFault::Empty => Self::TextEmpty,
            PackFault::Overflow => Self::TextOverflow,
            PackFault::Alphabet => Self::TextAlphabet,
            PackFault::Utf8 => Self::TextUtf8,
            PackFault::Label => Self::TextCharacter,
        }
    }
}

impl Mark {
    /// The bytes before the capsule: with the root key's fingerprint, the tweak that binds a capsule to this mark.
    #[must_use]
    pub fn head_bytes(&self) -> Vec<u8> {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let mut out = Vec::with_capacity(MAX_BYTES);
        out.push(
            KIND | flag(matches!(self.part, Part::Inline(_)), PART_INLINE)
                | flag(self.lot.is_some(), LOT_INLINE)
                | flag(self.capsule.is_some(), CAPSULE)
                | flag(!self.extension.is_empty(), EXTENSION),
        );
        out.extend(self.key_id.0);
        put_leb128(&mut out, self.serial.get());
        out.extend(self.date.days().to_be_bytes());
        let inline = match &self.part {
            Part::Listed(index) => {
                put_leb128(&mut out, (*index).into());
                None
            }
            Part::Inline(text) => Some(text),
        };
        let mut texts = [inline, self.lot.as_ref()].into_iter().flatten();
        match (texts.next(), texts.next()) {
            (Some(a), Some(b)) => put_packed(&mut out, &[a, b]),
            (Some(a), None) => put_packed(&mut out, &[a]),
            _ => {}
        }
        if !self.extension.is_empty() {
            self.extension.put(&mut out);
        }
        out
    }

    /// The mark's bytes without its signature. Every mark has exactly one encoding, of 9 to 165 bytes.
    #[must_use]
    pub fn unsigned_bytes(&self) -> Vec<u8> {
        let mut out = self.head_bytes();
        if let Some(capsule) = &self.capsule {
            out.extend(capsule.bytes());
        }
        out
    }

    /// The message that the line key signs: the domain, the fingerprint of the maker's `root` key, part and lot as
    /// text (also where the mark carries an index, or nothing), and the mark's own bytes.
    #[must_use]
    pub fn message(&self, root: &KeyBytes, part: &Label, lot: Option<&Label>) -> Vec<u8> {
        message(&self.unsigned_bytes(), root, part, lot)
    }
}

fn message(unsigned: &[u8], root: &KeyBytes, part: &Label, lot: Option<&Label>) -> Vec<u8> {
    let mut out = Vec::with_capacity(domain::MARK.len() + 32 + 2 * 64 + unsigned.len());
    out.extend(domain::MARK);
    out.extend(root.fingerprint());
    for text in [part.as_str(), lot.map_or("", Label::as_str)] {
        // A label is at most 63 bytes long.
        out.push(text.len() as u8);
        out.extend(text.as_bytes());
    }
    out.extend(unsigned);
    out
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
        let mut out = self.mark.unsigned_bytes();
        out.extend(self.signature);
        out
    }

    /// The mark in `bytes`, which must be its one canonical encoding. Nothing is proven by it: the fields count only
    /// once the signature was verified.
    ///
    /// # Errors
    /// The [`MarkError`] that says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MarkError> {
        let header = *bytes.first().ok_or(MarkError::NotAMark)?;
        match header & 0xF0 {
            KIND => {}
            0xA0 | 0xB0 => return Err(MarkError::UnknownKind),
            _ => return Err(MarkError::NotAMark),
        }
        if bytes.len() > MAX_BYTES {
            return Err(MarkError::TooLong);
        }
        let (fields, signature) = bytes.split_last_chunk::<SIGNATURE_BYTES>().ok_or(MarkError::Truncated)?;
        Ok(Self { mark: fields_from(header, fields)?, signature: *signature })
    }
}

fn fields_from(header: u8, bytes: &[u8]) -> Result<Mark, MarkError> {
    let has = |bit: u8| header & bit != 0;
    let mut reader = Reader::new(bytes);
    reader.u8()?;
    let key_id = KeyId(reader.array()?);
    let serial = Serial(reader.leb128(Serial::MAX).map_err(number_error(MarkError::Serial))?);
    let date = Date::from_days(reader.u16()?);
    let index = match has(PART_INLINE) {
        true => None,
        false => Some(reader.leb128(u16::MAX.into()).map_err(number_error(MarkError::PartIndex))? as u16),
    };
    let count = usize::from(has(PART_INLINE)) + usize::from(has(LOT_INLINE));
    let mut texts = if count > 0 { take_packed(&mut reader, count)? } else { Vec::new() };
    let lot = if has(LOT_INLINE) { texts.pop() } else { None };
    let part = match (index, texts.pop()) {
        (Some(index), _) => Part::Listed(index),
        (None, Some(text)) => Part::Inline(text),
        (None, None) => return Err(MarkError::Truncated),
    };
    let extension = if has(EXTENSION) { Extension::take(&mut reader)? } else { Extension::default() };
    let capsule = match (has(CAPSULE), reader.rest()) {
        (false, []) => None,
        (false, _) => return Err(MarkError::CapsuleLength),
        (true, rest) => Some(Capsule::from_bytes(rest).ok_or(MarkError::CapsuleLength)?),
    };
    Ok(Mark { key_id, serial, date, part, lot, extension, capsule })
}

fn number_error(error: MarkError) -> impl Fn(Fault) -> MarkError {
    move |fault| if fault == Fault::Truncated { MarkError::Truncated } else { error }
}

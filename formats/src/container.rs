//! The container mark: on the label of a reel, a box or a pallet, for a range of serials (SPEC.md, section 2.4).

use crate::capsule::Capsule;
use crate::codec::{Reader, put_leb128};
use crate::date::Date;
use crate::delegation::SerialRange;
use crate::key::{KeyBytes, KeyId, domain};
use crate::mark::extension::{SITE, SSCC, put_entries, take_entries};
use crate::mark::{EXTENSION, MAX_BYTES, MarkError, Part, SIGNATURE_BYTES, Serial, fields};
use crate::text::Label;

/// High nibble of the first byte of a container mark of version 1.
pub(crate) const KIND: u8 = 0xB0;

/// What kind of container it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// What holds the parts themselves: a reel, tray, tube or bag.
    Reel = 1,
    /// What holds reels.
    Box = 2,
    /// What holds boxes.
    Pallet = 3,
}

impl Level {
    /// All levels, from the innermost on.
    pub const ALL: [Self; 3] = [Self::Reel, Self::Box, Self::Pallet];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reel => "reel",
            Self::Box => "box",
            Self::Pallet => "pallet",
        }
    }
}

/// A serial shipping container code (GS1 AI 00): 18 digits, the last of them the check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sscc(u64);

impl Sscc {
    /// The code whose 18 digits make `number`; `None` for more digits or a wrong check digit (GS1 General
    /// Specifications, section 7.9).
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        // From the right, the check digit first: weights 1, 3, 1, 3 and so on sum to a multiple of ten.
        let digits = (0..18u32).map(|place| (number / 10u64.pow(place)) % 10);
        let sum: u64 = digits.zip([1, 3].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
        (number < 10u64.pow(18) && sum.is_multiple_of(10)).then_some(Self(number))
    }

    /// The number of its 18 digits.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for Sscc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:018}", self.0)
    }
}

impl std::str::FromStr for Sscc {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 18 && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits).and_then(Self::new);
        number.ok_or("an SSCC is 18 digits, of which the last is the check digit")
    }
}

/// What a container mark says, without its signature.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Container {
    /// Hint at the line key that signed it.
    pub key_id: KeyId,
    /// What kind of container.
    pub level: Level,
    /// The parts in it have serials of this range, which is not empty.
    pub serials: SerialRange,
    /// How many serials of the range are not in it: less than the range holds.
    pub missing: u64,
    /// The day of packing.
    pub date: Date,
    /// The part.
    pub part: Part,
    /// The lot, where all parts are of one that the delegation does not tie to the range.
    pub lot: Option<Label>,
    /// Tag 1 of the extension: the site, where it is not the delegation's.
    pub site: Option<u16>,
    /// Tag 4 of the extension: the number of the container in logistics.
    pub sscc: Option<Sscc>,
    /// The sealed consignee.
    pub capsule: Option<Capsule>,
}

impl Container {
    /// How many parts are in it.
    #[must_use]
    pub fn quantity(&self) -> u64 {
        self.serials.count().saturating_sub(self.missing)
    }

    /// The bytes before the capsule: with the root key's fingerprint, the tweak that binds a capsule to this container.
    #[must_use]
    pub fn head_bytes(&self) -> Vec<u8> {
        let extended = self.site.is_some() || self.sscc.is_some();
        let mut out = Vec::with_capacity(MAX_BYTES);
        out.push(KIND | fields::flags(&self.part, self.lot.is_some(), self.capsule.is_some(), extended));
        out.extend(self.key_id.0);
        out.push(self.level as u8);
        put_leb128(&mut out, self.serials.first.get());
        put_leb128(&mut out, self.serials.last.get().saturating_sub(self.serials.first.get()));
        put_leb128(&mut out, self.missing);
        out.extend(self.date.days().to_be_bytes());
        fields::put_part_and_lot(&mut out, &self.part, self.lot.as_ref());
        if extended {
            let (site, sscc) = (self.site.map(u16::to_be_bytes), self.sscc.map(|code| code.0.to_be_bytes()));
            let entries = [(SITE, site.as_ref().map(|v| v.as_slice())), (SSCC, sscc.as_ref().map(|v| v.as_slice()))];
            put_entries(&mut out, &entries);
        }
        out
    }

    /// The bytes without the signature. Every container has exactly one encoding.
    #[must_use]
    pub fn unsigned_bytes(&self) -> Vec<u8> {
        fields::unsigned(self.head_bytes(), self.capsule.as_ref())
    }

    /// The message that the line key signs: as [`crate::mark::Mark::message`], in a domain of its own.
    #[must_use]
    pub fn message(&self, root: &KeyBytes, part: &Label, lot: Option<&Label>) -> Vec<u8> {
        fields::message(domain::CONTAINER, &self.unsigned_bytes(), root, part, lot)
    }
}

/// A container mark and its signature, as carried by the symbol on a label.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SignedContainer {
    /// What it says.
    pub container: Container,
    /// Ed25519 over [`Container::message`].
    pub signature: [u8; SIGNATURE_BYTES],
}

impl SignedContainer {
    /// The bytes that a symbol carries.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        fields::signed(self.container.unsigned_bytes(), &self.signature)
    }

    /// The container mark in `bytes`, which must be its one canonical encoding. Nothing is proven by it: the fields count
    /// only once the signature was verified.
    ///
    /// # Errors
    /// The [`MarkError`] that says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MarkError> {
        let (header, fields, signature) = fields::open(bytes, KIND)?;
        Ok(Self { container: container_from(header, fields)?, signature })
    }
}

fn container_from(header: u8, mut reader: Reader<'_>) -> Result<Container, MarkError> {
    let key_id = KeyId(reader.array()?);
    let level = reader.u8()?;
    let level = Level::ALL.into_iter().find(|known| *known as u8 == level).ok_or(MarkError::Level)?;
    let first = reader.leb128(Serial::MAX).map_err(fields::number_error(MarkError::Serial))?;
    let more = reader.leb128(Serial::MAX - first).map_err(fields::number_error(MarkError::Range))?;
    let missing = reader.leb128(more).map_err(fields::number_error(MarkError::Missing))?;
    let serial = |number| Serial::new(number).ok_or(MarkError::Range);
    let serials = SerialRange { first: serial(first)?, last: serial(first + more)? };
    let date = Date::from_days(reader.u16()?);
    let (part, lot) = fields::take_part_and_lot(&mut reader, header)?;
    let (mut site, mut sscc) = (None, None);
    if header & EXTENSION != 0 {
        take_entries(&mut reader, |tag, value| {
            let wrong = |_| MarkError::ExtensionValue;
            match tag {
                SITE => site = Some(value.u16().map_err(wrong)?),
                SSCC => {
                    let number = u64::from_be_bytes(value.array().map_err(wrong)?);
                    sscc = Some(Sscc::new(number).ok_or(MarkError::ExtensionValue)?);
                }
                _ => return Err(MarkError::ExtensionTag),
            }
            Ok(())
        })?;
    }
    let capsule = fields::take_capsule(reader, header)?;
    Ok(Container { key_id, level, serials, missing, date, part, lot, site, sscc, capsule })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shipping_codes_have_a_check_digit() {
        // GS1 General Specifications, section 7.9: the example of an SSCC.
        assert_eq!("376104250021234569".parse::<Sscc>().map(|s| s.to_string()).as_deref(), Ok("376104250021234569"));
        assert_eq!("000000000000000000".parse::<Sscc>().map(Sscc::number), Ok(0));
        for text in ["376104250021234568", "37610425002123456", "3761042500212345690", "+76104250021234569", ""] {
            assert!(text.parse::<Sscc>().is_err(), "{text}");
        }
        assert_eq!(Sscc::new(10u64.pow(18)), None);
    }
}

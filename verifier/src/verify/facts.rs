//! What an assessment says of a mark, proven and unproven.

use super::trace::Trace;
use serde::Serialize;
use touchmark_formats::carried::Carried;
use touchmark_formats::date::Date;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::Part;
use touchmark_formats::text::Label;
use touchmark_formats::trust::Country;

/// The fields of a mark whose signature is good.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proven {
    /// The manufacturer.
    pub maker: Label,
    /// Its country.
    pub country: Country,
    /// The line that signed.
    pub line: Label,
    /// Its public key, base64.
    pub line_key: KeyBytes,
    /// The id of the line key, hexadecimal.
    pub key_id: String,
    /// The part number.
    pub part: Label,
    /// The lot, if the mark or its delegation says.
    pub lot: Option<Label>,
    /// The serial of a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// What a container mark says of its container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerFacts>,
    /// The day of production, or of packing.
    pub date: Date,
    /// The site.
    pub site: u16,
    /// First four bytes of the hash of the die's own id, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub die_id: Option<String>,
    /// Print quality when made: ISO/IEC 15415 grade, 0.0 to 4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<f64>,
    /// To whom the part was first sold.
    pub consignee: ConsigneeStatus,
    /// Where the part went, if its maker answered a trace request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail: Option<Trace>,
}

/// What is known of the consignee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum ConsigneeStatus {
    /// The maker disclosed it.
    Disclosed {
        /// Its number at the maker.
        number: u64,
        /// Its name, if the disclosure has it.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Label>,
        /// Its country.
        #[serde(skip_serializing_if = "Option::is_none")]
        country: Option<Country>,
        /// Its address.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// The case for which it was disclosed.
        case: String,
        /// Zero bits in the capsule: a wrong key would show with a probability of 1 - 2^-bits.
        check_bits: u8,
    },
    /// The mark carries it, sealed; the maker can disclose it.
    Sealed,
    /// The mark does not carry it; the maker's shipping ledger may know.
    NotInMark,
}

/// The fields of a mark whose signature is not good, or not known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unproven {
    /// The key id that it names, hexadecimal.
    pub key_id: String,
    /// The part number, if the mark spells it.
    pub part: Option<Label>,
    /// The index of the part, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_index: Option<u16>,
    /// The lot, if the mark spells it.
    pub lot: Option<Label>,
    /// The serial of a part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// What a container mark says of its container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerFacts>,
    /// The date.
    pub date: Date,
}

/// What a container mark says beside part, lot and date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContainerFacts {
    /// `reel`, `box` or `pallet`.
    pub level: &'static str,
    /// The first serial of its range.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// How many parts are in it.
    pub quantity: u64,
    /// The number of the container in logistics (GS1 AI 00), 18 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sscc: Option<String>,
}

impl ContainerFacts {
    /// Those of `carried`; `None` for the mark of a part.
    #[must_use]
    pub fn of(carried: &Carried) -> Option<Self> {
        let Carried::Container(signed) = carried else { return None };
        let container = &signed.container;
        Some(Self {
            level: container.level.name(),
            first: container.serials.first.get(),
            last: container.serials.last.get(),
            quantity: container.quantity(),
            sscc: container.sscc.map(|code| code.to_string()),
        })
    }
}

impl Unproven {
    /// The fields of `carried`.
    #[must_use]
    pub fn of(carried: &Carried) -> Self {
        let (part, part_index) = match carried.part() {
            Part::Inline(text) => (Some(text.clone()), None),
            Part::Listed(index) => (None, Some(*index)),
        };
        Self {
            key_id: carried.key_id().to_string(),
            part,
            part_index,
            lot: carried.own_lot().cloned(),
            serial: serial(carried),
            container: ContainerFacts::of(carried),
            date: carried.date(),
        }
    }
}

/// The serial of the mark of a part.
pub(super) fn serial(carried: &Carried) -> Option<u64> {
    match carried {
        Carried::Mark(signed) => Some(signed.mark.serial.get()),
        Carried::Container(_) => None,
    }
}

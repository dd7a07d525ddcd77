//! A mark in a case folder: what [`crate::examine::Judged`] says, as it is read back from a file.

use crate::examine::Judged;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A mark, judged: the names and meanings are those of `photo --json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The verdict.
    pub verdict: Verdict,
    /// A sentence that says why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The manufacturer. This and what follows up to `trail` is proven by a good signature, and absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// Its country: ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The line that signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// The line's public key, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_key: Option<String>,
    /// The id of the line key, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The part number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// The serial of a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// What a container mark says of its container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The day of production, or of packing: YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<u16>,
    /// First four bytes of the hash of the die's own id, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub die_id: Option<String>,
    /// Print quality when made: ISO/IEC 15415 grade, 0.0 to 4.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<f64>,
    /// To whom the part was first sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consignee: Option<Consignee>,
    /// Where it went from there, if its maker answered a trace request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<Trail>,
    /// What was read without a good signature: a lead, not a fact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unauthenticated: Option<Unauthenticated>,
    /// What else was noticed.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// `QRCode` or `DataMatrix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbology: Option<String>,
    /// Modules a row, and rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modules: Option<[usize; 2]>,
    /// Codewords that error correction changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repaired: Option<usize>,
    /// Codewords in the symbol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codewords: Option<usize>,
    /// It came back by what was known beforehand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovered: bool,
}

/// What a container mark says beside part, lot and date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// `reel`, `box` or `pallet`.
    pub level: String,
    /// The first serial of its range.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// How many parts are in it.
    pub quantity: u64,
    /// The number of the container in logistics (GS1 AI 00).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sscc: Option<String>,
}

/// What is known of the consignee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consignee {
    /// `disclosed`, `sealed` or `not-in-mark`.
    pub status: String,
    /// Its number at the maker. This and what follows stands only where it is disclosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The case for which it was disclosed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// Zero bits in the capsule: a wrong key would show with a probability of 1 - 2^-bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_bits: Option<u8>,
}

/// Where a part went, by its maker's ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    /// The ledger's name.
    pub ledger: String,
    /// How many records it had.
    pub records: u64,
    /// The case for which it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// What happened to the part, the oldest first; empty: nothing is on record, and that is proven.
    pub hands: Vec<Hand>,
}

/// One event of a trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    /// Its place in the ledger.
    pub record: u64,
    /// The day: YYYY-MM-DD.
    pub date: String,
    /// `commissioned`, `shipped`, `handed-over`, `returned`, `destroyed` or `corrected`.
    pub event: String,
    /// Who had it from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Holder>,
    /// Where it was delivered, if that is somewhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Holder>,
    /// The document that goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Why it was corrected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// A later record says that it was wrong.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrected: bool,
}

/// Somebody who had a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where it is seated: ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What else identifies it: customer `number`, `lei`, `eori`, `duns`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Fields of a mark whose signature is not good, or not known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unauthenticated {
    /// The key id that it names, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The part number, if the mark spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// The index of the part, if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_index: Option<u16>,
    /// The lot, if the mark spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// The serial of a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// What a container mark says of its container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Container>,
    /// The date: YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
}

/// Something worth knowing beside the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its stable name, as [`crate::verdict::FindingKind`] has them.
    pub finding: String,
    /// A sentence for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Mark {
    /// A mark of which nothing but this is known.
    #[must_use]
    pub fn without(verdict: Verdict, reason: &str) -> Self {
        Self {
            verdict,
            reason: reason.to_owned(),
            maker: None,
            country: None,
            line: None,
            line_key: None,
            key_id: None,
            part: None,
            lot: None,
            serial: None,
            container: None,
            date: None,
            site: None,
            die_id: None,
            grade: None,
            consignee: None,
            trail: None,
            unauthenticated: None,
            findings: Vec::new(),
            symbology: None,
            modules: None,
            repaired: None,
            codewords: None,
            recovered: false,
        }
    }

    /// What `judged` is in a case folder. The names are the same on both sides, which makes this one step.
    ///
    /// # Errors
    /// A field that this module does not know how to hold; a test holds both sides together.
    pub fn of(judged: &Judged) -> serde_json::Result<Self> {
        serde_json::to_value(judged).and_then(serde_json::from_value)
    }
}

//! Records of the ledger, byte by byte, and the commitments under which they stand in the log.

use super::handover::HandOver;
use super::merkle::Hash;
use super::party::Party;
use crate::codec::{Fault, Reader, put_leb128};
use crate::date::Date;
use crate::delegation::SerialRange;
use crate::key::KeyBytes;
use crate::mark::Serial;
use crate::text::Label;
use sha2::{Digest, Sha256};

/// What is hashed into a commitment.
const COMMITMENT: &[u8] = b"touchmark/v1/ledger-record\0";
/// The longest record, in bytes.
pub const MAX_RECORD_BYTES: usize = 2048;
/// The largest number of an entry.
pub const MAX_INDEX: u64 = (1 << 53) - 1;

/// An entry of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// What happened to goods.
    Event(Event),
    /// Somebody who receives goods.
    Party(Party),
    /// The root of the [map of serials](super::map) over all entries before this one.
    Map(Hash),
    /// Nothing: so that the size of the log does not tell how much was shipped.
    Padding,
}

/// What happened to the parts with some serials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The line key that marked them.
    pub line: KeyBytes,
    /// Their serials: not empty.
    pub serials: SerialRange,
    /// The entry that answered for all of them until now; `None` for the first.
    pub after: Option<u64>,
    /// The day.
    pub date: Date,
    /// What.
    pub what: What,
}

/// Kinds of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// They were made.
    Commissioned {
        /// The part.
        part: Label,
        /// The lot.
        lot: Option<Label>,
        /// The root of the keys that open their consignees ([`item_keys_root`](super::keys::item_keys_root)).
        keys: Option<Hash>,
    },
    /// The maker sent them to a customer.
    Shipped {
        /// The entry of the customer.
        to: u64,
        /// The entry of the party at whose door they go, where it is another.
        ship_to: Option<u64>,
        /// The delivery note.
        document: Option<Label>,
    },
    /// Whoever had them passed them on, by its own signed word.
    HandedOver(Box<Handed>),
    /// They came back to the maker.
    Returned {
        /// The document.
        document: Option<Label>,
    },
    /// They are no more.
    Destroyed {
        /// The document or the reason.
        document: Option<Label>,
    },
    /// What the entry [`Event::after`] says is wrong: what counts is what answered before it.
    Corrected {
        /// Why.
        reason: Label,
    },
}

/// A hand-over as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// To whom.
    pub to: Party,
    /// The document.
    pub document: Option<Label>,
    /// Who signed.
    pub by: KeyBytes,
    /// The signature over the [`HandOver`].
    pub signature: [u8; 64],
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// Longer than [`MAX_RECORD_BYTES`].
    TooLong,
    /// They end within a field.
    Truncated,
    /// A first byte that no record has.
    Kind,
    /// A number out of its range, or not in its shortest form.
    Number,
    /// The last serial is above 2^53 - 1.
    Serials,
    /// A text that its field cannot hold.
    Text,
    /// A flag that is not defined.
    Flags,
    /// Bytes after the last field.
    Trailing,
}

impl RecordError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Truncated => "truncated",
            Self::Kind => "kind",
            Self::Number => "number",
            Self::Serials => "serials",
            Self::Text => "text",
            Self::Flags => "flags",
            Self::Trailing => "trailing",
        }
    }
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TooLong => "longer than a record can be",
            Self::Truncated => "cut off",
            Self::Kind => "of a kind that is not known here",
            Self::Number => "with a number out of its range or not in its shortest form",
            Self::Serials => "with serials above 2^53 - 1",
            Self::Text => "with a text that its field cannot hold",
            Self::Flags => "with a flag that is not defined",
            Self::Trailing => "with bytes after its end",
        })
    }
}

impl std::error::Error for RecordError {}

impl From<Fault> for RecordError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Truncated => Self::Truncated,
            Fault::NotShortest | Fault::OutOfRange => Self::Number,
        }
    }
}

/// The entry of the log for a record: SHA-256(`"touchmark/v1/ledger-record" 00` ‖ salt ‖ record). Without the salt nobody
/// can find out by trying what it is; with it the record is fixed.
#[must_use]
pub fn commitment(salt: &[u8; 32], record: &[u8]) -> Hash {
    Sha256::new().chain_update(COMMITMENT).chain_update(salt).chain_update(record).finalize().into()
}

impl Record {
    /// The one encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        match self {
            Self::Event(event) => event.put(&mut out),
            Self::Party(party) => {
                out.push(16);
                party.put(&mut out);
            }
            Self::Map(root) => {
                out.push(17);
                out.extend(root);
            }
            Self::Padding => out.push(18),
        }
        out
    }

    /// The record that has these bytes as its encoding.
    ///
    /// # Errors
    /// The first [`RecordError`] found.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RecordError> {
        if bytes.len() > MAX_RECORD_BYTES {
            return Err(RecordError::TooLong);
        }
        let mut fields = Fields(Reader::new(bytes));
        let record = match fields.u8()? {
            kind @ 1..=6 => Self::Event(Event::take(kind, &mut fields)?),
            16 => Self::Party(Party::take(&mut fields)?),
            17 => Self::Map(fields.array()?),
            18 => Self::Padding,
            _ => return Err(RecordError::Kind),
        };
        if fields.0.len() == 0 { Ok(record) } else { Err(RecordError::Trailing) }
    }
}

impl What {
    /// The stable name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Commissioned { .. } => "commissioned",
            Self::Shipped { .. } => "shipped",
            Self::HandedOver(_) => "handed-over",
            Self::Returned { .. } => "returned",
            Self::Destroyed { .. } => "destroyed",
            Self::Corrected { .. } => "corrected",
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Self::Commissioned { .. } => 1,
            Self::Shipped { .. } => 2,
            Self::HandedOver(_) => 3,
            Self::Returned { .. } => 4,
            Self::Destroyed { .. } => 5,
            Self::Corrected { .. } => 6,
        }
    }
}

impl Event {
    /// What the distributor signed, if this is a hand-over.
    #[must_use]
    pub fn hand_over(&self) -> Option<HandOver> {
        let What::HandedOver(handed) = &self.what else { return None };
        Some(HandOver {
            line: self.line,
            serials: self.serials,
            date: self.date,
            to: handed.to.clone(),
            document: handed.document.clone(),
        })
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.what.kind());
        out.extend(self.line.0);
        put_leb128(out, self.serials.first.get());
        put_leb128(out, self.serials.last.get() - self.serials.first.get());
        put_index(out, self.after);
        out.extend(self.date.days().to_be_bytes());
        match &self.what {
            What::Commissioned { part, lot, keys } => {
                put_label(out, Some(part));
                put_label(out, lot.as_ref());
                out.push(keys.is_some().into());
                out.extend(keys.iter().flatten());
            }
            What::Shipped { to, ship_to, document } => {
                put_leb128(out, *to);
                put_index(out, *ship_to);
                put_label(out, document.as_ref());
            }
            What::HandedOver(handed) => {
                handed.to.put(out);
                put_label(out, handed.document.as_ref());
                out.extend(handed.by.0);
                out.extend(handed.signature);
            }
            What::Returned { document } | What::Destroyed { document } => put_label(out, document.as_ref()),
            What::Corrected { reason } => put_label(out, Some(reason)),
        }
    }

    fn take(kind: u8, fields: &mut Fields<'_>) -> Result<Self, RecordError> {
        let line = KeyBytes(fields.array()?);
        let first = fields.number(Serial::MAX)?;
        let last = first + fields.number(Serial::MAX)?;
        let serials = Serial::new(first).zip(Serial::new(last)).ok_or(RecordError::Serials)?;
        let after = fields.index()?;
        let date = Date::from_days(u16::from_be_bytes(fields.array()?));
        let what = match kind {
            1 => What::Commissioned {
                part: fields.label()?.ok_or(RecordError::Text)?,
                lot: fields.label()?,
                keys: match fields.u8()? {
                    0 => None,
                    1 => Some(fields.array()?),
                    _ => return Err(RecordError::Flags),
                },
            },
            2 => What::Shipped { to: fields.number(MAX_INDEX)?, ship_to: fields.index()?, document: fields.label()? },
            3 => What::HandedOver(Box::new(Handed {
                to: Party::take(fields)?,
                document: fields.label()?,
                by: KeyBytes(fields.array()?),
                signature: fields.array()?,
            })),
            4 => What::Returned { document: fields.label()? },
            5 => What::Destroyed { document: fields.label()? },
            _ => What::Corrected { reason: fields.label()?.ok_or(RecordError::Text)? },
        };
        Ok(Self { line, serials: SerialRange { first: serials.0, last: serials.1 }, after, date, what })
    }
}

/// The fields of a record not yet read.
pub(super) struct Fields<'a>(Reader<'a>);

impl Fields<'_> {
    pub(super) fn u8(&mut self) -> Result<u8, RecordError> {
        Ok(self.0.u8()?)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        Ok(self.0.array()?)
    }

    pub(super) fn number(&mut self, max: u64) -> Result<u64, RecordError> {
        Ok(self.0.leb128(max)?)
    }

    /// The number of an entry, or nothing.
    fn index(&mut self) -> Result<Option<u64>, RecordError> {
        Ok(self.number(MAX_INDEX + 1)?.checked_sub(1))
    }

    /// A label after its length; nothing if that is 0.
    pub(super) fn label(&mut self) -> Result<Option<Label>, RecordError> {
        let length = self.u8()?;
        let bytes = self.0.take(length.into())?;
        if length == 0 {
            return Ok(None);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| RecordError::Text)?;
        text.parse().map(Some).map_err(|_| RecordError::Text)
    }

    /// A text after its length in two bytes.
    pub(super) fn text(&mut self) -> Result<String, RecordError> {
        let length = self.0.u16()?;
        let bytes = self.0.take(length.into())?;
        String::from_utf8(bytes.to_vec()).map_err(|_| RecordError::Text)
    }
}

fn put_index(out: &mut Vec<u8>, index: Option<u64>) {
    put_leb128(out, index.map_or(0, |index| index + 1));
}

pub(super) fn put_label(out: &mut Vec<u8>, label: Option<&Label>) {
    let text = label.map_or("", Label::as_str);
    out.push(text.len() as u8);
    out.extend(text.as_bytes());
}

pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    out.extend((text.len() as u16).to_be_bytes());
    out.extend(text.as_bytes());
}

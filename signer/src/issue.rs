//! What a mark is to say, held against what the delegation allows, and made into a mark for each serial.

use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use touchmark_formats::capsule::{Capsule, CapsuleSize, LotKey, YearKey};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Delegation, OutOfScope, SerialRange};
use touchmark_formats::mark::{Extension, Mark, Part, SIGNATURE_BYTES, Serial};
use touchmark_formats::text::Label;

/// What a mark says, apart from its serial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The part number.
    pub part: Label,
    /// The lot code, if there is one.
    pub lot: Option<Label>,
    /// The day of production.
    pub date: Date,
    /// The number of the consignee to seal into the mark.
    pub consignee: Option<u64>,
    /// Optional extras.
    pub extension: Extension,
}

/// Marks of one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What they say.
    pub content: Content,
    /// The first serial; the next unused ones where it is `None`.
    pub serial: Option<Serial>,
    /// How many, one serial after the other.
    pub count: u64,
}

/// One content under one delegation, ready to be made into marks.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    delegation: &'a Delegation,
    content: Content,
    part: Part,
    seal: Option<(u64, CapsuleSize, LotKey)>,
}

impl<'a> Template<'a> {
    /// Prepares `content`. `year` is the key of its year, needed where there is a consignee.
    ///
    /// # Errors
    /// The consignee's number does not fit into the delegation's capsules, or there is no key to seal it with.
    pub fn new(delegation: &'a Delegation, content: Content, year: Option<&YearKey>) -> Result<Self> {
        let listed = delegation.parts.iter().position(|part| *part == content.part).and_then(|n| u16::try_from(n).ok());
        let part = listed.map_or_else(|| Part::Inline(content.part.clone()), Part::Listed);
        let seal = match content.consignee {
            None => None,
            Some(number) => {
                let size = capsule_size(delegation, number)?;
                let year = year.ok_or_else(|| {
                    Error::unusable(format!("consignees cannot be sealed here: no disclosure key of {}", content.date.year()))
                        .hint("leave the consignee out and let the maker's ledger say where the goods went, or mark in the maker's home")
                })?;
                Some((number, size, year.day(content.date).lot(content.lot.as_ref())))
            }
        };
        Ok(Self { delegation, content, part, seal })
    }

    /// What the marks say.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The mark with this serial. A lot that the delegation ties to the serial is left out.
    ///
    /// # Errors
    /// The consignee could not be sealed.
    pub fn mark(&self, serial: Serial) -> Result<Mark> {
        let mut mark = self.unsealed(serial);
        if let Some((number, size, lot_key)) = &self.seal {
            // The head announces a capsule, so one of the right size stands in while the real one is made.
            mark.capsule = Capsule::from_bytes(&[0; 8][..usize::from(size.bytes())]);
            let key = lot_key.item(mark.key_id, serial);
            let sealed = Capsule::seal(*number, *size, &key, &mark.head_bytes(), &self.delegation.maker);
            mark.capsule = Some(sealed.ok_or_else(|| Error::unusable(format!("consignee {number} cannot be sealed")))?);
        }
        Ok(mark)
    }

    /// Bytes of the mark with this serial, signature included.
    #[must_use]
    pub fn length(&self, serial: Serial) -> usize {
        let capsule = self.seal.as_ref().map_or(0, |(_, size, _)| usize::from(size.bytes()));
        self.unsealed(serial).unsigned_bytes().len() + capsule + SIGNATURE_BYTES
    }

    fn unsealed(&self, serial: Serial) -> Mark {
        let implied =
            self.delegation.lot_of(serial).is_some() && self.delegation.lot_of(serial) == self.content.lot.as_ref();
        Mark {
            key_id: self.delegation.key.id(),
            serial,
            date: self.content.date,
            part: self.part.clone(),
            lot: if implied { None } else { self.content.lot.clone() },
            extension: self.content.extension,
            capsule: None,
        }
    }

    /// Refuses what the delegation does not allow on this serial.
    ///
    /// # Errors
    /// The first limit that the mark would break, and the way out.
    pub fn check(&self, serial: Serial) -> Result<()> {
        let broken = self.delegation.violations(&self.unsealed(serial));
        // A serial outside the range is outside every lot too, which is no news.
        let first = broken.iter().find(|limit| **limit == OutOfScope::Serial).or(broken.first());
        first.map_or(Ok(()), |limit| Err(self.refusal(*limit, serial)))
    }

    /// Refuses what the delegation does not allow whatever the serial.
    ///
    /// # Errors
    /// As [`Template::check`].
    pub fn check_any_serial(&self) -> Result<()> {
        self.check(self.serials().first().map_or(self.delegation.serials.first, |range| range.first))
    }

    fn refusal(&self, limit: OutOfScope, serial: Serial) -> Error {
        let (d, Content { part, lot, date, .. }) = (self.delegation, &self.content);
        let (what, hint) = match limit {
            OutOfScope::Part => {
                (format!("may not mark part {part}, only {}", list(d.parts.iter())), "list the part in it")
            }
            OutOfScope::Lot => {
                (lot_refusal(d, lot.as_ref(), serial), "list the lot in it, or take a serial of the lot")
            }
            OutOfScope::Serial => (format!("may not use serial {serial}, only {}", d.serials), "widen its range"),
            OutOfScope::TooEarly => {
                (format!("may not mark dates before {}, such as {date}", d.not_before), "begin earlier")
            }
            OutOfScope::TooLate => (format!("may not mark dates after {}, such as {date}", d.not_after), "end later"),
            _ => (format!("may not: {}", limit.name()), "allow it"),
        };
        Error::refused(format!("line {:?} {what}", d.line.as_str()))
            .hint(format!("the maker can grant another delegation (`touchmark-sign delegate grant`): {hint}"))
    }

    /// The serials that this content may use, in rising order: those of its lot where the delegation ties lots to
    /// serials, else those of no lot.
    #[must_use]
    pub fn serials(&self) -> Vec<SerialRange> {
        let d = self.delegation;
        let own = d.lots.iter().filter(|l| Some(&l.lot) == self.content.lot.as_ref()).map(|l| l.serials);
        let mut ranges = own.collect::<Vec<_>>();
        if ranges.is_empty() {
            ranges = gaps(&d.lots.iter().map(|l| l.serials).collect::<Vec<_>>());
        }
        ranges.into_iter().filter_map(|range| intersection(range, d.serials)).collect()
    }
}

fn lot_refusal(d: &Delegation, lot: Option<&Label>, serial: Serial) -> String {
    let wanted = lot.map_or_else(|| "without a lot".to_owned(), |lot| format!("of lot {lot}"));
    let listed = d.lots.iter().find(|l| Some(&l.lot) == lot);
    match (listed, d.lot_of(serial)) {
        (None, _) if !d.other_lots => {
            format!("may not mark parts {wanted}, only lots {}", list(d.lots.iter().map(|l| &l.lot)))
        }
        (_, Some(own)) => format!("may not mark serial {serial} {wanted}: the serial belongs to lot {own}"),
        (Some(own), None) => format!("may not mark serial {serial} {wanted}: the lot has serials {}", own.serials),
        (None, None) => format!("may not mark serial {serial} {wanted}"),
    }
}

/// A few names of a list, for a sentence.
fn list<'a>(mut names: impl Iterator<Item = &'a Label>) -> String {
    let first = names.by_ref().take(3).map(Label::as_str).collect::<Vec<_>>().join(", ");
    match names.count() {
        _ if first.is_empty() => "none".to_owned(),
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The size of `delegation`'s capsules, which must hold `number`.
pub(crate) fn capsule_size(delegation: &Delegation, number: u64) -> Result<CapsuleSize> {
    let size = delegation.capsule_size().ok_or_else(|| Error::unusable("the delegation has no such capsule"))?;
    if number <= size.max_number() {
        return Ok(size);
    }
    Err(Error::refused(format!(
        "consignee {number} is too large for capsules of {} bytes, which hold numbers up to {}",
        size.bytes(),
        size.max_number()
    ))
    .hint("take a smaller number, or have a delegation with --capsule-bytes 8 granted"))
}

fn intersection(a: SerialRange, b: SerialRange) -> Option<SerialRange> {
    let both = SerialRange { first: a.first.max(b.first), last: a.last.min(b.last) };
    (both.count() > 0).then_some(both)
}

/// What is left of all serials between `taken`, which rises and is disjoint.
fn gaps(taken: &[SerialRange]) -> Vec<SerialRange> {
    let mut gaps = Vec::new();
    let mut next = Some(SerialRange::ALL.first);
    for range in taken {
        if let (Some(first), Some(last)) = (next, range.first.get().checked_sub(1).and_then(Serial::new))
            && first <= last
        {
            gaps.push(SerialRange { first, last });
        }
        next = Serial::new(range.last.get() + 1);
    }
    gaps.extend(next.map(|first| SerialRange { first, last: SerialRange::ALL.last }));
    gaps
}

/// What a mark carries of a die's own id: the first four bytes of SHA-256(`"touchmark/v1/die-id" 00` ‖ id).
#[must_use]
pub fn die_id(id: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..]: [u8; 32] =
        Sha256::new().chain_update(b"touchmark/v1/die-id\0").chain_update(id).finalize().into();
    [a, b, c, d]
}

/// Gives an order without a lot the one that the delegation implies.
///
/// # Errors
/// Every lot is tied to serials, and neither lot nor serial was given.
pub fn settle_lot(delegation: &Delegation, order: &mut Order) -> Result<()> {
    if order.content.lot.is_some() || delegation.lots.is_empty() {
        return Ok(());
    }
    order.content.lot = match (order.serial, delegation.lots.as_slice()) {
        (Some(serial), _) => delegation.lot_of(serial).cloned(),
        (None, [only]) if !delegation.other_lots => Some(only.lot.clone()),
        (None, _) if delegation.other_lots => None,
        (None, lots) => {
            let lots = list(lots.iter().map(|l| &l.lot));
            return Err(Error::unusable(format!("the lot is missing; this line has {lots}")).hint("say --lot L"));
        }
    };
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;

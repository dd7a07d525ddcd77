//! Which ranges of serials a record of their own is due for, when parts are named together.

use super::append::Desk;
use super::log::Edge;
use super::rules::{Segment, State};
use super::store::{Ledger, strange};
use crate::error::{Error, Result};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::{Event, Record, What};
use touchmark_formats::mark::Serial;
use touchmark_formats::text::Label;

/// Parts that were named together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// What they are called, for messages, as `reel 376104250021234569`; empty for serials.
    pub name: String,
    /// The line key that marked them.
    pub line: KeyBytes,
    /// Their serials, rising.
    pub serials: Vec<SerialRange>,
}

impl Ledger {
    /// Some serials, cut where another record answers for them, or none.
    ///
    /// # Errors
    /// The store failed.
    pub fn pieces(&mut self, line: &KeyBytes, serials: SerialRange) -> Result<Vec<SerialRange>> {
        let mut pieces = Vec::new();
        let mut next = Some(serials.first);
        for segment in self.ranges(line, serials)? {
            let Some((first, last)) = Serial::new(segment.first).zip(Serial::new(segment.last)) else { continue };
            let Some(from) = next else { break };
            let gap = first.get().checked_sub(1).and_then(Serial::new);
            pieces.extend(gap.map(|last| SerialRange { first: from, last }).filter(|gap| gap.count() > 0));
            pieces.push(SerialRange { first: first.max(from), last: last.min(serials.last) });
            next = Serial::new(last.get() + 1);
        }
        let rest = next.map(|first| SerialRange { first, last: serials.last });
        pieces.extend(rest.filter(|rest| rest.count() > 0));
        Ok(pieces)
    }

    /// What there is of a lot, of the line key `only` if there is one; without the parts that are no more, unless
    /// `destroyed`.
    ///
    /// # Errors
    /// It was never commissioned, or nothing of it is left; or the store failed.
    pub fn parts_of_lot(&mut self, lot: &Label, only: Option<KeyBytes>, destroyed: bool) -> Result<Vec<Parts>> {
        let mut made = self.lot(lot)?;
        made.retain(|(_, event)| only.is_none_or(|line| event.line == line));
        if made.is_empty() {
            return Err(Error::refused(format!("lot {lot} was never commissioned"))
                .hint("`touchmark-sign ledger commission` puts made parts on record"));
        }
        let mut all: Vec<Parts> = Vec::new();
        for (number, event) in made {
            let mut serials = Vec::new();
            for segment in self.ranges(&event.line, event.serials)? {
                let gone = segment.state == State::Nothing || segment.state == State::Destroyed && !destroyed;
                let ends = Serial::new(segment.first).zip(Serial::new(segment.last));
                let Some((first, last)) = ends.filter(|_| !gone) else { continue };
                // What was corrected away may have been made anew, as of another lot.
                if self.origin(&segment)? == Some(number) {
                    serials.push(SerialRange { first, last });
                }
            }
            if !serials.is_empty() {
                all.push(Parts { name: format!("lot {lot}"), line: event.line, serials });
            }
        }
        if all.is_empty() {
            return Err(Error::refused(format!("nothing is left of lot {lot}")));
        }
        Ok(all)
    }

    /// The record by which the parts of a range were made.
    fn origin(&mut self, segment: &Segment) -> Result<Option<u64>> {
        self.made(segment).map(|made| made.map(|(number, ..)| number))
    }

    /// How the parts of a range were made: the record, the part and the lot.
    ///
    /// # Errors
    /// The store failed.
    pub fn made(&mut self, segment: &Segment) -> Result<Option<(u64, Label, Option<Label>)>> {
        self.made_by(segment.record)
    }

    /// The same of parts for which the record with this number answers, or did.
    pub(crate) fn made_by(&mut self, number: u64) -> Result<Option<(u64, Label, Option<Label>)>> {
        let made = self.chain_from(number)?.into_iter().find_map(|(number, event)| match event.what {
            What::Commissioned { part, lot, .. } => Some((number, part, lot)),
            _ => None,
        });
        Ok(made)
    }

    /// The event that counts where the record with this number answers: itself, or what a correction goes back to.
    pub(crate) fn counts(&mut self, number: u64) -> Result<Option<(u64, Event)>> {
        let desk = Desk::new(self.size, Edge::default());
        self.counting(&desk, number)
    }

    /// Who has the parts of a range: the customer or whoever got them after that, and at whose door they are, if it is
    /// another's.
    ///
    /// # Errors
    /// The store failed.
    pub fn holders(&mut self, segment: &Segment) -> Result<(Option<Party>, Option<Party>)> {
        let counts = self.counts(segment.record)?;
        let mut party = |number| match self.record(number)? {
            Record::Party(party) => Ok(party),
            _ => Err(strange("a customer")),
        };
        match counts {
            Some((_, Event { what: What::Shipped { to, ship_to, .. }, .. })) => {
                Ok((Some(party(to)?), ship_to.map(party).transpose()?))
            }
            Some((_, Event { what: What::HandedOver(handed), .. })) => Ok((Some(handed.to), None)),
            _ => Ok((None, None)),
        }
    }
}

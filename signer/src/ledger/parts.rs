//! Which ranges of serials a record of their own is due for, when parts are named together.

use super::rules::{Segment, State};
use super::store::Ledger;
use crate::error::{Error, Result};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::record::What;
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
        let chain = self.chain(segment)?;
        Ok(chain.iter().find(|(_, event)| matches!(event.what, What::Commissioned { .. })).map(|(number, _)| *number))
    }
}

//! What may happen to parts after what (SPEC.md, section 15.4).

use crate::error::{Error, Result};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::ledger::merkle::Hash;
use touchmark_formats::ledger::record::What;

/// What counts for parts: the kind of event that was the last, corrections apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing: what there was has been corrected away.
    Nothing = 0,
    /// They were made.
    Commissioned = 1,
    /// The maker sent them out.
    Shipped = 2,
    /// They were passed on.
    HandedOver = 3,
    /// They came back.
    Returned = 4,
    /// They are no more.
    Destroyed = 5,
}

/// A range of serials for which one record answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The first serial.
    pub first: u64,
    /// The last serial.
    pub last: u64,
    /// The number of the record.
    pub record: u64,
    /// What counts.
    pub state: State,
    /// The day of the record.
    pub date: Date,
    /// The record's commitment.
    pub entry: Hash,
}

impl State {
    pub(super) fn from_number(number: u64) -> Option<Self> {
        [Self::Nothing, Self::Commissioned, Self::Shipped, Self::HandedOver, Self::Returned, Self::Destroyed]
            .get(usize::try_from(number).ok()?)
            .copied()
    }

    /// The state after `what`; `None` after a correction, which goes back to an earlier one.
    pub(super) fn after(what: &What) -> Option<Self> {
        match what {
            What::Commissioned { .. } => Some(Self::Commissioned),
            What::Shipped { .. } => Some(Self::Shipped),
            What::HandedOver(_) => Some(Self::HandedOver),
            What::Returned { .. } => Some(Self::Returned),
            What::Destroyed { .. } => Some(Self::Destroyed),
            What::Corrected { .. } => None,
        }
    }

    /// As part of a sentence about parts.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Nothing => "corrected away",
            Self::Commissioned => "commissioned",
            Self::Shipped => "shipped",
            Self::HandedOver => "handed over",
            Self::Returned => "returned",
            Self::Destroyed => "destroyed",
        }
    }
}

/// Whether `what`, on `date`, may happen to `serials`, of which `found` are the segments that hold any: the one that holds
/// all of them, or `None` where none holds any.
///
/// # Errors
/// It may not; the message names the record that it conflicts with.
pub(super) fn judge(serials: SerialRange, date: Date, what: &What, found: &[Segment]) -> Result<Option<Segment>> {
    let wanted = match what {
        What::Commissioned { .. } => "commission",
        What::Shipped { .. } => "ship",
        What::HandedOver(_) => "hand over",
        What::Returned { .. } => "return",
        What::Destroyed { .. } => "destroy",
        What::Corrected { .. } => "correct",
    };
    let cannot = |why: String| Err(Error::refused(format!("cannot {wanted} serials {serials}: {why}")));
    let described = |segment: &Segment| {
        let (first, last) = (segment.first.max(serials.first.get()), segment.last.min(serials.last.get()));
        format!("{first} to {last} are {} on {} (record {})", segment.state.word(), segment.date, segment.record)
    };
    let [segment] = found else {
        return match (found.first(), what) {
            (None, What::Commissioned { .. }) => Ok(None),
            (None, _) => cannot("they were never commissioned".into())
                .map_err(|e| e.hint("`touchmark-sign ledger commission` puts made parts on record")),
            (Some(_), What::Commissioned { .. }) => cannot(found.iter().map(described).collect::<Vec<_>>().join(", ")),
            (Some(_), _) => cannot(format!("no one record answers for all of them: {}", pieces(found, &described)))
                .map_err(|e| e.hint("give each of these ranges a record of its own")),
        };
    };
    let whole = segment.first <= serials.first.get() && serials.last.get() <= segment.last;
    if !whole && !matches!(what, What::Commissioned { .. }) {
        return cannot(format!("only {}, and the others were never commissioned", described(segment)));
    }
    if date < segment.date {
        let day = segment.date;
        return cannot(format!(
            "{date} is before {day}, when they were {} (record {})",
            segment.state.word(),
            segment.record
        ));
    }
    use State::{Commissioned, Destroyed, HandedOver, Nothing, Returned, Shipped};
    let allowed = match what {
        What::Commissioned { .. } => whole && segment.state == Nothing,
        What::Shipped { .. } => matches!(segment.state, Commissioned | Returned),
        What::HandedOver(_) | What::Returned { .. } => matches!(segment.state, Shipped | HandedOver),
        What::Destroyed { .. } => !matches!(segment.state, Nothing | Destroyed),
        What::Corrected { .. } => true,
    };
    if allowed { Ok(Some(segment.clone())) } else { cannot(described(segment)) }
}

/// The first few of the segments, in words.
fn pieces(found: &[Segment], described: &dyn Fn(&Segment) -> String) -> String {
    let first = found.iter().take(3).map(described).collect::<Vec<_>>().join(", ");
    if found.len() > 3 { format!("{first}, and more") } else { first }
}

//! What was marked in a home, put on record in its ledger as made, with a commitment to the keys that open its consignees.

use crate::error::{Error, Result};
use crate::home::Home;
use crate::journal;
use crate::ledger::{Happened, Ledger, State};
use crate::line::store::Which;
use crate::lot::intersection;
use std::collections::BTreeMap;
use touchmark_formats::capsule::YearKey;
use touchmark_formats::close::Scrapped;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::keys::item_keys_root;
use touchmark_formats::ledger::record::What;
use touchmark_formats::mark::Serial;
use touchmark_formats::text::Label;

/// Serials issued one after the other with one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The serials.
    pub serials: SerialRange,
    /// The part.
    pub part: Label,
    /// The lot.
    pub lot: Option<Label>,
    /// The day of production.
    pub date: Date,
    /// Whether a consignee is sealed in them.
    pub sealed: bool,
}

/// What `line` marked in `home`, in the order of the serials.
///
/// # Errors
/// The store of serials failed.
pub fn runs(home: &Home, line: KeyBytes, which: Which<'_>) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    for record in journal::records(&mut home.store(false)?, which)?.into_iter().filter(|record| record.key == line) {
        let Some((first, last)) = Serial::new(record.first).zip(Serial::new(record.last)) else { continue };
        let sealed = record.mark.capsule.is_some();
        let run =
            Run { serials: SerialRange { first, last }, part: record.part, lot: record.lot, date: record.date, sealed };
        match runs.last_mut() {
            Some(before) if before.goes_on_with(&run) => before.serials.last = last,
            _ => runs.push(run),
        }
    }
    Ok(runs)
}

impl Run {
    fn goes_on_with(&self, next: &Self) -> bool {
        let alike = Self { serials: self.serials, ..next.clone() } == *self;
        alike && self.serials.last.get() + 1 == next.serials.first.get()
    }
}

/// The parts of `runs` of `line` that are not on record in `ledger`, cut where others are.
///
/// # Errors
/// Some are on record as another part or lot; or the store failed.
pub fn due(ledger: &mut Ledger, line: KeyBytes, runs: Vec<Run>) -> Result<Vec<Run>> {
    let mut due = Vec::new();
    for run in runs {
        for piece in ledger.pieces(&line, run.serials)? {
            let Some(segment) = ledger.segment(&line, piece.first)? else {
                due.push(Run { serials: piece, ..run.clone() });
                continue;
            };
            if let Some((number, part, lot)) = ledger.made(&segment)?
                && (&part, &lot) != (&run.part, &run.lot)
            {
                let lot = lot.map_or_else(String::new, |lot| format!(", lot {lot}"));
                let what = format!("serials {piece} were marked as {}, and are on record as {part}{lot}", run.part);
                return Err(Error::refused(format!("{what} (record {number})"))
                    .hint("correct that record first: `touchmark-sign ship --corrected WHY`"));
            }
        }
    }
    Ok(due)
}

/// The parts of `runs` whose serials are in `ranges`, which rise.
#[must_use]
pub fn within(runs: &[Run], ranges: &[SerialRange]) -> Vec<Run> {
    let within = |run: &Run| {
        let pieces = ranges.iter().filter_map(|range| intersection(*range, run.serials));
        pieces.map(|serials| Run { serials, ..run.clone() }).collect::<Vec<_>>()
    };
    runs.iter().flat_map(within).collect()
}

/// The events by which runs of `line` are made; `year_key` gives the disclosure key of a year, if it is in `home`.
///
/// # Errors
/// The key of a run with sealed consignees is not here.
pub fn made(
    home: &Home,
    line: KeyBytes,
    runs: Vec<Run>,
    year_key: &mut dyn FnMut(i16) -> Result<Option<YearKey>>,
) -> Result<Vec<Happened>> {
    let mut years: BTreeMap<i16, YearKey> = BTreeMap::new();
    let mut events = Vec::new();
    for Run { serials, part, lot, date, sealed } in runs {
        let year = date.year();
        if sealed
            && !years.contains_key(&year)
            && let Some(key) = year_key(year)?
        {
            years.insert(year, key);
        }
        let keys = match years.get(&year).filter(|_| sealed) {
            Some(key) => Some(item_keys_root(&key.day(date).lot(lot.as_ref()), line.id(), serials)),
            None if sealed => {
                return Err(Error::file(home.dir(), format_args!("the disclosure key of {year} is not here"))
                    .hint("without it the keys of these marks cannot be committed to before they ship"));
            }
            None => None,
        };
        events.push(Happened { line, serials, date, what: What::Commissioned { part, lot, keys } });
    }
    Ok(events)
}

/// Refuses to call serials of `line` void that the ledger says somebody has.
///
/// # Errors
/// Somebody has one; or the store failed.
pub fn require_unshipped(ledger: &mut Ledger, line: KeyBytes, void: &[Scrapped]) -> Result<()> {
    for Scrapped { serials, .. } in void {
        for segment in ledger.ranges(&line, *serials)? {
            if matches!(segment.state, State::Shipped | State::HandedOver) {
                let (first, last) = (segment.first.max(serials.first.get()), segment.last.min(serials.last.get()));
                let (word, record) = (segment.state.word(), segment.record);
                return Err(Error::refused(format!(
                    "serials {first} to {last} cannot be void: they were {word} on {} (record {record})",
                    segment.date
                ))
                .hint("put on record that they came back, or that the record is wrong: `touchmark-sign ship`"));
            }
        }
    }
    Ok(())
}

/// The events by which void serials of `line` are no more on `date`: those that are on record as the maker's own.
///
/// # Errors
/// The store failed.
pub fn scrapped(ledger: &mut Ledger, line: KeyBytes, void: &[Scrapped], date: Date) -> Result<Vec<Happened>> {
    let mut events = Vec::new();
    for Scrapped { serials, reason } in void {
        for piece in ledger.pieces(&line, *serials)? {
            let segment = ledger.segment(&line, piece.first)?;
            if segment.is_some_and(|s| matches!(s.state, State::Commissioned | State::Returned)) {
                let what = What::Destroyed { document: Some(reason.clone()) };
                events.push(Happened { line, serials: piece, date, what });
            }
        }
    }
    Ok(events)
}

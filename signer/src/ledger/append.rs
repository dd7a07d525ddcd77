//! Appending records: judged against what is on record, numbered, and written in one transaction.

use super::log::Edge;
use super::rules::{Segment, State, judge};
use super::schema::{BUNDLE, place, serial_at};
use super::store::{Ledger, SEGMENT_COLUMNS, segment_row, strange, unbundled};
use crate::error::{Error, Result};
use crate::line::store::{Row, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::merkle::{self, Hash};
use touchmark_formats::ledger::party::{MAX_CONSIGNEE, Party};
use touchmark_formats::ledger::record::{Event, MAX_INDEX, Record, What};
use touchmark_formats::signed::message;
use touchmark_formats::text::Label;

/// Something to be put on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum New {
    /// An event.
    Event(Happened),
    /// Somebody who receives goods.
    Party(Party),
    /// Nothing.
    Padding,
}

/// An event that is not on record yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// The line key that marked the parts.
    pub line: KeyBytes,
    /// Their serials.
    pub serials: SerialRange,
    /// The day.
    pub date: Date,
    /// What.
    pub what: What,
}

/// How many events look for their ranges together.
const TOGETHER: usize = 256;

/// What a batch of records reads and writes.
pub(super) struct Desk {
    /// The number of the first new record.
    first: u64,
    /// Their bytes.
    records: Vec<Vec<u8>>,
    /// The segments that the events meet, by place.
    segments: BTreeMap<u64, Segment>,
    /// Which of them are on record.
    stored: BTreeSet<u64>,
    /// Which of them are new or changed.
    changed: BTreeSet<u64>,
    /// Customers' new records.
    parties: BTreeMap<u64, u64>,
    /// The lots of new commissionings.
    lots: BTreeMap<u64, Label>,
    /// Records that are known to be of parties.
    known_parties: BTreeSet<u64>,
    edge: Edge,
}

/// A ledger while records are put on it that depend on what is there: nobody else appends meanwhile.
pub struct Together<'a>(&'a mut Ledger);

impl Together<'_> {
    /// As [`Ledger::append`]; durable once all is.
    ///
    /// # Errors
    /// A rule forbids one of them, or the store failed.
    pub fn append(&mut self, new: &[New]) -> Result<Range<u64>> {
        self.0.add(new)
    }

    /// The number of the record of a customer, which is put on record where what is known of it is not.
    ///
    /// # Errors
    /// The store failed.
    pub fn party(&mut self, party: &Party) -> Result<u64> {
        let known = party.number.map(|number| self.0.party(number)).transpose()?.flatten();
        if let Some(known) = known
            && self.0.record(known)? == Record::Party(party.clone())
        {
            return Ok(known);
        }
        self.append(&[New::Party(party.clone())]).map(|numbers| numbers.start)
    }

    /// The ledger, with all that was appended so far.
    pub fn ledger(&mut self) -> &mut Ledger {
        self.0
    }
}

impl Ledger {
    /// Puts `new` on record, all of it or nothing, durable when it returns. Gives the numbers of the records.
    ///
    /// # Errors
    /// A rule forbids one of them, or the store failed.
    pub fn append(&mut self, new: &[New]) -> Result<Range<u64>> {
        self.transaction(|ledger| ledger.add(new))
    }

    /// Puts on record what `work` appends, all of it or nothing, durable when it returns; what it finds in the ledger
    /// nobody changes meanwhile.
    ///
    /// # Errors
    /// Those of `work`; or the store failed.
    pub fn together<T>(&mut self, work: impl FnOnce(&mut Together<'_>) -> Result<T>) -> Result<T> {
        self.transaction(|ledger| work(&mut Together(ledger)))
    }

    pub(super) fn add(&mut self, new: &[New]) -> Result<Range<u64>> {
        let mut desk = self.desk(new)?;
        for record in new {
            let record = match record {
                New::Event(happened) => Record::Event(self.happen(&mut desk, happened)?),
                New::Party(party) => {
                    desk.note_party(party)?;
                    Record::Party(party.clone())
                }
                New::Padding => Record::Padding,
            };
            self.put(&mut desk, &record)?;
        }
        self.write(desk)
    }

    /// Appends one record that changes no range: the root of the map.
    pub(super) fn add_map(&mut self, root: Hash) -> Result<()> {
        let mut desk = self.desk(&[])?;
        self.put(&mut desk, &Record::Map(root))?;
        self.write(desk).map(drop)
    }

    fn desk(&mut self, new: &[New]) -> Result<Desk> {
        if self.size.saturating_add(new.len() as u64) > MAX_INDEX {
            return Err(Error::unusable(format!("{} is full", self.name())));
        }
        let size = self.size;
        let mut desk = Desk::new(size, Edge::load(size, |numbers| self.bodies("ledger_tile", numbers))?);
        let events = new.iter().filter_map(|new| if let New::Event(happened) = new { Some(happened) } else { None });
        let mut wanted = Vec::new();
        for happened in events {
            let line = self.line_number(&happened.line)?;
            wanted.push((place(line, happened.serials.first.get()), place(line, happened.serials.last.get())));
        }
        wanted.sort_unstable();
        for some in wanted.chunk_by(|a, b| a.0 >> 53 == b.0 >> 53).flat_map(|line| line.chunks(TOGETHER)) {
            self.fetch(&mut desk, some)?;
        }
        Ok(desk)
    }

    /// Reads the segments that meet any of `wanted`, places of one line in rising order.
    fn fetch(&mut self, desk: &mut Desk, wanted: &[(u64, u64)]) -> Result<()> {
        let (Some(first), Some(last)) = (wanted.first(), wanted.iter().map(|w| w.1).max()) else { return Ok(()) };
        let (line, low) = (first.0 >> 53, serial_at(first.0));
        // Ranges beside one another, the usual case, are found together.
        let most = 4 * TOGETHER as u64;
        let found = self.segments(line, low, serial_at(last), most)?;
        desk.found(line, self.segment_before(line, low)?);
        if (found.len() as u64) < most {
            desk.found(line, found);
            return Ok(());
        }
        for (first, last) in wanted {
            let (first, last) = (serial_at(*first), serial_at(*last));
            desk.found(line, self.segment_before(line, first)?);
            // More than a few are too many for any event.
            desk.found(line, self.segments(line, first, last, 16)?);
        }
        Ok(())
    }

    /// The event as it will stand on record, and the ranges as they are after it.
    fn happen(&mut self, desk: &mut Desk, happened: &Happened) -> Result<Event> {
        let Happened { line, serials, date, what } = happened.clone();
        if serials.count() == 0 {
            return Err(Error::unusable(format!("the serials {serials} end before they begin")));
        }
        let number = self.line_number(&line)?;
        let found = meeting(&desk.segments, number, serials);
        let before = judge(serials, date, &what, &found)?;
        let event = Event { line, serials, after: before.as_ref().map(|s| s.record), date, what };
        let state = match State::after(&event.what) {
            Some(state) => state,
            None => self.restored(desk, event.after)?,
        };
        match &event.what {
            What::Shipped { to, ship_to, .. } => {
                self.require_party(desk, *to)?;
                ship_to.map(|to| self.require_party(desk, to)).transpose()?;
            }
            What::HandedOver(_) => self.require_holder(desk, &event)?,
            _ => {}
        }
        let record = desk.first + desk.records.len() as u64;
        if let What::Commissioned { lot: Some(lot), .. } = &event.what {
            desk.lots.insert(record, lot.clone());
        }
        let (first, last) = (serials.first.get(), serials.last.get());
        // The commitment is known when the record has its bytes.
        desk.divide(number, before, Segment { first, last, record, state, date, entry: [0; 32] });
        Ok(event)
    }

    /// What counts once `corrected` no longer does.
    pub(super) fn restored(&mut self, desk: &Desk, corrected: Option<u64>) -> Result<State> {
        let before = self.read(desk, corrected.unwrap_or(u64::MAX))?.after;
        Ok(match before.map(|number| self.counting(desk, number)).transpose()?.flatten() {
            Some((_, event)) => State::after(&event.what).unwrap_or(State::Nothing),
            None => State::Nothing,
        })
    }

    /// The event that counts where `number` answers: itself, or what a correction goes back to.
    pub(super) fn counting(&mut self, desk: &Desk, number: u64) -> Result<Option<(u64, Event)>> {
        let mut next = Some(number);
        while let Some(number) = next {
            let event = self.read(desk, number)?;
            if !matches!(event.what, What::Corrected { .. }) {
                return Ok(Some((number, event)));
            }
            next = match event.after {
                Some(corrected) if corrected < number => self.read(desk, corrected)?.after.filter(|n| *n < corrected),
                _ => None,
            };
        }
        Ok(None)
    }

    fn read(&mut self, desk: &Desk, number: u64) -> Result<Event> {
        match number.checked_sub(desk.first).map(|n| desk.records.get(n as usize)) {
            None => self.event(number),
            Some(bytes) => match bytes.map(|bytes| Record::from_bytes(bytes)) {
                Some(Ok(Record::Event(event))) => Ok(event),
                _ => Err(strange("an event")),
            },
        }
    }

    fn read_party(&mut self, desk: &Desk, number: u64) -> Result<Option<Party>> {
        let record = match number.checked_sub(desk.first) {
            None => self.record(number)?,
            Some(n) => match desk.records.get(n as usize).map(|bytes| Record::from_bytes(bytes)) {
                Some(Ok(record)) => record,
                _ => return Ok(None),
            },
        };
        Ok(if let Record::Party(party) = record { Some(party) } else { None })
    }

    fn require_party(&mut self, desk: &mut Desk, number: u64) -> Result<()> {
        let there = desk.known_parties.contains(&number)
            || number < desk.first + desk.records.len() as u64 && self.read_party(desk, number)?.is_some();
        if !there {
            return Err(Error::unusable(format!("record {number} is not that of a customer")));
        }
        desk.known_parties.insert(number);
        Ok(())
    }

    /// Refuses a hand-over that is not signed by whoever has the parts.
    pub(super) fn require_holder(&mut self, desk: &Desk, event: &Event) -> Result<()> {
        let (What::HandedOver(handed), Some(document)) = (&event.what, event.hand_over()) else { return Ok(()) };
        let cannot = |why: String| Error::refused(format!("cannot hand over serials {}: {why}", event.serials));
        let key = handed.by.check().map_err(|e| cannot(format!("its key is {e}")))?;
        if !key.verify(&message(&document), &handed.signature) {
            return Err(cannot("it is not signed by the key that it names".into()));
        }
        let holder = match event.after.map(|number| self.counting(desk, number)).transpose()?.flatten() {
            Some((_, Event { what: What::Shipped { to, .. }, .. })) => self.read_party(desk, to)?,
            Some((_, Event { what: What::HandedOver(before), .. })) => Some(before.to),
            _ => None,
        };
        let Some(holder) = holder else { return Err(cannot("nobody has them".into())) };
        match holder.key {
            Some(own) if own == handed.by => Ok(()),
            Some(_) => Err(cannot(format!("{} has them, and this is not its key", holder.name))),
            None => Err(cannot(format!("{} has them, and its key is not on record", holder.name))
                .hint("put its public key into the column key of consignees.csv, compared by another way, and ship under that")),
        }
    }

    fn put(&mut self, desk: &mut Desk, record: &Record) -> Result<()> {
        let bytes = record.to_bytes();
        let number = desk.first + desk.records.len() as u64;
        let entry = self.entry(number, &bytes);
        if let Record::Event(event) = record {
            let own = self.line(&event.line).map(|line| place(line, event.serials.first.get()));
            let own = own.and_then(|own| desk.segments.get_mut(&own)).ok_or_else(|| strange("a range"))?;
            own.entry = entry;
        }
        desk.edge.push(merkle::leaf_hash(&entry));
        desk.records.push(bytes);
        Ok(())
    }

    fn write(&mut self, mut desk: Desk) -> Result<Range<u64>> {
        let end = desk.first + desk.records.len() as u64;
        let bundles = self.bundles(&desk)?;
        self.upsert("ledger_bundle", &["number", "body"], bundles)?;
        self.upsert("ledger_tile", &["number", "body"], desk.edge.take_rows())?;
        let rows = |stored: bool| -> Vec<Row> {
            let dirty = desk.changed.iter().filter(|at| desk.stored.contains(at) == stored);
            dirty.filter_map(|at| Some(segment_row(at >> 53, desk.segments.get(at)?))).collect()
        };
        self.upsert("ledger_segment", &SEGMENT_COLUMNS, rows(true))?;
        self.db.insert("ledger_segment", &SEGMENT_COLUMNS, rows(false))?;
        let parties = desk.parties.iter().map(|(number, record)| vec![(*number).into(), (*record).into()]).collect();
        self.upsert("ledger_party", &["number", "record"], parties)?;
        let lots = desk.lots.iter().map(|(record, lot)| vec![(*record).into(), lot.as_str().into()]).collect();
        self.upsert("ledger_lot", &["record", "lot"], lots)?;
        if !desk.changed.is_empty() {
            let body: Vec<u8> = desk.changed.iter().flat_map(|at| at.to_be_bytes()).collect();
            self.upsert("ledger_changed", &["number", "body"], vec![vec![desk.first.into(), body.as_slice().into()]])?;
        }
        self.db.run("UPDATE ledger SET size = $1", &[end.into()])?;
        self.size = end;
        Ok(desk.first..end)
    }

    /// The rows of the new records, the first of which may go on in the last row that is there.
    fn bundles(&mut self, desk: &Desk) -> Result<Vec<Row>> {
        let mut number = desk.first / BUNDLE;
        let begun = (desk.first % BUNDLE) as usize;
        let mut body = if begun == 0 {
            Vec::new()
        } else {
            self.bodies("ledger_bundle", &[number])?.remove(&number).unwrap_or_default()
        };
        if unbundled(&body)?.len() != begun {
            return Err(strange("the last records"));
        }
        let mut rows = Vec::new();
        let mut count = begun as u64;
        for record in &desk.records {
            body.extend((record.len() as u16).to_be_bytes());
            body.extend(record);
            count += 1;
            if count == BUNDLE {
                rows.push(vec![number.into(), Value::Bytes(std::mem::take(&mut body))]);
                (number, count) = (number + 1, 0);
            }
        }
        if !body.is_empty() && !desk.records.is_empty() {
            rows.push(vec![number.into(), Value::Bytes(body)]);
        }
        Ok(rows)
    }
}

impl Desk {
    pub(super) fn new(first: u64, edge: Edge) -> Self {
        Self {
            first,
            records: Vec::new(),
            segments: BTreeMap::new(),
            stored: BTreeSet::new(),
            changed: BTreeSet::new(),
            parties: BTreeMap::new(),
            lots: BTreeMap::new(),
            known_parties: BTreeSet::new(),
            edge,
        }
    }

    /// Notes segments that are on record.
    fn found(&mut self, line: u64, segments: impl IntoIterator<Item = Segment>) {
        for segment in segments {
            let at = place(line, segment.first);
            self.stored.insert(at);
            self.segments.insert(at, segment);
        }
    }

    /// Puts `new` in place of the part of `before` that it takes.
    fn divide(&mut self, line: u64, before: Option<Segment>, new: Segment) {
        for segment in divided(before, new) {
            let at = place(line, segment.first);
            self.changed.insert(at);
            self.segments.insert(at, segment);
        }
    }

    fn note_party(&mut self, party: &Party) -> Result<()> {
        let record = self.first + self.records.len() as u64;
        if let Some(number) = party.number {
            if number > MAX_CONSIGNEE {
                return Err(Error::unusable(format!("{number} is no number of a customer: it is below 2^40")));
            }
            self.parties.insert(number, record);
        }
        self.known_parties.insert(record);
        Ok(())
    }
}

/// The segments that hold any of `serials`.
pub(super) fn meeting(segments: &BTreeMap<u64, Segment>, line: u64, serials: SerialRange) -> Vec<Segment> {
    let (first, last) = (serials.first.get(), serials.last.get());
    let before = segments.range(place(line, 0)..place(line, first)).next_back().map(|(_, s)| s);
    let within = segments.range(place(line, first)..=place(line, last)).map(|(_, s)| s);
    before.filter(|s| s.last >= first).into_iter().chain(within).cloned().collect()
}

/// `new`, and what is left of the one that it takes a part of.
pub(super) fn divided(before: Option<Segment>, new: Segment) -> impl Iterator<Item = Segment> {
    let (first, last) = (new.first, new.last);
    let after = before.clone().filter(|s| s.last > last).map(|s| Segment { first: last + 1, ..s });
    let head = before.filter(|s| s.first < first).map(|s| Segment { last: first - 1, ..s });
    head.into_iter().chain([new]).chain(after)
}

//! The ledger's store: opening it, and reading what stands there.

use super::kept::{Kept, Wanted};
use super::log::wanted_for;
use super::rules::{Segment, State};
use super::schema::{self, BUNDLE, MAX_LINES, place, serial_at};
use crate::error::{Error, Result};
use crate::line::store::{Database, Postgres, Row, Sqlite, Value, fields, make_tables};
use std::collections::BTreeMap;
use std::path::Path;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::{Place, Subtree};
use touchmark_formats::ledger::merkle::Hash;
use touchmark_formats::ledger::record::{Event, Record, commitment};
use touchmark_formats::mark::Serial;
use touchmark_formats::text::Label;
use zeroize::Zeroizing;

/// The maker's ledger.
pub struct Ledger {
    pub(super) db: Box<dyn Database>,
    pub(super) salts: Salts,
    /// How many records there are.
    pub(super) size: u64,
    pub(super) lines: Vec<Line>,
    /// What was read last.
    pub(super) kept: Kept,
}

/// A line key that stands in the ledger, and its part of the map.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) public: KeyBytes,
    /// How many ranges the map has of it, where the first begins, and their hash.
    pub(super) count: u64,
    pub(super) first: u64,
    pub(super) hash: Hash,
}

impl Line {
    /// Its part of the map; `None` while that is empty.
    pub(super) fn subtree(&self) -> Option<Subtree> {
        let first = Place { line: self.public, serial: Serial::new(self.first)? };
        (self.count > 0).then_some(Subtree { first, hash: self.hash })
    }
}

/// What the salts come from.
#[derive(Clone)]
pub(super) struct Salts(Zeroizing<[u8; 32]>);

impl Salts {
    /// SHA-256 of the ledger's secret and the number.
    fn of(&self, number: u64) -> [u8; 32] {
        use sha2::{Digest, Sha256};
        let hash = Sha256::new().chain_update(b"touchmark/v1/ledger-salt\0").chain_update(self.0.as_slice());
        hash.chain_update(number.to_be_bytes()).finalize().into()
    }

    pub(super) fn entry(&self, number: u64, record: &[u8]) -> Hash {
        commitment(&self.of(number), record)
    }
}

/// A column is not what the schema says.
pub(super) fn strange(expected: &str) -> Error {
    Error::storage(format!("the ledger holds something else where {expected} should be"))
        .hint("`touchmark-sign ledger audit` says which record is not as it was")
}

/// Through whose hands a part went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Custody {
    /// The range that holds its serial, and which record answers for it.
    pub segment: Segment,
    /// The events that did, the newest first, each with its number, and with what was corrected.
    pub chain: Vec<(u64, Event)>,
}

impl Ledger {
    /// Opens the SQLite file at `path`, or makes it.
    ///
    /// # Errors
    /// It is no ledger, or cannot be opened.
    pub fn sqlite(path: &Path) -> Result<Self> {
        Self::open(Box::new(Sqlite::open(path, false)?))
    }

    /// Opens the ledger in a PostgreSQL database, or makes it.
    ///
    /// # Errors
    /// It is no ledger, or cannot be reached.
    pub fn postgres(url: &str) -> Result<Self> {
        Self::open(Box::new(Postgres::open(url, false)?))
    }

    /// Opens the ledger in `db`, or makes it.
    ///
    /// # Errors
    /// It is no ledger, or cannot be reached.
    pub fn open(mut db: Box<dyn Database>) -> Result<Self> {
        let row = match db.rows(schema::FIND, &[]) {
            Ok(rows) => rows.into_iter().next(),
            Err(_) => None,
        };
        let row = match row {
            Some(row) => row,
            None => make(db.as_mut())?,
        };
        let [version, secret, size] = fields(&row)?;
        let version = version.count()?;
        if ![schema::VERSION, schema::OTHER_TILES].contains(&version) {
            return Err(Error::unusable(format!("{} was made by another version of this program", db.name())));
        }
        let secret = secret.bytes()?.try_into().map_err(|_| strange("a secret"))?;
        let (salts, size) = (Salts(Zeroizing::new(secret)), size.count()?);
        let mut ledger = Self { db, salts, size, lines: Vec::new(), kept: Kept::default() };
        ledger.read_lines()?;
        if version == schema::OTHER_TILES {
            ledger.transaction(Self::bring_up_to_date)?;
        }
        Ok(ledger)
    }

    fn bring_up_to_date(&mut self) -> Result<()> {
        let rows = self.db.rows(schema::FIND, &[])?;
        let [version, ..] = fields::<3>(rows.first().ok_or_else(|| strange("its one row"))?)?;
        // Another process may have done it meanwhile.
        if version.count()? == schema::OTHER_TILES {
            self.remake_tiles()?;
            self.db.run("UPDATE ledger SET version = $1", &[schema::VERSION.into()])?;
        }
        Ok(())
    }

    /// What it is, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        self.db.name()
    }

    /// How many records there are, as of the last look.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads anew what another process may have changed.
    ///
    /// # Errors
    /// The store failed.
    pub fn refresh(&mut self) -> Result<()> {
        let rows = self.db.rows(schema::FIND, &[])?;
        let [_, _, size] = fields(rows.first().ok_or_else(|| strange("its one row"))?)?;
        let size = size.count()?;
        if size != self.size {
            self.kept = Kept::default();
            self.read_lines()?;
        }
        self.size = size;
        Ok(())
    }

    fn read_lines(&mut self) -> Result<()> {
        let rows = self.db.rows("SELECT number, public, count, first, hash FROM ledger_line ORDER BY number", &[])?;
        self.lines = rows.iter().zip(0..).map(|(row, number)| line_of(row, number)).collect::<Result<_>>()?;
        Ok(())
    }

    /// The number of a line key; `None` if nothing is on record of it.
    pub(super) fn line(&self, key: &KeyBytes) -> Option<u64> {
        self.lines.iter().position(|line| line.public == *key).map(|number| number as u64)
    }

    /// The number of a line key, which gets one if it has none.
    pub(super) fn line_number(&mut self, key: &KeyBytes) -> Result<u64> {
        if let Some(number) = self.line(key) {
            return Ok(number);
        }
        let number = self.lines.len() as u64;
        if number >= MAX_LINES {
            return Err(Error::unusable(format!("{} has {MAX_LINES} line keys, and room for no more", self.name())));
        }
        let line = Line { public: *key, count: 0, first: 0, hash: [0; 32] };
        let sql = "INSERT INTO ledger_line (number, public, count, first, hash) VALUES ($1, $2, 0, 0, $3)";
        self.db.run(sql, &[number.into(), key.0.as_slice().into(), line.hash.as_slice().into()])?;
        self.lines.push(line);
        Ok(number)
    }

    /// The salt of the record with this number.
    #[must_use]
    pub fn salt(&self, number: u64) -> [u8; 32] {
        self.salts.of(number)
    }

    /// The entry of the log for the record with this number and these bytes.
    #[must_use]
    pub fn entry(&self, number: u64, record: &[u8]) -> Hash {
        self.salts.entry(number, record)
    }

    /// The bytes of some records, by number.
    ///
    /// # Errors
    /// The store failed, or there is no such record.
    pub fn record_bytes(&mut self, numbers: &[u64]) -> Result<BTreeMap<u64, Vec<u8>>> {
        let bundles = numbers.iter().map(|number| number / BUNDLE).collect();
        let kept = self.keep(&Wanted { bundles, ..Wanted::default() })?;
        let find = |number: u64| {
            let body = kept.bundles.get(&(number / BUNDLE))?;
            unbundled(body).ok()?.get((number % BUNDLE) as usize).map(|record| record.to_vec())
        };
        numbers.iter().map(|number| Ok((*number, find(*number).ok_or_else(|| strange("a record"))?))).collect()
    }

    /// The record with this number.
    ///
    /// # Errors
    /// The store failed, or there is no such record.
    pub fn record(&mut self, number: u64) -> Result<Record> {
        let bytes = self.record_bytes(&[number])?;
        let bytes = bytes.get(&number).map(Vec::as_slice).unwrap_or_default();
        Record::from_bytes(bytes).map_err(|_| strange("a record"))
    }

    /// The event with this number.
    pub(crate) fn event(&mut self, number: u64) -> Result<Event> {
        match self.record(number)? {
            Record::Event(event) => Ok(event),
            _ => Err(strange("an event")),
        }
    }

    /// The custody of the part with a serial; `None` if nothing is on record of it. What proves it, and what the map says of the
    /// serial, is read with it.
    ///
    /// # Errors
    /// The store failed.
    pub fn custody(&mut self, place: &Place) -> Result<Option<Custody>> {
        let Some(line) = self.line(&place.line) else { return Ok(None) };
        let serial = place.serial.get();
        let about = self.segments_about(line, serial)?;
        let segment = about.iter().rfind(|segment| (segment.first..=segment.last).contains(&serial)).cloned();
        let Some(segment) = segment else { return Ok(None) };
        let head = self.size.saturating_sub(1);
        let pages = self.pages_to(line, segment.first).into_iter().collect();
        self.keep(&Wanted { pages, ..wanted_for(&[segment.record, head], self.size) })?;
        let chain = self.follow(segment.record, true)?;
        Ok(Some(Custody { segment, chain }))
    }

    /// The event with this number and those before it, the newest first.
    pub(super) fn chain_from(&mut self, number: u64) -> Result<Vec<(u64, Event)>> {
        self.follow(number, false)
    }

    fn follow(&mut self, number: u64, is_proven: bool) -> Result<Vec<(u64, Event)>> {
        let mut chain = Vec::new();
        let mut next = Some(number);
        while let Some(number) = next {
            if is_proven {
                self.keep(&wanted_for(&[number], self.size))?;
            }
            let event = self.event(number)?;
            // Each is older than the one after it, or the store would make this go on for ever.
            next = event.after.filter(|after| *after < number);
            chain.push((number, event));
        }
        Ok(chain)
    }

    /// The number of the newest record of the customer with this number.
    ///
    /// # Errors
    /// The store failed.
    pub fn party(&mut self, number: u64) -> Result<Option<u64>> {
        let rows = self.db.rows("SELECT record FROM ledger_party WHERE number = $1", &[number.into()])?;
        rows.first().map(|row| fields::<1>(row).and_then(|[record]| record.count())).transpose()
    }

    /// The commissionings of a lot, also those that were corrected away, in rising order.
    ///
    /// # Errors
    /// The store failed.
    pub fn lot(&mut self, lot: &Label) -> Result<Vec<(u64, Event)>> {
        let sql = "SELECT record FROM ledger_lot WHERE lot = $1 ORDER BY record";
        let rows = self.db.rows(sql, &[lot.as_str().into()])?;
        let numbers = rows.iter().map(|row| fields::<1>(row).and_then(|[record]| record.count()));
        numbers.collect::<Result<Vec<_>>>()?.into_iter().map(|number| Ok((number, self.event(number)?))).collect()
    }

    /// The ranges that hold any of some serials, in rising order.
    ///
    /// # Errors
    /// The store failed.
    pub fn ranges(&mut self, line: &KeyBytes, serials: SerialRange) -> Result<Vec<Segment>> {
        let Some(number) = self.line(line) else { return Ok(Vec::new()) };
        let mut found: Vec<Segment> = self.segment(line, serials.first)?.into_iter().collect();
        let next = found.first().map_or(serials.first.get(), |segment| segment.last.saturating_add(1));
        if next <= serials.last.get() {
            found.extend(self.segments(number, next, serials.last.get(), u64::from(u32::MAX))?);
        }
        Ok(found)
    }

    /// The segment that holds a serial.
    ///
    /// # Errors
    /// The store failed.
    pub fn segment(&mut self, line: &KeyBytes, serial: Serial) -> Result<Option<Segment>> {
        let Some(line) = self.line(line) else { return Ok(None) };
        Ok(self.segment_before(line, serial.get())?.filter(|segment| segment.last >= serial.get()))
    }

    /// The last segment of a line that begins at `serial` or before.
    pub(super) fn segment_before(&mut self, line: u64, serial: u64) -> Result<Option<Segment>> {
        let sql = format!("{SEGMENT} WHERE place >= $1 AND place <= $2 ORDER BY place DESC LIMIT 1");
        let rows = self.db.rows(&sql, &[place(line, 0).into(), place(line, serial).into()])?;
        rows.first().map(segment_of).transpose()
    }

    /// At most `limit` segments of a line that begin from `first` to `last`.
    pub(super) fn segments(&mut self, line: u64, first: u64, last: u64, limit: u64) -> Result<Vec<Segment>> {
        let sql = format!("{SEGMENT} WHERE place >= $1 AND place <= $2 ORDER BY place LIMIT {limit}");
        let rows = self.db.rows(&sql, &[place(line, first).into(), place(line, last).into()])?;
        rows.iter().map(segment_of).collect()
    }

    /// The segments of a line about a serial, in rising order: at most `limit` that begin at it or before, and as many after.
    pub(super) fn read_segments_about(&mut self, line: u64, serial: u64, limit: u64) -> Result<Vec<Segment>> {
        let half = |range: &str, order: &str| {
            format!("SELECT * FROM ({SEGMENT} WHERE {range} ORDER BY place {order} LIMIT {limit}) AS half")
        };
        let (before, after) = (half("place >= $1 AND place <= $2", "DESC"), half("place > $2 AND place <= $3", "ASC"));
        let values = [0, serial, Serial::MAX].map(|serial| place(line, serial).into());
        let rows = self.db.rows(&format!("{before} UNION ALL {after} ORDER BY place"), &values)?;
        rows.iter().map(segment_of).collect()
    }

    /// The bodies of some rows of a table, by number; those that are not there are missing.
    pub(super) fn bodies(&mut self, table: &str, numbers: &[u64]) -> Result<BTreeMap<u64, Vec<u8>>> {
        let mut found = BTreeMap::new();
        for some in numbers.chunks(64) {
            // A few lengths of statements are prepared once each.
            let width = some.len().next_power_of_two();
            let names = (1..=width).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
            let mut values: Vec<Value> = some.iter().map(|n| (*n).into()).collect();
            values.resize(width, some.last().map_or(Value::Null, |n| (*n).into()));
            let sql = format!("SELECT number, body FROM {table} WHERE number IN ({names})");
            for row in self.db.rows(&sql, &values)? {
                let [number, body] = <[Value; 2]>::try_from(row).map_err(|_| strange("a row of two columns"))?;
                let Value::Bytes(body) = body else { return Err(strange("bytes")) };
                found.insert(number.count()?, body);
            }
        }
        Ok(found)
    }

    /// Inserts rows, or puts them in place of those with the same key.
    pub(super) fn upsert(&mut self, table: &str, columns: &[&str], rows: Vec<Row>) -> Result<()> {
        self.db.upsert(table, columns, rows)
    }

    /// Does `work` in one transaction that keeps other writers out.
    pub(super) fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.db.begin()?;
        let done = (|| {
            self.db.run("UPDATE ledger SET size = size", &[])?;
            self.refresh()?;
            work(self)
        })();
        let done = done.and_then(|result| self.db.commit().map(|()| result));
        if done.is_err() {
            self.db.roll_back();
            // What was counted on in vain is read anew.
            self.size = u64::MAX;
            let _ = self.refresh();
        }
        done
    }

    /// The signed checkpoints, the newest first, at most `limit`.
    ///
    /// # Errors
    /// The store failed.
    pub fn checkpoints(&mut self, limit: u64) -> Result<Vec<(u64, String)>> {
        let sql = format!("SELECT size, note FROM ledger_checkpoint ORDER BY size DESC LIMIT {limit}");
        let rows = self.db.rows(&sql, &[])?;
        rows.iter()
            .map(|row| {
                let [size, note] = fields(row)?;
                Ok((size.count()?, note.text()?.unwrap_or_default().to_owned()))
            })
            .collect()
    }

    /// Keeps a signed checkpoint of `size` entries, in place of an older one of that size, which has fewer signatures.
    ///
    /// # Errors
    /// The store failed.
    pub fn keep_checkpoint(&mut self, size: u64, note: &str) -> Result<()> {
        self.transaction(|ledger| {
            ledger.upsert("ledger_checkpoint", &["size", "note"], vec![vec![size.into(), note.into()]])
        })
    }
}

const SEGMENT: &str = "SELECT place, last, record, state, entry FROM ledger_segment";
/// The columns of a segment.
pub(super) const SEGMENT_COLUMNS: [&str; 5] = ["place", "last", "record", "state", "entry"];

fn segment_of(row: &Row) -> Result<Segment> {
    let [place, last, record, state, entry] = fields(row)?;
    let state = state.count()?;
    Ok(Segment {
        first: serial_at(place.count()?),
        last: last.count()?,
        record: record.count()?,
        state: State::from_number(state & 0xff).ok_or_else(|| strange("a state"))?,
        date: Date::from_days(u16::try_from(state >> 8).map_err(|_| strange("a day"))?),
        entry: entry.bytes()?.try_into().map_err(|_| strange("a commitment"))?,
    })
}

pub(super) fn segment_row(line: u64, segment: &Segment) -> Row {
    let state = segment.state as u64 | u64::from(segment.date.days()) << 8;
    let numbers = [place(line, segment.first), segment.last, segment.record, state];
    numbers.map(Value::from).into_iter().chain([segment.entry.as_slice().into()]).collect()
}

fn line_of(row: &Row, expected: u64) -> Result<Line> {
    let [number, public, count, first, hash] = fields(row)?;
    if number.count()? != expected {
        return Err(strange("a line"));
    }
    let bytes = |value: &Value| -> Result<[u8; 32]> { value.bytes()?.try_into().map_err(|_| strange("32 bytes")) };
    Ok(Line { public: KeyBytes(bytes(public)?), count: count.count()?, first: first.count()?, hash: bytes(hash)? })
}

/// The records of a bundle, each after its length in two bytes.
pub(super) fn unbundled(mut body: &[u8]) -> Result<Vec<&[u8]>> {
    let mut records = Vec::with_capacity(BUNDLE as usize);
    while let Some((length, rest)) = body.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (record, rest) = rest.split_at_checked(length).ok_or_else(|| strange("a record"))?;
        records.push(record);
        body = rest;
    }
    Ok(records)
}

fn make(db: &mut dyn Database) -> Result<Row> {
    let mut secret = Zeroizing::new([0; 32]);
    getrandom::fill(secret.as_mut_slice())
        .map_err(|e| Error::unusable(format!("the system has no randomness: {e}")))?;
    let first = "INSERT INTO ledger (version, secret, size) VALUES ($1, $2, 0)";
    let values = [schema::VERSION.into(), secret.as_slice().into()];
    let tables = schema::tables(db.dialect());
    make_tables(db, &tables, (first, &values), schema::FIND)?.ok_or_else(|| strange("its one row"))
}

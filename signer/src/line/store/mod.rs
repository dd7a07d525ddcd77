//! Serials on record: who may use which, which were issued with what, and what became of them.
//!
//! | state of a serial | where it stands |
//! | --- | --- |
//! | free | in no block |
//! | reserved | in a block, from its `next` on |
//! | issued | in a block before its `next`, with its signature in a run |
//! | verified, void | issued, and in `outcome` |
//! | lost | in a block of its own kind: a restored store no longer knows what became of it, so it is never issued |
//! | closed | likewise: it was not issued before its lot was closed, and never will be |
//!
//! Every change is one transaction, durable when the call returns, and guarded twice. An issuer's commits are numbered: a
//! commit counts only if it is the next one and the issuer still holds its seat, so of two processes that take themselves
//! for the same line the earlier one stops. And blocks are advanced by compare-and-set, so that no serial before `next` can
//! be used again. After a failure nothing is assumed: [`Store::reopen`] and [`Store::take_seat`] read what is there.

mod audit;
mod close;
mod database;
#[cfg(test)]
pub(crate) mod faulty;
mod history;
mod lease;
mod postgres;
mod schema;
mod sqlite;

pub use audit::{Audit, Counts};
pub use database::{Database, Dialect, Row, Value};
pub use history::{Past, Which};
pub use lease::Wanted;
#[cfg(test)]
pub(crate) use {postgres::Postgres, sqlite::Sqlite};

use crate::error::{Error, Result};
use database::{fields, strange};
use schema::{place, serial_at};
use std::collections::HashSet;
use std::path::Path;
use touchmark_formats::date::Date;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::SIGNATURE_BYTES;
use touchmark_formats::text::Label;

/// Marks in one run: with capsules of eight bytes they still fit a page of SQLite's four kilobytes.
pub const RUN_MARKS: u64 = 54;

/// The store of serials.
pub struct Store {
    db: Box<dyn Database>,
    id: Vec<u8>,
    /// Contents that are known to be on record.
    contents: HashSet<i64>,
}

/// The right to issue under one name for one line key. Taking it anew ends the right of whoever had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The number of the line key in the store.
    pub key: u64,
    id: i64,
    holder: i64,
    /// How many commits this issuer has made.
    pub sequence: u64,
    /// What the last of them wrote.
    pub nonce: i64,
}

impl Seat {
    /// Whether it is the very seat that `own` is, later.
    #[must_use]
    pub fn is_held_as(&self, own: &Self) -> bool {
        (self.id, self.holder) == (own.id, own.holder)
    }
}

/// Serials reserved for one issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// The first.
    pub first: u64,
    /// The next to be issued.
    pub next: u64,
    /// The last.
    pub last: u64,
}

/// What marks say but for serial and capsule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Derived from all the rest.
    pub id: i64,
    /// The part.
    pub part: Label,
    /// The lot.
    pub lot: Option<Label>,
    /// The day of production.
    pub date: Date,
    /// The unsigned bytes of the mark with serial 0 and without its capsule.
    pub mark: Vec<u8>,
    /// Bytes of the capsule; 0 for none.
    pub capsule: u64,
}

/// Who asked, and the name that it gave its request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// The client; may be empty.
    pub client: String,
    /// Its name for the request.
    pub id: String,
}

/// Marks issued together, at most [`RUN_MARKS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The first serial.
    pub first: u64,
    /// The content's id.
    pub content: i64,
    /// When, in milliseconds of Unix time.
    pub at: i64,
    /// The request that it answers, and which piece of the answer it is.
    pub request: Option<(RequestId, u64)>,
    /// Bytes of each capsule.
    pub capsule: u64,
    /// For each mark its capsule and its signature.
    pub body: Vec<u8>,
}

impl Run {
    /// How many marks.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.body.len() as u64 / (self.capsule + SIGNATURE_BYTES as u64)
    }

    /// Capsule and signature of each mark, with its serial.
    pub fn marks(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let size = self.capsule as usize + SIGNATURE_BYTES;
        (self.first..).zip(self.body.chunks_exact(size))
    }
}

/// What became of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The line's camera read it back.
    Verified = 1,
    /// It is on no good part.
    Void = 2,
}

/// What became of one mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The serial.
    pub serial: u64,
    /// What became of it.
    pub state: State,
    /// When, in milliseconds of Unix time.
    pub at: i64,
    /// Why it is void.
    pub reason: Option<String>,
    /// Ten times the grade of ISO/IEC 15415.
    pub grade: Option<u8>,
}

/// What one commit puts on record.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Blocks before, and their next serial after.
    pub moves: Vec<(Block, u64)>,
    /// The contents of the runs.
    pub contents: Vec<Content>,
    /// Marks issued.
    pub runs: Vec<Run>,
    /// What became of marks, with what was on record of it before.
    pub outcomes: Vec<(Outcome, Option<State>)>,
}

impl Store {
    /// Opens the SQLite file at `path`, or makes it. `busy` is for a line that commits all the time.
    ///
    /// # Errors
    /// It is no store, or cannot be opened.
    pub fn sqlite(path: &Path, busy: bool) -> Result<Self> {
        Self::open(Box::new(sqlite::Sqlite::open(path, busy)?))
    }

    /// Opens the store in a PostgreSQL database, or makes it.
    ///
    /// # Errors
    /// It is no store, or cannot be reached.
    pub fn postgres(url: &str) -> Result<Self> {
        Self::open(Box::new(postgres::Postgres::open(url)?))
    }

    /// Opens the store in `db`, or makes it.
    ///
    /// # Errors
    /// It is no store, or cannot be reached.
    pub fn open(mut db: Box<dyn Database>) -> Result<Self> {
        let row = match db.rows(schema::FIND, &[]) {
            Ok(rows) => rows.into_iter().next(),
            Err(_) => None,
        };
        let row = match row {
            Some(row) => row,
            None => make(db.as_mut())?,
        };
        let [version, id] = fields(&row)?;
        if version.count()? != schema::VERSION {
            return Err(Error::unusable(format!("{} was made by another version of this program", db.name())));
        }
        Ok(Self { id: id.bytes()?.to_owned(), db, contents: HashSet::new() })
    }

    /// Which store this is: random, from when it was made.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// What it is, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        self.db.name()
    }

    /// Closes the connection and opens it anew.
    ///
    /// # Errors
    /// It cannot be reached, or another store is there now.
    pub fn reopen(&mut self) -> Result<()> {
        self.db.reopen()?;
        self.contents.clear();
        let rows = self.db.rows(schema::FIND, &[])?;
        match rows.first().map(fields).transpose()? {
            Some([_, id]) if id.bytes()? == self.id => Ok(()),
            _ => Err(Error::storage(format!("{} is another store than before", self.db.name()))),
        }
    }

    /// What is on record of the issuer `name` of `key`: its sequence and nonce. `None` if it never issued here.
    ///
    /// # Errors
    /// The store failed.
    pub fn seat(&mut self, key: &KeyBytes, name: &str) -> Result<Option<Seat>> {
        let sql = "SELECT issuer.id, issuer.key, holder, sequence, nonce FROM issuer JOIN signing_key \
                   ON signing_key.number = issuer.key WHERE public = $1 AND name = $2";
        let rows = self.db.rows(sql, &[key.0.as_slice().into(), name.into()])?;
        rows.first()
            .map(|row| {
                let [id, key, holder, sequence, nonce] = fields(row)?;
                Ok(Seat {
                    id: id.int()?,
                    key: key.count()?,
                    holder: holder.int()?,
                    sequence: sequence.count()?,
                    nonce: nonce.int()?,
                })
            })
            .transpose()
    }

    /// Takes the seat of the issuer `name` of `key`, which is made if there is none, and gives back what it had reserved
    /// and not issued.
    ///
    /// # Errors
    /// The store failed.
    pub fn take_seat(&mut self, key: &KeyBytes, name: &str) -> Result<Seat> {
        let holder = random()?;
        self.transaction(|store| {
            store.lock()?;
            if store.seat(key, name)?.is_none() {
                let number = store.key_number(key)?;
                let id = store.next_number("SELECT MAX(id) FROM issuer")?;
                let sql = "INSERT INTO issuer (id, key, name, holder, sequence, nonce, issued, verified, void) \
                           VALUES ($1, $2, $3, $4, 0, $5, 0, 0, 0)";
                let random = Value::Int(random()?);
                store.db.run(sql, &[id.into(), number.into(), name.into(), Value::Int(holder), random])?;
            }
            let seat = store.seat(key, name)?.ok_or_else(|| strange("an issuer"))?;
            store.db.run("UPDATE issuer SET holder = $1 WHERE id = $2", &[Value::Int(holder), Value::Int(seat.id)])?;
            store.give_back(seat.id)?;
            Ok(Seat { holder, ..seat })
        })
    }

    /// Gives back what `seat` reserved and did not issue.
    ///
    /// # Errors
    /// The store failed, or another process has the seat.
    pub fn leave(&mut self, seat: &Seat) -> Result<()> {
        self.transaction(|store| {
            store.lock()?;
            store.require(seat)?;
            store.give_back(seat.id)
        })
    }

    fn give_back(&mut self, issuer: i64) -> Result<()> {
        let values = [Value::Int(issuer)];
        self.db.run("UPDATE block SET last = next - 1 WHERE issuer = $1 AND next <= last", &values)?;
        self.db.run("DELETE FROM block WHERE issuer = $1 AND last < (place & 9007199254740991)", &values).map(drop)
    }

    fn key_number(&mut self, key: &KeyBytes) -> Result<u64> {
        let public = [key.0.as_slice().into()];
        let find = "SELECT number FROM signing_key WHERE public = $1";
        if let Some(row) = self.db.rows(find, &public)?.first() {
            let [number] = fields(row)?;
            return number.count();
        }
        let number = self.next_number("SELECT MAX(number) FROM signing_key")?;
        if number >= schema::MAX_KEYS {
            let limit = schema::MAX_KEYS;
            return Err(Error::unusable(format!(
                "{} has serials of {limit} line keys, and room for no more",
                self.name()
            )));
        }
        let [public] = public;
        self.db.run("INSERT INTO signing_key (number, public) VALUES ($1, $2)", &[number.into(), public])?;
        Ok(number)
    }

    /// One more than the highest of a column, which `lock` keeps others from taking.
    fn next_number(&mut self, highest: &str) -> Result<u64> {
        let rows = self.db.rows(highest, &[])?;
        let [highest] = fields(rows.first().ok_or_else(|| strange("a number"))?)?;
        if *highest == Value::Null { Ok(0) } else { Ok(highest.count()? + 1) }
    }

    /// What `seat` has reserved and not issued.
    ///
    /// # Errors
    /// The store failed.
    pub fn reserved(&mut self, seat: &Seat) -> Result<Vec<Block>> {
        let sql = "SELECT place, next, last FROM block WHERE issuer = $1 AND next <= last ORDER BY place";
        let rows = self.db.rows(sql, &[Value::Int(seat.id)])?;
        rows.iter()
            .map(|row| {
                let [place, next, last] = fields(row)?;
                Ok(Block { first: serial_at(place.count()?), next: next.count()?, last: last.count()? })
            })
            .collect()
    }

    /// Puts `batch` on record, all of it or nothing, durable when it returns. `seat` counts on.
    ///
    /// # Errors
    /// The store failed, and then the batch is on record or not; or another process has taken the seat.
    pub fn commit(&mut self, seat: &mut Seat, batch: &Batch) -> Result<()> {
        let nonce = random()?;
        self.transaction(|store| store.write(seat, batch, nonce))?;
        self.contents.extend(batch.contents.iter().map(|c| c.id));
        (seat.sequence, seat.nonce) = (seat.sequence + 1, nonce);
        Ok(())
    }

    fn write(&mut self, seat: &Seat, batch: &Batch, nonce: i64) -> Result<()> {
        let issued: u64 = batch.runs.iter().map(Run::count).sum();
        let change = |state: State| -> i64 {
            let after = batch.outcomes.iter().filter(|(o, _)| o.state == state).count() as i64;
            after - batch.outcomes.iter().filter(|(_, before)| *before == Some(state)).count() as i64
        };
        let sql = "UPDATE issuer SET sequence = sequence + 1, nonce = $1, issued = issued + $2, verified = verified + $3, \
                   void = void + $4 WHERE id = $5 AND holder = $6 AND sequence = $7";
        let [verified, void] = [State::Verified, State::Void].map(|state| Value::Int(change(state)));
        let own = [Value::Int(seat.id), Value::Int(seat.holder), seat.sequence.into()];
        let values = [[Value::Int(nonce), issued.into(), verified, void].as_slice(), &own].concat();
        if self.db.run(sql, &values)? != 1 {
            return Err(fenced());
        }
        for (block, next) in &batch.moves {
            let sql = "UPDATE block SET next = $1 WHERE place = $2 AND next = $3 AND last + 1 >= $1 AND issuer = $4";
            let values = [(*next).into(), place(seat.key, block.first).into(), block.next.into(), Value::Int(seat.id)];
            if self.db.run(sql, &values)? != 1 {
                return Err(fenced());
            }
        }
        self.insert_contents(&batch.contents)?;
        self.insert(RUN, batch.runs.iter().map(|run| run_row(seat.key, run)).collect())?;
        for (outcome, _) in &batch.outcomes {
            let sql = "INSERT INTO outcome (place, state, at, reason, grade) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (place) DO UPDATE SET state = $2, at = $3, reason = $4, grade = $5";
            self.db.run(sql, &outcome_row(seat.key, outcome))?;
        }
        Ok(())
    }

    fn insert_contents(&mut self, contents: &[Content]) -> Result<()> {
        for content in contents.iter().filter(|c| !self.contents.contains(&c.id)).cloned().collect::<Vec<_>>() {
            if let Some(known) = self.content(content.id)? {
                if known == content {
                    continue;
                }
                return Err(Error::unusable("two contents of marks have the same id"));
            }
            // Another process may write the same at this moment.
            let sql = "INSERT INTO content (id, part, lot, date, mark, capsule) VALUES ($1, $2, $3, $4, $5, $6) \
                       ON CONFLICT (id) DO NOTHING";
            let lot = content.lot.as_ref().map(Label::as_str);
            let date = u64::from(content.date.days()).into();
            let values = [Value::Int(content.id), content.part.as_str().into(), lot.into(), date];
            let rest = [content.mark.as_slice().into(), content.capsule.into()];
            self.db.run(sql, &[values.as_slice(), &rest].concat())?;
        }
        Ok(())
    }

    /// Inserts rows, many with one statement where there are many.
    fn insert(&mut self, (into, width): (&str, usize), rows: Vec<Row>) -> Result<()> {
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            let count = if rest.len() >= MANY { MANY } else { 1 };
            let (now, later) = rest.split_at(count);
            let tuple = |row: usize| {
                let values = (1..=width).map(|n| format!("${}", row * width + n)).collect::<Vec<_>>();
                format!("({})", values.join(", "))
            };
            let sql = format!("{into} VALUES {}", (0..count).map(tuple).collect::<Vec<_>>().join(", "));
            self.db.run(&sql, &now.concat())?;
            rest = later;
        }
        Ok(())
    }

    /// A content on record.
    ///
    /// # Errors
    /// The store failed.
    pub fn content(&mut self, id: i64) -> Result<Option<Content>> {
        let rows =
            self.db.rows("SELECT part, lot, date, mark, capsule FROM content WHERE id = $1", &[Value::Int(id)])?;
        rows.first()
            .map(|row| {
                let [part, lot, date, mark, capsule] = fields(row)?;
                let label = |text: &str| text.parse::<Label>().map_err(|_| strange("a part or lot"));
                Ok(Content {
                    id,
                    part: label(part.text()?.unwrap_or_default())?,
                    lot: lot.text()?.map(label).transpose()?,
                    date: Date::from_days(u16::try_from(date.count()?).map_err(|_| strange("a date"))?),
                    mark: mark.bytes()?.to_owned(),
                    capsule: capsule.count()?,
                })
            })
            .transpose()
    }

    /// The runs that answered a request, in order; none if it was not answered.
    ///
    /// # Errors
    /// The store failed.
    pub fn answered(&mut self, key: u64, request: &RequestId) -> Result<Vec<Run>> {
        let sql = format!(
            "{SELECT_RUN} WHERE client = $1 AND request = $2 AND request IS NOT NULL AND run.place >= $3 AND run.place < $4 ORDER BY piece"
        );
        let values = [
            request.client.as_str().into(),
            request.id.as_str().into(),
            place(key, 0).into(),
            place(key + 1, 0).into(),
        ];
        self.runs(&sql, &values)
    }

    /// The runs that hold any of the serials from `first` to `last`, in rising order.
    ///
    /// # Errors
    /// The store failed.
    pub fn issued(&mut self, key: u64, first: u64, last: u64) -> Result<Vec<Run>> {
        let sql = format!("{SELECT_RUN} WHERE run.place > $1 AND run.place <= $2 ORDER BY run.place");
        // A run that began before the first is at most so long.
        let lowest = place(key, first.saturating_sub(RUN_MARKS)).into();
        let runs = self.runs(
            &sql,
            &[if first < RUN_MARKS { Value::Int(place(key, 0) as i64 - 1) } else { lowest }, place(key, last).into()],
        )?;
        Ok(runs.into_iter().filter(|run| run.first + run.count() > first).collect())
    }

    fn runs(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Run>> {
        self.db.rows(sql, values)?.iter().map(run_of).collect()
    }

    /// What became of a mark; `None` while nothing is known.
    ///
    /// # Errors
    /// The store failed.
    pub fn outcome(&mut self, key: u64, serial: u64) -> Result<Option<Outcome>> {
        let sql = "SELECT place, state, at, reason, grade FROM outcome WHERE place = $1";
        self.db.rows(sql, &[place(key, serial).into()])?.first().map(outcome_of).transpose()
    }

    /// Begins a new count for `seat`, above all that it may have counted to.
    ///
    /// # Errors
    /// The store failed, or another process has taken the seat.
    pub fn skip_to(&mut self, seat: &Seat, at_least: u64) -> Result<Seat> {
        let (sequence, nonce) = (seat.sequence.max(at_least) + 1, random()?);
        let sql = "UPDATE issuer SET sequence = $1, nonce = $2 WHERE id = $3 AND holder = $4";
        let values = [sequence.into(), Value::Int(nonce), Value::Int(seat.id), Value::Int(seat.holder)];
        match self.db.run(sql, &values)? {
            1 => Ok(Seat { sequence, nonce, ..seat.clone() }),
            _ => Err(fenced()),
        }
    }

    /// The number of a line key in this store.
    ///
    /// # Errors
    /// The store failed.
    pub fn key(&mut self, key: &KeyBytes) -> Result<Option<u64>> {
        self.known_key(key)
    }

    /// Writes a copy of the store, as it is at one moment, to the file at `path`.
    ///
    /// # Errors
    /// The store is a server, or failed; or the file cannot be written.
    pub fn copy_to(&mut self, path: &Path) -> Result<()> {
        self.db.copy_to(path)?;
        let synced = std::fs::File::open(path).and_then(|file| file.sync_all());
        synced.map_err(|e| Error::io("write", path, &e))
    }

    /// How often serials were reserved in this store, by anybody.
    ///
    /// # Errors
    /// The store failed.
    pub fn leases(&mut self) -> Result<u64> {
        let rows = self.db.rows("SELECT leases FROM store", &[])?;
        rows.first().map(fields::<1>).transpose()?.map_or_else(|| Err(strange("a store")), |[leases]| leases.count())
    }

    /// Whether a mark with a date from `first` to `last` carries a sealed consignee.
    ///
    /// # Errors
    /// The store failed.
    pub fn has_sealed(&mut self, first: Date, last: Date) -> Result<bool> {
        let sql = "SELECT id FROM content WHERE capsule > 0 AND date >= $1 AND date <= $2 LIMIT 1";
        let [first, last] = [first, last].map(|date| u64::from(date.days()).into());
        Ok(!self.db.rows(sql, &[first, last])?.is_empty())
    }

    fn lock(&mut self) -> Result<()> {
        self.db.run("UPDATE store SET leases = leases + 1", &[]).map(drop)
    }

    fn require(&mut self, seat: &Seat) -> Result<()> {
        let sql = "SELECT sequence FROM issuer WHERE id = $1 AND holder = $2";
        let rows = self.db.rows(sql, &[Value::Int(seat.id), Value::Int(seat.holder)])?;
        if rows.is_empty() { Err(fenced()) } else { Ok(()) }
    }

    fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.db.begin()?;
        let done = work(self).and_then(|result| self.db.commit().map(|()| result));
        if done.is_err() {
            self.db.roll_back();
        }
        done
    }
}

/// Rows of one statement.
const MANY: usize = 16;
const RUN: (&str, usize) = ("INSERT INTO run (place, count, content, at, client, request, piece, body)", 8);
const SELECT_RUN: &str = "SELECT run.place, count, content, at, client, request, piece, body, capsule FROM run \
                          JOIN content ON content.id = run.content";

fn make(db: &mut dyn Database) -> Result<Row> {
    let id = (random()? as u64).to_be_bytes().into_iter().chain((random()? as u64).to_be_bytes()).collect::<Vec<_>>();
    db.begin()?;
    let tables = schema::tables(db.dialect());
    let made = db.script(&tables).and_then(|()| {
        db.run(
            "INSERT INTO store (version, id, leases) VALUES ($1, $2, 0)",
            &[schema::VERSION.into(), id.as_slice().into()],
        )?;
        db.commit()
    });
    if made.is_err() {
        // Another process may have made them at the same moment.
        db.roll_back();
    }
    match (db.rows(schema::FIND, &[]), made) {
        (Ok(rows), _) => rows.into_iter().next().ok_or_else(|| strange("a store")),
        (Err(_), Err(e)) | (Err(e), Ok(())) => Err(e),
    }
}

fn run_row(key: u64, run: &Run) -> Row {
    let (client, request, piece) = match &run.request {
        Some((id, piece)) => (id.client.as_str().into(), id.id.as_str().into(), (*piece).into()),
        None => (Value::Null, Value::Null, Value::Null),
    };
    let body = run.body.as_slice().into();
    vec![
        place(key, run.first).into(),
        run.count().into(),
        Value::Int(run.content),
        Value::Int(run.at),
        client,
        request,
        piece,
        body,
    ]
}

fn run_of(row: &Row) -> Result<Run> {
    let [place, count, content, at, client, request, piece, body, capsule] = fields(row)?;
    let request = match (client.text()?, request.text()?) {
        (Some(client), Some(id)) => Some((RequestId { client: client.to_owned(), id: id.to_owned() }, piece.count()?)),
        _ => None,
    };
    let run = Run {
        first: serial_at(place.count()?),
        content: content.int()?,
        at: at.int()?,
        request,
        capsule: capsule.count()?,
        body: body.bytes()?.to_owned(),
    };
    let whole =
        run.count() == count.count()? && run.body.len() as u64 == run.count() * (run.capsule + SIGNATURE_BYTES as u64);
    if whole { Ok(run) } else { Err(strange("the marks of a run")) }
}

fn outcome_row(key: u64, outcome: &Outcome) -> Row {
    let grade = outcome.grade.map_or(Value::Null, |grade| u64::from(grade).into());
    let state = Value::Int(outcome.state as i64);
    vec![place(key, outcome.serial).into(), state, Value::Int(outcome.at), outcome.reason.as_deref().into(), grade]
}

fn outcome_of(row: &Row) -> Result<Outcome> {
    let [place, state, at, reason, grade] = fields(row)?;
    Ok(Outcome {
        serial: serial_at(place.count()?),
        state: match state.int()? {
            1 => State::Verified,
            2 => State::Void,
            _ => return Err(strange("a state")),
        },
        at: at.int()?,
        reason: reason.text()?.map(str::to_owned),
        grade: match grade {
            Value::Null => None,
            grade => Some(u8::try_from(grade.count()?).map_err(|_| strange("a grade"))?),
        },
    })
}

/// Another process has the seat.
pub(super) fn fenced() -> Error {
    Error::refused("another process has taken over this line's place in the store, so this one issues nothing more")
        .hint("one process to a name: give each line its own with --name")
}

/// A random number.
fn random() -> Result<i64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|e| Error::unusable(format!("the system has no randomness: {e}")))?;
    Ok(i64::from_be_bytes(bytes))
}

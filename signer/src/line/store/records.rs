//! What stands on record, and how it stands in rows.

use super::database::{Row, Value, fields, strange};
use super::schema::{place, serial_at};
use crate::error::Result;
use touchmark_formats::date::Date;
use touchmark_formats::mark::SIGNATURE_BYTES;
use touchmark_formats::text::Label;

/// Marks in one run: with capsules of eight bytes they still fit a page of SQLite's four kilobytes.
pub const RUN_MARKS: u64 = 54;

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

/// Where a run goes, and how many columns it has.
pub(super) const RUN: (&str, usize) = ("INSERT INTO run (place, count, content, at, client, request, piece, body)", 8);
/// Runs with what [`run_of`] needs.
pub(super) const SELECT_RUN: &str = "SELECT run.place, count, content, at, client, request, piece, body, capsule FROM run \
                          JOIN content ON content.id = run.content";

pub(super) fn run_row(key: u64, run: &Run) -> Row {
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

pub(super) fn run_of(row: &Row) -> Result<Run> {
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

pub(super) fn outcome_row(key: u64, outcome: &Outcome) -> Row {
    let grade = outcome.grade.map_or(Value::Null, |grade| u64::from(grade).into());
    let state = Value::Int(outcome.state as i64);
    vec![place(key, outcome.serial).into(), state, Value::Int(outcome.at), outcome.reason.as_deref().into(), grade]
}

pub(super) fn outcome_of(row: &Row) -> Result<Outcome> {
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

//! What was issued, and what became of it, goes on record: all of a batch or nothing.

use super::database::Row;
use super::records::{RUN, outcome_row, run_row};
use super::schema::place;
use super::seat::fenced;
use super::{Batch, Content, Outcome, Run, Seat, State, Store, Value, random};
use crate::error::{Error, Result};
use crate::line::stages::{Stage, Stages};
use std::time::Instant;
use touchmark_formats::text::Label;

/// Rows of one statement.
const MANY: usize = 16;

impl Store {
    /// Puts `batch` on record, all of it or nothing, durable when it returns, and notes in `stages` how long that took.
    /// `seat` counts on.
    ///
    /// # Errors
    /// The store failed, and then the batch is on record or not; or another process has taken the seat.
    pub fn commit(&mut self, seat: &mut Seat, batch: &Batch, stages: &Stages) -> Result<()> {
        let nonce = random()?;
        let start = Instant::now();
        let written = self.transaction(|store| {
            store.write(seat, batch, nonce)?;
            Ok(Instant::now())
        })?;
        stages.note(Stage::Write, written.duration_since(start));
        stages.note(Stage::Sync, written.elapsed());
        self.contents.extend(batch.contents.iter().map(|c| c.id));
        (seat.sequence, seat.nonce) = (seat.sequence + 1, nonce);
        Ok(())
    }

    fn write(&mut self, seat: &Seat, batch: &Batch, nonce: i64) -> Result<()> {
        let issued: u64 = batch.runs.iter().map(Run::count).sum();
        let sql = "UPDATE issuer SET sequence = sequence + 1, nonce = $1, issued = issued + $2, verified = verified + $3, \
                   void = void + $4 WHERE id = $5 AND holder = $6 AND sequence = $7";
        let [verified, void] = changes(&batch.outcomes);
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
        self.put_outcomes(seat, &batch.outcomes)
    }

    /// Puts outcomes on record within a transaction, and counts them with those of the issuer on `seat`.
    pub(super) fn note_outcomes(&mut self, seat: &Seat, outcomes: &[(Outcome, Option<State>)]) -> Result<()> {
        let [verified, void] = changes(outcomes);
        let sql = "UPDATE issuer SET verified = verified + $1, void = void + $2 WHERE id = $3 AND holder = $4";
        if self.db.run(sql, &[verified, void, Value::Int(seat.id), Value::Int(seat.holder)])? != 1 {
            return Err(fenced());
        }
        self.put_outcomes(seat, outcomes)
    }

    fn put_outcomes(&mut self, seat: &Seat, outcomes: &[(Outcome, Option<State>)]) -> Result<()> {
        for (outcome, _) in outcomes {
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
}

/// By how much the numbers of verified and void marks change.
fn changes(outcomes: &[(Outcome, Option<State>)]) -> [Value; 2] {
    [State::Verified, State::Void].map(|state| {
        let after = outcomes.iter().filter(|(outcome, _)| outcome.state == state).count() as i64;
        Value::Int(after - outcomes.iter().filter(|(_, before)| *before == Some(state)).count() as i64)
    })
}

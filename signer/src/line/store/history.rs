//! What was issued, by lot, by day or by serial: for disclosures, and to find out which mark one was.

use super::database::{Row, fields, strange};
use super::records::{SELECT_RUN, run_of};
use super::schema::place;
use super::{Content, Run, Store, Value};
use crate::error::Result;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use touchmark_formats::date::Date;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::text::Label;

/// Which marks.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// Those of a lot.
    Lot(&'a Label),
    /// Those made on these days, both included.
    Days(Date, Date),
    /// Those with these serials.
    Serials(&'a [u64]),
    /// Those in runs that have serials from the first to the last of these.
    Range(u64, u64),
}

/// Marks issued together, with their line key and what they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The line key.
    pub key: KeyBytes,
    /// What they say.
    pub content: Content,
    /// The marks.
    pub run: Run,
}

impl Store {
    /// What was issued under all line keys, in the order of keys and serials.
    ///
    /// # Errors
    /// The store failed.
    pub fn history(&mut self, which: Which<'_>) -> Result<Vec<Past>> {
        let keys = self.keys()?;
        let rows = match which {
            Which::Lot(lot) => self.history_rows("content.lot = $1", &[lot.as_str().into()])?,
            Which::Days(from, to) => {
                let days = [from, to].map(|date| u64::from(date.days()).into());
                self.history_rows("content.date >= $1 AND content.date <= $2", &days)?
            }
            Which::Serials(serials) => self.rows_of_serials(&keys, serials)?,
            Which::Range(first, last) => self.rows_of_range(&keys, first, last)?,
        };
        let mut contents = BTreeMap::new();
        let mut past = Vec::new();
        for row in &rows {
            let run = run_of(row)?;
            let [at, ..] = fields::<9>(row)?;
            let key = *keys.get(&(at.count()? >> 53)).ok_or_else(|| strange("a line key"))?;
            let content = match contents.entry(run.content) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(self.content(run.content)?.ok_or_else(|| strange("a content"))?),
            };
            past.push(Past { key, content: content.clone(), run });
        }
        Ok(past)
    }

    fn history_rows(&mut self, condition: &str, values: &[Value]) -> Result<Vec<Row>> {
        self.db.rows(&format!("{SELECT_RUN} WHERE {condition} ORDER BY run.place"), values)
    }

    fn rows_of_serials(&mut self, keys: &BTreeMap<u64, KeyBytes>, serials: &[u64]) -> Result<Vec<Row>> {
        let sql = format!("{SELECT_RUN} WHERE run.place <= $1 AND run.place > $2 ORDER BY run.place DESC LIMIT 1");
        let mut rows: Vec<Row> = Vec::new();
        for key in keys.keys() {
            for serial in serials {
                let before = place(*key, *serial).cast_signed() - super::RUN_MARKS.cast_signed();
                let found = self.db.rows(&sql, &[place(*key, *serial).into(), Value::Int(before)])?;
                for row in found {
                    let run = run_of(&row)?;
                    if run.first + run.count() > *serial && rows.last() != Some(&row) {
                        rows.push(row);
                    }
                }
            }
        }
        Ok(rows)
    }

    fn rows_of_range(&mut self, keys: &BTreeMap<u64, KeyBytes>, first: u64, last: u64) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        for key in keys.keys() {
            // A run that began before the first is at most so long.
            let places = [first.saturating_sub(super::RUN_MARKS - 1), last].map(|serial| place(*key, serial).into());
            rows.extend(self.history_rows("run.place >= $1 AND run.place <= $2", &places)?);
        }
        Ok(rows)
    }

    fn keys(&mut self) -> Result<BTreeMap<u64, KeyBytes>> {
        let rows = self.db.rows("SELECT number, public FROM signing_key", &[])?;
        let key = |row: &Row| {
            let [number, public] = fields(row)?;
            let public = public.bytes()?.try_into().map_err(|_| strange("a line key"))?;
            Ok((number.count()?, KeyBytes(public)))
        };
        rows.iter().map(key).collect()
    }
}

//! Looking up what is on record.

use super::database::{Row, fields, strange};
use super::records::{SELECT_RUN, outcome_of, run_of};
use super::schema::place;
use super::{Content, Outcome, RUN_MARKS, RequestId, Run, Store, Value};
use crate::error::Result;
use touchmark_formats::date::Date;
use touchmark_formats::text::Label;

impl Store {
    /// A content on record.
    ///
    /// # Errors
    /// The store failed.
    pub fn content(&mut self, id: i64) -> Result<Option<Content>> {
        self.content_row(id)?.map(|row| content_of(id, &row)).transpose()
    }

    pub(super) fn content_row(&mut self, id: i64) -> Result<Option<Row>> {
        let sql = "SELECT part, lot, date, mark, capsule FROM content WHERE id = $1";
        Ok(self.db.rows(sql, &[Value::Int(id)])?.into_iter().next())
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
        let runs = self.issued_rows(key, first, last)?.iter().map(run_of).collect::<Result<Vec<_>>>()?;
        Ok(runs.into_iter().filter(|run| run.first + run.count() > first).collect())
    }

    /// The rows of these runs, and of one before them, perhaps.
    pub(super) fn issued_rows(&mut self, key: u64, first: u64, last: u64) -> Result<Vec<Row>> {
        let sql = format!("{SELECT_RUN} WHERE run.place > $1 AND run.place <= $2 ORDER BY run.place");
        // A run that began before the first is at most so long.
        let lowest = place(key, first.saturating_sub(RUN_MARKS)).into();
        self.db.rows(
            &sql,
            &[if first < RUN_MARKS { Value::Int(place(key, 0) as i64 - 1) } else { lowest }, place(key, last).into()],
        )
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

    /// Whether a mark with a date from `first` to `last` carries a sealed consignee.
    ///
    /// # Errors
    /// The store failed.
    pub fn has_sealed(&mut self, first: Date, last: Date) -> Result<bool> {
        let sql = "SELECT id FROM content WHERE capsule > 0 AND date >= $1 AND date <= $2 LIMIT 1";
        let [first, last] = [first, last].map(|date| u64::from(date.days()).into());
        Ok(!self.db.rows(sql, &[first, last])?.is_empty())
    }
}

/// The content of a row.
pub(super) fn content_of(id: i64, row: &Row) -> Result<Content> {
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
}

//! Closing a range of serials: what of it was never issued never will be.

use super::database::fields;
use super::lease::Kept;
use super::schema::{place, serial_at};
use super::{Store, Value};
use crate::error::{Error, Result};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::Serial;

impl Store {
    /// Closes `range` of `key`, on record when it returns. `make` makes the account of it from the serials that were
    /// issued, while nobody can issue any; if it refuses, nothing is closed. A range that is closed already can be closed
    /// again, for an account that was lost.
    ///
    /// # Errors
    /// Those of `make`; a line that runs has some of the serials reserved; or the store failed.
    pub fn close<T>(
        &mut self,
        key: &KeyBytes,
        range: SerialRange,
        make: impl FnOnce(Vec<SerialRange>) -> Result<T>,
    ) -> Result<T> {
        let seat = self.take_seat(key, "close")?;
        self.transaction(|store| {
            store.lock()?;
            let (first, last) = (range.first.get(), range.last.get());
            let sql = "SELECT place, next, last, lost FROM block WHERE place >= $1 AND place <= $2 AND last >= $3 \
                       ORDER BY place";
            let values = [place(seat.key, 0).into(), place(seat.key, last).into(), first.into()];
            let (mut issued, mut next) = (Vec::new(), first);
            for row in store.db.rows(sql, &values)? {
                let [start, free, end, kept] = fields(&row)?;
                let (start, free, end) = (serial_at(start.count()?), free.count()?, end.count()?);
                if free <= end && free <= last {
                    return Err(Error::refused(format!(
                        "serials {free} to {end} are reserved for a line that is running"
                    ))
                    .hint("stop the line, which gives back what it did not use, and close then"));
                }
                let range = Serial::new(start.max(first)).zip(Serial::new(end.min(last)));
                let used = kept.int()? == Kept::Issued as i64;
                issued.extend(range.filter(|_| used).map(|(first, last)| SerialRange { first, last }));
                store.keep_free(&seat, next, start.saturating_sub(1).min(last), Kept::Closed)?;
                next = next.max(end + 1);
            }
            store.keep_free(&seat, next, last, Kept::Closed)?;
            make(issued)
        })
    }

    /// Why the marks of a range are void, by serial.
    ///
    /// # Errors
    /// The store failed.
    pub fn voids(&mut self, key: &KeyBytes, range: SerialRange) -> Result<Vec<(u64, String)>> {
        let Some(number) = self.known_key(key)? else { return Ok(Vec::new()) };
        let sql = "SELECT place, reason FROM outcome WHERE place >= $1 AND place <= $2 AND state = $3 ORDER BY place";
        let [first, last] = [range.first, range.last].map(|serial| place(number, serial.get()).into());
        let rows = self.db.rows(sql, &[first, last, Value::Int(super::State::Void as i64)])?;
        let void = |row: &super::Row| {
            let [place, reason] = fields(row)?;
            Ok((serial_at(place.count()?), reason.text()?.unwrap_or_default().to_owned()))
        };
        rows.iter().map(void).collect()
    }
}

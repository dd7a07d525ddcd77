//! Closing a range of serials: what of it was never issued never will be.

use super::database::{fields, strange};
use super::lease::Kept;
use super::schema::{place, serial_at};
use super::{Outcome, Seat, State, Store, Value};
use crate::error::{Error, Result};
use crate::lot::intersection;
use jiff::Timestamp;
use touchmark_formats::close::Scrapped;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::Serial;

impl Store {
    /// Closes `range` of `key`, on record when it returns, and with it that the `void` serials are, each for its reason.
    /// `make` makes the account of it from the serials that were issued, while nobody can issue any; if it refuses,
    /// nothing is closed. A range that is closed already can be closed again, for an account that was lost.
    ///
    /// # Errors
    /// Those of `make`; a line that runs has some of the serials reserved; or the store failed.
    pub fn close<T>(
        &mut self,
        key: &KeyBytes,
        range: SerialRange,
        void: &[Scrapped],
        at: Timestamp,
        make: impl FnOnce(Vec<SerialRange>) -> Result<T>,
    ) -> Result<T> {
        let seat = self.take_seat(key, "close")?;
        self.transaction(|store| {
            store.lock()?;
            let (first, last) = (range.first.get(), range.last.get());
            let sql = "SELECT place, next, last, lost, issuer FROM block WHERE place >= $1 AND place <= $2 AND last >= $3 \
                       ORDER BY place";
            let values = [place(seat.key, 0).into(), place(seat.key, last).into(), first.into()];
            let (mut issued, mut next) = (Vec::new(), first);
            for row in store.db.rows(sql, &values)? {
                let [start, free, end, kept, issuer] = fields(&row)?;
                let (start, free, end) = (serial_at(start.count()?), free.count()?, end.count()?);
                if free <= end && free <= last {
                    let name = store.name_of(issuer.int()?)?;
                    return Err(Error::refused(format!("serials {free} to {end} are reserved for the line {name:?}"))
                        .hint(format!(
                            "stop it, which gives back what it did not use, and close then; if it is gone for good, \
                             `touchmark-sign line recover --name {name:?}` says so"
                        )));
                }
                let range = Serial::new(start.max(first)).zip(Serial::new(end.min(last)));
                let used = kept.int()? == Kept::Issued as i64;
                issued.extend(range.filter(|_| used).map(|(first, last)| SerialRange { first, last }));
                store.keep_free(&seat, next, start.saturating_sub(1).min(last), Kept::Closed)?;
                next = next.max(end + 1);
            }
            store.keep_free(&seat, next, last, Kept::Closed)?;
            store.note_void(&seat, void, &issued, at)?;
            make(issued)
        })
    }

    /// Notes the `void` serials among the `issued` that are not void yet.
    fn note_void(&mut self, seat: &Seat, void: &[Scrapped], issued: &[SerialRange], at: Timestamp) -> Result<()> {
        let at = at.as_millisecond();
        for Scrapped { serials, reason } in void {
            for serials in issued.iter().filter_map(|range| intersection(*range, *serials)) {
                for serial in serials.first.get()..=serials.last.get() {
                    let before = self.outcome(seat.key, serial)?.map(|outcome| outcome.state);
                    if before != Some(State::Void) {
                        let reason = Some(reason.to_string());
                        let outcome = Outcome { serial, state: State::Void, at, reason, grade: None };
                        self.note_outcomes(seat, &[(outcome, before)])?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The name under which an issuer issues.
    fn name_of(&mut self, issuer: i64) -> Result<String> {
        let rows = self.db.rows("SELECT name FROM issuer WHERE id = $1", &[Value::Int(issuer)])?;
        let [name] = fields(rows.first().ok_or_else(|| strange("an issuer"))?)?;
        Ok(name.text()?.unwrap_or_default().to_owned())
    }

    /// Why the marks of a range are void, by serial.
    ///
    /// # Errors
    /// The store failed.
    pub fn voids(&mut self, key: &KeyBytes, range: SerialRange) -> Result<Vec<(u64, String)>> {
        let Some(number) = self.known_key(key)? else { return Ok(Vec::new()) };
        let sql = "SELECT place, reason FROM outcome WHERE place >= $1 AND place <= $2 AND state = $3 ORDER BY place";
        let [first, last] = [range.first, range.last].map(|serial| place(number, serial.get()).into());
        let rows = self.db.rows(sql, &[first, last, Value::Int(State::Void as i64)])?;
        let void = |row: &super::Row| {
            let [place, reason] = fields(row)?;
            Ok((serial_at(place.count()?), reason.text()?.unwrap_or_default().to_owned()))
        };
        rows.iter().map(void).collect()
    }
}

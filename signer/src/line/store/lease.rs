//! Handing out blocks of free serials.

use super::database::fields;
use super::schema::{place, serial_at};
use super::{Block, Seat, Store, Value};
use crate::error::Result;
use touchmark_formats::delegation::SerialRange;

/// What a block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// Serials issued, and reserved ones after them.
    Issued = 0,
    /// Serials of which nobody knows what became.
    Lost = 1,
    /// Serials that were not issued before their lot was closed.
    Closed = 2,
}

/// Which serials are wanted.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// At least so many, if there are, from any of these ranges: those above all that are taken first, then gaps.
    Any(&'a [SerialRange], u64),
    /// All of these, and no others.
    These(SerialRange),
}

impl Store {
    /// Reserves free serials for `seat`, and returns them in the order in which they should be used: fewer than wanted if
    /// there are no more. With [`Wanted::These`] it is all of them, or nothing if one is taken.
    ///
    /// # Errors
    /// The store failed, or another process has taken the seat.
    pub fn lease(&mut self, seat: &Seat, wanted: Wanted<'_>) -> Result<Vec<Block>> {
        self.transaction(|store| {
            store.lock()?;
            store.require(seat)?;
            let free = match wanted {
                Wanted::Any(ranges, count) => store.find_free(seat.key, ranges, count)?,
                Wanted::These(range) => {
                    let (first, last) = (range.first.get(), range.last.get());
                    let taken = store.last_taken(seat.key, last)?.is_some_and(|taken| taken >= first);
                    if taken { Vec::new() } else { vec![(first, last)] }
                }
            };
            // A block that has serials left may not be widened by serials that are used before these.
            let in_order = matches!(wanted, Wanted::Any(..));
            free.into_iter().map(|(first, last)| store.take(seat, first, last, in_order)).collect()
        })
    }

    /// Blocks those of the serials in `ranges` that nobody has taken, as lost. Returns how many they are.
    ///
    /// # Errors
    /// The store failed, or another process has taken the seat.
    pub fn lose(&mut self, seat: &Seat, ranges: &[(u64, u64)]) -> Result<u64> {
        self.transaction(|store| {
            store.lock()?;
            store.require(seat)?;
            let mut count = 0;
            for (first, last) in ranges {
                let mut next = *first;
                for (taken, end) in store.taken(seat.key, *first, *last)? {
                    count += store.keep_free(seat, next, taken.saturating_sub(1).min(*last), Kept::Lost)?;
                    next = next.max(end + 1);
                }
                count += store.keep_free(seat, next, *last, Kept::Lost)?;
            }
            Ok(count)
        })
    }

    /// Takes free serials that are never to be issued. Returns how many they are.
    pub(super) fn keep_free(&mut self, seat: &Seat, first: u64, last: u64, kept: Kept) -> Result<u64> {
        if first > last {
            return Ok(0);
        }
        let sql = "INSERT INTO block (place, next, last, issuer, lost) VALUES ($1, $2, $3, $4, $5)";
        let values = [
            place(seat.key, first).into(),
            (last + 1).into(),
            last.into(),
            Value::Int(seat.id),
            Value::Int(kept as i64),
        ];
        self.db.run(sql, &values)?;
        Ok(last + 1 - first)
    }

    fn find_free(&mut self, key: u64, ranges: &[SerialRange], count: u64) -> Result<Vec<(u64, u64)>> {
        let (mut free, mut wanted) = (Vec::new(), count);
        let mut add = |first: u64, last: u64, wanted: &mut u64| {
            if first <= last && *wanted > 0 {
                let last = last.min(first.saturating_add(*wanted - 1));
                *wanted -= last + 1 - first;
                free.push((first, last));
            }
        };
        let mut tops = Vec::new();
        for range in ranges {
            let taken = self.last_taken(key, range.last.get())?;
            let above = taken.map_or(0, |taken| taken + 1).max(range.first.get()).max(1);
            tops.push(above);
            add(above, range.last.get(), &mut wanted);
        }
        for (range, top) in ranges.iter().zip(tops) {
            let mut next = range.first.get().max(1);
            for (first, last) in self.taken(key, range.first.get(), top)? {
                if wanted == 0 {
                    break;
                }
                add(next, first.saturating_sub(1).min(range.last.get()), &mut wanted);
                next = next.max(last + 1);
            }
        }
        Ok(free)
    }

    /// The highest serial taken in a block that begins at `until` or before.
    fn last_taken(&mut self, key: u64, until: u64) -> Result<Option<u64>> {
        let sql = "SELECT last FROM block WHERE place >= $1 AND place <= $2 ORDER BY place DESC LIMIT 1";
        let rows = self.db.rows(sql, &[place(key, 0).into(), place(key, until).into()])?;
        rows.first().map(|row| fields::<1>(row).and_then(|[last]| last.count())).transpose()
    }

    /// The blocks that hold serials from `first` up to `end`, in rising order.
    pub(super) fn taken(&mut self, key: u64, first: u64, end: u64) -> Result<Vec<(u64, u64)>> {
        let sql = "SELECT place, last FROM block WHERE place >= $1 AND place <= $2 AND last >= $3 ORDER BY place";
        let rows = self.db.rows(sql, &[place(key, 0).into(), place(key, end).into(), first.into()])?;
        rows.iter()
            .map(|row| fields::<2>(row).and_then(|[place, last]| Ok((serial_at(place.count()?), last.count()?))))
            .collect()
    }

    /// Takes free serials: by widening the issuer's own block that ends before them, else as a new one.
    fn take(&mut self, seat: &Seat, first: u64, last: u64, in_order: bool) -> Result<Block> {
        if let Some(own) = self.own_block_before(seat, first)?.filter(|own| in_order || own.next > own.last) {
            self.db.run(
                "UPDATE block SET last = $1 WHERE place = $2",
                &[last.into(), place(seat.key, own.first).into()],
            )?;
            return Ok(Block { last, ..own });
        }
        let sql = "INSERT INTO block (place, next, last, issuer, lost) VALUES ($1, $2, $3, $4, 0)";
        self.db.run(sql, &[place(seat.key, first).into(), first.into(), last.into(), Value::Int(seat.id)])?;
        Ok(Block { first, next: first, last })
    }

    fn own_block_before(&mut self, seat: &Seat, serial: u64) -> Result<Option<Block>> {
        let sql = "SELECT place, next, last, issuer, lost FROM block WHERE place >= $1 AND place < $2 \
                   ORDER BY place DESC LIMIT 1";
        let rows = self.db.rows(sql, &[place(seat.key, 0).into(), place(seat.key, serial).into()])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let [start, next, last, issuer, lost] = fields(row)?;
        let block = Block { first: serial_at(start.count()?), next: next.count()?, last: last.count()? };
        let own = issuer.int()? == seat.id && lost.int()? == 0 && block.last + 1 == serial;
        Ok(own.then_some(block))
    }
}

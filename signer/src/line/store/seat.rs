//! The seats of issuers: who may issue under which name, and what it has reserved.

use super::database::{fields, strange};
use super::schema::{self, serial_at};
use super::{Block, Store, Value, random};
use crate::error::{Error, Result};
use touchmark_formats::key::KeyBytes;

/// The right to issue under one name for one line key. Taking it anew ends the right of whoever had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The number of the line key in the store.
    pub key: u64,
    pub(super) id: i64,
    pub(super) holder: i64,
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

impl Store {
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

    /// Writes something that changes nothing, durable when it returns: whether the store takes what is written, as far as
    /// can be told in advance.
    ///
    /// # Errors
    /// The store failed, or another process has the seat.
    pub fn touch(&mut self, seat: &Seat) -> Result<()> {
        let sql = "UPDATE issuer SET holder = holder WHERE id = $1 AND holder = $2";
        let own = [Value::Int(seat.id), Value::Int(seat.holder)];
        self.db.check_room()?;
        self.transaction(|store| if store.db.run(sql, &own)? == 1 { Ok(()) } else { Err(fenced()) })
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

    pub(super) fn require(&mut self, seat: &Seat) -> Result<()> {
        let sql = "SELECT sequence FROM issuer WHERE id = $1 AND holder = $2";
        let rows = self.db.rows(sql, &[Value::Int(seat.id), Value::Int(seat.holder)])?;
        if rows.is_empty() { Err(fenced()) } else { Ok(()) }
    }
}

/// Another process has the seat.
pub(in crate::line) fn fenced() -> Error {
    Error::refused("another process has taken over this line's place in the store, so this one issues nothing more")
        .hint("one process to a name: give each line its own with --name")
}

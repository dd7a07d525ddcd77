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
mod commit;
mod database;
#[cfg(test)]
pub(crate) mod faulty;
mod history;
mod lease;
mod lookup;
mod postgres;
mod records;
mod schema;
mod seat;
mod sqlite;

pub use audit::{Audit, Counts};
pub use database::{Database, Dialect, Row, Value};
pub(crate) use database::{fields, make_tables};
pub use history::{Past, Which};
pub use lease::Wanted;
pub use records::{Batch, Block, Content, Outcome, RUN_MARKS, RequestId, Run, State};
pub use seat::Seat;
pub(in crate::line) use seat::fenced;
pub(crate) use {postgres::Postgres, sqlite::Sqlite};

use crate::error::{Error, Result};
use database::strange;
use std::collections::HashSet;
use std::path::Path;

/// The store of serials.
pub struct Store {
    db: Box<dyn Database>,
    id: Vec<u8>,
    /// Contents that are known to be on record.
    contents: HashSet<i64>,
}

impl Store {
    /// Opens the SQLite file at `path`, or makes it. `busy` is for a line that commits all the time.
    ///
    /// # Errors
    /// It is no store, or cannot be opened.
    pub fn sqlite(path: &Path, busy: bool) -> Result<Self> {
        Self::open(Box::new(sqlite::Sqlite::open(path, busy)?))
    }

    /// Opens the store in a PostgreSQL database, or makes it. `busy` is for a line, which waits no longer than some seconds.
    ///
    /// # Errors
    /// It is no store, or cannot be reached.
    pub fn postgres(url: &str, busy: bool) -> Result<Self> {
        Self::open(Box::new(postgres::Postgres::open(url, busy)?))
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

    /// Whether it is still where it was opened, so that what goes on record is found again.
    ///
    /// # Errors
    /// It is a file, and was moved away or replaced.
    pub fn check_place(&mut self) -> Result<()> {
        self.db.check_place()
    }

    /// Writes a copy of the store, as it is at one moment, to the file at `path`.
    ///
    /// # Errors
    /// The store is a server, or failed; or the file cannot be written.
    pub fn copy_to(&mut self, path: &Path) -> Result<()> {
        let new = !path.exists();
        self.db.copy_to(path).map_err(|e| {
            // What there is of it is no copy.
            if new {
                let _ = std::fs::remove_file(path);
            }
            Error { hint: e.hint.clone(), ..Error::file(path, format!("no copy: {}", e.message)) }
        })?;
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

    fn lock(&mut self) -> Result<()> {
        self.db.run("UPDATE store SET leases = leases + 1", &[]).map(drop)
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

fn make(db: &mut dyn Database) -> Result<Row> {
    let id = (random()? as u64).to_be_bytes().into_iter().chain((random()? as u64).to_be_bytes()).collect::<Vec<_>>();
    let first = "INSERT INTO store (version, id, leases) VALUES ($1, $2, 0)";
    let values = [schema::VERSION.into(), id.as_slice().into()];
    let tables = schema::tables(db.dialect());
    make_tables(db, &tables, (first, &values), schema::FIND)?.ok_or_else(|| strange("a store"))
}

/// A random number.
fn random() -> Result<i64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|e| Error::unusable(format!("the system has no randomness: {e}")))?;
    Ok(i64::from_be_bytes(bytes))
}

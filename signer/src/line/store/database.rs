//! The few words of SQL that the store speaks: SQLite and PostgreSQL answer to the same statements, so that there is one
//! store, and what is tested on one is what runs on the other.
//!
//! Statements name their values `$1`, `$2`, ... in the order in which they first appear, which both understand.

use crate::error::{Error, Result};
use std::path::Path;

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Int(i64),
    /// Text in UTF-8.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// One row of an answer.
pub type Row = Vec<Value>;

/// A connection to a database. Each method either does all that it says or fails; after a failure the caller knows
/// nothing about what is in the database until it has called [`Database::reopen`] and looked.
pub trait Database: Send {
    /// Runs statements without values, one after the other.
    ///
    /// # Errors
    /// The database refused, or cannot be reached.
    fn script(&mut self, sql: &str) -> Result<()>;

    /// Runs a statement and says how many rows it changed.
    ///
    /// # Errors
    /// As [`Database::script`].
    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64>;

    /// Runs a query.
    ///
    /// # Errors
    /// As [`Database::script`].
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>>;

    /// Inserts rows of a table, or puts them in place of those with the same key, their first column: many with one
    /// statement.
    ///
    /// # Errors
    /// As [`Database::script`].
    fn upsert(&mut self, table: &str, columns: &[&str], rows: Vec<Row>) -> Result<()> {
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            // A few lengths of statements are prepared once each.
            let count = [256, 16, 1].into_iter().find(|n| *n <= rest.len()).unwrap_or(1);
            let (now, later) = rest.split_at(count);
            let width = columns.len();
            let tuple = |row: usize| {
                let values = (1..=width).map(|n| format!("${}", row * width + n)).collect::<Vec<_>>();
                format!("({})", values.join(", "))
            };
            let tuples = (0..count).map(tuple).collect::<Vec<_>>().join(", ");
            self.run(&upsert_sql(table, columns, &format!("VALUES {tuples}")), &now.concat())?;
            rest = later;
        }
        Ok(())
    }

    /// Inserts rows of which none has the key of one that is there: as [`Database::upsert`], sooner where that is dear.
    ///
    /// # Errors
    /// As [`Database::script`]; and one is there, where the database notices.
    fn insert(&mut self, table: &str, columns: &[&str], rows: Vec<Row>) -> Result<()> {
        self.upsert(table, columns, rows)
    }

    /// Begins a transaction that may write.
    ///
    /// # Errors
    /// As [`Database::script`].
    fn begin(&mut self) -> Result<()> {
        self.script(self.dialect().begin)
    }

    /// Makes the transaction durable: when it returns, a power cut loses nothing of it. After an error it may be there as
    /// a whole, or not at all.
    ///
    /// # Errors
    /// As [`Database::script`].
    fn commit(&mut self) -> Result<()> {
        self.script("COMMIT")
    }

    /// Drops the transaction, if there is one.
    fn roll_back(&mut self) {
        // It may be gone already: databases drop it on their own after some errors, and with the connection.
        let _ = self.script("ROLLBACK");
    }

    /// Closes the connection and opens it anew.
    ///
    /// # Errors
    /// It cannot be reached.
    fn reopen(&mut self) -> Result<()>;

    /// Writes a copy, as it is at one moment, to a file.
    ///
    /// # Errors
    /// It is no file itself, or the copy cannot be written.
    fn copy_to(&mut self, path: &Path) -> Result<()>;

    /// Checks that the database is still where it was opened, where that is a file.
    ///
    /// # Errors
    /// It was moved away or replaced.
    fn check_place(&mut self) -> Result<()> {
        Ok(())
    }

    /// Checks that there is room on the disk for a large commit, where the disk is this program's to look at.
    fn check_room(&mut self) -> Result<()> {
        Ok(())
    }

    /// What it is, for messages: a path or a URL without its password.
    fn name(&self) -> &str;

    /// The words for a column of bytes, and for a whole number that is the primary key.
    fn dialect(&self) -> Dialect;
}

/// Where the two differ.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The type of a column of bytes.
    pub bytes: &'static str,
    /// The type of a primary key of whole numbers.
    pub key: &'static str,
    /// Begins a transaction that may write.
    pub begin: &'static str,
    /// Whether a column says how its values are kept, as PostgreSQL's do: without a word it tries to compress them.
    pub storage: bool,
}

impl Dialect {
    /// What has the column `body` of `table` keep its values as they are, in the row (`PLAIN`, where they fit a page) or
    /// beside it (`EXTERNAL`): hashes and signatures do not compress, and trying costs as much as writing them.
    pub fn keep(self, table: &str, storage: &str) -> String {
        if self.storage {
            format!("ALTER TABLE {table} ALTER COLUMN body SET STORAGE {storage};")
        } else {
            String::new()
        }
    }
}

impl Value {
    /// The number that a column must hold.
    ///
    /// # Errors
    /// It holds something else.
    pub fn int(&self) -> Result<i64> {
        match self {
            Self::Int(n) => Ok(*n),
            _ => Err(strange("a number")),
        }
    }

    /// The number that a column must hold, which is not negative.
    ///
    /// # Errors
    /// It holds something else.
    pub fn count(&self) -> Result<u64> {
        u64::try_from(self.int()?).map_err(|_| strange("a number from 0"))
    }

    /// The bytes that a column must hold.
    ///
    /// # Errors
    /// It holds something else.
    pub fn bytes(&self) -> Result<&[u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(strange("bytes")),
        }
    }

    /// The text of a column that may be empty.
    ///
    /// # Errors
    /// It holds something else.
    pub fn text(&self) -> Result<Option<&str>> {
        match self {
            Self::Text(text) => Ok(Some(text)),
            Self::Null => Ok(None),
            _ => Err(strange("text")),
        }
    }
}

impl From<u64> for Value {
    /// Serials and counts stay below 2^63.
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or(Self::Null, Self::Int)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_owned())
    }
}

/// A column is not what the schema says: somebody else wrote into the tables.
pub(super) fn strange(expected: &str) -> Error {
    Error::storage(format!("the store holds something else where {expected} should be"))
        .hint("nothing is signed until it is whole: `touchmark-sign line verify-journal` says where it is not")
}

/// The statement that inserts what `source` gives, or puts it in place of what has the same key.
pub(super) fn upsert_sql(table: &str, columns: &[&str], source: &str) -> String {
    let set = columns.iter().skip(1).map(|c| format!("{c} = excluded.{c}")).collect::<Vec<_>>().join(", ");
    let key = columns.first().copied().unwrap_or_default();
    format!("INSERT INTO {table} ({}) {source} ON CONFLICT ({key}) DO UPDATE SET {set}", columns.join(", "))
}

/// Makes `tables` and their `first` row, a statement and its values, and gives the row that `find` finds then: another
/// process may have made them at the same moment.
pub(crate) fn make_tables(
    db: &mut dyn Database,
    tables: &str,
    (first, values): (&str, &[Value]),
    find: &str,
) -> Result<Option<Row>> {
    db.begin()?;
    let made = db.script(tables).and_then(|()| db.run(first, values)).and_then(|_| db.commit());
    if made.is_err() {
        db.roll_back();
    }
    match (db.rows(find, &[]), made) {
        (Ok(rows), _) => Ok(rows.into_iter().next()),
        (Err(_), Err(e)) | (Err(e), Ok(())) => Err(e),
    }
}

/// The fields of a row that must have `N`.
pub(crate) fn fields<const N: usize>(row: &Row) -> Result<&[Value; N]> {
    row.as_slice().try_into().map_err(|_| strange("a row of another length"))
}

//! SQLite: one file in the home, in WAL mode, each commit synced to the disk.

use super::database::{Database, Dialect, Row, Value};
use crate::error::{Error, Result};
use crate::files;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql, params_from_iter};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a writer waits for another process.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries to open a busy file.
const PAUSE: Duration = Duration::from_millis(5);
/// How often the write-ahead log is copied into the database, off the path of the marks: so often that each time there is
/// little to be synced, and a mark that is synced at that moment waits hardly longer.
const CHECKPOINT: Duration = Duration::from_millis(250);
/// A write-ahead log of this many pages is begun anew, for which whoever writes waits: so rarely that few marks do, and so
/// often that the next start has no more than so much to read.
const LONG_WAL_PAGES: i64 = 16_384;
/// How often in a row that is tried.
const RESTARTS: usize = 20;
/// A write-ahead log of this many pages is emptied by whoever writes, so that it cannot grow without end.
const MAX_WAL_PAGES: u32 = 65_536;

/// Bytes that the largest commit of a line may add to the write-ahead log, generously. The log of a store that failed for
/// want of room has some left for a small one.
const ROOM: usize = 1 << 20;

/// A database file.
pub(crate) struct Sqlite {
    path: PathBuf,
    busy: bool,
    name: String,
    connection: Connection,
    /// The file that was opened, and its write-ahead log, from the first commit on.
    file: Option<Identity>,
    log: Option<Identity>,
    /// The most bytes that the file was seen to have: it never gets shorter by itself.
    longest: u64,
    /// Dropped after the connection, so that whichever is the last to close leaves no write-ahead log behind.
    _checkpointer: Option<Checkpointer>,
}

impl Sqlite {
    /// Opens the file at `path`; makes it if it is not there. `busy` says that many commits are to be expected.
    pub(crate) fn open(path: &Path, busy: bool) -> Result<Self> {
        private(path)?;
        let connection = connect(path, busy)?;
        let checkpointer = if busy { Some(checkpointer(path)?) } else { None };
        Ok(Self {
            path: path.to_owned(),
            busy,
            name: path.display().to_string(),
            connection,
            file: identity(path),
            log: None,
            longest: 0,
            _checkpointer: checkpointer,
        })
    }

    fn failed(&self, error: &rusqlite::Error) -> Error {
        failed(&self.path, error)
    }

    /// Refuses to go on with a file that was moved away or replaced: what is written to it nobody would find again. Nor is
    /// the one in its place touched: the log beside it is not its own.
    fn require_in_place(&mut self) -> Result<()> {
        let log = self.log.is_none() || self.log == identity(&log_of(&self.path));
        let long = std::fs::metadata(&self.path).map_or(0, |meta| meta.len());
        if log && long >= self.longest && self.file == identity(&self.path) {
            self.longest = long;
            return Ok(());
        }
        Err(Error::storage(format!("{}: it was moved away, replaced or written over while it is in use", self.name)).hint(
            "put the files back that were there; or stop whatever uses it, put the newest copy in its place, and start again",
        ))
    }
}

/// The write-ahead log of the database at `path`.
fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

/// Which file it is, whatever its name: device and number.
type Identity = (u64, u64);

/// Which file is at `path`; `None` where there is none, or the system does not say.
fn identity(path: &Path) -> Option<Identity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

fn failed(path: &Path, error: &rusqlite::Error) -> Error {
    let text = match error {
        rusqlite::Error::SqliteFailure(code, _) => rusqlite::ffi::code_to_str(code.extended_code).to_lowercase(),
        // Its own words quote the whole statement.
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let failed = Error::storage(format!("{}: {text}", path.display()));
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => {
            failed.hint("make room on the disk that holds it; nothing is lost: the same request with the same id learns what was done")
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => failed
            .hint("nothing is issued from it: put the newest copy back (`touchmark-sign line backup` makes them), and see `touchmark-sign line recover`"),
        Some(ErrorCode::SystemIoFailure) => failed.hint("look at the disk that holds it: it is full, or it fails"),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            failed.hint("this user must be able to write it, and to make files beside it")
        }
        _ => failed,
    }
}

fn connect(path: &Path, busy: bool) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<Connection> {
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_handler(Some(patient))?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "cache_size", -65_536)?;
        if busy {
            connection.pragma_update(None, "wal_autocheckpoint", MAX_WAL_PAGES)?;
        }
        Ok(connection)
    };
    patiently(open).map_err(|e| failed(path, &e))
}

/// Waits for another writer: at first in steps as short as a commit, because SQLite's own steps are as long as what a mark
/// may take.
fn patient(tries: i32) -> bool {
    let (short, steps) = (Duration::from_micros(100), 200);
    std::thread::sleep(if tries < steps { short } else { PAUSE });
    PAUSE * u32::try_from(tries).unwrap_or(u32::MAX) < PATIENCE
}

/// Waits no longer than a mark may take.
fn brief(tries: i32) -> bool {
    std::thread::sleep(Duration::from_micros(50));
    tries < 20
}

/// Does `open` until the file is not busy: SQLite changes a file's mode of journal, and removes a log that the last user
/// leaves, without waiting for whoever does the same.
fn patiently<T>(open: impl Fn() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let end = Instant::now() + PATIENCE;
    loop {
        match open() {
            Err(e) if e.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < end => {
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

/// Makes the file, readable by its owner alone: part numbers and quantities are a maker's secrets too.
fn private(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|e| Error::io("open", path, &e))
}

/// Copies the write-ahead log into the database bit by bit, so that no commit has to do that; and lets it begin anew where
/// it is long, for what is written over is on the disk sooner than what makes a file longer.
fn checkpointer(path: &Path) -> Result<Checkpointer> {
    let mut connection = connect(path, true)?;
    connection.busy_handler(Some(brief)).map_err(|e| failed(path, &e))?;
    let (sender, stop) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(CHECKPOINT) {
            // Should it fail, the log is longer for a while, and whoever writes empties it in the end.
            if copied(&connection, "PASSIVE").is_ok_and(|log| log.pages > LONG_WAL_PAGES) {
                let _ = (0..RESTARTS).find(|_| copied(&connection, "RESTART").map_or(true, |log| !log.busy));
            }
        }
    });
    Ok(Checkpointer { stop: Some(sender), thread: Some(thread) })
}

/// What a copy of the write-ahead log met.
struct Log {
    /// Others were reading or writing, so that it was not begun anew.
    busy: bool,
    /// Its length.
    pages: i64,
}

/// Copies the log: `PASSIVE` while others write, `RESTART` so that it begins anew, while they wait.
fn copied(connection: &Connection, mode: &str) -> rusqlite::Result<Log> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    connection.query_row(&sql, [], |row| Ok(Log { busy: row.get::<_, i64>(0)? != 0, pages: row.get(1)? }))
}

/// The thread that copies the write-ahead log.
struct Checkpointer {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_owned()),
        ValueRef::Null | ValueRef::Real(_) => Value::Null,
    }
}

impl Database for Sqlite {
    fn script(&mut self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|e| self.failed(&e))
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let changed =
            self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute(params_from_iter(values)));
        changed.map(|n| n as u64).map_err(|e| self.failed(&e))
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let query = || -> rusqlite::Result<Vec<Row>> {
            let mut statement = self.connection.prepare_cached(sql)?;
            let columns = statement.column_count();
            let mut found = Vec::new();
            let mut rows = statement.query(params_from_iter(values))?;
            while let Some(row) = rows.next()? {
                found.push((0..columns).map(|n| row.get_ref(n).map(value)).collect::<rusqlite::Result<Row>>()?);
            }
            Ok(found)
        };
        query().map_err(|e| self.failed(&e))
    }

    fn begin(&mut self) -> Result<()> {
        self.require_in_place()?;
        self.script(self.dialect().begin)
    }

    fn commit(&mut self) -> Result<()> {
        self.script("COMMIT")?;
        if self.log.is_none() {
            self.log = identity(&log_of(&self.path));
        }
        Ok(())
    }

    fn reopen(&mut self) -> Result<()> {
        self.roll_back();
        self.require_in_place()?;
        self.log = None;
        self.connection = connect(&self.path, self.busy)?;
        Ok(())
    }

    fn copy_to(&mut self, path: &Path) -> Result<()> {
        private(path)?;
        let target = path.to_str().ok_or_else(|| Error::file(path, "not a file name in UTF-8"))?;
        self.run("VACUUM INTO $1", &[target.into()]).map(drop)
    }

    fn check_place(&mut self) -> Result<()> {
        self.require_in_place()
    }

    fn check_room(&mut self) -> Result<()> {
        let full = |e: std::io::Error| Error::storage(format!("{}: there is no room for it: {e}", self.name));
        let mut file = tempfile::tempfile_in(files::parent(&self.path)).map_err(full)?;
        file.write_all(&vec![0; ROOM]).and_then(|()| file.sync_data()).map_err(full)
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn dialect(&self) -> Dialect {
        Dialect { bytes: "BLOB", key: "INTEGER PRIMARY KEY", begin: "BEGIN IMMEDIATE", storage: false }
    }
}

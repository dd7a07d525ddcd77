//! The few words of SQL that the store speaks: SQLite and PostgreSQL answer to the same statements, and name their values
//! `$1`, `$2`, ... in the order in which they first appear.

use super::{SightingsError, postgres_url};
use ::postgres::types::private::BytesMut;
use ::postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use ::postgres::{Client, NoTls};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::path::Path;
use std::time::Duration;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long another writer, or a server, is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

type AnyError = Box<dyn std::error::Error + Sync + Send>;

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A connection.
pub(super) enum Database {
    Sqlite { path: String, connection: Connection },
    Postgres { name: String, client: Box<Client> },
}

impl Database {
    /// Opens the SQLite file at `path`; makes it if it is not there.
    pub(super) fn sqlite(path: &Path) -> Result<Self, SightingsError> {
        let name = path.display().to_string();
        let failed = |e: &dyn std::fmt::Display| SightingsError::of(&name, e);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| failed(&e))?;
        }
        private(path).map_err(|e| failed(&e))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(PATIENCE)?;
            connection.pragma_update(None, "synchronous", "full")?;
            Ok(connection)
        };
        let connection = open().map_err(|e| failed(&e))?;
        Ok(Self::Sqlite { path: name, connection })
    }

    /// Connects to the PostgreSQL server that `url` names.
    pub(super) fn postgres(url: &str) -> Result<Self, SightingsError> {
        let postgres_url::Server { mut config, tls, name } = postgres_url::parse(url)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        let connected = match tls {
            Some(tls) => config.connect(MakeRustlsConnect::new(tls)),
            None => config.connect(NoTls),
        };
        let client = connected.map_err(|e| SightingsError::of(&name, &said(&e)))?;
        Ok(Self::Postgres { name, client: Box::new(client) })
    }

    /// The type of a column of bytes.
    pub(super) fn bytes(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "BLOB",
            Self::Postgres { .. } => "BYTEA",
        }
    }

    /// Begins a transaction that may write.
    pub(super) fn begin(&mut self) -> Result<(), SightingsError> {
        let sql = match self {
            Self::Sqlite { .. } => "BEGIN IMMEDIATE",
            Self::Postgres { .. } => "BEGIN",
        };
        self.script(sql)
    }

    /// Runs statements without values.
    pub(super) fn script(&mut self, sql: &str) -> Result<(), SightingsError> {
        match self {
            Self::Sqlite { path, connection } => {
                connection.execute_batch(sql).map_err(|e| SightingsError::of(path, &e))
            }
            Self::Postgres { name, client } => {
                client.batch_execute(sql).map_err(|e| SightingsError::of(name, &said(&e)))
            }
        }
    }

    /// Runs a statement.
    pub(super) fn run(&mut self, sql: &str, values: &[Value]) -> Result<(), SightingsError> {
        match self {
            Self::Sqlite { path, connection } => {
                let done = connection.prepare_cached(sql).and_then(|mut s| s.execute(params_from_iter(values)));
                done.map(drop).map_err(|e| SightingsError::of(path, &e))
            }
            Self::Postgres { name, client } => {
                let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
                client.execute(sql, &values).map(drop).map_err(|e| SightingsError::of(name, &said(&e)))
            }
        }
    }

    /// Runs a query.
    pub(super) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Vec<Value>>, SightingsError> {
        match self {
            Self::Sqlite { path, connection } => {
                let query = || -> rusqlite::Result<Vec<Vec<Value>>> {
                    let mut statement = connection.prepare_cached(sql)?;
                    let columns = statement.column_count();
                    let row = |row: &rusqlite::Row<'_>| (0..columns).map(|n| row.get_ref(n).map(value)).collect();
                    statement.query_map(params_from_iter(values), row)?.collect()
                };
                query().map_err(|e| SightingsError::of(path, &e))
            }
            Self::Postgres { name, client } => {
                let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
                let row = |row: &::postgres::Row| (0..row.len()).map(|n| row.try_get(n)).collect();
                let rows = client.query(sql, &values).and_then(|rows| rows.iter().map(row).collect());
                rows.map_err(|e| SightingsError::of(name, &said(&e)))
            }
        }
    }
}

/// Makes the file, readable by its owner alone: whose parts were found is nobody else's business.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn said(error: &::postgres::Error) -> String {
    match error.as_db_error() {
        Some(e) => e.message().to_owned(),
        None => {
            let source = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
            format!("{error}{source}")
        }
    }
}

impl rusqlite::ToSql for Value {
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

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, AnyError> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) => n.to_sql(ty, out),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Bytes(bytes) => bytes.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, AnyError> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Self::Int),
            Type::BYTEA => Vec::<u8>::from_sql(ty, raw).map(Self::Bytes),
            _ => String::from_sql(ty, raw).map(Self::Text),
        }
    }

    fn from_sql_null(_: &Type) -> Result<Self, AnyError> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        <Self as ToSql>::accepts(ty)
    }
}

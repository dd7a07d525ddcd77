//! PostgreSQL, for several lines that share their serials.

use super::database::{Database, Dialect, Row, Value, upsert_sql};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

mod url;

/// How long a server may take for one statement, or for a connection, while a line waits that has marks to issue: one that
/// does not answer is to be told of, and asked again.
const LINE: Duration = Duration::from_secs(5);
/// The same for whoever reads or changes much at once.
const OTHERS: Duration = Duration::from_secs(600);
/// How long a connection may take to come about for them.
const CONNECT: Duration = Duration::from_secs(10);

/// What holds for a connection. Each statement is asked for many times and finds its rows by a primary key, so that to plan it
/// anew for its values, or to compile it, takes longer than to answer it.
const SESSION: &str = "SET synchronous_commit = on; SET plan_cache_mode = force_generic_plan; SET jit = off";

/// Rows that are written together: some megabytes at most.
const ROWS: usize = 4096;

type AnyError = Box<dyn std::error::Error + Sync + Send>;
type Fault = tokio_postgres::Error;

/// A connection.
pub(crate) struct Postgres {
    /// Drives the connection while something is asked.
    runtime: Runtime,
    config: Config,
    tls: Option<MakeRustlsConnect>,
    name: String,
    patience: Duration,
    client: Client,
    prepared: HashMap<String, Statement>,
}

impl Postgres {
    /// Connects to the server that `url` names: `postgresql://user@host/database`, with `?host=/run/postgresql`, or with
    /// `?sslmode=verify-full&sslrootcert=FILE`. `busy` is for a line that has marks to issue.
    pub(crate) fn open(url: &str, busy: bool) -> Result<Self> {
        let (mut config, tls) = url::parse(url)?;
        config.application_name("touchmark-sign");
        let name = name(&config);
        let tls = tls.map(MakeRustlsConnect::new);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| Error::unusable(format!("{name} cannot be reached: {e}")))?;
        let patience = if busy { LINE } else { OTHERS };
        let client = connect(&runtime, &config, tls.as_ref(), &name, patience)?;
        Ok(Self { runtime, config, tls, name, patience, client, prepared: HashMap::new() })
    }

    fn statement(&mut self, sql: &str) -> Result<Statement> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.done(self.client.prepare(sql))?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    /// What comes of `work`, if it comes in time.
    fn done<T>(&self, work: impl Future<Output = std::result::Result<T, Fault>>) -> Result<T> {
        in_time(&self.runtime, self.patience, &self.name, work)
    }
}

fn in_time<T>(
    runtime: &Runtime,
    patience: Duration,
    name: &str,
    work: impl Future<Output = std::result::Result<T, Fault>>,
) -> Result<T> {
    match runtime.block_on(async { tokio::time::timeout(patience, work).await }) {
        Ok(done) => done.map_err(|e| failed(name, &e)),
        Err(_) => Err(Error::storage(format!("{name}: no answer for {} seconds", patience.as_secs()))
            .hint("look at the server: it hangs, another program locks its tables, or the way to it is cut")),
    }
}

fn connect(
    runtime: &Runtime,
    config: &Config,
    tls: Option<&MakeRustlsConnect>,
    name: &str,
    patience: Duration,
) -> Result<Client> {
    let connecting = async {
        let client = match tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                // What ends the connection is told by the next statement.
                tokio::spawn(async { drop(connection.await) });
                client
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(async { drop(connection.await) });
                client
            }
        };
        client.batch_execute(SESSION).await?;
        // The server gives up a moment before whoever waits does, and so drops what it was at.
        let limit = format!("SET statement_timeout = {}", patience.mul_f64(0.9).as_millis());
        client.batch_execute(&limit).await?;
        let fsync: String = client.query_one("SHOW fsync", &[]).await?.get(0);
        Ok((client, fsync))
    };
    let (client, fsync) = in_time(runtime, patience.min(CONNECT), name, connecting)?;
    if fsync != "on" {
        return Err(Error::unusable(format!("{name} runs with fsync = {fsync}: a power cut would lose serials"))
            .hint("set fsync = on in its postgresql.conf and restart it"));
    }
    Ok(client)
}

/// Host and database, without user and password.
fn name(config: &Config) -> String {
    let host = |host: &tokio_postgres::config::Host| match host {
        tokio_postgres::config::Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
    };
    let hosts = config.get_hosts().iter().map(host).collect::<Vec<_>>().join(" or ");
    format!("PostgreSQL database {} at {hosts}", config.get_dbname().unwrap_or_default())
}

/// The type of the column that a value is of; a number's, where nothing says so.
fn kind(value: &Value) -> Type {
    match value {
        Value::Text(_) => Type::TEXT,
        Value::Bytes(_) => Type::BYTEA,
        Value::Int(_) | Value::Null => Type::INT8,
    }
}

fn failed(name: &str, error: &Fault) -> Error {
    let text = match error.as_db_error() {
        Some(e) => e.message().to_owned(),
        None => {
            let source = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
            format!("{error}{source}")
        }
    };
    Error::storage(format!("{name}: {text}"))
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, AnyError> {
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
    fn from_sql(ty: &Type, raw: &'a [u8]) -> std::result::Result<Self, AnyError> {
        match *ty {
            Type::INT8 => i64::from_sql(ty, raw).map(Self::Int),
            Type::BYTEA => Vec::<u8>::from_sql(ty, raw).map(Self::Bytes),
            _ => String::from_sql(ty, raw).map(Self::Text),
        }
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, AnyError> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        <Self as ToSql>::accepts(ty)
    }
}

impl Database for Postgres {
    fn script(&mut self, sql: &str) -> Result<()> {
        self.done(self.client.batch_execute(sql))
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let statement = self.statement(sql)?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
        self.done(self.client.execute(&statement, &values))
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let statement = self.statement(sql)?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| v as _).collect();
        let rows = self.done(self.client.query(&statement, &values))?;
        let row =
            |row: &tokio_postgres::Row| (0..row.len()).map(|n| row.try_get(n)).collect::<std::result::Result<Row, _>>();
        rows.iter().map(row).collect::<std::result::Result<_, _>>().map_err(|e| failed(&self.name, &e))
    }

    /// A column is one value, an array: a statement of so many values as there are cells costs the server more than the rows.
    fn upsert(&mut self, table: &str, columns: &[&str], rows: Vec<Row>) -> Result<()> {
        for some in rows.chunks(ROWS) {
            let column = |n: usize| some.iter().map(|row| row.get(n).cloned().unwrap_or(Value::Null)).collect();
            let arrays: Vec<Vec<Value>> = (0..columns.len()).map(column).collect();
            let known =
                |values: &Vec<Value>| values.iter().find(|value| **value != Value::Null).map_or(Type::INT8, kind);
            let kinds = arrays.iter().zip(1..).map(|(values, n)| format!("${n}::{}[]", known(values)));
            let source = format!("SELECT * FROM UNNEST({})", kinds.collect::<Vec<_>>().join(", "));
            let statement = self.statement(&upsert_sql(table, columns, &source))?;
            let values: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|values| values as _).collect();
            self.done(self.client.execute(&statement, &values))?;
        }
        Ok(())
    }

    /// As a copy, which costs the server half of what statements do.
    fn insert(&mut self, table: &str, columns: &[&str], rows: Vec<Row>) -> Result<()> {
        let Some(first) = rows.first() else { return Ok(()) };
        let kinds: Vec<Type> = first.iter().map(kind).collect();
        let sql = format!("COPY {table} ({}) FROM STDIN (FORMAT BINARY)", columns.join(", "));
        let copy = async {
            let mut writer = pin!(BinaryCopyInWriter::new(self.client.copy_in(&sql).await?, &kinds));
            for row in &rows {
                let values: Vec<&(dyn ToSql + Sync)> = row.iter().map(|v| v as _).collect();
                writer.as_mut().write(&values).await?;
            }
            writer.finish().await
        };
        self.done(copy).map(drop)
    }

    fn reopen(&mut self) -> Result<()> {
        self.prepared.clear();
        self.client = connect(&self.runtime, &self.config, self.tls.as_ref(), &self.name, self.patience)?;
        Ok(())
    }

    fn copy_to(&mut self, _: &Path) -> Result<()> {
        Err(Error::unusable(format!("{} is a server", self.name)).hint("`pg_dump` makes a copy of it"))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn dialect(&self) -> Dialect {
        Dialect { bytes: "BYTEA", key: "BIGINT PRIMARY KEY", begin: "BEGIN", storage: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres_server::Server;
    use crate::tls::certificates;

    #[test]
    fn a_server_shows_its_certificate_and_that_is_checked_in_full() {
        let folder = tempfile::tempdir().unwrap();
        certificates::make(folder.path());
        let server = Server::with_tls(folder.path());
        let database = server.new_database();
        let url = |host: &str, authority: &str| {
            let authority = folder.path().join(authority);
            server.tcp_url(&database, host) + "?sslmode=verify-full&sslrootcert=" + &authority.display().to_string()
        };
        let mut store = Postgres::open(&url("localhost", "ca.pem"), false).unwrap();
        let encrypted = "SELECT CAST(COUNT(*) AS BIGINT) FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()";
        assert_eq!(store.rows(encrypted, &[]).unwrap(), [[Value::Int(1)]]);
        store.reopen().unwrap();
        assert_eq!(store.rows(encrypted, &[]).unwrap(), [[Value::Int(1)]]);
        let refused = |url: &str| Postgres::open(url, false).err().unwrap().message;
        let message = refused(&url("localhost", "other.pem"));
        assert!(message.contains("UnknownIssuer"), "{message}");
        let message = refused(&url("127.0.0.1", "ca.pem"));
        assert!(message.contains("not valid for name"), "{message}");
    }

    #[test]
    fn a_server_that_hangs_is_given_up() {
        let url = crate::postgres_server::server().new_database();
        let mut store = Postgres::open(&url, true).unwrap();
        let id = |store: &mut Postgres| match store.rows("SELECT CAST(pg_backend_pid() AS BIGINT)", &[]).unwrap()[0][0]
        {
            Value::Int(id) => id,
            _ => panic!("no number"),
        };
        let tell = |signal: &str, id: i64| {
            let told = std::process::Command::new("kill").args([signal, &id.to_string()]).status().unwrap();
            assert!(told.success());
        };
        let hung = id(&mut store);
        tell("-STOP", hung);
        let error = store.rows("SELECT 1", &[]).unwrap_err();
        assert!(error.message.ends_with(": no answer for 5 seconds") && error.hint.is_some(), "{error:?}");
        store.reopen().unwrap();
        assert_ne!(id(&mut store), hung);
        tell("-CONT", hung);
        // Nor does it wait for whoever has locked what it needs.
        store.script("CREATE TABLE thing (id BIGINT PRIMARY KEY)").unwrap();
        let mut other = Postgres::open(&url, false).unwrap();
        other.script("BEGIN; LOCK TABLE thing").unwrap();
        let message = store.rows("SELECT id FROM thing", &[]).unwrap_err().message;
        assert!(message.contains("canceling statement due to statement timeout"), "{message}");
        other.script("ROLLBACK").unwrap();
        assert_eq!(store.rows("SELECT id FROM thing", &[]).unwrap(), Vec::<Row>::new());
    }

    #[test]
    fn what_is_copied_stands_as_it_was_given() {
        let mut store = Postgres::open(&crate::postgres_server::server().new_database(), false).unwrap();
        store.script("CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT, body BYTEA)").unwrap();
        let row =
            |n: i64| vec![Value::Int(n), Value::from(format!("n\u{f8} {n}\t\\").as_str()), Value::Bytes(vec![0, 255])];
        let rows: Vec<Row> = (0..10).map(row).collect();
        store.insert("thing", &["id", "name", "body"], Vec::new()).unwrap();
        store.insert("thing", &["id", "name", "body"], rows.clone()).unwrap();
        assert_eq!(store.rows("SELECT id, name, body FROM thing ORDER BY id", &[]).unwrap(), rows);
        let message = store.insert("thing", &["id", "name", "body"], vec![row(11), row(3)]).unwrap_err().message;
        assert!(message.contains("duplicate key"), "{message}");
        let count = store.rows("SELECT COUNT(*) FROM thing", &[]).unwrap();
        assert_eq!(count, [[Value::Int(10)]], "all of them or none");
    }
}

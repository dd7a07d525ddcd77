//! A real PostgreSQL server for tests: its own data folder, reached through a Unix socket, gone when the test process is.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server.
pub struct Server {
    folder: tempfile::TempDir,
    port: u16,
    /// Its standard input is what keeps the server alive.
    _guard: Child,
}

/// The server of this test process.
///
/// # Panics
/// PostgreSQL is not installed, or does not start.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start(None))
}

impl Server {
    /// A server that also listens on TCP, with `server.pem` and `server.key` of that folder.
    ///
    /// # Panics
    /// As [`server`].
    pub fn with_tls(certificate: &Path) -> Self {
        Self::start(Some(certificate))
    }

    /// The URL by which a database, of which [`Server::new_database`] gave another, is reached on TCP.
    pub fn tcp_url(&self, url: &str, host: &str) -> String {
        let name = url.split('?').next().and_then(|u| u.rsplit('/').next()).unwrap_or_default();
        format!("postgresql://postgres@{host}:{}/{name}", self.port)
    }

    /// The URL of a new, empty database on it.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn new_database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("marks_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        self.run(&["createdb", "-h"], &[&name]);
        format!("postgresql://postgres@localhost:{}/{name}?host={}", self.port, self.folder.path().display())
    }

    /// Runs one of PostgreSQL's own programs on it.
    ///
    /// # Panics
    /// It fails.
    pub fn run(&self, program: &[&str], args: &[&str]) -> String {
        let (name, options) = program.split_first().unwrap();
        let mut command = Command::new(binaries().join(name));
        command.env("PGPORT", self.port.to_string());
        command.args(options).arg(self.folder.path()).args(["-U", "postgres"]).args(args);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Ends every connection to the database of `url`, as a restart of the server does.
    ///
    /// # Panics
    /// The server does not do it.
    pub fn end_connections_of(&self, url: &str) {
        let name = url.split('?').next().and_then(|u| u.rsplit('/').next()).unwrap_or_default();
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        self.run(&["psql", "-h"], &["-d", "postgres", "-c", &sql]);
    }

    fn start(certificate: Option<&Path>) -> Self {
        // In memory where there is room for that: what is tested is not the disk.
        let mut builder = tempfile::Builder::new();
        builder.prefix("touchmark-pg-");
        let folder = builder.tempdir_in("/dev/shm").or_else(|_| builder.tempdir()).unwrap();
        let data = folder.path().join("data");
        let mut port = 5432;
        let mut listen = "-c listen_addresses=".to_owned();
        if let Some(certificate) = certificate {
            for file in ["server.pem", "server.key"] {
                std::fs::copy(certificate.join(file), folder.path().join(file)).unwrap();
            }
            port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let files = folder.path().display();
            listen = format!(
                "-c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file={files}/server.pem -c ssl_key_file={files}/server.key"
            );
        }
        // The server refuses to run as root, and then runs as the user that its package made.
        let script = r#"
            set -e
            as() { if [ "$(id -u)" = 0 ]; then chown -R postgres "$FOLDER"; setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; }
            as "$BIN/initdb" --no-sync -A trust -U postgres -D "$DATA" >/dev/null
            as "$BIN/postgres" -D "$DATA" -k "$FOLDER" $LISTEN -c max_connections=50 >"$FOLDER/log" 2>&1 &
            for n in $(seq 600); do
                "$BIN/pg_isready" -q -h "$FOLDER" -U postgres && break
                sleep 0.1
            done
            echo ready
            read -r _ || true
            kill -QUIT "$(head -n 1 "$DATA/postmaster.pid")" || true
            wait
            rm -rf "$FOLDER"
        "#;
        let mut guard = Command::new("bash")
            .args(["-c", script])
            .env("BIN", binaries())
            .env("DATA", &data)
            .env("FOLDER", folder.path())
            .env("LISTEN", listen)
            .env("PGPORT", port.to_string())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 5];
        let read = guard.stdout.as_mut().unwrap().read_exact(&mut ready);
        assert!(read.is_ok() && ready == *b"ready", "PostgreSQL does not start");
        Self { folder, port, _guard: guard }
    }
}

/// Where PostgreSQL's programs are: where Debian puts the server's, or on the path.
fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|v| v.path().join("bin")).filter(|bin| is_whole(bin)).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.pop().or_else(|| std::env::split_paths(&path).find(|bin| is_whole(bin))).unwrap_or_else(|| {
        panic!("these tests need a PostgreSQL server: `apt-get install postgresql`");
    })
}

fn is_whole(bin: &Path) -> bool {
    ["initdb", "postgres", "createdb", "psql", "pg_isready"].iter().all(|program| bin.join(program).exists())
}

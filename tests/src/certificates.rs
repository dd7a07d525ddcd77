//! An authority and a server's certificate for `localhost`, made by `openssl` for one test.

use std::path::Path;
use std::process::{Command, Stdio};

/// Makes `ca.pem`, `server.pem`, `server.key` and, of another authority, `other.pem` in `folder`.
///
/// # Panics
/// `openssl` is not installed, or fails.
pub fn make(folder: &Path) {
    let script = r#"
        set -e
        new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "$@"; }
        new -x509 -days 2 -subj '/CN=Test authority' -keyout ca.key -out ca.pem
        new -x509 -days 2 -subj '/CN=Other authority' -keyout other.key -out other.pem
        new -subj '/CN=server' -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost\n' > names
        openssl x509 -req -in server.csr -days 2 -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out server.pem
        chmod 600 server.key
    "#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(command.status().unwrap().success(), "these tests need openssl");
}

//! A home, and lines that run in it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use testkit::console::binaries;

/// A folder with a maker's home in it.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new(folder: &Path) -> Self {
        let place = Self(tempfile::tempdir_in(folder).unwrap());
        let args = ["init", "h", "--maker", "Acme", "--country", "NL", "--no-passphrase"];
        assert!(place.command(&args).stderr(Stdio::null()).stdout(Stdio::null()).status().unwrap().success());
        std::fs::create_dir(place.path("recipes")).unwrap();
        std::fs::write(place.path("recipes/qr.toml"), "answer = \"matrix\"\n[symbol]\nkind = \"qr\"\n").unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binaries().join("touchmark-sign"));
        command.args(args).current_dir(self.0.path()).env("TOUCHMARK_STATE", self.path("state"));
        command
    }

    /// Starts a line, and waits until it listens.
    pub(crate) fn line(&self, name: &str) -> Line {
        let args = [
            "line",
            "run",
            "--home",
            "h",
            "--tcp",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
            "--recipes",
            "recipes",
            "--name",
            name,
        ];
        let mut child = self.command(&args).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let started: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        std::thread::spawn(move || log.lines().for_each(drop));
        let tcp = started["tcp"][0].as_str().unwrap_or_else(|| panic!("{line}")).to_owned();
        let http = started["further"]["http"].as_str().unwrap_or_else(|| panic!("{line}")).to_owned();
        Line { child, tcp, http }
    }

    /// What `line verify-journal` says of it.
    pub(crate) fn verified(&self, args: &[&str]) -> String {
        let output = self.command(&[&["line", "verify-journal", "--home", "h"], args].concat()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&text));
        String::from_utf8_lossy(&text).trim().to_owned()
    }
}

/// A line that runs; dropping it kills it.
pub(crate) struct Line {
    child: Child,
    pub(crate) tcp: String,
    pub(crate) http: String,
}

impl Line {
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.kill();
    }
}

//! Runs the binary in a folder of its own, and compares what it prints with the text in the test. The expected text
//! stands beside the call that prints it, so that no tool is needed to read or review it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use touchmark_formats::base45;
use touchmark_formats::date::Date;
use touchmark_formats::mark::SignedMark;
use touchmark_formats::trust::{Directory, Trust};

/// A temporary folder in which the binary runs.
pub(crate) struct Place(tempfile::TempDir);

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A place with a maker's home `h`, without passphrase, and its customers 1, 5 and 4711.
    pub(crate) fn with_home() -> Self {
        let place = Self::new();
        place.run("init h --maker Acme --country NL --no-passphrase").done();
        place.write("h/consignees.csv", "number,name,country,address\n1,One,,\n5,Five,,\n4711,Farina,DE,\n");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> &Self {
        std::fs::write(self.path(name), text).unwrap();
        self
    }

    /// The binary with the words of `line`; a word may stand in double quotes.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_touchmark-sign"));
        command
            .args(words(line))
            .current_dir(self.0.path())
            .env_remove("TOUCHMARK_PASSPHRASE")
            .env("TOUCHMARK_STATE", self.path(".state"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        finished(&mut self.command(line))
    }

    /// Runs with `input` on standard input.
    pub(crate) fn run_with(&self, line: &str, input: &str) -> Ran {
        self.write("stdin", input);
        finished(self.command(line).stdin(std::fs::File::open(self.path("stdin")).unwrap()))
    }

    /// The names in a folder, sorted.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The serials on record in a home, in rising order.
    pub(crate) fn recorded(&self, home: &str) -> Vec<(u64, u64)> {
        let mut store =
            touchmark_signer::line::store::Store::sqlite(&self.path(home).join("serials.db"), false).unwrap();
        let all = touchmark_signer::line::store::Which::Days(Date::MIN, Date::MAX);
        let mut runs: Vec<(u64, u64, i64)> = Vec::new();
        for past in store.history(all).unwrap() {
            let (first, last, content) = (past.run.first, past.run.first + past.run.count() - 1, past.run.content);
            match runs.last_mut() {
                Some(before) if before.1 + 1 == first && before.2 == content => before.1 = last,
                _ => runs.push((first, last, content)),
            }
        }
        runs.into_iter().map(|(first, last, _)| (first, last)).collect()
    }
}

pub(crate) fn finished(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Ran {
    /// Checks that it went well.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!(self.status, Some(0), "{self:?}");
        self
    }

    /// Checks the exit status and, with what changes from run to run masked, standard error.
    #[track_caller]
    pub(crate) fn says(&self, status: i32, err: &str) {
        assert_eq!(masked(&self.err).trim_end(), err, "{self:?}");
        assert_eq!(self.status, Some(status), "{self:?}");
    }

    /// The marks in text form on standard output.
    #[track_caller]
    pub(crate) fn marks(&self) -> Vec<SignedMark> {
        marks(&self.out)
    }
}

/// The marks in text form, one a line.
#[track_caller]
pub(crate) fn marks(text: &str) -> Vec<SignedMark> {
    text.lines().map(|line| SignedMark::from_bytes(&base45::decode(line).unwrap()).unwrap()).collect()
}

/// Checks that a bundle vouches for a mark: its signature is good for part and lot, and no limit is broken.
#[track_caller]
pub(crate) fn assert_authentic(mark: &SignedMark, trust: &Path) {
    let bundle = Trust::open(&std::fs::read(trust).unwrap()).unwrap();
    let good = Directory::new(&bundle.signed).issuers(mark.mark.key_id).map(Result::unwrap).any(|issuer| {
        let (part, lot) = (issuer.delegation.part(&mark.mark), issuer.delegation.lot(&mark.mark));
        let message = part.map(|part| mark.mark.message(&issuer.maker.root, part, lot));
        message.is_some_and(|m| issuer.key.verify(&m, &mark.signature))
            && issuer.delegation.violations(&mark.mark).is_empty()
    });
    assert!(good, "{mark:?}");
}

fn words(line: &str) -> Vec<&str> {
    let pieces = line.split('"').enumerate();
    pieces.flat_map(|(n, piece)| if n % 2 == 1 { vec![piece] } else { piece.split_whitespace().collect() }).collect()
}

/// `text` with KEY, ID, DATE and TIME for keys, key ids, dates and instants.
pub(crate) fn masked(text: &str) -> String {
    let lines = text.lines().map(|line| line.split(' ').map(mask).collect::<Vec<_>>().join(" ") + "\n");
    lines.collect()
}

fn mask(word: &str) -> String {
    let core = word.trim_end_matches([',', ':', ';']);
    let rest = &word[core.len()..];
    let masked = if core.len() == 44 && core.ends_with('=') {
        "KEY"
    } else if core.len() == 8 && core.bytes().all(|b| b.is_ascii_hexdigit()) {
        "ID"
    } else if core.parse::<jiff::Timestamp>().is_ok() {
        "TIME"
    } else if core.len() == 10 && core.parse::<jiff::civil::Date>().is_ok() {
        "DATE"
    } else {
        core
    };
    format!("{masked}{rest}")
}

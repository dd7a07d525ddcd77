//! The command line `touchmark-sign`: one file for each command, which turns arguments into a call of the library and
//! its result into words. Nothing else prints.

mod delegate;
mod disclose;
mod handover;
mod init;
mod ledger;
mod line;
mod lot;
mod mark;
mod matching;
mod of_line;
mod pack;
mod packed;
mod plan;
mod readback;
mod sealing;
mod secrets;
mod ship;
mod strip;
mod trace;
mod trust;
mod unpack;

use crate::error::{Error, Kind, Result};
use crate::home::Home;
use clap::{Parser, Subcommand};
use jiff::Timestamp;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// How a run ended: the exit status of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done.
    Done = 0,
    /// A rule forbids it: the delegation's limits, a serial already used for something else.
    Refused = 1,
    /// The command line, a file, a key or a passphrase is unusable.
    Unusable = 2,
}

/// Asks a person for a secret with the text given.
pub type Prompt = Box<dyn FnMut(&str) -> io::Result<Zeroizing<String>>>;

/// All that a run takes from the world besides files and randomness.
pub struct Io<'a> {
    /// Standard input.
    pub stdin: &'a mut dyn Read,
    /// Standard output.
    pub stdout: &'a mut dyn Write,
    /// Standard error.
    pub stderr: &'a mut dyn Write,
    /// The time, UTC.
    pub now: Timestamp,
    /// `TOUCHMARK_PASSPHRASE` of the environment.
    pub passphrase: Option<Zeroizing<String>>,
    /// `TOUCHMARK_PIN` of the environment.
    pub pin: Option<Zeroizing<String>>,
    /// `CREDENTIALS_DIRECTORY` of the environment: where systemd puts a service's credentials.
    pub credentials: Option<PathBuf>,
    /// Where this machine keeps its state, by the environment.
    pub state: Option<PathBuf>,
    /// The terminal.
    pub prompt: Prompt,
}

impl<'a> Io<'a> {
    /// The process's own: system clock, environment, terminal.
    pub fn of_process(stdin: &'a mut dyn Read, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        let now = Timestamp::now();
        Self {
            stdin,
            stdout,
            stderr,
            // Files that people read say seconds.
            now: Timestamp::from_second(now.as_second()).unwrap_or(now),
            passphrase: std::env::var("TOUCHMARK_PASSPHRASE").ok().map(Zeroizing::new),
            pin: std::env::var("TOUCHMARK_PIN").ok().map(Zeroizing::new),
            credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            state: state_folder(),
            prompt: Box::new(|text| rpassword::prompt_password(text).map(Zeroizing::new)),
        }
    }

    /// Where this machine keeps how far its lines got; in the home where it has no place of its own for that.
    fn state(&self, home: &Home) -> PathBuf {
        self.state.clone().unwrap_or_else(|| home.dir().join("state"))
    }

    /// Writes to standard output.
    fn print(&mut self, text: impl AsRef<[u8]>) -> Result<()> {
        let written = self.stdout.write_all(text.as_ref()).and_then(|()| self.stdout.flush());
        written.map_err(|e| Error::io("write", "standard output".as_ref(), &e))
    }

    /// Writes a line to standard error.
    fn say(&mut self, line: impl std::fmt::Display) {
        // Who closed standard error wants no words.
        let _ = writeln!(self.stderr, "{line}");
    }
}

/// Signs marks: everything that needs a maker's, a line's or an authority's secret key.
///
/// Exit status: 0 done; 1 refused by a rule (the delegation's limits, a serial already used for something
/// else);
/// 2 usage, or an unusable file, key or passphrase.
///
/// Passphrases come from --passphrase-file, from the environment variable TOUCHMARK_PASSPHRASE, or are asked for on the
/// terminal; never from the command line. PINs of tokens likewise: --pin-file, TOUCHMARK_PIN, or pin-source in the PKCS#11
/// URI of the key.
#[derive(Parser)]
#[command(name = "touchmark-sign", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Init(Box<init::Args>),
    Mark(Box<mark::Args>),
    Pack(Box<pack::Args>),
    Unpack(Box<unpack::Args>),
    Packed(packed::Args),
    Strip(Box<strip::Args>),
    Readback(readback::Args),
    Plan(plan::Args),
    Match(matching::Args),
    Disclose(Box<disclose::Args>),
    Delegate(delegate::Args),
    Lot(Box<lot::Args>),
    Ship(Box<ship::Args>),
    Handover(Box<handover::Args>),
    Ledger(Box<ledger::Args>),
    Trust(Box<trust::Args>),
    Line(line::Args),
}

/// Runs the program: `args` begin with its name.
pub fn run(args: impl IntoIterator<Item = OsString>, io: &mut Io<'_>) -> ExitStatus {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => return usage(&e, io),
    };
    let result = match cli.command {
        Command::Init(args) => init::run(*args, io),
        Command::Mark(args) => mark::run(*args, io),
        Command::Pack(args) => pack::run(*args, io),
        Command::Unpack(args) => unpack::run(*args, io),
        Command::Packed(args) => packed::run(&args, io),
        Command::Strip(args) => strip::run(*args, io),
        Command::Readback(args) => readback::run(&args, io),
        Command::Plan(args) => plan::run(&args, io),
        Command::Match(args) => matching::run(&args, io),
        Command::Disclose(args) => disclose::run(*args, io),
        Command::Delegate(args) => delegate::run(args, io),
        Command::Lot(args) => lot::run(*args, io),
        Command::Ship(args) => ship::run(*args, io),
        Command::Handover(args) => handover::run(*args, io),
        Command::Ledger(args) => ledger::run(*args, io),
        Command::Trust(args) => trust::run(*args, io),
        Command::Line(args) => line::run(args, io),
    };
    match result {
        Ok(()) => ExitStatus::Done,
        Err(e) => failure(&e, io),
    }
}

/// `1 key`, `2 keys`.
fn counted(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// `1 witness`, `2 witnesses`.
fn counted_as(n: usize, one: &str, more: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// `TOUCHMARK_STATE`, else systemd's folder for a service, else where programs keep their state by the XDG Base Directory
/// Specification.
fn state_folder() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    folder("TOUCHMARK_STATE")
        .or_else(|| folder("STATE_DIRECTORY"))
        .or_else(|| folder("XDG_STATE_HOME").map(|state| state.join("touchmark")))
        .or_else(|| folder("HOME").map(|home| home.join(".local/state/touchmark")))
}

fn usage(error: &clap::Error, io: &mut Io<'_>) -> ExitStatus {
    let text = error.render().to_string();
    if error.use_stderr() {
        let _ = io.stderr.write_all(text.as_bytes());
        return ExitStatus::Unusable;
    }
    let _ = io.stdout.write_all(text.as_bytes());
    ExitStatus::Done
}

fn failure(error: &Error, io: &mut Io<'_>) -> ExitStatus {
    if error.kind == Kind::ClosedPipe {
        return ExitStatus::Done;
    }
    io.say(format_args!("error: {error}"));
    if let Some(hint) = &error.hint {
        io.say(format_args!("hint: {hint}"));
    }
    if error.kind == Kind::Refused { ExitStatus::Refused } else { ExitStatus::Unusable }
}

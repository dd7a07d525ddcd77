//! `touchmark-sign line`: the service between the MES and the laser, and what is needed around it.

mod adapters;
mod backup;
mod find;
mod recover;
mod run;
mod status;
mod top;
mod verify;

use super::Io;
use super::secrets::PassphraseArgs;
use crate::error::Result;
use crate::home::{Home, Line};
use crate::line::newest;
use crate::line::store::Store;
use clap::Subcommand;
use std::net::SocketAddr;
use std::path::PathBuf;
use touchmark_formats::key::KeyBytes;

/// Issue marks at marking time
///
/// `line run` is the service: it takes requests on standard input, TCP or a Unix socket, and answers with marks, each of
/// which is on record before it leaves. No serial is issued twice, whatever happens in between.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Status(status::Args),
    Top(top::Args),
    Find(find::Args),
    VerifyJournal(verify::Args),
    Backup(backup::Args),
    Recover(recover::Args),
}

/// The longest name under which a line issues, in bytes.
const MAX_NAME: usize = 128;

/// Which line.
#[derive(Clone, clap::Args)]
struct Which {
    /// The home of the maker or the line
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Which line's key, where the home has several
    #[arg(long, value_name = "NAME")]
    line: Option<String>,
}

impl Which {
    fn open(&self) -> Result<(Home, Line)> {
        let home = Home::open(&self.home)?;
        let line = home.line(self.line.as_deref())?;
        Ok((home, line))
    }
}

/// Opens the store of `home` to read what is on record under `key`, and warns of an older copy of it.
fn store_to_read(home: &Home, key: &KeyBytes, io: &mut Io<'_>) -> Result<Store> {
    let state = io.state(home);
    let mut store = home.store_to_read(&state, key)?;
    if let Err(e) = newest::check(&mut store, &state, key) {
        io.say(format_args!("warning: {e}"));
    }
    Ok(store)
}

/// The name under which a line issues, which is one line of its witness.
fn name(text: &str) -> std::result::Result<String, String> {
    let fits = (1..=MAX_NAME).contains(&text.len()) && text.trim() == text && !text.contains(char::is_control);
    let what = || format!("a name has 1 to {MAX_NAME} bytes, no space at either end, and no control characters");
    fits.then(|| text.to_owned()).ok_or_else(what)
}

/// Where to listen: an address and a port, or this machine's usual name and a port.
fn address(text: &str) -> std::result::Result<SocketAddr, String> {
    let here = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    let address = here.as_deref().unwrap_or(text).parse();
    address.map_err(|_| "an address and a port are needed, as in 127.0.0.1:7070 or [::1]:7070".to_owned())
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    match args.command {
        Command::Run(args) => run::run(*args, io),
        Command::Status(args) => status::run(&args, io),
        Command::Top(args) => top::run(&args, io),
        Command::Find(args) => find::run(&args, io),
        Command::VerifyJournal(args) => verify::run(&args, io),
        Command::Backup(args) => backup::run(&args, io),
        Command::Recover(args) => recover::run(&args, io),
    }
}

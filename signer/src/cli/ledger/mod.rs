//! `touchmark-sign ledger`.

mod audit;
mod checkpoint;
mod commission;
mod export;
mod import;
mod init;
mod prove;
mod witness;

use super::Io;
use crate::error::{Error, Result};
use crate::home::Home;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::note::NoteKey;

/// Where parts went, so that nobody can rewrite it: records, checkpoints, proofs, witnesses
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Init(init::Args),
    Commission(commission::Args),
    Import(import::Args),
    Export(export::Args),
    Checkpoint(Box<checkpoint::Args>),
    Prove(prove::Args),
    Audit(audit::Args),
    Witness(Box<witness::Args>),
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    match args.command {
        Command::Init(args) => init::run(args, io),
        Command::Commission(args) => commission::run(args, io),
        Command::Import(args) => import::run(args, io),
        Command::Export(args) => export::run(args, io),
        Command::Checkpoint(args) => checkpoint::run(*args, io),
        Command::Prove(args) => prove::run(args, io),
        Command::Audit(args) => audit::run(args, io),
        Command::Witness(args) => witness::run(*args, io),
    }
}

/// The public key of the line with this name, or of the only one.
pub(super) fn line_key(home: &Home, name: Option<&str>) -> Result<KeyBytes> {
    // The maker keeps the ledger of lines whose keys are elsewhere, too.
    let lines = home.lines()?;
    let names = lines.iter().map(|l| format!("{:?}", l.delegation.signed.line.as_str())).collect::<Vec<_>>().join(", ");
    let mut found = lines.iter().filter(|l| name.is_none_or(|n| l.delegation.signed.line.as_str() == n));
    match (found.next(), found.next()) {
        (Some(line), None) => Ok(line.delegation.signed.key),
        (None, _) => Err(Error::file(home.dir(), format_args!("there is no such line, only {names}"))),
        _ => {
            Err(Error::file(home.dir(), format_args!("there are several lines: {names}"))
                .hint("name one with --line NAME"))
        }
    }
}

/// A key of notes on the command line.
fn note_key(text: &str) -> std::result::Result<NoteKey, String> {
    text.parse().map_err(|e: touchmark_formats::ledger::note::NoteError| e.to_string())
}

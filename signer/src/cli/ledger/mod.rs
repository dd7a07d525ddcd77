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
use crate::error::Result;
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

/// A key of notes on the command line.
fn note_key(text: &str) -> std::result::Result<NoteKey, String> {
    text.parse().map_err(|e: touchmark_formats::ledger::note::NoteError| e.to_string())
}

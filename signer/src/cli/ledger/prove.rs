//! `touchmark-sign ledger prove`.

use super::Io;
use crate::cli::of_line::LineArgs;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::ledger::Keeper;
use std::path::PathBuf;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::mark::Serial;

/// Write the records of a serial, each with its proof, as C2SP tlog-proof files
///
/// Beside the records (N.tlog-proof, whose extra data is the salt and the record) stand the last record of the checkpoint, which holds the root of
/// the map of serials, and the map's proof (map.json), which shows that nothing else answers for the serial. Whoever gets
/// these files reads the records: a customer's name is in them.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: LineArgs,
    /// The serial
    #[arg(long, value_name = "N")]
    serial: u64,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = args.of.home()?;
    let mut keeper = Keeper::open(&home)?;
    keeper.ledger.require_head()?;
    let line = home.line_public(args.of.line())?;
    let serial = Serial::new(args.serial).ok_or_else(|| Error::unusable("a serial is at most 2^53 - 1"))?;
    let mut numbers = keeper.records_of(&[Place { line, serial }])?;
    numbers.push(keeper.ledger.size().saturating_sub(1));
    let map = keeper.ledger.map_proof(&Place { line, serial })?;
    std::fs::create_dir_all(&args.out).map_err(|e| Error::io("make", &args.out, &e))?;
    for proof in keeper.proofs(&numbers)? {
        let path = args.out.join(format!("{}.tlog-proof", proof.index));
        files::write(&path, proof.to_string().as_bytes(), Access::Private)?;
    }
    let json = serde_json::to_string_pretty(&map).map_err(|e| Error::file(&args.out, e))? + "\n";
    files::write(&args.out.join("map.json"), json.as_bytes(), Access::Private)?;
    let found = numbers.len() - 1;
    io.say(format_args!(
        "serial {serial}: {} and the map's proof in {}",
        crate::cli::counted(found, "record"),
        args.out.display()
    ));
    Ok(())
}

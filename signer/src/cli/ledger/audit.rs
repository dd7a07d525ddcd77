//! `touchmark-sign ledger audit`.

use super::Io;
use crate::error::{Error, Result};
use crate::files;
use crate::home::Home;
use crate::ledger::Keeper;
use std::path::PathBuf;

/// Make the whole ledger anew from its records, and say which are not as they were
///
/// Checked are every record against the tree, the rules, the ranges, the map of serials, and every checkpoint in the
/// store and in the files named: the copies that witnesses and others keep are what the store cannot be made to fit.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// A checkpoint of this ledger that somebody kept; as often as needed
    #[arg(long, value_name = "F")]
    checkpoint: Vec<PathBuf>,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let mut keeper = Keeper::open(&home)?;
    let mut heads = keeper.heads()?;
    for path in &args.checkpoint {
        let note = String::from_utf8(files::read(path)?).map_err(|_| Error::file(path, "not UTF-8"))?;
        let (_, head) = keeper.own(&note).map_err(|e| Error { message: format!("{}: {e}", path.display()), ..e })?;
        heads.push((head.size, head.root));
    }
    heads.sort_unstable();
    heads.dedup();
    let beyond = heads.iter().filter(|(size, _)| *size > keeper.ledger.size()).count();
    let audit = keeper.ledger.audit(&heads, &mut |_| ())?;
    for fault in &audit.faults {
        io.print(format!("record {}: {}\n", fault.record, fault.what))?;
    }
    if beyond > 0 {
        let last = heads.last().map_or(0, |(size, _)| *size);
        io.print(format!(
            "records {} to {}: a signed checkpoint has them, and the store does not\n",
            audit.size,
            last.saturating_sub(1)
        ))?;
    }
    let (records, checkpoints) = (audit.size, crate::cli::counted(audit.checkpoints as usize, "checkpoint"));
    if audit.faults.is_empty() && beyond == 0 {
        io.say(format_args!("{records} records, and {checkpoints} that agree"));
        return Ok(());
    }
    Err(Error::refused(format!("the ledger is not as it was: {records} records seen, {checkpoints} that agree"))
        .hint("keep the store as it is, and compare with a backup and with what the witnesses have"))
}

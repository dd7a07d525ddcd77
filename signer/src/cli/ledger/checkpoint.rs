//! `touchmark-sign ledger checkpoint`.

use super::Io;
use crate::cli::secrets::PassphraseArgs;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::ledger::keeper::KEY;
use crate::ledger::{Keeper, New};
use std::path::PathBuf;
use touchmark_formats::ledger::note::NoteKey;

/// Sign the head of the ledger; ask witnesses for their cosignatures, and take these in
///
/// Best made at fixed times, with --pad, so that the size of the log does not tell how much was shipped.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Fill up with empty records to a multiple of so many
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pad: u64,
    /// Write what a witness is asked that has cosigned a checkpoint of so many records; 0 for one that knows nothing yet
    #[arg(long, value_name = "N", requires = "request")]
    old: Option<u64>,
    /// Where to, for `ledger witness` or as the body of `add-checkpoint` (c2sp.org/tlog-witness)
    #[arg(long, value_name = "F")]
    request: Option<PathBuf>,
    /// A witness's answer to be put below the checkpoint; as often as needed
    #[arg(long, value_name = "F", requires = "witness")]
    cosigned: Vec<PathBuf>,
    /// The witness's key, as NAME+ID+BASE64; as often as needed
    #[arg(long, value_name = "VKEY", value_parser = super::note_key)]
    witness: Vec<NoteKey>,
    /// Write the checkpoint here; `-` for standard output
    #[arg(long, value_name = "F")]
    out: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let mut keeper = Keeper::open(&home)?;
    if args.cosigned.is_empty() {
        let mut secrets = args.passphrase.secrets();
        let key = home.key(KEY, &mut secrets.unlock(io))?;
        if !keeper.ledger.is_headed()? {
            // The root of the map is one record more.
            let over = (keeper.ledger.size() + 1) % args.pad;
            let padding = vec![New::Padding; ((args.pad - over) % args.pad) as usize];
            if !padding.is_empty() {
                keeper.ledger.append(&padding)?;
            }
        }
        keeper.checkpoint(&*key)?;
    }
    for path in &args.cosigned {
        let lines = String::from_utf8(files::read(path)?).map_err(|_| Error::file(path, "not UTF-8"))?;
        let size = keeper.last()?.map_or(0, |(_, checkpoint)| checkpoint.size);
        let good = keeper.cosign(size, &lines, &args.witness)?;
        if good == 0 {
            return Err(Error::file(path, "no cosignature of the newest checkpoint by a witness that was named"));
        }
    }
    let Some((note, checkpoint)) = keeper.last()? else { return Ok(()) };
    if let Some(path) = &args.request {
        let request = keeper.request(args.old.unwrap_or(0))?;
        files::write(path, request.to_string().as_bytes(), Access::Ordinary)?;
    }
    match &args.out {
        Some(path) if path.as_os_str() == "-" => io.print(note.to_string())?,
        Some(path) => files::write(path, note.to_string().as_bytes(), Access::Ordinary)?,
        None => {}
    }
    let witnesses = note.signatures.len() - 1;
    io.say(format_args!(
        "checkpoint of {} records, cosigned by {}",
        checkpoint.size,
        crate::cli::counted_as(witnesses, "witness", "witnesses")
    ));
    Ok(())
}

//! `touchmark-sign ledger witness`.

use super::Io;
use crate::cli::secrets::PassphraseArgs;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::keys::{SecretKey, SigningKey, Unlock};
use crate::ledger::witness::Memory;
use std::path::PathBuf;
use touchmark_formats::ledger::checkpoint::WitnessRequest;
use touchmark_formats::ledger::note::{NoteKey, NoteKeyKind, NoteName};

/// At an authority or another maker: cosign a checkpoint that goes on from the one cosigned before
///
/// The key is the witness's own (PKCS#8). Without --request it prints the key as those write it who rely on the witness.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The witness's name, best an address without https://
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: NoteName,
    /// Its key
    #[arg(long, value_name = "F")]
    key: PathBuf,
    /// The folder in which it remembers what it cosigned
    #[arg(long, value_name = "DIR", required_unless_present = "print_key")]
    memory: Option<PathBuf>,
    /// The key of the log, as NAME+ID+BASE64
    #[arg(long, value_name = "VKEY", value_parser = super::note_key, required_unless_present = "print_key")]
    log: Option<NoteKey>,
    /// What the log asks, as `ledger checkpoint --request` wrote it
    #[arg(long, value_name = "F", required_unless_present = "print_key")]
    request: Option<PathBuf>,
    /// Print the witness's key, and do nothing else
    #[arg(long)]
    print_key: bool,
    /// Where the cosignature goes; `-` for standard output
    #[arg(long, value_name = "F", default_value = "-")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

fn name(text: &str) -> std::result::Result<NoteName, String> {
    text.parse().map_err(|e: touchmark_formats::ledger::note::NoteError| e.to_string())
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let mut secrets = args.passphrase.secrets();
    let key = SecretKey::read(&args.key, || secrets.unlock(io).passphrase())?;
    let public = key.public().check().map_err(|e| Error::file(&args.key, e))?;
    let own = NoteKey { name: args.name, kind: NoteKeyKind::Cosignature, key: public };
    let (Some(memory), Some(log), Some(path)) = (&args.memory, &args.log, &args.request) else {
        return io.print(format!("{own}\n"));
    };
    let request = WitnessRequest::parse(&files::read(path)?).map_err(|e| Error::file(path, e))?;
    let at = u64::try_from(io.now.as_second()).map_err(|_| Error::unusable("the clock is before 1970"))?;
    let line = Memory::open(memory)?.cosign(&request, log, &own, &key, at)?;
    match args.out.to_str() {
        Some("-") => io.print(format!("{line}\n")),
        _ => files::write(&args.out, format!("{line}\n").as_bytes(), Access::Ordinary),
    }
}

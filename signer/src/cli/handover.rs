//! `touchmark-sign handover`.

use super::Io;
use super::delegate::serial_range;
use super::secrets::PassphraseArgs;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::init::today;
use crate::keys::{SecretKey, Unlock, sign_document};
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::handover::HandOver;
use touchmark_formats::ledger::party::{Duns, Eori, Lei, Party};
use touchmark_formats::signed::{MAX_LINE_BYTES, Signed, is_line};
use touchmark_formats::text::Label;
use touchmark_formats::trust::Country;

/// At a distributor: say, signed, to whom parts were passed on; the maker takes the file into its ledger
///
/// The key is the distributor's own (PKCS#8, as `openssl genpkey -algorithm ed25519` makes it); the maker knows its public
/// half.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The distributor's key
    #[arg(long, value_name = "F")]
    key: PathBuf,
    /// The line key that marked the parts, in base64, as `touchmark-verify trust show` prints it
    #[arg(long, value_name = "KEY")]
    line_key: KeyBytes,
    /// Serials, as on the container mark
    #[arg(long, value_name = "FIRST-LAST", value_parser = serial_range)]
    serials: SerialRange,
    /// To whom
    #[arg(long, value_name = "NAME")]
    to: Label,
    /// Its country
    #[arg(long, value_name = "CC")]
    country: Option<Country>,
    /// Its address
    #[arg(long, value_name = "TEXT")]
    address: Option<String>,
    /// Its Legal Entity Identifier
    #[arg(long, value_name = "LEI")]
    lei: Option<Lei>,
    /// Its EORI number
    #[arg(long, value_name = "EORI")]
    eori: Option<Eori>,
    /// Its D-U-N-S number
    #[arg(long, value_name = "DUNS")]
    duns: Option<Duns>,
    /// Its public key, in base64, if it signs hand-overs too
    #[arg(long, value_name = "KEY")]
    to_key: Option<KeyBytes>,
    /// The delivery note
    #[arg(long, value_name = "TEXT")]
    document: Option<Label>,
    /// The day [default: today]
    #[arg(long, value_name = "D")]
    date: Option<Date>,
    /// Where to; `-` for standard output
    #[arg(long, value_name = "F")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    if !args.address.as_deref().is_none_or(is_line) {
        let what = format!("--address: more than {MAX_LINE_BYTES} bytes, or control or invisible characters");
        return Err(Error::unusable(what));
    }
    let to = Party {
        number: None,
        name: args.to,
        country: args.country,
        address: args.address,
        lei: args.lei,
        eori: args.eori,
        duns: args.duns,
        key: args.to_key,
    };
    let date = args.date.map_or_else(|| today(io.now), Ok)?;
    let mut secrets = args.passphrase.secrets();
    let key = SecretKey::read(&args.key, || secrets.unlock(io).passphrase())?;
    let document = HandOver { line: args.line_key, serials: args.serials, date, to, document: args.document };
    let mut envelope = Signed::new(document);
    sign_document(&key, &mut envelope)?;
    let json = envelope.to_json();
    match args.out.to_str() {
        Some("-") => io.print(json)?,
        _ => files::write(&args.out, json.as_bytes(), Access::Ordinary)?,
    }
    let HandOver { serials, to, .. } = &envelope.signed;
    io.say(format_args!("serials {serials} handed over to {} on {date}", to.name));
    Ok(())
}

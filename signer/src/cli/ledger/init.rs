//! `touchmark-sign ledger init`.

use super::Io;
use crate::cli::secrets::PassphraseArgs;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::ledger::keeper;
use crate::trust;
use std::path::PathBuf;
use touchmark_formats::ledger::note::NoteName;

/// Make the home's ledger: its key, which the root key signs, and its store
#[derive(clap::Args)]
pub(super) struct Args {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// The name under which witnesses know it, best an address of yours without https://, as acme.example/ledger [default:
    /// touchmark.invalid/ and the key id of the root key]
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// Keep it in the PostgreSQL database whose URL is the first line of this file [default: SQLite, in the home]
    #[arg(long, value_name = "F")]
    postgres: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let mut secrets = args.passphrase.secrets();
    let root = home.root_key(&mut secrets.unlock(io))?;
    let origin = args.origin.unwrap_or_else(|| format!("touchmark.invalid/{}", root.public().id()));
    let name = origin.parse::<NoteName>().map_err(|e| Error::unusable(format!("--origin: {e}")))?;
    let passphrase = if home.is_encrypted()? { Some(secrets.ask(io)?) } else { None };
    if let Some(file) = args.postgres {
        let url = files::private_line(&file)?;
        files::write(&keeper::url_file(&home), url.expose().as_bytes(), Access::Private)?;
    }
    let keeper = keeper::init(&home, name.as_str(), &*root, passphrase.as_ref())?;
    io.say(format_args!("{}: the ledger {origin}", keeper.ledger.name()));
    let (now, document) = (io.now, keeper.document.clone());
    if trust::change_home(&home, now, &mut secrets.unlock(io), |bundle| trust::add_ledger(bundle, document, true))? {
        io.say(format_args!("{}: its key is in it, under a new version", home.trust_file().display()));
    } else {
        io.say("note: the authority's key is not here; let it add ledger.json to its bundle with `trust add --ledger`");
    }
    io.print(format!("{}\n", keeper.key))
}

//! `touchmark-sign init`.

use super::Io;
use super::secrets::{PassphraseArgs, exportable};
use crate::error::Result;
use crate::init::{Options, init};
use crate::keys::pkcs11::Uri;
use std::path::PathBuf;
use touchmark_formats::text::Label;
use touchmark_formats::trust::Country;

/// Make a maker's home: its keys, a first line, and a trust bundle that holds the maker
///
/// The line may mark any part, lot and serial, dated from 1 January of this year until five years from today. DIR must
/// be new or empty.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The folder to make
    dir: PathBuf,
    /// The maker's name, as verifiers show it
    #[arg(long, value_name = "NAME")]
    maker: Label,
    /// Where the maker is seated: two letters, as in NL (ISO 3166-1)
    #[arg(long, value_name = "CC")]
    country: Country,
    /// The name of the first line
    #[arg(long, value_name = "NAME", default_value = "line 1")]
    line: Label,
    /// The number of the site where the line stands
    #[arg(long, value_name = "N", default_value_t = 1)]
    site: u16,
    /// Who signs the trust bundle; the maker itself if not given
    #[arg(long, value_name = "NAME")]
    authority: Option<Label>,
    /// Keep the root key in a hardware security module: the PKCS#11 URI of the key (RFC 7512), which is made if it is not
    /// there
    #[arg(long, value_name = "URI")]
    root_pkcs11: Option<Uri>,
    /// The key that signs the trust bundle, likewise
    #[arg(long, value_name = "URI")]
    authority_pkcs11: Option<Uri>,
    /// Leave the keys in files unencrypted: whoever copies them can sign as this maker
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let mut secrets = args.passphrase.secrets();
    let passphrase = if args.no_passphrase { None } else { Some(secrets.choose(io)?) };
    let options = Options {
        authority: args.authority.unwrap_or_else(|| args.maker.clone()),
        maker: args.maker,
        country: args.country,
        line: args.line,
        site: args.site,
        root_token: args.root_pkcs11,
        authority_token: args.authority_pkcs11,
    };
    let made = init(&args.dir, &options, passphrase.as_ref(), io.now, &mut secrets.unlock(io))?;
    let Options { maker, country, line, .. } = &options;
    io.print(format!(
        "{}: home of {maker} ({country})\nroot key {}\nline {:?} may mark dates {} to {}\n",
        args.dir.display(),
        made.root,
        line.as_str(),
        made.not_before,
        made.not_after,
    ))?;
    for name in &made.exportable {
        io.say(exportable(name));
    }
    match (&passphrase, &options.root_token) {
        (Some(_), _) => {}
        (None, None) => io.say("warning: the keys are not encrypted; whoever copies them can sign as this maker"),
        (None, Some(_)) => {
            io.say("warning: the keys in files are not encrypted; whoever copies them can sign as this line");
        }
    }
    Ok(())
}

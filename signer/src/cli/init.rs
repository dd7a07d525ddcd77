//! `touchmark-sign init`.

use super::Io;
use super::secrets::PassphraseArgs;
use crate::error::Result;
use crate::init::{Options, init};
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
    /// Leave the keys unencrypted: whoever copies them can sign as this maker
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let passphrase = if args.no_passphrase { None } else { Some(args.passphrase.secrets().choose(io)?) };
    let options = Options {
        authority: args.authority.unwrap_or_else(|| args.maker.clone()),
        maker: args.maker,
        country: args.country,
        line: args.line,
        site: args.site,
    };
    let made = init(&args.dir, &options, passphrase.as_ref(), io.now)?;
    let Options { maker, country, line, .. } = &options;
    io.print(format!(
        "{}: home of {maker} ({country})\nroot key {}\nline {:?} may mark dates {} to {}\n",
        args.dir.display(),
        made.root,
        line.as_str(),
        made.not_before,
        made.not_after,
    ))?;
    if passphrase.is_none() {
        io.say("warning: the keys are not encrypted; whoever copies them can sign as this maker");
    }
    Ok(())
}

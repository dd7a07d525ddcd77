//! `touchmark-sign trust`.

use super::delegate::{self, serial_range};
use super::secrets::{PassphraseArgs, Secrets};
use super::{Io, counted};
use crate::error::{Error, Result};
use crate::files;
use crate::home::{Home, read_delegation};
use crate::keys::pkcs11::{Missing, Pkcs11Key};
use crate::keys::{SecretKey, SigningKey, file};
use crate::ledger::keeper;
use crate::{lot, trust};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;
use touchmark_formats::trust::{Authority, Country, Maker, Revocation, Signer, Trust};

/// Make, change, sign and show trust bundles
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Create(Create),
    Add(Add),
    Revoke(Revoke),
    Void(VoidArgs),
    Sign(Sign),
    Show(Show),
}

/// Which bundle, and who signs the new version of it.
#[derive(clap::Args)]
struct Bundle {
    #[command(flatten)]
    place: Place,
    /// A private key of the authority to sign with, in a file or by its PKCS#11 URI; as often as needed. With --home its
    /// own is taken
    #[arg(long, value_name = "PEM|URI", alias = "key-file")]
    sign_key: Vec<PathBuf>,
    /// Write the new version here, not over the old one
    #[arg(long, value_name = "F")]
    out: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Place {
    /// The bundle
    #[arg(long, value_name = "F")]
    trust: Option<PathBuf>,
    /// The home whose bundle it is
    #[arg(long, value_name = "DIR")]
    home: Option<PathBuf>,
}

/// Make an authority's first bundle, without makers
#[derive(clap::Args)]
struct Create {
    #[command(flatten)]
    bundle: Bundle,
    /// The authority's name
    #[arg(long, value_name = "NAME")]
    authority: Label,
    /// A holder of a key and the key: base64, or a PEM file with the public or private key; as often as needed
    #[arg(long, value_name = "HOLDER=KEY", required = true)]
    signer: Vec<String>,
    /// How many holders must sign
    #[arg(long, value_name = "M", default_value_t = 1)]
    threshold: u8,
}

/// Add makers, delegations, closed lots and the keys of ledgers
#[derive(clap::Args)]
struct Add {
    #[command(flatten)]
    bundle: Bundle,
    /// Another bundle, of which all makers, delegations, closed lots, ledgers, revocations and voids are taken over
    #[arg(long, value_name = "F")]
    from: Option<PathBuf>,
    /// A delegation; as often as needed
    #[arg(long, value_name = "F")]
    delegation: Vec<PathBuf>,
    /// The record of a closed lot, signed by the line and the maker (`lot close`, `lot accept`); as often as needed
    #[arg(long, value_name = "F")]
    closed: Vec<PathBuf>,
    /// The key of a maker's ledger (ledger.json of its home); as often as needed
    #[arg(long, value_name = "F")]
    ledger: Vec<PathBuf>,
    /// These ledgers take the place of others that the bundle names: those are lost, or their keys were stolen
    #[arg(long, requires = "ledger")]
    replace_ledger: bool,
    /// A maker's name
    #[arg(long, value_name = "NAME", requires = "country", requires = "root")]
    maker: Option<Label>,
    /// Where it is seated
    #[arg(long, value_name = "CC", requires = "maker")]
    country: Option<Country>,
    /// Its root key, base64
    #[arg(long, value_name = "KEY", requires = "maker")]
    root: Option<KeyBytes>,
    /// First mark date for which the authority vouches
    #[arg(long, value_name = "D", default_value_t = Date::MIN)]
    valid_from: Date,
    /// Last such date
    #[arg(long, value_name = "D", default_value_t = Date::MAX)]
    valid_until: Date,
}

/// A key of the bundle.
#[derive(clap::Args)]
struct KeyArgs {
    /// The key itself, base64
    #[arg(long, value_name = "KEY", conflicts_with_all = ["maker", "line"])]
    key: Option<KeyBytes>,
    /// The line whose key it is
    #[arg(long, value_name = "NAME")]
    line: Option<String>,
    /// The maker of the line; without --line its root key
    #[arg(long, value_name = "NAME", required_unless_present_any = ["key", "line"])]
    maker: Option<String>,
}

/// Revoke a line's or a maker's key
#[derive(clap::Args)]
struct Revoke {
    #[command(flatten)]
    bundle: Bundle,
    #[command(flatten)]
    key: KeyArgs,
    /// The first mark date that is certainly not to be believed
    #[arg(long, value_name = "D")]
    since: Date,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    reason: Label,
}

/// Void serials that were never put on a good part
#[derive(clap::Args)]
struct VoidArgs {
    #[command(flatten)]
    bundle: Bundle,
    #[command(flatten)]
    key: KeyArgs,
    /// The serials
    #[arg(long, value_name = "FIRST-LAST", value_parser = serial_range)]
    serials: SerialRange,
    /// Why, for people
    #[arg(long, value_name = "TEXT")]
    reason: Label,
}

/// Sign a bundle as it stands
#[derive(clap::Args)]
struct Sign {
    #[command(flatten)]
    place: Place,
    /// A private key of the authority, in a file or by its PKCS#11 URI; as often as needed
    #[arg(long, value_name = "PEM|URI", required_unless_present = "home")]
    key: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// Show a bundle
#[derive(clap::Args)]
struct Show {
    #[command(flatten)]
    place: Place,
}

impl Place {
    fn file(&self) -> Result<PathBuf> {
        match (&self.trust, &self.home) {
            (Some(file), _) => Ok(file.clone()),
            (None, Some(dir)) => Ok(Home::open(dir)?.trust_file()),
            (None, None) => Err(Error::unusable("which bundle?").hint("say --trust F or --home DIR")),
        }
    }

    /// The private keys that `named` names, and the home's own.
    fn keys(&self, named: &[PathBuf], passphrase: PassphraseArgs, io: &mut Io<'_>) -> Result<Vec<Box<dyn SigningKey>>> {
        let mut secrets = passphrase.secrets();
        let mut keys = Vec::new();
        let home = self.home.as_ref().map(|dir| Home::open(dir)).transpose()?;
        if let Some(home) = home.filter(|home| home.has_key("authority")) {
            keys.push(home.key("authority", &mut secrets.unlock(io))?);
        }
        for name in named {
            let uri = name.to_str().filter(|text| text.starts_with("pkcs11:"));
            keys.push(match uri.map(str::parse).transpose()? {
                Some(uri) => Box::new(Pkcs11Key::open(uri, Missing::Refuse, &mut secrets.unlock(io))?),
                None => Box::new(SecretKey::read(name, || secrets.ask(io))?) as Box<dyn SigningKey>,
            });
        }
        Ok(keys)
    }
}

impl Bundle {
    /// Changes the bundle, signs and writes it.
    fn change(self, io: &mut Io<'_>, change: impl FnOnce(&mut Trust) -> Result<()>) -> Result<()> {
        let path = self.place.file()?;
        let _lock = files::lock_folder(&files::parent(&path));
        let bundle = trust::read(&path)?;
        if bundle.signatures.is_empty() {
            io.say("warning: nobody signed the version that this changes; look at it with `trust show`");
        }
        let bundle = trust::edit(bundle, io.now, change)?;
        self.finish(bundle, &path, io)
    }

    fn finish(self, mut bundle: Signed<Trust>, path: &Path, io: &mut Io<'_>) -> Result<()> {
        let keys = self.place.keys(&self.sign_key, self.passphrase, io)?;
        trust::sign(&mut bundle, &keys)?;
        let path = self.out.as_deref().unwrap_or(path);
        trust::write(path, &bundle)?;
        report(path, &bundle, io);
        Ok(())
    }
}

fn report(path: &Path, bundle: &Signed<Trust>, io: &mut Io<'_>) {
    let Trust { version, authority, makers, .. } = &bundle.signed;
    io.say(format_args!(
        "{}: version {version} of {}, {}",
        path.display(),
        authority.name,
        counted(makers.len(), "maker")
    ));
    let missing = trust::missing(bundle);
    if missing > 0 {
        let (good, needed) = (authority.count(bundle), authority.threshold);
        io.say(format_args!("note: {good} of {needed} signatures; {missing} more with `trust sign --key PEM`"));
    }
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    match args.command {
        Command::Create(args) => create(args, io),
        Command::Add(args) => add(args, io),
        Command::Revoke(Revoke { bundle, key, since, reason }) => bundle.change(io, |trust| {
            let key = key.find(trust)?;
            trust::revoke(trust, Revocation { key, since, reason })
        }),
        Command::Void(VoidArgs { bundle, key, serials, reason }) => bundle.change(io, |trust| {
            let key = key.find(trust)?;
            trust::void(trust, key, serials, reason)
        }),
        Command::Sign(args) => sign(args, io),
        Command::Show(args) => show(&args, io),
    }
}

impl KeyArgs {
    fn find(&self, trust: &Trust) -> Result<KeyBytes> {
        self.key.map_or_else(|| trust::find_key(trust, self.maker.as_deref(), self.line.as_deref()), Ok)
    }
}

fn create(args: Create, io: &mut Io<'_>) -> Result<()> {
    let path = args.bundle.place.file()?;
    let target = args.bundle.out.as_ref().unwrap_or(&path);
    if target.exists() {
        return Err(Error::file(target, "there is a bundle already").hint("`trust add` and `trust revoke` change one"));
    }
    let mut secrets = args.bundle.passphrase.clone().secrets();
    let signers = args.signer.iter().map(|text| signer(text, &mut secrets, io)).collect::<Result<_>>()?;
    let bundle = trust::create(Authority { name: args.authority, threshold: args.threshold, signers }, io.now)?;
    args.bundle.finish(bundle, &path, io)
}

fn signer(text: &str, secrets: &mut Secrets, io: &mut Io<'_>) -> Result<Signer> {
    let (holder, key) =
        text.split_once('=').ok_or_else(|| Error::unusable(format!("--signer {text:?}: no HOLDER=KEY")))?;
    let holder = holder.parse().map_err(|e| Error::unusable(format!("the holder's name {holder:?} {e}")))?;
    let key = match key.parse() {
        Ok(key) => key,
        Err(_) => file::public_key(Path::new(key), || secrets.ask(io))?,
    };
    Ok(Signer { holder, key })
}

fn add(args: Add, io: &mut Io<'_>) -> Result<()> {
    let Add { bundle, from, delegation, closed, ledger, replace_ledger, maker, country, root, valid_from, valid_until } =
        args;
    let maker = maker.zip(country.zip(root)).map(|(name, (country, root))| Maker {
        name,
        country,
        root,
        valid_from,
        valid_until,
        delegations: Vec::new(),
        closed: Vec::new(),
        ledger: None,
    });
    if from.is_none() && delegation.is_empty() && closed.is_empty() && ledger.is_empty() && maker.is_none() {
        return Err(Error::unusable("nothing to add")
            .hint("say --from F, --delegation F, --closed F, --ledger F, or --maker, --country and --root"));
    }
    let other = from.map(|path| Trust::open(&files::read(&path)?).map_err(|e| Error::file(&path, e))).transpose()?;
    let delegations = delegation.iter().map(|path| read_delegation(path)).collect::<Result<Vec<_>>>()?;
    let closed = closed.iter().map(|path| lot::read(path)).collect::<Result<Vec<_>>>()?;
    let ledgers = ledger.iter().map(|path| keeper::read_key(path)).collect::<Result<Vec<_>>>()?;
    bundle.change(io, |trust| {
        maker.map_or(Ok(()), |maker| trust::add_maker(trust, maker))?;
        other.map_or(Ok(()), |other| trust::merge(trust, other.signed))?;
        delegations.into_iter().try_for_each(|d| trust::add_delegation(trust, d))?;
        closed.into_iter().try_for_each(|close| trust::add_close(trust, close))?;
        ledgers.into_iter().try_for_each(|ledger| trust::add_ledger(trust, ledger, replace_ledger))
    })
}

fn sign(args: Sign, io: &mut Io<'_>) -> Result<()> {
    let path = args.place.file()?;
    let _lock = files::lock_folder(&files::parent(&path));
    let mut bundle = trust::read(&path)?;
    let keys = args.place.keys(&args.key, args.passphrase, io)?;
    trust::sign(&mut bundle, &keys)?;
    trust::write(&path, &bundle)?;
    report(&path, &bundle, io);
    Ok(())
}

fn show(args: &Show, io: &mut Io<'_>) -> Result<()> {
    let path = args.place.file()?;
    let bundle = trust::read(&path)?;
    io.print(described(&bundle))
}

fn described(bundle: &Signed<Trust>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = describe(bundle, &mut out);
    out
}

fn describe(bundle: &Signed<Trust>, out: &mut String) -> std::fmt::Result {
    let trust = &bundle.signed;
    let Authority { name, threshold, signers } = &trust.authority;
    writeln!(out, "bundle of {name}, version {}, made {}, expires {}", trust.version, trust.created, trust.expires)?;
    writeln!(out, "signatures: {} of {threshold} needed", trust.authority.count(bundle))?;
    for Signer { holder, key } in signers {
        let signed = key.check().is_ok_and(|key| bundle.is_signed_by(&key));
        writeln!(out, "  {} {holder}  {key}", if signed { "signed  " } else { "unsigned" })?;
    }
    for maker in &trust.makers {
        let Maker { name, country, root, valid_from, valid_until, delegations, closed, .. } = maker;
        writeln!(out, "maker {name} ({country}), {valid_from} to {valid_until}, root {root}{}", revoked(trust, root))?;
        for delegation in delegations {
            let d = &delegation.signed;
            write!(out, "  {}", delegate::described(d))?;
            writeln!(out, "    key id {}, key {}{}", d.key.id(), d.key, revoked(trust, &d.key))?;
        }
        for close in closed {
            writeln!(out, "  {}", super::lot::described(&close.signed))?;
        }
        if let Some(ledger) = maker.own_ledger() {
            writeln!(out, "  ledger {}, key {}", ledger.origin, ledger.key)?;
        }
    }
    for void in &trust.voids {
        writeln!(out, "void: serials {} of key id {}: {}", void.serials, void.key.id(), void.reason)?;
    }
    Ok(())
}

fn revoked(trust: &Trust, key: &KeyBytes) -> String {
    trust.revocation(key).map_or_else(String::new, |r| format!(", REVOKED since {}: {}", r.since, r.reason))
}

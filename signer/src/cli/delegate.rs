//! `touchmark-sign delegate`.

use super::Io;
use super::mark::serial;
use super::secrets::{PassphraseArgs, Secrets, exportable};
use crate::delegate::{self, Limits};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::{Home, read_delegation, slug};
use crate::keys::pkcs11::Uri;
use crate::keys::{SecretKey, SigningKey};
use crate::{init, trust};
use jiff::Timestamp;
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Delegation, Lot, Request, SerialRange};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;
use touchmark_formats::trust::Trust;

/// Let a line mark for a maker, within limits: the line requests, the maker grants, the line accepts
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Request(Box<RequestArgs>),
    Grant(Box<Grant>),
    Accept(Accept),
}

/// At the line: make a key, and a request for the maker to grant
#[derive(clap::Args)]
struct RequestArgs {
    /// The line's home; made if it is not there
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// The line's name
    #[arg(long, value_name = "NAME")]
    line: Label,
    /// The maker's root key, base64, or a trust bundle with this one maker in it
    #[arg(long, value_name = "KEY|F")]
    maker_root: String,
    /// Write the request here too; `-` for standard output
    #[arg(long, value_name = "F")]
    out: Option<PathBuf>,
    /// Keep the key in a hardware security module: the PKCS#11 URI of the key (RFC 7512), which is made if it is not
    /// there
    #[arg(long, value_name = "URI", conflicts_with_all = ["no_passphrase", "passphrase_file"])]
    pkcs11: Option<Uri>,
    /// Leave the line's key unencrypted: whoever copies it can sign as this line
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// At the maker: allow a line to mark, within limits
#[derive(clap::Args)]
struct Grant {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    limits: LimitArgs,
    /// Write the delegation here too, for the line; `-` for standard output
    #[arg(long, value_name = "F")]
    out: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// One of these.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// A line's request
    #[arg(long, value_name = "F")]
    request: Option<PathBuf>,
    /// A new line in the maker's own home
    #[arg(long, value_name = "NAME")]
    new_line: Option<Label>,
    /// A line in the maker's own home, with its key, under other limits
    #[arg(long, value_name = "NAME")]
    line: Option<Label>,
}

#[derive(clap::Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// A part that the line may mark; its marks are shorter for it. As often as needed
    #[arg(long, value_name = "P")]
    part: Vec<Label>,
    /// A file of such parts, one a line
    #[arg(long, value_name = "F")]
    parts_file: Option<PathBuf>,
    /// Parts outside the list too [default: only if there is no list]
    #[arg(long)]
    other_parts: bool,
    /// A lot and its serials; its marks are shorter for it. As often as needed
    #[arg(long, value_name = "L:FIRST-LAST", value_parser = lot)]
    lot: Vec<Lot>,
    /// Lots outside the list too [default: only if there is no list]
    #[arg(long)]
    other_lots: bool,
    /// The serials: the quantity of the order [default: those of the lots, or all]
    #[arg(long, value_name = "FIRST-LAST", value_parser = serial_range)]
    serials: Option<SerialRange>,
    /// First date that a mark may carry [default: today]
    #[arg(long, value_name = "D")]
    from: Option<Date>,
    /// Last date that a mark may carry [default: in a year]
    #[arg(long, value_name = "D")]
    until: Option<Date>,
    /// The number of the site where the line stands
    #[arg(long, value_name = "N", default_value_t = 1)]
    site: u16,
    /// Bytes of the sealed consignee, 3 to 8
    #[arg(long, value_name = "N", default_value_t = delegate::CAPSULE_BYTES, value_parser = clap::value_parser!(u8).range(3..=8))]
    capsule_bytes: u8,
}

/// At the line: take in what the maker granted
#[derive(clap::Args)]
struct Accept {
    /// The line's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// The delegation
    #[arg(long, value_name = "F")]
    delegation: PathBuf,
    /// A trust bundle with the maker in it
    #[arg(long, value_name = "F")]
    trust: PathBuf,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    match args.command {
        Command::Request(args) => request(*args, io),
        Command::Grant(args) => grant(*args, io),
        Command::Accept(args) => accept(&args, io),
    }
}

fn request(args: RequestArgs, io: &mut Io<'_>) -> Result<()> {
    let slug = slug(args.line.as_str())?;
    let maker = maker_root(&args.maker_root)?;
    let home = Home::at(&args.home);
    if home.delegation_file(&slug).exists() {
        return Err(Error::file(&home.delegation_file(&slug), "this line has its delegation already"));
    }
    for folder in ["keys", "lines"] {
        init::private_folder(&home.dir().join(folder))?;
    }
    let mut secrets = args.passphrase.secrets();
    // A request that was interrupted, or lost, is made again with the same key.
    let key: Box<dyn SigningKey> = match args.pkcs11 {
        Some(uri) => {
            let key = home.set_token_key(&slug, uri, &mut secrets.unlock(io))?;
            if key.is_exportable()? {
                io.say(exportable(&key.uri().key_name()));
            }
            Box::new(key)
        }
        None if home.has_key(&slug) => home.key(&slug, &mut secrets.unlock(io))?,
        None => {
            let passphrase = if args.no_passphrase { None } else { Some(secrets.choose(io)?) };
            let key = SecretKey::generate()?;
            key.write(&home.key_file(&slug), passphrase.as_ref())?;
            Box::new(key)
        }
    };
    let request = delegate::request(&*key, args.line, maker)?;
    files::write(&home.request_file(&slug), request.to_json().as_bytes(), Access::Ordinary)?;
    copy_out(args.out.as_ref(), &request.to_json(), io)?;
    io.say(format_args!("{}: to be granted by the maker", home.request_file(&slug).display()));
    Ok(())
}

fn maker_root(text: &str) -> Result<KeyBytes> {
    if let Ok(key) = text.parse::<KeyBytes>() {
        return key.check().map(|_| key).map_err(|e| Error::unusable(format!("the maker's root key: {e}")));
    }
    let path = PathBuf::from(text);
    let bundle = Trust::open(&files::read(&path)?).map_err(|e| Error::file(&path, e))?;
    match bundle.signed.makers.as_slice() {
        [maker] => Ok(maker.root),
        makers => Err(Error::file(&path, format_args!("there are {} makers in it, not one", makers.len()))
            .hint("give the maker's root key itself; `trust show` says it")),
    }
}

fn grant(args: Grant, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let limits = args.limits.limits(io.now)?;
    let mut secrets = args.passphrase.secrets();
    let root = home.root_key(&mut secrets.unlock(io))?;
    let (request, new_key) = args.whom.request(&home, root.public(), &mut secrets, io)?;
    let delegation = delegate::grant(&*root, &request, limits)?;
    let slug = slug(delegation.signed.line.as_str())?;
    let file = home.delegation_file(&slug);
    if file.exists() && read_delegation(&file)?.signed.key != delegation.signed.key {
        return Err(Error::file(&file, "another line of that name is delegated to already")
            .hint("the line must ask under another name"));
    }
    if let Some(key) = new_key {
        let passphrase = if home.is_encrypted()? { Some(secrets.ask(io)?) } else { None };
        key.write(&home.key_file(&slug), passphrase.as_ref())?;
    }
    files::write(&file, delegation.to_json().as_bytes(), Access::Ordinary)?;
    copy_out(args.out.as_ref(), &delegation.to_json(), io)?;
    io.say(format_args!("{}: {}", file.display(), described(&delegation.signed).trim_end()));
    if trust::add_to_home(&home, delegation, io.now, &mut secrets.unlock(io))? {
        io.say(format_args!("{}: the line is in it, under a new version", home.trust_file().display()));
    } else {
        io.say("note: the authority's key is not here; let it add the delegation to its bundle with `trust add`");
    }
    Ok(())
}

impl Whom {
    /// The request to be granted, and the key that is yet to be written for a new line.
    fn request(
        self,
        home: &Home,
        root: KeyBytes,
        secrets: &mut Secrets,
        io: &mut Io<'_>,
    ) -> Result<(Signed<Request>, Option<SecretKey>)> {
        if let Some(path) = self.request {
            let request = Signed::from_json(&files::read(&path)?).map_err(|e| Error::file(&path, e))?;
            return Ok((request, None));
        }
        if let Some(line) = self.line {
            let own = home.line(Some(line.as_str()))?;
            let key = home.key(&own.slug, &mut secrets.unlock(io))?;
            return Ok((delegate::request(&*key, line, root)?, None));
        }
        let line = self.new_line.ok_or_else(|| Error::unusable("for which line?"))?;
        let slug = slug(line.as_str())?;
        if home.has_key(&slug) {
            let known = Error::file(&home.delegation_file(&slug), "there is a line of that name already");
            return Err(known.hint("--line NAME grants it other limits"));
        }
        let key = SecretKey::generate()?;
        Ok((delegate::request(&key, line, root)?, Some(key)))
    }
}

fn accept(args: &Accept, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let delegation = read_delegation(&args.delegation)?;
    let Delegation { line, key, maker, .. } = &delegation.signed;
    let slug = slug(line.as_str())?;
    let request = home.request_file(&slug);
    let known = if request.exists() {
        let asked = Signed::<Request>::from_json(&files::read(&request)?).map_err(|e| Error::file(&request, e))?;
        asked.signed.key == *key && asked.signed.maker == *maker
    } else {
        // A line that marks already takes in further limits for the same key.
        read_delegation(&home.delegation_file(&slug)).is_ok_and(|old| old.signed.key == *key)
    };
    if !known {
        return Err(Error::refused(format!("{}: not for a key of this home", args.delegation.display()))
            .hint("`delegate request` makes the request that the maker grants"));
    }
    let json = files::read(&args.trust)?;
    let bundle = Trust::open(&json).map_err(|e| Error::file(&args.trust, e))?;
    if !bundle.signed.makers.iter().any(|m| m.root == *maker) {
        return Err(Error::file(&args.trust, format_args!("the maker with the root key {maker} is not in it")));
    }
    files::write(&home.trust_file(), &json, Access::Ordinary)?;
    files::write(&home.delegation_file(&slug), delegation.to_json().as_bytes(), Access::Ordinary)?;
    let _ = std::fs::remove_file(&request);
    io.say(described(&delegation.signed).trim_end());
    Ok(())
}

fn copy_out(out: Option<&PathBuf>, text: &str, io: &mut Io<'_>) -> Result<()> {
    match out {
        None => Ok(()),
        Some(path) if path.as_os_str() == "-" => io.print(text),
        Some(path) => files::write(path, text.as_bytes(), Access::Ordinary),
    }
}

impl LimitArgs {
    fn limits(&self, now: Timestamp) -> Result<Limits> {
        let mut parts = self.part.clone();
        if let Some(path) = &self.parts_file {
            let text = String::from_utf8(files::read(path)?).map_err(|_| Error::file(path, "not UTF-8"))?;
            let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
            let label = |(n, line): (usize, &str)| {
                let wrong = |e| Error::unusable(format!("{}, line {}: a part {e}", path.display(), n + 1));
                line.trim().parse::<Label>().map_err(wrong)
            };
            parts.extend(lines.map(label).collect::<Result<Vec<_>>>()?);
        }
        let mut lots = self.lot.clone();
        lots.sort_by_key(|lot| lot.serials.first);
        let own = lots.first().zip(lots.last()).filter(|_| !self.other_lots);
        let own = own.map(|(a, b)| SerialRange { first: a.serials.first, last: b.serials.last });
        let today = init::today(now)?;
        Ok(Limits {
            site: self.site,
            not_before: self.from.unwrap_or(today),
            not_after: self.until.unwrap_or_else(|| Date::from_days(today.days().saturating_add(365))),
            serials: self.serials.or(own).unwrap_or(SerialRange::ALL),
            other_parts: self.other_parts || parts.is_empty(),
            parts,
            other_lots: self.other_lots || lots.is_empty(),
            lots,
            capsule_bytes: self.capsule_bytes,
        })
    }
}

/// A delegation for people: one line.
pub(super) fn described(d: &Delegation) -> String {
    let listed = |count: usize, what: &str, other: bool| match (count, other) {
        (0, _) => format!("any {what}"),
        (n, true) => format!("{n} {what}s and any other"),
        (1, false) => format!("1 {what}"),
        (n, false) => format!("{n} {what}s"),
    };
    let (parts, lots) = (listed(d.parts.len(), "part", d.other_parts), listed(d.lots.len(), "lot", d.other_lots));
    let serials =
        if d.serials == SerialRange::ALL { "any serial".to_owned() } else { format!("serials {}", d.serials) };
    let dates = format!("dated {} to {}", d.not_before, d.not_after);
    format!("line {:?}, site {}: {parts}, {lots}, {serials}, {dates}\n", d.line.as_str(), d.site)
}

/// Serials as `FIRST-LAST`.
pub(super) fn serial_range(text: &str) -> std::result::Result<SerialRange, String> {
    let (first, last) = text.split_once('-').ok_or_else(|| "a range is FIRST-LAST, as in 1-5000".to_owned())?;
    let range = SerialRange { first: serial(first)?, last: serial(last)? };
    if range.count() > 0 { Ok(range) } else { Err("the range ends before it begins".to_owned()) }
}

fn lot(text: &str) -> std::result::Result<Lot, String> {
    let (lot, serials) =
        text.rsplit_once(':').ok_or_else(|| "a lot is L:FIRST-LAST, as in A2B347K:1-5000".to_owned())?;
    let lot = lot.parse().map_err(|e| format!("the lot {lot:?} {e}"))?;
    Ok(Lot { lot, serials: serial_range(serials)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_lots_are_read_exactly_or_refused() {
        let range = serial_range("1-5000").unwrap();
        assert_eq!((range.first.get(), range.last.get()), (1, 5000));
        assert_eq!(lot("A:B:7-7").unwrap().lot.as_str(), "A:B");
        for text in ["", "1", "5-1", "1-", "a-b", "1-9007199254740992"] {
            assert!(serial_range(text).is_err(), "{text:?}");
        }
        for text in ["A", ":1-2", "A:1"] {
            assert!(lot(text).is_err(), "{text:?}");
        }
    }
}

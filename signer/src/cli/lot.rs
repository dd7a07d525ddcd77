//! `touchmark-sign lot`.

use super::Io;
use super::delegate::serial_range;
use super::secrets::PassphraseArgs;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::lot::{self, Closing};
use crate::trust;
use std::path::PathBuf;
use touchmark_formats::close::{LotClose, Scrapped};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::Serial;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;

/// Close lots: the line says which serials it used, the maker accepts, and the rest verifies as out of scope
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Close(Close),
    Accept(Accept),
}

/// At the line: account for every serial of a lot or a range, none of which is issued any more
///
/// In the maker's own home the account is accepted at once.
#[derive(clap::Args)]
struct Close {
    /// The home of the line
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Which line, where the home has several
    #[arg(long, value_name = "NAME")]
    line: Option<String>,
    /// The lot [default: all serials of the delegation]
    #[arg(long, value_name = "L")]
    lot: Option<Label>,
    /// Its serials, where the delegation does not say them
    #[arg(long, value_name = "FIRST-LAST", value_parser = serial_range)]
    serials: Option<SerialRange>,
    /// Serials that are on no good part, and why; as often as needed
    #[arg(long, value_name = "FIRST-LAST=WHY", value_parser = scrapped)]
    void: Vec<Scrapped>,
    /// Write the record here, for the maker; `-` for standard output
    #[arg(long, value_name = "F")]
    out: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// At the maker: accept a line's account; it counts once it is in a trust bundle
#[derive(clap::Args)]
struct Accept {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// The line's record
    #[arg(long, value_name = "F")]
    closed: PathBuf,
    /// Refuse unless so many serials were used: the parts that were delivered
    #[arg(long, value_name = "N")]
    delivered: Option<u64>,
    /// Write the record with the maker's signature here; `-` for standard output
    #[arg(long, value_name = "F")]
    out: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    match args.command {
        Command::Close(args) => close(args, io),
        Command::Accept(args) => accept(args, io),
    }
}

fn close(args: Close, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let line = home.line(args.line.as_deref())?;
    let delegation = &line.delegation.signed;
    let mut closing = match args.serials {
        Some(serials) => Closing { lot: args.lot, serials, void: Vec::new() },
        None => Closing::of_lot(delegation, args.lot)?,
    };
    closing.void = with_recorded(args.void, home.store(false)?.voids(&delegation.key, closing.serials)?);
    let mut secrets = args.passphrase.secrets();
    let key = home.key(&line.slug, &mut secrets.unlock(io))?;
    let mut record = home.close_serials(&line, closing.serials, |issued| {
        lot::close(&*key, delegation, closing.clone(), issued, io.now)
    })?;
    if home.has_key("root") {
        lot::accept(&*home.root_key(&mut secrets.unlock(io))?, &mut record)?;
        publish(&home, &record, &mut secrets, io)?;
    }
    write(Some(&args.out), &record, io)?;
    io.say(described(&record.signed));
    Ok(())
}

/// Adds the serials that the line has on record as void to those named here, which have the word.
fn with_recorded(mut void: Vec<Scrapped>, recorded: Vec<(u64, String)>) -> Vec<Scrapped> {
    let named = |serial: Serial| void.iter().any(|own| own.serials.contains(serial));
    let mut more: Vec<Scrapped> = Vec::new();
    for (serial, reason) in recorded {
        let Some(serial) = Serial::new(serial).filter(|serial| !named(*serial)) else { continue };
        let Ok(reason) = reason.parse::<Label>().or_else(|_| "void".parse()) else { continue };
        match more.last_mut() {
            Some(last) if last.serials.last.get() + 1 == serial.get() && last.reason == reason => {
                last.serials.last = serial
            }
            _ => more.push(Scrapped { serials: SerialRange { first: serial, last: serial }, reason }),
        }
    }
    void.extend(more);
    void
}

fn accept(args: Accept, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let mut record = lot::read(&args.closed)?;
    let (used, ..) = record.signed.counts();
    if let Some(delivered) = args.delivered.filter(|delivered| *delivered != used) {
        return Err(Error::refused(format!("the line says that {used} serials are on parts, not {delivered}"))
            .hint("ask the line; a serial on a part that nobody delivered is a part that somebody has"));
    }
    let mut secrets = args.passphrase.secrets();
    let root = home.root_key(&mut secrets.unlock(io))?;
    lot::accept(&*root, &mut record).map_err(|e| Error { message: format!("{}: {e}", args.closed.display()), ..e })?;
    write(args.out.as_ref(), &record, io)?;
    io.say(described(&record.signed));
    publish(&home, &record, &mut secrets, io)
}

/// Puts the record into the home's own bundle, if its authority's key is here.
fn publish(
    home: &Home,
    record: &Signed<LotClose>,
    secrets: &mut super::secrets::Secrets,
    io: &mut Io<'_>,
) -> Result<()> {
    let now = io.now;
    if trust::change_home(home, now, &mut secrets.unlock(io), |bundle| trust::add_close(bundle, record.clone()))? {
        io.say(format_args!("{}: the closed serials are in it, under a new version", home.trust_file().display()));
    } else {
        io.say("note: the authority's key is not here; let it add the record to its bundle with `trust add --closed`");
    }
    Ok(())
}

fn write(out: Option<&PathBuf>, record: &Signed<LotClose>, io: &mut Io<'_>) -> Result<()> {
    match out {
        None => Ok(()),
        Some(path) if path.as_os_str() == "-" => io.print(record.to_json()),
        Some(path) => files::write(path, record.to_json().as_bytes(), Access::Ordinary),
    }
}

/// A closed lot for people: one line.
pub(super) fn described(close: &LotClose) -> String {
    let (used, void, unused) = close.counts();
    let lot = close.lot.as_ref().map_or_else(String::new, |lot| format!("lot {lot}, "));
    format!(
        "closed {}: {lot}serials {} of key id {}: {used} used, {void} void, {unused} unused",
        close.closed,
        close.serials,
        close.key.id()
    )
}

fn scrapped(text: &str) -> std::result::Result<Scrapped, String> {
    let (serials, reason) = text.split_once('=').ok_or("a void range is FIRST-LAST=WHY, as in 17-19=bent")?;
    let serials =
        if serials.contains('-') { serial_range(serials) } else { serial_range(&format!("{serials}-{serials}")) };
    Ok(Scrapped { serials: serials?, reason: reason.parse().map_err(|e| format!("the reason {reason:?} {e}"))? })
}

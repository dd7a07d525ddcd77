//! `touchmark-sign lot`.

use super::Io;
use super::delegate::serial_range;
use super::secrets::PassphraseArgs;
use crate::commission::{self, Run};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::ledger::{Happened, Keeper, New, keeper};
use crate::line::store::Which;
use crate::lot::{self, Closing};
use crate::trust;
use jiff::tz::TimeZone;
use std::path::PathBuf;
use touchmark_formats::close::{LotClose, Scrapped};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
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
/// In the maker's own home the account is accepted at once; and where that has a ledger, the used serials that are not on
/// record there go on record as made, and the void ones that are as destroyed.
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
    /// The day on which the used serials were made: those that are not in the home's ledger go on record there
    #[arg(long, value_name = "D")]
    made_on: Option<Date>,
    /// Their part number, where the delegation does not say the only one
    #[arg(long, value_name = "P", requires = "made_on")]
    part: Option<Label>,
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
    let mut keeper = ledger_of(&home)?;
    if let Some(keeper) = &mut keeper {
        commission::require_unshipped(&mut keeper.ledger, delegation.key, &closing.void)?;
    }
    let mut secrets = args.passphrase.secrets();
    let key = home.key(&line.slug, &mut secrets.unlock(io))?;
    let mut record = home.close_serials(&line, closing.serials, &closing.void, io.now, |issued| {
        lot::close(&*key, delegation, closing.clone(), issued, io.now)
    })?;
    if home.has_key("root") {
        lot::accept(&*home.root_key(&mut secrets.unlock(io))?, &mut record)?;
        publish(&home, &record, &mut secrets, io)?;
    }
    write(Some(&args.out), &record, io)?;
    io.say(described(&record.signed));
    match keeper {
        Some(keeper) => on_record(&home, keeper, &record.signed, None, &mut secrets, io),
        None => Ok(()),
    }
}

/// The ledger of a home that has one.
fn ledger_of(home: &Home) -> Result<Option<Keeper>> {
    keeper::document_file(home).exists().then(|| Keeper::open(home)).transpose()
}

/// Puts what a closed lot used on record in the ledger, as far as it is not; and that what is void is no more. `abroad` is the
/// part and the day of what was not marked in this home.
fn on_record(
    home: &Home,
    mut keeper: Keeper,
    closed: &LotClose,
    abroad: Option<(Label, Date)>,
    secrets: &mut super::secrets::Secrets,
    io: &mut Io<'_>,
) -> Result<()> {
    let (line, SerialRange { first, last }) = (closed.key, closed.serials);
    let marked = commission::runs(home, line, Which::Range(first.get(), last.get()))?;
    let mut used = commission::within(&marked, &closed.used);
    let here: Vec<SerialRange> = used.iter().map(|run| run.serials).collect();
    let elsewhere = lot::minus(&closed.used, &here);
    let date =
        Date::try_from(TimeZone::UTC.to_datetime(closed.closed).date()).map_err(|e| Error::unusable(e.to_string()))?;
    if let Some((part, date)) = abroad {
        let run = |serials| Run { serials, part: part.clone(), lot: closed.lot.clone(), date, sealed: false };
        used.extend(elsewhere.into_iter().map(run));
    } else if let Some(serials) = elsewhere.first() {
        io.say(format_args!(
            "note: serials from {} on were not marked in this home; name their day with `lot accept --made-on`, or put them into the \
             ledger with `ledger commission --serials`",
            serials.first
        ));
    }
    let year_key = &mut |year| home.year_key(year, &mut secrets.unlock(io));
    let done = keeper.ledger.together(|ledger| {
        let due = commission::due(ledger.ledger(), line, used)?;
        let made = commission::made(home, line, due, year_key)?;
        let gone = commission::scrapped(ledger.ledger(), line, &closed.void, date)?;
        let count = |events: &[Happened]| events.iter().map(|event| event.serials.count()).sum::<u64>();
        let counts = (count(&made), count(&gone));
        ledger.append(&made.into_iter().chain(gone).map(New::Event).collect::<Vec<_>>())?;
        Ok(counts)
    });
    let (made, gone) =
        done.map_err(|e| Error { message: format!("the lot is closed, and the ledger lacks it: {e}"), ..e })?;
    io.say(format_args!("{}: {made} more made, {gone} destroyed", keeper.ledger.name()));
    Ok(())
}

/// The only part that the line with this key may mark, as its delegation in this home says.
fn only_part(home: &Home, line: KeyBytes) -> Result<Option<Label>> {
    let delegations = home.lines()?.into_iter().map(|line| line.delegation.signed).filter(|own| own.key == line);
    let mut parts = delegations.map(|own| match own.parts.as_slice() {
        [only] if !own.other_parts => Some(only.clone()),
        _ => None,
    });
    Ok(parts.next().flatten())
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
    let mut keeper = ledger_of(&home)?;
    let abroad = match (args.made_on, args.part) {
        (None, _) => None,
        (Some(date), part) => {
            let part = part.map_or_else(|| only_part(&home, record.signed.key), |part| Ok(Some(part)))?;
            let part = part.ok_or_else(|| {
                Error::unusable("the delegation of the line does not say which part it is").hint("name it with --part")
            })?;
            Some((part, date))
        }
    };
    if keeper.is_none() && abroad.is_some() {
        return Err(
            Error::file(home.dir(), "--made-on: this home has no ledger").hint("`touchmark-sign ledger init` makes it")
        );
    }
    if let Some(keeper) = &mut keeper {
        commission::require_unshipped(&mut keeper.ledger, record.signed.key, &record.signed.void)?;
    }
    let mut secrets = args.passphrase.secrets();
    let root = home.root_key(&mut secrets.unlock(io))?;
    lot::accept(&*root, &mut record).map_err(|e| Error { message: format!("{}: {e}", args.closed.display()), ..e })?;
    write(args.out.as_ref(), &record, io)?;
    io.say(described(&record.signed));
    publish(&home, &record, &mut secrets, io)?;
    match keeper {
        Some(keeper) => on_record(&home, keeper, &record.signed, abroad, &mut secrets, io),
        None => Ok(()),
    }
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

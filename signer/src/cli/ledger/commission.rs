//! `touchmark-sign ledger commission`.

use super::Io;
use crate::cli::delegate::serial_range;
use crate::cli::secrets::PassphraseArgs;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::journal;
use crate::ledger::{Happened, Keeper, New};
use crate::line::store::Which;
use std::collections::BTreeMap;
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::keys::item_keys_root;
use touchmark_formats::ledger::merkle::Hash;
use touchmark_formats::ledger::record::What;
use touchmark_formats::mark::Serial;
use touchmark_formats::text::Label;

/// Put on record which parts of a lot were made: before they ship
///
/// What was marked in this home is taken from its serials; the keys that open its consignees are committed to, so that
/// none can be chosen afterwards. What another line marked is named by --serials, --part and --date.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Which line, where the home has several
    #[arg(long, value_name = "NAME")]
    line: Option<String>,
    /// The lot
    #[arg(long, value_name = "L", required_unless_present = "serials")]
    lot: Option<Label>,
    /// Serials that were marked elsewhere
    #[arg(long, value_name = "FIRST-LAST", value_parser = serial_range, requires = "part", requires = "date")]
    serials: Option<SerialRange>,
    /// Their part number
    #[arg(long, value_name = "P")]
    part: Option<Label>,
    /// Their day of production
    #[arg(long, value_name = "D")]
    date: Option<Date>,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let mut keeper = Keeper::open(&home)?;
    let line = home.line_public(args.line.as_deref())?;
    let new = match (&args.serials, &args.part, args.date, &args.lot) {
        (Some(serials), Some(part), Some(date), lot) => {
            let what = What::Commissioned { part: part.clone(), lot: lot.clone(), keys: None };
            vec![Happened { line, serials: *serials, date, what }]
        }
        (_, _, _, Some(lot)) => {
            let runs = runs(&home, line, lot)?;
            let mut secrets = args.passphrase.secrets();
            let mut years = BTreeMap::new();
            let mut new = Vec::new();
            for run in runs {
                let keys = keys(&home, line, &run, lot, &mut years, &mut secrets, io)?;
                let what = What::Commissioned { part: run.part, lot: Some(lot.clone()), keys };
                new.push(Happened { line, serials: run.serials, date: run.date, what });
            }
            new
        }
        _ => {
            return Err(Error::unusable("nothing to commission").hint("say --lot, or --serials with --part and --date"));
        }
    };
    let said: Vec<String> =
        new.iter().map(|h| format!("serials {} commissioned, made on {}", h.serials, h.date)).collect();
    let numbers = keeper.ledger.append(&new.into_iter().map(New::Event).collect::<Vec<_>>())?;
    for (number, said) in numbers.zip(said) {
        io.say(format_args!("record {number}: {said}"));
    }
    Ok(())
}

/// Serials issued one after the other with one content.
struct Run {
    serials: SerialRange,
    part: Label,
    date: Date,
    sealed: bool,
}

fn runs(home: &Home, line: KeyBytes, lot: &Label) -> Result<Vec<Run>> {
    let mut runs: Vec<Run> = Vec::new();
    let records = journal::records(&mut home.store(false)?, Which::Lot(lot))?;
    for record in records.into_iter().filter(|record| record.key == line) {
        let ends = Serial::new(record.first).zip(Serial::new(record.last));
        let Some((first, last)) = ends else { continue };
        let sealed = record.mark.capsule.is_some();
        match runs.last_mut() {
            Some(run)
                if run.serials.last.get() + 1 == record.first
                    && (&run.part, run.date, run.sealed) == (&record.part, record.date, sealed) =>
            {
                run.serials.last = last;
            }
            _ => runs.push(Run { serials: SerialRange { first, last }, part: record.part, date: record.date, sealed }),
        }
    }
    if runs.is_empty() {
        return Err(Error::unusable(format!("no mark of lot {lot} by this line is on record in this home"))
            .hint("if it was marked elsewhere, name its --serials, --part and --date"));
    }
    Ok(runs)
}

/// The commitment to the keys of a run, if its marks have a consignee sealed in them.
fn keys(
    home: &Home,
    line: KeyBytes,
    run: &Run,
    lot: &Label,
    years: &mut BTreeMap<i16, touchmark_formats::capsule::YearKey>,
    secrets: &mut crate::cli::secrets::Secrets,
    io: &mut Io<'_>,
) -> Result<Option<Hash>> {
    if !run.sealed {
        return Ok(None);
    }
    let year = run.date.year();
    if !years.contains_key(&year)
        && let Some(key) = home.year_key(year, &mut secrets.unlock(io))?
    {
        years.insert(year, key);
    }
    let Some(year) = years.get(&year) else {
        return Err(Error::file(home.dir(), format_args!("the disclosure key of {year} is not here"))
            .hint("without it the keys of these marks cannot be committed to before they ship"));
    };
    Ok(Some(item_keys_root(&year.day(run.date).lot(Some(lot)), line.id(), run.serials)))
}

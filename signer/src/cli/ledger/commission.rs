//! `touchmark-sign ledger commission`.

use super::Io;
use crate::cli::delegate::serial_range;
use crate::cli::of_line::LineArgs;
use crate::cli::secrets::PassphraseArgs;
use crate::commission;
use crate::error::{Error, Result};
use crate::ledger::{Happened, Keeper, New};
use crate::line::store::Which;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::ledger::record::What;
use touchmark_formats::text::Label;

/// Put on record which parts of a lot were made: before they ship
///
/// What was marked in this home, and is not on record yet, is taken from its serials; the keys that open its consignees are committed to, so that
/// none can be chosen afterwards. What another line marked is named by --serials, --part and --date.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: LineArgs,
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
    let home = args.of.home()?;
    let mut keeper = Keeper::open(&home)?;
    let line = home.line_public(args.of.line())?;
    let new = match (&args.serials, &args.part, args.date, &args.lot) {
        (Some(serials), Some(part), Some(date), lot) => {
            let what = What::Commissioned { part: part.clone(), lot: lot.clone(), keys: None };
            vec![Happened { line, serials: *serials, date, what }]
        }
        (_, _, _, Some(lot)) => {
            let runs = commission::runs(&home, line, Which::Lot(lot))?;
            if runs.is_empty() {
                return Err(Error::unusable(format!("no mark of lot {lot} by this line is on record in this home"))
                    .hint("if it was marked elsewhere, name its --serials, --part and --date"));
            }
            let due = commission::due(&mut keeper.ledger, line, runs)?;
            if due.is_empty() {
                io.say(format_args!("all marks of lot {lot} are on record as made"));
                return Ok(());
            }
            let mut secrets = args.passphrase.secrets();
            commission::made(&home, line, due, &mut |year| home.year_key(year, &mut secrets.unlock(io)))?
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

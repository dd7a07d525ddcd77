//! `touchmark-sign ship`.

use super::Io;
use super::delegate::serial_range;
use crate::consignees;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::init::today;
use crate::ledger::{Happened, Keeper, Ledger, New};
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::ledger::record::What;
use touchmark_formats::text::Label;

/// Put on record that parts went to a customer, or what became of them otherwise
///
/// The parts must be on record as made (`ledger commission`) and not with somebody else. The customer is a number of
/// consignees.csv; what stands there of it goes on record with the first shipment, and anew when it changes.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Which line made them, where the home has several
    #[arg(long, value_name = "NAME")]
    line: Option<String>,
    /// Serials, as on a reel's container mark; as often as needed
    #[arg(long, value_name = "FIRST-LAST", value_parser = serial_range, required = true)]
    serials: Vec<SerialRange>,
    #[command(flatten)]
    what: WhatArgs,
    /// The party at whose door they go, where it is another: its number
    #[arg(long, value_name = "N", requires = "to")]
    ship_to: Option<u64>,
    /// The delivery note, or what else says so
    #[arg(long, value_name = "TEXT")]
    document: Option<Label>,
    /// The day [default: today]
    #[arg(long, value_name = "D")]
    date: Option<Date>,
}

/// One of these.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct WhatArgs {
    /// They go to this customer: its number
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    /// They came back
    #[arg(long)]
    returned: bool,
    /// They are no more
    #[arg(long)]
    destroyed: bool,
    /// The last record of them is wrong, for this reason: what was before it counts again
    #[arg(long, value_name = "WHY")]
    corrected: Option<Label>,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let mut keeper = Keeper::open(&home)?;
    let line = super::ledger::line_key(&home, args.line.as_deref())?;
    let date = args.date.map_or_else(|| today(io.now), Ok)?;
    let mut new = Vec::new();
    let document = args.document;
    let what = match args.what {
        WhatArgs { to: Some(to), .. } => {
            let customers = consignees::parties(&home.consignees_file())?;
            let mut party = |number: u64| -> Result<u64> {
                let party = customers.get(&number).ok_or_else(|| {
                    let what = format!("{}: no customer has number {number}", home.consignees_file().display());
                    Error::unusable(what).hint("add a row for it")
                })?;
                party_record(&mut keeper.ledger, number, party, &mut new)
            };
            let (to, ship_to) = (party(to)?, args.ship_to.map(&mut party).transpose()?);
            What::Shipped { to, ship_to, document }
        }
        WhatArgs { returned: true, .. } => What::Returned { document },
        WhatArgs { corrected: Some(reason), .. } => What::Corrected { reason },
        _ => What::Destroyed { document },
    };
    let word = what.name();
    let events = args.serials.iter().map(|serials| Happened { line, serials: *serials, date, what: what.clone() });
    new.extend(events.map(New::Event));
    let numbers = keeper.ledger.append(&new)?;
    for (serials, number) in args.serials.iter().rev().zip(numbers.rev()).collect::<Vec<_>>().into_iter().rev() {
        io.say(format_args!("record {number}: serials {serials} {word} on {date}"));
    }
    Ok(())
}

/// The number of the record of a customer; if what is known of it is not on record, it will be one of `new`.
pub(super) fn party_record(
    ledger: &mut Ledger,
    number: u64,
    party: &touchmark_formats::ledger::party::Party,
    new: &mut Vec<New>,
) -> Result<u64> {
    if let Some(at) = new.iter().position(|new| matches!(new, New::Party(own) if own == party)) {
        return Ok(ledger.size() + at as u64);
    }
    if let Some(known) = ledger.party(number)?
        && ledger.record(known)? == touchmark_formats::ledger::record::Record::Party(party.clone())
    {
        return Ok(known);
    }
    new.push(New::Party(party.clone()));
    Ok(ledger.size() + new.len() as u64 - 1)
}

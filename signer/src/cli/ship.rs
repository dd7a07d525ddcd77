//! `touchmark-sign ship`.

use super::Io;
use super::delegate::serial_range;
use super::of_line::LineArgs;
use super::pack::scans;
use crate::consignees;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::init::today;
use crate::ledger::{Happened, Keeper, New, Parts, Together};
use crate::pack::{self, Book};
use std::collections::BTreeMap;
use std::path::PathBuf;
use touchmark_formats::container::Sscc;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::What;
use touchmark_formats::text::Label;

/// Put on record that parts went to a customer, or what became of them otherwise
///
/// The parts must be on record as made (`ledger commission`) and not with somebody else. They are named by their serials, by
/// the reels, boxes and pallets that they are in, or by their lots; of a lot goes what is still there. The customer is a number
/// of consignees.csv; what stands there of it goes on record with the first shipment, and anew when it changes.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    of: LineArgs,
    #[command(flatten)]
    parts: PartsArgs,
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

/// At least one of these.
#[derive(clap::Args)]
#[group(required = true, multiple = true)]
struct PartsArgs {
    /// Serials; as often as needed
    #[arg(long, value_name = "FIRST-LAST", value_parser = serial_range)]
    serials: Vec<SerialRange>,
    /// A reel, box or pallet by its SSCC (GS1 AI 00), as `pack` has it on record in this home; as often as needed
    #[arg(long, value_name = "SSCC")]
    container: Vec<Sscc>,
    /// What was scanned on labels and parts, one text form a line; `-` for standard input
    #[arg(long, value_name = "F")]
    from: Option<PathBuf>,
    /// A whole lot, as it was commissioned; as often as needed
    #[arg(long, value_name = "L")]
    lot: Vec<Label>,
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
    let home = args.of.home()?;
    let mut keeper = Keeper::open(&home)?;
    let date = args.date.map_or_else(|| today(io.now), Ok)?;
    let named = named(&args, &home, io)?;
    let line = args.of.line();
    let only = line.map(|name| home.line_public(Some(name))).transpose()?;
    let customers = match args.what.to {
        Some(_) => consignees::parties(&home.consignees_file())?,
        None => BTreeMap::new(),
    };
    let corrects = args.what.corrected.is_some();
    let (records, word) = keeper.ledger.together(|ledger| {
        let what = what(&args, &customers, &home, ledger)?;
        let mut all = named;
        for lot in &args.parts.lot {
            all.extend(ledger.ledger().parts_of_lot(lot, only, corrects)?);
        }
        let mut records = Vec::new();
        for Parts { name, line, serials } in all {
            let mut pieces = Vec::new();
            for serials in serials {
                pieces.extend(ledger.ledger().pieces(&line, serials)?);
            }
            let event = |serials: &SerialRange| Happened { line, serials: *serials, date, what: what.clone() };
            let new: Vec<New> = pieces.iter().map(|serials| New::Event(event(serials))).collect();
            let numbers = ledger.append(&new).map_err(|e| match name.as_str() {
                "" => e,
                name => Error { message: format!("{name}: {e}"), ..e },
            })?;
            records.extend(numbers.zip(pieces));
        }
        Ok((records, what.name()))
    })?;
    for (number, serials) in records {
        io.say(format_args!("record {number}: serials {serials} {word} on {date}"));
    }
    Ok(())
}

/// The parts that were named by serials and containers.
fn named(args: &Args, home: &Home, io: &mut Io<'_>) -> Result<Vec<Parts>> {
    let PartsArgs { serials, container, from, .. } = &args.parts;
    let mut all = Vec::new();
    if !serials.is_empty() {
        let line = home.line_public(args.of.line())?;
        all.extend(serials.iter().map(|serials| Parts { name: String::new(), line, serials: vec![*serials] }));
    }
    if container.is_empty() && from.is_none() {
        return Ok(all);
    }
    let book = Book::lock(&home.packing_file())?;
    for sscc in container {
        all.push(pack::by_name(*sscc, &book)?);
    }
    if let Some(path) = from {
        let lines: Vec<_> = home.lines()?.into_iter().map(|line| line.delegation.signed).collect();
        for (n, text) in scans(path, io)? {
            let parts = pack::by_scan(&text, &lines, &book);
            all.push(parts.map_err(|e| Error { message: format!("{}, line {n}: {e}", path.display()), ..e })?);
        }
    }
    Ok(all)
}

/// What happened to them, with the records of those who got them.
fn what(args: &Args, customers: &BTreeMap<u64, Party>, home: &Home, ledger: &mut Together<'_>) -> Result<What> {
    let mut party = |number: u64| -> Result<u64> {
        let party = customers.get(&number).ok_or_else(|| {
            let what = format!("{}: no customer has number {number}", home.consignees_file().display());
            Error::unusable(what).hint("add a row for it")
        })?;
        ledger.party(party)
    };
    let document = args.document.clone();
    Ok(match &args.what {
        WhatArgs { to: Some(to), .. } => {
            let (to, ship_to) = (party(*to)?, args.ship_to.map(&mut party).transpose()?);
            What::Shipped { to, ship_to, document }
        }
        WhatArgs { returned: true, .. } => What::Returned { document },
        WhatArgs { corrected: Some(reason), .. } => What::Corrected { reason: reason.clone() },
        _ => What::Destroyed { document },
    })
}

//! `touchmark-sign ledger export`.

use super::Io;
use crate::epcis::{self, Exported, Names};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::ledger::Keeper;
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::path::PathBuf;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::{Event, Record, What};
use touchmark_formats::text::Label;

/// Write the events, in the order of the records: as a table (CSV, RFC 4180), or as a GS1 EPCIS 2.0 document (JSON-LD)
///
/// The document says what GS1 has words for in these, and the rest in fields of its own; `ledger import` makes the same
/// events of it again, signed hand-overs too. Parts are named by the GTINs in gtins.csv, customers by the column gln of
/// consignees.csv, where they are there. The table's columns are those that `ledger import` takes, and before them the number of the record and of the one that it
/// follows, after them the name of who received the parts. Hand-overs are in it to be read; the signed files are what can be
/// imported.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t)]
    format: FormatArg,
    /// Only the events among these records
    #[arg(long, value_name = "FIRST-LAST", value_parser = records)]
    records: Option<Range<u64>>,
    /// Where to; `-` for standard output
    #[arg(long, value_name = "F")]
    out: PathBuf,
}

/// A form of the events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// A table
    #[default]
    Csv,
    /// A GS1 EPCIS 2.0 document
    Epcis,
}

fn records(text: &str) -> std::result::Result<Range<u64>, String> {
    let ends = text.split_once('-').and_then(|(first, last)| first.parse().ok().zip(last.parse().ok()));
    ends.filter(|(first, last): &(u64, u64)| first <= last && *last < u64::MAX)
        .map(|(first, last)| first..last + 1)
        .ok_or_else(|| "records are written FIRST-LAST, as 0-999".to_owned())
}

const HEADER: [&str; 13] =
    ["record", "after", "event", "line", "first", "last", "date", "to", "ship-to", "document", "part", "lot", "name"];
/// Records that are read together.
const TOGETHER: u64 = 4096;

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let mut keeper = Keeper::open(&home)?;
    let all = 0..keeper.ledger.size();
    let records = args.records.clone().map_or(all.clone(), |some| some.start.min(all.end)..some.end.min(all.end));
    let (bytes, events) = match args.format {
        FormatArg::Csv => table(&args, &home, &mut keeper, records)?,
        FormatArg::Epcis => {
            let names = Names::of(&home, &keeper.document.signed.origin)?;
            let Exported { json, events } = epcis::export(&mut keeper.ledger, &names, records, io.now)?;
            (json, events)
        }
    };
    match args.out.to_str() {
        Some("-") => io.print(bytes)?,
        _ => files::write(&args.out, &bytes, Access::Private)?,
    }
    io.say(format_args!("{events} events"));
    Ok(())
}

fn table(args: &Args, home: &Home, keeper: &mut Keeper, records: Range<u64>) -> Result<(Vec<u8>, usize)> {
    let lines: BTreeMap<_, _> =
        home.lines()?.into_iter().map(|line| (line.delegation.signed.key, line.delegation.signed.line)).collect();
    let failed = |e: csv::Error| Error::file(&args.out, e);
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(HEADER).map_err(failed)?;
    let (mut parties, mut events): (BTreeMap<u64, Party>, usize) = (BTreeMap::new(), 0);
    for first in records.clone().step_by(TOGETHER as usize) {
        let numbers: Vec<u64> = (first..records.end.min(first + TOGETHER)).collect();
        for (number, bytes) in keeper.ledger.record_bytes(&numbers)? {
            match Record::from_bytes(&bytes) {
                Ok(Record::Event(event)) => {
                    if let What::Shipped { to, ship_to, .. } = &event.what {
                        for index in [Some(*to), *ship_to].into_iter().flatten() {
                            if let Entry::Vacant(unknown) = parties.entry(index)
                                && let Record::Party(party) = keeper.ledger.record(index)?
                            {
                                unknown.insert(party);
                            }
                        }
                    }
                    let line = lines.get(&event.line).map_or_else(|| event.line.to_string(), Label::to_string);
                    table.write_record(row(number, &event, line, &parties)).map_err(failed)?;
                    events += 1;
                }
                Ok(_) => {}
                Err(e) => return Err(Error::refused(format!("record {number} is no record, but {e}"))),
            }
        }
    }
    let bytes = table.into_inner().map_err(|e| Error::file(&args.out, e))?;
    Ok((bytes, events))
}

fn row(number: u64, event: &Event, line: String, parties: &BTreeMap<u64, Party>) -> [String; 13] {
    let text = |label: &Option<Label>| label.as_ref().map_or_else(String::new, Label::to_string);
    let number_of = |index: u64| parties.get(&index).and_then(|p| p.number).map_or_else(String::new, |n| n.to_string());
    let [mut to, mut ship_to, mut document, mut part, mut lot, mut name] = [const { String::new() }; 6];
    match &event.what {
        What::Commissioned { part: own, lot: of, .. } => (part, lot) = (own.to_string(), text(of)),
        What::Shipped { to: index, ship_to: door, document: d } => {
            (to, document) = (number_of(*index), text(d));
            ship_to = door.map_or_else(String::new, number_of);
            name = parties.get(index).map_or_else(String::new, |party| party.name.to_string());
        }
        What::HandedOver(handed) => (name, document) = (handed.to.name.to_string(), text(&handed.document)),
        What::Returned { document: d } | What::Destroyed { document: d } => document = text(d),
        What::Corrected { reason } => document = reason.to_string(),
    }
    let after = event.after.map_or_else(String::new, |n| n.to_string());
    let (first, last) = (event.serials.first.to_string(), event.serials.last.to_string());
    let kind = event.what.name().to_owned();
    [number.to_string(), after, kind, line, first, last, event.date.to_string(), to, ship_to, document, part, lot, name]
}

//! `touchmark-sign ledger import`.

use super::Io;
use crate::cli::counted;
use crate::consignees;
use crate::epcis::{self, Imported, Names};
use crate::error::{Error, Result};
use crate::files;
use crate::home::Home;
use crate::ledger::{Happened, Keeper, New, Together};
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::handover::HandOver;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::{Handed, What};
use touchmark_formats::mark::Serial;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;

/// Put on record what distributors signed, the rows of a table, or the events of a GS1 EPCIS 2.0 document
///
/// Of a document (JSON-LD) go on record: commissioning, shipping, void_shipping, receiving with the disposition returned,
/// destroying, and error declarations of these; containers are what its aggregations, or `pack`, say. Receiving by whoever has
/// the parts confirms it; what says nothing of where parts went is passed over. GTINs are those of gtins.csv (columns gtin, part,
/// line, prefix), customers those of consignees.csv with their GLN in the column gln. A hand-over is the file that `touchmark-sign handover` made. A table is CSV with the columns event, line, first, last,
/// date, to, ship-to, document, part, lot: event is commissioned, shipped, returned, destroyed or corrected; line is
/// its name, and may be empty where the home has one; to and ship-to are numbers of consignees.csv; the document of a correction is its
/// reason. All files together go on record, or nothing does.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// The customer of an EPCIS document's shipments that do not say to whom they went: its number
    #[arg(long, value_name = "N")]
    to: Option<u64>,
    /// Hand-overs (.json), tables (.csv) and EPCIS documents (.jsonld, .json)
    #[arg(required = true, value_name = "F")]
    files: Vec<PathBuf>,
}

const COLUMNS: [&str; 10] = ["event", "line", "first", "last", "date", "to", "ship-to", "document", "part", "lot"];

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let mut keeper = Keeper::open(&home)?;
    let customers = consignees::parties(&home.consignees_file())?;
    let names = Names::of(&home, &keeper.document.signed.origin)?;
    let files = args.files.iter().map(|path| Ok((path, files::read(path)?))).collect::<Result<Vec<_>>>()?;
    let mut done = Imported::default();
    let last = keeper.ledger.together(|ledger| {
        for (path, bytes) in &files {
            let mut reader =
                Reader { ledger, customers: &customers, home: &home, new: Vec::new(), lines: BTreeMap::new() };
            if !bytes.trim_ascii_start().starts_with(b"{") {
                reader.table(path, bytes)?;
            } else if is_envelope(bytes) {
                reader.hand_over(path, bytes)?;
            } else {
                let imported = epcis::import(bytes, path, &names, args.to, ledger)?;
                done.records += imported.records;
                done.confirmed += imported.confirmed;
                done.passed_over.extend(imported.passed_over);
                continue;
            }
            let new = reader.new;
            ledger.append(&new)?;
            done.records += new.len() as u64;
        }
        Ok(ledger.ledger().size().saturating_sub(1))
    })?;
    if !done.passed_over.is_empty() {
        let some = done.passed_over.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let more = if done.passed_over.len() > 5 { ", and more" } else { "" };
        io.say(format_args!("note: passed over, for they say nothing of where parts went: {some}{more}"));
    }
    if done.confirmed > 0 {
        io.say(format_args!("{} of parts received, which confirm what is on record", counted(done.confirmed, "event")));
    }
    match done.records {
        0 => io.say("no events on record that were not there"),
        events => {
            let events = counted(usize::try_from(events).unwrap_or(usize::MAX), "event");
            io.say(format_args!("{events} on record, the last of them record {last}"));
        }
    }
    Ok(())
}

/// Whether a file of JSON is one that somebody signed.
fn is_envelope(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Envelope {
        #[serde(rename = "signatures")]
        _signatures: serde::de::IgnoredAny,
    }
    serde_json::from_slice::<Envelope>(bytes).is_ok()
}

struct Reader<'a, 'b> {
    home: &'a Home,
    ledger: &'a mut Together<'b>,
    customers: &'a BTreeMap<u64, Party>,
    new: Vec<New>,
    lines: BTreeMap<String, KeyBytes>,
}

impl Reader<'_, '_> {
    fn hand_over(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        let envelope = Signed::<HandOver>::from_json(bytes).map_err(|e| Error::file(path, e))?;
        let [signature] = envelope.signatures.as_slice() else {
            return Err(Error::file(path, "a hand-over has one signature: that of whoever passed the parts on"));
        };
        let HandOver { line, serials, date, to, document } = envelope.signed;
        let handed = Handed { to, document, by: signature.key, signature: signature.signature.0 };
        self.new.push(New::Event(Happened { line, serials, date, what: What::HandedOver(Box::new(handed)) }));
        Ok(())
    }

    fn table(&mut self, path: &Path, bytes: &[u8]) -> Result<()> {
        let table = Table::new(bytes, path)?;
        let at = COLUMNS.map(|column| table.names().iter().position(|name| name == column));
        if table.names().iter().any(|name| !COLUMNS.contains(&name))
            || [0, 2, 3, 4].iter().any(|n| at.get(*n).is_none_or(Option::is_none))
        {
            return Err(Error::file(path, format_args!("its first line must name columns of {}", COLUMNS.join(", "))));
        }
        for row in table.rows() {
            let (line, row) = row?;
            let cells = at.map(|at| at.and_then(|at| row.get(at)).filter(|cell| !cell.is_empty()));
            let happened = self.row(cells);
            let happened = happened
                .map_err(|e| Error { message: format!("{}, line {line}: {}", path.display(), e.message), ..e })?;
            self.new.push(New::Event(happened));
        }
        Ok(())
    }

    fn row(&mut self, cells: [Option<&str>; 10]) -> Result<Happened> {
        let [event, line, first, last, date, to, ship_to, document, part, lot] = cells;
        let serial = |cell: Option<&str>| {
            let text = cell.unwrap_or_default();
            let number = text.parse().ok().and_then(Serial::new);
            number.ok_or_else(|| Error::unusable(format!("{text:?} is no serial")))
        };
        let serials = SerialRange { first: serial(first)?, last: serial(last.or(first))? };
        let text = date.unwrap_or_default();
        let date = text.parse().map_err(|e| Error::unusable(format!("{text:?}: {e}")))?;
        let label = |cell: Option<&str>| -> Result<Option<Label>> {
            cell.map(|text| text.parse().map_err(|e| Error::unusable(format!("{text:?} {e}")))).transpose()
        };
        let needed =
            |label: Option<Label>, what: &str| label.ok_or_else(|| Error::unusable(format!("it has no {what}")));
        let what = match event.unwrap_or_default() {
            "commissioned" => What::Commissioned { part: needed(label(part)?, "part")?, lot: label(lot)?, keys: None },
            "shipped" => {
                let to = self.customer(to.unwrap_or_default())?;
                let ship_to = ship_to.map(|number| self.customer(number)).transpose()?;
                What::Shipped { to, ship_to, document: label(document)? }
            }
            "returned" => What::Returned { document: label(document)? },
            "destroyed" => What::Destroyed { document: label(document)? },
            "corrected" => What::Corrected { reason: needed(label(document)?, "document, which says why")? },
            other => return Err(Error::unusable(format!("{other:?} is no event that a table can hold"))),
        };
        Ok(Happened { line: self.line(line)?, serials, date, what })
    }

    fn line(&mut self, name: Option<&str>) -> Result<KeyBytes> {
        let slot = name.unwrap_or_default().to_owned();
        if let Some(key) = self.lines.get(&slot) {
            return Ok(*key);
        }
        let key = self.home.line_public(name)?;
        self.lines.insert(slot, key);
        Ok(key)
    }

    fn customer(&mut self, number: &str) -> Result<u64> {
        let known = number.parse().ok().and_then(|number: u64| Some((number, self.customers.get(&number)?)));
        let (_, party) =
            known.ok_or_else(|| Error::unusable(format!("{number:?} is no number of a customer in consignees.csv")))?;
        self.ledger.party(party)
    }
}

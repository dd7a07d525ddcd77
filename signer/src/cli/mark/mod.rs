//! `touchmark-sign mark`: from rows to serials on record, to signed marks, to symbols.

mod args;
mod artwork;
mod output;
mod rows;

pub(super) use args::{Args, level, serial};

use super::secrets::Secrets;
use super::{Io, counted};
use crate::consignees;
use crate::error::{Error, Result};
use crate::home::{Home, Line};
use crate::issue::{Order, Template, settle_lot};
use crate::journal::Journal;
use crate::serials::{Allotment, Demand, allot};
use crate::sign::{LineKey, sign_checked};
use std::collections::{BTreeMap, BTreeSet};
use touchmark_formats::capsule::YearKey;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::{Serial, SignedMark};

type YearKeys = BTreeMap<i16, YearKey>;

/// A signed mark and which of the templates it came from.
struct Made {
    mark: SignedMark,
    bytes: Vec<u8>,
    template: usize,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let line = home.line(args.line.as_deref())?;
    let delegation = &line.delegation.signed;
    let mut orders = rows::orders(&args, delegation.site, io)?;
    orders.iter_mut().try_for_each(|order| settle_lot(delegation, order))?;
    let mut secrets = args.passphrase.clone().secrets();
    let key = home.line_key(&line, &mut secrets.unlock(io))?;
    let years = year_keys(&home, &orders, &mut secrets, io)?;
    let templates = orders.iter().map(|order| {
        let content = order.content.clone();
        let year = content.consignee.and_then(|_| years.get(&content.date.year()));
        Template::new(delegation, content, year)
    });
    let templates = templates.collect::<Result<Vec<_>>>()?;
    output::try_out(&args)?;
    artwork::try_out(&args, &orders, &templates)?;
    warn_of_unknown_consignees(&home, &orders, io)?;
    let allotment = reserve(&home, &line, &orders, &templates, io)?;
    let made = sign_all(&key, &line, &templates, &allotment)?;
    output::write(&args, &made, &templates, io).map_err(|e| keep_serials(e, &allotment))?;
    if let Some(note) = artwork::uneven(&args) {
        io.say(format_args!("note: {note}"));
    }
    if allotment.again > 0 {
        let again = counted(allotment.again as usize, "mark");
        io.say(format_args!("note: issued before, and the same once more: {again}"));
    }
    Ok(())
}

/// The keys of every year for which something is to be sealed. That of this year or a later one is made where it is
/// missing, but never anew where marks were sealed under it.
fn year_keys(home: &Home, orders: &[Order], secrets: &mut Secrets, io: &mut Io<'_>) -> Result<YearKeys> {
    let mut keys = YearKeys::new();
    for order in orders.iter().filter(|order| order.content.consignee.is_some()) {
        let year = order.content.date.year();
        if keys.contains_key(&year) {
            continue;
        }
        let key = match home.year_key(year, &mut secrets.unlock(io))? {
            Some(key) => key,
            None => {
                let this_year = crate::init::today(io.now)?.year();
                let key = home.new_year_key(year, this_year, &mut secrets.unlock(io))?;
                io.say(format_args!("note: made the disclosure key of {year}; keep a copy of it in a safe place"));
                key
            }
        };
        keys.insert(year, key);
    }
    Ok(keys)
}

/// A wrong number, once sealed, stays in the mark for good.
fn warn_of_unknown_consignees(home: &Home, orders: &[Order], io: &mut Io<'_>) -> Result<()> {
    let numbers: BTreeSet<u64> = orders.iter().filter_map(|order| order.content.consignee).collect();
    let table = home.consignees_file();
    if numbers.is_empty() || !table.exists() {
        return Ok(());
    }
    let known = consignees::read(&table)?;
    let unknown = numbers.iter().filter(|n| !known.contains_key(n)).map(u64::to_string).take(5).collect::<Vec<_>>();
    if !unknown.is_empty() {
        io.say(format_args!("note: not in {}: consignee {}", table.display(), unknown.join(", ")));
    }
    Ok(())
}

/// Finds the serials and puts them on record.
fn reserve(
    home: &Home,
    line: &Line,
    orders: &[Order],
    templates: &[Template<'_>],
    io: &mut Io<'_>,
) -> Result<Allotment> {
    let demands = orders.iter().zip(templates).map(|(order, template)| Demand {
        template,
        serial: order.serial,
        count: order.count,
    });
    let mut journal = Journal::lock(&home.journal_file())?;
    let key = &line.delegation.signed.key;
    let mut allotment = allot(journal.records(), key, &demands.collect::<Vec<_>>(), io.now)?;
    if journal.is_torn() {
        io.say("note: the journal ended in an unfinished record, of which no mark had left; it was taken away");
    }
    for record in &allotment.fresh {
        let serial = |n| Serial::new(n).ok_or_else(|| Error::unusable("a serial out of range"));
        home.require_open(line, SerialRange { first: serial(record.first)?, last: serial(record.last)? })?;
    }
    journal.append(std::mem::take(&mut allotment.fresh))?;
    Ok(allotment)
}

fn sign_all(key: &LineKey, line: &Line, templates: &[Template<'_>], allotment: &Allotment) -> Result<Vec<Made>> {
    let root = &line.delegation.signed.maker;
    let mut made = Vec::new();
    for run in &allotment.runs {
        let Some(template) = templates.get(run.demand) else { continue };
        let content = template.content();
        for serial in (run.first..=run.last).filter_map(Serial::new) {
            let mark = sign_checked(key, template.mark(serial)?, root, &content.part, content.lot.as_ref())?;
            made.push(Made { bytes: mark.to_bytes(), mark, template: run.demand });
        }
    }
    Ok(made)
}

/// What to do about serials that are on record while their marks did not get out.
fn keep_serials(error: Error, allotment: &Allotment) -> Error {
    let (Some(first), Some(last)) = (allotment.runs.first(), allotment.runs.last()) else { return error };
    if error.kind == crate::error::Kind::ClosedPipe {
        return error;
    }
    let (first, last) = (first.first, last.last);
    let which = if first == last { format!("serial {first} is") } else { format!("serials {first} to {last} are") };
    error.hint(format!(
        "{which} on record; the same call with --serial {first} (or these serials in the table) gives the same once more"
    ))
}

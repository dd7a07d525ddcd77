//! `touchmark-sign mark`: from rows to serials on record, to signed marks, to symbols.

mod args;
mod artwork;
mod output;
mod rows;

pub(super) use args::{Args, Drawing, SymbolArgs, level, serial};
pub(super) use artwork::design_of;

use super::secrets::Secrets;
use super::{Io, counted, sealing};
use crate::error::{Error, Result};
use crate::home::{Home, Line};
use crate::issue::{Content, Order, Template, settle_lot};
use crate::line::issuer::{Issued, Issuer, Parts};
use crate::line::stages::Stages;
use crate::line::store::Store;
use crate::line::witness::{Busy, Witness};
use crate::sign::LineKey;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use touchmark_formats::capsule::YearKey;
use touchmark_formats::mark::SignedMark;

type YearKeys = BTreeMap<i16, YearKey>;

/// What issuing needs.
struct Prepared {
    store: Store,
    line: Line,
    key: LineKey,
    years: YearKeys,
}

/// A signed mark and which of the templates it came from.
struct Made {
    mark: SignedMark,
    bytes: Vec<u8>,
    template: usize,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    let line = home.line(args.line.as_deref())?;
    let delegation = &line.delegation.signed.clone();
    let mut orders = rows::orders(&args, delegation.site, io)?;
    orders.iter_mut().try_for_each(|order| settle_lot(delegation, order))?;
    let mut secrets = args.passphrase.clone().secrets();
    let key = home.line_key(&line, &mut secrets.unlock(io))?;
    let mut store = home.store(false)?;
    let years = year_keys(&home, &orders, &mut store, &mut secrets, io)?;
    let templates = orders.iter().map(|order| {
        let content = order.content.clone();
        let year = content.consignee.and_then(|_| years.get(&content.date.year()));
        Template::new(delegation, content, year)
    });
    let templates = templates.collect::<Result<Vec<_>>>()?;
    output::try_out(&args)?;
    artwork::try_out(&args, &orders, &templates)?;
    sealing::warn_of_unknown(&home, orders.iter().filter_map(|order| order.content.consignee), io)?;
    let issued = issue(&args, &home, Prepared { store, line, key, years }, &orders, io)?;
    let again: u64 = issued.iter().map(|issued| issued.again).sum();
    let of_order = |(template, issued): (usize, Issued)| {
        issued.marks.into_iter().map(move |mark| Made { bytes: mark.to_bytes(), mark, template })
    };
    let made: Vec<Made> = issued.into_iter().enumerate().flat_map(of_order).collect();
    output::write(&args, &made, &templates, io).map_err(|e| keep_serials(e, &made))?;
    if let Some(note) = artwork::uneven(&args) {
        io.say(format_args!("note: {note}"));
    }
    if again > 0 {
        let again = counted(again as usize, "mark");
        io.say(format_args!("note: issued before, and the same once more: {again}"));
    }
    Ok(())
}

/// The keys of every year for which something is to be sealed.
fn year_keys(
    home: &Home,
    orders: &[Order],
    store: &mut Store,
    secrets: &mut Secrets,
    io: &mut Io<'_>,
) -> Result<YearKeys> {
    let sealed = orders.iter().filter(|order| order.content.consignee.is_some());
    let years: BTreeSet<i16> = sealed.map(|order| order.content.date.year()).collect();
    years.into_iter().map(|year| Ok((year, sealing::year_key(home, year, store, secrets, io)?))).collect()
}

/// Puts the serials on record and signs.
fn issue(args: &Args, home: &Home, prepared: Prepared, orders: &[Order], io: &mut Io<'_>) -> Result<Vec<Issued>> {
    let Prepared { store, line, key, years } = prepared;
    let name = "mark".to_owned();
    let closable = line.clone();
    let mut issuer = Issuer::start(Parts {
        witness: Witness::open(&io.state(home), &key.public(), &name, Busy::Wait)?,
        store,
        name,
        key: Arc::new(key),
        delegation: Arc::new(line.delegation.signed),
        years: Box::new(move |year| Ok(years.get(&year).map(|key| YearKey::from_bytes(*key.expose())))),
        lease: 0,
        stages: Stages::default(),
    })?;
    let issued = issuer.issue_all(orders, io.now);
    if issuer.finish().is_err() {
        io.say(format_args!("note: {} could not be closed properly, which costs nothing", args.home.display()));
    }
    issued.map_err(|e| closed_instead(e, home, &closable, orders))
}

/// Says that the serials are closed, where they are used up for that reason.
fn closed_instead(error: Error, home: &Home, line: &Line, orders: &[Order]) -> Error {
    let template = |order: &Order| {
        Template::new(&line.delegation.signed, Content { consignee: None, ..order.content.clone() }, None).ok()
    };
    let unnumbered = orders.iter().filter(|order| order.serial.is_none()).filter_map(template);
    let allowed = unnumbered.filter(|template| template.check_any_serial().is_ok());
    let ranges = allowed.flat_map(|template| template.serials());
    ranges.filter_map(|range| home.require_open(line, range).err()).next().unwrap_or(error)
}

/// What to do about serials that are on record while their marks did not get out.
fn keep_serials(error: Error, made: &[Made]) -> Error {
    let mut serials = made.iter().map(|made| made.mark.mark.serial);
    let Some(first) = serials.next() else { return error };
    let last = serials.next_back().unwrap_or(first);
    if error.kind == crate::error::Kind::ClosedPipe {
        return error;
    }
    let which = if first == last { format!("serial {first} is") } else { format!("serials {first} to {last} are") };
    error.hint(format!(
        "{which} on record; the same call with --serial {first} (or these serials in the table) gives the same once more"
    ))
}

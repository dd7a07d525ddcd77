//! Events from an EPCIS document onto the ledger. Each goes on record, is passed over because it says nothing of where parts
//! went, or is refused with its place in the document; nothing is guessed.

use super::Names;
use super::document::{self, Event, LOT, RETURNED, step, word};
use super::id::{Named, gln};
use crate::error::{Error, Result};
use crate::ledger::{Happened, New, Segment, State, Together};
use crate::lot::merged;
use crate::percent;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::handover::HandOver;
use touchmark_formats::ledger::record::{Handed, What};
use touchmark_formats::mark::Serial;
use touchmark_formats::text::Label;

/// What became of the events of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// How many records of events were made.
    pub records: u64,
    /// How many events confirm what is on record: parts received by whoever has them.
    pub confirmed: usize,
    /// The events that say nothing of where parts went: which, and what they are about.
    pub passed_over: Vec<String>,
}

/// Puts the events of the document in `bytes`, which `path` names in messages, on record. Shipments that do not say to whom
/// they went go to the customer with the number `to`.
///
/// # Errors
/// It is no document, an event cannot be said in the ledger, or a rule forbids it: with the event's place. Or the store failed.
pub fn import(
    bytes: &[u8],
    path: &Path,
    names: &Names,
    to: Option<u64>,
    ledger: &mut Together<'_>,
) -> Result<Imported> {
    let events = document::parse(bytes).map_err(|e| Error::file(path, format_args!("no EPCIS document: {e}")))?;
    let mut events: Vec<(usize, Event)> = events.into_iter().enumerate().collect();
    // A document's events have no order but their times; those of a ledger had one.
    if events.iter().any(|(_, event)| event.record.is_none()) {
        events.sort_by_key(|(_, event)| match &event.error_declaration {
            Some(declaration) => declaration.declaration_time,
            None => event.event_time,
        });
    }
    let mut reader = Reader { names, to, ledger, contents: BTreeMap::new(), done: Imported::default() };
    for (n, event) in events {
        let id = event.id.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
        let place = format!("event {}{id}", n + 1);
        reader
            .event(&event, &place)
            .map_err(|e| Error { message: format!("{}, {place}: {e}", path.display()), ..e })?;
    }
    Ok(reader.done)
}

struct Reader<'a, 'b> {
    names: &'a Names,
    to: Option<u64>,
    ledger: &'a mut Together<'b>,
    /// What containers hold, by their SSCC, as the document says so far.
    contents: BTreeMap<u64, BTreeSet<String>>,
    done: Imported,
}

/// Parts that an event names.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    line: KeyBytes,
    /// Of which part and lot they are, as far as it says.
    part: Option<Label>,
    lot: Option<String>,
    /// Rising.
    serials: Vec<SerialRange>,
}

fn unusable(what: impl Into<String>) -> Error {
    Error::unusable(what)
}

impl Reader<'_, '_> {
    fn event(&mut self, event: &Event, place: &str) -> Result<()> {
        self.aggregate(event);
        let step = event.step();
        if event.reason.is_some() || event.error_declaration.is_some() || step == step::VOID_SHIPPING {
            return self.correct(event, place);
        }
        match (step, event.hand_over.as_ref()) {
            (step::COMMISSIONING, _) => self.commission(event),
            (step::SHIPPING, None) => {
                let what = self.shipped(event)?;
                self.happen(event, &what)
            }
            (step::SHIPPING, Some(_)) => self.hand_over(event),
            (step::RECEIVING | "accepting", _) if event.disposition.as_deref().map(word) == Some(RETURNED) => {
                let what = What::Returned { document: self.document(event, "rma")? };
                self.happen(event, &what)
            }
            (step::RECEIVING | "accepting", _) => self.receive(event, place),
            (step::DESTROYING, _) => {
                let what = What::Destroyed { document: self.document(event, "")? };
                self.happen(event, &what)
            }
            ("decommissioning", _) => Err(unusable("a mark is not taken off its part again")
                .hint("the step `destroying` says that parts are no more")),
            (step, _) => {
                let what = if step.is_empty() { event.kind.as_str() } else { step };
                self.done.passed_over.push(format!("{place}: {what}"));
                Ok(())
            }
        }
    }

    /// Follows what is packed in what.
    fn aggregate(&mut self, event: &Event) {
        let sscc = match event.parent.as_deref().map(|parent| Named::of(parent, &self.names.base)) {
            Some(Named::Container(sscc)) if event.error_declaration.is_none() => sscc.number(),
            _ => return,
        };
        if event.kind != "AggregationEvent" {
            return;
        }
        let contents = self.contents.entry(sscc).or_default();
        match event.action.as_deref() {
            Some("DELETE") if event.children.is_empty() => contents.clear(),
            Some("DELETE") => contents.retain(|child| !event.children.contains(child)),
            _ => contents.extend(event.children.iter().cloned()),
        }
    }

    fn commission(&mut self, event: &Event) -> Result<()> {
        if event.action.as_deref().is_some_and(|action| action != "ADD") {
            return Err(unusable("parts are commissioned by the action ADD"));
        }
        let date = event.date(event.event_time).map_err(unusable)?;
        let own = match event.ilmd.get(LOT) {
            Some(lot) => Some(lot.as_str().ok_or_else(|| unusable(format!("{LOT} is no text")))?.to_owned()),
            None => None,
        };
        let keys = event.keys.as_ref().map(|keys| STANDARD.decode(keys).ok().and_then(|keys| keys.try_into().ok()));
        let keys =
            keys.map(|keys| keys.ok_or_else(|| unusable("touchmark:keys is not 32 bytes in base64"))).transpose()?;
        for found in self.parts(event)? {
            let part = match (found.part, &event.part) {
                (Some(part), Some(own)) if part != *own => {
                    return Err(unusable(format!("its parts are {part} by their GTIN, and {own} by touchmark:part")));
                }
                (part, own) => part.or_else(|| own.clone()),
            };
            let part = part.ok_or_else(|| unusable("it does not say which part number was made"))?;
            let lot = match (&own, &found.lot) {
                (Some(own), Some(lot)) if own != lot => {
                    return Err(unusable(format!(
                        "its parts are of lot {lot} by their names, and of lot {own} by {LOT}"
                    )));
                }
                (own, lot) => own.as_ref().or(lot.as_ref()).map(|lot| label(lot, "the lot")).transpose()?,
            };
            for serials in found.serials {
                let what = What::Commissioned { part: part.clone(), lot: lot.clone(), keys };
                self.append(found.line, serials, date, what)?;
            }
        }
        Ok(())
    }

    /// To whom parts were shipped.
    fn shipped(&mut self, event: &Event) -> Result<What> {
        let at = |kinds: &[&str]| {
            let of = |kind: &&str| event.destination_list.iter().find(|to| word(&to.kind) == *kind);
            kinds.iter().find_map(of).map(|to| to.destination.as_str())
        };
        let to = match (&event.to, at(&["owning_party", "possessing_party", "location"]), self.to) {
            (Some(party), ..) => self.ledger.party(party)?,
            (None, Some(uri), _) => self.customer(uri)?,
            (None, None, Some(number)) => self.party(number)?,
            (None, None, None) => {
                return Err(unusable("it does not say to whom: it has no destinationList")
                    .hint("name the customer of shipments that do not say with --to NUMBER"));
            }
        };
        let door = match (&event.ship_to, at(&["location"])) {
            (Some(party), _) => Some(self.ledger.party(party)?),
            (None, Some(uri)) if event.to.is_none() => Some(self.customer(uri)?),
            _ => None,
        };
        Ok(What::Shipped { to, ship_to: door.filter(|door| *door != to), document: self.document(event, "desadv")? })
    }

    fn customer(&mut self, uri: &str) -> Result<u64> {
        let number = self.names.customer(uri).ok_or_else(|| unknown_customer(uri))?;
        self.party(number)
    }

    fn party(&mut self, number: u64) -> Result<u64> {
        let party = self.names.customers.get(&number);
        self.ledger.party(party.ok_or_else(|| unusable(format!("no customer in consignees.csv has number {number}")))?)
    }

    fn hand_over(&mut self, event: &Event) -> Result<()> {
        let Some(signed) = &event.hand_over else { return Ok(()) };
        let [signature] = signed.signatures.as_slice() else {
            return Err(unusable("touchmark:handOver has one signature: that of whoever passed the parts on"));
        };
        let HandOver { line, serials, date, to, document } = signed.signed.clone();
        let named: Vec<SerialRange> = self.parts(event)?.into_iter().flat_map(|found| found.serials).collect();
        if merged(named) != [serials] {
            return Err(unusable(format!("its parts are not those that touchmark:handOver says, {serials}")));
        }
        let handed = Handed { to, document, by: signature.key, signature: signature.signature.0 };
        self.append(line, serials, date, What::HandedOver(Box::new(handed)))
    }

    /// What happened to all the parts of an event, wherever they are.
    fn happen(&mut self, event: &Event, what: &What) -> Result<()> {
        let date = event.date(event.event_time).map_err(unusable)?;
        for found in self.parts(event)? {
            for serials in self.pieces(&found)? {
                self.append(found.line, serials, date, what.clone())?;
            }
        }
        Ok(())
    }

    /// Somebody received parts: nothing new if that is whoever has them.
    fn receive(&mut self, event: &Event, place: &str) -> Result<()> {
        let mut own = Vec::new();
        for found in self.found(event, true)? {
            own.extend(self.pieces(&found)?.into_iter().map(|serials| (found.line, serials)));
        }
        if own.is_empty() {
            self.done.passed_over.push(format!("{place}: receiving of others' goods"));
            return Ok(());
        }
        let destinations = event.destination_list.iter().map(|to| to.destination.as_str());
        let places = [&event.biz_location, &event.read_point].into_iter().flatten().map(|place| place.id.as_str());
        let said: Vec<&str> = destinations.chain(places).collect();
        let known: Vec<u64> = said.iter().filter_map(|uri| self.names.customer(uri)).collect();
        let Some(number) = known.first() else {
            return Err(match said.iter().find(|uri| gln(uri).is_some()).or(said.first()) {
                Some(uri) => unknown_customer(uri)
                    .hint("put the GLN of whoever received them into the column gln; if they came back to you, the disposition `returned` says so"),
                None => unusable("it does not say who received them")
                    .hint("name the place in bizLocation; if they came back to you, the disposition `returned` says so"),
            });
        };
        for (line, serials) in own {
            let Some(segment) = self.ledger.ledger().segment(&line, serials.first)? else {
                return Err(Error::refused(format!("serials {serials} were received, and never commissioned")));
            };
            let (to, ship_to) = self.ledger.ledger().holders(&segment)?;
            let mut by = [&to, &ship_to].into_iter().flatten().filter_map(|party| party.number);
            let confirms = by.any(|holder| known.contains(&holder));
            if confirms {
                continue;
            }
            let name = self.names.customers.get(number).map_or_else(String::new, |party| party.name.to_string());
            return Err(match &to {
                Some(holder) => Error::refused(format!(
                    "{name} received serials {serials}, and {} has them (record {})",
                    holder.name, segment.record
                ))
                .hint("whoever passed them on signs that: `touchmark-sign handover`"),
                None => Error::refused(format!(
                    "{name} received serials {serials}, which are {} on {} (record {})",
                    segment.state.word(),
                    segment.date,
                    segment.record
                ))
                .hint("put their shipment on record first"),
            });
        }
        self.done.confirmed += 1;
        Ok(())
    }

    /// The record of the event's parts is wrong, if it is the one that the event says.
    fn correct(&mut self, event: &Event, place: &str) -> Result<()> {
        let step = event.step();
        let declared = match step {
            step::COMMISSIONING => State::Commissioned,
            step::SHIPPING | step::VOID_SHIPPING if event.hand_over.is_some() => State::HandedOver,
            step::SHIPPING | step::VOID_SHIPPING => State::Shipped,
            step::RECEIVING if event.disposition.as_deref().map(word) == Some(RETURNED) => State::Returned,
            step::DESTROYING => State::Destroyed,
            _ => {
                // What was not put on record need not be corrected.
                self.done.passed_over.push(format!("{place}: error declaration of {step}"));
                return Ok(());
            }
        };
        let (at, why, day) = match &event.error_declaration {
            Some(declaration) => {
                let day = event.date(event.event_time).map_err(unusable)?;
                (declaration.declaration_time, declaration.reason.as_deref().unwrap_or("error declared"), Some(day))
            }
            None => (event.event_time, step, None),
        };
        let date = event.date(at).map_err(unusable)?;
        let reason = match &event.reason {
            Some(reason) => reason.clone(),
            None => label(why, "the reason")?,
        };
        for found in self.parts(event)? {
            for serials in self.pieces(&found)? {
                let segment = self.ledger.ledger().segment(&found.line, serials.first)?;
                // What goes back beyond a correction says itself what it is about.
                let says_itself =
                    event.reason.is_some() && event.error_declaration.is_none() && step != step::VOID_SHIPPING;
                let same = |s: &Segment| says_itself || s.state == declared && day.is_none_or(|day| s.date == day);
                if !segment.as_ref().is_some_and(same) {
                    let what = segment.map_or_else(
                        || "were never commissioned".to_owned(),
                        |s| format!("are {} on {} (record {})", s.state.word(), s.date, s.record),
                    );
                    return Err(Error::refused(format!(
                        "it says that what was {} is wrong, and serials {serials} {what}",
                        declared.word()
                    ))
                    .hint("only the last record of parts can be corrected; what came after it first"));
                }
                self.append(found.line, serials, date, What::Corrected { reason: reason.clone() })?;
            }
        }
        Ok(())
    }

    fn append(&mut self, line: KeyBytes, serials: SerialRange, date: Date, what: What) -> Result<()> {
        let shipped = matches!(what, What::Shipped { .. });
        let numbers = self.ledger.append(&[New::Event(Happened { line, serials, date, what })]).map_err(|e| {
            if shipped && e.hint.is_none() {
                return e.hint("whoever has them and passes them on signs that: `touchmark-sign handover`");
            }
            e
        })?;
        self.done.records += numbers.end - numbers.start;
        Ok(())
    }

    /// The document of an event: a business transaction, best of type `kind`.
    fn document(&self, event: &Event, kind: &str) -> Result<Option<Label>> {
        let list = &event.biz_transaction_list;
        let best = list.iter().find(|own| own.kind.as_deref().is_some_and(|own| word(own) == kind)).or(list.first());
        let Some(uri) = best.map(|own| own.biz_transaction.as_str()) else { return Ok(None) };
        let own = uri.strip_prefix(self.names.base.as_str()).and_then(|rest| rest.strip_prefix("/bt/"));
        // The GLN before the number is that of whoever made it.
        let cbv = || uri.strip_prefix("urn:epcglobal:cbv:bt:")?.split_once(':').map(|(_, number)| number);
        let text = own.or_else(cbv).and_then(percent::decode).and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.unwrap_or_else(|| uri.to_owned());
        let last = text.rsplit('/').next().unwrap_or_default();
        let text = if text.len() > Label::MAX_BYTES { last } else { &text };
        label(text, "the document").map(Some)
    }

    /// The parts of an event, all of them known here.
    fn parts(&mut self, event: &Event) -> Result<Vec<Found>> {
        let found = self.found(event, false)?;
        if found.is_empty() { Err(unusable("it names no parts")) } else { Ok(found) }
    }

    /// The parts of an event; what is none of this maker's is refused, or `left_out`.
    fn found(&mut self, event: &Event, left_out: bool) -> Result<Vec<Found>> {
        let mut all = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let own = event.epc_list.iter().chain(&event.children).chain(&event.output_epc_list);
        // A parent stands for what is known to be in it, unless its children are named.
        let parent = event.parent.iter().filter(|_| event.children.is_empty());
        for uri in own.chain(parent) {
            self.find(uri, left_out, &mut seen, &mut all)?;
        }
        let quantities = event.quantity_list.iter().chain(&event.child_quantity_list);
        for quantity in quantities {
            self.find_class(quantity, left_out, &mut all)?;
        }
        let found =
            all.into_iter().map(|((line, part, lot), serials)| Found { line, part, lot, serials: merged(serials) });
        Ok(found.collect())
    }

    fn find(&mut self, uri: &str, left_out: bool, seen: &mut BTreeSet<u64>, all: &mut All) -> Result<()> {
        match Named::of(uri, &self.names.base) {
            Named::Part(gtin, lot, serial) => {
                match self.names.articles.find(&gtin, &serial) {
                    Some((article, serial)) => {
                        let key = (article.line, Some(article.part.clone()), lot);
                        all.entry(key).or_default().push(single(serial));
                    }
                    None if left_out => {}
                    None if self.names.articles.of_gtin(&gtin).next().is_some() => {
                        return Err(unusable(format!("{uri}: {serial:?} is no serial of a part with GTIN {gtin}"))
                        .hint("gtins.csv says how serials begin; the rest is the number in the mark, without zeros before it"));
                    }
                    None => {
                        return Err(unusable(format!("{uri}: no row of gtins.csv has GTIN {gtin}"))
                        .hint("gtins.csv in the home says which GTIN is which part: its columns are gtin, part, line, prefix"));
                    }
                }
            }
            Named::Own(line, serial) => {
                all.entry((line, None, None)).or_default().push(single(serial));
            }
            Named::Container(sscc) => {
                if !seen.insert(sscc.number()) {
                    return Ok(());
                }
                let code = sscc.to_string();
                if let Some(children) =
                    self.contents.get(&sscc.number()).cloned().filter(|children| !children.is_empty())
                {
                    for child in children {
                        self.find(&child, left_out, seen, all)?;
                    }
                } else if let Some(packed) = self.names.packed.iter().find(|own| own.sscc.as_ref() == Some(&code)) {
                    let key = (packed.key, Some(packed.part.clone()), None);
                    all.entry(key).or_default().extend(&packed.serials);
                } else if !left_out {
                    return Err(Error::refused(format!("which parts are in container {code} is not known"))
                        .hint("an AggregationEvent before it says so, or `touchmark-sign pack` in this home"));
                }
            }
            Named::Class(..) | Named::Other if left_out => {}
            Named::Class(..) | Named::Other => {
                return Err(unusable(format!(
                    "{uri} names no part: neither an SGTIN, an SSCC nor a URI of this ledger"
                )));
            }
        }
        Ok(())
    }

    /// A quantity of a lot is the whole lot, or nobody knows which parts it is.
    fn find_class(&mut self, quantity: &document::Quantity, left_out: bool, all: &mut All) -> Result<()> {
        let uri = &quantity.epc_class;
        let unclear = |what: &str| {
            unusable(format!("{uri}: {what}")).hint("name the parts in epcList, or the containers that they are in")
        };
        let (gtin, lot) = match Named::of(uri, &self.names.base) {
            Named::Class(gtin, lot) if self.names.articles.of_gtin(&gtin).next().is_some() => (gtin, lot),
            _ if left_out => return Ok(()),
            _ => return Err(unclear("a quantity of something that is no part of gtins.csv")),
        };
        let Some(lot) = lot else { return Err(unclear("a quantity does not say which parts")) };
        let name = label(&lot, "the lot")?;
        let articles: Vec<_> = self.names.articles.of_gtin(&gtin).cloned().collect();
        let mut parts = self.ledger.ledger().parts_of_lot(&name, None, false)?;
        parts.retain(|parts| articles.iter().any(|article| article.line == parts.line));
        let count: u64 = parts.iter().flat_map(|parts| &parts.serials).map(SerialRange::count).sum();
        let whole = quantity.uom.is_none() && quantity.quantity.is_none_or(|quantity| quantity == count as f64);
        if !whole {
            return Err(unclear(&format!(
                "a quantity other than the {count} parts of the whole lot does not say which"
            )));
        }
        for parts in parts {
            let part = articles.iter().find(|article| article.line == parts.line).map(|article| article.part.clone());
            all.entry((parts.line, part, Some(lot.clone()))).or_default().extend(parts.serials);
        }
        Ok(())
    }

    /// The ranges of parts for each of which one record answers; those records must be of that part and lot.
    fn pieces(&mut self, found: &Found) -> Result<Vec<SerialRange>> {
        let mut pieces = Vec::new();
        for range in &found.serials {
            for piece in self.ledger.ledger().pieces(&found.line, *range)? {
                if let Some(segment) = self.ledger.ledger().segment(&found.line, piece.first)?
                    && let Some((number, part, lot)) = self.ledger.ledger().made(&segment)?
                {
                    let other = found.part.as_ref().is_some_and(|own| *own != part)
                        || found.lot.as_ref().is_some_and(|own| Some(own.as_str()) != lot.as_ref().map(Label::as_str));
                    if other {
                        let lot = lot.map_or_else(String::new, |lot| format!(", lot {lot}"));
                        return Err(Error::refused(format!(
                            "serials {piece} were made as {part}{lot} (record {number}), and are named otherwise here"
                        )));
                    }
                }
                pieces.push(piece);
            }
        }
        Ok(pieces)
    }
}

/// Serials by line, part and lot.
type All = BTreeMap<(KeyBytes, Option<Label>, Option<String>), Vec<SerialRange>>;

fn single(serial: Serial) -> SerialRange {
    SerialRange { first: serial, last: serial }
}

fn label(text: &str, what: &str) -> Result<Label> {
    text.parse().map_err(|e| unusable(format!("{what} {text:?} {e}")))
}

fn unknown_customer(uri: &str) -> Error {
    unusable(format!("no customer in consignees.csv is {uri}"))
        .hint("put its GLN into the column gln of consignees.csv")
}

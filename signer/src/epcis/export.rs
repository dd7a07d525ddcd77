//! The ledger's events as an EPCIS document.

use super::Names;
use super::document::{
    Destination, ErrorDeclaration, Event, LOT, NAMESPACE, RETURNED, Source, Transaction, midnight, step,
};
use super::id::{own_part, part_link, party_link};
use crate::error::{Error, Result};
use crate::ledger::Ledger;
use crate::percent;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::{self, Record, What};
use touchmark_formats::mark::Serial;
use touchmark_formats::signed::{SignatureBytes, SignatureEntry, Signed};
use touchmark_formats::text::Label;

/// The most parts that one document names, one by one as EPCIS does: some 100 MB.
pub(super) const MAX_PARTS: u64 = 1 << 20;
/// GS1's own words.
const CONTEXT: &str = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";
/// Records that are read together.
const TOGETHER: u64 = 4096;

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Its bytes.
    pub json: Vec<u8>,
    /// How many events are in it.
    pub events: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "@context")]
    context: Value,
    #[serde(rename = "type")]
    kind: &'static str,
    schema_version: &'static str,
    creation_date: Timestamp,
    epcis_header: Value,
    epcis_body: Body,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    event_list: Vec<Event>,
}

/// The events among some records, as a document made `now`.
///
/// # Errors
/// They name more than a million parts; or the store failed.
pub fn export(ledger: &mut Ledger, names: &Names, records: Range<u64>, now: Timestamp) -> Result<Exported> {
    let mut writer = Writer { ledger, names, parties: BTreeMap::new(), parts: 0 };
    let mut event_list = Vec::new();
    for first in records.clone().step_by(TOGETHER as usize) {
        let numbers: Vec<u64> = (first..records.end.min(first + TOGETHER)).collect();
        for (number, bytes) in writer.ledger.record_bytes(&numbers)? {
            match Record::from_bytes(&bytes) {
                Ok(Record::Event(event)) => event_list.push(writer.event(number, &event, &bytes)?),
                Ok(_) => {}
                Err(e) => return Err(Error::refused(format!("record {number} is no record, but {e}"))),
            }
        }
    }
    let opaque = |name: &str| json!({ "@id": format!("{NAMESPACE}{name}"), "@type": "@json" });
    let own = json!({
        "touchmark": NAMESPACE,
        "touchmark:to": opaque("to"),
        "touchmark:shipTo": opaque("shipTo"),
        "touchmark:handOver": opaque("handOver"),
    });
    let parties: Vec<Value> = writer.parties.into_values().collect();
    let vocabulary = json!({ "type": "urn:epcglobal:epcis:vtype:SourceDest", "vocabularyElementList": parties });
    let events = event_list.len();
    let document = Document {
        context: json!([CONTEXT, own]),
        kind: "EPCISDocument",
        schema_version: "2.0",
        creation_date: now,
        epcis_header: json!({ "epcisMasterData": { "vocabularyList": [vocabulary] } }),
        epcis_body: Body { event_list },
    };
    let mut json =
        serde_json::to_vec_pretty(&document).map_err(|e| Error::unusable(format!("cannot write the document: {e}")))?;
    json.push(b'\n');
    Ok(Exported { json, events })
}

struct Writer<'a> {
    ledger: &'a mut Ledger,
    names: &'a Names,
    /// Master data of those who received goods, by URI.
    parties: BTreeMap<String, Value>,
    parts: u64,
}

impl Writer<'_> {
    fn event(&mut self, number: u64, event: &record::Event, bytes: &[u8]) -> Result<Event> {
        let mut own = match &event.what {
            What::Corrected { reason } => self.corrected(number, event, reason, bytes)?,
            _ => self.happened(event, event.serials)?,
        };
        if own.id.is_none() {
            own.id = Some(self.id(number, bytes));
        }
        own.record = Some(number);
        Ok(own)
    }

    /// The record's commitment as a name (RFC 6920): with its salt anybody sees that it is of this record.
    fn id(&self, number: u64, bytes: &[u8]) -> String {
        format!("ni:///sha-256;{}", URL_SAFE_NO_PAD.encode(self.ledger.entry(number, bytes)))
    }

    /// What happened to some of the parts of an event that is no correction.
    fn happened(&mut self, event: &record::Event, serials: SerialRange) -> Result<Event> {
        let of = |action: &str, step: &str, disposition: &str| Event {
            disposition: Some(disposition.to_owned()),
            ..Event::of_objects(event.date, action, step)
        };
        let mut own = match &event.what {
            What::Commissioned { part, lot, keys } => Event {
                part: Some(part.clone()),
                keys: keys.map(|keys| STANDARD.encode(keys)),
                ilmd: lot.iter().map(|lot| (LOT.to_owned(), lot.as_str().into())).collect(),
                ..of("ADD", step::COMMISSIONING, "active")
            },
            What::Shipped { to, ship_to, document } => {
                let mut own = of("OBSERVE", step::SHIPPING, "in_transit");
                let (uri, party) = self.party_record(*to)?;
                own.destination_list.push(Destination { kind: "owning_party".to_owned(), destination: uri });
                own.to = Some(party);
                if let Some(door) = ship_to {
                    let (uri, party) = self.party_record(*door)?;
                    own.destination_list.push(Destination { kind: "location".to_owned(), destination: uri });
                    own.ship_to = Some(party);
                }
                own.biz_transaction_list = self.document(document.as_ref(), Some("desadv"));
                own
            }
            What::HandedOver(handed) => {
                let mut own = of("OBSERVE", step::SHIPPING, "in_transit");
                if let Some(party) = self.holder(event.after)? {
                    let source = self.party_uri(&party);
                    own.source_list.push(Source { kind: "possessing_party".to_owned(), source });
                }
                let destination = self.party_uri(&handed.to);
                own.destination_list.push(Destination { kind: "owning_party".to_owned(), destination });
                own.biz_transaction_list = self.document(handed.document.as_ref(), Some("desadv"));
                own.hand_over = event.hand_over().map(|document| {
                    let mut signed = Signed::new(document);
                    let signature = SignatureBytes(handed.signature);
                    signed.signatures.push(SignatureEntry { key: handed.by, signature });
                    signed
                });
                own
            }
            What::Returned { document } => Event {
                biz_transaction_list: self.document(document.as_ref(), Some("rma")),
                ..of("OBSERVE", step::RECEIVING, RETURNED)
            },
            What::Destroyed { document } => Event {
                biz_transaction_list: self.document(document.as_ref(), None),
                ..of("DELETE", step::DESTROYING, "destroyed")
            },
            What::Corrected { .. } => Event::of_objects(event.date, "OBSERVE", "other"),
        };
        own.epc_list = self.names_of(event, serials)?;
        Ok(own)
    }

    /// A correction: the event that was wrong once more, with an error declaration. Of only some of its parts an event has no
    /// such word; of a shipment there is one that takes back some.
    fn corrected(&mut self, number: u64, event: &record::Event, reason: &Label, bytes: &[u8]) -> Result<Event> {
        let wrong = event.after.ok_or_else(|| Error::refused(format!("record {number} corrects nothing")))?;
        let record::Event { serials, date, .. } = *event;
        let before = self.ledger.event(wrong)?;
        if let What::Corrected { .. } = before.what {
            // What was taken back counts again, as an event of its own.
            let again = self.ledger.counts(number)?;
            let (_, again) = again.ok_or_else(|| {
                Error::refused(format!("record {number} takes a correction back behind which nothing is"))
            })?;
            let mut own = self.happened(&again, serials)?;
            own.event_time = midnight(date);
            own.reason = Some(reason.clone());
            return Ok(own);
        }
        let mut own = self.happened(&before, serials)?;
        own.reason = Some(reason.clone());
        let whole = before.serials == serials;
        if !whole && matches!(before.what, What::Shipped { .. } | What::HandedOver(_)) {
            own.biz_step = Some(step::VOID_SHIPPING.to_owned());
            own.disposition = None;
            own.event_time = midnight(date);
            return Ok(own);
        }
        let declaration_time = midnight(date);
        own.error_declaration = Some(ErrorDeclaration { declaration_time, reason: Some("incorrect_data".to_owned()) });
        own.id = Some(if whole {
            let bytes = self.ledger.record_bytes(&[wrong])?.remove(&wrong).unwrap_or_default();
            self.id(wrong, &bytes)
        } else {
            self.id(number, bytes)
        });
        Ok(own)
    }

    /// Who had the parts before a hand-over.
    fn holder(&mut self, after: Option<u64>) -> Result<Option<Party>> {
        let counts = after.map(|number| self.ledger.counts(number)).transpose()?.flatten();
        Ok(match counts {
            Some((_, record::Event { what: What::Shipped { to, .. }, .. })) => Some(self.party(to)?),
            Some((_, record::Event { what: What::HandedOver(handed), .. })) => Some(handed.to),
            _ => None,
        })
    }

    fn party(&mut self, number: u64) -> Result<Party> {
        match self.ledger.record(number)? {
            Record::Party(party) => Ok(party),
            _ => Err(Error::refused(format!("record {number} is not that of a customer"))),
        }
    }

    fn party_record(&mut self, number: u64) -> Result<(String, Party)> {
        let party = self.party(number)?;
        Ok((self.party_uri(&party), party))
    }

    /// The URI of a party, whose master data goes into the document.
    fn party_uri(&mut self, party: &Party) -> String {
        let base = &self.names.base;
        let own = |kind: &str, id: &str| format!("{base}/party/{kind}/{}", percent::encode(id));
        let Party { number, name, lei, eori, duns, .. } = party;
        let uri = match number {
            Some(number) => match self.names.gln(*number) {
                Some(gln) => party_link(gln),
                None => format!("{base}/party/{number}"),
            },
            None => match (lei, eori, duns) {
                (Some(id), ..) => own("lei", id.as_str()),
                (None, Some(id), _) => own("eori", id.as_str()),
                (None, None, Some(id)) => own("duns", id.as_str()),
                (None, None, None) => own("name", name.as_str()),
            },
        };
        let texts = [
            ("name", Some(party.name.as_str())),
            ("streetAddressOne", party.address.as_deref()),
            ("countryCode", party.country.as_ref().map(|country| country.as_str())),
        ];
        let attributes: Vec<Value> = texts
            .into_iter()
            .filter_map(|(name, text)| Some(json!({ "id": format!("cbvmda:{name}"), "attribute": text? })))
            .collect();
        self.parties.insert(uri.clone(), json!({ "id": uri, "attributes": attributes }));
        uri
    }

    fn document(&self, document: Option<&Label>, kind: Option<&str>) -> Vec<Transaction> {
        let transaction = |label: &Label| Transaction {
            kind: kind.map(str::to_owned),
            biz_transaction: format!("{}/bt/{}", self.names.base, percent::encode(label.as_str())),
        };
        document.map(transaction).into_iter().collect()
    }

    /// The names of parts, each by itself: EPCIS knows no ranges.
    fn names_of(&mut self, event: &record::Event, serials: SerialRange) -> Result<Vec<String>> {
        self.parts = self.parts.saturating_add(serials.count());
        if self.parts > MAX_PARTS {
            return Err(Error::unusable(format!("its events name more than {MAX_PARTS} parts, one by one"))
                .hint("export fewer records at a time with --records FIRST-LAST; a table (--format csv) has ranges"));
        }
        let part = match &event.what {
            What::Commissioned { part, .. } => Some(part.clone()),
            _ => match event.after {
                Some(number) => self.ledger.made_by(number)?.map(|(_, part, _)| part),
                None => None,
            },
        };
        let name = self.naming(part.as_ref(), event.line);
        Ok((serials.first.get()..=serials.last.get()).filter_map(Serial::new).map(name).collect())
    }

    fn naming(&self, part: Option<&Label>, line: KeyBytes) -> impl Fn(Serial) -> String + use<> {
        let article = part.and_then(|part| self.names.articles.of_part(part, &line)).cloned();
        let base = self.names.base.clone();
        move |serial| match &article {
            Some(article) => part_link(&article.gtin, &format!("{}{serial}", article.prefix)),
            None => own_part(&base, &line, serial),
        }
    }
}

//! EPCIS documents as JSON: what is read and written of them. What else stands in one is passed over.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use touchmark_formats::date::Date;
use touchmark_formats::ledger::handover::HandOver;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;

/// The name of what these fields hold that GS1 has no word for.
pub(super) const NAMESPACE: &str = "https://touchmark.invalid/epcis/";
/// The lot of a part, in the master data of instances and lots.
pub(super) const LOT: &str = "cbvmda:lotNumber";

/// A step of a process (CBV, section 7.1), by the name that JSON-LD shortens it to.
pub(super) mod step {
    pub(in super::super) const COMMISSIONING: &str = "commissioning";
    pub(in super::super) const SHIPPING: &str = "shipping";
    pub(in super::super) const VOID_SHIPPING: &str = "void_shipping";
    pub(in super::super) const RECEIVING: &str = "receiving";
    pub(in super::super) const DESTROYING: &str = "destroying";
}

/// The disposition of parts that came back.
pub(super) const RETURNED: &str = "returned";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Results {
    results_body: Found,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    event_list: Vec<Event>,
}

/// An event, of any of the types.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(rename = "eventID", default, skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) event_time: Timestamp,
    pub(super) event_time_zone_offset: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) error_declaration: Option<ErrorDeclaration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) biz_step: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) disposition: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) epc_list: Vec<String>,
    #[serde(rename = "parentID", default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<String>,
    #[serde(rename = "childEPCs", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) children: Vec<String>,
    /// What a TransformationEvent made.
    #[serde(rename = "outputEPCList", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) output_epc_list: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) quantity_list: Vec<Quantity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) child_quantity_list: Vec<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) read_point: Option<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) biz_location: Option<Place>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) biz_transaction_list: Vec<Transaction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) source_list: Vec<Source>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) destination_list: Vec<Destination>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) ilmd: BTreeMap<String, Value>,
    /// The number of the record.
    #[serde(rename = "touchmark:record", default, skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<u64>,
    /// The part number of what was commissioned.
    #[serde(rename = "touchmark:part", default, skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<Label>,
    /// The root of the keys that were committed to, in base64.
    #[serde(rename = "touchmark:keys", default, skip_serializing_if = "Option::is_none")]
    pub(super) keys: Option<String>,
    /// All that is on record of who got the parts.
    #[serde(rename = "touchmark:to", default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<Party>,
    /// The same of whose door they went to.
    #[serde(rename = "touchmark:shipTo", default, skip_serializing_if = "Option::is_none")]
    pub(super) ship_to: Option<Party>,
    /// What whoever passed the parts on signed.
    #[serde(rename = "touchmark:handOver", default, skip_serializing_if = "Option::is_none")]
    pub(super) hand_over: Option<Signed<HandOver>>,
    /// Why the record before this one is wrong.
    #[serde(rename = "touchmark:reason", default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Label>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorDeclaration {
    pub(super) declaration_time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Quantity {
    pub(super) epc_class: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) quantity: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) uom: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transaction {
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    pub(super) biz_transaction: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Source {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) source: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Destination {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) destination: String,
}

/// A word of the CBV without what long forms of it begin with.
pub(super) fn word(text: &str) -> &str {
    let long = ["urn:epcglobal:cbv:", "https://ref.gs1.org/cbv/", "https://ns.gs1.org/cbv/"];
    match long.iter().find_map(|long| text.strip_prefix(long)) {
        Some(rest) => rest.rsplit([':', '-', '/']).next().unwrap_or(rest),
        None => text,
    }
}

impl Event {
    /// An event of objects that did not happen yet.
    pub(super) fn of_objects(date: Date, action: &str, step: &str) -> Self {
        Self {
            kind: "ObjectEvent".to_owned(),
            id: None,
            event_time: midnight(date),
            event_time_zone_offset: "+00:00".to_owned(),
            error_declaration: None,
            action: Some(action.to_owned()),
            biz_step: Some(step.to_owned()),
            disposition: None,
            epc_list: Vec::new(),
            parent: None,
            children: Vec::new(),
            output_epc_list: Vec::new(),
            quantity_list: Vec::new(),
            child_quantity_list: Vec::new(),
            read_point: None,
            biz_location: None,
            biz_transaction_list: Vec::new(),
            source_list: Vec::new(),
            destination_list: Vec::new(),
            ilmd: BTreeMap::new(),
            record: None,
            part: None,
            keys: None,
            to: None,
            ship_to: None,
            hand_over: None,
            reason: None,
        }
    }

    /// The step, if it is one of the CBV's.
    pub(super) fn step(&self) -> &str {
        self.biz_step.as_deref().map_or("", word)
    }

    /// The day where it happened.
    pub(super) fn date(&self, at: Timestamp) -> Result<Date, String> {
        let offset = &self.event_time_zone_offset;
        let seconds = || -> Option<i64> {
            let (sign, rest) = offset.split_at_checked(1)?;
            let (hours, minutes) = rest.split_once(':')?;
            let seconds = (hours.parse::<u8>().ok()? as i64 * 60 + minutes.parse::<u8>().ok()? as i64) * 60;
            match sign {
                "+" => Some(seconds),
                "-" => Some(-seconds),
                _ => None,
            }
        };
        let seconds = seconds().ok_or_else(|| format!("{offset:?} is no eventTimeZoneOffset, as +01:00"))?;
        let there = at.as_second().checked_add(seconds).and_then(|at| Timestamp::from_second(at).ok());
        let civil = jiff::tz::TimeZone::UTC.to_datetime(there.unwrap_or(at)).date();
        Date::try_from(civil).map_err(|_| format!("{civil} is no day of the ledger's, {} to {}", Date::MIN, Date::MAX))
    }
}

/// The first moment of a day, UTC.
pub(super) fn midnight(date: Date) -> Timestamp {
    let moment = jiff::tz::TimeZone::UTC.to_timestamp(date.civil().at(0, 0, 0, 0));
    // Every day of the ledger's has one.
    moment.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The events of a document, of the answer to a query, or the one event that the file holds.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Event>, serde_json::Error> {
    // What is wrong with an event is told with its place only if the kind of file is known first.
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Of<T> {
        epcis_body: T,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        query_results: Results,
    }
    let Kind { kind } = serde_json::from_slice(bytes)?;
    match kind.as_str() {
        "EPCISDocument" => serde_json::from_slice::<Of<Found>>(bytes).map(|of| of.epcis_body.event_list),
        "EPCISQueryDocument" => {
            let of = serde_json::from_slice::<Of<Answer>>(bytes)?;
            Ok(of.epcis_body.query_results.results_body.event_list)
        }
        _ => serde_json::from_slice(bytes).map(|event| vec![event]),
    }
}

//! The line as a device of a Sparkplug B edge node (Eclipse Sparkplug 3.0): the node is this process, the device is the line.
//!
//! | message | what it carries |
//! | --- | --- |
//! | NBIRTH, NDEATH | `bdSeq`; `Node Control/Rebirth` |
//! | DBIRTH, DDATA | the line's state: `Issued`, `Verified`, `Void`, `Serials Left`, `Delegation Days Left`, `Store Ok`, `Key Ok` |
//! | DCMD | `Request`: a request as a line of JSON Lines; or its fields, each as a metric `Request/part`, `Request/id` ... |
//! | DDATA | `Answer`: the answer as JSON, `Answer/id`: the id of its request |
//! | NCMD | `Node Control/Rebirth` |
//!
//! Sparkplug sends commands and data with quality of service 0: an answer that does not come is asked for again under the
//! same id. All hosts share one name space of ids, for a command does not say who sends it.

use super::payload::{Metric, Payload, Value as Number};
use super::{Dialect, Message, Read, check_level, now};
use crate::error::{Error, Result};
use crate::line::adapters::metrics::days_left;
use crate::line::desk::Status;
use crate::line::protocol::{Answer, MAX_BYTES, Request, id_of};
use jiff::Timestamp;
use serde_json::{Map, Value};

const REBIRTH: &str = "Node Control/Rebirth";
const REQUEST: &str = "Request";
/// Whose ids the requests have.
const CLIENT: &str = "sparkplug";
const ANSWER: &str = "Answer";

/// An edge node with one device.
#[derive(Debug)]
pub struct Sparkplug {
    group: String,
    node: String,
    device: String,
    /// The number of the next connection, which ties a death to its birth.
    connections: u64,
    /// The number of the next message.
    seq: u8,
    /// The state that was told last.
    told: Vec<Metric>,
}

impl Sparkplug {
    /// The device `device` of the edge node `node` in `group`.
    ///
    /// # Errors
    /// One of them cannot be in a topic.
    pub fn new(group: &str, node: &str, device: &str) -> Result<Self> {
        [group, node, device].into_iter().try_for_each(check_level)?;
        let [group, node, device] = [group, node, device].map(str::to_owned);
        Ok(Self { group, node, device, connections: 0, seq: 0, told: Vec::new() })
    }

    fn node_topic(&self, kind: &str) -> String {
        format!("spBv1.0/{}/{kind}/{}", self.group, self.node)
    }

    fn device_topic(&self, kind: &str) -> String {
        format!("{}/{}", self.node_topic(kind), self.device)
    }

    fn message(&mut self, topic: String, metrics: Vec<Metric>) -> Message {
        let seq = self.seq;
        self.seq = seq.wrapping_add(1);
        Message { topic, payload: Payload::bytes(metrics, now(), Some(seq)), confirmed: false, retained: false }
    }

    /// The number of this connection, which the birth and the death of it carry.
    fn number(&self) -> Metric {
        Metric::int64("bdSeq", self.connections.wrapping_sub(1) & 0xff)
    }

    fn death(&self) -> Message {
        let payload = Payload::bytes(vec![self.number()], now(), None);
        Message { topic: self.node_topic("NDEATH"), payload, confirmed: true, retained: false }
    }
}

impl Dialect for Sparkplug {
    fn keeps_session(&self) -> bool {
        false
    }

    fn will(&mut self) -> Message {
        self.connections += 1;
        self.death()
    }

    fn topics(&self) -> Vec<String> {
        vec![self.node_topic("NCMD"), self.device_topic("DCMD")]
    }

    fn birth(&mut self, status: &Status) -> Vec<Message> {
        self.seq = 0;
        let node = vec![self.number(), Metric::yes(REBIRTH, false)];
        self.told = state(status);
        let mut device = self.told.clone();
        device.extend([REQUEST, ANSWER, "Answer/id"].map(|name| Metric::text(name, "")));
        device.extend(FIELDS.map(|(name, kind)| kind(&format!("{REQUEST}/{name}"))));
        let (nbirth, dbirth) = (self.node_topic("NBIRTH"), self.device_topic("DBIRTH"));
        vec![self.message(nbirth, node), self.message(dbirth, device)]
    }

    fn read(&self, topic: &str, payload: &[u8], retained: bool) -> Read {
        let wrong = |error| Read::Wrong(CLIENT.to_owned(), None, error);
        let metrics = Payload::read(payload).map(|payload| payload.metrics);
        if topic == self.node_topic("NCMD") {
            let asks = |m: &Metric| m.name.as_deref() == Some(REBIRTH) && m.is_yes();
            return match metrics {
                Some(metrics) if !retained && metrics.iter().any(asks) => Read::Again,
                _ => Read::Ignored(format!("the node knows no command but {REBIRTH}, not retained")),
            };
        }
        match metrics {
            _ if retained => wrong(
                Error::unusable("a retained command would come back with every connection")
                    .hint("publish it without retain"),
            ),
            None => wrong(Error::unusable("the command is no payload of Sparkplug B")),
            Some(metrics) => request(&metrics),
        }
    }

    fn answer(&mut self, _: &str, answer: &Answer) -> Vec<Message> {
        let id = answer.id.clone().unwrap_or_default();
        let text = serde_json::to_string(answer).unwrap_or_default();
        let metrics = vec![Metric::text(ANSWER, text), Metric::text("Answer/id", id)];
        let topic = self.device_topic("DDATA");
        vec![self.message(topic, metrics)]
    }

    fn news(&mut self, status: &Status) -> Vec<Message> {
        let state = state(status);
        if self.told == state {
            return Vec::new();
        }
        self.told.clone_from(&state);
        let topic = self.device_topic("DDATA");
        vec![self.message(topic, state)]
    }

    fn farewell(&mut self, _: &Status) -> Vec<Message> {
        let topic = self.device_topic("DDEATH");
        vec![self.message(topic, Vec::new()), self.death()]
    }
}

/// What a birth says of a field, so that a host knows its type.
type Empty = fn(&str) -> Metric;
const TEXT: Empty = |name| Metric::text(name, "");
const COUNT: Empty = |name| Metric::count(name, 0);

/// The fields of a request that have a metric of their own.
const FIELDS: [(&str, Empty); 15] = [
    ("do", TEXT),
    ("id", TEXT),
    ("client", TEXT),
    ("part", TEXT),
    ("lot", TEXT),
    ("date", TEXT),
    ("recipe", TEXT),
    ("as", TEXT),
    ("reason", TEXT),
    ("grade", TEXT),
    ("text", TEXT),
    ("bytes", TEXT),
    ("serial", COUNT),
    ("consignee", COUNT),
    ("count", COUNT),
];

fn state(status: &Status) -> Vec<Metric> {
    vec![
        Metric::count("Issued", status.issued),
        Metric::count("Verified", status.verified),
        Metric::count("Void", status.void),
        Metric::count("Serials Left", status.left),
        Metric::count("Delegation Days Left", days_left(status, Timestamp::now())),
        Metric::yes("Store Ok", status.store_ok),
        Metric::yes("Key Ok", status.key_ok),
    ]
}

/// The request of a command: a text of JSON, or fields.
fn request(metrics: &[Metric]) -> Read {
    let named = |metric: &Metric| metric.name.clone().zip(metric.value.clone());
    let parts: Vec<(String, Number)> = metrics.iter().filter_map(named).collect();
    let whole = parts.iter().find(|(name, _)| name == REQUEST);
    let fields = parts.iter().filter_map(|(name, value)| Some((name.strip_prefix("Request/")?, value)));
    let fields: Vec<_> = fields.collect();
    let request = match whole {
        Some((_, Number::String(text))) if text.len() <= MAX_BYTES => Request::from_line(text),
        Some(_) => Err(Error::unusable(format!("the metric `Request` is no text of at most {MAX_BYTES} bytes"))),
        None if fields.is_empty() => Err(Error::unusable("the command has no metric `Request`, nor one of its fields")
            .hint("DBIRTH lists the metrics and their types")),
        None => of_fields(&fields),
    };
    match request {
        Ok(request) => Read::Request(CLIENT.to_owned(), Box::new(request)),
        Err(e) => Read::Wrong(CLIENT.to_owned(), id(whole.map(|(_, value)| value), &fields), e),
    }
}

/// The id in a command that is no request.
fn id(whole: Option<&Number>, fields: &[(&str, &Number)]) -> Option<String> {
    match (whole, fields.iter().find(|(field, _)| *field == "id")) {
        (Some(Number::String(text)), _) if text.len() <= MAX_BYTES => Request::id_in(text),
        (None, Some((_, Number::String(id)))) => id_of(id),
        _ => None,
    }
}

fn of_fields(fields: &[(&str, &Number)]) -> Result<Request> {
    let mut request = Map::new();
    for (field, value) in fields {
        let value = match value {
            Number::String(text) if text.is_empty() => continue,
            // A grade is a number in the request, and no whole one.
            Number::String(text) if *field == "grade" => text.parse::<serde_json::Number>().map(Value::Number).ok(),
            Number::String(text) => Some(Value::from(text.as_str())),
            Number::Long(number) => Some(Value::from(*number)),
            Number::Int(number) => Some(Value::from(*number)),
            Number::Double(number) => serde_json::Number::from_f64(*number).map(Value::Number),
            // In single precision 3.4 is what is written so, and not 3.4000000953...
            Number::Float(number) => number.to_string().parse::<serde_json::Number>().map(Value::Number).ok(),
            _ => None,
        };
        let value = value.ok_or_else(|| {
            Error::unusable(format!("the metric \"{REQUEST}/{field}\" is of another type"))
                .hint("DBIRTH lists the metrics and their types")
        })?;
        request.insert((*field).to_owned(), value);
    }
    Request::from_line(&Value::Object(request).to_string())
}

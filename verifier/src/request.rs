//! Trace requests: of which parts a maker is to say where they went.

use crate::material::RequesterKey;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::request::{MAX_PLACES, TraceRequest};
use touchmark_formats::mark::Serial;
use touchmark_formats::signed::{Signed, is_line, message};
use touchmark_formats::text::Label;
use touchmark_formats::trust::Trust;

/// Places by the maker that is to be asked.
pub type Places = BTreeMap<Label, BTreeSet<Place>>;

/// Who asks, and what for.
pub struct Requester<'a> {
    /// The name.
    pub name: Label,
    /// The age recipient to which the answer is to be encrypted.
    pub recipient: String,
    /// The case.
    pub case: String,
    /// The key that signs.
    pub key: &'a RequesterKey,
    /// The present.
    pub now: Timestamp,
}

/// Why no request can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// More serials than a request holds.
    TooMany,
    /// The case or the recipient is not one that a request can hold.
    NotALine,
}

impl std::fmt::Display for RequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooMany => write!(f, "more than {MAX_PLACES} serials: ask in several requests"),
            Self::NotALine => f.write_str("the case or the recipient is not one that a request can hold"),
        }
    }
}

impl std::error::Error for RequestError {}

/// A signed request for `places`, and the public key that signed it.
///
/// # Errors
/// [`RequestError`].
pub fn request(
    requester: &Requester<'_>,
    places: &BTreeSet<Place>,
) -> Result<(Signed<TraceRequest>, KeyBytes), RequestError> {
    if places.len() > MAX_PLACES {
        return Err(RequestError::TooMany);
    }
    if !is_line(&requester.case) || requester.recipient.parse::<age::x25519::Recipient>().is_err() {
        return Err(RequestError::NotALine);
    }
    let request = TraceRequest {
        requester: requester.name.clone(),
        recipient: requester.recipient.clone(),
        case: requester.case.clone(),
        // Files that people read say seconds.
        created: Timestamp::from_second(requester.now.as_second()).unwrap_or(requester.now),
        places: places.iter().copied().collect(),
    };
    let mut envelope = Signed::new(request);
    let (public, signature) = requester.key.sign(&message(&envelope.signed));
    envelope.attach(public, signature);
    Ok((envelope, public))
}

/// Finds every mark with a good signature in a verdict as `--json` prints it, wherever it stands there: its line key by what
/// the bundle says.
pub fn collect(value: &Value, trust: &Trust, found: &mut Places) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, trust, found)),
        Value::Object(members) => {
            let text = |name: &str| members.get(name).and_then(Value::as_str);
            let serial = members.get("serial").and_then(Value::as_u64).and_then(Serial::new);
            if let (Some(maker), Some(line), Some(id), Some(serial)) =
                (text("maker"), text("line"), text("key_id"), serial)
                && let Some((maker, line)) = line_key(trust, maker, line, id)
            {
                found.entry(maker).or_default().insert(Place { line, serial });
            }
            members.values().for_each(|member| collect(member, trust, found));
        }
        _ => {}
    }
}

fn line_key(trust: &Trust, maker: &str, line: &str, id: &str) -> Option<(Label, KeyBytes)> {
    let maker = trust.makers.iter().find(|own| own.name.as_str() == maker)?;
    let own = maker.delegations.iter().map(|envelope| &envelope.signed);
    let found = own.into_iter().find(|d| d.line.as_str() == line && d.key.id().to_string() == id)?;
    Some((maker.name.clone(), found.key))
}

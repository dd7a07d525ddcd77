//! A trace request: an authority asks a maker where some parts went.

use super::map::Place;
use crate::signed::{Document, instant, line};
use crate::text::Label;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The most serials of one request.
pub const MAX_PLACES: usize = 10_000;

/// Where did the parts with these serials go?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceRequest {
    /// Who asks.
    pub requester: Label,
    /// The age recipient to which the answer is to be encrypted.
    #[serde(deserialize_with = "line")]
    pub recipient: String,
    /// The case.
    #[serde(deserialize_with = "line")]
    pub case: String,
    /// When, UTC.
    #[serde(deserialize_with = "instant")]
    pub created: Timestamp,
    /// The line keys and serials of the marks: at most [`MAX_PLACES`], all different, in rising order.
    #[serde(deserialize_with = "places")]
    pub places: Vec<Place>,
}

impl Document for TraceRequest {
    const TYPE: &'static str = "touchmark/v1/trace-request";
}

fn places<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Place>, D::Error> {
    let places = Vec::<Place>::deserialize(d)?;
    let good = places.len() <= MAX_PLACES && places.is_sorted_by(|a, b| a < b);
    if good { Ok(places) } else { Err(D::Error::custom("places are at most 10,000, all different, in rising order")) }
}

//! The payload of Sparkplug B: the part of its protobuf schema (Eclipse Sparkplug 3.0, section 6.4) that a line speaks.
//! Fields that others may send and a line has no use for (metadata, properties, data sets, templates) are passed over, as
//! protobuf does with what it does not know.

use prost::Message;

/// A payload.
#[derive(Clone, PartialEq, Message)]
pub struct Payload {
    /// When it was sent, in milliseconds of Unix time.
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    /// What it says.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    /// The number of the message, 0 to 255 and round again; a gap tells the host that it missed one.
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
}

/// One named value.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Its name; a birth gives every metric one.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// A number that stands for the name after the birth.
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// When the value was so, in milliseconds of Unix time.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    /// What kind of value, from the list of data types.
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    /// There is no value.
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    /// The value.
    #[prost(oneof = "Value", tags = "10, 11, 12, 13, 14, 15, 16")]
    pub value: Option<Value>,
}

/// A value.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Value {
    /// Integers up to 32 bits.
    #[prost(uint32, tag = "10")]
    Int(u32),
    /// Integers of 64 bits, and instants.
    #[prost(uint64, tag = "11")]
    Long(u64),
    /// Single precision.
    #[prost(float, tag = "12")]
    Float(f32),
    /// Double precision.
    #[prost(double, tag = "13")]
    Double(f64),
    /// Yes or no.
    #[prost(bool, tag = "14")]
    Boolean(bool),
    /// Text.
    #[prost(string, tag = "15")]
    String(String),
    /// Bytes.
    #[prost(bytes = "vec", tag = "16")]
    Bytes(Vec<u8>),
}

/// Data types that a line sends.
mod datatype {
    pub(super) const INT64: u32 = 4;
    pub(super) const UINT64: u32 = 8;
    pub(super) const BOOLEAN: u32 = 11;
    pub(super) const STRING: u32 = 12;
}

impl Metric {
    /// A text.
    #[must_use]
    pub fn text(name: &str, value: impl Into<String>) -> Self {
        Self::new(name, datatype::STRING, Value::String(value.into()))
    }

    /// A count.
    #[must_use]
    pub fn count(name: &str, value: u64) -> Self {
        Self::new(name, datatype::UINT64, Value::Long(value))
    }

    /// A signed number of 64 bits, as the number of a birth and its death is.
    #[must_use]
    pub fn int64(name: &str, value: u64) -> Self {
        Self::new(name, datatype::INT64, Value::Long(value))
    }

    /// Yes or no.
    #[must_use]
    pub fn yes(name: &str, value: bool) -> Self {
        Self::new(name, datatype::BOOLEAN, Value::Boolean(value))
    }

    fn new(name: &str, datatype: u32, value: Value) -> Self {
        Self { name: Some(name.to_owned()), datatype: Some(datatype), value: Some(value), ..Self::default() }
    }

    /// Whether it says yes.
    #[must_use]
    pub fn is_yes(&self) -> bool {
        self.value == Some(Value::Boolean(true))
    }
}

impl Payload {
    /// The bytes of a payload that says `metrics` at `now`, in milliseconds of Unix time.
    #[must_use]
    pub fn bytes(metrics: Vec<Metric>, now: u64, seq: Option<u8>) -> Vec<u8> {
        let metrics = metrics.into_iter().map(|metric| Metric { timestamp: Some(now), ..metric }).collect();
        Self { timestamp: Some(now), metrics, seq: seq.map(u64::from) }.encode_to_vec()
    }

    /// Reads a payload; `None` if it is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Self::decode(bytes).ok()
    }
}

//! What is asked of the line and what it answers: one JSON object each, the same on every way in.
//!
//! ```json
//! {"id":"4711","part":"STM32F407VGT6","lot":"A2B347K","count":2}
//! {"id":"4711","marks":[{"serial":1,"text":"..."},{"serial":2,"text":"..."}]}
//! ```

use crate::error::{Error, Kind};
use serde::{Deserialize, Serialize};
use touchmark_formats::date::Date;
use touchmark_formats::text::Label;

/// The longest request, in bytes: one that says everything takes a tenth of it.
pub const MAX_BYTES: usize = 16 << 10;
/// The most marks of one request.
pub const MAX_COUNT: u64 = 10_000;
/// The longest id, client and reason, in bytes.
pub const MAX_TEXT: usize = 128;

/// What a request looks like.
const HOW: &str = "a request is one JSON object on one line, such as {\"id\":\"1\",\"part\":\"P\",\"count\":1}";

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Issue marks.
    #[default]
    Issue,
    /// The line's camera has read the mark of `serial`.
    Verify,
    /// The mark of `serial` is on no good part, for `reason`.
    Void,
    /// The line's reader read `text` or `bytes`, or nothing, where the mark of `serial` should be: verify it or void it,
    /// and then issue another if `part` or `recipe` says of what.
    Read,
    /// Say what was issued under `serial`.
    Find,
    /// Say how the line is.
    Status,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// What is to be done; marks are issued if nothing is said.
    #[serde(rename = "do")]
    pub action: Action,
    /// The client's own name for this request. The same id with the same content gets the same marks, for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Who asks: ids are unique within a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The product's recipe.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// The part number, where the recipe does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Label>,
    /// The lot code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<Label>,
    /// The day of production; today (UTC) if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Date>,
    /// The number of the consignee, which is sealed into the mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consignee: Option<u64>,
    /// How many marks, 1 to [`MAX_COUNT`]; 1 if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// The form of the answer, where it is not the recipe's.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The serial that is spoken of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// Why it is void.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Print quality, 0.0 to 4.0 (ISO/IEC 15415, 29158).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<serde_json::Number>,
    /// What was read, in the text form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What was read, as bytes in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<String>,
    /// The answer has one line a mark, so that no artwork stands in it. Said by the way in, never by a client.
    #[serde(skip)]
    pub one_line: bool,
}

/// The form in which marks are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The text form (base45), for whoever draws the symbol itself.
    #[default]
    Text,
    /// The modules, row by row: 1 is dark in ordinary print.
    Matrix,
    /// Artwork as SVG.
    Svg,
    /// Artwork as PNG, in base64.
    Png,
    /// Artwork as DXF, for lasers.
    Dxf,
    /// Artwork as ZPL, for label printers.
    Zpl,
}

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The request's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether the mark that was spoken of is good, or why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The marks were issued before, when this id was asked first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub again: bool,
    /// The form of artwork.
    #[serde(rename = "as", default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// The marks, in the order of their serials.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// The part, lot and date of a mark that was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
    /// How the line is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<super::desk::Status>,
    /// Why there is nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
}

fn is_false(no: &bool) -> bool {
    !no
}

/// One mark.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Its serial.
    pub serial: u64,
    /// The text form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The modules: rows of 0 and 1, 1 dark in ordinary print, joined by `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<String>,
    /// The artwork: text, or base64 for PNG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artwork: Option<String>,
}

/// What is on record of a mark.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The part.
    pub part: Label,
    /// The lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Label>,
    /// The day of production.
    pub date: Date,
    /// Why it is void.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Print quality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// `refused` by a rule; `unusable` as it was said; or `retry`: the store or the key failed, and the same request with
    /// the same id learns whether it was done.
    pub kind: String,
    /// What is wrong.
    pub message: String,
    /// The way out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let kind = match error.kind {
            Kind::Refused => "refused",
            Kind::Storage | Kind::Key => "retry",
            Kind::Unusable | Kind::ClosedPipe => "unusable",
        };
        Self { kind: kind.to_owned(), message: error.message.clone(), hint: error.hint.clone() }
    }
}

impl Answer {
    /// The answer to a request that was not done.
    #[must_use]
    pub fn failure(id: Option<String>, error: &Error) -> Self {
        Self { id, error: Some(error.into()), ..Self::default() }
    }

    /// The answer as one line of JSON, with its line feed.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        let mut line = Vec::new();
        // Strings and numbers always have a form in JSON.
        if serde_json::to_writer(&mut line, self).is_err() {
            line = br#"{"error":{"kind":"unusable","message":"the answer has no form in JSON"}}"#.to_vec();
        }
        line.push(b'\n');
        line
    }
}

/// An id as it is said again to whoever sent what is no request.
pub(super) fn id_of(text: &str) -> Option<String> {
    (1..=MAX_TEXT).contains(&text.len()).then(|| text.to_owned())
}

impl Request {
    /// The request in one line.
    ///
    /// # Errors
    /// It is no request, with the place in the line.
    pub fn from_line(line: &str) -> Result<Self, Error> {
        // A list of the values of all fields would be one as well, for the parser.
        if !line.trim_start().starts_with('{') {
            return Err(Error::unusable("not a request: it is no JSON object").hint(HOW));
        }
        serde_json::from_str(line).map_err(|e| {
            let named = |field: &String| e.to_string().contains(&format!("`{field}`"));
            let field = Self::wrong_field(line).filter(|field| !named(field));
            let field = field.map_or_else(String::new, |field| format!("{field}: "));
            Error::unusable(format!("not a request: {field}{e}")).hint(HOW)
        })
    }

    /// The field that makes a line no request, which the parser does not name where its value is the matter.
    fn wrong_field(line: &str) -> Option<String> {
        let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).ok()?;
        let alone = |(field, value)| serde_json::Map::from_iter([(field, value)]);
        let wrong =
            |object: &serde_json::Map<_, _>| Self::deserialize(serde_json::Value::from(object.clone())).is_err();
        fields.into_iter().map(alone).find(wrong)?.into_iter().next().map(|(field, _)| field)
    }

    /// The id in a line that is no request, if it is JSON all the same.
    #[must_use]
    pub fn id_in(line: &str) -> Option<String> {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        id_of(value.get("id")?.as_str()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_that_is_wrong_is_named() {
        for (line, what) in [
            (r#"{"id":"a","part":""}"#, "not a request: part: "),
            (r#"{"part":"P","date":"24.11.2026"}"#, "not a request: date: "),
            (r#"{"part":"P","count":-1}"#, "not a request: count: "),
            (r#"{"part":"P","prat":1}"#, "not a request: unknown field `prat`"),
            (r#"{"part":"P""#, "not a request: EOF"),
            (r#"["issue","a",null,null,"P"]"#, "not a request: it is no JSON object"),
        ] {
            let message = Request::from_line(line).unwrap_err().message;
            assert!(message.starts_with(what), "{line}: {message}");
        }
    }
}

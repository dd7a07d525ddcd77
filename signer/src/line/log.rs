//! What happens on the line, as lines of JSON on standard error: `at`, `level`, `event`, and what belongs to the event.
//! No secret and no consignee ever stands there.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::io::Write;

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The ordinary course.
    Info,
    /// Somebody should look at it in time.
    Warn,
    /// Marks are not coming out.
    Error,
}

/// Writes an event with its details, an object.
pub fn event(level: Level, event: &str, details: Value) {
    let mut line = Map::new();
    line.insert("at".to_owned(), json!(Timestamp::now().to_string()));
    let level = match level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    line.insert("level".to_owned(), json!(level));
    line.insert("event".to_owned(), json!(event));
    if let Value::Object(details) = details {
        line.extend(details);
    }
    // Whoever closed standard error wants no log.
    let _ = writeln!(std::io::stderr().lock(), "{}", Value::Object(line));
}

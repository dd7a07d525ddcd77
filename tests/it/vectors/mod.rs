//! The project's own test vectors, `tests/vectors/*.json`: what SPEC.md says, as data for any implementation.
//!
//! Every test makes its file anew from fixed keys and demands that the stored one is the same, then checks what stands
//! there against the code. `TOUCHMARK_WRITE_VECTORS=1 cargo test -p touchmark-tests vectors` writes the files.

mod capsules;
mod case_seal;
pub(crate) mod cases;
mod closes;
mod containers;
mod envelopes;
mod invalid;
mod keys;
mod ledger;
mod marks;
mod texts;
mod verdicts;

use serde_json::Value;
use std::fmt::Write as _;
use std::path::PathBuf;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, b| {
        write!(out, "{b:02x}").unwrap();
        out
    })
}

pub(crate) fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "{text}");
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

pub(crate) fn unhex_array<const N: usize>(text: &str) -> [u8; N] {
    unhex(text).try_into().unwrap()
}

/// The stored file, which must say what `made` says; writes it instead where that is asked for.
fn stored(name: &str, made: &Value) -> Value {
    let path = folder().join(name);
    if std::env::var_os("TOUCHMARK_WRITE_VECTORS").is_some() {
        std::fs::write(&path, layout(made)).unwrap();
    }
    let found: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(found == *made, "{name} is not what the generator makes; see the head of tests/it/vectors/mod.rs");
    found
}

/// One vector a line, so that a change shows as the lines that it changes.
fn layout(made: &Value) -> String {
    let members = made.as_object().unwrap().iter().map(|(name, value)| match value {
        Value::Array(items) => {
            let lines: Vec<_> = items.iter().map(|item| format!("  {item}")).collect();
            format!(" {name:?}: [\n{}\n ]", lines.join(",\n"))
        }
        other => format!(" {name:?}: {other}"),
    });
    format!("{{\n{}\n}}\n", members.collect::<Vec<_>>().join(",\n"))
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field].as_str().unwrap_or_else(|| panic!("{field} of {vector}"))
}

fn list<'a>(file: &'a Value, field: &str) -> &'a [Value] {
    let items = file[field].as_array().unwrap();
    assert!(!items.is_empty(), "{field}");
    items
}

//! The lines of a case: one spelling of each, and their cut into pieces (SPEC.md, 17.1 and 17.2).

use crate::signed::{canonical, is_small};
use serde_json::{Map, Value};

/// What a line says. `None` if it is not the canonical JSON (RFC 8785) of that, or a member has a name that is not ASCII:
/// two readers could take it for different things.
#[must_use]
pub fn from_line(line: &str) -> Option<Value> {
    let value = serde_json::from_str(line).ok()?;
    (has_ascii_names(&value) && canonical(&value) == line).then_some(value)
}

/// The line that says `value`. `None` if a member has a name that is not ASCII, or an integer is beyond 2^53 - 1, which not
/// every reader holds exactly.
#[must_use]
pub fn to_line(value: &Value) -> Option<String> {
    (has_ascii_names(value) && has_small_integers(value)).then(|| canonical(value))
}

fn has_ascii_names(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(has_ascii_names),
        Value::Object(members) => members.iter().all(|(name, value)| name.is_ascii() && has_ascii_names(value)),
        _ => true,
    }
}

fn has_small_integers(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(has_small_integers),
        Value::Object(members) => members.values().all(has_small_integers),
        Value::Number(number) => number.is_f64() || is_small(number),
        _ => true,
    }
}

/// Takes the members at `pointers` out of `line`, and gives what a piece that holds them is committed to: the canonical JSON
/// of an object of pointers and values. `None` if the pointers do not rise, or one is not there, or points at no member of an
/// object.
#[must_use]
pub fn take_members(line: &mut Value, pointers: &[String]) -> Option<String> {
    if !pointers.is_sorted_by(|a, b| a < b) {
        return None;
    }
    let mut taken = Map::new();
    for pointer in pointers {
        taken.insert(pointer.clone(), take_member(line, pointer)?);
    }
    Some(canonical(&Value::Object(taken)))
}

/// Takes the member at `pointer` (RFC 6901) out of its object.
#[must_use]
pub fn take_member(line: &mut Value, pointer: &str) -> Option<Value> {
    // RFC 6901, section 3: `~` is written as `~0`, `/` within a name as `~1`, and nothing else is escaped.
    if pointer.split('~').skip(1).any(|after| !after.starts_with(['0', '1'])) {
        return None;
    }
    let (parent, name) = pointer.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    line.pointer_mut(parent)?.as_object_mut()?.remove(&name)
}

/// Whether no two of these members are the same, or one within the other: then it does not matter which is taken out first.
#[must_use]
pub fn are_apart<'a>(pointers: impl IntoIterator<Item = &'a String>) -> bool {
    let mut ways: Vec<Vec<&str>> = pointers.into_iter().map(|pointer| pointer.split('/').collect()).collect();
    // What begins with another comes right behind it.
    ways.sort_unstable();
    ways.windows(2).all(|pair| matches!(pair, [a, b] if !b.starts_with(a)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_that_are_none_are_refused() {
        for pointer in ["", "a", "/b", "/list/0", "/a/b", "/list/9/x", "/list/01/x", "/t~2", "/t~"] {
            let mut line = json!({ "a": 1, "list": [1, { "x": 2 }], "t~2": 3, "t~": 4 });
            assert_eq!(take_members(&mut line, &[pointer.to_owned()]), None, "{pointer:?}");
        }
        for pointers in [["/b", "/a"], ["/a", "/a"], ["/a", "/a/x"]] {
            let mut line = json!({ "a": { "x": 1 }, "b": 2 });
            assert_eq!(take_members(&mut line, &pointers.map(str::to_owned)), None, "{pointers:?}");
        }
    }

    #[test]
    fn members_within_each_other_are_found() {
        let apart = |pointers: &[&str]| are_apart(&pointers.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
        assert!(apart(&[]) && apart(&["/a"]) && apart(&["/a", "/ab", "/a!b", "/b/a"]));
        // Between "/a" and "/a/b" by their bytes.
        assert!(!apart(&["/a/b", "/a!b", "/a"]) && !apart(&["/a", "/a"]));
    }

    #[test]
    fn a_line_has_one_spelling() {
        for line in
            [r#"{"a":1.5,"b":[9007199254740991,-1,1e+21]}"#, "1", r#""é\u0001""#, "118.37578055555555", "5e-324"]
        {
            let value = from_line(line);
            assert!(value.is_some(), "{line}");
            assert_eq!(value.as_ref().and_then(to_line).as_deref(), Some(line));
        }
        let other = [
            "",
            "{",
            "1 ",
            " 1",
            "1.0",
            "-0",
            "1e3",
            r#"{"b":1,"a":1}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"é":1}"#,
            r#""\u00e9""#,
            r#""\/""#,
            "9007199254740993",
            "1152921504606846976",
            "[1, 2]",
            "{}{}",
            "\u{feff}1",
        ];
        for line in other {
            assert_eq!(from_line(line), None, "{line}");
        }
        assert_eq!(to_line(&json!({ "a": [9_007_199_254_740_992_u64] })), None);
        assert_eq!(to_line(&json!([{ "é": 1 }])), None);
    }
}

//! Which members of the lines of a case may be left out, by class of evidence. The one place for what is private.

use serde_json::Value;
use std::collections::BTreeMap;
use touchmark_formats::case::Class;

/// The file of a single line that says what the case is.
pub(super) const CASE: &str = "case.json";
/// The files of a case whose lines are evidence, in the order in which they are sealed.
pub(super) const FILES: [&str; 3] = [CASE, "results.jsonl", "parts.jsonl"];

/// Members by file and class; `*` stands for every item of a list.
const RULES: &[(&str, Class, &str)] = &[
    ("case.json", Class::Path, "/inputs"),
    ("case.json", Class::Path, "/trust/file"),
    ("case.json", Class::Path, "/disclosures/*/file"),
    // A view of several cases.
    ("case.json", Class::Path, "/cases/*/name"),
    ("case.json", Class::Path, "/cases/*/trust/file"),
    ("case.json", Class::Path, "/cases/*/disclosures/*/file"),
    ("results.jsonl", Class::Path, "/also_in"),
    ("results.jsonl", Class::Path, "/photo/path"),
    ("results.jsonl", Class::Path, "/photo/path_base64"),
    ("results.jsonl", Class::Path, "/error"),
    ("results.jsonl", Class::Place, "/photo/latitude"),
    ("results.jsonl", Class::Place, "/photo/longitude"),
    ("results.jsonl", Class::Place, "/photo/camera"),
    ("results.jsonl", Class::Consignee, "/marks/*/consignee"),
    ("results.jsonl", Class::Consignee, "/marks/*/trail"),
    ("parts.jsonl", Class::Path, "/photos"),
    ("parts.jsonl", Class::Path, "/read_from"),
    ("parts.jsonl", Class::Path, "/clones/*/here/path"),
    ("parts.jsonl", Class::Path, "/clones/*/there/path"),
    ("parts.jsonl", Class::Path, "/clones/*/case"),
    ("parts.jsonl", Class::Place, "/clones/*/here/place"),
    ("parts.jsonl", Class::Place, "/clones/*/there/place"),
    ("parts.jsonl", Class::Consignee, "/consignee"),
    ("parts.jsonl", Class::Consignee, "/trail"),
];

/// Sentences, which could repeat a name that is left out elsewhere.
const SENTENCES: [&str; 4] = ["reason", "detail", "error", "damage"];
/// Texts shorter than this are too common to be looked for in sentences.
const SHORTEST_NAME: usize = 4;

/// The members of a line of `file` that may be left out, as JSON pointers in rising order, by class.
pub(super) fn classified(file: &str, line: &Value) -> BTreeMap<Class, Vec<String>> {
    let mut out: BTreeMap<Class, Vec<String>> = BTreeMap::new();
    let mut names: Vec<(Class, &str)> = Vec::new();
    for (_, class, pattern) in RULES.iter().filter(|(own, ..)| *own == file) {
        for pointer in expanded(line, pattern) {
            let Some(value) = line.pointer(&pointer) else { continue };
            // That a consignee is sealed, or not there, is no secret.
            if *class == Class::Consignee && value.get("status").is_some_and(|status| status != "disclosed") {
                continue;
            }
            texts(value, &mut |text| names.push((*class, text)));
            out.entry(*class).or_default().push(pointer);
        }
    }
    names.retain(|(_, name)| name.len() >= SHORTEST_NAME);
    let taken: Vec<String> = out.values().flatten().cloned().collect();
    sentences(line, String::new(), &mut |pointer, sentence| {
        let inside = |taken: &String| pointer == taken || pointer.starts_with(&format!("{taken}/"));
        if !taken.iter().any(inside)
            && let Some((class, _)) = names.iter().find(|(_, name)| sentence.contains(name))
        {
            out.entry(*class).or_default().push(pointer.to_owned());
        }
    });
    out.values_mut().for_each(|pointers| pointers.sort());
    out
}

/// The pointers to what is there by a pattern.
fn expanded(line: &Value, pattern: &str) -> Vec<String> {
    let Some((before, after)) = pattern.split_once("/*") else {
        return line.pointer(pattern).map(|_| pattern.to_owned()).into_iter().collect();
    };
    let count = line.pointer(before).and_then(Value::as_array).map_or(0, Vec::len);
    (0..count).flat_map(|n| expanded(line, &format!("{before}/{n}{after}"))).collect()
}

/// Every text in a value that names something.
fn texts<'a>(value: &'a Value, found: &mut impl FnMut(&'a str)) {
    const NAMING: [&str; 5] = ["name", "address", "case", "document", "reason"];
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => {
            for (name, value) in members {
                if !value.is_string() || NAMING.contains(&name.as_str()) {
                    texts(value, found);
                }
            }
        }
        _ => {}
    }
}

/// Every sentence in a line, with the pointer to it.
fn sentences(value: &Value, pointer: String, found: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, item)| sentences(item, format!("{pointer}/{n}"), found));
        }
        Value::Object(members) => {
            for (name, value) in members {
                let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                match value.as_str().filter(|_| SENTENCES.contains(&name.as_str())) {
                    Some(sentence) => found(&pointer, sentence),
                    None => sentences(value, pointer, found),
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_private_is_found_by_class_and_in_sentences() {
        let line = json!({
            "photo": { "path": "Kyiv/flat 12/a.jpg", "sha256": "00", "latitude": 50.4, "longitude": 30.5, "camera": "X" },
            "reason": "the gravest of 2 symbols", "error": "cannot be opened",
            "marks": [
                { "consignee": { "status": "disclosed", "name": "Noordzee", "country": "NL" }, "findings": [{ "detail": "Noordzee says otherwise" }] },
                { "consignee": { "status": "sealed" }, "trail": { "hands": [] }, "reason": "as in Kyiv/flat 12/a.jpg" },
            ],
        });
        let expected = [
            (Class::Consignee, vec!["/marks/0/consignee", "/marks/0/findings/0/detail", "/marks/1/trail"]),
            (Class::Place, vec!["/photo/camera", "/photo/latitude", "/photo/longitude"]),
            (Class::Path, vec!["/error", "/marks/1/reason", "/photo/path"]),
        ];
        let expected = expected.map(|(class, pointers)| (class, pointers.into_iter().map(str::to_owned).collect()));
        assert_eq!(classified("results.jsonl", &line), BTreeMap::from(expected));
        assert_eq!(classified("results.jsonl", &json!([1, "x"])), BTreeMap::new());
    }

    #[test]
    fn a_view_of_several_cases_names_none_of_them() {
        let case = json!({
            "name": "view", "inputs": ["Kyiv", "Lviv"], "trust": { "file": "t.json", "sha256": "00" },
            "cases": [
                { "name": "Kyiv", "trust": { "file": "a" }, "disclosures": [{ "file": "b", "sha256": "01" }, { "file": "c" }] },
                { "name": "Lviv", "disclosures": [] },
            ],
        });
        let expected = [
            "/cases/0/disclosures/0/file",
            "/cases/0/disclosures/1/file",
            "/cases/0/name",
            "/cases/0/trust/file",
            "/cases/1/name",
            "/inputs",
            "/trust/file",
        ];
        assert_eq!(
            classified("case.json", &case),
            BTreeMap::from([(Class::Path, expected.map(str::to_owned).to_vec())])
        );
        let photo = json!({ "photo": { "path": "" }, "also_in": ["Lviv"] });
        assert_eq!(classified("results.jsonl", &photo)[&Class::Path], ["/also_in", "/photo/path"]);
    }
}

//! Requests and answers for controllers that know no JSON: fields between semicolons, one line each.
//!
//! | request | fields; those at the end may be left out, and any may be empty |
//! | --- | --- |
//! | `M` | id; recipe; part; lot; date; consignee; count: issue marks |
//! | `R` | id; serial; text: what was read where this mark should be |
//! | `V` | id; serial; grade: the mark is verified |
//! | `X` | id; serial; reason: the mark is void |
//! | `F` | id; serial: the mark once more |
//! | `S` | id: how the line is |
//! | `C` | name: whose the ids are that follow on this connection |
//!
//! | answer | |
//! | --- | --- |
//! | `OK;id;serial;text` | one line for each mark, in order; the text form, or the modules as rows of 0 and 1 joined by `/`, where the recipe wants those; `;again` follows where the id was answered before |
//! | `OK;id;verified` | what became of the mark, also `void` |
//! | `OK;id;left;issued` | serials left, and marks issued |
//! | `ERR;id;kind;message` | kind: `refused`, `unusable`, or `retry`: say the same again with the same id |
//!
//! Lines end in a line feed, with or without a carriage return before it; answers end in both. The alphabet of the text form
//! has no semicolon. No field holds a semicolon; labels that do go by JSON.

use super::protocol::{Action, Answer, Mark, Request, id_of};
use crate::error::{Error, Result};

/// The request in one line.
///
/// # Errors
/// It is none.
pub fn request(line: &str) -> Result<Request> {
    let mut fields = line.split(';').map(str::trim);
    let kind = fields.next().unwrap_or_default();
    let mut next = || fields.next().filter(|field| !field.is_empty());
    let id = next().map(str::to_owned);
    let request = match kind {
        "M" => {
            let recipe = next().map(str::to_owned);
            Request {
                action: Action::Issue,
                recipe,
                part: parsed("part", next())?,
                lot: parsed("lot", next())?,
                date: parsed("date", next())?,
                consignee: number("consignee", next())?,
                count: number("count", next())?,
                ..Request::default()
            }
        }
        "V" => Request {
            action: Action::Verify,
            serial: number("serial", next())?,
            grade: grade(next())?,
            ..Request::default()
        },
        "X" => {
            let serial = number("serial", next())?;
            Request { action: Action::Void, serial, reason: next().map(str::to_owned), ..Request::default() }
        }
        // White space at either end is part of the text form.
        "R" => {
            let serial = number("serial", next())?;
            let text = line.splitn(4, ';').nth(3).filter(|text| !text.is_empty()).map(str::to_owned);
            return Ok(Request { action: Action::Read, id, serial, text, ..Request::default() });
        }
        "F" => Request { action: Action::Find, serial: number("serial", next())?, ..Request::default() },
        "S" => Request { action: Action::Status, ..Request::default() },
        _ => {
            return Err(Error::unusable(
                "not a request: a line begins with M, R, V, X, F, S or C and a semicolon, or is JSON",
            ));
        }
    };
    match next() {
        None => Ok(Request { id, ..request }),
        Some(field) => Err(Error::unusable(format!("{field:?} is one field too many"))),
    }
}

/// The name in a line that says whose the requests after it are; `None` for any other line.
#[must_use]
pub fn client(line: &str) -> Option<&str> {
    line.strip_prefix("C;").map(|name| name.trim_end_matches(';').trim()).filter(|name| !name.contains(';'))
}

/// The id in a line that is no request.
#[must_use]
pub fn id_in(line: &str) -> Option<String> {
    id_of(line.split(';').nth(1)?.trim())
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(what: &str, field: Option<&str>) -> Result<Option<T>> {
    field.map(|f| f.parse().map_err(|e| Error::unusable(format!("{what} {f:?}: {e}")))).transpose()
}

fn number(what: &str, field: Option<&str>) -> Result<Option<u64>> {
    field.map(|f| f.parse().map_err(|_| Error::unusable(format!("{what} {f:?} is no whole number")))).transpose()
}

fn grade(field: Option<&str>) -> Result<Option<serde_json::Number>> {
    let wrong =
        |f| Error::unusable(format!("grade {f:?} is no number, as 3.5 is")).hint("the decimals stand after a point");
    field.map(|f| f.parse().map_err(|_| wrong(f))).transpose()
}

/// The lines of an answer.
#[must_use]
pub fn answer(answer: &Answer) -> String {
    let id = answer.id.as_deref().unwrap_or_default();
    if let Some(error) = &answer.error {
        let hint = error.hint.as_deref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let message = format!("{}{hint}", error.message).replace([';', '\r', '\n'], ",");
        return format!("ERR;{id};{};{message}\r\n", error.kind);
    }
    if let Some(status) = &answer.status {
        return format!("OK;{id};{};{}\r\n", status.left, status.issued);
    }
    if answer.marks.is_empty() {
        return format!("OK;{id};{}\r\n", answer.state.as_deref().unwrap_or_default());
    }
    let again = if answer.again { ";again" } else { "" };
    // What is asked for here is answered in one of these two forms, each of which is one line.
    let line = |mark: &Mark| {
        let form = mark.text.as_deref().or(mark.matrix.as_deref()).unwrap_or_default();
        format!("OK;{id};{};{form}{again}\r\n", mark.serial)
    };
    answer.marks.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_their_order_and_may_be_left_out() {
        let all = request("M;7;stm32;P;L;2026-11-23;104233;10").unwrap();
        assert_eq!(all.id.as_deref(), Some("7"));
        assert_eq!((all.recipe.as_deref(), all.consignee, all.count), (Some("stm32"), Some(104_233), Some(10)));
        let few = request("M;;;P").unwrap();
        assert_eq!((few.id, few.part.map(|p| p.to_string()), few.lot), (None, Some("P".to_owned()), None));
        let read = request("R;8;12; A B ").unwrap();
        assert_eq!((read.serial, read.text.as_deref()), (Some(12), Some(" A B ")));
        assert_eq!(request("V;9;12;3.5").unwrap().grade.unwrap().to_string(), "3.5");
    }

    #[test]
    fn a_connection_says_whose_it_is() {
        assert_eq!(client("C; press 3 ;;"), Some("press 3"));
        assert_eq!((client("C;a;b"), client("M;1"), client("C")), (None, None, None));
    }

    #[test]
    fn what_is_no_request_says_what_is_wrong() {
        for (line, what) in [
            ("", "a line begins with"),
            ("m;1", "a line begins with"),
            ("M;1;;P;L;yesterday", "date \"yesterday\""),
            ("V;1;x", "serial \"x\" is no whole number"),
            ("M;1;;P;L;;;-1", "count \"-1\" is no whole number"),
            ("V;1;2;3,5", "grade \"3,5\" is no number, as 3.5 is"),
            ("S;1;2", "\"2\" is one field too many"),
        ] {
            let message = request(line).unwrap_err().message;
            assert!(message.contains(what), "{line:?}: {message}");
        }
    }
}

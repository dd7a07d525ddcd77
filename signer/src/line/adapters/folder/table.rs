//! Orders as tables: a header, then a request in each row. The columns have the names of a request's fields.

use crate::error::Error;
use crate::line::protocol::{MAX_COUNT, Request};
use crate::table::Table;
use std::path::Path;

/// The columns of an order.
const COLUMNS: [&str; 7] = ["part", "recipe", "lot", "date", "consignee", "count", "as"];
/// Rows of one order.
const MAX_ROWS: usize = 10_000;
/// Marks of one order: as many as one sheet of artwork may hold files for.
const MAX_MARKS: u64 = 100_000;
/// Problems that are told of one file; the first ones tell what is wrong with the rest.
const TOLD: usize = 20;

/// One row of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    /// Its line in the file.
    pub(super) line: u64,
    /// What it asks for.
    pub(super) request: Request,
}

/// The orders in `bytes`, whose request ids begin with `id`; or what is wrong, with the line of each problem.
pub(super) fn parse(bytes: &[u8], path: &Path, id: &str) -> Result<Vec<Order>, Vec<String>> {
    let name = Path::new(path.file_name().unwrap_or_default());
    // No part, lot or date has a double quote in it.
    if bytes.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
        return Err(vec!["a cell in double quotes has no end: the file may be cut off".to_owned()]);
    }
    let table = Table::new(bytes, name).map_err(|e| vec![sentence(&e, name)])?;
    let columns = columns(table.names()).map_err(|what| {
        vec![format!("line 1: {what}; the columns are {}, in any order, those not needed left out", COLUMNS.join(", "))]
    })?;
    let (mut orders, mut problems) = (Vec::new(), Vec::new());
    for row in table.rows().take(MAX_ROWS + 1) {
        let order = row.map_err(|e| sentence(&e, name)).and_then(|(line, row)| {
            let request = request(&columns, &row, &format!("{id}/{line}")).map_err(|e| format!("line {line}: {e}"))?;
            Ok(Order { line, request })
        });
        match order {
            Ok(order) => orders.push(order),
            Err(problem) => problems.push(problem),
        }
        if problems.len() == TOLD {
            problems.push("further rows were not looked at".to_owned());
            break;
        }
    }
    let marks = orders.iter().map(|order| order.request.count.unwrap_or(1)).fold(0u64, u64::saturating_add);
    if problems.is_empty() && (orders.is_empty() || orders.len() > MAX_ROWS || marks > MAX_MARKS) {
        let what = match orders.len() {
            0 => "a header without rows".to_owned(),
            1..=MAX_ROWS => {
                format!("{marks} marks in one file are too many: divide it into files of at most {MAX_MARKS}")
            }
            _ => format!("more than {MAX_ROWS} rows: divide it"),
        };
        problems.push(what);
    }
    if problems.is_empty() { Ok(orders) } else { Err(problems) }
}

/// Which field each column is.
fn columns(names: &csv::StringRecord) -> Result<Vec<&'static str>, String> {
    let mut columns: Vec<&'static str> = Vec::new();
    for name in names {
        let known = COLUMNS.into_iter().find(|column| name.eq_ignore_ascii_case(column));
        let known = known.ok_or_else(|| format!("there is no column {name:?}"))?;
        if columns.contains(&known) {
            return Err(format!("column {known:?} is there twice"));
        }
        columns.push(known);
    }
    if columns.is_empty() { Err("there are no columns".to_owned()) } else { Ok(columns) }
}

fn request(columns: &[&'static str], row: &csv::StringRecord, id: &str) -> Result<Request, String> {
    let mut request = Request { id: Some(id.to_owned()), ..Request::default() };
    for (column, cell) in columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
        let wrong = |what: &str| format!("{column} {cell:?}: {what}");
        match *column {
            "part" => request.part = Some(cell.parse().map_err(|e| wrong(&format!("{e}")))?),
            "lot" => request.lot = Some(cell.parse().map_err(|e| wrong(&format!("{e}")))?),
            "date" => {
                request.date = Some(cell.parse().map_err(|_| wrong("a date is year-month-day, as in 2026-11-24"))?)
            }
            "recipe" => request.recipe = Some(cell.to_owned()),
            "consignee" => request.consignee = Some(cell.parse().map_err(|_| wrong("the number of a customer"))?),
            "count" => {
                let count = cell.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count));
                request.count = Some(count.ok_or_else(|| wrong(&format!("1 to {MAX_COUNT}")))?);
            }
            _ => {
                let form = serde_json::from_value(cell.to_ascii_lowercase().into());
                request.form = Some(form.map_err(|_| wrong("text, matrix, svg, png, dxf or zpl"))?);
            }
        }
    }
    Ok(request)
}

/// An error with its way out, without the file's name, which stands before every problem.
fn sentence(error: &Error, name: &Path) -> String {
    let message = error.message.strip_prefix(&*name.to_string_lossy()).unwrap_or(&error.message);
    let message = message.trim_start_matches([',', ':', ' ']);
    match &error.hint {
        Some(hint) => format!("{message}; {hint}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        parse(text.as_bytes(), Path::new("in/a.csv"), "x").unwrap_err()
    }

    #[test]
    fn a_row_is_a_request_with_an_id_of_its_own() {
        let text = "Part;count;as\nTM-1;3;SVG\n\nTM-2;;\n";
        let orders = parse(text.as_bytes(), Path::new("a.csv"), "x").unwrap();
        let [first, second] = orders.as_slice() else { panic!("{orders:?}") };
        assert_eq!((first.line, first.request.count, first.request.id.as_deref()), (2, Some(3), Some("x/2")));
        assert_eq!(first.request.form, Some(crate::line::protocol::Form::Svg));
        assert_eq!((second.line, second.request.count, second.request.id.as_deref()), (4, None, Some("x/4")));
    }

    #[test]
    fn every_bad_row_is_named_by_its_line() {
        let text = "part,date,count\nTM-1,24.11.2026,1\nTM-1,,0\nTM-1,,1,9\nTM-1,,2\n";
        assert_eq!(
            problems(text),
            [
                "line 2: date \"24.11.2026\": a date is year-month-day, as in 2026-11-24",
                "line 3: count \"0\": 1 to 10000",
                "line 4: 4 cells, where the first line names 3 columns; a cell that holds the separator of the \
                 columns must stand in double quotes"
            ]
        );
    }

    #[test]
    fn an_order_that_is_cut_off_within_a_cell_is_none() {
        assert_eq!(problems("part\n\"TM-1\n"), ["a cell in double quotes has no end: the file may be cut off"]);
    }

    #[test]
    fn what_is_no_order_says_so() {
        let columns =
            "the columns are part, recipe, lot, date, consignee, count, as, in any order, those not needed left out";
        assert_eq!(problems("a,b\n1,2\n"), [format!("line 1: there is no column \"a\"; {columns}")]);
        assert_eq!(problems("lot,LOT\n1,2\n"), [format!("line 1: column \"lot\" is there twice; {columns}")]);
        assert_eq!(problems(""), [format!("line 1: there are no columns; {columns}")]);
        assert_eq!(problems("part\n"), ["a header without rows"]);
        let many = format!("part,count\n{}", "TM-1,10000\n".repeat(11));
        assert_eq!(problems(&many), ["110000 marks in one file are too many: divide it into files of at most 100000"]);
        let rows = format!("part\n{}", "TM-1\n".repeat(10_001));
        assert_eq!(problems(&rows), ["more than 10000 rows: divide it"]);
    }
}

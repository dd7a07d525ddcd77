//! Tables as people's spreadsheets save them.

use crate::error::{Error, Result};
use std::path::Path;

/// A table of rows under a line of column names.
pub(crate) struct Table<'a> {
    reader: csv::Reader<&'a [u8]>,
    lines: Lines<'a>,
    path: &'a Path,
    names: csv::StringRecord,
}

impl<'a> Table<'a> {
    /// The table in `bytes`, which `path` names in messages. Columns stand apart by commas (RFC 4180) or, as spreadsheets
    /// of many countries write them, by semicolons or tabs, of which a line `sep=;` before the header may tell; spaces
    /// around a cell do not count, nor do empty columns at the end and empty rows.
    pub(crate) fn new(bytes: &'a [u8], path: &'a Path) -> Result<Self> {
        let (told, skipped) = told_separator(bytes);
        let all = bytes;
        let bytes = bytes.get(skipped..).unwrap_or_default();
        let header = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let usual = || [b',', b';', b'\t'].into_iter().find(|d| header.contains(d)).unwrap_or(b',');
        let delimiter = told.unwrap_or_else(usual);
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).delimiter(delimiter).flexible(true).from_reader(bytes);
        let names = reader.headers().map_err(|e| unreadable(path, 1, &e))?;
        let named = (1..).zip(names).filter(|(_, name)| !name.is_empty()).map(|(n, _)| n).last();
        let names = names.iter().take(named.unwrap_or(0)).collect();
        Ok(Self { reader, lines: Lines { bytes: all, skipped, at: 0, line: 1 }, path, names })
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> &csv::StringRecord {
        &self.names
    }

    /// The rows with the numbers of their lines. A row has as many cells as there are columns, or cells too many that are
    /// empty.
    pub(crate) fn rows(mut self) -> impl Iterator<Item = Result<(u64, csv::StringRecord)>> + use<'a> {
        let mut record = csv::StringRecord::new();
        std::iter::from_fn(move || match next_row(&mut self.reader, &mut record) {
            Ok(false) => None,
            Ok(true) => {
                let line = self.lines.of(record.position());
                let (cells, columns) = (record.len(), self.names.len());
                let fits = cells == columns || cells > columns && record.iter().skip(columns).all(str::is_empty);
                let row = || (line, record.clone());
                Some(fits.then(row).ok_or_else(|| {
                    let hint = "a cell that holds the separator of the columns must stand in double quotes";
                    let what = format!("{cells} cells, where the first line names {columns} columns");
                    Error::unusable(format!("{}, line {line}: {what}", self.path.display())).hint(hint)
                }))
            }
            Err(e) => Some(Err(unreadable(self.path, self.lines.of(e.position()), &e))),
        })
    }
}

/// Reads the next row in which anything stands.
fn next_row(reader: &mut csv::Reader<&[u8]>, record: &mut csv::StringRecord) -> csv::Result<bool> {
    while reader.read_record(record)? {
        if record.iter().any(|cell| !cell.is_empty()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The separator in a first line like `sep=;`, as a spreadsheet of one country writes it for those of others; and how many
/// bytes that line has.
fn told_separator(bytes: &[u8]) -> (Option<u8>, usize) {
    let start = if bytes.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let rest = bytes.get(start..).unwrap_or_default();
    let line = rest.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    match line.trim_ascii_end() {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator] => (Some(*separator), start + line.len()),
        // The line `sep=` and a tab, of which nothing is left.
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'='] => (Some(b'\t'), start + line.len()),
        _ => (None, 0),
    }
}

/// Counts lines, each of which is asked for after those before it.
struct Lines<'a> {
    bytes: &'a [u8],
    /// Bytes before those that the reader counts from.
    skipped: usize,
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record at `position`, which is where the reader began to look: before the end of the line above,
    /// and before empty lines.
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let byte = position.and_then(|position| usize::try_from(position.byte()).ok());
        let from = byte.map_or(self.at, |byte| byte + self.skipped);
        let rest = self.bytes.get(from..).unwrap_or_default();
        let start = from + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = self.bytes.get(self.at..start).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = start.max(self.at);
        self.line
    }
}

fn unreadable(path: &Path, line: u64, error: &csv::Error) -> Error {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => {
            Error::unusable(format!("{}, line {line}: not UTF-8", path.display())).hint("save the table as `CSV UTF-8`")
        }
        _ => Error::file(path, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &[u8]) -> Result<Vec<(u64, Vec<String>)>> {
        let table = Table::new(text, Path::new("t.csv"))?;
        table.rows().map(|row| row.map(|(line, row)| (line, row.iter().map(str::to_owned).collect()))).collect()
    }

    fn message(text: &[u8]) -> String {
        cells(text).unwrap_err().message
    }

    #[test]
    fn every_usual_separator_gives_the_same_rows() {
        let rows = cells(b"a,b\n1,2\n\n\"x;y\",\n").unwrap();
        let row = |line, cells: [&str; 2]| (line, cells.map(str::to_owned).to_vec());
        assert_eq!(rows, [row(2, ["1", "2"]), row(4, ["x;y", ""])]);
        assert_eq!(cells(b"\xEF\xBB\xBFa;b\r\n1; 2\r\n\r\n\"x;y\";\r\n").unwrap(), rows);
        assert_eq!(cells(b"a\tb\n1\t2\n\nx;y\t\n").unwrap(), rows);
        assert_eq!(cells(b"a,b\n1,2,,\n").unwrap()[0].1.len(), 4);
    }

    #[test]
    fn what_spreadsheets_add_does_not_count() {
        let rows = [(3, vec!["1".to_owned(), "2".to_owned()])];
        assert_eq!(cells(b"sep=;\r\na;b\r\n1;2\r\n").unwrap(), rows);
        assert_eq!(cells(b"\xEF\xBB\xBFsep=,\na,b,,\n1,2,,\n,,,\n").unwrap()[0].0, 3);
        assert_eq!(cells(b"a,b,,\n,,,\n1,2,,\n,,,\n").unwrap().len(), 1);
        assert_eq!(message(b"sep=;\na;b\n1\n"), "t.csv, line 3: 1 cells, where the first line names 2 columns");
        assert_eq!(message(b"a,b,,\n1,2,,3\n"), "t.csv, line 2: 4 cells, where the first line names 2 columns");
    }

    #[test]
    fn what_is_no_row_is_named_by_its_line() {
        assert_eq!(message(b"a,b\n1,2\n1,2,3\n"), "t.csv, line 3: 3 cells, where the first line names 2 columns");
        assert_eq!(message(b"a,b\n1\n"), "t.csv, line 2: 1 cells, where the first line names 2 columns");
        assert_eq!(message(b"a,b\n1,2\n\xFF,2\n"), "t.csv, line 3: not UTF-8");
        assert_eq!(message(b"\xE9,b\n1,2\n"), "t.csv, line 1: not UTF-8");
    }
}

//! The maker's customers: a table that people keep in a spreadsheet.

use crate::error::{Error, Result};
use crate::files;
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;
use touchmark_formats::disclosure::Consignee;
use touchmark_formats::signed::{MAX_LINE_BYTES, is_line};

/// The first line of `consignees.csv`.
pub const HEADER: &str = "number,name,country,address\n";
/// The largest number that any capsule holds, 2^40 - 1.
const MAX_NUMBER: u64 = (1 << 40) - 1;

/// Reads the table at `path`, by number.
///
/// # Errors
/// It cannot be read; a row is not a customer; a number stands there twice.
pub fn read(path: &Path) -> Result<BTreeMap<u64, Consignee>> {
    let bytes = files::read(path)?;
    let rows = Table::new(&bytes, path)?;
    if rows.names().iter().ne(HEADER.trim_end().split(',')) {
        return Err(Error::file(path, format_args!("its first line must be {:?}", HEADER.trim_end())));
    }
    let mut table = BTreeMap::new();
    for row in rows.rows() {
        let (line, row) = row?;
        let wrong = |what: String| Error::unusable(format!("{}, line {line}: {what}", path.display()));
        let consignee = consignee(&row).map_err(wrong)?;
        if let Some(twice) = table.insert(consignee.number, consignee) {
            return Err(wrong(format!("number {} stands there twice", twice.number)));
        }
    }
    Ok(table)
}

fn consignee(row: &csv::StringRecord) -> std::result::Result<Consignee, String> {
    let cell = |n: usize| row.get(n).unwrap_or_default();
    let number = cell(0).parse().ok().filter(|n| *n <= MAX_NUMBER);
    let country = Some(cell(2)).filter(|c| !c.is_empty()).map(str::parse).transpose();
    let address = Some(cell(3)).filter(|a| !a.is_empty());
    if !address.is_none_or(is_line) {
        return Err(format!(
            "the address is longer than {MAX_LINE_BYTES} bytes, or has control or invisible characters"
        ));
    }
    Ok(Consignee {
        number: number.ok_or_else(|| format!("{:?} is not a number from 0 to {MAX_NUMBER}", cell(0)))?,
        name: cell(1).parse().map_err(|e| format!("the name {:?} {e}", cell(1)))?,
        country: country.map_err(|e: &str| format!("{:?}: {e}", cell(2)))?,
        address: address.map(str::to_owned),
    })
}

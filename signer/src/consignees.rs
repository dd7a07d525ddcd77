//! The maker's customers: a table that people keep in a spreadsheet.

use crate::epcis::Gln;
use crate::error::{Error, Result};
use crate::files;
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;
use touchmark_formats::disclosure::Consignee;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::signed::{MAX_LINE_BYTES, is_line};

/// The first line of `consignees.csv`.
pub const HEADER: &str = "number,name,country,address\n";
/// The largest number that any capsule holds, 2^40 - 1.
const MAX_NUMBER: u64 = (1 << 40) - 1;

/// Columns that may follow: what the ledger also knows of a customer, and its Global Location Number.
const MORE: [&str; 5] = ["lei", "eori", "duns", "key", "gln"];

/// Reads the table at `path`, by number.
///
/// # Errors
/// It cannot be read; a row is not a customer; a number stands there twice.
pub fn read(path: &Path) -> Result<BTreeMap<u64, Consignee>> {
    rows(path, |row, _| consignee(row))
}

/// Reads the table at `path`, by number, with the columns `lei`, `eori`, `duns` and `key` where it has them.
///
/// # Errors
/// As [`read`].
pub fn parties(path: &Path) -> Result<BTreeMap<u64, Party>> {
    rows(path, |row, names| {
        let Consignee { number, name, country, address } = consignee(row)?;
        let cell = |column: &str| named(row, names, column);
        Ok(Party {
            country,
            address,
            lei: typed(cell("lei"))?,
            eori: typed(cell("eori"))?,
            duns: typed(cell("duns"))?,
            key: typed(cell("key"))?,
            ..Party { number: Some(number), ..Party::named(name) }
        })
    })
}

/// Reads the numbers of the customers in the table at `path` that have a Global Location Number, by that.
///
/// # Errors
/// As [`read`]; or two have the same.
pub fn glns(path: &Path) -> Result<BTreeMap<Gln, u64>> {
    let mut all = BTreeMap::new();
    for (number, gln) in rows(path, |row, names| typed::<Gln>(named(row, names, "gln")))? {
        let Some(gln) = gln else { continue };
        if let Some(other) = all.insert(gln.clone(), number) {
            return Err(Error::file(path, format_args!("customers {other} and {number} have the same GLN {gln}")));
        }
    }
    Ok(all)
}

/// What stands in the column with this name, where there is one and it is not empty.
fn named<'a>(row: &'a csv::StringRecord, names: &csv::StringRecord, column: &str) -> Option<&'a str> {
    let at = names.iter().position(|name| name == column)?;
    row.get(at).filter(|cell| !cell.is_empty())
}

fn typed<T: std::str::FromStr<Err: std::fmt::Display>>(cell: Option<&str>) -> std::result::Result<Option<T>, String> {
    cell.map(|text| text.parse().map_err(|e| format!("{text:?}: {e}"))).transpose()
}

fn rows<T>(
    path: &Path,
    read: impl Fn(&csv::StringRecord, &csv::StringRecord) -> std::result::Result<T, String>,
) -> Result<BTreeMap<u64, T>> {
    let bytes = files::read(path)?;
    let rows = Table::new(&bytes, path)?;
    let names = rows.names().clone();
    let usual = names.iter().take(4).eq(HEADER.trim_end().split(','));
    if !usual || !names.iter().skip(4).all(|name| MORE.contains(&name)) {
        let more = MORE.join(", ");
        let what = format!("its first line must be {:?}, with any of {more} after that", HEADER.trim_end());
        return Err(Error::file(path, what));
    }
    let mut table = BTreeMap::new();
    for row in rows.rows() {
        let (line, row) = row?;
        let wrong = |what: String| Error::unusable(format!("{}, line {line}: {what}", path.display()));
        let number = row.get(0).unwrap_or_default().parse().unwrap_or(u64::MAX);
        if table.insert(number, read(&row, &names).map_err(wrong)?).is_some() {
            return Err(wrong(format!("number {number} stands there twice")));
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

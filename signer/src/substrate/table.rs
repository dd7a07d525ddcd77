//! Maps as tables: a row for each unit, with `x` and `y`, and `bin` and `substrate` where they differ.

use super::geometry::Layout;
use super::{GoodBins, Place, Substrate, Unit};
use crate::error::{Error, Result};
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;

const COLUMNS: [&str; 4] = ["x", "y", "bin", "substrate"];

pub(super) fn read(bytes: &[u8], path: &Path, good: &GoodBins, id: Option<&str>) -> Result<Substrate> {
    let table = Table::new(bytes, path)?;
    let names = table.names().clone();
    let places = COLUMNS.map(|name| names.iter().position(|column| column.eq_ignore_ascii_case(name)));
    let [Some(x), Some(y), bin, substrate] = places else {
        let found = names.iter().collect::<Vec<_>>().join(",");
        return Err(Error::file(path, format_args!("its first line is {found:?}, without x and y"))
            .hint("a map is XML (SEMI E142.1), or a table with the columns x, y, and bin and substrate where needed"));
    };
    if bin.is_some() && *good == GoodBins::AsMapped {
        return Err(Error::file(path, "a table with bins does not say which of them are good")
            .hint("say the codes with --good CODE"));
    }
    let mut found: Option<Substrate> = None;
    for row in table.rows() {
        let (line, row) = row?;
        let wrong = |what: String| Error::unusable(format!("{}, line {line}: {what}", path.display()));
        let cell = |n: usize| row.get(n).unwrap_or_default();
        let number = |n: usize| cell(n).parse().map_err(|_| wrong(format!("{:?} is not a number from 0 on", cell(n))));
        let own = substrate.map(cell).filter(|own| !own.is_empty()).or(id);
        if id.is_some_and(|id| own != Some(id)) {
            continue;
        }
        let own = own.ok_or_else(|| {
            wrong("the substrate is missing".to_owned()).hint("name it with --substrate ID, or in a column substrate")
        })?;
        let target = found.get_or_insert_with(|| Substrate {
            id: own.to_owned(),
            lot: None,
            units: BTreeMap::new(),
            layout: Layout::default(),
            undefined: BTreeMap::new(),
        });
        if target.id != own {
            return Err(wrong(format!("substrate {own:?} follows {:?}", target.id))
                .hint("name one with --substrate ID; each substrate is marked by a call of its own"));
        }
        let unit = match bin.map(cell) {
            Some("") => continue,
            Some(code) => Unit { bin: code.to_owned(), good: good.has(code, &[]) },
            None => Unit { bin: String::new(), good: true },
        };
        target.put(Place { x: number(x)?, y: number(y)? }, unit).map_err(wrong)?;
    }
    found.ok_or_else(|| match id {
        Some(id) => Error::file(path, format_args!("no unit of substrate {id:?} is in it")),
        None => Error::file(path, "a header without rows"),
    })
}

//! The plan as a table for people.

use super::{Fit, Row};

/// The rows as text: columns aligned, two spaces between them, a line each. The columns of packages say whether the
/// symbol fits, and the largest module at which it does.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut cells = vec![head(rows)];
    cells.extend(rows.iter().map(line));
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| cells.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    cells.iter().map(|line| aligned(line, &widths)).collect()
}

fn aligned(line: &[String], widths: &[usize]) -> String {
    let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
    let joined = padded.collect::<Vec<_>>().join("  ");
    format!("{}\n", joined.trim_end())
}

fn head(rows: &[Row]) -> Vec<String> {
    let fixed = ["bytes", "symbol", "modules", "size in mm", "spare", "errors", "erasures"];
    let packages = rows.first().map(|row| row.packages.as_slice()).unwrap_or_default();
    fixed.into_iter().map(str::to_owned).chain(packages.iter().map(|fit| fit.package.clone())).collect()
}

fn line(row: &Row) -> Vec<String> {
    let kind = match (row.symbology, row.dmre) {
        ("DataMatrix", true) => "DMRE ",
        ("DataMatrix", false) => "Data Matrix ",
        _ => "",
    };
    let fixed = [
        row.payload_bytes.to_string(),
        format!("{kind}{}", row.symbol),
        format!("{} x {}", row.columns, row.rows),
        format!("{:.2} x {:.2}", row.width_mm, row.height_mm),
        row.spare_bytes.to_string(),
        format!("{:.1} %", row.errors_share * 100.0),
        format!("{:.1} %", row.erasures_share * 100.0),
    ];
    fixed.into_iter().chain(row.packages.iter().map(package)).collect()
}

fn package(fit: &Fit) -> String {
    let turned = if fit.turned { " turned" } else { "" };
    let word = if fit.fits { "yes" } else { "no" };
    format!("{word}, up to {:.3}{turned}", fit.largest_module_mm)
}

//! Scores as tables in Markdown.

use super::{Result, Score};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Which row of a table a photo counts in, if any.
pub type Key = fn(&Result) -> Option<String>;

/// Rows by set and symbology.
#[must_use]
pub fn by_set(result: &Result) -> Option<String> {
    Some(format!("{} {}", result.set, result.photo.symbology()))
}

/// Totals over the kinds of photos.
#[must_use]
pub fn by_kind(result: &Result) -> Option<String> {
    let kind = match (result.photo.symbology(), result.photo.rendered, result.photo.axis.is_some()) {
        ("none", ..) => "photos without a symbol",
        ("DataMatrix", false, _) => REAL_DATA_MATRIX,
        ("DataMatrix", true, true) => RIG_DATA_MATRIX,
        ("DataMatrix", true, false) => "other rendered pictures, Data Matrix",
        ("QRCode" | "MicroQRCode", false, _) => REAL_QR,
        ("QRCode", true, true) => RIG_QR,
        ("QRCode", true, false) => "other rendered pictures, QR Code",
        _ => "other symbologies",
    };
    Some(kind.to_owned())
}

/// Real photos of QR Code and Micro QR Code.
pub const REAL_QR: &str = "real photos, QR Code and Micro QR Code";
/// Real photos of Data Matrix.
pub const REAL_DATA_MATRIX: &str = "real photos, Data Matrix";
/// Rendered ladders of wear, QR Code.
pub const RIG_QR: &str = "rendered chips, QR Code";
/// Rendered ladders of wear, Data Matrix.
pub const RIG_DATA_MATRIX: &str = "rendered chips, Data Matrix";

/// Photos of which a symbol was read, and contents misread, in brackets where there are any: a row for each key, a column
/// for each reader, `-` for one that was not asked.
#[must_use]
pub fn reads(results: &[Result], columns: &[String], key: Key) -> String {
    table(results, columns, key, |scores| {
        let read = scores.iter().filter(|score| score.read > 0).count();
        match scores.iter().map(|score| score.misread).sum::<usize>() {
            0 => read.to_string(),
            misread => format!("{read} ({misread})"),
        }
    })
}

/// Mean / median / longest milliseconds of each reader, over the photos of each key.
#[must_use]
pub fn times(results: &[Result], columns: &[String], key: Key) -> String {
    table(results, columns, key, |scores| {
        let mut times: Vec<f64> = scores.iter().map(|score| score.ms).collect();
        times.sort_by(f64::total_cmp);
        let at = |i: usize| times.get(i).copied().unwrap_or_default();
        format!("{:.0} / {:.0} / {:.0}", mean(&times), at(times.len() / 2), at(times.len() - 1))
    })
}

/// A row for each key, a column for each reader: what `cell` says of its scores, `-` where it was not asked.
fn table(results: &[Result], columns: &[String], key: Key, cell: impl Fn(&[Score]) -> String) -> String {
    let mut rows: BTreeMap<String, Vec<&Result>> = BTreeMap::new();
    for result in results {
        if let Some(name) = key(result) {
            rows.entry(name).or_default().push(result);
        }
    }
    let mut out = format!("|  | photos | {} |\n| --- | --: |{}\n", columns.join(" | "), " --: |".repeat(columns.len()));
    for (name, results) in rows {
        let _ = write!(out, "| {name} | {} |", results.len());
        for column in 0..columns.len() {
            let scores: Vec<Score> = results.iter().filter_map(|r| *r.scores.get(column)?).collect();
            let _ = match scores.as_slice() {
                [] => write!(out, " - |"),
                scores => write!(out, " {} |", cell(scores)),
            };
        }
        out.push('\n');
    }
    out
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Mean time of each column over the photos that the column `over` reads, in milliseconds.
#[must_use]
pub fn mean_times(results: &[Result], columns: usize, over: usize) -> Vec<f64> {
    let read: Vec<&Result> = results.iter().filter(|r| r.read(over)).collect();
    let column = |column: usize| {
        let times: Vec<f64> = read.iter().filter_map(|r| Some((*r.scores.get(column)?)?.ms)).collect();
        mean(&times)
    };
    (0..columns).map(column).collect()
}

/// For each kind of wear the photos read at each level by each of `columns`, and the level up to which each reads half:
/// one row an axis, one column a level, those of one symbology.
#[must_use]
pub fn ladder(results: &[Result], columns: &[(usize, &str)], symbology: &str) -> String {
    let mut axes: BTreeMap<&str, BTreeMap<u64, Vec<&Result>>> = BTreeMap::new();
    let mut levels: Vec<u64> = Vec::new();
    for result in results.iter().filter(|r| r.photo.symbology() == symbology) {
        let Some((axis, level)) = &result.photo.axis else { continue };
        // Levels are 0 to 10.
        let level = level.round() as u64;
        axes.entry(axis).or_default().entry(level).or_default().push(result);
        if !levels.contains(&level) {
            levels.push(level);
        }
    }
    levels.sort_unstable();
    let mut out = String::from("| |");
    out.extend(levels.iter().map(|level| format!(" {level} |")));
    out.extend(columns.iter().map(|(_, name)| format!(" half, {name} |")));
    out += "\n| --- |";
    out += &" :-: |".repeat(levels.len());
    out += &" --: |".repeat(columns.len());
    out.push('\n');
    for (axis, by_level) in axes {
        let _ = write!(out, "| {axis} |");
        for level in &levels {
            let cells = columns.iter().map(|(column, _)| {
                let photos = by_level.get(level)?;
                Some(photos.iter().filter(|r| r.read(*column)).count())
            });
            let cells: Vec<String> = cells.map(|cell| cell.map_or("-".into(), |n| n.to_string())).collect();
            let _ = write!(out, " {} |", cells.join(" "));
        }
        for (column, _) in columns {
            let shares = by_level.iter().map(|(level, photos)| {
                let read = photos.iter().filter(|r| r.read(*column)).count();
                (*level as f64, read as f64 / photos.len() as f64, photos.len() as f64)
            });
            let _ = match half_level(&shares.collect::<Vec<_>>()) {
                Half::Below => write!(out, " < {} |", levels.first().unwrap_or(&0)),
                Half::At(level) => write!(out, " {level:.1} |"),
                Half::Above => write!(out, " > {} |", levels.last().unwrap_or(&0)),
            };
        }
        out.push('\n');
    }
    out
}

/// Where a share falls below a half.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Half {
    /// It is less at the first level already.
    Below,
    /// At this level.
    At(f64),
    /// Nowhere.
    Above,
}

/// Where a share that falls with the level, of so many photos at each, falls below a half: between levels by straight
/// lines, after those that rise by chance were put right (isotonic regression by pooling adjacent violators).
#[must_use]
pub fn half_level(shares: &[(f64, f64, f64)]) -> Half {
    // Share and weight of each pool, and how many levels it covers.
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (_, share, weight) in shares {
        pools.push((*share, *weight, 1));
        while let [.., (a, m, i), (b, n, j)] = pools[..]
            && b > a
        {
            pools.truncate(pools.len() - 2);
            pools.push(((a * m + b * n) / (m + n), m + n, i + j));
        }
    }
    let fitted: Vec<f64> = pools.iter().flat_map(|(share, _, count)| std::iter::repeat_n(*share, *count)).collect();
    match fitted.iter().position(|share| *share < 0.5) {
        None => Half::Above,
        Some(0) => Half::Below,
        Some(i) => {
            let ((from, ..), (to, ..)) = (shares[i - 1], shares[i]);
            Half::At(from + (to - from) * (fitted[i - 1] - 0.5) / (fitted[i - 1] - fitted[i]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_levels() {
        let of = |shares: &[f64]| {
            let shares: Vec<_> = shares.iter().enumerate().map(|(level, share)| (level as f64, *share, 4.0)).collect();
            half_level(&shares)
        };
        assert_eq!(of(&[1.0, 1.0, 0.0]), Half::At(1.5));
        assert_eq!(of(&[1.0, 0.5, 0.25]), Half::At(1.0));
        assert_eq!(of(&[0.25, 0.0]), Half::Below);
        assert_eq!(of(&[1.0, 0.75]), Half::Above);
        // One that was read by luck counts with its neighbours: 1, then a half over two levels, then nothing.
        assert_eq!(of(&[1.0, 0.25, 0.75, 0.0]), Half::At(2.0));
        assert_eq!(of(&[]), Half::Above);
    }
}

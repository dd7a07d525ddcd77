//! Scores as tables.

use super::{Result, Score};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Which rows to make of the results.
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
        ("DataMatrix", false, _) => "real photos, Data Matrix",
        ("DataMatrix", true, true) => "rendered chips, Data Matrix",
        ("DataMatrix", true, false) => "other rendered pictures, Data Matrix",
        ("QRCode" | "MicroQRCode", false, _) => "real photos, QR Code and Micro QR Code",
        ("QRCode", true, true) => "rendered chips, QR Code",
        ("QRCode", true, false) => "other rendered pictures, QR Code",
        _ => "other symbologies",
    };
    Some(kind.to_owned())
}

/// Rows by kind of wear.
#[must_use]
pub fn by_axis(result: &Result) -> Option<String> {
    let (axis, _) = result.photo.axis.as_ref()?;
    Some(format!("{axis}, {}", result.photo.symbology()))
}

/// Rows by kind and level of wear.
#[must_use]
pub fn by_level(result: &Result) -> Option<String> {
    let (axis, level) = result.photo.axis.as_ref()?;
    Some(format!("{axis} {level:>2}, {}", result.photo.symbology()))
}

/// A table in Markdown: for each reader photos read, contents misread, median milliseconds.
#[must_use]
pub fn table(results: &[Result], readers: &[String], key: Key) -> String {
    let mut rows: BTreeMap<String, Vec<Score>> = BTreeMap::new();
    for result in results {
        let Some(name) = key(result) else { continue };
        let row = rows.entry(name).or_insert_with(|| vec![Score::default(); readers.len()]);
        row.iter_mut().zip(&result.scores).for_each(|(sum, score)| sum.add(score));
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut out = format!("| {:<42} | photos |", "");
    readers.iter().for_each(|name| {
        let _ = write!(out, " {name:<18} |");
    });
    out += "\n| --- | --: |";
    out += &" --: |".repeat(readers.len());
    out.push('\n');
    for (name, scores) in rows {
        let _ = write!(out, "| {name:<42} | {:>6} |", scores.first().map_or(0, |s| s.images));
        for score in &scores {
            let cell = format!("{} / {} / {:.0}", score.images_read, score.misread, score.median_ms());
            let _ = write!(out, " {cell:>18} |");
        }
        out.push('\n');
    }
    out
}

/// Mean time of each reader over the photos that the reader `over` reads, in milliseconds.
#[must_use]
pub fn mean_times(results: &[Result], readers: usize, over: usize) -> Vec<f64> {
    let read: Vec<&Result> =
        results.iter().filter(|r| r.scores.get(over).is_some_and(|score| score.images_read > 0)).collect();
    let mean = |reader: usize| {
        let sum: f64 = read.iter().filter_map(|r| r.scores.get(reader)).flat_map(|s| &s.times).sum();
        sum / read.len().max(1) as f64
    };
    (0..readers).map(mean).collect()
}

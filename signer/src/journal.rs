//! What a maker's home has on record of its marks, as disclosures need it: the store of serials
//! ([`crate::line::store`]), read.

use crate::error::Result;
use crate::line::issuer::marks_of_run;
use crate::line::store::{Past, Store, Which};
use touchmark_formats::date::Date;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::Mark;
use touchmark_formats::text::Label;

/// Serials issued together: the same mark but for its serial, and for the capsule that follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The first serial.
    pub first: u64,
    /// The last serial.
    pub last: u64,
    /// The line key under which they are unique.
    pub key: KeyBytes,
    /// The part.
    pub part: Label,
    /// The lot.
    pub lot: Option<Label>,
    /// The day of production.
    pub date: Date,
    /// The first serial's mark. The consignee stands in it sealed, and nowhere in clear.
    pub mark: Mark,
}

/// What is on record of some marks, oldest key and lowest serial first.
///
/// # Errors
/// The store cannot be read.
pub fn records(store: &mut Store, which: Which<'_>) -> Result<Vec<Record>> {
    store.history(which)?.into_iter().map(record).filter_map(Result::transpose).collect()
}

fn record(past: Past) -> Result<Option<Record>> {
    let Past { key, content, run } = past;
    let first = marks_of_run(&content, &run)?.into_iter().next();
    Ok(first.map(|signed| Record {
        first: run.first,
        last: run.first + run.count() - 1,
        key,
        part: content.part,
        lot: content.lot,
        date: content.date,
        mark: signed.mark,
    }))
}

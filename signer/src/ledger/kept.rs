//! Rows that were read last: a serial's chain is followed, then proven, then shown, and the proofs of serials share most of what
//! they need. While the size of the ledger is the same, so are they. What is missing in several tables is asked for at once,
//! since a server takes longer to be asked than to answer.

use super::log::Tile;
use super::pages::FEW;
use super::rules::Segment;
use super::schema::BUNDLE;
use super::store::{Ledger, strange, unbundled};
use crate::error::Result;
use crate::line::store::Value;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_formats::ledger::merkle::leaf_hash;

/// Rows that are kept: some 30 MiB at most.
const MOST: usize = 2048;
/// Rows of one table that are asked for at once.
const AT_ONCE: usize = 64;

/// What was read last.
#[derive(Default)]
pub(super) struct Kept {
    /// When.
    size: u64,
    /// Records, by the number of their row.
    pub(super) bundles: BTreeMap<u64, Vec<u8>>,
    /// The tree within them.
    pub(super) leaves: BTreeMap<u64, Tile>,
    /// Parts of the tree above.
    pub(super) tiles: BTreeMap<u64, Tile>,
    /// Parts of the map.
    pub(super) pages: BTreeMap<u64, Vec<u8>>,
    /// The segments about a serial of a line.
    about: Option<(u64, u64, Vec<Segment>)>,
}

/// Rows that will be needed, by number.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) bundles: BTreeSet<u64>,
    /// Bundles of which the tree within is needed.
    pub(super) leaves: BTreeSet<u64>,
    pub(super) tiles: BTreeSet<u64>,
    pub(super) pages: BTreeSet<u64>,
}

const TABLES: [&str; 3] = ["ledger_bundle", "ledger_tile", "ledger_page"];

impl Ledger {
    /// Forgets what is no longer so, or too much.
    fn kept(&mut self) -> &mut Kept {
        let Kept { size, bundles, leaves, tiles, pages, .. } = &self.kept;
        if *size != self.size || bundles.len() + leaves.len() + tiles.len() + pages.len() > MOST {
            self.kept = Kept { size: self.size, ..Kept::default() };
        }
        &mut self.kept
    }

    /// Has these rows at hand; those that are not in the store are missing.
    pub(super) fn keep(&mut self, wanted: &Wanted) -> Result<&Kept> {
        let Kept { bundles, tiles, pages, .. } = self.kept();
        let missing: [Vec<u64>; TABLES.len()] = [
            wanted.bundles.union(&wanted.leaves).filter(|number| !bundles.contains_key(number)).copied().collect(),
            wanted.tiles.iter().filter(|number| !tiles.contains_key(number)).copied().collect(),
            wanted.pages.iter().filter(|number| !pages.contains_key(number)).copied().collect(),
        ];
        let rounds = missing.iter().map(|numbers| numbers.len().div_ceil(AT_ONCE)).max().unwrap_or(0);
        for round in 0..rounds {
            self.read_rows(missing.each_ref().map(|numbers| numbers.chunks(AT_ONCE).nth(round).unwrap_or_default()))?;
        }
        for number in &wanted.leaves {
            if let Some(body) = self.kept.bundles.get(number).filter(|_| !self.kept.leaves.contains_key(number)) {
                let records = (number * BUNDLE..).zip(unbundled(body)?);
                let hashes = records.map(|(number, record)| leaf_hash(&self.salts.entry(number, record))).collect();
                self.kept.leaves.insert(*number, Tile::new(hashes));
            }
        }
        Ok(&self.kept)
    }

    /// Reads rows of the [`TABLES`] with one query.
    fn read_rows(&mut self, numbers: [&[u64]; TABLES.len()]) -> Result<()> {
        let (mut parts, mut values) = (Vec::new(), Vec::<Value>::new());
        for (at, (table, numbers)) in TABLES.iter().zip(numbers).enumerate().filter(|(_, (_, some))| !some.is_empty()) {
            // A few lengths of statements are prepared once each.
            let width = numbers.len().next_power_of_two();
            let names = (1..=width).map(|n| format!("${}", values.len() + n)).collect::<Vec<_>>().join(", ");
            values.extend(numbers.iter().cycle().take(width).map(|number| Value::from(*number)));
            parts.push(format!("SELECT CAST({at} AS BIGINT), number, body FROM {table} WHERE number IN ({names})"));
        }
        for row in self.db.rows(&parts.join(" UNION ALL "), &values)? {
            let [table, number, body] = <[Value; 3]>::try_from(row).map_err(|_| strange("a row of three columns"))?;
            let Value::Bytes(body) = body else { return Err(strange("bytes")) };
            let number = number.count()?;
            match table.count()? {
                0 => drop(self.kept.bundles.insert(number, body)),
                1 => drop(self.kept.tiles.insert(number, Tile::of_row(&body))),
                _ => drop(self.kept.pages.insert(number, body)),
            }
        }
        Ok(())
    }

    /// The segments of a line about a serial, in rising order: a few that begin at it or before, and as many after.
    pub(super) fn segments_about(&mut self, line: u64, serial: u64) -> Result<&[Segment]> {
        let known = self.kept().about.as_ref().is_some_and(|(of, at, _)| (*of, *at) == (line, serial));
        if !known {
            let segments = self.read_segments_about(line, serial, FEW)?;
            self.kept.about = Some((line, serial, segments));
        }
        Ok(self.kept.about.as_ref().map_or(&[], |(.., segments)| segments))
    }
}

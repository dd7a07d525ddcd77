//! The whole ledger made anew from its records, and held against all that stands beside them.
//!
//! A record that was edited no longer has the commitment in the tree's lowest tiles, which name it. Where the tiles were
//! made to fit as well, the root differs from that of every signed checkpoint after it, and so the records between that
//! and the one before it are where it was. Records put in or taken out, and two histories under one key, show in the same way.

use super::append::{Desk, divided, meeting};
use super::log::{Edge, record_at};
use super::pages::{Page, Shelf, update};
use super::rules::{Segment, State, judge};
use super::schema::{BUNDLE, place};
use super::store::{Ledger, strange, unbundled};
use crate::error::{Error, Result};
use crate::line::store::fields;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::{Subtree, join};
use touchmark_formats::ledger::merkle::{self, EMPTY_ROOT, Hash};
use touchmark_formats::ledger::record::{Event, Record, What};
use touchmark_formats::mark::Serial;
use touchmark_formats::text::Label;

/// Bundles that are read together.
const TOGETHER: u64 = 256;
/// Faults that are reported; there may be more.
const MAX_FAULTS: usize = 100;

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The record that it is about; where several may be, the last of them.
    pub record: u64,
    /// What.
    pub what: String,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// How many records there are.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// How many checkpoints agreed.
    pub checkpoints: u64,
    /// What is wrong: at most a hundred, in rising order.
    pub faults: Vec<Fault>,
}

/// The ledger as its records make it.
struct Replay<'a> {
    heads: &'a [(u64, Hash)],
    keys: Vec<KeyBytes>,
    segments: BTreeMap<u64, Segment>,
    pages: HashMap<u64, Page>,
    counts: Vec<(u64, Option<Subtree>)>,
    changed: BTreeMap<u64, Vec<u64>>,
    lots: BTreeMap<u64, Label>,
    edge: Edge,
    next: u64,
    agreed: u64,
    /// Up to where the last checkpoint agreed.
    proven: u64,
    broken: bool,
    faults: Vec<Fault>,
}

impl Ledger {
    /// Makes everything anew from the records, and says what does not agree: with the tree, the ranges and the map in the
    /// store, with the rules, and with `heads`, sizes and roots that were signed, in rising order. `progress` is told how
    /// many records were seen.
    ///
    /// # Errors
    /// The store failed.
    pub fn audit(&mut self, heads: &[(u64, Hash)], progress: &mut dyn FnMut(u64)) -> Result<Audit> {
        self.refresh()?;
        let mut replay = Replay::new(heads);
        replay.check_heads();
        let bundles = self.size.div_ceil(BUNDLE);
        for first in (0..bundles).step_by(TOGETHER as usize) {
            let numbers: Vec<u64> = (first..bundles.min(first + TOGETHER)).collect();
            self.replay(&mut replay, &numbers)?;
            progress(replay.next);
            if replay.faults.len() >= MAX_FAULTS || replay.broken {
                break;
            }
        }
        if !replay.broken && replay.faults.len() < MAX_FAULTS {
            self.compare(&mut replay)?;
        }
        replay.faults.sort_by_key(|fault| fault.record);
        let root = replay.edge.root();
        Ok(Audit { size: replay.next, root, checkpoints: replay.agreed, faults: replay.faults })
    }

    fn replay(&mut self, replay: &mut Replay<'_>, numbers: &[u64]) -> Result<()> {
        let bodies = self.bodies("ledger_bundle", numbers)?;
        let mut hashed = Vec::new();
        for number in numbers {
            let expected = (self.size - number * BUNDLE).min(BUNDLE);
            let records = bodies.get(number).and_then(|body| unbundled(body).ok());
            let Some(records) = records.filter(|records| records.len() as u64 == expected) else {
                let what = format!("this record or one after it is gone: there should be {}", self.size);
                replay.fault(number * BUNDLE, what);
                replay.broken = true;
                return Ok(());
            };
            hashed.extend((number * BUNDLE..).zip(records));
        }
        let salts = self.salts.clone();
        let hash = |(number, record): &(u64, &[u8])| {
            let entry = salts.entry(*number, record);
            (entry, merkle::leaf_hash(&entry))
        };
        let hashes: Vec<(Hash, Hash)> = hashed.par_iter().with_min_len(64).map(hash).collect();
        hashes.iter().for_each(|(_, leaf)| replay.push(*leaf));
        self.check_tiles(replay)?;
        // What follows from a record that was changed would only hide which it was.
        replay.broken = !replay.faults.is_empty();
        if replay.broken {
            return Ok(());
        }
        for ((number, bytes), (entry, _)) in hashed.into_iter().zip(hashes) {
            match Record::from_bytes(bytes) {
                Ok(record) => self.replay_one(replay, number, &record, entry)?,
                Err(e) => replay.fault(number, format!("it is no record, but {e}")),
            }
        }
        Ok(())
    }

    fn replay_one(&mut self, replay: &mut Replay<'_>, number: u64, record: &Record, entry: Hash) -> Result<()> {
        match record {
            Record::Event(event) => self.replay_event(replay, number, event, entry),
            Record::Map(root) => {
                if replay.map_root()? != *root {
                    replay.fault(number, "its map of serials is not the one that the records before it make".into());
                }
                Ok(())
            }
            Record::Party(_) | Record::Padding => Ok(()),
        }
    }

    fn replay_event(&mut self, replay: &mut Replay<'_>, record: u64, event: &Event, entry: Hash) -> Result<()> {
        let line = replay.line(&event.line);
        let found = meeting(&replay.segments, line, event.serials);
        let before = match judge(event.serials, event.date, &event.what, &found) {
            Ok(before) => before,
            Err(e) => {
                replay.fault(record, format!("it breaks a rule: {e}"));
                return Ok(());
            }
        };
        if event.after != before.as_ref().map(|segment| segment.record) {
            replay.fault(record, "it does not name the record that answered before it".into());
        }
        let desk = Desk::new(record, Edge::default());
        let state = match State::after(&event.what) {
            Some(state) => state,
            None => self.restored(&desk, event.after)?,
        };
        if state == State::HandedOver
            && let Err(e) = self.require_holder(&desk, event)
        {
            replay.fault(record, format!("it breaks a rule: {e}"));
        }
        if let What::Commissioned { lot: Some(lot), .. } = &event.what {
            replay.lots.insert(record, lot.clone());
        }
        let (first, last) = (event.serials.first.get(), event.serials.last.get());
        for segment in divided(before, Segment { first, last, record, state, date: event.date, entry }) {
            replay.changed.entry(line).or_default().push(segment.first);
            replay.segments.insert(place(line, segment.first), segment);
        }
        Ok(())
    }

    /// Holds the tiles that have become full against those in the store.
    fn check_tiles(&mut self, replay: &mut Replay<'_>) -> Result<()> {
        let rows = if replay.next == self.size { replay.edge.take_rows() } else { replay.edge.take_full() };
        let own: BTreeMap<u64, Vec<u8>> = rows.into_iter().map(|row| tile_of(&row)).collect::<Result<_>>()?;
        let stored = self.bodies("ledger_tile", &own.keys().copied().collect::<Vec<_>>())?;
        for (number, body) in own {
            let kept = stored.get(&number).map(Vec::as_slice).unwrap_or_default();
            let (made, kept): (&[Hash], &[Hash]) = (body.as_chunks().0, kept.as_chunks().0);
            let differs = made.iter().enumerate().find(|(n, hash)| kept.get(*n) != Some(hash));
            if let Some((n, _)) = differs {
                let (record, is_alone) = record_at(number, n);
                if is_alone {
                    replay.fault(record, "it is not what was put on record: its hash is another".into());
                } else if replay.faults.is_empty() {
                    replay.fault(record, "the tree over the records from this one on is not theirs".into());
                }
            }
        }
        Ok(())
    }

    /// Holds the ranges and the map in the store against the records.
    fn compare(&mut self, replay: &mut Replay<'_>) -> Result<()> {
        for (number, key) in replay.keys.clone().into_iter().enumerate() {
            if self.lines.get(number).map(|line| line.public) != Some(key) {
                replay.fault(0, format!("line number {number} is not the one that the records name"));
                return Ok(());
            }
            let mut next = 0;
            loop {
                let kept = self.segments(number as u64, next, Serial::MAX, 16 * 1024)?;
                let last = kept.last().map_or(Serial::MAX, |segment| segment.first);
                let own = replay.segments.range(place(number as u64, next)..=place(number as u64, last));
                let own: Vec<&Segment> = own.map(|(_, segment)| segment).collect();
                if let Some(segment) = first_difference(&own, &kept) {
                    let what = format!(
                        "the range kept for serials {} to {} is not the one that the records make",
                        segment.first, segment.last
                    );
                    replay.fault(segment.record, what);
                    return Ok(());
                }
                match kept.last() {
                    Some(last) if last.first < Serial::MAX => next = last.first + 1,
                    _ => break,
                }
            }
        }
        let rows = self.db.rows("SELECT record, lot FROM ledger_lot ORDER BY record", &[])?;
        let kept = rows.iter().map(|row| {
            let [record, lot] = fields(row)?;
            Ok((record.count()?, lot.text()?.unwrap_or_default().to_owned()))
        });
        let kept = kept.collect::<Result<BTreeMap<u64, String>>>()?;
        let own = replay.lots.iter().map(|(record, lot)| (*record, lot.to_string())).collect::<BTreeMap<_, _>>();
        let differs = |record: &u64| own.get(record) != kept.get(record);
        if let Some(record) = own.keys().chain(kept.keys()).copied().filter(differs).min() {
            replay.fault(record, "the lot kept for it is not the one that it names".into());
        }
        let unmapped = self.is_headed()? && self.map_root() != replay.map_root()?;
        if unmapped {
            replay.fault(self.size - 1, "the map of serials that is kept is not the one that the records make".into());
        }
        Ok(())
    }
}

fn first_difference<'a>(own: &[&'a Segment], kept: &'a [Segment]) -> Option<&'a Segment> {
    let differs = own.iter().zip(kept).find(|(a, b)| **a != *b).map(|(a, _)| *a);
    differs.or_else(|| own.get(kept.len()).copied()).or_else(|| kept.get(own.len()))
}

fn tile_of(row: &[crate::line::store::Value]) -> Result<(u64, Vec<u8>)> {
    match row {
        [number, body] => Ok((number.count()?, body.bytes()?.to_vec())),
        _ => Err(strange("a tile")),
    }
}

impl<'a> Replay<'a> {
    fn new(heads: &'a [(u64, Hash)]) -> Self {
        Self {
            heads,
            keys: Vec::new(),
            segments: BTreeMap::new(),
            pages: HashMap::new(),
            counts: Vec::new(),
            changed: BTreeMap::new(),
            lots: BTreeMap::new(),
            edge: Edge::default(),
            next: 0,
            agreed: 0,
            proven: 0,
            broken: false,
            faults: Vec::new(),
        }
    }

    fn fault(&mut self, record: u64, what: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { record, what });
        }
    }

    fn push(&mut self, leaf: Hash) {
        self.edge.push(leaf);
        self.next += 1;
        self.check_heads();
    }

    /// Holds the checkpoints of this size against the tree.
    fn check_heads(&mut self) {
        while let Some((_, root)) = self.heads.first().filter(|(size, _)| *size <= self.next) {
            let own = self.edge.root();
            if own == *root {
                (self.agreed, self.proven) = (self.agreed + 1, self.next);
            } else {
                let (first, last) = (self.proven, self.next.saturating_sub(1));
                let what = format!(
                    "a signed checkpoint of {} records says otherwise: of the records {first} to {last} some were changed, put in or taken out, or there are two ledgers under one key",
                    self.next
                );
                self.fault(last, what);
            }
            self.heads = self.heads.get(1..).unwrap_or_default();
        }
    }

    fn line(&mut self, key: &KeyBytes) -> u64 {
        let known = self.keys.iter().position(|known| known == key);
        known.unwrap_or_else(|| {
            self.keys.push(*key);
            self.counts.push((0, None));
            self.keys.len() - 1
        }) as u64
    }

    fn map_root(&mut self) -> Result<Hash> {
        for (line, mut serials) in std::mem::take(&mut self.changed) {
            serials.sort_unstable();
            serials.dedup();
            let before = self.counts.get(line as usize).map_or(0, |(count, _)| *count);
            let summary = update(self, line, before, &serials)?;
            let tree = summary.and_then(|s| {
                let first =
                    touchmark_formats::ledger::map::Place { line: self.key(line).ok()?, serial: Serial::new(s.first)? };
                Some((s.count, Some(Subtree { first, hash: s.hash })))
            });
            if let (Some(own), Some(tree)) = (self.counts.get_mut(line as usize), tree) {
                *own = tree;
            }
        }
        let mut lines: Vec<Subtree> = self.counts.iter().filter_map(|(_, tree)| *tree).collect();
        lines.sort_by_key(|tree| tree.first.line);
        Ok(join(&lines).map_or(EMPTY_ROOT, |tree| tree.hash))
    }
}

impl Shelf for Replay<'_> {
    fn key(&self, line: u64) -> Result<KeyBytes> {
        self.keys.get(line as usize).copied().ok_or_else(|| strange("a line"))
    }

    fn ranges(&mut self, line: u64, first: u64, last: u64, limit: u64) -> Result<Vec<Segment>> {
        let range = self.segments.range(place(line, first)..=place(line, last));
        Ok(range.take(limit as usize).map(|(_, segment)| segment.clone()).collect())
    }

    fn page(&mut self, number: u64) -> Result<Page> {
        self.pages.get(&number).cloned().ok_or_else(|| Error::storage("a page of the map is not there"))
    }

    fn put(&mut self, number: u64, page: Page) {
        self.pages.insert(number, page);
    }
}

//! The Merkle tree over the records: hashes in tiles of 256, of every eighth level.

use super::store::{Ledger, strange};
use crate::error::{Error, Result};
use crate::line::store::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use touchmark_formats::ledger::merkle::{self, EMPTY_ROOT, Hash, Node};

/// Hashes in one tile.
const TILE: usize = 256;
/// Levels of the tree from one level of tiles to the next.
const LEVELS: u32 = 8;

/// The right edge of the tree: the last tile of each level, as far as it is filled.
#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    tiles: Vec<(u64, Vec<Hash>)>,
    full: Vec<Row>,
}

fn tile_number(level: u32, index: u64) -> u64 {
    u64::from(level) << 56 | index
}

impl Edge {
    /// The edge of a tree of `size` leaves, whose tiles `read` gives.
    pub(super) fn load(size: u64, read: impl FnOnce(&[u64]) -> Result<BTreeMap<u64, Vec<u8>>>) -> Result<Self> {
        let levels =
            (0..).map(|level| (level, size >> (LEVELS * level))).take_while(|(level, n)| *level == 0 || *n > 0);
        let wanted: Vec<(u64, usize)> =
            levels.map(|(level, n)| (tile_number(level, n / TILE as u64), n as usize % TILE)).collect();
        let numbers: Vec<u64> = wanted.iter().map(|(number, _)| *number).collect();
        let bodies = read(&numbers)?;
        let tile = |(number, count): &(u64, usize)| {
            let body = bodies.get(number).map(Vec::as_slice).unwrap_or_default();
            let hashes: Vec<Hash> = body.as_chunks().0.iter().take(*count).copied().collect();
            if hashes.len() == *count { Ok((*number, hashes)) } else { Err(strange("hashes of the tree")) }
        };
        Ok(Self { tiles: wanted.iter().map(tile).collect::<Result<_>>()?, full: Vec::new() })
    }

    /// Appends a leaf.
    pub(super) fn push(&mut self, leaf: Hash) {
        let (mut level, mut hash) = (0, leaf);
        loop {
            if self.tiles.len() == level {
                self.tiles.push((tile_number(level as u32, 0), Vec::new()));
            }
            let Some((number, tile)) = self.tiles.get_mut(level) else { return };
            tile.push(hash);
            if tile.len() < TILE {
                return;
            }
            self.full.push(row(*number, tile));
            hash = fold(tile);
            tile.clear();
            *number += 1;
            level += 1;
        }
    }

    /// The root of the tree so far.
    pub(super) fn root(&self) -> Hash {
        // Each tile has a perfect subtree for every bit of its count; those of higher levels stand to the left.
        let mut parts = Vec::new();
        for (_, tile) in self.tiles.iter().rev() {
            let mut rest = tile.as_slice();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(1 << rest.len().ilog2());
                parts.push(fold(now));
                rest = later;
            }
        }
        parts.into_iter().rev().reduce(|right, left| merkle::node_hash(&left, &right)).unwrap_or(EMPTY_ROOT)
    }

    /// The tiles that have become full.
    pub(super) fn take_full(&mut self) -> Vec<Row> {
        std::mem::take(&mut self.full)
    }

    /// The tiles that have changed.
    pub(super) fn take_rows(&mut self) -> Vec<Row> {
        let partial = self.tiles.iter().filter(|(_, tile)| !tile.is_empty()).map(|(number, tile)| row(*number, tile));
        std::mem::take(&mut self.full).into_iter().chain(partial).collect()
    }
}

fn row(number: u64, tile: &[Hash]) -> Row {
    vec![number.into(), tile.as_flattened().into()]
}

/// The root of a perfect subtree from the hashes of its leaves.
fn fold(hashes: &[Hash]) -> Hash {
    let mut hashes = hashes.to_vec();
    while hashes.len() > 1 {
        hashes = hashes.as_chunks::<2>().0.iter().map(|[left, right]| merkle::node_hash(left, right)).collect();
    }
    hashes.first().copied().unwrap_or(EMPTY_ROOT)
}

/// Tiles fetched for some proofs.
#[derive(Default)]
pub(super) struct Tiles(BTreeMap<u64, Vec<u8>>);

impl Tiles {
    /// The hash of a subtree that the tiles hold.
    pub(super) fn read(&self, node: Node) -> Result<Hash> {
        let (number, first, count) = place_of(node);
        let hashes = self.0.get(&number).and_then(|body| body.as_chunks().0.get(first..first + count));
        hashes.map(fold).ok_or_else(|| strange("a hash of the tree"))
    }
}

/// The tile that holds a subtree, and which of its hashes.
fn place_of(node: Node) -> (u64, usize, usize) {
    let (level, above) = (node.level / LEVELS, node.level % LEVELS);
    let first = node.index << above;
    (tile_number(level, first / TILE as u64), first as usize % TILE, 1 << above)
}

/// Which subtrees `proof` reads.
fn needed<T>(proof: impl FnOnce(&mut dyn FnMut(Node) -> std::result::Result<Hash, Infallible>) -> T) -> Vec<Node> {
    let mut nodes = Vec::new();
    proof(&mut |node| {
        nodes.push(node);
        Ok(EMPTY_ROOT)
    });
    nodes
}

impl Ledger {
    /// The tiles with these subtrees, in one query.
    pub(super) fn tiles(&mut self, nodes: &[Node]) -> Result<Tiles> {
        let numbers: BTreeSet<u64> = nodes.iter().map(|node| place_of(*node).0).collect();
        Ok(Tiles(self.bodies("ledger_tile", &numbers.into_iter().collect::<Vec<_>>())?))
    }

    /// The root of the first `size` records.
    ///
    /// # Errors
    /// The store failed, or has fewer records.
    pub fn root(&mut self, size: u64) -> Result<Hash> {
        self.require(size)?;
        let tiles = self.tiles(&needed(|read| merkle::root(size, read)))?;
        merkle::root(size, |node| tiles.read(node))
    }

    /// The proofs that records are among the first `size`, in the order of `numbers`.
    ///
    /// # Errors
    /// The store failed, or has fewer records; or one is not among them.
    pub fn inclusion(&mut self, numbers: &[u64], size: u64) -> Result<Vec<Vec<Hash>>> {
        self.require(size)?;
        if numbers.iter().any(|number| *number >= size) {
            return Err(Error::unusable(format!("no such record among the first {size}")));
        }
        let mut nodes = Vec::new();
        for number in numbers {
            nodes.extend(needed(|read| merkle::inclusion_proof(*number, size, read)));
        }
        let tiles = self.tiles(&nodes)?;
        numbers.iter().map(|number| merkle::inclusion_proof(*number, size, |node| tiles.read(node))).collect()
    }

    /// The proof that the first `old` records are the beginning of the first `new`.
    ///
    /// # Errors
    /// The store failed, or has fewer records.
    pub fn consistency(&mut self, old: u64, new: u64) -> Result<Vec<Hash>> {
        self.require(new)?;
        if old > new {
            return Err(Error::unusable(format!("{old} records are more than {new}")));
        }
        let tiles = self.tiles(&needed(|read| merkle::consistency_proof(old, new, read)))?;
        merkle::consistency_proof(old, new, |node| tiles.read(node))
    }

    fn require(&self, size: u64) -> Result<()> {
        if size <= self.size {
            return Ok(());
        }
        Err(Error::unusable(format!("{} has {} records, not {size}", self.name(), self.size)))
    }
}

//! The Merkle tree over the records: hashes in tiles of 256, of every eighth level.

use super::kept::{Kept, Wanted};
use super::schema::BUNDLE;
use super::store::{Ledger, strange};
use crate::error::{Error, Result};
use crate::line::store::Row;
use std::collections::BTreeMap;
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
        hashes = above(&hashes);
    }
    hashes.first().copied().unwrap_or(EMPTY_ROOT)
}

/// The hashes of the whole pairs.
fn above(hashes: &[Hash]) -> Vec<Hash> {
    hashes.as_chunks::<2>().0.iter().map(|[left, right]| merkle::node_hash(left, right)).collect()
}

/// A tile with the hashes above its own: of pairs, of fours, and so on.
pub(super) struct Tile(Vec<Vec<Hash>>);

impl Tile {
    pub(super) fn new(body: &[u8]) -> Self {
        let mut levels = vec![body.as_chunks().0.to_vec()];
        while let Some(below) = levels.last().filter(|hashes| hashes.len() > 1) {
            levels.push(above(below));
        }
        Self(levels)
    }
}

/// Where a subtree stands: the tile, and how high above its hashes and the how manieth there.
struct Place {
    number: u64,
    level: usize,
    index: usize,
}

fn place_of(node: Node) -> Place {
    let above = node.level % LEVELS;
    let (first, rest) = (node.index >> (LEVELS - above), node.index & ((1 << (LEVELS - above)) - 1));
    Place { number: tile_number(node.level / LEVELS, first), level: above as usize, index: rest as usize }
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

/// What the proofs read that records are among the first `size`.
fn needed_for(numbers: &[u64], size: u64) -> Vec<Node> {
    numbers.iter().flat_map(|number| needed(|read| merkle::inclusion_proof(*number, size, read))).collect()
}

/// The tiles with these subtrees.
fn tiles_of(nodes: &[Node]) -> Wanted {
    Wanted { tiles: nodes.iter().map(|node| place_of(*node).number).collect(), ..Wanted::default() }
}

/// The hash of a subtree.
fn hash(kept: &Kept, node: Node) -> Result<Hash> {
    let Place { number, level, index } = place_of(node);
    let hash = kept.tiles.get(&number).and_then(|tile| tile.0.get(level)?.get(index));
    hash.copied().ok_or_else(|| strange("a hash of the tree"))
}

/// What shows some records and proves them among the first `size`.
pub(super) fn wanted_for(numbers: &[u64], size: u64) -> Wanted {
    let bundles = numbers.iter().map(|number| number / BUNDLE).collect();
    Wanted { bundles, ..tiles_of(&needed_for(numbers, size)) }
}

impl Ledger {
    /// The root of the first `size` records.
    ///
    /// # Errors
    /// The store failed, or has fewer records.
    pub fn root(&mut self, size: u64) -> Result<Hash> {
        self.require(size)?;
        let kept = self.keep(&tiles_of(&needed(|read| merkle::root(size, read))))?;
        merkle::root(size, |node| hash(kept, node))
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
        let kept = self.keep(&tiles_of(&needed_for(numbers, size)))?;
        numbers.iter().map(|number| merkle::inclusion_proof(*number, size, |node| hash(kept, node))).collect()
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
        let kept = self.keep(&tiles_of(&needed(|read| merkle::consistency_proof(old, new, read))))?;
        merkle::consistency_proof(old, new, |node| hash(kept, node))
    }

    fn require(&self, size: u64) -> Result<()> {
        if size <= self.size {
            return Ok(());
        }
        Err(Error::unusable(format!("{} has {} records, not {size}", self.name(), self.size)))
    }
}

//! The Merkle tree over the records: hashes in tiles of 256.
//!
//! The tiles of rank 0 are of the records, for an audit to say which is not as it was. Those of rank 1 are of whole bundles, and
//! each further rank of whole tiles below. What a proof takes from within a bundle is made from its records, which are shown
//! with it anyhow; so that it reads next to nothing of the 32 bytes a record that rank 0 takes.

use super::kept::{Kept, Wanted};
use super::schema::BUNDLE;
use super::store::{Ledger, strange};
use crate::error::{Error, Result};
use crate::line::store::{Row, Value};
use std::collections::BTreeMap;
use std::convert::Infallible;
use touchmark_formats::ledger::merkle::{self, EMPTY_ROOT, Hash, Node};

/// Hashes in one tile.
const TILE: usize = 256;
/// Levels of the tree from one rank of tiles to the next.
const LEVELS: u32 = TILE.ilog2();
/// Tiles that are read together where all of them are.
const AT_ONCE: usize = 1024;
/// Levels of the tree within a bundle.
const IN_BUNDLE: u32 = BUNDLE.ilog2();

/// The right edge of the tree: the last tile of each rank, as far as it is filled.
#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    tiles: Vec<(u64, Vec<Hash>)>,
    full: Vec<Row>,
}

fn tile_number(rank: u32, index: u64) -> u64 {
    u64::from(rank) << 56 | index
}

/// The level of the hashes in tiles of a rank.
fn level(rank: u32) -> u32 {
    rank.checked_sub(1).map_or(0, |above| IN_BUNDLE + LEVELS * above)
}

/// The first record under one of the hashes of a tile, and whether it is the only one.
pub(super) fn record_at(number: u64, place: usize) -> (u64, bool) {
    let (rank, index) = ((number >> 56) as u32, number & ((1 << 56) - 1));
    ((index * TILE as u64 + place as u64) << level(rank), rank == 0)
}

impl Edge {
    /// The edge of a tree of `size` leaves, whose tiles `read` gives.
    pub(super) fn load(size: u64, read: impl FnOnce(&[u64]) -> Result<BTreeMap<u64, Vec<u8>>>) -> Result<Self> {
        let ranks = (0..).map(|rank| (rank, size >> level(rank))).take_while(|(rank, n)| *rank == 0 || *n > 0);
        let wanted: Vec<(u64, usize)> =
            ranks.map(|(rank, n)| (tile_number(rank, n / TILE as u64), n as usize % TILE)).collect();
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
        let (mut rank, mut hash) = (0, leaf);
        loop {
            if self.tiles.len() == rank {
                self.tiles.push((tile_number(rank as u32, 0), Vec::new()));
            }
            let Some((number, tile)) = self.tiles.get_mut(rank) else { return };
            tile.push(hash);
            // Whole bundles have a hash in the next rank, and after that whole tiles.
            let whole = if rank == 0 { BUNDLE as usize } else { TILE };
            if tile.len() % whole != 0 {
                return;
            }
            hash = fold(&tile[tile.len() - whole..]);
            if tile.len() == TILE {
                self.full.push(row(*number, tile));
                tile.clear();
                *number += 1;
            }
            rank += 1;
        }
    }

    /// The root of the tree so far.
    pub(super) fn root(&self) -> Hash {
        // Each tile has a perfect subtree for every bit of its count; those of higher ranks stand to the left.
        let mut parts = Vec::new();
        for (rank, (_, tile)) in self.tiles.iter().enumerate().rev() {
            // What is in a whole bundle stands in the rank above already.
            let above = if rank == 0 { tile.len() - tile.len() % BUNDLE as usize } else { 0 };
            let mut rest = &tile[above..];
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
    /// A tile as it is in the store.
    pub(super) fn of_row(body: &[u8]) -> Self {
        Self::new(body.as_chunks().0.to_vec())
    }

    /// Some hashes that stand side by side, from where a perfect subtree begins.
    pub(super) fn new(hashes: Vec<Hash>) -> Self {
        let mut levels = vec![hashes];
        while let Some(below) = levels.last().filter(|hashes| hashes.len() > 1) {
            levels.push(above(below));
        }
        Self(levels)
    }
}

/// Where a subtree stands: of which bundle or in which tile, how high above its hashes, and the how manieth there.
struct Place {
    of: Of,
    level: usize,
    index: usize,
}

enum Of {
    Bundle(u64),
    Tile(u64),
}

fn place_of(node: Node) -> Place {
    let (rank, level, levels) = match node.level.checked_sub(IN_BUNDLE) {
        None => (None, node.level, IN_BUNDLE),
        Some(above) => (Some(1 + above / LEVELS), above % LEVELS, LEVELS),
    };
    let open = levels - level;
    let (first, rest) = (node.index >> open, node.index & ((1 << open) - 1));
    let of = rank.map_or(Of::Bundle(first), |rank| Of::Tile(tile_number(rank, first)));
    Place { of, level: level as usize, index: rest as usize }
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

/// What these subtrees are made from.
fn made_from(nodes: &[Node]) -> Wanted {
    let mut wanted = Wanted::default();
    for node in nodes {
        match place_of(*node).of {
            Of::Bundle(number) => wanted.leaves.insert(number),
            Of::Tile(number) => wanted.tiles.insert(number),
        };
    }
    wanted
}

/// The hash of a subtree.
fn hash(kept: &Kept, node: Node) -> Result<Hash> {
    let Place { of, level, index } = place_of(node);
    let tile = match of {
        Of::Bundle(number) => kept.leaves.get(&number),
        Of::Tile(number) => kept.tiles.get(&number),
    };
    tile.and_then(|tile| tile.0.get(level)?.get(index)).copied().ok_or_else(|| strange("a hash of the tree"))
}

/// What shows some records and proves them among the first `size`.
pub(super) fn wanted_for(numbers: &[u64], size: u64) -> Wanted {
    let bundles = numbers.iter().map(|number| number / BUNDLE).collect();
    Wanted { bundles, ..made_from(&needed_for(numbers, size)) }
}

impl Ledger {
    /// The root of the first `size` records.
    ///
    /// # Errors
    /// The store failed, or has fewer records.
    pub fn root(&mut self, size: u64) -> Result<Hash> {
        self.require(size)?;
        let kept = self.keep(&made_from(&needed(|read| merkle::root(size, read))))?;
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
        let kept = self.keep(&made_from(&needed_for(numbers, size)))?;
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
        let kept = self.keep(&made_from(&needed(|read| merkle::consistency_proof(old, new, read))))?;
        merkle::consistency_proof(old, new, |node| hash(kept, node))
    }

    /// Makes all tiles anew above those of the records.
    pub(super) fn remake_tiles(&mut self) -> Result<()> {
        self.db.run("DELETE FROM ledger_tile WHERE number >= $1", &[tile_number(1, 0).into()])?;
        let mut edge = Edge::default();
        let is_above = |row: &Row| matches!(row.first(), Some(Value::Int(number)) if number >> 56 > 0);
        let above = |rows: Vec<Row>| rows.into_iter().filter(is_above).collect();
        let last = self.size.div_ceil(TILE as u64);
        for first in (0..last).step_by(AT_ONCE) {
            let numbers: Vec<u64> = (first..last.min(first + AT_ONCE as u64)).collect();
            let bodies = self.bodies("ledger_tile", &numbers)?;
            for number in numbers {
                let count = (self.size - number * TILE as u64).min(TILE as u64) as usize;
                let hashes: &[Hash] = bodies.get(&number).map_or(&[], |body| body.as_chunks().0);
                let hashes = hashes.get(..count).ok_or_else(|| strange("hashes of the tree"))?;
                hashes.iter().for_each(|hash| edge.push(*hash));
            }
            self.upsert("ledger_tile", &["number", "body"], above(edge.take_full()))?;
        }
        self.upsert("ledger_tile", &["number", "body"], above(edge.take_rows()))
    }

    fn require(&self, size: u64) -> Result<()> {
        if size <= self.size {
            return Ok(());
        }
        Err(Error::unusable(format!("{} has {} records, not {size}", self.name(), self.size)))
    }
}

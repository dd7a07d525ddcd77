//! The map of serials: a binary trie that says which entry of the log answers for each serial, so that no serial has two
//! answers under one root, and that none has any can be proven.
//!
//! Its leaves are ranges of serials that do not overlap, each at the **place** (line key, serial) where it begins. A
//! subtree holds the leaves whose places agree in all bits before one, and has two parts: those in which that bit is 0, and
//! those in which it is 1. So the shape depends on nothing but the places, and a change touches one path.
//!
//! A branch is hashed with its **split**, the place where its right part begins. Whoever looks for a place goes left if it
//! is before the split, else right, and so comes to exactly one leaf under a root, whoever made the tree and however: if
//! that leaf's range holds the serial, its entry is the answer, and if not, the serial has none.
//!
//! A range is one leaf here. Cut into aligned blocks, which would need no split, a reel of 3,000 parts would be 11 leaves
//! on average and cost ten times the hashes; what the splits tell is where some other ranges begin, and nothing of whose
//! they are.

use super::merkle::{EMPTY_ROOT, Hash};
use crate::delegation::{SerialRange, serial_number};
use crate::key::KeyBytes;
use crate::mark::Serial;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

/// The most steps of a proof: a place has 32 bytes and 53 bits.
pub const MAX_STEPS: usize = 256 + 53;

/// A serial of a line key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The line key.
    pub line: KeyBytes,
    /// The serial.
    #[serde(with = "serial_number")]
    pub serial: Serial,
}

/// A range of serials and the entry that answers for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapLeaf {
    /// The line key.
    pub line: KeyBytes,
    /// The serials.
    pub serials: SerialRange,
    /// The number of the entry in the log: at most 2^53 - 1.
    #[serde(deserialize_with = "index")]
    pub index: u64,
    /// The entry: the [commitment](super::record::commitment) of its record.
    #[serde(with = "hash_text")]
    pub entry: Hash,
}

impl MapLeaf {
    /// SHA-256(02 ‖ line key ‖ u64 first ‖ u64 last ‖ u64 index ‖ entry).
    #[must_use]
    pub fn hash(&self) -> Hash {
        let numbers = [self.serials.first.get(), self.serials.last.get(), self.index].map(u64::to_be_bytes);
        let hash = Sha256::new().chain_update([2]).chain_update(self.line.0).chain_update(numbers.as_flattened());
        hash.chain_update(self.entry).finalize().into()
    }

    /// The subtree of this leaf alone.
    #[must_use]
    pub fn subtree(&self) -> Subtree {
        Subtree { first: Place { line: self.line, serial: self.serials.first }, hash: self.hash() }
    }
}

/// A part of the trie: all the leaves whose places have the same bits at their beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtree {
    /// Where its first leaf begins.
    pub first: Place,
    /// Its hash.
    pub hash: Hash,
}

/// A branch on the way from a leaf to the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Where the right part of the branch begins.
    pub split: Place,
    /// The hash of the part that does not hold the place looked for.
    #[serde(with = "hash_text")]
    pub other: Hash,
}

/// SHA-256(03 ‖ line key of the split ‖ u64 serial of the split ‖ left ‖ right).
#[must_use]
pub fn branch_hash(split: &Place, left: &Hash, right: &Hash) -> Hash {
    let hash = Sha256::new().chain_update([3]).chain_update(split.line.0);
    let hash = hash.chain_update(split.serial.get().to_be_bytes());
    hash.chain_update(left).chain_update(right).finalize().into()
}

/// The subtree of several: disjoint ones, in rising order, which together are all the leaves with some bits at their
/// beginning. `None` for none.
#[must_use]
pub fn join(parts: &[Subtree]) -> Option<Subtree> {
    match parts {
        [] => None,
        [one] => Some(*one),
        [first, ..] => {
            let (left, right) = parts.split_at(boundary(parts));
            let (left, right) = (join(left)?, join(right)?);
            Some(Subtree { first: first.first, hash: branch_hash(&right.first, &left.hash, &right.hash) })
        }
    }
}

/// Which of `parts`, as in [`join`], `place` leads to, and the branches on the way: put before those of that part's own
/// subtree, from the leaf up, they are a proof's.
#[must_use]
pub fn way(parts: &[Subtree], place: &Place) -> Option<(usize, Vec<Step>)> {
    let (mut here, mut offset, mut steps) = (parts, 0, Vec::new());
    while here.len() > 1 {
        let at = boundary(here);
        let (left, right) = here.split_at(at);
        let split = right.first()?.first;
        let (taken, other) = if *place < split { (left, right) } else { (right, left) };
        steps.push(Step { split, other: join(other)?.hash });
        offset += if *place < split { 0 } else { at };
        here = taken;
    }
    steps.reverse();
    (!parts.is_empty()).then_some((offset, steps))
}

/// Where the right part of a subtree of more than one part begins: at the first place whose bit is 1, of the first bit in
/// which the places differ.
fn boundary(parts: &[Subtree]) -> usize {
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return 0 };
    let (a, b) = (&first.first, &last.first);
    if a.line == b.line {
        let bit = (a.serial.get() ^ b.serial.get()).checked_ilog2().unwrap_or(0);
        return parts.partition_point(|part| part.first.serial.get() >> bit & 1 == 0);
    }
    let differing = a.line.0.iter().zip(b.line.0).position(|(a, b)| *a != b).unwrap_or(0);
    let byte = |part: &Subtree| part.first.line.0.get(differing).copied().unwrap_or(0);
    let bit = (byte(first) ^ byte(last)).checked_ilog2().unwrap_or(0);
    parts.partition_point(|part| byte(part) >> bit & 1 == 0)
}

/// What the map says of one place, with the proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapProof {
    /// The one leaf to which the place leads; `None` if the map has no leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaf: Option<MapLeaf>,
    /// The branches from the leaf to the root: at most [`MAX_STEPS`].
    #[serde(deserialize_with = "steps")]
    pub steps: Vec<Step>,
}

/// The proof of a map that has no leaves.
pub const EMPTY_MAP: MapProof = MapProof { leaf: None, steps: Vec::new() };

/// What a map says of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The range that holds it.
    Entry(&'a MapLeaf),
    /// There is none.
    Absent,
}

impl MapProof {
    /// What the map with this `root` says of `place`; `None` if this is no proof for that.
    #[must_use]
    pub fn answer(&self, root: &Hash, place: &Place) -> Option<Answer<'_>> {
        let mut hash = self.leaf.as_ref().map_or(EMPTY_ROOT, MapLeaf::hash);
        if self.steps.len() > MAX_STEPS || self.leaf.is_none() && !self.steps.is_empty() {
            return None;
        }
        for Step { split, other } in &self.steps {
            let (left, right) = if place < split { (&hash, other) } else { (other, &hash) };
            hash = branch_hash(split, left, right);
        }
        let own = self.leaf.as_ref().filter(|l| l.line == place.line && l.serials.contains(place.serial));
        (hash == *root).then(|| own.map_or(Answer::Absent, Answer::Entry))
    }
}

fn index<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    let index = u64::deserialize(d)?;
    let fits = index <= super::record::MAX_INDEX;
    if fits { Ok(index) } else { Err(D::Error::custom("the number of an entry is at most 2^53 - 1")) }
}

fn steps<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Step>, D::Error> {
    let steps = Vec::deserialize(d)?;
    if steps.len() <= MAX_STEPS { Ok(steps) } else { Err(D::Error::custom("more steps than a place has bits")) }
}

/// A hash in JSON is base64.
pub(crate) mod hash_text {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(hash: &Hash, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&STANDARD.encode(hash))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Hash, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(d)?).ok().and_then(|b| b.try_into().ok());
        bytes.ok_or_else(|| D::Error::custom("a hash is 32 bytes in base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaf(line: u8, first: u64, last: u64, index: u64) -> MapLeaf {
        let serials = SerialRange { first: Serial::new(first).unwrap(), last: Serial::new(last).unwrap() };
        MapLeaf { line: KeyBytes([line; 32]), serials, index, entry: [index as u8; 32] }
    }

    fn proof(leaves: &[MapLeaf], place: &Place) -> MapProof {
        let parts: Vec<Subtree> = leaves.iter().map(MapLeaf::subtree).collect();
        match way(&parts, place) {
            Some((at, steps)) => MapProof { leaf: Some(leaves[at].clone()), steps },
            None => MapProof { leaf: None, steps: Vec::new() },
        }
    }

    fn root(leaves: &[MapLeaf]) -> Hash {
        join(&leaves.iter().map(MapLeaf::subtree).collect::<Vec<_>>()).map_or(EMPTY_ROOT, |t| t.hash)
    }

    fn place(line: u8, serial: u64) -> Place {
        Place { line: KeyBytes([line; 32]), serial: Serial::new(serial).unwrap() }
    }

    #[test]
    fn every_place_has_the_answer_of_the_range_that_holds_it() {
        let leaves =
            [leaf(1, 5, 9, 0), leaf(1, 10, 10, 1), leaf(1, 4000, 7000, 2), leaf(2, 0, 3, 3), leaf(200, 7, 8, 4)];
        for count in 0..=leaves.len() {
            let leaves = &leaves[..count];
            let root = root(leaves);
            for (line, serial) in [
                (1, 0),
                (1, 5),
                (1, 9),
                (1, 10),
                (1, 11),
                (1, 4095),
                (1, 4096),
                (1, 7001),
                (2, 0),
                (2, 4),
                (9, 1),
                (200, 8),
                (0, 0),
            ] {
                let at = place(line, serial);
                let proof = proof(leaves, &at);
                let expected = leaves.iter().find(|l| l.line == at.line && l.serials.contains(at.serial));
                let expected = expected.map_or(Answer::Absent, Answer::Entry);
                assert_eq!(proof.answer(&root, &at), Some(expected), "{line} {serial}");
                assert_eq!(proof.answer(&[0; 32], &at), None);
            }
        }
    }

    #[test]
    fn a_tree_made_to_deceive_still_gives_each_place_one_answer() {
        // Two ranges that overlap, on both sides of a split.
        let (a, b) = (leaf(1, 0, 100, 1), leaf(1, 50, 60, 2));
        let split = place(1, 50);
        let root = branch_hash(&split, &a.hash(), &b.hash());
        let of =
            |leaf: &MapLeaf, other: Hash| MapProof { leaf: Some(leaf.clone()), steps: vec![Step { split, other }] };
        let (left, right) = (of(&a, b.hash()), of(&b, a.hash()));
        for serial in 0..=110 {
            let at = place(1, serial);
            let answers = [left.answer(&root, &at), right.answer(&root, &at)];
            assert_eq!(answers.iter().flatten().count(), 1, "{serial}");
        }
    }

    proptest! {
        #[test]
        fn aligned_parts_join_to_the_same_tree(firsts in prop::collection::btree_set(0u64..4096, 1..200), bits in 1u32..12) {
            let leaves: Vec<MapLeaf> = firsts.iter().map(|n| leaf(3, *n, *n, *n)).collect();
            let blocks = leaves.chunk_by(|a, b| a.serials.first.get() >> bits == b.serials.first.get() >> bits);
            let parts: Vec<Subtree> = blocks.map(|b| join(&b.iter().map(MapLeaf::subtree).collect::<Vec<_>>()).unwrap()).collect();
            prop_assert_eq!(join(&parts).unwrap().hash, root(&leaves));
            for serial in (0..4100).step_by(37) {
                let at = place(3, serial);
                prop_assert!(proof(&leaves, &at).answer(&root(&leaves), &at).is_some());
            }
        }
    }
}

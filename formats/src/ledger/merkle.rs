//! The Merkle tree of RFC 6962, section 2.1: hashes, roots, inclusion and consistency proofs, and how they are checked
//! (RFC 9162, sections 2.1.3.2 and 2.1.4.2).
//!
//! A proof is made of hashes of *perfect* subtrees, of 2^level leaves from a multiple of that on; whoever keeps them
//! passes a function that reads one, and so decides where they are kept.

use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The most hashes of a proof in a tree of fewer than 2^63 leaves.
pub const MAX_PROOF: usize = 63;

/// A perfect subtree: the leaves from `index` × 2^`level` on, 2^`level` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// How many levels it is above the leaves.
    pub level: u32,
    /// Which one of its level it is.
    pub index: u64,
}

/// The hash of a leaf: SHA-256(00 ‖ entry).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// The hash of two subtrees beside one another: SHA-256(01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The perfect subtrees that the leaf number `index` completes, when it is appended: its own hash first, then upwards.
/// `read` gives the hash of a subtree completed before.
///
/// # Errors
/// Those of `read`.
pub fn completed<E>(
    index: u64,
    leaf: Hash,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<(Node, Hash)>, E> {
    let mut done = vec![(Node { level: 0, index }, leaf)];
    let (mut index, mut hash) = (index, leaf);
    for level in 0..63 {
        if index & 1 == 0 {
            break;
        }
        hash = node_hash(&read(Node { level, index: index - 1 })?, &hash);
        index >>= 1;
        done.push((Node { level: level + 1, index }, hash));
    }
    Ok(done)
}

/// The root of the first `size` leaves.
///
/// # Errors
/// Those of `read`.
pub fn root<E>(size: u64, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    if size == 0 { Ok(EMPTY_ROOT) } else { subtree(0, size, &mut read) }
}

/// The proof that the leaf number `index` is in the tree of the first `size` leaves (RFC 6962, section 2.1.1): from the
/// leaf's neighbour upwards. Empty for an `index` that is not in that tree.
///
/// # Errors
/// Those of `read`.
pub fn inclusion_proof<E>(
    index: u64,
    size: u64,
    mut read: impl FnMut(Node) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut first, mut end, mut proof) = (0, size, Vec::new());
    if index >= size {
        return Ok(proof);
    }
    while end - first > 1 {
        let middle = first + largest_power_below(end - first);
        if index < middle {
            proof.push(subtree(middle, end, &mut read)?);
            end = middle;
        } else {
            proof.push(subtree(first, middle, &mut read)?);
            first = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of the first `old` leaves is the beginning of that of the first `new` (RFC 6962, section
/// 2.1.2). Empty unless 0 < `old` < `new`.
///
/// # Errors
/// Those of `read`.
pub fn consistency_proof<E>(old: u64, new: u64, mut read: impl FnMut(Node) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
    let (mut first, mut end, mut proof) = (0, new, Vec::new());
    if old == 0 || old >= new {
        return Ok(proof);
    }
    while old != end {
        let middle = first + largest_power_below(end - first);
        if old <= middle {
            proof.push(subtree(middle, end, &mut read)?);
            end = middle;
        } else {
            proof.push(subtree(first, middle, &mut read)?);
            first = middle;
        }
    }
    if first > 0 {
        proof.push(subtree(first, end, &mut read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that the leaf with hash `leaf` is number `index` of the tree of `size` leaves with this `root`.
#[must_use]
pub fn includes(root: &Hash, size: u64, index: u64, leaf: &Hash, proof: &[Hash]) -> bool {
    if index >= size {
        return false;
    }
    let (mut own, mut last, mut hash) = (index, size - 1, *leaf);
    for other in proof {
        if last == 0 {
            return false;
        }
        if own & 1 == 1 || own == last {
            hash = node_hash(other, &hash);
            while own & 1 == 0 && own != 0 {
                (own, last) = (own >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, other);
        }
        (own, last) = (own >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `old` leaves with root `old_root` is the beginning of that of `new` leaves with
/// root `new_root`. From the tree without leaves there is no proof, for there is nothing to prove: any tree goes on from
/// it.
#[must_use]
pub fn is_consistent(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 || old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let (mut own, mut last) = (old - 1, new - 1);
    while own & 1 == 1 {
        (own, last) = (own >> 1, last >> 1);
    }
    let mut rest = proof.iter();
    // An old tree that is perfect stands in the new one as it is; of another, the proof names the last perfect part.
    let seed = if own == 0 { Some(old_root) } else { rest.next() };
    let Some(seed) = seed else { return false };
    let (mut old_hash, mut new_hash) = (*seed, *seed);
    for other in rest {
        if last == 0 {
            return false;
        }
        if own & 1 == 1 || own == last {
            (old_hash, new_hash) = (node_hash(other, &old_hash), node_hash(other, &new_hash));
            while own & 1 == 0 && own != 0 {
                (own, last) = (own >> 1, last >> 1);
            }
        } else {
            new_hash = node_hash(&new_hash, other);
        }
        (own, last) = (own >> 1, last >> 1);
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

/// The hash of the leaves from `first` up to `end`, of which RFC 6962 makes one subtree.
fn subtree<E>(first: u64, end: u64, read: &mut impl FnMut(Node) -> Result<Hash, E>) -> Result<Hash, E> {
    let count = end - first;
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return read(Node { level, index: first >> level });
    }
    let middle = first + largest_power_below(count);
    Ok(node_hash(&subtree(first, middle, read)?, &subtree(middle, end, read)?))
}

/// The largest power of two below `n`, which is above 1.
fn largest_power_below(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::convert::Infallible;

    /// The definition of RFC 6962, section 2.1, word for word.
    fn slow_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => EMPTY_ROOT,
            [leaf] => *leaf,
            leaves => {
                let k = (1..).map(|n| 1usize << n).find(|k| 2 * k >= leaves.len() || *k >= leaves.len()).unwrap();
                let k = if leaves.len() == 2 { 1 } else { k };
                node_hash(&slow_root(&leaves[..k]), &slow_root(&leaves[k..]))
            }
        }
    }

    struct Tree(HashMap<Node, Hash>, Vec<Hash>);

    impl Tree {
        fn new(size: u64) -> Self {
            let mut tree = Self(HashMap::new(), Vec::new());
            for index in 0..size {
                let leaf = leaf_hash(&index.to_be_bytes());
                let done = completed(index, leaf, tree.read()).unwrap();
                tree.0.extend(done);
                tree.1.push(leaf);
            }
            tree
        }

        fn read(&self) -> impl FnMut(Node) -> Result<Hash, Infallible> {
            |node| Ok(self.0[&node])
        }
    }

    #[test]
    fn every_proof_in_every_small_tree_holds_and_no_other() {
        let tree = Tree::new(70);
        let root = |size: u64| super::root(size, tree.read()).unwrap();
        for size in 0..=70 {
            assert_eq!(root(size), slow_root(&tree.1[..size as usize]), "{size}");
            for index in 0..size {
                let proof = inclusion_proof(index, size, tree.read()).unwrap();
                let leaf = &tree.1[index as usize];
                assert!(includes(&root(size), size, index, leaf, &proof), "{index} of {size}");
                for other in [index ^ 1, index + 1, size] {
                    assert!(
                        other == index || !includes(&root(size), size, other, leaf, &proof),
                        "{index} {other} {size}"
                    );
                }
                assert!(!includes(&root(size), size, index, leaf, &[&proof[..], &[*leaf]].concat()));
                assert!(proof.is_empty() || !includes(&root(size), size, index, leaf, &proof[1..]));
            }
            for old in 1..=size {
                let proof = consistency_proof(old, size, tree.read()).unwrap();
                assert!(is_consistent(old, &root(old), size, &root(size), &proof), "{old} {size}");
                assert!(!is_consistent(old, &[7; 32], size, &root(size), &proof), "{old} {size}");
                assert!(!is_consistent(old, &root(old), size, &[7; 32], &proof), "{old} {size}");
                assert!(old == size || !is_consistent(size, &root(size), old, &root(old), &proof));
                assert!(!is_consistent(0, &EMPTY_ROOT, size, &root(size), &[]));
            }
        }
    }

    proptest! {
        #[test]
        fn hostile_proofs_end_in_no(size in any::<u64>(), index in any::<u64>(), count in 0usize..70) {
            let proof = vec![[1; 32]; count];
            prop_assert!(!includes(&[0; 32], size, index, &[1; 32], &proof));
            prop_assert!(!is_consistent(index, &[0; 32], size, &[2; 32], &proof));
        }
    }
}

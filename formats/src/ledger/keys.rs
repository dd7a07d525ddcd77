//! The keys that open consignees, committed to before goods ship, so that no key can be chosen afterwards that names a
//! scapegoat.

use super::merkle::{self, Hash, Node};
use crate::capsule::{ItemKey, LotKey};
use crate::delegation::SerialRange;
use crate::key::KeyId;
use crate::mark::Serial;
use std::convert::Infallible;

/// The root, by RFC 6962, of a tree whose entries are SHA-256(`"touchmark/v1/item-key-commitment" 00` ‖ item key), one for
/// each serial of `serials` in order, with the item keys that `lot` gives for the line key `line`. With an item key and
/// an inclusion proof, or with the lot's key, anybody sees that a key is the one committed to.
#[must_use]
pub fn item_keys_root(lot: &LotKey, line: KeyId, serials: SerialRange) -> Hash {
    // The stack of perfect subtrees to the left, the largest first.
    let mut stack: Vec<(u32, Hash)> = Vec::new();
    for number in serials.first.get()..=serials.last.get() {
        let Some(serial) = Serial::new(number) else { break };
        let mut node = (0, merkle::leaf_hash(&entry(&lot.item(line, serial))));
        while let Some((level, left)) = stack.pop_if(|(level, _)| *level == node.0) {
            node = (level + 1, merkle::node_hash(&left, &node.1));
        }
        stack.push(node);
    }
    let joined = stack.into_iter().rev().map(|(_, hash)| hash).reduce(|right, left| merkle::node_hash(&left, &right));
    joined.unwrap_or(merkle::EMPTY_ROOT)
}

/// The proof that the key of `serial` is under [`item_keys_root`]; empty if it is not of the range.
#[must_use]
pub fn item_key_proof(lot: &LotKey, line: KeyId, serials: SerialRange, serial: Serial) -> Vec<Hash> {
    if !serials.contains(serial) {
        return Vec::new();
    }
    let first = serials.first.get();
    let read = |node: Node| -> Result<Hash, Infallible> {
        let from = first + (node.index << node.level);
        let range = Serial::new(from).zip(Serial::new(from + (1 << node.level) - 1));
        Ok(range.map_or(merkle::EMPTY_ROOT, |(first, last)| item_keys_root(lot, line, SerialRange { first, last })))
    };
    match merkle::inclusion_proof(serial.get() - first, serials.count(), read) {
        Ok(proof) => proof,
        Err(never) => match never {},
    }
}

/// Whether `key` is the one committed to for `serial` under `root`.
#[must_use]
pub fn is_committed(root: &Hash, serials: SerialRange, serial: Serial, key: &ItemKey, proof: &[Hash]) -> bool {
    let leaf = merkle::leaf_hash(&entry(key));
    let index = serial.get().checked_sub(serials.first.get());
    index.is_some_and(|index| merkle::includes(root, serials.count(), index, &leaf, proof))
}

fn entry(key: &ItemKey) -> Hash {
    use sha2::{Digest, Sha256};
    Sha256::new().chain_update(b"touchmark/v1/item-key-commitment\0").chain_update(key.expose()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committed_key_is_proven_and_no_other() {
        let (lot, line) = (LotKey::from_bytes([7; 32]), KeyId([1, 2, 3, 4]));
        let range = |first, last| SerialRange { first: Serial::new(first).unwrap(), last: Serial::new(last).unwrap() };
        for last in 100..=120 {
            let serials = range(100, last);
            let root = item_keys_root(&lot, line, serials);
            for serial in (100..=last).map(|n| Serial::new(n).unwrap()) {
                let proof = item_key_proof(&lot, line, serials, serial);
                let key = lot.item(line, serial);
                assert!(is_committed(&root, serials, serial, &key, &proof));
                assert!(!is_committed(&root, serials, serial, &ItemKey::from_bytes([9; 32]), &proof));
            }
        }
    }
}

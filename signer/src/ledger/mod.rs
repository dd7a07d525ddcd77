//! The maker's shipping ledger: from a serial to every hand that it passed through, provably (SPEC.md, section 15).
//!
//! | what | table | how it is kept |
//! | --- | --- | --- |
//! | records, in order | `bundle` | 64 to a row; the salt of each comes from the ledger's secret and its number |
//! | the Merkle tree over them | `tile` | 256 hashes to a row: of the records, of whole bundles, and of every eighth level above; those between are made when they are asked for |
//! | which record answers for which serials | `segment` | a row for each range, with what is needed to judge the next event |
//! | the map of serials | `page` | below |
//! | customers by number, lots, lines, checkpoints | `party`, `lot`, `line`, `checkpoint` | |
//!
//! An append judges its events against the segments, all of them or none, and writes bundles, tiles and segments in one
//! transaction. It does not touch the map: it only notes which places of it have changed (`changed`).
//!
//! A checkpoint needs the map's root, and so brings the map up to date. The trie over n ranges has 2n - 1 nodes; kept each
//! in a row they would be most of the store. Kept are **pages**: the serials of a line are cut into blocks of 16^k, and a
//! block that holds more than 16 ranges has a page with the hash, the count and the first place of each of its 16 parts.
//! What is below is made from the segments. So a change costs one page on each of about six levels, whatever came in
//! together shares them, and a proof for one of 100 million ranges needs six pages and at most 16 segments, which two
//! queries fetch.
//!
//! Nothing in the store is secret from the maker, and nothing but commitments and hashes leaves it unless a record is
//! disclosed.

mod append;
mod audit;
pub mod keeper;
mod kept;
mod log;
mod pages;
mod parts;
mod prove;
mod rules;
mod schema;
mod store;
#[cfg(test)]
mod tests;
pub mod witness;

pub use append::{Happened, New, Together};
pub use audit::{Audit, Fault};
pub use keeper::Keeper;
pub use parts::Parts;
pub use rules::{Segment, State};
pub use store::{Custody, Ledger};

//! The shipping ledger: what is written down of where parts went, and how it is proven that nobody changed it since
//! (SPEC.md, section 15).
//!
//! A [`record`] says what happened to the parts with some serials. It stands in a log, an append-only list whose entries
//! are salted commitments to the records, under the [`merkle`] tree of RFC 6962. The [`map`] says which record answers
//! for each serial; its root is the last entry before every [`checkpoint`]. Checkpoints are [`note`]s, which the ledger
//! signs and witnesses cosign.

pub mod checkpoint;
pub mod handover;
pub mod head;
pub mod keys;
pub mod map;
pub mod merkle;
pub mod note;
pub mod party;
pub mod record;
pub mod request;
pub mod trail;

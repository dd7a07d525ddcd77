//! What Touchmark writes down, as pure functions of bytes: no files, no images, no clock, no terminal, and no
//! randomness but what is passed in. `SPEC.md` beside this crate is the normative byte-level specification.
//!
//! | module | what it writes | SPEC.md |
//! | --- | --- | --- |
//! | [`mark`] | the mark and what its signature is over | 2, 3 |
//! | [`container`] | the container mark | 2.4, 3 |
//! | [`carried`] | one or the other | 2 |
//! | [`base45`] | the text form | 5 |
//! | [`key`] | public keys, key ids, strict verification | 4 |
//! | [`capsule`] | the sealed consignee and its keys | 6 |
//! | [`signed`] | the envelope of signed files | 7 |
//! | [`delegation`] | what a line key may mark | 8 |
//! | [`close`] | which serials of a lot were used | 8.4 |
//! | [`trust`] | whom a verifier believes | 9 |
//! | [`disclosure`] | consignee keys for one reader | 10 |
//! | [`ledger`] | where parts went: records, log, map, proofs | 15 |
//! | [`reading`] | what a photo shows of a symbol | 16 |
//! | [`case`] | the seal of a packed case | 17 |
//! | [`expected`] | what is known of a mark before it is read | 2, 8 |
//! | [`symbol`] | bytes as QR Code and Data Matrix | 11 |
//! | [`text`], [`date`] | what labels and dates may hold | 1 |
//!
//! Section 12 is the order of verdicts, section 13 the attacks and what stands against each, section 14 the reasons.

pub mod base45;
pub mod capsule;
pub mod carried;
pub mod case;
pub mod close;
mod codec;
pub mod container;
pub mod date;
pub mod delegation;
pub mod disclosure;
pub mod expected;
pub mod font;
pub mod key;
pub mod ledger;
pub mod mark;
pub mod reading;
pub mod signed;
pub mod symbol;
pub mod text;
pub mod trust;

//! Touchmark's signing side: marks, delegations, trust bundles and disclosures, and the artwork of symbols.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`init`] | a maker's home from nothing |
//! | [`consignees`] | the maker's customers |
//! | [`disclose`] | consignees for one reader |
//! | [`delegate`] | requests and grants of delegations |
//! | [`lot`] | closed lots |
//! | [`trust`] | changes to trust bundles |
//! | [`keys`] | secret keys at rest, under a passphrase |
//! | [`home`] | the folder that holds a maker's or a line's keys and records |
//! | [`issue`] | what a mark is to say, held against the delegation |
//! | [`journal`] | what is on record of marks, for disclosures |
//! | [`matching`] | which mark on record a soft reading is of |
//! | [`sign`] | a mark and a key to a signed mark |
//! | [`mod@line`] | marks issued at marking time: store, rules, service |
//! | [`ledger`] | where parts went, provably |
//! | [`commission`] | what was marked, onto the ledger |
//! | [`epcis`] | the ledger's events in the form that the trade exchanges |
//! | [`substrate`] | strips and trays: which units get a mark |
//! | [`own`] | what a line signed itself |
//! | [`pack`] | reels, boxes and pallets |
//! | [`plan`] | which symbol, what size, what fits a package |
//! | [`design`] | how a mark is carried and drawn |
//! | [`readback`] | what the line's camera saw |
//! | [`render`] | artwork of symbols |
//! | [`cli`] | the command line `touchmark-sign` |

pub mod cli;
pub mod commission;
pub mod consignees;
pub mod delegate;
pub mod design;
pub mod disclose;
pub mod epcis;
pub mod error;
pub mod files;
pub mod home;
pub mod init;
pub mod issue;
pub mod journal;
pub mod keys;
pub mod ledger;
pub mod line;
pub mod lot;
pub mod matching;
pub mod own;
pub mod pack;
mod percent;
pub mod plan;
pub mod readback;
pub mod render;
pub mod sign;
pub mod substrate;
mod table;
pub mod tls;
pub mod trust;

/// The PostgreSQL server of the unit tests.
#[cfg(test)]
#[allow(dead_code, clippy::panic, unreachable_pub, missing_docs, reason = "the test kit, used in part")]
#[path = "../../tests/src/postgres.rs"]
mod postgres_server;

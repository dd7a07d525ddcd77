//! `touchmark-sign` as its users run it: the binary, its files, and what it prints.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a helper of a test fails the test, or says why it is skipped"
)]

#[path = "../src/certificates.rs"]
#[allow(unreachable_pub, missing_docs, reason = "the test kit")]
mod certificates;
mod kit;
mod softhsm;

#[path = "signer/adapters.rs"]
mod adapters;
#[path = "signer/crash.rs"]
mod crash;
#[path = "signer/delegate.rs"]
mod delegate;
#[path = "signer/disclose.rs"]
mod disclose;
#[path = "signer/epcis.rs"]
mod epcis;
#[path = "signer/hsm.rs"]
mod hsm;
#[path = "signer/init.rs"]
mod init;
#[path = "signer/ledger.rs"]
mod ledger;
#[cfg(unix)]
#[path = "signer/line.rs"]
mod line;
#[path = "signer/lot.rs"]
mod lot;
#[path = "signer/mark.rs"]
mod mark;
#[path = "signer/matching.rs"]
mod matching;
#[cfg(unix)]
#[path = "signer/mqtt.rs"]
mod mqtt;
#[path = "signer/pack.rs"]
mod pack;
#[path = "signer/plan.rs"]
mod plan;
#[path = "signer/strip.rs"]
mod strip;
#[path = "signer/trust.rs"]
mod trust;

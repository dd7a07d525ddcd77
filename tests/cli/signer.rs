//! `touchmark-sign` as its users run it: the binary, its files, and what it prints.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

mod kit;

#[path = "signer/crash.rs"]
mod crash;
#[path = "signer/delegate.rs"]
mod delegate;
#[path = "signer/disclose.rs"]
mod disclose;
#[path = "signer/init.rs"]
mod init;
#[path = "signer/mark.rs"]
mod mark;
#[path = "signer/plan.rs"]
mod plan;
#[path = "signer/trust.rs"]
mod trust;

//! The test kit: makers of fixed keys, worn photos of marks, runners of both binaries.
#![allow(clippy::panic, clippy::unwrap_used)] // A test kit stops a test that asks for nonsense.

pub mod browser;
pub mod case;
pub mod certificates;
pub mod console;
pub mod ladder;
pub mod maker;
pub mod page;
pub mod postgres;
pub mod scoreboard;
pub mod simulate;

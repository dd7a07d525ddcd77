//! Touchmark's verifying side: photo in, verdict out. Nothing here needs a secret key of a maker.
//!
//! A photo goes through stages, each of which can be called alone: file to luminance ([`photo`]), luminance to symbols
//! ([`read`]), bytes to verdict ([`verify`]). [`examine`] is all of them in a row.

pub mod annotate;
pub mod case;
pub mod cli;
pub mod examine;
pub mod files;
pub mod fuse;
pub mod grade;
mod guard;
mod hex;
pub mod material;
pub mod photo;
pub mod pins;
pub mod pipeline;
pub mod read;
pub mod reading;
pub mod recover;
pub mod request;
pub mod sightings;
pub mod verdict;
pub mod verify;

/// The PostgreSQL server of the unit tests.
#[cfg(test)]
#[allow(dead_code, clippy::panic, unreachable_pub, missing_docs, reason = "the test kit, used in part")]
#[path = "../../tests/src/postgres.rs"]
mod postgres_server;

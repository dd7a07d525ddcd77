//! Touchmark's verifying side: photo in, verdict out. Nothing here needs a secret key of a maker.
//!
//! A photo goes through stages, each of which can be called alone: file to luminance ([`photo`]), luminance to symbols
//! ([`read`]), bytes to verdict ([`verify`]). [`examine`] is all of them in a row.

pub mod annotate;
pub mod cli;
pub mod examine;
pub mod files;
pub mod fuse;
pub mod grade;
mod guard;
pub mod material;
pub mod photo;
pub mod pins;
pub mod read;
pub mod reading;
pub mod recover;
pub mod verdict;
pub mod verify;

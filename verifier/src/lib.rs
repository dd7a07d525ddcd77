//! Touchmark's verifying side: photo in, verdict out. Nothing here needs a secret key of a maker.

pub mod read;
pub mod verdict;
pub mod verify;

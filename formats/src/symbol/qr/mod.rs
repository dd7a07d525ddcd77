//! QR Code and Micro QR Code, ISO/IEC 18004.

pub mod decode;
pub mod encode;
pub mod micro;
mod penalty;
pub(super) mod segments;
pub mod tables;

//! QR Code and Micro QR Code, ISO/IEC 18004.

pub mod decode;
pub mod encode;
pub mod micro;
mod penalty;
mod segments;
pub mod tables;

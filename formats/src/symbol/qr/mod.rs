//! QR Code, ISO/IEC 18004.

pub mod decode;
pub mod encode;
mod penalty;
mod segments;
pub mod tables;

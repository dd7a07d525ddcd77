//! QR Code, ISO/IEC 18004.

pub mod encode;
mod penalty;

//! Data Matrix ECC 200, ISO/IEC 16022, with the rectangles of ISO/IEC 21471 (DMRE).

pub(super) mod data;
pub mod decode;
pub mod encode;
pub mod placement;
pub mod sizes;

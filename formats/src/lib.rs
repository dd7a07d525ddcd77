//! What Touchmark writes down, as pure functions of bytes: no files, no images, no clock, no terminal, and no
//! randomness but what is passed in. `SPEC.md` beside this crate is the normative byte-level specification.

pub mod symbol;

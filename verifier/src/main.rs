//! `touchmark-verify`.

fn main() {}

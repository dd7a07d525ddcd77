//! `touchmark-sign`.

fn main() {}

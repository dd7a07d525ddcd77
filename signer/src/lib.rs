//! Touchmark's signing side: marks, delegations, trust bundles and disclosures, and the artwork of symbols.

pub mod plan;
pub mod render;

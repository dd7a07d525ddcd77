//! What a distributor signs when it passes goods on: a file of its own, which the maker takes into its ledger.

use super::party::Party;
use crate::date::Date;
use crate::delegation::SerialRange;
use crate::key::KeyBytes;
use crate::signed::Document;
use crate::text::Label;
use serde::{Deserialize, Serialize};

/// Goods passed on by whoever had them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandOver {
    /// The line key that marked them.
    pub line: KeyBytes,
    /// Their serials.
    pub serials: SerialRange,
    /// The day.
    pub date: Date,
    /// To whom.
    pub to: Party,
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Label>,
}

impl Document for HandOver {
    const TYPE: &'static str = "touchmark/v1/hand-over";
}

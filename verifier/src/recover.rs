//! Marks that error correction alone does not bring back: the signature is the judge of what they may be, and what is
//! known beforehand (the ids of the keys, their delegations, the print beside the mark) takes the place of what is lost.
//! What cannot be proven but was clearly seen is a lead.

use crate::read::{Effort, ModuleGrid};
use crate::verify::{Assessment, Basis, Unproven, verify};
use std::collections::HashSet;
use touchmark_formats::carried::Carried;
use touchmark_formats::expected::{Print, templates};
use touchmark_formats::mark::SignedMark;
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::recover::{Depth, Recovery, Seen, Template};
use touchmark_formats::text::Label;

/// What a symbol beyond error correction still says.
#[derive(Debug, Clone, PartialEq)]
pub enum Recovered {
    /// A content with a good signature, and its bytes.
    Proven(Box<Assessment>),
    /// Fields that were clearly seen.
    Lead(Unproven),
}

/// Bits by which a template must agree with what was seen before it is more than chance, among the thousands that a large
/// bundle has.
const AGREES: f32 = 24.0;

/// Likelihood, in nats, of the least certain bit of a byte that was clearly seen: half of what a clean module gives.
const CLEAR: f32 = 2.0;

/// Hypotheses that are worth going bit by bit: that nothing is known, and the templates that agree best.
const MOST_BY_BITS: usize = 3;

/// What is tried at each effort.
#[derive(Debug)]
struct Budget {
    depth: Depth,
    /// The same of what all samplings of a symbol say together.
    together: Depth,
    /// Templates that are taken for certain in turn, those that agree best.
    templates: usize,
    /// Contents that are judged for each.
    contents: usize,
}

impl Budget {
    fn of(effort: Effort) -> Self {
        match effort {
            Effort::Quick => Self { depth: Depth::Erasures, together: Depth::Erasures, templates: 2, contents: 4 },
            Effort::Normal => Self { depth: Depth::Erasures, together: Depth::Bits, templates: 8, contents: 8 },
            Effort::Forensic => Self { depth: Depth::Flips, together: Depth::Everything, templates: 24, contents: 16 },
        }
    }
}

/// The judge, and what is known beforehand.
#[derive(Debug)]
pub struct Recoverer<'a> {
    basis: Basis<'a>,
    budget: Budget,
    known: HashSet<Template>,
}

impl<'a> Recoverer<'a> {
    /// For marks of the makers of `basis`, beside its print.
    #[must_use]
    pub fn new(basis: &Basis<'a>, effort: Effort) -> Self {
        Self { basis: *basis, budget: Budget::of(effort), known: known(basis) }
    }

    /// What its verdicts rest on.
    #[must_use]
    pub fn basis(&self) -> &Basis<'a> {
        &self.basis
    }

    /// What the modules of a symbol that was not decoded say, seen once or in several ways, each with its likelihoods; all
    /// of one size.
    /// One that is not `credible` as a symbol must show something of what is known before it is looked into.
    #[must_use]
    pub fn recover<'g>(
        &self,
        symbology: Symbology,
        samplings: impl IntoIterator<Item = &'g ModuleGrid>,
        credible: bool,
    ) -> Option<Recovered> {
        let samplings: Vec<&ModuleGrid> = samplings.into_iter().collect();
        let first = samplings.first()?;
        let same = |grid: &&&ModuleGrid| (grid.width, grid.height) == (first.width, first.height);
        let together: Vec<&[f32]> = samplings.iter().filter(same).map(|grid| grid.llr.as_slice()).collect();
        let several = together.len() > 1;
        let alone = samplings.iter().filter(|grid| several && same(grid)).map(|grid| vec![grid.llr.as_slice()]);
        let alone = alone.map(|looks| (looks, self.budget.depth));
        let mut lead = None;
        // What all say together first: it is the likeliest, and costs as much as all others.
        for (looks, depth) in std::iter::once((together, self.budget.together)).chain(alone) {
            let recovery = Recovery::together(symbology, first.height, first.width, &looks);
            let agreeing = self.agreeing(&recovery);
            let blind = (credible || !agreeing.is_empty()).then_some(None);
            let informed = agreeing.iter().take(self.budget.templates).map(|template| Some(*template));
            for (n, hypothesis) in blind.into_iter().chain(informed).enumerate() {
                let depth = if n < MOST_BY_BITS { depth } else { depth.by_codewords() };
                for content in recovery.candidates(hypothesis, depth, self.budget.contents) {
                    let assessment = verify(&content, &self.basis);
                    if assessment.proven.is_some() {
                        return Some(Recovered::Proven(Box::new(assessment)));
                    }
                }
            }
            lead = lead.or_else(|| agreeing.iter().find_map(|template| seen(&recovery, template)));
        }
        lead.map(Recovered::Lead)
    }

    /// The templates that agree with what was seen beyond chance, the likeliest first.
    fn agreeing(&self, recovery: &Recovery) -> Vec<&Template> {
        let agreement = |template| Some((recovery.agreement(template)?, template));
        let mut agreeing: Vec<_> = self.known.iter().filter_map(agreement).collect();
        agreeing.retain(|(agreement, _)| agreement.chance_bits() > AGREES);
        // Of two that agree as well, the one that says more comes first; then any order, as long as it is always the same.
        agreeing.sort_by(|(a, t), (b, u)| {
            b.likelihood.total_cmp(&a.likelihood).then(b.known.cmp(&a.known)).then_with(|| t.bytes.cmp(&u.bytes))
        });
        agreeing.into_iter().map(|(_, template)| template).collect()
    }
}

/// Every look that a mark of the bundle's makers may have beside this print.
fn known(basis: &Basis<'_>) -> HashSet<Template> {
    let part = basis.printed_part.map(as_printed);
    let lot = basis.printed_lot.map(as_printed);
    // Print is capitals, the delegation may have it otherwise: what was typed counts first.
    let prints = [0, 1].map(|i| Print {
        part: part.as_ref().and_then(|spellings| spellings.get(i)),
        lot: lot.as_ref().and_then(|spellings| spellings.get(i)),
    });
    let mut out: HashSet<Template> = HashSet::new();
    for (id, issuer) in basis.directory.all_issuers() {
        for print in &prints {
            // Nobody's delegation limits it to what is printed: the mark may be another part's.
            for print in [*print, Print::default()] {
                out.extend(templates(id, issuer.delegation, &print));
            }
        }
    }
    out
}

/// A text as it was typed, and as print would have it.
fn as_printed(typed: &str) -> Vec<Label> {
    let plain: String = typed.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect();
    let mut labels: Vec<Label> = [typed.trim(), &plain].iter().filter_map(|text| text.parse().ok()).collect();
    labels.dedup();
    labels
}

/// The fields of a mark of which all bytes before the capsule are known or were clearly seen.
fn seen(recovery: &Recovery, template: &Template) -> Option<Unproven> {
    recovery.seen().find_map(|mut bytes| {
        for (seen, known) in bytes.iter_mut().zip(&template.bytes) {
            if let Some(byte) = *known {
                // What contradicts what is known is another mark, however much of the two is the same.
                if seen.byte != byte && seen.reliability > CLEAR {
                    return None;
                }
                *seen = Seen { byte, reliability: f32::INFINITY };
            }
        }
        // Without the template's end the length is open; what stands before the capsule does not depend on it.
        let lengths = if template.complete { template.bytes.len()..=template.bytes.len() } else { 73..=bytes.len() };
        let raw: Vec<u8> = bytes.iter().map(|seen| seen.byte).collect();
        let mark = lengths.filter_map(|length| SignedMark::from_bytes(raw.get(..length)?).ok()).next()?;
        let head = bytes.get(..mark.mark.head_bytes().len())?;
        head.iter().all(|seen| seen.reliability > CLEAR).then(|| Unproven::of(&Carried::Mark(mark)))
    })
}

//! What the parts of a case say together: counts, and the flows maker, consignee, hands. Pure functions of the parts.
//!
//! Only what a good signature or a maker's ledger proves takes part in a flow. A part whose mark may be a copy, or that
//! contradicts what else is known, is counted and counted again as *doubtful*: the original's buyer may be innocent.

use super::record::{Consignee, Hand, PartResult};
use std::collections::BTreeMap;

/// How many parts, and of how many of these the mark is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Parts.
    pub parts: u64,
    /// Those among them of which [`is_doubtful`] holds.
    pub doubtful: u64,
}

impl Count {
    fn add(&mut self, part: &PartResult) {
        self.parts += 1;
        self.doubtful += u64::from(is_doubtful(part));
    }
}

/// The findings that speak against a mark's being where it belongs, by their stable names.
const CONTRADICTIONS: [&str; 7] = [
    "part-contradicts-print",
    "lot-contradicts-print",
    "different-parts",
    "ledger-contradicts-mark",
    "capsule-not-opened",
    "closed-lot",
    "different-verdicts",
];

/// Whether a finding of this name is a contradiction, and not a remark.
#[must_use]
pub fn is_contradiction(finding: &str) -> bool {
    CONTRADICTIONS.contains(&finding)
}

/// Whether the mark may be a copy, or contradicts what else is known.
#[must_use]
pub fn is_doubtful(part: &PartResult) -> bool {
    !part.clones.is_empty() || part.mark.findings.iter().any(|f| is_contradiction(&f.finding))
}

/// Counts by what `key` gives, the largest first; parts for which it gives nothing are left out.
#[must_use]
pub fn counted<'a>(parts: &'a [PartResult], key: impl Fn(&'a PartResult) -> Option<String>) -> Vec<(String, Count)> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for part in parts {
        if let Some(key) = key(part) {
            counts.entry(key).or_default().add(part);
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(count.parts));
    counts
}

/// What a party is in a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// It made the part.
    Maker,
    /// The maker sold the part to it.
    Consignee,
    /// It had the part later.
    Hand,
    /// It is not known: the consignee is sealed, not in the mark, or left out.
    Unknown,
}

impl Role {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Maker => "maker",
            Self::Consignee => "consignee",
            Self::Hand => "hand",
            Self::Unknown => "unknown",
        }
    }
}

/// A party through whose hands parts went.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Party {
    /// What it is.
    pub role: Role,
    /// Its name; of an unknown one `sealed`, `not-in-mark` or `left-out`.
    pub name: String,
    /// Where it is seated: ISO 3166-1 alpha-2.
    pub country: Option<String>,
}

/// The stations of a part in order, the maker first, each with the day on which it got the part, where that is known. Empty
/// where nothing is proven.
#[must_use]
pub fn stations(part: &PartResult) -> Vec<(Party, Option<String>)> {
    let mark = &part.mark;
    let Some(name) = mark.maker.clone() else { return Vec::new() };
    let maker = Party { role: Role::Maker, name, country: mark.country.clone() };
    let mut out = vec![(maker.clone(), mark.date.clone())];
    let sold = mark.consignee.as_ref().and_then(consignee);
    let hands = mark.trail.as_ref().map_or(&[][..], |trail| &trail.hands);
    for hand in hands.iter().filter(|hand| !hand.corrected) {
        let mut party = match (hand.event.as_str(), &hand.to) {
            ("returned", _) => maker.clone(),
            ("shipped" | "handed-over", Some(to)) if to.name.is_empty() => unknown("left-out"),
            ("shipped" | "handed-over", Some(to)) => {
                Party { role: Role::Hand, name: to.name.clone(), country: to.country.clone() }
            }
            _ => continue,
        };
        if out.len() == 1 && party.role == Role::Hand {
            party.role = Role::Consignee;
            // The capsule and the first shipment name the same customer, each in its own words.
            if let Some(sold) = &sold {
                out.push((sold.clone(), Some(hand.date.clone())));
                if same(mark.consignee.as_ref(), hand, &party, sold) {
                    continue;
                }
                party.role = Role::Hand;
            }
        }
        if out.last().is_none_or(|(last, _)| (&last.name, &last.country) != (&party.name, &party.country)) {
            out.push((party, Some(hand.date.clone())));
        }
    }
    if out.len() == 1 {
        let status = mark.consignee.as_ref().map_or("left-out", |consignee| consignee.status.as_str());
        out.push((sold.unwrap_or_else(|| unknown(status)), None));
    }
    out
}

/// To whom the part was sold, where that is known.
#[must_use]
pub fn consignee(consignee: &Consignee) -> Option<Party> {
    let number = consignee.number.filter(|_| consignee.status == "disclosed")?;
    let name = consignee.name.clone().unwrap_or_else(|| format!("no. {number}"));
    Some(Party { role: Role::Consignee, name, country: consignee.country.clone() })
}

/// The first party that the part is known to have gone to.
#[must_use]
pub fn first_buyer(part: &PartResult) -> Option<Party> {
    stations(part).into_iter().nth(1).map(|(party, _)| party).filter(|party| party.role != Role::Unknown)
}

fn same(consignee: Option<&Consignee>, hand: &Hand, party: &Party, sold: &Party) -> bool {
    let number = hand.to.as_ref().and_then(|to| to.other.get("number")).and_then(serde_json::Value::as_u64);
    party.name == sold.name || (number.is_some() && number == consignee.and_then(|consignee| consignee.number))
}

fn unknown(why: &str) -> Party {
    Party { role: Role::Unknown, name: why.to_owned(), country: None }
}

/// A party, once for each place in a chain at which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its place in the chain: 0 for the maker.
    pub layer: usize,
    /// Who.
    pub party: Party,
    /// The parts that came by here.
    pub count: Count,
}

/// Parts that went from one party to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The index of the node from which.
    pub from: usize,
    /// The index of the node to which.
    pub to: usize,
    /// How many.
    pub count: Count,
    /// The first and the last day on which they arrived, where days are known.
    pub days: Option<(String, String)>,
}

/// A graph of flows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flows {
    /// The parties.
    pub nodes: Vec<Node>,
    /// What went from one to another, in order of the nodes.
    pub edges: Vec<Edge>,
}

/// The flows in layers: the same party at two places of a chain is two nodes, so that no flow leads back.
#[must_use]
pub fn layered(parts: &[PartResult]) -> Flows {
    graph(parts, |layer, party| (layer, party.clone()))
}

/// The flows as a graph of parties: each is one node, whatever it was at the time.
#[must_use]
pub fn between_parties(parts: &[PartResult]) -> Flows {
    graph(parts, |_, party| {
        let role = if party.role == Role::Unknown { Role::Unknown } else { Role::Maker };
        (0, Party { role, ..party.clone() })
    })
}

fn graph(parts: &[PartResult], key: impl Fn(usize, &Party) -> (usize, Party)) -> Flows {
    let mut numbers: BTreeMap<(usize, Party), usize> = BTreeMap::new();
    let mut edges: BTreeMap<(usize, usize), Edge> = BTreeMap::new();
    let mut nodes: Vec<Node> = Vec::new();
    for part in parts {
        let mut seen: Vec<usize> = Vec::new();
        let mut before: Option<usize> = None;
        for (layer, (party, day)) in stations(part).into_iter().enumerate() {
            let at = *numbers.entry(key(layer, &party)).or_insert_with(|| {
                nodes.push(Node { layer, party, count: Count::default() });
                nodes.len() - 1
            });
            if let (false, Some(node)) = (seen.contains(&at), nodes.get_mut(at)) {
                node.count.add(part);
                seen.push(at);
            }
            if let Some(from) = before {
                let new = || Edge { from, to: at, count: Count::default(), days: None };
                let edge = edges.entry((from, at)).or_insert_with(new);
                edge.count.add(part);
                if let Some(day) = day {
                    edge.days = Some(match edge.days.take() {
                        None => (day.clone(), day),
                        Some((first, last)) => (first.min(day.clone()), last.max(day)),
                    });
                }
            }
            before = Some(at);
        }
    }
    Flows { nodes, edges: edges.into_values().collect() }
}

/// How often a country was the maker's, the first buyer's or a later holder's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Country {
    /// Parts made by makers seated there.
    pub made: u64,
    /// Parts first sold to there.
    pub sold: u64,
    /// Parts that were there later.
    pub passed: u64,
}

/// What is known by country.
#[must_use]
pub fn by_country(parts: &[PartResult]) -> BTreeMap<String, Country> {
    let mut out: BTreeMap<String, Country> = BTreeMap::new();
    for (layer, (party, _)) in parts.iter().flat_map(|part| stations(part).into_iter().enumerate()) {
        let Some(code) = party.country else { continue };
        let country = out.entry(code).or_default();
        match layer {
            0 => country.made += 1,
            1 => country.sold += 1,
            _ => country.passed += 1,
        }
    }
    out
}

/// By month (YYYY-MM): how many parts were made, and how many arrived at somebody.
#[must_use]
pub fn by_month(parts: &[PartResult]) -> BTreeMap<String, (u64, u64)> {
    let mut out: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (layer, (_, day)) in parts.iter().flat_map(|part| stations(part).into_iter().enumerate()) {
        let Some(month) = day.as_deref().and_then(|day| day.get(..7)) else { continue };
        let (made, arrived) = out.entry(month.to_owned()).or_default();
        *(if layer == 0 { made } else { arrived }) += 1;
    }
    out
}

#[cfg(test)]
#[path = "flows/tests.rs"]
mod tests;

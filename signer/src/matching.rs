//! Which of the marks on record a soft reading is of: for marks that are destroyed beyond repair, since the record keeps
//! every signature (SPEC.md, section 16).

use crate::error::Result;
use crate::line::issuer::marks_of_run;
use crate::line::store::Past;
use rayon::prelude::*;
use std::collections::BTreeMap;
use touchmark_formats::mark::SignedMark;
use touchmark_formats::reading::{Reading, SeenSymbol};
use touchmark_formats::symbol::matching::{Evidence, Frame};

/// What became of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Marks that were compared.
    pub marks: u64,
    /// Comparisons: each mark in every way to look at every symbol that could carry it.
    pub tries: u64,
    /// The mark that agrees best.
    pub best: Option<Agreeing>,
    /// The one that does next.
    pub next: Option<Agreeing>,
}

/// A mark, and how well it agrees with a reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreeing {
    /// Which of the runs on record it is in.
    pub run: usize,
    /// The mark.
    pub mark: SignedMark,
    /// Decimal logarithm of the likelihood ratio: how much likelier what was seen is of this mark than of one with another
    /// signature.
    pub log10_ratio: f64,
    /// A bound on the probability that any of all the tries agrees as well though the symbol was none of these marks.
    pub chance: f64,
    /// Bits that were seen and count.
    pub bits: usize,
}

impl Answer {
    /// The best mark, if chance is at most this likely.
    #[must_use]
    pub fn significant(&self, chance: f64) -> Option<&Agreeing> {
        self.best.as_ref().filter(|best| best.chance <= chance)
    }
}

/// Compares the marks of `past` that are `wanted` with `reading`, on all cores.
///
/// # Errors
/// A record is damaged.
pub fn matching(reading: &Reading, past: &[Past], wanted: impl Fn(&SignedMark) -> bool + Sync) -> Result<Answer> {
    let lengths = past.par_iter().map(|past| {
        let mut lengths = BTreeMap::<usize, u64>::new();
        marks(past, &wanted)?.iter().for_each(|(_, bytes)| *lengths.entry(bytes.len()).or_default() += 1);
        Ok(lengths)
    });
    let lengths = lengths.try_reduce(BTreeMap::new, |mut all, some| {
        some.into_iter().for_each(|(length, count)| *all.entry(length).or_default() += count);
        Ok(all)
    })?;
    let ways: Vec<Way> = lengths.keys().flat_map(|bytes| ways(reading, *bytes)).collect();
    let looks: Vec<&Evidence> = ways.iter().flat_map(|way| &way.looks).collect();
    let tries = ways.iter().map(|way| way.looks.len() as u64 * lengths.get(&way.bytes).copied().unwrap_or(0)).sum();
    let seen = past.par_iter().enumerate().map(|(run, past)| Ok(compared(&ways, run, &marks(past, &wanted)?)));
    let seen = seen.try_reduce(
        || vec![Nearest::default(); looks.len()],
        |a, b| Ok(a.into_iter().zip(b).map(|(a, b)| a.and(b)).collect()),
    )?;
    let seen = looks.into_iter().zip(seen).flat_map(|(look, Nearest(nearest))| {
        nearest.into_iter().flatten().map(move |(cost, at)| Seen { bits: look.chance_bits(cost), cost, at, look })
    });
    let mut seen: Vec<Seen<'_>> = seen.collect();
    seen.sort_by(|a, b| b.bits.total_cmp(&a.bits).then(a.cost.total_cmp(&b.cost)).then(a.at.cmp(&b.at)));
    let agreeing = |seen: &Seen<'_>| {
        let (mark, _) = marks(past.get(seen.at.run)?, &wanted).ok()?.into_iter().nth(seen.at.mark)?;
        let ratio = f64::from(seen.bits);
        let chance = (tries as f64 * (-ratio).exp2()).min(1.0);
        let log10_ratio = ratio * std::f64::consts::LOG10_2;
        Some(Agreeing { run: seen.at.run, mark, log10_ratio, chance, bits: seen.look.bits() })
    };
    let best = seen.first();
    let next = seen.iter().find(|other| best.is_some_and(|best| other.at != best.at));
    let (best, next) = (best.and_then(agreeing), next.and_then(agreeing));
    Ok(Answer { marks: lengths.values().sum(), tries, best, next })
}

/// The marks of a run that are wanted, with their bytes.
fn marks(past: &Past, wanted: impl Fn(&SignedMark) -> bool) -> Result<Vec<(SignedMark, Vec<u8>)>> {
    let marks = marks_of_run(&past.content, &past.run)?.into_iter().filter(|mark| wanted(mark));
    let with_bytes = |mark: SignedMark| {
        let bytes = mark.to_bytes();
        (mark, bytes)
    };
    Ok(marks.map(with_bytes).collect())
}

/// Marks of one length in symbols of one kind and size, and every look at such symbols.
struct Way {
    bytes: usize,
    frame: Frame,
    looks: Vec<Evidence>,
}

/// The ways in which marks of so many bytes may be in the symbols of a reading.
fn ways(reading: &Reading, bytes: usize) -> Vec<Way> {
    let size =
        |symbol: &SeenSymbol| (symbol.symbology.symbology(), usize::from(symbol.rows), usize::from(symbol.columns));
    let mut sizes: Vec<_> = reading.symbols.iter().map(size).collect();
    sizes.sort_by_key(|(symbology, rows, columns)| (symbology.name(), *rows, *columns));
    sizes.dedup();
    let frames =
        sizes.iter().flat_map(|&at| Frame::all(at.0, at.1, at.2, bytes).into_iter().map(move |frame| (at, frame)));
    let way = |(at, frame): (_, Frame)| {
        let symbols = reading.symbols.iter().filter(|symbol| size(symbol) == at);
        let looks = symbols.flat_map(|symbol| &symbol.looks).flat_map(|look| frame.looks(&look.llr())).collect();
        Way { bytes, frame, looks }
    };
    frames.map(way).collect()
}

/// Where a mark is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct At {
    run: usize,
    mark: usize,
}

/// A mark in one look.
struct Seen<'a> {
    bits: f32,
    cost: f32,
    at: At,
    look: &'a Evidence,
}

/// The two marks with the lowest cost in one look.
#[derive(Debug, Clone, Copy, Default)]
struct Nearest([Option<(f32, At)>; 2]);

impl Nearest {
    fn add(&mut self, cost: f32, at: At) {
        let Self([first, second]) = self;
        let before = |other: &Option<(f32, At)>| other.is_none_or(|(known, place)| (cost, at) < (known, place));
        if before(first) {
            (*second, *first) = (*first, Some((cost, at)));
        } else if before(second) {
            *second = Some((cost, at));
        }
    }

    fn and(mut self, other: Self) -> Self {
        other.0.into_iter().flatten().for_each(|(cost, at)| self.add(cost, at));
        self
    }
}

/// What the marks of a run are like in every look, in the order of the ways.
fn compared(ways: &[Way], run: usize, marks: &[(SignedMark, Vec<u8>)]) -> Vec<Nearest> {
    let of_way = |way: &Way| {
        let fitting = marks.iter().enumerate().filter(|(_, (_, bytes))| bytes.len() == way.bytes);
        let words: Vec<(usize, Vec<u8>)> =
            fitting.filter_map(|(mark, (_, bytes))| Some((mark, way.frame.codewords(bytes)?))).collect();
        let nearest = |look: &Evidence| {
            let mut nearest = Nearest::default();
            words.iter().for_each(|(mark, words)| nearest.add(look.cost(words), At { run, mark: *mark }));
            nearest
        };
        way.looks.iter().map(nearest).collect::<Vec<Nearest>>()
    };
    ways.iter().flat_map(of_way).collect()
}

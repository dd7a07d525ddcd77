//! A symbol as codewords with a likelihood for each bit, block by block: what error correction works on, whatever the
//! symbology.

use super::anatomy::{Anatomy, AnatomyBlock};
use super::datamatrix::data;
use super::ordered::{self, Search};
use super::qr::segments;
use super::qr::tables::Version;
use super::recover::{Agreement, Depth, Template};
use super::reed_solomon::Code;
use super::soft::{self, Received};

/// What is known of the bits of a codeword, the most significant first.
pub(super) type Word<T> = [T; 8];

/// The codewords of one block, data first.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Which data codewords of the symbol these are.
    pub(super) data: Vec<usize>,
    /// Log-likelihood ratios of all codewords, data and error correction.
    pub(super) words: Vec<Word<f32>>,
    /// Where in the symbol's order each of them stands.
    pub(super) places: Vec<usize>,
}

/// How bytes become data codewords.
#[derive(Debug, Clone, Copy)]
pub(super) enum Framing {
    Qr(Version),
    DataMatrix,
}

/// All blocks of a symbol.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) code: &'static Code,
    pub(super) framing: Framing,
    /// Error-correction codewords of a block that the standard keeps back.
    pub(super) spare: usize,
    pub(super) blocks: Vec<Block>,
}

/// Data codewords after error correction.
pub(super) struct Corrected {
    pub(super) data: Vec<u8>,
    pub(super) repaired: usize,
    pub(super) erased: usize,
}

impl View {
    /// Data and error correction together.
    pub(super) fn codewords(&self) -> usize {
        self.blocks.iter().map(|block| block.words.len()).sum()
    }

    fn data_words(&self) -> usize {
        self.blocks.iter().map(|block| block.data.len()).sum()
    }

    /// Error correction alone, of one look or several at one symbol: each block by the first look in which it can be
    /// corrected, where there are several beyond chance. `None` if one cannot be in any.
    pub(super) fn corrected_together(looks: &[Self]) -> Option<Corrected> {
        let first = looks.first()?;
        let mut out = Corrected { data: vec![0; first.data_words()], repaired: 0, erased: 0 };
        for (at, block) in first.blocks.iter().enumerate() {
            let seen = || looks.iter().filter_map(|look| look.blocks.get(at));
            let corrected = seen()
                .filter_map(|seen| soft::correct(first.code, &seen.received(), seen.ec_words(), first.spare))
                .find(|corrected| looks.len() == 1 || corrected.credible());
            // Bit by bit takes long: only where nothing else is left.
            let by_bits = || {
                let answers =
                    |seen: &Block| ordered::answers(first.code, &seen.words, seen.ec_words(), Search::SHORT, 1);
                let mut best = seen().take(MOST_LOOKS).filter(|_| looks.len() > 1).flat_map(answers);
                best.find(|answer| answer.bits >= soft::CHANCE_BITS).map(|answer| block.corrected(answer))
            };
            let corrected = corrected.or_else(by_bits)?;
            block.put(&corrected.block, &mut out.data);
            out.repaired += corrected.repaired;
            out.erased += corrected.erased;
        }
        Some(out)
    }

    /// The anatomy of a symbol: `modules` of each codeword in the symbol's order, whose bits are `flipped` by a mask or not,
    /// and the look of those that are `known`. `None` if error correction is not enough.
    pub(super) fn anatomy(
        &self,
        (rows, columns): (usize, usize),
        modules: &[[usize; 8]],
        flipped: impl Fn(usize) -> bool,
        known: impl Fn(usize) -> Option<bool>,
    ) -> Option<Anatomy> {
        let mut truth: Vec<Option<bool>> = (0..rows * columns).map(known).collect();
        let mut codeword = vec![None; rows * columns];
        let mut blocks = Vec::new();
        for block in &self.blocks {
            let corrected = soft::correct(self.code, &block.received(), block.ec_words(), self.spare)?;
            for (place, word) in block.places.iter().zip(&corrected.block) {
                for (bit, module) in modules.get(*place)?.iter().enumerate() {
                    truth[*module] = Some((word >> (7 - bit) & 1 == 1) != flipped(*module));
                    codeword[*module] = Some(*place);
                }
            }
            let correction = block.ec_words() - self.spare;
            blocks.push(AnatomyBlock { codewords: block.places.clone(), correction });
        }
        Some(Anatomy { columns, rows, truth, codeword, blocks })
    }

    /// The same with what is known taken for certain.
    pub(super) fn knowing(&self, expected: &[Word<Option<bool>>]) -> Self {
        let mut known = self.clone();
        for block in &mut known.blocks {
            for (at, word) in block.data.iter().zip(&mut block.words) {
                for (llr, bit) in word.iter_mut().zip(expected.get(*at).into_iter().flatten()) {
                    *llr = bit.map_or(*llr, |one| if one { soft::CERTAIN } else { -soft::CERTAIN });
                }
            }
        }
        known
    }

    /// How well what is known agrees with what was seen.
    pub(super) fn agreement(&self, expected: &[Word<Option<bool>>]) -> Agreement {
        let mut out = Agreement { known: 0, wrong: 0, likelihood: 0.0 };
        for block in &self.blocks {
            for (at, word) in block.data.iter().zip(&block.words) {
                for (llr, bit) in word.iter().zip(expected.get(*at).into_iter().flatten()) {
                    let Some(one) = bit else { continue };
                    let agrees = if *one { *llr } else { -*llr };
                    out.known += 1;
                    out.wrong += u32::from(agrees <= 0.0);
                    out.likelihood += agrees;
                }
            }
        }
        out
    }

    /// Data codewords that error correction may mean, the likeliest first, at most `most`: of several looks at one symbol
    /// each gives candidates for each block, and the first look says how likely they are.
    pub(super) fn candidates(looks: &[Self], depth: Depth, most: usize) -> Vec<Vec<u8>> {
        let Some(first) = looks.first() else { return Vec::new() };
        let mut whole = vec![(0.0, vec![0; first.data_words()])];
        for (at, block) in first.blocks.iter().enumerate() {
            let seen = looks.iter().filter_map(|look| look.blocks.get(at));
            let blocks = block.candidates(first.code, seen, depth);
            let extended = whole.iter().flat_map(|(cost, data)| {
                blocks.iter().map(move |(more, words)| {
                    let mut data = data.clone();
                    block.put(words, &mut data);
                    (cost + more, data)
                })
            });
            let mut extended: Vec<(f32, Vec<u8>)> = extended.collect();
            extended.sort_by(|a, b| a.0.total_cmp(&b.0));
            extended.truncate(most);
            whole = extended;
        }
        whole.into_iter().map(|(_, data)| data).collect()
    }

    /// The bytes that data codewords carry.
    pub(super) fn bytes(&self, data: &[u8]) -> Option<Vec<u8>> {
        match self.framing {
            Framing::Qr(version) => segments::read(data, version.number()).ok().map(|segments| segments.bytes),
            Framing::DataMatrix => data::decode(data).map(|data| data.bytes),
        }
    }

    /// The payload of one segment of bytes as it was seen, not corrected, each byte with the reliability of its least
    /// certain bit, up to the end of the data codewords.
    pub(super) fn seen(&self) -> Vec<Received> {
        let mut words = vec![[0.0; 8]; self.data_words()];
        for block in &self.blocks {
            for (at, word) in block.data.iter().zip(&block.words) {
                words[*at] = *word;
            }
        }
        match self.framing {
            Framing::Qr(version) => {
                let bits = words.as_flattened().get(4 + segments::byte_count_bits(version.number())..);
                bits.unwrap_or_default().chunks_exact(8).map(|bits| Received::of(bits.iter().copied())).collect()
            }
            Framing::DataMatrix => {
                let codewords = words.into_iter().enumerate().skip(2);
                codewords
                    .map(|(at, word)| {
                        let seen = Received::of(word);
                        Received { codeword: data::unrandomise_255(seen.codeword, at + 1), ..seen }
                    })
                    .collect()
            }
        }
    }

    /// What a payload of which something is known says of the data codewords, if it is one segment of bytes; `None` if it
    /// does not fit.
    pub(super) fn expected(&self, template: &Template) -> Option<Vec<Word<Option<bool>>>> {
        let words = match self.framing {
            Framing::Qr(version) => segments::expected(template, version.number(), self.data_words()),
            Framing::DataMatrix => data::expected(template, self.data_words()),
        }?;
        (words.len() == self.data_words()).then_some(words)
    }
}

impl Block {
    fn received(&self) -> Vec<Received> {
        self.words.iter().map(|word| Received::of(*word)).collect()
    }

    /// What this block may have been by several looks at it, the likeliest first, each with what speaks against it.
    fn candidates<'b>(&self, code: &Code, seen: impl Iterator<Item = &'b Self>, depth: Depth) -> Vec<(f32, Vec<u8>)> {
        let mut out: Vec<(f32, Vec<u8>)> = Vec::new();
        let mut add = |words: Vec<u8>, least: f32| {
            // What is known for certain cannot have been anything else.
            let cost = self.cost(&words);
            if cost < soft::CERTAIN && !out.iter().any(|(_, known)| *known == words) {
                out.push((cost.min(least), words));
            }
        };
        for (look, seen) in seen.enumerate() {
            for words in soft::candidates(code, &seen.received(), seen.ec_words(), depth.flips()) {
                add(words, f32::INFINITY);
            }
            let Some(search) = depth.search(look) else { continue };
            for answer in ordered::answers(code, &seen.words, seen.ec_words(), search, MOST_ANSWERS) {
                // What is beyond chance in one look needs no other to speak for it.
                let beyond = answer.bits >= soft::CHANCE_BITS;
                add(answer.block, if beyond { 0.0 } else { f32::INFINITY });
                if beyond {
                    break;
                }
            }
        }
        out.sort_by(|a, b| a.0.total_cmp(&b.0));
        out.truncate(MOST_CANDIDATES);
        out
    }

    /// An answer beside what was seen.
    fn corrected(&self, answer: ordered::Answer) -> soft::Corrected {
        let repaired = self.received().iter().zip(&answer.block).filter(|(seen, word)| seen.codeword != **word).count();
        soft::Corrected { block: answer.block, repaired, erased: repaired, bits: answer.bits }
    }

    /// What speaks against these codewords: the likelihoods of the bits that they have otherwise than seen, in nats.
    fn cost(&self, words: &[u8]) -> f32 {
        let against = |(seen, word): (&Word<f32>, &u8)| {
            let bits = seen.iter().enumerate().map(|(i, llr)| if word >> (7 - i) & 1 == 1 { -llr } else { *llr });
            bits.map(|against| against.max(0.0)).sum::<f32>()
        };
        self.words.iter().zip(words).map(against).sum()
    }

    fn ec_words(&self) -> usize {
        self.words.len() - self.data.len()
    }

    fn put(&self, words: &[u8], data: &mut [u8]) {
        for (at, word) in self.data.iter().zip(words) {
            data[*at] = *word;
        }
    }
}

/// Candidates of a block that are worth a judge.
const MOST_CANDIDATES: usize = 4;
/// Of those, the most that one look has bit by bit.
const MOST_ANSWERS: usize = 2;
/// Looks at a block, the first ones, that are worth being taken bit by bit.
const MOST_LOOKS: usize = 40;

impl Depth {
    /// Codewords of which the least certain bit is tried both ways.
    fn flips(self) -> usize {
        if self == Self::Flips || self == Self::Everything { FLIPS } else { 0 }
    }

    /// How far a look, the first being 0, is searched bit by bit.
    fn search(self, look: usize) -> Option<Search> {
        match self {
            Self::Erasures | Self::Flips => None,
            Self::Bits => (look < MOST_LOOKS).then_some(Search::SHORT),
            Self::Everything => Some(if look < MOST_LONG { Search::LONG } else { Search::SHORT }),
        }
    }
}

/// Codewords of which the least certain bit is tried both ways.
const FLIPS: usize = 4;
/// Looks that are searched for long where everything is tried.
const MOST_LONG: usize = 2;

/// A byte as bits that are known.
pub(super) fn known_bits(byte: u8) -> Word<Option<bool>> {
    std::array::from_fn(|i| Some(byte >> (7 - i) & 1 == 1))
}

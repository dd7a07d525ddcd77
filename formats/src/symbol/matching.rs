//! Which of many marks a symbol was that nobody can read any more: how well each agrees with what was seen, and how likely
//! it is that another agrees as well by chance (SPEC.md, section 16).
//!
//! Marks of a lot share nearly all of their fields, so only what their signatures decide is evidence. A signature is a toss
//! of coins to whoever saw another symbol, and with all that stands before it given, any codewords of a block, as many as
//! the block holds whole bytes of the signature, take every value equally often: Reed-Solomon codes are maximum distance
//! separable (MacWilliams and Sloane 1977, chapter 11). Of each block so many codewords count, data or error correction,
//! those of which most was seen. A wrong mark agrees with them as coins would, and the tail of that sum is known.

use super::ordered::chance_bits;
use super::qr::tables::Version;
use super::recover::Template;
use super::view::View;
use super::{EcLevel, Request, Shape, Symbology, datamatrix, encode, qr};
use crate::mark::SIGNATURE_BYTES;

/// Masks of QR Code (ISO/IEC 18004, table 10).
const MASKS: u8 = 8;

/// How marks of one length stand in the codewords of symbols of one kind and size.
#[derive(Debug)]
pub struct Frame {
    symbology: Symbology,
    rows: usize,
    columns: usize,
    /// The level of a QR Code.
    ec: Option<EcLevel>,
    /// The blocks.
    view: View,
    /// The data codewords of some mark of this length, as the encoder makes them.
    sample: Vec<u8>,
    generator: Vec<u8>,
    /// For each block its data codewords that hold nothing but bits of the signature.
    free: Vec<Vec<usize>>,
}

impl Frame {
    /// Every frame in which marks of so many bytes, signature included, may stand in a symbol of this kind and size: one
    /// for Data Matrix, one for each level that has room for QR Code; none where the size does not exist.
    #[must_use]
    pub fn all(symbology: Symbology, rows: usize, columns: usize, bytes: usize) -> Vec<Self> {
        let levels: Vec<Option<EcLevel>> = match symbology {
            Symbology::DataMatrix => vec![None],
            Symbology::QrCode => EcLevel::ALL.map(Some).to_vec(),
            Symbology::MicroQrCode => Vec::new(),
        };
        levels.into_iter().filter_map(|ec| Self::new(symbology, rows, columns, ec, bytes)).collect()
    }

    fn new(symbology: Symbology, rows: usize, columns: usize, ec: Option<EcLevel>, bytes: usize) -> Option<Self> {
        let request = match ec {
            None => Request::DataMatrix { shape: Shape::Exact { rows, columns } },
            Some(ec) => Request::Qr { ec, min_version: u8::try_from(Version::of_side(columns)?.number()).ok()? },
        };
        let matrix = encode(&vec![0; bytes], &request).ok()?.matrix;
        if (matrix.height(), matrix.width()) != (rows, columns) {
            return None;
        }
        let llr = |i: usize| if matrix.is_dark(i % columns, i / columns) { 1.0 } else { -1.0 };
        let llr: Vec<f32> = (0..rows * columns).map(llr).collect();
        let views = match symbology {
            Symbology::QrCode => qr::decode::views(columns, &llr, &qr::decode::formats(columns, &llr)),
            _ => datamatrix::decode::views(rows, columns, &llr),
        };
        let view = views?.into_iter().next()?;
        let sample = data_of(&view);
        let ec_words = view.blocks.first()?.words.len() - view.blocks.first()?.data.len();
        let generator = view.code.generator(ec_words);
        let free = free(&view, bytes)?;
        Some(Self { symbology, rows, columns, ec, view, sample, generator, free })
    }

    /// The codewords of a mark, block after block, data first; `None` if it has another length than the frame.
    #[must_use]
    pub fn codewords(&self, mark: &[u8]) -> Option<Vec<u8>> {
        let template = Template { bytes: mark.iter().copied().map(Some).collect(), complete: true };
        let mut data = self.sample.clone();
        for (word, bits) in data.iter_mut().zip(self.view.expected(&template)?) {
            // Where the standard leaves a choice the encoder's stays.
            *word = bits.iter().enumerate().fold(*word, |word, (i, bit)| match bit {
                Some(true) => word | 0x80 >> i,
                Some(false) => word & !(0x80 >> i),
                None => word,
            });
        }
        let mut out = Vec::with_capacity(self.view.codewords());
        for block in &self.view.blocks {
            let mut words: Vec<u8> = block.data.iter().filter_map(|at| data.get(*at).copied()).collect();
            self.view.code.encode(&mut words, &self.generator);
            out.append(&mut words);
        }
        Some(out)
    }

    /// The ways to look at a symbol with these log-likelihood ratios, as for [`super::decode::decode`]: a Data Matrix that
    /// lost its finder pattern may lie on any side, and the mask of a QR Code may be any.
    #[must_use]
    pub fn looks(&self, llr: &[f32]) -> Vec<Evidence> {
        let views = match (self.symbology, self.ec) {
            (Symbology::QrCode, Some(ec)) => {
                let formats: Vec<_> = (0..MASKS).map(|mask| vec![(ec, mask)]).collect();
                formats.iter().filter_map(|one| qr::decode::views(self.columns, llr, one)).flatten().collect()
            }
            _ => turns(llr, self.rows, self.columns)
                .iter()
                .filter_map(|llr| datamatrix::decode::views(self.rows, self.columns, llr)?.into_iter().next())
                .collect::<Vec<View>>(),
        };
        views.iter().map(|view| self.evidence(view)).collect()
    }

    fn evidence(&self, view: &View) -> Evidence {
        let mut out = Evidence { words: Vec::new(), weights: Vec::new() };
        let mut before = 0;
        for (block, free) in view.blocks.iter().zip(&self.free) {
            let seen = |at: &usize| block.words.get(*at).map_or(0.0, |word| word.map(weight).iter().sum::<f32>());
            let mut places: Vec<usize> =
                free.iter().copied().chain(block.data.len()..block.words.len()).filter(|at| seen(at) > 0.0).collect();
            places.sort_by(|a, b| seen(b).total_cmp(&seen(a)));
            for at in places.into_iter().take(free.len()) {
                let Some(word) = block.words.get(at) else { continue };
                out.weights.extend(word.map(weight));
                out.words.push((before + at, costs(word)));
            }
            before += block.words.len();
        }
        out
    }
}

/// What was seen of the codewords that tell one signature from another, in one look at a symbol.
#[derive(Debug)]
pub struct Evidence {
    /// Codewords by their place in [`Frame::codewords`], each with what speaks against every value.
    words: Vec<(usize, Box<[f32; 256]>)>,
    /// The likelihoods of all their bits.
    weights: Vec<f32>,
}

impl Evidence {
    /// What speaks against a mark with these codewords: the likelihoods of the bits that it has otherwise than seen, in
    /// nats.
    #[must_use]
    pub fn cost(&self, codewords: &[u8]) -> f32 {
        let cost =
            |(at, costs): &(usize, Box<[f32; 256]>)| codewords.get(*at).map_or(0.0, |word| costs[usize::from(*word)]);
        self.words.iter().map(cost).sum()
    }

    /// Negative binary logarithm of a bound on the probability that a mark of which the symbol is not has no higher cost
    /// (Chernoff 1952). It is at the same time the binary logarithm of the likelihood ratio: how much likelier what was seen is of
    /// the mark with this cost than of one with another signature, if what the look says is taken for as certain as fits
    /// the mark best.
    #[must_use]
    pub fn chance_bits(&self, cost: f32) -> f32 {
        chance_bits(&self.weights, cost)
    }

    /// Bits that were seen at all.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.weights.iter().filter(|weight| **weight > 0.0).count()
    }
}

/// How certain a bit is, in nats.
fn weight(llr: f32) -> f32 {
    if llr.is_finite() { llr.abs() } else { 0.0 }
}

/// What speaks against every value of a codeword.
fn costs(word: &[f32; 8]) -> Box<[f32; 256]> {
    let (halves, _) = word.as_chunks::<4>();
    let against = |half: &[f32; 4], value: usize| {
        let bits = half.iter().enumerate();
        bits.filter(|(i, llr)| (value >> (3 - i) & 1 == 1) != (**llr > 0.0)).map(|(_, llr)| weight(*llr)).sum::<f32>()
    };
    let tables: Vec<[f32; 16]> = halves.iter().map(|half| std::array::from_fn(|value| against(half, value))).collect();
    let half = |at: usize, value: usize| tables.get(at).map_or(0.0, |table| table[value]);
    Box::new(std::array::from_fn(|value| half(0, value >> 4) + half(1, value & 15)))
}

/// The data codewords as they are seen.
fn data_of(view: &View) -> Vec<u8> {
    let mut data = vec![0; view.blocks.iter().map(|block| block.data.len()).sum()];
    for block in &view.blocks {
        for (at, word) in block.data.iter().zip(&block.words) {
            if let Some(place) = data.get_mut(*at) {
                *place = word.iter().fold(0u8, |sum, llr| sum << 1 | u8::from(*llr > 0.0));
            }
        }
    }
    data
}

/// For each block its data codewords that hold nothing but bits of the signature. The signature's last byte is left out:
/// its high bits are always 0 (RFC 8032, section 5.1.6).
fn free(view: &View, bytes: usize) -> Option<Vec<Vec<usize>>> {
    let signature = bytes.checked_sub(SIGNATURE_BYTES)?..bytes - 1;
    let known = |at: usize| (!signature.contains(&at)).then_some(0);
    let expected = |bytes| view.expected(&Template { bytes, complete: true });
    let (without, with) = (expected((0..bytes).map(known).collect())?, expected(vec![Some(0); bytes])?);
    let is_free = |at: &usize| {
        let (without, with) = (without.get(*at), with.get(*at));
        without.is_some_and(|word| *word == [None; 8]) && with.is_some_and(|word| word.iter().all(Option::is_some))
    };
    let of_block = |data: &Vec<usize>| data.iter().enumerate().filter(|(_, at)| is_free(at)).map(|(i, _)| i).collect();
    Some(view.blocks.iter().map(|block| of_block(&block.data)).collect())
}

/// A grid as it lies, and turned: onto every side if it is square, else upside down.
fn turns(llr: &[f32], rows: usize, columns: usize) -> Vec<Vec<f32>> {
    let upside_down = |grid: &[f32]| grid.iter().rev().copied().collect::<Vec<f32>>();
    let mut out = vec![llr.to_vec(), upside_down(llr)];
    if rows == columns && llr.len() == rows * columns {
        let turned: Vec<f32> =
            (0..rows * columns).map(|i| llr[(rows - 1 - i % columns) * columns + i / columns]).collect();
        out.push(upside_down(&turned));
        out.push(turned);
    }
    out
}

#[cfg(test)]
mod tests;

//! Codewords with reliabilities: generalised minimum distance decoding (Forney 1966), and how likely its answer is
//! chance.

use super::reed_solomon::Code;

/// A codeword as sampled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) codeword: u8,
    /// The likelihood of its least certain bit, in nats; 0 where nothing is known.
    pub(super) reliability: f32,
}

impl Received {
    /// The codeword of eight log-likelihood ratios, the most significant first.
    pub(super) fn of(bits: impl IntoIterator<Item = f32>) -> Self {
        let unsure = Self { codeword: 0, reliability: f32::INFINITY };
        bits.into_iter().map(|bit| if bit.is_finite() { bit } else { 0.0 }).fold(unsure, |so_far, bit| Self {
            codeword: so_far.codeword << 1 | u8::from(bit > 0.0),
            reliability: so_far.reliability.min(bit.abs()),
        })
    }
}

/// A block's answer that needed erasures passes by chance with this probability (negative binary logarithm). It is asked
/// of each block: in a symbol that is really there, one block may be sound and the next beyond repair.
const CHANCE_BITS: f32 = 24.0;

/// A block as it should have been.
#[derive(Debug, PartialEq)]
pub(super) struct Corrected {
    pub(super) block: Vec<u8>,
    /// Codewords that were changed.
    pub(super) repaired: usize,
    /// Codewords that were declared erased.
    pub(super) erased: usize,
    /// Negative binary logarithm of the probability that noise has such an answer.
    bits: f32,
}

/// Corrects a block whose last `ec` codewords are error correction, `spare` of which the standard keeps back: as it is
/// if that will do, else with more and more of the least reliable codewords declared erased. Of several answers it is
/// the one that is least likely chance.
pub(super) fn correct(code: &Code, sent: &[Received], ec: usize, spare: usize) -> Option<Corrected> {
    let mut doubtful: Vec<usize> = (0..sent.len()).collect();
    doubtful.sort_by(|a, b| sent[*a].reliability.total_cmp(&sent[*b].reliability));
    let unknown = sent.iter().filter(|received| received.reliability == 0.0).count();
    let first = if unknown + spare <= ec { unknown } else { 0 };
    let attempt = |erased: usize| correct_with(code, sent, ec, spare, doubtful.get(..erased)?);
    let steps = (first.max(1)..=ec).filter(|erased| *erased == first || (erased - first).is_multiple_of(2));
    let credible = |answer: &Corrected| answer.bits >= CHANCE_BITS;
    attempt(0).or_else(|| steps.filter_map(attempt).filter(credible).max_by(|a, b| a.bits.total_cmp(&b.bits)))
}

fn correct_with(code: &Code, sent: &[Received], ec: usize, spare: usize, erasures: &[usize]) -> Option<Corrected> {
    let mut block: Vec<u8> = sent.iter().map(|received| received.codeword).collect();
    code.correct(&mut block, ec, erasures).ok()?;
    let changed = |at: &usize| block[*at] != sent[*at].codeword;
    let repaired = (0..sent.len()).filter(changed).count();
    let errors = repaired - erasures.iter().filter(|at| changed(at)).count();
    let erased = erasures.len();
    let bits = chance_bits(sent.len() - erased, errors, ec - erased);
    (2 * errors + erased + spare <= ec).then_some(Corrected { block, repaired, erased, bits })
}

/// Negative binary logarithm of the share of random words within `errors` of a codeword, of `length` codewords with
/// `redundancy` among them: the number of words around each codeword against 256 to the power of the redundancy.
fn chance_bits(length: usize, errors: usize, redundancy: usize) -> f32 {
    let choices: f32 = (0..errors).map(|i| ((length - i) as f32 / (i + 1) as f32).log2() + 255f32.log2()).sum();
    8.0 * redundancy as f32 - choices
}

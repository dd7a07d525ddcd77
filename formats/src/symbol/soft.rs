//! Codewords with reliabilities: generalised minimum distance decoding (Forney 1966), and how likely its answer is
//! chance.

use super::reed_solomon::Code;

/// A codeword as sampled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) codeword: u8,
    /// The likelihood of its least certain bit, in nats; 0 where nothing is known.
    pub(super) reliability: f32,
    /// The same with that bit the other way round.
    pub(super) second: u8,
}

/// Likelihood of what is known and not only seen, in nats: far beyond what sampling says of any bit.
pub(super) const CERTAIN: f32 = 1000.0;

impl Received {
    /// The codeword of eight log-likelihood ratios, the most significant first.
    pub(super) fn of(bits: impl IntoIterator<Item = f32>) -> Self {
        let (mut codeword, mut reliability, mut doubtful) = (0u8, f32::INFINITY, 0u8);
        for bit in bits {
            let bit = if bit.is_finite() { bit } else { 0.0 };
            (codeword, doubtful) = (codeword << 1 | u8::from(bit > 0.0), doubtful << 1);
            if bit.abs() < reliability {
                (reliability, doubtful) = (bit.abs(), 1);
            }
        }
        Self { codeword, reliability, second: codeword ^ doubtful }
    }
}

/// A block's answer that needed erasures passes by chance with this probability (negative binary logarithm). It is asked
/// of each block: in a symbol that is really there, one block may be sound and the next beyond repair.
pub(super) const CHANCE_BITS: f32 = 24.0;

/// A block as it should have been.
#[derive(Debug, PartialEq)]
pub(super) struct Corrected {
    pub(super) block: Vec<u8>,
    /// Codewords that were changed.
    pub(super) repaired: usize,
    /// Codewords that were declared erased.
    pub(super) erased: usize,
    /// Negative binary logarithm of the probability that noise has such an answer.
    pub(super) bits: f32,
}

impl Corrected {
    /// Whether it is beyond chance.
    pub(super) fn credible(&self) -> bool {
        self.bits >= CHANCE_BITS
    }
}

/// Corrects a block whose last `ec` codewords are error correction, `spare` of which the standard keeps back: as it is
/// if that will do, else with more and more of the least reliable codewords declared erased. Of several answers it is
/// the one that is least likely chance.
pub(super) fn correct(code: &Code, sent: &[Received], ec: usize, spare: usize) -> Option<Corrected> {
    let doubtful = by_doubt(sent);
    let attempt = |erased: usize| correct_with(code, sent, ec, spare, doubtful.get(..erased)?);
    let erased = erasure_counts(sent, ec, spare).filter_map(attempt).filter(Corrected::credible);
    attempt(0).or_else(|| erased.max_by(|a, b| a.bits.total_cmp(&b.bits)))
}

/// Blocks that may have been sent, in no order. Erasures are tried at every number, and with each both values of the least
/// certain bit of the `flips` codewords that are the most doubtful after them.
pub(super) fn candidates(code: &Code, sent: &[Received], ec: usize, flips: usize) -> Vec<Vec<u8>> {
    let doubtful = by_doubt(sent);
    let mut out: Vec<Vec<u8>> = Vec::new();
    for erased in std::iter::once(0).chain(erasure_counts(sent, ec, 0)) {
        let Some((erasures, sure)) = doubtful.split_at_checked(erased) else { break };
        for pattern in 0..1u32 << flips {
            let mut block: Vec<u8> = sent.iter().map(|received| received.codeword).collect();
            for at in sure.iter().enumerate().take(flips).filter(|(i, _)| pattern >> i & 1 == 1).map(|(_, at)| *at) {
                block[at] = sent[at].second;
            }
            if code.correct(&mut block, ec, erasures).is_ok() && !out.contains(&block) {
                out.push(block);
            }
        }
    }
    out
}

/// The places of codewords, the least reliable first.
fn by_doubt(sent: &[Received]) -> Vec<usize> {
    let mut doubtful: Vec<usize> = (0..sent.len()).collect();
    doubtful.sort_by(|a, b| sent[*a].reliability.total_cmp(&sent[*b].reliability));
    doubtful
}

/// Numbers of erasures to try: what is unknown, and two more at a time.
fn erasure_counts(sent: &[Received], ec: usize, spare: usize) -> impl Iterator<Item = usize> {
    let unknown = sent.iter().filter(|received| received.reliability == 0.0).count();
    let first = if unknown + spare <= ec { unknown } else { 0 };
    (first..=ec).step_by(2).filter(|erased| *erased > 0)
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

//! Likelihoods of modules to content: codewords, error correction with erasures, data.

use super::data;
use super::placement;
use super::sizes::Size;
use crate::symbol::decode::{Content, DecodeError};
use crate::symbol::reed_solomon::DATA_MATRIX;

/// Decodes a grid of `rows` by `columns` log-likelihood ratios, row by row: positive for a dark module, 0 for one
/// that nothing is known of.
///
/// Codewords are corrected block by block: first as they are, then with more and more of the least reliable ones
/// declared erased (generalised minimum distance decoding, Forney 1966), as long as a wrong answer by chance stays
/// below one in 2^28.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(rows: usize, columns: usize, llr: &[f32]) -> Result<Content, DecodeError> {
    let size = Size::of(rows, columns).filter(|size| size.rows * size.columns == llr.len()).ok_or(DecodeError::Size)?;
    let received: Vec<Received> = placement::codewords(size).iter().map(|modules| receive(modules, llr)).collect();
    let mut error = DecodeError::Checksum;
    for ec_start in ec_starts(size) {
        match correct(size, &received, ec_start) {
            Some((codewords, repaired)) => match data::decode(&codewords) {
                Some(data::Data { bytes, text }) => {
                    return Ok(Content { bytes, text, repaired, codewords: size.codewords() });
                }
                None => error = DecodeError::Format,
            },
            None => continue,
        }
    }
    Err(error)
}

/// A symbol by chance would pass with this probability (negative binary logarithm), for answers that need erasures.
const CHANCE_BITS: f32 = 28.0;

/// A codeword as sampled.
#[derive(Clone, Copy)]
struct Received {
    codeword: u8,
    /// The likelihood of its least certain bit, in nats.
    reliability: f32,
}

fn receive(modules: &placement::Codeword, llr: &[f32]) -> Received {
    let bits = modules.map(|module| llr.get(module).copied().filter(|value| value.is_finite()).unwrap_or(0.0));
    let codeword = bits.iter().fold(0, |codeword, bit| codeword << 1 | u8::from(*bit > 0.0));
    let reliability = bits.iter().fold(f32::INFINITY, |least, bit| least.min(bit.abs()));
    Received { codeword, reliability }
}

/// The block of the first error-correction codeword. In 144x144 the last two blocks have a data codeword less; there
/// are encoders that go on with the block that would be next instead of the first.
fn ec_starts(size: &Size) -> impl Iterator<Item = usize> {
    let other = size.data % size.blocks;
    std::iter::once(0).chain((other != 0).then_some(other))
}

/// All data codewords corrected, and the number of codewords that were changed.
fn correct(size: &Size, received: &[Received], ec_start: usize) -> Option<(Vec<u8>, usize)> {
    let mut codewords = vec![0; size.data];
    let mut repaired = 0;
    for block in 0..size.blocks {
        let data = (block..size.data).step_by(size.blocks);
        let ec = (size.data + (block + size.blocks - ec_start) % size.blocks..size.codewords()).step_by(size.blocks);
        let sent: Vec<Received> = data.clone().chain(ec).filter_map(|at| received.get(at).copied()).collect();
        let (corrected, changed) = correct_block(&sent, size.ec_per_block())?;
        for (at, codeword) in data.zip(corrected) {
            codewords[at] = codeword;
        }
        repaired += changed;
    }
    Some((codewords, repaired))
}

fn correct_block(sent: &[Received], ec: usize) -> Option<(Vec<u8>, usize)> {
    let mut doubtful: Vec<usize> = (0..sent.len()).collect();
    doubtful.sort_by(|a, b| sent[*a].reliability.total_cmp(&sent[*b].reliability));
    let unknown = sent.iter().filter(|received| received.reliability == 0.0).count();
    let first = if unknown <= ec { unknown } else { 0 };
    let more = (2..=ec).step_by(2).filter(|erased| *erased > first);
    for erased in std::iter::once(0).chain((first > 0).then_some(first)).chain(more) {
        let erasures = &doubtful[..erased];
        let mut block: Vec<u8> = sent.iter().map(|received| received.codeword).collect();
        if DATA_MATRIX.correct(&mut block, ec, erasures).is_err() {
            continue;
        }
        let changed = |at: &usize| block[*at] != sent[*at].codeword;
        let repaired = (0..sent.len()).filter(changed).count();
        let errors = repaired - erasures.iter().filter(|at| changed(at)).count();
        if erased == 0 || chance_bits(sent.len() - erased, errors, ec - erased) >= CHANCE_BITS {
            return Some((block, repaired));
        }
    }
    None
}

/// Negative binary logarithm of the share of random words within `errors` of a codeword, of `length` codewords with
/// `redundancy` among them: the number of words around each codeword against 256 to the power of the redundancy.
fn chance_bits(length: usize, errors: usize, redundancy: usize) -> f32 {
    let choices: f32 = (0..errors).map(|i| ((length - i) as f32 / (i + 1) as f32).log2() + 255f32.log2()).sum();
    8.0 * redundancy as f32 - choices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::datamatrix::sizes::SIZES;
    use datamatrix::{DataMatrix, SymbolList, SymbolSize};
    use proptest::prelude::*;

    fn known(size: &Size) -> SymbolSize {
        let fits = |known: &SymbolSize| {
            let bitmap = DataMatrix::encode(&[], *known).unwrap().bitmap();
            (bitmap.height(), bitmap.width()) == (size.rows, size.columns)
        };
        SymbolList::with_extended_rectangles().iter().find(fits).unwrap()
    }

    /// A symbol that is nearly full, as certain likelihoods.
    fn symbol(size: &Size) -> (Vec<u8>, Vec<f32>) {
        let message: Vec<u8> = (0..size.data - 2).map(|i| b'a' + (i % 26) as u8).collect();
        let message = (1..=message.len()).rev().map(|n| &message[..n]);
        let encode = |m: &[u8]| Some((m.to_vec(), DataMatrix::encode(m, known(size)).ok()?));
        let (message, symbol) = message.filter_map(encode).next().unwrap();
        (message, symbol.bitmap().bits().iter().map(|dark| if *dark { 8.0 } else { -8.0 }).collect())
    }

    #[test]
    fn every_size_decodes() {
        for size in &SIZES {
            let (message, llr) = symbol(size);
            let content = decode(size.rows, size.columns, &llr).unwrap();
            assert_eq!((content.bytes, content.repaired), (message, 0), "{size:?}");
        }
    }

    #[test]
    fn a_grid_that_no_size_has_is_refused() {
        assert_eq!(decode(11, 11, &[0.0; 121]), Err(DecodeError::Size));
        assert_eq!(decode(10, 10, &[0.0; 99]), Err(DecodeError::Size));
        assert_eq!(decode(0, 0, &[]), Err(DecodeError::Size));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn errors_and_erasures_within_capacity_are_repaired(
            which in 0..SIZES.len(), erased in 0..200usize, wrong in 0..100usize, seed in any::<u64>(),
        ) {
            let size = &SIZES[which];
            let (message, mut llr) = symbol(size);
            let ec = size.ec_per_block();
            let erased = erased % (ec.saturating_sub(4) + 1);
            let wrong = wrong % ((ec.saturating_sub(erased + 4)) / 2 + 1);
            let modules = placement::codewords(size);
            // A run of codewords that lie in one block, from anywhere.
            let length = size.data.div_ceil(size.blocks) - 1;
            let start = seed as usize % (length.saturating_sub(erased + wrong) + 1);
            let hurt: Vec<usize> = (start..length).take(erased + wrong).map(|i| i * size.blocks).collect();
            for (i, at) in hurt.iter().enumerate() {
                for module in modules[*at] {
                    llr[module] = if i < erased { 0.0 } else { -llr[module] };
                }
            }
            let content = decode(size.rows, size.columns, &llr).unwrap();
            prop_assert_eq!(content.bytes, message);
        }

        #[test]
        fn noise_is_refused(which in 0..SIZES.len(), noise in proptest::collection::vec(-8f32..8.0, 144 * 144)) {
            let size = &SIZES[which];
            prop_assert!(decode(size.rows, size.columns, &noise[..size.rows * size.columns]).is_err());
        }
    }
}

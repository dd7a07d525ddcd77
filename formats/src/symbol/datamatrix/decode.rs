//! Likelihoods of modules to content: codewords, error correction with erasures, data.

use super::data;
use super::placement;
use super::sizes::Size;
use crate::symbol::anatomy::Anatomy;
use crate::symbol::decode::{Content, DecodeError};
use crate::symbol::reed_solomon::DATA_MATRIX;
use crate::symbol::view::{Block, Framing, View, Word};

/// Decodes a grid of `rows` by `columns` log-likelihood ratios, row by row: positive for a dark module, 0 for one
/// that nothing is known of.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(rows: usize, columns: usize, llr: &[f32]) -> Result<Content, DecodeError> {
    let views = views(rows, columns, llr).ok_or(DecodeError::Size)?;
    first_content(views.iter().map(std::slice::from_ref))
}

/// The content of the first way to see a symbol that has one, each way being several looks at it.
///
/// # Errors
/// [`DecodeError`].
pub(in crate::symbol) fn first_content<'v>(ways: impl Iterator<Item = &'v [View]>) -> Result<Content, DecodeError> {
    let mut error = DecodeError::Checksum;
    for looks in ways {
        let Some(corrected) = View::corrected_together(looks) else { continue };
        match data::decode(&corrected.data) {
            Some(data::Data { bytes, text }) => {
                let codewords = looks.first().map_or(0, View::codewords);
                return Ok(Content { bytes, text, repaired: corrected.repaired, codewords });
            }
            None => error = DecodeError::Format,
        }
    }
    Err(error)
}

/// The symbol as codewords, by either order of its blocks; `None` if there is none of this size.
pub(in crate::symbol) fn views(rows: usize, columns: usize, llr: &[f32]) -> Option<Vec<View>> {
    let size = Size::of(rows, columns).filter(|size| size.rows * size.columns == llr.len())?;
    let likelihood = |module: usize| llr.get(module).copied().unwrap_or(0.0);
    let words: Vec<Word<f32>> = placement::codewords(size).iter().map(|modules| modules.map(likelihood)).collect();
    let view = |ec_start: usize| {
        let blocks = (0..size.blocks).map(|block| {
            let data: Vec<usize> = (block..size.data).step_by(size.blocks).collect();
            let first = size.data + (block + size.blocks - ec_start) % size.blocks;
            let ec = (first..size.codewords()).step_by(size.blocks);
            let places: Vec<usize> = data.iter().copied().chain(ec).collect();
            let words = places.iter().filter_map(|at| words.get(*at).copied()).collect();
            Block { data, words, places }
        });
        View { code: &DATA_MATRIX, framing: Framing::DataMatrix, spare: 0, blocks: blocks.collect() }
    };
    Some(ec_starts(size).map(view).collect())
}

/// The anatomy of a symbol, for [`crate::symbol::anatomy::anatomy`].
pub(in crate::symbol) fn anatomy(rows: usize, columns: usize, llr: &[f32]) -> Result<Anatomy, DecodeError> {
    let size = Size::of(rows, columns).ok_or(DecodeError::Size)?;
    let modules = placement::codewords(size);
    let known = |module: usize| size.function_module(module / columns, module % columns);
    let views = views(rows, columns, llr).ok_or(DecodeError::Size)?;
    let mut anatomies = views.iter().filter_map(|view| view.anatomy((rows, columns), &modules, |_| false, known));
    anatomies.next().ok_or(DecodeError::Checksum)
}

/// The block of the first error-correction codeword. In 144x144 the last two blocks have a data codeword less; there
/// are encoders that go on with the block that would be next instead of the first.
fn ec_starts(size: &Size) -> impl Iterator<Item = usize> {
    let other = size.data % size.blocks;
    std::iter::once(0).chain((other != 0).then_some(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::datamatrix::sizes::{SIZES, known};
    use datamatrix::DataMatrix;
    use proptest::prelude::*;

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

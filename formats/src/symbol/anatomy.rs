//! What each module of a decoded symbol belongs to and should look like: what print quality is measured against
//! (ISO/IEC 15415, clause 7.8).

use super::decode::DecodeError;
use super::{Symbology, datamatrix, qr};

/// A decoded symbol, module by module, row by row from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anatomy {
    /// Modules a row.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// What each module should be: `Some(true)` dark in the ordinary form; `None` where it is not known (format and version
    /// information, remainder bits).
    pub truth: Vec<Option<bool>>,
    /// The codeword that each module carries a bit of, counted in the order of the symbol; `None` outside data and error
    /// correction.
    pub codeword: Vec<Option<usize>>,
    /// The blocks of error correction.
    pub blocks: Vec<AnatomyBlock>,
}

/// One block of error correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnatomyBlock {
    /// Its codewords.
    pub codewords: Vec<usize>,
    /// How many of them are error correction and may be used for it: without those that the standard keeps back.
    pub correction: usize,
}

impl Anatomy {
    /// Whether a module belongs to a function pattern, of which the look is always known.
    #[must_use]
    pub fn is_function(&self, module: usize) -> bool {
        let known = self.truth.get(module).copied().flatten().is_some();
        known && self.codeword.get(module).copied().flatten().is_none()
    }
}

/// The anatomy of a symbol from the log-likelihood ratios of its modules, as for [`super::decode::decode`].
///
/// # Errors
/// [`DecodeError`] if it does not decode; [`DecodeError::Size`] for Micro QR Code, too.
pub fn anatomy(symbology: Symbology, rows: usize, columns: usize, llr: &[f32]) -> Result<Anatomy, DecodeError> {
    match symbology {
        Symbology::QrCode if rows == columns => qr::decode::anatomy(rows, llr),
        Symbology::DataMatrix => datamatrix::decode::anatomy(rows, columns, llr),
        Symbology::QrCode | Symbology::MicroQrCode => Err(DecodeError::Size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::{EcLevel, Request, Shape, encode};

    #[test]
    fn damage_does_not_change_what_a_symbol_should_be() {
        for request in [
            Request::Qr { ec: EcLevel::L, min_version: 1 },
            Request::Qr { ec: EcLevel::H, min_version: 7 },
            Request::DataMatrix { shape: Shape::Square },
            Request::DataMatrix { shape: Shape::Dmre },
        ] {
            let payload: Vec<u8> = (0..96).map(|i| (i * 73 + 19) as u8).collect();
            let matrix = encode(&payload, &request).unwrap().matrix;
            let (columns, rows) = (matrix.width(), matrix.height());
            let symbology =
                if matches!(request, Request::Qr { .. }) { Symbology::QrCode } else { Symbology::DataMatrix };
            let mut llr: Vec<f32> = (0..rows * columns)
                .map(|i| if matrix.is_dark(i % columns, i / columns) { 4.0 } else { -4.0 })
                .collect();
            let clean = anatomy(symbology, rows, columns, &llr).unwrap();
            for (i, truth) in clean.truth.iter().enumerate() {
                assert!(truth.is_none_or(|dark| dark == matrix.is_dark(i % columns, i / columns)), "{request:?}, {i}");
            }
            let codewords: usize = clean.blocks.iter().map(|block| block.codewords.len()).sum();
            for codeword in 0..codewords {
                assert_eq!(clean.codeword.iter().filter(|c| **c == Some(codeword)).count(), 8);
                let blocks = clean.blocks.iter().filter(|block| block.codewords.contains(&codeword)).count();
                assert_eq!(blocks, 1);
            }
            let known = clean.truth.iter().flatten().count();
            assert!(known > 8 * codewords && (0..rows * columns).any(|i| clean.is_function(i)));
            llr.iter_mut().skip(rows * columns / 2).take(20).for_each(|value| *value = -*value);
            assert_eq!(anatomy(symbology, rows, columns, &llr).as_ref(), Ok(&clean), "{request:?}");
            assert_eq!(anatomy(Symbology::MicroQrCode, rows, columns, &llr), Err(DecodeError::Size));
        }
    }
}

//! Payload to Data Matrix, by the `datamatrix` crate; sizes are chosen here, by area.

use crate::symbol::encode::{EncodeError, Encoded, Shape, SymbolSize};
use crate::symbol::{Matrix, Symbology};
use datamatrix::data::EncodationType;
use datamatrix::{DataMatrix, DataMatrixBuilder, SymbolList};
use std::sync::LazyLock;

/// Encodes bytes in base 256 as one segment.
pub(crate) fn encode_bytes(payload: &[u8], shape: Shape) -> Result<Encoded, EncodeError> {
    let allowed = allowed(shape)?;
    let Some((known, size)) = allowed.iter().find(|(_, size)| size.payload_bytes >= payload.len()) else {
        return Err(too_long(payload.len(), &allowed));
    };
    let encoder = DataMatrixBuilder::new().with_macros(false).with_symbol_list(*known);
    let made = encoder.with_encodation_types(EncodationType::Base256).encode(payload);
    finish(made.map_err(|_| EncodeError::Refused)?, size)
}

/// Encodes text in the shortest mix of encodations.
pub(crate) fn encode_text(text: &str, shape: Shape) -> Result<Encoded, EncodeError> {
    let allowed = allowed(shape)?;
    let limit = SIZES.iter().map(|(_, size)| size.data_codewords * 2).max().unwrap_or(0);
    if text.len() > limit {
        return Err(too_long(text.len(), &allowed));
    }
    let encode = |known: Known| DataMatrixBuilder::new().with_macros(false).with_symbol_list(known).encode_str(text);
    let fits = allowed.iter().filter(|(_, size)| size.data_codewords * 2 >= text.len());
    let made = fits.into_iter().find_map(|(known, size)| Some((encode(*known).ok()?, size)));
    let (made, size) = made.ok_or_else(|| too_long(text.len(), &allowed))?;
    finish(made, size)
}

/// Every size, the smallest area first.
pub(crate) fn sizes() -> impl Iterator<Item = &'static SymbolSize> {
    SIZES.iter().map(|(_, size)| size)
}

type Known = datamatrix::SymbolSize;

/// Every size that the encoder knows. It does not tell their dimensions, but an empty symbol does.
static SIZES: LazyLock<Vec<(Known, SymbolSize)>> = LazyLock::new(|| {
    let all = SymbolList::with_extended_rectangles();
    let mut sizes: Vec<_> = all.iter().filter_map(|known| Some((known, measure(known)?))).collect();
    sizes.sort_by_key(|(_, size)| (size.rows * size.columns, size.columns));
    sizes
});

fn measure(known: Known) -> Option<SymbolSize> {
    let empty = DataMatrix::encode(&[], known).ok()?;
    let bitmap = empty.bitmap();
    let data_codewords = empty.data_codewords().len();
    let ec_codewords = empty.codewords().len() - data_codewords;
    Some(SymbolSize {
        symbology: Symbology::DataMatrix,
        name: format!("{}x{}", bitmap.height(), bitmap.width()),
        columns: bitmap.width(),
        rows: bitmap.height(),
        data_codewords,
        ec_codewords,
        // Only sizes of a single block have an odd number of these.
        correctable: ec_codewords / 2,
        payload_bytes: base256_capacity(data_codewords),
        dmre: known.is_dmre(),
    })
}

/// Bytes after the latch and a length of one codeword (up to 249) or two (up to 1555), ISO/IEC 16022, clause 5.2.9.
fn base256_capacity(data_codewords: usize) -> usize {
    match data_codewords.saturating_sub(2) {
        short @ ..=249 => short,
        long => (long - 1).min(1555),
    }
}

fn allowed(shape: Shape) -> Result<Vec<&'static (Known, SymbolSize)>, EncodeError> {
    let fits = |size: &SymbolSize| match shape {
        Shape::Any => true,
        Shape::Square => size.rows == size.columns,
        Shape::Rectangle => size.rows != size.columns && !size.dmre,
        Shape::Dmre => size.rows != size.columns,
        Shape::Exact { rows, columns } => (size.rows, size.columns) == (rows, columns),
    };
    let allowed: Vec<_> = SIZES.iter().filter(|(_, size)| fits(size)).collect();
    match shape {
        Shape::Exact { rows, columns } if allowed.is_empty() => Err(EncodeError::NoSuchSize { rows, columns }),
        _ => Ok(allowed),
    }
}

fn too_long(bytes: usize, allowed: &[&'static (Known, SymbolSize)]) -> EncodeError {
    let limit = allowed.iter().map(|(_, size)| size.payload_bytes).max().unwrap_or(0);
    EncodeError::TooLong { bytes, limit }
}

fn finish(made: DataMatrix, size: &SymbolSize) -> Result<Encoded, EncodeError> {
    let bitmap = made.bitmap();
    let matrix = Matrix::new(bitmap.width(), bitmap.height(), bitmap.bits().to_vec()).ok_or(EncodeError::Refused)?;
    Ok(Encoded { matrix, size: size.clone() })
}

#[cfg(test)]
mod tests;

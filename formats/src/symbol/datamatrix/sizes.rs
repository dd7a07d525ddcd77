//! The sizes of Data Matrix ECC 200: ISO/IEC 16022:2006 table 7 (squares and six rectangles) and ISO/IEC 21471:2020
//! table 1 (the 18 rectangles of DMRE).

/// One size of symbol. Lengths in modules, without quiet zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Rows of the symbol, finder pattern included.
    pub rows: usize,
    /// Columns of the symbol, finder pattern included.
    pub columns: usize,
    /// Data regions one above the other.
    pub regions_down: usize,
    /// Data regions side by side.
    pub regions_across: usize,
    /// Data codewords.
    pub data: usize,
    /// Error-correction codewords of all blocks together.
    pub ec: usize,
    /// Interleaved Reed-Solomon blocks.
    pub blocks: usize,
}

impl Size {
    /// The size with these dimensions, if there is one.
    #[must_use]
    pub fn of(rows: usize, columns: usize) -> Option<&'static Self> {
        SIZES.iter().find(|size| size.rows == rows && size.columns == columns)
    }

    /// Data and error-correction codewords together.
    #[must_use]
    pub const fn codewords(&self) -> usize {
        self.data + self.ec
    }

    /// Error-correction codewords of each block.
    #[must_use]
    pub const fn ec_per_block(&self) -> usize {
        self.ec / self.blocks
    }

    /// Rows of one data region with its part of the finder and alignment patterns.
    #[must_use]
    pub const fn region_rows(&self) -> usize {
        self.rows / self.regions_down
    }

    /// Columns of one data region with its part of the finder and alignment patterns.
    #[must_use]
    pub const fn region_columns(&self) -> usize {
        self.columns / self.regions_across
    }

    /// Whether the module is dark, where it belongs to the finder or an alignment pattern (ISO/IEC 16022, 5.2): left
    /// and bottom edge of each region solid, top and right edge alternating.
    #[must_use]
    pub const fn function_module(&self, row: usize, column: usize) -> Option<bool> {
        let (row, column) = (row % self.region_rows(), column % self.region_columns());
        if column == 0 || row == self.region_rows() - 1 {
            Some(true)
        } else if row == 0 {
            Some(column % 2 == 0)
        } else if column == self.region_columns() - 1 {
            Some(row % 2 == 1)
        } else {
            None
        }
    }
}

/// Every size, squares first, each group by area.
pub const SIZES: [Size; 48] = [
    size(10, 10, 1, 1, 3, 5, 1),
    size(12, 12, 1, 1, 5, 7, 1),
    size(14, 14, 1, 1, 8, 10, 1),
    size(16, 16, 1, 1, 12, 12, 1),
    size(18, 18, 1, 1, 18, 14, 1),
    size(20, 20, 1, 1, 22, 18, 1),
    size(22, 22, 1, 1, 30, 20, 1),
    size(24, 24, 1, 1, 36, 24, 1),
    size(26, 26, 1, 1, 44, 28, 1),
    size(32, 32, 2, 2, 62, 36, 1),
    size(36, 36, 2, 2, 86, 42, 1),
    size(40, 40, 2, 2, 114, 48, 1),
    size(44, 44, 2, 2, 144, 56, 1),
    size(48, 48, 2, 2, 174, 68, 1),
    size(52, 52, 2, 2, 204, 84, 2),
    size(64, 64, 4, 4, 280, 112, 2),
    size(72, 72, 4, 4, 368, 144, 4),
    size(80, 80, 4, 4, 456, 192, 4),
    size(88, 88, 4, 4, 576, 224, 4),
    size(96, 96, 4, 4, 696, 272, 4),
    size(104, 104, 4, 4, 816, 336, 6),
    size(120, 120, 6, 6, 1050, 408, 6),
    size(132, 132, 6, 6, 1304, 496, 8),
    size(144, 144, 6, 6, 1558, 620, 10),
    size(8, 18, 1, 1, 5, 7, 1),
    size(8, 32, 1, 2, 10, 11, 1),
    size(12, 26, 1, 1, 16, 14, 1),
    size(12, 36, 1, 2, 22, 18, 1),
    size(16, 36, 1, 2, 32, 24, 1),
    size(16, 48, 1, 2, 49, 28, 1),
    size(8, 48, 1, 2, 18, 15, 1),
    size(8, 64, 1, 4, 24, 18, 1),
    size(8, 80, 1, 4, 32, 22, 1),
    size(8, 96, 1, 4, 38, 28, 1),
    size(8, 120, 1, 6, 49, 32, 1),
    size(8, 144, 1, 6, 63, 36, 1),
    size(12, 64, 1, 4, 43, 27, 1),
    size(12, 88, 1, 4, 64, 36, 1),
    size(16, 64, 1, 4, 62, 36, 1),
    size(20, 36, 1, 2, 44, 28, 1),
    size(20, 44, 1, 2, 56, 34, 1),
    size(20, 64, 1, 4, 84, 42, 1),
    size(22, 48, 1, 2, 72, 38, 1),
    size(24, 48, 1, 2, 80, 41, 1),
    size(24, 64, 1, 4, 108, 46, 1),
    size(26, 40, 1, 2, 70, 38, 1),
    size(26, 48, 1, 2, 90, 42, 1),
    size(26, 64, 1, 4, 118, 50, 1),
];

const fn size(
    rows: usize,
    columns: usize,
    regions_down: usize,
    regions_across: usize,
    data: usize,
    ec: usize,
    blocks: usize,
) -> Size {
    Size { rows, columns, regions_down, regions_across, data, ec, blocks }
}

/// What the `datamatrix` crate calls a size, found by the dimensions of an empty symbol.
#[cfg(test)]
pub(super) fn known(size: &Size) -> ::datamatrix::SymbolSize {
    let fits = |known: &::datamatrix::SymbolSize| {
        let bitmap = ::datamatrix::DataMatrix::encode(&[], *known).unwrap().bitmap();
        (bitmap.height(), bitmap.width()) == (size.rows, size.columns)
    };
    ::datamatrix::SymbolList::with_extended_rectangles().iter().find(fits).unwrap()
}

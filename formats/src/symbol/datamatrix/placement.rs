//! Where each bit of each codeword stands: ISO/IEC 16022, annex F, with the wrap that ISO/IEC 21471 adds for DMRE.

use super::sizes::Size;

/// The modules of one codeword, most significant bit first, as indices into the symbol's modules, row by row.
pub type Codeword = [usize; 8];

/// The modules of every codeword of a symbol of this size, in the order of the codewords.
#[must_use]
pub fn codewords(size: &Size) -> Vec<Codeword> {
    let mapping = Mapping::of(size);
    let mut placed = Placed { taken: vec![false; mapping.rows * mapping.columns], mapping, codewords: Vec::new() };
    placed.fill();
    let in_symbol = |cell: usize| symbol_index(size, cell / mapping.columns, cell % mapping.columns);
    placed.codewords.iter().take(size.codewords()).map(|cells| cells.map(in_symbol)).collect()
}

/// Index in the symbol of a place in the mapping matrix: the finder and alignment patterns stand between.
fn symbol_index(size: &Size, row: usize, column: usize) -> usize {
    let row = row + 1 + 2 * (row / (size.region_rows() - 2));
    let column = column + 1 + 2 * (column / (size.region_columns() - 2));
    row * size.columns + column
}

/// The mapping matrix: the data regions joined, without finder and alignment patterns.
#[derive(Clone, Copy)]
struct Mapping {
    rows: usize,
    columns: usize,
}

impl Mapping {
    fn of(size: &Size) -> Self {
        Self { rows: size.rows - 2 * size.regions_down, columns: size.columns - 2 * size.regions_across }
    }

    /// The cell at (`row`, `column`), which may lie before the top or left edge and then wraps around.
    fn cell(self, row: isize, column: isize) -> usize {
        let (rows, columns) = (self.rows as isize, self.columns as isize);
        let (mut row, mut column) = (row, column);
        if row < 0 {
            row += rows;
            column += 4 - (rows + 4) % 8;
        }
        if column < 0 {
            column += columns;
            row += 4 - (columns + 4) % 8;
        }
        (row.rem_euclid(rows) * columns + column.rem_euclid(columns)) as usize
    }

    /// The ordinary shape, by its lower right cell.
    fn utah(self, row: isize, column: isize) -> Codeword {
        const SHAPE: [(isize, isize); 8] = [(2, 2), (2, 1), (1, 2), (1, 1), (1, 0), (0, 2), (0, 1), (0, 0)];
        SHAPE.map(|(up, left)| self.cell(row - up, column - left))
    }

    /// A shape that is split over corners: counted from the bottom or right edge where negative.
    fn corner(self, shape: [(isize, isize); 8]) -> Codeword {
        let from_end = |at: isize, length: usize| if at < 0 { at + length as isize } else { at };
        shape.map(|(row, column)| self.cell(from_end(row, self.rows), from_end(column, self.columns)))
    }
}

const CORNER_1: [(isize, isize); 8] = [(-1, 0), (-1, 1), (-1, 2), (0, -2), (0, -1), (1, -1), (2, -1), (3, -1)];
const CORNER_2: [(isize, isize); 8] = [(-3, 0), (-2, 0), (-1, 0), (0, -4), (0, -3), (0, -2), (0, -1), (1, -1)];
const CORNER_3: [(isize, isize); 8] = [(-3, 0), (-2, 0), (-1, 0), (0, -2), (0, -1), (1, -1), (2, -1), (3, -1)];
const CORNER_4: [(isize, isize); 8] = [(-1, 0), (-1, -1), (0, -3), (0, -2), (0, -1), (1, -3), (1, -2), (1, -1)];

struct Placed {
    mapping: Mapping,
    taken: Vec<bool>,
    codewords: Vec<Codeword>,
}

impl Placed {
    /// Diagonal sweeps up and down from the left edge, corner shapes where the sweep meets them (annex F.3).
    fn fill(&mut self) {
        let (rows, columns) = (self.mapping.rows as isize, self.mapping.columns as isize);
        let (mut row, mut column) = (4, 0);
        while row < rows || column < columns {
            self.place_corner(row, column);
            while row >= 0 && column < columns {
                self.place_free(row, column);
                (row, column) = (row - 2, column + 2);
            }
            (row, column) = (row + 1, column + 3);
            while row < rows && column >= 0 {
                self.place_free(row, column);
                (row, column) = (row + 2, column - 2);
            }
            (row, column) = (row + 3, column + 1);
        }
    }

    fn place_corner(&mut self, row: isize, column: isize) {
        let (rows, columns) = (self.mapping.rows as isize, self.mapping.columns as isize);
        if row == rows && column == 0 {
            self.place(self.mapping.corner(CORNER_1));
        }
        if row == rows - 2 && column == 0 && columns % 4 != 0 {
            self.place(self.mapping.corner(CORNER_2));
        }
        if row == rows - 2 && column == 0 && columns % 8 == 4 {
            self.place(self.mapping.corner(CORNER_3));
        }
        if row == rows + 4 && column == 2 && columns % 8 == 0 {
            self.place(self.mapping.corner(CORNER_4));
        }
    }

    fn place_free(&mut self, row: isize, column: isize) {
        let inside =
            row >= 0 && column >= 0 && row < self.mapping.rows as isize && column < self.mapping.columns as isize;
        if inside && !self.taken[self.mapping.cell(row, column)] {
            self.place(self.mapping.utah(row, column));
        }
    }

    fn place(&mut self, cells: Codeword) {
        for cell in cells {
            self.taken[cell] = true;
        }
        self.codewords.push(cells);
    }
}

#[cfg(test)]
mod tests {
    use crate::symbol::datamatrix::sizes::{SIZES, known};
    use datamatrix::placement::MatrixMap;
    use datamatrix::{DataMatrix, SymbolList};

    #[test]
    fn the_table_holds_every_size_once_and_agrees_with_the_encoder() {
        assert_eq!(SymbolList::with_extended_rectangles().iter().count(), SIZES.len());
        for size in &SIZES {
            let symbol = DataMatrix::encode(&[], known(size)).unwrap();
            assert_eq!(symbol.data_codewords().len(), size.data, "{size:?}");
            assert_eq!(symbol.codewords().len(), size.codewords(), "{size:?}");
            assert_eq!(size.ec % size.blocks, 0, "{size:?}");
        }
    }

    #[test]
    fn every_module_of_every_size_is_where_the_encoder_draws_it() {
        for size in &SIZES {
            let codewords: Vec<u8> = (0..size.codewords()).map(|i| (i * 151 + 43) as u8).collect();
            let drawn = MatrixMap::<bool>::new_with_codewords(&codewords, known(size)).bitmap();
            let ours = super::codewords(size);
            assert_eq!(ours.len(), size.codewords(), "{size:?}");
            for (modules, byte) in ours.iter().zip(&codewords) {
                for (bit, module) in modules.iter().enumerate() {
                    assert_eq!(drawn.bits()[*module], byte >> (7 - bit) & 1 == 1, "{size:?}");
                }
            }
            for (i, dark) in drawn.bits().iter().enumerate() {
                let function = size.function_module(i / size.columns, i % size.columns);
                assert!(function.is_none_or(|known| known == *dark), "{size:?} module {i}");
            }
        }
    }
}

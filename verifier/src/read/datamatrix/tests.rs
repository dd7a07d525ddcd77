use super::*;
use crate::read::Effort;
use proptest::prelude::*;
use touchmark_formats::symbol::datamatrix::sizes::{SIZES, Size};
use touchmark_formats::symbol::{Matrix, Request, Shape, encode};

/// How a symbol is drawn.
#[derive(Clone, Copy)]
pub(super) struct Drawing {
    /// Pixels a module.
    pub(super) module: f32,
    /// Degrees.
    pub(super) rotation: f32,
    pub(super) reversed: bool,
    /// Round dots instead of squares, touching each other.
    pub(super) dots: bool,
    pub(super) mirrored: bool,
}

pub(super) const PLAIN: Drawing = Drawing { module: 5.0, rotation: 0.0, reversed: false, dots: false, mirrored: false };

/// Draws a symbol with a quiet zone of two modules, each pixel the mean of nine places in it.
pub(super) fn draw(matrix: &Matrix, drawing: Drawing) -> Luma {
    let (w, h) = (matrix.width() as f32, matrix.height() as f32);
    let (sin, cos) = drawing.rotation.to_radians().sin_cos();
    let extent = |a: f32, b: f32| ((a * cos.abs() + b * sin.abs() + 4.0) * drawing.module).ceil() as usize;
    let (width, height) = (extent(w, h), extent(h, w));
    let dark = |px: f32, py: f32| {
        let (x, y) = ((px - width as f32 / 2.0) / drawing.module, (py - height as f32 / 2.0) / drawing.module);
        let (x, y) = (x * cos + y * sin + w / 2.0, y * cos - x * sin + h / 2.0);
        let x = if drawing.mirrored { w - x } else { x };
        let inside_dot = (x.fract() - 0.5).hypot(y.fract() - 0.5) < 0.5;
        x >= 0.0 && y >= 0.0 && matrix.is_dark(x as usize, y as usize) && (inside_dot || !drawing.dots)
    };
    let pixel = |i: usize| {
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        let hit = |k: usize| dark(x + (k % 3) as f32 / 3.0 + 0.17, y + (k / 3) as f32 / 3.0 + 0.17);
        let share = (0..9).filter(|k| hit(*k)).count() as f32 / 9.0;
        let share = if drawing.reversed { 1.0 - share } else { share };
        (190.0 - 120.0 * share) as u8
    };
    Luma { width, height, data: (0..width * height).map(pixel).collect() }
}

pub(super) fn symbol(size: &Size) -> (Vec<u8>, Matrix) {
    let shape = Shape::Exact { rows: size.rows, columns: size.columns };
    let length = size.data.saturating_sub(4).clamp(1, 1400);
    let payload: Vec<u8> = (0..length).map(|i| (i * 73 % 251) as u8).collect();
    let encoded = encode(&payload, &Request::DataMatrix { shape }).unwrap();
    (payload, encoded.matrix)
}

fn contents(luma: &Luma) -> Vec<Vec<u8>> {
    read(luma).into_iter().filter_map(|symbol| symbol.decoded.ok()).map(|decoded| decoded.bytes).collect()
}

#[test]
fn every_size_is_read_upright_and_turned() {
    for size in &SIZES {
        let (payload, matrix) = symbol(size);
        for rotation in [0.0, 17.0] {
            let luma = draw(&matrix, Drawing { rotation, ..PLAIN });
            assert_eq!(contents(&luma), std::slice::from_ref(&payload), "{size:?} at {rotation} degrees");
        }
    }
}

#[test]
fn a_corner_that_is_off_by_most_of_a_module_is_moved_to_where_the_modules_are() {
    let size = Size::of(40, 40).unwrap();
    let (_, matrix) = symbol(size);
    let pyramid = pyramid(&draw(&matrix, Drawing { module: 6.0, ..PLAIN }), &Work::unlimited()).unwrap();
    // Two modules of quiet zone, then the symbol.
    let (near, far) = (12.0, 12.0 + 40.0 * 6.0);
    let off =
        [(near - 4.0, near), (far, near + 4.5), (far + 4.0, far), (near, far - 4.5)].map(|(x, y)| Point::new(x, y));
    let fit = Fit::laid(size, off, false, &pyramid[0]);
    let wrong = |grid: &ModuleGrid| {
        let dark = |i: usize| matrix.is_dark(i % size.columns, i / size.columns);
        grid.llr.iter().enumerate().filter(|(i, llr)| dark(*i) != (**llr > 0.0)).count()
    };
    let at_first = wrong(&sample::sample(&pyramid[0], &fit).unwrap().grid);
    assert!(at_first > 100, "the test is too easy: {at_first}");
    assert_eq!(sample::others(&pyramid[0], &fit).iter().map(wrong).min(), Some(0));
}

#[test]
fn light_marks_mirrored_ones_and_dots_are_read() {
    let (payload, matrix) = symbol(Size::of(26, 26).unwrap());
    for (reversed, mirrored, dots) in
        [(true, false, false), (false, true, false), (false, false, true), (true, true, true)]
    {
        let drawing = Drawing { reversed, mirrored, dots, rotation: 33.0, module: 7.0 };
        let found = read(&draw(&matrix, drawing));
        let [symbol] = found.as_slice() else { panic!("{} symbols", found.len()) };
        assert_eq!(symbol.decoded.as_ref().unwrap().bytes, payload);
        assert_eq!((symbol.located.reversed, symbol.located.mirrored), (reversed, mirrored));
    }
}

/// A symbol whose modules were changed, in a picture.
fn worn(matrix: &Matrix, drawing: Drawing, gone: impl Fn(usize, usize) -> bool) -> Luma {
    let (width, height) = (matrix.width(), matrix.height());
    let dark = |i: usize| matrix.is_dark(i % width, i / width) && !gone(i % width, i / width);
    draw(&Matrix::new(width, height, (0..width * height).map(dark).collect()).unwrap(), drawing)
}

#[test]
fn a_symbol_is_found_by_its_grid_without_half_of_its_borders() {
    let (payload, matrix) = symbol(Size::of(40, 40).unwrap());
    let drawing = Drawing { module: 6.0, rotation: 21.0, reversed: true, ..PLAIN };
    // The left halves of the lower and of the upper border, and two modules beside them; then the right ones.
    for right in [false, true] {
        let gone = |x: usize, y: usize| (x >= 20) == right && !(3..37).contains(&y);
        let luma = worn(&matrix, drawing, gone);
        let found = lattice::read(&luma, &|_| false, Effort::Normal, &Work::unlimited());
        assert_eq!(found[0].decoded.as_ref().unwrap().bytes, payload, "{right}");
    }
}

#[test]
fn corners_are_those_of_the_symbol_within_half_a_module() {
    let (_, matrix) = symbol(Size::of(32, 32).unwrap());
    let found = read(&draw(&matrix, Drawing { module: 6.0, ..PLAIN }));
    let expected = [(12.0, 12.0), (204.0, 12.0), (204.0, 204.0), (12.0, 204.0)];
    for (corner, (x, y)) in found[0].located.corners.iter().zip(expected) {
        assert!(corner.distance(Point::new(x, y)) < 3.0, "{corner:?}");
    }
}

#[test]
fn two_symbols_in_one_picture_are_both_read() {
    let ((first, a), (second, b)) = (symbol(Size::of(20, 20).unwrap()), symbol(Size::of(24, 24).unwrap()));
    let (a, b) = (draw(&a, PLAIN), draw(&b, PLAIN));
    let (width, height) = (a.width + b.width, a.height.max(b.height));
    let mut data = vec![190; width * height];
    for (luma, left) in [(&a, 0), (&b, a.width)] {
        for (y, row) in luma.data.chunks(luma.width).enumerate() {
            data[y * width + left..][..luma.width].copy_from_slice(row);
        }
    }
    let mut found = contents(&Luma { width, height, data });
    found.sort_by_key(Vec::len);
    assert_eq!(found, [first, second]);
}

#[test]
fn pictures_that_do_not_exist_hold_nothing() {
    for (width, height, length) in [(0, 0, 0), (1, 1, 1), (100, 100, 99), (usize::MAX, 2, 4), (0, 5, 0)] {
        assert!(read(&Luma { width, height, data: vec![0; length] }).is_empty());
    }
}

#[test]
fn mirroring_twice_changes_nothing() {
    let (_, matrix) = symbol(Size::of(8, 32).unwrap());
    let located = locate(&draw(&matrix, PLAIN)).remove(0);
    let twice = mirrored(&mirrored(&located));
    assert_eq!((twice.corners, twice.modules.llr), (located.corners, located.modules.llr));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn noise_holds_nothing(width in 1..200usize, height in 1..200usize, seed in any::<u64>(), coarse in 0..4u32) {
        // Squares of 1 to 8 pixels, so that there are edges to find.
        let level = |x: usize, y: usize| {
            let cell = (x >> coarse) as u64 * 0x9E37_79B9 + (y >> coarse) as u64 * 0x85EB_CA6B;
            ((cell ^ seed).wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
        };
        let data = (0..width * height).map(|i| level(i % width, i / width)).collect();
        prop_assert_eq!(contents(&Luma { width, height, data }), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn any_scale_and_turn_is_read(module in 3.0..14f32, rotation in 0.0..360f32, reversed: bool, which in 4..12usize) {
        let (payload, matrix) = symbol(&SIZES[which]);
        let luma = draw(&matrix, Drawing { module, rotation, reversed, ..PLAIN });
        prop_assert_eq!(contents(&luma), [payload]);
    }
}

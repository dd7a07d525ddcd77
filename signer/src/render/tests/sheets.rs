//! Many marks in one output.

use super::*;

fn marks(count: usize) -> Vec<Artwork> {
    vec![artwork(&qr(), ArtworkOptions::default()); count]
}

fn frames(count: usize, sheet: &SheetOptions) -> (f64, f64, Vec<(f64, f64)>) {
    let marks = marks(count);
    let page = Page::grid(&marks, sheet);
    (page.width, page.height, page.drawings.iter().map(|drawing| (drawing.frame.left, drawing.frame.top)).collect())
}

#[test]
fn a_grid_has_the_pitch_of_mark_and_gap() {
    let sheet = SheetOptions { columns: Some(2), gap_mm: 0.5, ..SheetOptions::default() };
    let (width, height, places) = frames(3, &sheet);
    assert_eq!((width, height), (9.5, 9.5));
    assert_eq!(places, [(0.0, 0.0), (5.0, 0.0), (0.0, 5.0)]);
}

#[test]
fn a_grid_is_about_square_unless_told() {
    for (count, columns, rows) in [(1, 1, 1), (2, 2, 1), (5, 3, 2), (9, 3, 3), (10, 4, 3)] {
        let (width, height, _) = frames(count, &SheetOptions { gap_mm: 0.0, ..SheetOptions::default() });
        assert_eq!(((width / 4.5).round(), (height / 4.5).round()), (f64::from(columns), f64::from(rows)), "{count}");
    }
    let (width, ..) = frames(3, &SheetOptions { columns: Some(0), gap_mm: 0.0, ..SheetOptions::default() });
    assert_eq!(width, 4.5);
}

#[test]
fn labels_and_text_come_one_by_one() {
    let sheet = SheetOptions::default();
    let zpl = String::from_utf8(render(Format::Zpl, &marks(3), &sheet).unwrap()).unwrap();
    assert_eq!((zpl.matches("^XA").count(), zpl.matches("^XZ").count()), (3, 3));
    let matrix = String::from_utf8(render(Format::Matrix, &marks(2), &sheet).unwrap()).unwrap();
    assert_eq!(matrix.lines().filter(|line| line.is_empty()).count(), 1);
    assert_eq!(matrix.lines().count(), 2 * 37 + 1);
}

#[test]
fn nothing_too_much_and_odd_sheets_are_refused() {
    let sheet = SheetOptions::default();
    assert_eq!(render(Format::Svg, &[], &sheet), Err(RenderError::Nothing));
    let tiny = Artwork::new(Matrix::new(1, 1, vec![true]).unwrap(), Symbology::DataMatrix, ArtworkOptions::default());
    let many = vec![tiny.unwrap(); MAX_ARTWORKS + 1];
    assert_eq!(render(Format::Svg, &many, &sheet), Err(RenderError::TooMany { count: MAX_ARTWORKS + 1 }));
    for odd in [SheetOptions { dpi: 0.0, ..sheet }, SheetOptions { gap_mm: f64::INFINITY, ..sheet }] {
        assert!(matches!(render(Format::Svg, &marks(1), &odd), Err(RenderError::OutOfRange { .. })));
    }
}

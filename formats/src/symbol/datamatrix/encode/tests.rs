use super::*;
use crate::symbol::encode::{Request, encode, encode_text};
use proptest::prelude::*;

fn request(shape: Shape) -> Request {
    Request::DataMatrix { shape }
}

fn name(bytes: usize, shape: Shape) -> String {
    encode(&vec![0xA5; bytes], &request(shape)).unwrap().size.name
}

#[test]
fn sizes_of_the_usual_marks() {
    for (bytes, square, dmre) in [(84, "36x36", "26x48"), (96, "40x40", "24x64"), (106, "40x40", "24x64")] {
        assert_eq!(name(bytes, Shape::Square), square);
        assert_eq!(name(bytes, Shape::Dmre), dmre);
    }
    assert_eq!(name(85, Shape::Square), "40x40");
    assert_eq!(name(107, Shape::Dmre), "26x64");
    assert_eq!(name(112, Shape::Square), "40x40");
    assert_eq!(name(113, Shape::Square), "44x44");
    assert_eq!(name(16, Shape::Square), "18x18");
    assert_eq!(name(20, Shape::Square), "20x20");
    assert_eq!(name(40, Shape::Rectangle), "16x48");
    assert_eq!(name(84, Shape::Any), "26x48");
    assert_eq!(name(84, Shape::Exact { rows: 40, columns: 40 }), "40x40");
}

#[test]
fn all_sizes_of_both_standards_are_known() {
    assert_eq!(sizes().count(), 24 + 6 + 18);
    assert_eq!(sizes().filter(|size| size.dmre).count(), 18);
    let largest = sizes().last().unwrap();
    assert_eq!((largest.name.as_str(), largest.data_codewords, largest.ec_codewords), ("144x144", 1558, 620));
}

#[test]
fn what_does_not_fit_or_exist_is_an_error() {
    let too_long = |limit| Err(EncodeError::TooLong { bytes: 2000, limit });
    assert_eq!(encode(&[0; 2000], &request(Shape::Any)), too_long(1555));
    assert_eq!(encode(&[0; 2000], &request(Shape::Rectangle)), too_long(47));
    let exact = Shape::Exact { rows: 11, columns: 11 };
    assert_eq!(encode(&[0], &request(exact)), Err(EncodeError::NoSuchSize { rows: 11, columns: 11 }));
    assert!(encode(&[0; 1555], &request(Shape::Square)).is_ok());
    assert!(matches!(encode_text(&"x".repeat(1 << 20), &request(Shape::Any)), Err(EncodeError::TooLong { .. })));
}

#[test]
fn text_takes_less_room_than_bytes() {
    let text = "QED8WEX0".repeat(15);
    let made = encode_text(&text, &request(Shape::Square)).unwrap();
    assert_eq!(made.size.name, "36x36");
    assert_eq!(read(&made.matrix), text.as_bytes());
    assert_eq!(name(120, Shape::Square), "44x44");
}

fn read(matrix: &Matrix) -> Vec<u8> {
    let (width, height) = (matrix.width(), matrix.height());
    let modules: Vec<bool> = (0..width * height).map(|i| matrix.is_dark(i % width, i / width)).collect();
    DataMatrix::decode(&modules, width).unwrap()
}

proptest! {
    #[test]
    fn what_fits_is_read_as_it_was_written(payload in prop::collection::vec(any::<u8>(), 0..=400), shape in 0_usize..4) {
        let (shape, limit) =
            [(Shape::Any, 1555), (Shape::Square, 1555), (Shape::Rectangle, 47), (Shape::Dmre, 116)][shape];
        let made = encode(&payload, &request(shape));
        if payload.len() > limit {
            prop_assert_eq!(made, Err(EncodeError::TooLong { bytes: payload.len(), limit }));
            return Ok(());
        }
        let made = made.unwrap();
        prop_assert_eq!(read(&made.matrix), payload);
        prop_assert_eq!((made.matrix.width(), made.matrix.height()), (made.size.columns, made.size.rows));
    }
}

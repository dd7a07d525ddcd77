use super::*;
use crate::symbol::encode::{Request, encode, encode_text};
use proptest::prelude::*;

fn qr(payload: &[u8], ec: EcLevel) -> Encoded {
    encode(payload, &Request::Qr { ec, min_version: 1 }).unwrap()
}

/// Codewords of versions 1 to 40, ISO/IEC 18004, table 1.
const TOTAL_CODEWORDS: [usize; 40] = [
    26, 44, 70, 100, 134, 172, 196, 242, 292, 346, 404, 466, 532, 581, 655, 733, 815, 901, 991, 1085, 1156, 1258, 1364,
    1474, 1588, 1706, 1828, 1921, 2051, 2185, 2323, 2465, 2611, 2761, 2876, 3034, 3196, 3362, 3532, 3706,
];

#[test]
fn codewords_of_every_version_are_those_of_the_standard() {
    for (version, total) in (1..).zip(TOTAL_CODEWORDS) {
        for ec in EcLevel::ALL {
            let size = size(version, ec).unwrap();
            assert_eq!(size.data_codewords + size.ec_codewords, total, "{}", size.name);
            assert!(size.correctable * 2 <= size.ec_codewords);
        }
    }
}

#[test]
fn capacities_are_those_of_the_standard() {
    use EcLevel::{H, L, M, Q};
    for (version, ec, bytes, characters) in
        [(1, L, 17, 25), (5, M, 84, 122), (5, L, 106, 154), (6, M, 106, 154), (9, Q, 130, 189), (40, H, 1273, 1852)]
    {
        assert_eq!(capacity(version, ec, Mode::Byte), bytes, "{version}-{ec:?}");
        assert_eq!(capacity(version, ec, Mode::Alphanumeric), characters, "{version}-{ec:?}");
    }
}

#[test]
fn too_much_is_an_error_that_names_the_limit() {
    let request = Request::Qr { ec: EcLevel::H, min_version: 1 };
    assert!(encode(&[0; 1273], &request).is_ok());
    assert_eq!(encode(&[0; 1274], &request), Err(EncodeError::TooLong { bytes: 1274, limit: 1273 }));
    assert_eq!(encode(&[0; 1 << 20], &request), Err(EncodeError::TooLong { bytes: 1 << 20, limit: 1273 }));
}

#[test]
fn a_smallest_version_is_kept_and_checked() {
    let at = |min_version| encode(&[7; 20], &Request::Qr { ec: EcLevel::M, min_version });
    assert_eq!(at(10).unwrap().size.name, "QR 10-M");
    assert_eq!(at(0), Err(EncodeError::NoSuchVersion(0)));
    assert_eq!(at(41), Err(EncodeError::NoSuchVersion(41)));
}

#[test]
fn text_of_the_base45_alphabet_is_one_alphanumeric_segment() {
    // 126 characters carry 84 bytes: 4-L as bytes would hold 78 characters.
    let text = "QED8WEX0".repeat(16);
    let request = Request::Qr { ec: EcLevel::M, min_version: 1 };
    assert_eq!(encode_text(&text[..122], &request).unwrap().size.name, "QR 5-M");
    assert_eq!(encode_text(&text[..123], &request).unwrap().size.name, "QR 6-M");
    assert_eq!(encode_text(&text[..84].to_lowercase(), &request).unwrap().size.name, "QR 5-M");
}

/// What the crate makes of the same segment under the mask that we chose (bits 13 to 11 of the format information, in
/// row 8, columns 2 to 4, under the constant 101 of clause 7.9.1), and that no other mask has a lower penalty.
#[test]
fn modules_are_those_of_the_crate_under_the_best_mask() {
    use MaskPattern as P;
    let patterns = [
        P::Checkerboard,
        P::HorizontalLines,
        P::VerticalLines,
        P::DiagonalLines,
        P::LargeCheckerboard,
        P::Fields,
        P::Diamonds,
        P::Meadow,
    ];
    for (bytes, version, ec) in
        [(17, 1, EcLevel::L), (96, 6, EcLevel::M), (200, 12, EcLevel::Q), (1273, 40, EcLevel::H)]
    {
        let payload: Vec<u8> = (0..bytes).map(|i| (i * 37 + 11) as u8).collect();
        let made = qr(&payload, ec).matrix;
        let canvas = draw(&payload, Mode::Byte, version, ec).unwrap();
        let masked = patterns.map(|pattern| {
            let mut canvas = canvas.clone();
            canvas.apply_mask(pattern);
            picture(canvas)
        });
        let chosen = (2..5).fold(0, |bits, x| bits << 1 | usize::from(made.is_dark(x, 8))) ^ 0b101;
        assert_eq!(Matrix::new(made.width(), made.height(), masked[chosen].modules()), Some(made), "version {version}");
        let lowest = masked.iter().map(Picture::penalty).min();
        assert_eq!(masked.iter().position(|each| Some(each.penalty()) == lowest), Some(chosen));
    }
}

proptest! {
    /// The crate's own segmentation needs version 6 for some of these.
    #[test]
    fn size_follows_from_the_length_alone(payload in prop::collection::vec(any::<u8>(), 106)) {
        prop_assert_eq!(qr(&payload[..84], EcLevel::L).size.name, "QR 5-L");
        prop_assert_eq!(qr(&payload[..84], EcLevel::M).size.name, "QR 5-M");
        prop_assert_eq!(qr(&payload, EcLevel::L).size.name, "QR 5-L");
        prop_assert_eq!(qr(&payload, EcLevel::M).size.name, "QR 6-M");
    }

    #[test]
    fn any_payload_has_a_symbol(payload in prop::collection::vec(any::<u8>(), 0..=400), ec in 0_usize..4) {
        let made = qr(&payload, EcLevel::ALL[ec]);
        prop_assert_eq!((made.matrix.width(), made.matrix.height()), (made.size.columns, made.size.rows));
        prop_assert!(made.size.payload_bytes >= payload.len());
    }
}

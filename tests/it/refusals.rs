//! What the programs say of files that lie, are damaged or are meant for somebody else: the pages in `pages/` are typed
//! into a shell, beside the files made here.

use image::{DynamicImage, ImageFormat, RgbImage};
use proptest::prelude::*;
use std::io::Cursor;
use std::path::Path;
use testkit::console::{root, run_page};
use testkit::maker::{TestMaker, date, encrypted, label, public, signed};
use touchmark_formats::disclosure::{DisclosedKey, Disclosure, Grant, Scope};
use touchmark_formats::trust::Trust;
use touchmark_verifier::photo::{Limits, decode_luma};

#[test]
fn photos_that_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("empty.jpg", b"");
    write("notes.txt", b"seen at the border, 14:05\n");
    write("phone.heic", b"\0\0\0\x24ftypheic\0\0\0\0mif1heic");
    write("report.pdf", b"%PDF-1.7\n");
    write("camera.nef", b"II*\0\x08\0\0\0\0\0");
    write("garbage.jpg", &[b"\xFF\xD8\xFF\xE0".as_slice(), &[0x5A; 4000]].concat());
    write("wide.png", &png_header(100_000, 100_000));
    write("wide.gif", b"GIF89a\xFF\xFF\xFF\xFF\x80\0\0\0\0\0\xFF\xFF\xFF,\0\0\0\0\xFF\xFF\xFF\xFF\0\x02\x02D\x01\0;");
    write("wide.bmp", &bmp_header(100_000, 100_000));
    let photo = std::fs::read(root().join("tests/photos/chip-1.jpg")).unwrap();
    write("cut.jpg", &photo[..photo.len() / 3]);
    write("cut-below.jpg", &photo[..photo.len() * 9 / 10]);
    let picture = image::load_from_memory(&photo).unwrap();
    for (name, format) in [("cut.png", ImageFormat::Png), ("cut.tif", ImageFormat::Tiff), ("cut.bmp", ImageFormat::Bmp)]
    {
        let bytes = encode(&picture, format);
        write(name, &bytes[..bytes.len() / 3]);
    }
    run_page(
        &root().join("tests/it/pages/photos.md"),
        &[(folder.path(), "bad"), (&root().join("tests/photos"), "good")],
    );
}

#[test]
fn trust_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    let maker = TestMaker::new(1);
    let bundle = |change: &dyn Fn(&mut Trust)| {
        let mut trust = maker.trust();
        trust.expires = "2036-11-23T00:00:00Z".parse().unwrap();
        change(&mut trust);
        signed(trust, &[&maker.authority]).to_json()
    };
    let whole = bundle(&|_| {});
    write("trust.json", whole.as_bytes());
    write("newer.json", bundle(&|trust| trust.version = 9).as_bytes());
    write("expired.json", bundle(&|trust| trust.expires = "2026-11-23T00:00:01Z".parse().unwrap()).as_bytes());
    write("changed.json", whole.replace("Example Semiconductors", "Someone Else").as_bytes());
    write("wrong-key.json", signed(maker.trust(), &[&maker.line]).to_json().as_bytes());
    write("cut.json", &whole.as_bytes()[..whole.len() / 2]);
    write("other.json", signed(TestMaker::new(2).trust(), &[&TestMaker::new(2).authority]).to_json().as_bytes());
    let identity = |name: &str| {
        let identity = age::x25519::Identity::generate();
        let secret = age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned();
        write(name, format!("# created for a test\n{secret}\n").as_bytes());
        identity.to_public()
    };
    let (mine, theirs) = (identity("mine.txt"), identity("theirs.txt"));
    write("nothing.txt", b"# no key in here\n");
    let to = |maker: &TestMaker, recipient: &age::x25519::Recipient| {
        signed(disclosure(maker, &recipient.to_string()), &[&maker.root]).to_json()
    };
    let good = encrypted(to(&maker, &mine).as_bytes(), &mine);
    write("good.age", &good);
    write("theirs.age", &encrypted(to(&maker, &theirs).as_bytes(), &theirs));
    write("handed-on.age", &encrypted(to(&maker, &theirs).as_bytes(), &mine));
    write("stranger.age", &encrypted(to(&TestMaker::new(2), &mine).as_bytes(), &mine));
    let forged = to(&maker, &mine).replace("2026/17", "2026/18");
    write("changed.age", &encrypted(forged.as_bytes(), &mine));
    write("cut.age", &good[..good.len() / 2]);
    write("photo.age", b"\xFF\xD8\xFF\xE0");
    run_page(
        &root().join("tests/it/pages/trust.md"),
        &[(folder.path(), "t"), (&root().join("tests/photos"), "photos")],
    );
}

fn disclosure(maker: &TestMaker, recipient: &str) -> Disclosure {
    let (day, lot) = (date("2026-11-23"), Some(label("A2B347K")));
    let key = DisclosedKey::new(*maker.year.day(day).lot(lot.as_ref()).expose());
    Disclosure {
        maker: public(&maker.root),
        recipient: recipient.to_owned(),
        case: "2026/17".into(),
        created: "2026-11-24T00:00:00Z".parse().unwrap(),
        expires: "2036-11-24T00:00:00Z".parse().unwrap(),
        scope: Scope::Lot(label("A2B347K")),
        grants: vec![Grant::Lot { date: day, lot, key }],
        consignees: Vec::new(),
    }
}

fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A PNG that claims its size, grey, and has no pixels.
fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut whole = encode(&DynamicImage::new_luma8(1, 1), ImageFormat::Png);
    let header: Vec<u8> = [&b"IHDR"[..], &width.to_be_bytes(), &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    let checksum = crc32(&header).to_be_bytes();
    whole[12..29].copy_from_slice(&header);
    whole[29..33].copy_from_slice(&checksum);
    whole
}

/// A PNG of one pixel with a colour profile of `bytes` zeros, compressed to a two-hundredth.
fn png_with_swelling_profile(bytes: usize) -> Vec<u8> {
    // DEFLATE (RFC 1951, section 3.2.6) with its fixed codes, lowest bit first: a last block, one 0, and then again and
    // again 258 bytes (length code 285, 11000101) from one byte back (distance code 0, 00000).
    let mut bits = vec![true, true, false, false, false, true, true, false, false, false, false];
    for _ in 0..bytes / 258 {
        bits.extend([true, true, false, false, false, true, false, true, false, false, false, false, false]);
    }
    let packed = bits.chunks(8).map(|b| b.iter().enumerate().fold(0, |byte, (n, bit)| byte | u8::from(*bit) << n));
    let chunk: Vec<u8> = b"iCCPx\0\0\x78\x01".iter().copied().chain(packed).collect();
    let mut whole = encode(&DynamicImage::new_luma8(1, 1), ImageFormat::Png);
    let length = (chunk.len() as u32 - 4).to_be_bytes();
    let checksum = crc32(&chunk).to_be_bytes();
    whole.splice(33..33, [&length[..], &chunk, &checksum].concat());
    whole
}

/// CRC-32 of ISO 3309, as PNG has it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

fn bmp_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encode(&DynamicImage::new_rgb8(1, 1), ImageFormat::Bmp);
    bytes[18..22].copy_from_slice(&width.to_le_bytes());
    bytes[22..26].copy_from_slice(&height.to_le_bytes());
    bytes
}

#[test]
fn every_format_and_pixel_kind_gives_the_same_photo() {
    let grey = image::load_from_memory(&std::fs::read(root().join("tests/photos/chip-1.jpg")).unwrap()).unwrap();
    let grey = DynamicImage::ImageLuma8(grey.into_luma8());
    let expected = grey.to_luma8().into_raw();
    let kinds = [
        grey.clone(),
        DynamicImage::ImageRgb8(grey.to_rgb8()),
        DynamicImage::ImageRgba8(grey.to_rgba8()),
        DynamicImage::ImageLuma16(grey.to_luma16()),
        DynamicImage::ImageRgb16(grey.to_rgb16()),
        DynamicImage::ImageLumaA8(grey.to_luma_alpha8()),
    ];
    for kind in &kinds {
        for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif] {
            let mut bytes = Cursor::new(Vec::new());
            // Not every format has every kind of pixel.
            if kind.write_to(&mut bytes, format).is_err() {
                continue;
            }
            let (luma, damage) = decode_luma(bytes.get_ref(), &Limits::default()).unwrap();
            assert_eq!(damage, None);
            let furthest = luma.data.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max();
            // GIF has 256 colours at most, and picks them itself.
            let tolerance = if format == ImageFormat::Gif { 40 } else { 1 };
            assert!(furthest <= Some(tolerance), "{:?} as {format:?}: {furthest:?}", kind.color());
        }
    }
}

#[test]
fn exif_orientation_is_undone() {
    // Brighter to the right and much brighter downwards: each of the eight ways to hold a camera looks different.
    let scene = RgbImage::from_fn(48, 32, |x, y| image::Rgb([(2 * x + 4 * y) as u8; 3]));
    let upright = DynamicImage::ImageRgb8(scene);
    for orientation in 1..=8u8 {
        // What the sensor saw is the scene before the viewer's turn.
        let stored = match orientation {
            1 => upright.clone(),
            2 => upright.fliph(),
            3 => upright.rotate180(),
            4 => upright.flipv(),
            5 => upright.rotate90().fliph(),
            6 => upright.rotate270(),
            7 => upright.rotate270().fliph(),
            _ => upright.rotate90(),
        };
        let photo = with_orientation(&encode(&stored, ImageFormat::Jpeg), orientation);
        let (luma, _) = decode_luma(&photo, &Limits::default()).unwrap();
        assert_eq!((luma.width, luma.height), (48, 32), "orientation {orientation}");
        for (x, y) in [(2, 2), (45, 2), (2, 29), (45, 29)] {
            let (seen, is) = (luma.data[y * 48 + x], (2 * x + 4 * y) as u8);
            assert!(seen.abs_diff(is) < 8, "orientation {orientation} at {x}, {y}: {seen} for {is}");
        }
    }
}

/// The JPEG with an EXIF segment that holds nothing but its orientation (CIPA DC-008, tag 0x0112).
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let tiff = [&b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation], &[0; 6]].concat();
    let length = (tiff.len() as u16 + 2).to_be_bytes();
    [&jpeg[..2], b"\xFF\xE1", &length, &tiff, &jpeg[2..]].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Bytes changed and cut anywhere give a picture or an error: no panic comes out of `examine`, and none is printed.
    #[test]
    fn damaged_photos_are_no_danger(
        format in prop::sample::select(vec![ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP,
            ImageFormat::Bmp, ImageFormat::Gif]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<Option<prop::sample::Index>>(),
    ) {
        let picture = image::load_from_memory(include_bytes!("../photos/chip-1.jpg")).unwrap().thumbnail(120, 120);
        let mut bytes = encode(&picture, format);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("photo");
        std::fs::write(&path, &bytes).unwrap();
        let limits = Limits { pixels: 4_000_000, ..Limits::default() };
        if let Ok(photo) = touchmark_verifier::photo::load(&path, &limits) {
            prop_assert!(photo.luma.data.len() == photo.width() * photo.height() && photo.luma.data.len() <= 4_000_000);
        }
    }
}

/// A photo that claims much costs little: the whole program stays within 600 MiB where Linux can hold it to that.
#[test]
#[cfg(target_os = "linux")]
fn lying_headers_take_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let program = testkit::console::binaries().join("touchmark-verify");
        let line = format!("ulimit -v 600000; exec {} scan {}", quoted(&program), quoted(&path));
        let output = std::process::Command::new("sh").args(["-c", &line]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (name, bytes) in [
        ("claims.png", png_header(10_900, 10_900)),
        ("claims-more.png", png_header(4_000_000_000, 4_000_000_000)),
        ("claims.bmp", bmp_header(10_900, 10_900)),
    ] {
        let (status, said) = run(name, &bytes);
        assert_eq!(status, Some(3), "{name}: {said}");
        assert!(said.starts_with("error: cannot read "), "{name}: {said}");
    }
    // Its one pixel is there to be read; the profile, a gigabyte of zeros, is not unpacked.
    assert_eq!(run("swells.png", &png_with_swelling_profile(1 << 30)), (Some(3), String::new()));
}

#[cfg(target_os = "linux")]
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display())
}

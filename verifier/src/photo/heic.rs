//! HEIC, the format in which many telephones keep photos: HEVC pictures in a HEIF container (ISO/IEC 23008-12). It is always
//! recognised, and read where the program was built with the feature `heic`, by the system's libheif.

#[cfg(feature = "heic")]
mod decode;
#[cfg(feature = "heic")]
mod sps;

#[cfg(feature = "heic")]
pub(super) use decode::{cost, decode};

/// Bytes of a file's beginning that tell whether it is HEIC: its file type box with a dozen brands.
pub(crate) const FIRST_BYTES: u64 = 64;

/// Brands of files with HEVC pictures (ISO/IEC 23008-12, B.4).
const HEVC: [&[u8; 4]; 6] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"];
/// Brands of HEIF files whatever is in them, which HEVC is unless they are AVIF (ISO/IEC 23008-12, 10.2).
const ANY: [&[u8; 4]; 2] = [b"mif1", b"msf1"];
const AVIF: [&[u8; 4]; 2] = [b"avif", b"avis"];

/// Whether the file that begins with `bytes` is HEIC, by its file type box (ISO/IEC 14496-12, 4.3).
pub(crate) fn is_heic(bytes: &[u8]) -> bool {
    let Some((size, rest)) = bytes.split_first_chunk::<4>() else { return false };
    let Some(brands) = rest.strip_prefix(b"ftyp") else { return false };
    let brands = brands.get(..(u32::from_be_bytes(*size) as usize).saturating_sub(8)).unwrap_or(brands);
    // The second is no brand, but the version of the first.
    let brands = || brands.chunks_exact(4).enumerate().filter(|(n, _)| *n != 1).map(|(_, brand)| brand);
    let any = |of: &[&[u8; 4]]| brands().any(|brand| of.iter().any(|one| brand == one.as_slice()));
    any(&HEVC) || any(&ANY) && !any(&AVIF)
}

/// What stands in the place of the decoder where there is none.
#[cfg(not(feature = "heic"))]
mod absent {
    use crate::photo::{Limits, PhotoErrorKind};
    use image::DynamicImage;

    pub(in crate::photo) fn decode(_: &[u8], _: &Limits) -> Result<DynamicImage, PhotoErrorKind> {
        Err(PhotoErrorKind::WithoutHeic)
    }

    pub(in crate::photo) fn cost(_: &[u8]) -> Result<u64, PhotoErrorKind> {
        Ok(0)
    }
}
#[cfg(not(feature = "heic"))]
pub(super) use absent::{cost, decode};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::photo::{Limits, PhotoFile};
    use std::path::Path;

    const PHONE: &[u8] = include_bytes!("../../tests/phone.heic");

    fn brands(brands: &str) -> Vec<u8> {
        [&(brands.len() as u32 + 8).to_be_bytes(), b"ftyp".as_slice(), brands.as_bytes(), b"mif1heic"].concat()
    }

    #[test]
    fn heic_is_known_by_its_brands() {
        assert!(is_heic(PHONE) && is_heic(&PHONE[..FIRST_BYTES as usize]));
        for own in
            ["heic\0\0\0\0mif1heic", "heix\0\0\0\0", "mif1\0\0\0\0mif1heic", "mif1\0\0\0\0", "miaf\0\0\0\0hevcmsf1"]
        {
            assert!(is_heic(&brands(own)), "{own}");
        }
        // What stands behind the box is none of it, and the version of a brand is no brand.
        for other in ["avif\0\0\0\0mif1miaf", "mif1\0\0\0\0avif", "isom\0\0\0\0mp42", "isomheic", "crx \0\0\0\0"] {
            assert!(!is_heic(&brands(other)), "{other}");
        }
        (0..12).for_each(|cut| assert!(!is_heic(&PHONE[..cut]), "{cut}"));
        assert!(!is_heic(b"\0\0\0\x01ftypheic"));
    }

    #[test]
    #[cfg(not(feature = "heic"))]
    fn without_the_feature_the_file_is_named_and_the_way_out() {
        let file = PhotoFile::of(Path::new("seized/IMG_1.HEIC"), PHONE.to_vec(), &Limits::default()).unwrap();
        assert_eq!(
            file.decode(&Limits::default()).unwrap_err().to_string(),
            "cannot read seized/IMG_1.HEIC: this program was built without HEIC; convert it to JPEG, or build it with --features heic"
        );
        assert_eq!(file.cost(&Limits::default()), 0);
    }

    #[test]
    #[cfg(feature = "heic")]
    fn what_is_claimed_is_held_to_the_limits() {
        use crate::photo::PhotoErrorKind as Kind;
        let decoded = |bytes: &[u8], pixels: u64| {
            let limits = Limits { pixels, ..Limits::default() };
            let file = PhotoFile::of(Path::new("a.heic"), bytes.to_vec(), &limits).unwrap();
            assert!(file.cost(&limits) > 0);
            file.decode(&limits).map_err(|e| e.kind)
        };
        let photo = decoded(PHONE, 900 * 674).unwrap();
        // Upright by the container's own turn; the camera's note of it (Exif) is not heeded a second time.
        assert_eq!((photo.width(), photo.height()), (900, 674));
        assert!(matches!(decoded(PHONE, 900 * 674 - 1), Err(Kind::TooManyPixels { .. })));
        for cut in [20, 200, 600, 3000, PHONE.len() - 1000] {
            assert!(matches!(decoded(&PHONE[..cut], 1 << 20), Err(Kind::Damaged(_))), "{cut}");
        }
        // A container that says little, around pictures that say much.
        let small = [0, 0, 0, 16, 0, 0, 0, 16];
        let mut lying = PHONE.to_vec();
        let at = lying.windows(4).position(|w| w == b"ispe").unwrap() + 8;
        lying[at..at + 8].copy_from_slice(&small);
        assert!(matches!(decoded(&lying, 1000), Err(Kind::TooManyPixels { .. })));
    }
}

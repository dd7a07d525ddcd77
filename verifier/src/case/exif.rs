//! What a camera wrote into a photo: when, where, and which it was (Exif 2.32, CIPA DC-008).

use super::record::PhotoFacts;
use crate::guard::guarded;
use crate::photo::heic;
use exif::{DateTime, Exif, In, Rational, Tag, Value};
use image::ImageFormat;
use std::io::Cursor;

/// The largest TIFF file whose fields are read, in bytes: its reader copies the file.
const MAX_TIFF: usize = 32 << 20;
/// The longest text that is taken over, in characters.
const MAX_TEXT: usize = 100;

/// Puts what the photo in `bytes` says of itself into `facts`. What is damaged is left out: these are no proofs, and a photo
/// without them is as good.
pub(super) fn read(bytes: &[u8], facts: &mut PhotoFacts) {
    let Some(exif) = guarded(|| fields(bytes)).flatten() else { return };
    facts.taken = taken(&exif);
    if let (Some(latitude), Some(longitude)) = (
        degrees(&exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, b'S', 90.0),
        degrees(&exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, b'W', 180.0),
    ) {
        (facts.latitude, facts.longitude) = (Some(latitude), Some(longitude));
    }
    facts.camera = camera(&exif);
}

fn fields(bytes: &[u8]) -> Option<Exif> {
    let reader = exif::Reader::new();
    if heic::is_heic(bytes) {
        return reader.read_from_container(&mut Cursor::new(bytes)).ok();
    }
    match image::guess_format(bytes).ok()? {
        ImageFormat::Jpeg => reader.read_raw(exif::get_exif_attr_from_jpeg(&mut Cursor::new(bytes)).ok()?).ok(),
        ImageFormat::Tiff if bytes.len() > MAX_TIFF => None,
        ImageFormat::Tiff | ImageFormat::Png | ImageFormat::WebP => {
            reader.read_from_container(&mut Cursor::new(bytes)).ok()
        }
        _ => None,
    }
}

fn ascii(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Ascii(texts) => texts.first().map(Vec::as_slice),
        _ => None,
    }
}

/// `2026-11-23T10:05:00`, with `+02:00` behind it where the camera says.
fn taken(exif: &Exif) -> Option<String> {
    let (text, offset) = match ascii(exif, Tag::DateTimeOriginal) {
        Some(text) => (text, ascii(exif, Tag::OffsetTimeOriginal)),
        None => (ascii(exif, Tag::DateTimeDigitized)?, ascii(exif, Tag::OffsetTimeDigitized)),
    };
    let mut time = DateTime::from_ascii(text).ok()?;
    let DateTime { year, month, day, hour, minute, second, .. } = time;
    let signed = |n: u8| i8::try_from(n).ok();
    // Some cameras write zeros for an unset clock: no day is day 0.
    let date = jiff::civil::Date::new(i16::try_from(year).ok()?, signed(month)?, signed(day)?).ok()?;
    let local = jiff::civil::Time::new(signed(hour)?, signed(minute)?, signed(second)?, 0).ok()?;
    time.offset = None;
    let offset = offset.and_then(|text| time.parse_offset(text).ok()).and(time.offset);
    let offset = offset.filter(|minutes| minutes.abs() <= 15 * 60).map_or_else(String::new, |minutes| {
        format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60)
    });
    Some(format!("{date}T{local}{offset}"))
}

/// Degrees, minutes and seconds as one number, negative on the side that `negative` names.
fn degrees(exif: &Exif, tag: Tag, side: Tag, negative: u8, most: f64) -> Option<f64> {
    let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let [degrees, minutes, seconds] = parts.as_slice() else { return None };
    let number = |r: &Rational| (r.denom != 0).then(|| r.to_f64());
    // A camera without seconds may write 0/0 for them.
    let sum = number(degrees)? + number(minutes)? / 60.0 + number(seconds).unwrap_or(0.0) / 3600.0;
    // Seven decimals are a centimetre.
    let sum = (sum * 1e7).round() / 1e7;
    let side = ascii(exif, side)?.first()?.to_ascii_uppercase();
    (sum.is_finite() && (0.0..=most).contains(&sum)).then_some(if side == negative { -sum } else { sum })
}

fn camera(exif: &Exif) -> Option<String> {
    let text = |tag| {
        let text = String::from_utf8_lossy(ascii(exif, tag)?);
        let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    match (text(Tag::Make), text(Tag::Model)) {
        // Many models begin with their make.
        (Some(make), Some(model)) if !model.starts_with(&make) => Some(format!("{make} {model}")),
        (make, model) => model.or(make),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exif::experimental::Writer;
    use exif::{Field, Value};

    fn field(tag: Tag, value: Value) -> Field {
        Field { tag, ifd_num: In::PRIMARY, value }
    }

    fn text(tag: Tag, text: &str) -> Field {
        field(tag, Value::Ascii(vec![text.as_bytes().to_vec()]))
    }

    fn place(tag: Tag, parts: [(u32, u32); 3]) -> Field {
        field(tag, Value::Rational(parts.iter().map(|&(num, denom)| Rational { num, denom }).collect()))
    }

    /// A JPEG file that says this, with no picture behind it.
    fn jpeg(fields: &[Field]) -> Vec<u8> {
        let (mut writer, mut tiff) = (Writer::new(), Cursor::new(Vec::new()));
        fields.iter().for_each(|field| writer.push_field(field));
        writer.write(&mut tiff, false).unwrap();
        let attribute = [b"Exif\0\0".to_vec(), tiff.into_inner()].concat();
        let length = u16::try_from(attribute.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, 0xD8, 0xFF, 0xE1], length.as_slice(), &attribute, &[0xFF, 0xDA, 0, 2, 0xFF, 0xD9]].concat()
    }

    fn facts(bytes: &[u8]) -> PhotoFacts {
        let mut facts = PhotoFacts::default();
        read(bytes, &mut facts);
        facts
    }

    #[test]
    fn time_place_and_camera_are_read() {
        let bytes = jpeg(&[
            text(Tag::DateTimeOriginal, "2026:11:23 10:05:09"),
            text(Tag::OffsetTimeOriginal, "-03:30"),
            place(Tag::GPSLatitude, [(33, 1), (51, 1), (3600, 100)]),
            text(Tag::GPSLatitudeRef, "S"),
            place(Tag::GPSLongitude, [(36, 1), (30, 1), (0, 0)]),
            text(Tag::GPSLongitudeRef, "E"),
            text(Tag::Make, "Acme "),
            text(Tag::Model, "Acme\u{7} One"),
        ]);
        let facts = facts(&bytes);
        assert_eq!(facts.taken.as_deref(), Some("2026-11-23T10:05:09-03:30"));
        assert_eq!((facts.latitude, facts.longitude), (Some(-33.86), Some(36.5)));
        assert_eq!(facts.camera.as_deref(), Some("Acme One"));
    }

    #[test]
    fn heic_says_as_much_as_jpeg() {
        let facts = facts(include_bytes!("../../tests/phone.heic"));
        assert_eq!(facts.taken.as_deref(), Some("2026-11-20T10:05:00+02:00"));
        assert_eq!((facts.latitude, facts.longitude), (Some(50.45), Some(30.52)));
        assert_eq!(facts.camera.as_deref(), Some("Acme Phone 1"));
    }

    #[test]
    fn nonsense_is_left_out() {
        let bytes = jpeg(&[
            text(Tag::DateTimeOriginal, "0000:00:00 00:00:00"),
            place(Tag::GPSLatitude, [(91, 1), (0, 1), (0, 1)]),
            text(Tag::GPSLatitudeRef, "N"),
            place(Tag::GPSLongitude, [(1, 0), (0, 1), (0, 1)]),
            text(Tag::GPSLongitudeRef, "E"),
            text(Tag::Make, " "),
        ]);
        assert_eq!(facts(&bytes), PhotoFacts::default());
        assert_eq!(facts(b""), PhotoFacts::default());
        for cut in 0..bytes.len() {
            facts(&bytes[..cut]);
        }
    }
}

//! Zebra Programming Language II: each mark as a label of its size with one graphic field (`^GFA`), so that polarity,
//! dots and quiet zone are what the other formats show and do not depend on the printer's own symbols.

use super::RenderError;
use super::layout::Page;
use super::options::Artwork;
use super::raster::Raster;

pub(crate) fn write(artworks: &[Artwork], dpi: f64) -> Result<Vec<u8>, RenderError> {
    let mut out = String::new();
    for artwork in artworks {
        push_label(&mut out, &Raster::new(&Page::single(artwork), dpi)?);
    }
    Ok(out.into_bytes())
}

fn push_label(out: &mut String, raster: &Raster) {
    let (width, height) = (raster.width, raster.height);
    let row_bytes = width.div_ceil(8);
    let total = row_bytes * height;
    out.push_str(&format!("^XA\n^PW{width}\n^LL{height}\n^LH0,0\n^FO0,0^GFA,{total},{total},{row_bytes},"));
    let mut previous = None;
    for row in raster.packed_rows(true) {
        match previous.as_ref() == Some(&row) {
            // The row before once more.
            true => out.push(':'),
            false => push_row(out, &row),
        }
        previous = Some(row);
    }
    out.push_str("^FS\n^XZ\n");
}

/// A row as hexadecimal digits with repetition counts; `,` and `!` fill the rest of a row with 0 and 1.
fn push_row(out: &mut String, row: &[u8]) {
    let digits: Vec<u8> = row.iter().flat_map(|byte| [byte >> 4, byte & 15]).collect();
    let mut rest = digits.as_slice();
    while let Some(&digit) = rest.first() {
        let count = rest.iter().take_while(|next| **next == digit).count();
        rest = rest.get(count..).unwrap_or_default();
        match (digit, rest.is_empty()) {
            (0, true) => out.push(','),
            (15, true) => out.push('!'),
            _ => push_repeated(out, digit, count),
        }
    }
}

/// Counts are written in letters: G to Y for 1 to 19, g to z for 20 to 400 in steps of 20; they add up.
fn push_repeated(out: &mut String, digit: u8, mut count: usize) {
    while count > 1 {
        let part = count.min(419);
        push_count(out, b'f', part / 20);
        push_count(out, b'F', part % 20);
        push_digit(out, digit);
        count -= part;
    }
    if count == 1 {
        push_digit(out, digit);
    }
}

/// The letter so many places after `zero`; nothing for 0.
fn push_count(out: &mut String, zero: u8, count: usize) {
    if count > 0 {
        out.push(char::from(zero.saturating_add(count as u8)));
    }
}

fn push_digit(out: &mut String, digit: u8) {
    out.extend(char::from_digit(u32::from(digit), 16).map(|digit| digit.to_ascii_uppercase()));
}

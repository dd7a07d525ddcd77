//! Clean photos of many pixels: what reading costs when nothing is hard.

use super::readers::{Reader, Reading};
use crate::maker::TestMaker;
use crate::simulate::{Scene, jpeg, simulate};
use std::fmt::Write;
use std::path::Path;
use touchmark_formats::symbol::{EcLevel, Request, Shape, encode};

/// What the table of [`table`] shows.
pub const INTRODUCTION: &str = "`cargo bench-photos OPTIONS`: from file to content, median of seven in turns, beside
zxing-cpp's Python wheel with `try_rotate`, `try_downscale` and `try_invert` (`try_harder` is always on in it), for the same
files. \"No symbol\" is what a photo costs in which there is nothing to be found: the default effort looks at it in every way
that it knows.
";

/// Times each photo is shown; the median counts.
const ROUNDS: usize = 7;
const MEGAPIXELS: [f32; 3] = [3.0, 12.0, 48.0];

/// Makes clean photos of a QR Code, of a Data Matrix and of neither in `folder`, shows them to the readers in turn, and
/// gives the table of median milliseconds from file to content.
///
/// # Errors
/// The folder cannot be written.
pub fn table(folder: &Path, readers: &mut [Reader]) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let maker = TestMaker::new(1);
    let bytes = maker.sign(maker.usual_mark()).to_bytes();
    let symbol = |request: &Request| encode(&bytes, request).unwrap_or_else(|e| panic!("{e}")).matrix;
    let qr = symbol(&Request::Qr { ec: EcLevel::M, min_version: 1 });
    let datamatrix = symbol(&Request::DataMatrix { shape: Shape::Square });
    let blank = touchmark_formats::symbol::Matrix::new(40, 40, vec![false; 1600]).unwrap_or_else(|| datamatrix.clone());
    let mut out = String::from("| clean photo | ");
    readers.iter().for_each(|reader| {
        let _ = write!(out, "{} ms (per megapixel) | ", reader.name());
    });
    out += "\n| --- |";
    out += &" --: |".repeat(readers.len());
    out.push('\n');
    for (name, matrix) in [("QR Code", &qr), ("Data Matrix", &datamatrix), ("no symbol", &blank)] {
        for megapixels in MEGAPIXELS {
            let path = folder.join(format!("{}-{megapixels}.jpg", name.replace(' ', "-")));
            let photo = simulate(matrix, &Scene::clean_megapixels(megapixels, matrix), 4);
            std::fs::write(&path, jpeg(&photo, 90))?;
            let _ = write!(out, "| {name}, {megapixels} megapixels |");
            let mut times = vec![Vec::new(); readers.len()];
            for _ in 0..ROUNDS {
                for (reader, times) in readers.iter_mut().zip(&mut times) {
                    let Reading { load_ms, read_ms, contents } = reader.read(&path, None);
                    let right = contents.len() == usize::from(name != "no symbol");
                    times.push(if right { load_ms + read_ms } else { f64::INFINITY });
                }
            }
            for mut times in times {
                times.sort_by(f64::total_cmp);
                let median = times[ROUNDS / 2];
                let _ = match median.is_finite() {
                    true => write!(out, " {median:.0} ({:.1}) |", median / f64::from(megapixels)),
                    false => write!(out, " not read |"),
                };
            }
            out.push('\n');
        }
    }
    Ok(out)
}

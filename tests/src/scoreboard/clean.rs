//! Clean photos of many pixels: what reading costs when nothing is hard.

use super::readers::Reader;
use super::truth::{Expected, Photo};
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

/// Makes clean photos of so many megapixels of a QR Code, of a Data Matrix and of neither in `folder`, shows them to the
/// readers in turn, and gives the table of median milliseconds from file to content.
///
/// # Errors
/// The folder cannot be written.
pub fn table(folder: &Path, megapixels: &[f32], readers: &mut [Box<dyn Reader + '_>]) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let maker = TestMaker::new(1);
    let bytes = maker.sign(maker.usual_mark()).to_bytes();
    let symbol = |request: &Request| encode(&bytes, request).unwrap_or_else(|e| panic!("{e}")).matrix;
    let qr = symbol(&Request::Qr { ec: EcLevel::M, min_version: 1 });
    let datamatrix = symbol(&Request::DataMatrix { shape: Shape::Square });
    let blank = touchmark_formats::symbol::Matrix::new(40, 40, vec![false; 1600]).unwrap_or_else(|| datamatrix.clone());
    let mut out = String::from("| clean photo | ");
    let columns: Vec<String> = readers.iter().flat_map(|reader| reader.columns()).collect();
    columns.iter().for_each(|column| {
        let _ = write!(out, "{column}: ms (per megapixel) | ");
    });
    out += "\n| --- |";
    out += &" --: |".repeat(columns.len());
    out.push('\n');
    for (name, symbology, matrix) in
        [("QR Code", "QRCode", &qr), ("Data Matrix", "DataMatrix", &datamatrix), ("no symbol", "none", &blank)]
    {
        let content =
            (symbology != "none").then(|| Expected { symbology: symbology.into(), content: Some(bytes.clone()) });
        let shown = Photo { symbols: content.into_iter().collect(), ..Photo::default() };
        for &megapixels in megapixels {
            let path = folder.join(format!("{}-{megapixels}.jpg", name.replace(' ', "-")));
            let photo = simulate(matrix, &Scene::clean_megapixels(megapixels, matrix), 4);
            std::fs::write(&path, jpeg(&photo, 90))?;
            let _ = write!(out, "| {name}, {megapixels} megapixels |");
            let mut times = vec![Vec::new(); columns.len()];
            for _ in 0..ROUNDS {
                let readings = readers.iter_mut().flat_map(|reader| reader.read(&path, &shown));
                for (reading, times) in readings.zip(&mut times) {
                    times.extend(reading.map(|reading| {
                        let right = reading.contents.len() == shown.symbols.len();
                        if right { reading.load_ms + reading.read_ms } else { f64::INFINITY }
                    }));
                }
            }
            for mut times in times {
                times.sort_by(f64::total_cmp);
                let _ = match times.get(times.len() / 2) {
                    Some(median) if median.is_finite() => {
                        write!(out, " {median:.0} ({:.1}) |", median / f64::from(megapixels))
                    }
                    Some(_) => write!(out, " not read |"),
                    None => write!(out, " - |"),
                };
            }
            out.push('\n');
        }
    }
    Ok(out)
}

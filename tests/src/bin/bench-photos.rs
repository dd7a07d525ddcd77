//! `cargo bench-photos`: how many symbols of real and rendered photos are read, and how fast.
//!
//! The photos are not part of the project: their folder is `TOUCHMARK_PHOTOS`, by default `../shared/photos`. Each set
//! is a folder with pictures and a `truth.csv`.

#![allow(clippy::panic, clippy::print_stdout, clippy::print_stderr)] // A bench prints, and stops where its premise fails.

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::{Parser, ValueEnum};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use touchmark_verifier::photo::{Limits, load};
use touchmark_verifier::read::{Luma, Options, read};

/// Reads photos with known content and counts.
#[derive(Parser)]
struct Args {
    /// Only the sets whose name begins with this
    #[arg(long, default_value = "")]
    set: String,
    /// Only pictures whose first symbol is of this kind: QRCode, DataMatrix, MicroQRCode, none
    #[arg(long)]
    symbology: Option<String>,
    /// The reader
    #[arg(long, default_value = "touchmark")]
    reader: Reader,
    /// Print the files of which something was missed or misread
    #[arg(long)]
    list: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reader {
    /// Ours
    Touchmark,
    /// rqrr alone, on the photo as it is: the baseline
    Rqrr,
}

/// What a set's truth says of one picture.
#[derive(Default)]
struct Truth {
    /// Symbology and content of each symbol; no content where it is not known.
    symbols: Vec<(String, Option<Vec<u8>>)>,
}

/// The counts of one set, for one symbology.
#[derive(Default)]
struct Score {
    images: usize,
    /// Images of which at least one expected symbol was read.
    images_read: usize,
    symbols: usize,
    symbols_read: usize,
    misread: usize,
    times: Vec<Duration>,
}

fn main() {
    let args = Args::parse();
    let folder = std::env::var_os("TOUCHMARK_PHOTOS")
        .map_or_else(|| testkit::console::root().join("../shared/photos"), PathBuf::from);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("no photos: {} is absent; name their folder in TOUCHMARK_PHOTOS", folder.display());
        return;
    };
    let mut sets: Vec<PathBuf> =
        entries.flatten().map(|e| e.path()).filter(|p| p.join("truth.csv").is_file()).collect();
    sets.sort();
    println!(
        "{:<26} {:<12} {:>6} {:>6} {:>8} {:>6} {:>8} {:>10}",
        "set", "symbology", "images", "read", "symbols", "read", "misread", "median ms"
    );
    let mut totals: BTreeMap<&str, Score> = BTreeMap::new();
    for set in sets {
        let name = set.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with(&args.set) {
            continue;
        }
        for (symbology, score) in bench_set(&set, &args) {
            println!("{name:<26} {symbology:<12} {score}");
            let total = match (name.as_str(), symbology.as_str()) {
                ("rig", "QRCode") => "total rendered chips, QR",
                ("rig", _) => "total rendered chips, DM",
                (_, "QRCode") => "total real photos, QR",
                (_, "DataMatrix") => "total real photos, DM",
                (_, "none") => "total without a symbol",
                _ => "total other symbologies",
            };
            totals.entry(total).or_default().add(score);
        }
    }
    for (name, score) in totals {
        println!("{name:<39} {score}");
    }
}

impl Score {
    fn add(&mut self, other: Self) {
        self.images += other.images;
        self.images_read += other.images_read;
        self.symbols += other.symbols;
        self.symbols_read += other.symbols_read;
        self.misread += other.misread;
        self.times.extend(other.times);
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut times = self.times.clone();
        times.sort();
        let median = times.get(times.len() / 2).map_or(0.0, |t| t.as_secs_f64() * 1000.0);
        let Self { images, images_read, symbols, symbols_read, misread, .. } = self;
        write!(f, "{images:>6} {images_read:>6} {symbols:>8} {symbols_read:>6} {misread:>8} {median:>10.1}")
    }
}

/// The scores of one set by the symbology of each picture's first symbol.
fn bench_set(set: &Path, args: &Args) -> BTreeMap<String, Score> {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    for (file, truth) in truth_of(set) {
        let symbology = truth.symbols.first().map_or("none", |(s, _)| s.as_str());
        if args.symbology.as_ref().is_some_and(|wanted| wanted != symbology) {
            continue;
        }
        let start = Instant::now();
        let found = match load(&set.join(&file), &Limits::default()) {
            Ok(photo) => contents(&photo.luma, args.reader),
            Err(e) => {
                eprintln!("{e}");
                Vec::new()
            }
        };
        let took = start.elapsed();
        let mut left = found;
        let mut hits = 0;
        for (_, content) in &truth.symbols {
            let at = left.iter().position(|got| content.as_ref().is_none_or(|content| same(got, content)));
            if let Some(at) = at {
                left.swap_remove(at);
                hits += 1;
            }
        }
        let known = |got: &(Vec<u8>, Option<String>)| {
            truth.symbols.iter().any(|(_, c)| c.as_ref().is_none_or(|c| same(got, c)))
        };
        let misread = left.iter().filter(|got| !known(got)).count();
        let score = scores.entry(symbology.to_owned()).or_default();
        score.add(Score {
            images: 1,
            images_read: usize::from(hits > 0),
            symbols: truth.symbols.len(),
            symbols_read: hits,
            misread,
            times: vec![took],
        });
        if args.list && (hits < truth.symbols.len() || misread > 0) {
            println!("  {file}: {hits} of {} read, {misread} misread", truth.symbols.len());
            for (bytes, text) in left.iter().filter(|got| !known(got)) {
                println!("    misread: {text:?} {bytes:02x?}");
            }
        }
    }
    scores
}

/// Content as bytes and, where it is text, as text.
fn contents(luma: &Luma, reader: Reader) -> Vec<(Vec<u8>, Option<String>)> {
    match reader {
        Reader::Touchmark => {
            let symbols = read(luma, &Options::default());
            symbols.into_iter().filter_map(|s| s.decoded.ok()).map(|d| (d.bytes, d.text)).collect()
        }
        Reader::Rqrr => std::panic::catch_unwind(|| {
            let pixel = |x: usize, y: usize| luma.data[y * luma.width + x];
            let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(luma.width, luma.height, pixel);
            let grids = prepared.detect_grids();
            let mut out = Vec::new();
            for grid in grids {
                let mut bytes = Vec::new();
                if grid.decode_to(&mut bytes).is_ok() {
                    let text = String::from_utf8(bytes.clone()).ok();
                    out.push((bytes, text));
                }
            }
            out
        })
        .unwrap_or_default(),
    }
}

/// Content equals by its bytes or its text; the truth files of some sets end with a line break that the symbol has not.
fn same(got: &(Vec<u8>, Option<String>), expected: &[u8]) -> bool {
    let (bytes, text) = got;
    let trim = |b: &[u8]| b.strip_suffix(b"\n").map_or(b.to_vec(), |b| b.strip_suffix(b"\r").unwrap_or(b).to_vec());
    bytes == expected
        || trim(bytes) == trim(expected)
        || text.as_ref().is_some_and(|t| trim(t.as_bytes()) == trim(expected))
}

fn truth_of(set: &Path) -> BTreeMap<String, Truth> {
    let path = set.join("truth.csv");
    let mut reader = csv::Reader::from_path(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let headers = reader.headers().unwrap_or_else(|e| panic!("{}: {e}", path.display())).clone();
    let column = |name: &str| headers.iter().position(|h| h == name);
    let (symbology, encoding, text, payload) =
        (column("symbology"), column("encoding"), column("text"), column("payload"));
    let mut truths: BTreeMap<String, Truth> = BTreeMap::new();
    for row in reader.records() {
        let row = row.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let cell = |column: Option<usize>| column.and_then(|c| row.get(c)).unwrap_or_default();
        let truth = truths.entry(cell(Some(0)).to_owned()).or_default();
        let base64 = |text: &str| STANDARD.decode(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let content = match (payload, cell(encoding)) {
            (Some(_), _) => Some(base64(cell(payload))),
            (None, "utf-8") => Some(cell(text).as_bytes().to_vec()),
            (None, "base64") => Some(base64(cell(text))),
            (None, _) => None,
        };
        if cell(symbology) != "none" {
            truth.symbols.push((cell(symbology).to_owned(), content));
        }
    }
    truths
}

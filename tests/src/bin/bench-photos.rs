//! `cargo bench-photos`: how many symbols of real and rendered photos are read, and how fast, beside other readers.
//!
//! The photos are not part of the project: their folder is `TOUCHMARK_PHOTOS`, by default `../shared/photos`. Each set
//! is a folder with pictures and a `truth.csv`.

#![allow(clippy::panic, clippy::print_stdout, clippy::print_stderr)] // A bench prints, and stops where its premise fails.

use clap::Parser;
use std::path::PathBuf;
use testkit::console::root;
use testkit::page::put_section;
use testkit::scoreboard::page::{Key, by_axis, by_kind, by_level, by_set, mean_times, table};
use testkit::scoreboard::readers::Reader;
use testkit::scoreboard::{Result, clean, run, truth};
use touchmark_verifier::read::{Effort, Options};

/// Reads photos with known content and counts.
#[derive(Parser)]
struct Args {
    /// Only the sets whose name begins with this
    #[arg(long, default_value = "")]
    set: String,
    /// Only pictures whose first symbol is of this kind: QRCode, DataMatrix, MicroQRCode, none
    #[arg(long)]
    symbology: Option<String>,
    /// Other readers, shown the same photos in turn: rqrr, and after tests/peers/setup zxing-cpp, opencv, zbar, libdmtx
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Instead: clean photos of 3, 12 and 48 megapixels, made in target/clean-photos, from file to content
    #[arg(long)]
    clean: bool,
    /// How long we look: quick, normal, forensic; several are shown side by side
    #[arg(long, value_delimiter = ',', default_value = "normal")]
    effort: Vec<Effort>,
    /// Tell our reader where the symbol is, where the truth says it
    #[arg(long)]
    pointed: bool,
    /// Also write the scores to this file, as Markdown; those of clean photos under their heading in it
    #[arg(long)]
    page: Option<PathBuf>,
    /// Print the photos of which we missed or misread something
    #[arg(long)]
    list: bool,
    /// Print this many photos that cost us the most beside the first peer, of those that it reads
    #[arg(long, default_value_t = 0)]
    slow: usize,
}

fn main() {
    let args = Args::parse();
    let mut readers: Vec<Reader> = Vec::new();
    readers
        .extend(args.effort.iter().map(|effort| Reader::Touchmark(Options { effort: *effort, ..Options::default() })));
    readers.extend(args.peers.iter().map(|name| if name == "rqrr" { Reader::Rqrr } else { Reader::peer(name) }));
    if args.clean {
        let folder = root().join("target/clean-photos");
        let table = clean::table(&folder, &mut readers).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let body = format!("{}\n{table}", clean::INTRODUCTION.replace("OPTIONS", &typed()));
        println!("{body}");
        if let Some(page) = &args.page {
            put_section(page, "Clean photos", &body).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        }
        return;
    }
    let folder = std::env::var_os("TOUCHMARK_PHOTOS").map_or_else(|| root().join("../shared/photos"), PathBuf::from);
    let Some(mut sets) = truth::sets(&folder, &args.set) else {
        println!("no photos: {} is absent; name their folder in TOUCHMARK_PHOTOS", folder.display());
        return;
    };
    for set in &mut sets {
        set.photos.retain(|photo| args.symbology.as_ref().is_none_or(|wanted| wanted == photo.symbology()));
    }
    let names: Vec<String> = readers.iter().map(|reader| reader.name().to_owned()).collect();
    let count: usize = sets.iter().map(|set| set.photos.len()).sum();
    let mut done = 0;
    let results = run(&folder, sets, &mut readers, args.pointed, |result| {
        done += 1;
        if done % 20 == 0 {
            eprint!("\r{done} of {count} photos");
        }
        if args.list {
            list(result);
        }
    });
    eprintln!();
    slow(&results, args.slow);
    let page = scoreboard(&results, &names);
    print!("{page}");
    if let Some(path) = &args.page {
        std::fs::write(path, page).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
}

/// What the bench was asked for.
fn typed() -> String {
    std::env::args().skip(1).collect::<Vec<_>>().join(" ")
}

fn scoreboard(results: &[Result], names: &[String]) -> String {
    let mut page = format!("# What is read, beside other readers\n\nWritten by `cargo bench-photos {}`\n", typed());
    page += INTRODUCTION;
    for (title, key) in
        [("In all", by_kind as Key), ("By set", by_set), ("By kind of wear", by_axis), ("By level of wear", by_level)]
    {
        let table = table(results, names, key);
        if !table.is_empty() {
            page += &format!("\n## {title}\n\n{table}");
        }
    }
    page += "\n## Time\n\n";
    for (over, name) in names.iter().enumerate() {
        let means = mean_times(results, names.len(), over);
        let shown: Vec<String> = names.iter().zip(means).map(|(name, ms)| format!("{name} {ms:.1}")).collect();
        page += &format!("- Mean milliseconds of the photos that {name} reads: {}.\n", shown.join(", "));
    }
    page
}

const INTRODUCTION: &str = "over the photos of `TOUCHMARK_PHOTOS`; `tests/peers/setup` installs the others. All readers see the same photo in turn,
in one run on two shared cores. They are asked for QR Code and Data Matrix only, the picture being in memory; opencv and
zbar read no Data Matrix, libdmtx nothing else, with half a second a photo. Levels of wear run from 0 to 10.

Each cell: photos of which a symbol was read right / contents that are not in the photo / median milliseconds.
";

/// The photos that the first peer reads, those first on which we spend the most beside it.
fn slow(results: &[Result], most: usize) {
    let times = |result: &Result| match result.scores.as_slice() {
        [ours, peer, ..] if peer.images_read > 0 => Some((ours.median_ms(), peer.median_ms())),
        _ => None,
    };
    let mut rows: Vec<_> =
        results.iter().filter_map(|r| times(r).map(|(ours, peer)| (ours - peer, ours, peer, r))).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, ours, peer, result) in rows.iter().take(most) {
        println!("  {}/{}: {ours:.0} ms, peer {peer:.0} ms", result.set, result.photo.file);
    }
}

fn list(result: &Result) {
    let Some(ours) = result.scores.first() else { return };
    if ours.symbols_read < ours.symbols || ours.misread > 0 {
        let (set, file) = (&result.set, &result.photo.file);
        println!("  {set}/{file}: {} of {} read, {} misread", ours.symbols_read, ours.symbols, ours.misread);
    }
}

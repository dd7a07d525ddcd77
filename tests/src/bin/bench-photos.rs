//! `cargo bench-photos`: how many symbols of real and rendered photos are read, and how fast, beside other readers: for a
//! look at some of them. `cargo scoreboard` measures everything and writes the page.
//!
//! The photos are not part of the project: their folder is `TOUCHMARK_PHOTOS`, by default `../shared/photos`. Each set
//! is a folder with pictures and a `truth.csv`.

#![allow(clippy::panic, clippy::print_stdout, clippy::print_stderr)] // A bench prints, and stops where its premise fails.

use clap::Parser;
use std::path::PathBuf;
use testkit::console::root;
use testkit::ladder::{self, Plan};
use testkit::page::put_section;
use testkit::scoreboard::marks::Verifier;
use testkit::scoreboard::peers::Peer;
use testkit::scoreboard::readers::{Reader, Rqrr, Touchmark};
use testkit::scoreboard::records::Records;
use testkit::scoreboard::tables::{Key, by_kind, by_set, ladder as level_table, mean_times, reads, times};
use testkit::scoreboard::truth::{self, Set};
use testkit::scoreboard::{Result, clean, run};
use touchmark_formats::trust::Directory;
use touchmark_verifier::read::Effort;

/// Reads photos with known content and counts.
#[derive(Parser)]
struct Args {
    /// Only the sets whose name begins with this
    #[arg(long, default_value = "")]
    set: String,
    /// Only pictures whose first symbol is of this kind: QRCode, DataMatrix, MicroQRCode, none
    #[arg(long)]
    symbology: Option<String>,
    /// Only pictures whose name contains this
    #[arg(long, default_value = "")]
    file: String,
    /// Other readers, shown the same photos in turn: rqrr, and after tests/peers/setup zxing-cpp, opencv, zbar, libdmtx
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// Instead: clean photos of 3, 12 and 48 megapixels, made in target/clean-photos, from file to content
    #[arg(long)]
    clean: bool,
    /// Instead: the ladder of our own marks, rendered by the rig, whose folder is TOUCHMARK_RIG, into target/ladder; each
    /// mark takes one kind of wear in so many
    #[arg(long, value_name = "SPREAD")]
    ladder: Option<usize>,
    /// With --ladder: only these kinds of wear, as the rig names them
    #[arg(long, value_delimiter = ',', requires = "ladder")]
    wear: Vec<String>,
    /// How long we look: quick, normal, forensic; several are shown side by side
    #[arg(long, value_delimiter = ',', default_value = "normal")]
    effort: Vec<Effort>,
    /// Tell our reader where the symbol is, where the truth says it
    #[arg(long)]
    pointed: bool,
    /// With --clean: also write the scores under their heading in this file, as Markdown
    #[arg(long, requires = "clean")]
    page: Option<PathBuf>,
    /// Print the photos of which we missed or misread something
    #[arg(long)]
    list: bool,
    /// Print this many photos that cost us the most beside the first peer, of those that it reads
    #[arg(long, default_value_t = 0)]
    slow: usize,
}

fn main() {
    let mut args = Args::parse();
    args.effort.sort_unstable();
    let trust = ladder::trust();
    let directory = Directory::new(&trust);
    let ours: Box<dyn Reader> = match args.ladder {
        Some(_) => Box::new(Verifier { directory: &directory, efforts: args.effort.clone() }),
        None => Box::new(Touchmark { efforts: args.effort.clone(), pointed: args.pointed }),
    };
    let mut readers: Vec<Box<dyn Reader + '_>> = vec![ours];
    readers.extend(args.peers.iter().map(|name| -> Box<dyn Reader> {
        if name == "rqrr" { Box::new(Rqrr) } else { Box::new(Peer::new(name)) }
    }));
    if args.clean {
        let folder = root().join("target/clean-photos");
        let table = clean::table(&folder, &[3.0, 12.0, 48.0], &mut readers);
        let table = table.unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let typed: Vec<String> = std::env::args().skip(1).collect();
        let body = format!("{}\n{table}", clean::INTRODUCTION.replace("OPTIONS", &typed.join(" ")));
        println!("{body}");
        if let Some(page) = &args.page {
            put_section(page, "Clean photos", &body).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        }
        return;
    }
    let (folder, mut sets) = match args.ladder {
        Some(spread) => {
            let photos = ladder::ladder(&Plan { axes: args.wear.clone(), ..Plan::all(spread) })
                .unwrap_or_else(|e| panic!("{e}"));
            let folder = photos.parent().map(Into::into).unwrap_or_default();
            (folder, vec![Set::of(&photos, true)])
        }
        None => {
            let folder = truth::folder();
            let Some(sets) = truth::sets(&folder, &args.set) else {
                println!("no photos: {} is absent; name their folder in TOUCHMARK_PHOTOS", folder.display());
                return;
            };
            (folder, sets)
        }
    };
    for set in &mut sets {
        set.photos.retain(|photo| args.symbology.as_ref().is_none_or(|wanted| wanted == photo.symbology()));
        set.photos.retain(|photo| photo.file.contains(&args.file));
    }
    let count: usize = sets.iter().map(|set| set.photos.len()).sum();
    let columns: Vec<String> = readers.iter().flat_map(|reader| reader.columns()).collect();
    let mut done = 0;
    let results = run(&folder, sets, &mut readers, &mut Records::default(), |result| {
        done += 1;
        if done % 20 == 0 {
            eprint!("\r{done} of {count} photos");
        }
        if args.list {
            list(result, &columns);
        }
    });
    let results = results.unwrap_or_else(|e| panic!("{e}"));
    eprintln!();
    slow(&results, args.slow);
    show(&results, &columns);
}

fn show(results: &[Result], columns: &[String]) {
    for (title, key) in [("By set", by_set as Key), ("In all", by_kind)] {
        println!("\n{title}: photos read (misread)\n\n{}", reads(results, columns, key));
    }
    let numbered: Vec<(usize, &str)> = columns.iter().map(String::as_str).enumerate().collect();
    for symbology in ["QRCode", "DataMatrix"] {
        if results.iter().any(|r| r.photo.axis.is_some() && r.photo.symbology() == symbology) {
            println!("{symbology} by kind and level of wear\n\n{}", level_table(results, &numbered, symbology));
        }
    }
    println!("Mean / median / longest milliseconds\n\n{}", times(results, columns, by_kind));
    for (over, name) in columns.iter().enumerate() {
        let means = mean_times(results, columns.len(), over);
        let shown: Vec<String> = columns.iter().zip(means).map(|(name, ms)| format!("{name} {ms:.1}")).collect();
        println!("- Mean milliseconds of the photos that {name} reads: {}.", shown.join(", "));
    }
}

/// The photos that the first peer reads, those first on which we spend the most beside it.
fn slow(results: &[Result], most: usize) {
    let times = |result: &Result| match result.scores.as_slice() {
        [Some(ours), Some(peer), ..] if peer.read > 0 => Some((ours.ms, peer.ms)),
        _ => None,
    };
    let mut rows: Vec<_> =
        results.iter().filter_map(|r| times(r).map(|(ours, peer)| (ours - peer, ours, peer, r))).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, ours, peer, result) in rows.iter().take(most) {
        println!("  {}/{}: {ours:.0} ms, peer {peer:.0} ms", result.set, result.photo.file);
    }
}

fn list(result: &Result, columns: &[String]) {
    for (score, column) in result.scores.iter().zip(columns).filter(|(_, column)| column.starts_with("touchmark")) {
        let Some(score) = score else { continue };
        let (set, file, symbols) = (&result.set, &result.photo.file, result.photo.symbols.len());
        if score.read < symbols || score.misread > 0 {
            println!(
                "  {column}: {set}/{file}: {} of {symbols} read, {} misread, {:.0} ms",
                score.read, score.misread, score.ms
            );
        }
    }
}

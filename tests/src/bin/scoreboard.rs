//! `cargo scoreboard`: everything that is read, beside all other readers, in one run; writes docs/reading.md.
//!
//! Needs the photos (`TOUCHMARK_PHOTOS`), the rig (`TOUCHMARK_RIG`) and the other readers (`tests/peers/setup`). It takes
//! hours; what was measured is kept in target/scoreboard, and `--resume` goes on there, also for both halves at a time
//! (`--resume --only ladder` beside `--resume --only photos`).

#![allow(clippy::panic, clippy::print_stdout, clippy::print_stderr)] // A bench prints, and stops where its premise fails.

use clap::Parser;
use std::path::PathBuf;
use testkit::console::root;
use testkit::ladder::{self, Plan};
use testkit::scoreboard::marks::Verifier;
use testkit::scoreboard::page::Run;
use testkit::scoreboard::peers::{PEERS, Peer};
use testkit::scoreboard::readers::{Reader, Rqrr, Touchmark};
use testkit::scoreboard::records::Records;
use testkit::scoreboard::truth::{self, Set};
use testkit::scoreboard::{clean, run};
use touchmark_formats::trust::Directory;
use touchmark_verifier::read::Effort;

/// Measures everything and writes the page.
#[derive(Parser)]
struct Args {
    /// Keep what an earlier run has measured, and measure the rest
    #[arg(long)]
    resume: bool,
    /// Each of our own marks takes one kind of wear in so many; 0 for all
    #[arg(long, default_value_t = 6)]
    spread: usize,
    /// How long we look; what takes hours is forensic
    #[arg(long, value_delimiter = ',', default_value = "quick,normal,forensic")]
    effort: Vec<Effort>,
    /// Measure only these photos, for a run over the others beside it, and write no page; `--resume` makes one of both
    #[arg(long, value_enum, requires = "resume")]
    only: Option<Only>,
    /// The page
    #[arg(long, default_value = "docs/reading.md")]
    page: PathBuf,
}

/// Which photos are measured.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Only {
    /// Our own marks under wear
    Ladder,
    /// The photos of the folder
    Photos,
}

fn main() {
    let mut args = Args::parse();
    args.effort.sort_unstable();
    let plan = Plan::all(args.spread);
    let own_marks = ladder::ladder(&plan).unwrap_or_else(|e| panic!("{e}"));
    let folder = truth::folder();
    let Some(sets) = truth::sets(&folder, "") else {
        panic!("no photos: {} is absent; name their folder in TOUCHMARK_PHOTOS", folder.display());
    };
    let records = root().join("target/scoreboard/records.jsonl");
    let mut records = Records::open(&records, args.resume).unwrap_or_else(|e| panic!("{}: {e}", records.display()));

    let trust = ladder::trust();
    let directory = Directory::new(&trust);
    let slower: Vec<Effort> = args.effort.iter().copied().filter(|effort| *effort > Effort::Quick).collect();
    // Our own marks first: no photo takes longer than theirs that prove nothing, and what they show is what counts most.
    let mut readers: Vec<Box<dyn Reader + '_>> = vec![Box::new(Verifier { directory: &directory, efforts: slower })];
    readers.push(Box::new(Rqrr));
    readers.extend(PEERS.iter().map(|name| -> Box<dyn Reader> { Box::new(Peer::new(name)) }));
    let ladder_columns = names(&readers);
    let above = own_marks.parent().map(PathBuf::from).unwrap_or_default();
    let worn = if args.only == Some(Only::Photos) { Vec::new() } else { vec![Set::of(&own_marks, true)] };
    let ladder = measure(&above, worn, &mut readers, &mut records);

    readers[0] = Box::new(Touchmark { efforts: args.effort.clone(), pointed: false });
    let columns = names(&readers);
    let sets = if args.only == Some(Only::Ladder) { Vec::new() } else { sets };
    let photos = measure(&folder, sets, &mut readers, &mut records);
    if args.only.is_some() {
        return;
    }
    let clean = clean::table(&root().join("target/clean-photos"), &[12.0], &mut readers);
    let clean = clean.unwrap_or_else(|e| panic!("clean photos: {e}"));

    let typed: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--resume").collect();
    let command = format!("cargo scoreboard {}", typed.join(" "));
    let run = Run {
        photos: &photos,
        columns: &columns,
        ladder: &ladder,
        ladder_columns: &ladder_columns,
        plan: &plan.in_words(),
        clean: &clean,
        command: command.trim(),
    };
    let page = root().join(&args.page);
    std::fs::write(&page, run.page()).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
    println!("wrote {}", page.display());
}

fn names(readers: &[Box<dyn Reader + '_>]) -> Vec<String> {
    readers.iter().flat_map(|reader| reader.columns()).collect()
}

fn measure(
    folder: &std::path::Path,
    sets: Vec<Set>,
    readers: &mut [Box<dyn Reader + '_>],
    records: &mut Records,
) -> Vec<testkit::scoreboard::Result> {
    let count: usize = sets.iter().map(|set| set.photos.len()).sum();
    let mut done = 0;
    let results = run(folder, sets, readers, records, |_| {
        done += 1;
        eprint!("\r{done} of {count} photos");
    });
    eprintln!();
    results.unwrap_or_else(|e| panic!("{e}"))
}

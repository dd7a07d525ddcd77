//! The report of a large case in a browser: how long until it can be used, and until a filter has answered.
//!
//!     cargo bench-report [--parts N] [--keep FOLDER]
//!
//! A case is made, without its photos; `case::report` writes its report; Chromium opens it, without a window, and types into the
//! filter. Times are until everything is laid out. With --keep the case stays, with pictures of the screen and a PDF.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops where its premise fails"
)]

use clap::Parser;
use std::path::PathBuf;
use std::time::Instant;
use testkit::browser::Browser;
use testkit::case::write_case;
use touchmark_verifier::case::folder::Folder;
use touchmark_verifier::case::report::{Language, write};

#[derive(Parser)]
struct Args {
    /// Parts in the case
    #[arg(long, default_value_t = 10_000)]
    parts: u64,
    /// Where the case goes, and stays
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// How often each is measured
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Types a text into the filter, or chooses a value in a list, and gives the milliseconds until the answer is laid out and how many parts are left.
const FILTER: &str = "((id, value) => { const field = document.getElementById(id); field.value = value; const begun = performance.now(); \
    field.dispatchEvent(new Event('input', { bubbles: true })); document.body.offsetHeight; \
    return [performance.now() - begun, document.getElementById('shown').textContent]; })";

fn main() {
    let args = Args::parse();
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::at(&args.keep.clone().unwrap_or_else(|| temporary.path().join("case")));
    write_case(&folder, "Bench", args.parts);
    let begun = Instant::now();
    write(&folder, Language::En).unwrap();
    let size = std::fs::metadata(folder.report_html()).unwrap().len();
    println!("{} parts: written in {:.2} s, {:.1} MB", args.parts, begun.elapsed().as_secs_f64(), size as f64 / 1e6);
    let Some(mut browser) = Browser::start(1280, 900) else {
        println!("skipped: there is no Chromium here");
        return;
    };
    let mut loads: Vec<f64> = (0..args.rounds).map(|_| browser.open(&folder.report_html()).as_secs_f64()).collect();
    loads.sort_by(f64::total_cmp);
    println!(
        "ready to use after {:.2} s (median of {}; worst {:.2} s)",
        loads[loads.len() / 2],
        loads.len(),
        loads[loads.len() - 1]
    );
    println!("\n| filter | parts | ms, median | ms, worst |\n| --- | --: | --: | --: |");
    let filters = [
        ("text", "4"),
        ("text", "noordzee"),
        ("text", "exhibit-007 lm317"),
        ("text", "no such text"),
        ("text", ""),
        ("verdict", "forged"),
        ("verdict", ""),
        ("sort", "consignee"),
        ("sort", "serial"),
    ];
    for (id, value) in filters {
        let (mut times, mut shown) = (Vec::new(), String::new());
        for _ in 0..args.rounds {
            let answer = browser.evaluate(&format!("{FILTER}({id:?}, {value:?})"));
            times.push(answer[0].as_f64().unwrap());
            shown = answer[1].as_str().unwrap().to_owned();
        }
        times.sort_by(f64::total_cmp);
        println!("| {id} {value:?} | {shown} | {:.0} | {:.0} |", times[times.len() / 2], times[times.len() - 1]);
    }
    println!("\ncomplaints of the browser: {:?}", browser.complaints);
    if args.keep.is_some() {
        let save = |name: &str, bytes: Vec<u8>| std::fs::write(folder.root().join(name), bytes).unwrap();
        browser.open(&folder.report_html());
        save("desktop.png", browser.screenshot(false));
        save("desktop-all.png", browser.screenshot(true));
        save("report.pdf", browser.pdf());
        browser.resize(390, 844);
        browser.open(&folder.report_html());
        save("phone.png", browser.screenshot(false));
        save("phone-all.png", browser.screenshot(true));
    }
}

//! A destroyed mark found among many: the time from the reading to the serial, and how often the answer is right.
//!
//!     cargo bench-match [--marks N] [--rounds N]
//!
//! A home marks a lot. Then marks of it are drawn as symbols, of which so many modules are left where they were, and the others
//! say nothing in particular, weakly; `touchmark-sign match` compares each with the whole lot, from the store of serials on. As
//! many readings are of another lot.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops where its premise fails"
)]

use clap::Parser;
use std::path::Path;
use std::time::{Duration, Instant};
use touchmark_formats::base45;
use touchmark_formats::reading::{PhotoHash, Reading, SeenSymbol};
use touchmark_formats::signed::Signed;
use touchmark_formats::symbol::{EcLevel, Request, Shape, Symbology, encode};
use touchmark_signer::cli::{ExitStatus, Io, run};

#[derive(Parser)]
struct Args {
    /// Marks in the lot
    #[arg(long, default_value_t = 100_000)]
    marks: u64,
    /// Readings of each kind
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

fn main() {
    let args = Args::parse();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let home = at("home");
    let sign = |line: &str| {
        let words = line.split_whitespace().map(|word| if word == "HOME" { home.clone() } else { word.to_owned() });
        let (mut stdout, mut stderr, mut stdin) = (Vec::new(), Vec::new(), std::io::empty());
        let mut io = Io::of_process(&mut stdin, &mut stdout, &mut stderr);
        io.state = None;
        let status = run(std::iter::once("touchmark-sign".to_owned()).chain(words).map(Into::into), &mut io);
        assert!(status != ExitStatus::Unusable, "{line}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    };
    sign("init HOME --maker Example --country NL --no-passphrase");
    let (marks, own, other) = (args.marks, at("own.txt"), at("other.txt"));
    let mark = "mark --home HOME --part STM32F407VGT6 --date 2026-11-23 --consignee 104233 --format text";
    sign(&format!("{mark} --lot A2B347K --count {marks} --out {own}"));
    sign(&format!("{mark} --lot B000001 --count 1000 --out {other}"));
    let lines = |file: &str| std::fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    let (own, other) = (lines(&own), lines(&other));
    println!(
        "| symbol | modules left | lot of {marks}: right | another lot: none | seconds, median |\n| --- | --: | --: | --: | --: |"
    );
    let square = Request::DataMatrix { shape: Shape::Square };
    let qr = Request::Qr { ec: EcLevel::M, min_version: 1 };
    for (name, symbology, request) in
        [("Data Matrix", Symbology::DataMatrix, square), ("QR Code M", Symbology::QrCode, qr)]
    {
        for left in [30, 20, 15, 10] {
            let (mut right, mut none, mut times) = (0, 0, Vec::new());
            for round in 0..args.rounds {
                let ask = |codes: &[String]| {
                    let n = (round * 7919 + 13) % codes.len();
                    let file = at("reading");
                    write(Path::new(&file), &base45::decode(&codes[n]).unwrap(), symbology, &request, (left, round));
                    let start = Instant::now();
                    let said = sign(&format!("match {file} --home HOME --lot A2B347K --json"));
                    (codes[n].clone(), serde_json::from_str::<serde_json::Value>(&said).unwrap(), start.elapsed())
                };
                let (code, said, took) = ask(&own);
                times.push(took);
                right += usize::from(said["matched"] == true && said["best"]["mark"] == code.as_str());
                none += usize::from(ask(&other).1["matched"] == false);
            }
            times.sort_unstable();
            let median = times.get(times.len() / 2).map_or(0.0, Duration::as_secs_f64);
            println!("| {name} | {left} % | {right} of {0} | {none} of {0} | {median:.2} |", args.rounds);
        }
    }
}

/// The reading of a symbol of which so many of a hundred modules are left.
fn write(file: &Path, mark: &[u8], symbology: Symbology, request: &Request, (left, seed): (u64, usize)) {
    let matrix = encode(mark, request).unwrap().matrix;
    let (rows, columns) = (matrix.height(), matrix.width());
    let mut state = seed as u64 + 1;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) % 1000
    };
    let seen = |i: usize| {
        let sure = if matrix.is_dark(i % columns, i / columns) { 4.0 } else { -4.0 };
        if random() < 10 * left { sure } else { (random() as f32 - 500.0) / 500.0 }
    };
    let llr: Vec<f32> = (0..rows * columns).map(seen).collect();
    let symbols = vec![SeenSymbol::new(symbology, rows, columns, [llr.as_slice()]).unwrap()];
    let reading = Reading { tool: "bench-match".into(), photos: vec![PhotoHash([0; 32])], symbols };
    std::fs::write(file, Signed::new(reading).to_json()).unwrap();
}

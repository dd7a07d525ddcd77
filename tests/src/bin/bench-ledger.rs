//! The ledger at size: records appended a second, bytes a record, a serial looked up with its proof, an audit.
//!
//!     cargo run --release -p touchmark-tests --bin bench-ledger -- [--records N] [--postgres URL|own] [--folder DIR] [--audit]
//!
//! Reels of 3,000 parts, a hundred to a lot, on eight lines: each lot is commissioned by one record and shipped by a hundred,
//! to one of a thousand customers. A head is made after every million records and counts as appending. At each power of
//! ten from a million on, random serials are looked up with all that a disclosure of one takes: the range, its records,
//! their inclusion proofs, the proof of the map, and that of the map's root; every fiftieth is verified.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints, and stops where its premise fails"
)]

use clap::Parser;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testkit::maker::{label, serial};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::{Answer, Place};
use touchmark_formats::ledger::merkle;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::{Record, What};
use touchmark_signer::ledger::{Custody, Happened, Ledger, New};

const LINES: u64 = 8;
const REEL: u64 = 3000;
const REELS: u64 = 100;
const CUSTOMERS: u64 = 1000;
const LOOKUPS: u64 = 2000;
const STEP: u64 = 1_000_000;

#[derive(Parser)]
struct Args {
    /// How many records
    #[arg(long, default_value_t = STEP)]
    records: u64,
    /// A PostgreSQL database, or `own` for a server of this run [default: SQLite]
    #[arg(long)]
    postgres: Option<String>,
    /// Where the SQLite file goes [default: a temporary folder]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Audit it at the end
    #[arg(long)]
    audit: bool,
    /// Look up in what is there, and append nothing
    #[arg(long)]
    again: bool,
    /// Which serials are looked up: another number, others
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

fn main() {
    let args = Args::parse();
    let temporary = tempfile::tempdir().unwrap();
    let folder = args.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    let file = folder.join("ledger.db");
    let url = args.postgres.as_ref().map(|url| match url.as_str() {
        "own" => testkit::postgres::server().new_database(),
        url => url.to_owned(),
    });
    let mut ledger = match &url {
        Some(url) => Ledger::postgres(url).unwrap(),
        None => Ledger::sqlite(&file).unwrap(),
    };
    let bytes = |records: u64| {
        let all = match &url {
            None => ["", "-wal"]
                .map(|end| std::fs::metadata(format!("{}{end}", file.display())).map_or(0, |m| m.len()))
                .iter()
                .sum(),
            Some(url) => on_server(url),
        };
        format!("{:.0} bytes a record", all as f64 / records as f64)
    };
    if args.again {
        look_up(&mut ledger, args.seed);
        return;
    }
    let customers: Vec<New> = (0..CUSTOMERS).map(|n| New::Party(customer(n))).collect();
    ledger.append(&customers).unwrap();
    let (mut lots, mut spent, mut since) = (0u64, Duration::ZERO, (Duration::ZERO, 0));
    let mut next_look = STEP;
    while ledger.size() < args.records {
        let start = Instant::now();
        for _ in 0..STEP / 10_100 {
            let batch: Vec<New> = (0..100).flat_map(|n| lot(lots + n)).collect();
            lots += 100;
            ledger.append(&batch).unwrap();
        }
        ledger.head().unwrap();
        spent += start.elapsed();
        if ledger.size() >= next_look * 99 / 100 {
            let (size, took) = (ledger.size(), spent - since.0);
            let rate = (size - since.1) as f64 / took.as_secs_f64();
            println!("{size} records: {rate:.0} appended a second since the last look, {}", bytes(size));
            (since, next_look) = ((spent, size), next_look * 10);
            look_up(&mut ledger, args.seed);
        }
    }
    let size = ledger.size();
    println!("{size} records: {:.0} appended a second in all, {}", size as f64 / spent.as_secs_f64(), bytes(size));
    if args.audit {
        let start = Instant::now();
        let head = ledger.head().unwrap();
        let audit = ledger.audit(&[head], &mut |_| ()).unwrap();
        println!("audit of {size} records: {:.1} s, {} faults", start.elapsed().as_secs_f64(), audit.faults.len());
    }
}

/// The bytes of a database.
fn on_server(url: &str) -> u64 {
    let mut psql = std::process::Command::new("psql");
    let size = psql.args(["--no-psqlrc", "-Atc", "SELECT pg_database_size(current_database())", url]).output().unwrap();
    String::from_utf8(size.stdout).unwrap().trim().parse().unwrap()
}

fn customer(number: u64) -> Party {
    Party { number: Some(number), ..Party::named(label(&format!("Customer {number}"))) }
}

fn range(first: u64, last: u64) -> SerialRange {
    SerialRange { first: serial(first), last: serial(last) }
}

/// The records of a lot.
fn lot(number: u64) -> impl Iterator<Item = New> {
    let (line, first) = (KeyBytes([(number % LINES) as u8 + 1; 32]), number / LINES * REEL * REELS + 1);
    let event = move |serials, day, what| New::Event(Happened { line, serials, date: Date::from_days(day), what });
    let made = What::Commissioned {
        part: label("STM32F407VGT6"),
        lot: Some(label(&format!("L{number}"))),
        keys: Some([9; 32]),
    };
    let commissioned = event(range(first, first + REEL * REELS - 1), 2000, made);
    let reels = (0..REELS).map(move |reel| {
        let from = first + reel * REEL;
        let to = (number * 31 + reel) % CUSTOMERS;
        let shipped = What::Shipped { to, ship_to: None, document: Some(label(&format!("DN{number}-{reel}"))) };
        event(range(from, from + REEL - 1), 2010, shipped)
    });
    std::iter::once(commissioned).chain(reels)
}

fn look_up(ledger: &mut Ledger, seed: u64) {
    let lots = (ledger.size() - CUSTOMERS) / (REELS + 1) / LINES;
    let mut state = seed;
    let mut times: Vec<Duration> = (0..LOOKUPS)
        .map(|n| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = 1 + (state >> 20) % (lots * REEL * REELS);
            let place = Place { line: KeyBytes([(state >> 13) as u8 % LINES as u8 + 1; 32]), serial: serial(number) };
            let start = Instant::now();
            let size = ledger.size();
            let Custody { segment, chain } = ledger.custody(&place).unwrap().unwrap();
            let mut numbers: Vec<u64> = chain.iter().map(|(number, _)| *number).collect();
            numbers.push(size - 1);
            let proofs = ledger.inclusion(&numbers, size).unwrap();
            let records = ledger.record_bytes(&numbers).unwrap();
            let map = ledger.map_proof(&place).unwrap();
            let took = start.elapsed();
            if n % 50 == 0 {
                let root = ledger.root(size).unwrap();
                for (number, proof) in numbers.iter().zip(&proofs) {
                    let leaf = merkle::leaf_hash(&ledger.entry(*number, &records[number]));
                    assert!(merkle::includes(&root, size, *number, &leaf, proof));
                }
                let Ok(Record::Map(map_root)) = Record::from_bytes(&records[&(size - 1)]) else { panic!("no map") };
                assert!(
                    matches!(map.answer(&map_root, &place), Some(Answer::Entry(leaf)) if leaf.index == segment.record)
                );
            }
            took
        })
        .collect();
    times.sort_unstable();
    let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("  a serial looked up with proof: {:.3} ms median, {:.3} ms for 99 %", at(0.5), at(0.99));
}

//! What grows with the marks on record, and what does not.

use std::path::Path;
use std::time::{Duration, Instant};
use testkit::maker::{date, label};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_signer::line::stages::Stages;
use touchmark_signer::line::store::{Batch, Content, RUN_MARKS, RequestId, Run, Seat, Store, Wanted};

const KEY: KeyBytes = KeyBytes([7; 32]);
const MILLION: u64 = 1_000_000;
const CAPSULE: u64 = 6;

/// Fills one store up to each count in turn, in requests of 54 marks and, of a second store, of one.
pub(crate) fn run(folder: &Path, millions: &[u64]) {
    println!("marks a request   marks      bytes a mark  start-up ms  look-up by serial ms  by request ms");
    for per_run in [RUN_MARKS, 1] {
        let place = tempfile::tempdir_in(folder).unwrap();
        let path = place.path().join("serials.db");
        let mut issued = 0;
        for target in millions {
            // Marks one by one are fifty times the rows, and ten million of them tell as much.
            if per_run == 1 && *target > 10 {
                println!("{per_run:>15} {:>7} million: left out", target);
                continue;
            }
            fill(&path, &mut issued, target * MILLION, per_run);
            report(&path, issued, per_run);
        }
    }
}

fn fill(path: &Path, issued: &mut u64, target: u64, per_run: u64) {
    let mut store = Store::sqlite(path, true).unwrap();
    let mut seat = store.take_seat(&KEY, "line").unwrap();
    let content = Content {
        id: 1,
        part: label("STM32F407VGT6"),
        lot: Some(label("A2B347K")),
        date: date("2026-11-23"),
        mark: vec![0; 20],
        capsule: CAPSULE,
    };
    while *issued < target {
        let wanted = (target - *issued).min(540 * per_run.max(10));
        let block = store.lease(&seat, Wanted::Any(&[SerialRange::ALL], wanted)).unwrap()[0];
        let end = block.next + wanted;
        let runs = (block.next..end).step_by(per_run as usize).map(|first| run_at(first, end, per_run)).collect();
        let batch = Batch { moves: vec![(block, end)], contents: vec![content.clone()], runs, ..Batch::default() };
        store.commit(&mut seat, &batch, &Stages::default()).unwrap();
        *issued += wanted;
    }
}

fn run_at(first: u64, end: u64, per_run: u64) -> Run {
    let count = per_run.min(end - first);
    // Signatures look like noise, which no store can make smaller.
    let mut state = first.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let body = (0..count * (64 + CAPSULE)).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    });
    let request = Some((RequestId { client: "mes".to_owned(), id: format!("{first}") }, 0));
    Run { first, content: 1, at: 1_790_000_000_000 + first as i64, request, capsule: CAPSULE, body: body.collect() }
}

fn report(path: &Path, issued: u64, per_run: u64) {
    let start = median(|| {
        let mut store = Store::sqlite(path, true).unwrap();
        store.take_seat(&KEY, "line").unwrap();
        store.counts(&KEY).unwrap();
    });
    let mut store = Store::sqlite(path, true).unwrap();
    let seat: Seat = store.take_seat(&KEY, "line").unwrap();
    let mut random = 1u64;
    let mut pick = move || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        1 + (random >> 20) % (issued - 1)
    };
    let serial = median(|| {
        let serial = pick();
        assert_eq!(store.issued(seat.key, serial, serial).unwrap().len(), 1);
    });
    let request = median(|| {
        let first = (pick() - 1) / per_run * per_run + 1;
        let request = RequestId { client: "mes".to_owned(), id: format!("{first}") };
        assert!(store.answered(seat.key, &request).unwrap().len() <= 1);
    });
    drop(store);
    let files = ["", "-wal", "-shm"].map(|suffix| format!("{}{suffix}", path.display()));
    let bytes: u64 = files.iter().filter_map(|file| std::fs::metadata(file).ok()).map(|m| m.len()).sum();
    println!(
        "{per_run:>15} {issued:>11} {:>15.1} {:>12.2} {:>21.3} {:>14.3}",
        bytes as f64 / issued as f64,
        millis(start),
        millis(serial),
        millis(request)
    );
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..51)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[25]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

//! Rates and latency, and where the time goes.

use super::client::{Asking, latencies, rate};
use super::place::Place;
use super::stages;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::maker::{TestMaker, date, label};
use testkit::postgres::server;
use touchmark_formats::mark::SignedMark;
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::decode::decode;
use touchmark_signer::issue::{Content, Order};
use touchmark_signer::keys::{SecretKey, SigningKey};
use touchmark_signer::line::issuer::{Issuer, Job, Parts};
use touchmark_signer::line::stages::Stages;
use touchmark_signer::line::store::Store;
use touchmark_signer::line::witness::{Busy, Witness};
use touchmark_signer::sign::LineKey;

const TEXT: &str = "{\"id\":\"{id}\",\"part\":\"STM32F407VGT6\",\"lot\":\"A2B347K\",\"count\":100}";
const MATRIX: &str = "{\"id\":\"{id}\",\"recipe\":\"qr\",\"part\":\"STM32F407VGT6\",\"lot\":\"A2B347K\",\"count\":100}";

/// Everything on SQLite.
pub(crate) fn sqlite(folder: &Path, seconds: u64) {
    let bare = bare(seconds);
    println!("bare: Ed25519 sign and verify, all cores           {bare:>9.0} marks/s");
    let inside = inside(folder, seconds);
    println!("rules and SQLite, without protocol and client      {inside:>9.0} marks/s, {:.2} of bare", inside / bare);
    let place = Place::new(folder);
    let line = place.line("line");
    let text = rate(&line.tcp, TEXT, 100, seconds);
    println!("over TCP, text form, 100 a request                 {text:>9.0} marks/s, {:.2} of bare", text / bare);
    matrices_are_of_their_marks(&line.tcp);
    let matrix = rate(&line.tcp, MATRIX, 100, seconds);
    println!("over TCP, QR module matrix, 100 a request          {matrix:>9.0} marks/s, {:.2} of bare", matrix / bare);
    drop(line);
    single(folder, seconds);
    println!("{}", place.verified(&["--quick"]));
}

/// Single requests, at a pace.
pub(crate) fn single(folder: &Path, seconds: u64) {
    println!("disk: write over 24 KiB and sync, 1000 a second, ms {}", percentiles(&disk(folder, 1000, seconds)));
    println!("machine: woken after 1 ms, late by, ms             {}", percentiles(&late(seconds)));
    println!("machine: a line echoed over TCP, 1000 a second, ms {}", percentiles(&echo(seconds)));
    let place = Place::new(folder);
    let line = place.line("line");
    // A new line's log grows until it begins anew for the first time (5 s), and what makes a file longer takes longer to sync.
    latencies(&line.tcp, "warm", 1000, 6);
    let single = latencies(&line.tcp, "single", 1000, seconds);
    println!("over TCP, one mark a request, 1000 a second, ms    {}", percentiles(&single));
    println!("of which, in the line and since its start, for wait and answer a request, else a commit, ms:");
    stages::table(&line.http).iter().for_each(|row| println!("{row}"));
    drop(line);
    println!("{}", place.verified(&["--quick"]));
}

/// Every matrix of an answer is the QR Code of its own mark: what the client would see if one were drawn for all.
fn matrices_are_of_their_marks(tcp: &str) {
    let mut ask = Asking::connect(tcp);
    for mark in ask.one(&MATRIX.replace("{id}", "matrices")).marks {
        let matrix = mark.matrix.unwrap();
        let llr: Vec<f32> = matrix.chars().filter(|c| *c != '/').map(|c| if c == '1' { 1.0 } else { -1.0 }).collect();
        let side = matrix.split('/').count();
        let content = decode(Symbology::QrCode, side, side, &llr).unwrap();
        assert_eq!(SignedMark::from_bytes(&content.bytes).unwrap().mark.serial.get(), mark.serial);
    }
}

/// Four processes on one PostgreSQL server.
pub(crate) fn postgres(folder: &Path, seconds: u64) {
    let bare = bare(seconds);
    println!("bare: Ed25519 sign and verify, all cores           {bare:>9.0} marks/s");
    let place = Place::new(folder);
    let url = place.path("h/serials.url");
    std::fs::write(&url, server().new_database()).unwrap();
    // It could hold a password, and is refused where others can read it.
    std::fs::set_permissions(&url, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let lines: Vec<_> = (1..=4).map(|n| place.line(&format!("line {n}"))).collect();
    let threads: Vec<_> = lines
        .iter()
        .map(|line| {
            let tcp = line.tcp.clone();
            std::thread::spawn(move || rate(&tcp, &TEXT.replace("{id}", &format!("{tcp}-{{id}}")), 100, seconds))
        })
        .collect();
    let total: f64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    println!("PostgreSQL, four lines over TCP, 100 a request     {total:>9.0} marks/s, {:.2} of bare", total / bare);
    drop(lines);
    println!("{}", place.verified(&[]));
}

/// The cryptography of a mark on all cores, and nothing else.
fn bare(seconds: u64) -> f64 {
    let cores = std::thread::available_parallelism().unwrap().get();
    let until = Instant::now() + Duration::from_secs(seconds.min(5));
    let threads: Vec<_> = (0..cores)
        .map(|core| {
            std::thread::spawn(move || {
                let key = SecretKey::from_seed(&[core as u8; 32]);
                let public = key.public().check().unwrap();
                let (mut done, mut message) = (0u64, [7; 110]);
                while Instant::now() < until {
                    message[..8].copy_from_slice(&done.to_be_bytes());
                    assert!(public.verify(&message, &key.sign(&message).unwrap()));
                    done += 1;
                }
                done
            })
        })
        .collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>() as f64 / seconds.min(5) as f64
}

/// The rules, signatures and the store, in this process.
fn inside(folder: &Path, seconds: u64) -> f64 {
    let place = tempfile::tempdir_in(folder).unwrap();
    let maker = TestMaker::new(1);
    let key = LineKey::new(Box::new(SecretKey::from_seed(&maker.line.to_bytes()))).unwrap();
    let mut issuer = Issuer::start(Parts {
        store: Store::sqlite(&place.path().join("serials.db"), true).unwrap(),
        witness: Witness::open(&place.path().join("state"), &key.public(), "line", Busy::Refuse).unwrap(),
        name: "line".to_owned(),
        key: Arc::new(key),
        delegation: Arc::new(maker.delegation),
        years: Box::new(|_| Ok(None)),
        lease: 1000,
        stages: Stages::default(),
    })
    .unwrap();
    let content = Content {
        part: label("STM32F407VGT6"),
        lot: Some(label("A2B347K")),
        date: date("2026-11-23"),
        consignee: None,
        extension: touchmark_formats::mark::Extension::default(),
    };
    let order = Order { content, serial: None, count: 100 };
    let jobs: Vec<Job> = (0..20).map(|_| Job::Issue { order: order.clone(), request: None, dated: true }).collect();
    let (start, mut marks) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(seconds) {
        let answers = issuer.process(&jobs, jiff::Timestamp::now());
        assert!(answers.iter().all(Result::is_ok));
        marks += 2000;
    }
    f64::from(marks) / start.elapsed().as_secs_f64()
}

/// What a commit of one mark costs on the disk alone, in milliseconds, sorted: about as many bytes as it writes to the log of
/// SQLite, over what is there already, at the pace of the requests. A disk that rests between two syncs takes longer.
fn disk(folder: &Path, each: u64, seconds: u64) -> Vec<f64> {
    const COMMIT: usize = 24 << 10;
    let path = folder.join("sync");
    let mut file = File::create(&path).unwrap();
    let total = each * seconds;
    for _ in 0..total {
        file.write_all(&[1; COMMIT]).unwrap();
    }
    file.sync_all().unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let start = Instant::now();
    let one = |n: u64| {
        let at = start + Duration::from_secs_f64(n as f64 / each as f64);
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        let start = Instant::now();
        file.write_all(&[2; COMMIT]).unwrap();
        file.sync_data().unwrap();
        start.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = (0..total).map(one).collect();
    times.sort_by(f64::total_cmp);
    let _ = std::fs::remove_file(path);
    times
}

/// By how many milliseconds a thread that sleeps for one is woken late, sorted: what of a request's time is the machine's.
fn late(seconds: u64) -> Vec<f64> {
    let pause = Duration::from_millis(1);
    let one = || {
        let start = Instant::now();
        std::thread::sleep(pause);
        start.elapsed().saturating_sub(pause).as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = std::iter::repeat_with(one).take(seconds as usize * 1000).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// What the client and the machine take of a request's time: milliseconds until a server that does nothing has answered,
/// sorted.
fn echo(seconds: u64) -> Vec<f64> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = std::thread::spawn(move || {
        let (mut output, _) = listener.accept().unwrap();
        output.set_nodelay(true).unwrap();
        let input = BufReader::new(output.try_clone().unwrap());
        for _ in input.lines().map_while(Result::ok) {
            output.write_all(b"{\"serial\":1}\n").unwrap();
        }
    });
    let times = latencies(&address, "echo", 1000, seconds);
    server.join().unwrap();
    times
}

fn percentiles(sorted: &[f64]) -> String {
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    format!("median {:.2}, 99 % {:.2}, 99.9 % {:.2}, most {:.2}", at(0.5), at(0.99), at(0.999), at(1.0))
}

//! Killed at random moments under load, with a client that asks again; then every serial is counted, from the client's log
//! and the journal alone.

use super::place::Place;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};
use touchmark_formats::mark::SignedMark;
use touchmark_formats::{base45, date::Date};
use touchmark_signer::line::issuer::marks_of_run;
use touchmark_signer::line::protocol::Answer;
use touchmark_signer::line::store::{Store, Which};

/// Requests under way.
const WINDOW: usize = 24;

/// Kills the line so often, and checks.
pub(crate) fn run(folder: &Path, kills: u64) {
    let place = Place::new(folder);
    let log = place.path("client.log");
    let mut output = BufWriter::new(File::create(&log).unwrap());
    let (mut next, mut random, mut asked_again) = (0u64, 0x2545_F491_4F6C_DD1Du64, 0u64);
    let mut open: BTreeMap<u64, ()> = BTreeMap::new();
    for _ in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mut line = place.line("line");
        let until = Instant::now() + Duration::from_micros(random % 300_000);
        asked_again += open.len() as u64;
        load(&line.tcp, &mut open, &mut next, (until, false), &mut output);
        line.kill();
    }
    let mut line = place.line("line");
    asked_again += open.len() as u64;
    while !open.is_empty() {
        load(&line.tcp, &mut open, &mut next, (Instant::now(), true), &mut output);
    }
    line.kill();
    output.flush().unwrap();
    println!("killed {kills} times; {next} requests, asked again {asked_again}");
    check(&place, &log);
    println!("{}", place.verified(&[]));
}

/// Keeps requests under way until `until`, and writes down each answer as it comes; with `drain`, those of all that are.
fn load(
    tcp: &str,
    open: &mut BTreeMap<u64, ()>,
    next: &mut u64,
    (until, drain): (Instant, bool),
    log: &mut impl Write,
) {
    let Ok(stream) = TcpStream::connect(tcp) else { return };
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let Ok(mut output) = stream.try_clone() else { return };
    let mut input = BufReader::new(stream);
    let mut ask = |id: u64| {
        let request =
            format!("{{\"id\":\"{id}\",\"client\":\"kill\",\"part\":\"P\",\"lot\":\"L\",\"count\":{}}}\n", count(id));
        output.write_all(request.as_bytes()).is_ok()
    };
    let mut under_way = open.keys().filter(|id| ask(**id)).count();
    let mut line = String::new();
    loop {
        while under_way < WINDOW && Instant::now() < until {
            open.insert(*next, ());
            under_way += usize::from(ask(*next));
            *next += 1;
        }
        line.clear();
        if under_way == 0 || (!drain && Instant::now() > until) {
            return;
        }
        if !matches!(input.read_line(&mut line), Ok(n) if n > 0 && line.ends_with('\n')) {
            return;
        }
        under_way -= 1;
        let answer: Answer = serde_json::from_str(&line).unwrap();
        assert!(answer.error.is_none(), "{line}");
        log.write_all(line.as_bytes()).unwrap();
        open.remove(&answer.id.unwrap().parse().unwrap());
    }
}

fn count(id: u64) -> u64 {
    id % 130 + 1
}

/// Reads the client's log and the journal, and nothing else: no serial twice, each answer on record as it was given, each
/// mark on record for one request of the client, whole.
fn check(place: &Place, log: &Path) {
    let mut answered: BTreeMap<String, Vec<SignedMark>> = BTreeMap::new();
    for line in BufReader::new(File::open(log).unwrap()).lines() {
        let answer: Answer = serde_json::from_str(&line.unwrap()).unwrap();
        let bytes = |text: &str| SignedMark::from_bytes(&base45::decode(text).unwrap()).unwrap();
        let marks: Vec<_> = answer.marks.iter().map(|mark| bytes(mark.text.as_ref().unwrap())).collect();
        let id = answer.id.unwrap();
        assert_eq!(marks.len() as u64, count(id.parse().unwrap()));
        let before = answered.entry(id).or_insert_with(|| marks.clone());
        assert_eq!(*before, marks, "two answers to one request");
    }
    let mut store = Store::sqlite(&place.path("h/serials.db"), false).unwrap();
    let mut recorded: BTreeMap<String, Vec<SignedMark>> = BTreeMap::new();
    let mut serials = std::collections::BTreeSet::new();
    for past in store.history(Which::Days(Date::MIN, Date::MAX)).unwrap() {
        let (request, _) = past.run.request.clone().unwrap();
        for mark in marks_of_run(&past.content, &past.run).unwrap() {
            assert!(serials.insert(mark.mark.serial), "serial {} twice", mark.mark.serial);
            recorded.entry(request.id.clone()).or_default().push(mark);
        }
    }
    for (id, marks) in &answered {
        assert_eq!(recorded.get(id), Some(marks), "request {id} is on record as it was answered");
    }
    for (id, marks) in &recorded {
        assert_eq!(marks.len() as u64, count(id.parse().unwrap()), "request {id} is on record whole");
    }
    println!("{} answers in the client's log, {} serials on record, none twice", answered.len(), serials.len());
}

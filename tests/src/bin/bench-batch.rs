//! `cargo bench-batch N`: a case of N photos of 12 megapixels, by the program itself: photos a second and core beside zxing-cpp,
//! how busy the cores are, memory, and whether the last photos cost more than the first. With `--kills K`: killed K times on the
//! way, and held byte for byte against a run that was not.
//!
//! A few dozen photos are rendered into `target/batch-photos`; the N are links to them, so that any number fits the disk.

#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)] // A bench prints, and stops where its premise fails.

use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testkit::case::files;
use testkit::console::root;
use testkit::maker::{TestMaker, signed};
use testkit::scoreboard::peers::Peer;
use testkit::scoreboard::readers::Reader;
use testkit::scoreboard::truth::{Expected, Photo};
use testkit::simulate::{Scene, jpeg, simulate};
use touchmark_formats::symbol::{EcLevel, Request, Shape, encode};

/// Runs `touchmark-verify batch` over many photos and measures it.
#[derive(Parser)]
struct Args {
    /// Photos
    #[arg(default_value_t = 400)]
    photos: usize,
    /// Pixels of each, in millions
    #[arg(long, default_value_t = 12.0)]
    megapixels: f32,
    /// Different photos among them
    #[arg(long, default_value_t = 24)]
    different: usize,
    /// Kill the run this many times, and hold the result against a run that was not killed
    #[arg(long, default_value_t = 0)]
    kills: u64,
    /// How long to look: quick, normal or forensic
    #[arg(long, default_value = "normal")]
    effort: String,
    /// Show the different photos to this reader too (after tests/peers/setup)
    #[arg(long)]
    peer: Option<String>,
    /// Where the set and the cases go; removed and made anew
    #[arg(long)]
    folder: Option<PathBuf>,
}

fn main() {
    let args = Args::parse();
    let maker = TestMaker::new(1);
    let folder = args.folder.clone().unwrap_or_else(|| root().join("target/bench-batch"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut trust = maker.trust();
    trust.expires = "2136-11-23T00:00:00Z".parse().unwrap();
    std::fs::write(folder.join("trust.json"), signed(trust, &[&maker.authority]).to_json()).unwrap();
    let different = render(&maker, &args);
    link(&different, &folder.join("in"), args.photos);
    if args.kills > 0 {
        killed(&folder, &args);
    } else {
        measured(&folder, &args);
        if let Some(name) = &args.peer {
            beside(name, &different);
        }
    }
}

/// The different photos: half with a QR Code, half with a Data Matrix, each of a serial of its own.
fn render(maker: &TestMaker, args: &Args) -> Vec<PathBuf> {
    let folder = root().join("target/batch-photos");
    std::fs::create_dir_all(&folder).unwrap();
    let photo = |n: usize| {
        let path = folder.join(format!("{}-{n}.jpg", args.megapixels));
        if !path.exists() {
            let serial = 48_000_000 + n as u64;
            let bytes = maker.sign(maker.mark(serial, "STM32F407VGT6", "A2B347K", "2026-11-23", None)).to_bytes();
            let request = match n % 2 {
                0 => Request::Qr { ec: EcLevel::M, min_version: 1 },
                _ => Request::DataMatrix { shape: Shape::Square },
            };
            let matrix = encode(&bytes, &request).unwrap_or_else(|e| panic!("{e}")).matrix;
            let scene = Scene { rotation: n as f32 * 3.0, ..Scene::clean_megapixels(args.megapixels, &matrix) };
            std::fs::write(&path, jpeg(&simulate(&matrix, &scene, n as u64), 90)).unwrap();
        }
        path
    };
    (0..args.different).map(photo).collect()
}

fn link(different: &[PathBuf], to: &Path, count: usize) {
    for n in 0..count {
        let folder = to.join(format!("{:03}", n / 100));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::hard_link(&different[n % different.len()], folder.join(format!("{n:06}.jpg"))).unwrap();
    }
}

fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let program = own.with_file_name("touchmark-verify");
    assert!(program.exists(), "{} is absent: cargo build --release -p touchmark-verifier", program.display());
    program
}

fn batch(folder: &Path, case: &str, args: &Args) -> Child {
    let mut command = Command::new(program());
    command.args(["batch", "in", "--trust", "trust.json", "--no-sightings", "--effort", &args.effort]);
    // The name stands in the case: two cases that are to be the same have one.
    command.args(["--name", "bench", "--out", case]).current_dir(folder);
    command.env("TOUCHMARK_STATE", folder.join("state")).env("SOURCE_DATE_EPOCH", "1795608000");
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// What the kernel says of a process: seconds of processor time, and the most memory that it had, in bytes.
fn usage(id: u32) -> Option<(f64, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
    // Fields 14 and 15 (proc(5)), in hundredths of a second.
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().ok()?;
    Some((ticks / 100.0, kilobytes * 1024))
}

fn measured(folder: &Path, args: &Args) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let begun = Instant::now();
    let mut child = batch(folder, "case", args);
    let journal = folder.join("case/.touchmark/journal.jsonl");
    let mut counter = Lines::default();
    // Photos done, and seconds of processor time until then.
    let (mut steps, mut last) = (vec![(0_usize, 0.0_f64)], (0.0, 0));
    let mut examined = Duration::ZERO;
    while child.try_wait().unwrap().is_none() {
        if let Some(usage) = usage(child.id()) {
            last = usage;
            let done = counter.count(&journal);
            if done > steps.last().map_or(0, |step| step.0) {
                steps.push((done, last.0));
                examined = begun.elapsed();
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let (wall, (cpu, peak)) = (begun.elapsed().as_secs_f64(), last);
    let share = |from: usize, to: usize| {
        let at = |n: usize| steps.iter().find(|step| step.0 >= n).copied().unwrap_or_default();
        let (a, b) = (at(from), at(to));
        (b.1 - a.1) / (b.0 - a.0).max(1) as f64 * 1e3
    };
    let (n, tenth) = (args.photos, (args.photos / 10).max(1));
    let known = steps.last().map_or(0, |step| step.0);
    let examined = examined.as_secs_f64();
    println!("{n} photos of {} megapixels, effort {}, {cores} cores", args.megapixels, args.effort);
    println!(
        "- {:.2} photos a second, {:.2} a second and core; {wall:.1} s, of these {:.1} s for the case's files",
        n as f64 / wall,
        n as f64 / wall / cores,
        wall - examined
    );
    println!("- {:.0} ms of processor time a photo", cpu / n as f64 * 1e3);
    println!("- cores busy: {:.1} % (of the whole run; other programs not counted)", cpu / wall / cores * 100.0);
    println!("- memory: {:.0} MiB at most", peak as f64 / f64::from(1 << 20));
    println!(
        "- processor time a photo: {:.0} ms in the first tenth, {:.0} ms in the last",
        share(0, tenth),
        share(known.saturating_sub(tenth), known)
    );
}

/// Lines of a file that grows.
#[derive(Default)]
struct Lines {
    read: u64,
    count: usize,
}

impl Lines {
    fn count(&mut self, path: &Path) -> usize {
        use std::io::{Read, Seek, SeekFrom};
        let Ok(mut file) = std::fs::File::open(path) else { return 0 };
        let mut bytes = Vec::new();
        if file.seek(SeekFrom::Start(self.read)).is_ok() && file.read_to_end(&mut bytes).is_ok() {
            self.read += bytes.len() as u64;
            self.count += bytes.split(|b| *b == b'\n').filter(|line| line.len() > 1).count();
        }
        self.count
    }
}

/// What the different photos cost another reader, from file to content, on one core.
fn beside(name: &str, different: &[PathBuf]) {
    let mut peer = Peer::new(name);
    let (mut times, mut read) = (Vec::new(), 0);
    for round in 0..4 {
        for (n, path) in different.iter().enumerate() {
            let symbology = if n % 2 == 0 { "QRCode" } else { "DataMatrix" };
            let expected = Expected { symbology: symbology.into(), content: None };
            let photo = Photo { symbols: vec![expected], ..Photo::default() };
            let Some(Some(reading)) = peer.read(path, &photo).pop() else { continue };
            // The first round warms up.
            if round > 0 {
                times.push(reading.load_ms + reading.read_ms);
                read += usize::from(!reading.contents.is_empty());
            }
        }
    }
    let mean = times.iter().sum::<f64>() / times.len().max(1) as f64;
    println!("- {name}: {mean:.0} ms a photo, {:.2} a second and core; {read} of {} read", 1e3 / mean, times.len());
}

fn killed(folder: &Path, args: &Args) {
    let begun = Instant::now();
    let mut child = batch(folder, "whole", args);
    child.wait().unwrap();
    let whole = begun.elapsed();
    println!("a run that is left alone takes {:.1} s", whole.as_secs_f64());
    let (mut kills, mut random) = (0, 88_172_645_463_325_252_u64);
    let journal = folder.join("killed/.touchmark/journal.jsonl");
    loop {
        let mut child = batch(folder, "killed", args);
        // As far apart as the kills fit the run; and at any moment (xorshift, Marsaglia 2003).
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let mean = whole.as_secs_f64() / args.kills as f64;
        let wait = mean * (0.2 + 1.6 * (random % 1000) as f64 / 1000.0);
        let end = Instant::now() + Duration::from_secs_f64(wait);
        let last = kills >= args.kills;
        while child.try_wait().unwrap().is_none() && (last || Instant::now() < end) {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = child.kill();
        if child.wait().unwrap().code().is_some() {
            break;
        }
        kills += 1;
        eprint!("\r{kills} kills, {} photos done ", Lines::default().count(&journal));
    }
    eprintln!();
    let (one, other) = (files(&folder.join("whole")), files(&folder.join("killed")));
    let bytes: usize = one.values().map(Vec::len).sum();
    assert!(one == other, "the case that was killed is another");
    println!("killed {kills} times, over {} photos: {} files, {bytes} bytes, all the same", args.photos, one.len());
}

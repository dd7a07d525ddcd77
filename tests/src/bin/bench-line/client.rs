//! A client of the line that keeps several requests under way, in a process of its own threads.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use touchmark_signer::line::protocol::Answer;

/// Requests that are under way at once.
const WINDOW: usize = 32;

/// A client that waits for each answer.
pub(crate) struct Asking {
    output: TcpStream,
    input: BufReader<TcpStream>,
}

impl Asking {
    pub(crate) fn connect(tcp: &str) -> Self {
        let output = TcpStream::connect(tcp).unwrap();
        let input = BufReader::new(output.try_clone().unwrap());
        Self { output, input }
    }

    pub(crate) fn one(&mut self, request: &str) -> Answer {
        self.output.write_all(format!("{request}\n").as_bytes()).unwrap();
        let mut line = String::new();
        self.input.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// Marks a second, with requests of `count` marks each for `seconds`.
pub(crate) fn rate(tcp: &str, request: &str, count: u64, seconds: u64) -> f64 {
    let stream = TcpStream::connect(tcp).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut output = stream.try_clone().unwrap();
    let (more, wait) = mpsc::sync_channel::<()>(WINDOW);
    let request = format!("{request}\n");
    let until = Instant::now() + Duration::from_secs(seconds);
    let writer = std::thread::spawn(move || {
        let mut sent = 0u64;
        while Instant::now() < until && more.send(()).is_ok() {
            let id = request.replace("{id}", &format!("{}-{sent}", std::process::id()));
            output.write_all(id.as_bytes()).unwrap();
            sent += 1;
        }
        output.shutdown(std::net::Shutdown::Write).unwrap();
    });
    let mut input = BufReader::with_capacity(1 << 20, stream);
    let (start, mut marks, mut line) = (Instant::now(), 0, Vec::new());
    while wait.recv().is_ok() {
        line.clear();
        input.read_until(b'\n', &mut line).unwrap();
        // To look for one word is less work than to parse, and the client shares the cores with the line.
        let serials = line.windows(9).filter(|w| w == b"\"serial\":").count() as u64;
        assert_eq!(serials, count, "{}", String::from_utf8_lossy(&line));
        marks += serials;
    }
    let rate = marks as f64 / start.elapsed().as_secs_f64();
    writer.join().unwrap();
    rate
}

/// Milliseconds from request to answer, for single marks at `each` a second, sorted.
pub(crate) fn latencies(tcp: &str, id: &str, each: u64, seconds: u64) -> Vec<f64> {
    let stream = TcpStream::connect(tcp).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut output = stream.try_clone().unwrap();
    let (due_sender, due) = mpsc::channel::<Instant>();
    let (total, id) = (each * seconds, id.to_owned());
    let writer = std::thread::spawn(move || {
        let start = Instant::now();
        for n in 0..total {
            // From when it was due, so that a slow answer counts for all who had to wait behind it.
            let at = start + Duration::from_secs_f64(n as f64 / each as f64);
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            due_sender.send(at).unwrap();
            output
                .write_all(
                    format!("{{\"id\":\"{id}{n}\",\"part\":\"STM32F407VGT6\",\"lot\":\"A2B347K\"}}\n").as_bytes(),
                )
                .unwrap();
        }
    });
    let mut input = BufReader::new(stream);
    let mut times = Vec::new();
    let mut line = String::new();
    for at in due {
        line.clear();
        input.read_line(&mut line).unwrap();
        assert!(line.contains("\"serial\""), "{line}");
        times.push(at.elapsed().as_secs_f64() * 1e3);
    }
    writer.join().unwrap();
    times.sort_by(f64::total_cmp);
    times
}

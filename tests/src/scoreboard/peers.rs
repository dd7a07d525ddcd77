//! Other readers, each in a process of its own that `tests/peers/read.py` drives, with a limit of time for each photo.

use super::readers::{Content, Reader, Reading};
use super::truth::Photo;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// All of them, as `tests/peers/read.py` knows them.
pub const PEERS: [&str; 4] = ["zxing-cpp", "opencv", "zbar", "libdmtx"];
/// A photo that takes longer is not read.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Another reader.
#[derive(Debug)]
pub struct Peer {
    name: String,
    process: Process,
}

#[derive(Debug)]
struct Process {
    child: Child,
    questions: ChildStdin,
    answers: Receiver<String>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Deserialize)]
struct Answer {
    load_ms: f64,
    read_ms: f64,
    symbols: Vec<AnswerSymbol>,
}

#[derive(Deserialize)]
struct AnswerSymbol {
    bytes: String,
    text: Option<String>,
}

impl Peer {
    /// The peer of this name; panics, with the way out, if it is not installed.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), process: Process::start(name) }
    }

    fn reads(&self, symbology: &str) -> bool {
        match self.name.as_str() {
            "opencv" | "zbar" => symbology != "DataMatrix",
            "libdmtx" => symbology == "DataMatrix" || symbology == "none",
            _ => true,
        }
    }
}

impl Reader for Peer {
    fn columns(&self) -> Vec<String> {
        vec![self.name.clone()]
    }

    fn read(&mut self, path: &Path, photo: &Photo) -> Vec<Option<Reading>> {
        if !self.reads(photo.symbology()) {
            return vec![None];
        }
        let start = Instant::now();
        let reading = self.process.ask(path).unwrap_or_else(|| {
            // Some crash on some photos, or do not come back: those they have not read.
            self.process = Process::start(&self.name);
            Reading { read_ms: start.elapsed().as_secs_f64() * 1e3, ..Reading::default() }
        });
        vec![Some(reading)]
    }
}

impl Process {
    fn start(name: &str) -> Self {
        let root = crate::console::root();
        let python = root.join("target/peers/bin/python");
        assert!(python.exists(), "{} is absent: run tests/peers/setup first", python.display());
        let mut command = Command::new(python);
        command.arg(root.join("tests/peers/read.py")).arg(name).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|e| panic!("cannot start {name}: {e}"));
        let (Some(questions), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            panic!("{name} has no input or output")
        };
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            // Ends with the process, or when nobody listens any more.
            lines.try_for_each(|line| sender.send(line))
        });
        Self { child, questions, answers }
    }

    fn ask(&mut self, path: &Path) -> Option<Reading> {
        writeln!(self.questions, "{}", path.display()).ok()?;
        let line = self.answers.recv_timeout(PATIENCE).ok()?;
        let Answer { load_ms, read_ms, symbols } = serde_json::from_str(&line).ok()?;
        let content = |s: AnswerSymbol| Some(Content { bytes: STANDARD.decode(s.bytes).ok()?, text: s.text });
        Some(Reading { load_ms, read_ms, contents: symbols.into_iter().filter_map(content).collect() })
    }
}

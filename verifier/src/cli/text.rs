//! `text`: the verdict for a code that was typed or pasted.

use super::{BasisArgs, Io, Material, Stop, load_basis, words};
use crate::material::{MaterialError, MaterialErrorKind};
use crate::verdict::Status;
use crate::verify::{Assessment, verify_text};
use clap::Args;
use serde::Serialize;
use std::io::{self, BufRead, BufReader, Read, Write};
use touchmark_formats::trust::Directory;

/// The longest code that is looked at: far above the 344 characters of the longest mark. What goes beyond it is no code.
const MAX_CODE: u64 = 4096;

#[derive(Debug, Args)]
pub(super) struct TextArgs {
    /// The code (base45), or - to read codes from standard input, one a line
    #[arg(value_name = "CODE", allow_hyphen_values = true)]
    code: String,
    #[command(flatten)]
    basis: BasisArgs,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

/// What is said of one code.
#[derive(Serialize)]
struct Line<'a> {
    /// Its line on standard input, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_line: Option<u64>,
    #[serde(flatten)]
    assessment: &'a Assessment,
}

pub(super) fn run(args: &TextArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let material = load_basis(&args.basis, io)?;
    let session = Session { directory: Directory::new(&material.trust), material: &material, json: args.json };
    match args.code.as_str() {
        "-" => session.judge_all(&mut BufReader::new(&mut *io.stdin), &mut *io.stdout),
        code => session.judge(code, None, &mut *io.stdout).map_err(Stop::from),
    }
}

struct Session<'a> {
    material: &'a Material,
    directory: Directory<'a>,
    json: bool,
}

impl Session<'_> {
    /// Judges one code a line, each as soon as its line ends, for a scanner that types. A code that was broken over
    /// several lines is not put together, since no line says where it ends.
    fn judge_all(&self, input: &mut impl BufRead, out: &mut dyn Write) -> Result<Status, Stop> {
        let unreadable = |e| MaterialError { path: "standard input".into(), kind: MaterialErrorKind::Io(e) };
        let (mut status, mut line) = (None, Vec::new());
        for number in 1.. {
            if !next_line(input, &mut line).map_err(unreadable)? {
                break;
            }
            let code = String::from_utf8_lossy(&line);
            if !code.trim().is_empty() {
                let this = self.judge(code.trim_end_matches(['\r', '\n']), Some(number), out)?;
                status = Some(status.map_or(this, |before: Status| before.and(this)));
            }
        }
        Ok(status.unwrap_or(Status::NothingRead))
    }

    fn judge(&self, code: &str, input_line: Option<u64>, out: &mut dyn Write) -> io::Result<Status> {
        let assessment = &verify_text(code, &self.material.basis(&self.directory));
        if self.json {
            writeln!(out, "{}", serde_json::to_string(&Line { input_line, assessment })?)?;
        } else {
            let place = input_line.map_or_else(String::new, |number| format!("line {number}: "));
            write!(out, "{place}{}", words::assessment(assessment))?;
        }
        out.flush()?;
        Ok(assessment.verdict.status())
    }
}

/// Puts the next line into `line`, of one that is longer than [`MAX_CODE`] its beginning; false at the end.
fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let length = input.by_ref().take(MAX_CODE).read_until(b'\n', line)?;
    let mut ended = line.last() == Some(&b'\n') || (length as u64) < MAX_CODE;
    while !ended {
        let more = input.fill_buf()?;
        let end = more.iter().position(|byte| *byte == b'\n');
        ended = end.is_some() || more.is_empty();
        let skipped = end.map_or(more.len(), |at| at + 1);
        input.consume(skipped);
    }
    Ok(length > 0)
}

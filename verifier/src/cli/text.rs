//! `text`: the verdict for a code that was typed or pasted.

use super::{BasisArgs, Io, Stop, load, words};
use crate::material::{MaterialError, MaterialErrorKind};
use crate::verdict::Status;
use crate::verify::verify_text;
use clap::Args;
use std::io::Read;
use touchmark_formats::trust::Directory;

/// The longest text read: far above the 383 characters of the longest mark.
const MAX_TEXT: u64 = 64 << 10;

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

pub(super) fn run(args: &TextArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let material = load(&args.basis, io)?;
    let directory = Directory::new(&material.trust);
    let codes = if args.code == "-" { codes_from(io.stdin)? } else { vec![args.code.clone()] };
    let mut status = if codes.is_empty() { Status::NothingRead } else { Status::AllAuthentic };
    for code in &codes {
        let assessment = verify_text(code, &material.basis(&directory));
        status = status.and(assessment.verdict.status());
        if args.json {
            writeln!(io.stdout, "{}", serde_json::to_string(&assessment).map_err(std::io::Error::from)?)?;
        } else {
            write!(io.stdout, "{}", words::assessment(&assessment))?;
        }
    }
    io.stdout.flush()?;
    Ok(status)
}

/// One code a line; a code that was broken over several lines is not put together, since no line says where it ends.
fn codes_from(stdin: &mut dyn Read) -> Result<Vec<String>, Stop> {
    let mut bytes = Vec::new();
    let input = || "standard input".into();
    let fail = |kind| Stop::Material(MaterialError { path: input(), kind });
    stdin.take(MAX_TEXT + 1).read_to_end(&mut bytes).map_err(|e| fail(MaterialErrorKind::Io(e)))?;
    if bytes.len() as u64 > MAX_TEXT {
        return Err(fail(MaterialErrorKind::TooLarge));
    }
    let text = String::from_utf8_lossy(&bytes);
    Ok(text
        .split('\n')
        .map(|line| line.trim_end_matches('\r'))
        .filter(|l| !l.trim().is_empty())
        .map(str::to_owned)
        .collect())
}

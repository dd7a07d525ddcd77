//! `scan`: the content of any symbol, ours or not.

use super::each::{Wrong, each_in_order, report};
use super::{Io, ReadArgs, Stop, words};
use crate::photo::{self, Limits};
use crate::read::{self, Options, Symbol};
use crate::verdict::Status;
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ScanArgs {
    /// Photos: JPEG, PNG, TIFF, WebP, BMP or GIF
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print JSON Lines, one line a file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    read: ReadArgs,
}

#[derive(Serialize)]
struct Line {
    file: String,
    symbols: Vec<Content>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// What is wrong with a photo of which a part was searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
}

#[derive(Serialize)]
struct Content {
    symbology: &'static str,
    corners: [[f32; 2]; 4],
    bytes: String,
    text: Option<String>,
    repaired: usize,
    codewords: usize,
}

pub(super) fn run(args: &ScanArgs, io: &mut Io<'_>) -> Result<Status, Stop> {
    let mut status = Status::AllAuthentic;
    let options = args.read.options();
    each_in_order(
        &args.files,
        io,
        |path: &Path| scan(path, &options),
        |line, io| {
            if line.symbols.is_empty() {
                status = status.and(Status::NothingRead);
            }
            let wrong = Wrong { file: &line.file, damage: line.damage.as_deref(), error: line.error.as_deref() };
            report(io, &line, &wrong, (!args.json).then(|| for_people(&line)))
        },
    )?;
    Ok(status)
}

fn scan(path: &Path, options: &Options) -> Line {
    let file = path.to_string_lossy().into_owned();
    match photo::load(path, &Limits::default()) {
        Ok(photo) => {
            let symbols = read::read(&photo.luma, options);
            Line { file, symbols: symbols.iter().filter_map(content).collect(), error: None, damage: photo.damage }
        }
        Err(e) => Line { file, symbols: Vec::new(), error: Some(e.to_string()), damage: None },
    }
}

fn content(symbol: &Symbol) -> Option<Content> {
    let decoded = symbol.decoded.as_ref().ok()?;
    Some(Content {
        symbology: symbol.located.symbology.name(),
        corners: symbol.located.corners.map(|p| [p.x, p.y]),
        bytes: STANDARD.encode(&decoded.bytes),
        text: decoded.text.clone(),
        repaired: decoded.repaired,
        codewords: decoded.codewords,
    })
}

fn for_people(line: &Line) -> String {
    if line.symbols.is_empty() {
        return format!("{}: no symbol read\n", words::plain(&line.file));
    }
    let row = |symbol: &Content| {
        let content = symbol.text.as_deref().map_or_else(|| format!("base64 {}", symbol.bytes), words::plain);
        format!("{}: {}: {content}\n", words::plain(&line.file), symbol.symbology)
    };
    line.symbols.iter().map(row).collect()
}

//! Marks to files, whole or not at all, and a summary for people.

use super::super::Io;
use super::args::Args;
use super::artwork;
use super::{Made, Template};
use crate::design::Symbol;
use crate::error::{Error, Result};
use crate::files::{self, Access};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use touchmark_formats::base45;

const PLACEHOLDER: &str = "{serial}";

/// Refuses a place where no file can be, before a serial is used for it.
pub(super) fn try_out(args: &Args) -> Result<()> {
    let folder = files::parent(&args.out);
    match args.out.to_str() {
        Some("-") => Ok(()),
        _ if args.out.is_dir() => Err(Error::file(&args.out, "it is a folder").hint("name a file in it")),
        _ if !folder.is_dir() => Err(Error::file(&folder, "there is no such folder").hint("make it first")),
        _ => Ok(()),
    }
}

/// How many marks go into one file.
pub(super) fn in_one_file(args: &Args, marks: u64) -> usize {
    if is_pattern(&args.out) { 1 } else { usize::try_from(marks).unwrap_or(usize::MAX) }
}

/// Writes the marks and says so.
pub(super) fn write(args: &Args, made: &[Made], templates: &[Template<'_>], io: &mut Io<'_>) -> Result<()> {
    let mut sizes = Sizes::default();
    if is_pattern(&args.out) {
        for one in made {
            let bytes = file(args, std::slice::from_ref(one), templates, &mut sizes)?;
            files::write(&name_of(&args.out, one)?, &bytes, Access::Ordinary)?;
        }
    } else {
        let bytes = file(args, made, templates, &mut sizes)?;
        match args.out.to_str() {
            Some("-") => io.print(bytes)?,
            _ => files::write(&args.out, &bytes, Access::Ordinary)?,
        }
    }
    io.say(summary(made, &sizes));
    Ok(())
}

#[derive(Default)]
struct Sizes(BTreeSet<String>);

fn file(args: &Args, made: &[Made], templates: &[Template<'_>], sizes: &mut Sizes) -> Result<Vec<u8>> {
    let Some(format) = artwork::format(args.format) else {
        return Ok(made.iter().map(|m| base45::encode(&m.bytes) + "\n").collect::<String>().into_bytes());
    };
    let design = artwork::design(args);
    let symbol = |m: &Made| {
        let template = templates.get(m.template).ok_or_else(|| Error::unusable("a mark without an order"))?;
        design.symbol(&m.bytes, template.content())
    };
    let symbols = made.iter().map(symbol).collect::<Result<Vec<Symbol>>>()?;
    for Symbol { name, mm: (width, height), .. } in &symbols {
        sizes.0.insert(format!("{name}, {width:.2} x {height:.2} mm with quiet zone"));
    }
    design.draw(format, &symbols)
}

fn is_pattern(out: &Path) -> bool {
    out.file_name().is_some_and(|name| name.to_string_lossy().contains(PLACEHOLDER))
}

fn name_of(out: &Path, made: &Made) -> Result<PathBuf> {
    let name = out.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Error::file(out, "not a file name in UTF-8"))?;
    Ok(out.with_file_name(name.replace(PLACEHOLDER, &made.mark.mark.serial.to_string())))
}

fn summary(made: &[Made], sizes: &Sizes) -> String {
    let mut lengths = made.iter().map(|m| m.bytes.len()).collect::<BTreeSet<_>>();
    let bytes = match (lengths.pop_first(), lengths.pop_last()) {
        (Some(least), Some(most)) => format!("{least} to {most} bytes"),
        (Some(all), None) => format!("{all} bytes"),
        _ => "no bytes".to_owned(),
    };
    let mut parts = vec![serials(made), bytes];
    parts.extend(sizes.0.iter().cloned());
    parts.join("; ")
}

/// The serials as runs: `serials 1 to 3, 7`.
fn serials(made: &[Made]) -> String {
    const SHOWN: usize = 4;
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for serial in made.iter().map(|m| m.mark.mark.serial.get()) {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == serial => *last = serial,
            _ => runs.push((serial, serial)),
        }
    }
    let text = |(a, b): &(u64, u64)| if a == b { a.to_string() } else { format!("{a} to {b}") };
    let shown = runs.iter().take(SHOWN).map(text).collect::<Vec<_>>().join(", ");
    let rest = if runs.len() > SHOWN { format!(" and {} further runs", runs.len() - SHOWN) } else { String::new() };
    let word = if made.len() == 1 { "serial" } else { "serials" };
    format!("{word} {shown}{rest}")
}

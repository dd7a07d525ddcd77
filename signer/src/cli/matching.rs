//! `touchmark-sign match`.

use super::Io;
use crate::error::{Error, Result};
use crate::files;
use crate::home::{Home, Line};
use crate::line::store::{Past, Which};
use crate::matching::{Agreeing, Answer, matching};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use touchmark_formats::base45;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::SignedMark;
use touchmark_formats::reading::Reading;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;

/// Find out which mark on record a photo shows, where nothing can be read any more
///
/// Every mark of a lot or a range of serials is compared with what `touchmark-verify photo --reading` wrote of the photo.
/// The answer is the serial that agrees best, and how likely it is that any of them agrees as well by chance; or that none is
/// more than chance. The mark itself is in the answer: `touchmark-verify text` proves it. No key is needed.
///
/// Exit status: 0 every reading was matched; 1 at least one agrees with no mark beyond chance; 2 as ever.
#[derive(clap::Args)]
pub(super) struct Args {
    /// What was seen, a file for each part
    #[arg(value_name = "READING", required = true)]
    readings: Vec<PathBuf>,
    /// The home of the maker or the line
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    #[command(flatten)]
    which: WhichArgs,
    /// Only marks of this part
    #[arg(long, value_name = "P")]
    part: Option<Label>,
    /// The chance of a wrong match that is still taken for one
    #[arg(long, value_name = "P", default_value_t = 1e-6, value_parser = probability)]
    at_most: f64,
    /// Print JSON Lines, one line a reading
    #[arg(long)]
    json: bool,
}

/// One of these.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct WhichArgs {
    /// Every mark of this lot
    #[arg(long, value_name = "L")]
    lot: Option<Label>,
    /// Every mark with these serials
    #[arg(long, value_name = "FIRST-LAST", value_parser = super::delegate::serial_range)]
    serials: Option<SerialRange>,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let readings = args.readings.iter().map(|path| Ok((path, read(path)?))).collect::<Result<Vec<_>>>()?;
    let home = Home::open(&args.home)?;
    let lines = home.lines()?;
    let (which, named) = match (&args.which.lot, args.which.serials) {
        (Some(lot), _) => (Which::Lot(lot), format!("lot {lot}")),
        (None, Some(range)) => (Which::Range(range.first.get(), range.last.get()), format!("serials {range}")),
        (None, None) => return Err(Error::unusable("nothing to compare with").hint("say --lot or --serials")),
    };
    let mut past = home.store(false)?.history(which)?;
    past.retain(|past| args.part.as_ref().is_none_or(|part| past.content.part == *part));
    let wanted = |mark: &SignedMark| args.which.serials.is_none_or(|range| range.contains(mark.mark.serial));
    let mut unmatched = Vec::new();
    for (path, reading) in readings {
        let answer = matching(&reading, &past, wanted)?;
        if answer.marks == 0 {
            let part = args.part.as_ref().map_or_else(String::new, |part| format!(" and part {part}"));
            return Err(Error::unusable(format!("no mark of {named}{part} is on record in this home"))
                .hint("`touchmark-sign line find` says what a serial was used for"));
        }
        let said = Said { path, reading: &reading, answer: &answer, matched: answer.significant(args.at_most) };
        io.print(if args.json { format!("{}\n", said.json(&past, &lines)) } else { said.words(&past, &lines) })?;
        if said.matched.is_none() {
            unmatched.push(path.display().to_string());
        }
    }
    if unmatched.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!("no mark of {named} agrees beyond chance with {}", unmatched.join(", "))).hint(
        "try other lots; several photos with --same-part show more, and --corners where the symbol was not found",
    ))
}

/// A reading and what was found.
struct Said<'a> {
    path: &'a Path,
    reading: &'a Reading,
    answer: &'a Answer,
    matched: Option<&'a Agreeing>,
}

impl Said<'_> {
    fn words(&self, past: &[Past], lines: &[Line]) -> String {
        let Answer { marks, tries, next, .. } = self.answer;
        let file = self.path.display();
        let chance = |found: &Agreeing| format!("{:.1e}", found.chance);
        let compared = format!("{marks} marks compared, in {} ways to see them", tries / marks.max(&1));
        let Some(found) = self.matched else {
            let best = self.answer.best.as_ref().map_or_else(String::new, |best| {
                format!(
                    "\n  best       serial {}, which chance does with probability {}",
                    best.mark.mark.serial,
                    chance(best)
                )
            });
            return format!("{file}: NO MATCH: no mark agrees beyond chance\n  compared   {compared}{best}\n");
        };
        let mark = &found.mark;
        let mut rows = vec![("line", line_name(past, lines, found))];
        if let Some(past) = past.get(found.run) {
            rows.push(("part", past.content.part.to_string()));
            rows.extend(past.content.lot.as_ref().map(|lot| ("lot", lot.to_string())));
        }
        rows.push(("date", mark.mark.date.to_string()));
        rows.push((
            "ratio",
            format!(
                "10^{:.1} times likelier than a mark with another signature, by {} bits that were seen",
                found.log10_ratio, found.bits
            ),
        ));
        rows.push(("chance", format!("at most {} that any of them agrees as well by chance", chance(found))));
        rows.extend(
            next.as_ref()
                .map(|next| ("next", format!("serial {}, ratio 10^{:.1}", next.mark.mark.serial, next.log10_ratio))),
        );
        rows.push(("compared", compared));
        rows.push(("mark", base45::encode(&mark.to_bytes())));
        let rows = rows.into_iter().map(|(name, value)| format!("  {name:<10} {value}\n")).collect::<String>();
        format!("{file}: MATCH: serial {}\n{rows}", mark.mark.serial)
    }

    fn json(&self, past: &[Past], lines: &[Line]) -> Value {
        let agreeing = |found: &Agreeing| {
            let content = past.get(found.run).map(|past| &past.content);
            json!({
                "serial": found.mark.mark.serial.get(),
                "line": line_name(past, lines, found),
                "key_id": found.mark.mark.key_id.to_string(),
                "part": content.map(|content| content.part.as_str()),
                "lot": content.and_then(|content| content.lot.as_ref()).map(Label::as_str),
                "date": found.mark.mark.date.to_string(),
                "log10_ratio": found.log10_ratio,
                "chance": found.chance,
                "bits": found.bits,
                "mark": base45::encode(&found.mark.to_bytes()),
            })
        };
        json!({
            "reading": self.path.to_string_lossy(),
            "photos": self.reading.photos,
            "matched": self.matched.is_some(),
            "marks": self.answer.marks,
            "tries": self.answer.tries,
            "best": self.answer.best.as_ref().map(agreeing),
            "next": self.answer.next.as_ref().map(agreeing),
        })
    }
}

/// The line that made a mark: by its name, or by its key's id where this home does not know it.
fn line_name(past: &[Past], lines: &[Line], found: &Agreeing) -> String {
    let key = past.get(found.run).map(|past| past.key);
    let line = lines.iter().find(|line| Some(line.delegation.signed.key) == key);
    line.map_or_else(|| found.mark.mark.key_id.to_string(), |line| line.delegation.signed.line.to_string())
}

fn read(path: &Path) -> Result<Reading> {
    let reading = Signed::<Reading>::from_json(&files::read(path)?).map_err(|e| Error::file(path, e));
    Ok(reading.map_err(|e| e.hint("`touchmark-verify photo PHOTO --trust BUNDLE --reading FILE` writes one"))?.signed)
}

fn probability(text: &str) -> std::result::Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|p| *p > 0.0 && *p <= 1.0);
    number.ok_or_else(|| format!("{text:?} is no probability above 0"))
}

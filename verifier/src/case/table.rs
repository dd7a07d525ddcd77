//! `results.csv`: a row a photo, for spreadsheets (RFC 4180, in UTF-8 with a byte order mark, by which they know it).

use super::folder::{Folder, FolderError, FolderErrorKind, at, write_with};
use super::record::{Mark, PhotoResult};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io;

const COLUMNS: [&str; 27] = [
    "path",
    "sha256",
    "bytes",
    "width",
    "height",
    "taken",
    "latitude",
    "longitude",
    "camera",
    "verdict",
    "reason",
    "marks",
    "maker",
    "country",
    "line",
    "part",
    "lot",
    "serial",
    "date",
    "consignee status",
    "consignee",
    "consignee country",
    "trail",
    "findings",
    "parts",
    "error",
    "damage",
];

/// Writes `results.csv` from what is in `results.jsonl`, whole or not at all.
///
/// # Errors
/// [`FolderError`].
pub(super) fn write(folder: &Folder) -> Result<(), FolderError> {
    write_copy(folder, folder)
}

/// The same in the folder `to`.
pub(super) fn write_copy(folder: &Folder, to: &Folder) -> Result<(), FolderError> {
    let path = to.results_csv();
    write_with(&path, |out| {
        let failed = |e: io::Error| at(&path)(FolderErrorKind::Io(e));
        out.write_all("\u{feff}".as_bytes()).map_err(failed)?;
        let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        table.write_record(COLUMNS).map_err(|e| failed(e.into()))?;
        for result in folder.results()? {
            table.write_record(row(&result?)).map_err(|e| failed(e.into()))?;
        }
        table.flush().map_err(failed)
    })
}

fn row(result: &PhotoResult) -> [String; 27] {
    let photo = &result.photo;
    let number = |n: Option<String>| n.unwrap_or_default();
    let text = |text: Option<&str>| safe(text.unwrap_or_default());
    // Of several marks, what each says, once.
    let said = |of: &dyn Fn(&Mark) -> Option<String>| {
        let all: BTreeSet<String> = result.marks.iter().filter_map(|seen| of(&seen.mark)).collect();
        safe(&all.into_iter().collect::<Vec<_>>().join("; "))
    };
    let hands = |mark: &Mark| {
        let trail = mark.trail.as_ref()?;
        let names =
            trail.hands.iter().filter(|hand| !hand.corrected).filter_map(|hand| Some(hand.to.as_ref()?.name.clone()));
        Some(names.collect::<Vec<_>>().join(" > "))
    };
    let findings = |mark: &Mark| {
        let names: Vec<&str> = mark.findings.iter().map(|finding| finding.finding.as_str()).collect();
        (!names.is_empty()).then(|| names.join("; "))
    };
    [
        safe(&photo.path),
        text(photo.sha256.as_deref()),
        number(photo.bytes.map(|n| n.to_string())),
        number(photo.width.map(|n| n.to_string())),
        number(photo.height.map(|n| n.to_string())),
        text(photo.taken.as_deref()),
        number(photo.latitude.map(|n| n.to_string())),
        number(photo.longitude.map(|n| n.to_string())),
        text(photo.camera.as_deref()),
        result.verdict.name().to_owned(),
        safe(&result.reason),
        result.marks.len().to_string(),
        said(&|mark| mark.maker.clone()),
        said(&|mark| mark.country.clone()),
        said(&|mark| mark.line.clone()),
        said(&|mark| mark.part.clone()),
        said(&|mark| mark.lot.clone()),
        said(&|mark| mark.serial.map(|serial| serial.to_string())),
        said(&|mark| mark.date.clone()),
        said(&|mark| Some(mark.consignee.as_ref()?.status.clone())),
        said(&|mark| mark.consignee.as_ref()?.name.clone()),
        said(&|mark| mark.consignee.as_ref()?.country.clone()),
        said(&hands),
        said(&findings),
        safe(&result.parts.join("; ")),
        text(result.error.as_deref()),
        text(result.damage.as_deref()),
    ]
}

/// A text that a spreadsheet would take for a formula has an apostrophe before it: names of files and labels come from anybody.
fn safe(text: &str) -> String {
    let plain: Cow<'_, str> = match text.chars().any(char::is_control) {
        true => {
            text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
        }
        false => Cow::Borrowed(text),
    };
    match plain.trim_start().chars().next() {
        Some('=' | '+' | '-' | '@') => format!("'{plain}"),
        _ => plain.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_defused_and_nothing_else_is_touched() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1"] {
            let safe = safe(text);
            assert!(safe.starts_with(['\'', '\\']), "{safe}");
        }
        assert_eq!(safe("a=b, \"c\"; Київ"), "a=b, \"c\"; Київ");
        assert_eq!(safe("a\r\n=1"), "a\\r\\n=1");
    }
}

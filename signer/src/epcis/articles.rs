//! `gtins.csv`: which GTIN, with serials that begin how, is which part of which line.
//!
//! A serial is unique for its line key, a GS1 serial (AI 21) for its GTIN. So where several lines make one part, the serials
//! of each get a beginning of their own under the part's GTIN.

use super::id::{Gtin, number};
use crate::error::{Error, Result};
use crate::files;
use crate::table::Table;
use std::path::Path;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::Serial;
use touchmark_formats::text::Label;

/// The most characters before a serial: AI 21 has 20, and a serial at most 16 digits.
const MAX_PREFIX: usize = 4;
const COLUMNS: [&str; 4] = ["gtin", "part", "line", "prefix"];

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Article {
    pub(super) gtin: Gtin,
    pub(super) part: Label,
    pub(super) line: KeyBytes,
    pub(super) prefix: String,
}

/// The table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Articles(Vec<Article>);

impl Articles {
    /// Reads the table at `path`, if it is there; `line` gives the key of the line with a name, or of the only one.
    pub(super) fn read(path: &Path, line: impl Fn(Option<&str>) -> Result<KeyBytes>) -> Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let bytes = files::read(path)?;
        let table = Table::new(&bytes, path)?;
        let at = COLUMNS.map(|column| table.names().iter().position(|name| name == column));
        if table.names().iter().any(|name| !COLUMNS.contains(&name)) || at.iter().take(2).any(Option::is_none) {
            let what = "its first line must name the columns gtin and part, and may name line and prefix";
            return Err(Error::file(path, what));
        }
        let mut articles: Vec<Article> = Vec::new();
        for row in table.rows() {
            let (number, row) = row?;
            let wrong = |what: String| Error::unusable(format!("{}, line {number}: {what}", path.display()));
            let cell = |n: usize| at.get(n).copied().flatten().and_then(|at| row.get(at)).unwrap_or_default();
            let prefix = cell(3).to_owned();
            if prefix.len() > MAX_PREFIX || !prefix.bytes().all(is_serial_character) {
                let what = format!("{prefix:?} is no beginning of a GS1 serial of at most {MAX_PREFIX} characters");
                return Err(wrong(what));
            }
            let article = Article {
                gtin: cell(0).parse().map_err(|e| wrong(format!("{:?}: {e}", cell(0))))?,
                part: cell(1).parse().map_err(|e| wrong(format!("the part {:?} {e}", cell(1))))?,
                line: line(Some(cell(2)).filter(|name| !name.is_empty())).map_err(|e| wrong(e.message))?,
                prefix,
            };
            if let Some(other) = articles.iter().find(|other| other.meets(&article)) {
                let what = format!("GTIN {} has serials that begin with {:?} already", other.gtin, other.prefix);
                return Err(wrong(what).hint("give the serials of each part and line under a GTIN a prefix of their own, which ends with no digit"));
            }
            articles.push(article);
        }
        Ok(Self(articles))
    }

    /// The part that has this GTIN and GS1 serial, and its own serial.
    pub(super) fn find(&self, gtin: &Gtin, serial: &str) -> Option<(&Article, Serial)> {
        let of = |article: &Article| serial.strip_prefix(&article.prefix).and_then(number).and_then(Serial::new);
        self.0.iter().filter(|article| article.gtin == *gtin).find_map(|article| Some((article, of(article)?)))
    }

    /// The parts with this GTIN, of any line.
    pub(super) fn of_gtin(&self, gtin: &Gtin) -> impl Iterator<Item = &Article> {
        self.0.iter().filter(move |article| article.gtin == *gtin)
    }

    /// How a part of a line is named.
    pub(super) fn of_part(&self, part: &Label, line: &KeyBytes) -> Option<&Article> {
        self.0.iter().find(|article| article.part == *part && article.line == *line)
    }
}

impl Article {
    /// Whether a GS1 serial may be one of both.
    fn meets(&self, other: &Self) -> bool {
        let digits = |rest: Option<&str>| rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        self.gtin == other.gtin
            && (digits(self.prefix.strip_prefix(&other.prefix)) || digits(other.prefix.strip_prefix(&self.prefix)))
    }
}

/// Whether AI 21 may hold it (GS1 General Specifications, figure 7.11-1).
fn is_serial_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"%&'()*+,-./_:;<=>?".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Articles> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gtins.csv");
        std::fs::write(&path, text).unwrap();
        let line = |name: Option<&str>| match name {
            None | Some("one") => Ok(KeyBytes([1; 32])),
            Some("two") => Ok(KeyBytes([2; 32])),
            Some(_) => Err(Error::unusable("there is no such line")),
        };
        Articles::read(&path, line)
            .map_err(|e| Error { message: e.message.replace(&path.display().to_string(), "gtins.csv"), ..e })
    }

    #[test]
    fn a_gs1_serial_is_one_part() {
        let articles = read("gtin;part;line;prefix\n04012345123456;P;;\n4012345123456;P;two;B\n").unwrap();
        let gtin: Gtin = "04012345123456".parse().unwrap();
        let found = |serial: &str| articles.find(&gtin, serial).map(|(a, serial)| (a.line.0[0], serial.get()));
        assert_eq!(
            [found("17"), found("B17"), found("017"), found("C1"), found("")],
            [Some((1, 17)), Some((2, 17)), None, None, None]
        );
        let (part, line) = ("P".parse().unwrap(), KeyBytes([2; 32]));
        assert_eq!(articles.of_part(&part, &line).unwrap().prefix, "B");
        assert_eq!(articles.of_part(&part, &KeyBytes([3; 32])), None);
    }

    #[test]
    fn tables_that_would_name_two_parts_alike_are_refused() {
        let message = |text: &str| read(text).unwrap_err().message;
        for (text, why) in [
            (
                "gtin,part\n4012345123456,P\n4012345123456,Q\n",
                "gtins.csv, line 3: GTIN 04012345123456 has serials that begin with \"\" already",
            ),
            (
                "gtin,part,prefix\n4012345123456,P,\n4012345123456,Q,7\n",
                "gtins.csv, line 3: GTIN 04012345123456 has serials that begin with \"\" already",
            ),
            (
                "gtin,part\n4012345123457,P\n",
                "gtins.csv, line 2: \"4012345123457\": a GTIN is 14, 13, 12 or 8 digits, of which the last is the check digit",
            ),
            ("gtin,part,line\n4012345123456,P,x\n", "gtins.csv, line 2: there is no such line"),
            (
                "gtin,part,prefix\n4012345123456,P,ABCDE\n",
                "gtins.csv, line 2: \"ABCDE\" is no beginning of a GS1 serial of at most 4 characters",
            ),
            (
                "gtin,colour\n",
                "gtins.csv: its first line must name the columns gtin and part, and may name line and prefix",
            ),
        ] {
            assert_eq!(message(text), why);
        }
    }
}

//! Recipes: what the marks of a product look like, one TOML file a product, checked when the line starts.
//!
//! ```toml
//! part = "STM32F407VGT6"
//! lot = "required"
//! consignee = "never"
//! answer = "dxf"
//! package = "TQFP-100"
//!
//! [symbol]
//! kind = "datamatrix"
//! shape = "square"
//!
//! [drawing]
//! polarity = "light"
//! module_mm = 0.10
//! ```

mod file;

pub use file::{level, shape_of};

use super::protocol::Form;
use crate::design::{Design, Payload, Symbol};
use crate::error::{Error, Result};
use crate::files;
use crate::issue::{Content, Template};
use crate::plan::{KEEP_OUT_MM, Package};
use crate::render::{ArtworkOptions, Format};
use file::{File, design};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;
use touchmark_formats::delegation::{Delegation, SerialRange};
use touchmark_formats::mark::{Extension, SIGNATURE_BYTES, SignedMark};
use touchmark_formats::symbol::{Request, Shape};
use touchmark_formats::text::Label;

/// What marks of a product look like.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The part; requests may leave it out, and must not say another.
    pub part: Option<Label>,
    /// Whether requests carry a lot.
    pub lot: Presence,
    /// Whether requests carry a consignee.
    pub consignee: Presence,
    /// The form of answers.
    pub answer: Form,
    /// How marks are carried and drawn.
    pub design: Design,
}

/// Whether a field is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Every request says it.
    Required,
    /// As the request says.
    #[default]
    Optional,
    /// No request says it.
    Never,
}

impl Default for Recipe {
    /// What holds where a request names no recipe: light Data Matrix squares of 0.10 mm, answered as text.
    fn default() -> Self {
        Self {
            part: None,
            lot: Presence::Optional,
            consignee: Presence::Optional,
            answer: Form::Text,
            design: Design {
                symbol: Request::DataMatrix { shape: Shape::Square },
                payload: Payload::Bytes,
                options: ArtworkOptions::default(),
                caption: None,
                dpi: None,
                columns: None,
            },
        }
    }
}

/// Reads every recipe in a folder, by the name of its file without `.toml`.
///
/// # Errors
/// One of them is none, with file, line and what is wrong; or it makes marks that `delegation` does not allow, or that
/// its package has no room for.
pub fn read_all(folder: &Path, delegation: &Delegation) -> Result<BTreeMap<String, Recipe>> {
    let mut recipes = BTreeMap::new();
    let failed = |e: std::io::Error| Error::io("read", folder, &e);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let stem =
            path.file_stem().and_then(|stem| stem.to_str()).filter(|_| path.extension().is_some_and(|e| e == "toml"));
        if let Some(name) = stem {
            recipes.insert(name.to_owned(), read(&path, delegation)?);
        }
    }
    Ok(recipes)
}

/// Reads one recipe.
///
/// # Errors
/// As [`read_all`].
pub fn read(path: &Path, delegation: &Delegation) -> Result<Recipe> {
    let bytes = files::read(path)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Error::file(path, "not UTF-8"))?;
    parse(text, delegation).map_err(|Wrong { at, what }| {
        let line = text.get(..at).map_or(1, |before| before.matches('\n').count() + 1);
        Error::unusable(format!("{}, line {line}: {what}", path.display()))
            .hint("docs/line.md lists what a recipe may say")
    })
}

/// What is wrong, and at which byte.
struct Wrong {
    at: usize,
    what: String,
}

fn parse(text: &str, delegation: &Delegation) -> std::result::Result<Recipe, Wrong> {
    parse_once(text, delegation).map_err(|wrong| Wrong { at: culprit(text, delegation, &wrong), ..wrong })
}

/// Where what is `wrong` stands: of a table, the first line without which it is not.
fn culprit(text: &str, delegation: &Delegation, wrong: &Wrong) -> usize {
    let table = text.get(wrong.at..).filter(|rest| rest.starts_with('['));
    let mut at = wrong.at;
    for line in table.unwrap_or_default().split_inclusive('\n') {
        let begins = line.trim_start().starts_with('[');
        if begins && at > wrong.at {
            break;
        }
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + line.len()..).unwrap_or_default());
        let without = parse_once(&format!("{before}{}\n{after}", " ".repeat(line.len().saturating_sub(1))), delegation);
        if !begins && without.err().is_none_or(|other| other.what != wrong.what) {
            return at;
        }
        at += line.len();
    }
    wrong.at
}

fn parse_once(text: &str, delegation: &Delegation) -> std::result::Result<Recipe, Wrong> {
    let file: File = toml::from_str(text)
        .map_err(|e| Wrong { at: e.span().map_or(0, |span| span.start), what: e.message().to_owned() })?;
    let (symbol_at, drawing_at) = (at(file.symbol.as_ref()), at(file.drawing.as_ref()));
    let recipe = Recipe {
        part: file.part.as_ref().map(|part| part.get_ref().clone()),
        lot: file.lot.as_ref().map_or_else(Presence::default, |lot| *lot.get_ref()),
        consignee: file.consignee,
        answer: file.answer,
        design: design(
            file.symbol.map(Spanned::into_inner).unwrap_or_default(),
            file.drawing.map(Spanned::into_inner).unwrap_or_default(),
        )?,
    };
    if recipe.lot == Presence::Never && !delegation.lots.is_empty() && !delegation.other_lots {
        let what = "lot cannot be `never`: the delegation ties every serial to a lot, which its mark carries";
        return Err(Wrong { at: at(file.lot.as_ref()), what: what.to_owned() });
    }
    let part_at = at(file.part.as_ref());
    let (bytes, content) = recipe.stand_in(delegation).map_err(|e| Wrong { at: part_at, what: e.message })?;
    // Of what can be wrong, the symbol's size is the symbol's fault, and all else the drawing's.
    recipe.design.encode(&bytes).map_err(|e| Wrong { at: symbol_at, what: e.message })?;
    let drawn = |form: Form| -> Result<Option<Symbol>> {
        let symbol = recipe.design.symbol(&bytes, &content)?;
        if let Some(format) = format(form) {
            recipe.design.draw(format, std::slice::from_ref(&symbol))?;
        }
        Ok(Some(symbol))
    };
    let of_drawing = |e: Error| Wrong { at: drawing_at, what: e.message };
    let symbol = drawn(recipe.answer).map_err(of_drawing)?;
    if recipe.design.dpi.is_some() {
        drawn(Form::Png).map_err(of_drawing)?;
    }
    if let (Some(package), Some(symbol)) = (&file.package, symbol) {
        fits(package.get_ref(), &symbol).map_err(|what| Wrong { at: package.span().start, what })?;
    }
    Ok(recipe)
}

fn at<T>(spanned: Option<&Spanned<T>>) -> usize {
    spanned.map_or(0, |s| s.span().start)
}

/// The artwork's format; `None` for what is no artwork.
#[must_use]
pub fn format(form: Form) -> Option<Format> {
    match form {
        Form::Text | Form::Matrix => None,
        Form::Svg => Some(Format::Svg),
        Form::Png => Some(Format::Png),
        Form::Dxf => Some(Format::Dxf),
        Form::Zpl => Some(Format::Zpl),
    }
}

/// Characters of a part number and of a lot where a recipe says neither, letters: digits alone take less room in a mark.
const USUAL_PART: usize = 13;
const USUAL_LOT: usize = 7;

impl Recipe {
    /// The bytes of a mark as long as this recipe's usual ones: a part and a lot of the usual length where they are not
    /// known, a large serial, and a consignee unless there is none.
    fn stand_in(&self, delegation: &Delegation) -> Result<(Vec<u8>, Content)> {
        let usual = |length: usize| "A".repeat(length).parse::<Label>().map_err(|e| Error::unusable(e.to_string()));
        let part = self.part.clone().or_else(|| delegation.parts.first().cloned());
        let listed = delegation.lots.first().map(|lot| lot.lot.clone());
        let content = Content {
            part: part.map_or_else(|| usual(USUAL_PART), Ok)?,
            lot: match self.lot {
                Presence::Never => None,
                _ => Some(listed.map_or_else(|| usual(USUAL_LOT), Ok)?),
            },
            date: delegation.not_before,
            consignee: None,
            extension: Extension::default(),
        };
        if !delegation.other_parts && !delegation.parts.contains(&content.part) {
            return Err(Error::refused(format!("the delegation does not allow part {}", content.part)));
        }
        let template = Template::new(delegation, content.clone(), None)?;
        let serial = template.serials().last().map_or(SerialRange::ALL.last, |range| range.last);
        let mut bytes = SignedMark { mark: template.mark(serial)?, signature: [0; SIGNATURE_BYTES] }.to_bytes();
        if self.consignee != Presence::Never {
            bytes.resize(bytes.len() + usize::from(delegation.capsule_bytes), 0);
        }
        Ok((bytes, content))
    }
}

fn fits(package: &str, symbol: &Symbol) -> std::result::Result<(), String> {
    let package = Package::parse(package, KEEP_OUT_MM).map_err(|e| e.to_string())?;
    let ((width, height), (wide, high)) = (package.usable_mm(), symbol.mm);
    if (wide <= width && high <= height) || (wide <= height && high <= width) {
        return Ok(());
    }
    Err(format!(
        "{} of {wide:.2} x {high:.2} mm does not fit {}, which has {width:.2} x {height:.2} mm for it",
        symbol.name, package.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegate::Limits;
    use crate::issue::tests::delegation;
    use crate::render::Polarity;
    use touchmark_formats::date::Date;
    use touchmark_formats::delegation::Lot;
    use touchmark_formats::mark::Serial;
    use touchmark_formats::symbol::EcLevel;

    fn read(text: &str) -> std::result::Result<Recipe, (usize, String)> {
        let delegation = delegation(Limits::wide(1, Date::MIN, Date::MAX));
        parse(text, &delegation).map_err(|Wrong { at, what }| (text[..at].matches('\n').count() + 1, what))
    }

    #[test]
    fn a_recipe_says_what_differs_from_the_usual() {
        assert_eq!(read(""), Ok(Recipe::default()));
        let recipe = read(
            "part = \"P\"\nanswer = \"zpl\"\n[symbol]\nkind = \"qr\"\nec = \"q\"\n[drawing]\npolarity = \"dark\"\nmodule_mm = 0.2\n",
        );
        let recipe = recipe.unwrap();
        assert_eq!(recipe.design.symbol, Request::Qr { ec: EcLevel::Q, min_version: 1 });
        assert_eq!((recipe.answer, recipe.design.options.polarity), (Form::Zpl, Polarity::DarkOnLight));
    }

    #[test]
    fn a_lot_is_not_left_out_where_every_serial_has_one() {
        let serial = |n| Serial::new(n).unwrap();
        let lots = [("A", 1), ("B", 11)].map(|(lot, first)| Lot {
            lot: lot.parse().unwrap(),
            serials: SerialRange { first: serial(first), last: serial(first + 9) },
        });
        for (lots, other_lots, wrong) in [(&lots[..1], false, true), (&lots[..], false, true), (&lots[..], true, false)]
        {
            let limits = Limits { lots: lots.to_vec(), other_lots, ..Limits::wide(1, Date::MIN, Date::MAX) };
            let parsed = parse("part = \"P\"\nlot = \"never\"\n", &delegation(limits));
            let error = parsed.err().map(|Wrong { at, what }| (at, what.contains("cannot be `never`")));
            assert_eq!(error, wrong.then_some((17, true)));
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, what) in [
            ("part = \"P\"\nprat = \"Q\"\n", 2, "unknown field `prat`"),
            ("part = \"P\n", 1, "invalid basic string"),
            ("\n\npackage = \"SOT-23\"\n", 3, "Data Matrix 40x40 of 4.20 x 4.20 mm does not fit SOT-23"),
            ("package = \"heptagon\"\n", 1, "package \"heptagon\" is neither"),
            ("answer = \"svg\"\n\n[drawing]\nmodule_mm = 99\n", 4, "module size in mm: 99 is not between"),
            ("[drawing]\n\nmodules = \"dot\"\ndot_gain_mm = 9\ncaption = \"below\"", 4, "dot gain"),
            (
                "answer = \"svg\"\n[drawing]\nmodule_mm = 99\ncaption_mm = -1\ncaption = \"below\"\n[symbol]\n",
                3,
                "module size",
            ),
            ("[drawing]\ndpi = 0\n", 2, ""),
            ("\n[symbol]\nshape = \"10x10\"\n", 3, "payload of "),
            ("[symbol]\nkind = \"qr\"\nshape = \"any\"\n", 3, "QR Code has no shape"),
            ("[symbol]\nec = \"M\"\n", 2, "follows from its size"),
            ("lot = \"maybe\"\n", 1, "unknown variant `maybe`"),
            ("part = \"\"\n", 1, ""),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.0 == line && error.1.contains(what), "{text:?}: {error:?}");
        }
    }
}

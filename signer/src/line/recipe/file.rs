//! The TOML of a recipe: its tables, and the design that they describe.

use super::{Presence, Wrong};
use crate::design::{Design, Payload};
use crate::line::protocol::Form;
use crate::render::{ArtworkOptions, ModuleShape, Place, Polarity};
use serde::Deserialize;
use toml::Spanned;
use touchmark_formats::symbol::{EcLevel, Request, Shape};
use touchmark_formats::text::Label;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) part: Option<Spanned<Label>>,
    pub(super) lot: Option<Spanned<Presence>>,
    #[serde(default)]
    pub(super) consignee: Presence,
    #[serde(default)]
    pub(super) answer: Form,
    pub(super) package: Option<Spanned<String>>,
    pub(super) symbol: Option<Spanned<SymbolTable>>,
    pub(super) drawing: Option<Spanned<DrawingTable>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SymbolTable {
    kind: Kind,
    shape: Option<Spanned<String>>,
    ec: Option<Spanned<String>>,
    content: Carried,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Datamatrix,
    Qr,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "lowercase")]
enum Carried {
    #[default]
    Bytes,
    Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct DrawingTable {
    polarity: Tone,
    modules: Modules,
    module_mm: f64,
    quiet_zone: Option<u32>,
    dot_gain_mm: f64,
    dpi: Option<f64>,
    caption: Option<Side>,
    caption_mm: Option<f64>,
}

impl Default for DrawingTable {
    fn default() -> Self {
        Self {
            polarity: Tone::Light,
            modules: Modules::Square,
            module_mm: 0.1,
            quiet_zone: None,
            dot_gain_mm: 0.0,
            dpi: None,
            caption: None,
            caption_mm: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Light,
    Dark,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Modules {
    Square,
    Dot,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Side {
    Below,
    Right,
}

/// How marks are carried and drawn.
pub(super) fn design(symbol: SymbolTable, drawing: DrawingTable) -> std::result::Result<Design, Wrong> {
    let request = match symbol.kind {
        Kind::Qr => {
            if let Some(shape) = &symbol.shape {
                return Err(Wrong { at: shape.span().start, what: "QR Code has no shape; leave it out".to_owned() });
            }
            let ec = match &symbol.ec {
                None => EcLevel::M,
                Some(ec) => level(ec.get_ref())
                    .ok_or_else(|| Wrong { at: ec.span().start, what: "ec is L, M, Q or H".to_owned() })?,
            };
            Request::Qr { ec, min_version: 1 }
        }
        Kind::Datamatrix => {
            if let Some(ec) = &symbol.ec {
                let what = "the error correction of Data Matrix follows from its size; leave ec out".to_owned();
                return Err(Wrong { at: ec.span().start, what });
            }
            let shape = match &symbol.shape {
                None => Shape::Square,
                Some(shape) => shape_of(shape.get_ref()).ok_or_else(|| Wrong {
                    at: shape.span().start,
                    what: "shape is square, rectangle, dmre, any, or rows x columns as in 24x64".to_owned(),
                })?,
            };
            Request::DataMatrix { shape }
        }
    };
    let place = |side: Side| match side {
        Side::Below => Place::Below,
        Side::Right => Place::Right,
    };
    Ok(Design {
        symbol: request,
        payload: match symbol.content {
            Carried::Bytes => Payload::Bytes,
            Carried::Text => Payload::Text,
        },
        options: ArtworkOptions {
            module_mm: drawing.module_mm,
            quiet_zone: drawing.quiet_zone,
            polarity: match drawing.polarity {
                Tone::Light => Polarity::LightOnDark,
                Tone::Dark => Polarity::DarkOnLight,
            },
            shape: match drawing.modules {
                Modules::Square => ModuleShape::Square,
                Modules::Dot => ModuleShape::Dot,
            },
            dot_gain_mm: drawing.dot_gain_mm,
            caption: None,
        },
        caption: drawing.caption.map(|side| (place(side), drawing.caption_mm)),
        dpi: drawing.dpi,
        columns: None,
    })
}

/// The error-correction level of QR Code with this letter.
#[must_use]
pub fn level(text: &str) -> Option<EcLevel> {
    EcLevel::ALL.into_iter().find(|level| text.eq_ignore_ascii_case(&level.letter().to_string()))
}

/// The sizes of Data Matrix that go by this name.
#[must_use]
pub fn shape_of(text: &str) -> Option<Shape> {
    match text {
        "any" => Some(Shape::Any),
        "square" => Some(Shape::Square),
        "rectangle" => Some(Shape::Rectangle),
        "dmre" => Some(Shape::Dmre),
        _ => {
            let (rows, columns) = text.split_once('x')?;
            Some(Shape::Exact { rows: rows.parse().ok()?, columns: columns.parse().ok()? })
        }
    }
}

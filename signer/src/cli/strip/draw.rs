//! `touchmark-sign strip draw`.

use super::MapArgs;
use crate::cli::Io;
use crate::cli::mark::{Drawing, SymbolArgs, design_of};
use crate::design::{Design, Symbol};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::home::Home;
use crate::issue::Content;
use crate::line::recipe;
use crate::own;
use crate::render::{Format, Turn, render_substrate};
use crate::substrate::artwork::{self, Lie};
use crate::substrate::geometry::{Corner, Geometry, Given, Mm, pair};
use crate::substrate::placed;
use clap::ValueEnum;
use std::path::PathBuf;
use touchmark_formats::carried::Carried;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::key::PublicKey;
use touchmark_formats::mark::Extension;

/// The whole strip as one drawing for the laser: every good unit's mark in its place, in millimetres
///
/// Where units are comes from the layouts of the map (SEMI E142.1), or from the options. In DXF the origin is the lower left
/// corner of the strip. A mark that this line did not sign is not drawn.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    map: MapArgs,
    /// The marks: the line's answer as text, or text forms one a line as `mark --format text` writes them; `-` for standard
    /// input
    #[arg(long, value_name = "F")]
    marks: PathBuf,
    /// The home of the line that made the marks; its key is not asked for
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Which line, where the home has several
    #[arg(long, value_name = "NAME")]
    line: Option<String>,
    #[command(flatten)]
    geometry: GeometryArgs,
    /// The product's recipe, a TOML file, in place of the options on symbol and drawing
    #[arg(long, value_name = "F", conflicts_with_all = ["symbol", "ec", "shape", "content", "polarity", "modules", "module_mm",
        "quiet_zone", "dot_gain_mm", "caption", "no_caption", "caption_mm", "dpi"])]
    recipe: Option<PathBuf>,
    #[command(flatten)]
    symbol: SymbolArgs,
    #[command(flatten)]
    drawing: Drawing,
    /// What to write
    #[arg(long, value_enum)]
    format: FormatArg,
    /// Where to; `-` for standard output
    #[arg(long, value_name = "F")]
    out: PathBuf,
}

/// Where units are; each has the word over the map.
#[derive(clap::Args)]
#[command(next_help_heading = "Where units are")]
struct GeometryArgs {
    /// The corner where the unit with x 0 and y 0 is: lower-left, lower-right, upper-left or upper-right [default: as the map
    /// says, else lower-left]
    #[arg(long, value_name = "CORNER")]
    origin: Option<Corner>,
    /// Width and height of the strip
    #[arg(long, value_name = "W,H", value_parser = pair)]
    size_mm: Option<Mm>,
    /// The middle of the unit with x 0 and y 0, to the right and up from the lower left corner of the strip
    #[arg(long, value_name = "X,Y", value_parser = pair, requires = "pitch_mm", allow_hyphen_values = true)]
    first_mm: Option<Mm>,
    /// From the middle of one unit to the next
    #[arg(long, value_name = "X,Y", value_parser = pitch, requires = "first_mm")]
    pitch_mm: Option<Mm>,
    /// Width and height of a unit, which its mark must fit
    #[arg(long, value_name = "W,H", value_parser = pair)]
    unit_mm: Option<Mm>,
    /// The middle of the mark from that of its unit, to the right and up
    #[arg(long, value_name = "X,Y", value_parser = pair, default_value = "0,0", allow_hyphen_values = true)]
    offset_mm: Mm,
    /// By how many degrees each mark is turned counterclockwise
    #[arg(long, value_name = "0|90|180|270", default_value = "0", value_parser = turn)]
    turn: Turn,
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// Drawing for vector tools, in millimetres
    Svg,
    /// Drawing for lasers, in millimetres
    Dxf,
    /// Picture with its physical resolution
    Png,
}

impl FormatArg {
    fn format(self) -> Format {
        match self {
            Self::Svg => Format::Svg,
            Self::Dxf => Format::Dxf,
            Self::Png => Format::Png,
        }
    }
}

fn turn(text: &str) -> std::result::Result<Turn, String> {
    match text {
        "0" => Ok(Turn::None),
        "90" => Ok(Turn::Quarter),
        "180" => Ok(Turn::Half),
        "270" => Ok(Turn::ThreeQuarters),
        _ => Err("0, 90, 180 or 270".to_owned()),
    }
}

fn pitch(text: &str) -> std::result::Result<Mm, String> {
    let above_zero = |(x, y): &Mm| *x > 0.0 && *y > 0.0;
    pair(text).and_then(|mm| {
        Some(mm).filter(above_zero).ok_or_else(|| "a pitch is above 0; --origin says which way".to_owned())
    })
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let line = Home::open(&args.home)?.line(args.line.as_deref())?;
    let delegation = &line.delegation.signed;
    let key = delegation.key.check().map_err(|e| Error::unusable(format!("the line key: {e}")))?;
    let design = match &args.recipe {
        Some(path) => recipe::read(path, delegation)?.design,
        None => design_of(&args.symbol, &args.drawing),
    };
    let substrate = args.map.read(io)?;
    let at_map = |e: Error| Error { message: format!("{}: {e}", args.map.map.display()), ..e };
    let geometry = Geometry::new(&substrate, &args.geometry.given()).map_err(at_map)?;
    let (bytes, path) = super::read(&args.marks, io)?;
    let at_marks = |e: Error| Error { message: format!("{}: {e}", path.display()), ..e };
    let marks = placed::marks(&bytes, &path, &substrate.id)?;
    let texts = placed::texts(&marks).map_err(at_marks)?;
    let symbols = texts.into_iter().map(|text| symbol(text, &design, delegation, &key));
    let symbols = symbols.collect::<Result<Vec<_>>>().map_err(at_marks)?;
    let size = symbols.first().map(|Symbol { name, mm, .. }| format!("; {name}, {:.2} x {:.2} mm", mm.0, mm.1));
    let artworks = symbols.into_iter().map(|symbol| symbol.artwork).collect();
    let lie = Lie { offset_mm: args.geometry.offset_mm, turn: args.geometry.turn };
    let placed = artwork::placed(&substrate, &geometry, lie, artworks)?;
    let format = args.format.format();
    let drawn = render_substrate(format, &placed, geometry.size_mm, &design.sheet(format));
    let drawn = drawn.map_err(|e| Error::unusable(e.to_string()))?;
    match args.out.to_str() {
        Some("-") => io.print(&drawn)?,
        _ => files::write(&args.out, &drawn, Access::Ordinary)?,
    }
    let (width, height) = geometry.size_mm;
    io.say(format_args!(
        "substrate {:?}: {} marks on {width} x {height} mm, x and y counted from the {} corner{}",
        substrate.id,
        placed.len(),
        geometry.origin().name(),
        size.unwrap_or_default()
    ));
    // To be held against the strip before the laser fires.
    if let Some(((place, _), first)) = substrate.good().zip(&placed).next() {
        let ((x, y), Some(serial)) = (first.middle_mm, marks.first().and_then(|mark| mark.get("serial"))) else {
            return Ok(());
        };
        io.say(format_args!(
            "serial {serial} is on the unit at x {}, y {}: its middle is {x:.3} mm right of and {y:.3} mm above the lower left \
             corner",
            place.x, place.y
        ));
    }
    Ok(())
}

impl GeometryArgs {
    fn given(&self) -> Given {
        Given {
            origin: self.origin,
            size_mm: self.size_mm,
            grid_mm: self.first_mm.zip(self.pitch_mm),
            unit_mm: self.unit_mm,
        }
    }
}

/// The drawing of a mark that this line signed.
fn symbol(text: &str, design: &Design, delegation: &Delegation, key: &PublicKey) -> Result<Symbol> {
    let own = own::read(text, delegation, key)?;
    if let Carried::Container(_) = own.carried {
        return Err(Error::refused(format!("{text:?} is the mark of a container, and no part has it")));
    }
    let content = Content {
        part: own.part,
        lot: own.lot,
        date: own.carried.date(),
        consignee: None,
        extension: Extension::default(),
    };
    design.symbol(&own.carried.to_bytes(), &content)
}

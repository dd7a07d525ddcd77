//! `touchmark-sign strip`.

mod draw;

use super::{Io, counted};
use crate::error::{Error, Result};
use crate::files::{self, Access};
use crate::line::protocol::Form;
use crate::substrate::{self, GoodBins, Substrate, placed};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use touchmark_formats::date::Date;
use touchmark_formats::text::Label;

/// Mark strips and trays: from a map of bins to marks for the good units, each with its place
///
/// A map is XML as SEMI E142.1 has it (BinCodeMap), or a table with x, y, bin and substrate. `strip request` asks the line
/// for as many marks as there are good units, under the id of the substrate, so that asking again gets the same marks;
/// `strip place` puts the answer beside the places, and `strip draw` draws the whole strip for the laser.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Request(Request),
    Place(Place),
    Draw(Box<draw::Args>),
}

/// The map and what is good in it.
#[derive(clap::Args)]
struct MapArgs {
    /// The map; `-` for standard input
    #[arg(long, value_name = "F")]
    map: PathBuf,
    /// The code of a good bin, as often as needed [default: those that the map calls Pass]
    #[arg(long, value_name = "CODE")]
    good: Vec<String>,
    /// The substrate, where the map has several, or does not name it
    #[arg(long, value_name = "ID")]
    substrate: Option<String>,
}

/// The request for the line: one line of JSON
#[derive(clap::Args)]
struct Request {
    #[command(flatten)]
    map: MapArgs,
    /// The part number, where the recipe does not say it
    #[arg(long, value_name = "P", required_unless_present = "recipe")]
    part: Option<Label>,
    /// The product's recipe
    #[arg(long, value_name = "NAME")]
    recipe: Option<String>,
    /// The lot code [default: that of the map]
    #[arg(long, value_name = "L")]
    lot: Option<Label>,
    /// The day of production; today if not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
    /// The form of the answer, where it is not the recipe's: text for `strip draw`
    #[arg(long = "as", value_name = "FORM", value_parser = form)]
    form: Option<Form>,
}

/// The good units with their marks: a line of JSON each
#[derive(clap::Args)]
struct Place {
    #[command(flatten)]
    map: MapArgs,
    /// The marks: the line's answer, or text forms one a line as `mark --format text` writes them; `-` for standard input
    #[arg(long, value_name = "F")]
    marks: PathBuf,
    /// Where to; `-` for standard output
    #[arg(long, value_name = "F")]
    out: PathBuf,
}

impl MapArgs {
    fn read(&self, io: &mut Io<'_>) -> Result<Substrate> {
        let (bytes, path) = read(&self.map, io)?;
        let good = if self.good.is_empty() { GoodBins::AsMapped } else { GoodBins::Codes(self.good.clone()) };
        let substrate = substrate::read(&bytes, &path, &good, self.substrate.as_deref())?;
        for (code, units) in &substrate.undefined {
            let units = counted(*units, "unit");
            io.say(format_args!("warning: the map does not define bin {code:?}: {units} of it without a mark"));
        }
        Ok(substrate)
    }
}

fn read(path: &Path, io: &mut Io<'_>) -> Result<(Vec<u8>, PathBuf)> {
    match path.to_str() {
        Some("-") => {
            let name = PathBuf::from("standard input");
            Ok((files::read_all(&mut *io.stdin, &name)?, name))
        }
        _ => Ok((files::read(path)?, path.to_owned())),
    }
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    match args.command {
        Command::Request(args) => request(args, io),
        Command::Place(args) => place(&args, io),
        Command::Draw(args) => draw::run(&args, io),
    }
}

fn request(args: Request, io: &mut Io<'_>) -> Result<()> {
    let substrate = args.map.read(io)?;
    let units = substrate.units.len();
    let good = substrate.good().count();
    let own_lot = substrate.lot.as_ref().filter(|_| args.lot.is_none());
    let own_lot = own_lot.map(|lot| {
        let label = lot.parse::<Label>();
        label.map_err(|e| Error::file(&args.map.map, format_args!("its lot {lot:?} {e}")).hint("say --lot L"))
    });
    let mut request = Map::new();
    request.insert("id".to_owned(), json!(substrate.id));
    request.insert("client".to_owned(), json!("strip"));
    let optional = [
        ("recipe", args.recipe.map(|recipe| json!(recipe))),
        ("part", args.part.map(|part| json!(part))),
        ("lot", args.lot.or(own_lot.transpose()?).map(|lot| json!(lot))),
        ("date", args.date.map(|date| json!(date))),
        ("as", args.form.map(|form| json!(form))),
    ];
    request.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    request.insert("count".to_owned(), json!(good));
    io.print(format!("{}\n", Value::Object(request)))?;
    io.say(format_args!("substrate {:?}: {good} of {units} units are good", substrate.id));
    Ok(())
}

fn form(text: &str) -> std::result::Result<Form, String> {
    serde_json::from_value(json!(text)).map_err(|_| "text, matrix, svg, png, dxf or zpl".to_owned())
}

fn place(args: &Place, io: &mut Io<'_>) -> Result<()> {
    let substrate = args.map.read(io)?;
    let (bytes, path) = read(&args.marks, io)?;
    let marks = placed::marks(&bytes, &path, &substrate.id)?;
    let lines =
        placed::place(&substrate, marks).map_err(|e| Error { message: format!("{}: {e}", path.display()), ..e })?;
    match args.out.to_str() {
        Some("-") => io.print(&lines)?,
        _ => files::write(&args.out, lines.as_bytes(), Access::Ordinary)?,
    }
    io.say(format_args!("substrate {:?}: {} marks placed", substrate.id, lines.lines().count()));
    Ok(())
}

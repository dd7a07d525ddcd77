//! `touchmark-sign plan`.

use super::Io;
use super::mark::{level, serial};
use crate::delegate::CAPSULE_BYTES;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::issue::{Content, Order, Template, settle_lot};
use crate::plan::{KEEP_OUT_MM, Package, Request, plan, table};
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::key::KeyId;
use touchmark_formats::mark::{Extension, Mark, Part, SIGNATURE_BYTES, Serial};
use touchmark_formats::symbol::EcLevel;
use touchmark_formats::text::Label;

/// A usual mark with part and lot from the delegation, and with both in its own bytes.
const USUAL_BYTES: [usize; 2] = [84, 96];
/// The largest serial that takes four bytes.
const USUAL_SERIAL: u64 = (1 << 28) - 1;

/// Show which symbols hold a mark, how large they are, how much damage they stand, and what packages they fit
///
/// The length is that of --bytes, or follows from --part and the other fields; without both, of usual marks: 84 bytes
/// with part and lot from the delegation, 96 with both inline.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Bytes of a mark, as often as needed
    #[arg(long, value_name = "N", conflicts_with_all = ["home", "part"], value_parser = clap::value_parser!(u16).range(1..=2953))]
    bytes: Vec<u16>,
    /// The home of the maker or the line, whose delegation can make marks shorter
    #[arg(long, value_name = "DIR", requires = "part")]
    home: Option<PathBuf>,
    /// Which line, where the home has several
    #[arg(long, value_name = "NAME", requires = "home")]
    line: Option<String>,
    /// The part number
    #[arg(long, value_name = "P")]
    part: Option<Label>,
    /// The lot code
    #[arg(long, value_name = "L", requires = "part")]
    lot: Option<Label>,
    /// The largest serial that will be used [default: of the lot, but at most 268435455]
    #[arg(long, value_name = "N", value_parser = serial, requires = "part")]
    serial: Option<Serial>,
    /// Without a sealed consignee
    #[arg(long, requires = "part")]
    no_consignee: bool,
    /// One error-correction level of QR Code [default: all four]
    #[arg(long, value_name = "L|M|Q|H", value_parser = level)]
    ec: Option<EcLevel>,
    /// Side of a module in millimetres
    #[arg(long, value_name = "X", default_value_t = 0.1)]
    module_mm: f64,
    /// A package by name, or its width x height in millimetres; as often as needed
    #[arg(long, value_name = "NAME|WxH", default_values = ["SOIC-8", "QFN 3x3", "BGA 10x10"])]
    package: Vec<String>,
    /// Margin of the package that stays free of print
    #[arg(long, value_name = "X", default_value_t = KEEP_OUT_MM)]
    keep_out_mm: f64,
    /// As JSON, a line a symbol
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let package = |text: &String| Package::parse(text, args.keep_out_mm).map_err(|e| Error::unusable(e.to_string()));
    let request = Request {
        payload_bytes: payload(args, io)?,
        module_mm: args.module_mm,
        ec: args.ec,
        packages: args.package.iter().map(package).collect::<Result<_>>()?,
    };
    let rows = plan(&request).map_err(|e| Error::unusable(e.to_string()))?;
    if !args.json {
        return io.print(table(&rows));
    }
    let line = |row| serde_json::to_string(row).map(|line| line + "\n").map_err(|e| Error::unusable(e.to_string()));
    io.print(rows.iter().map(line).collect::<Result<String>>()?)
}

fn payload(args: &Args, io: &Io<'_>) -> Result<Vec<usize>> {
    let Some(part) = &args.part else {
        let asked = args.bytes.iter().map(|n| usize::from(*n)).collect::<Vec<_>>();
        return Ok(if asked.is_empty() { USUAL_BYTES.to_vec() } else { asked });
    };
    let date = crate::init::today(io.now)?;
    let (mark, capsule) = match &args.home {
        Some(dir) => of_line(args, dir, part, date)?,
        None => (inline(args, part, date), CAPSULE_BYTES),
    };
    let capsule = if args.no_consignee { 0 } else { usize::from(capsule) };
    Ok(vec![mark.unsigned_bytes().len() + capsule + SIGNATURE_BYTES])
}

/// The mark under a line's delegation, without its capsule, and the bytes of that.
fn of_line(args: &Args, dir: &std::path::Path, part: &Label, date: Date) -> Result<(Mark, u8)> {
    let line = Home::open(dir)?.line(args.line.as_deref())?;
    let delegation = &line.delegation.signed;
    let extension = Extension::default();
    let content = Content { part: part.clone(), lot: args.lot.clone(), date, consignee: None, extension };
    let mut order = Order { content, serial: args.serial, count: 1 };
    settle_lot(delegation, &mut order)?;
    let template = Template::new(delegation, order.content, None)?;
    let ranges = template.serials();
    let usual = ranges.iter().find(|range| range.first.get() <= USUAL_SERIAL).or(ranges.first());
    let usual = usual.map_or(USUAL_SERIAL, |range| range.last.get().min(USUAL_SERIAL.max(range.first.get())));
    let serial = args.serial.or(Serial::new(usual)).ok_or_else(|| Error::unusable("no serial to plan with"))?;
    Ok((template.mark(serial)?, delegation.capsule_bytes))
}

fn inline(args: &Args, part: &Label, date: Date) -> Mark {
    Mark {
        key_id: KeyId([0; 4]),
        serial: args
            .serial
            .or(Serial::new(USUAL_SERIAL))
            .unwrap_or(touchmark_formats::delegation::SerialRange::ALL.last),
        date,
        part: Part::Inline(part.clone()),
        lot: args.lot.clone(),
        extension: Extension::default(),
        capsule: None,
    }
}

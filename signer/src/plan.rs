//! Which symbol to use: its size, its damage tolerance and the packages that it fits. A packaging engineer decides by
//! this table.

mod packages;
mod table;

pub use packages::{KEEP_OUT_MM, Known, PACKAGES, Package};
pub use table::table;

use crate::render::default_quiet_zone;
use serde::Serialize;
use std::fmt;
use touchmark_formats::symbol::{EcLevel, SymbolSize, Symbology, sizes};

/// What to plan for.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Lengths of the payloads in bytes, one group of rows for each.
    pub payload_bytes: Vec<usize>,
    /// Side of a module in millimetres, 0.02 to 10.
    pub module_mm: f64,
    /// The error-correction level of QR Code; `None` for all four.
    pub ec: Option<EcLevel>,
    /// Packages to compare with.
    pub packages: Vec<Package>,
}

/// One symbol that holds the payload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Length of the payload.
    pub payload_bytes: usize,
    /// `QRCode` or `DataMatrix`.
    pub symbology: &'static str,
    /// The size's name, as `QR 6-M` or `24x64` (rows by columns).
    pub symbol: String,
    /// Whether it is one of the rectangles of ISO/IEC 21471, which many readers do not know.
    pub dmre: bool,
    /// Modules from left to right, without quiet zone.
    pub columns: usize,
    /// Modules from top to bottom, without quiet zone.
    pub rows: usize,
    /// Width in millimetres with the standard's quiet zone.
    pub width_mm: f64,
    /// Height in millimetres with the standard's quiet zone.
    pub height_mm: f64,
    /// Bytes that the payload could still grow without a larger symbol.
    pub spare_bytes: usize,
    /// Share of the codewords that may be wrong at unknown places, 0 to 0.5.
    pub errors_share: f64,
    /// Share of the codewords that may be lost at known places: twice as many.
    pub erasures_share: f64,
    /// How it goes with each package asked for, in the order of the request.
    pub packages: Vec<Fit>,
}

/// How a symbol goes with a package.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fit {
    /// Name of the package.
    pub package: String,
    /// Whether the symbol fits its usable area at the module size asked for, upright or turned by 90 degrees.
    pub fits: bool,
    /// Whether it has to be turned to take the largest module.
    pub turned: bool,
    /// The largest module in millimetres at which it fits, rounded down to a micrometre.
    pub largest_module_mm: f64,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PlanError {
    /// The module size is not between 0.02 and 10 mm.
    ModuleSize(f64),
    /// Neither a name in [`PACKAGES`] nor width x height in millimetres.
    UnknownPackage(String),
    /// A side of the package is not between 0.5 and 200 mm, or the keep-out leaves nothing of it.
    PackageSize(f64, f64),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ModuleSize(mm) => write!(f, "module size in mm: {mm} is not between 0.02 and 10"),
            Self::UnknownPackage(name) => {
                let known: Vec<&str> = PACKAGES.iter().map(|package| package.name).collect();
                write!(f, "package {name:?} is neither W x H in mm nor one of {}", known.join(", "))
            }
            Self::PackageSize(width, height) => {
                write!(f, "a package of {width} x {height} mm: each side must be 0.5 to 200, beyond the keep-out")
            }
        }
    }
}

impl std::error::Error for PlanError {}

/// For each payload the QR Codes, the smallest Data Matrix square, and the rectangles of which no other is smaller in
/// both directions.
///
/// # Errors
/// [`PlanError::ModuleSize`].
pub fn plan(request: &Request) -> Result<Vec<Row>, PlanError> {
    if !(0.02..=10.0).contains(&request.module_mm) {
        return Err(PlanError::ModuleSize(request.module_mm));
    }
    let of_length = |bytes: &usize| {
        let bytes = *bytes;
        candidates(bytes, request.ec).into_iter().map(move |size| row(&size, bytes, request))
    };
    Ok(request.payload_bytes.iter().flat_map(of_length).collect())
}

fn candidates(bytes: usize, ec: Option<EcLevel>) -> Vec<SymbolSize> {
    let all = sizes(bytes);
    let square = all.iter().find(|size| size.symbology == Symbology::DataMatrix && size.rows == size.columns);
    let wanted = |size: &&SymbolSize| match size.symbology {
        Symbology::QrCode | Symbology::MicroQrCode => ec.is_none_or(|ec| size.name.ends_with(ec.letter())),
        Symbology::DataMatrix if size.rows == size.columns => Some(*size) == square,
        Symbology::DataMatrix => !all.iter().any(|other| replaces(other, size)),
    };
    all.iter().filter(wanted).cloned().collect()
}

/// Whether a rectangle is smaller than another in one direction, no larger in the other, and known to as many readers.
fn replaces(other: &SymbolSize, size: &SymbolSize) -> bool {
    let rectangle = other.symbology == Symbology::DataMatrix && other.rows != other.columns;
    let no_larger = other.rows <= size.rows && other.columns <= size.columns;
    rectangle && no_larger && other != size && (size.dmre || !other.dmre)
}

fn row(size: &SymbolSize, bytes: usize, request: &Request) -> Row {
    let (wide, high) = modules_with_quiet_zone(size);
    let share = size.correctable_share();
    Row {
        payload_bytes: bytes,
        symbology: size.symbology.name(),
        symbol: size.name.clone(),
        dmre: size.dmre,
        columns: size.columns,
        rows: size.rows,
        width_mm: rounded(wide * request.module_mm, 1e4),
        height_mm: rounded(high * request.module_mm, 1e4),
        spare_bytes: size.payload_bytes.saturating_sub(bytes),
        errors_share: rounded(share, 1e4),
        erasures_share: rounded(2.0 * share, 1e4),
        packages: request.packages.iter().map(|package| fit(package, (wide, high), request.module_mm)).collect(),
    }
}

fn modules_with_quiet_zone(size: &SymbolSize) -> (f64, f64) {
    let quiet = 2.0 * f64::from(default_quiet_zone(size.symbology));
    (size.columns as f64 + quiet, size.rows as f64 + quiet)
}

fn fit(package: &Package, (wide, high): (f64, f64), module_mm: f64) -> Fit {
    let (width, height) = package.usable_mm();
    let upright = (width / wide).min(height / high);
    let turned = (width / high).min(height / wide);
    let largest = upright.max(turned);
    // Sides are given in tenths of a millimetre: what is off by less than a nanometre is rounding.
    let tolerance = 1e-6;
    Fit {
        package: package.name.clone(),
        fits: module_mm <= largest + tolerance,
        turned: turned > upright + tolerance,
        largest_module_mm: ((largest + tolerance) * 1e3).floor() / 1e3,
    }
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

#[cfg(test)]
mod tests;

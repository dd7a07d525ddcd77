//! Print quality of a symbol, by ISO/IEC 15415 (labels) and ISO/IEC 29158 (direct part marks), from one picture.
//!
//! The standards grade a calibrated, perpendicular picture under stated light, and average five. This is one picture as
//! it comes: the ratios hold for any picture, the symbol contrast only for one whose white is 100 % reflectance.

mod fixed;
mod margin;
mod scale;
mod surface;

use crate::read::geometry::Point;
use crate::read::picture::Picture;
use crate::read::{Located, Luma, Symbol};
use fixed::fixed_patterns;
use margin::{Margins, Scale};
pub use scale::Grade;
use scale::thresholds;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use surface::{Reflectances, Seen};
use touchmark_formats::symbol::anatomy::{Anatomy, anatomy};

/// Diameters of the aperture, in modules (ISO/IEC 29158: the better one counts).
const APERTURES: [f32; 2] = [0.5, 0.8];
/// Diameter of the aperture for ISO/IEC 15415.
const APERTURE: f32 = 0.8;

/// A parameter: its grade and the number behind it, where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Parameter {
    /// Its name in JSON.
    #[serde(skip)]
    pub name: &'static str,
    /// The measured value: shares from 0 to 1, grid non-uniformity in modules.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f32>,
    /// Its grade.
    pub grade: Grade,
}

/// The grades by one standard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The lowest of all parameters.
    pub grade: Grade,
    /// Diameter of the aperture, in modules.
    pub aperture: f32,
    /// The parameters, in the order of the standard.
    #[serde(serialize_with = "as_map")]
    pub parameters: Vec<Parameter>,
}

fn as_map<S: Serializer>(parameters: &[Parameter], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(parameters.iter().map(|parameter| (parameter.name, parameter)))
}

/// The print quality of one symbol.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quality {
    /// Pixels along a module on the shortest side: the standards ask for five or more.
    pub pixels_per_module: f32,
    /// By ISO/IEC 15415.
    pub iso15415: Report,
    /// By ISO/IEC 29158.
    pub iso29158: Report,
}

/// Grades a symbol that [`crate::read::read`] found in `luma`; `None` for Micro QR Code, which no part carries. A symbol that
/// does not decode has grade F.
#[must_use]
pub fn grade(luma: &Luma, symbol: &Symbol) -> Option<Quality> {
    let located = &symbol.located;
    let modules = &located.modules;
    let [a, b, c, d] = located.corners;
    let (columns, rows) = (modules.width.max(1) as f32, modules.height.max(1) as f32);
    let pixels_per_module = (a.distance(b).min(c.distance(d)) / columns).min(b.distance(c).min(d.distance(a)) / rows);
    let undecoded = |aperture| Report::of(aperture, vec![parameter("decode", None, Grade::F)]);
    let failed = || Quality { pixels_per_module, iso15415: undecoded(APERTURE), iso29158: undecoded(APERTURE) };
    if symbol.decoded.is_err() {
        return Some(failed());
    }
    if located.symbology == touchmark_formats::symbol::Symbology::MicroQrCode {
        return None;
    }
    let measured = anatomy(located.symbology, modules.height, modules.width, &modules.llr).ok().and_then(|anatomy| {
        let picture = Picture::new(Cow::Borrowed(luma))?;
        let seen = Seen::new(&picture, located.corners, located.reversed, &anatomy)?;
        let geometry = Geometry { axial: axial(&seen.corners, &anatomy), grid: seen.grid_deviation() };
        let subject = Subject { located, anatomy: &anatomy, seen: &seen, geometry };
        let cells = APERTURES.map(|aperture| subject.iso29158(aperture));
        let better = cells.into_iter().max_by_key(|report| report.total())?;
        Some(Quality { pixels_per_module, iso15415: subject.iso15415(), iso29158: better })
    });
    Some(measured.unwrap_or_else(failed))
}

fn parameter(name: &'static str, value: Option<f32>, grade: Grade) -> Parameter {
    Parameter { name, value, grade }
}

impl Report {
    fn of(aperture: f32, parameters: Vec<Parameter>) -> Self {
        let grade = parameters.iter().map(|parameter| parameter.grade).min().unwrap_or(Grade::F);
        Self { grade, aperture, parameters }
    }

    /// What tells the better of two: the grade, then the sum of all.
    fn total(&self) -> (Grade, u32) {
        (self.grade, self.parameters.iter().map(|p| u32::from(p.grade.number())).sum())
    }
}

/// How unlike the spacing of modules is along the two axes (ISO/IEC 15415, clause 7.8.6).
fn axial([a, b, c, d]: &[Point; 4], anatomy: &Anatomy) -> f32 {
    let across = (a.distance(*b) + c.distance(*d)) / anatomy.columns.max(1) as f32;
    let down = (b.distance(*c) + d.distance(*a)) / anatomy.rows.max(1) as f32;
    2.0 * (across - down).abs() / (across + down).max(1e-6)
}

struct Geometry {
    axial: f32,
    grid: f32,
}

/// What is graded.
struct Subject<'a> {
    located: &'a Located,
    anatomy: &'a Anatomy,
    seen: &'a Seen<'a>,
    geometry: Geometry,
}

impl Subject<'_> {
    fn iso15415(&self) -> Report {
        let reflectances = self.seen.reflectances(APERTURE);
        let (low, high) = reflectances.extremes();
        let contrast = high - low;
        let margins = self.margins(&reflectances, Scale::SymbolContrast { threshold: 0.5 * (low + high), contrast });
        let first =
            [parameter("symbol_contrast", Some(contrast), Grade::at_least(contrast, thresholds::SYMBOL_CONTRAST))];
        let correction = margins.correction(self.anatomy);
        let second = [
            parameter("modulation", None, correction.modulation),
            parameter("reflectance_margin", None, correction.margin),
        ];
        let fixed = fixed_patterns(self.located.symbology, self.anatomy, &margins);
        let damage = fixed.damage.min(Grade::at_least(fixed.mean, thresholds::AVERAGE));
        let third = [parameter("fixed_pattern_damage", Some(fixed.mean), damage)];
        self.report(APERTURE, first.into_iter().chain(second).chain(third), correction.unused)
    }

    fn iso29158(&self, aperture: f32) -> Report {
        let reflectances = self.seen.reflectances(aperture);
        let threshold = between(reflectances.values());
        let (mut dark, mut light) = ((0.0, 0.0), (0.0, 0.0));
        for value in reflectances.values() {
            let class = if *value < threshold { &mut dark } else { &mut light };
            *class = (class.0 + value, class.1 + 1.0);
        }
        let mean = |(sum, count): (f32, f32)| sum / count.max(1.0);
        let (dark, light) = (mean(dark), mean(light));
        let contrast = (light - dark) / light.max(1e-6);
        let margins = self.margins(&reflectances, Scale::Cells { threshold, dark, light });
        let correction = margins.correction(self.anatomy);
        let fixed = fixed_patterns(self.located.symbology, self.anatomy, &margins);
        let first = [
            parameter("cell_contrast", Some(contrast), Grade::at_least(contrast, thresholds::CELL_CONTRAST)),
            parameter("cell_modulation", None, correction.margin),
            parameter("fixed_pattern_damage", None, fixed.damage),
            parameter("distributed_damage", Some(fixed.mean), Grade::at_least(fixed.mean, thresholds::AVERAGE)),
        ];
        self.report(aperture, first, correction.unused)
    }

    fn margins<'a>(&self, reflectances: &'a Reflectances, scale: Scale) -> Margins<'a> {
        Margins { reflectances, scale, reversed: self.located.reversed }
    }

    fn report(&self, aperture: f32, own: impl IntoIterator<Item = Parameter>, unused: f32) -> Report {
        let Geometry { axial, grid } = self.geometry;
        let mut parameters = vec![parameter("decode", None, Grade::A)];
        parameters.extend(own);
        parameters.extend([
            parameter("axial_nonuniformity", Some(axial), Grade::at_most(axial, thresholds::AXIAL)),
            parameter("grid_nonuniformity", Some(grid), Grade::at_most(grid, thresholds::GRID)),
            parameter("unused_error_correction", Some(unused), Grade::at_least(unused, thresholds::UNUSED)),
        ]);
        Report::of(aperture, parameters)
    }
}

/// Where two kinds of modules are best told apart: least variance within both (Otsu 1979).
fn between(values: &[f32]) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let total: f32 = sorted.iter().sum();
    let (mut below, mut best) = (0.0, (f32::NEG_INFINITY, 0.5));
    for (i, pair) in sorted.windows(2).enumerate() {
        let [low, high] = pair else { continue };
        below += low;
        let (n, m) = ((i + 1) as f32, (sorted.len() - i - 1) as f32);
        let gap = below / n - (total - below) / m;
        let spread = n * m * gap * gap;
        if spread > best.0 {
            best = (spread, 0.5 * (low + high));
        }
    }
    best.1
}

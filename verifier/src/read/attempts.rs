//! The ways of reading a photo, cheap first, and the walk over them.

use super::geometry::Point;
use super::levels::{Level, Levels};
use super::lively::Area;
use super::qr::{self, Look, Sight};
use super::work::Work;
use super::{Effort, Found, Luma, Symbol, datamatrix, fast};
use touchmark_formats::symbol::Symbology;

/// Every symbol that the attempts of this effort find.
pub(super) fn read_all(luma: &Luma, effort: Effort) -> Vec<Symbol> {
    read_by(luma, effort, |_| true)
}

/// The same of QR Code alone.
pub(super) fn read_codes(luma: &Luma, effort: Effort) -> Vec<Symbol> {
    read_by(luma, effort, |attempt| matches!(attempt.way, Way::Qr { .. }))
}

fn read_by(luma: &Luma, effort: Effort, among: impl Fn(&Attempt) -> bool) -> Vec<Symbol> {
    let mut found = Found::default();
    let mut levels = Levels::new(luma, Work::of(effort, luma.data.len()));
    // The level at which the photo first showed what could be decoded, and whether that was Data Matrix.
    let mut shown: Option<(Level, bool)> = None;
    // How many symbols were read, and where others may be beside them.
    let mut beside: (usize, Option<Area>) = (0, None);
    for attempt in ATTEMPTS.iter().filter(|attempt| among(attempt)) {
        let settled = shown.is_some_and(|shown| !attempt.goes_on(shown, effort));
        // What was surely there and did not decode by a fit of all its function patterns is beyond searching.
        let beyond = attempt.least == Effort::Normal && effort == Effort::Normal && found.any_located();
        if attempt.least > effort || settled || beyond {
            continue;
        }
        let read = found.decoded();
        if read > beside.0 {
            beside = (read, levels.beside(&found.symbols));
            levels.work().spare(effort);
        }
        // Nothing is left to be spent, or nothing to be read.
        if levels.work().spent() || (read > 0 && beside.1.is_none()) {
            break;
        }
        attempt.run(&mut levels, &mut found, effort, beside.1.as_ref());
        if let Some(symbol) = found.symbols.iter().find(|symbol| symbol.decoded.is_ok()) {
            shown.get_or_insert((attempt.level, symbol.located.symbology == Symbology::DataMatrix));
        }
    }
    found.symbols
}

/// One way of reading.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    name: &'static str,
    level: Level,
    way: Way,
    /// The effort from which on it is made.
    least: Effort,
    /// Whether it is made for further symbols, too, where something was read already.
    beside: Beside,
}

/// For whom an attempt is made where a photo has shown a symbol.
#[derive(Debug, Clone, Copy)]
enum Beside {
    /// For nobody: it only saves photos in which nothing was read.
    Nothing,
    /// For symbols of the kind of that which was read first, at its scale and the next finer one, from normal effort on.
    ItsLike,
    /// For any, from this effort on.
    Any(Effort),
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Rqrr,
    /// Our own, with a threshold over this share of the picture's shorter side.
    Qr {
        share: f32,
        look: Look,
    },
    /// Our own Data Matrix reader, which searches both polarities and several scales by itself.
    DataMatrix,
    /// Data Matrix by the grid that its modules make.
    GridDataMatrix,
    /// Data Matrix whose finder patterns show whole, with a threshold over this many pixels to all sides.
    EasyDataMatrix {
        radius: usize,
    },
}

/// All attempts in their order. Each that reads something saves those behind it; what costs the least for what it reads
/// comes first.
const ATTEMPTS: &[Attempt] = &[
    // Looks that cost little more than thresholding. The first two are for all symbols of a photo.
    qr("qr", Level::First, 0.08, Look::Easy, Effort::Quick).beside(Beside::Any(Effort::Quick)),
    dm("datamatrix-easy", Level::First, 18).beside(Beside::Any(Effort::Quick)),
    qr("qr-near", Level::First, 0.025, Look::Easy, Effort::Quick),
    dm("datamatrix-easy-near", Level::First, 9),
    qr("qr-finer", Level::Finer, 0.05, Look::Easy, Effort::Quick),
    dm("datamatrix-easy-finer", Level::Finer, 18),
    qr("qr-finest", Level::Finest, 0.03, Look::Easy, Effort::Quick),
    Attempt { least: Effort::Normal, ..dm("datamatrix-easy-finest", Level::Finest, 18) },
    dm("datamatrix-easy-half", Level::Half, 14),
    qr("qr-half", Level::Half, 0.15, Look::Easy, Effort::Quick),
    qr("qr-double", Level::Double, 0.08, Look::Easy, Effort::Quick),
    dm("datamatrix-easy-double", Level::Double, 20),
    qr("qr-smooth", Level::Smooth, 0.06, Look::Easy, Effort::Quick),
    qr("qr-dots", Level::Smoother, 0.1, Look::Easy, Effort::Quick),
    // Longer ones, where finder patterns leave no doubt that a symbol is there.
    qr("qr-fit", Level::First, 0.08, Look::Fit, Effort::Quick).beside(Beside::Any(Effort::Normal)),
    qr("qr-fit-near", Level::First, 0.025, Look::Fit, Effort::Quick),
    qr("qr-fit-finer", Level::Finer, 0.05, Look::Fit, Effort::Quick),
    qr("qr-fit-dots", Level::Smoother, 0.1, Look::Fit, Effort::Quick),
    qr("qr-fit-dots-finer", Level::FinerSmoother, 0.08, Look::Fit, Effort::Normal),
    // What is bright beside the mark, a chip's leads, is no part of the mean over fewer pixels.
    qr("qr-fit-dots-near", Level::Smoother, 0.04, Look::Fit, Effort::Normal),
    qr("qr-fit-dots-finer-near", Level::FinerSmoother, 0.04, Look::Fit, Effort::Normal),
    qr("qr-twos", Level::First, 0.08, Look::Twos, Effort::Normal),
    qr("qr-twos-near", Level::First, 0.025, Look::Twos, Effort::Normal),
    qr("qr-twos-dots", Level::Smoother, 0.1, Look::Twos, Effort::Normal),
    qr("qr-twos-dots-finer", Level::FinerSmoother, 0.04, Look::Twos, Effort::Normal),
    Attempt { way: Way::Rqrr, ..qr("rqrr", Level::First, 0.08, Look::Easy, Effort::Normal) }.beside(Beside::Nothing),
    qr("qr-fit-smooth", Level::Smooth, 0.06, Look::Fit, Effort::Normal),
    qr("qr-fit-half", Level::Half, 0.15, Look::Fit, Effort::Normal),
    qr("qr-fit-double", Level::Double, 0.08, Look::Fit, Effort::Normal),
    qr("qr-twos-smooth", Level::Smooth, 0.06, Look::Twos, Effort::Normal),
    qr("qr-long", Level::First, 0.08, Look::Long(10), Effort::Normal),
    qr("qr-pairs", Level::First, 0.08, Look::Pairs(10), Effort::Normal),
    // Searches.
    DATA_MATRIX_GRID,
    qr("qr-micro", Level::First, 0.08, Look::Micro, Effort::Normal),
    qr("qr-twos-finer", Level::Finer, 0.05, Look::Twos, Effort::Normal),
    qr("qr-twos-double", Level::Double, 0.08, Look::Twos, Effort::Normal),
    qr("qr-pairs-dots", Level::Smoother, 0.08, Look::Pairs(10), Effort::Normal),
    // Everything.
    DATA_MATRIX,
    qr("qr-long-finer", Level::Finer, 0.05, Look::Long(20), Effort::Forensic),
    qr("qr-long-smooth", Level::Smooth, 0.05, Look::Long(20), Effort::Forensic),
    qr("qr-long-dots", Level::Smoother, 0.08, Look::Long(20), Effort::Forensic),
    qr("qr-long-half", Level::Half, 0.08, Look::Long(20), Effort::Forensic),
    qr("qr-long-double", Level::Double, 0.06, Look::Long(20), Effort::Forensic),
    qr("qr-long-wide", Level::First, 0.3, Look::Long(30), Effort::Forensic),
    qr("qr-long-near", Level::First, 0.03, Look::Long(60), Effort::Forensic),
    qr("qr-matched", Level::First, 0.08, Look::Matched(24), Effort::Forensic),
    qr("qr-matched-finer", Level::Finer, 0.08, Look::Matched(24), Effort::Forensic),
    qr("qr-alone", Level::First, 0.08, Look::Alone(16), Effort::Forensic),
    qr("qr-pairs-all", Level::First, 0.08, Look::Pairs(24), Effort::Forensic),
    qr("qr-pairs-half", Level::Half, 0.08, Look::Pairs(24), Effort::Forensic),
    qr("qr-pairs-finer", Level::Finer, 0.05, Look::Pairs(24), Effort::Forensic),
    qr("qr-pairs-double", Level::Double, 0.06, Look::Pairs(24), Effort::Forensic),
    qr("qr-pairs-near", Level::Smooth, 0.03, Look::Pairs(24), Effort::Forensic),
    qr("qr-pairs-far", Level::Smooth, 0.15, Look::Pairs(24), Effort::Forensic),
];

/// QR Code by a threshold over this share of the picture's shorter side.
const fn qr(name: &'static str, level: Level, share: f32, look: Look, least: Effort) -> Attempt {
    let beside = if matches!(look, Look::Easy) { Beside::ItsLike } else { Beside::Nothing };
    Attempt { name, level, way: Way::Qr { share, look }, least, beside }
}

/// The easy look for Data Matrix by a threshold over this many pixels to all sides.
const fn dm(name: &'static str, level: Level, radius: usize) -> Attempt {
    let way = Way::EasyDataMatrix { radius };
    Attempt { name, level, way, least: Effort::Quick, beside: Beside::ItsLike }
}

const DATA_MATRIX: Attempt = Attempt {
    name: "datamatrix",
    level: Level::Full,
    way: Way::DataMatrix,
    least: Effort::Forensic,
    beside: Beside::Nothing,
};

const DATA_MATRIX_GRID: Attempt =
    Attempt { name: "datamatrix-grid", way: Way::GridDataMatrix, least: Effort::Normal, ..DATA_MATRIX };

impl Attempt {
    const fn beside(self, beside: Beside) -> Self {
        Self { beside, ..self }
    }

    /// Whether it is made though a symbol was read, at this level for the first time.
    fn goes_on(&self, shown: (Level, bool), effort: Effort) -> bool {
        match self.beside {
            Beside::Nothing => false,
            Beside::ItsLike => {
                // Where modules have few pixels, one symbol is missed beside others; the next finer scale shows it.
                let finer = [(Level::First, Level::Finer), (Level::Finer, Level::Finest)];
                let its_scale = self.level == shown.0 || finer.contains(&(shown.0, self.level));
                let its_kind = !matches!(self.way, Way::Qr { .. } | Way::Rqrr) == shown.1;
                effort > Effort::Quick && its_scale && its_kind
            }
            Beside::Any(least) => effort >= least,
        }
    }

    /// Looks for symbols, only in the area `beside` those that were read if there is such.
    fn run(&self, levels: &mut Levels<'_>, found: &mut Found, effort: Effort, beside: Option<&Area>) {
        let explained = |p: Point| found.explains(p);
        let symbols = match self.way {
            Way::DataMatrix => Some(datamatrix::read_beside(levels.photo(), &explained, levels.work())),
            Way::GridDataMatrix => Some(datamatrix::lattice::read(levels.photo(), &explained, effort, levels.work())),
            _ => None,
        };
        if let Some(symbols) = symbols {
            found.add(symbols);
            return;
        }
        let sight = match self.way {
            Way::Qr { share, .. } => levels.sight(self.level, share),
            Way::EasyDataMatrix { radius } => levels.sight_within(self.level, radius),
            _ => None,
        };
        let Some((picture, scale)) = levels.get(self.level) else { return };
        for reversed in [false, true] {
            let explained = |p: Point| found.explains(Point::new(p.x * scale, p.y * scale));
            let within = |sight: &Sight| beside.map(|area| area.of(sight.tones.of(reversed), scale));
            let symbols = match (self.way, &sight) {
                (Way::Qr { look, .. }, Some(sight)) => {
                    let search = qr::Search { reversed, look, attempt: self.name };
                    scaled(qr::read(picture, sight, search, within(sight).as_ref(), &explained), scale)
                }
                (Way::EasyDataMatrix { .. }, Some(sight)) => {
                    let (bits, sought) = (sight.tones.of(reversed), within(sight));
                    let sought = sought.as_ref().unwrap_or(bits);
                    scaled(datamatrix::easy::read(picture, bits, sought, reversed, &explained), scale)
                }
                _ => fast::read(picture.luma(), reversed, scale, self.name),
            };
            found.add(symbols);
        }
    }
}

/// The symbols of a level, where they are in the photo.
fn scaled(mut symbols: Vec<Symbol>, scale: f32) -> Vec<Symbol> {
    for corner in symbols.iter_mut().flat_map(|s| &mut s.located.corners) {
        *corner = Point::new(corner.x * scale, corner.y * scale);
    }
    symbols
}

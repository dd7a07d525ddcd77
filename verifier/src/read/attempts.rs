//! The ways of reading a photo, cheap first, and the walk over them.

use super::geometry::Point;
use super::levels::{Level, Levels};
use super::qr::{self, Look};
use super::{Effort, Found, Luma, Symbol, datamatrix, fast};

/// Every symbol that the attempts of this effort find.
pub(super) fn read_all(luma: &Luma, effort: Effort) -> Vec<Symbol> {
    let mut found = Found::default();
    let mut levels = Levels::new(luma);
    for attempt in ATTEMPTS {
        if attempt.least <= effort && !(attempt.unless_found && found.any_decoded()) {
            attempt.run(&mut levels, &mut found, effort);
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
    /// For photos in which nothing was read so far.
    unless_found: bool,
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
    DataMatrix(Effort),
    /// Data Matrix whose finder patterns show whole, with a threshold over this many pixels to all sides.
    EasyDataMatrix {
        radius: usize,
    },
}

const ATTEMPTS: &[Attempt] = &[
    Attempt {
        name: "easy",
        level: Level::First,
        way: Way::Qr { share: 0.08, look: Look::Easy },
        least: Effort::Quick,
        unless_found: false,
    },
    Attempt {
        name: "datamatrix-easy",
        level: Level::First,
        way: Way::EasyDataMatrix { radius: 18 },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-near",
        level: Level::First,
        way: Way::Qr { share: 0.025, look: Look::Easy },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "datamatrix-easy-near",
        level: Level::First,
        way: Way::EasyDataMatrix { radius: 9 },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-finer",
        level: Level::Finer,
        way: Way::Qr { share: 0.05, look: Look::Easy },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "datamatrix-easy-finer",
        level: Level::Finer,
        way: Way::EasyDataMatrix { radius: 18 },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-finest",
        level: Level::Finest,
        way: Way::Qr { share: 0.03, look: Look::Easy },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "datamatrix-easy-half",
        level: Level::Half,
        way: Way::EasyDataMatrix { radius: 14 },
        least: Effort::Quick,
        unless_found: false,
    },
    Attempt {
        name: "easy-half",
        level: Level::Half,
        way: Way::Qr { share: 0.15, look: Look::Easy },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-double",
        level: Level::Double,
        way: Way::Qr { share: 0.08, look: Look::Easy },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "datamatrix-easy-double",
        level: Level::Double,
        way: Way::EasyDataMatrix { radius: 20 },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-smooth",
        level: Level::Smooth,
        way: Way::Qr { share: 0.06, look: Look::Easy },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-smoother",
        level: Level::Smoother,
        way: Way::Qr { share: 0.1, look: Look::Easy },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-fit",
        level: Level::First,
        way: Way::Qr { share: 0.08, look: Look::Fit },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-fit-near",
        level: Level::First,
        way: Way::Qr { share: 0.025, look: Look::Fit },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-fit-finer",
        level: Level::Finer,
        way: Way::Qr { share: 0.05, look: Look::Fit },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-fit-smoother",
        level: Level::Smoother,
        way: Way::Qr { share: 0.1, look: Look::Fit },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-twos",
        level: Level::First,
        way: Way::Qr { share: 0.08, look: Look::Twos },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-twos-near",
        level: Level::First,
        way: Way::Qr { share: 0.025, look: Look::Twos },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "easy-twos-smoother",
        level: Level::Smoother,
        way: Way::Qr { share: 0.1, look: Look::Twos },
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "qr",
        level: Level::First,
        way: Way::Qr { share: 0.08, look: Look::First },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-coarse",
        level: Level::Half,
        way: Way::Qr { share: 0.25, look: Look::First },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-fine",
        level: Level::Finer,
        way: Way::Qr { share: 0.04, look: Look::First },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "datamatrix",
        level: Level::Full,
        way: Way::DataMatrix(Effort::Quick),
        least: Effort::Quick,
        unless_found: true,
    },
    Attempt {
        name: "qr-micro",
        level: Level::First,
        way: Way::Qr { share: 0.08, look: Look::Micro },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-fit",
        level: Level::First,
        way: Way::Qr { share: 0.08, look: Look::Long(30) },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt { name: "rqrr", level: Level::First, way: Way::Rqrr, least: Effort::Normal, unless_found: true },
    Attempt {
        name: "qr-smooth",
        level: Level::Smooth,
        way: Way::Qr { share: 0.05, look: Look::Long(20) },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-pairs",
        level: Level::First,
        way: Way::Qr { share: 0.08, look: Look::Pairs },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-dots",
        level: Level::Smoother,
        way: Way::Qr { share: 0.08, look: Look::Long(20) },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-dots-pairs",
        level: Level::Smoother,
        way: Way::Qr { share: 0.08, look: Look::Pairs },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-half",
        level: Level::Half,
        way: Way::Qr { share: 0.08, look: Look::Long(20) },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-double",
        level: Level::Double,
        way: Way::Qr { share: 0.06, look: Look::Long(20) },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-wide",
        level: Level::First,
        way: Way::Qr { share: 0.3, look: Look::Long(20) },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-finer",
        level: Level::Finer,
        way: Way::Qr { share: 0.05, look: Look::Long(20) },
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "datamatrix",
        level: Level::Full,
        way: Way::DataMatrix(Effort::Normal),
        least: Effort::Normal,
        unless_found: true,
    },
    Attempt {
        name: "qr-half-pairs",
        level: Level::Half,
        way: Way::Qr { share: 0.08, look: Look::Pairs },
        least: Effort::Forensic,
        unless_found: true,
    },
    Attempt {
        name: "qr-finer-pairs",
        level: Level::Finer,
        way: Way::Qr { share: 0.05, look: Look::Pairs },
        least: Effort::Forensic,
        unless_found: true,
    },
    Attempt {
        name: "qr-double-pairs",
        level: Level::Double,
        way: Way::Qr { share: 0.06, look: Look::Pairs },
        least: Effort::Forensic,
        unless_found: true,
    },
    Attempt {
        name: "qr-near",
        level: Level::First,
        way: Way::Qr { share: 0.03, look: Look::Long(60) },
        least: Effort::Forensic,
        unless_found: true,
    },
    Attempt {
        name: "qr-near-pairs",
        level: Level::Smooth,
        way: Way::Qr { share: 0.03, look: Look::Pairs },
        least: Effort::Forensic,
        unless_found: true,
    },
    Attempt {
        name: "qr-far-pairs",
        level: Level::Smooth,
        way: Way::Qr { share: 0.15, look: Look::Pairs },
        least: Effort::Forensic,
        unless_found: true,
    },
];

impl Attempt {
    fn run(&self, levels: &mut Levels<'_>, found: &mut Found, effort: Effort) {
        if let Way::DataMatrix(least) = self.way {
            let effort = if least == Effort::Quick { least } else { effort };
            found.add(datamatrix::read_beside(levels.photo(), &|p| found.explains(p), effort));
            return;
        }
        let tones = match self.way {
            Way::Qr { share, .. } => levels.tones(self.level, share),
            Way::EasyDataMatrix { radius } => levels.tones_within(self.level, radius),
            _ => None,
        };
        let Some((picture, scale)) = levels.get(self.level) else { return };
        for reversed in [false, true] {
            let explained = |p: Point| found.explains(Point::new(p.x * scale, p.y * scale));
            let symbols = match (self.way, &tones) {
                (Way::Qr { look, .. }, Some(tones)) => {
                    let search = qr::Search { reversed, look, attempt: self.name };
                    scaled(qr::read(picture, tones, search, &explained), scale)
                }
                (Way::EasyDataMatrix { .. }, Some(tones)) => {
                    scaled(datamatrix::easy::read(picture.luma(), tones.of(reversed), reversed, &explained), scale)
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

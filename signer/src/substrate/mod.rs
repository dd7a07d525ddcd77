//! Strips, trays and other substrates: which of their units are good, and so get a mark, with the place of each.
//!
//! A map comes as XML in the manner of SEMI E142.1, or as a table. Places are counted as the map counts them: from its
//! origin, along its axes. The first mark is for the first good unit of the first row.

pub mod artwork;
mod e142;
pub mod geometry;
pub mod placed;
mod table;

use crate::error::{Error, Result};
use geometry::Layout;
use std::collections::BTreeMap;
use std::path::Path;

/// The most units of one substrate: far above any strip or wafer.
pub const MAX_UNITS: usize = 1 << 20;

/// A place on a substrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The row.
    pub y: u32,
    /// The place in the row.
    pub x: u32,
}

/// A unit that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The code of its bin, as the map spells it.
    pub bin: String,
    /// Whether it gets a mark.
    pub good: bool,
}

/// A substrate and its units.
#[derive(Debug, Clone, PartialEq)]
pub struct Substrate {
    /// Its id, as it is read from the strip.
    pub id: String,
    /// The lot, if the map says.
    pub lot: Option<String>,
    /// The units, row by row.
    pub units: BTreeMap<Place, Unit>,
    /// Where they are, as far as the map says.
    pub layout: Layout,
    /// Codes of bins that the map uses and does not define, where it defines bad ones too, with how many units have each.
    pub undefined: BTreeMap<String, usize>,
}

impl Substrate {
    /// The places of the units that get a mark, row by row.
    pub fn good(&self) -> impl Iterator<Item = (Place, &Unit)> {
        self.units.iter().filter(|(_, unit)| unit.good).map(|(place, unit)| (*place, unit))
    }

    /// Refuses more or fewer marks than there are good units.
    ///
    /// # Errors
    /// There are `marks`, and not as many good units.
    pub fn require_marks(&self, marks: usize) -> Result<()> {
        let good = self.good().count();
        if marks == good {
            return Ok(());
        }
        Err(Error::refused(format!("{marks} marks for {good} good units of substrate {:?}", self.id))
            .hint("nothing was placed: the map changed since the marks were asked for, or they are another strip's"))
    }

    fn put(&mut self, place: Place, unit: Unit) -> std::result::Result<(), String> {
        if self.units.len() >= MAX_UNITS {
            return Err(format!("more than {MAX_UNITS} units"));
        }
        match self.units.insert(place, unit) {
            None => Ok(()),
            Some(_) => Err(format!("the unit at x {}, y {} stands there twice", place.x, place.y)),
        }
    }
}

/// Which bins are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoodBins {
    /// Those that the map itself calls `Pass`; in a table without bins, all units.
    AsMapped,
    /// Those of these codes.
    Codes(Vec<String>),
}

impl GoodBins {
    /// Whether `bin` is good, where the map calls the bins in `passing` good.
    fn has(&self, bin: &str, passing: &[String]) -> bool {
        let codes = match self {
            Self::AsMapped => passing,
            Self::Codes(codes) => codes,
        };
        codes.iter().any(|code| code == bin)
    }
}

/// The substrate whose map is in `bytes`, which `path` names in messages. `id` picks one of several, and names one whose
/// map does not.
///
/// # Errors
/// It is no map, has several substrates or several maps of bins, or does not say which bins are good.
pub fn read(bytes: &[u8], path: &Path, good: &GoodBins, id: Option<&str>) -> Result<Substrate> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::file(path, "the map is not UTF-8"))?;
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let substrate = if text.starts_with('<') {
        e142::read(text, good, id).map_err(|e| Error { message: format!("{}: {e}", path.display()), ..e })?
    } else {
        table::read(bytes, path, good, id)?
    };
    if substrate.good().next().is_none() {
        return Err(Error::file(path, format_args!("substrate {:?} has no good unit", substrate.id))
            .hint("nothing is to be marked; `--good CODE` says which bins are good, where the map says it otherwise"));
    }
    Ok(substrate)
}

#[cfg(test)]
mod tests;

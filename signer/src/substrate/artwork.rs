//! Marks on their units: where the drawing of each comes to lie.

use super::Substrate;
use super::geometry::{Geometry, Mm};
use crate::error::{Error, Result};
use crate::render::{Artwork, Placed, Turn};

/// How each mark lies on its unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lie {
    /// The mark's middle from the unit's, in millimetres to the right and up.
    pub offset_mm: Mm,
    /// How it is turned.
    pub turn: Turn,
}

/// A mark for each good unit of `substrate`, in the order of both.
///
/// # Errors
/// There are more or fewer marks than good units; or a mark does not fit its unit.
pub fn placed(substrate: &Substrate, geometry: &Geometry, lie: Lie, marks: Vec<Artwork>) -> Result<Vec<Placed>> {
    substrate.require_marks(marks.len())?;
    marks.iter().try_for_each(|mark| fits(mark, geometry, lie))?;
    let on_unit = |((place, _), artwork)| {
        let (x, y) = geometry.middle(place)?;
        Ok(Placed { artwork, middle_mm: (x + lie.offset_mm.0, y + lie.offset_mm.1), turn: lie.turn })
    };
    substrate.good().zip(marks).map(on_unit).collect()
}

/// Refuses a mark that is larger than its unit, or, where that is not known, than the distance to the next.
fn fits(mark: &Artwork, geometry: &Geometry, lie: Lie) -> Result<()> {
    let (width, height) = mark.size_mm();
    let (wide, high) = match lie.turn {
        Turn::None | Turn::Half => (width, height),
        Turn::Quarter | Turn::ThreeQuarters => (height, width),
    };
    let (room, what) = match geometry.unit_mm {
        Some(unit) => (unit, "unit"),
        None => (geometry.pitch_mm(), "distance from unit to unit"),
    };
    // The unit reaches as far to both sides of its middle; of the distance to the next any part may be used.
    let shift = if geometry.unit_mm.is_some() { lie.offset_mm } else { (0.0, 0.0) };
    // A hair of tolerance for sums of rounded numbers.
    if wide + 2.0 * shift.0.abs() <= room.0 + 1e-6 && high + 2.0 * shift.1.abs() <= room.1 + 1e-6 {
        return Ok(());
    }
    let (x, y) = lie.offset_mm;
    let off = if (x, y) == (0.0, 0.0) { String::new() } else { format!(", {x}, {y} mm off the middle,") };
    Err(Error::refused(format!(
        "a mark of {wide:.2} x {high:.2} mm with quiet zone{off} does not fit the {what} of {:.2} x {:.2} mm",
        room.0, room.1
    ))
    .hint(
        "`touchmark-sign plan --package WIDTHxHEIGHT` shows what does; smaller --module-mm, another --shape, or --turn",
    ))
}

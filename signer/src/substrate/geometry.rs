//! Where units are on their substrate, in millimetres: from the layouts of a map (SEMI E142.1), or as the engineer says.
//!
//! Coordinates are those of the substrate as it lies with its top side up: x to the right and y up, from its lower left
//! corner.

use super::{Place, Substrate};
use crate::error::{Error, Result};
use std::str::FromStr;

/// A width and a height, or x and y, in millimetres.
pub type Mm = (f64, f64);

/// The longest side of a substrate, in millimetres: a panel's.
const MAX_MM: f64 = 1000.0;

/// The corner where the unit with x 0 and y 0 is; x and y count away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Corner {
    /// x to the right, y up.
    LowerLeft,
    /// x to the left, y up.
    LowerRight,
    /// x to the right, y down.
    UpperLeft,
    /// x to the left, y down.
    UpperRight,
}

impl Corner {
    /// All corners.
    pub const ALL: [Self; 4] = [Self::LowerLeft, Self::LowerRight, Self::UpperLeft, Self::UpperRight];

    /// Whether x counts to the left, and y down.
    fn backwards(self) -> (bool, bool) {
        (matches!(self, Self::LowerRight | Self::UpperRight), matches!(self, Self::UpperLeft | Self::UpperRight))
    }

    /// `lower-left` and so on.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LowerLeft => "lower-left",
            Self::LowerRight => "lower-right",
            Self::UpperLeft => "upper-left",
            Self::UpperRight => "upper-right",
        }
    }
}

impl FromStr for Corner {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|corner| corner.name() == text)
            .ok_or("lower-left, lower-right, upper-left, upper-right")
    }
}

/// Rows and columns of units, or of further arrays.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Array {
    /// Columns and rows, at least 1.
    pub count: (u32, u32),
    /// The lower left corner of the one at the lower left, from the lower left corner of what the array is in.
    pub corner_mm: Mm,
    /// From one to the next.
    pub pitch_mm: Mm,
}

/// What a map says of its layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Where its counting begins, if it says; or why that makes no sense.
    pub origin: std::result::Result<Option<Corner>, String>,
    /// The whole substrate.
    pub size_mm: Option<Mm>,
    /// A unit.
    pub unit_mm: Option<Mm>,
    /// The arrays that the units are in, the outermost first; or why they are not known.
    pub arrays: std::result::Result<Vec<Array>, String>,
}

impl Default for Layout {
    /// That of a map without any.
    fn default() -> Self {
        let arrays = Err("the map does not say where its units are".to_owned());
        Self { origin: Ok(None), size_mm: None, unit_mm: None, arrays }
    }
}

/// What is known better than from the map.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Given {
    /// Where counting begins.
    pub origin: Option<Corner>,
    /// The whole substrate.
    pub size_mm: Option<Mm>,
    /// The middle of the unit with x 0 and y 0, and from one unit to the next.
    pub grid_mm: Option<(Mm, Mm)>,
    /// A unit.
    pub unit_mm: Option<Mm>,
}

/// Where units are.
#[derive(Debug, Clone, PartialEq)]
pub struct Geometry {
    /// The whole substrate.
    pub size_mm: Mm,
    /// A unit, where its size is known.
    pub unit_mm: Option<Mm>,
    origin: Corner,
    grid: Grid,
}

#[derive(Debug, Clone, PartialEq)]
enum Grid {
    /// The middle of the unit with x 0 and y 0, and from one unit to the next.
    Even { first: Mm, pitch: Mm },
    /// The middle of a unit from its lower left corner, and the arrays.
    Nested { middle: Mm, arrays: Vec<Array> },
}

impl Geometry {
    /// The geometry of `substrate`, where `given` has the word.
    ///
    /// # Errors
    /// Neither says what is needed, or it makes no sense.
    pub fn new(substrate: &Substrate, given: &Given) -> Result<Self> {
        let layout = &substrate.layout;
        // What SEMI E142.1 takes for granted where a map says nothing.
        let origin = match (given.origin, &layout.origin) {
            (Some(corner), _) => corner,
            (None, Ok(corner)) => corner.unwrap_or(Corner::LowerLeft),
            (None, Err(why)) => return Err(Error::unusable(why.clone()).hint("say --origin CORNER")),
        };
        let size_mm = given.size_mm.or(layout.size_mm).ok_or_else(|| {
            Error::unusable("the map does not say how large the substrate is").hint("say --size-mm WIDTH,HEIGHT")
        })?;
        let unit_mm = given.unit_mm.or(layout.unit_mm);
        let grid = match (given.grid_mm, &layout.arrays) {
            (Some((first, pitch)), _) => Grid::Even { first, pitch },
            (None, Ok(arrays)) => {
                let unit = unit_mm.ok_or_else(|| {
                    Error::unusable("the map does not say how large a unit is").hint("say --unit-mm WIDTH,HEIGHT")
                })?;
                Grid::Nested { middle: (unit.0 / 2.0, unit.1 / 2.0), arrays: arrays.clone() }
            }
            (None, Err(why)) => {
                return Err(Error::unusable(why.clone()).hint(
                    "say --first-mm X,Y (the middle of the unit with x 0 and y 0, from the lower left corner of the substrate) \
                     and --pitch-mm X,Y",
                ));
            }
        };
        let (width, height) = size_mm;
        if !((0.0..=MAX_MM).contains(&width) && (0.0..=MAX_MM).contains(&height)) {
            return Err(Error::unusable(format!("a substrate of {width} x {height} mm: the largest has {MAX_MM} mm")));
        }
        let geometry = Self { size_mm, unit_mm, origin, grid };
        for place in substrate.units.keys() {
            let (x, y) = geometry.middle(*place)?;
            if !((0.0..=width).contains(&x) && (0.0..=height).contains(&y)) {
                return Err(Error::unusable(format!(
                    "the unit at x {}, y {} would be at {x:.3}, {y:.3} mm, outside the substrate of {width} x {height} mm",
                    place.x, place.y
                ))
                .hint(format!("counting begins at the {} corner; --origin says otherwise", origin.name())));
            }
        }
        Ok(geometry)
    }

    /// The corner where counting begins.
    #[must_use]
    pub fn origin(&self) -> Corner {
        self.origin
    }

    /// From one unit to the next, the smaller of all distances.
    #[must_use]
    pub fn pitch_mm(&self) -> Mm {
        match &self.grid {
            Grid::Even { pitch, .. } => *pitch,
            Grid::Nested { arrays, .. } => {
                let least = |axis: fn(&Array) -> (u32, f64)| {
                    let pitches = arrays.iter().map(axis).filter(|(count, _)| *count > 1).map(|(_, pitch)| pitch);
                    pitches.fold(f64::INFINITY, f64::min)
                };
                (least(|array| (array.count.0, array.pitch_mm.0)), least(|array| (array.count.1, array.pitch_mm.1)))
            }
        }
    }

    /// The middle of the unit at `place`.
    ///
    /// # Errors
    /// The layout has no such place.
    pub fn middle(&self, place: Place) -> Result<Mm> {
        let (leftwards, down) = self.origin.backwards();
        match &self.grid {
            Grid::Even { first, pitch } => {
                let along = |steps: u32, pitch: f64, backwards: bool| {
                    let distance = f64::from(steps) * pitch;
                    if backwards { -distance } else { distance }
                };
                Ok((first.0 + along(place.x, pitch.0, leftwards), first.1 + along(place.y, pitch.1, down)))
            }
            Grid::Nested { middle, arrays } => {
                let axis = |n: u32, backwards: bool, of: fn(&Array) -> (u32, f64, f64)| {
                    let total: u64 = arrays.iter().map(|array| u64::from(of(array).0)).product();
                    let n = u64::from(n);
                    let mut left = if backwards { total.checked_sub(1)?.checked_sub(n)? } else { n };
                    let mut at = 0.0;
                    // The innermost array counts fastest.
                    for (count, corner, pitch) in arrays.iter().rev().map(of) {
                        let count = u64::from(count.max(1));
                        at += corner + (left % count) as f64 * pitch;
                        left /= count;
                    }
                    (left == 0).then_some(at)
                };
                let x = axis(place.x, leftwards, |array| (array.count.0, array.corner_mm.0, array.pitch_mm.0));
                let y = axis(place.y, down, |array| (array.count.1, array.corner_mm.1, array.pitch_mm.1));
                let (x, y) = x.zip(y).ok_or_else(|| {
                    Error::unusable(format!("the unit at x {}, y {} is beyond the map's own layout", place.x, place.y))
                        .hint("say --first-mm X,Y and --pitch-mm X,Y, if the layout in the map is another substrate's")
                })?;
                Ok((x + middle.0, y + middle.1))
            }
        }
    }
}

/// Two numbers between a comma or an `x`, as in `250,70`.
///
/// # Errors
/// They are not.
pub fn pair(text: &str) -> std::result::Result<Mm, String> {
    let numbers = text.split_once(',').or_else(|| text.split_once('x'));
    let number =
        |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() <= MAX_MM);
    let found = numbers.and_then(|(a, b)| number(a).zip(number(b)));
    found.ok_or_else(|| format!("two numbers of millimetres up to {MAX_MM}, as in 250,70"))
}

#[cfg(test)]
mod tests;

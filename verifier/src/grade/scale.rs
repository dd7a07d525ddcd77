//! The scale of grades and the thresholds of each parameter.

use serde::{Serialize, Serializer};
use std::fmt;

/// A grade of ISO/IEC 15415, clause 5.2: A (4) is best, F (0) fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grade(u8);

impl Grade {
    /// 4.
    pub const A: Self = Self(4);
    /// 3.
    pub const B: Self = Self(3);
    /// 2.
    pub const C: Self = Self(2);
    /// 1.
    pub const D: Self = Self(1);
    /// 0.
    pub const F: Self = Self(0);
    /// From the best to the worst.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::F];

    /// 0 to 4.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// `A`, `B`, `C`, `D` or `F`.
    #[must_use]
    pub fn letter(self) -> &'static str {
        ["F", "D", "C", "B", "A"].get(usize::from(self.0)).copied().unwrap_or("F")
    }

    /// The grade of a value of which more is better, by the least values of A to D.
    pub(super) fn at_least(value: f32, least: [f32; 4]) -> Self {
        Self::first(least.map(|least| value >= least))
    }

    /// The grade of a value of which less is better, by the largest values of A to D.
    pub(super) fn at_most(value: f32, most: [f32; 4]) -> Self {
        Self::first(most.map(|most| value <= most))
    }

    fn first(reached: [bool; 4]) -> Self {
        let grade = Self::ALL.into_iter().zip(reached).find(|(_, reached)| *reached);
        grade.map_or(Self::F, |(grade, _)| grade)
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letter())
    }
}

impl Serialize for Grade {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.letter())
    }
}

impl std::str::FromStr for Grade {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|grade| grade.letter().eq_ignore_ascii_case(text));
        known.ok_or_else(|| "a grade is A, B, C, D or F".into())
    }
}

/// Least values of A to D, or the largest where less is better.
pub(super) mod thresholds {
    /// Symbol contrast, ISO/IEC 15415, table 5.
    pub(crate) const SYMBOL_CONTRAST: [f32; 4] = [0.70, 0.55, 0.40, 0.20];
    /// Cell contrast, ISO/IEC 29158.
    pub(crate) const CELL_CONTRAST: [f32; 4] = [0.30, 0.25, 0.20, 0.15];
    /// Modulation and reflectance margin of a module, ISO/IEC 15415, table 6; cell modulation, ISO/IEC 29158.
    pub(crate) const MODULATION: [f32; 4] = [0.50, 0.40, 0.30, 0.20];
    /// Axial non-uniformity (largest), ISO/IEC 15415, table 8.
    pub(crate) const AXIAL: [f32; 4] = [0.06, 0.08, 0.10, 0.12];
    /// Grid non-uniformity (largest, in modules), ISO/IEC 15415, table 9.
    pub(crate) const GRID: [f32; 4] = [0.38, 0.50, 0.63, 0.75];
    /// Unused error correction, ISO/IEC 15415, table 10.
    pub(crate) const UNUSED: [f32; 4] = [0.62, 0.50, 0.37, 0.25];
    /// Share of damaged modules (largest) of a solid border of Data Matrix or its quiet zone, ISO/IEC 16022, table M.1.
    pub(crate) const SOLID: [f32; 4] = [0.0, 0.09, 0.13, 0.17];
    /// Share of damaged modules (largest) of a timing pattern of Data Matrix or the area beside it, ISO/IEC 16022, annex M.
    pub(crate) const CLOCK: [f32; 4] = [0.10, 0.15, 0.20, 0.25];
    /// Transition ratio (largest) beside a timing pattern of Data Matrix, ISO/IEC 16022, annex M.
    pub(crate) const TRANSITIONS: [f32; 4] = [0.06, 0.08, 0.10, 0.12];
    /// Damaged modules (largest) of a finder pattern of QR Code with its surroundings, ISO/IEC 18004, annex G.
    pub(crate) const FINDER: [f32; 4] = [0.0, 1.0, 2.0, 3.0];
    /// Share of damaged modules (largest) of a timing pattern of QR Code, ISO/IEC 18004, annex G.
    pub(crate) const TIMING: [f32; 4] = [0.0, 0.07, 0.11, 0.14];
    /// Share of damaged modules (largest) of the alignment patterns of QR Code, ISO/IEC 18004, annex G.
    pub(crate) const ALIGNMENT: [f32; 4] = [0.0, 0.10, 0.20, 0.30];
    /// Mean grade of all segments, ISO/IEC 16022 and 18004 likewise.
    pub(crate) const AVERAGE: [f32; 4] = [4.0, 3.5, 3.0, 2.5];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_belong_to_the_better_grade() {
        for (value, grade) in [(0.62, "A"), (0.619, "B"), (0.5, "B"), (0.37, "C"), (0.25, "D"), (0.249, "F")] {
            assert_eq!(Grade::at_least(value, thresholds::UNUSED).letter(), grade, "{value}");
        }
        for (value, grade) in [(0.0, "A"), (0.06, "A"), (0.061, "B"), (0.12, "D"), (0.121, "F"), (f32::NAN, "F")] {
            assert_eq!(Grade::at_most(value, thresholds::AXIAL).letter(), grade, "{value}");
        }
        assert!(Grade::A > Grade::B && "d".parse() == Ok(Grade::D) && "E".parse::<Grade>().is_err());
    }
}

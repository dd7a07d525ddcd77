//! Packages and the area on their top that a mark may use.

use super::PlanError;

/// Margin at each side of the body that stays free of print: mould draft, ejector marks and the pin 1 mark need it.
pub const KEEP_OUT_MM: f64 = 0.2;

/// A package that a mark shall fit on.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// Name, as in [`PACKAGES`], or its size as it was given.
    pub name: String,
    /// Nominal width and height of the body in millimetres, without leads.
    pub body_mm: (f64, f64),
    /// Margin at each side that the mark must keep clear of, in millimetres.
    pub keep_out_mm: f64,
}

/// A package that is known by name.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Known {
    /// Its usual name.
    pub name: &'static str,
    /// The JEDEC outline that its body size is from.
    pub outline: &'static str,
    /// Nominal width and height of the body in millimetres, without leads.
    pub body_mm: (f64, f64),
}

/// The packages known by name, smallest first.
pub const PACKAGES: [Known; 21] = [
    known("SC-70", "MO-203", 2.0, 1.25),
    known("SOT-23", "TO-236", 2.9, 1.3),
    known("SOT-23-6", "MO-178", 2.9, 1.6),
    known("DFN 2x2", "MO-229", 2.0, 2.0),
    known("QFN 3x3", "MO-220", 3.0, 3.0),
    known("MSOP-8", "MO-187", 3.0, 3.0),
    known("TSSOP-8", "MO-153", 3.0, 4.4),
    known("QFN 4x4", "MO-220", 4.0, 4.0),
    known("SOIC-8", "MS-012", 4.9, 3.9),
    known("TSSOP-16", "MO-153", 5.0, 4.4),
    known("QFN 5x5", "MO-220", 5.0, 5.0),
    known("BGA 5x5", "MO-195", 5.0, 5.0),
    known("TSSOP-20", "MO-153", 6.5, 4.4),
    known("SOIC-14", "MS-012", 8.65, 3.9),
    known("SOIC-16", "MS-012", 9.9, 3.9),
    known("QFN 7x7", "MO-220", 7.0, 7.0),
    known("TQFP-48", "MS-026", 7.0, 7.0),
    known("TSSOP-28", "MO-153", 9.7, 4.4),
    known("TQFP-64", "MS-026", 10.0, 10.0),
    known("BGA 10x10", "MO-195", 10.0, 10.0),
    known("TQFP-100", "MS-026", 14.0, 14.0),
];

const fn known(name: &'static str, outline: &'static str, width: f64, height: f64) -> Known {
    Known { name, outline, body_mm: (width, height) }
}

impl Package {
    /// A package from its name (capitals, spaces and hyphens do not matter) or its width x height in millimetres.
    ///
    /// # Errors
    /// [`PlanError::UnknownPackage`], [`PlanError::PackageSize`].
    pub fn parse(text: &str, keep_out_mm: f64) -> Result<Self, PlanError> {
        let named = PACKAGES.iter().find(|known| plain(known.name) == plain(text));
        let unknown = || PlanError::UnknownPackage(text.chars().take(64).collect());
        let (name, body_mm) = match named {
            Some(known) => (known.name.to_owned(), known.body_mm),
            None => (text.trim().to_owned(), dimensions(text).ok_or_else(unknown)?),
        };
        let usable = |side: f64| (0.5..=200.0).contains(&side) && side > 2.0 * keep_out_mm;
        match keep_out_mm >= 0.0 && usable(body_mm.0) && usable(body_mm.1) {
            true => Ok(Self { name, body_mm, keep_out_mm }),
            false => Err(PlanError::PackageSize(body_mm.0, body_mm.1)),
        }
    }

    /// Width and height in millimetres that a mark with its quiet zone may take.
    #[must_use]
    pub fn usable_mm(&self) -> (f64, f64) {
        let inside = |side: f64| side - 2.0 * self.keep_out_mm;
        (inside(self.body_mm.0), inside(self.body_mm.1))
    }
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// `4.9x3.9`, with or without spaces and a unit.
fn dimensions(text: &str) -> Option<(f64, f64)> {
    let lower = text.trim().to_ascii_lowercase();
    let (width, height) = lower.trim_end_matches("mm").split_once('x')?;
    Some((width.trim().parse().ok()?, height.trim().parse().ok()?))
}

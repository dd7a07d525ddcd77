//! Whether timing patterns begin at the ends of two arms: a few looks at pixels that save the search for a whole symbol
//! nearly everywhere that there is none.

use super::arm::{Ell, plus, scaled, solid};
use crate::read::geometry::Point;
use crate::read::tones::Bits;

/// Modules that are seen in turn, from the first light one on.
const RUNS: usize = 5;
/// How far inside the symbol's border a timing pattern is sought, in thicknesses of the arm that is opposite.
const INSETS: [f32; 2] = [0.35, 0.7];
/// How steeply the far side may lean against the arm: the symbol may be seen at a slant.
const LEANS: [f32; 7] = [0.0, -0.08, 0.08, -0.17, 0.17, -0.27, 0.27];
/// Pixels from look to look.
const STEP: f32 = 0.5;

/// Whether modules are dark and light in turn from the end of each arm along the far side that begins there.
pub(super) fn begin(bits: &Bits, ell: &Ell) -> bool {
    let (right, up) = (ell.corner.right, ell.corner.up);
    let (along, above) = (scaled(right, 1.0 / right.length()), scaled(up, 1.0 / up.length()));
    let (lower, left) = ell.thick;
    let upper_side = Side { from: plus(ell.corner.origin, up), along, out: above, module: left, inset: lower };
    let right_side =
        Side { from: plus(ell.corner.origin, right), along: above, out: along, module: lower, inset: left };
    upper_side.begins(bits) && right_side.begins(bits)
}

/// A far side of a symbol, as the arms have it.
struct Side {
    from: Point,
    along: Point,
    /// Away from the symbol.
    out: Point,
    /// Thickness of the arm that it begins at, and of the other: about a module each.
    module: f32,
    inset: f32,
}

impl Side {
    fn begins(&self, bits: &Bits) -> bool {
        INSETS.into_iter().any(|inset| {
            let from = plus(self.from, scaled(self.out, -inset * self.inset));
            LEANS.into_iter().any(|lean| self.alternates(bits, from, plus(self.along, scaled(self.out, lean))))
        })
    }

    /// Whether light and dark runs follow each other on a line, each two of them about as long as two modules.
    fn alternates(&self, bits: &Bits, from: Point, way: Point) -> bool {
        let two = 2.0 * (0.65 * self.module - 0.4).max(0.7)..=2.0 * (1.4 * self.module + 0.6);
        let farthest = (RUNS + 1) as f32 * 0.75 * two.end();
        let (mut changes, mut count, mut at) = ([0.0f32; RUNS + 1], 0, STEP);
        while at < farthest {
            // The line begins on the arm, which is solid.
            if solid(bits, plus(from, scaled(way, at))) == (count % 2 == 1) {
                changes[count] = at;
                if count >= 2 && !two.contains(&(at - changes[count - 2])) {
                    return false;
                }
                count += 1;
                if count > RUNS {
                    return changes[0] < *two.end();
                }
            }
            at += STEP;
        }
        false
    }
}

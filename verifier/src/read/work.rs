//! A budget of work, counted and not timed: the same photo gives the same answer on every machine, and an empty or a
//! hostile one is given up in bounded time.

use super::Effort;
use std::cell::Cell;
use std::rc::Rc;

/// What is left of a budget. A unit is a grey level looked at between pixels, which takes some ten nanoseconds; a pass over
/// all pixels of a picture counts as one unit for every [`PASS`] of them. Searches ask before each new supposition, so that
/// no more is overdrawn than one of them costs.
#[derive(Debug, Clone)]
pub(crate) struct Work(Rc<Cell<u64>>);

/// Units that it costs to judge and to decode a module, beside those to look at it.
pub(super) const DECODING: usize = 16;

/// Pixels that are passed over at the cost of a unit.
const PASS: usize = 4;
/// Pixels of a photo that count for its budget, at most: larger ones are searched at a coarser scale.
const MOST_PIXELS: usize = 1 << 20;

impl Work {
    /// What a photo of so many pixels may cost: enough for every symbol in it that the effort is made for. Photos of a
    /// megapixel and more have all that there is, at normal effort about a second's worth.
    pub(super) fn of(effort: Effort, pixels: usize) -> Self {
        let (least, each) = match effort {
            Effort::Quick => (1_000_000, 20),
            Effort::Normal => (2_000_000, 100),
            Effort::Forensic => (40_000_000, 2_000),
        };
        Self(Rc::new(Cell::new(least + each * pixels.min(MOST_PIXELS) as u64)))
    }

    /// Without end: for a place that somebody pointed at.
    pub(crate) fn unlimited() -> Self {
        Self(Rc::new(Cell::new(u64::MAX)))
    }

    /// Spends a unit.
    #[inline]
    pub(crate) fn look(&self) {
        self.0.set(self.0.get().saturating_sub(1));
    }

    /// Spends so many units.
    pub(crate) fn take(&self, units: usize) {
        self.0.set(self.0.get().saturating_sub(units as u64));
    }

    /// Spends what a pass over so many pixels costs.
    pub(crate) fn pass(&self, pixels: usize) {
        self.take(pixels / PASS);
    }

    /// Whether nothing is left.
    pub(crate) fn spent(&self) -> bool {
        self.0.get() == 0
    }

    #[cfg(test)]
    pub(super) fn left(&self) -> u64 {
        self.0.get()
    }
}

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

/// Units that are left once a symbol was read.
const BESIDE: u64 = 3_000_000;
/// Units that it costs to judge and to decode a module, beside those to look at it.
pub(super) const DECODING: usize = 16;
/// The same, once more, for a module of a symbol that does not decode: every way to correct it was tried.
pub(super) const LOST: usize = 80;
/// What it costs to look at a pixel for grids, and at a module of a grid for symbols of every size.
pub(super) const SPECTRUM: usize = 8;
pub(super) const PLACES: usize = 120;
/// What it costs, for a module, to fit a symbol by all that is known of it.
pub(super) const FITTING: usize = 200;

/// Pixels that are passed over at the cost of a unit.
const PASS: usize = 4;
/// Pixels of a photo that count for its budget, at most: larger ones are searched at a coarser scale.
const MOST_PIXELS: usize = 1 << 20;

impl Work {
    /// What a photo of so many pixels may cost: enough for every symbol in it that the effort is made for. Photos of a
    /// megapixel and more have all that there is, at normal effort about half a second's worth.
    pub(super) fn of(effort: Effort, pixels: usize) -> Self {
        let (least, each) = match effort {
            Effort::Quick => (1_000_000, 16),
            Effort::Normal => (4_000_000, 60),
            Effort::Forensic => (100_000_000, 2_500),
        };
        Self(Rc::new(Cell::new(least + each * pixels.min(MOST_PIXELS) as u64)))
    }

    /// Without end: for a place that somebody pointed at.
    pub(crate) fn unlimited() -> Self {
        Self(Rc::new(Cell::new(u64::MAX)))
    }

    /// Leaves no more than what others may cost that stand beside a symbol that was read, which have been looked at easily.
    pub(super) fn spare(&self, effort: Effort) {
        if effort < Effort::Forensic {
            self.0.set(self.0.get().min(BESIDE));
        }
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

    /// Whether so many units are left.
    pub(crate) fn affords(&self, units: usize) -> bool {
        self.0.get() >= units as u64
    }

    /// Whether nothing is left.
    pub(crate) fn spent(&self) -> bool {
        self.0.get() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(effort: Effort, pixels: usize) -> u64 {
        Work::of(effort, pixels).0.get()
    }

    #[test]
    fn more_effort_may_cost_more_and_large_photos_no_more_than_a_megapixel() {
        for pixels in [0, 10_000, 1_000_000, 48_000_000] {
            assert!(left(Effort::Quick, pixels) < left(Effort::Normal, pixels));
            assert!(left(Effort::Normal, pixels) < left(Effort::Forensic, pixels));
        }
        assert_eq!(left(Effort::Normal, 12_000_000), left(Effort::Normal, 48_000_000));
    }

    #[test]
    fn what_is_spent_is_spent_for_all_that_share_it() {
        let work = Work::of(Effort::Quick, 0);
        let same = work.clone();
        work.take(999_999);
        assert!(same.affords(1) && !same.spent());
        same.look();
        assert!(work.spent() && !work.affords(1));
        work.pass(100);
        assert!(work.spent(), "less than nothing is nothing");
    }
}

//! How many serials to reserve at once.

use std::time::{Duration, Instant};

/// Serials that are used up sooner than this were too few: to reserve some takes the store a commit of its own, which the
/// mark that needs them waits for.
const TOO_SOON: Duration = Duration::from_secs(5);
/// Serials that last longer than this were too many: what an idle line has reserved no other line can use.
const TOO_LATE: Duration = Duration::from_secs(60);
/// How much more than asked for is reserved at most.
const MOST: u64 = 32;

/// The serials that a line reserves at once: a number at first, twice as many where they are used up soon, and fewer again
/// where they are not.
#[derive(Debug)]
pub(super) struct Appetite {
    least: u64,
    now: u64,
    since: Option<Instant>,
}

impl Appetite {
    pub(super) fn new(least: u64) -> Self {
        Self { least: least.max(1), now: least.max(1), since: None }
    }

    /// How many to reserve at `at`, where those reserved last are used up.
    pub(super) fn next(&mut self, at: Instant) -> u64 {
        let lasted = self.since.replace(at).map(|since| at.saturating_duration_since(since));
        self.now = match lasted {
            Some(lasted) if lasted < TOO_SOON => self.now.saturating_mul(2).min(self.least.saturating_mul(MOST)),
            Some(lasted) if lasted > TOO_LATE => (self.now / 2).max(self.least),
            _ => self.now,
        };
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_line_reserves_more_and_an_idle_one_less_again() {
        let start = Instant::now();
        let mut appetite = Appetite::new(1000);
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        assert_eq!(appetite.next(at(0)), 1000, "nobody knows yet");
        assert_eq!(appetite.next(at(1)), 2000);
        assert_eq!(appetite.next(at(3)), 4000);
        assert_eq!(appetite.next(at(10)), 4000, "these lasted");
        assert_eq!((0..20).map(|_| appetite.next(at(11))).last(), Some(32_000));
        assert_eq!(appetite.next(at(100)), 16_000);
        assert_eq!((2..20).map(|n| appetite.next(at(100 * n))).last(), Some(1000));
    }
}

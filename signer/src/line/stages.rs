//! Where the time of a request goes: a histogram for each stage between taking it and having its answer.

use std::array::from_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A stage; the first and the last are passed by each request, the others by all that share a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// From when the request was taken to when its commit begins.
    Wait,
    /// The rules: limits, look-ups, and reserving serials where none are left.
    Rules,
    /// Signing on all cores, and checking each signature.
    Sign,
    /// Writing rows.
    Write,
    /// Making them durable.
    Sync,
    /// Telling the witness.
    Witness,
    /// From when the marks are durable to when the answer has its form.
    Answer,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 7] =
        [Self::Wait, Self::Rules, Self::Sign, Self::Write, Self::Sync, Self::Witness, Self::Answer];

    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::Rules => "rules",
            Self::Sign => "sign",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Witness => "witness",
            Self::Answer => "answer",
        }
    }
}

/// Upper ends of the histograms' buckets, in microseconds; what takes longer is counted beyond the last.
pub const BUCKETS: [u64; 14] =
    [20, 50, 100, 200, 500, 1000, 1500, 2000, 3000, 5000, 10_000, 20_000, 100_000, 1_000_000];

/// The histograms; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Stages(Arc<[Histogram; Stage::ALL.len()]>);

#[derive(Debug, Default)]
struct Histogram {
    counts: [AtomicU64; BUCKETS.len()],
    all: AtomicU64,
    nanoseconds: AtomicU64,
}

/// What a histogram says at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Passed {
    /// How often the stage took no longer than each of [`BUCKETS`].
    pub within: [u64; BUCKETS.len()],
    /// How often it was passed.
    pub count: u64,
    /// Seconds of all times together.
    pub seconds: f64,
}

impl Stages {
    /// Notes that a stage took `time`.
    pub fn note(&self, stage: Stage, time: Duration) {
        let Some(histogram) = self.0.get(stage as usize) else { return };
        let bucket = BUCKETS.iter().position(|end| time <= Duration::from_micros(*end));
        if let Some(count) = bucket.and_then(|n| histogram.counts.get(n)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        histogram.all.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        histogram.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Does `work`, and notes how long it took.
    pub fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        self.note(stage, start.elapsed());
        done
    }

    /// Every stage with what it took so far.
    pub fn passed(&self) -> impl Iterator<Item = (Stage, Passed)> {
        Stage::ALL.into_iter().zip(self.0.iter().map(Histogram::passed))
    }
}

impl Histogram {
    fn passed(&self) -> Passed {
        let mut sum = 0;
        let count = |n: usize| self.counts.get(n).map_or(0, |count| count.load(Ordering::Relaxed));
        let within = from_fn(|n| {
            sum += count(n);
            sum
        });
        let seconds = Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64();
        Passed { within, count: self.all.load(Ordering::Relaxed), seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_their_buckets() {
        let stages = Stages::default();
        for micros in [20, 21, 5_000_000] {
            stages.note(Stage::Sync, Duration::from_micros(micros));
        }
        let (_, sync) = stages.passed().find(|(stage, _)| *stage == Stage::Sync).unwrap();
        assert_eq!((sync.within[0], sync.within[1], sync.within[13], sync.count), (1, 2, 2, 3));
        assert!((sync.seconds - 5.000_041).abs() < 1e-9);
        assert!(stages.passed().filter(|(stage, _)| *stage != Stage::Sync).all(|(_, passed)| passed.count == 0));
        assert!(Stage::ALL.iter().enumerate().all(|(n, stage)| *stage as usize == n));
    }
}

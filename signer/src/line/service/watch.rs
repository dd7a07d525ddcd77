//! Whether the line can issue marks: what is known of its store and of its key, from what they did last, and from a try
//! where they did nothing for a while or failed.

use crate::error::{Error, Kind, Result};
use crate::line::issuer::{Done, Issuer};
use crate::line::log::{Level, event};
use crate::line::store::Counts;
use jiff::Timestamp;
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often the counts are read anew while nobody asks.
pub(super) const COUNT: Duration = Duration::from_secs(1);
/// How long what failed is taken to fail, unless it works before; then it is tried. A full disk can be read, and takes a
/// little now and then.
const DOUBT: Duration = Duration::from_secs(3);
/// How long a key that nobody needed is taken to work: a token may be drawn out while the line has nothing to do.
const IDLE: Duration = Duration::from_secs(5);

/// How the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Serials by state, when they were last counted.
    pub counts: Counts,
    /// Of those reserved, the ones that this line will give back.
    pub own: u64,
    /// The store.
    pub store: Condition,
    /// The key.
    pub key: Condition,
}

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Condition {
    /// Whether it does.
    pub ok: bool,
    /// Since when that is so.
    pub since: Timestamp,
}

/// What can fail.
#[derive(Debug, Clone, Copy)]
enum Part {
    Store,
    Key,
}

/// Keeps the health of one line.
pub(super) struct Watch {
    health: Arc<Mutex<Health>>,
    counted: Instant,
    /// When the store last failed, if it has written nothing since.
    store_failed: Option<Instant>,
    /// When the key last signed, or failed to.
    key_tried: Instant,
}

impl Watch {
    /// Begins with what `issuer`, which has just started, has on record.
    pub(super) fn new(issuer: &mut Issuer) -> Self {
        let well = Condition { ok: true, since: Timestamp::now() };
        let health = Health { counts: Counts::default(), own: 0, store: well, key: well };
        let now = Instant::now();
        let mut watch = Self { health: Arc::new(Mutex::new(health)), counted: now, store_failed: None, key_tried: now };
        watch.count(issuer);
        watch
    }

    pub(super) fn health(&self) -> Arc<Mutex<Health>> {
        Arc::clone(&self.health)
    }

    /// Learns from what came of jobs.
    pub(super) fn learn(&mut self, answers: &[Result<Done>]) {
        let failure = |kind| answers.iter().find_map(|a| a.as_ref().err().filter(|e| e.kind == kind)).cloned();
        let done = || answers.iter().flatten();
        if let Some(e) = failure(Kind::Storage) {
            self.store_failed = Some(Instant::now());
            self.note(Part::Store, Err(e));
        } else if done().any(is_written) {
            self.store_failed = None;
            self.note(Part::Store, Ok(()));
        }
        if let Some(e) = failure(Kind::Key) {
            self.key_tried = Instant::now();
            self.note(Part::Key, Err(e));
        } else if done().any(is_signed) {
            self.key_tried = Instant::now();
            self.note(Part::Key, Ok(()));
        }
    }

    /// Looks at what is due.
    pub(super) fn look(&mut self, issuer: &mut Issuer) {
        if self.counted.elapsed() >= COUNT {
            self.count(issuer);
            self.try_store(issuer);
        }
        self.try_key(issuer);
    }

    /// Counts anew, unless the store fails and would hold up the marks once more.
    pub(super) fn count(&mut self, issuer: &mut Issuer) {
        if self.store_failed.is_some_and(|at| at.elapsed() < DOUBT) {
            return;
        }
        self.counted = Instant::now();
        match issuer.counts() {
            Ok(counts) => {
                let mut health = self.lock();
                (health.counts, health.own) = (counts, issuer.reserved());
            }
            Err(e) => {
                self.store_failed = Some(Instant::now());
                self.note(Part::Store, Err(e));
            }
        }
    }

    /// Tries a store that failed, once it is in doubt.
    fn try_store(&mut self, issuer: &mut Issuer) {
        if self.store_failed.is_some_and(|at| at.elapsed() >= DOUBT) {
            let touched = issuer.touch();
            self.store_failed = touched.as_ref().err().map(|_| Instant::now());
            self.note(Part::Store, touched);
        }
    }

    /// Tries a key that failed, or that nobody needed for a while.
    fn try_key(&mut self, issuer: &Issuer) {
        let patience = if self.lock().key.ok { IDLE } else { DOUBT };
        if self.key_tried.elapsed() >= patience {
            let tried = issuer.try_key();
            self.key_tried = Instant::now();
            self.note(Part::Key, tried);
        }
    }

    /// Notes whether a part works, and says when that changes.
    fn note(&self, part: Part, outcome: Result<()>) {
        let mut health = self.lock();
        let (condition, fails, answers) = match part {
            Part::Store => (&mut health.store, "store-fails", "store-answers-again"),
            Part::Key => (&mut health.key, "key-fails", "key-signs-again"),
        };
        if condition.ok == outcome.is_ok() {
            return;
        }
        *condition = Condition { ok: outcome.is_ok(), since: Timestamp::now() };
        match outcome {
            Ok(()) => event(Level::Info, answers, json!({})),
            Err(Error { message, hint, .. }) => {
                event(Level::Error, fails, json!({"message": message, "hint": hint}));
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether something was written for it.
fn is_written(done: &Done) -> bool {
    match done {
        Done::Issued(_) => is_signed(done),
        Done::Noted(_) | Done::ReadBack(..) => true,
        Done::Found(..) => false,
    }
}

/// Whether something was signed for it.
fn is_signed(done: &Done) -> bool {
    match done {
        Done::Issued(issued) | Done::ReadBack(_, Some(issued)) => issued.again < issued.marks.len() as u64,
        Done::Noted(_) | Done::ReadBack(_, None) | Done::Found(..) => false,
    }
}

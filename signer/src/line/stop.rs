//! The word that the line is to stop, which every adapter watches.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Said once, heard by all clones.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    said: AtomicBool,
    lock: Mutex<()>,
    heard: Condvar,
}

impl Stop {
    /// Says it.
    pub fn say(&self) {
        self.0.said.store(true, Ordering::SeqCst);
        // Whoever is about to wait holds the lock until it does, so that it cannot miss the word.
        drop(self.0.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.heard.notify_all();
    }

    /// Whether it was said.
    #[must_use]
    pub fn is_said(&self) -> bool {
        self.0.said.load(Ordering::SeqCst)
    }

    /// Waits until it is said.
    pub fn wait(&self) {
        while !self.wait_for(Duration::from_secs(3600)) {}
    }

    /// Waits until it is said, and no longer than `time`. Returns whether it was.
    pub fn wait_for(&self, time: Duration) -> bool {
        let guard = self.0.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_said() {
            let _ = self.0.heard.wait_timeout_while(guard, time, |()| !self.is_said());
        }
        self.is_said()
    }
}

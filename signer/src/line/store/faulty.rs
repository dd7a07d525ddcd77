//! A database that fails at a chosen step, in either of the two ways: it refused, or it did what it was asked and only the
//! answer was lost; or the process dies there, before or after.

use super::database::{Database, Dialect, Row, Value};
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nothing was done.
    Refused,
    /// It was done, and reported as failed.
    Done,
    /// The process dies before it is done.
    KilledBefore,
    /// The process dies when it is done.
    KilledAfter,
}

/// When the database fails, told from outside.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Steps until it fails; it fails once.
    left: Arc<AtomicI64>,
    failure: Failure,
    /// The disk is full: nothing can be written, though all can be read.
    pub(crate) full: Arc<AtomicBool>,
    /// What was being done.
    pub(crate) step: Arc<Mutex<Option<String>>>,
}

impl Plan {
    pub(crate) fn new(step: i64, failure: Failure) -> Self {
        Self { left: Arc::new(AtomicI64::new(step)), failure, full: Arc::default(), step: Arc::default() }
    }

    /// Whether the step was reached.
    pub(crate) fn failed(&self) -> bool {
        self.left.load(Ordering::SeqCst) < 0
    }

    fn step<T>(&self, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        if self.left.fetch_sub(1, Ordering::SeqCst) != 0 {
            return work();
        }
        *self.step.lock().unwrap() = Some(what.to_owned());
        if matches!(self.failure, Failure::Done | Failure::KilledAfter) {
            let _ = work();
        }
        if matches!(self.failure, Failure::KilledBefore | Failure::KilledAfter) {
            // As by `kill -9`: nothing is flushed, closed or dropped.
            std::process::abort();
        }
        Err(Error::storage(format!("broken on purpose at {what}")))
    }
}

pub(crate) struct Faulty {
    pub(crate) inner: Box<dyn Database>,
    pub(crate) plan: Plan,
}

impl Database for Faulty {
    fn script(&mut self, sql: &str) -> Result<()> {
        let Self { inner, plan } = self;
        plan.step(sql, || inner.script(sql))
    }

    fn run(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let Self { inner, plan } = self;
        plan.step(sql, || inner.run(sql, values))
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        let Self { inner, plan } = self;
        plan.step(sql, || inner.rows(sql, values))
    }

    fn begin(&mut self) -> Result<()> {
        let Self { inner, plan } = self;
        plan.step("begin", || inner.begin())
    }

    fn commit(&mut self) -> Result<()> {
        let Self { inner, plan } = self;
        if plan.full.load(Ordering::SeqCst) {
            return Err(Error::storage("the disk is full"));
        }
        plan.step("commit", || inner.commit())
    }

    fn roll_back(&mut self) {
        self.inner.roll_back();
    }

    fn reopen(&mut self) -> Result<()> {
        let Self { inner, plan } = self;
        plan.step("reopen", || inner.reopen())
    }

    fn copy_to(&mut self, path: &std::path::Path) -> Result<()> {
        self.inner.copy_to(path)
    }

    fn check_place(&mut self) -> Result<()> {
        self.inner.check_place()
    }

    fn check_room(&mut self) -> Result<()> {
        self.inner.check_room()
    }

    fn name(&self) -> &str {
        self.inner.name()
    }

    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }
}

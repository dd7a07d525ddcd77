//! A line that runs within the test process, on a store of its own.

use crate::delegate::Limits;
use crate::error::Result;
use crate::issue::tests::delegation;
use crate::keys::{SecretKey, SigningKey};
use crate::line::desk::Desk;
use crate::line::issuer::{Issuer, Parts};
use crate::line::protocol::Request;
use crate::line::service::Line;
use crate::line::stages::Stages;
use crate::line::store::faulty::{Failure, Faulty, Plan};
use crate::line::store::{Sqlite, Store};
use crate::line::witness::{Busy, Witness};
use crate::sign::LineKey;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::Serial;

/// A running line; it ends when this is dropped, and goes on where it was when started again.
pub(super) struct Running {
    pub(super) desk: Desk,
    line: Line,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Running {
    /// Starts the line whose store is in `folder`. It may issue serials 1 to `last`.
    pub(super) fn start(folder: &Path, last: u64) -> Self {
        let store = Store::sqlite(&folder.join("serials.db"), true).unwrap();
        Self::with(store, folder, last).unwrap()
    }

    /// The same with a store that is there already.
    pub(super) fn with(store: Store, folder: &Path, last: u64) -> Result<Self> {
        let serials = SerialRange { first: Serial::new(1).unwrap(), last: Serial::new(last).unwrap() };
        let delegation = Arc::new(delegation(Limits { serials, ..Limits::wide(1, Date::MIN, Date::MAX) }));
        let issuer = Issuer::start(Parts {
            store,
            witness: Witness::open(&folder.join("state"), &delegation.key, "line", Busy::Wait).unwrap(),
            name: "line".to_owned(),
            key: Arc::new(LineKey::new(Box::new(SecretKey::from_seed(&[2; 32]))).unwrap()),
            delegation: Arc::clone(&delegation),
            years: Box::new(|_| Ok(None)),
            lease: 100,
            stages: Stages::default(),
        })?;
        let (line, thread) = Line::start(issuer);
        let desk = Desk::new(line.clone(), "line", "serials.db", delegation, BTreeMap::new());
        Ok(Self { desk, line, thread: Some(thread) })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.line.finish();
        // A store that fails on purpose may do so here as well.
        let _ = self.thread.take().unwrap().join().unwrap();
    }
}

/// What can be read is no sign that it can be written.
#[test]
fn a_store_on_a_full_disk_is_not_said_to_answer_until_it_writes() {
    let folder = tempfile::tempdir().unwrap();
    let inner = Box::new(Sqlite::open(&folder.path().join("serials.db"), true).unwrap());
    let plan = Plan::new(i64::MAX, Failure::Refused);
    let store = Store::open(Box::new(Faulty { inner, plan: plan.clone() })).unwrap();
    let running = Running::with(store, folder.path(), 1000).unwrap();
    let ask = || running.desk.submit("test", Request { part: "P".parse().ok(), ..Request::default() }).wait();
    assert_eq!(ask().marks.len(), 1);
    plan.full.store(true, Ordering::SeqCst);
    assert_eq!(ask().error.unwrap().kind, "retry");
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        assert!(!running.desk.status().store_ok);
    }
    plan.full.store(false, Ordering::SeqCst);
    let until = Instant::now() + Duration::from_secs(20);
    while !running.desk.status().store_ok {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(100));
    }
    plan.full.store(true, Ordering::SeqCst);
    assert_eq!(ask().error.unwrap().kind, "retry");
    plan.full.store(false, Ordering::SeqCst);
    assert_eq!(ask().marks.len(), 1);
    assert!(running.desk.status().store_ok);
}

/// A line that will never issue again, for another process has its place, is not ready.
#[test]
fn a_line_whose_place_was_taken_is_not_said_to_be_well() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), 1000);
    let ask = || running.desk.submit("test", Request { part: "P".parse().ok(), ..Request::default() }).wait();
    assert_eq!(ask().marks.len(), 1);
    let mut other = Store::sqlite(&folder.path().join("serials.db"), false).unwrap();
    other.take_seat(&SecretKey::from_seed(&[2; 32]).public(), "line").unwrap();
    assert!(ask().error.unwrap().message.starts_with("another process has taken over this line's place"));
    let until = Instant::now() + Duration::from_secs(20);
    while running.desk.status().store_ok {
        assert!(Instant::now() < until);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(ask().error.unwrap().kind, "refused");
}

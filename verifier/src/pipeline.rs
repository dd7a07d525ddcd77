//! Work on all cores from a source that may be slow or endless, under bounded memory: results as they come, or in order.

use crate::guard::guarded;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What happens in a pipeline.
#[derive(Debug)]
pub enum Event<T> {
    /// A result.
    Done(T),
    /// Nothing, for [`TICK`].
    Tick,
}

/// How often whoever watches a pipeline is asked whether to go on.
pub const TICK: Duration = Duration::from_millis(100);
/// Items that wait for a free thread, for each thread.
const WAITING: usize = 4;
/// Items of which the results are kept until all before them are done, for each thread.
const AHEAD: u64 = 64;

/// Threads to work on: as many as there are cores.
#[must_use]
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// Where a source puts its items. `Break`: nothing more is wanted.
pub type Put<'a, I> = &'a mut dyn FnMut(I) -> ControlFlow<()>;

/// Does `work` on everything that `source` puts, on `threads` threads, and hands each result to `done`, on this thread, as soon
/// as it is there; with a tick in between where none is. No more than a few items for each thread wait.
///
/// When `done` breaks off, what is being worked on is finished and handed over, what waits is dropped, and `source` is told
/// at its next item. `work` that panics gives no result: it has to guard itself.
///
/// # Errors
/// That of `done`: then the rest is dropped.
pub fn each<I: Send, T: Send, E>(
    threads: usize,
    source: impl FnOnce(Put<'_, I>) + Send,
    work: impl Fn(I) -> T + Sync,
    mut done: impl FnMut(Event<T>) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let stop = AtomicBool::new(false);
    let (items, waiting) = mpsc::sync_channel::<I>(threads.max(1) * WAITING);
    let waiting = Mutex::new(waiting);
    let (results, finished) = mpsc::sync_channel::<T>(threads.max(1) * WAITING);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let items = items;
            source(&mut |item| send(&items, item, &stop));
        });
        for _ in 0..threads.max(1) {
            let results = results.clone();
            let (waiting, stop, work) = (&waiting, &stop, &work);
            scope.spawn(move || {
                while let Some(item) = next(waiting, stop) {
                    let Some(result) = guarded(|| work(item)) else { continue };
                    if results.send(result).is_err() {
                        break;
                    }
                }
            });
        }
        drop(results);
        let mut outcome = Ok(());
        loop {
            let event = match finished.recv_timeout(TICK) {
                Ok(result) => Event::Done(result),
                Err(RecvTimeoutError::Timeout) => Event::Tick,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            // After an error there is nobody to tell, but the threads must not block on a full channel.
            if outcome.is_err() {
                continue;
            }
            match done(event) {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => stop.store(true, Ordering::Relaxed),
                Err(e) => {
                    outcome = Err(e);
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        outcome
    })
}

/// Waits for room, and while doing so for the end.
fn send<I>(items: &SyncSender<I>, mut item: I, stop: &AtomicBool) -> ControlFlow<()> {
    loop {
        if stop.load(Ordering::Relaxed) {
            return ControlFlow::Break(());
        }
        match items.try_send(item) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(TrySendError::Disconnected(_)) => return ControlFlow::Break(()),
            Err(TrySendError::Full(back)) => item = back,
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn next<I>(waiting: &Mutex<Receiver<I>>, stop: &AtomicBool) -> Option<I> {
    let waiting = lock(waiting);
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    // Woken by an item, or by the source's end.
    let item = waiting.recv().ok()?;
    (!stop.load(Ordering::Relaxed)).then_some(item)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// As [`each`], in the order of the items. An item that takes long lets the others go on, up to `AHEAD` of them for each
/// thread.
///
/// # Errors
/// That of `done`: then the rest is dropped.
pub fn in_order<I: Send, T: Send, E>(
    threads: usize,
    source: impl FnOnce(Put<'_, I>) + Send,
    work: impl Fn(I) -> T + Sync,
    mut done: impl FnMut(Event<T>) -> Result<ControlFlow<()>, E>,
) -> Result<(), E> {
    let window = Window { given: Mutex::new(0), moved: Condvar::new(), ended: AtomicBool::new(false) };
    let ahead = AHEAD * threads.max(1) as u64;
    let mut early: BTreeMap<u64, Option<T>> = BTreeMap::new();
    let mut given = 0;
    let numbered = |put: Put<'_, (u64, I)>| {
        let mut number = 0;
        source(&mut |item| {
            window.wait_for(number, ahead)?;
            number += 1;
            put((number - 1, item))
        });
    };
    // An item without a result must not keep all others waiting.
    let work = |(number, item)| (number, guarded(|| work(item)));
    each(threads, numbered, work, |event| match event {
        Event::Tick => done(Event::Tick),
        Event::Done((number, result)) => {
            early.insert(number, result);
            let mut flow = ControlFlow::Continue(());
            while let Some(result) = early.remove(&given) {
                given += 1;
                if let Some(result) = result
                    && done(Event::Done(result)).inspect_err(|_| window.end())?.is_break()
                {
                    flow = ControlFlow::Break(());
                    window.end();
                }
            }
            window.move_to(given);
            Ok(flow)
        }
    })
}

/// How far results were handed over, for a source that must not be too far ahead.
struct Window {
    given: Mutex<u64>,
    moved: Condvar,
    ended: AtomicBool,
}

impl Window {
    fn wait_for(&self, number: u64, ahead: u64) -> ControlFlow<()> {
        let mut given = lock(&self.given);
        while number >= *given + ahead {
            if self.ended.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            (given, _) = self.moved.wait_timeout(given, TICK).unwrap_or_else(PoisonError::into_inner);
        }
        ControlFlow::Continue(())
    }

    fn move_to(&self, given: u64) {
        *lock(&self.given) = given;
        self.moved.notify_all();
    }

    fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

/// Something of which there is only so much, such as memory, lent in the order in which it is asked for.
#[derive(Debug)]
pub struct Budget {
    all: u64,
    state: Mutex<Lent>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lent {
    lent: u64,
    /// Who asks next, and whose turn it is.
    next: u64,
    turn: u64,
}

/// A loan, given back when dropped.
#[derive(Debug)]
pub struct Loan<'a> {
    budget: &'a Budget,
    amount: u64,
}

impl Budget {
    /// A budget of `all` units.
    #[must_use]
    pub fn of(all: u64) -> Self {
        Self { all, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until `amount` is there. What is more than there is at all is lent alone.
    pub fn borrow(&self, amount: u64) -> Loan<'_> {
        let mut state = lock(&self.state);
        let ticket = state.next;
        state.next += 1;
        while state.turn != ticket || (state.lent > 0 && state.lent.saturating_add(amount) > self.all) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.turn += 1;
        state.lent = state.lent.saturating_add(amount);
        drop(state);
        self.changed.notify_all();
        Loan { budget: self, amount }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.budget.state);
        state.lent = state.lent.saturating_sub(self.amount);
        drop(state);
        self.budget.changed.notify_all();
    }
}

#[cfg(test)]
mod tests;

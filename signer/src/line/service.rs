//! The thread that owns the issuer. Adapters hold a [`Line`] and hand it jobs; all jobs that wait are done with one commit.

use super::issuer::{Done, Issuer, Job};
use super::log::{Level, event};
use super::stages::{Stage, Stages};
use super::store::Counts;
use crate::error::{Error, Kind, Result};
use jiff::Timestamp;
use serde_json::json;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Jobs that may wait; whoever sends more has to wait itself.
const WAITING: usize = 4096;
/// Marks of one commit, roughly: enough that a commit's cost is small beside that of its signatures, and few enough that
/// the last of them does not wait long.
const MARKS: u64 = 2048;

/// How often the counts for the status are read anew.
const COUNT: Duration = Duration::from_secs(1);
/// How long a store that failed to write is taken to fail, unless it writes before; then it is tried. A full disk can be
/// read, and takes a little now and then.
const DOUBT: Duration = Duration::from_secs(3);

enum Message {
    Job(Box<Waiting>),
    Finish,
}

struct Waiting {
    job: Job,
    since: Instant,
    reply: SyncSender<Reply>,
}

/// How the store is, as of a second ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Serials by state.
    pub counts: Counts,
    /// Whether the store answers.
    pub ok: bool,
    /// Since when that is so.
    pub since: Timestamp,
}

/// A handle to the running line, which every adapter has a clone of.
#[derive(Clone)]
pub struct Line {
    queue: SyncSender<Message>,
    health: Arc<Mutex<Health>>,
    stages: Stages,
}

/// A job that was taken; its answer comes when the marks are durable.
pub struct Ticket {
    reply: Receiver<Reply>,
    known: Option<Reply>,
}

/// An answer, and the moment at which it was known.
type Reply = (Result<Done>, Instant);

impl Line {
    /// Starts the thread of `issuer`. It ends after [`Line::finish`], or when the last handle is dropped, and gives back
    /// what it had reserved.
    #[must_use]
    pub fn start(issuer: Issuer) -> (Self, JoinHandle<Result<()>>) {
        let (queue, jobs) = mpsc::sync_channel(WAITING);
        let health = Health { counts: Counts::default(), ok: true, since: Timestamp::now() };
        let health = Arc::new(Mutex::new(health));
        let stages = issuer.stages().clone();
        let thread = Thread { issuer, health: Arc::clone(&health), counted: None, failed: None };
        (Self { queue, health, stages }, std::thread::spawn(move || thread.work(&jobs)))
    }

    /// Hands in a job. Jobs of one caller are done in the order in which it hands them in.
    #[must_use]
    pub fn submit(&self, job: Job) -> Ticket {
        let (reply, known_later) = mpsc::sync_channel(1);
        // If the line has stopped, the ticket finds its end of the channel closed.
        let _ = self.queue.send(Message::Job(Box::new(Waiting { job, since: Instant::now(), reply })));
        Ticket { reply: known_later, known: None }
    }

    /// Ends the line after the jobs that were handed in before.
    pub fn finish(&self) {
        // A line that has ended already needs no telling.
        let _ = self.queue.send(Message::Finish);
    }

    /// Where the time of requests goes.
    #[must_use]
    pub fn stages(&self) -> &Stages {
        &self.stages
    }

    /// How the store is; it is not asked for that.
    #[must_use]
    pub fn health(&self) -> Health {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Whether the answer is known already.
    pub fn is_known(&mut self) -> bool {
        if self.known.is_none() {
            self.known = self.reply.try_recv().ok();
        }
        self.known.is_some()
    }

    /// Waits for the answer, which comes with the moment at which it was known.
    ///
    /// # Errors
    /// What [`Issuer::process`] says, or that the line has stopped; then the same request with the same id learns later
    /// whether it was done.
    pub fn wait(self) -> Result<(Done, Instant)> {
        let stopping = |_| Error::storage("the line is stopping; ask again when it runs");
        let (done, at) = self.known.map_or_else(|| self.reply.recv(), Ok).map_err(stopping)?;
        done.map(|done| (done, at))
    }
}

struct Thread {
    issuer: Issuer,
    health: Arc<Mutex<Health>>,
    counted: Option<Instant>,
    /// When a commit last failed, if none has succeeded since.
    failed: Option<Instant>,
}

impl Thread {
    fn work(mut self, queue: &Receiver<Message>) -> Result<()> {
        let mut finish = false;
        while !finish {
            self.count();
            let mut marks = 0;
            let mut waiting: Vec<Waiting> = Vec::new();
            let mut next = match queue.recv_timeout(COUNT) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            while let Some(message) = next.take() {
                match message {
                    Message::Finish => finish = true,
                    Message::Job(job) => {
                        marks += job.marks();
                        waiting.push(*job);
                    }
                }
                if marks < MARKS && !finish {
                    next = queue.try_recv().ok();
                }
            }
            self.answer(waiting);
        }
        // What those who ask after the end are told.
        self.counted = None;
        self.count();
        self.issuer.finish().map_err(|e| Error { kind: Kind::Unusable, ..e })
    }

    fn answer(&mut self, waiting: Vec<Waiting>) {
        let stages = self.issuer.stages();
        waiting.iter().for_each(|job| stages.note(Stage::Wait, job.since.elapsed()));
        let (jobs, replies): (Vec<Job>, Vec<_>) = waiting.into_iter().map(|w| (w.job, w.reply)).unzip();
        let answers = self.issuer.process(&jobs, Timestamp::now());
        let failed = answers.iter().find_map(|a| a.as_ref().err().filter(|e| e.kind == Kind::Storage).cloned());
        match failed {
            Some(e) => {
                self.failed = Some(Instant::now());
                self.note(Err(e));
            }
            None if answers.iter().flatten().any(is_written) => {
                self.failed = None;
                self.note(Ok(()));
            }
            None => {}
        }
        let at = Instant::now();
        for (answer, reply) in answers.into_iter().zip(replies) {
            // Whoever asked may have gone; the marks are on record, and its request id finds them.
            let _ = reply.send((answer, at));
        }
    }

    /// Reads the counts anew if that is due.
    fn count(&mut self) {
        if self.counted.is_some_and(|at| at.elapsed() < COUNT) {
            return;
        }
        self.counted = Some(Instant::now());
        match self.issuer.counts() {
            Ok(counts) => {
                self.health.lock().unwrap_or_else(PoisonError::into_inner).counts = counts;
                self.try_to_write();
            }
            Err(e) => self.note(Err(e)),
        }
    }

    /// Notes that the store answers; of one that failed to write, only once it writes.
    fn try_to_write(&mut self) {
        match self.failed {
            Some(at) if at.elapsed() < DOUBT => {}
            Some(_) => {
                let touched = self.issuer.touch();
                self.failed = touched.as_ref().err().map(|_| Instant::now());
                self.note(touched);
            }
            None => self.note(Ok(())),
        }
    }

    /// Notes whether the store answers, and says when that changes.
    fn note(&mut self, outcome: Result<()>) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        if health.ok == outcome.is_ok() {
            return;
        }
        (health.ok, health.since) = (outcome.is_ok(), Timestamp::now());
        match outcome {
            Ok(()) => event(Level::Info, "store-answers-again", json!({})),
            Err(e) => event(Level::Error, "store-fails", json!({"message": e.message, "hint": e.hint})),
        }
    }
}

/// Whether something was written for it.
fn is_written(done: &Done) -> bool {
    match done {
        Done::Issued(issued) => issued.again < issued.marks.len() as u64,
        Done::Noted(_) | Done::ReadBack(..) => true,
        Done::Found(..) => false,
    }
}

impl Waiting {
    fn marks(&self) -> u64 {
        match &self.job {
            Job::Issue { order, .. } => order.count,
            Job::Note(_) | Job::Find(_) | Job::ReadBack { .. } => 1,
        }
    }
}

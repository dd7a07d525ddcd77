//! The thread that owns the issuer. Adapters hold a [`Line`] and hand it jobs; all jobs that wait are done with one commit.

mod watch;

pub use watch::{Condition, Health};

use super::issuer::{Done, Issuer, Job};
use super::stages::{Stage, Stages};
use crate::error::{Error, Kind, Result};
use jiff::Timestamp;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use watch::{COUNT, Watch};

/// Jobs that may wait; whoever sends more has to wait itself.
const WAITING: usize = 4096;
/// Marks of one commit, roughly: enough that a commit's cost is small beside that of its signatures, and few enough that
/// the last of them does not wait long.
const MARKS: u64 = 2048;

/// How long whoever asks how the line is waits for an answer of this moment; then what was known before has to do.
const PATIENCE: Duration = Duration::from_millis(500);

enum Message {
    Job(Box<Waiting>),
    /// Counts the serials anew, after the jobs that were handed in before.
    Count(SyncSender<()>),
    Finish,
}

struct Waiting {
    job: Job,
    since: Instant,
    reply: SyncSender<Reply>,
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

/// A look at the line that was asked for.
pub struct Look {
    counted: Option<Receiver<()>>,
    health: Arc<Mutex<Health>>,
}

/// An answer, and the moment at which it was known.
type Reply = (Result<Done>, Instant);

impl Line {
    /// Starts the thread of `issuer`. It ends after [`Line::finish`], or when the last handle is dropped, and gives back
    /// what it had reserved.
    #[must_use]
    pub fn start(mut issuer: Issuer) -> (Self, JoinHandle<Result<()>>) {
        let (queue, jobs) = mpsc::sync_channel(WAITING);
        let watch = Watch::new(&mut issuer);
        let (health, stages) = (watch.health(), issuer.stages().clone());
        let thread = Thread { issuer, watch };
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

    /// Asks how the line is, after the jobs that were handed in before.
    #[must_use]
    pub fn look(&self) -> Look {
        let (reply, counted) = mpsc::sync_channel(1);
        // A queue that is full has other work.
        let asked = self.queue.try_send(Message::Count(reply));
        Look { counted: asked.is_ok().then_some(counted), health: Arc::clone(&self.health) }
    }

    /// How the line is, as of a second ago; neither store nor key is asked for that.
    #[must_use]
    pub fn health(&self) -> Health {
        *self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look {
    /// Waits for the answer; if it takes too long, for want of a store that answers, it is that of a while ago.
    #[must_use]
    pub fn wait(self) -> Health {
        // Whichever way the wait ends, what is known now is the answer.
        let _ = self.counted.map(|counted| counted.recv_timeout(PATIENCE));
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
    watch: Watch,
}

impl Thread {
    fn work(mut self, queue: &Receiver<Message>) -> Result<()> {
        let mut finish = false;
        while !finish {
            self.watch.look(&mut self.issuer);
            let mut marks = 0;
            let mut waiting: Vec<Waiting> = Vec::new();
            let mut looking: Vec<SyncSender<()>> = Vec::new();
            let mut next = match queue.recv_timeout(COUNT) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            while let Some(message) = next.take() {
                match message {
                    Message::Finish => finish = true,
                    Message::Count(reply) => looking.push(reply),
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
            if !looking.is_empty() {
                self.watch.count(&mut self.issuer);
                // Whoever looked may have lost patience.
                for reply in looking {
                    let _ = reply.send(());
                }
            }
        }
        // What those who ask after the end are told.
        self.watch.count(&mut self.issuer);
        self.issuer.finish().map_err(|e| Error { kind: Kind::Unusable, ..e })
    }

    fn answer(&mut self, waiting: Vec<Waiting>) {
        let stages = self.issuer.stages();
        waiting.iter().for_each(|job| stages.note(Stage::Wait, job.since.elapsed()));
        let (jobs, replies): (Vec<Job>, Vec<_>) = waiting.into_iter().map(|w| (w.job, w.reply)).unzip();
        let answers = self.issuer.process(&jobs, Timestamp::now());
        self.watch.learn(&answers);
        let at = Instant::now();
        for (answer, reply) in answers.into_iter().zip(replies) {
            // Whoever asked may have gone; the marks are on record, and its request id finds them.
            let _ = reply.send((answer, at));
        }
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

//! The rules by which serials become marks, in one place for the line and for `touchmark-sign mark`: the delegation's limits
//! are checked before anything is signed, each signature is checked after it was made, and a mark leaves only once it is on
//! record. All requests that wait share one commit.

mod appetite;
mod draft;
mod same;

pub use same::marks_of_run;

use super::newest::{check_newest, progress};
use super::stages::{Stage, Stages};
use super::store::{Batch, Block, Counts, Outcome, RequestId, Seat, State, Store};
use super::witness::Witness;
use crate::error::{Error, Kind, Result};
use crate::issue::{Content, Order};
use crate::sign::LineKey;
use appetite::Appetite;
use draft::Draft;
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;
use touchmark_formats::capsule::YearKey;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::mark::{Serial, SignedMark};

/// The most marks of one job.
pub const MAX_MARKS: u64 = 1_000_000;

/// Finds the key of a year's capsules.
pub type Years = Box<dyn FnMut(i16) -> Result<Option<YearKey>> + Send>;

/// What an issuer needs.
pub struct Parts {
    /// The store.
    pub store: Store,
    /// Its witness.
    pub witness: Witness,
    /// The name under which it issues.
    pub name: String,
    /// The line key.
    pub key: Arc<LineKey>,
    /// What it may mark.
    pub delegation: Arc<Delegation>,
    /// Where the keys of capsules come from.
    pub years: Years,
    /// Serials to reserve at once; several lines on one store share the serials in blocks of this size. A line that uses
    /// them up within seconds reserves more.
    pub lease: u64,
    /// Where it notes how long its stages take.
    pub stages: Stages,
}

/// Issues the marks of one line key under one name.
pub struct Issuer {
    parts: Parts,
    seat: Seat,
    blocks: Vec<Block>,
    appetite: Appetite,
    /// A commit failed, so what is on record has to be read again.
    stale: bool,
}

/// What is asked of an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Marks.
    Issue {
        /// What they say.
        order: Order,
        /// A request of this name that was answered before gets the same marks again.
        request: Option<RequestId>,
        /// Whether the request itself said the date: one that did not is the same request on the day after.
        dated: bool,
    },
    /// Puts on record what became of a mark.
    Note(Outcome),
    /// What the line's reader read of the mark of a serial: the mark itself confirms it, anything else voids it, and then
    /// the next one is issued where one is wanted.
    ReadBack {
        /// The serial that should be there.
        serial: Serial,
        /// The bytes that were read; `None` for none.
        read: Option<Vec<u8>>,
        /// Ten times the grade of ISO/IEC 15415.
        grade: Option<u8>,
        /// What to issue in place of a mark that is void.
        next: Option<(Order, Option<RequestId>)>,
    },
    /// The mark of a serial.
    Find(Serial),
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Marks, which are on record.
    Issued(Issued),
    /// It is on record what became of the mark.
    Noted(State),
    /// What came of reading a mark back: whether it is good, and the mark in its place.
    ReadBack(bool, Option<Issued>),
    /// The mark, and what became of it.
    Found(Box<Issued>, Option<Outcome>),
}

/// Marks of one content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The part, lot and date that they carry; the consignee only where it was in the request.
    pub content: Content,
    /// The marks, in the order of their serials.
    pub marks: Vec<SignedMark>,
    /// How many of them were issued before.
    pub again: u64,
}

impl Issuer {
    /// Takes its seat in the store, if the witness agrees that the store is the newest.
    ///
    /// # Errors
    /// It does not, or the store failed.
    pub fn start(mut parts: Parts) -> Result<Self> {
        let key = parts.key.public();
        let leases = check_newest(&mut parts.store, &parts.witness, &key, &parts.name)?;
        let seat = parts.store.take_seat(&key, &parts.name)?;
        parts.witness.begin(parts.store.id(), progress(&seat, leases))?;
        let appetite = Appetite::new(parts.lease);
        Ok(Self { parts, seat, blocks: Vec::new(), appetite, stale: false })
    }

    /// What it may mark.
    #[must_use]
    pub fn delegation(&self) -> &Arc<Delegation> {
        &self.parts.delegation
    }

    /// Does `jobs`, all with one commit, and answers each. A job that a rule forbids does not touch the others.
    pub fn process(&mut self, jobs: &[Job], now: Timestamp) -> Vec<Result<Done>> {
        // A request that is there twice is answered in a second round, from the record of the first.
        let mut seen = HashSet::new();
        let (first, mut second): (Vec<usize>, Vec<usize>) = (0..jobs.len()).partition(|n| match jobs.get(*n) {
            Some(Job::Issue { request: Some(id), .. } | Job::ReadBack { next: Some((_, Some(id))), .. }) => {
                seen.insert(id.clone())
            }
            _ => true,
        });
        let mut answers: Vec<Result<Done>> = vec![Err(Error::unusable("the job was not done")); jobs.len()];
        self.fill(jobs, &first, now, &mut answers);
        // And so is what speaks of a mark that the first round may have issued.
        let speaks = |n: &usize| !matches!(jobs.get(*n), Some(Job::Issue { .. }));
        let refused = |n: &usize| matches!(answers.get(*n), Some(Err(e)) if e.kind == Kind::Refused);
        if first.iter().any(|n| !speaks(n)) {
            second.extend(first.iter().filter(|n| speaks(n) && refused(n)));
        }
        self.fill(jobs, &second, now, &mut answers);
        answers
    }

    fn fill(&mut self, jobs: &[Job], round: &[usize], now: Timestamp, answers: &mut [Result<Done>]) {
        let some: Vec<&Job> = round.iter().filter_map(|n| jobs.get(*n)).collect();
        if some.is_empty() {
            return;
        }
        for (n, answer) in round.iter().zip(self.round(&some, now, false)) {
            if let Some(place) = answers.get_mut(*n) {
                *place = answer;
            }
        }
    }

    /// Issues `orders`, or, if one of them is refused, nothing. Serials asked for by number go first.
    ///
    /// # Errors
    /// The first refusal, or the store failed.
    pub fn issue_all(&mut self, orders: &[Order], now: Timestamp) -> Result<Vec<Issued>> {
        let total = orders.iter().fold(0u64, |n, order| n.saturating_add(order.count));
        if total > MAX_MARKS {
            return Err(Error::unusable(format!("{total} marks at once are too many: the limit is {MAX_MARKS}")));
        }
        let mut places: Vec<usize> = (0..orders.len()).collect();
        places.sort_by_key(|n| orders.get(*n).is_some_and(|order| order.serial.is_none()));
        let jobs: Vec<Job> = places
            .iter()
            .filter_map(|n| orders.get(*n).cloned())
            .map(|order| Job::Issue { order, request: None, dated: true })
            .collect();
        let answers = self.round(&jobs.iter().collect::<Vec<_>>(), now, true);
        let mut issued = places
            .into_iter()
            .zip(answers)
            .map(|(n, answer)| match answer? {
                Done::Issued(issued) => Ok((n, issued)),
                _ => Err(Error::unusable("an order was not answered with marks")),
            })
            .collect::<Result<Vec<_>>>()?;
        issued.sort_by_key(|(n, _)| *n);
        Ok(issued.into_iter().map(|(_, issued)| issued).collect())
    }

    fn round(&mut self, jobs: &[&Job], now: Timestamp, all_or_nothing: bool) -> Vec<Result<Done>> {
        if let Err(e) = self.refresh() {
            return vec![Err(e); jobs.len()];
        }
        let delegation = Arc::clone(&self.parts.delegation);
        let stages = self.parts.stages.clone();
        let start = Instant::now();
        let mut draft = Draft::new(&delegation, &self.blocks, now);
        let mut failed = None;
        for job in jobs {
            let planned = draft.plan(job, &mut self.access());
            match planned {
                Err(e) if e.kind == Kind::Storage || all_or_nothing => {
                    failed = Some(e);
                    break;
                }
                planned => draft.keep(planned),
            }
        }
        self.blocks.clone_from(&draft.leased);
        stages.note(Stage::Rules, start.elapsed());
        let done = match failed {
            Some(e) => Err(e),
            None => {
                let signed = stages.time(Stage::Sign, || draft.sign(&self.parts.key));
                // A key that does not sign, as one in a token that was drawn out, is not the fault of the request.
                signed.map_err(|e| Error { kind: Kind::Key, ..e }).and_then(|batch| self.commit(&batch))
            }
        };
        match done {
            Ok(()) => draft.answers(),
            Err(e) => {
                // What another process did to the seat shows when the record is read again, as a failure does.
                self.stale |= e.kind == Kind::Storage || e == super::store::fenced();
                vec![Err(e); jobs.len()]
            }
        }
    }

    fn access(&mut self) -> draft::Access<'_> {
        let Parts { store, witness, years, .. } = &mut self.parts;
        draft::Access { store, witness, years, appetite: &mut self.appetite, seat: &self.seat }
    }

    fn commit(&mut self, batch: &Batch) -> Result<()> {
        if batch.runs.is_empty() && batch.outcomes.is_empty() {
            return Ok(());
        }
        let Parts { store, witness, stages, .. } = &mut self.parts;
        store.commit(&mut self.seat, batch, stages)?;
        for (before, next) in &batch.moves {
            if let Some(block) = self.blocks.iter_mut().find(|b| b.first == before.first) {
                block.next = *next;
            }
        }
        self.blocks.retain(|block| block.next <= block.last);
        // The marks are on record, and only then may they leave: but not without the witness either.
        let noted = stages.time(Stage::Witness, || witness.note(progress(&self.seat, 0)));
        noted.map_err(|e| Error { kind: Kind::Storage, ..e })
    }

    /// How long its stages took so far.
    #[must_use]
    pub fn stages(&self) -> &Stages {
        &self.parts.stages
    }

    /// Reads again what is on record, after a failure that left it open.
    fn refresh(&mut self) -> Result<()> {
        if !self.stale {
            return Ok(());
        }
        let store = &mut self.parts.store;
        store.reopen()?;
        let key = self.parts.key.public();
        check_newest(store, &self.parts.witness, &key, &self.parts.name)?;
        let seat = store.seat(&key, &self.parts.name)?;
        let seat = seat.ok_or_else(|| Error::storage("the store has no record of this line any more"))?;
        if !seat.is_held_as(&self.seat) {
            return Err(super::store::fenced());
        }
        self.blocks = store.reserved(&seat)?;
        self.parts.witness.note(progress(&seat, 0)).map_err(|e| Error { kind: Kind::Storage, ..e })?;
        (self.seat, self.stale) = (seat, false);
        Ok(())
    }

    /// How many serials of the line key are in which state.
    ///
    /// # Errors
    /// The store failed.
    pub fn counts(&mut self) -> Result<Counts> {
        self.refresh()?;
        let Parts { store, witness, key, .. } = &mut self.parts;
        let counts = store.check_place().and_then(|()| store.leases()).and_then(|leases| {
            witness.note_leases(leases, true)?;
            store.counts(&key.public())
        });
        self.stale |= counts.is_err();
        counts
    }

    /// Serials that it has reserved, and will give back if it does not issue them.
    #[must_use]
    pub fn reserved(&self) -> u64 {
        self.blocks.iter().map(|block| (block.last + 1).saturating_sub(block.next)).sum()
    }

    /// Has the key sign something that says nothing.
    ///
    /// # Errors
    /// It does not sign, or wrongly.
    pub fn try_key(&self) -> Result<()> {
        self.parts.key.try_out()
    }

    /// Writes something that changes nothing.
    ///
    /// # Errors
    /// The store failed.
    pub fn touch(&mut self) -> Result<()> {
        self.refresh()?;
        let touched = self.parts.store.touch(&self.seat);
        self.stale |= touched.is_err();
        touched
    }

    /// Gives back what is reserved and not issued, and ends.
    ///
    /// # Errors
    /// The store failed; nothing is lost by it, and the next start gives back as well.
    pub fn finish(mut self) -> Result<()> {
        self.refresh()?;
        self.parts.store.leave(&self.seat)?;
        self.parts.witness.sync()
    }
}

/// Whether a mark of which `before` is on record may become what `after` says.
fn check_change(serial: Serial, before: Option<State>, after: State) -> Result<()> {
    match (before, after) {
        (Some(State::Void), State::Verified) => {
            Err(Error::refused(format!("serial {serial} is void, and stays so"))
                .hint("issue another mark for the part"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

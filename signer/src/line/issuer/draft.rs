//! What one commit is going to hold, before it is signed.

use super::appetite::Appetite;
use super::same::{self, capsule_bytes};
use super::{Done, Issued, Job, MAX_MARKS, Years, check_change};
use crate::error::{Error, Kind, Result};
use crate::issue::{Content, Order, Template, settle_lot};
use crate::line::store::{self, Batch, Block, Outcome, RUN_MARKS, RequestId, Seat, State, Store, Wanted};
use crate::line::witness::Witness;
use crate::sign::{LineKey, sign_checked};
use jiff::Timestamp;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::time::Instant;
use touchmark_formats::delegation::{Delegation, SerialRange};
use touchmark_formats::mark::{Serial, SignedMark};

/// Fewer marks than these are signed by one thread: to wake another would take longer.
const MARKS_A_THREAD: usize = 4;

/// What planning needs of the world.
pub(super) struct Access<'a> {
    pub(super) store: &'a mut Store,
    pub(super) witness: &'a mut Witness,
    pub(super) years: &'a mut Years,
    pub(super) appetite: &'a mut Appetite,
    pub(super) seat: &'a Seat,
}

/// Serials that follow one another, of one template.
#[derive(Debug, Clone, Copy)]
struct Fresh {
    template: usize,
    first: u64,
    last: u64,
}

/// How a job will be answered.
enum Plan {
    /// Marks on record, by serial, and new ones of a template.
    Issue {
        template: usize,
        serials: Vec<(u64, u64)>,
        known: BTreeMap<u64, SignedMark>,
    },
    Answered(Done),
    /// A mark read back, and what is issued in its place.
    ReadBack(bool, Option<Box<Plan>>),
}

/// The plan of one commit.
pub(super) struct Draft<'d> {
    delegation: &'d Delegation,
    now: Timestamp,
    /// Every block as it is on record, those leased meanwhile among them.
    pub(super) leased: Vec<Block>,
    /// The next serial of each, by its first.
    next: BTreeMap<u64, u64>,
    templates: Vec<(Template<'d>, Option<RequestId>)>,
    fresh: Vec<Fresh>,
    signed: BTreeMap<u64, SignedMark>,
    outcomes: BTreeMap<u64, (Outcome, Option<State>)>,
    plans: Vec<Result<Plan>>,
}

impl<'d> Draft<'d> {
    pub(super) fn new(delegation: &'d Delegation, blocks: &[Block], now: Timestamp) -> Self {
        Self {
            delegation,
            now,
            leased: blocks.to_vec(),
            next: BTreeMap::new(),
            templates: Vec::new(),
            fresh: Vec::new(),
            signed: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            plans: Vec::new(),
        }
    }

    /// Keeps what came of planning the next job.
    pub(super) fn keep(&mut self, planned: Result<()>) {
        if let Err(e) = planned {
            self.plans.push(Err(e));
        }
    }

    /// Plans a job. If it is refused, the draft is as before.
    pub(super) fn plan(&mut self, job: &Job, access: &mut Access<'_>) -> Result<()> {
        let plan = match job {
            Job::Issue { order, request, dated } => self.plan_issue(order, request.as_ref(), *dated, access)?,
            Job::Note(outcome) => self.plan_note(outcome, access)?,
            Job::ReadBack { serial, read, grade, next } => {
                self.plan_read_back(*serial, read.as_deref(), *grade, next.as_ref(), access)?
            }
            Job::Find(serial) => Plan::Answered(find(self.delegation, *serial, access)?),
        };
        self.plans.push(Ok(plan));
        Ok(())
    }

    fn plan_issue(
        &mut self,
        order: &Order,
        request: Option<&RequestId>,
        dated: bool,
        access: &mut Access<'_>,
    ) -> Result<Plan> {
        let mut order = order.clone();
        settle_lot(self.delegation, &mut order)?;
        if order.count == 0 || order.count > MAX_MARKS {
            return Err(Error::unusable(format!("{} marks at once: 1 to {MAX_MARKS} are allowed", order.count)));
        }
        let answered = match request {
            Some(request) => access.store.answered(access.seat.key, request)?,
            None => Vec::new(),
        };
        if let Some(run) = answered.first().filter(|_| !dated) {
            order.content.date = same::content_of(access.store, run)?.date;
        }
        let content = order.content.clone();
        let year = match content.consignee {
            Some(_) => (access.years)(content.date.year())?,
            None => None,
        };
        let template = Template::new(self.delegation, content, year.as_ref())?;
        if let Some(request) = request.filter(|_| !answered.is_empty()) {
            let marks = same::request_again(access.store, &template, &order, request, &answered)?;
            let again = marks.len() as u64;
            let issued = Issued { content: template.content().clone(), marks, again };
            return Ok(Plan::Answered(Done::Issued(issued)));
        }
        let index = self.templates.len();
        let (serials, known) = match order.serial {
            Some(first) => self.these(&template, index, first, order.count, access)?,
            None => (self.any(&template, index, order.count, access)?, BTreeMap::new()),
        };
        self.templates.push((template, request.cloned()));
        Ok(Plan::Issue { template: index, serials, known })
    }

    /// Serials of the lot, in the order in which they are free.
    fn any(
        &mut self,
        template: &Template<'d>,
        index: usize,
        count: u64,
        access: &mut Access<'_>,
    ) -> Result<Vec<(u64, u64)>> {
        template.check_any_serial()?;
        let ranges = template.serials();
        let before = self.next.clone();
        let (mut wanted, mut serials) = (count, Vec::new());
        self.use_blocks(&ranges, &mut wanted, &mut serials);
        if wanted > 0 {
            let lease = access.appetite.next(Instant::now());
            self.lease(Wanted::Any(&ranges, wanted.max(lease)), access)?;
            self.use_blocks(&ranges, &mut wanted, &mut serials);
        }
        let mut checked = serials.iter().flat_map(|(first, last)| [*first, *last]).filter_map(Serial::new);
        let checked = checked.try_for_each(|serial| template.check(serial));
        if wanted > 0 || checked.is_err() {
            self.next = before;
            checked?;
            return Err(same::used_up(template, wanted));
        }
        self.fresh.extend(serials.iter().map(|(first, last)| Fresh { template: index, first: *first, last: *last }));
        Ok(serials)
    }

    fn use_blocks(&mut self, ranges: &[SerialRange], wanted: &mut u64, serials: &mut Vec<(u64, u64)>) {
        for block in &self.leased {
            let next = self.next.get(&block.first).copied().unwrap_or(block.next);
            let fits = |serial: u64| Serial::new(serial).is_some_and(|s| ranges.iter().any(|range| range.contains(s)));
            // A block lies within one range, for it was leased from one.
            if *wanted == 0 || next > block.last || !fits(next) || !fits(block.last) {
                continue;
            }
            let last = block.last.min(next + (*wanted - 1));
            *wanted -= last + 1 - next;
            serials.push((next, last));
            self.next.insert(block.first, last + 1);
        }
    }

    fn lease(&mut self, wanted: Wanted<'_>, access: &mut Access<'_>) -> Result<bool> {
        let blocks = access.store.lease(access.seat, wanted)?;
        let leases = access.store.leases()?;
        access.witness.note_leases(leases, false)?;
        for block in &blocks {
            let noted = access.witness.note_lease(block.next, block.last);
            noted.map_err(|e| Error { kind: Kind::Storage, ..e })?;
            match self.leased.iter_mut().find(|b| b.first == block.first) {
                Some(known) => known.last = block.last,
                None => self.leased.push(*block),
            }
        }
        Ok(!blocks.is_empty())
    }

    /// Exactly these serials; those on record with the same content once more.
    #[allow(clippy::type_complexity)]
    fn these(
        &mut self,
        template: &Template<'d>,
        index: usize,
        first: Serial,
        count: u64,
        access: &mut Access<'_>,
    ) -> Result<(Vec<(u64, u64)>, BTreeMap<u64, SignedMark>)> {
        let first = first.get();
        let last = first + (count - 1);
        if Serial::new(last).is_none() {
            return Err(Error::unusable(format!("serials {first} to {last}: the largest is {}", Serial::MAX)));
        }
        let known = same::on_record(access.store, access.seat.key, template, first, last)?;
        let drafted = self.drafted(template, first, last)?;
        let mut free: Vec<(u64, u64)> = Vec::new();
        for serial in (first..=last)
            .filter(|serial| !known.contains_key(serial) && !drafted.iter().any(|(a, b)| a <= serial && serial <= b))
        {
            match free.last_mut() {
                Some((_, end)) if *end + 1 == serial => *end = serial,
                _ => free.push((serial, serial)),
            }
        }
        for serial in free.iter().flat_map(|(a, b)| *a..=*b).filter_map(Serial::new) {
            template.check(serial)?;
        }
        let mut taken = Vec::new();
        for (a, b) in &free {
            let (Some(a), Some(b)) = (Serial::new(*a), Serial::new(*b)) else { continue };
            if !self.lease(Wanted::These(SerialRange { first: a, last: b }), access)? {
                return Err(same::reserved(a, b));
            }
            let block = self.leased.iter().find(|block| block.first <= a.get() && b.get() <= block.last);
            let block = block.ok_or_else(|| Error::storage("a block of serials is gone"))?;
            taken.push((block.first, b.get() + 1));
        }
        self.next.extend(taken);
        self.fresh.extend(free.iter().map(|(first, last)| Fresh { template: index, first: *first, last: *last }));
        Ok((vec![(first, last)], known))
    }

    /// The serials from `first` to `last` that this very draft gives to the same content.
    fn drafted(&self, template: &Template<'_>, first: u64, last: u64) -> Result<Vec<(u64, u64)>> {
        let mut found = Vec::new();
        for fresh in self.fresh.iter().filter(|f| f.first <= last && f.last >= first) {
            let other = self.templates.get(fresh.template).map(|(other, _)| other.content());
            if other != Some(template.content()) {
                return Err(same::refusal(fresh.first.max(first), "with another content: in this very call"));
            }
            found.push((fresh.first, fresh.last));
        }
        Ok(found)
    }

    fn plan_note(&mut self, outcome: &Outcome, access: &mut Access<'_>) -> Result<Plan> {
        let serial = Serial::new(outcome.serial).ok_or_else(|| Error::unusable("a serial out of range"))?;
        if access.store.issued(access.seat.key, serial.get(), serial.get())?.is_empty() {
            return Err(Error::refused(format!("serial {serial} was not issued")));
        }
        let stored = access.store.outcome(access.seat.key, serial.get())?;
        let drafted = self.outcomes.get(&serial.get());
        let (latest, on_record) = match drafted {
            Some((latest, on_record)) => (Some(latest.state), *on_record),
            None => (stored.as_ref().map(|o| o.state), stored.as_ref().map(|o| o.state)),
        };
        check_change(serial, latest, outcome.state)?;
        // A mark is void for the reason that was said first, whoever finds another later.
        if latest != Some(State::Void) {
            self.outcomes.insert(serial.get(), (outcome.clone(), on_record));
        }
        Ok(Plan::Answered(Done::Noted(outcome.state)))
    }

    fn plan_read_back(
        &mut self,
        serial: Serial,
        read: Option<&[u8]>,
        grade: Option<u8>,
        next: Option<&(Order, Option<RequestId>)>,
        access: &mut Access<'_>,
    ) -> Result<Plan> {
        let Done::Found(found, _) = find(self.delegation, serial, access)? else {
            return Err(Error::refused(format!("serial {serial} was not issued")));
        };
        let good = found.marks.first().is_some_and(|mark| read == Some(mark.to_bytes().as_slice()));
        let state = if good { State::Verified } else { State::Void };
        let reason = match (good, read) {
            (true, _) => None,
            (false, Some(_)) => Some("read back as something else".to_owned()),
            (false, None) => Some("not read back".to_owned()),
        };
        let at = self.now.as_millisecond();
        // What is issued in its place comes first: if that is refused, nothing is noted, and the line can say it again.
        let next = match next.filter(|_| !good) {
            Some((order, request)) => Some(Box::new(self.plan_issue(order, request.as_ref(), false, access)?)),
            None => None,
        };
        self.plan_note(&Outcome { serial: serial.get(), state, at, reason, grade }, access)?;
        Ok(Plan::ReadBack(good, next))
    }

    /// Signs what is new, on all cores, and gives back what goes on record.
    pub(super) fn sign(&mut self, key: &LineKey) -> Result<Batch> {
        let mut wanted: Vec<(u64, usize)> = Vec::new();
        for fresh in &self.fresh {
            wanted.extend((fresh.first..=fresh.last).map(|serial| (serial, fresh.template)));
        }
        let root = self.delegation.maker;
        let templates = &self.templates;
        let sign = |(serial, template): &(u64, usize)| -> Result<(u64, SignedMark)> {
            let (Some((template, _)), Some(serial)) = (templates.get(*template), Serial::new(*serial)) else {
                return Err(Error::unusable("a mark without an order"));
            };
            let content = template.content();
            let mark = sign_checked(key, template.mark(serial)?, &root, &content.part, content.lot.as_ref())?;
            Ok((serial.get(), mark))
        };
        self.signed = match wanted.len() {
            0..=MARKS_A_THREAD => wanted.iter().map(sign).collect::<Result<_>>()?,
            _ => wanted.par_iter().with_min_len(MARKS_A_THREAD).map(sign).collect::<Result<_>>()?,
        };
        self.batch()
    }

    fn batch(&self) -> Result<Batch> {
        let mut batch = Batch { outcomes: self.outcomes.values().cloned().collect(), ..Batch::default() };
        for (first, next) in &self.next {
            batch.moves.extend(self.leased.iter().find(|b| b.first == *first).map(|block| (*block, *next)));
        }
        let mut pieces: BTreeMap<usize, u64> = BTreeMap::new();
        for fresh in &self.fresh {
            let Some((template, request)) = self.templates.get(fresh.template) else { continue };
            let content = same::stored(template, fresh.first)?;
            for first in (fresh.first..=fresh.last).step_by(RUN_MARKS as usize) {
                let last = fresh.last.min(first + (RUN_MARKS - 1));
                let piece = pieces.entry(fresh.template).or_default();
                let request = request.clone().map(|id| (id, *piece));
                *piece += 1;
                let body = self.signed.range(first..=last).flat_map(|(_, mark)| {
                    let capsule = capsule_bytes(&mark.mark);
                    capsule.iter().copied().chain(mark.signature).collect::<Vec<u8>>()
                });
                batch.runs.push(store::Run {
                    first,
                    content: content.id,
                    at: self.now.as_millisecond(),
                    request,
                    capsule: content.capsule,
                    body: body.collect(),
                });
            }
            if batch.contents.iter().all(|c| c.id != content.id) {
                batch.contents.push(content);
            }
        }
        Ok(batch)
    }

    /// The answers, in the order of the jobs.
    pub(super) fn answers(self) -> Vec<Result<Done>> {
        let Self { plans, templates, signed, .. } = self;
        plans.into_iter().map(|plan| plan.and_then(|plan| answer(plan, &templates, &signed))).collect()
    }
}

fn answer(
    plan: Plan,
    templates: &[(Template<'_>, Option<RequestId>)],
    signed: &BTreeMap<u64, SignedMark>,
) -> Result<Done> {
    match plan {
        Plan::Answered(done) => Ok(done),
        Plan::Issue { template, serials, known } => {
            let content: Option<Content> = templates.get(template).map(|(t, _)| t.content().clone());
            let content = content.ok_or_else(|| Error::unusable("a mark without an order"))?;
            let all = serials.iter().flat_map(|(first, last)| *first..=*last);
            let marks = all.filter_map(|serial| known.get(&serial).or_else(|| signed.get(&serial)).cloned());
            Ok(Done::Issued(Issued { content, marks: marks.collect(), again: known.len() as u64 }))
        }
        Plan::ReadBack(good, None) => Ok(Done::ReadBack(good, None)),
        Plan::ReadBack(good, Some(next)) => match answer(*next, templates, signed)? {
            Done::Issued(issued) => Ok(Done::ReadBack(good, Some(issued))),
            _ => Err(Error::unusable("an order was not answered with marks")),
        },
    }
}

fn find(delegation: &Delegation, serial: Serial, access: &mut Access<'_>) -> Result<Done> {
    let runs = access.store.issued(access.seat.key, serial.get(), serial.get())?;
    let run = runs.first().ok_or_else(|| Error::refused(format!("serial {serial} was not issued")))?;
    let (content, marks) = same::marks_of(access.store, delegation, run)?;
    let marks: Vec<SignedMark> = marks.into_iter().filter(|mark| mark.mark.serial == serial).collect();
    let outcome = access.store.outcome(access.seat.key, serial.get())?;
    Ok(Done::Found(Box::new(Issued { content, marks, again: 1 }), outcome))
}

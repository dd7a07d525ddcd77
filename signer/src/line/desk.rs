//! The desk between the ways in and the line: requests become jobs, marks become answers in the form that the product's
//! recipe wants, and everybody can ask how the line is.

use super::issuer::{Done, Issued, Job};
use super::protocol::{Action, Answer, Form, Found, MAX_COUNT, MAX_TEXT, Mark, Request};
use super::recipe::{Presence, Recipe, format};
use super::service::{Health, Line, Ticket};
use super::stages::{Stage, Stages};
use super::store::{Outcome, RequestId, State};
use crate::error::{Error, Kind, Result};
use crate::issue::{Content, Order};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use touchmark_formats::base45;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::mark::{Extension, Serial, SignedMark};
use touchmark_formats::symbol::Matrix;

/// Errors that are kept for whoever asks how the line is.
const ERRORS_KEPT: usize = 16;
/// Fewer marks than these are drawn by one thread.
const MARKS_A_THREAD: usize = 4;

/// Takes requests. Every way in has a clone.
#[derive(Clone)]
pub struct Desk {
    line: Line,
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    store: String,
    delegation: Arc<Delegation>,
    recipes: BTreeMap<String, Recipe>,
    usual: Recipe,
    started: Timestamp,
    requests: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    errors: Mutex<VecDeque<PastError>>,
    stages: Stages,
}

/// How the line is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// The line's name in its delegation.
    pub line: String,
    /// The name under which this process issues.
    pub name: String,
    /// The line key's id.
    pub key: String,
    /// Where serials are on record.
    pub store: String,
    /// Whether the store answered when it was last asked.
    pub store_ok: bool,
    /// Since when that is so.
    pub store_since: Timestamp,
    /// Since when the process runs.
    pub started: Timestamp,
    /// First date that the delegation allows.
    pub not_before: Date,
    /// Last date that the delegation allows.
    pub not_after: Date,
    /// Serials of the delegation that are neither issued nor lost nor closed.
    pub left: u64,
    /// Serials reserved by a line and not issued.
    pub reserved: u64,
    /// Marks issued under the line key, on all lines.
    pub issued: u64,
    /// Those read back.
    pub verified: u64,
    /// Those on no good part.
    pub void: u64,
    /// Serials that may be on parts and are no longer on record.
    pub lost: u64,
    /// Serials that were not issued before their lot was closed.
    pub closed: u64,
    /// Requests to this process.
    pub requests: u64,
    /// Those that a rule refused, or that made no sense.
    pub refused: u64,
    /// Those that the store failed.
    pub failed: u64,
    /// The last errors, oldest first.
    pub errors: Vec<PastError>,
}

/// An error of the past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastError {
    /// When.
    pub at: Timestamp,
    /// What.
    pub message: String,
}

/// A request that was taken.
pub struct Pending {
    id: Option<String>,
    shared: Arc<Shared>,
    work: Work,
}

enum Work {
    Ready(Box<Answer>),
    Failed(Error),
    Ticket { ticket: Ticket, recipe: Option<String>, form: Form },
}

impl Desk {
    /// A desk before `line`, which issues for `delegation` under `name`.
    #[must_use]
    pub fn new(
        line: Line,
        name: &str,
        store: &str,
        delegation: Arc<Delegation>,
        recipes: BTreeMap<String, Recipe>,
    ) -> Self {
        let stages = line.stages().clone();
        Self {
            line,
            shared: Arc::new(Shared {
                name: name.to_owned(),
                store: store.to_owned(),
                delegation,
                recipes,
                usual: Recipe::default(),
                started: Timestamp::now(),
                requests: AtomicU64::new(0),
                refused: AtomicU64::new(0),
                failed: AtomicU64::new(0),
                errors: Mutex::default(),
                stages,
            }),
        }
    }

    /// Takes a request. `client` is whose it is where the request does not say.
    #[must_use]
    pub fn submit(&self, client: &str, request: Request) -> Pending {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let id = request.id.clone();
        let work = if request.action == Action::Status {
            Work::Ready(Box::new(Answer { id: id.clone(), status: Some(self.status()), ..Answer::default() }))
        } else {
            match self.shared.job(client, &request) {
                Ok((job, recipe, form)) => Work::Ticket { ticket: self.line.submit(job), recipe, form },
                Err(e) => Work::Failed(e),
            }
        };
        Pending { id, shared: Arc::clone(&self.shared), work }
    }

    /// A request that could not be read, as one that is refused.
    #[must_use]
    pub fn refuse(&self, error: Error) -> Pending {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        Pending { id: None, shared: Arc::clone(&self.shared), work: Work::Failed(error) }
    }

    /// How the line is; it does not wait for the store.
    #[must_use]
    pub fn status(&self) -> Status {
        let Health { counts, ok, since } = self.line.health();
        let shared = &self.shared;
        let delegation = &shared.delegation;
        Status {
            line: delegation.line.to_string(),
            name: shared.name.clone(),
            key: delegation.key.id().to_string(),
            store: shared.store.clone(),
            store_ok: ok,
            store_since: since,
            started: shared.started,
            not_before: delegation.not_before,
            not_after: delegation.not_after,
            left: delegation.serials.count().saturating_sub(counts.issued + counts.lost + counts.closed),
            reserved: counts.reserved,
            issued: counts.issued,
            verified: counts.verified,
            void: counts.void,
            lost: counts.lost,
            closed: counts.closed,
            requests: shared.requests.load(Ordering::Relaxed),
            refused: shared.refused.load(Ordering::Relaxed),
            failed: shared.failed.load(Ordering::Relaxed),
            errors: shared.errors.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect(),
        }
    }

    /// Where the time of requests goes.
    #[must_use]
    pub fn stages(&self) -> &Stages {
        &self.shared.stages
    }

    /// The names of the recipes.
    pub fn recipes(&self) -> impl Iterator<Item = &str> {
        self.shared.recipes.keys().map(String::as_str)
    }
}

impl Pending {
    /// Whether [`Pending::wait`] would not wait.
    pub fn is_known(&mut self) -> bool {
        match &mut self.work {
            Work::Ready(_) | Work::Failed(_) => true,
            Work::Ticket { ticket, .. } => ticket.is_known(),
        }
    }

    /// Waits until the marks are durable, or it is known why there are none.
    #[must_use]
    pub fn wait(self) -> Answer {
        let Self { id, shared, work } = self;
        let done = match work {
            Work::Ready(answer) => return *answer,
            Work::Failed(e) => Err(e),
            Work::Ticket { ticket, recipe, form } => ticket.wait().and_then(|(done, at)| {
                let recipe = recipe.and_then(|name| shared.recipes.get(&name)).unwrap_or(&shared.usual);
                let answer = answer(done, recipe, form);
                shared.stages.note(Stage::Answer, at.elapsed());
                answer
            }),
        };
        match done {
            Ok(answer) => Answer { id, ..answer },
            Err(e) => {
                shared.note(&e);
                Answer::failure(id, &e)
            }
        }
    }
}

impl Shared {
    fn note(&self, error: &Error) {
        let counter = if error.kind == Kind::Storage { &self.failed } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.len() == ERRORS_KEPT {
            errors.pop_front();
        }
        errors.push_back(PastError { at: Timestamp::now(), message: error.message.clone() });
    }

    fn job(&self, client: &str, request: &Request) -> Result<(Job, Option<String>, Form)> {
        let recipe = match &request.recipe {
            None => &self.usual,
            Some(name) => self.recipes.get(name).ok_or_else(|| {
                let known = self.recipes.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                Error::unusable(format!("there is no recipe {name:?}")).hint(if known.is_empty() {
                    "start the line with --recipes DIR".to_owned()
                } else {
                    format!("known: {known}")
                })
            })?,
        };
        let form = request.form.unwrap_or(recipe.answer);
        let job = match request.action {
            Action::Issue => {
                let (order, name) = order(client, request, recipe)?;
                Job::Issue { order, request: name, dated: request.date.is_some() }
            }
            Action::Find => Job::Find(serial(request)?),
            Action::Verify => Job::Note(outcome(request, State::Verified)?),
            Action::Void => Job::Note(outcome(request, State::Void)?),
            Action::Read => {
                let again = request.part.is_some() || recipe.part.is_some();
                let next = if again { Some(order(client, request, recipe)?) } else { None };
                Job::ReadBack { serial: serial(request)?, read: read(request)?, grade: grade(request)?, next }
            }
            Action::Status => return Err(Error::unusable("the status is no job")),
        };
        Ok((job, request.recipe.clone(), form))
    }
}

fn order(client: &str, request: &Request, recipe: &Recipe) -> Result<(Order, Option<RequestId>)> {
    let part = match (&request.part, &recipe.part) {
        (Some(said), Some(own)) if said != own => {
            return Err(Error::refused(format!("the recipe is for part {own}, and not for {said}")));
        }
        (said, own) => said.clone().or_else(|| own.clone()),
    };
    present("lot", request.lot.is_some(), recipe.lot)?;
    present("consignee", request.consignee.is_some(), recipe.consignee)?;
    let count = request.count.unwrap_or(1);
    if !(1..=MAX_COUNT).contains(&count) {
        return Err(Error::unusable(format!("count {count}: 1 to {MAX_COUNT} marks can be asked for at once")));
    }
    let content = Content {
        part: part.ok_or_else(|| Error::unusable("the part is missing").hint("say part, or a recipe that names it"))?,
        lot: request.lot.clone(),
        date: request.date.map_or_else(|| crate::init::today(Timestamp::now()), Ok)?,
        consignee: request.consignee,
        extension: Extension::default(),
    };
    let client = request.client.as_deref().unwrap_or(client);
    short("client", client)?;
    let id = request.id.as_deref().map(|id| {
        short("id", id)?;
        // One that is always the same would give the same marks to different parts.
        if id.is_empty() {
            return Err(
                Error::unusable("an id is not empty").hint("leave id out, or give every request one of its own")
            );
        }
        Ok(RequestId { client: client.to_owned(), id: id.to_owned() })
    });
    Ok((Order { content, serial: None, count }, id.transpose()?))
}

fn present(what: &str, is_there: bool, wanted: Presence) -> Result<()> {
    match (wanted, is_there) {
        (Presence::Required, false) => {
            Err(Error::refused(format!("the recipe wants a {what}, and the request has none")))
        }
        (Presence::Never, true) => Err(Error::refused(format!("the recipe wants no {what}, and the request has one"))),
        _ => Ok(()),
    }
}

fn short(what: &str, text: &str) -> Result<()> {
    if text.len() <= MAX_TEXT && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(Error::unusable(format!("{what}: more than {MAX_TEXT} bytes, or not one line")))
}

fn serial(request: &Request) -> Result<Serial> {
    let number = request.serial.ok_or_else(|| Error::unusable("the serial is missing"))?;
    Serial::new(number).ok_or_else(|| Error::unusable(format!("serial {number}: the largest is {}", Serial::MAX)))
}

fn outcome(request: &Request, state: State) -> Result<Outcome> {
    let reason = request.reason.clone().filter(|_| state == State::Void);
    if let Some(reason) = &reason {
        short("reason", reason)?;
    }
    if state == State::Void && reason.is_none() {
        return Err(Error::unusable("a mark is void for a reason: say reason"));
    }
    let at = Timestamp::now().as_millisecond();
    Ok(Outcome { serial: serial(request)?.get(), state, at, reason, grade: grade(request)? })
}

fn grade(request: &Request) -> Result<Option<u8>> {
    let Some(grade) = request.grade.as_ref() else { return Ok(None) };
    let tenths = grade.as_f64().map_or(-1.0, |g| g * 10.0);
    match (0.0..=40.0).contains(&tenths) && (tenths - tenths.round()).abs() < 1e-6 {
        true => Ok(Some(tenths.round() as u8)),
        false => Err(Error::unusable(format!("grade {grade} is not one of 0.0 to 4.0 in tenths"))),
    }
}

fn read(request: &Request) -> Result<Option<Vec<u8>>> {
    match (&request.text, &request.bytes) {
        (Some(_), Some(_)) => Err(Error::unusable("what was read stands there twice, as text and as bytes")),
        // What is no text form was read all the same, as something else.
        (Some(text), None) => Ok(Some(base45::decode(text).unwrap_or_else(|_| text.as_bytes().to_vec()))),
        (None, Some(bytes)) => {
            let bytes = STANDARD.decode(bytes).map_err(|_| Error::unusable("bytes: not base64"))?;
            Ok(Some(bytes))
        }
        (None, None) => Ok(None),
    }
}

fn answer(done: Done, recipe: &Recipe, form: Form) -> Result<Answer> {
    Ok(match done {
        Done::Issued(issued) => {
            let drawn = Some(form).filter(|form| format(*form).is_some() && *form != Form::Matrix);
            Answer { again: issued.again > 0, form: drawn, marks: marks(&issued, recipe, form)?, ..Answer::default() }
        }
        Done::Noted(state) => Answer { state: Some(name(state)), ..Answer::default() },
        Done::ReadBack(good, next) => {
            let marks = next.map(|issued| marks(&issued, recipe, form)).transpose()?.unwrap_or_default();
            let state = if good { State::Verified } else { State::Void };
            Answer { state: Some(name(state)), marks, ..Answer::default() }
        }
        Done::Found(issued, outcome) => found(&issued, outcome, recipe, form)?,
    })
}

fn name(state: State) -> String {
    match state {
        State::Verified => "verified",
        State::Void => "void",
    }
    .to_owned()
}

fn found(issued: &Issued, outcome: Option<Outcome>, recipe: &Recipe, form: Form) -> Result<Answer> {
    let Content { part, lot, date, .. } = issued.content.clone();
    let grade = outcome.as_ref().and_then(|o| o.grade).map(|g| format!("{}.{}", g / 10, g % 10));
    Ok(Answer {
        state: Some(outcome.as_ref().map_or_else(|| "issued".to_owned(), |o| name(o.state))),
        marks: marks(issued, recipe, form)?,
        found: Some(Found { part, lot, date, reason: outcome.and_then(|o| o.reason), grade }),
        ..Answer::default()
    })
}

fn marks(issued: &Issued, recipe: &Recipe, form: Form) -> Result<Vec<Mark>> {
    let one = |mark: &SignedMark| written(mark, &issued.content, recipe, form);
    match form {
        Form::Text => issued.marks.iter().map(one).collect(),
        _ => issued.marks.par_iter().with_min_len(MARKS_A_THREAD).map(one).collect(),
    }
}

fn written(mark: &SignedMark, content: &Content, recipe: &Recipe, form: Form) -> Result<Mark> {
    let bytes = mark.to_bytes();
    let empty = Mark { serial: mark.mark.serial.get(), ..Mark::default() };
    Ok(match (form, format(form)) {
        (Form::Matrix, _) => Mark { matrix: Some(rows(&recipe.design.encode(&bytes)?.matrix)), ..empty },
        (_, Some(format)) => {
            let symbol = recipe.design.symbol(&bytes, content)?;
            let drawn = recipe.design.draw(format, std::slice::from_ref(&symbol))?;
            let text = String::from_utf8(drawn).unwrap_or_else(|binary| STANDARD.encode(binary.as_bytes()));
            Mark { artwork: Some(text), ..empty }
        }
        (_, None) => Mark { text: Some(base45::encode(&bytes)), ..empty },
    })
}

fn rows(matrix: &Matrix) -> String {
    let (width, height) = (matrix.width(), matrix.height());
    let mut text = String::with_capacity((width + 1) * height);
    for y in 0..height {
        if y > 0 {
            text.push('/');
        }
        text.extend((0..width).map(|x| if matrix.is_dark(x, y) { '1' } else { '0' }));
    }
    text
}

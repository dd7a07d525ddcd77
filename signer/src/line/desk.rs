//! The desk between the ways in and the line: requests become jobs, marks become answers in the form that the product's
//! recipe wants, and everybody can ask how the line is.

mod answer;
mod request;

use super::issuer::Job;
use super::protocol::{Action, Answer, Form, MAX_TEXT, Request};
use super::recipe::{self, Recipe};
use super::service::{Health, Line, Look, Ticket};
use super::stages::{Stage, Stages};
use crate::error::{Error, Kind, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::Delegation;

/// Errors that are kept for whoever asks how the line is.
const ERRORS_KEPT: usize = 16;

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
    /// Whether the store takes what is written, as far as is known.
    pub store_ok: bool,
    /// Since when that is so.
    pub store_since: Timestamp,
    /// Whether the line key signs, as far as is known.
    pub key_ok: bool,
    /// Since when that is so.
    pub key_since: Timestamp,
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
    /// Those that the store or the key failed.
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
    Look(Desk, Look),
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

    /// Takes a request. Where it does not say whose it is, it is of `client` of this very line: on a store that several
    /// lines share, two controllers that count their requests from 1 are not to get the same marks.
    #[must_use]
    pub fn submit(&self, client: &str, request: Request) -> Pending {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let id = request.id.clone();
        let work = if request.action == Action::Status {
            Work::Look(self.clone(), self.line.look())
        } else {
            match self.shared.job(&format!("{}/{client}", self.shared.name), &request) {
                Ok((job, recipe, form)) => Work::Ticket { ticket: self.line.submit(job), recipe, form },
                Err(e) => Work::Failed(e),
            }
        };
        Pending { id, shared: Arc::clone(&self.shared), work }
    }

    /// A request that could not be read, as one that is refused. `id` is its id where that could be read.
    #[must_use]
    pub fn refuse(&self, id: Option<String>, error: Error) -> Pending {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        Pending { id, shared: Arc::clone(&self.shared), work: Work::Failed(error) }
    }

    /// What somebody said who asked for nothing: whose the requests are that follow, from 1 to [`MAX_TEXT`] bytes.
    #[must_use]
    pub fn greet(&self, client: &str) -> Pending {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let work = if (1..=MAX_TEXT).contains(&client.len()) && !client.contains(char::is_control) {
            Work::Ready(Box::new(Answer { state: Some(client.to_owned()), ..Answer::default() }))
        } else {
            Work::Failed(Error::unusable(format!("a client's name has 1 to {MAX_TEXT} bytes, and is one line")))
        };
        Pending { id: None, shared: Arc::clone(&self.shared), work }
    }

    /// How the line is, as of a second ago; it does not wait for the store.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status_by(self.line.health())
    }

    /// How the line is at this moment, if its store answers soon.
    #[must_use]
    pub fn status_now(&self) -> Status {
        self.status_by(self.line.look().wait())
    }

    /// How the line will be when it has stopped: what it reserved is given back.
    #[must_use]
    pub fn status_at_end(&self) -> Status {
        let status = self.status_now();
        Status { reserved: status.reserved.saturating_sub(self.line.health().own), ..status }
    }

    fn status_by(&self, health: Health) -> Status {
        let Health { counts, store, key, own: _ } = health;
        let shared = &self.shared;
        let delegation = &shared.delegation;
        Status {
            line: delegation.line.to_string(),
            name: shared.name.clone(),
            key: delegation.key.id().to_string(),
            store: shared.store.clone(),
            store_ok: store.ok,
            store_since: store.since,
            key_ok: key.ok,
            key_since: key.since,
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
            Work::Look(..) => false,
            Work::Ticket { ticket, .. } => ticket.is_known(),
        }
    }

    /// Waits until the marks are durable, or it is known why there are none.
    #[must_use]
    pub fn wait(self) -> Answer {
        let Self { id, shared, work } = self;
        let done = match work {
            Work::Ready(answer) => return *answer,
            Work::Look(desk, look) => Ok(Answer { status: Some(desk.status_by(look.wait())), ..Answer::default() }),
            Work::Failed(e) => Err(e),
            Work::Ticket { ticket, recipe, form } => ticket.wait().and_then(|(done, at)| {
                let recipe = recipe.and_then(|name| shared.recipes.get(&name)).unwrap_or(&shared.usual);
                let answer = answer::answer(done, recipe, form);
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
        let counter = if matches!(error.kind, Kind::Storage | Kind::Key) { &self.failed } else { &self.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        // One that comes again and again does not push the others out.
        if let Some(last) = errors.back_mut().filter(|last| last.message == error.message) {
            last.at = Timestamp::now();
            return;
        }
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
        let form = if request.one_line && recipe::format(form).is_some() { Form::Text } else { form };
        Ok((request::job(client, request, recipe)?, request.recipe.clone(), form))
    }
}

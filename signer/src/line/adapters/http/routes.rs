//! Paths and what they ask of the line.

use super::answer::{self, Answer};
use crate::error::Error;
use crate::line::adapters::metrics;
use crate::line::desk::{Desk, Pending, Status};
use crate::line::protocol::{self, Action, Request};
use hyper::{Method, StatusCode};
use serde_json::json;
use serde_json::value::RawValue;

/// Whose ids the requests have that do not say who asks.
const CLIENT: &str = "http";
/// Requests in one body.
const MAX_REQUESTS: usize = 1000;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Is the process there?
    Health,
    /// Can it issue marks?
    Ready,
    /// Figures for monitoring.
    Metrics,
    /// What can be asked.
    OpenApi,
    /// How the line does.
    Status,
    /// Issue marks.
    Issue,
    /// What was issued under a serial.
    Find(u64),
    /// What became of the mark of a serial.
    Note(Action, u64),
    /// Any requests, many at once.
    Requests,
}

impl Route {
    /// Whether it tells nothing that needs a token.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Health | Self::Ready)
    }

    /// Whether there is a body.
    pub(super) fn takes_body(self) -> bool {
        matches!(self, Self::Issue | Self::Note(..) | Self::Requests)
    }
}

/// The route of a path.
pub(super) fn find(method: &Method, path: &str) -> Result<Route, Answer> {
    let mut levels = path.trim_start_matches('/').split('/');
    let levels = [levels.next(), levels.next(), levels.next(), levels.next()].map(Option::unwrap_or_default);
    let serial = levels[1].parse::<u64>().ok().filter(|_| !levels[1].starts_with('+'));
    let route = match (levels, serial) {
        (["health", "", "", ""], _) => Route::Health,
        (["ready", "", "", ""], _) => Route::Ready,
        (["metrics", "", "", ""], _) => Route::Metrics,
        (["openapi.json", "", "", ""], _) => Route::OpenApi,
        (["status", "", "", ""], _) => Route::Status,
        (["requests", "", "", ""], _) => Route::Requests,
        (["marks", "", "", ""], _) => Route::Issue,
        (["marks", _, "", ""], Some(serial)) => Route::Find(serial),
        (["marks", _, "verify", ""], Some(serial)) => Route::Note(Action::Verify, serial),
        (["marks", _, "void", ""], Some(serial)) => Route::Note(Action::Void, serial),
        (["marks", _, "read", ""], Some(serial)) => Route::Note(Action::Read, serial),
        (["marks", _, "" | "verify" | "void" | "read", ""], None) => return Err(answer::no_serial()),
        _ => return Err(answer::not_found()),
    };
    match (route.takes_body(), method) {
        (true, &Method::POST) | (false, &Method::GET | &Method::HEAD) => Ok(route),
        (true, _) => Err(answer::not_allowed("POST")),
        (false, _) => Err(answer::not_allowed("GET, HEAD")),
    }
}

/// Answers what is asked. Blocks until the line has answered.
pub(super) fn answer(route: Route, body: &[u8], desk: &Desk) -> Answer {
    match route {
        Route::Health => Answer::json(StatusCode::OK, &json!({ "health": "ok" })),
        Route::Ready => ready(desk),
        Route::Metrics => {
            Answer::text("text/plain; version=0.0.4; charset=utf-8", metrics::text(&desk.status(), desk.stages()))
        }
        Route::OpenApi => Answer::text("application/json", super::OPENAPI),
        Route::Status => Answer::json(StatusCode::OK, &desk.status_now()),
        Route::Find(serial) => one(desk, Request { action: Action::Find, serial: Some(serial), ..Request::default() }),
        Route::Issue => match request(body) {
            Ok(request) if request.action != Action::Issue => answer::bad("`do` is not for this path"),
            Ok(request) => one(desk, request),
            Err(e) => unusable(desk, body, e),
        },
        Route::Note(action, serial) => match request(body) {
            Ok(request) if request.serial.is_some_and(|other| other != serial) => {
                answer::bad("the serial in the body is not that in the path")
            }
            Ok(request) if ![Action::Issue, action].contains(&request.action) => {
                answer::bad("`do` in the body is not what the path says")
            }
            Ok(request) => one(desk, Request { action, serial: Some(serial), ..request }),
            Err(e) => unusable(desk, body, e),
        },
        Route::Requests => many(desk, body),
    }
}

fn ready(desk: &Desk) -> Answer {
    let Status { store_ok, key_ok, .. } = desk.status();
    let ready = store_ok && key_ok;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Answer::json(status, &json!({ "ready": ready }))
}

fn request(body: &[u8]) -> Result<Request, Error> {
    let text = std::str::from_utf8(body).map_err(|_| Error::unusable("the body is not UTF-8"))?;
    if body.len() > protocol::MAX_BYTES {
        return Err(Error::unusable(format!("a request has at most {} bytes", protocol::MAX_BYTES)));
    }
    Request::from_line(text)
}

fn unusable(desk: &Desk, body: &[u8], error: Error) -> Answer {
    let id = std::str::from_utf8(body).ok().and_then(Request::id_in);
    answer::of_line(&desk.refuse(id, error).wait())
}

fn one(desk: &Desk, request: Request) -> Answer {
    answer::of_line(&desk.submit(CLIENT, request).wait())
}

/// Many requests, which share commits; each has an answer of its own, and its own success.
fn many(desk: &Desk, body: &[u8]) -> Answer {
    let requests: Vec<&RawValue> = match serde_json::from_slice(body) {
        Ok(requests) => requests,
        Err(e) => return answer::bad(&format!("not a list of requests: {e}")),
    };
    if requests.len() > MAX_REQUESTS {
        return answer::bad(&format!("more than {MAX_REQUESTS} requests at once"));
    }
    let submit = |line: &RawValue| match request(line.get().as_bytes()) {
        Ok(request) => desk.submit(CLIENT, request),
        Err(e) => desk.refuse(Request::id_in(line.get()), e),
    };
    let pending: Vec<Pending> = requests.into_iter().map(submit).collect();
    let answers: Vec<protocol::Answer> = pending.into_iter().map(Pending::wait).collect();
    Answer::json(StatusCode::OK, &answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_say() {
        let get = |path: &str| find(&Method::GET, path).ok();
        assert_eq!(get("/marks/17"), Some(Route::Find(17)));
        assert_eq!(get("/status"), Some(Route::Status));
        for path in ["/marks/x", "/marks/+1", "/marks/-1", "/marks/1/verify", "/", "/marks/1/2/3/4", "/marks"] {
            assert_eq!(get(path), None, "{path}");
        }
        let post = |path: &str| find(&Method::POST, path).ok();
        assert_eq!(post("/marks/17/void"), Some(Route::Note(Action::Void, 17)));
        assert_eq!(post("/marks"), Some(Route::Issue));
        assert_eq!(post("/metrics"), None);
    }
}

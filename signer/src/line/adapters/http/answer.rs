//! Answers as HTTP has them.

use crate::error::Error;
use crate::line::protocol;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// An answer.
pub(super) struct Answer {
    status: StatusCode,
    kind: &'static str,
    body: Vec<u8>,
    extra: Option<(HeaderName, &'static str)>,
}

impl Answer {
    pub(super) fn text(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: StatusCode::OK, kind, body: body.into(), extra: None }
    }

    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(mut body) => {
                body.push(b'\n');
                Self { status, kind: "application/json", body, extra: None }
            }
            // Strings and numbers always have a form in JSON.
            Err(_) => {
                Self { status: StatusCode::INTERNAL_SERVER_ERROR, kind: "text/plain", body: Vec::new(), extra: None }
            }
        }
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some((name, value)) = self.extra {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.extra = Some((name, value));
        self
    }
}

/// What the line answered, with the status code of its kind.
pub(super) fn of_line(answer: &protocol::Answer) -> Answer {
    match answer.error.as_ref().map(|failure| failure.kind.as_str()) {
        None => Answer::json(StatusCode::OK, answer),
        Some("refused") => Answer::json(StatusCode::CONFLICT, answer),
        Some("unusable") => Answer::json(StatusCode::BAD_REQUEST, answer),
        Some(_) => Answer::json(StatusCode::SERVICE_UNAVAILABLE, answer).with(RETRY_AFTER, "1"),
    }
}

/// What never reached the line.
pub(super) fn of_error(error: &Error) -> Answer {
    of_line(&protocol::Answer::failure(None, error))
}

fn failure(status: StatusCode, message: &str, hint: &str) -> Answer {
    Answer { status, ..of_error(&Error::unusable(message).hint(hint)) }
}

pub(super) fn bad(message: &str) -> Answer {
    failure(StatusCode::BAD_REQUEST, message, "GET /openapi.json says what each request looks like")
}

pub(super) fn no_serial() -> Answer {
    bad("the serial in the path is not a whole number")
}

pub(super) fn not_found() -> Answer {
    failure(StatusCode::NOT_FOUND, "there is nothing at this path", "GET /openapi.json lists what there is")
}

pub(super) fn not_allowed(allowed: &'static str) -> Answer {
    let hint = format!("use {allowed}");
    failure(StatusCode::METHOD_NOT_ALLOWED, "this path is not for this method", &hint).with(ALLOW, allowed)
}

pub(super) fn unauthorised() -> Answer {
    let hint = "send it as `Authorization: Bearer TOKEN`";
    failure(StatusCode::UNAUTHORIZED, "a token is needed", hint).with(WWW_AUTHENTICATE, "Bearer")
}

pub(super) fn misdirected() -> Answer {
    let hint = "ask for 127.0.0.1 or localhost, or have a token set up";
    failure(StatusCode::MISDIRECTED_REQUEST, "the Host header does not name this machine", hint)
}

pub(super) fn not_json() -> Answer {
    let hint = "send `Content-Type: application/json`";
    failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body is not said to be JSON", hint)
}

pub(super) fn too_large(most: usize) -> Answer {
    let hint = format!("a body has at most {} KiB", most >> 10);
    failure(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large", &hint)
}

pub(super) fn too_slow() -> Answer {
    failure(StatusCode::REQUEST_TIMEOUT, "the body did not come", "send it at once")
}

pub(super) fn broken() -> Answer {
    of_error(&Error::storage("the line broke off").hint("ask again with the same id"))
}

//! Plain JSON over a broker:
//!
//! | topic | what | |
//! | --- | --- | --- |
//! | `PREFIX/request/CLIENT` | a request, as a line of JSON Lines | QoS 1 |
//! | `PREFIX/answer/CLIENT` | its answer | QoS 1 |
//! | `PREFIX/status` | how the line does | QoS 1, retained |
//! | `PREFIX/online` | `true`, or `false` when it is away | QoS 1, retained |

use super::{Dialect, Message, Read, check_level};
use crate::error::{Error, Result};
use crate::line::desk::Status;
use crate::line::protocol::{Answer, MAX_BYTES, MAX_TEXT, Request};

/// Plain JSON under a prefix.
#[derive(Debug)]
pub struct Json {
    prefix: String,
}

impl Json {
    /// Under `prefix`, as in `touchmark/line-1`.
    ///
    /// # Errors
    /// It cannot be the beginning of a topic.
    pub fn new(prefix: &str) -> Result<Self> {
        prefix.split('/').try_for_each(check_level)?;
        Ok(Self { prefix: prefix.to_owned() })
    }

    fn message(&self, topic: &str, payload: impl Into<Vec<u8>>, retained: bool) -> Message {
        Message { topic: format!("{}/{topic}", self.prefix), payload: payload.into(), confirmed: true, retained }
    }

    fn status(&self, status: &Status) -> Message {
        self.message("status", serde_json::to_vec(status).unwrap_or_default(), true)
    }
}

impl Dialect for Json {
    fn keeps_session(&self) -> bool {
        true
    }

    fn will(&mut self) -> Message {
        self.message("online", "false", true)
    }

    fn topics(&self) -> Vec<String> {
        vec![format!("{}/request/#", self.prefix)]
    }

    fn birth(&mut self, status: &Status) -> Vec<Message> {
        vec![self.message("online", "true", true), self.status(status)]
    }

    fn read(&self, topic: &str, payload: &[u8], retained: bool) -> Read {
        let client = topic.strip_prefix(&self.prefix).and_then(|rest| rest.strip_prefix("/request/"));
        let Some(client) = client.filter(|client| !client.is_empty()) else {
            return Read::Ignored(format!("it names no client: publish under {}/request/CLIENT", self.prefix));
        };
        if client.len() > MAX_TEXT || client.contains(char::is_control) {
            return Read::Ignored(format!(
                "its client has more than {MAX_TEXT} bytes, or control characters in its name"
            ));
        }
        let text = std::str::from_utf8(payload).map_err(|_| Error::unusable("the request is not UTF-8"));
        let wrong = |error: Error| {
            let id = text.as_ref().ok().filter(|text| text.len() <= MAX_BYTES).and_then(|text| Request::id_in(text));
            Read::Wrong(client.to_owned(), id, error)
        };
        if retained {
            let why = Error::unusable("a retained request would come back with every connection");
            return wrong(why.hint("publish it without retain"));
        }
        if payload.len() > MAX_BYTES {
            return wrong(Error::unusable(format!("a request has at most {MAX_BYTES} bytes")));
        }
        match text.clone().and_then(Request::from_line) {
            Ok(Request { client: Some(other), .. }) if other != client => wrong(
                Error::unusable(format!("the topic says that the client is {client:?}, and the request {other:?}"))
                    .hint("leave client out of it"),
            ),
            Ok(request) => Read::Request(client.to_owned(), Box::new(request)),
            Err(e) => wrong(e),
        }
    }

    fn answer(&mut self, client: &str, answer: &Answer) -> Vec<Message> {
        vec![self.message(&format!("answer/{client}"), answer.to_line(), false)]
    }

    fn news(&mut self, status: &Status) -> Vec<Message> {
        vec![self.status(status)]
    }

    fn farewell(&mut self, status: &Status) -> Vec<Message> {
        vec![self.status(status), self.message("online", "false", true)]
    }
}

//! A request to the line becomes a job for the issuer, if its recipe agrees.

use crate::error::{Error, Result};
use crate::issue::{Content, Order};
use crate::line::issuer::Job;
use crate::line::protocol::{Action, MAX_COUNT, MAX_TEXT, Request};
use crate::line::recipe::{Presence, Recipe};
use crate::line::store::{Outcome, RequestId, State};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use touchmark_formats::base45;
use touchmark_formats::mark::{Extension, Serial};

/// The job that `request` asks for. `client` is whose it is where the request does not say.
pub(super) fn job(client: &str, request: &Request, recipe: &Recipe) -> Result<Job> {
    require_own_fields(request)?;
    Ok(match request.action {
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
    })
}

/// Refuses fields that mean nothing for what is to be done: whoever says them expects something of them.
fn require_own_fields(request: &Request) -> Result<()> {
    use Action::{Find, Issue, Read, Verify, Void};
    let issuing: &[Action] = &[Issue, Read];
    let fields: [(&str, bool, &[Action]); 12] = [
        ("recipe", request.recipe.is_some(), &[Issue, Read, Find]),
        ("part", request.part.is_some(), issuing),
        ("lot", request.lot.is_some(), issuing),
        ("date", request.date.is_some(), issuing),
        ("consignee", request.consignee.is_some(), issuing),
        ("count", request.count.is_some(), issuing),
        ("as", request.form.is_some(), &[Issue, Read, Find]),
        ("serial", request.serial.is_some(), &[Read, Verify, Void, Find]),
        ("reason", request.reason.is_some(), &[Void]),
        ("grade", request.grade.is_some(), &[Read, Verify, Void]),
        ("text", request.text.is_some(), &[Read]),
        ("bytes", request.bytes.is_some(), &[Read]),
    ];
    match fields.iter().find(|(_, said, of)| *said && !of.contains(&request.action)) {
        None => Ok(()),
        Some((name, ..)) => {
            Err(Error::unusable(format!("{name} means nothing in this request: nothing was done")).hint("leave it out"))
        }
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
    if let Some(said) = &request.client {
        short("client", said)?;
    }
    let client = request.client.as_deref().unwrap_or(client);
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
    let reason = request.reason.clone();
    if let Some(reason) = &reason {
        short("reason", reason)?;
    }
    if state == State::Void && reason.as_ref().is_none_or(|reason| reason.trim().is_empty()) {
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

//! What came of a job becomes an answer, in the form that the product's recipe wants.

use crate::error::Result;
use crate::issue::Content;
use crate::line::issuer::{Done, Issued};
use crate::line::protocol::{Answer, Form, Found, Mark};
use crate::line::recipe::{Recipe, format};
use crate::line::store::{Outcome, State};
use base64::{Engine, engine::general_purpose::STANDARD};
use rayon::prelude::*;
use touchmark_formats::base45;
use touchmark_formats::mark::SignedMark;
use touchmark_formats::symbol::Matrix;

/// Fewer marks than these are drawn by one thread.
const MARKS_A_THREAD: usize = 4;

/// The answer, but for the id of its request.
pub(super) fn answer(done: Done, recipe: &Recipe, form: Form) -> Result<Answer> {
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

//! What is on record, made into marks again, and held against what is asked for now.

use crate::error::{Error, Result};
use crate::issue::{Content, Order, Template};
use crate::line::store::{self, RequestId, Run, Store};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use touchmark_formats::capsule::Capsule;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::mark::{Mark, SIGNATURE_BYTES, Serial, SignedMark};
use touchmark_formats::text::Label;

/// The capsule's bytes; none where there is no capsule.
pub(super) fn capsule_bytes(mark: &Mark) -> &[u8] {
    mark.capsule.as_ref().map_or(&[], Capsule::bytes)
}

/// What goes on record of a template whose serials begin at `first`.
pub(super) fn stored(template: &Template<'_>, first: u64) -> Result<store::Content> {
    let serial = Serial::new(first).ok_or_else(|| Error::unusable("a serial out of range"))?;
    let sample = template.mark(serial)?;
    let capsule = capsule_bytes(&sample).len() as u64;
    let mark = Mark { serial: Serial::default(), capsule: None, ..sample }.unsigned_bytes();
    let Content { part, lot, date, .. } = template.content();
    let mut hash = Sha256::new();
    for text in [part.as_str(), lot.as_ref().map_or("", Label::as_str)] {
        hash.update([text.len() as u8]);
        hash.update(text);
    }
    let [a, b, c, d, e, f, g, h, ..]: [u8; 32] =
        hash.chain_update([capsule as u8]).chain_update(&mark).finalize().into();
    let id = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
    Ok(store::Content { id, part: part.clone(), lot: lot.clone(), date: *date, mark, capsule })
}

/// The marks of a run, and what they say. The consignee stays sealed.
pub(super) fn marks_of(store: &mut Store, delegation: &Delegation, run: &Run) -> Result<(Content, Vec<SignedMark>)> {
    let content = content_of(store, run)?;
    let sample = unsigned(&content)?;
    let extension = sample.extension;
    let date = content.date;
    let marks = remake(&sample, run)?;
    let lot = content.lot.or_else(|| marks.first().and_then(|m| delegation.lot(&m.mark)).cloned());
    Ok((Content { part: content.part, lot, date, consignee: None, extension }, marks))
}

/// The marks of a run with its content.
///
/// # Errors
/// They cannot be read.
pub fn marks_of_run(content: &store::Content, run: &Run) -> Result<Vec<SignedMark>> {
    remake(&unsigned(content)?, run)
}

pub(super) fn content_of(store: &mut Store, run: &Run) -> Result<store::Content> {
    store.content(run.content)?.ok_or_else(broken)
}

fn unsigned(content: &store::Content) -> Result<Mark> {
    let bytes = [content.mark.as_slice(), &[0; SIGNATURE_BYTES]].concat();
    SignedMark::from_bytes(&bytes).map(|signed| signed.mark).map_err(|_| broken())
}

fn remake(sample: &Mark, run: &Run) -> Result<Vec<SignedMark>> {
    let one = |(serial, bytes): (u64, &[u8])| {
        let (capsule, signature) = bytes.split_last_chunk::<SIGNATURE_BYTES>()?;
        let capsule = match capsule {
            [] => None,
            sealed => Some(Capsule::from_bytes(sealed)?),
        };
        let mark = Mark { serial: Serial::new(serial)?, capsule, ..sample.clone() };
        Some(SignedMark { mark, signature: *signature })
    };
    run.marks().map(one).collect::<Option<_>>().ok_or_else(broken)
}

fn broken() -> Error {
    Error::storage("a record of issued marks is damaged")
        .hint("`touchmark-sign line verify-journal` says which; put the store back from a copy, and see `line recover`")
}

/// The marks that answered `request`, if `order` asks for the same now.
pub(super) fn request_again(
    store: &mut Store,
    template: &Template<'_>,
    order: &Order,
    request: &RequestId,
    runs: &[Run],
) -> Result<Vec<SignedMark>> {
    let total: u64 = runs.iter().map(Run::count).sum();
    let mut marks = Vec::new();
    for run in runs {
        if compare(store, template, run)?.is_some() || total != order.count {
            return Err(Error::refused(format!("request id {:?} was used before, for other marks", request.id))
                .hint("give every request an id of its own, and repeat an id only to ask for the same marks again"));
        }
        marks.extend(remake(&unsigned(&content_of(store, run)?)?, run)?);
    }
    Ok(marks)
}

/// The marks on record with serials from `first` to `last`, if all of them say what the template says.
pub(super) fn on_record(
    store: &mut Store,
    key: u64,
    template: &Template<'_>,
    first: u64,
    last: u64,
) -> Result<BTreeMap<u64, SignedMark>> {
    let mut known = BTreeMap::new();
    for run in store.issued(key, first, last)? {
        if let Some(difference) = compare(store, template, &run)? {
            return Err(refusal(run.first.max(first), &difference));
        }
        let marks = remake(&unsigned(&content_of(store, &run)?)?, &run)?;
        let wanted = marks.into_iter().filter(|m| (first..=last).contains(&m.mark.serial.get()));
        known.extend(wanted.map(|m| (m.mark.serial.get(), m)));
    }
    Ok(known)
}

/// How a run differs from what the template would make of its serials; `None` if it does not.
fn compare(store: &mut Store, template: &Template<'_>, run: &Run) -> Result<Option<String>> {
    let recorded = content_of(store, run)?;
    let same = stored(template, run.first)? == recorded && {
        let serial = Serial::new(run.first).ok_or_else(broken)?;
        let capsule = capsule_bytes(&template.mark(serial)?).to_vec();
        run.marks().next().is_some_and(|(_, bytes)| bytes.starts_with(&capsule))
    };
    if same {
        return Ok(None);
    }
    let date = recorded.date;
    let content = template.content();
    let same_print = (&recorded.part, &recorded.lot, date) == (&content.part, &content.lot, content.date);
    // The delegation decides whether part and lot stand in the mark, and how long its capsule is.
    let what = match same_print {
        true => "with another consignee or other extras, or under another delegation",
        false => "with another content",
    };
    let lot = recorded.lot.as_ref().map_or_else(String::new, |lot| format!(" lot {lot}"));
    let at = Timestamp::from_second(run.at.div_euclid(1000)).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Some(format!("{what}: on {at} for part {}{lot} dated {date}", recorded.part)))
}

pub(super) fn refusal(serial: u64, differs: &str) -> Error {
    Error::refused(format!("serial {serial} was issued before {differs}"))
        .hint("take an unused serial by leaving --serial out; `touchmark-sign line find` says what each was used for")
}

pub(super) fn reserved(first: Serial, last: Serial) -> Error {
    Error::refused(format!(
        "serials {first} to {last} are reserved for a line that is running, or closed, or lost in a restore"
    ))
    .hint("take an unused serial by leaving --serial out, or stop the line, which gives back what it did not use")
}

pub(super) fn used_up(template: &Template<'_>, missing: u64) -> Error {
    let lot = template.content().lot.as_ref().map_or_else(String::new, |lot| format!(" for lot {lot}"));
    Error::refused(format!("too few serials of the delegation{lot} are left: short by {missing}")).hint(
        "the maker can grant a further range (`touchmark-sign delegate grant --serials FIRST-LAST`); what another line on \
         this store has reserved comes back when that stops; a lot that was closed stays closed",
    )
}

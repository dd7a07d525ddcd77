//! Closed lots: the line accounts for every serial of a range, the maker accepts, and what was never issued is no licence
//! for a ghost shift any more (SPEC.md, section 8.4).

use crate::error::{Error, Result};
use crate::files;
use crate::keys::{SigningKey, sign_document};
use jiff::Timestamp;
use std::path::Path;
use touchmark_formats::close::{CloseError, LotClose, Scrapped};
use touchmark_formats::delegation::{Delegation, SerialRange};
use touchmark_formats::mark::Serial;
use touchmark_formats::signed::Signed;
use touchmark_formats::text::Label;

/// What is to be closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The lot, where the range is that of one.
    pub lot: Option<Label>,
    /// The range.
    pub serials: SerialRange,
    /// Serials on no good part, in any order.
    pub void: Vec<Scrapped>,
}

impl Closing {
    /// What closes `lot`; without one, all that the delegation allows.
    ///
    /// # Errors
    /// The delegation does not tie the lot to serials, so it does not say where the lot ends.
    pub fn of_lot(delegation: &Delegation, lot: Option<Label>) -> Result<Self> {
        let Some(lot) = lot else { return Ok(Self { lot: None, serials: delegation.serials, void: Vec::new() }) };
        match delegation.lots.iter().find(|listed| listed.lot == lot) {
            Some(listed) => Ok(Self { lot: Some(lot), serials: listed.serials, void: Vec::new() }),
            None => Err(Error::unusable(format!("the delegation does not say which serials lot {lot} has"))
                .hint("say --serials FIRST-LAST: the range that is never to be issued from again")),
        }
    }
}

/// The account of what is closed, made by the line with the key `key`. `issued` are the serials of that key on record, in
/// any order.
///
/// # Errors
/// The range is not the line's, void serials overlap or leave it, or the key's holder refuses.
pub fn close(
    key: &dyn SigningKey,
    delegation: &Delegation,
    closing: Closing,
    issued: impl IntoIterator<Item = SerialRange>,
    now: Timestamp,
) -> Result<Signed<LotClose>> {
    let Closing { lot, serials, mut void } = closing;
    let own = delegation.serials;
    if !own.contains(serials.first) || !own.contains(serials.last) {
        return Err(Error::refused(format!("serials {serials} are not all the line's: it has {own}")));
    }
    void.sort_by_key(|void| void.serials.first);
    let clipped = issued.into_iter().filter_map(|range| intersection(range, serials));
    let holes: Vec<SerialRange> = void.iter().map(|void| void.serials).collect();
    let used = minus(&merged(clipped.collect()), &holes);
    let mut envelope =
        Signed::new(LotClose { maker: delegation.maker, key: delegation.key, lot, serials, used, void, closed: now });
    envelope.signed.check_ranges().map_err(|e| {
        Error::unusable(format!("the void serials make no sense: {e}"))
            .hint(format!("they lie within {serials}, and no serial is named twice"))
    })?;
    sign_document(key, &mut envelope)?;
    Ok(envelope)
}

/// Accepts the account of a line, as the maker: it counts from then on.
///
/// # Errors
/// It is another maker's, makes no sense, is not signed by its line; or the key's holder refuses.
pub fn accept(root: &dyn SigningKey, envelope: &mut Signed<LotClose>) -> Result<()> {
    let line = LotClose::check_unsigned(envelope, root.public()).map_err(|e| match e {
        CloseError::OtherMaker => Error::refused("the record is of another maker's line"),
        other => Error::unusable(other.to_string()),
    })?;
    if !envelope.is_signed_by(&line) {
        return Err(Error::refused("the line that the record names did not sign it as it stands"));
    }
    sign_document(root, envelope)
}

/// The record in the file at `path`. No signature is checked.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<Signed<LotClose>> {
    Signed::from_json(&files::read(path)?).map_err(|e| Error::file(path, e))
}

pub(crate) fn intersection(a: SerialRange, b: SerialRange) -> Option<SerialRange> {
    let both = SerialRange { first: a.first.max(b.first), last: a.last.min(b.last) };
    (both.count() > 0).then_some(both)
}

/// `ranges` in rising order, those that touch or overlap as one.
#[must_use]
pub fn merged(mut ranges: Vec<SerialRange>) -> Vec<SerialRange> {
    ranges.sort_by_key(|range| range.first);
    let mut out: Vec<SerialRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.first.get() <= last.last.get() + 1 => last.last = last.last.max(range.last),
            _ => out.push(range),
        }
    }
    out
}

/// What is left of `ranges`, which rise and are disjoint, without `holes`, which are so too.
#[must_use]
pub fn minus(ranges: &[SerialRange], holes: &[SerialRange]) -> Vec<SerialRange> {
    let mut out = Vec::with_capacity(ranges.len());
    for SerialRange { first, last } in ranges.iter().copied() {
        let mut next = Some(first);
        let from = holes.partition_point(|hole| hole.last < first);
        for hole in holes.iter().skip(from).take_while(|hole| hole.first <= last) {
            out.extend(next.and_then(|next| range(next, hole.first.get().checked_sub(1)?)));
            next = Serial::new(hole.last.get() + 1);
        }
        out.extend(next.and_then(|next| range(next, last.get())));
    }
    out
}

/// The range from `first` to `last`; `None` if it is empty.
fn range(first: Serial, last: u64) -> Option<SerialRange> {
    Serial::new(last).filter(|last| first <= *last).map(|last| SerialRange { first, last })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delegate::{self, Limits};
    use crate::keys::SecretKey;
    use touchmark_formats::date::Date;

    fn range(first: u64, last: u64) -> SerialRange {
        super::range(Serial::new(first).unwrap(), last).unwrap()
    }

    fn void(first: u64, last: u64) -> Scrapped {
        Scrapped { serials: range(first, last), reason: "bent lead".parse().unwrap() }
    }

    #[test]
    fn the_account_is_what_was_issued_without_what_is_void() {
        let (root, line) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let request = delegate::request(&line, "L".parse().unwrap(), root.public()).unwrap();
        let limits = Limits { serials: range(1, 1000), ..Limits::wide(1, Date::MIN, Date::MAX) };
        let delegation = delegate::grant(&root, &request, limits).unwrap().signed;
        let closing = |void: Vec<Scrapped>| Closing { void, ..Closing::of_lot(&delegation, None).unwrap() };
        let issued = [range(501, 700), range(1, 400), range(401, 450), range(2000, 3000)];
        let close = |void| super::close(&line, &delegation, closing(void), issued, Timestamp::UNIX_EPOCH);
        let mut made = close(vec![void(690, 700), void(1, 1), void(400, 402), void(800, 800)]).unwrap();
        assert_eq!(made.signed.used, [range(2, 399), range(403, 450), range(501, 689)]);
        assert_eq!(made.signed.counts(), (398 + 48 + 189, 11 + 1 + 3 + 1, 1000 - 635 - 16));
        let root_key = root.public().check().unwrap();
        assert_eq!(LotClose::check(&made, &root_key), Err(CloseError::RootSignature));
        accept(&root, &mut made).unwrap();
        assert_eq!(LotClose::check(&made, &root_key), Ok(()));
        assert!(close(vec![void(5, 9), void(9, 10)]).is_err());
        assert!(close(vec![void(999, 1001)]).is_err());
        assert!(Closing::of_lot(&delegation, Some("X".parse().unwrap())).is_err());
        let beyond = Closing { serials: range(1, 1001), ..closing(Vec::new()) };
        assert!(super::close(&line, &delegation, beyond, issued, Timestamp::UNIX_EPOCH).is_err());
        made.signed.used.pop();
        assert_eq!(accept(&root, &mut made).unwrap_err().kind, crate::error::Kind::Refused);
    }
}

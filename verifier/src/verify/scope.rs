//! Whether a line was allowed to make the mark that it signed, and whether its serials are on good parts.

use super::{Basis, finding};
use crate::verdict::{Finding, FindingKind};
use touchmark_formats::carried::Carried;
use touchmark_formats::close::{Account, LotClose};
use touchmark_formats::delegation::{Delegation, OutOfScope, SerialRange};
use touchmark_formats::trust::{Issuer, Void};

/// What is out of scope about a mark: nothing, if there are no reasons.
#[derive(Debug, Default)]
pub(super) struct Broken {
    /// Sentences, one for each limit.
    pub(super) reasons: Vec<String>,
    /// What else was noticed.
    pub(super) findings: Vec<Finding>,
}

pub(super) fn broken(mark: &Carried, issuer: &Issuer<'_>, basis: &Basis<'_>) -> Broken {
    let (maker, delegation) = (issuer.maker, issuer.delegation);
    let sentence = |limit| sentence(limit, delegation);
    let mut broken =
        Broken { reasons: mark.violations(delegation).into_iter().map(sentence).collect(), ..Broken::default() };
    if mark.date() < maker.valid_from || mark.date() > maker.valid_until {
        broken.reasons.push(format!(
            "the authority vouches for this maker from {} to {} only",
            maker.valid_from, maker.valid_until
        ));
    }
    let own = |void: &&Void| void.key == delegation.key;
    let voids: Vec<&Void> = basis.directory.trust().voids.iter().filter(own).collect();
    let mut closed = Vec::new();
    for record in basis.directory.closed(&maker.root, &delegation.key) {
        match record {
            Ok(record) => closed.push(record),
            Err(e) => {
                let detail = format!("a record of closed serials was passed over: {e}");
                broken.findings.push(finding(FindingKind::BrokenClose, detail));
            }
        }
    }
    match mark {
        Carried::Mark(_) => broken.part(mark.serials(), &voids, &closed),
        Carried::Container(_) => broken.container(mark.serials(), mark.quantity(), &voids, &closed),
    }
    broken
}

fn sentence(limit: OutOfScope, delegation: &Delegation) -> String {
    match limit {
        OutOfScope::Part => "the line was not allowed to mark this part".into(),
        OutOfScope::Lot => "the line was not allowed to mark this lot, or this serial in it".into(),
        OutOfScope::Serial => format!("the line was allowed serials {} only", delegation.serials),
        OutOfScope::TooEarly => format!("the line was not allowed to mark before {}", delegation.not_before),
        OutOfScope::TooLate => format!("the line was not allowed to mark after {}", delegation.not_after),
        OutOfScope::CapsuleSize => format!("the line seals {} bytes of consignee", delegation.capsule_bytes),
        _ => format!("a limit of its delegation is broken ({})", limit.name()),
    }
}

impl Broken {
    /// The serial of one part.
    fn part(&mut self, SerialRange { first: serial, .. }: SerialRange, voids: &[&Void], closed: &[&LotClose]) {
        if let Some(void) = voids.iter().find(|void| void.serials.contains(serial)) {
            self.reasons.push(format!("serials {} were declared void: {}", void.serials, void.reason));
        }
        let spare = closed.iter().find_map(|close| match close.account(serial)? {
            Account::Used => None,
            Account::Void(reason) => Some((close, format!("voided this serial: {reason}"))),
            Account::Unused => Some((close, "never issued this serial".to_owned())),
        });
        if let Some((close, what)) = spare {
            let lot =
                close.lot.as_ref().map_or_else(|| format!("serials {}", close.serials), |lot| format!("lot {lot}"));
            self.reasons.push(format!("the line closed {lot} on {}, and {what}", close.closed.strftime("%Y-%m-%d")));
            let (used, void, unused) = close.counts();
            let detail = format!(
                "{lot} was closed at {}: of serials {}, {used} are on parts, {void} are void and {unused} were never issued",
                close.closed, close.serials
            );
            self.findings.push(finding(FindingKind::ClosedLot, detail));
        }
    }

    /// A container, which cannot hold more parts than its range has good serials.
    fn container(&mut self, range: SerialRange, quantity: u64, voids: &[&Void], closed: &[&LotClose]) {
        let spare = closed.iter().flat_map(|close| close.spare());
        let bad = count_within(range, voids.iter().map(|void| void.serials).chain(spare));
        if bad == 0 {
            return;
        }
        let good = range.count().saturating_sub(bad);
        let what = format!("of serials {range}, {bad} are void or were never issued");
        if quantity > good {
            self.reasons.push(format!("{what}: {quantity} parts cannot be in it"));
            self.findings.push(finding(FindingKind::ClosedLot, what));
        }
    }
}

/// How many serials of `range` are in any of `others`, which may overlap.
fn count_within(range: SerialRange, others: impl Iterator<Item = SerialRange>) -> u64 {
    let clipped =
        others.map(|other| SerialRange { first: other.first.max(range.first), last: other.last.min(range.last) });
    let mut clipped: Vec<SerialRange> = clipped.filter(|range| range.count() > 0).collect();
    clipped.sort_by_key(|range| range.first);
    let (mut count, mut next) = (0, 0);
    for range in clipped {
        let first = range.first.get().max(next);
        count += (range.last.get() + 1).saturating_sub(first);
        next = next.max(range.last.get() + 1);
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_formats::mark::Serial;

    #[test]
    fn serials_are_counted_once_however_often_they_are_named() {
        let range = |first, last| SerialRange { first: Serial::new(first).unwrap(), last: Serial::new(last).unwrap() };
        let count = |others: &[SerialRange]| count_within(range(10, 19), others.iter().copied());
        assert_eq!(count(&[]), 0);
        assert_eq!(count(&[range(0, 9), range(20, 30)]), 0);
        assert_eq!(count(&[range(0, 10), range(19, 30)]), 2);
        assert_eq!(count(&[range(12, 15), range(14, 17), range(12, 13)]), 6);
        assert_eq!(count(&[range(0, 100), range(12, 13)]), 10);
    }
}

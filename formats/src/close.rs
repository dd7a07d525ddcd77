//! The close of a lot: which of its serials were used, which are void, and so which were never issued (SPEC.md, section
//! 8.4). The line states it, the maker's root key accepts it; from then on the spare serials are no licence for a ghost
//! shift.

use crate::delegation::SerialRange;
use crate::key::{KeyBytes, KeyError, PublicKey};
use crate::mark::Serial;
use crate::signed::{Document, Signed, instant};
use crate::text::Label;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Serials that were issued, and put on no good part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scrapped {
    /// The serials.
    pub serials: SerialRange,
    /// Why, for people.
    pub reason: Label,
}

/// The account of a range of serials of a line, after which none of it is issued any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LotClose {
    /// The maker's root key.
    pub maker: KeyBytes,
    /// The line key.
    pub key: KeyBytes,
    /// The lot, where the range is that of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot: Option<Label>,
    /// The range that is closed.
    pub serials: SerialRange,
    /// Serials that are on parts, in rising and disjoint ranges.
    pub used: Vec<SerialRange>,
    /// Serials that are on no good part, likewise. All others of the range were never issued.
    pub void: Vec<Scrapped>,
    /// When, UTC.
    #[serde(deserialize_with = "instant")]
    pub closed: Timestamp,
}

impl Document for LotClose {
    const TYPE: &'static str = "touchmark/v1/lot-close";
}

/// What a close record says of a serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account<'a> {
    /// It is on a part.
    Used,
    /// It is on no good part, for this reason.
    Void(&'a Label),
    /// It was never issued.
    Unused,
}

/// Why a close record does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseError {
    /// The maker's root key is no good key.
    Maker(KeyError),
    /// It names another root key than the maker's.
    OtherMaker,
    /// The line key is no good key.
    Line(KeyError),
    /// A range ends before it begins.
    EmptyRange,
    /// Ranges that overlap, do not rise, or leave the range that is closed.
    Lists,
    /// The root key's signature is missing or wrong.
    RootSignature,
    /// The line key's signature is missing or wrong.
    LineSignature,
}

impl CloseError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Maker(_) => "maker-key",
            Self::OtherMaker => "other-maker",
            Self::Line(_) => "line-key",
            Self::EmptyRange => "empty-range",
            Self::Lists => "lists",
            Self::RootSignature => "root-signature",
            Self::LineSignature => "line-signature",
        }
    }
}

impl std::fmt::Display for CloseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Maker(e) => write!(f, "the maker's root key is {e}"),
            Self::OtherMaker => f.write_str("it names another maker's root key"),
            Self::Line(e) => write!(f, "the line key is {e}"),
            Self::EmptyRange => f.write_str("a range of it ends before it begins"),
            Self::Lists => f.write_str("its ranges overlap, do not rise, or leave the range that it closes"),
            Self::RootSignature => f.write_str("the maker's root key did not sign it"),
            Self::LineSignature => f.write_str("the line key did not sign it"),
        }
    }
}

impl std::error::Error for CloseError {}

impl LotClose {
    /// Checks the envelope: both keys are good and signed, the ranges make sense.
    ///
    /// # Errors
    /// The first [`CloseError`] found.
    pub fn check(envelope: &Signed<Self>, maker: &PublicKey) -> Result<(), CloseError> {
        let line = Self::check_unsigned(envelope, maker.bytes())?;
        if !envelope.is_signed_by(maker) {
            return Err(CloseError::RootSignature);
        }
        if envelope.is_signed_by(&line) { Ok(()) } else { Err(CloseError::LineSignature) }
    }

    /// Checks all but the signatures, and gives the line key.
    ///
    /// # Errors
    /// As [`LotClose::check`].
    pub fn check_unsigned(envelope: &Signed<Self>, maker: KeyBytes) -> Result<PublicKey, CloseError> {
        let this = &envelope.signed;
        if this.maker != maker {
            return Err(CloseError::OtherMaker);
        }
        let line = this.key.check().map_err(CloseError::Line)?;
        this.check_ranges()?;
        Ok(line)
    }

    /// Checks that the ranges make sense.
    ///
    /// # Errors
    /// [`CloseError::EmptyRange`] or [`CloseError::Lists`].
    pub fn check_ranges(&self) -> Result<(), CloseError> {
        let void = || self.void.iter().map(|void| void.serials);
        let mut all: Vec<SerialRange> = self.used.iter().copied().chain(void()).collect();
        if all.iter().chain([&self.serials]).any(|range| range.count() == 0) {
            return Err(CloseError::EmptyRange);
        }
        let rising = |a: &SerialRange, b: &SerialRange| a.last < b.first;
        let in_order = self.used.is_sorted_by(rising) && void().collect::<Vec<_>>().is_sorted_by(rising);
        all.sort_by_key(|range| range.first);
        let within = |range: &SerialRange| self.serials.contains(range.first) && self.serials.contains(range.last);
        if in_order && all.is_sorted_by(rising) && all.iter().all(within) { Ok(()) } else { Err(CloseError::Lists) }
    }

    /// What it says of `serial`; `None` if it is not in the range.
    #[must_use]
    pub fn account(&self, serial: Serial) -> Option<Account<'_>> {
        if !self.serials.contains(serial) {
            return None;
        }
        let at = self.used.partition_point(|range| range.last < serial);
        if self.used.get(at).is_some_and(|range| range.contains(serial)) {
            return Some(Account::Used);
        }
        let at = self.void.partition_point(|void| void.serials.last < serial);
        let void = self.void.get(at).filter(|void| void.serials.contains(serial));
        Some(void.map_or(Account::Unused, |void| Account::Void(&void.reason)))
    }

    /// How many serials are used, void, and unused.
    #[must_use]
    pub fn counts(&self) -> (u64, u64, u64) {
        let used: u64 = self.used.iter().map(SerialRange::count).sum();
        let void: u64 = self.void.iter().map(|void| void.serials.count()).sum();
        (used, void, self.serials.count().saturating_sub(used.saturating_add(void)))
    }

    /// The serials of the range that are on no good part, in rising order: void and unused ones.
    pub fn spare(&self) -> impl Iterator<Item = SerialRange> {
        let ends = self.used.iter().copied().map(Some).chain([None]);
        let mut next = Some(self.serials.first);
        ends.filter_map(move |used| {
            let first = next?;
            let last =
                used.map_or(Some(self.serials.last), |used| used.first.get().checked_sub(1).and_then(Serial::new));
            next = used.and_then(|used| Serial::new(used.last.get() + 1));
            last.filter(|last| first <= *last).map(|last| SerialRange { first, last })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u64, last: u64) -> SerialRange {
        SerialRange { first: Serial::new(first).unwrap(), last: Serial::new(last).unwrap() }
    }

    fn close(used: &[(u64, u64)], void: &[(u64, u64)]) -> LotClose {
        let reason: Label = "bent lead".parse().unwrap();
        LotClose {
            maker: KeyBytes([1; 32]),
            key: KeyBytes([2; 32]),
            lot: None,
            serials: range(10, 99),
            used: used.iter().map(|(a, b)| range(*a, *b)).collect(),
            void: void.iter().map(|(a, b)| Scrapped { serials: range(*a, *b), reason: reason.clone() }).collect(),
            closed: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn every_serial_of_the_range_has_one_account() {
        let close = close(&[(10, 19), (30, 39)], &[(20, 21), (99, 99)]);
        assert_eq!(close.check_ranges(), Ok(()));
        assert_eq!(close.counts(), (20, 3, 67));
        let account = |n| close.account(Serial::new(n).unwrap());
        assert_eq!((account(9), account(100)), (None, None));
        assert_eq!(
            (account(10), account(39), account(22), account(98)),
            (Some(Account::Used), Some(Account::Used), Some(Account::Unused), Some(Account::Unused))
        );
        assert!(matches!((account(20), account(99)), (Some(Account::Void(_)), Some(Account::Void(_)))));
        assert_eq!(close.spare().collect::<Vec<_>>(), [range(20, 29), range(40, 99)]);
        let spare = |used: &[(u64, u64)]| self::close(used, &[]).spare().collect::<Vec<_>>();
        assert_eq!(spare(&[]), [range(10, 99)]);
        assert_eq!(spare(&[(10, 99)]), []);
        assert_eq!(spare(&[(11, 98)]), [range(10, 10), range(99, 99)]);
    }

    #[test]
    fn ranges_that_make_no_sense_are_refused() {
        for (used, void) in [
            (&[(30, 39), (10, 19)][..], &[][..]),
            (&[(10, 20), (20, 30)], &[]),
            (&[(10, 20)], &[(15, 16)]),
            (&[(9, 20)], &[]),
            (&[], &[(99, 100)]),
        ] {
            assert_eq!(close(used, void).check_ranges(), Err(CloseError::Lists), "{used:?} {void:?}");
        }
        assert_eq!(close(&[(20, 19)], &[]).check_ranges(), Err(CloseError::EmptyRange));
        assert_eq!(close(&[(10, 19)], &[(20, 29)]).check_ranges(), Ok(()), "ranges may touch");
    }
}

//! The date of a mark: whole days, 2020-01-01 to 2199-06-06.

use jiff::civil;
use serde::{Deserialize, Serialize};

const EPOCH: civil::Date = civil::date(2020, 1, 1);

/// A calendar day as days since 2020-01-01; every value of the 16 bits is a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(u16);

/// A text that is not a day that a mark can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateError;

impl std::fmt::Display for DateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a date is written YYYY-MM-DD, from 2020-01-01 to {}", Date::MAX)
    }
}

impl std::error::Error for DateError {}

impl Date {
    /// 2020-01-01.
    pub const MIN: Self = Self(0);
    /// 2199-06-06.
    pub const MAX: Self = Self(u16::MAX);

    /// The day `days` after 2020-01-01.
    #[must_use]
    pub const fn from_days(days: u16) -> Self {
        Self(days)
    }

    /// Days since 2020-01-01.
    #[must_use]
    pub const fn days(self) -> u16 {
        self.0
    }

    /// The calendar year, 2020 to 2199: what names the year key of a capsule.
    #[must_use]
    pub fn year(self) -> i16 {
        self.civil().year()
    }

    /// The day after; `None` after [`Date::MAX`].
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }

    /// The calendar date.
    #[must_use]
    pub fn civil(self) -> civil::Date {
        EPOCH.saturating_add(jiff::Span::new().days(i32::from(self.0)))
    }
}

impl TryFrom<civil::Date> for Date {
    type Error = DateError;

    fn try_from(date: civil::Date) -> Result<Self, DateError> {
        let days = EPOCH.until(date).map_err(|_| DateError)?.get_days();
        u16::try_from(days).map(Self).map_err(|_| DateError)
    }
}

impl std::str::FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let date = Self::try_from(text.parse::<civil::Date>().map_err(|_| DateError)?)?;
        // The calendar library reads more spellings than the one that is legal here.
        if date.to_string() == text { Ok(date) } else { Err(DateError) }
    }
}

impl TryFrom<String> for Date {
    type Error = DateError;

    fn try_from(text: String) -> Result<Self, DateError> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.civil().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_a_day_and_comes_back() {
        for days in 0..=u16::MAX {
            let date = Date::from_days(days);
            assert_eq!(date.to_string().parse(), Ok(date));
        }
        assert_eq!(Date::MIN.to_string(), "2020-01-01");
        assert_eq!(Date::MAX.to_string(), "2199-06-06");
        assert_eq!(Date::MAX.next(), None);
    }

    #[test]
    fn other_spellings_and_other_days_are_refused() {
        for text in
            ["2019-12-31", "2199-06-07", "2026-02-30", "2026-1-1", "20260101", "", "2026-01-01T00:00:00", " 2026-01-01"]
        {
            assert_eq!(text.parse::<Date>(), Err(DateError), "{text:?}");
        }
    }
}

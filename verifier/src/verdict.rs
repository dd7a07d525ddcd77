//! Verdicts and findings: their stable names, their sentences and what they mean for the exit status, in one place.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// What verification says of one symbol or photo. Exactly one holds; findings beside it never change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// The mark is genuine: a line key of a maker in the bundle signed it within its limits.
    Authentic,
    /// Nothing that looks like a symbol.
    NothingFound,
    /// A symbol that could not be read.
    Unreadable,
    /// A symbol that carries something else.
    NotATouchmark,
    /// No key in the bundle has the id that the mark names.
    UnknownIssuer,
    /// A good signature of a line key that was not allowed to make this mark.
    OutOfScope,
    /// A good signature of a key that is revoked.
    Revoked,
    /// A key of the bundle is named, and no key with that id made this signature.
    Forged,
}

impl Verdict {
    /// Every verdict, the gravest last.
    pub const ALL: [Self; 8] = [
        Self::Authentic,
        Self::NothingFound,
        Self::Unreadable,
        Self::NotATouchmark,
        Self::UnknownIssuer,
        Self::OutOfScope,
        Self::Revoked,
        Self::Forged,
    ];

    /// The stable name, as JSON has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Authentic => "authentic",
            Self::NothingFound => "nothing-found",
            Self::Unreadable => "unreadable",
            Self::NotATouchmark => "not-a-touchmark",
            Self::UnknownIssuer => "unknown-issuer",
            Self::OutOfScope => "out-of-scope",
            Self::Revoked => "revoked",
            Self::Forged => "forged",
        }
    }

    /// The verdict that [`Verdict::name`] gives this name; `None` for any other.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }

    /// The status that a program ends with if this is the only verdict.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Authentic => Status::AllAuthentic,
            Self::NothingFound | Self::Unreadable => Status::NothingRead,
            _ => Status::NotAuthentic,
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Verdict {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let name = String::deserialize(d)?;
        Self::named(&name).ok_or_else(|| D::Error::custom(format!("no such verdict: {name:?}")))
    }
}

/// Exit status of `touchmark-verify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// 0: everything asked for was read, and every mark is authentic.
    AllAuthentic = 0,
    /// 1: something was read that is not authentic.
    NotAuthentic = 1,
    /// 2: wrong usage, or trust material that cannot be used; nothing was verified.
    Unusable = 2,
    /// 3: a photo could not be opened, or nothing was read in it.
    NothingRead = 3,
}

impl Status {
    /// The status of two results together: unusable before not authentic before nothing read before all authentic.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let rank = |status| match status {
            Self::AllAuthentic => 0,
            Self::NothingRead => 1,
            Self::NotAuthentic => 2,
            Self::Unusable => 3,
        };
        if rank(self) >= rank(other) { self } else { other }
    }
}

/// Something worth knowing beside the verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its stable name.
    pub finding: FindingKind,
    /// A sentence for people.
    pub detail: String,
}

/// The kinds of [`Finding`]; JSON has them in kebab case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The part number in the mark is not the one printed beside it.
    PartContradictsPrint,
    /// The lot in the mark is not the one printed beside it.
    LotContradictsPrint,
    /// Photos that were given as those of one part prove marks of several.
    DifferentParts,
    /// The mark is dated before its key was revoked, and nothing but the mark says so.
    DateNotCorroborated,
    /// The mark's key is revoked as of a later day, and a witness saw before that that the maker had the part on record.
    DateCorroborated,
    /// The trust bundle has expired: keys may have been revoked since.
    TrustExpired,
    /// The disclosure that opened the capsule has expired.
    DisclosureExpired,
    /// A disclosure covers the mark, but its key does not open the capsule.
    CapsuleNotOpened,
    /// The maker's ledger says another part or lot of the serial than the mark.
    LedgerContradictsMark,
    /// A delegation with this key id does not hold and was passed over.
    BrokenDelegation,
    /// The maker closed the range of the serial, and the serial is not among those on parts.
    ClosedLot,
    /// A record by which the maker closed serials of this line does not hold and was passed over.
    BrokenClose,
    /// The mark names a part by an index that no delegation in the bundle resolves.
    PartNotResolved,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_found_by_its_name() {
        assert!(Verdict::ALL.is_sorted());
        for verdict in Verdict::ALL {
            assert_eq!(Verdict::named(verdict.name()), Some(verdict));
        }
        assert_eq!(Verdict::named("Authentic"), None);
    }

    #[test]
    fn the_graver_status_wins() {
        use Status::*;
        let by_rank = [AllAuthentic, NothingRead, NotAuthentic, Unusable];
        for (i, a) in by_rank.into_iter().enumerate() {
            for (j, b) in by_rank.into_iter().enumerate() {
                assert_eq!(a.and(b), by_rank[i.max(j)]);
            }
        }
        assert_eq!(by_rank.map(|s| s as u8), [0, 3, 1, 2]);
    }
}

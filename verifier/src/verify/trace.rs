//! Where a part went, by its maker's ledger.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use touchmark_formats::carried::Carried;
use touchmark_formats::date::Date;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::note::NoteKey;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::What;
use touchmark_formats::ledger::trail::{self, Link, Seen, Trail, TrailError};
use touchmark_formats::text::Label;

/// A maker's answer to a trace request whose proofs hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The maker's root key.
    pub maker: KeyBytes,
    /// The case that it answers.
    pub case: String,
    /// When it was given.
    pub created: Timestamp,
    /// What is proven.
    pub proven: trail::Proven,
    /// Parts of which it proves that a witness whom this reader believes saw them on record.
    pub seen: Vec<Seen>,
}

impl Answered {
    /// What an opened trail proves to a reader who believes no witness.
    ///
    /// # Errors
    /// [`TrailError`].
    pub fn of(trail: &Trail) -> Result<Self, TrailError> {
        let (case, proven) = (trail.case.clone(), trail.prove()?);
        Ok(Self { maker: trail.maker, case, created: trail.created, proven, seen: Vec::new() })
    }

    /// The same for a reader who believes these witnesses.
    #[must_use]
    pub fn believing(self, witnesses: &[NoteKey]) -> Self {
        Self { seen: self.proven.seen(witnesses), ..self }
    }
}

/// What a ledger proves of one part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// The ledger's name.
    pub ledger: String,
    /// How many records it had.
    pub records: u64,
    /// The case for which it answered.
    pub case: String,
    /// What happened to the part, the oldest first; empty: nothing is on record, and that is proven.
    #[serde(serialize_with = "hands")]
    pub hands: Vec<Link>,
}

impl Trace {
    /// What the first of `trails` that answers for a mark of the line key `line` says.
    pub(super) fn of(mark: &Carried, root: &KeyBytes, line: KeyBytes, trails: &[Answered]) -> Option<Self> {
        let Carried::Mark(signed) = mark else { return None };
        let place = Place { line, serial: signed.mark.serial };
        trails.iter().filter(|trail| trail.maker == *root).find_map(|Answered { case, proven, .. }| {
            let chain = proven.chains.iter().find(|chain| chain.place == place)?;
            let (ledger, records) = (proven.checkpoint.origin.clone(), proven.checkpoint.size);
            Some(Self { ledger, records, case: case.clone(), hands: chain.links.clone() })
        })
    }

    /// How the ledger contradicts what the mark says of its part and lot, if it does.
    pub(super) fn contradicts(&self, part: &Label, lot: Option<&Label>) -> Option<String> {
        let What::Commissioned { part: own, lot: own_lot, .. } = &trail::made(&self.hands)?.event.what else {
            return None;
        };
        let named = |lot: Option<&Label>| lot.map_or_else(|| "no lot".to_owned(), |lot| format!("lot {lot}"));
        let (ledger, mark) = (named(own_lot.as_ref()), named(lot));
        (!same(own, own_lot.as_ref(), part, lot))
            .then(|| format!("the maker's ledger says {own}, {ledger}, the mark {part}, {mark}"))
    }
}

/// Whether `own` and `own_lot`, of a ledger, are what a mark says; a ledger that knows of no lot contradicts none.
pub(super) fn same(own: &Label, own_lot: Option<&Label>, part: &Label, lot: Option<&Label>) -> bool {
    own == part && own_lot.is_none_or(|own| Some(own) == lot)
}

/// One event in JSON.
#[derive(Serialize)]
struct Hand<'a> {
    record: u64,
    date: Date,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a Party>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ship_to: Option<&'a Party>,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<&'a Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Label>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    corrected: bool,
}

fn hands<S: Serializer>(links: &[Link], s: S) -> Result<S::Ok, S::Error> {
    s.collect_seq(links.iter().map(|link| {
        let what = &link.event.what;
        let document = match what {
            What::Shipped { document, .. } | What::Returned { document } | What::Destroyed { document } => {
                document.as_ref()
            }
            What::HandedOver(handed) => handed.document.as_ref(),
            What::Commissioned { .. } | What::Corrected { .. } => None,
        };
        let reason = if let What::Corrected { reason } = what { Some(reason) } else { None };
        let (to, ship_to) = (link.to.as_ref(), link.ship_to.as_ref());
        let (record, date, event, corrected) = (link.index, link.event.date, what.name(), link.corrected);
        Hand { record, date, event, to, ship_to, document, reason, corrected }
    }))
}

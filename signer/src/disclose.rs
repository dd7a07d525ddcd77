//! Disclosures: the keys of exactly the marks asked for, and the names behind their consignee numbers, for one reader.

use crate::error::{Error, Result};
use crate::journal::Record;
use crate::keys::{SigningKey, sign_document};
use crate::pack::{self, Packed};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use touchmark_formats::capsule::{ItemKey, LotKey, YearKey};
use touchmark_formats::date::Date;
use touchmark_formats::disclosure::{Consignee, DisclosedKey, Disclosure, Grant, Scope};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::mark::Serial;
use touchmark_formats::signed::Signed;

/// The longest span of days in one disclosure: ten years.
pub const MAX_DAYS: usize = 3660;
/// The most serials in one disclosure.
pub const MAX_SERIALS: usize = 100_000;

/// What is to be disclosed, to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Which marks.
    pub scope: Scope,
    /// Of serials, the marks of these places alone; otherwise those of any line.
    pub places: Option<BTreeSet<Place>>,
    /// For a lot: days on which it was made besides those on record.
    pub dates: Vec<Date>,
    /// The age recipient.
    pub recipient: String,
    /// The case or request that it answers.
    pub case: String,
    /// When it is made.
    pub created: Timestamp,
    /// Until when it is meant to be used.
    pub expires: Timestamp,
    /// Consignees to be named whether or not a mark on record has them.
    pub consignees: BTreeSet<u64>,
}

/// What a maker knows: its records, customers and year keys.
#[derive(Debug)]
pub struct Knowledge<'a> {
    /// What is on record of the marks in the scope.
    pub records: &'a [Record],
    /// Every container that is or was packed: its label may be sealed as well.
    pub packed: &'a [Packed],
    /// The customers, by number.
    pub consignees: &'a BTreeMap<u64, Consignee>,
    /// The keys of the years that [`years`] names.
    pub years: &'a BTreeMap<i16, YearKey>,
}

/// A disclosure ready to be encrypted, and what people should hear of it.
#[derive(Debug)]
pub struct Made {
    /// Signed by the maker's root key.
    pub envelope: Signed<Disclosure>,
    /// Consignees in the scope that have no row among the customers.
    pub unnamed: BTreeSet<u64>,
}

/// The years whose keys a disclosure needs.
///
/// # Errors
/// The scope is empty, too large, or not on record.
pub fn years(options: &Options, records: &[Record], packed: &[Packed]) -> Result<BTreeSet<i16>> {
    Ok(match &options.scope {
        Scope::Lot(_) => lot_days(options, records, packed)?.into_iter().map(Date::year).collect(),
        Scope::Days { from, to } => days(*from, *to)?.into_iter().map(Date::year).collect(),
        Scope::Serials(serials) => items(serials, options, records)?.iter().map(|(r, _)| r.date.year()).collect(),
    })
}

/// Makes the disclosure.
///
/// # Errors
/// As [`years`], or a year's key is missing.
pub fn disclose(root: &dyn SigningKey, options: &Options, knowledge: &Knowledge<'_>) -> Result<Made> {
    let (grants, within) = knowledge.grants(options)?;
    let mut numbers = options.consignees.clone();
    for record in within {
        numbers.extend(knowledge.consignee(record, &root.public())?);
    }
    for packed in knowledge.packed.iter().filter(|packed| opens(&options.scope, packed)) {
        if packed.is_sealed()? {
            numbers.extend(pack::consignee(packed, &root.public(), knowledge.year(packed.date)?)?);
        }
    }
    let named = |number: &u64| knowledge.consignees.get(number).cloned();
    let consignees = numbers.iter().filter_map(named).collect();
    let unnamed = numbers.iter().filter(|number| named(number).is_none()).copied().collect();
    let mut envelope = Signed::new(Disclosure {
        maker: root.public(),
        recipient: options.recipient.clone(),
        case: options.case.clone(),
        created: options.created,
        expires: options.expires,
        scope: options.scope.clone(),
        grants,
        consignees,
    });
    sign_document(root, &mut envelope)?;
    Ok(Made { envelope, unnamed })
}

impl<'a> Knowledge<'a> {
    /// The keys of the scope, as few as it can be put in, and the records within it.
    fn grants(&self, options: &Options) -> Result<(Vec<Grant>, Vec<&'a Record>)> {
        let within = |inside: &dyn Fn(&Record) -> bool| self.records.iter().filter(|r| inside(r)).collect();
        match &options.scope {
            Scope::Lot(lot) => {
                let grant = |date: Date| {
                    let key = self.year(date)?.day(date).lot(Some(lot));
                    Ok(Grant::Lot { date, lot: Some(lot.clone()), key: DisclosedKey::new(*key.expose()) })
                };
                let days = lot_days(options, self.records, self.packed)?;
                Ok((days.into_iter().map(grant).collect::<Result<_>>()?, within(&|r| r.lot.as_ref() == Some(lot))))
            }
            Scope::Days { from, to } => {
                let grant = |date: Date| {
                    let key = self.year(date)?.day(date);
                    Ok(Grant::Day { date, key: DisclosedKey::new(*key.expose()) })
                };
                let grants = days(*from, *to)?.into_iter().map(grant).collect::<Result<_>>()?;
                Ok((grants, within(&|r| (*from..=*to).contains(&r.date))))
            }
            Scope::Serials(serials) => {
                let items = items(serials, options, self.records)?;
                let grant = |(record, serial): &(&Record, Serial)| {
                    let key = self.item(record, *serial)?;
                    Ok(Grant::Item { line: record.key, serial: *serial, key: DisclosedKey::new(*key.expose()) })
                };
                let grants = items.iter().map(grant).collect::<Result<_>>()?;
                Ok((grants, items.into_iter().map(|(record, _)| record).collect()))
            }
        }
    }

    fn year(&self, date: Date) -> Result<&YearKey> {
        self.years.get(&date.year()).ok_or_else(|| {
            Error::unusable(format!("the disclosure key of {} is not here, or was destroyed", date.year()))
        })
    }

    fn lot(&self, record: &Record) -> Result<LotKey> {
        Ok(self.year(record.date)?.day(record.date).lot(record.lot.as_ref()))
    }

    fn item(&self, record: &Record, serial: Serial) -> Result<ItemKey> {
        Ok(self.lot(record)?.item(record.key.id(), serial))
    }

    /// The consignee of a record's marks, from its first mark's capsule: all of a record have the same.
    fn consignee(&self, record: &Record, root: &KeyBytes) -> Result<Option<u64>> {
        let Some((mark, capsule)) = record.mark.capsule.map(|capsule| (&record.mark, capsule)) else {
            return Ok(None);
        };
        let number = capsule.open(&self.item(record, mark.serial)?, &mark.head_bytes(), root);
        number.map(Some).ok_or_else(|| {
            Error::unusable(format!(
                "the disclosure key of {} does not open serial {}",
                record.date.year(),
                mark.serial
            ))
        })
    }
}

/// Whether what `scope` discloses opens the label of a container. The keys of single marks open none.
fn opens(scope: &Scope, packed: &Packed) -> bool {
    match scope {
        Scope::Lot(lot) => packed.lot.as_ref() == Some(lot),
        Scope::Days { from, to } => (*from..=*to).contains(&packed.date),
        Scope::Serials(_) => false,
    }
}

/// The days on which a lot was made, or packed for a consignee who is sealed into the label.
fn lot_days(options: &Options, records: &[Record], packed: &[Packed]) -> Result<BTreeSet<Date>> {
    let Scope::Lot(lot) = &options.scope else { return Ok(BTreeSet::new()) };
    let recorded = records.iter().filter(|r| r.lot.as_ref() == Some(lot)).map(|r| r.date);
    let mut days: BTreeSet<Date> = recorded.chain(options.dates.iter().copied()).collect();
    for packed in packed.iter().filter(|packed| opens(&options.scope, packed)) {
        if packed.is_sealed()? {
            days.insert(packed.date);
        }
    }
    if days.is_empty() {
        return Err(Error::unusable(format!("no mark of lot {lot} is on record in this home"))
            .hint("if the lot was marked elsewhere, name the days with --date D, as often as needed"));
    }
    Ok(days)
}

fn days(from: Date, to: Date) -> Result<Vec<Date>> {
    let days = std::iter::successors(Some(from), |day| day.next()).take_while(|day| *day <= to);
    let days = days.take(MAX_DAYS + 1).collect::<Vec<_>>();
    match days.len() {
        0 => Err(Error::unusable(format!("the span ends on {to}, before it begins on {from}"))),
        n if n > MAX_DAYS => Err(Error::unusable(format!("the span is longer than {MAX_DAYS} days"))),
        _ => Ok(days),
    }
}

/// The record of each serial; several, where several lines used the same.
fn items<'a>(serials: &[u64], options: &Options, records: &'a [Record]) -> Result<Vec<(&'a Record, Serial)>> {
    if serials.len() > MAX_SERIALS {
        return Err(
            Error::unusable(format!("more than {MAX_SERIALS} serials")).hint("disclose the lot, or a span of days")
        );
    }
    let mut items = Vec::new();
    for number in serials {
        let before = items.len();
        let found = records.iter().filter(|r| (r.first..=r.last).contains(number));
        let found = found.filter_map(|r| Some((r, Serial::new(*number)?)));
        let asked = |(r, serial): &(&Record, Serial)| {
            options.places.as_ref().is_none_or(|places| places.contains(&Place { line: r.key, serial: *serial }))
        };
        items.extend(found.filter(asked));
        if items.len() == before {
            return Err(Error::unusable(format!("serial {number} is not on record in this home")));
        }
    }
    Ok(items)
}

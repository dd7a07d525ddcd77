//! Which serials the next marks get. Pure: records of the past and orders in, serials and new records out.

use crate::error::{Error, Result};
use crate::issue::Template;
use crate::journal::Record;
use jiff::Timestamp;
use std::collections::BTreeMap;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::Serial;

/// The most marks of one call.
pub const MAX_MARKS: u64 = 1_000_000;

/// What is wanted: marks of one content.
#[derive(Debug, Clone, Copy)]
pub struct Demand<'a> {
    /// Their content.
    pub template: &'a Template<'a>,
    /// The first serial; the next unused ones where it is `None`.
    pub serial: Option<Serial>,
    /// How many.
    pub count: u64,
}

/// Serials that follow one another, for one demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The position of the demand.
    pub demand: usize,
    /// The first serial.
    pub first: u64,
    /// The last serial.
    pub last: u64,
}

/// What came of the demands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allotment {
    /// A serial for every mark wanted, in the order of the demands.
    pub runs: Vec<Run>,
    /// What must be on record before any of the marks leaves.
    pub fresh: Vec<Record>,
    /// How many of the marks were on record before: they come out the same once more.
    pub again: u64,
}

/// Finds serials for `demands` under the line key `key`, of which `records` were issued before. Serials asked for by
/// number go first. The others follow the highest serial on record, then fill what is free below it; serial 0 is only
/// given to who asks for it.
///
/// # Errors
/// A serial is on record with another content, the delegation does not allow it, or there are not enough left.
pub fn allot(records: &[Record], key: &KeyBytes, demands: &[Demand<'_>], now: Timestamp) -> Result<Allotment> {
    let total = demands.iter().fold(0u64, |n, d| n.saturating_add(d.count));
    if total > MAX_MARKS {
        return Err(Error::unusable(format!("{total} marks at once are too many: the limit is {MAX_MARKS}")));
    }
    let mut book = Book { key: *key, now, issued: BTreeMap::new(), fresh: Vec::new(), again: 0 };
    for record in records.iter().filter(|r| r.key == *key) {
        book.issued.insert(record.first, Entry { last: record.last, origin: Origin::Record(record) });
    }
    let mut runs = Vec::new();
    let (numbered, free): (Vec<_>, Vec<_>) = demands.iter().enumerate().partition(|(_, d)| d.serial.is_some());
    for (n, demand) in numbered {
        runs.extend(book.take(n, demand)?);
    }
    for (n, demand) in free {
        runs.extend(book.find(n, demand)?);
    }
    runs.sort_by_key(|run| (run.demand, run.first));
    let fresh = book.fresh.iter().map(|(run, template)| book.record(run, template)).collect::<Result<_>>()?;
    Ok(Allotment { runs, fresh, again: book.again })
}

#[derive(Clone, Copy)]
enum Origin<'a> {
    Record(&'a Record),
    Now(&'a Template<'a>),
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    last: u64,
    origin: Origin<'a>,
}

/// The serials issued, by the first of each run.
struct Book<'a> {
    key: KeyBytes,
    now: Timestamp,
    issued: BTreeMap<u64, Entry<'a>>,
    fresh: Vec<(Run, &'a Template<'a>)>,
    again: u64,
}

impl<'a> Book<'a> {
    /// Takes the serials that a demand names; those on record with the same content once more.
    fn take(&mut self, n: usize, demand: &Demand<'a>) -> Result<Option<Run>> {
        let (Some(first), Some(more)) = (demand.serial.map(Serial::get), demand.count.checked_sub(1)) else {
            return Ok(None);
        };
        let last = first + more;
        if Serial::new(last).is_none() {
            return Err(Error::unusable(format!("serials {first} to {last}: the largest is {}", Serial::MAX)));
        }
        let mut next = first;
        while next <= last {
            let free_until = match self.at_or_after(next) {
                Some((start, entry)) if start <= next => {
                    self.require_same(start, &entry, next, demand.template)?;
                    self.again += entry.last.min(last) + 1 - next;
                    next = entry.last + 1;
                    continue;
                }
                Some((start, _)) => last.min(start - 1),
                None => last,
            };
            self.add(Run { demand: n, first: next, last: free_until }, demand.template)?;
            next = free_until + 1;
        }
        Ok(Some(Run { demand: n, first, last }))
    }

    /// Finds unused serials.
    fn find(&mut self, n: usize, demand: &Demand<'a>) -> Result<Vec<Run>> {
        demand.template.check_any_serial()?;
        let after = self.issued.last_key_value().map_or(1, |(_, entry)| entry.last + 1);
        let ranges = demand.template.serials();
        let above = ranges.iter().map(|r| (r.first.get().max(after), r.last.get()));
        let below = ranges.iter().map(|r| (r.first.get().max(1), r.last.get().min(after.saturating_sub(1))));
        let (mut wanted, mut runs) = (demand.count, Vec::new());
        for (mut first, end) in above.chain(below).collect::<Vec<_>>() {
            while wanted > 0 && first <= end {
                let last = match self.at_or_after(first) {
                    Some((start, entry)) if start <= first => {
                        first = entry.last + 1;
                        continue;
                    }
                    Some((start, _)) => end.min(start - 1),
                    None => end,
                };
                let run = Run { demand: n, first, last: last.min(first.saturating_add(wanted - 1)) };
                self.add(run, demand.template)?;
                wanted -= run.last + 1 - run.first;
                runs.push(run);
                first = run.last + 1;
            }
        }
        if wanted == 0 { Ok(runs) } else { Err(used_up(demand, wanted)) }
    }

    /// The run that holds `serial`, or else the first one after it.
    fn at_or_after(&self, serial: u64) -> Option<(u64, Entry<'a>)> {
        let before = self.issued.range(..=serial).next_back().filter(|(_, entry)| entry.last >= serial);
        before.or_else(|| self.issued.range(serial..).next()).map(|(start, entry)| (*start, *entry))
    }

    fn require_same(&self, start: u64, entry: &Entry<'_>, serial: u64, template: &Template<'_>) -> Result<()> {
        let differs = match entry.origin {
            Origin::Now(other) if other.content() == template.content() => return Ok(()),
            Origin::Now(_) => "with another content: in this very call".to_owned(),
            Origin::Record(record) => {
                let mark = Serial::new(start).map(|s| template.mark(s)).transpose()?;
                if mark.is_some_and(|mark| Record::written(&mark) == record.mark) {
                    return Ok(());
                }
                difference(record, template)
            }
        };
        Err(Error::refused(format!("serial {serial} was issued before {differs}")).hint(
            "take an unused serial by leaving --serial out; the journal, serials.jsonl, says what each was used for",
        ))
    }

    fn add(&mut self, run: Run, template: &'a Template<'a>) -> Result<()> {
        for serial in run.first..=run.last {
            Serial::new(serial).map_or(Ok(()), |serial| template.check(serial))?;
        }
        self.issued.insert(run.first, Entry { last: run.last, origin: Origin::Now(template) });
        match self.fresh.last_mut() {
            // One record for rows of a table that say the same.
            Some((last, own)) if last.last + 1 == run.first && own.content() == template.content() => {
                last.last = run.last
            }
            _ => self.fresh.push((run, template)),
        }
        Ok(())
    }

    fn record(&self, run: &Run, template: &Template<'_>) -> Result<Record> {
        let first = Serial::new(run.first).ok_or_else(|| Error::unusable("a serial out of range"))?;
        let content = template.content();
        Ok(Record {
            first: run.first,
            last: run.last,
            key: self.key,
            part: content.part.clone(),
            lot: content.lot.clone(),
            date: content.date,
            mark: Record::written(&template.mark(first)?),
            at: self.now,
        })
    }
}

fn difference(record: &Record, template: &Template<'_>) -> String {
    let content = template.content();
    let same_print = (&record.part, &record.lot, record.date) == (&content.part, &content.lot, content.date);
    // The delegation decides whether part and lot stand in the mark, and how long its capsule is.
    let what = match same_print {
        true => "with another consignee or other extras, or under another delegation",
        false => "with another content",
    };
    let lot = record.lot.as_ref().map_or_else(String::new, |lot| format!(" lot {lot}"));
    format!("{what}: on {} for part {}{lot} dated {}", record.at, record.part, record.date)
}

fn used_up(demand: &Demand<'_>, missing: u64) -> Error {
    let lot = demand.template.content().lot.as_ref().map_or_else(String::new, |lot| format!(" for lot {lot}"));
    Error::refused(format!("the serials of the delegation{lot} are used up: {missing} too few are left"))
        .hint("the maker can grant a further range (`touchmark-sign delegate grant --serials FIRST-LAST`)")
}

#[cfg(test)]
mod tests;

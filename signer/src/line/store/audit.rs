//! Every serial accounted for: reads the whole store, page by page, and holds its tables against each other.

use super::database::{Row, fields, strange};
use super::lease::Kept;
use super::lookup::content_of;
use super::records::{SELECT_RUN, outcome_of, run_of};
use super::schema::{place, serial_at};
use super::{Content, Run, Store, Value};
use crate::error::Result;
use std::collections::BTreeMap;
use touchmark_formats::key::KeyBytes;

/// Rows read at a time.
const PAGE: u64 = 2000;
/// Problems that are kept; the rest are counted.
const KEPT: usize = 100;

/// How many serials are in which state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// In a block, and not issued.
    pub reserved: u64,
    /// Issued, the verified and void ones among them.
    pub issued: u64,
    /// Read back by the line's camera.
    pub verified: u64,
    /// On no good part.
    pub void: u64,
    /// May be on parts, and no longer on record.
    pub lost: u64,
    /// Not issued before their lot was closed.
    pub closed: u64,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// The serials.
    pub counts: Counts,
    /// What does not fit, in sentences: the first hundred.
    pub problems: Vec<String>,
    /// How many do not fit.
    pub count: u64,
}

impl Audit {
    fn problem(&mut self, what: String) {
        self.count += 1;
        if self.problems.len() < KEPT {
            self.problems.push(what);
        }
    }
}

struct Taken {
    first: u64,
    next: u64,
    last: u64,
    kept: i64,
}

impl Store {
    /// The numbers of serials by state, from sums that are kept up to date: it takes the same time however many marks
    /// there are.
    ///
    /// # Errors
    /// The store failed.
    pub fn counts(&mut self, key: &KeyBytes) -> Result<Counts> {
        let Some(number) = self.known_key(key)? else { return Ok(Counts::default()) };
        let sum = |column: &str| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT)");
        let sql = format!("SELECT {}, {}, {} FROM issuer WHERE key = $1", sum("issued"), sum("verified"), sum("void"));
        let rows = self.db.rows(&sql, &[number.into()])?;
        let [issued, verified, void] = fields(rows.first().ok_or_else(|| strange("sums"))?)?;
        let (reserved, lost) = (sum("last - next + 1"), sum("last - (place & 9007199254740991) + 1"));
        let range = [place(number, 0).into(), place(number + 1, 0).into()];
        let open = format!("SELECT {reserved} FROM block WHERE next <= last AND place >= $1 AND place < $2");
        let kept = |kept: Kept| {
            format!("SELECT {lost} FROM block WHERE lost = {} AND place >= $1 AND place < $2", kept as i64)
        };
        let mut one = |sql: &str| -> Result<u64> {
            let rows = self.db.rows(sql, &range)?;
            let [count] = fields(rows.first().ok_or_else(|| strange("a sum"))?)?;
            count.count()
        };
        let (reserved, lost, closed) = (one(&open)?, one(&kept(Kept::Lost))?, one(&kept(Kept::Closed))?);
        Ok(Counts { reserved, issued: issued.count()?, verified: verified.count()?, void: void.count()?, lost, closed })
    }

    /// The number of a line key in this store; `None` if nothing was ever issued under it.
    ///
    /// # Errors
    /// The store failed.
    pub fn known_key(&mut self, key: &KeyBytes) -> Result<Option<u64>> {
        let rows = self.db.rows("SELECT number FROM signing_key WHERE public = $1", &[key.0.as_slice().into()])?;
        rows.first().map(|row| fields::<1>(row).and_then(|[number]| number.count())).transpose()
    }

    /// Reads every record of `key`. `check` is asked about each run with its content, and says what is wrong with it.
    ///
    /// # Errors
    /// The store failed.
    pub fn audit(&mut self, key: &KeyBytes, mut check: impl FnMut(&[(Run, Content)]) -> Vec<String>) -> Result<Audit> {
        let mut audit = Audit::default();
        let Some(number) = self.known_key(key)? else { return Ok(audit) };
        let blocks = self.audit_blocks(number, &mut audit)?;
        let mut contents: BTreeMap<i64, Content> = BTreeMap::new();
        let (mut block, mut expected) = (0, blocks.first().map_or(0, |b| b.first));
        let mut after = place(number, 0) as i64 - 1;
        loop {
            let sql = format!("{SELECT_RUN} WHERE run.place > $1 AND run.place < $2 ORDER BY run.place LIMIT $3");
            let page = self.db.rows(&sql, &[Value::Int(after), place(number + 1, 0).into(), PAGE.into()])?;
            let Some(last) = page.last() else { break };
            after = first_of(last)?;
            let mut checked = Vec::new();
            for row in page {
                let Ok(run) = run_of(&row) else {
                    let serial = serial_of(&row)?;
                    audit.problem(format!("the marks from serial {serial} on cannot be read"));
                    continue;
                };
                cover(&blocks, &mut block, &mut expected, &run, &mut audit);
                audit.counts.issued += run.count();
                if !contents.contains_key(&run.content)
                    && let Some(row) = self.content_row(run.content)?
                {
                    match content_of(run.content, &row) {
                        Ok(content) => drop(contents.insert(run.content, content)),
                        Err(_) => {
                            audit.problem(format!("what the marks from serial {} on say cannot be read", run.first));
                        }
                    }
                }
                checked.extend(contents.get(&run.content).map(|content| (run, content.clone())));
            }
            check(&checked).into_iter().for_each(|what| audit.problem(what));
        }
        finish_cover(&blocks, block, expected, &mut audit);
        self.audit_outcomes(number, &mut audit)?;
        self.audit_sums(key, &mut audit)?;
        Ok(audit)
    }

    fn audit_blocks(&mut self, number: u64, audit: &mut Audit) -> Result<Vec<Taken>> {
        let sql = "SELECT place, next, last, lost FROM block WHERE place >= $1 AND place < $2 ORDER BY place";
        let rows = self.db.rows(sql, &[place(number, 0).into(), place(number + 1, 0).into()])?;
        let mut blocks: Vec<Taken> = Vec::new();
        for row in &rows {
            let [at, next, last, lost] = fields(row)?;
            let block =
                Taken { first: serial_at(at.count()?), next: next.count()?, last: last.count()?, kept: lost.int()? };
            if blocks.last().is_some_and(|before| before.last >= block.first) {
                audit.problem(format!("serial {} is in two blocks", block.first));
            }
            if block.next < block.first || block.next > block.last + 1 {
                audit.problem(format!("the block of serial {} has its next serial outside of it", block.first));
            }
            let size = (block.last + 1).saturating_sub(block.first);
            match block.kept {
                0 => audit.counts.reserved += (block.last + 1).saturating_sub(block.next),
                1 => audit.counts.lost += size,
                _ => audit.counts.closed += size,
            }
            blocks.push(block);
        }
        blocks.retain(|block| block.kept == Kept::Issued as i64);
        Ok(blocks)
    }

    fn audit_outcomes(&mut self, number: u64, audit: &mut Audit) -> Result<()> {
        let mut after = place(number, 0) as i64 - 1;
        loop {
            let sql = "SELECT place, state, at, reason, grade FROM outcome WHERE place > $1 AND place < $2 \
                       ORDER BY place LIMIT $3";
            let rows = self.db.rows(sql, &[Value::Int(after), place(number + 1, 0).into(), PAGE.into()])?;
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
            after = first_of(last)?;
            let issued = self.readable(number, serial_of(first)?, serial_of(last)?)?;
            for row in &rows {
                let Ok(outcome) = outcome_of(row) else {
                    let serial = serial_of(row)?;
                    audit.problem(format!("what became of serial {serial} cannot be read"));
                    continue;
                };
                match outcome.state {
                    super::State::Verified => audit.counts.verified += 1,
                    super::State::Void => audit.counts.void += 1,
                }
                let serial = outcome.serial;
                if !issued.iter().any(|run| (run.first..run.first + run.count()).contains(&serial)) {
                    audit.problem(format!("serial {serial} has an outcome and was never issued"));
                }
            }
        }
    }

    /// The runs that hold any of the serials from `first` to `last`; those that cannot be read were told of before.
    fn readable(&mut self, number: u64, first: u64, last: u64) -> Result<Vec<Run>> {
        Ok(self.issued_rows(number, first, last)?.iter().filter_map(|row| run_of(row).ok()).collect())
    }

    fn audit_sums(&mut self, key: &KeyBytes, audit: &mut Audit) -> Result<()> {
        let counts = self.counts(key)?;
        let pairs = [
            ("issued", counts.issued, audit.counts.issued),
            ("verified", counts.verified, audit.counts.verified),
            ("void", counts.void, audit.counts.void),
        ];
        for (what, sum, found) in pairs {
            if sum != found {
                audit.problem(format!("the sum of {what} serials is {sum}, and {found} are on record"));
            }
        }
        Ok(())
    }
}

/// The place of a row, which is its first column.
fn first_of(row: &Row) -> Result<i64> {
    row.first().ok_or_else(|| strange("a place"))?.int()
}

fn serial_of(row: &Row) -> Result<u64> {
    Ok(serial_at(first_of(row)?.cast_unsigned()))
}

/// The runs of a block must cover its serials up to the next, each once.
fn cover(blocks: &[Taken], block: &mut usize, expected: &mut u64, run: &Run, audit: &mut Audit) {
    while blocks.get(*block).is_some_and(|b| b.next <= run.first && *expected >= b.next) {
        *block += 1;
        *expected = blocks.get(*block).map_or(u64::MAX, |b| b.first);
    }
    let (first, end) = (run.first, run.first + run.count());
    match blocks.get(*block) {
        Some(b) if first == *expected && end <= b.next => *expected = end,
        Some(b) if first < *expected || first >= b.next => {
            audit.problem(format!("serials {first} to {} are issued twice, or outside of any block", end - 1));
        }
        Some(_) => {
            audit.problem(format!("serials {expected} to {} are used up and not on record", first - 1));
            *expected = end;
        }
        None => audit.problem(format!("serials {first} to {} are issued and in no block", end - 1)),
    }
}

fn finish_cover(blocks: &[Taken], block: usize, expected: u64, audit: &mut Audit) {
    let mut expected = expected;
    for b in blocks.iter().skip(block) {
        if expected < b.next {
            audit.problem(format!("serials {expected} to {} are used up and not on record", b.next - 1));
        }
        expected = blocks.iter().find(|other| other.first > b.first).map_or(u64::MAX, |next| next.first);
    }
}

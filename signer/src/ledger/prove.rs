//! Heads of the log, and the proofs that travel with disclosures.

use super::pages::{Shelf, Summary, Writing, update};
use super::store::{Ledger, strange};
use crate::error::{Error, Result};
use crate::line::store::fields;
use std::collections::BTreeMap;
use touchmark_formats::ledger::map::join;
use touchmark_formats::ledger::merkle::{EMPTY_ROOT, Hash};
use touchmark_formats::ledger::record::Record;

impl Ledger {
    /// Closes what was appended since the last head: brings the map up to date and puts its root on record, as the last
    /// record of the new head. Nothing is written where nothing was appended. Gives the size and the root of the log.
    ///
    /// # Errors
    /// The store failed.
    pub fn head(&mut self) -> Result<(u64, Hash)> {
        if !self.is_headed()? {
            self.transaction(|ledger| if ledger.is_headed()? { Ok(()) } else { ledger.close_head() })?;
        }
        let size = self.size;
        Ok((size, self.root(size)?))
    }

    /// Whether the last record is the root of the map over all the others.
    ///
    /// # Errors
    /// The store failed.
    pub fn is_headed(&mut self) -> Result<bool> {
        match self.size.checked_sub(1) {
            Some(last) => Ok(matches!(self.record(last)?, Record::Map(_))),
            None => Ok(false),
        }
    }

    fn close_head(&mut self) -> Result<()> {
        for (line, changed) in self.changed()? {
            let before = self.lines.get(line as usize).ok_or_else(|| strange("a line"))?.count;
            let mut shelf = Writing::new(self);
            let Some(summary) = update(&mut shelf, line, before, &changed)? else { continue };
            let key = shelf.key(line)?;
            let pages = shelf.into_rows();
            self.upsert("ledger_page", &["number", "body"], pages)?;
            let Summary { count, first, hash } = summary;
            let sql = "UPDATE ledger_line SET count = $1, first = $2, hash = $3 WHERE public = $4";
            let values = [count.into(), first.into(), hash.as_slice().into(), key.0.as_slice().into()];
            self.db.run(sql, &values)?;
            if let Some(line) = self.lines.get_mut(line as usize) {
                (line.count, line.first, line.hash) = (count, first, hash);
            }
        }
        self.db.run("DELETE FROM ledger_changed", &[])?;
        let root = self.map_root();
        self.add_map(root)
    }

    /// The root of the map as of the last head.
    pub(super) fn map_root(&self) -> Hash {
        let mut lines: Vec<_> = self.lines.iter().filter_map(|line| line.subtree()).collect();
        lines.sort_by_key(|tree| tree.first.line);
        join(&lines).map_or(EMPTY_ROOT, |tree| tree.hash)
    }

    /// The serials where the map has changed since the last head, of each line.
    fn changed(&mut self) -> Result<BTreeMap<u64, Vec<u64>>> {
        let mut all: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for row in self.db.rows("SELECT body FROM ledger_changed ORDER BY number", &[])? {
            let [body] = fields(&row)?;
            for at in body.bytes()?.as_chunks().0 {
                let at = u64::from_be_bytes(*at);
                all.entry(at >> 53).or_default().push(super::schema::serial_at(at));
            }
        }
        for serials in all.values_mut() {
            serials.sort_unstable();
            serials.dedup();
        }
        Ok(all)
    }

    /// Refuses to prove anything while records stand after the last head.
    ///
    /// # Errors
    /// There are some.
    pub fn require_head(&mut self) -> Result<()> {
        if self.is_headed()? {
            return Ok(());
        }
        Err(Error::refused(format!("{} has records that no checkpoint covers yet", self.name()))
            .hint("`touchmark-sign ledger checkpoint` makes one"))
    }
}

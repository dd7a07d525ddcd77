//! What every command that seals consignees asks of the home.

use super::Io;
use super::secrets::Secrets;
use crate::consignees;
use crate::error::Result;
use crate::home::Home;
use crate::init;
use crate::line::store::Store;
use std::collections::BTreeSet;
use touchmark_formats::capsule::YearKey;

/// The key of `year`. That of this year or a later one is made where it is missing, but never anew where something was
/// sealed under it.
pub(super) fn year_key(
    home: &Home,
    year: i16,
    store: &mut Store,
    secrets: &mut Secrets,
    io: &mut Io<'_>,
) -> Result<YearKey> {
    if let Some(key) = home.year_key(year, &mut secrets.unlock(io))? {
        return Ok(key);
    }
    let this_year = init::today(io.now)?.year();
    let key = home.new_year_key(year, this_year, store, &mut secrets.unlock(io))?;
    io.say(format_args!("note: made the disclosure key of {year}; keep a copy of it in a safe place"));
    Ok(key)
}

/// A wrong number, once sealed, stays in the mark for good.
pub(super) fn warn_of_unknown(home: &Home, numbers: impl Iterator<Item = u64>, io: &mut Io<'_>) -> Result<()> {
    let numbers: BTreeSet<u64> = numbers.collect();
    let table = home.consignees_file();
    if numbers.is_empty() || !table.exists() {
        return Ok(());
    }
    let known = consignees::read(&table)?;
    let unknown = numbers.iter().filter(|n| !known.contains_key(n)).map(u64::to_string).take(5).collect::<Vec<_>>();
    if !unknown.is_empty() {
        io.say(format_args!("note: not in {}: consignee {}", table.display(), unknown.join(", ")));
    }
    Ok(())
}

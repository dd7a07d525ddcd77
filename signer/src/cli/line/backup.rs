//! `touchmark-sign line backup`.

use super::Io;
use crate::error::{Error, Result};
use crate::home::Home;
use crate::line::newest;
use std::path::PathBuf;

/// Copy the store of serials as it is at one moment, while lines go on
///
/// Of a PostgreSQL store, `pg_dump` makes the copy.
#[derive(clap::Args)]
pub(super) struct Args {
    /// The home of the maker or the line
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Where to: a file that is not there yet
    #[arg(long, value_name = "F")]
    out: PathBuf,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let home = Home::open(&args.home)?;
    if args.out.exists() {
        return Err(Error::file(&args.out, "it is there already").hint("a copy is made under a new name"));
    }
    if !home.has_store() {
        return Err(Error::file(&home.store_file(), "there is no store of serials to copy"));
    }
    let mut store = home.store(false)?;
    let state = io.state(&home);
    for line in home.lines()? {
        if let Err(e) = newest::check(&mut store, &state, &line.delegation.signed.key) {
            io.say(format_args!("warning: {e}"));
        }
    }
    store.copy_to(&args.out)?;
    io.say(format_args!(
        "{}: a copy of {}; what is issued from now on is not in it",
        args.out.display(),
        home.store_name()
    ));
    Ok(())
}

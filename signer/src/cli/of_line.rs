//! The options that say which home, and which of its lines.

use crate::error::Result;
use crate::home::Home;
use std::path::PathBuf;

/// Options of every command that works for one line of a home.
#[derive(clap::Args)]
pub(super) struct LineArgs {
    /// The maker's home
    #[arg(long, value_name = "DIR")]
    home: PathBuf,
    /// Which line, where the home has several
    #[arg(long, value_name = "NAME")]
    line: Option<String>,
}

impl LineArgs {
    /// The home.
    pub(super) fn home(&self) -> Result<Home> {
        Home::open(&self.home)
    }

    /// The line's name, if one was given.
    pub(super) fn line(&self) -> Option<&str> {
        self.line.as_deref()
    }
}

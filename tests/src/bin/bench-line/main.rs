//! How fast the line is, beside the bare cryptography and the bare disk in the same run, and whether it keeps its promises
//! when it is killed.
//!
//! ```sh
//! cargo bench-line                      # rates and latency, SQLite
//! cargo bench-line --postgres           # four processes on one PostgreSQL server, started for it
//! cargo bench-line --rows 1,10,100      # size, start-up and look-up with so many million marks on record
//! cargo bench-line --kills 72           # killed at random moments under load, and then every serial counted
//! ```
#![allow(clippy::panic, clippy::unwrap_used, clippy::print_stdout)] // A bench stops where it cannot measure.

mod client;
mod kills;
mod place;
mod rates;
mod rows;
mod stages;

use clap::Parser;
use std::path::PathBuf;

#[derive(Parser)]
struct Args {
    /// Seconds of each measurement
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Folder for stores, on the disk that is to be measured
    #[arg(long, default_value = "target/bench-line")]
    folder: PathBuf,
    /// Only single requests, and what the machine takes of their time
    #[arg(long)]
    single: bool,
    /// Four lines on one PostgreSQL server
    #[arg(long)]
    postgres: bool,
    /// Millions of marks on record
    #[arg(long, value_delimiter = ',')]
    rows: Vec<u64>,
    /// How often the line is killed under load
    #[arg(long)]
    kills: Option<u64>,
}

fn main() {
    let args = Args::parse();
    std::fs::create_dir_all(&args.folder).unwrap();
    match &args {
        Args { kills: Some(kills), .. } => kills::run(&args.folder, *kills),
        Args { rows, .. } if !rows.is_empty() => rows::run(&args.folder, rows),
        Args { postgres: true, .. } => rates::postgres(&args.folder, args.seconds),
        Args { single: true, .. } => rates::single(&args.folder, args.seconds),
        _ => rates::sqlite(&args.folder, args.seconds),
    }
}

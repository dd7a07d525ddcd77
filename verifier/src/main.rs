//! `touchmark-verify`.

use std::io::IsTerminal;
use std::process::ExitCode;
use touchmark_verifier::cli::{self, Io};

fn main() -> ExitCode {
    let mut io = Io {
        stdin: &mut std::io::stdin(),
        stdout: &mut std::io::stdout().lock(),
        stderr: &mut std::io::stderr(),
        progress: std::io::stderr().is_terminal() && !std::io::stdout().is_terminal(),
        terminal: std::io::stderr().is_terminal(),
        now: jiff::Timestamp::now(),
        state: state_folder(),
    };
    ExitCode::from(cli::run(std::env::args_os(), &mut io) as u8)
}

/// `TOUCHMARK_STATE`, else where programs keep their state by the XDG Base Directory Specification.
fn state_folder() -> Option<std::path::PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(std::path::PathBuf::from);
    folder("TOUCHMARK_STATE")
        .or_else(|| folder("XDG_STATE_HOME").map(|state| state.join("touchmark")))
        .or_else(|| folder("HOME").map(|home| home.join(".local/state/touchmark")))
}

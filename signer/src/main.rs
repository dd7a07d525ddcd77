//! `touchmark-sign`.

use std::process::ExitCode;
use touchmark_signer::cli;

fn main() -> ExitCode {
    let (mut stdin, mut stdout, mut stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let mut io = cli::Io::of_process(&mut stdin, &mut stdout, &mut stderr);
    ExitCode::from(cli::run(std::env::args_os(), &mut io) as u8)
}

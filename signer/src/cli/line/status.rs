//! `touchmark-sign line status`.

use super::{Io, Which, store_to_read};
use crate::error::{Error, Result};
use crate::line::desk::Status;
use crate::line::protocol::Answer;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// How long a running line may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Say how many serials are left, issued, verified, void
///
/// From the store, whether or not a line runs; or, with --connect, from a line that runs, with its requests and errors.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// The TCP socket, as 127.0.0.1:7070, or the Unix socket of a line that runs
    #[arg(long, value_name = "SOCKET")]
    connect: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, io: &mut Io<'_>) -> Result<()> {
    match &args.connect {
        Some(socket) => print_running(&ask(socket)?, args.json, io),
        None => print_stored(args, io),
    }
}

fn print_stored(args: &Args, io: &mut Io<'_>) -> Result<()> {
    let (home, line) = args.which.open()?;
    let delegation = &line.delegation.signed;
    let counts = store_to_read(&home, &delegation.key, io)?.counts(&delegation.key)?;
    let left = delegation.serials.count().saturating_sub(counts.issued + counts.lost + counts.closed);
    if args.json {
        let status = json!({
            "line": delegation.line, "key": delegation.key.id().to_string(), "store": home.store_name(),
            "not_before": delegation.not_before, "not_after": delegation.not_after, "left": left,
            "reserved": counts.reserved, "issued": counts.issued, "verified": counts.verified, "void": counts.void,
            "lost": counts.lost, "closed": counts.closed,
        });
        return io.print(format!("{status}\n"));
    }
    let crate::line::store::Counts { reserved, issued, verified, void, lost, closed } = counts;
    io.print(format!(
        "line       {}, key {}\nmay mark   {} to {}, serials {}\nstore      {}\nleft       {left}, {reserved} of them \
         reserved\nissued     {issued}\nverified   {verified}\nvoid       {void}\nlost       {lost}\nclosed     {closed}\n",
        delegation.line,
        delegation.key.id(),
        delegation.not_before,
        delegation.not_after,
        delegation.serials,
        home.store_name(),
    ))
}

fn print_running(status: &Status, json: bool, io: &mut Io<'_>) -> Result<()> {
    if json {
        return io.print(format!("{}\n", serde_json::to_string(status).unwrap_or_default()));
    }
    let (store, key) = if_well(status);
    io.print(format!(
        "line       {}, running as {:?} since {}\nmay mark   {} to {}\nkey        {}, {key} since {}\nstore      {}, {store} \
         since {}\nleft       {}, {} of them reserved\nissued     {}\nverified   {}\nvoid       {}\nlost       {}\nclosed     \
         {}\nrequests   {}, {} refused, {} failed\n",
        status.line,
        status.name,
        status.started,
        status.not_before,
        status.not_after,
        status.key,
        status.key_since,
        status.store,
        status.store_since,
        status.left,
        status.reserved,
        status.issued,
        status.verified,
        status.void,
        status.lost,
        status.closed,
        status.requests,
        status.refused,
        status.failed,
    ))?;
    for error in &status.errors {
        io.print(format!("error      {} {}\n", error.at, error.message))?;
    }
    Ok(())
}

/// What the store and the key of a line do, in a word each.
pub(super) fn if_well(status: &Status) -> (&'static str, &'static str) {
    (if status.store_ok { "answers" } else { "FAILS" }, if status.key_ok { "signs" } else { "FAILS" })
}

pub(super) fn ask(socket: &str) -> Result<Status> {
    let failed = |e: std::io::Error| {
        Error::io("ask the line at", socket.as_ref(), &e).hint("is it running? `line run` says where it listens")
    };
    if let Ok(address) = socket.parse::<std::net::SocketAddr>() {
        let stream = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        return exchange(stream, socket);
    }
    #[cfg(unix)]
    {
        let stream = std::os::unix::net::UnixStream::connect(socket).map_err(failed)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        exchange(stream, socket)
    }
    #[cfg(not(unix))]
    Err(Error::unusable(format!("{socket:?} is no ADDRESS:PORT")))
}

fn exchange(mut stream: impl Read + Write, socket: &str) -> Result<Status> {
    let failed = |e: std::io::Error| Error::io("ask the line at", socket.as_ref(), &e);
    stream.write_all(b"{\"do\":\"status\"}\n").map_err(failed)?;
    let mut line = String::new();
    BufReader::new(stream.take(1 << 20)).read_line(&mut line).map_err(failed)?;
    let answer = serde_json::from_str::<Answer>(&line).ok().and_then(|answer| answer.status);
    answer.ok_or_else(|| Error::unusable(format!("what answers at {socket} is no line")))
}

//! Lines in, lines out: sockets and standard input. A line that begins with `{` is JSON, any other the plain protocol, and
//! each is answered in its own, in order.

use super::desk::{Desk, Pending};
use super::log::{Level, event};
use super::plain;
use super::protocol::{MAX_BYTES, Request};
use super::stop::Stop;
use crate::error::{Error, Result};
use serde_json::json;
use socket2::SockRef;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

/// Requests of one connection that wait for their answers; whoever sends more is read on when some are answered.
const PENDING: usize = 1024;
/// How often a quiet connection is asked whether the line stops.
const GLANCE: Duration = Duration::from_millis(200);
/// Connections at once.
const MAX_CONNECTIONS: usize = 256;

#[derive(Clone, Copy)]
enum Style {
    Json,
    Plain,
}

/// Serves one stream until it ends or the line stops; every request that was read is answered. `client` is whose its
/// requests are where they do not say.
///
/// # Errors
/// The answers cannot be written; the marks are on record all the same.
pub fn serve(
    input: impl Read,
    output: impl Write + Send + 'static,
    desk: &Desk,
    client: &str,
    stop: &Stop,
) -> Result<()> {
    let (queue, pending) = mpsc::sync_channel(PENDING);
    let writer = std::thread::spawn(move || write(output, &pending));
    read(input, desk, client, stop, &queue);
    drop(queue);
    let written = writer.join().unwrap_or_else(|_| Err(io::Error::other("the writer ended")));
    written.map_err(|e| Error::io("write", "the answer".as_ref(), &e))
}

fn read(input: impl Read, desk: &Desk, client: &str, stop: &Stop, queue: &SyncSender<(Pending, Style)>) {
    let mut lines = Lines { input, buffer: Vec::new(), searched: 0, ended: false };
    // Whose the requests of a controller are, once it has said so.
    let mut said: Option<String> = None;
    while let Some(line) = lines.next(stop) {
        if let Some(name) = line.as_ref().ok().and_then(|line| plain::client(line)) {
            said = Some(name.to_owned());
            if queue.send((desk.greet(name), Style::Plain)).is_err() {
                return;
            }
            continue;
        }
        let (request, style) = match &line {
            Ok(line) if line.starts_with('{') => (Request::from_line(line), Style::Json),
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) => {
                let own = |request| Request { client: said.clone(), one_line: true, ..request };
                (plain::request(line).map(own), Style::Plain)
            }
            Err(e) => (Err(e.clone()), Style::Json),
        };
        let pending = match request {
            Ok(request) => desk.submit(client, request),
            Err(e) => {
                let id = line.as_ref().ok().and_then(|line| match style {
                    Style::Json => Request::id_in(line),
                    Style::Plain => plain::id_in(line),
                });
                desk.refuse(id, e)
            }
        };
        if queue.send((pending, style)).is_err() {
            return;
        }
    }
}

fn write(output: impl Write, queue: &Receiver<(Pending, Style)>) -> io::Result<()> {
    let mut output = BufWriter::with_capacity(64 << 10, output);
    while let Ok(first) = queue.recv() {
        let mut next = Some(first);
        while let Some((mut pending, style)) = next {
            // What is answered does not wait for what is not: where requests keep coming, that would never end.
            if !pending.is_known() {
                output.flush()?;
            }
            let answer = pending.wait();
            match style {
                Style::Json => output.write_all(&answer.to_line())?,
                Style::Plain => output.write_all(plain::answer(&answer).as_bytes())?,
            }
            next = queue.try_recv().ok();
        }
        output.flush()?;
    }
    Ok(())
}

/// Lines of a stream that may pause.
struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold no line feed.
    searched: usize,
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// The next line without its end; `None` when there are no more, or the line stops.
    fn next(&mut self, stop: &Stop) -> Option<Result<String>> {
        loop {
            if let Some(end) = self.buffer.iter().skip(self.searched).position(|b| *b == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=self.searched + end).collect();
                self.searched = 0;
                return Some(if line.len() > MAX_BYTES + 2 { Err(too_long()) } else { text(&line) });
            }
            self.searched = self.buffer.len();
            if self.searched > MAX_BYTES {
                // Nobody knows where it ends.
                self.ended = true;
                self.buffer.clear();
                return Some(Err(too_long()));
            }
            if self.ended && !self.buffer.is_empty() {
                // It may be a part of one, and then what it asks for is not what was meant.
                self.buffer.clear();
                return Some(Err(Error::unusable("the last request has no line feed at its end: it may be cut off")));
            }
            if self.ended || stop.is_said() {
                return None;
            }
            self.fill();
        }
    }

    fn fill(&mut self) {
        let mut bytes = [0; 16 << 10];
        match self.input.read(&mut bytes) {
            Ok(0) => self.ended = true,
            Ok(count) => self.buffer.extend(bytes.iter().take(count)),
            Err(e) if is_quiet(&e) => {}
            Err(_) => self.ended = true,
        }
    }
}

fn too_long() -> Error {
    Error::unusable(format!("a request is longer than {MAX_BYTES} bytes"))
}

fn text(line: &[u8]) -> Result<String> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8(line.to_owned()).map_err(|_| Error::unusable("a request is not UTF-8"))
}

/// Listens at `address`.
///
/// # Errors
/// It is taken, or none of this machine's.
pub fn listen_tcp(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).map_err(|e| {
        let failed = Error::io("listen on", address.to_string().as_ref(), &e);
        match e.kind() {
            ErrorKind::AddrInUse => failed
                .hint("another program listens there, perhaps a line that runs already (`ss -ltnp` shows it): take another port"),
            ErrorKind::AddrNotAvailable => failed.hint("this machine has no such address: `ip address` shows those it has"),
            ErrorKind::PermissionDenied => failed.hint("ports below 1024 are not for everybody: take a higher one"),
            _ => failed,
        }
    })
}

/// Listens at `path`, on a socket that its owner and group may use. One that a killed line left behind is taken away; one
/// on which somebody answers is not.
///
/// # Errors
/// Something else is there.
#[cfg(unix)]
pub fn listen_unix(path: &Path) -> Result<UnixListener> {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    match std::fs::symlink_metadata(path) {
        Ok(meta) if !meta.file_type().is_socket() => {
            return Err(Error::file(path, "it is there already, and is no socket").hint("name another path"));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(Error::file(path, "another program answers on this socket")
                .hint("a line that runs already, perhaps: stop it, or name another path"));
        }
        Ok(_) => drop(std::fs::remove_file(path)),
        Err(_) => {}
    }
    let failed = |e: io::Error| Error::io("listen on", path, &e);
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(listener)
}

/// Listens on a TCP socket until the line stops.
pub fn serve_tcp(listener: TcpListener, desk: Desk, stop: Stop) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let accept = || -> io::Result<TcpStream> {
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(GLANCE))?;
            Ok(stream)
        };
        if let Err(e) = glance_at(&SockRef::from(&listener)) {
            return event(Level::Error, "no-tcp", json!({"message": e.to_string()}));
        }
        accept_all(accept, TcpStream::try_clone, &desk, "tcp", &stop);
    })
}

/// Listens on a Unix socket until the line stops.
#[cfg(unix)]
pub fn serve_unix(listener: UnixListener, desk: Desk, stop: Stop) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let accept = || -> io::Result<UnixStream> {
            let (stream, _) = listener.accept()?;
            stream.set_read_timeout(Some(GLANCE))?;
            Ok(stream)
        };
        if let Err(e) = glance_at(&SockRef::from(&listener)) {
            return event(Level::Error, "no-unix-socket", json!({"message": e.to_string()}));
        }
        accept_all(accept, UnixStream::try_clone, &desk, "unix", &stop);
    })
}

/// Lets the listener's `accept` return at each [`GLANCE`]. A socket that is asked whether somebody came would keep whoever
/// comes waiting between two questions, with all that he asks.
fn glance_at(listener: &SockRef<'_>) -> io::Result<()> {
    listener.set_read_timeout(Some(GLANCE))
}

/// The listener is quiet, or the socket's time is up.
fn is_quiet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

fn accept_all<S: Read + Write + Send + 'static>(
    accept: impl Fn() -> io::Result<S>,
    clone: impl Fn(&S) -> io::Result<S>,
    desk: &Desk,
    client: &'static str,
    stop: &Stop,
) {
    let mut open: Vec<JoinHandle<()>> = Vec::new();
    while !stop.is_said() {
        open.retain(|connection| !connection.is_finished());
        match accept().and_then(|stream| Ok((clone(&stream)?, stream))) {
            Ok(_) if open.len() >= MAX_CONNECTIONS => {
                let what = format!("more than {MAX_CONNECTIONS} connections at once: this one was closed");
                let hint = "clients that are done close theirs; one connection carries any number of requests";
                event(Level::Warn, "too-many-connections", json!({"message": what, "hint": hint}));
            }
            Ok((output, input)) => {
                let (desk, stop) = (desk.clone(), stop.clone());
                open.push(std::thread::spawn(move || {
                    if let Err(e) = serve(input, output, &desk, client, &stop) {
                        event(Level::Info, "client-gone", json!({"message": e.message}));
                    }
                }));
            }
            Err(e) if is_quiet(&e) => {}
            // For want of file descriptors, say, of which others may be given back soon.
            Err(_) => {
                stop.wait_for(Duration::from_millis(10));
            }
        }
    }
    for connection in open {
        let _ = connection.join();
    }
}

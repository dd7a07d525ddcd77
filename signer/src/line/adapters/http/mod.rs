//! The line over HTTP/1.1, described by an OpenAPI 3.1 document that it serves itself.
//!
//! A factory network is no friendly place, nor is the browser on the line's PC: by default only this machine may ask, only
//! under the names of this machine (a page that has its own name lead here is refused), and only with a content type that a
//! page of another origin cannot send unasked. Anything else needs a token. Sizes, times and connections have ceilings.

mod answer;
mod routes;
mod token;

pub use token::Token;

use super::stopped;
use crate::error::{Error, Result};
use crate::line::desk::Desk;
use crate::line::stop::Stop;
use crate::line::stream;
use answer::Answer;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// The OpenAPI 3.1 description of this service.
pub const OPENAPI: &str = include_str!("openapi.json");

/// The largest body, in bytes: a thousand ordinary requests fit.
pub const MAX_BODY: usize = 512 << 10;
/// Connections at once; further ones wait to be accepted.
pub const MAX_CONNECTIONS: usize = 128;
/// How long a client may take for the head of its next request, and as long again for the body.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long requests that are being answered may take when the line ends.
const FAREWELL: Duration = Duration::from_secs(10);

/// Where to listen, and to whom.
#[derive(Debug)]
pub struct Options {
    /// Address and port.
    pub address: SocketAddr,
    /// What clients must show, if anything.
    pub token: Option<Token>,
}

/// A service that listens.
pub struct Server {
    listener: std::net::TcpListener,
    gate: Arc<Gate>,
}

/// Who may ask.
struct Gate {
    token: Option<Token>,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// The address is taken, or others could reach it and there is no token.
    pub fn bind(options: Options) -> Result<Self> {
        let Options { address, token } = options;
        if !address.ip().is_loopback() && token.is_none() {
            return Err(Error::refused(format!("{address} can be reached from other machines, and there is no token"))
                .hint("give --http-token-file F, or listen on 127.0.0.1"));
        }
        let listener = stream::listen_tcp(address)?;
        let failed = |e: std::io::Error| Error::unusable(format!("cannot listen on {address}: {e}"));
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener, gate: Arc::new(Gate { token }) })
    }

    /// Where it listens: the port is known only then if it was asked for as 0.
    ///
    /// # Errors
    /// The operating system does not say.
    pub fn address(&self) -> Result<SocketAddr> {
        self.listener.local_addr().map_err(|e| Error::unusable(format!("the listener has no address: {e}")))
    }

    /// Answers until `stop`, and then what it was already asked.
    ///
    /// # Errors
    /// The operating system gives no threads or no events.
    pub fn run(self, desk: Desk, stop: &Stop) -> Result<()> {
        let failed = |e: std::io::Error| Error::unusable(format!("HTTP cannot run: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        runtime.block_on(async {
            let listener = TcpListener::from_std(self.listener).map_err(failed)?;
            accept(&listener, &self.gate, &desk, stop).await;
            Ok(())
        })
    }
}

async fn accept(listener: &TcpListener, gate: &Arc<Gate>, desk: &Desk, stop: &Stop) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = stopped(stop) => break,
            next = next => next,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let (gate, desk, stop) = (Arc::clone(gate), desk.clone(), stop.clone());
                connections.spawn(async move {
                    serve(stream, gate, desk, stop).await;
                    drop(place);
                });
            }
            // Out of file descriptors: those in use will become free.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    let _ = tokio::time::timeout(FAREWELL, async { while connections.join_next().await.is_some() {} }).await;
}

async fn serve(stream: TcpStream, gate: Arc<Gate>, desk: Desk, stop: Stop) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let (gate, desk) = (Arc::clone(&gate), desk.clone());
        async move { Ok::<_, std::convert::Infallible>(respond(request, &gate, desk).await.into_response()) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    // What a broken connection says of itself helps nobody; the client asks again.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(&stop) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

async fn respond(request: hyper::Request<Incoming>, gate: &Gate, desk: Desk) -> Answer {
    let (head, body) = request.into_parts();
    let route = match routes::find(&head.method, head.uri.path()) {
        Ok(route) => route,
        Err(answer) => return answer,
    };
    if let Err(answer) = gate.admit(&head, route) {
        return answer;
    }
    let body = match tokio::time::timeout(PATIENCE, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(e)) if e.is::<http_body_util::LengthLimitError>() => return answer::too_large(MAX_BODY),
        Ok(Err(_)) => return answer::bad("the body broke off"),
        Err(_) => return answer::too_slow(),
    };
    let answered = tokio::task::spawn_blocking(move || routes::answer(route, &body, &desk)).await;
    answered.unwrap_or_else(|_| answer::broken())
}

impl Gate {
    fn admit(&self, head: &hyper::http::request::Parts, route: routes::Route) -> std::result::Result<(), Answer> {
        let header = |name: hyper::header::HeaderName| head.headers.get(name).and_then(|v| v.to_str().ok());
        match &self.token {
            Some(token) if !route.is_open() => {
                let shown = header(hyper::header::AUTHORIZATION).and_then(|v| v.split_once(' '));
                if !shown.is_some_and(|(scheme, shown)| scheme.eq_ignore_ascii_case("bearer") && token.is(shown)) {
                    return Err(answer::unauthorised());
                }
            }
            Some(_) => {}
            None => {
                let host = header(hyper::header::HOST).or(head.uri.authority().map(|a| a.as_str()));
                if !host.is_some_and(is_this_machine) {
                    return Err(answer::misdirected());
                }
            }
        }
        let kind = header(hyper::header::CONTENT_TYPE).map(|kind| kind.split(';').next().unwrap_or_default().trim());
        if route.takes_body() && !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(answer::not_json());
        }
        Ok(())
    }
}

/// Whether a Host header names this machine as itself.
fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests;

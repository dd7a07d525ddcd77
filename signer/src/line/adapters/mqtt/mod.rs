//! The line over a broker (MQTT 3.1.1): as plain JSON ([`json`]) or as a Sparkplug B edge node ([`sparkplug`]).
//!
//! The broker may hand over a request twice, and the answer may be lost with the connection. So a request is acknowledged
//! only after its answer went out before it on the same connection: whatever breaks in between, the broker hands the
//! request over again, and its id finds the marks that it has. A request without an id is refused here.

pub mod json;
pub mod payload;
pub mod sparkplug;

use super::{Say, stopped};
use crate::error::{Error, Result};
use crate::line::desk::{Desk, Pending, Status};
use crate::line::log::Level;
use crate::line::protocol::{Action, Answer, Request};
use crate::line::stop::Stop;
use jiff::Timestamp;
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet,
    Publish, QoS, Transport,
};
use rustls::ClientConfig;
use std::time::Duration;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// The largest message that is read, in bytes. Of a larger one the beginning is, which is no request, and is answered so.
pub const MAX_MESSAGE: usize = 1 << 20;
/// The largest packet that there is (MQTT 3.1.1, section 2.2.3), in bytes. A connection that broke at a large one would get
/// it again from the broker at once, and never anything else.
const MAX_PACKET: usize = 268_435_455 + 5;
/// Requests that are answered together at most.
const TOGETHER: usize = 256;
/// Requests that may wait. What the broker sends with quality of service 1 it sends a few at a time; of the rest, what
/// comes on top is dropped, as that quality of service allows.
const WAITING: usize = 4096;
/// How often the line's state is looked at, and told if it changed.
const NEWS: Duration = Duration::from_secs(1);
/// The first pause before a new connection; it doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// How long the broker may take for the last messages.
const FAREWELL: Duration = Duration::from_secs(5);

/// Where the broker is.
pub struct Options {
    /// Its host.
    pub host: String,
    /// Its port; by custom 1883, and 8883 with TLS.
    pub port: u16,
    /// The name of this client, of which a broker knows only one at a time.
    pub client_id: String,
    /// User name and password, if it wants any.
    pub login: Option<(String, Zeroizing<String>)>,
    /// What TLS to it needs; `None` for a broker that is spoken to in clear.
    pub tls: Option<ClientConfig>,
}

/// A message to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its topic.
    pub topic: String,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// Whether the broker confirms it.
    pub confirmed: bool,
    /// Whether the broker keeps it for those who subscribe later.
    pub retained: bool,
}

/// What a message from the broker is.
#[derive(Debug, Clone, PartialEq)]
pub enum Read {
    /// A request of a client, which is answered there.
    Request(String, Box<Request>),
    /// Not usable, which the client should learn; with the id of its request where that could be read.
    Wrong(String, Option<String>, Error),
    /// The host wants everything said anew.
    Again,
    /// Nothing for a line, and why; nobody can be told but the log.
    Ignored(String),
}

/// How requests and answers look on the broker.
pub trait Dialect: Send {
    /// Whether the broker keeps what comes in while the line is away.
    fn keeps_session(&self) -> bool;
    /// A new connection begins: the message that the broker sends when it breaks off.
    fn will(&mut self) -> Message;
    /// Topics to subscribe to.
    fn topics(&self) -> Vec<String>;
    /// What is said first.
    fn birth(&mut self, status: &Status) -> Vec<Message>;
    /// Reads a message.
    fn read(&self, topic: &str, payload: &[u8], retained: bool) -> Read;
    /// The answer to a client.
    fn answer(&mut self, client: &str, answer: &Answer) -> Vec<Message>;
    /// The line's state changed.
    fn news(&mut self, status: &Status) -> Vec<Message>;
    /// What is said last, with the state that the line leaves behind.
    fn farewell(&mut self, status: &Status) -> Vec<Message>;
}

/// Answers what comes over the broker until `stop`. A broker that is away is looked for again and again; `say` is told.
///
/// # Errors
/// The operating system gives no events.
pub fn run(options: &Options, mut dialect: Box<dyn Dialect>, desk: &Desk, stop: &Stop, say: &Say<'_>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Error::unusable(format!("MQTT cannot run: {e}")))?;
    runtime.block_on(async {
        let mut pause = PAUSE;
        while !stop.is_said() {
            let began = tokio::time::Instant::now();
            if let Err(e) = connection(options, dialect.as_mut(), desk, stop, say).await {
                let what = format!("no connection to the broker {}:{}: {e}", options.host, options.port);
                say(Level::Error, &format!("{what}{}", way_out(&e)));
            }
            pause = if began.elapsed() > LONGEST_PAUSE { PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(stop) => {}
            }
        }
    });
    Ok(())
}

/// One connection, until it breaks or the line ends.
async fn connection(
    options: &Options,
    dialect: &mut dyn Dialect,
    desk: &Desk,
    stop: &Stop,
    say: &Say<'_>,
) -> std::result::Result<(), ConnectionError> {
    let mut settings = MqttOptions::new(&options.client_id, &options.host, options.port);
    let will = dialect.will();
    settings
        .set_keep_alive(Duration::from_secs(20))
        .set_clean_session(!dialect.keeps_session())
        .set_manual_acks(true)
        .set_max_packet_size(MAX_PACKET, usize::MAX)
        .set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, will.retained));
    if let Some((user, password)) = &options.login {
        settings.set_credentials(user, password.as_str());
    }
    if let Some(tls) = &options.tls {
        settings.set_transport(Transport::tls_with_config(tls.clone().into()));
    }
    let (client, mut events) = AsyncClient::new(settings, 64);
    tokio::select! {
        connected = events.poll() => connected?,
        () = stopped(stop) => return Ok(()),
    };
    say(Level::Info, &format!("connected to the broker {}:{}", options.host, options.port));
    let (inbox, incoming) = mpsc::channel(WAITING);
    let pump = pump(events, inbox);
    let mut pump = std::pin::pin!(pump);
    tokio::select! {
        broken = &mut pump => return Err(broken),
        // Its channel to the pump closes only with the pump.
        _ = work(&client, incoming, dialect, desk, stop, say) => {}
    }
    let _ = tokio::time::timeout(FAREWELL, pump).await;
    Ok(())
}

/// Keeps the connection going, and passes on what comes in, until it ends.
async fn pump(mut events: EventLoop, inbox: mpsc::Sender<Publish>) -> ConnectionError {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::Publish(publish))) => drop(inbox.try_send(cut(publish))),
            Ok(Event::Outgoing(Outgoing::Disconnect)) => return ConnectionError::RequestsDone,
            Ok(_) => {}
            Err(e) => return e,
        }
    }
}

/// A message without what makes it too large, which would be kept until it is answered.
fn cut(mut message: Publish) -> Publish {
    if let Some(beginning) = message.payload.get(..=MAX_MESSAGE) {
        message.payload = beginning.to_vec().into();
    }
    message
}

async fn work(
    client: &AsyncClient,
    mut incoming: mpsc::Receiver<Publish>,
    dialect: &mut dyn Dialect,
    desk: &Desk,
    stop: &Stop,
    say: &Say<'_>,
) -> std::result::Result<(), rumqttc::ClientError> {
    for topic in dialect.topics() {
        client.subscribe(topic, QoS::AtLeastOnce).await?;
    }
    let mut told = desk.status();
    send(client, dialect.birth(&told)).await?;
    let mut look = tokio::time::interval(NEWS);
    loop {
        tokio::select! {
            biased;
            () = stopped(stop) => break,
            first = incoming.recv() => {
                let Some(first) = first else { break };
                let mut messages = vec![first];
                while messages.len() < TOGETHER && let Ok(next) = incoming.try_recv() {
                    messages.push(next);
                }
                answer(client, &messages, dialect, desk, say).await?;
            }
            _ = look.tick() => {
                let status = desk.status();
                if status != told {
                    send(client, dialect.news(&status)).await?;
                    told = status;
                }
            }
        }
    }
    let left = status_at_end(desk).await.unwrap_or(told);
    send(client, dialect.farewell(&left)).await?;
    client.disconnect().await
}

/// Answers messages, and only then acknowledges them.
async fn answer(
    client: &AsyncClient,
    messages: &[Publish],
    dialect: &mut dyn Dialect,
    desk: &Desk,
    say: &Say<'_>,
) -> std::result::Result<(), rumqttc::ClientError> {
    let reads: Vec<Read> = messages.iter().map(|m| read(dialect, m)).collect();
    let requests = reads.iter().filter_map(|read| match read {
        Read::Request(who, request) => Some((format!("mqtt/{who}"), (**request).clone())),
        _ => None,
    });
    let mut answers = ask(desk, requests.collect()).await.into_iter();
    for (message, read) in messages.iter().zip(reads) {
        let out = match read {
            Read::Request(who, request) => {
                let lost = || Answer::failure(request.id, &Error::storage("the line broke off"));
                dialect.answer(&who, &answers.next().unwrap_or_else(lost))
            }
            Read::Wrong(who, id, why) => dialect.answer(&who, &desk.refuse(id, why).wait()),
            Read::Again => dialect.birth(&desk.status()),
            Read::Ignored(why) => {
                say(Level::Warn, &format!("a message on {} was ignored: {why}", message.topic));
                Vec::new()
            }
        };
        send(client, out).await?;
        client.ack(message).await?;
    }
    Ok(())
}

fn read(dialect: &dyn Dialect, message: &Publish) -> Read {
    match dialect.read(&message.topic, &message.payload, message.retain) {
        Read::Request(who, request) if request.action == Action::Issue && request.id.is_none() => {
            let why = Error::unusable("a request for marks over a broker needs an id");
            Read::Wrong(who, None, why.hint("the broker may hand it over twice; the id makes that harmless"))
        }
        read => read,
    }
}

/// The state that the line leaves behind, asked for away from the thread that keeps the connection.
async fn status_at_end(desk: &Desk) -> Option<Status> {
    let desk = desk.clone();
    tokio::task::spawn_blocking(move || desk.status_at_end()).await.ok()
}

/// What to do about a connection that was not made, where that is known.
fn way_out(error: &ConnectionError) -> &'static str {
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::NotAuthorized | ConnectReturnCode::BadUserNamePassword,
        ) => "; --mqtt-user and --mqtt-password-file say who this is",
        ConnectionError::Tls(_) => {
            "; --mqtt-ca names the authority that signed the broker's certificate, which must be for this host"
        }
        ConnectionError::MqttState(_) => {
            "; one that expects TLS is named mqtts://HOST; one that closes again and again may have another line of the same --name"
        }
        _ => "",
    }
}

/// Asks the line, away from the thread that keeps the connection. All are handed in before the first is waited for.
async fn ask(desk: &Desk, requests: Vec<(String, Request)>) -> Vec<Answer> {
    let desk = desk.clone();
    let asked = tokio::task::spawn_blocking(move || {
        let pending: Vec<Pending> = requests.into_iter().map(|(who, request)| desk.submit(&who, request)).collect();
        pending.into_iter().map(Pending::wait).collect()
    });
    asked.await.unwrap_or_default()
}

async fn send(client: &AsyncClient, messages: Vec<Message>) -> std::result::Result<(), rumqttc::ClientError> {
    for Message { topic, payload, confirmed, retained } in messages {
        let quality = if confirmed { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        client.publish(topic, quality, retained, payload).await?;
    }
    Ok(())
}

/// Milliseconds of Unix time.
fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default()
}

/// Whether a name can be a level of a topic.
///
/// # Errors
/// It is empty, or holds what MQTT gives a meaning.
pub fn check_level(name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['/', '+', '#', '\0']) {
        return Err(Error::unusable(format!("{name:?} cannot be in a topic"))
            .hint("take letters, digits and `-`; `/`, `+` and `#` have a meaning of their own"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

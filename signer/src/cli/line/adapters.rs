//! The options of `line run` for HTTP, the hot folder and MQTT, and the threads that serve them.

use crate::error::{Error, Result};
use crate::files;
use crate::line::adapters::folder::HotFolder;
use crate::line::adapters::http::{Server, Token};
use crate::line::adapters::mqtt::json::Json;
use crate::line::adapters::mqtt::sparkplug::Sparkplug;
use crate::line::adapters::mqtt::{self, Dialect};
use crate::line::adapters::{folder, http};
use crate::line::desk::Desk;
use crate::line::log::{Level, event};
use crate::line::stop::Stop;
use crate::tls;
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Duration;
use zeroize::Zeroizing;

/// The ports of MQTT without and with TLS (IANA).
const MQTT_PORT: u16 = 1883;
const MQTTS_PORT: u16 = 8883;

/// Further ways in.
#[derive(clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Ways in")]
pub(super) struct Args {
    /// Serve HTTP here, as 127.0.0.1:8080; GET /openapi.json describes it
    #[arg(long, value_name = "ADDRESS:PORT", group = "way", value_parser = super::address)]
    http: Option<SocketAddr>,
    /// File whose first line HTTP clients must show as a bearer token; needed where other machines can ask
    #[arg(long, value_name = "F", requires = "http")]
    http_token_file: Option<PathBuf>,
    /// Answer the CSV files that are put into DIR/in
    #[arg(long, value_name = "DIR", group = "way")]
    hot_folder: Option<PathBuf>,
    /// Seconds for which a file must stand still before it is taken; 0 if files are renamed into DIR/in
    #[arg(long, value_name = "S", requires = "hot_folder", default_value_t = folder::SETTLE.as_secs())]
    settle: u64,
    /// Take requests from this MQTT broker; mqtts://HOST for TLS
    #[arg(long, value_name = "[mqtts://]HOST[:PORT]", group = "way")]
    mqtt: Option<String>,
    /// PEM file with the certificate of the authority that signed the broker's
    #[arg(long, value_name = "F", requires = "mqtt")]
    mqtt_ca: Option<PathBuf>,
    /// Requests and answers as JSON under this topic [default: touchmark/NAME]
    #[arg(long, value_name = "TOPIC", requires = "mqtt", conflicts_with = "sparkplug")]
    mqtt_topic: Option<String>,
    /// Be the device NAME of this Sparkplug B edge node instead
    #[arg(long, value_name = "GROUP/NODE", requires = "mqtt")]
    sparkplug: Option<String>,
    /// User name at the broker
    #[arg(long, value_name = "USER", requires = "mqtt")]
    mqtt_user: Option<String>,
    /// File whose first line is the password at the broker
    #[arg(long, value_name = "F", requires = "mqtt_user")]
    mqtt_password_file: Option<PathBuf>,
}

impl Args {
    /// Whether there is any of them.
    pub(super) fn any(&self) -> bool {
        self.http.is_some() || self.hot_folder.is_some() || self.mqtt.is_some()
    }
}

/// Ways in that are open, and not served yet.
pub(super) struct Adapters {
    http: Option<Server>,
    folder: Option<HotFolder>,
    mqtt: Option<(mqtt::Options, Box<dyn Dialect>)>,
}

impl Adapters {
    /// Opens what `args` ask for, for the line that issues under `name`.
    ///
    /// # Errors
    /// An address is taken, a folder is in use, an option makes no sense.
    pub(super) fn open(args: &Args, name: &str) -> Result<Self> {
        let token = args.http_token_file.as_deref().map(Token::read).transpose()?;
        let server = args.http.map(|address| Server::bind(http::Options { address, token })).transpose()?;
        let settle = Duration::from_secs(args.settle);
        let folder = args.hot_folder.as_deref().map(|dir| HotFolder::open(dir, settle)).transpose()?;
        let broker = args.mqtt.as_deref().map(|broker| Ok((broker_of(args, broker, name)?, dialect(args, name)?)));
        Ok(Self { http: server, folder, mqtt: broker.transpose()? })
    }

    /// What the log says of them.
    pub(super) fn about(&self) -> serde_json::Value {
        json!({
            "http": self.http.as_ref().and_then(|server| server.address().ok()).map(|address| address.to_string()),
            "hot_folder": self.folder.as_ref().map(|folder| folder.dir().display().to_string()),
            "mqtt": self.mqtt.as_ref().map(|(options, _)| format!("{}:{}", options.host, options.port)),
        })
    }

    /// Serves them until `stop`.
    pub(super) fn start(self, desk: &Desk, stop: &Stop) -> Vec<JoinHandle<()>> {
        let mut threads = Vec::new();
        if let Some(server) = self.http {
            let (desk, stop) = (desk.clone(), stop.clone());
            threads.push(std::thread::spawn(move || failed("http", server.run(desk, &stop))));
        }
        if let Some(folder) = self.folder {
            let (desk, stop) = (desk.clone(), stop.clone());
            threads.push(std::thread::spawn(move || {
                folder.run(&desk, &stop, &|level, text| say(level, "hot-folder", text))
            }));
        }
        if let Some((options, dialect)) = self.mqtt {
            let (desk, stop) = (desk.clone(), stop.clone());
            threads.push(std::thread::spawn(move || {
                failed("mqtt", mqtt::run(&options, dialect, &desk, &stop, &|level, text| say(level, "mqtt", text)));
            }));
        }
        threads
    }
}

fn broker_of(args: &Args, broker: &str, name: &str) -> Result<mqtt::Options> {
    let wrong = || {
        Error::unusable(format!("--mqtt {broker:?} is not HOST or HOST:PORT"))
            .hint("as in --mqtt broker.example, or --mqtt mqtts://broker.example:8883 --mqtt-ca FILE")
    };
    let (place, encrypted) = match (broker.strip_prefix("mqtts://"), broker.strip_prefix("mqtt://")) {
        (Some(place), _) => (place, true),
        (None, place) => (place.unwrap_or(broker), false),
    };
    let tls = match (&args.mqtt_ca, encrypted) {
        (Some(authority), true) => Some(tls::client(authority)?),
        (None, false) => None,
        (None, true) => {
            let what = "mqtts:// needs the certificate of the authority that signed the broker's";
            return Err(Error::unusable(what).hint("--mqtt-ca FILE names it, in PEM"));
        }
        (Some(_), false) => {
            return Err(
                Error::unusable("--mqtt-ca is for TLS, and the broker is named without it").hint("say mqtts://HOST")
            );
        }
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
        None => (place, if encrypted { MQTTS_PORT } else { MQTT_PORT }),
    };
    if host.is_empty() || host.contains('/') {
        return Err(wrong());
    }
    let password = match &args.mqtt_password_file {
        Some(path) => files::private_line(path)?.expose().to_owned(),
        None => String::new(),
    };
    let here = host == "localhost" || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    if !password.is_empty() && tls.is_none() && !here {
        return Err(Error::unusable(format!("the password would reach {host} in the clear"))
            .hint("say mqtts://HOST, and --mqtt-ca FILE"));
    }
    let login = args.mqtt_user.clone().map(|user| (user, Zeroizing::new(password)));
    Ok(mqtt::Options { host: host.to_owned(), port, client_id: format!("touchmark-{name}"), login, tls })
}

fn dialect(args: &Args, name: &str) -> Result<Box<dyn Dialect>> {
    match (&args.sparkplug, &args.mqtt_topic) {
        (Some(place), _) => {
            let (group, node) = place.split_once('/').ok_or_else(|| {
                Error::unusable(format!("--sparkplug {place:?} is not GROUP/NODE"))
                    .hint("as in --sparkplug Plant1/Hall2")
            })?;
            Ok(Box::new(Sparkplug::new(group, node, name)?))
        }
        (None, Some(topic)) => Ok(Box::new(Json::new(topic)?)),
        (None, None) => Ok(Box::new(Json::new(&format!("touchmark/{name}"))?)),
    }
}

fn say(level: Level, way: &str, text: &str) {
    event(level, way, json!({ "message": text }));
}

fn failed(way: &str, result: Result<()>) {
    if let Err(e) = result {
        event(Level::Error, way, json!({ "message": e.message }));
    }
}

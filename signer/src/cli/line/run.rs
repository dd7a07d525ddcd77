//! `touchmark-sign line run`.

use super::adapters::{self, Adapters};
use super::{Io, PassphraseArgs, Which};
use crate::cli::secrets::Secrets;
use crate::error::{Error, Result};
use crate::home::{Home, Line};
use crate::keys::{Passphrase, Unlock};
use crate::line::desk::Desk;
use crate::line::issuer::{Issuer, Parts, Years};
use crate::line::log::{Level, event};
use crate::line::recipe;
use crate::line::service;
use crate::line::stages::Stages;
use crate::line::stop::Stop;
use crate::line::store::Store;
use crate::line::stream;
use crate::line::witness::{Busy, Witness};
use jiff::Timestamp;
use serde_json::json;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use touchmark_formats::capsule::YearKey;

/// Serials that a line reserves at once.
const LEASE: u64 = 1000;

/// Run the line until it is told to stop (SIGTERM, or the end of standard input with --stdin)
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// The name under which it issues: each line that shares a store needs its own
    #[arg(long, value_name = "NAME", default_value = "line", value_parser = super::name)]
    name: String,
    /// Folder of recipes: PRODUCT.toml for each product
    #[arg(long, value_name = "DIR")]
    recipes: Option<PathBuf>,
    /// Serials to reserve at once, which other lines on the same store then do not get; more where they last only seconds
    #[arg(long, value_name = "N", default_value_t = LEASE, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    block: u64,
    #[command(flatten)]
    ways: Ways,
    #[command(flatten)]
    further: adapters::Args,
}

/// How requests come in.
#[derive(clap::Args)]
#[group(id = "way", required = true, multiple = true)]
#[command(next_help_heading = "Ways in")]
struct Ways {
    /// Take requests on standard input, and answer on standard output
    #[arg(long)]
    stdin: bool,
    /// Take requests on this TCP socket, as 127.0.0.1:7070
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = super::address)]
    tcp: Vec<SocketAddr>,
    /// Take requests on this Unix socket
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
}

pub(super) fn run(args: Args, io: &mut Io<'_>) -> Result<()> {
    let (home, line) = args.which.open()?;
    let delegation = Arc::new(line.delegation.signed.clone());
    let recipes = match &args.recipes {
        Some(folder) => recipe::read_all(folder, &delegation)?,
        None => BTreeMap::new(),
    };
    let issuer = issuer(&args, &home, &line, io)?;
    let stop = Stop::default();
    // Listening comes last of what can fail, so that a line that is reached is one that works.
    let listeners = Listeners::open(&args.ways)?;
    let further = Adapters::open(&args.further, &args.name)?;
    let (handle, thread) = service::Line::start(issuer);
    let store = home.store_name();
    let desk = Desk::new(handle.clone(), &args.name, &store, delegation, recipes);
    stop_on_signals(&stop)?;
    started(&args, &desk, &listeners, &further);
    let mut adapters = listeners.start(&desk, &stop);
    adapters.extend(further.start(&desk, &stop));
    let unwritten = Arc::new(Mutex::new(None));
    if args.ways.stdin {
        let only = args.ways.tcp.is_empty() && args.ways.unix.is_none() && !args.further.any();
        serve_stdin(only, &desk, &stop, &unwritten);
    }
    stop.wait();
    event(Level::Info, "stopping", json!({}));
    for adapter in adapters {
        let _ = adapter.join();
    }
    handle.finish();
    let finished = thread.join().unwrap_or_else(|_| Err(Error::unusable("the issuing thread ended")));
    if let Some(path) = &args.ways.unix {
        let _ = std::fs::remove_file(path);
    }
    event(Level::Info, "stopped", json!({"issued": desk.status().issued}));
    finished?;
    unwritten.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
}

fn issuer(args: &Args, home: &Home, line: &Line, io: &mut Io<'_>) -> Result<Issuer> {
    let mut secrets = args.passphrase.clone().strict();
    let key = home.line_key(line, &mut secrets.unlock(io))?;
    let mut store = home.store(true)?;
    let years = years(home, &mut store, &mut secrets, io)?;
    let witness = Witness::open(&io.state(home), &key.public(), &args.name, Busy::Refuse)?;
    Issuer::start(Parts {
        store,
        witness,
        name: args.name.clone(),
        key: Arc::new(key),
        delegation: Arc::new(line.delegation.signed.clone()),
        years,
        lease: args.block,
        stages: Stages::default(),
    })
}

/// The keys of capsules: this year's is made now if there is none, and those of other years are read when a mark needs
/// them. A key that is missing stops only marks with a consignee.
fn years(home: &Home, store: &mut Store, secrets: &mut Secrets, io: &mut Io<'_>) -> Result<Years> {
    let mut known: BTreeMap<i16, YearKey> = BTreeMap::new();
    if home.has_disclosure() {
        let year = crate::init::today(io.now)?.year();
        let key = match home.year_key(year, &mut secrets.unlock(io))? {
            Some(key) => Ok(key),
            None => new_year_key(home, year, year, store, &mut secrets.unlock(io)),
        };
        match key {
            Ok(key) => drop(known.insert(year, key)),
            Err(Error { message, hint, .. }) => {
                event(Level::Warn, "no-year-key", json!({"year": year, "message": message, "hint": hint}));
            }
        }
    }
    let (home, mut kept) = (home.clone(), Kept(secrets.known()));
    Ok(Box::new(move |year| {
        if !known.contains_key(&year) && home.has_disclosure() {
            known.insert(year, year_key(&home, year, &mut kept)?);
        }
        Ok(known.get(&year).map(|key| YearKey::from_bytes(*key.expose())))
    }))
}

/// The key of a year; one that has begun since the line runs, or is to come, gets its key now.
fn year_key(home: &Home, year: i16, unlock: &mut Kept) -> Result<YearKey> {
    if let Some(key) = home.year_key(year, unlock)? {
        return Ok(key);
    }
    let this_year = crate::init::today(Timestamp::now())?.year();
    new_year_key(home, year, this_year, &mut home.store(false)?, unlock)
}

/// Makes the key of a year, and says that there is one more file to be copied.
fn new_year_key(home: &Home, year: i16, now: i16, store: &mut Store, unlock: &mut dyn Unlock) -> Result<YearKey> {
    let key = home.new_year_key(year, now, store, unlock)?;
    let file = [true, false].map(|encrypted| home.year_file(year, encrypted)).into_iter().find(|file| file.exists());
    let file = file.map(|file| file.display().to_string());
    let hint = "copy it as the others: to where its copy is kept, and to every other PC that marks for this maker";
    event(Level::Warn, "year-key-made", json!({"year": year, "file": file, "hint": hint}));
    Ok(key)
}

/// The passphrase that was given at the start.
struct Kept(Option<Passphrase>);

impl Unlock for Kept {
    fn passphrase(&mut self) -> Result<Passphrase> {
        self.0
            .clone()
            .ok_or_else(|| Error::unusable("the passphrase of the disclosure keys was not given at the start"))
    }

    fn pin(&mut self, token: &str) -> Result<Passphrase> {
        Err(Error::unusable(format!("the PIN of the token {token} was not given at the start")))
    }
}

struct Listeners {
    tcp: Vec<TcpListener>,
    #[cfg(unix)]
    unix: Option<std::os::unix::net::UnixListener>,
}

impl Listeners {
    fn open(ways: &Ways) -> Result<Self> {
        let listen = |address: &SocketAddr| {
            if !address.ip().is_loopback() {
                return Err(Error::refused(format!(
                    "{address} is open to the network, and requests carry no password"
                ))
                .hint("listen on 127.0.0.1 and let a tunnel (SSH, stunnel, VPN) end there; or use a Unix socket"));
            }
            stream::listen_tcp(*address)
        };
        Ok(Self {
            tcp: ways.tcp.iter().map(listen).collect::<Result<_>>()?,
            #[cfg(unix)]
            unix: ways.unix.as_deref().map(stream::listen_unix).transpose()?,
        })
    }

    fn start(self, desk: &Desk, stop: &Stop) -> Vec<JoinHandle<()>> {
        let mut threads: Vec<JoinHandle<()>> = Vec::new();
        for listener in self.tcp {
            threads.push(stream::serve_tcp(listener, desk.clone(), stop.clone()));
        }
        #[cfg(unix)]
        threads.extend(self.unix.map(|listener| stream::serve_unix(listener, desk.clone(), stop.clone())));
        threads
    }
}

/// Serves standard input. Its end ends the line, unless there are other ways in; `unwritten` tells of answers that could not
/// be written.
fn serve_stdin(only: bool, desk: &Desk, stop: &Stop, unwritten: &Arc<Mutex<Option<Error>>>) {
    let (desk, stop, unwritten) = (desk.clone(), stop.clone(), Arc::clone(unwritten));
    std::thread::spawn(move || {
        if let Err(e) = stream::serve(std::io::stdin(), std::io::stdout(), &desk, "stdin", &stop) {
            event(Level::Warn, "client-gone", json!({"message": e.message}));
            let way_out = "the marks are on record: the same requests with the same ids give them once more";
            *unwritten.lock().unwrap_or_else(PoisonError::into_inner) = Some(e.hint(way_out));
        }
        if only {
            stop.say();
        }
    });
}

fn stop_on_signals(stop: &Stop) -> Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT]).map_err(|e| Error::io("await", "signals".as_ref(), &e))?;
    let stop = stop.clone();
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            stop.say();
        }
    });
    Ok(())
}

fn started(args: &Args, desk: &Desk, listeners: &Listeners, further: &Adapters) {
    let status = desk.status();
    let tcp: Vec<String> = listeners.tcp.iter().filter_map(|l| l.local_addr().ok()).map(|a| a.to_string()).collect();
    let recipes: Vec<&str> = desk.recipes().collect();
    event(
        Level::Info,
        "started",
        json!({
            "line": status.line, "name": status.name, "key": status.key, "store": status.store, "recipes": recipes,
            "stdin": args.ways.stdin, "tcp": tcp, "unix": args.ways.unix, "further": further.about(),
        }),
    );
}

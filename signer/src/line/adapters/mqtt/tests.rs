//! Against a real broker, with real clients: mosquitto and its tools.

use super::super::tests::Running;
use super::json::Json;
use super::payload::Payload;
use super::sparkplug::Sparkplug;
use super::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader};
use std::ops::Range;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// A broker of this test's own.
struct Broker {
    folder: tempfile::TempDir,
    port: u16,
    process: Child,
}

impl Broker {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Self::serve(folder.path(), port);
        Self { folder, port, process }
    }

    fn serve(folder: &std::path::Path, port: u16) -> Child {
        let file = folder.join("mosquitto.conf");
        let state = format!("persistence true\nautosave_interval 1\npersistence_location {}/\n", folder.display());
        // As root it would give up its rights, and could not write its state.
        let text = format!("user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n{state}");
        std::fs::write(&file, text).unwrap();
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("mosquitto");
        command.arg("-c").arg(&file).env("PATH", path).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("these tests need a broker: `apt-get install mosquitto mosquitto-clients`");
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the broker does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    /// Ends the broker, which first writes down what it has.
    fn stop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
        assert!(told.success());
        self.process.wait().unwrap();
    }

    fn start_again(&mut self) {
        self.process = Self::serve(self.folder.path(), self.port);
    }

    fn publish(&self, topic: &str, args: &[&str]) {
        let port = self.port.to_string();
        let mut command = Command::new("mosquitto_pub");
        command.args(["-h", "127.0.0.1", "-p", &port, "-t", topic]).args(args);
        assert!(command.status().unwrap().success());
    }

    /// Publishes bytes, as a host of Sparkplug does.
    fn publish_bytes(&self, topic: &str, bytes: &[u8]) {
        let file = self.folder.path().join("message");
        std::fs::write(&file, bytes).unwrap();
        self.publish(topic, &["-f", file.to_str().unwrap()]);
    }

    /// What comes in on a topic, from what is retained there on.
    fn listen(&self, topic: &str) -> Listener {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let ready = format!("ready/{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let port = self.port.to_string();
        let mut command = Command::new("mosquitto_sub");
        // Topic and payload, which is told in hexadecimal: it may be binary.
        command.args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-F", "%t %x", "-t", topic, "-t", &ready]);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let mut listener = Listener { process, lines, early: VecDeque::new() };
        // Retained, so that it comes whichever of the two is there first.
        self.publish(&ready, &["-r", "-m", "1"]);
        let mut early = VecDeque::new();
        loop {
            let message = listener.next();
            if message.0 == ready {
                break;
            }
            early.push_back(message);
        }
        listener.early = early;
        listener
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Listener {
    process: Child,
    lines: BufReader<ChildStdout>,
    early: VecDeque<(String, Vec<u8>)>,
}

impl Listener {
    fn next(&mut self) -> (String, Vec<u8>) {
        if let Some(message) = self.early.pop_front() {
            return message;
        }
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let (topic, hex) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        (topic.to_owned(), hex.as_bytes().chunks(2).map(byte).collect())
    }

    fn json(&mut self) -> Value {
        let (topic, payload) = self.next();
        serde_json::from_slice(&payload).unwrap_or_else(|e| panic!("{topic}: {e}"))
    }

    /// The next Sparkplug message: kind and payload.
    fn sparkplug(&mut self) -> (String, Payload) {
        let (topic, payload) = self.next();
        (topic.split('/').nth(2).unwrap().to_owned(), Payload::read(&payload).unwrap())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A line that is connected to a broker.
struct Connected {
    stop: Stop,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Connected {
    fn start(broker: &Broker, running: &Running, dialect: Box<dyn Dialect>) -> Self {
        let options = Options {
            host: "127.0.0.1".to_owned(),
            port: broker.port,
            client_id: "line".to_owned(),
            login: None,
            tls: None,
        };
        let (desk, stop) = (running.desk.clone(), Stop::default());
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || run(&options, dialect, &desk, &stop, &|_, _| ()).unwrap()
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.stop.say();
        self.thread.take().unwrap().join().unwrap();
    }
}

fn issue(id: &str) -> String {
    json!({"id": id, "part": "TM-1", "date": "2026-11-23"}).to_string()
}

#[test]
fn json_requests_are_answered_to_their_clients() {
    let (broker, folder) = (Broker::start(), tempfile::tempdir().unwrap());
    let running = Running::start(folder.path(), 1000);
    let mut online = broker.listen("t/online");
    let connected = Connected::start(&broker, &running, Box::new(Json::new("t").unwrap()));
    assert_eq!(online.json(), true);
    let mut answers = broker.listen("t/answer/mes");
    let mut ask = |args: &[&str]| {
        broker.publish("t/request/mes", &[&["-q", "1"], args].concat());
        answers.json()
    };
    let first = ask(&["-m", &issue("a")]);
    assert_eq!((&first["id"], &first["marks"][0]["serial"]), (&json!("a"), &json!(1)));
    assert_eq!(ask(&["-m", &issue("a")])["marks"], first["marks"]);
    let error = |answer: Value| answer["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(error(ask(&["-m", r#"{"part":"TM-1"}"#])), "a request for marks over a broker needs an id");
    assert!(error(ask(&["-m", "{"])).starts_with("not a request: "));
    assert_eq!(ask(&["-m", r#"{"do":"void","serial":1,"reason":"smeared"}"#])["state"], "void");
    // Ids are of a client: another one's is another request.
    let mut others = broker.listen("t/answer/other");
    broker.publish("t/request/other", &["-q", "1", "-m", &issue("a")]);
    assert_eq!(others.json()["marks"][0]["serial"], 2);
    let mut deep = broker.listen("t/answer/hall/mes");
    broker.publish("t/request/hall/mes", &["-q", "1", "-m", &issue("a")]);
    assert_eq!(deep.json()["marks"][0]["serial"], 3);
    let mut status = broker.listen("t/status");
    let now = std::iter::from_fn(|| Some(status.json())).find(|now| now["issued"] == 3).unwrap();
    assert_eq!((&now["line"], now["reserved"].as_u64().unwrap() > 0), (&json!("L"), true));
    drop(connected);
    assert_eq!(online.json(), false);
    // What stays with the broker is how the line is without this process.
    let mut status = broker.listen("t/status");
    let left = status.json();
    assert_eq!((&left["issued"], &left["reserved"]), (&json!(3), &json!(0)));
}

#[test]
fn a_message_that_is_too_large_is_not_handed_over_for_ever() {
    let (broker, folder) = (Broker::start(), tempfile::tempdir().unwrap());
    let running = Running::start(folder.path(), 1000);
    let mut answers = broker.listen("t/answer/mes");
    let _connected = Connected::start(&broker, &running, Box::new(Json::new("t").unwrap()));
    let mut online = broker.listen("t/online");
    while online.json() != true {}
    let file = folder.path().join("large");
    std::fs::write(&file, vec![b' '; MAX_MESSAGE + 100_000]).unwrap();
    broker.publish("t/request/mes", &["-q", "1", "-f", file.to_str().unwrap()]);
    broker.publish("t/request/mes", &["-q", "1", "-m", &issue("a")]);
    while answers.json()["id"] != "a" {}
}

#[test]
fn commands_that_are_none_are_answered_with_why() {
    use payload::{Metric, Value as Number};
    let sparkplug = Sparkplug::new("G", "N", "D").unwrap();
    let read = |bytes: &[u8], retained| sparkplug.read("spBv1.0/G/DCMD/N/D", bytes, retained);
    let command = |metrics: Vec<Metric>| Payload::bytes(metrics, 1, None);
    let wrong = |read: Read| match read {
        Read::Wrong(_, _, e) => e.message,
        other => panic!("{other:?}"),
    };
    assert_eq!(wrong(read(b"no payload", false)), "the command is no payload of Sparkplug B");
    let fan = command(vec![Metric::yes("Fan", true)]);
    assert_eq!(wrong(read(&fan, false)), "the command has no metric `Request`, nor one of its fields");
    assert_eq!(wrong(read(&fan, true)), "a retained command would come back with every connection");
    assert!(matches!(sparkplug.read("spBv1.0/G/NCMD/N", b"no payload", false), Read::Ignored(_)));
    for grade in [Number::Double(3.4), Number::Float(3.4), Number::String("3.4".to_owned())] {
        let grade = Metric { name: Some("Request/grade".to_owned()), value: Some(grade), ..Metric::default() };
        let does = [("do", "verify")].map(|(name, value)| Metric::text(&format!("Request/{name}"), value));
        let fields = [does.to_vec(), vec![Metric::count("Request/serial", 7), grade]].concat();
        let Read::Request(_, request) = read(&command(fields), false) else { panic!("no request") };
        assert_eq!(request.grade.unwrap().to_string(), "3.4");
    }
}

#[test]
fn a_retained_request_is_refused() {
    let (broker, folder) = (Broker::start(), tempfile::tempdir().unwrap());
    let running = Running::start(folder.path(), 1000);
    let mut answers = broker.listen("t/answer/mes");
    broker.publish("t/request/mes", &["-r", "-q", "1", "-m", &issue("a")]);
    let _connected = Connected::start(&broker, &running, Box::new(Json::new("t").unwrap()));
    let message = "a retained request would come back with every connection";
    assert_eq!(answers.json()["error"]["message"], message);
    assert_eq!(running.desk.status().issued, 0);
}

#[test]
fn neither_a_broker_that_goes_nor_a_line_that_goes_costs_a_serial() {
    let (mut broker, folder) = (Broker::start(), tempfile::tempdir().unwrap());
    let mut running = Running::start(folder.path(), 1000);
    let mut serials: BTreeMap<String, u64> = BTreeMap::new();
    // Reads answers until every id has one: an answer may come twice, and is the same then.
    let mut collect = |answers: &mut Listener, ids: Range<usize>, round: usize| {
        let mut missing: BTreeSet<String> = ids.map(|n| format!("{round}-{n}")).collect();
        while !missing.is_empty() {
            let answer = answers.json();
            let (id, serial) = (answer["id"].as_str().unwrap(), answer["marks"][0]["serial"].as_u64().unwrap());
            assert_eq!(*serials.entry(id.to_owned()).or_insert(serial), serial, "{id}");
            missing.remove(id);
        }
    };
    let ask = |broker: &Broker, ids: Range<usize>, round: usize| {
        ids.for_each(|n| broker.publish("t/request/mes", &["-q", "1", "-m", &issue(&format!("{round}-{n}"))]));
    };
    for round in 0..3 {
        let mut connected = Some(Connected::start(&broker, &running, Box::new(Json::new("t").unwrap())));
        let mut online = broker.listen("t/online");
        while online.json() != true {}
        let mut answers = broker.listen("t/answer/mes");
        ask(&broker, 0..20, round);
        match round {
            // The line goes; what was asked meanwhile, the broker keeps.
            0 => {
                drop(connected.take());
                ask(&broker, 20..30, round);
                drop(running);
                running = Running::start(folder.path(), 1000);
                connected = Some(Connected::start(&broker, &running, Box::new(Json::new("t").unwrap())));
                collect(&mut answers, 0..30, round);
            }
            // The broker goes, with the answers that were on their way; the client asks again.
            1 => {
                broker.stop();
                broker.start_again();
                let mut answers = broker.listen("t/answer/mes");
                ask(&broker, 0..20, round);
                collect(&mut answers, 0..20, round);
            }
            _ => collect(&mut answers, 0..20, round),
        }
        drop(connected);
    }
    assert_eq!(serials.len(), 70);
    let mut used: Vec<u64> = serials.into_values().collect();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used.len(), 70, "each request has a serial of its own");
    drop(running);
    let running = Running::start(folder.path(), 1000);
    let until = Instant::now() + Duration::from_secs(20);
    while running.desk.status().issued != 70 {
        assert!(Instant::now() < until, "{:?}", running.desk.status());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn metric<'a>(payload: &'a Payload, name: &str) -> &'a payload::Value {
    let found = payload.metrics.iter().find(|m| m.name.as_deref() == Some(name));
    found.and_then(|m| m.value.as_ref()).unwrap_or_else(|| panic!("no {name} in {payload:?}"))
}

/// What pysparkplug 0.6.1 makes of a command with `Request/part` TM-1, `Request/count` 2, `Request/serial` 7 (32 bits).
const COMMAND: &str = "0881d8c1a28c34121d0a0c526571756573742f706172741880d8c1a28c34200c7a04544d2d31121a0a0d526571756573742\
                       f636f756e741880d8c1a28c3420085802121b0a0e526571756573742f73657269616c1880d8c1a28c3420075007";
/// And of a birth with `bdSeq` 3.
const BIRTH: &str = "0881d8c1a28c3412120a0562645365711881d8c1a28c342004580312210a144e6f646520436f6e74726f6c2f52656269727468\
                     1881d8c1a28c34200b70001800";

fn bytes_of(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 16).unwrap()).collect()
}

#[test]
fn payloads_are_those_of_another_implementation() {
    use payload::Metric;
    let birth = vec![Metric::int64("bdSeq", 3), Metric::yes("Node Control/Rebirth", false)];
    assert_eq!(Payload::bytes(birth, 1_790_000_000_001, Some(0)), bytes_of(BIRTH));
    let read = Payload::read(&bytes_of(COMMAND)).unwrap();
    assert_eq!(metric(&read, "Request/part"), &payload::Value::String("TM-1".to_owned()));
    assert_eq!(metric(&read, "Request/count"), &payload::Value::Long(2));
    assert_eq!(metric(&read, "Request/serial"), &payload::Value::Int(7));
    assert_eq!(Payload::read(b"no payload"), None);
}

#[test]
fn a_sparkplug_host_sees_births_data_and_death() {
    use payload::{Metric, Value as Number};
    let (broker, folder) = (Broker::start(), tempfile::tempdir().unwrap());
    let running = Running::start(folder.path(), 1000);
    let mut host = broker.listen("spBv1.0/G/#");
    let connected = Connected::start(&broker, &running, Box::new(Sparkplug::new("G", "N", "D").unwrap()));
    let (kind, birth) = host.sparkplug();
    assert_eq!((kind.as_str(), birth.seq, metric(&birth, "bdSeq")), ("NBIRTH", Some(0), &Number::Long(0)));
    let (kind, device) = host.sparkplug();
    assert_eq!((kind.as_str(), device.seq), ("DBIRTH", Some(1)));
    assert!(device.metrics.iter().all(|m| m.datatype.is_some() && m.timestamp.is_some()));

    // A command as fields, and the same once more as a text: the same marks.
    let fields = [("id", "a"), ("part", "TM-1"), ("date", "2026-11-23")];
    let fields = fields.map(|(name, value)| Metric::text(&format!("Request/{name}"), value)).to_vec();
    let commands =
        [Payload::bytes(fields, 1, None), Payload::bytes(vec![Metric::text("Request", issue("a"))], 1, None)];
    let mut marks = Vec::new();
    for command in commands {
        broker.publish_bytes("spBv1.0/G/DCMD/N/D", &command);
        let answer = loop {
            let (kind, data) = host.sparkplug();
            if kind == "DDATA" && data.metrics.iter().any(|m| m.name.as_deref() == Some("Answer")) {
                break data;
            }
        };
        assert_eq!(metric(&answer, "Answer/id"), &Number::String("a".to_owned()));
        let Number::String(text) = metric(&answer, "Answer") else { panic!("{answer:?}") };
        marks.push(serde_json::from_str::<Value>(text).unwrap()["marks"].clone());
    }
    assert_eq!((&marks[0], &marks[0][0]["serial"]), (&marks[1], &json!(1)));

    broker.publish_bytes("spBv1.0/G/NCMD/N", &Payload::bytes(vec![Metric::yes("Node Control/Rebirth", true)], 1, None));
    let again = loop {
        let (kind, payload) = host.sparkplug();
        if kind == "NBIRTH" {
            break payload;
        }
    };
    assert_eq!((again.seq, metric(&again, "bdSeq")), (Some(0), &Number::Long(0)));
    drop(connected);
    let death = loop {
        let (kind, payload) = host.sparkplug();
        if kind == "NDEATH" {
            break payload;
        }
    };
    assert_eq!((death.seq, metric(&death, "bdSeq")), (None, &Number::Long(0)));
}

#[test]
fn a_client_is_named_by_its_topic_in_so_many_bytes() {
    let dialect = Json::new("t").unwrap();
    let read = |client: &str, text: &str| dialect.read(&format!("t/request{client}"), text.as_bytes(), false);
    for client in ["", "/", &format!("/{}", "x".repeat(129)), "/a\tb"] {
        assert!(matches!(read(client, &issue("a")), Read::Ignored(_)), "{client:?}");
    }
    assert!(matches!(read("/mes", &issue("a")), Read::Request(client, _) if client == "mes"));
    assert!(matches!(read("/mes", r#"{"id":"a","client":"mes","part":"P"}"#), Read::Request(..)));
    assert!(matches!(read("/mes", r#"{"id":"a","client":"other","part":"P"}"#), Read::Wrong(..)));
}

#[test]
fn names_that_mean_something_to_a_broker_are_refused() {
    for name in ["", "a/b", "+", "#"] {
        assert!(Sparkplug::new("G", "N", name).is_err(), "{name}");
        assert!(Json::new(&format!("t//{name}")).is_err(), "{name}");
    }
}

//! The line behind a real broker, mosquitto, as its clients see it: killed in the middle, and over TLS.

use super::certificates;
use super::kit::{Place, finished};
use super::line::Running;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use touchmark_signer::line::protocol::Answer;

const ANSWERS: &str = "touchmark/line/answer/mes";
const REQUESTS: &str = "touchmark/line/request/mes";

/// A broker of this test's own.
struct Broker {
    port: u16,
    /// What its clients say to be sure of it.
    authority: Option<String>,
    process: Child,
}

impl Broker {
    /// Starts it; with TLS where `place` has certificates.
    fn start(place: &Place) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = |name: &str| place.path(name).display().to_string();
        let encrypted = place.path("server.pem").exists();
        let tls = format!("certfile {}\nkeyfile {}\n", file("server.pem"), file("server.key"));
        let tls = if encrypted { tls } else { String::new() };
        // As root it would give up its rights, and could not read its key.
        place.write("broker", &format!("user root\nlistener {port} 127.0.0.1\n{tls}allow_anonymous true\n"));
        let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new("mosquitto");
        command.args(["-c", &file("broker")]).env("PATH", path).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().unwrap();
        let until = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < until, "the broker does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { port, authority: encrypted.then(|| file("ca.pem")), process }
    }

    /// One of mosquitto's clients.
    fn client(&self, program: &str, topic: &str) -> Command {
        let mut command = Command::new(program);
        command.args(["-h", "localhost", "-p", &self.port.to_string(), "-q", "1", "-t", topic]);
        command.args(self.authority.iter().flat_map(|file| ["--cafile", file]));
        command
    }

    /// Publishes each line as a message.
    fn publish(&self, topic: &str, lines: &str) {
        let mut publisher = self.client("mosquitto_pub", topic).arg("-l").stdin(Stdio::piped()).spawn().unwrap();
        publisher.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert!(publisher.wait().unwrap().success());
    }

    /// What comes in on the topic of answers.
    fn answers(&self) -> Answers {
        let mut command = self.client("mosquitto_sub", ANSWERS);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok).filter(|line| !line.is_empty()) {
                let _ = sender.send(line);
            }
        });
        let answers = Answers { process, receiver };
        // It listens once it hears what is said to it alone.
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            self.publish(ANSWERS, "ready\n");
            if answers.line(Duration::from_millis(200)).is_some() {
                return answers;
            }
            assert!(Instant::now() < until);
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Answers {
    process: Child,
    receiver: Receiver<String>,
}

impl Answers {
    fn line(&self, patience: Duration) -> Option<String> {
        self.receiver.recv_timeout(patience).ok()
    }

    fn next(&self, patience: Duration) -> Option<Answer> {
        loop {
            let line = self.line(patience)?;
            if line != "ready" {
                return Some(serde_json::from_str(&line).unwrap());
            }
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn request(id: u64) -> String {
    format!("{{\"id\":\"{id}\",\"part\":\"P\",\"count\":{}}}\n", id % 7 + 1)
}

#[test]
fn killed_behind_a_broker_it_issues_no_serial_twice_and_loses_none() {
    const REQUESTED: u64 = 120;
    let place = Place::with_home();
    let broker = Broker::start(&place);
    let answers = broker.answers();
    let mut log: BTreeMap<u64, Vec<(u64, String)>> = BTreeMap::new();
    let mut keep = |answer: Answer| {
        let marks: Vec<_> = answer.marks.into_iter().map(|m| (m.serial, m.text.unwrap())).collect();
        let id: u64 = answer.id.unwrap().parse().unwrap();
        assert_eq!(marks.len() as u64, id % 7 + 1, "{:?}", answer.error);
        assert_eq!(log.entry(id).or_insert_with(|| marks.clone()), &marks, "asked again, the same");
        log.len() as u64
    };
    let start = || Running::start(&place, &format!("--mqtt 127.0.0.1:{}", broker.port));
    for round in 0..6 {
        let line = start();
        // The client has no answer to what it asked before, and asks again, with the same ids.
        let first = REQUESTED / 6 * round;
        broker.publish(REQUESTS, &(first.saturating_sub(10)..first + 20).map(request).collect::<String>());
        for _ in 0..=round * 3 {
            keep(answers.next(Duration::from_secs(60)).unwrap());
        }
        line.kill();
    }
    let line = start();
    broker.publish(REQUESTS, &(0..REQUESTED).map(request).collect::<String>());
    while keep(answers.next(Duration::from_secs(60)).unwrap()) < REQUESTED {}
    drop(line.stop());
    let mut seen = BTreeSet::new();
    assert!(log.values().flatten().all(|(serial, _)| seen.insert(*serial)), "a serial twice");
    let report = place.run("line verify-journal --home h").done().out;
    let start = format!("every serial is accounted for: {} issued ", seen.len());
    assert!(report.starts_with(&start), "{report}: nothing is on record that was not answered");
}

#[test]
fn a_broker_shows_its_certificate_and_that_is_checked() {
    let place = Place::with_home();
    certificates::make(&place.path("."));
    let broker = Broker::start(&place);
    let answers = broker.answers();
    let url = format!("--mqtt mqtts://localhost:{}", broker.port);
    let line = Running::start(&place, &format!("{url} --mqtt-ca ca.pem"));
    broker.publish(REQUESTS, &request(3));
    assert_eq!(answers.next(Duration::from_secs(60)).unwrap().marks.len(), 4);
    drop(line.stop());
    // An impostor's certificate: nothing is said to it, and the log tells why.
    let line = Running::start(&place, &format!("{url} --mqtt-ca other.pem"));
    broker.publish(REQUESTS, &request(4));
    assert!(answers.next(Duration::from_secs(2)).is_none());
    let log = line.stop();
    assert!(log.contains("UnknownIssuer"), "{log}");
    finished(&mut place.command(&format!("line run --home h {url}"))).says(
        2,
        "error: mqtts:// needs the certificate of the authority that signed the broker's\nhint: --mqtt-ca FILE names it, in PEM",
    );
}

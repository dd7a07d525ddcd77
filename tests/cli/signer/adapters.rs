//! The line's further ways in, as the binary has them: killed in the middle, told to stop, and watched.

use super::kit::{Place, finished, masked};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A line that runs, and what it said when it was ready.
struct Line {
    child: Child,
    started: serde_json::Value,
    _log: BufReader<std::process::ChildStderr>,
}

impl Line {
    fn start(place: &Place, options: &str) -> Self {
        let mut command = place.command(&format!("line run --home h {options}"));
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let started = serde_json::from_str(&line).unwrap();
        Self { child, started, _log: log }
    }

    /// Ends it as a power cut does.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as systemd does.
    fn stop(mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // A test that failed leaves no line behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The serials of an answer, each with its row's part.
fn marks(text: &str) -> Vec<(u64, String)> {
    let mut table = csv::Reader::from_reader(text.as_bytes());
    table.records().map(|row| row.unwrap()).map(|row| (row[4].parse().unwrap(), row[1].to_owned())).collect()
}

#[test]
fn a_hot_folder_that_is_killed_in_the_middle_answers_every_order_once() {
    const ORDERS: usize = 40;
    let place = Place::with_home();
    std::fs::create_dir_all(place.path("hot/in")).unwrap();
    let options = "--hot-folder hot --settle 0";
    // What was fetched from `out`, as a laser's controller does: an answer that came twice would be seen.
    let mut fetched: BTreeMap<String, String> = BTreeMap::new();
    let mut fetch = |place: &Place| {
        for name in place.names("hot/out").into_iter().filter(|name| name.ends_with(".csv")) {
            let text = place.read(&format!("hot/out/{name}"));
            std::fs::remove_file(place.path(&format!("hot/out/{name}"))).unwrap();
            assert!(fetched.insert(name.clone(), text).is_none(), "{name} was answered twice");
        }
        fetched.len()
    };
    for n in 0..ORDERS {
        place.write(&format!("hot/{n}.tmp"), &format!("part,count,as\nP{n},20,svg\nQ{n},30,\n"));
        std::fs::rename(place.path(&format!("hot/{n}.tmp")), place.path(&format!("hot/in/{n}.csv"))).unwrap();
    }
    let mut kills = 0;
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        let line = Line::start(&place, options);
        // From the first step of the first order to several orders later.
        std::thread::sleep(Duration::from_millis(7 * kills));
        if kills >= 20 && fetch(&place) < ORDERS {
            while fetch(&place) < ORDERS {
                assert!(Instant::now() < until, "{:?}", place.names("hot/work"));
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        if fetch(&place) == ORDERS {
            line.stop();
            break;
        }
        line.kill();
        kills += 1;
    }
    assert!(kills >= 5, "{kills} kills are too few to say anything");
    let mut all: Vec<u64> = Vec::new();
    for (name, text) in &fetched {
        let marks = marks(text);
        let n = name.strip_suffix(".csv").unwrap();
        let of = |part: String| marks.iter().filter(|(_, p)| *p == part).count();
        assert_eq!((marks.len(), of(format!("P{n}")), of(format!("Q{n}"))), (50, 20, 30), "{name}");
        all.extend(marks.iter().map(|(serial, _)| serial));
    }
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), ORDERS * 50, "no serial twice");
    assert_eq!(place.names("hot/work"), [".lock"]);
    assert_eq!((place.names("hot/rejected").len(), place.names("hot/done").len()), (0, ORDERS));
    let report = place.run("line verify-journal --home h").done().out;
    assert!(report.starts_with(&format!("every serial is accounted for: {} issued ", ORDERS * 50)), "{report}");
}

#[test]
fn the_live_view_prints_a_look_for_scripts() {
    let place = Place::with_home();
    let line = Line::start(&place, "--tcp 127.0.0.1:0");
    let socket = line.started["tcp"][0].as_str().unwrap().to_owned();
    let look = place.run(&format!("line top --connect {socket} --once")).done().out;
    let lines: Vec<String> = masked(&look).lines().map(str::to_owned).collect();
    assert_eq!(
        lines,
        [
            "line       line 1, running as \"line\" since TIME",
            "seen       TIME",
            &lines[2],
            "store      h/serials.db answers since TIME",
            "rate       0.0 marks/s  ▁",
            "serials    9007199254740992 left, 0 of them reserved",
            &lines[6],
            "marks      0 issued, 0 verified, 0 void, 0 lost, 0 closed",
            "requests   2, 0 refused, 0 failed",
        ]
    );
    assert!(lines[2].starts_with("key ") && lines[2].ends_with(" signs since TIME"), "{}", lines[2]);
    assert!(lines[6].starts_with("delegation DATE to DATE: "), "{}", lines[6]);
    place
        .run(&format!("line top --connect {socket}"))
        .says(2, "error: there is no terminal to watch the line on\nhint: for scripts there is --once");
    line.stop();
    place.run(&format!("line top --connect {socket} --once")).says(
        2,
        &format!("error: cannot ask the line at {socket}: connection refused\nhint: is it running? `line run` says where it listens"),
    );
}

#[test]
fn http_is_answered_by_the_binary_and_told_where() {
    let place = Place::with_home();
    let line = Line::start(&place, "--http 127.0.0.1:0");
    let address = line.started["further"]["http"].as_str().unwrap().to_owned();
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "--json", r#"{"part":"P","count":3}"#, &format!("http://{address}/marks")]);
    let answer: serde_json::Value = serde_json::from_str(&finished(&mut curl).done().out).unwrap();
    assert_eq!(answer["marks"][2]["serial"], 3);
    line.stop();
}

#[test]
fn ways_in_that_cannot_be_opened_say_why_and_what_to_do() {
    let place = Place::with_home();
    let run = |options: &str| place.run(&format!("line run --home h {options}"));
    run("--http 0.0.0.0:0").says(
        1,
        "error: 0.0.0.0:0 can be reached from other machines, and there is no token\n\
         hint: give --http-token-file F, or listen on 127.0.0.1",
    );
    place.write("open", "0123456789abcdef\n");
    run("--http 0.0.0.0:0 --http-token-file open")
        .says(1, "error: open: others can read this secret\nhint: `chmod 600 open` lets only its owner");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for way in ["tcp", "http"] {
        run(&format!("--{way} {address}")).says(
            2,
            &format!(
                "error: cannot listen on {address}: address already in use\nhint: another program listens there, perhaps a line \
                 that runs already (`ss -ltnp` shows it): take another port"
            ),
        );
    }
    place.write("file", "text");
    run("--unix file").says(2, "error: file: it is there already, and is no socket\nhint: name another path");
    assert_eq!(place.read("file"), "text");
    #[cfg(unix)]
    {
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o640);
        std::fs::set_permissions(place.path("h/keys/line-1.pem"), open).unwrap();
        run("--stdin").says(
            1,
            "error: h/keys/line-1.pem: others can read this secret\nhint: `chmod 600 h/keys/line-1.pem` lets only its owner",
        );
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(place.path("h/keys/line-1.pem"), private).unwrap();
    }
    run("--mqtt mqtt://broker/x").says(
        2,
        "error: --mqtt \"mqtt://broker/x\" is not HOST or HOST:PORT\n\
         hint: as in --mqtt broker.example, or --mqtt mqtts://broker.example:8883 --mqtt-ca FILE",
    );
    run("--mqtt broker --mqtt-ca ca.pem")
        .says(2, "error: --mqtt-ca is for TLS, and the broker is named without it\nhint: say mqtts://HOST");
    run("--mqtt broker --sparkplug Plant")
        .says(2, "error: --sparkplug \"Plant\" is not GROUP/NODE\nhint: as in --sparkplug Plant1/Hall2");
    run("--mqtt broker --mqtt-topic a/+").says(
        2,
        "error: \"+\" cannot be in a topic\n\
         hint: take letters, digits and `-`; `/`, `+` and `#` have a meaning of their own",
    );
    let line = Line::start(&place, "--hot-folder hot");
    let second = place.run("line run --home h --name other --hot-folder hot");
    second.says(2, "error: hot: another process serves this hot folder\nhint: give every line a hot folder of its own");
    line.stop();
}

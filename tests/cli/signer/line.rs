//! The line as its users run it: requests in, marks out, on every way in.

use super::kit::{Place, assert_authentic, finished};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use touchmark_formats::base45;
use touchmark_formats::mark::SignedMark;
use touchmark_signer::line::protocol::Answer;

/// A line that runs, with what it has to say.
pub(super) struct Running {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
    /// Where it listens.
    pub(super) tcp: String,
}

impl Running {
    /// Starts `line run` with a TCP socket and the options given.
    pub(super) fn start(place: &Place, options: &str) -> Self {
        Self::spawn(place.command(&format!("line run --home h --tcp 127.0.0.1:0 {options}")))
    }

    /// Starts it by a command that has a TCP socket.
    pub(super) fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        // What it warns of comes before.
        let started = loop {
            let mut line = String::new();
            log.read_line(&mut line).unwrap();
            let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            assert!(event["event"].is_string(), "{line}");
            if event["event"] == "started" {
                break event;
            }
        };
        Self { child, log, tcp: started["tcp"][0].as_str().unwrap().to_owned() }
    }

    pub(super) fn connect(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(&self.tcp).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Client { reader: BufReader::new(stream.try_clone().unwrap()), stream }
    }

    /// Ends it as systemd does, and returns the rest of its log.
    pub(super) fn stop(mut self) -> String {
        let ran = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(ran.success());
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        assert!(self.child.wait().unwrap().success(), "{log}");
        log
    }

    /// Ends it as a power cut does.
    pub(super) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves no line behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) struct Client<S> {
    stream: S,
    reader: BufReader<S>,
}

impl<S: Read + Write> Client<S> {
    pub(super) fn send(&mut self, request: &str) {
        self.stream.write_all(format!("{request}\n").as_bytes()).unwrap();
    }

    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line
    }

    #[track_caller]
    pub(super) fn ask(&mut self, request: &str) -> Answer {
        self.send(request);
        let line = self.line();
        let answer = serde_json::from_str(&line);
        assert!(answer.is_ok(), "{line:?}: {answer:?}");
        answer.unwrap()
    }
}

fn serials(answer: &Answer) -> Vec<u64> {
    answer.marks.iter().map(|mark| mark.serial).collect()
}

#[track_caller]
fn error(answer: &Answer) -> (&str, &str) {
    let failure = answer.error.as_ref().unwrap();
    (&failure.kind, &failure.message)
}

#[test]
fn standard_input_is_answered_in_order_and_its_end_is_the_end() {
    let place = Place::with_home();
    let requests = "{\"id\":\"a\",\"part\":\"P\",\"lot\":\"L\",\"count\":3}\n\n{\"part\":\"Q\"}\nM;b;;P\nnonsense\n{\"id\":\"a\",\"part\":\"P\",\"lot\":\"L\",\"count\":3}\n{\"do\":\"find\",\"serial\":4}\n";
    let ran = place.run_with("line run --home h --stdin", requests).done();
    let lines: Vec<&str> = ran.out.lines().collect();
    let answer = |n: usize| serde_json::from_str::<Answer>(lines[n]).unwrap();
    assert_eq!(serials(&answer(0)), [1, 2, 3]);
    assert_eq!(answer(0).marks, answer(4).marks, "asked again, with the same id");
    assert_eq!(serials(&answer(1)), [4]);
    assert!(lines[2].starts_with("OK;b;5;"), "{}", lines[2]);
    assert!(lines[3].starts_with("ERR;;unusable;not a request"), "{}", lines[3]);
    assert_eq!(answer(5).found.unwrap().part.to_string(), "Q");
    for mark in answer(0).marks {
        let bytes = base45::decode(&mark.text.unwrap()).unwrap();
        assert_authentic(&SignedMark::from_bytes(&bytes).unwrap(), &place.path("h/trust.json"));
    }
    let report = place.run("line verify-journal --home h").done().out;
    assert_eq!(
        report,
        "every serial is accounted for: 5 issued (0 verified, 0 void), 0 reserved, 0 lost, 0 closed; every signature good\n"
    );
}

#[test]
fn the_line_and_the_mark_command_share_no_serial() {
    let place = Place::with_home();
    let mark = "mark --home h --part P --format text --out -";
    let by_hand = |place: &Place| place.run(mark).done().marks()[0].mark.serial.get();
    assert_eq!(by_hand(&place), 1);
    let line = Running::start(&place, "");
    let mut client = line.connect();
    assert_eq!(serials(&client.ask("{\"part\":\"P\",\"count\":2}")), [2, 3]);
    let while_running = by_hand(&place);
    assert!(while_running > 3, "{while_running}");
    assert_eq!(serials(&client.ask("{\"part\":\"P\"}")), [4]);
    place.run(&format!("{mark} --serial 500")).says(
        1,
        "error: serials 500 to 500 are reserved for a line that is running, or closed, or lost in a restore\nhint: take an unused serial by \
         leaving --serial out, or stop the line, which gives back what it did not use",
    );
    drop(client);
    let log = line.stop();
    assert!(log.contains("\"event\":\"stopped\""), "{log}");
    assert_eq!(place.run(&format!("{mark} --serial 500")).done().marks().len(), 1);
    place.run("line verify-journal --home h").done();
}

#[test]
fn what_the_camera_says_is_kept_and_a_bad_mark_is_replaced() {
    let place = Place::with_home();
    let line = Running::start(&place, "");
    let mut client = line.connect();
    let marks = client.ask("{\"part\":\"P\",\"lot\":\"L\",\"count\":3}").marks;
    let text = |n: usize| marks[n].text.clone().unwrap();
    let read =
        |serial: u64, text: &str| format!("{{\"do\":\"read\",\"serial\":{serial},\"text\":\"{text}\",\"grade\":3.5}}");
    assert_eq!(client.ask(&read(1, &text(0))).state.as_deref(), Some("verified"));
    let wrong = client.ask(&read(2, &text(0)));
    assert_eq!((wrong.state.as_deref(), wrong.marks.len()), (Some("void"), 0));
    let replaced = client.ask("{\"do\":\"read\",\"id\":\"r\",\"serial\":3,\"part\":\"P\",\"lot\":\"L\"}");
    assert_eq!((replaced.state.as_deref(), serials(&replaced)), (Some("void"), vec![4]));
    let again = client.ask("{\"do\":\"read\",\"id\":\"r\",\"serial\":3,\"part\":\"P\",\"lot\":\"L\"}");
    assert_eq!(again, replaced, "a lost answer is asked for again");
    let found = client.ask("{\"do\":\"find\",\"serial\":3}");
    assert_eq!(found.found.unwrap().reason.as_deref(), Some("not read back"));
    let missing = client.ask("{\"do\":\"verify\",\"serial\":77}");
    assert_eq!(error(&missing), ("refused", "serial 77 was not issued"));
    let status = client.ask("{\"do\":\"status\"}").status.unwrap();
    assert_eq!((status.requests, status.refused, status.failed), (8, 1, 0));
    assert_eq!(status.errors[0].message, "serial 77 was not issued");
    drop(client);
    line.stop();
    let found = place.run("line find --home h 1").done().out;
    assert!(found.contains("\nverified   ") && found.contains("\ngrade      3.5\n"), "{found}");
    let report = place.run("line status --home h").done().out;
    assert!(report.contains("\nissued     4\nverified   1\nvoid       2\n"), "{report}");
}

#[test]
fn recipes_draw_and_bind_requests() {
    let place = Place::with_home();
    std::fs::create_dir(place.path("recipes")).unwrap();
    place.write("recipes/chip.toml", "part = \"P\"\nlot = \"required\"\nconsignee = \"never\"\nanswer = \"svg\"\n");
    place.write(
        "recipes/label.toml",
        "answer = \"zpl\"\n[symbol]\nkind = \"qr\"\n[drawing]\npolarity = \"dark\"\nmodule_mm = 0.2\n",
    );
    let line = Running::start(&place, "--recipes recipes");
    let mut client = line.connect();
    let chip = client.ask("{\"recipe\":\"chip\",\"lot\":\"L\"}");
    assert!(chip.marks[0].artwork.as_ref().unwrap().starts_with("<svg"), "{chip:?}");
    let label = client.ask("{\"recipe\":\"label\",\"part\":\"Q\"}");
    assert!(label.marks[0].artwork.as_ref().unwrap().starts_with("^XA"), "{label:?}");
    let matrix = client.ask("{\"recipe\":\"label\",\"part\":\"Q\",\"as\":\"matrix\"}").marks.remove(0).matrix.unwrap();
    assert!(matrix.starts_with("1111111") && matrix.split('/').count() == matrix.find('/').unwrap(), "{matrix}");
    for (request, message) in [
        ("{\"recipe\":\"chip\"}", "the recipe wants a lot, and the request has none"),
        ("{\"recipe\":\"chip\",\"lot\":\"L\",\"part\":\"Q\"}", "the recipe is for part P, and not for Q"),
        (
            "{\"recipe\":\"chip\",\"lot\":\"L\",\"consignee\":5}",
            "the recipe wants no consignee, and the request has one",
        ),
        ("{\"recipe\":\"chop\"}", "there is no recipe \"chop\""),
        ("{\"recipe\":\"label\"}", "the part is missing"),
        (
            "{\"part\":\"P\",\"date\":\"2019-01-01\"}",
            "not a request: date: a date is written YYYY-MM-DD, from 2020-01-01 to 2199-06-06 at line 1 column 32",
        ),
        ("{\"part\":\"P\",\"date\":\"2199-01-01\"}", ""),
        ("{\"part\":\"P\",\"serial\":4}", "serial means nothing in this request: nothing was done"),
        ("{\"do\":\"void\",\"serial\":1,\"reason\":\"r\",\"part\":\"Q\"}", "part means nothing in this request"),
        ("{\"do\":\"void\",\"serial\":1,\"reason\":\"  \"}", "a mark is void for a reason: say reason"),
        ("{\"part\":\"P\",\"count\":0}", "count 0: 1 to 10000 marks can be asked for at once"),
    ] {
        let answer = client.ask(request);
        assert!(error(&answer).1.contains(message), "{request}: {answer:?}");
    }
    drop(client);
    line.kill();
    place.write("recipes/chip.toml", "part = \"P\"\nanswer = \"cvs\"\n");
    let ran = place.run("line run --home h --stdin --recipes recipes");
    assert!(ran.status == Some(2) && ran.err.contains("recipes/chip.toml, line 2: unknown variant `cvs`"), "{ran:?}");
}

#[test]
fn sockets_are_for_this_machine_and_one_line_has_a_name() {
    let place = Place::with_home();
    place.run("line run --home h --tcp 0.0.0.0:0").says(
        1,
        "error: 0.0.0.0:0 is open to the network, and requests carry no password\nhint: listen on 127.0.0.1 and let a tunnel (SSH, \
         stunnel, VPN) end there; or use a Unix socket",
    );
    let line = Running::start(&place, "--unix line.socket");
    let stream = UnixStream::connect(place.path("line.socket")).unwrap();
    let mut client = Client { reader: BufReader::new(stream.try_clone().unwrap()), stream };
    assert_eq!(serials(&client.ask("{\"part\":\"P\"}")), [1]);
    client.send("S;7");
    assert_eq!(client.line().split(';').take(2).collect::<Vec<_>>(), ["OK", "7"]);
    let ran = place.run("line run --home h --stdin");
    assert!(ran.status == Some(1) && ran.err.contains("\"line\" is running already in another process"), "{ran:?}");
    let second = place.run_with("line run --home h --stdin --name second", "{\"part\":\"P\"}\n").done();
    assert!(second.out.contains("\"serial\":1001"), "the second line has a block of its own: {}", second.out);
    let report = place.run(&format!("line status --home h --connect {}", line.tcp)).done().out;
    assert!(report.contains("running as \"line\""), "{report}");
    drop(client);
    line.stop();
    assert!(!place.path("line.socket").exists());
}

#[test]
fn an_answer_does_not_wait_for_later_ones() {
    let place = Place::with_home();
    let line = Running::start(&place, "");
    let mut client = line.connect();
    // Another writer keeps the store, as a slow disk does.
    let other = rusqlite::Connection::open(place.path("h/serials.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    client.send("{\"do\":\"status\",\"id\":\"first\"}\n{\"part\":\"P\",\"id\":\"second\"}");
    assert!(client.line().contains("\"first\""));
    other.execute_batch("ROLLBACK").unwrap();
    assert!(client.line().contains("\"second\""));
    drop(client);
    line.stop();
}

#[test]
fn a_new_year_needs_no_new_start() {
    let place = Place::with_home();
    let line = Running::start(&place, "");
    let mut client = line.connect();
    let year = touchmark_signer::init::today(jiff::Timestamp::now()).unwrap().year();
    let dated = |year: i16| format!("{{\"part\":\"P\",\"consignee\":5,\"date\":\"{year}-01-01\"}}");
    assert_eq!(serials(&client.ask(&dated(year))), [1]);
    // Marks dated in the year to come, as those of all clients are once its first day begins.
    assert!(!place.path(&format!("h/disclosure/{}.key", year + 1)).exists());
    assert_eq!(serials(&client.ask(&dated(year + 1))), [2]);
    assert_eq!(serials(&client.ask(&dated(year + 1))), [3]);
    // A key of the past that is gone is never made anew: nothing could open what was sealed under it.
    let past = client.ask(&dated(year - 1));
    assert_eq!(error(&past).0, "unusable", "{past:?}");
    drop(client);
    let log = line.stop();
    assert_eq!(log.matches("\"event\":\"year-key-made\"").count(), 1, "{log}");
    place.run("line verify-journal --home h").done();
    // Where another PC made the key of this year, only marks that need it are refused, until it was brought.
    let key = place.path(&format!("h/disclosure/{year}.key"));
    std::fs::rename(&key, place.path("key")).unwrap();
    let line = Running::start(&place, "");
    let mut client = line.connect();
    assert_eq!(serials(&client.ask("{\"part\":\"P\"}")), [4]);
    let missing = client.ask(&dated(year));
    assert!(error(&missing).1.ends_with("the disclosure key of that year is missing"), "{missing:?}");
    std::fs::rename(place.path("key"), &key).unwrap();
    assert_eq!(serials(&client.ask(&dated(year))), [5]);
    drop(client);
    line.stop();
}

#[test]
fn hostile_input_ends_a_connection_at_most() {
    let place = Place::with_home();
    let line = Running::start(&place, "");
    for bytes in [
        vec![b'x'; 100_000],
        vec![0; 300],
        b"{\"part\":\"P\"".to_vec(),
        b"\xff\xfe\n".to_vec(),
        b"{}\n[]\n{\"part\":1}\n".to_vec(),
    ] {
        let mut stream = TcpStream::connect(&line.tcp).unwrap();
        let _ = stream.write_all(&bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    let mut client = line.connect();
    assert_eq!(serials(&client.ask("{\"part\":\"P\"}")), [1], "nothing of it used a serial");
    drop(client);
    line.stop();
}

#[test]
fn a_service_finds_its_passphrase_and_refuses_one_that_others_can_read() {
    let place = Place::new();
    place.write("pw", "correct horse battery\n");
    let mode = |mode: &str| {
        assert!(Command::new("chmod").args([mode, "pw"]).current_dir(place.path(".")).status().unwrap().success())
    };
    mode("600");
    place.run("init h --maker Acme --country NL --passphrase-file pw").done();
    place.run_with("line run --home h --stdin --passphrase-file pw", "{\"part\":\"P\",\"consignee\":5}\n").done();
    std::fs::create_dir(place.path("credentials")).unwrap();
    std::fs::copy(place.path("pw"), place.path("credentials/touchmark-passphrase")).unwrap();
    let ran =
        finished(place.command("line run --home h --stdin").env("CREDENTIALS_DIRECTORY", place.path("credentials")));
    ran.done();
    mode("644");
    let ran = place.run("line run --home h --stdin --passphrase-file pw");
    assert!(ran.status == Some(1) && ran.err.contains("pw: others can read this secret"), "{ran:?}");
    let ran = place.run("line run --home h --stdin");
    assert!(ran.status == Some(2) && ran.err.contains("a passphrase is needed"), "{ran:?}");
}

#[test]
fn a_lot_is_closed_with_what_the_line_knows() {
    let place = Place::with_home();
    place.run("delegate grant --home h --new-line L2 --part P --serials 1-50").done();
    let line = Running::start(&place, "--line L2");
    let mut client = line.connect();
    client.ask("{\"part\":\"P\",\"count\":30}");
    client.ask("{\"do\":\"void\",\"serial\":3,\"reason\":\"bent lead\"}");
    client.ask("{\"do\":\"void\",\"serial\":4,\"reason\":\"bent lead\"}");
    let close = "lot close --home h --line L2 --out c.json";
    place.run(close).says(
        1,
        "error: serials 31 to 50 are reserved for the line \"line\"\nhint: stop it, which gives back what it did not use, and \
         close then; if it is gone for good, `touchmark-sign line recover --name \"line\"` says so",
    );
    drop(client);
    line.stop();
    let ran = place.run(&format!("{close} --void 9=crushed")).done();
    assert!(
        ran.err.contains("serials 1 to 50 of key id") && ran.err.contains(": 27 used, 3 void, 20 unused"),
        "{ran:?}"
    );
    // What was said when it was closed is on record as what the line noted.
    let found = place.run("line find --home h --line L2 9").done().out;
    assert!(found.contains(": crushed\n"), "{found}");
    assert_eq!(place.run("line status --home h --line L2 --json").done().out.matches("\"left\":0").count(), 1);
    let ran = place.run_with("line run --home h --line L2 --stdin", "{\"part\":\"P\"}\n").done();
    assert!(ran.out.contains("are left: short by 1"), "{}", ran.out);
    place.run("line verify-journal --home h --line L2").done();
}

/// A client that writes down what it was answered, and asks again, with the same id, what it was not.
#[test]
fn killed_under_load_it_issues_no_serial_twice_and_loses_none() {
    let place = Place::with_home();
    let mut log: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
    for round in 0..6u64 {
        let line = Running::start(&place, "");
        let mut client = line.connect();
        let wanted: Vec<String> = (0..40).map(|n| format!("{}", round * 20 + n)).collect();
        for id in &wanted {
            let count = id.parse::<u64>().unwrap() % 60 + 1;
            client.send(&format!("{{\"id\":\"{id}\",\"client\":\"mes\",\"part\":\"P\",\"count\":{count}}}"));
        }
        let until = round * 7 + 1;
        for _ in 0..until {
            let answer: Answer = serde_json::from_str(&client.line()).unwrap();
            let marks: Vec<_> = answer.marks.into_iter().map(|m| (m.serial, m.text.unwrap())).collect();
            let id = answer.id.unwrap();
            assert_eq!(marks.len() as u64, id.parse::<u64>().unwrap() % 60 + 1);
            assert_eq!(log.entry(id).or_insert_with(|| marks.clone()), &marks, "asked again, the same");
        }
        line.kill();
    }
    let mut seen = std::collections::BTreeSet::new();
    assert!(log.values().flatten().all(|(serial, _)| seen.insert(*serial)), "a serial twice");
    let report = place.run("line verify-journal --home h").done().out;
    assert!(report.contains("every serial is accounted for"), "{report}");
    for (serial, text) in log.values().flatten().step_by(97) {
        let found = place.run(&format!("line find --home h {serial}")).done().out;
        assert!(found.contains(text.trim_end()), "{found}");
    }
}

#[test]
fn what_is_no_request_is_answered_with_its_id() {
    let place = Place::with_home();
    let ask = |lines: &str| place.run_with("line run --home h --stdin", lines).done().out;
    let out = ask("{\"id\":\"a1\",\"part\":\"P\",\"lots\":1}\nM;a2;;P;L;yesterday\nV;a3;1;4.0;5\n");
    let begins: Vec<_> = out.lines().map(|line| line.chars().take(9).collect::<String>()).collect();
    assert_eq!(begins, ["{\"id\":\"a1", "ERR;a2;un", "ERR;a3;un"], "{out}");
    // What is cut off may mean something else than it says.
    let out = ask("{\"part\":\"P\"}\n{\"part\":\"P\"}");
    assert!(out.lines().count() == 2 && out.contains("no line feed at its end"), "{out}");
}

#[test]
fn a_name_that_no_record_could_hold_is_refused() {
    let place = Place::with_home();
    let name = |name: &str| {
        let mut command = place.command("line run --home h --stdin --name");
        command.arg(name).stdin(Stdio::null()).output().unwrap().status.code()
    };
    for wrong in ["", " line", "two\nlines", &"n".repeat(129)] {
        assert_eq!(name(wrong), Some(2), "{wrong:?}");
    }
    assert_eq!(name("strip 7 / line"), Some(0));
}

/// A store that was there once is not made anew by whoever only looks.
#[test]
fn a_store_that_is_gone_is_missed() {
    let place = Place::with_home();
    for command in ["status", "verify-journal"] {
        place.run(&format!("line {command} --home h")).done();
    }
    place.run_with("line run --home h --stdin", "{\"part\":\"P\"}\n").done();
    std::fs::remove_file(place.path("h/serials.db")).unwrap();
    for command in ["status", "verify-journal", "find"] {
        let which = if command == "find" { " 1" } else { "" };
        place.run(&format!("line {command} --home h{which}")).says(
            2,
            "error: h/serials.db: the store of serials is gone, and this machine knows of marks\nhint: put the newest copy back, \
             and see `touchmark-sign line recover`",
        );
    }
    place
        .run("line backup --home h --out copy.db")
        .says(2, "error: h/serials.db: there is no store of serials to copy");
    assert!(!place.path("h/serials.db").exists() && !place.path("copy.db").exists());
}

#[test]
fn a_copy_that_fails_leaves_nothing_and_says_where() {
    let place = Place::with_home();
    place.run_with("line run --home h --stdin", "{\"part\":\"P\"}\n").done();
    let backup = place.command("line backup --home h --out copy.db");
    // Files may have 40 KiB: the log's index has room, and the copy has none.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 80; exec \"$@\"", "sh"]).arg(backup.get_program());
    limited.args(backup.get_args()).current_dir(place.path(""));
    let ran = finished(&mut limited);
    assert!(ran.status == Some(2) && ran.err.starts_with("error: copy.db: no copy: "), "{ran:?}");
    assert!(!place.path("copy.db").exists());
    place.run("line backup --home h --out copy.db").done();
}

#[test]
fn a_password_does_not_cross_the_network_in_the_clear() {
    let place = Place::with_home();
    place.write("word", "secret\n");
    std::fs::set_permissions(place.path("word"), std::fs::Permissions::from_mode(0o600)).unwrap();
    place
        .run("line run --home h --mqtt 192.0.2.1 --mqtt-user u --mqtt-password-file word")
        .says(2, "error: the password would reach 192.0.2.1 in the clear\nhint: say mqtts://HOST, and --mqtt-ca FILE");
}

/// Two lines on one store, and two line keys in it, whose clients all count their requests from 1.
#[test]
fn who_counts_from_one_gets_no_mark_of_another() {
    let place = Place::with_home();
    place.run("delegate grant --home h --new-line L2 --part P --serials 1-50").done();
    let lines = [("--line \"line 1\"", "a"), ("--line \"line 1\" --name b", "b"), ("--line L2", "c")]
        .map(|(options, _)| Running::start(&place, options));
    let mut marks = Vec::new();
    for line in &lines {
        let answer = line.connect().ask("{\"id\":\"1\",\"part\":\"P\"}");
        assert!(!answer.again, "{answer:?}");
        marks.extend(answer.marks.into_iter().map(|mark| mark.text));
        let said = line.connect().ask("{\"id\":\"1\",\"client\":\"mes\",\"part\":\"P\"}");
        marks.extend(said.marks.into_iter().map(|mark| mark.text));
    }
    // The client that says its name is one on both lines of a key, and another under another key.
    assert_eq!(marks[1], marks[3]);
    let different: std::collections::BTreeSet<_> = marks.iter().collect();
    assert_eq!(different.len(), 5);
    lines.into_iter().for_each(|line| drop(line.stop()));
}

/// A controller that knows no JSON says who it is, gets text whatever the recipe draws, and learns what it asked before.
#[test]
fn a_controller_is_told_apart_from_its_neighbour() {
    let place = Place::with_home();
    std::fs::create_dir(place.path("recipes")).unwrap();
    place.write("recipes/chip.toml", "part = \"P\"\nanswer = \"svg\"\n");
    let line = Running::start(&place, "--recipes recipes");
    let ask = |name: &str, request: &str| {
        let mut client = line.connect();
        client.send(&format!("C;{name}\n{request}"));
        assert_eq!(client.line(), format!("OK;;{name}\r\n"));
        client.line().trim_end().split(';').map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second) = (ask("press 1", "M;1;chip"), ask("press 2", "M;1;chip"));
    assert_eq!((first[0].as_str(), first[2].as_str(), first.len()), ("OK", "1", 4));
    assert_eq!((second[2].as_str(), second.len()), ("2", 4));
    let again = ask("press 1", "M;1;chip");
    assert_eq!((&again[..4], again[4].as_str()), (&first[..], "again"));
    assert!(base45::decode(&first[3]).is_ok(), "{first:?}");
    let mut client = line.connect();
    client.send(&format!("C;{}", "x".repeat(200)));
    assert!(client.line().starts_with("ERR;;unusable;a client's name has 1 to 128 bytes"));
    // One that is too long is answered, and what follows it as well.
    client.send(&format!("{{\"id\":\"{}\"}}\n{{\"do\":\"status\"}}", "y".repeat(17_000)));
    assert!(client.line().contains("longer than 16384 bytes"));
    assert!(client.line().contains("\"status\""));
    drop(client);
    line.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn answers_that_cannot_be_written_are_no_success() {
    let place = Place::with_home();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = place.command("line run --home h --stdin");
    let mut child = command.stdin(Stdio::piped()).stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{\"part\":\"P\"}\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(
        err.contains("error: cannot write the answer: no space left on device\nhint: the marks are on record"),
        "{err}"
    );
}

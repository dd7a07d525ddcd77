//! No serial is ever issued twice, whatever happens.

use super::kit::{Place, finished, marks};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Every serial on record, each once.
fn unique(records: &[(u64, u64)]) -> BTreeSet<u64> {
    let all = records.iter().flat_map(|(first, last)| *first..=*last).collect::<Vec<_>>();
    let unique = all.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(unique.len(), all.len(), "a serial is on record twice: {records:?}");
    unique
}

#[test]
fn killed_at_any_moment_it_issues_no_serial_twice() {
    let place = Place::with_home();
    let mut seen = BTreeSet::new();
    for n in 0..16u64 {
        let out = format!("m{n}.txt");
        let mut child = place
            .command(&format!("mark --home h --part P{n} --count 300 --format text --out {out}"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(n * 6));
        child.kill().unwrap();
        child.wait().unwrap();
        if place.path(&out).exists() {
            let made = marks(&place.read(&out));
            assert_eq!(made.len(), 300, "a file is whole or not there");
            for mark in made {
                assert!(seen.insert(mark.mark.serial), "serial {} came out twice", mark.mark.serial);
            }
        }
    }
    let next = place.run("mark --home h --part P --format text --out -").done().marks()[0].mark.serial;
    assert!(!seen.contains(&next));
    let recorded = unique(&place.recorded("h"));
    assert!(seen.iter().all(|serial| recorded.contains(&serial.get())), "what came out is on record");
}

#[test]
fn a_home_is_whole_or_not_there_whenever_its_making_is_killed() {
    let place = Place::new();
    for n in 0..16u64 {
        let line = format!("init h{n} --maker Acme --country NL --no-passphrase");
        let mut child = place.command(&line).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(n * 3));
        child.kill().unwrap();
        child.wait().unwrap();
        if !place.path(&format!("h{n}")).exists() {
            place.run(&line).done();
        }
        place.run(&format!("mark --home h{n} --part P --consignee 1 --format text --out -")).done();
    }
}

#[test]
fn two_at_once_share_no_serial() {
    let place = Place::with_home();
    let run = |_| {
        (0..8).map(|_| place.run("mark --home h --part P --count 5 --format text --out -").done()).collect::<Vec<_>>()
    };
    let ran = std::thread::scope(|scope| {
        let threads = [0, 1].map(|n| scope.spawn(move || run(n)));
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect::<Vec<_>>()
    });
    let serials = ran.iter().flat_map(|r| r.marks()).map(|m| m.mark.serial).collect::<BTreeSet<_>>();
    assert_eq!(serials.len(), 2 * 8 * 5);
    assert_eq!(unique(&place.recorded("h")), (1..=80).collect());
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_cannot_be_written_loses_nothing() {
    let place = Place::with_home();
    let line = "mark --home h --part P --lot L --count 3 --format text --out";
    place.run(&format!("{line} /dev/full")).says(
        2,
        "error: cannot write /dev/full: no space left on device\nhint: serials 1 to 3 are on record; the same call with \
         --serial 1 (or these serials in the table) gives the same once more",
    );
    let ran = place.run(&format!("{line} missing/m.txt --serial 1"));
    assert_eq!(ran.status, Some(2));
    let made = place.run(&format!("{line} - --serial 1")).done().marks();
    assert_eq!(made.iter().map(|m| m.mark.serial.get()).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(place.recorded("h"), [(1, 3)]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_store_that_cannot_be_written_lets_no_mark_out() {
    let place = Place::with_home();
    place.run("mark --home h --part P --format text --out -").done();
    // Writing beyond this size fails, as on a full disk.
    let limited = "trap '' XFSZ; ulimit -f 0; exec \"$0\" mark --home h --part Q --format text --out -";
    let ran = finished(
        Command::new("sh")
            .args(["-c", limited, env!("CARGO_BIN_EXE_touchmark-sign")])
            .current_dir(place.path("."))
            .env("TOUCHMARK_STATE", place.path(".state")),
    );
    assert!(ran.status == Some(2) && ran.err.starts_with("error: h/serials.db: "), "{ran:?}");
    assert_eq!(ran.out, "");
    assert_eq!(place.recorded("h"), [(1, 1)]);
    assert_eq!(place.run("mark --home h --part Q --format text --out -").done().marks()[0].mark.serial.get(), 2);
}

#[test]
fn a_damaged_store_stops_all_issuing() {
    let place = Place::with_home();
    place.run("mark --home h --part P --count 3 --format text --out -").done();
    let whole = std::fs::read(place.path("h/serials.db")).unwrap();
    for damage in [
        vec![0; 4096],
        b"not a database, whatever its name says, and longer than a header".to_vec(),
        whole[..5000].to_vec(),
    ] {
        std::fs::write(place.path("h/serials.db"), damage).unwrap();
        let ran = place.run("mark --home h --part P --format text --out -");
        assert!(ran.status == Some(2) || ran.status == Some(1), "{ran:?}");
        assert!(ran.err.starts_with("error: h/serials.db") && ran.out.is_empty(), "{ran:?}");
    }
    std::fs::write(place.path("h/serials.db"), whole).unwrap();
    assert_eq!(place.run("mark --home h --part P --format text --out -").done().marks()[0].mark.serial.get(), 4);
}

#[test]
fn a_store_of_yesterday_is_refused_until_what_is_lost_is_blocked() {
    let place = Place::with_home();
    let mark = "mark --home h --part P --format text --out -";
    place.run(mark).done();
    std::fs::copy(place.path("h/serials.db"), place.path("backup")).unwrap();
    let out = place.run(&format!("{mark} --count 5")).done().marks();
    std::fs::copy(place.path("backup"), place.path("h/serials.db")).unwrap();
    let older = "h/serials.db is an older copy of itself: it ends at commit 1 of \"mark\", which has made 2; serials would be \
                 issued twice";
    for command in [mark, mark, "line verify-journal --home h"] {
        place.run(command).says(
            1,
            &format!(
                "error: {older}\nhint: put the newest store back; if it is lost for good, `touchmark-sign line recover` blocks \
                 all serials that may be on parts, and goes on after them"
            ),
        );
    }
    for command in ["line status --home h", "line find --home h 1", "line backup --home h --out copy"] {
        let ran = place.run(command).done();
        assert!(ran.err.starts_with(&format!("warning: {older}\n")), "{command}: {ran:?}");
    }
    place.run("line recover --home h --nothing-lost").says(
        1,
        "error: this machine knows of marks that are not on record, so something was lost\nhint: leave --nothing-lost out",
    );
    assert_eq!(
        place.run("line recover --home h").done().out,
        "\"mark\" may issue again; 5 serials are blocked as lost\n"
    );
    let next = place.run(mark).done().marks()[0].mark.serial;
    assert!(out.iter().all(|mark| mark.mark.serial < next), "{next}");
    let report = place.run("line verify-journal --home h").done().out;
    assert_eq!(
        report,
        "every serial is accounted for: 2 issued (0 verified, 0 void), 0 reserved, 5 lost, 0 closed; every signature good\n"
    );
    place.run("line recover --home h").says(1, "error: there is nothing to recover from: the store is the newest");
}

#[test]
fn a_home_that_was_moved_says_so_once() {
    let place = Place::with_home();
    let mark = "mark --home h --part P --format text --out -";
    place.run(mark).done();
    std::fs::remove_dir_all(place.path(".state")).unwrap();
    let ran = place.run("line verify-journal --home h").done();
    assert!(ran.err.starts_with("note: whether it is the newest is not known"), "{ran:?}");
    let ran = place.run(mark);
    assert!(ran.status == Some(1) && ran.err.contains("has serials of \"mark\", and this machine"), "{ran:?}");
    let ran = place.run("line recover --home h --name mark");
    assert!(ran.status == Some(2) && ran.err.contains("does not know which serials may be on parts"), "{ran:?}");
    place.run("line recover --home h --name mark --nothing-lost").done();
    assert_eq!(place.run(mark).done().marks()[0].mark.serial.get(), 2);
}

/// What somebody wrote into the tables is named by the serials that it is about.
#[test]
fn a_journal_that_somebody_changed_is_told_by_its_serials() {
    let place = Place::with_home();
    let line =
        "{\"part\":\"P\",\"count\":3}\n{\"do\":\"void\",\"serial\":2,\"reason\":\"smeared\"}\n{\"part\":\"Q\"}\n";
    place.run_with("line run --home h --stdin", line).done();
    place.run("line verify-journal --home h").done();
    let whole = std::fs::read(place.path("h/serials.db")).unwrap();
    for (change, problem) in [
        ("UPDATE run SET body = x'00' WHERE count = 3", "the marks from serial 1 on cannot be read"),
        ("UPDATE run SET at = 'noon' WHERE count = 1", "the marks from serial 4 on cannot be read"),
        ("UPDATE content SET part = '' WHERE part = 'Q'", "what the marks from serial 4 on say cannot be read"),
        ("UPDATE outcome SET state = 3", "what became of serial 2 cannot be read"),
        ("DELETE FROM run WHERE count = 1", "serials 4 to 4 are used up and not on record"),
        ("DELETE FROM block", "serials 1 to 3 are issued and in no block"),
        ("UPDATE run SET body = zeroblob(192) WHERE count = 3", "the signature of serial 1 is wrong"),
    ] {
        std::fs::write(place.path("h/serials.db"), &whole).unwrap();
        let store = rusqlite::Connection::open(place.path("h/serials.db")).unwrap();
        store.execute_batch(change).unwrap();
        drop(store);
        let ran = place.run("line verify-journal --home h");
        assert!(ran.status == Some(1) && ran.err.contains(&format!("error: {problem}\n")), "{change}: {ran:?}");
        assert!(ran.err.contains("things do not fit\nhint: issue nothing more from it"), "{change}: {ran:?}");
    }
}

/// Nobody can make a line go on with a file that it would not find again, nor with another one in its place.
#[cfg(unix)]
#[test]
fn a_store_that_is_moved_away_under_a_line_stops_it_until_it_is_back() {
    let place = Place::with_home();
    let line = super::line::Running::start(&place, "");
    let mut client = line.connect();
    assert_eq!(client.ask("{\"part\":\"P\",\"id\":\"a\"}").marks[0].serial, 1);
    place.run("line backup --home h --out copy").done();
    let copy = std::fs::read(place.path("copy")).unwrap();
    let (store, away) = (place.path("h/serials.db"), place.path("away"));
    std::fs::rename(&store, &away).unwrap();
    let error = |answer: touchmark_signer::line::protocol::Answer| answer.error.map(|e| (e.kind, e.message)).unwrap();
    let moved = "h/serials.db: it was moved away, replaced or written over while it is in use";
    let request = "{\"part\":\"P\",\"id\":\"b\"}";
    assert_eq!(error(client.ask(request)), ("retry".to_owned(), moved.to_owned()));
    assert!(!store.exists(), "none is made in its place");
    std::fs::write(&store, &copy).unwrap();
    assert_eq!(error(client.ask(request)), ("retry".to_owned(), moved.to_owned()));
    assert!(!client.ask("{\"do\":\"status\"}").status.unwrap().store_ok);
    assert_eq!(std::fs::read(&store).unwrap(), copy, "what stands there is not touched");
    std::fs::rename(&away, &store).unwrap();
    assert_eq!(client.ask(request).marks[0].serial, 2);
    drop(client);
    line.stop();
    place.run("line verify-journal --home h").done();
}

/// A backup that was taken while a line had serials reserved, put back, and recovered under the name of another.
#[test]
fn what_any_line_had_reserved_when_the_backup_was_made_is_lost_too() {
    let place = Place::with_home();
    let issue = |line: &super::line::Running, id: &str, count: u64| -> Vec<u64> {
        let answer = line.connect().ask(&format!("{{\"part\":\"P\",\"id\":\"{id}\",\"count\":{count}}}"));
        answer.marks.iter().map(|mark| mark.serial).collect()
    };
    let line = super::line::Running::start(&place, "--name laser");
    issue(&line, "a", 100);
    place.run("line backup --home h --out copy").done();
    let issued = issue(&line, "b", 500);
    assert_eq!(issued.last(), Some(&600));
    line.stop();
    std::fs::copy(place.path("copy"), place.path("h/serials.db")).unwrap();
    // The command of the same home shares the store, and may be the one that is recovered first.
    place.run("mark --home h --part P --format text --out -").says(1, &format!("error: {}", LASER_IS_AHEAD));
    let recovered = place.run("line recover --home h").done().out;
    assert_eq!(recovered, "\"laser\" may issue again; 900 serials are blocked as lost\n");
    for name in ["laser", "other"] {
        let ran = place
            .run_with(&format!("line run --home h --stdin --name {name}"), "{\"part\":\"P\",\"count\":500}\n")
            .done();
        let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert!(answer["marks"][0]["serial"].as_u64() > Some(1000), "{}", ran.out);
    }
    place.run("line verify-journal --home h").done();
}

const LASER_IS_AHEAD: &str = "h/serials.db is an older copy of itself: it ends at commit 1 of \"laser\", which has made 2; serials \
                              would be issued twice\nhint: put the newest store back; if it is lost for good, `touchmark-sign line \
                              recover` blocks all serials that may be on parts, and goes on after them";

/// What a machine knows of its own line says nothing of one that ran elsewhere.
#[test]
fn the_line_of_another_machine_is_not_recovered_by_what_this_one_knows() {
    let place = Place::with_home();
    let at = |state: &str, line: &str, input: &str| {
        let mut command = place.command(line);
        command
            .env("TOUCHMARK_STATE", place.path(state))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let run = |state: &str, name: &str| {
        at(state, &format!("line run --home h --stdin --block 10 --name {name}"), "{\"part\":\"P\",\"count\":3}\n")
    };
    for (state, name) in [("one", "a"), ("two", "b")] {
        assert_eq!(run(state, name).0, Some(0));
    }
    let recover = |more: &str| at("two", &format!("line recover --home h --name a {more}"), "");
    let (status, _, err) = recover("");
    assert!(status == Some(2) && err.contains("this machine does not know which serials may be on parts"), "{err}");
    // The store is the newest, whatever this machine knows of it: that is for people to say.
    assert_eq!(recover("--nothing-lost").0, Some(0));
    let (status, out, err) = run("two", "a");
    assert!(status == Some(0) && out.contains("\"serial\":7"), "{out}{err}");
    assert_eq!(unique(&place.recorded("h")), (1..=9).collect());
}

/// A backup that is copied over the very file is noticed where it is shorter, before anything more is issued.
#[cfg(unix)]
#[test]
fn a_store_that_is_written_over_under_a_line_issues_nothing_more() {
    let place = Place::with_home();
    let line = super::line::Running::start(&place, "");
    let mut client = line.connect();
    assert_eq!(client.ask("{\"part\":\"P\",\"count\":10}").marks.len(), 10);
    place.run("line backup --home h --out copy").done();
    let mut shortest = 0;
    for _ in 0..20 {
        assert_eq!(client.ask("{\"part\":\"P\",\"count\":500}").marks.len(), 500);
        // What is in the log only goes into the file four times a second.
        std::thread::sleep(Duration::from_millis(100));
        shortest = std::fs::metadata(place.path("h/serials.db")).unwrap().len();
    }
    let copy = std::fs::read(place.path("copy")).unwrap();
    assert!((copy.len() as u64) < shortest);
    std::fs::write(place.path("h/serials.db"), copy).unwrap();
    let answer = client.ask("{\"part\":\"P\"}");
    let error = answer.error.unwrap();
    assert!(error.kind == "retry" && error.message.contains("written over while it is in use"), "{error:?}");
    line.kill();
}

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
fn a_journal_that_cannot_be_written_lets_no_mark_out() {
    let place = Place::with_home();
    place.run("mark --home h --part P --format text --out -").done();
    let before = place.read("h/serials.jsonl");
    // Writing beyond this size fails, as on a full disk.
    let limited = "trap '' XFSZ; ulimit -f 0; exec \"$0\" mark --home h --part Q --format text --out -";
    let ran = finished(
        Command::new("sh").args(["-c", limited, env!("CARGO_BIN_EXE_touchmark-sign")]).current_dir(place.path(".")),
    );
    ran.says(2, "error: cannot write h/serials.jsonl: file too large\nhint: no serial was used");
    assert_eq!(ran.out, "");
    assert_eq!(place.read("h/serials.jsonl"), before);
    assert_eq!(place.run("mark --home h --part Q --format text --out -").done().marks()[0].mark.serial.get(), 2);
}

#[test]
fn a_torn_last_record_is_taken_away_and_a_whole_one_counts() {
    let place = Place::with_home();
    place.run("mark --home h --part P --count 3 --format text --out -").done();
    let whole = place.read("h/serials.jsonl");
    for length in [1, 20, whole.len() / 2, whole.len() - 2] {
        place.write("h/serials.jsonl", &format!("{whole}{}", &whole[..length]));
        let ran = place.run("mark --home h --part P --format text --out -").done();
        ran.says(0, "note: the journal ended in an unfinished record, of which no mark had left; it was taken away\nserial 4; 74 bytes");
        assert_eq!(place.recorded("h"), [(1, 3), (4, 4)]);
    }
    place.write("h/serials.jsonl", whole.trim_end());
    assert_eq!(place.run("mark --home h --part P --format text --out -").done().marks()[0].mark.serial.get(), 4);
    assert_eq!(place.recorded("h"), [(1, 3), (4, 4)], "the last line only lacked its line feed");
}

#[test]
fn a_damaged_record_stops_all_issuing() {
    let place = Place::with_home();
    place.run("mark --home h --part P --count 3 --format text --out -").done();
    let good = place.read("h/serials.jsonl");
    for bad in [
        "\n",
        "{}\n",
        "\0\0\0\n",
        &good.replace("\"last\":3", "\"last\":0"),
        &good.replace("\"first\":1", "\"first\":2"),
    ] {
        place.write("h/serials.jsonl", &format!("{good}{bad}{good}"));
        place.run("mark --home h --part P --format text --out -").says(
            2,
            "error: h/serials.jsonl: line 2 is not a record of issued serials\nhint: nothing is signed until the journal is \
             whole, for a lost record would let a serial be issued twice: restore it from a copy",
        );
    }
}

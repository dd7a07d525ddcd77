//! A line far from the maker.

use super::kit::{Place, assert_authentic};

/// A maker's home `h` and a line's home `line`, for 1,000 parts of one lot.
fn line_abroad() -> Place {
    let place = Place::with_home();
    place
        .run(r#"delegate request --home line --line "Penang 3" --maker-root h/trust.json --no-passphrase --out q.json"#)
        .done();
    place
        .run("delegate grant --home h --request q.json --part STM32F407VGT6 --lot A2B347K:5000000-5000999 --out d.json")
        .done();
    place
        .run("delegate accept --home line --delegation d.json --trust h/trust.json")
        .says(0, "line \"Penang 3\", site 1: 1 part, 1 lot, serials 5000000 to 5000999, dated DATE to DATE");
    place
}

#[test]
fn a_line_marks_without_the_makers_secrets() {
    let place = line_abroad();
    assert_eq!(place.names("line"), ["keys", "lines", "trust.json"]);
    assert_eq!(place.names("line/keys"), ["penang-3.pem"]);
    assert_eq!(place.names("line/lines"), ["penang-3.json"]);
    let ran =
        place.run("mark --home line --part STM32F407VGT6 --lot A2B347K --count 1000 --format text --out -").done();
    assert_eq!(ran.marks()[999].mark.serial.get(), 5_000_999);
    for mark in [&ran.marks()[0], &ran.marks()[999]] {
        assert_authentic(mark, &place.path("h/trust.json"));
    }
    place.run("mark --home line --part STM32F407VGT6 --format text --out -").says(
        1,
        "error: too few serials of the delegation for lot A2B347K are left: short by 1\nhint: the maker can grant a further \
         range (`touchmark-sign delegate grant --serials FIRST-LAST`); what another line on this store has reserved comes back \
         when that stops; a lot that was closed stays closed",
    );
    place.run("disclose --home line --lot A2B347K --to age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg --out d").says(
        2,
        "error: line/keys/root.pem: the maker's root key is not in this home\nhint: run this in the maker's home, the one \
         that `touchmark-sign init` made",
    );
}

#[test]
fn what_the_delegation_forbids_is_refused_before_signing() {
    let place = line_abroad();
    let hint = "hint: the maker can grant another delegation (`touchmark-sign delegate grant`): ";
    for (options, error, way_out) in [
        ("--part OTHER", "may not mark part OTHER, only STM32F407VGT6", "list the part in it"),
        (
            "--part STM32F407VGT6 --lot X",
            "may not mark parts of lot X, only lots A2B347K",
            "list the lot in it, or take a serial of the lot",
        ),
        ("--part STM32F407VGT6 --serial 5", "may not use serial 5, only 5000000 to 5000999", "widen its range"),
        ("--part STM32F407VGT6 --date 2020-02-02", "may not mark dates before DATE, such as DATE", "begin earlier"),
        ("--part STM32F407VGT6 --date 2190-02-02", "may not mark dates after DATE, such as DATE", "end later"),
    ] {
        let ran = place.run(&format!("mark --home line {options} --format text --out -"));
        ran.says(1, &format!("error: line \"Penang 3\" {error}\n{hint}{way_out}"));
        assert_eq!(ran.out, "");
    }
    place.run("mark --home line --part STM32F407VGT6 --consignee 7 --format text --out -").says(
        2,
        "error: line: consignees cannot be sealed here: this home has no disclosure secret\nhint: leave --consignee out and \
         let the maker's ledger say where the goods went, or mark in the maker's home",
    );
    assert_eq!(place.recorded("line"), []);
}

#[test]
fn a_line_key_is_only_delegated_to_by_its_own_wish_and_maker() {
    let place = line_abroad();
    place.run("init other --maker Other --country DE --no-passphrase").done();
    let ran = place.run("delegate grant --home other --request q.json");
    assert_eq!((ran.status, ran.err.contains("is for another maker")), (Some(1), true), "{ran:?}");
    let forged = place.read("q.json").replace("Penang 3", "Penang 4");
    place
        .write("forged.json", &forged)
        .run("delegate grant --home h --request forged.json")
        .says(1, "error: the request of line \"Penang 4\" is not signed by its own key");
    place
        .run(
            r#"delegate request --home copy --line "Penang 3" --maker-root h/trust.json --no-passphrase --out q2.json"#,
        )
        .done();
    place.run("delegate grant --home h --request q2.json").says(
        2,
        "error: h/lines/penang-3.json: another line of that name is delegated to already\nhint: the line must ask under \
         another name",
    );
    place.run("delegate accept --home copy --delegation d.json --trust h/trust.json").says(
        1,
        "error: d.json: not for a key of this home\nhint: `delegate request` makes the request that the maker grants",
    );
}

#[test]
fn a_further_delegation_leaves_older_marks_authentic() {
    let place = Place::with_home();
    place.run("delegate grant --home h --new-line L2 --part P --serials 1-2").done();
    let old = place.run("mark --home h --line L2 --part P --count 2 --format text --out -").done();
    place.run("delegate grant --home h --line L2 --part Q --part P --serials 3-4").done();
    let new = place.run("mark --home h --line L2 --part P --count 2 --format text --out -").done();
    assert_eq!(new.marks()[0].mark.serial.get(), 3);
    for mark in old.marks().iter().chain(&new.marks()) {
        assert_authentic(mark, &place.path("h/trust.json"));
    }
    place
        .run("mark --home h --part P --format text --out -")
        .says(2, "error: h: there are several lines: \"L2\", \"line 1\"\nhint: name one with --line NAME");
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    let place = Place::with_home();
    for limits in ["--lot A:1-5 --lot B:5-9", "--part P --part P", "--from 2027-01-01 --until 2026-01-01"] {
        let ran = place.run(&format!("delegate grant --home h --new-line L2 {limits}"));
        assert_eq!(ran.status, Some(2), "{limits}: {ran:?}");
        assert_eq!(place.names("h/lines"), ["line-1.json"]);
        assert_eq!(place.names("h/keys"), ["authority.pem", "line-1.pem", "root.pem"], "no key without a line");
    }
    place.write("parts.txt", "P1\n\nP2\n").run("delegate grant --home h --new-line L2 --parts-file parts.txt").done();
    assert!(place.run("trust show --home h").done().out.contains("2 parts, any lot, any serial"));
}

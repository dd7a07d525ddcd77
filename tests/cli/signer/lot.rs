//! Closed lots: what was never issued is no licence for a ghost shift.

use super::kit::Place;
use touchmark_formats::close::LotClose;
use touchmark_formats::signed::Signed;
use touchmark_formats::trust::Trust;

/// A maker's home `h`, and a line's home `line` with 100 serials of one lot, of which 60 were issued.
fn line_abroad() -> Place {
    let place = Place::with_home();
    place.run("delegate request --home line --line L9 --maker-root h/trust.json --no-passphrase --out q.json").done();
    place.run("delegate grant --home h --request q.json --part P --lot A:1001-1100 --out d.json").done();
    place.run("delegate accept --home line --delegation d.json --trust h/trust.json").done();
    place.run("mark --home line --part P --count 60 --format text --out -").done();
    place
}

const CLOSE: &str = r#"lot close --home line --lot A --void "1003-1004=bent lead" --void 1060=lost --out close.json"#;

#[test]
fn a_lot_is_closed_by_its_line_and_accepted_by_the_maker() {
    let place = line_abroad();
    place.run(CLOSE).says(0, "closed TIME: lot A, serials 1001 to 1100 of key id ID: 57 used, 3 void, 40 unused");
    place.run("trust add --home h --closed close.json").says(
        2,
        "error: the record by which Acme closed serials 1001 to 1100 does not hold: the maker's root key did not sign it",
    );
    place.run("lot accept --home h --closed close.json --delivered 58 --out c.json").says(
        1,
        "error: the line says that 57 serials are on parts, not 58\nhint: ask the line; a serial on a part that nobody \
         delivered is a part that somebody has",
    );
    place.run("lot accept --home h --closed close.json --delivered 57 --out c.json").says(
        0,
        "closed TIME: lot A, serials 1001 to 1100 of key id ID: 57 used, 3 void, 40 unused\nh/trust.json: the closed serials \
         are in it, under a new version",
    );
    let bundle = Trust::open(place.read("h/trust.json").as_bytes()).unwrap().signed;
    bundle.check_all().unwrap();
    let record = Signed::<LotClose>::from_json(place.read("c.json").as_bytes()).unwrap();
    assert_eq!(bundle.makers[0].closed, [record]);
    let shown = place.run("trust show --home h").done().out;
    assert!(shown.contains("lot A, serials 1001 to 1100 of key id "), "{shown}");
    // Another authority takes it in from the file, or with the maker's bundle.
    place.run("trust create --trust eu.json --authority EU --signer EU=h/keys/authority.pem").done();
    place.run("trust add --trust eu.json --from h/trust.json --sign-key h/keys/authority.pem").done();
    place.run("trust add --trust eu.json --closed c.json --sign-key h/keys/authority.pem").done();
    let eu = Trust::open(place.read("eu.json").as_bytes()).unwrap().signed;
    assert_eq!(eu.makers[0].closed, bundle.makers[0].closed);
}

#[test]
fn nothing_of_a_closed_lot_is_issued_any_more() {
    let place = line_abroad();
    place.run(CLOSE).done();
    let refusal = "error: serials 1001 to 1100 of line \"l9\" are closed (line/closed/l9-1001-1100.json)\nhint: what is closed \
                   is never issued again: name another lot, or serials outside that range";
    place.run("mark --home line --part P --format text --out -").says(1, refusal);
    place.run(CLOSE).says(1, refusal);
    assert_eq!(place.recorded("line"), [(1001, 1060)]);
    // What was issued before comes out again, for a lost file is no new part.
    place.run("mark --home line --part P --serial 1001 --count 60 --format text --out -").done();
}

#[test]
fn accounts_that_make_no_sense_are_refused() {
    let place = line_abroad();
    for (options, error) in [
        ("--lot X", "error: the delegation does not say which serials lot X has"),
        ("--serials 1000-1100", "error: serials 1000 to 1100 are not all the line's: it has 1001 to 1100"),
        (r#"--lot A --void 1003-1004=a --void 1004=b"#, "error: the void serials make no sense"),
        (r#"--lot A --void 7=a"#, "error: the void serials make no sense"),
        ("--lot A --void 1003", "error: invalid value '1003' for '--void <FIRST-LAST=WHY>'"),
    ] {
        let ran = place.run(&format!("lot close --home line {options} --out c.json"));
        assert!(ran.err.starts_with(error), "{ran:?}");
        assert!(ran.status == Some(1) || ran.status == Some(2), "{ran:?}");
        assert!(!place.path("c.json").exists() && !place.path("line/closed").exists(), "{options}");
    }
    place.run(CLOSE).done();
    let forged = place.read("close.json").replace("1059", "1058");
    place
        .write("forged.json", &forged)
        .run("lot accept --home h --closed forged.json")
        .says(1, "error: forged.json: the line that the record names did not sign it as it stands");
    place.run("init other --maker Other --country DE --no-passphrase").done();
    place
        .run("lot accept --home other --closed close.json")
        .says(1, "error: close.json: the record is of another maker's line");
}

#[test]
fn in_the_makers_own_home_a_lot_is_closed_at_once() {
    let place = Place::with_home();
    place.run("delegate grant --home h --new-line L2 --part P --serials 1-50").done();
    place.run("mark --home h --line L2 --part P --count 30 --format text --out -").done();
    let ran = place.run("lot close --home h --line L2 --out c.json");
    ran.says(
        0,
        "h/trust.json: the closed serials are in it, under a new version\nclosed TIME: serials 1 to 50 of key id ID: 30 used, 0 \
         void, 20 unused",
    );
    Trust::open(place.read("h/trust.json").as_bytes()).unwrap().signed.check_all().unwrap();
}

#[test]
fn what_a_closed_lot_used_is_on_record_in_the_ledger() {
    let place = Place::with_home();
    place.run("delegate grant --home h --new-line L2 --part P --lot A:1-50").done();
    let mark = "mark --home h --line L2 --part P --lot A --consignee 5 --format text --out - --count";
    place.run("ledger init --home h").done();
    place.run(&format!("{mark} 30")).done();
    place.run("ledger commission --home h --line L2 --lot A").done();
    place.run("ledger commission --home h --line L2 --lot A").says(0, "all marks of lot A are on record as made");
    place.run("ship --home h --line L2 --serials 1-2 --to 5").done();
    place.run(&format!("{mark} 5")).done();
    let close = "lot close --home h --line L2 --lot A --out c.json --void";
    place.run(&format!("{close} 2-3=bent")).says(
        1,
        "error: serials 2 to 2 cannot be void: they were shipped on DATE (record 2)\nhint: put on record that they came back, or \
         that the record is wrong: `touchmark-sign ship`",
    );
    place.run(&format!("{close} 3=bent --void 35=lost")).says(
        0,
        "h/trust.json: the closed serials are in it, under a new version\nclosed TIME: lot A, serials 1 to 50 of key id ID: 33 \
         used, 2 void, 15 unused\nh/ledger.db: 4 more made, 1 destroyed",
    );
    let table = place.run("ledger export --home h --out -").done().out;
    let events: Vec<Vec<&str>> = table.lines().skip(3).map(|line| line.split(',').collect()).collect();
    assert_eq!((events[0][2], events[0][4], events[0][5]), ("commissioned", "31", "34"));
    assert_eq!((events[1][2], events[1][4], events[1][9]), ("destroyed", "3", "bent"));
    place.run("ledger audit --home h").done();
}

#[test]
fn what_a_line_elsewhere_used_goes_on_record_when_the_maker_accepts_it() {
    let place = line_abroad();
    place.run(CLOSE).done();
    let accept = "lot accept --home h --closed close.json";
    place
        .run(&format!("{accept} --made-on 2026-11-23"))
        .says(2, "error: h: --made-on: this home has no ledger\nhint: `touchmark-sign ledger init` makes it");
    place.run("ledger init --home h").done();
    let ran = place.run(&format!("{accept} --made-on 2026-11-23")).done();
    assert!(ran.err.ends_with("h/ledger.db: 57 more made, 0 destroyed\n"), "{ran:?}");
    let table = place.run("ledger export --home h --out -").done().out;
    let ranges: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split(',').skip(4).take(3).collect()).collect();
    assert_eq!(ranges, [["1001", "1002", "2026-11-23"], ["1005", "1059", "2026-11-23"]]);
}

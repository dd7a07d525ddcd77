//! `ship`, `handover` and `ledger`: from marked parts to a proof of where they went.

use crate::kit::Place;
use touchmark_formats::ledger::checkpoint::{Checkpoint, LogProof};
use touchmark_formats::ledger::map::{Answer, MapProof};
use touchmark_formats::ledger::merkle::Hash;
use touchmark_formats::ledger::note::NoteKey;
use touchmark_formats::ledger::record::{Record, commitment};
use touchmark_formats::mark::Serial;
use touchmark_signer::keys::{SecretKey, SigningKey};

/// A home with a ledger, in which serials 1 to 100 are marked and on record as made.
fn with_ledger() -> (Place, String) {
    let place = Place::with_home();
    place
        .run("mark --home h --part P --lot L --date 2026-03-02 --count 100 --format text --out marks.txt --consignee 5")
        .done();
    let key = place.run("ledger init --home h --origin acme.example/ledger").done().out.trim().to_owned();
    place.run("ledger commission --home h --lot L").says(0, "record 0: serials 1 to 100 commissioned, made on DATE");
    (place, key)
}

fn key(place: &Place, name: &str) -> String {
    let key = SecretKey::generate().unwrap();
    key.write(&place.path(name), None).unwrap();
    key.public().to_string()
}

/// What the proofs in a folder say of a serial: the names of its events, the newest first.
fn proven(place: &Place, folder: &str, log: &str, line: &str, serial: u64) -> Option<Vec<&'static str>> {
    let log: NoteKey = log.parse().unwrap();
    let (mut records, mut root) = (std::collections::BTreeMap::new(), None);
    for name in place.names(folder).iter().filter(|name| name.ends_with(".tlog-proof")) {
        let proof = LogProof::parse(place.read(&format!("{folder}/{name}")).as_bytes()).unwrap();
        assert_eq!(proof.checkpoint.signed_by(&log), Ok(Some(0)));
        let checkpoint = Checkpoint::parse(&proof.checkpoint.text).unwrap();
        let (salt, record) = proof.extra.as_deref().unwrap().split_first_chunk().unwrap();
        let entry = commitment(salt, record);
        assert!(proof.proves(&entry, &checkpoint));
        let record = Record::from_bytes(record).unwrap();
        if let Record::Map(map) = record {
            assert_eq!(proof.index, checkpoint.size - 1);
            root = Some(map);
        }
        records.insert(proof.index, (record, entry));
    }
    let map: MapProof = serde_json::from_str(&place.read(&format!("{folder}/map.json"))).unwrap();
    let at =
        touchmark_formats::ledger::map::Place { line: line.parse().unwrap(), serial: Serial::new(serial).unwrap() };
    let root: Hash = root.unwrap();
    let Answer::Entry(leaf) = map.answer(&root, &at).unwrap() else { return None };
    assert_eq!(records[&leaf.index].1, leaf.entry);
    let mut names = Vec::new();
    let mut next = Some(leaf.index);
    while let Some(index) = next {
        let Record::Event(event) = &records[&index].0 else { unreachable!("not an event") };
        names.push(event.what.name());
        next = event.after;
    }
    Some(names)
}

fn line_key(place: &Place) -> String {
    let delegation: serde_json::Value = serde_json::from_str(&place.read("h/lines/line-1.json")).unwrap();
    delegation["signed"]["key"].as_str().unwrap().to_owned()
}

#[test]
fn parts_are_followed_from_hand_to_hand() {
    let (place, log) = with_ledger();
    let (line, distributor) = (line_key(&place), key(&place, "distributor.pem"));
    place.write("h/consignees.csv", &format!("number,name,country,address,lei,key\n5,Five,NL,\"Kade 12\",506700GE1G29325QX363,{distributor}\n4711,Farina,DE,,,\n"));
    place
        .run("ship --home h --serials 1-40 --serials 41-60 --to 5 --document DN-1 --date 2026-03-10")
        .says(0, "record 2: serials 1 to 40 shipped on DATE\nrecord 3: serials 41 to 60 shipped on DATE");
    place
        .run("ship --home h --serials 55-70 --to 4711 --date 2026-03-11")
        .says(1, "error: cannot ship serials 55 to 60: 55 to 60 are shipped on DATE (record 3)");
    place.run("ship --home h --serials 100-101 --to 4711 --date 2026-03-11").says(
        1,
        "error: cannot ship serials 101 to 101: they were never commissioned\nhint: `touchmark-sign ledger commission` puts \
         made parts on record",
    );
    place
        .run("ship --home h --serials 61-70 --to 4711 --date 2026-03-01")
        .says(1, "error: cannot ship serials 61 to 70: DATE is before DATE, when they were commissioned (record 0)");
    let handover = format!(
        "handover --key distributor.pem --line-key {line} --serials 1-10 --to \"Third & Sons\" --country TR --date 2026-03-20 --out h1.json"
    );
    place.run(&handover).says(0, "serials 1 to 10 handed over to Third & Sons on DATE");
    place.write("t.csv", "event,first,last,date,to,document\nreturned,41,60,2026-03-12,,RMA-7\nshipped,41,60,2026-03-13,4711,DN-2\ncorrected,41,60,2026-03-13,,wrong customer\nshipped,41,60,2026-03-14,5,DN-3\n");
    place.run("ledger import --home h h1.json t.csv").says(0, "5 events on record, the last of them record 9");
    place.run("ledger import --home h h1.json").says(
        1,
        "error: cannot hand over serials 1 to 10: Third & Sons has them, and its key is not on record\nhint: put its public \
         key into the column key of consignees.csv, compared by another way, and ship under that",
    );
    place.run("ledger prove --home h --serial 7 --out p7").says(
        1,
        "error: h/ledger.db has records that no checkpoint covers yet\nhint: `touchmark-sign ledger checkpoint` makes one",
    );
    place
        .run("ledger checkpoint --home h --pad 16 --out c.note")
        .says(0, "checkpoint of 16 records, cosigned by 0 witnesses");
    place.run("ledger checkpoint --home h --pad 16").says(0, "checkpoint of 16 records, cosigned by 0 witnesses");
    for (serial, events) in [
        (7, Some(vec!["handed-over", "shipped", "commissioned"])),
        (50, Some(vec!["shipped", "corrected", "shipped", "returned", "shipped", "commissioned"])),
        (99, Some(vec!["commissioned"])),
        (101, None),
    ] {
        place.run(&format!("ledger prove --home h --serial {serial} --out p{serial}")).done();
        assert_eq!(proven(&place, &format!("p{serial}"), &log, &line, serial), events);
    }
    let table = place.run("ledger export --home h --out -").done().out;
    let line = |n: usize| table.lines().nth(n).unwrap();
    assert_eq!(line(0), "record,after,event,line,first,last,date,to,ship-to,document,part,lot,name");
    assert_eq!(line(2), "2,0,shipped,line 1,1,40,2026-03-10,5,,DN-1,,,Five");
    assert_eq!((table.lines().count(), line(4)), (9, "4,2,handed-over,line 1,1,10,2026-03-20,,,,,,Third & Sons"));
    place.run("ledger audit --home h --checkpoint c.note").says(0, "16 records, and 1 checkpoint that agree");
}

#[test]
fn a_witness_cosigns_one_history_and_no_other() {
    let (place, log) = with_ledger();
    key(&place, "witness.pem");
    let witness = "ledger witness --name witness.example/w1 --key witness.pem";
    let vkey = place.run(&format!("{witness} --print-key")).done().out.trim().to_owned();
    place.run("ledger checkpoint --home h --old 0 --request ask").done();
    std::fs::copy(place.path("h/ledger.db"), place.path("ledger.backup")).unwrap();
    let cosign = format!("{witness} --memory m --log {log} --request ask --out answer");
    place.run(&cosign).done();
    let take = format!("ledger checkpoint --home h --cosigned answer --witness {vkey} --out signed");
    place.run(&take).says(0, "checkpoint of 2 records, cosigned by 1 witness");
    let note = touchmark_formats::ledger::note::Note::parse(place.read("signed").as_bytes()).unwrap();
    assert!(note.signed_by(&vkey.parse().unwrap()).unwrap().is_some());
    place.run("ship --home h --serials 1-9 --to 5").done();
    place.run("ledger checkpoint --home h --old 0 --request ask").done();
    place
        .run(&cosign)
        .says(1, "error: this witness has seen 2 records of acme.example/ledger, not 0\nhint: ask again with --old 2");
    place.run("ledger checkpoint --home h --old 2 --request ask").done();
    place.run(&cosign).done();
    place.run(&take).says(0, "checkpoint of 5 records, cosigned by 1 witness");
    // The store of before, in which the goods went to somebody else.
    std::fs::copy(place.path("ledger.backup"), place.path("h/ledger.db")).unwrap();
    place.run("ship --home h --serials 1-9 --to 4711").done();
    place.run("ledger checkpoint --home h --old 2 --request ask").done();
    place
        .run(&cosign)
        .says(1, "error: this witness has seen 5 records of acme.example/ledger, not 2\nhint: ask again with --old 5");
    let forged = place.read("ask").replacen("old 2", "old 5", 1);
    place.write("ask", &forged);
    place.run(&cosign).says(
        1,
        "error: the checkpoint of 5 records is not a continuation of the one of 5 that was cosigned here\nhint: keep both: \
         they are proof that the log shows two histories",
    );
    let audit = place.run("ledger audit --home h --checkpoint signed");
    assert_eq!(audit.status, Some(1), "{audit:?}");
    assert!(audit.out.contains("a signed checkpoint of 5 records says otherwise"), "{audit:?}");
}

#[test]
fn what_only_another_has_is_not_handed_over() {
    let (place, _) = with_ledger();
    let line = line_key(&place);
    key(&place, "other.pem");
    place.run("ship --home h --serials 1-40 --to 5 --date 2026-03-10").done();
    place
        .run(&format!(
            "handover --key other.pem --line-key {line} --serials 1-10 --to Third --date 2026-03-20 --out h1.json"
        ))
        .done();
    place.run("ledger import --home h h1.json").says(
        1,
        "error: cannot hand over serials 1 to 10: Five has them, and its key is not on record\nhint: put its public key \
         into the column key of consignees.csv, compared by another way, and ship under that",
    );
    place.run("ledger import --home h marks.txt").says(2, "error: marks.txt: its first line must name columns of event, line, first, last, date, to, ship-to, document, part, lot");
    place.run("ledger init --home h").says(2, "error: h/ledger.json: this home has a ledger, and a maker has one");
}

#[test]
fn reels_and_lots_ship_by_their_names() {
    let place = Place::with_home();
    place.run("delegate grant --home h --new-line L2 --part P --lot A:1-30 --lot B:31-40 --from 2026-11-01").done();
    let mark = "mark --home h --line L2 --part P --date 2026-11-23 --format text";
    place.run(&format!("{mark} --lot A --count 30 --out codes")).done();
    place.run(&format!("{mark} --lot B --count 10 --out -")).done();
    let codes = place.read("codes");
    let lines: Vec<&str> = codes.split_inclusive('\n').collect();
    place.write("reel1", &[&lines[..4], &lines[6..10]].concat().concat()).write("reel2", &lines[10..20].concat());
    let pack = "pack --home h --line L2 --level reel --date 2026-11-23 --format text";
    place.run(&format!("{pack} --from reel1 --sscc 376104250021234569 --out r1")).done();
    place.run(&format!("{pack} --from reel2 --out r2")).done();
    place.run("ledger init --home h").done();
    let ship = "ship --home h --to 5 --date 2026-11-24";
    place.run(&format!("{ship} --container 376104250021234569")).says(
        1,
        "error: reel 376104250021234569: cannot ship serials 1 to 4: they were never commissioned\nhint: `touchmark-sign \
         ledger commission` puts made parts on record",
    );
    place.run(&format!("{ship} --lot A")).says(
        1,
        "error: lot A was never commissioned\nhint: `touchmark-sign ledger commission` puts made parts on record",
    );
    place.run("ledger commission --home h --line L2 --lot A").done();
    place.run("ledger commission --home h --line L2 --lot B").done();
    place
        .run(&format!("{ship} --container 376104250021234569"))
        .says(0, "record 3: serials 1 to 4 shipped on DATE\nrecord 4: serials 7 to 10 shipped on DATE");
    place.run(&format!("{ship} --container 106141412345678908")).says(
        1,
        "error: no container with SSCC 106141412345678908 is on record in h/packing.jsonl\nhint: scan its label, or name its \
         serials",
    );
    // The label of a reel without a number, as scanned; and again.
    place.run(&format!("{ship} --from r2")).says(0, "record 5: serials 11 to 20 shipped on DATE");
    place
        .run(&format!("{ship} --from r2"))
        .says(1, "error: reel: cannot ship serials 11 to 20: 11 to 20 are shipped on DATE (record 5)");
    // Of a lot goes what is there: not what is no more, but never what somebody has.
    place.run("ship --home h --line L2 --serials 5-6 --destroyed --date 2026-11-24").done();
    place
        .run(&format!("{ship} --lot A"))
        .says(1, "error: lot A: cannot ship serials 1 to 4: 1 to 4 are shipped on DATE (record 3)");
    place.run("ship --home h --from r1 --returned --date 2026-11-25").done();
    place.run("ship --home h --from r2 --returned --date 2026-11-25").done();
    place.run("ship --home h --to 1 --date 2026-11-26 --lot A --lot B").says(
        0,
        "record 11: serials 1 to 4 shipped on DATE\nrecord 12: serials 7 to 10 shipped on DATE\nrecord 13: serials 11 to 20 \
         shipped on DATE\nrecord 14: serials 21 to 30 shipped on DATE\nrecord 15: serials 31 to 40 shipped on DATE",
    );
    place.run("ledger audit --home h").says(0, "16 records, and 0 checkpoints that agree");
}

//! `ledger import` and `ledger export` of GS1 EPCIS 2.0 documents.

use crate::kit::Place;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use touchmark_signer::keys::{SecretKey, SigningKey};

const GTIN: &str = "04012345123456";

/// A home `h` with a ledger, in which serials 1 to 100 of part P, lot L, are marked. Customers 5 and 4711 have location
/// numbers, and P has a GTIN.
fn home() -> Place {
    let place = Place::with_home();
    place
        .run("mark --home h --part P --lot L --date 2026-03-02 --count 100 --format text --out m --consignee 5")
        .done();
    place.write(
        "h/consignees.csv",
        "number,name,country,address,lei,gln\n1,One,,,,\n5,Five,NL,\"Kade 12, Vlissingen\",506700GE1G29325QX363,0614141007776\n4711,Farina,DE,,,0012345111112\n",
    );
    place.write("h/gtins.csv", &format!("gtin,part\n{GTIN},P\n"));
    place.run("ledger init --home h --origin acme.example/ledger").done();
    place
}

fn document(events: &[Value]) -> String {
    let context = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld";
    json!({
        "@context": [context], "type": "EPCISDocument", "schemaVersion": "2.0",
        "creationDate": "2026-03-20T00:00:00Z", "epcisBody": { "eventList": events },
    })
    .to_string()
}

/// The SGTINs of some serials, as Digital Link URIs.
fn parts(serials: std::ops::RangeInclusive<u64>) -> Value {
    serials.map(|n| format!("https://id.gs1.org/01/{GTIN}/21/{n}")).collect()
}

/// An event of objects on a day of March 2026, with more fields.
fn event(day: u32, action: &str, step: &str, more: Value) -> Value {
    let mut event = json!({
        "type": "ObjectEvent", "eventTime": format!("2026-03-{day:02}T23:30:00Z"), "eventTimeZoneOffset": "+00:00",
        "action": action, "bizStep": step,
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

fn to(gln: &str) -> Value {
    json!([{ "type": "owning_party", "destination": format!("https://id.gs1.org/417/{gln}") }])
}

const FIVE: &str = "0614141007776";
const FARINA: &str = "0012345111112";

/// The table of events, without the numbers of records.
fn table(place: &Place, home: &str) -> Vec<String> {
    let table = place.run(&format!("ledger export --home {home} --out -")).done().out;
    table.lines().skip(1).map(|line| line.splitn(3, ',').nth(2).unwrap().to_owned()).collect()
}

fn published() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
    std::env::var_os("TOUCHMARK_VECTORS").map_or(default, PathBuf::from).join("epcis")
}

/// Holds a document against GS1's schema, by a validator that is not ours, where both are at hand: the schema is GS1's own
/// and no part of the project.
fn validate(path: &Path) {
    let schema = published().join("EPCIS-JSON-Schema.json");
    let script = "import json, sys, jsonschema\n\
                  schema, document = (json.load(open(name)) for name in sys.argv[1:])\n\
                  jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)";
    let python = |args: &[&std::ffi::OsStr]| std::process::Command::new("python3").args(args).output();
    let there = python(&["-c".as_ref(), "import jsonschema".as_ref()]).is_ok_and(|output| output.status.success());
    if !there || !schema.exists() {
        println!("skipped: {} and python3-jsonschema are needed (set TOUCHMARK_VECTORS)", schema.display());
        return;
    }
    let output = python(&["-c".as_ref(), script.as_ref(), schema.as_os_str(), path.as_os_str()]).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // A validator that takes anything would prove nothing.
    let bent = std::fs::read_to_string(path).unwrap().replace("\"OBSERVE\"", "\"SEEN\"");
    let other = path.with_extension("bent");
    std::fs::write(&other, bent).unwrap();
    let output = python(&["-c".as_ref(), script.as_ref(), schema.as_os_str(), other.as_os_str()]).unwrap();
    assert!(!output.status.success());
}

#[test]
fn what_is_exported_is_valid_and_makes_the_same_ledger_again() {
    let place = home();
    place.run("delegate grant --home h --new-line L2 --part Q").done();
    let delegation: Value = serde_json::from_str(&place.read("h/lines/line-1.json")).unwrap();
    let line = delegation["signed"]["key"].as_str().unwrap();
    let key = SecretKey::generate().unwrap();
    key.write(&place.path("d.pem"), None).unwrap();
    let table_of = format!(
        "number,name,country,address,key,gln\n5,Five,NL,\"Kade 12\",{},{FIVE}\n4711,Farina,DE,,,\n",
        key.public()
    );
    place.write("h/consignees.csv", &table_of).write("h/gtins.csv", &format!("gtin,part,line\n{GTIN},P,line 1\n"));
    place.run("ledger commission --home h --line \"line 1\" --lot L").done();
    place.run("ledger commission --home h --line L2 --serials 1-9 --part Q --date 2026-03-03").done();
    let ship = |what: &str| place.run(&format!("ship --home h --line {what}")).done();
    ship("\"line 1\" --serials 1-40 --to 5 --ship-to 4711 --document \"DN 1/7\" --date 2026-03-10");
    ship("L2 --serials 1-9 --to 4711 --date 2026-03-09");
    place
        .run(&format!("handover --key d.pem --line-key {line} --serials 1-9 --to \"Third & Sons\" --country TR --date 2026-03-20 --out h1.json"))
        .done();
    place.run("ledger import --home h h1.json").done();
    ship("\"line 1\" --serials 5-9 --corrected \"too many\" --date 2026-03-20");
    ship("\"line 1\" --serials 21-40 --returned --document RMA-7 --date 2026-03-21");
    ship("\"line 1\" --serials 21-40 --corrected \"not yet\" --date 2026-03-22");
    ship("\"line 1\" --serials 21-30 --corrected \"yet after all\" --date 2026-03-23");
    ship("\"line 1\" --serials 41-60 --destroyed --document scrap --date 2026-03-21");
    ship("\"line 1\" --serials 50-50 --corrected \"it was found\" --date 2026-03-22");
    ship("\"line 1\" --serials 50-50 --to 4711 --date 2026-03-22");
    // Its customer as it is known now.
    place.write("h/consignees.csv", &table_of.replace("Kade 12", "Kade 14"));
    ship("\"line 1\" --serials 61-61 --to 5 --date 2026-03-22");
    place.run("ledger checkpoint --home h --pad 8").done();
    place.run("ledger export --home h --format epcis --out e.jsonld").says(0, "13 events");
    validate(&place.path("e.jsonld"));
    let exported: Value = serde_json::from_str(&place.read("e.jsonld")).unwrap();
    let events = exported["epcisBody"]["eventList"].as_array().unwrap();
    let event = |n: usize| &events[n];
    assert_eq!(event(2)["epcList"][39], format!("https://id.gs1.org/01/{GTIN}/21/40"));
    assert_eq!(event(2)["destinationList"][0]["destination"], format!("https://id.gs1.org/417/{FIVE}"));
    assert_eq!(event(2)["destinationList"][1]["destination"], "https://acme.example/ledger/party/4711");
    assert_eq!(event(2)["bizTransactionList"][0]["bizTransaction"], "https://acme.example/ledger/bt/DN%201%2F7");
    // Whole corrections name the event that was wrong; of a part of a shipment they take that back.
    assert_eq!(
        (&event(7)["eventID"], &event(7)["errorDeclaration"]["reason"]),
        (&event(6)["eventID"], &json!("incorrect_data"))
    );
    assert_eq!(
        (event(5)["bizStep"].as_str(), event(5)["epcList"].as_array().unwrap().len()),
        (Some("void_shipping"), 5)
    );
    assert_ne!(event(5)["eventID"], event(4)["eventID"]);
    // The same lines' other ledger.
    let copy = std::process::Command::new("cp").args(["-r", "h", "h2"]).current_dir(place.path("")).status().unwrap();
    assert!(copy.success());
    for name in ["ledger.db", "ledger.json", "keys/ledger.pem"] {
        std::fs::remove_file(place.path("h2").join(name)).unwrap();
    }
    place.run("ledger init --home h2 --origin acme.example/ledger").done();
    place.run("ledger import --home h2 e.jsonld").done();
    assert_eq!(table(&place, "h2"), table(&place, "h"));
    place.run("ledger export --home h2 --format epcis --out e2.jsonld").done();
    let plain = |name: &str| {
        let mut document: Value = serde_json::from_str(&place.read(name)).unwrap();
        document["creationDate"] = Value::Null;
        for event in document["epcisBody"]["eventList"].as_array_mut().unwrap() {
            // Other salts, other names; and the map's roots are no events.
            event.as_object_mut().unwrap().retain(|name, _| name != "eventID" && name != "touchmark:record");
        }
        document
    };
    assert_eq!(plain("e2.jsonld"), plain("e.jsonld"));
    place.run("ledger audit --home h2").done();
    // In parts, of which the second goes on where the first ends.
    place.run("ledger export --home h --records 0-3 --format epcis --out part.jsonld").says(0, "2 events");
}

#[test]
fn events_of_the_trade_go_on_record() {
    let place = home();
    let sscc = "urn:epc:id:sscc:0614141.1234567890";
    let pack = |day, action: &str, children: Value| {
        let more = json!({ "type": "AggregationEvent", "parentID": sscc, "childEPCs": children });
        event(day, action, "packing", more)
    };
    let events = [
        // Not in the order of their times.
        event(
            11,
            "OBSERVE",
            "shipping",
            json!({
                "epcList": [sscc, format!("urn:epc:id:sgtin:4012345.012345.{}", 20)], "destinationList": to(FIVE),
                "bizTransactionList": [
                    { "type": "po", "bizTransaction": "http://transaction.acme.com/po/12345678" },
                    { "type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:0614141073467:1152" },
                ],
            }),
        ),
        event(2, "ADD", "commissioning", json!({ "epcList": parts(1..=30), "ilmd": { "cbvmda:lotNumber": "L" } })),
        pack(9, "ADD", parts(1..=12)),
        pack(10, "DELETE", parts(11..=12)),
        event(10, "OBSERVE", "inspecting", json!({ "epcList": parts(1..=2) })),
        event(
            13,
            "OBSERVE",
            "receiving",
            json!({ "epcList": [sscc], "readPoint": { "id": format!("https://id.gs1.org/414/{FIVE}") } }),
        ),
        event(14, "OBSERVE", "void_shipping", json!({ "epcList": parts(20..=20) })),
        event(15, "OBSERVE", "receiving", json!({ "epcList": parts(3..=4), "disposition": "returned" })),
        event(16, "DELETE", "https://ref.gs1.org/cbv/BizStep-destroying", json!({ "epcList": parts(3..=3) })),
        // The last hour of the 17th is the 18th, an hour to the east.
        event(
            17,
            "OBSERVE",
            "shipping",
            json!({
                "eventTimeZoneOffset": "+01:00", "destinationList": to(FARINA),
                "quantityList": [{ "epcClass": "urn:epc:class:lgtin:4012345.012345.L2", "quantity": 2 }],
            }),
        ),
        event(2, "ADD", "commissioning", json!({ "epcList": parts(41..=42), "ilmd": { "cbvmda:lotNumber": "L2" } })),
    ];
    place.write("e.jsonld", &document(&events));
    place.run("ledger import --home h e.jsonld").says(
        0,
        "note: passed over, for they say nothing of where parts went: event 3: packing, event 4: packing, event 5: inspecting\n1 \
         event of parts received, which confirm what is on record\n8 events on record, the last of them record 9",
    );
    assert_eq!(
        table(&place, "h"),
        [
            "commissioned,line 1,1,30,2026-03-02,,,,P,L,",
            "commissioned,line 1,41,42,2026-03-02,,,,P,L2,",
            "shipped,line 1,1,10,2026-03-11,5,,1152,,,Five",
            "shipped,line 1,20,20,2026-03-11,5,,1152,,,Five",
            "corrected,line 1,20,20,2026-03-14,,,void_shipping,,,",
            "returned,line 1,3,4,2026-03-15,,,,,,",
            "destroyed,line 1,3,3,2026-03-16,,,,,,",
            "shipped,line 1,41,42,2026-03-18,4711,,,,,Farina",
        ]
    );
    // An error declared later, of the event as it was.
    let again = json!({
        "epcList": parts(41..=42), "destinationList": to(FARINA), "eventTimeZoneOffset": "+01:00",
        "errorDeclaration": { "declarationTime": "2026-03-25T00:00:00Z", "reason": "did_not_occur" },
    });
    place.write("e.jsonld", &document(&[event(17, "OBSERVE", "shipping", again)]));
    place.run("ledger import --home h e.jsonld").says(0, "1 event on record, the last of them record 10");
    place.run("ledger audit --home h").says(0, "11 records, and 0 checkpoints that agree");
}

#[test]
fn what_cannot_be_said_in_the_ledger_is_refused_with_its_place() {
    let place = home();
    place.run("ledger commission --home h --lot L").done();
    place.run("ship --home h --serials 1-9 --to 5 --date 2026-03-10").done();
    let before = table(&place, "h");
    let ship = |epcs: Value| event(11, "OBSERVE", "shipping", json!({ "epcList": epcs, "destinationList": to(FIVE) }));
    let declared = |serials: std::ops::RangeInclusive<u64>, day| {
        let declaration = json!({ "declarationTime": "2026-03-25T00:00:00Z" });
        event(day, "OBSERVE", "shipping", json!({ "epcList": parts(serials), "errorDeclaration": declaration }))
    };
    let received = |serials, gln: &str| {
        let place = json!({ "id": format!("urn:epc:id:sgln:{gln}.0") });
        event(12, "OBSERVE", "receiving", json!({ "epcList": parts(serials), "bizLocation": place }))
    };
    for (second, status, why) in [
        (ship(parts(9..=10)), 1, "cannot ship serials 9 to 9: 9 to 9 are shipped on 2026-03-10 (record 2)"),
        (ship(parts(100..=101)), 1, "cannot ship serials 101 to 101: they were never commissioned"),
        (
            ship(json!([format!("https://id.gs1.org/01/{GTIN}/21/017")])),
            2,
            "\"017\" is no serial of a part with GTIN 04012345123456",
        ),
        (ship(json!(["urn:epc:id:sgtin:4012345.098765.1"])), 2, "no row of gtins.csv has GTIN 04012345987652"),
        (
            ship(json!([format!("https://id.gs1.org/01/{GTIN}/10/X/21/17")])),
            1,
            "serials 17 to 17 were made as P, lot L (record 0), and are named otherwise here",
        ),
        (
            ship(json!(["urn:epc:id:sscc:0614141.1234567890"])),
            1,
            "which parts are in container 106141412345678908 is not known",
        ),
        (
            ship(json!(["urn:epc:id:giai:4000001.111"])),
            2,
            "names no part: neither an SGTIN, an SSCC nor a URI of this ledger",
        ),
        (ship(json!([])), 2, "it names no parts"),
        (
            event(11, "OBSERVE", "shipping", json!({ "epcList": parts(10..=11) })),
            2,
            "it does not say to whom: it has no destinationList",
        ),
        (
            event(
                11,
                "OBSERVE",
                "shipping",
                json!({ "epcList": parts(10..=11), "destinationList": to("4012345000009") }),
            ),
            2,
            "no customer in consignees.csv is https://id.gs1.org/417/4012345000009",
        ),
        (
            event(
                11,
                "OBSERVE",
                "shipping",
                json!({ "destinationList": to(FIVE), "quantityList": [{ "epcClass": "urn:epc:class:lgtin:4012345.012345.L", "quantity": 7 }] }),
            ),
            2,
            "a quantity other than the 100 parts of the whole lot does not say which",
        ),
        (
            event(1, "OBSERVE", "shipping", json!({ "epcList": parts(10..=11), "destinationList": to(FIVE) })),
            1,
            "cannot ship serials 10 to 11: 2026-03-01 is before 2026-03-02",
        ),
        (
            event(
                11,
                "OBSERVE",
                "shipping",
                json!({ "epcList": parts(10..=11), "destinationList": to(FIVE), "eventTime": "2005-04-03T20:33:31.116-06:00" }),
            ),
            2,
            "2005-04-04 is no day of the ledger's",
        ),
        (
            event(11, "OBSERVE", "decommissioning", json!({ "epcList": parts(10..=11) })),
            2,
            "a mark is not taken off its part again",
        ),
        (
            event(11, "ADD", "commissioning", json!({ "epcList": parts(90..=110) })),
            1,
            "cannot commission serials 90 to 110: 90 to 98 are commissioned on 2026-03-02 (record 0)",
        ),
        (received(1..=2, "0012345.11111"), 1, "Farina received serials 1 to 2, and Five has them (record 2)"),
        (
            received(10..=11, "0614141.00777"),
            1,
            "Five received serials 10 to 11, which are commissioned on 2026-03-02 (record 0)",
        ),
        (received(1..=2, "4012345.00000"), 2, "no customer in consignees.csv is urn:epc:id:sgln:4012345.00000.0"),
        (event(12, "OBSERVE", "receiving", json!({ "epcList": parts(1..=2) })), 2, "it does not say who received them"),
        (
            declared(1..=9, 11),
            1,
            "it says that what was shipped is wrong, and serials 1 to 9 are shipped on 2026-03-10 (record 2)",
        ),
        (declared(10..=11, 10), 1, "it says that what was shipped is wrong, and serials 10 to 99"),
    ] {
        let good = event(2, "OBSERVE", "shipping", json!({ "epcList": parts(99..=99), "destinationList": to(FIVE) }));
        place.write("e.jsonld", &document(&[good, second.clone()]));
        let ran = place.run("ledger import --home h e.jsonld");
        let why = why.replace("10 to 99", "10 to 11");
        let place_of = if ran.err.contains("event 1:") { "event 1" } else { "event 2" };
        assert!(
            ran.err.starts_with(&format!("error: e.jsonld, {place_of}: ")) && ran.err.contains(&why),
            "{why}\n{ran:?}"
        );
        assert_eq!((ran.status, place_of), (Some(status), "event 2"), "{ran:?}");
    }
    // Nothing of any of these documents is on record.
    assert_eq!(table(&place, "h"), before);
    place.write("e.jsonld", "{\"type\": \"EPCISDocument\", \"epcisBody\": {\n\"eventList\": [{\"type\": 7}]}}");
    let ran = place.run("ledger import --home h e.jsonld");
    assert!(
        ran.err.starts_with("error: e.jsonld: no EPCIS document: invalid type") && ran.err.contains("line 2"),
        "{ran:?}"
    );
}

/// GS1's documents are under its own terms, and no part of the project: read where `TOUCHMARK_VECTORS` names a folder that
/// holds them.
#[test]
fn gs1s_own_examples_are_taken_or_refused_with_their_place() {
    let folder = published().join("JSON");
    if !folder.exists() {
        println!("skipped: {} is not there (set TOUCHMARK_VECTORS)", folder.display());
        return;
    }
    let place = home();
    place.write("h/gtins.csv", "gtin,part\n10614141073464,P\n70614141123451,D\n");
    let made = "ledger commission --home h --date 2024-01-02 --serials";
    place.run(&format!("{made} 2017-2018 --part P")).done();
    place.run("ledger export --home h --out empty.csv").done();
    std::fs::copy(place.path("h/ledger.db"), place.path("fresh.db")).unwrap();
    // The years of the examples are before the first of a mark.
    let import = |name: &str, before: &str| {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(place.path(&format!("h/ledger.db{suffix}")));
        }
        std::fs::copy(place.path("fresh.db"), place.path("h/ledger.db")).unwrap();
        for line in before.lines() {
            place.run(line).done();
        }
        let mut text = std::fs::read_to_string(folder.join(name)).unwrap();
        for year in 2005..2020 {
            text = text.replace(&format!("\"{year}-"), &format!("\"{}-", year + 20));
        }
        place.write("gs1.jsonld", &text);
        place.run("ledger import --home h --to 4711 gs1.jsonld")
    };
    let import_whole = |name: &str, before: &str| (import(name, before), table(&place, "h"));
    let sent = "shipped,line 1,2017,2018,2025-04-03,4711,,http://transaction.acme.com/po/12345678,,,Farina";
    let (ran, table) = import_whole("Example_9.6.1-ObjectEvent.jsonld", "");
    ran.says(
        0,
        "1 event of parts received, which confirm what is on record\n1 event on record, the last of them record 2",
    );
    assert_eq!(table[1..], [sent]);
    for name in ["Example_9.6.1-ObjectEvent-with-pseudo-SBDH-headers.jsonld", "Example_9.6.1-with-comment.jsonld"] {
        assert_eq!(import_whole(name, "").1[1..], [sent], "{name}");
    }
    let shipped = "ship --home h --serials 2017-2018 --to 4711 --date 2025-04-03";
    let (ran, table) =
        import_whole("WithErrorDeclaration/Example_9.6.1-ObjectEvent-with-error-declaration.jsonld", shipped);
    // The second event says that one of them was received all the same.
    assert!(ran.err.contains("gs1.jsonld, event") && table.len() == 2, "{ran:?}");
    let ran =
        import("Example_9.6.3-AggregationEvent.jsonld", "ship --home h --serials 2017-2018 --to 5 --date 2025-04-03");
    assert!(
        ran.status == Some(2) && ran.err.contains("no customer in consignees.csv is urn:epc:id:sgln:0614141.00888.0")
            || ran.status == Some(0),
        "{ran:?}"
    );
    let digital_link = "WithDigitalLinkID/Example_9.6.1-ObjectEventWithDigitalLink.jsonld";
    let ran = import(digital_link, "");
    assert!(ran.err.contains("were made as P (record 0), and are named otherwise here"), "{ran:?}");
    let mut seen = 0;
    for sub in [
        "",
        "AssociationEvent",
        "WithDigitalLinkID",
        "WithErrorDeclaration",
        "WithFullCombinationOfFields",
        "WithSensorData",
    ] {
        for entry in std::fs::read_dir(folder.join(sub)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "jsonld") {
                continue;
            }
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            let ran = import(&name, "");
            // One has a field twice, and so says two things.
            let placed = ran.err.starts_with("error: gs1.jsonld, event ")
                || ran.err.contains("duplicate field `eventID` at line");
            let refused = ran.status != Some(0) && placed;
            assert!(ran.status == Some(0) || refused, "{name}: {ran:?}");
            seen += 1;
        }
    }
    assert!(seen > 40, "{seen}");
}

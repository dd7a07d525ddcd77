//! Disclosures open exactly what they are about.

use super::kit::{Place, marks};
use ed25519_dalek::{Signer as _, SigningKey};
use touchmark_formats::disclosure::{Disclosure, Grant};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::Place as Spot;
use touchmark_formats::ledger::request::TraceRequest;
use touchmark_formats::ledger::trail::Trail;
use touchmark_formats::mark::{Serial, SignedMark};
use touchmark_formats::signed::{Signed, message};
use touchmark_formats::trust::Trust;

struct Reader(age::x25519::Identity);

impl Reader {
    fn new() -> Self {
        Self(age::x25519::Identity::generate())
    }

    fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    fn open(&self, place: &Place, file: &str) -> Signed<Disclosure> {
        let sealed = std::fs::read(place.path(file)).unwrap();
        assert!(sealed.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
        Signed::<Disclosure>::open_for(&age::decrypt(&self.0, &sealed).unwrap(), &self.recipient()).unwrap()
    }
}

/// Two lots on two days, for two of three customers.
fn goods() -> (Place, Vec<SignedMark>) {
    let place = Place::with_home();
    place.write(
        "h/consignees.csv",
        "number,name,country,address\n41,Alpha BV,NL,\"Kade 1, Delft\"\n42,Beta GmbH,DE,\n43,Gamma,,\n",
    );
    let today = today();
    let tomorrow = today.next().unwrap();
    let rows = format!(
        "part,lot,date,consignee\nP,L1,{today},41\nP,L1,{tomorrow},41\nP,L2,{today},42\nP,L2,{today},\nP,L3,{tomorrow},44\n"
    );
    let ran = place.run_with("mark --home h --csv - --format text --out -", &rows).done();
    let made = marks(&ran.out);
    (place, made)
}

fn today() -> touchmark_formats::date::Date {
    touchmark_signer::init::today(jiff::Timestamp::now()).unwrap()
}

/// What a disclosure says of each mark: none, that it does not open, or the number.
fn opened(place: &Place, disclosure: &Disclosure, marks: &[SignedMark]) -> Vec<Option<Option<u64>>> {
    let bundle = Trust::open(&std::fs::read(place.path("h/trust.json")).unwrap()).unwrap();
    let key = bundle.signed.makers[0].delegations[0].signed.key;
    marks.iter().map(|m| disclosure.consignee(&key, &m.mark, m.mark.lot.as_ref())).collect()
}

#[test]
fn a_lot_opens_on_all_its_days_and_nothing_else_does() {
    let (place, marks) = goods();
    let reader = Reader::new();
    let ran = place.run(&format!("disclose --home h --lot L1 --to {} --case K-7 --out d.age", reader.recipient()));
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert_eq!(ran.err, format!("lot L1: 2 keys and 1 consignee for {}\n", reader.recipient()));
    let disclosure = reader.open(&place, "d.age").signed;
    assert_eq!(opened(&place, &disclosure, &marks), [Some(Some(41)), Some(Some(41)), None, None, None]);
    let names = disclosure.consignees.iter().map(|c| c.name.as_str()).collect::<Vec<_>>();
    assert_eq!((names, disclosure.case.as_str()), (vec!["Alpha BV"], "K-7"));
    assert_eq!(disclosure.consignees[0].address.as_deref(), Some("Kade 1, Delft"));
}

#[test]
fn a_span_of_days_opens_by_day_keys() {
    let (place, marks) = goods();
    let (reader, day) = (Reader::new(), today());
    place.run(&format!("disclose --home h --from {day} --until {day} --to {} --out d.age", reader.recipient())).done();
    let disclosure = reader.open(&place, "d.age").signed;
    assert_eq!(opened(&place, &disclosure, &marks), [Some(Some(41)), None, Some(Some(42)), None, None]);
    assert!(matches!(disclosure.grants.as_slice(), [Grant::Day { date, .. }] if *date == day));
    assert_eq!(disclosure.consignees.len(), 2);
}

#[test]
fn chosen_serials_open_by_item_keys_and_unnamed_consignees_are_told() {
    let (place, marks) = goods();
    let reader = Reader::new();
    let ran = place.run(&format!("disclose --home h --serials 1,5 --to {} --out d.age", reader.recipient())).done();
    assert!(ran.err.ends_with("warning: not in h/consignees.csv: consignee 44\n"), "{ran:?}");
    let disclosure = reader.open(&place, "d.age").signed;
    assert_eq!(opened(&place, &disclosure, &marks), [Some(Some(41)), None, None, None, Some(Some(44))]);
    assert!(disclosure.grants.iter().all(|g| matches!(g, Grant::Item { .. })));
}

#[test]
fn what_is_not_on_record_is_refused_unless_its_day_is_named() {
    let (place, _) = goods();
    let reader = Reader::new();
    let to = reader.recipient();
    place.run(&format!("disclose --home h --lot L9 --to {to} --out d.age")).says(
        2,
        "error: no mark of lot L9 is on record in this home\nhint: if the lot was marked elsewhere, name the days with \
         --date D, as often as needed",
    );
    place
        .run(&format!("disclose --home h --serials 1-99 --to {to} --out d.age"))
        .says(2, "error: serial 6 is not on record in this home");
    assert_eq!(
        place
            .run(&format!("disclose --home h --lot L1 --from {} --until {} --to {to} --out d", today(), today()))
            .status,
        Some(2)
    );
    place
        .run(&format!("disclose --home h --from 2021-01-01 --until 2021-01-02 --to {to} --out d.age"))
        .says(2, "error: the disclosure key of 2021 is not here, or was destroyed");
    assert!(!place.path("d.age").exists());
    let line = format!("disclose --home h --lot L9 --date {} --consignee 43 --to {to} --out d.age", today());
    place.run(&line).done();
    let disclosure = reader.open(&place, "d.age").signed;
    assert_eq!((disclosure.grants.len(), disclosure.consignees[0].number), (1, 43));
}

#[test]
fn a_recipient_that_is_none_is_refused() {
    let place = Place::with_home();
    place.run("disclose --home h --lot L --to age1nobody --out d.age").says(
        2,
        "error: \"age1nobody\" is not an age recipient: invalid Bech32 encoding\nhint: the reader makes one with \
         `age-keygen`, and sends the public key, which begins with age1",
    );
}

/// A disclosure is written only if its reader will take it: texts have the limits of SPEC.md, section 7.
#[test]
fn texts_are_held_to_what_a_reader_accepts() {
    let (place, _) = goods();
    let reader = Reader::new();
    let to = reader.recipient();
    let disclose =
        |case: &str| place.run(&format!("disclose --home h --lot L1 --to {to} --out d.age --case \"{case}\""));
    disclose(&"é".repeat(250)).done();
    assert_eq!(reader.open(&place, "d.age").signed.case, "é".repeat(250));
    for case in ["x".repeat(501), "K\u{200B}7".into(), "K\u{7F}".into()] {
        disclose(&case).says(2, "error: --case: more than 500 bytes, or control or invisible characters");
    }
    let address = "x".repeat(500);
    place.write("h/consignees.csv", &format!("\u{FEFF}number;name;country;address\r\n41;Alpha BV;NL;{address}\r\n"));
    disclose("K-7").done();
    assert_eq!(reader.open(&place, "d.age").signed.consignees[0].address.as_deref(), Some(&*address));
}

#[test]
fn customers_are_held_to_the_table_form() {
    let (place, _) = goods();
    let to = Reader::new().recipient();
    for (table, error) in [
        (
            "nr,name\n",
            "error: h/consignees.csv: its first line must be \"number,name,country,address\", with any of lei, eori, duns, \
             key, gln after that",
        ),
        (
            "number,name,country,address\n1,A,NL,\n1,B,NL,\n",
            "error: h/consignees.csv, line 3: number 1 stands there twice",
        ),
        (
            "number,name,country,address\nx,A,NL,\n",
            "error: h/consignees.csv, line 2: \"x\" is not a number from 0 to 1099511627775",
        ),
        (
            "number,name,country,address\n1,,NL,\n",
            "error: h/consignees.csv, line 2: the name \"\" must have 1 to 63 bytes",
        ),
        (
            "number,name,country,address\n1,A,NL,Kade\u{202E}1\n",
            "error: h/consignees.csv, line 2: the address is longer than 500 bytes, or has control or invisible characters",
        ),
    ] {
        place.write("h/consignees.csv", table);
        place.run(&format!("disclose --home h --lot L1 --to {to} --out d.age")).says(2, error);
    }
}

/// Writes a trace request for these serials to `request`, and gives the key that signed it.
fn ask(place: &Place, reader: &Reader, serials: &[u64]) -> KeyBytes {
    let bundle = Trust::open(&std::fs::read(place.path("h/trust.json")).unwrap()).unwrap();
    let line = bundle.signed.makers[0].delegations[0].signed.key;
    let key = SigningKey::from_bytes(&[7; 32]);
    let mut request = Signed::new(TraceRequest {
        requester: "Customs".parse().unwrap(),
        recipient: reader.recipient(),
        case: "K-7".into(),
        created: "2026-12-01T00:00:00Z".parse().unwrap(),
        places: serials.iter().map(|n| Spot { line, serial: Serial::new(*n).unwrap() }).collect(),
    });
    let public = KeyBytes(key.verifying_key().to_bytes());
    let signature = key.sign(&message(&request.signed)).to_bytes();
    request.attach(public, signature);
    place.write("request", &request.to_json());
    public
}

#[test]
fn a_request_is_answered_with_records_or_with_keys_and_by_keys_under_a_passphrase() {
    let place = Place::new();
    place.write("pass", "a passphrase that is long enough\n");
    place.run("init h --maker Acme --country NL --passphrase-file pass").done();
    place.write("h/consignees.csv", "number,name,country,address\n41,Alpha BV,NL,\n42,Beta,,\n");
    let rows = "part,lot,consignee\nP,L1,41\nP,L1,42\n";
    let made =
        marks(&place.run_with("mark --home h --passphrase-file pass --csv - --format text --out -", rows).done().out);
    let init = place.run("ledger init --home h --passphrase-file pass").done();
    assert!(init.err.contains("h/trust.json: its key is in it, under a new version"), "{init:?}");
    place.run("ledger commission --home h --passphrase-file pass --lot L1").done();
    let reader = Reader::new();
    let key = ask(&place, &reader, &[2]);
    let disclose = format!("disclose --home h --request request --requester {key} --out d.age");
    let refused = place.run(&disclose);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    assert!(refused.err.starts_with("error: a passphrase is needed") && !place.path("d.age").exists(), "{refused:?}");

    let ran = place.run(&format!("{disclose} --passphrase-file pass")).done();
    assert_eq!(ran.err.lines().last(), Some("1 serial: 2 records with their proofs for Customs, case \"K-7\""));
    let json = age::decrypt(&reader.0, &std::fs::read(place.path("d.age")).unwrap()).unwrap();
    let trail = Signed::<Trail>::open_for(&json, &reader.recipient()).unwrap().signed;
    assert_eq!(trail.prove().unwrap().chains[0].links.len(), 1);
    // The bundle names the ledger that answers.
    let bundle = Trust::open(&std::fs::read(place.path("h/trust.json")).unwrap()).unwrap();
    assert_eq!(bundle.signed.makers[0].own_ledger(), Some(&trail.ledger.signed));

    let ran = place.run(&format!("{disclose} --consignees --passphrase-file pass")).done();
    assert_eq!(ran.err.lines().last(), Some(&*format!("1 serial: 1 key and 1 consignee for {}", reader.recipient())));
    let disclosure = reader.open(&place, "d.age").signed;
    assert_eq!(opened(&place, &disclosure, &made), [None, Some(Some(42))]);
    assert_eq!((disclosure.case.as_str(), disclosure.consignees[0].name.as_str()), ("K-7", "Beta"));
    // Both are in the maker's own record.
    assert_eq!(place.read("h/disclosed.jsonl").lines().count(), 2);

    let other = KeyBytes(SigningKey::from_bytes(&[8; 32]).verifying_key().to_bytes());
    let ran = place.run(&format!("disclose --home h --request request --requester {other} --consignees --out e.age"));
    assert_eq!((ran.status, place.path("e.age").exists()), (Some(1), false), "{ran:?}");
    assert_eq!(place.run("disclose --home h --lot L1 --consignees --to age1 --out e.age").status, Some(2));
}

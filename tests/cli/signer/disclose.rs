//! Disclosures open exactly what they are about.

use super::kit::{Place, marks};
use touchmark_formats::disclosure::{Disclosure, Grant};
use touchmark_formats::mark::SignedMark;
use touchmark_formats::signed::Signed;
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
        Disclosure::open(&age::decrypt(&self.0, &sealed).unwrap(), &self.recipient()).unwrap()
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
             key after that",
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

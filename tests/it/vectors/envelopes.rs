//! envelopes.json: delegations, bundles, pins and disclosures that hold, and that must be refused.

use super::{closes, hex, list, stored, text};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use testkit::maker::{TestMaker, date, label, public, serial, signed};
use touchmark_formats::close::LotClose;
use touchmark_formats::delegation::{Delegation, DelegationError, Lot, SerialRange};
use touchmark_formats::disclosure::{Consignee, DisclosedKey, Disclosure, Grant, Scope};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::{Document, SignatureBytes, Signed, message};
use touchmark_formats::trust::{Authority, Pin, Signer, Trust};

const RECIPIENT: &str = "age1exampleexampleexampleexampleexampleexampleexampleexample";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// A case of `kind`: the file, what is known beforehand, and the name of the refusal, or null.
fn case(kind: &str, name: &str, file: impl Into<String>, known: Value, error: Option<&str>) -> Value {
    json!({"kind": kind, "name": name, "file": file.into(), "known": known, "error": error})
}

/// The file of `envelope` with `from` replaced once by `to`.
fn with<T: Document>(envelope: &Signed<T>, from: &str, to: &str) -> String {
    let file = envelope.to_json();
    assert!(file.contains(from), "{from}");
    file.replacen(from, to, 1)
}

fn delegations() -> Vec<Value> {
    let maker = TestMaker::listed(1);
    let root = json!({"maker": public(&maker.root)});
    let good = signed(maker.delegation.clone(), &[&maker.root]);
    let bent = |bend: fn(&mut Delegation)| {
        let mut delegation = maker.delegation.clone();
        bend(&mut delegation);
        signed(delegation, &[&maker.root]).to_json()
    };
    let case = |name, file: String, error| case("delegation", name, file, root.clone(), error);
    let lot = |first, last| Lot { lot: label("L"), serials: SerialRange { first: serial(first), last: serial(last) } };
    let mut overlapping = maker.delegation.clone();
    overlapping.lots = vec![lot(0, 10), lot(10, 20)];
    let mut touching = maker.delegation.clone();
    touching.lots = vec![lot(0, 10), lot(11, 20)];
    let mut weak = maker.delegation.clone();
    weak.key = KeyBytes([0; 32]);
    let unsigned: Signed<Delegation> = Signed::new(maker.delegation.clone());
    let mut crowded = good.clone();
    crowded.signatures = vec![good.signatures[0].clone(); 65];
    let mut twice = good.clone();
    let wrong = SignatureBytes([7; 64]);
    twice
        .signatures
        .insert(0, touchmark_formats::signed::SignatureEntry { key: public(&maker.root), signature: wrong });
    vec![
        case("good", good.to_json(), None),
        case("other spacing and order", serde_json::to_string(&serde_json::to_value(&good).unwrap()).unwrap(), None),
        case("lots that touch", signed(touching, &[&maker.root]).to_json(), None),
        case("a wrong signature by the same key stands first", twice.to_json(), None),
        case("no signature", unsigned.to_json(), Some("root-signature")),
        case(
            "signed by the line itself",
            signed(maker.delegation.clone(), &[&maker.line]).to_json(),
            Some("root-signature"),
        ),
        case("a changed site", with(&good, "\"site\": 17", "\"site\": 18"), Some("root-signature")),
        case(
            "another maker's",
            signed(TestMaker::new(2).delegation, &[&TestMaker::new(2).root]).to_json(),
            Some("other-maker"),
        ),
        case("no consent of the line", bent(|d| d.possession = SignatureBytes([0; 64])), Some("possession")),
        case("consent under another line name", bent(|d| d.line = label("line 2")), Some("possession")),
        case("a weak line key", signed(weak, &[&maker.root]).to_json(), Some("line-key")),
        case(
            "serials that end before they begin",
            bent(|d| d.serials.last = serial(1)).replacen("\"first\": 0", "\"first\": 2", 1),
            Some("empty-range"),
        ),
        case("dates that end before they begin", bent(|d| d.not_after = date("2025-12-31")), Some("empty-range")),
        case("a part twice", bent(|d| d.parts.push(d.parts[0].clone())), Some("lists")),
        case("lots that overlap", signed(overlapping, &[&maker.root]).to_json(), Some("lists")),
        case("capsules of two bytes", bent(|d| d.capsule_bytes = 2), Some("capsule-size")),
        case("capsules of nine bytes", bent(|d| d.capsule_bytes = 9), Some("capsule-size")),
        case("65 signatures", crowded.to_json(), Some("json")),
    ]
}

/// Whatever the document, these are no envelopes of it.
fn shapes() -> Vec<Value> {
    let maker = TestMaker::listed(1);
    let root = json!({"maker": public(&maker.root)});
    let good = signed(maker.delegation.clone(), &[&maker.root]);
    let case = |name, file: String, error| case("delegation", name, file, root.clone(), Some(error));
    let bent = |name, from, to, error| case(name, with(&good, from, to), error);
    vec![
        case("no bytes", String::new(), "json"),
        case("not JSON", "touchmark".into(), "json"),
        case("a byte order mark", format!("\u{feff}{}", good.to_json()), "json"),
        case("something after the end", good.to_json() + "{}", "json"),
        case("another type", signed(maker.trust(), &[&maker.authority]).to_json(), "type"),
        bent("a later version", "touchmark/v1/delegation", "touchmark/v2/delegation", "type"),
        bent("an unknown member", "\"site\": 17", "\"site\": 17, \"colour\": 1", "json"),
        bent("an unknown member beside the document", "\"signed\":", "\"comment\": 1, \"signed\":", "json"),
        bent("a missing member", "\"site\": 17,", "", "json"),
        bent("a member twice", "\"site\": 17", "\"site\": 17, \"site\": 17", "json"),
        bent("a fraction", "\"site\": 17", "\"site\": 17.0", "json"),
        bent("an exponent", "\"site\": 17", "\"site\": 17e0", "json"),
        bent("a number as text", "\"site\": 17", "\"site\": \"17\"", "json"),
        bent("a number beyond its range", "\"site\": 17", "\"site\": 65536", "json"),
        bent("a serial of 2^53", "\"last\": 9007199254740991", "\"last\": 9007199254740992", "json"),
        bent("a date in another spelling", "2026-01-01", "2026-1-1", "json"),
        bent("a day that does not exist", "2026-01-01", "2026-02-30", "json"),
        bent("a label with a space at its end", "\"line 1\"", "\"line 1 \"", "json"),
        bent("base64 without padding", "=\"", "\"", "json"),
        bent(
            "a list in place of an object",
            "\"serials\": {\n      \"first\": 0,\n      \"last\": 9007199254740991\n    }",
            "\"serials\": [0, 9007199254740991]",
            "json",
        ),
    ]
}

fn signer(holder: &str, seed: u8) -> Signer {
    Signer { holder: label(holder), key: public(&key(seed)) }
}

/// Two of three: Anna holds two of the four keys.
fn two_of_three() -> Trust {
    let mut trust = TestMaker::listed(1).trust();
    trust.version = 7;
    trust.authority.threshold = 2;
    trust.authority.signers = vec![signer("Anna", 1), signer("Anna", 2), signer("Bert", 3), signer("Carl", 4)];
    trust
}

/// The same, with a closed lot.
fn closing() -> Trust {
    let mut trust = two_of_three();
    trust.makers[0].closed = vec![closes::good(&TestMaker::listed(1))];
    trust
}

/// A bundle signed in form, whose first delegation holds 65 signatures.
fn crowded(trust: &Trust) -> Signed<Trust> {
    let mut trust = trust.clone();
    let signatures = &mut trust.makers[0].delegations[0].signatures;
    *signatures = vec![signatures[0].clone(); 65];
    signed(trust, &[&key(1), &key(3)])
}

fn bundles() -> Vec<Value> {
    let trust = two_of_three();
    let bare = case;
    let case = |name, bundle: &Signed<Trust>, error| bare("trust", name, bundle.to_json(), Value::Null, error);
    let by = |seeds: &[u8]| {
        signed(trust.clone(), &seeds.iter().map(|s| key(*s)).collect::<Vec<_>>().iter().collect::<Vec<_>>())
    };
    let bent = |bend: fn(&mut Trust), seeds: [u8; 2]| {
        let mut trust = trust.clone();
        bend(&mut trust);
        signed(trust, &[&key(seeds[0]), &key(seeds[1])])
    };
    let mut repeated = by(&[3]);
    repeated.signatures.push(repeated.signatures[0].clone());
    let mut swapped = by(&[1, 3]);
    (swapped.signatures[0].signature, swapped.signatures[1].signature) =
        (swapped.signatures[1].signature, swapped.signatures[0].signature);
    let mut later = by(&[1, 3]);
    later.signed.version = 8;
    let crowd = |t: &mut Trust| t.authority.signers = (1..=65).map(|n| signer(&format!("holder {n}"), n)).collect();
    let time = with(&by(&[1, 3]), "2027-11-23T00:00:00Z", "2027-11-23T01:00:00+01:00");
    vec![
        case("two holders", &by(&[1, 3]), None),
        case("all keys", &by(&[1, 2, 3, 4]), None),
        case("two holders and a stranger", &by(&[1, 3, 99]), None),
        case("a closed lot", &signed(closing(), &[&key(1), &key(3)]), None),
        bare(
            "trust",
            "a list of no closed lots",
            with(&by(&[1, 3]), "\"delegations\"", "\"closed\": [], \"delegations\""),
            Value::Null,
            Some("json"),
        ),
        case("one holder", &by(&[3]), Some("signatures")),
        case("one key's signature twice", &repeated, Some("signatures")),
        case("two keys of one holder", &by(&[1, 2]), Some("signatures")),
        case("a holder and a stranger", &by(&[3, 99]), Some("signatures")),
        case("signatures under each other's key", &swapped, Some("signatures")),
        case("changed after signing", &later, Some("signatures")),
        case("a threshold of nobody", &bent(|t| t.authority.threshold = 0, [1, 3]), Some("authority")),
        case("more than there are holders", &bent(|t| t.authority.threshold = 4, [1, 3]), Some("authority")),
        case(
            "a key under two holders",
            &bent(|t| t.authority.signers.push(signer("Dora", 1)), [1, 3]),
            Some("authority"),
        ),
        case("65 signers", &bent(crowd, [1, 3]), Some("authority")),
        case("a root key twice", &bent(|t| t.makers.push(t.makers[0].clone()), [1, 3]), Some("duplicate-maker")),
        bare(
            "trust",
            "a delegation of another type",
            with(&by(&[1, 3]), "touchmark/v1/delegation", "touchmark/v1/deletion"),
            Value::Null,
            Some("json"),
        ),
        bare("trust", "a delegation of 65 signatures", crowded(&trust).to_json(), Value::Null, Some("json")),
        bare(
            "trust",
            "a time of half a second",
            with(&by(&[1, 3]), "2027-11-23T00:00:00Z", "2027-11-23T00:00:00.5Z"),
            Value::Null,
            Some("json"),
        ),
        bare("trust", "a time with an offset", time, Value::Null, Some("json")),
    ]
}

fn pins() -> Vec<Value> {
    let trust = two_of_three();
    let pin = json!(Pin { authority: trust.authority.clone(), version: 7 });
    let bundle = |version, authority: &Authority, seeds: &[u8]| {
        let next = Trust { version, authority: authority.clone(), ..trust.clone() };
        let keys: Vec<_> = seeds.iter().map(|s| key(*s)).collect();
        signed(next, &keys.iter().collect::<Vec<_>>())
    };
    let case = |name, bundle: Signed<Trust>, error| case("pin", name, bundle.to_json(), pin.clone(), error);
    let old = &trust.authority;
    let new = Authority { signers: vec![signer("Emil", 5), signer("Fred", 6)], ..old.clone() };
    let mut renamed = old.clone();
    renamed.signers[1].holder = label("Anton");
    let lowered = Authority { threshold: 1, ..old.clone() };
    vec![
        case("the same again", bundle(7, old, &[1, 3]), None),
        case("a newer one", bundle(8, old, &[3, 4]), None),
        case("an older one", bundle(6, old, &[1, 3]), Some("rollback")),
        case("new signers, signed by old and new", bundle(8, &new, &[1, 3, 5, 6]), None),
        case("new signers, signed by the new alone", bundle(8, &new, &[5, 6]), Some("other-authority")),
        case("new signers, and one of the old", bundle(8, &new, &[3, 5, 6]), Some("other-authority")),
        case("new signers, signed by the old alone", bundle(8, &new, &[1, 3]), Some("signatures")),
        case("one holder's second key under another name", bundle(8, &renamed, &[1, 2]), Some("other-authority")),
        case("a lower threshold, signed by one", bundle(8, &lowered, &[3]), Some("other-authority")),
        case("a lower threshold, signed by two", bundle(8, &lowered, &[3, 4]), None),
        case("an older one of new signers", bundle(6, &new, &[1, 3, 5, 6]), Some("rollback")),
    ]
}

fn disclosure(maker: &TestMaker) -> Disclosure {
    let day = maker.year.day(date("2026-11-23"));
    let lot = day.lot(Some(&label("A2B347K")));
    let line = public(&maker.line);
    Disclosure {
        maker: public(&maker.root),
        recipient: RECIPIENT.into(),
        case: "2026/0417 \"Kestrel\"".into(),
        created: "2026-11-24T09:30:00Z".parse().unwrap(),
        expires: "2027-11-24T00:00:00Z".parse().unwrap(),
        scope: Scope::Days { from: date("2026-11-23"), to: date("2026-11-24") },
        grants: vec![
            Grant::Day {
                date: date("2026-11-24"),
                key: DisclosedKey::new(*maker.year.day(date("2026-11-24")).expose()),
            },
            Grant::Lot { date: date("2026-11-23"), lot: Some(label("A2B347K")), key: DisclosedKey::new(*lot.expose()) },
            Grant::Lot { date: date("2026-11-23"), lot: None, key: DisclosedKey::new(*day.lot(None).expose()) },
            Grant::Item { line, serial: serial(5), key: DisclosedKey::new(*lot.item(line.id(), serial(5)).expose()) },
        ],
        consignees: vec![
            Consignee {
                number: 104_233,
                name: label("Müller & Söhne"),
                country: "DE".parse().ok(),
                address: Some("Hafenstraße 7, Köln".into()),
            },
            Consignee { number: 7, name: label("Seven"), country: None, address: None },
        ],
    }
}

fn disclosures() -> Vec<Value> {
    let maker = TestMaker::listed(1);
    let good = signed(disclosure(&maker), &[&maker.root]);
    let bent = |bend: fn(&mut Disclosure)| {
        let mut disclosure = disclosure(&maker);
        bend(&mut disclosure);
        signed(disclosure, &[&maker.root]).to_json()
    };
    let case = |name, file: String, error| case("disclosure", name, file, json!({"recipient": RECIPIENT}), error);
    vec![
        case("good", good.to_json(), None),
        case("of a lot", bent(|d| d.scope = Scope::Lot(label("A2B347K"))), None),
        case("of serials", bent(|d| d.scope = Scope::Serials(vec![5, 48_213_077])), None),
        case("for somebody else", bent(|d| d.recipient = "age1other".into()), Some("other-recipient")),
        case(
            "passed on under another recipient",
            with(
                &signed(Disclosure { recipient: "age1other".into(), ..disclosure(&maker) }, &[&maker.root]),
                "age1other",
                RECIPIENT,
            ),
            Some("signature"),
        ),
        case("signed by the line", signed(disclosure(&maker), &[&maker.line]).to_json(), Some("signature")),
        case("a changed name", with(&good, "Seven", "Eight"), Some("signature")),
        case(
            "a weak maker key",
            signed(Disclosure { maker: KeyBytes([0; 32]), ..disclosure(&maker) }, &[&maker.root]).to_json(),
            Some("signature"),
        ),
        case(
            "null in place of nothing",
            with(&good, "\"number\": 7,", "\"number\": 7, \"country\": null,"),
            Some("json"),
        ),
        case("a consignee of 2^40", bent(|d| d.consignees[1].number = 1 << 40), Some("json")),
        case("a serial of 2^53", bent(|d| d.scope = Scope::Serials(vec![1 << 53])), Some("json")),
        case("a case of two lines", bent(|d| d.case = "a\nb".into()), Some("json")),
        case("an address too long", bent(|d| d.consignees[0].address = Some("x".repeat(501))), Some("json")),
        case("a country in small letters", with(&good, "\"DE\"", "\"de\""), Some("json")),
        case("a grant of two kinds", with(&good, "\"day\": {", "\"item\": {}, \"day\": {"), Some("json")),
    ]
}

/// The messages that signatures are over, to compare canonical JSON.
fn messages() -> Vec<Value> {
    let maker = TestMaker::listed(1);
    fn of<T: Document>(name: &str, document: &T) -> Value {
        json!({"name": name, "file": Signed::new(serde_json::from_value::<T>(json!(document)).unwrap()).to_json(), "message": hex(&message(document))})
    }
    let possession = maker.line.sign(&message(&maker.delegation.request())).to_bytes();
    assert_eq!(possession, maker.delegation.possession.0);
    vec![
        of("request", &maker.delegation.request()),
        of("delegation", &maker.delegation),
        of("lot close", &closes::good(&maker).signed),
        of("trust", &two_of_three()),
        of("trust with a closed lot", &closing()),
        of("disclosure", &disclosure(&maker)),
    ]
}

/// The name of the refusal of `vector`, if it is refused.
fn outcome(vector: &Value) -> Option<String> {
    let (file, known) = (text(vector, "file").as_bytes(), &vector["known"]);
    let trust = || Trust::open(file).map_err(|e| e.name().to_owned());
    let result = match text(vector, "kind") {
        "delegation" => Signed::<Delegation>::from_json(file).map_err(|e| e.name().to_owned()).and_then(|envelope| {
            let maker = text(known, "maker").parse::<KeyBytes>().unwrap().check().unwrap();
            Delegation::check(&envelope, &maker).map(|_| ()).map_err(|e: DelegationError| e.name().to_owned())
        }),
        "trust" => trust().map(|_| ()),
        "pin" => trust().and_then(|bundle| {
            let pin: Pin = serde_json::from_value(known.clone()).unwrap();
            pin.advance(&bundle).map(|_| ()).map_err(|e| e.name().to_owned())
        }),
        "lot-close" => Signed::<LotClose>::from_json(file).map_err(|e| e.name().to_owned()).and_then(|envelope| {
            let maker = text(known, "maker").parse::<KeyBytes>().unwrap().check().unwrap();
            LotClose::check(&envelope, &maker).map_err(|e| e.name().to_owned())
        }),
        "disclosure" => {
            let opened = Signed::<Disclosure>::open_for(file, text(known, "recipient"));
            opened.map(|_| ()).map_err(|e| e.name().to_owned())
        }
        other => panic!("{other}"),
    };
    result.err()
}

#[test]
fn envelopes_are_accepted_or_refused_as_written() {
    let cases = [delegations(), shapes(), closes::cases(), bundles(), pins(), disclosures()].concat();
    let authority = two_of_three().authority;
    let made = json!({
        "about": "Signed files; error null: accepted. messages: what signatures are over.",
        "authority": authority, "authority_fingerprint": hex(&authority.fingerprint()),
        "cases": cases, "messages": messages(),
    });
    let file = stored("envelopes.json", &made);
    for vector in list(&file, "cases") {
        assert_eq!(outcome(vector).as_deref(), vector["error"].as_str(), "{vector:#}");
    }
    let read: Authority = serde_json::from_value(file["authority"].clone()).unwrap();
    assert_eq!(hex(&read.fingerprint()), text(&file, "authority_fingerprint"));
}

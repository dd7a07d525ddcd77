//! ledger.json: records, commitments, trees, checkpoints and maps of serials.

use super::{hex, list, stored, text, unhex, unhex_array};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use std::convert::Infallible;
use testkit::maker::{date, label, public, serial};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::checkpoint::Checkpoint;
use touchmark_formats::ledger::map::{Answer, MapLeaf, MapProof, Place, Subtree, join, way};
use touchmark_formats::ledger::merkle::{self, EMPTY_ROOT, Hash, Node};
use touchmark_formats::ledger::note::{Note, NoteKey, NoteKeyKind};
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::{Event, Handed, Record, What, commitment};
use touchmark_formats::signed::message;

const SALT: [u8; 32] = [0x5a; 32];

fn range(first: u64, last: u64) -> SerialRange {
    SerialRange { first: serial(first), last: serial(last) }
}

fn event(serials: SerialRange, after: Option<u64>, what: What) -> Record {
    Record::Event(Event { line: KeyBytes([4; 32]), serials, after, date: date("2026-11-24"), what })
}

fn full_party() -> Party {
    Party {
        number: Some((1 << 40) - 1),
        country: Some("NL".parse().unwrap()),
        address: Some("Kade 12, Vlissingen".to_owned()),
        lei: Some("506700GE1G29325QX363".parse().unwrap()),
        eori: Some("NL123456789".parse().unwrap()),
        duns: Some("060704780".parse().unwrap()),
        key: Some(public(&distributor())),
        ..Party::named(label("Noordzee Instruments"))
    }
}

fn distributor() -> SigningKey {
    SigningKey::from_bytes(&[8; 32])
}

/// A hand-over, signed.
pub(crate) fn handed_over(serials: SerialRange, after: Option<u64>, to: Party) -> Record {
    let key = distributor();
    let handed = |signature| {
        let document = Some(label("HO-7"));
        event(
            serials,
            after,
            What::HandedOver(Box::new(Handed { to: to.clone(), document, by: public(&key), signature })),
        )
    };
    let Record::Event(unsigned) = handed([0; 64]) else { panic!("a hand-over is an event") };
    handed(key.sign(&message(&unsigned.hand_over().unwrap())).to_bytes())
}

fn records() -> Vec<(&'static str, Record)> {
    let document = || Some(label("DN-2026/118"));
    let (one, all) = (range(7, 7), SerialRange::ALL);
    let made = |lot, keys| What::Commissioned { part: label("STM32F407VGT6"), lot, keys };
    let usual = range(48_213_000, 48_215_999);
    vec![
        ("commissioned", event(usual, None, made(Some(label("A2B347K")), Some([0x11; 32])))),
        ("commissioned, without lot and keys", event(all, Some(0), made(None, None))),
        ("shipped", event(usual, Some(12), What::Shipped { to: 3, ship_to: None, document: document() })),
        (
            "shipped to another door",
            event(one, Some((1 << 53) - 1), What::Shipped { to: (1 << 53) - 1, ship_to: Some(0), document: None }),
        ),
        ("handed over", handed_over(usual, Some(13), full_party())),
        ("handed over to whom only the name is known", handed_over(one, Some(127), Party::named(label("微控制器")))),
        ("returned", event(one, Some(126), What::Returned { document: document() })),
        ("destroyed", event(one, Some(128), What::Destroyed { document: None })),
        ("corrected", event(usual, Some(13), What::Corrected { reason: label("wrong consignee") })),
        ("party", Record::Party(full_party())),
        ("party of which only the name is known", Record::Party(Party::named(label("One")))),
        (
            "party with an empty address",
            Record::Party(Party { address: Some(String::new()), ..Party::named(label("One")) }),
        ),
        ("map", Record::Map([0x22; 32])),
        ("padding", Record::Padding),
    ]
}

fn fields(record: &Record) -> Value {
    match record {
        Record::Padding => json!({"kind": "padding"}),
        Record::Map(root) => json!({"kind": "map", "root": hex(root)}),
        Record::Party(party) => json!({"kind": "party", "party": party}),
        Record::Event(event) => {
            let mut fields = json!({
                "kind": event.what.name(), "line": hex(&event.line.0), "first": event.serials.first.get(),
                "last": event.serials.last.get(), "after": event.after, "date": event.date,
            });
            let more = match &event.what {
                What::Commissioned { part, lot, keys } => {
                    json!({"part": part, "lot": lot, "keys": keys.map(|k| hex(&k))})
                }
                What::Shipped { to, ship_to, document } => json!({"to": to, "ship_to": ship_to, "document": document}),
                What::HandedOver(h) => json!({
                    "party": h.to, "document": h.document, "key": hex(&h.by.0), "signature": hex(&h.signature),
                    "message": hex(&message(&event.hand_over().unwrap())),
                }),
                What::Returned { document } | What::Destroyed { document } => json!({"document": document}),
                What::Corrected { reason } => json!({"reason": reason}),
            };
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            fields
        }
    }
}

fn invalid() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let bytes = |at: usize| records()[at].1.to_bytes();
    let changed = |at: usize, place: usize, byte: u8| {
        let mut bytes = bytes(at);
        bytes[place] = byte;
        bytes
    };
    let with = |at: usize, more: &[u8]| [&bytes(at)[..], more].concat();
    let head = |serials: &[u8]| [&[4u8][..], &[4; 32], serials].concat();
    vec![
        ("nothing", vec![], "truncated"),
        ("kind 0", vec![0], "kind"),
        ("kind 7", vec![7], "kind"),
        ("kind 19", vec![19], "kind"),
        ("cut off", bytes(2)[..40].to_vec(), "truncated"),
        ("a byte too many", with(2, &[0]), "trailing"),
        ("padding with a byte", vec![18, 0], "trailing"),
        ("a map without its last byte", bytes(12)[..32].to_vec(), "truncated"),
        ("a first serial in a longer form", head(&[0x80, 0, 0, 0, 0, 0, 0]), "number"),
        ("a first serial of 2^53", head(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0, 0, 0]), "number"),
        ("a last serial of 2^53", head(&[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0, 0]), "serials"),
        ("an index of 2^53", head(&[1, 0, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 0]), "number"),
        ("a document that ends with a space", head(&[1, 0, 0, 0, 0, 2, b'A', b' ']), "text"),
        ("a document that is not UTF-8", head(&[1, 0, 0, 0, 0, 1, 0xff]), "text"),
        ("a document of 64 bytes", head(&[&[1u8, 0, 0, 0, 0, 64][..], &[b'A'; 64]].concat()), "text"),
        ("a commissioning without part", [&[1u8][..], &[4; 32], &[1, 0, 0, 0, 0, 0, 0, 0]].concat(), "text"),
        ("a commissioning whose flag is 2", [&[1u8][..], &[4; 32], &[1, 0, 0, 0, 0, 1, b'P', 0, 2]].concat(), "flags"),
        ("a correction without reason", [&[6u8][..], &[4; 32], &[1, 0, 1, 0, 0, 0]].concat(), "text"),
        ("a party with flag 7", changed(9, 1, 0xff), "flags"),
        ("a party without name", vec![16, 0, 0], "text"),
        ("a party whose number is 2^40", vec![16, 1, 1, b'A', 0x80, 0x80, 0x80, 0x80, 0x80, 0x20], "number"),
        ("a country in small letters", vec![16, 2, 1, b'A', 0, 2, b'n', b'l'], "text"),
        ("an address with a line feed", vec![16, 4, 1, b'A', 0, 1, b'\n'], "text"),
        ("an address of 501 bytes", [&[16u8, 4, 1, b'A', 1, 0xf5][..], &[b'A'; 501]].concat(), "text"),
        ("an LEI with a wrong check digit", [&[16u8, 8, 1, b'A', 0, 20][..], b"506700GE1G29325QX364"].concat(), "text"),
        ("an EORI without number", vec![16, 16, 1, b'A', 0, 2, b'N', b'L'], "text"),
        ("a D-U-N-S of eight digits", [&[16u8, 32, 1, b'A', 0, 8][..], b"06070478"].concat(), "text"),
        ("longer than a record can be", vec![18; 2049], "too-long"),
    ]
}

/// Entries for trees: the first so many commitments.
fn entries(count: u8) -> Vec<Hash> {
    (0..count).map(|n| commitment(&[n; 32], &Record::Padding.to_bytes())).collect()
}

/// The subtree that a proof asks for, by the definition.
fn reader(entries: &[Hash]) -> impl FnMut(Node) -> Result<Hash, Infallible> {
    fn of(entries: &[Hash]) -> Hash {
        match entries {
            [entry] => merkle::leaf_hash(entry),
            entries => {
                let (left, right) = entries.split_at(entries.len() / 2);
                merkle::node_hash(&of(left), &of(right))
            }
        }
    }
    let entries = entries.to_vec();
    move |node| {
        let first = (node.index << node.level) as usize;
        Ok(of(&entries[first..first + (1 << node.level)]))
    }
}

fn trees() -> Vec<Value> {
    let tree = |size: u8| {
        let all = entries(size);
        let size = u64::from(size);
        let hexes = |hashes: Vec<Hash>| hashes.iter().map(|h| hex(h)).collect::<Vec<_>>();
        if size == 0 {
            return json!({"entries": [], "root": hex(&EMPTY_ROOT), "inclusion": [], "consistency": []});
        }
        let inclusion = [0, size / 3, size - 1].map(|index| {
            json!({"index": index, "proof": hexes(merkle::inclusion_proof(index, size, reader(&all)).unwrap())})
        });
        let consistency = [1, size.div_ceil(2), size].map(|old| {
            let root = merkle::root(old, reader(&all)).unwrap();
            json!({"old": old, "root": hex(&root), "proof": hexes(merkle::consistency_proof(old, size, reader(&all)).unwrap())})
        });
        json!({
            "entries": hexes(all.clone()), "root": hex(&merkle::root(size, reader(&all)).unwrap()),
            "inclusion": inclusion, "consistency": consistency,
        })
    };
    [0, 1, 2, 7, 8, 13, 40].map(tree).to_vec()
}

fn note_key(secret: u8, name: &str, kind: NoteKeyKind) -> (SigningKey, NoteKey) {
    let secret = SigningKey::from_bytes(&[secret; 32]);
    let key = public(&secret).check().unwrap();
    (secret, NoteKey { name: name.parse().unwrap(), kind, key })
}

fn notes() -> Vec<Value> {
    let text = Checkpoint { origin: "acme.example/ledger".into(), size: 40, root: [3; 32] }.text();
    let sign = |(secret, key): &(SigningKey, NoteKey), at: u64, text: &str| {
        key.line(&secret.sign(&key.message(text, at)).to_bytes(), at)
    };
    let log = note_key(31, "acme.example/ledger", NoteKeyKind::Ed25519);
    let witness = note_key(32, "witness.example/w1", NoteKeyKind::Cosignature);
    let other = note_key(33, "witness.example/w1", NoteKeyKind::Cosignature);
    let at = 1_795_000_000;
    let good = Note { text: text.clone(), signatures: vec![sign(&log, 0, &text), sign(&witness, at, &text)] };
    let edited = good.to_string().replacen("\n40\n", "\n41\n", 1);
    let mut later = good.to_string().into_bytes();
    let case = |name: &str, note: &str, key: &NoteKey, at: Option<u64>, error: Option<&str>| json!({"name": name, "note": note, "key": key.to_string(), "time": at, "error": error});
    let plain = good.to_string();
    later.push(b'\n');
    vec![
        case("the log's own", &plain, &log.1, Some(0), None),
        case("a witness's", &plain, &witness.1, Some(at), None),
        case("not by that key", &plain, &other.1, None, None),
        case("another size", &edited, &log.1, None, Some("signature")),
        case("another size, cosigned", &edited, &witness.1, None, Some("signature")),
        case("an empty line after it", &String::from_utf8(later).unwrap(), &log.1, None, Some("line")),
        case("no signature", &format!("{text}\n"), &log.1, None, Some("line")),
        case("no empty line", &text, &log.1, None, Some("form")),
        case("a carriage return", &plain.replacen('\n', "\r\n", 1), &log.1, None, Some("form")),
        case("no line feed at the end", plain.trim_end(), &log.1, None, Some("form")),
        case("a hyphen in place of the dash", &plain.replace('\u{2014}', "-"), &log.1, None, Some("line")),
        case("a plus in a name", &plain.replace("\u{2014} acme", "\u{2014} a+cme"), &log.1, None, Some("name")),
    ]
}

fn maps() -> Vec<Value> {
    let leaf = |line: u8, first, last, index| MapLeaf {
        line: KeyBytes([line; 32]),
        serials: range(first, last),
        index,
        entry: commitment(&[index as u8; 32], &[18]),
    };
    let all = [
        leaf(1, 5, 9, 0),
        leaf(1, 10, 10, 1),
        leaf(1, 4000, 7000, 2),
        leaf(1, (1 << 53) - 1, (1 << 53) - 1, 5),
        leaf(2, 0, 3, 3),
        leaf(200, 7, 8, 4),
    ];
    let places = [(1, 0), (1, 7), (1, 10), (1, 11), (1, 4096), (1, 1 << 52), (2, 3), (2, 4), (100, 7), (200, 7)];
    let map = |leaves: &[MapLeaf]| {
        let parts: Vec<Subtree> = leaves.iter().map(MapLeaf::subtree).collect();
        let root = join(&parts).map_or(EMPTY_ROOT, |tree| tree.hash);
        let proofs = places.map(|(line, number)| {
            let place = Place { line: KeyBytes([line; 32]), serial: serial(number) };
            let proof = way(&parts, &place).map_or(MapProof { leaf: None, steps: vec![] }, |(at, steps)| MapProof {
                leaf: Some(leaves[at].clone()),
                steps,
            });
            let answer = match proof.answer(&root, &place).unwrap() {
                Answer::Entry(leaf) => Some(leaf.index),
                Answer::Absent => None,
            };
            json!({"place": place, "proof": proof, "answer": answer})
        });
        json!({"leaves": leaves, "root": hex(&root), "proofs": proofs})
    };
    [0, 1, 2, 6].map(|count| map(&all[..count])).to_vec()
}

#[test]
fn the_ledger() {
    let valid = records().into_iter().map(|(name, record)| {
        let bytes = record.to_bytes();
        json!({"name": name, "record": hex(&bytes), "fields": fields(&record), "salt": hex(&SALT), "entry": hex(&commitment(&SALT, &bytes))})
    });
    let refused =
        invalid().into_iter().map(|(name, bytes, error)| json!({"name": name, "record": hex(&bytes), "error": error}));
    let made = json!({
        "records": valid.collect::<Vec<_>>(), "refused": refused.collect::<Vec<_>>(), "trees": trees(), "notes": notes(),
        "maps": maps(),
    });
    let file = stored("ledger.json", &made);
    for vector in list(&file, "records") {
        let bytes = unhex(text(vector, "record"));
        let record = Record::from_bytes(&bytes).unwrap();
        assert_eq!((record.to_bytes(), &fields(&record)), (bytes, &vector["fields"]), "{}", text(vector, "name"));
        if let Record::Event(event @ Event { what: What::HandedOver(handed), .. }) = &record {
            let key = handed.by.check().unwrap();
            assert!(key.verify(&message(&event.hand_over().unwrap()), &handed.signature));
        }
    }
    for vector in list(&file, "refused") {
        let error = Record::from_bytes(&unhex(text(vector, "record"))).map_err(|e| e.name());
        assert_eq!(error, Err(text(vector, "error")), "{}", text(vector, "name"));
    }
    for vector in list(&file, "notes") {
        let key: NoteKey = text(vector, "key").parse().unwrap();
        let found = Note::parse(text(vector, "note").as_bytes()).and_then(|note| {
            assert_eq!(note.to_string(), text(vector, "note"));
            note.signed_by(&key)
        });
        let expected = vector["error"].as_str().map_or(Ok(vector["time"].as_u64()), Err);
        assert_eq!(found.map_err(|e| e.name()), expected, "{}", text(vector, "name"));
    }
    for map in list(&file, "maps") {
        for vector in list(map, "proofs") {
            let proof: MapProof = serde_json::from_value(vector["proof"].clone()).unwrap();
            let place: Place = serde_json::from_value(vector["place"].clone()).unwrap();
            let answer = proof.answer(&unhex_array(text(map, "root")), &place);
            let found = answer.map(|a| if let Answer::Entry(leaf) = a { Some(leaf.index) } else { None });
            assert_eq!(found, Some(vector["answer"].as_u64()));
        }
    }
}

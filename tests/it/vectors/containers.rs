//! containers.json: container marks with every combination of optional fields, and every limit.

use super::{hex, list, stored, text, unhex, unhex_array};
use ed25519_dalek::Signer as _;
use serde_json::{Value, json};
use testkit::maker::{TestMaker, date, label, public, serial};
use touchmark_formats::base45;
use touchmark_formats::capsule::{Capsule, CapsuleSize, YearKey};
use touchmark_formats::carried::Carried;
use touchmark_formats::container::{Container, Level, SignedContainer, Sscc};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::{KeyBytes, KeyId};
use touchmark_formats::mark::{Part, Serial};
use touchmark_formats::text::Label;

const CONSIGNEE: u64 = 104_233;

/// A container before it is sealed and signed.
struct Draft {
    name: String,
    container: Container,
    lot: Option<Label>,
    capsule_bytes: u8,
}

fn usual(maker: &TestMaker, name: impl Into<String>) -> Draft {
    let lot = label("A2B347K");
    let container = maker.reel(48_213_000, 48_215_999, 12, &label("STM32F407VGT6"), &lot);
    Draft { name: name.into(), container, lot: Some(lot), capsule_bytes: 0 }
}

fn drafts(maker: &TestMaker) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for bits in 0..16u8 {
        for capsule_bytes in [0, 3, 8] {
            let has = |bit: u8| bits & bit != 0;
            let name = format!(
                "part inline {}, lot inline {}, site {}, SSCC {}, capsule {capsule_bytes}",
                has(1),
                has(2),
                has(4),
                has(8)
            );
            let mut draft = Draft { capsule_bytes, ..usual(maker, name) };
            if !has(1) {
                draft.container.part = Part::Listed(0);
            }
            if !has(2) {
                draft.container.lot = None;
            }
            draft.container.site = has(4).then_some(17);
            draft.container.sscc = draft.container.sscc.filter(|_| has(8));
            drafts.push(draft);
        }
    }
    for level in Level::ALL {
        let mut draft = usual(maker, format!("a {}", level.name()));
        draft.container.level = level;
        drafts.push(draft);
    }
    for (first, last, missing) in [
        (0, 0, 0),
        (5, 5, 0),
        (0, 127, 127),
        (128, 255, 0),
        (1, 129, 128),
        (0, Serial::MAX, 0),
        (0, Serial::MAX, Serial::MAX),
        (Serial::MAX, Serial::MAX, 0),
    ] {
        let mut draft = usual(maker, format!("serials {first} to {last}, {missing} missing"));
        draft.container.serials = SerialRange { first: serial(first), last: serial(last) };
        draft.container.missing = missing;
        drafts.push(draft);
    }
    let mut longest = Draft { capsule_bytes: 8, ..usual(maker, "the longest container mark") };
    let texts = [label(&"z".repeat(63)), label(&"y".repeat(63))];
    (longest.container.part, longest.container.lot) = (Part::Inline(texts[0].clone()), Some(texts[1].clone()));
    longest.lot = Some(texts[1].clone());
    longest.container.serials = SerialRange { first: serial(1 << 49), last: serial(Serial::MAX) };
    longest.container.missing = 1 << 49;
    longest.container.site = Some(u16::MAX);
    longest.container.sscc = Sscc::new(999_999_999_999_999_995);
    drafts.push(longest);
    drafts
}

fn vector(maker: &TestMaker, draft: Draft) -> Value {
    let Draft { name, mut container, lot, capsule_bytes } = draft;
    let root = public(&maker.root);
    if let Some(size) = CapsuleSize::new(capsule_bytes) {
        let day = maker.year.day(container.date).lot(lot.as_ref());
        let key = day.container(container.key_id, container.level as u8, container.serials);
        container.capsule = Capsule::from_bytes(&[0; 8][..size.bytes().into()]);
        container.capsule = Capsule::seal(CONSIGNEE, size, &key, &container.head_bytes(), &root);
    }
    let part = match &container.part {
        Part::Inline(part) => part.clone(),
        Part::Listed(_) => label("STM32F407VGT6"),
    };
    let message = container.message(&root, &part, lot.as_ref());
    let signed = SignedContainer { signature: maker.line.sign(&message).to_bytes(), container };
    json!({
        "name": name, "fields": fields(&signed.container), "part": part, "lot": lot,
        "consignee": signed.container.capsule.map(|_| CONSIGNEE),
        "message": hex(&message), "mark": hex(&signed.to_bytes()), "text": base45::encode(&signed.to_bytes()),
    })
}

fn fields(container: &Container) -> Value {
    let (index, part) = match &container.part {
        Part::Listed(index) => (Some(index), None),
        Part::Inline(part) => (None, Some(part)),
    };
    json!({
        "key_id": container.key_id.to_string(), "level": container.level.name(),
        "first": container.serials.first.get(), "last": container.serials.last.get(),
        "missing": container.missing, "days": container.date.days(), "date": container.date,
        "part_index": index, "part": part, "lot": container.lot, "site": container.site,
        "sscc": container.sscc.map(|code| code.to_string()), "capsule": container.capsule.map(|c| hex(c.bytes())),
    })
}

fn container_of(fields: &Value) -> Container {
    let optional = |field: &str| fields[field].as_str();
    let serial_of = |field: &str| serial(fields[field].as_u64().unwrap());
    Container {
        key_id: KeyId(unhex_array(text(fields, "key_id"))),
        level: Level::ALL.into_iter().find(|level| level.name() == text(fields, "level")).unwrap(),
        serials: SerialRange { first: serial_of("first"), last: serial_of("last") },
        missing: fields["missing"].as_u64().unwrap(),
        date: Date::from_days(fields["days"].as_u64().unwrap().try_into().unwrap()),
        part: match optional("part") {
            Some(part) => Part::Inline(label(part)),
            None => Part::Listed(fields["part_index"].as_u64().unwrap().try_into().unwrap()),
        },
        lot: optional("lot").map(label),
        site: fields["site"].as_u64().map(|n| n.try_into().unwrap()),
        sscc: optional("sscc").map(|code| code.parse().unwrap()),
        capsule: optional("capsule").map(|c| Capsule::from_bytes(&unhex(c)).unwrap()),
    }
}

#[test]
fn valid_containers_are_what_their_fields_say() {
    let maker = TestMaker::listed(1);
    assert_eq!(maker.usual_mark().date, date("2026-11-23"));
    let made = json!({
        "about": "Valid container marks. fields: what the mark carries; part, lot: the texts that the signature covers.",
        "root": hex(&public(&maker.root).0), "line": hex(&public(&maker.line).0),
        "line_secret": hex(maker.line.as_bytes()), "year_key": hex(maker.year.expose()),
        "valid": drafts(&maker).into_iter().map(|draft| vector(&maker, draft)).collect::<Vec<_>>(),
    });
    let file = stored("containers.json", &made);
    let root = KeyBytes(unhex_array(text(&file, "root")));
    let line = KeyBytes(unhex_array(text(&file, "line"))).check().unwrap();
    let year = YearKey::from_bytes(unhex_array(text(&file, "year_key")));
    for vector in list(&file, "valid") {
        let name = text(vector, "name");
        let container = container_of(&vector["fields"]);
        let bytes = unhex(text(vector, "mark"));
        let read = SignedContainer::from_bytes(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.container, container, "{name}");
        assert_eq!(read.to_bytes(), bytes, "{name}");
        assert_eq!(Carried::from_bytes(&bytes), Ok(Carried::Container(read.clone())), "{name}");
        assert_eq!(base45::decode(text(vector, "text")).unwrap(), bytes, "{name}");
        let (part, lot) = (label(text(vector, "part")), vector["lot"].as_str().map(label));
        let message = container.message(&root, &part, lot.as_ref());
        assert_eq!(hex(&message), text(vector, "message"), "{name}");
        assert!(line.verify(&message, &read.signature), "{name}");
        let lot_key = year.day(container.date).lot(lot.as_ref());
        let key = lot_key.container(container.key_id, container.level as u8, container.serials);
        let opened = container.capsule.and_then(|c| c.open(&key, &container.head_bytes(), &root));
        assert_eq!(opened, vector["consignee"].as_u64(), "{name}");
        let item = lot_key.item(container.key_id, container.serials.first);
        let by_item = container.capsule.filter(|c| c.size().check_bits() > 0);
        assert_eq!(by_item.and_then(|c| c.open(&item, &container.head_bytes(), &root)), None, "{name}");
    }
    let longest = list(&file, "valid").iter().map(|v| text(v, "mark").len() / 2).max();
    assert_eq!(longest, Some(183 + 64));
}

//! marks.json: every combination of optional fields, and every limit.

use super::{hex, list, stored, text, unhex, unhex_array};
use serde_json::{Value, json};
use testkit::maker::{TestMaker, label, public, serial};
use touchmark_formats::base45;
use touchmark_formats::capsule::{Capsule, CapsuleSize, YearKey};
use touchmark_formats::date::Date;
use touchmark_formats::key::{KeyBytes, KeyId};
use touchmark_formats::mark::{Extension, Mark, Part, Serial, SignedMark};
use touchmark_formats::text::Label;

const CONSIGNEE: u64 = 104_233;
const PART: &str = "STM32F407VGT6";
const LOT: &str = "A2B347K";

/// A mark before it is sealed and signed, with the texts that its signature covers.
struct Draft {
    name: String,
    mark: Mark,
    part: Label,
    lot: Option<Label>,
    capsule_bytes: u8,
}

fn usual(maker: &TestMaker, name: impl Into<String>) -> Draft {
    let mark = Mark {
        key_id: public(&maker.line).id(),
        serial: serial(48_213_077),
        date: Date::from_days(2518),
        part: Part::Inline(label(PART)),
        lot: Some(label(LOT)),
        extension: Extension::default(),
        capsule: None,
    };
    Draft { name: name.into(), mark, part: label(PART), lot: Some(label(LOT)), capsule_bytes: 0 }
}

fn combinations(maker: &TestMaker) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for bits in 0..32u8 {
        for capsule_bytes in [0, 3, 4, 5, 6, 7, 8] {
            let has = |bit: u8| bits & bit != 0;
            let extension = Extension {
                site: has(4).then_some(17),
                die_id: has(8).then_some([0xDE, 0xAD, 0xBE, 0xEF]),
                grade: has(16).then_some(35),
            };
            let name = format!(
                "part {}, lot {}, capsule {capsule_bytes}, site {}, die id {}, grade {}",
                if has(1) { "inline" } else { "listed" },
                if has(2) { "inline" } else { "implied" },
                if has(4) { "yes" } else { "no" },
                if has(8) { "yes" } else { "no" },
                if has(16) { "yes" } else { "no" },
            );
            let mut draft = Draft { capsule_bytes, ..usual(maker, name) };
            draft.mark.extension = extension;
            if !has(1) {
                draft.mark.part = Part::Listed(0);
            }
            if !has(2) {
                draft.mark.lot = None;
            }
            drafts.push(draft);
        }
    }
    drafts
}

fn limits(maker: &TestMaker) -> Vec<Draft> {
    let mut drafts = Vec::new();
    // The first and the last serial of each length.
    let lengths = (1..8).map(|bytes| 1 << (7 * bytes)).flat_map(|first| [first - 1, first]);
    for n in [0, 1].into_iter().chain(lengths).chain([Serial::MAX]) {
        let mut draft = usual(maker, format!("serial {n}"));
        draft.mark.serial = serial(n);
        drafts.push(draft);
    }
    for days in [0, 1, u16::MAX] {
        let mut draft = usual(maker, format!("date {}", Date::from_days(days)));
        draft.mark.date = Date::from_days(days);
        drafts.push(draft);
    }
    for index in [0, 127, 128, 16_383, 16_384, u16::MAX] {
        let mut draft = usual(maker, format!("part index {index}"));
        draft.mark.part = Part::Listed(index);
        drafts.push(draft);
    }
    for (site, grade) in [(0, 0), (u16::MAX, Extension::MAX_GRADE)] {
        let mut draft = usual(maker, format!("site {site}, grade {grade}"));
        draft.mark.extension = Extension { site: Some(site), die_id: Some([0; 4]), grade: Some(grade) };
        drafts.push(draft);
    }
    let mut no_lot = Draft { lot: None, capsule_bytes: 6, ..usual(maker, "no lot at all") };
    no_lot.mark.lot = None;
    drafts.push(no_lot);
    drafts.extend(texts(maker));
    drafts
}

/// Texts of one and of 63 bytes in each alphabet, beside each other; the last pair makes the longest mark.
fn texts(maker: &TestMaker) -> Vec<Draft> {
    let long = |c: &str| c.repeat(Label::MAX_BYTES / c.len());
    let ones = ["0", "9", "A", "Z", "-", "=", "a", "~"].map(String::from);
    let longest = ["0", "9", "A", "Z", "-", "=", "a", "~", "ж字"].map(long);
    let mixed =
        ["0000001", "A B", "\u{dc}42", "微控制器", "ЛОТ 7", "a b", "RC0603FR-0710K=", "x#\u{a0}y"].map(String::from);
    let all: Vec<String> = ones.into_iter().chain(longest).chain(mixed).collect();
    let pairs = all.iter().zip(all.iter().rev());
    let mut drafts: Vec<Draft> = pairs
        .map(|(part, lot)| {
            let mut draft = usual(maker, format!("texts {part} and {lot}"));
            (draft.part, draft.lot) = (label(part), Some(label(lot)));
            (draft.mark.part, draft.mark.lot) = (Part::Inline(draft.part.clone()), draft.lot.clone());
            draft
        })
        .collect();
    let mut longest = usual(maker, "the longest mark");
    (longest.part, longest.lot, longest.capsule_bytes) = (label(&long("z")), Some(label(&long("y"))), 8);
    (longest.mark.part, longest.mark.lot) = (Part::Inline(longest.part.clone()), longest.lot.clone());
    longest.mark.serial = serial(Serial::MAX);
    longest.mark.extension = Extension { site: Some(1), die_id: Some([1; 4]), grade: Some(40) };
    drafts.push(longest);
    let mut shortest = usual(maker, "the shortest mark");
    (shortest.mark.part, shortest.mark.lot, shortest.mark.serial) = (Part::Listed(0), None, serial(0));
    drafts.push(shortest);
    drafts
}

fn vector(maker: &TestMaker, draft: Draft) -> Value {
    use ed25519_dalek::Signer as _;
    let Draft { name, mut mark, part, lot, capsule_bytes } = draft;
    let root = public(&maker.root);
    if let Some(size) = CapsuleSize::new(capsule_bytes) {
        let key = maker.year.day(mark.date).lot(lot.as_ref()).item(mark.key_id, mark.serial);
        mark.capsule = Capsule::from_bytes(&[0; 8][..size.bytes().into()]);
        mark.capsule = Capsule::seal(CONSIGNEE, size, &key, &mark.head_bytes(), &root);
    }
    let message = mark.message(&root, &part, lot.as_ref());
    let bytes = SignedMark { signature: maker.line.sign(&message).to_bytes(), mark: mark.clone() }.to_bytes();
    json!({
        "name": name,
        "fields": fields(&mark),
        "part": part, "lot": lot,
        "consignee": mark.capsule.map(|_| CONSIGNEE),
        "message": hex(&message), "mark": hex(&bytes), "text": base45::encode(&bytes),
    })
}

/// The fields that the mark itself carries; null for those that it does not.
fn fields(mark: &Mark) -> Value {
    let (index, part) = match &mark.part {
        Part::Listed(index) => (Some(index), None),
        Part::Inline(part) => (None, Some(part)),
    };
    json!({
        "key_id": mark.key_id.to_string(), "serial": mark.serial.get(), "days": mark.date.days(), "date": mark.date,
        "part_index": index, "part": part, "lot": mark.lot,
        "site": mark.extension.site, "die_id": mark.extension.die_id.map(|id| KeyId(id).to_string()),
        "grade": mark.extension.grade, "capsule": mark.capsule.map(|c| hex(c.bytes())),
    })
}

fn mark_of(fields: &Value) -> Mark {
    let optional = |field: &str| fields[field].as_str();
    Mark {
        key_id: KeyId(unhex_array(text(fields, "key_id"))),
        serial: serial(fields["serial"].as_u64().unwrap()),
        date: Date::from_days(fields["days"].as_u64().unwrap().try_into().unwrap()),
        part: match optional("part") {
            Some(part) => Part::Inline(label(part)),
            None => Part::Listed(fields["part_index"].as_u64().unwrap().try_into().unwrap()),
        },
        lot: optional("lot").map(label),
        extension: Extension {
            site: fields["site"].as_u64().map(|n| n.try_into().unwrap()),
            die_id: optional("die_id").map(unhex_array),
            grade: fields["grade"].as_u64().map(|n| n.try_into().unwrap()),
        },
        capsule: optional("capsule").map(|c| Capsule::from_bytes(&unhex(c)).unwrap()),
    }
}

#[test]
fn valid_marks_are_what_their_fields_say() {
    let maker = TestMaker::listed(1);
    let drafts = combinations(&maker).into_iter().chain(limits(&maker));
    let made = json!({
        "about": "Valid marks. fields: what the mark carries; part, lot: the texts that the signature covers.",
        "root": hex(&public(&maker.root).0), "line": hex(&public(&maker.line).0),
        "line_secret": hex(maker.line.as_bytes()), "year_key": hex(maker.year.expose()),
        "valid": drafts.map(|draft| vector(&maker, draft)).collect::<Vec<_>>(),
    });
    let file = stored("marks.json", &made);
    let root = KeyBytes(unhex_array(text(&file, "root")));
    let line = KeyBytes(unhex_array(text(&file, "line"))).check().unwrap();
    let year = YearKey::from_bytes(unhex_array(text(&file, "year_key")));
    for vector in list(&file, "valid") {
        let name = text(vector, "name");
        let mark = mark_of(&vector["fields"]);
        let bytes = unhex(text(vector, "mark"));
        let read = SignedMark::from_bytes(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(read.mark, mark, "{name}");
        assert_eq!(read.to_bytes(), bytes, "{name}");
        assert_eq!(base45::decode(text(vector, "text")).unwrap(), bytes, "{name}");
        let (part, lot) = (label(text(vector, "part")), vector["lot"].as_str().map(label));
        let message = mark.message(&root, &part, lot.as_ref());
        assert_eq!(hex(&message), text(vector, "message"), "{name}");
        assert!(line.verify(&message, &read.signature), "{name}");
        let key = year.day(mark.date).lot(lot.as_ref()).item(mark.key_id, mark.serial);
        let opened = mark.capsule.and_then(|c| c.open(&key, &mark.head_bytes(), &root));
        assert_eq!(opened, vector["consignee"].as_u64(), "{name}");
    }
    let sizes = list(&file, "valid").iter().map(|v| text(v, "mark").len() / 2);
    assert_eq!((sizes.clone().min(), sizes.max()), (Some(9 + 64), Some(165 + 64)));
}

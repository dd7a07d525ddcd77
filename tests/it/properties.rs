//! What holds for any mark and any bytes, over generated inputs and over damaged good ones.

use crate::vectors::{folder, unhex};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use testkit::maker::{TestMaker, public};
use touchmark_formats::base45;
use touchmark_formats::capsule::Capsule;
use touchmark_formats::case::{Class, Piece};
use touchmark_formats::container::{Container, Level, SignedContainer, Sscc};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyId;
use touchmark_formats::mark::{Extension, Mark, Part, Serial, SignedMark};
use touchmark_formats::reading::{PhotoHash, Reading, SeenSymbol};
use touchmark_formats::symbol::Symbology;
use touchmark_formats::text::Label;

#[path = "../fuzz/checks.rs"]
#[expect(unreachable_pub, reason = "public for the fuzz targets, a crate of its own")]
pub(crate) mod checks;

fn label() -> impl Strategy<Value = Label> {
    let text = "[0-9]{1,63}|[0-9A-Z]{1,63}|[-0-9A-Z./+#,_=]([-0-9A-Z./+#,_= ]{0,61}[-A-Z./+#,_=])?|[a-zé字 ]{1,20}";
    text.prop_filter_map("no label", |text| Label::try_from(text).ok())
}

prop_compose! {
    fn any_mark()(
        key_id in any::<[u8; 4]>(),
        bits in 0u32..=53, raw in any::<u64>(),
        days in any::<u16>(),
        part in prop_oneof![any::<u16>().prop_map(Part::Listed), label().prop_map(Part::Inline)],
        lot in prop::option::of(label()),
        site in any::<Option<u16>>(), die_id in any::<Option<[u8; 4]>>(), grade in prop::option::of(0u8..=40),
        capsule in prop::option::of(prop::collection::vec(any::<u8>(), 3..=8)),
    ) -> Mark {
        Mark {
            key_id: KeyId(key_id),
            serial: Serial::new(raw & ((1 << bits) - 1)).unwrap(),
            date: Date::from_days(days),
            part,
            lot,
            extension: Extension { site, die_id, grade },
            capsule: capsule.and_then(|bytes| Capsule::from_bytes(&bytes)),
        }
    }
}

/// Bytes that come further into the parser than random ones do.
fn nearly_marks() -> impl Strategy<Value = Vec<u8>> {
    let fields = (0x90u8..=0x9F, prop::collection::vec(any::<u8>(), 8..120));
    let random = fields.prop_map(|(header, rest)| [&[header][..], &rest, &[0; 64]].concat());
    let damaged = (any_mark(), any::<Index>(), any::<u8>(), 0usize..3).prop_map(|(mark, at, byte, how)| {
        let mut bytes = SignedMark { mark, signature: [0; 64] }.to_bytes();
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => drop(bytes.remove(at)),
        }
        bytes
    });
    prop_oneof![random, damaged, prop::collection::vec(any::<u8>(), 0..300)]
}

/// Files of envelopes.json, and one change to each.
fn damaged_files() -> impl Strategy<Value = Vec<u8>> {
    let file: Value = serde_json::from_slice(&std::fs::read(folder().join("envelopes.json")).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let files: Vec<String> = cases.iter().map(|case| case["file"].as_str().unwrap().to_owned()).collect();
    let piece =
        select(vec!["", "null", "-1", "1e3", "[]", "{}", "\"\"", ",", "\\ud800", "99999999999999999999", "\u{202e}"]);
    (select(files), any::<Index>(), 0usize..9, piece).prop_map(|(file, at, cut, piece)| {
        let mut bytes = file.into_bytes();
        let at = if bytes.is_empty() { 0 } else { at.index(bytes.len()) };
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, piece.bytes());
        bytes
    })
}

proptest! {
    #[test]
    fn any_mark_comes_back_from_its_bytes(mark in any_mark(), half in any::<[u8; 32]>()) {
        let signature = [half, half].concat().try_into().unwrap();
        let signed = SignedMark { mark, signature };
        let bytes = signed.to_bytes();
        prop_assert_eq!(SignedMark::from_bytes(&bytes), Ok(signed));
        prop_assert!((73..=229).contains(&bytes.len()));
        prop_assert_eq!(base45::decode(&base45::encode(&bytes)).unwrap(), bytes);
    }

    #[test]
    fn any_bytes_are_refused_or_the_only_ones_for_their_mark(bytes in nearly_marks()) {
        checks::mark(&bytes);
        checks::text(base45::encode(&bytes).as_bytes());
    }

    #[test]
    fn any_container_comes_back_from_its_bytes(
        mark in any_mark(), level in select(Level::ALL.to_vec()), bits in 0u32..=53, raw in any::<u64>(), lack in any::<u64>(),
        code in prop::option::of(0u64..100_000_000_000_000_000), damage in any::<Option<(Index, u8)>>(),
    ) {
        let first = mark.serial.get();
        let more = (raw & ((1 << bits) - 1)).min(Serial::MAX - first);
        let container = Container {
            key_id: mark.key_id,
            level,
            serials: SerialRange { first: mark.serial, last: Serial::new(first + more).unwrap() },
            missing: lack % (more + 1),
            date: mark.date,
            part: mark.part,
            lot: mark.lot,
            site: mark.extension.site,
            sscc: code.and_then(|code| (0..10).find_map(|check| Sscc::new(code * 10 + check))),
            capsule: mark.capsule,
        };
        prop_assert_eq!(container.sscc.is_some(), code.is_some());
        let signed = SignedContainer { container, signature: [7; 64] };
        let mut bytes = signed.to_bytes();
        prop_assert!((76..=247).contains(&bytes.len()));
        prop_assert_eq!(SignedContainer::from_bytes(&bytes), Ok(signed));
        if let Some((at, byte)) = damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        checks::container(&bytes);
        checks::mark(&bytes);
    }

    #[test]
    fn any_text_is_refused_or_the_only_one_for_its_bytes(text in "[0-9A-Z $%*+./:-]{0,40}|.{0,20}") {
        checks::text(text.as_bytes());
    }

    #[test]
    fn any_changed_byte_of_a_signed_mark_is_refused(mark in any_mark(), at in any::<Index>(), change in 1u8..) {
        let maker = TestMaker::new(1);
        let signed = maker.sign(mark);
        let verifies = |signed: &SignedMark| {
            // The resolution of `TestMaker::sign`: an index has no text here.
            let part = maker.delegation.part(&signed.mark).cloned().unwrap_or_else(|| "unknown".parse().unwrap());
            let lot = maker.delegation.lot(&signed.mark).cloned();
            let message = signed.mark.message(&public(&maker.root), &part, lot.as_ref());
            public(&maker.line).check().unwrap().verify(&message, &signed.signature)
        };
        prop_assert!(verifies(&signed));
        let mut bytes = signed.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(!SignedMark::from_bytes(&bytes).is_ok_and(|changed| verifies(&changed)));
    }

    #[test]
    fn any_damaged_file_is_refused_or_has_one_meaning(file in damaged_files()) {
        checks::delegation(&file);
        checks::close(&file);
        checks::trust(&file);
        checks::disclosure(&file);
    }
}

/// A piece of evidence, and the line that it was cut out of.
fn evidence() -> Vec<u8> {
    let members = vec!["/a".to_owned(), "/b/c".to_owned()];
    let file = "parts.jsonl".to_owned();
    let piece = Piece { class: Class::Path, file, line: Some(1), commitment: [1; 32], salt: Some([2; 32]), members };
    let line = "{\"a\":1,\"b\":{\"c\":[\"x\"],\"d\":2}}";
    [serde_json::to_string(&piece).unwrap().as_str(), line].join("\n").into_bytes()
}

fn soft_reading() -> Vec<u8> {
    let symbol = SeenSymbol::new(Symbology::DataMatrix, 10, 10, [[0.5; 100].as_slice(), &[-9.0; 100]]).unwrap();
    let reading = Reading { tool: "test 1".into(), photos: vec![PhotoHash([7; 32])], symbols: vec![symbol] };
    serde_json::to_vec(&reading).unwrap()
}

proptest! {
    #[test]
    fn damaged_evidence_and_readings_are_refused_or_say_the_same_again(
        wrong in prop::collection::vec((any::<Index>(), any::<u8>()), 0..3),
    ) {
        let damaged = |mut bytes: Vec<u8>| {
            wrong.iter().for_each(|(at, byte)| *at.get_mut(&mut bytes) = *byte);
            bytes
        };
        checks::evidence(&damaged(evidence()));
        checks::reading(&damaged(soft_reading()));
    }
}

#[test]
fn every_vector_holds_as_the_fuzz_targets_ask() {
    let read = |name: &str| serde_json::from_slice::<Value>(&std::fs::read(folder().join(name)).unwrap()).unwrap();
    for (name, list) in [("marks.json", "valid"), ("containers.json", "valid"), ("invalid-marks.json", "invalid")] {
        let file = read(name);
        let marks = file[list].as_array().unwrap().iter().map(|v| unhex(v["mark"].as_str().unwrap()));
        marks.for_each(|bytes| [checks::mark, checks::container].iter().for_each(|check| check(&bytes)));
    }
    for case in read("envelopes.json")["cases"].as_array().unwrap() {
        let bytes = case["file"].as_str().unwrap().as_bytes();
        [checks::delegation, checks::close, checks::trust, checks::disclosure].iter().for_each(|check| check(bytes));
    }
}

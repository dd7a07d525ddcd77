//! The worked examples of `formats/SPEC.md`: every `name = hex` line there is made anew and compared.

use crate::vectors::hex;
use ed25519_dalek::Signer as _;
use std::collections::BTreeMap;
use testkit::maker::{TestMaker, label, public};
use touchmark_formats::base45;
use touchmark_formats::container::SignedContainer;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::{Mark, Part, SignedMark};
use touchmark_formats::signed::{Signed, message};
use touchmark_formats::text::Label;

/// The values of one example, by the names that SPEC.md gives them, with `prefix` before each.
fn example(prefix: &str, maker: &TestMaker, part: &Label, lot: &Label) -> Vec<(String, String)> {
    let (root, line): (KeyBytes, KeyBytes) = (public(&maker.root), public(&maker.line));
    let mark: Mark = maker.usual_mark();
    let day = maker.year.day(mark.date);
    let lot_key = day.lot(Some(lot));
    let item = lot_key.item(mark.key_id, mark.serial);
    let message = mark.message(&root, part, Some(lot));
    let signed = SignedMark { signature: maker.line.sign(&message).to_bytes(), mark: mark.clone() };
    let head = mark.head_bytes();
    let rows = [
        ("root", hex(&root.0)),
        ("root-fingerprint", hex(&root.fingerprint())),
        ("line-secret", hex(maker.line.as_bytes())),
        ("line", hex(&line.0)),
        ("key-id", hex(&line.id().0)),
        ("year-key", hex(maker.year.expose())),
        ("day-key", hex(day.expose())),
        ("lot-key", hex(lot_key.expose())),
        ("item-key", hex(item.expose())),
        ("tweak", hex(&[&head[..], &root.fingerprint()].concat())),
        ("capsule", hex(mark.capsule.unwrap().bytes())),
        ("head", hex(&head)),
        ("message", hex(&message)),
        ("signature", hex(&signed.signature)),
        ("mark", hex(&signed.to_bytes())),
        ("text", hex(base45::encode(&signed.to_bytes()).as_bytes())),
    ];
    rows.map(|(name, value)| (format!("{prefix}-{name}"), value)).to_vec()
}

/// The example of a container mark.
fn reel(maker: &TestMaker, part: &Label, lot: &Label) -> Vec<(String, String)> {
    let container = maker.reel(48_213_000, 48_215_999, 12, part, lot);
    let message = container.message(&public(&maker.root), part, Some(lot));
    let signature = maker.line.sign(&message).to_bytes();
    let signed = SignedContainer { container: container.clone(), signature };
    let rows = [
        ("reel-head", hex(&container.head_bytes())),
        ("reel-message", hex(&message)),
        ("reel-mark", hex(&signed.to_bytes())),
    ];
    rows.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

fn computed() -> BTreeMap<String, String> {
    let (part, lot) = (label("STM32F407VGT6"), label("A2B347K"));
    let (inline, listed) = (TestMaker::new(1), TestMaker::listed(1));
    assert!(matches!(inline.usual_mark().part, Part::Inline(_)) && matches!(listed.usual_mark().part, Part::Listed(0)));
    let mut values = example("inline", &inline, &part, &lot);
    values.extend(example("listed", &listed, &part, &lot));
    values.extend(reel(&inline, &part, &lot));
    let request = inline.delegation.request();
    values.push(("request-message".into(), hex(&message(&request))));
    values.push(("request-signature".into(), hex(&inline.delegation.possession.0)));
    values.push(("authority-fingerprint".into(), hex(&inline.trust().authority.fingerprint())));
    let envelope = Signed::new(inline.delegation.clone());
    assert!(message(&envelope.signed).starts_with(b"touchmark/v1/delegation\0{\"capsule_bytes\":6,"));
    values.into_iter().collect()
}

#[test]
fn the_worked_examples_of_the_specification_are_right() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../formats/SPEC.md");
    let spec = std::fs::read_to_string(path).unwrap();
    let computed = computed();
    let mut checked = 0;
    let mut lines = spec.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((name, first)) = line.strip_prefix("    ").and_then(|l| l.split_once(" = ")) else { continue };
        let mut value: String = first.split_whitespace().collect();
        // A value goes on in lines that are indented further.
        while let Some(more) = lines.next_if(|l| l.starts_with("        ")) {
            value.extend(more.split_whitespace());
        }
        assert_eq!(computed.get(name), Some(&value), "{name}");
        checked += 1;
    }
    assert_eq!(checked, 26, "examples in SPEC.md; known: {computed:#?}");
}

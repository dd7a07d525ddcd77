//! texts.json: base45 and labels.

use super::{hex, list, stored, text};
use serde_json::{Value, json};
use touchmark_formats::base45;
use touchmark_formats::text::Label;

/// Labels at and beyond each rule, with the error of those that are refused.
fn labels() -> Vec<Value> {
    let good = ["A", "0", "a b", "微控制器", "ЛОТ 7", "A\u{a0}B", "e\u{301}", "\u{e9}", "RC0603FR-0710K", "(*%:"];
    let bad = [
        "",
        " A",
        "A ",
        "\u{a0}A",
        "A\u{3000}",
        "A\u{1680}",
        "A\tB",
        "A\u{0}B",
        "A\u{7f}B",
        "A\u{9f}B",
        "A\u{ad}B",
        "A\u{34f}B",
        "A\u{61c}B",
        "A\u{115f}B",
        "A\u{1160}B",
        "A\u{17b4}B",
        "A\u{180e}B",
        "A\u{200b}B",
        "A\u{200f}B",
        "A\u{2028}B",
        "A\u{202e}B",
        "A\u{2060}B",
        "A\u{2066}B",
        "A\u{206f}B",
        "A\u{3164}B",
        "A\u{fe0f}B",
        "A\u{feff}B",
        "A\u{ffa0}B",
        "A\u{fff8}B",
        "A\u{1bca0}B",
        "A\u{1d173}B",
        "A\u{e0000}B",
        "A\u{e0fff}B",
    ];
    let long = ["x".repeat(63), "é".repeat(31), "x".repeat(64), "é".repeat(32)];
    let all = good.into_iter().chain(bad).map(str::to_owned).chain(long);
    all.map(|label| {
        let error = Label::try_from(label.clone()).err().map(|e| e.name());
        assert!(!bad.contains(&label.as_str()) || error.is_some(), "{label:?}");
        json!({"label": label, "error": error})
    })
    .collect()
}

#[test]
fn base45_and_labels_hold() {
    let bytes: [&[u8]; 8] =
        [b"", b"AB", b"Hello!!", b"base-45", b"ietf!", &[0], &[0xFF, 0xFF], &[0x90, 0x01, 0xFF, 0x00, 0x7F]];
    let refused = [
        ("GGW", "overflow"),
        (":::", "overflow"),
        ("::", "overflow"),
        ("V5", "overflow"),
        ("0", "length"),
        ("BB80", "length"),
        ("bb8", "character"),
        ("BB8=", "length"),
        ("B=8", "character"),
        ("BB8\n", "length"),
        ("\u{e9}0", "character"),
        ("BB,", "character"),
    ];
    let made = json!({
        "about": "base45 (RFC 9285) and labels; error null: accepted.",
        "base45": bytes.map(|b| json!({"bytes": hex(b), "text": base45::encode(b)})),
        "base45_refused": refused.map(|(text, error)| json!({"text": text, "error": error})),
        "labels": labels(),
    });
    let file = stored("texts.json", &made);
    for vector in list(&file, "base45") {
        assert_eq!(hex(&base45::decode(text(vector, "text")).unwrap()), text(vector, "bytes"));
    }
    for vector in list(&file, "base45_refused") {
        let error = base45::decode(text(vector, "text")).expect_err(text(vector, "text"));
        assert_eq!(error.name(), text(vector, "error"), "{vector}");
    }
    for vector in list(&file, "labels") {
        let error = Label::try_from(text(vector, "label").to_owned()).err().map(|e| e.name());
        assert_eq!(error, vector["error"].as_str(), "{vector}");
    }
}

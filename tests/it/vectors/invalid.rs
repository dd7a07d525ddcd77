//! invalid-marks.json: every way in which bytes fail to be a mark, with the error that they must give.

use super::{hex, list, stored, text, unhex};
use serde_json::json;
use std::collections::BTreeSet;
use touchmark_formats::carried::Carried;

/// Header, key id, serial 5, date 2518: then part, lot, extension and capsule follow.
fn fields(header: u8, rest: &[u8]) -> Vec<u8> {
    with_serial(header, &[5], rest)
}

fn with_serial(header: u8, serial: &[u8], rest: &[u8]) -> Vec<u8> {
    [&[header, 1, 2, 3, 4], serial, &[0x09, 0xD6], rest].concat()
}

fn signed(mut fields: Vec<u8>) -> Vec<u8> {
    fields.extend([0x55; 64]);
    fields
}

type Case = (&'static str, &'static str, Vec<u8>);

fn kinds() -> Vec<Case> {
    let of = |first: u8| signed(fields(first, &[0]));
    vec![
        ("no bytes", "not-a-mark", vec![]),
        ("text", "not-a-mark", b"https://example.com/".to_vec()),
        ("a header of version 0x8", "not-a-mark", of(0x8F)),
        ("a header of version 0xC", "not-a-mark", of(0xC0)),
        ("a header of ICAO VDS", "not-a-mark", of(0xDC)),
        ("micro mark", "unknown-kind", of(0xA0)),
        ("last of the micro marks", "unknown-kind", vec![0xAF]),
        ("256 bytes", "too-long", [&fields(0x90, &[0])[..], &[0; 247]].concat()),
        ("an unknown kind comes before the length", "unknown-kind", vec![0xA0; 300]),
        ("the header alone", "truncated", vec![0x90]),
        ("63 bytes", "truncated", vec![0x90; 63]),
        ("64 bytes leave no fields", "truncated", vec![0x90; 64]),
        ("no room for the date", "truncated", signed(vec![0x90, 1, 2, 3, 4, 5, 9])),
        ("no part index", "truncated", signed(fields(0x90, &[]))),
        ("a part index that goes on", "truncated", signed(fields(0x90, &[0x80]))),
        ("a serial that goes on", "truncated", signed(vec![0x90, 1, 2, 3, 4, 0x85])),
        ("a key id of three bytes", "truncated", signed(vec![0x90, 1, 2, 3])),
    ]
}

fn numbers() -> Vec<Case> {
    let serial = |bytes: &[u8]| signed(with_serial(0x90, bytes, &[0]));
    let index = |bytes: &[u8]| signed(fields(0x90, bytes));
    vec![
        ("serial 5 in two bytes", "serial", serial(&[0x85, 0x00])),
        ("serial 0 in two bytes", "serial", serial(&[0x80, 0x00])),
        ("serial 2^53", "serial", serial(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10])),
        ("serial 2^63", "serial", serial(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01])),
        ("serial 0 in ten bytes", "serial", serial(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00])),
        ("a serial of nine bytes that would go on", "serial", signed([&[0x90, 1, 2, 3, 4][..], &[0x80; 9]].concat())),
        ("part index 65536", "part-index", index(&[0x80, 0x80, 0x04])),
        ("part index 0 in two bytes", "part-index", index(&[0x80, 0x00])),
        ("part index 127 in two bytes", "part-index", index(&[0xFF, 0x00])),
        ("part index 0 in ten bytes", "part-index", index(&[&[0x80; 9][..], &[0]].concat())),
    ]
}

fn texts() -> Vec<Case> {
    let part = |bytes: &[u8]| signed(fields(0x98, bytes));
    let both = |bytes: &[u8]| signed(fields(0x9C, bytes));
    let utf8 = |text: &[u8]| part(&[&[0xC0 | text.len() as u8], text].concat());
    vec![
        ("a part without characters", "text-empty", part(&[0x40])),
        ("a lot without characters", "text-empty", both(&[0x01, 0x00, 7])),
        ("a digit above 9", "text-overflow", part(&[0x01, 10])),
        ("a letter above Z", "text-overflow", part(&[0x41, 36])),
        ("a character above the last of 45", "text-overflow", part(&[0x81, 45])),
        ("two texts above their product", "text-overflow", both(&[0x01, 0x41, 0x01, 0x68])),
        ("7 as a letter or digit", "text-alphabet", part(&[0x41, 7])),
        ("7 among the 45", "text-alphabet", part(&[0x81, 7])),
        ("7 as a byte", "text-alphabet", part(&[0xC1, b'7'])),
        ("A among the 45", "text-alphabet", part(&[0x81, 10])),
        ("A as a byte", "text-alphabet", part(&[0xC1, b'A'])),
        ("- as a byte", "text-alphabet", part(&[0xC1, b'-'])),
        ("7 as a letter or digit beside a good part", "text-alphabet", both(&[0x01, 0x41, 0x00, 0x2B])),
        ("a lone continuation byte", "text-utf8", utf8(&[0x80])),
        ("an overlong slash", "text-utf8", utf8(&[0xC0, 0xAF])),
        ("a surrogate", "text-utf8", utf8(&[0xED, 0xA0, 0x80])),
        ("beyond U+10FFFF", "text-utf8", utf8(&[0xF4, 0x90, 0x80, 0x80])),
        ("a cut character", "text-utf8", utf8(&[b'a', 0xC3])),
        ("NUL", "text-character", utf8(&[0])),
        ("a line feed", "text-character", utf8(b"a\nb")),
        ("DEL", "text-character", utf8(b"a\x7fb")),
        ("next line, U+0085", "text-character", utf8("a\u{85}b".as_bytes())),
        ("a direction override", "text-character", utf8("a\u{202E}b".as_bytes())),
        ("a zero-width space", "text-character", utf8("a\u{200B}b".as_bytes())),
        ("a soft hyphen", "text-character", utf8("a\u{AD}b".as_bytes())),
        ("a tag character", "text-character", utf8("a\u{E0041}".as_bytes())),
        ("a space at the end", "text-character", part(&[0x82, 0x01, 0xEE])),
        ("a space alone", "text-character", part(&[0x81, 44])),
        ("an ideographic space at the end", "text-character", utf8("a\u{3000}".as_bytes())),
        ("a text cut short", "truncated", part(&[0x4D, 1, 2, 3])),
        ("a part head without a lot head", "truncated", signed(fields(0x9C, &[0x01]))),
    ]
}

fn extensions_and_capsules() -> Vec<Case> {
    let ext = |bytes: &[u8]| signed(fields(0x91, &[&[0, bytes.len() as u8], bytes].concat()));
    let capsule = |header: u8, bytes: &[u8]| signed(fields(header, &[&[0], bytes].concat()));
    vec![
        ("an empty extension", "extension-empty", ext(&[])),
        ("site after die id", "extension-order", ext(&[2, 4, 1, 2, 3, 4, 1, 2, 0, 17])),
        ("site twice", "extension-order", ext(&[1, 2, 0, 17, 1, 2, 0, 17])),
        ("tag 0", "extension-order", ext(&[0, 0])),
        ("tag 4", "extension-tag", ext(&[4, 1, 0])),
        ("tag 255", "extension-tag", ext(&[1, 2, 0, 17, 255, 0])),
        ("a site of one byte", "extension-value", ext(&[1, 1, 17])),
        ("a site of three bytes", "extension-value", ext(&[1, 3, 0, 0, 17])),
        ("a die id of no bytes", "extension-value", ext(&[2, 0])),
        ("a die id of five bytes", "extension-value", ext(&[2, 5, 1, 2, 3, 4, 5])),
        ("a grade of two bytes", "extension-value", ext(&[3, 2, 0, 35])),
        ("grade 4.1", "extension-value", ext(&[3, 1, 41])),
        ("a tag without a length", "truncated", ext(&[1])),
        ("a value beyond the block", "truncated", ext(&[2, 4, 1, 2])),
        ("a block beyond the fields", "truncated", signed(fields(0x91, &[0, 9, 3, 1, 35]))),
        ("no block", "truncated", signed(fields(0x91, &[0]))),
        ("an announced capsule that is not there", "capsule-length", capsule(0x92, &[])),
        ("a capsule of two bytes", "capsule-length", capsule(0x92, &[1, 2])),
        ("a capsule of nine bytes", "capsule-length", capsule(0x92, &[1, 2, 3, 4, 5, 6, 7, 8, 9])),
        ("a capsule that was not announced", "capsule-length", capsule(0x90, &[1, 2, 3, 4, 5, 6])),
        ("one byte between fields and signature", "capsule-length", capsule(0x90, &[0])),
        ("no mark is longer than 229 bytes", "capsule-length", capsule(0x90, &[0; 182])),
    ]
}

/// Header, key id, level 1, serials 5 to 14, none missing, date 2518: then part, lot, extension and capsule follow.
fn container(header: u8, rest: &[u8]) -> Vec<u8> {
    signed([&[header, 1, 2, 3, 4, 1, 5, 9, 0, 0x09, 0xD6], rest].concat())
}

fn containers() -> Vec<Case> {
    let of = |level_and_serials: &[u8]| signed([&[0xB0, 1, 2, 3, 4], level_and_serials, &[0x09, 0xD6, 0]].concat());
    let ext = |bytes: &[u8]| container(0xB1, &[&[0, bytes.len() as u8], bytes].concat());
    let sscc = |number: u64| ext(&[&[4, 8][..], &number.to_be_bytes()].concat());
    vec![
        ("a container's header alone", "truncated", vec![0xB0]),
        ("last of the container marks", "truncated", vec![0xBF]),
        ("a container of 256 bytes", "too-long", vec![0xB0; 256]),
        ("a container of level 0", "level", of(&[0, 5, 9, 0])),
        ("a container of level 4", "level", of(&[4, 5, 9, 0])),
        ("a container from serial 5 in two bytes", "serial", of(&[1, 0x85, 0, 9, 0])),
        ("a container of ten serials in two bytes", "range", of(&[1, 5, 0x89, 0, 0])),
        (
            "a container beyond serial 2^53 - 1",
            "range",
            of(&[&[1, 5][..], &[0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], &[0]].concat()),
        ),
        ("a container without parts", "missing", of(&[1, 5, 9, 10])),
        ("none missing, in two bytes", "missing", of(&[1, 5, 9, 0x80, 0])),
        ("a container's range that goes on", "truncated", signed(vec![0xB0, 1, 2, 3, 4, 1, 5, 0x89])),
        ("a container with a die id", "extension-tag", ext(&[2, 4, 1, 2, 3, 4])),
        ("a container with a grade", "extension-tag", ext(&[3, 1, 35])),
        ("a mark with an SSCC", "extension-tag", signed(fields(0x91, &[0, 10, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0]))),
        ("an SSCC of seven bytes", "extension-value", ext(&[4, 7, 0, 0, 0, 0, 0, 0, 0])),
        ("an SSCC with a wrong check digit", "extension-value", sscc(376_104_250_021_234_568)),
        ("an SSCC of 19 digits", "extension-value", sscc(1_000_000_000_000_000_007)),
        ("a container with a capsule of two bytes", "capsule-length", container(0xB2, &[0, 1, 2])),
        ("a container with a byte too many", "capsule-length", container(0xB0, &[0, 0])),
        ("a container with an empty part", "text-empty", container(0xB8, &[0x40])),
    ]
}

#[test]
fn invalid_marks_give_the_error_that_is_written_down() {
    let cases: Vec<Case> = [kinds(), numbers(), texts(), extensions_and_capsules(), containers()].concat();
    let vector = |(name, error, bytes): &Case| json!({"name": name, "error": error, "mark": hex(bytes)});
    let made = json!({
        "about": "Bytes that are no mark, and the error that they give.",
        "invalid": cases.iter().map(vector).collect::<Vec<_>>(),
    });
    let file = stored("invalid-marks.json", &made);
    let mut seen = BTreeSet::new();
    for vector in list(&file, "invalid") {
        let error = Carried::from_bytes(&unhex(text(vector, "mark"))).expect_err(text(vector, "name"));
        assert_eq!(error.name(), text(vector, "error"), "{vector}");
        seen.insert(error.name());
    }
    assert_eq!(seen.len(), 19, "every error has a vector: {seen:?}");
}

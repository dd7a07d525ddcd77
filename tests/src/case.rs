//! Cases of any size, as `touchmark-verify batch` would make them, without the photos.

use image::{GrayImage, Luma};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use touchmark_verifier::case::folder::{Folder, FolderError};
use touchmark_verifier::case::record::{Case, PartResult, PhotoResult};

const MAKERS: [(&str, &str); 4] = [
    ("Example Semiconductors", "NL"),
    ("Fabrik für Mikroelektronik", "DE"),
    ("Semiconducteurs du Rhône", "FR"),
    ("Northern Power Devices", "SE"),
];
const BUYERS: [(&str, &str); 8] = [
    ("Noordzee Instruments", "NL"),
    ("Alpenblick Medizintechnik", "AT"),
    ("Pinheiro Distribuicao", "PT"),
    ("Baltic Components", "LT"),
    ("Harbour Electronics", "HK"),
    ("Bosporus Trading", "TR"),
    ("Emirates Supply", "AE"),
    ("Steppe Import", "KZ"),
];
const PARTS: [&str; 5] = ["STM32F407VGT6", "LM317T", "XC7A35T-1FTG256C", "MAX3232ESE", "TPS5430DDAR"];

/// Every file of the case in `folder` but what its run remembers.
///
/// # Panics
/// One cannot be read.
#[must_use]
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut waiting) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(path) = waiting.pop() {
        if path.is_file() {
            all.insert(path.strip_prefix(folder).unwrap().to_owned(), std::fs::read(&path).unwrap());
        } else if !path.ends_with(".touchmark") {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    all
}

/// Writes a case of `parts` parts, each on one or two photos, into `folder`: all kinds of verdicts, consignees, trails, a few
/// clones and contradictions. Always the same.
///
/// # Panics
/// If it cannot be written.
pub fn write_case(folder: &Folder, name: &str, parts: u64) {
    let case: Case = from(json!({
        "type": "touchmark-case", "version": 1, "tool": "touchmark-verify 0.1.0", "created": "2026-11-23T10:00:00Z",
        "name": name, "inputs": ["seizure"], "effort": "normal", "group": "none",
        "trust": { "file": "trust.json", "sha256": "5f".repeat(32), "authority": "Customs Laboratory", "fingerprint": "0a", "bundle_version": 12 },
        "disclosures": [{ "file": "from-example.age", "sha256": "a7".repeat(32) }],
    }));
    folder.write_case(&case).unwrap_or_else(|e| panic!("{e}"));
    let made: Vec<PartResult> = (0..parts).map(|n| from(part(n))).collect();
    std::fs::create_dir_all(folder.crops()).unwrap_or_else(|e| panic!("{e}"));
    let mut photos: Vec<PhotoResult> = Vec::new();
    for (n, part) in made.iter().enumerate() {
        for path in &part.photos {
            photos.push(from(photo(n as u64, path, part)));
        }
        if let Some(crop) = &part.crop {
            std::fs::write(folder.root().join(crop), picture(n as u32)).unwrap_or_else(|e| panic!("{e}"));
        }
    }
    for n in 0..parts / 50 {
        photos.push(from(json!({
            "photo": { "path": format!("seizure/empty/{n:06}.jpg"), "sha256": format!("{n:064x}") }, "verdict": "nothing-found",
            "reason": "no symbol was found in the photo", "marks": [],
        })));
    }
    photos.sort_by(|a, b| a.photo.path.cmp(&b.photo.path));
    let mut made = made;
    made.sort_by(|a, b| a.id.cmp(&b.id));
    folder.write_results(photos.into_iter().map(Ok::<_, FolderError>)).unwrap_or_else(|e| panic!("{e}"));
    folder.write_parts(made.into_iter().map(Ok::<_, FolderError>)).unwrap_or_else(|e| panic!("{e}"));
}

fn from<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{e}: {value}"))
}

/// A number that looks drawn from 0 to `of`, for the part `n` and a purpose.
fn draw(n: u64, purpose: u64, of: u64) -> u64 {
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (x ^ (x >> 31)) % of
}

fn part(n: u64) -> Value {
    let (maker, country) = MAKERS[(draw(n, 1, 10) as usize).min(9) * draw(n, 2, 4) as usize / 10];
    let lot = format!("{}{:03}K", char::from(b'A' + draw(n, 3, 6) as u8), draw(n, 4, 40));
    let serial = 48_000_000 + n;
    let date = format!("{}-{:02}-{:02}", 2023 + draw(n, 5, 4), 1 + draw(n, 6, 12), 1 + draw(n, 7, 28));
    let exhibit = format!("seizure/exhibit-{:03}", draw(n, 8, 120));
    let photos: Vec<String> = (0..=draw(n, 9, 2)).map(|m| format!("{exhibit}/IMG_{n:06}_{m}.jpg")).collect();
    let crop = format!("crops/{n:016x}-1.jpg");
    let common = json!({
        "id": format!("e73c39cc-{serial}"), "photos": photos, "read_from": photos[..1], "crop": crop, "symbology": "DataMatrix",
        "modules": [40, 40], "repaired": draw(n, 10, 20), "codewords": 162, "findings": [],
    });
    let verdict = match draw(n, 11, 100) {
        0..88 => "authentic",
        88..91 => "unreadable",
        91..94 => "unknown-issuer",
        94..96 => "forged",
        96..98 => "revoked",
        _ => "out-of-scope",
    };
    let mut out = common;
    let mut put = |more: Value| {
        out.as_object_mut().into_iter().for_each(|own| own.extend(more.as_object().cloned().unwrap_or_default()))
    };
    put(json!({ "verdict": verdict, "reason": format!("as the verdict {verdict} says") }));
    let fields = json!({ "key_id": "e73c39cc", "part": PARTS[draw(n, 12, 5) as usize], "lot": lot, "serial": serial, "date": date });
    match verdict {
        "unreadable" => {}
        "unknown-issuer" | "forged" => put(json!({ "unauthenticated": fields })),
        _ => {
            put(fields);
            put(json!({ "maker": maker, "country": country, "line": "line 1", "site": 17 }));
            let (buyer, seat) = BUYERS[draw(n, 13, 8).min(draw(n, 14, 8)) as usize];
            let disclosed = json!({ "status": "disclosed", "number": 100_000 + draw(n, 13, 8), "name": buyer, "country": seat, "case": "example" });
            put(json!({ "consignee": if draw(n, 15, 10) < 7 { disclosed } else { json!({ "status": "sealed" }) } }));
            if draw(n, 16, 10) < 4 {
                let (later, where_to) = BUYERS[4 + draw(n, 17, 4) as usize];
                put(json!({ "trail": { "ledger": "example.org/ledger", "records": 900, "hands": [
                    { "record": 7, "date": date, "event": "commissioned" },
                    { "record": 8, "date": "2027-01-15", "event": "shipped", "to": { "name": buyer, "country": seat } },
                    { "record": 9, "date": format!("2027-{:02}-09", 2 + draw(n, 18, 9)), "event": "handed-over", "to": { "name": later, "country": where_to } },
                ] } }));
            }
        }
    }
    if draw(n, 19, 200) == 0 {
        let here = json!({ "path": photos[0], "sha256": "00".repeat(32), "taken": "2026-11-20T10:05:00", "place": "48.6, 31.2", "crop": crop });
        let there = |path: &str| json!({ "path": path, "sha256": "11".repeat(32), "taken": "2026-11-21T16:40:00", "place": "50.45, 30.52" });
        let mut near = there("seizure/exhibit-007/IMG_9.jpg");
        near["crop"] = json!(format!("crops/{:016x}-1.jpg", n ^ 1));
        let clone = match draw(n, 23, 3) {
            0 => json!({
                "why": "other-case", "detail": "another case has this mark on another photo: there are two parts, or both cases have the same one",
                "here": here, "there": there("seizure/crate 4/IMG_17.jpg"), "case": "Lviv 2025/3",
            }),
            _ => json!({
                "why": "two-folders", "detail": "photos in two folders show this mark: it is on two parts, or the photos of one part are in both",
                "here": here, "there": near,
            }),
        };
        put(json!({ "clones": [clone] }));
    }
    if draw(n, 20, 150) == 0 {
        put(
            json!({ "findings": [{ "finding": "ledger-contradicts-mark", "detail": "the maker's ledger says LM317T, lot B7, the mark otherwise" }] }),
        );
    }
    out
}

fn photo(n: u64, path: &str, part: &PartResult) -> Value {
    let mut mark = serde_json::to_value(&part.mark).unwrap_or_default();
    let more = json!({ "corners": [[129.5, 309.0], [365.0, 236.0], [438.0, 461.0], [214.0, 522.0]], "crop": part.crop, "part_id": part.id });
    mark.as_object_mut().into_iter().for_each(|own| own.extend(more.as_object().cloned().unwrap_or_default()));
    json!({
        "photo": {
            "path": path, "sha256": format!("{n:032x}{:032x}", path.len()), "bytes": 2_500_000, "width": 4000, "height": 3000,
            "taken": "2026-11-20T10:05:00", "latitude": 46.0 + draw(n, 21, 60) as f64 / 10.0, "longitude": 24.0 + draw(n, 22, 140) as f64 / 10.0,
        },
        "verdict": part.mark.verdict, "reason": part.mark.reason, "marks": [mark], "parts": [part.id],
    })
}

/// A picture of some modules on dark, with noise: as large in bytes as one of a mark.
fn picture(n: u32) -> Vec<u8> {
    let noise = |x: u32, y: u32| draw(u64::from(x) << 32 | u64::from(y), u64::from(n), 40) as u8;
    let module = |x: u32, y: u32| draw(u64::from(x / 8) << 20 | u64::from(y / 8), u64::from(n) + 1, 2) as u8 * 120;
    let inside = |v: u32| (40..360).contains(&v);
    let picture = GrayImage::from_fn(400, 400, |x, y| {
        Luma([noise(x, y) + if inside(x) && inside(y) { 40 + module(x, y) } else { 30 }])
    });
    let mut out = Cursor::new(Vec::new());
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 70)
        .encode_image(&picture)
        .unwrap_or_else(|e| panic!("{e}"));
    out.into_inner()
}

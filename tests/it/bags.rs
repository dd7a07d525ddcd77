//! Packed cases, whole, redacted and forged: the program and the second implementation say the same of each.

use crate::case::Place;
use crate::vectors::cases::{manifests, places};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::case::write_case;
use touchmark_verifier::case::folder::{Folder, FolderError};
use touchmark_verifier::case::record::PhotoResult;
use touchmark_verifier::verdict::Status;

const SEAL: &str = "touchmark-seal.json";
const EVIDENCE: &str = "touchmark-evidence.jsonl";

/// A key of RFC 8032, section 7.1, test 1, that everybody has.
const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

/// A packed case in `bag`, and the same redacted in `shared`.
fn packed() -> Place {
    let place = Place(tempfile::tempdir().unwrap());
    let folder = Folder::at(&place.at("case"));
    write_case(&folder, "K-7", 60);
    // Some of its photos are there.
    let mut photos: Vec<PhotoResult> = folder.results().unwrap().map(Result::unwrap).collect();
    for (n, photo) in photos.iter_mut().take(3).enumerate() {
        let path = place.at(&format!("{n}.jpg"));
        std::fs::write(&path, format!("photo {n}")).unwrap();
        photo.photo.path = path.to_str().unwrap().to_owned();
        photo.photo.sha256 = Some(crate::vectors::hex(&Sha256::digest(format!("photo {n}"))));
    }
    // Numbers as cameras give them, of which a reader must not lose a bit.
    photos[0].photo.longitude = Some(118.375_780_555_555_55);
    folder.write_results(photos.into_iter().map(Ok::<_, FolderError>)).unwrap();
    std::fs::write(place.at("key.pem"), PEM).unwrap();
    for line in [
        "case report @case --language nl",
        "case pack @case --key @key.pem --with-photos --out @bag",
        "case redact @bag --language uk --out @shared",
    ] {
        let (status, _, err) = place.verify(line, "");
        assert_eq!(status, Status::AllAuthentic, "{line}: {err}");
    }
    place
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn edit(bag: &Path, name: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(bag.join(name)).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    std::fs::write(bag.join(name), text.replacen(from, to, 1)).unwrap();
}

fn put(bag: &Path, name: &str, content: &str) {
    std::fs::create_dir_all(bag.join(name).parent().unwrap()).unwrap();
    std::fs::write(bag.join(name), content).unwrap();
}

/// The first file in a folder of the payload.
fn first(bag: &Path, folder: &str) -> PathBuf {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(bag.join("data").join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all.remove(0)
}

type Change = (&'static str, &'static str, fn(&Path));

/// What is done to a bag (the second) by somebody who makes its manifests anew.
const FORGED: &[Change] = &[
    ("nothing", "bag", |_| {}),
    ("nothing in the redacted one", "shared", |_| {}),
    ("a file beside the payload", "bag", |bag| put(bag, "metadata/mets.xml", "<mets/>")),
    ("a verdict", "bag", |bag| edit(bag, "data/parts.jsonl", "\"authentic\"", "\"forged\"")),
    ("a place", "bag", |bag| edit(bag, "data/results.jsonl", "\"latitude\":", "\"latitude\":1")),
    ("a consignee", "bag", |bag| edit(bag, "data/parts.jsonl", "\"name\":\"", "\"name\":\"X")),
    ("a consignee in the redacted one", "shared", |bag| {
        edit(bag, "data/parts.jsonl", "{", "{\"consignee\":{\"name\":\"X\",\"status\":\"disclosed\"},");
    }),
    ("a space", "bag", |bag| edit(bag, "data/case.json", ",", ", ")),
    ("no line feed at the end", "bag", |bag| {
        let text = std::fs::read_to_string(bag.join("data/parts.jsonl")).unwrap();
        std::fs::write(bag.join("data/parts.jsonl"), text.trim_end()).unwrap();
    }),
    ("a line that is not UTF-8", "shared", |bag| {
        let mut bytes = std::fs::read(bag.join("data/parts.jsonl")).unwrap();
        bytes[3] = 0xff;
        std::fs::write(bag.join("data/parts.jsonl"), bytes).unwrap();
    }),
    ("a line fewer", "shared", |bag| {
        let text = std::fs::read_to_string(bag.join("data/results.jsonl")).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        std::fs::write(bag.join("data/results.jsonl"), lines[..lines.len() - 1].concat()).unwrap();
    }),
    ("a photo", "bag", |bag| std::fs::write(first(bag, "photos"), "another").unwrap()),
    ("a photo put back", "shared", |bag| put(bag, "data/photos/x.jpg", "x")),
    ("a picture", "shared", |bag| std::fs::write(first(bag, "crops"), "another").unwrap()),
    ("no picture", "bag", |bag| std::fs::remove_file(first(bag, "crops")).unwrap()),
    ("the signed report", "bag", |bag| edit(bag, "data/report.html", "<h1>", "<h1>x")),
    ("a file of lines gone", "shared", |bag| std::fs::remove_file(bag.join("data/parts.jsonl")).unwrap()),
    ("a salt taken from the list", "bag", |bag| edit(bag, EVIDENCE, "\"salt\":\"", "\"salt\":\"AAAA")),
    ("a piece of another file", "bag", |bag| {
        edit(bag, EVIDENCE, "\"file\":\"results.jsonl\"", "\"file\":\"parts.jsonl\"")
    }),
    ("a member of null in the list", "shared", |bag| edit(bag, EVIDENCE, "{", "{\"salt\":null,")),
    ("a piece fewer", "bag", |bag| {
        let text = std::fs::read_to_string(bag.join(EVIDENCE)).unwrap();
        let pieces: String = text.split_inclusive('\n').skip(1).collect();
        std::fs::write(bag.join(EVIDENCE), pieces).unwrap();
    }),
    ("the seal's time", "shared", |bag| edit(bag, SEAL, "2026-12-01", "2026-12-02")),
    ("the seal's number of pieces", "bag", |bag| edit(bag, SEAL, "\"pieces\": ", "\"pieces\": 1")),
    ("no seal", "bag", |bag| std::fs::remove_file(bag.join(SEAL)).unwrap()),
    ("no evidence", "bag", |bag| std::fs::remove_file(bag.join(EVIDENCE)).unwrap()),
    ("another kind of bag", "bag", |bag| edit(bag, "bagit.txt", "1.0", "2.0")),
];

/// What is done by accident, or by somebody who does not know of manifests.
const DAMAGED: &[Change] = &[
    ("a bit of a photo", "bag", |bag| std::fs::write(first(bag, "photos"), "another").unwrap()),
    ("a file more", "bag", |bag| put(bag, "data/new.txt", "x")),
    ("a file beside the payload that nothing lists", "bag", |bag| put(bag, "notes.txt", "x")),
    ("a tag file gone", "shared", |bag| std::fs::remove_file(bag.join("bag-info.txt")).unwrap()),
    ("a manifest gone", "shared", |bag| std::fs::remove_file(bag.join("manifest-sha512.txt")).unwrap()),
    ("a hash in one manifest", "bag", |bag| edit(bag, "manifest-sha512.txt", "data/case.json", "data/case.jsom")),
    ("a manifest that leads out", "bag", |bag| edit(bag, "manifest-sha256.txt", "data/case.json", "../case.json")),
    ("a manifest with a name twice", "bag", |bag| {
        edit(bag, "manifest-sha256.txt", "data/parts.jsonl", "data/case.json");
    }),
    #[cfg(unix)]
    ("a link", "bag", |bag| std::os::unix::fs::symlink("/etc/passwd", bag.join("data/x")).unwrap()),
    #[cfg(unix)]
    ("a payload that is elsewhere", "bag", |bag| {
        std::fs::rename(bag.join("data"), bag.with_extension("data")).unwrap();
        std::os::unix::fs::symlink(bag.with_extension("data"), bag.join("data")).unwrap();
    }),
];

#[test]
fn two_implementations_say_the_same_of_every_bag() {
    let place = packed();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("second/seal.py");
    let mut bags = Vec::new();
    for (n, (what, from, change)) in FORGED.iter().chain(DAMAGED).enumerate() {
        let bag = place.at(&format!("altered-{n}"));
        copy(&place.at(from), &bag);
        change(&bag);
        if n < FORGED.len() {
            manifests(&bag);
        }
        bags.push((*what, format!("altered-{n}")));
    }
    let paths = bags.iter().map(|(_, name)| place.at(name));
    let Ok(output) = Command::new("python3").arg(script).args(paths).output() else {
        println!("skipped: python3 is not there to run the second implementation");
        return;
    };
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(said.lines().count(), bags.len());
    let mut good = Vec::new();
    for ((what, name), second) in bags.iter().zip(said.lines()) {
        let second: Value = serde_json::from_str(second).unwrap();
        let (status, out, err) = place.verify(&format!("case verify @{name} --json"), "");
        if status == Status::Unusable {
            assert!(second["no_bag"].is_string(), "{what}: {err}and the second says {second}");
            continue;
        }
        let own: Value = serde_json::from_str(&out).unwrap();
        let problems: Vec<String> = serde_json::from_value(own["problems"].clone()).unwrap();
        let own = json!({
            "as_signed": own["as_signed"], "differs": places(&problems), "left_out": own["left_out"],
            "made_anew": own["made_anew"], "signers": own["signers"],
        });
        assert_eq!(own, second, "{what}: {problems:?}");
        if second["as_signed"] == json!(true) {
            good.push(*what);
        }
    }
    assert_eq!(good, ["nothing", "nothing in the redacted one", "a file beside the payload"]);
}

#[test]
fn a_forged_report_in_a_redacted_bag_is_found() {
    let place = packed();
    let verify = |name: &str| {
        let (status, out, err) = place.verify(&format!("case verify @{name}"), "");
        assert_eq!(err, "");
        (status, out)
    };
    let derived = "  derived    flows.graphml, report.html: what this program makes of the evidence\n";
    for (name, line) in
        [("bag", ""), ("shared", "  not signed flows.graphml, report.html: left out, and made anew since\n")]
    {
        let (status, out) = verify(name);
        assert!(status == Status::AllAuthentic && out.contains(derived) && out.contains(line), "{out}");
    }
    let report = std::fs::read_to_string(place.at("shared/data/report.html")).unwrap();
    assert!(report.starts_with("<!DOCTYPE html>\n<html lang=\"uk\">"));
    edit(&place.at("shared"), "data/report.html", "\"authentic\"", "\"forged\"");
    manifests(&place.at("shared"));
    let (status, out) = verify("shared");
    assert_eq!(status, Status::NotAuthentic);
    assert!(out.starts_with(&format!("{}: NOT AS SIGNED\n", place.at("shared").display())), "{out}");
    assert!(out.contains("  differs    report.html: it is not what this program makes of the evidence\n"), "{out}");
    assert!(out.contains("  derived    flows.graphml: what this program makes of the evidence\n"), "{out}");
    let (_, out, _) = place.verify("case verify @shared --json", "");
    let said: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(said["derived"], json!({ "flows.graphml": "as-made", "report.html": "differs" }));
}

//! Photos of telephones (HEIC) by every way in: `cargo test -p touchmark-verifier --features heic`.
//!
//! `phone.heic` is tests/photos/chip-1.jpg, compressed anew by libheif 1.15 with x265, stored lying on its side. As a telephone does
//! it, the container says how to turn it (irot), and so does the camera's note (Exif, orientation 6), with time and place.
#![cfg(feature = "heic")]
#![allow(clippy::unwrap_used)] // A test stops where its premise fails.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/photos").join(name)
}

/// What the program prints, run in `place` with `input`.
fn run(place: &Path, line: &str, input: &[u8]) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_touchmark-verify"))
        .args(line.split_whitespace())
        .args(["--trust".into(), example("trust.json")])
        .current_dir(place)
        .env("TOUCHMARK_STATE", place.join("state"))
        .env_remove("TOUCHMARK_SIGHTINGS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn place() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let photo = include_bytes!("phone.heic");
    std::fs::create_dir(place.path().join("in")).unwrap();
    // By its content, whatever its name says.
    for name in ["in/IMG_1.HEIC", "in/IMG_2", "in/IMG_3.jpg"] {
        std::fs::write(place.path().join(name), photo).unwrap();
    }
    let mut zip = zip::ZipWriter::new(std::fs::File::create(place.path().join("in/phone.zip")).unwrap());
    zip.start_file("DCIM/IMG_4", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(photo).unwrap();
    zip.finish().unwrap();
    place
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_photo_is_read_upright() {
    let place = place();
    let (status, out) = run(place.path(), "photo in/IMG_1.HEIC --json --annotate out", b"");
    let heic = &lines(&out)[0];
    assert_eq!((status, &heic["verdict"], &heic["serial"]), (Some(0), &"authentic".into(), &48_213_077.into()));
    assert_eq!((&heic["width"], &heic["height"]), (&900.into(), &674.into()));
    let (_, out) = run(place.path(), &format!("photo {} --json", example("chip-1.jpg").display()), b"");
    let jpeg = &lines(&out)[0];
    let corners = |line: &Value| serde_json::from_value::<[[f64; 2]; 4]>(line["corners"].clone()).unwrap();
    for (a, b) in corners(heic).into_iter().flatten().zip(corners(jpeg).into_iter().flatten()) {
        assert!((a - b).abs() < 4.0, "{heic} {jpeg}");
    }
    let drawn = image::open(place.path().join("out/IMG_1-annotated.png")).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (900, 674));
    let (status, out) = run(place.path(), "photo --files0-from - --json", b"in/IMG_2\0in/IMG_3.jpg\0");
    assert!(status == Some(0) && lines(&out).iter().all(|line| line["serial"] == 48_213_077), "{out}");
}

#[test]
fn a_case_has_the_photo_with_its_time_and_place() {
    let place = place();
    let (status, out) = run(place.path(), "batch in --out case --no-sightings", b"");
    assert_eq!(status, Some(0), "{out}");
    let results = lines(&std::fs::read_to_string(place.path().join("case/results.jsonl")).unwrap());
    let paths: Vec<&str> = results.iter().map(|line| line["photo"]["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["in/IMG_1.HEIC", "in/IMG_2", "in/IMG_3.jpg", "in/phone.zip!/DCIM/IMG_4"]);
    for line in &results {
        let photo = &line["photo"];
        assert_eq!((&line["verdict"], &photo["width"]), (&"authentic".into(), &900.into()));
        assert_eq!((&photo["taken"], &photo["latitude"]), (&"2026-11-20T10:05:00+02:00".into(), &50.45.into()));
    }
}

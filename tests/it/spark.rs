//! Large sets on Apache Spark: what several workers print together is what one run prints.

use std::process::{Command, Stdio};
use testkit::console::{binaries, root};

#[test]
#[ignore = "Apache Spark is no dependency: tests/spark/setup installs it, then `cargo test -p touchmark-tests spark -- --ignored`"]
fn a_cluster_prints_what_one_run_prints() {
    let python = root().join("target/spark/bin/python");
    if !python.exists() {
        println!("skipped: Apache Spark is not installed (tests/spark/setup)");
        return;
    }
    let (examples, place) = (root().join("tests/photos"), tempfile::tempdir().unwrap());
    let photos = ["chip-1.jpg", "no-mark.jpg", "stranger.jpg", "chip-2.jpg"];
    let mut names: Vec<String> = (0..22).map(|n| format!("{n:02}\nНомер {n}.jpg")).collect();
    for (n, name) in names.iter().enumerate() {
        std::fs::copy(examples.join(photos[n % photos.len()]), place.path().join(name)).unwrap();
    }
    names.push("nowhere.jpg".into());
    let names: Vec<String> = names.iter().map(|name| place.path().join(name).display().to_string()).collect();
    let list = place.path().join("list");
    std::fs::write(&list, names.join("\0")).unwrap();
    let verifier = binaries().join("touchmark-verify");
    let photo = |from: &str| -> Vec<String> {
        let trust = examples.join("trust.json").display().to_string();
        let words = ["photo", "--files0-from", from, "--json", "--effort", "quick", "--trust", &trust];
        std::iter::once(verifier.display().to_string()).chain(words.map(str::to_owned)).collect()
    };
    let one = photo(&list.display().to_string());
    let alone = Command::new(&one[0]).args(&one[1..]).stderr(Stdio::null()).output().unwrap();
    assert_eq!(alone.status.code(), Some(1));
    let merged = place.path().join("merged.jsonl");
    let done = Command::new(&python)
        .arg(root().join("tests/spark/verify.py"))
        .args(["--master", "local-cluster[2,1,1024]", "--slices", "5", "--list"])
        .arg(&list)
        .arg("--out")
        .arg(&merged)
        .arg("--")
        .args(photo("-"))
        .env("PYSPARK_PYTHON", &python)
        .env("SPARK_LOCAL_IP", "127.0.0.1")
        .env("SPARK_LOCAL_HOSTNAME", "localhost")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let (merged, alone) = (std::fs::read_to_string(merged).unwrap(), String::from_utf8(alone.stdout).unwrap());
    assert_eq!(merged.lines().count(), 23);
    assert_eq!(merged, alone);
}

//! Whole image sets: `photo --files0-from`, `batch` and `watch`, the program itself, also stopped and killed.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use testkit::case::files;
use testkit::console::{binaries, root};

/// A temporary folder in which the program runs.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Copies an example photo; `different` makes it another file that shows the same.
    fn photo(&self, from: &str, to: &str, different: &str) {
        let mut bytes = std::fs::read(examples().join(from)).unwrap();
        bytes.extend(different.bytes());
        self.write(to, &bytes);
    }

    fn write(&self, to: &str, bytes: &[u8]) {
        let path = self.path(to);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(binaries().join("touchmark-verify"));
        command
            .args(line.split_whitespace())
            .args(["--trust".into(), examples().join("trust.json")])
            .current_dir(self.0.path())
            .env("TOUCHMARK_STATE", self.path("state"))
            .env("SOURCE_DATE_EPOCH", "1795608000")
            .env_remove("TOUCHMARK_SIGHTINGS")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, line: &str) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.command(line).output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn examples() -> PathBuf {
    root().join("tests/photos")
}

fn interrupt(child: &Child) {
    let done = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn names_come_on_standard_input_and_answers_as_soon_as_they_are_known() {
    let place = Place::new();
    place.photo("chip-1.jpg", "a.jpg", "");
    place.photo("no-mark.jpg", "line\nbreak.jpg", "");
    place.write("broken.jpg", &[0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3]);
    let mut child = place
        .command("photo --files0-from - --json")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut answer = |name: &[u8]| -> Value {
        input.write_all(name).unwrap();
        let mut line = String::new();
        // Whoever writes one name and waits gets its answer: nothing waits for the end of the list.
        output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    };
    let first = answer(b"a.jpg\0");
    assert_eq!(
        (&first["file"], &first["verdict"], &first["serial"]),
        (&"a.jpg".into(), &"authentic".into(), &48_213_077.into())
    );
    let broken = answer(b"broken.jpg\0");
    assert!(broken["error"].as_str().unwrap().starts_with("cannot read broken.jpg: "), "{broken}");
    assert_eq!(answer(b"\0")["error"], "-:3: invalid zero-length file name");
    assert_eq!(answer(b"line\nbreak.jpg\0")["file"], "line\nbreak.jpg");
    assert_eq!(answer(b"nowhere.jpg\0")["verdict"], "nothing-found");
    // The last one without its NUL, as if the list had been cut: it is a name all the same.
    input.write_all(b"a.jpg").unwrap();
    drop(input);
    let rest: Vec<String> = output.lines().map(Result::unwrap).collect();
    assert_eq!(rest.len(), 1);
    assert_eq!(serde_json::from_str::<Value>(&rest[0]).unwrap()["verdict"], "authentic");
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[test]
fn a_list_of_names_may_be_a_file_and_order_is_kept() {
    let place = Place::new();
    let names: Vec<String> = (0..12).map(|n| format!("{n}.jpg")).collect();
    for (n, name) in names.iter().enumerate() {
        place.photo(["chip-1.jpg", "no-mark.jpg", "stranger.jpg"][n % 3], name, "");
    }
    place.write("list", names.join("\0").as_bytes());
    let (status, out, _) = place.run("photo --files0-from list --json --effort quick");
    let files: Vec<Value> =
        out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["file"].take()).collect();
    assert_eq!(files, names);
    assert_eq!(status, Some(1));
    let (status, _, err) = place.run("photo --files0-from nowhere --json");
    assert!(status == Some(2) && err.contains("nowhere"), "{err}");
    let (status, ..) = place.run("photo a.jpg --files0-from list");
    assert_eq!(status, Some(2));
}

/// A tree with every kind of file that a seizure has.
fn seizure(place: &Place) {
    place.photo("chip-1.jpg", "in/a/one.jpg", "");
    place.photo("chip-1.jpg", "in/a/two.jpg", "again");
    place.photo("chip-2.jpg", "in/b/three.JPG", "");
    place.photo("stranger.jpg", "in/b/camera-file", "");
    place.photo("no-mark.jpg", "in/c/Київ\n=1.jpg", "");
    place.write("in/c/broken.png", b"\x89PNG\r\n\x1a\n and no more");
    place.write("in/c/notes.txt", b"no picture");
    place.write("in/.hidden/x.jpg", b"never looked at");
    place.photo("chip-1.jpg", "packed/chip.jpg", "from a zip");
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", place.path("in/a/circle")).unwrap();
    let script = "import sys, tarfile, zipfile
z = zipfile.ZipFile('in/evidence.zip', 'w', zipfile.ZIP_DEFLATED)
z.write('packed/chip.jpg', '../../../tmp/escape.jpg')
z.writestr('inner.zip', b'PK')
z.writestr('readme.txt', b'text')
z.close()
t = tarfile.open('in/evidence.tar', 'w')
t.add('packed/chip.jpg', 'x/chip.jpg')
t.close()";
    let done = Command::new("python3").args(["-c", script]).current_dir(place.0.path()).status().unwrap();
    assert!(done.success());
}

#[test]
fn a_folder_tree_becomes_evidence() {
    let place = Place::new();
    seizure(&place);
    let (status, out, err) = place.run("batch in --out case");
    assert_eq!(status, Some(1), "{err}");
    assert!(out.starts_with("case: 9 photos, 3 parts\n"), "{out}");
    assert!(
        err.contains("passed over: 2 files that are no pictures, 1 hidden files and folders, 1 links to folders"),
        "{err}"
    );
    let results = place.lines("case/results.jsonl");
    let rows: Vec<(&str, &str)> = results
        .iter()
        .map(|line| (line["photo"]["path"].as_str().unwrap(), line["verdict"].as_str().unwrap()))
        .collect();
    let expected = [
        ("in/a/one.jpg", "authentic"),
        ("in/a/two.jpg", "authentic"),
        ("in/b/camera-file", "unknown-issuer"),
        ("in/b/three.JPG", "authentic"),
        ("in/c/broken.png", "nothing-found"),
        ("in/c/Київ\n=1.jpg", "nothing-found"),
        ("in/evidence.tar!/x/chip.jpg", "authentic"),
        ("in/evidence.zip!/../../../tmp/escape.jpg", "authentic"),
        ("in/evidence.zip!/inner.zip", "nothing-found"),
    ];
    assert_eq!(rows, expected);
    assert!(results[4]["error"].as_str().unwrap().contains("cannot read in/c/broken.png: "));
    assert!(results[8]["error"].as_str().unwrap().contains("an archive in an archive is not opened"));
    let parts = place.lines("case/parts.jsonl");
    let ids: Vec<&str> = parts.iter().map(|part| part["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["e73c39cc-48213077", "e73c39cc-48213078", "unknown-issuer-1f1129c5-48213077"]);
    assert_eq!(parts[0]["photos"].as_array().unwrap().len(), 4);
    assert_eq!(results[0]["parts"][0], "e73c39cc-48213077");
    let mark = &results[0]["marks"][0];
    assert_eq!((&mark["part_id"], &mark["part"]), (&"e73c39cc-48213077".into(), &"STM32F407VGT6".into()));
    let crop = image::open(place.path("case").join(mark["crop"].as_str().unwrap())).unwrap();
    assert!(crop.width().max(crop.height()) <= 360, "{}x{}", crop.width(), crop.height());
    let table = std::fs::read_to_string(place.path("case/results.csv")).unwrap();
    assert_eq!(table.matches("\r\n").count(), 10);
    assert!(!place.path("tmp").exists() && !place.0.path().parent().unwrap().join("tmp/escape.jpg").exists());
    let case: Value = serde_json::from_slice(&std::fs::read(place.path("case/case.json")).unwrap()).unwrap();
    assert_eq!((&case["name"], &case["created"]), (&"case".into(), &"2026-11-25T12:00:00Z".into()));

    // Once more: nothing is done twice, and nothing changes, but for a photo that is new.
    let before = files(&place.path("case"));
    let (_, _, err) = place.run("batch in --out case");
    assert!(err.contains("9 photos were done before; going on"), "{err}");
    assert_eq!(files(&place.path("case")), before);
    place.photo("no-mark.jpg", "in/z.jpg", "");
    place.run("batch in --out case");
    assert_eq!(place.lines("case/results.jsonl").len(), 10);
    // What a case was begun with does not change.
    for (change, word) in
        [("--effort quick", "--effort normal"), ("--group folder", "without --group"), ("in/a", "for in:")]
    {
        let (status, _, err) = place.run(&format!("batch in --out case {change}"));
        assert!(status == Some(2) && err.contains(word), "{change}: {err}");
    }
}

#[test]
fn a_case_that_is_killed_again_and_again_ends_as_if_it_had_not_been() {
    let place = Place::new();
    for n in 0..24 {
        let photo = ["chip-1.jpg", "no-mark.jpg", "chip-2.jpg", "stranger.jpg"][n % 4];
        place.photo(photo, &format!("whole/in/{n}.jpg"), &n.to_string());
        place.photo(photo, &format!("killed/in/{n}.jpg"), &n.to_string());
    }
    let batch = |folder: &str| {
        let mut command = place.command("batch in --out case --no-sightings");
        command.current_dir(place.path(folder)).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    assert_eq!(batch("whole").status().unwrap().code(), Some(1));
    let journal = place.path("killed/case/.touchmark/journal.jsonl");
    let size = || std::fs::metadata(&journal).map_or(0, |file| file.len());
    let mut kills = 0;
    loop {
        let mut child = batch("killed").spawn().unwrap();
        let (before, begun) = (size(), Instant::now());
        // After a few photos, and each time a little later in the work on the next.
        while child.try_wait().unwrap().is_none() && size() < before + 4000 && begun.elapsed().as_secs() < 60 {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(kills * 7));
        let _ = child.kill();
        if child.wait().unwrap().code().is_some() {
            break;
        }
        kills += 1;
    }
    assert!(kills >= 2, "{kills} kills");
    assert_eq!(files(&place.path("killed/case")), files(&place.path("whole/case")));
}

#[test]
fn an_interrupted_case_finishes_what_is_in_work_and_goes_on() {
    let place = Place::new();
    (0..40).for_each(|n| place.photo("no-mark.jpg", &format!("in/{n}.jpg"), &n.to_string()));
    let mut command = place.command("batch in --out case");
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("a photo", || {
        std::fs::read_to_string(place.path("case/.touchmark/journal.jsonl")).is_ok_and(|text| text.lines().count() > 2)
    });
    interrupt(&child);
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains(" photos are done; the same command goes on"), "{err}");
    assert!(!place.path("case/results.jsonl").exists());
    assert_eq!(place.run("batch in --out case").0, Some(3));
    assert_eq!(place.lines("case/results.jsonl").len(), 40);
}

#[test]
fn by_folder_photos_are_put_together_and_one_mark_in_two_folders_is_pointed_out() {
    let place = Place::new();
    place.photo("chip-1.jpg", "in/a/1.jpg", "");
    place.photo("no-mark.jpg", "in/a/2.jpg", "");
    place.photo("chip-1.jpg", "in/b/1.jpg", "another file");
    place.photo("no-mark.jpg", "in/c/1.jpg", "");
    let (_, out, err) = place.run("batch in --out case --group folder");
    assert!(out.contains("look at these first: 2 parts"), "{out}{err}");
    let parts = place.lines("case/parts.jsonl");
    let ids: Vec<&str> = parts.iter().map(|part| part["id"].as_str().unwrap()).collect();
    assert!(ids[..2] == ["e73c39cc-48213077", "e73c39cc-48213077-2"] && ids[2].starts_with("part-"), "{ids:?}");
    assert_eq!(parts[0]["photos"].as_array().unwrap().len(), 2);
    let clone = &parts[0]["clones"][0];
    assert_eq!((&clone["why"], &clone["part_id"]), (&"two-folders".into(), &ids[1].into()));
    assert_eq!((&clone["here"]["path"], &clone["there"]["path"]), (&"in/a/1.jpg".into(), &"in/b/1.jpg".into()));
    // Both pictures are in the report, of each of the two parts, and are those of the two photos.
    let report = std::fs::read_to_string(place.path("case/report.html")).unwrap();
    let list = report.split_once("<ol class=\"first\">").unwrap().1.split_once("</ol>").unwrap().0;
    let drawn: Vec<&str> =
        list.split(" src=\"data:image/jpeg;base64,").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let pictures = ["here", "there"].map(|side| {
        let crop = std::fs::read(place.path("case").join(clone[side]["crop"].as_str().unwrap())).unwrap();
        assert!(image::load_from_memory(&crop).is_ok());
        STANDARD.encode(crop)
    });
    assert_ne!(clone["here"]["crop"], clone["there"]["crop"]);
    assert_eq!(drawn, [&pictures[0], &pictures[1], &pictures[1], &pictures[0]]);
}

#[test]
fn a_serial_that_another_case_had_is_pointed_out_with_both_photos() {
    let place = Place::new();
    place.photo("chip-1.jpg", "one/1.jpg", "");
    place.photo("chip-1.jpg", "two/1.jpg", "");
    place.photo("chip-1.jpg", "three/1.jpg", "another photo");
    let clones = |case: &str| place.lines(&format!("{case}/parts.jsonl"))[0]["clones"].clone();
    place.run("batch one --out first");
    place.run("batch two --out second");
    assert_eq!(clones("second"), Value::Null, "the same photo in another case is no second part");
    place.run("batch three --out third");
    let found = clones("third");
    assert_eq!((&found[0]["why"], &found[0]["case"]), (&"other-case".into(), &"first".into()));
    assert_eq!(found[0]["there"]["path"], "one/1.jpg");
    assert_eq!(found.as_array().unwrap().len(), 2);
    let report = std::fs::read_to_string(place.path("third/report.html")).unwrap();
    let pair = report.split_once("<div class=\"pair\">").unwrap().1.split_once("</div>").unwrap().0;
    assert_eq!(pair.matches(" src=\"data:image/jpeg;base64,").count(), 1, "{pair}");
    assert!(pair.contains("This photo is in another case") && pair.contains("<bdi>first</bdi>"), "{pair}");
    // Once that case is at hand, both are shown.
    let mut merge = Command::new(binaries().join("touchmark-verify"));
    merge.args("case merge first third --out view".split(' ')).current_dir(place.0.path());
    assert!(merge.output().unwrap().status.success());
    let report = std::fs::read_to_string(place.path("view/report.html")).unwrap();
    let pair = report.split_once("<div class=\"pair\">").unwrap().1.split_once("</div>").unwrap().0;
    assert_eq!(pair.matches(" src=\"data:image/jpeg;base64,").count(), 2, "{pair}");
    let before = files(&place.path("third"));
    place.run("batch three --out third");
    assert_eq!(files(&place.path("third")), before, "a case does not contradict itself");
    let show = |args: &str| {
        let mut command = Command::new(binaries().join("touchmark-verify"));
        command.args(args.split_whitespace()).env("TOUCHMARK_STATE", place.path("state"));
        let Output { status, stdout, .. } = command.output().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap())
    };
    let (status, out) = show("sightings show --serial 48213077 --line e73c39cc");
    assert_eq!((status, out.lines().count()), (Some(0), 3), "{out}");
    assert!(
        out.starts_with("first: one/1.jpg: Example Semiconductors, key e73c39cc, STM32F407VGT6, lot A2B347K, "),
        "{out}"
    );
    assert_eq!(show("sightings show --serial 1").0, Some(3));
}

#[test]
fn photos_are_verified_as_they_arrive() {
    let place = Place::new();
    place.photo("chip-1.jpg", "in/first.jpg", "");
    let mut command = place.command("watch in --out case");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(next(), "in/first.jpg: AUTHENTIC, Example Semiconductors STM32F407VGT6 no. 48213077\n");
    // A file that grows is not looked at before it is whole.
    let bytes = std::fs::read(examples().join("stranger.jpg")).unwrap();
    let path = place.path("in/second.jpg");
    let mut file = std::fs::File::create(&path).unwrap();
    for some in bytes.chunks(bytes.len() / 4) {
        file.write_all(some).unwrap();
        file.sync_all().unwrap();
        std::thread::sleep(Duration::from_millis(600));
    }
    assert_eq!(next(), "in/second.jpg: UNKNOWN-ISSUER\n");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert_eq!(place.lines("case/results.jsonl").len(), 2);
    assert!(place.lines("case/results.jsonl").iter().all(|line| line["error"].is_null()));
}

//! The packed cases of case-seal.json: whole ones, ones of which something was left out, and forged ones.

use super::{hex, text};
use ed25519_dalek::SigningKey;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use std::collections::BTreeMap;
use std::path::Path;
use testkit::maker::{public, signed};
use touchmark_formats::case::{CaseSeal, Class, Commitment, Piece, Root, from_line, take_members};
use touchmark_formats::signed::{Signed, canonical};
use touchmark_verifier::case::check::check as check_bag;

const SEAL: &str = "touchmark-seal.json";
const EVIDENCE: &str = "touchmark-evidence.jsonl";
const PHOTO: &str = "photos/d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285.jpg";
const CROP: &str = "crops/d4e24d749a4fe2f1-1.jpg";

fn investigator() -> SigningKey {
    SigningKey::from_bytes(&[41; 32])
}

pub(super) fn seal(case: &str, pieces: u64, root: [u8; 32]) -> Signed<CaseSeal> {
    let seal = CaseSeal {
        case: case.to_owned(),
        tool: "another program 1".to_owned(),
        sealed: "2026-11-24T09:00:00Z".parse().unwrap(),
        pieces,
        root,
    };
    signed(seal, &[&investigator()])
}

/// A packed case in memory.
#[derive(Clone)]
struct Packed {
    files: BTreeMap<String, String>,
    pieces: Vec<Piece>,
}

impl Packed {
    /// A line, with the members that pieces of it hold.
    fn line(&mut self, file: &str, line: &str, held: &[(Class, &[&str])]) {
        let own = self.files.entry(file.to_owned()).or_default();
        *own += &format!("{line}\n");
        let number = own.lines().count() as u64;
        let mut value = from_line(line).unwrap();
        for (class, members) in held {
            let members: Vec<String> = members.iter().map(|member| (*member).to_owned()).collect();
            let content = take_members(&mut value, &members).unwrap();
            self.piece(*class, file, Some(number), content.as_bytes(), members);
        }
        self.piece(Class::Record, file, Some(number), canonical(&value).as_bytes(), Vec::new());
    }

    fn file(&mut self, class: Class, file: &str, content: &str) {
        self.files.insert(file.to_owned(), content.to_owned());
        self.piece(class, file, None, content.as_bytes(), Vec::new());
    }

    fn piece(&mut self, class: Class, file: &str, line: Option<u64>, content: &[u8], members: Vec<String>) {
        let salt = [self.pieces.len() as u8 + 1; 32];
        let commitment = Commitment::to(&salt, content);
        self.pieces.push(Piece { class, file: file.to_owned(), line, commitment, salt: Some(salt), members });
    }

    fn usual() -> Self {
        let mut all = Self { files: BTreeMap::new(), pieces: Vec::new() };
        let case = r#"{"inputs":["seizure"],"name":"K-7","tool":"another program 1","type":"touchmark-case"}"#;
        all.line("case.json", case, &[(Class::Path, &["/inputs"])]);
        let first = r#"{"marks":[{"consignee":{"name":"Noordzee","status":"disclosed"},"part_id":"a-1"}],"photo":{"camera":"X100","latitude":50.45,"path":"kyiv/1.jpg"},"verdict":"authentic"}"#;
        let held: [(Class, &[&str]); 3] = [
            (Class::Consignee, &["/marks/0/consignee"]),
            (Class::Place, &["/photo/camera", "/photo/latitude"]),
            (Class::Path, &["/photo/path"]),
        ];
        all.line("results.jsonl", first, &held);
        let second = r#"{"marks":[],"photo":{"path":"kyiv/2.jpg"},"verdict":"nothing-found"}"#;
        all.line("results.jsonl", second, &[(Class::Path, &["/photo/path"])]);
        let part = r#"{"consignee":{"name":"Noordzee","status":"disclosed"},"id":"a-1","photos":["kyiv/1.jpg"],"verdict":"authentic"}"#;
        all.line("parts.jsonl", part, &[(Class::Consignee, &["/consignee"]), (Class::Path, &["/photos"])]);
        all.file(Class::Crop, CROP, "a picture of a mark");
        all.file(Class::Photo, PHOTO, "a photo");
        all.file(Class::Derived, "report.html", "<!DOCTYPE html>");
        all
    }

    /// As its investigator signs it.
    fn sealed(self) -> Bag {
        let mut root = Root::default();
        self.pieces.iter().for_each(|piece| root.push(piece.leaf()));
        let seal = seal("K-7", root.count(), root.finish()).to_json();
        Bag { files: self.files, pieces: self.pieces, seal, end: "\n" }
    }
}

/// One with its seal, to be changed.
#[derive(Clone)]
struct Bag {
    files: BTreeMap<String, String>,
    pieces: Vec<Piece>,
    seal: String,
    /// How the list of evidence ends.
    end: &'static str,
}

impl Bag {
    fn evidence(&self) -> String {
        let lines: Vec<String> = self.pieces.iter().map(|piece| serde_json::to_string(piece).unwrap()).collect();
        lines.join("\n") + self.end
    }

    fn edit(&mut self, file: &str, from: &str, to: &str) {
        let own = self.files.get_mut(file).unwrap_or_else(|| panic!("{file}"));
        assert!(own.contains(from), "{file} has no {from}");
        *own = own.replacen(from, to, 1);
    }

    fn of(&mut self, class: Class, file: &str) -> &mut Piece {
        self.pieces.iter_mut().find(|piece| piece.class == class && piece.file == file).unwrap()
    }

    fn leave_out(&mut self, class: Class) {
        self.pieces.iter_mut().filter(|piece| piece.class == class).for_each(Piece::leave_out);
    }

    /// As `case redact` would.
    fn redacted(&mut self) {
        for class in [Class::Consignee, Class::Place, Class::Path, Class::Photo, Class::Derived] {
            self.leave_out(class);
        }
        for file in ["results.jsonl", "parts.jsonl"] {
            let own = self.files[file].replace(r#","path":"kyiv/1.jpg""#, "").replace(r#""path":"kyiv/2.jpg""#, "");
            let own = own.replace(r#""consignee":{"name":"Noordzee","status":"disclosed"},"#, "");
            let own = own.replace(r#""camera":"X100","latitude":50.45"#, "").replace(r#","photos":["kyiv/1.jpg"]"#, "");
            self.files.insert(file.to_owned(), own);
        }
        self.edit("case.json", r#""inputs":["seizure"],"#, "");
        self.edit("report.html", "html", "html><p>Redacted</p");
        self.files.remove(PHOTO);
    }

    fn vector(&self, name: &str, differs: &[&str]) -> Value {
        let mut left_out: BTreeMap<Class, u64> = BTreeMap::new();
        let gone = self.pieces.iter().filter(|piece| piece.salt.is_none() && piece.class != Class::Derived);
        gone.for_each(|piece| *left_out.entry(piece.class).or_default() += 1);
        json!({
            "name": name, "files": self.files, "evidence": self.evidence(), "seal": self.seal, "differs": differs,
            "left_out": left_out,
        })
    }
}

/// What becomes of the usual case when it is changed after it was signed.
fn changed() -> Vec<Value> {
    type Change<'a> = &'a dyn Fn(&mut Bag);
    let vector = |name: &str, differs: &[&str], change: Change<'_>| {
        let mut bag = Packed::usual().sealed();
        change(&mut bag);
        bag.vector(name, differs)
    };
    let (first, last, part) = ("results.jsonl, line 1", "results.jsonl, line 2", "parts.jsonl, line 1");
    let consignee = r#"{"name":"Noordzee","status":"disclosed"}"#;
    vec![
        vector("whole", &[], &|_| {}),
        vector("the seal in another spelling", &[], &|bag| {
            bag.seal = serde_json::from_str::<Value>(&bag.seal).unwrap().to_string();
        }),
        vector("all that is private left out, and the report made anew", &[], &Bag::redacted),
        vector("all that is private left out, and no report", &[], &|bag| {
            bag.redacted();
            bag.files.remove("report.html");
        }),
        vector("a picture left out", &[], &|bag| {
            bag.leave_out(Class::Crop);
            bag.files.remove(CROP);
        }),
        vector("a line not canonical", &[part], &|bag| bag.edit("parts.jsonl", r#""id":"#, r#""id": "#)),
        vector("a name twice", &[part], &|bag| bag.edit("parts.jsonl", r#""id":"#, r#""id":"b-2","id":"#)),
        vector("a carriage return", &[part], &|bag| bag.edit("parts.jsonl", "\n", "\r\n")),
        vector("no line feed at the end", &[last], &|bag| {
            bag.files.get_mut("results.jsonl").unwrap().pop();
        }),
        vector("an empty line", &["results.jsonl, line 3"], &|bag| {
            *bag.files.get_mut("results.jsonl").unwrap() += "\n"
        }),
        vector("a verdict changed", &[last], &|bag| bag.edit("results.jsonl", "nothing-found", "unreadable")),
        vector("a value changed that a piece holds", &[first], &|bag| bag.edit("results.jsonl", "50.45", "50.46")),
        vector("a member added", &[part], &|bag| bag.edit("parts.jsonl", r#","verdict""#, r#","serial":7,"verdict""#)),
        vector("a member taken out that a piece holds", &[first], &|bag| {
            bag.edit("results.jsonl", r#""camera":"X100","#, "");
        }),
        vector("a line taken out", &[last], &|bag| {
            let own = bag.files.get_mut("results.jsonl").unwrap();
            *own = own.lines().next().unwrap().to_owned() + "\n";
        }),
        vector("a line added", &["parts.jsonl, line 2"], &|bag| {
            *bag.files.get_mut("parts.jsonl").unwrap() += "{\"id\":\"b-2\"}\n";
        }),
        vector("two lines exchanged", &[first, last], &|bag| {
            let own = bag.files.get_mut("results.jsonl").unwrap();
            *own = own.lines().rev().map(|line| line.to_owned() + "\n").collect();
        }),
        vector("a file of lines emptied", &[part], &|bag| bag.files.get_mut("parts.jsonl").unwrap().clear()),
        vector("a file of lines gone", &["parts.jsonl"], &|bag| drop(bag.files.remove("parts.jsonl"))),
        vector("a file added", &["crops/x.jpg"], &|bag| drop(bag.files.insert("crops/x.jpg".into(), "x".into()))),
        vector("a file gone", &[CROP], &|bag| drop(bag.files.remove(CROP))),
        vector("a file changed", &["report.html"], &|bag| bag.edit("report.html", "html", "HTML")),
        vector("a file that was left out, and is there", &[PHOTO], &|bag| bag.leave_out(Class::Photo)),
        vector("a member that was left out moved into the record", &[part], &|bag| {
            bag.of(Class::Consignee, "parts.jsonl").leave_out();
        }),
        vector("a consignee in place of the one left out", &[part], &|bag| {
            bag.of(Class::Consignee, "parts.jsonl").leave_out();
            bag.edit("parts.jsonl", consignee, r#"{"name":"Scapegoat","status":"disclosed"}"#);
        }),
        vector("a member of another name that a piece should hold", &[part], &|bag| {
            bag.of(Class::Path, "parts.jsonl").members = vec!["/id".into()];
        }),
        vector("a record left out", &[part], &|bag| bag.of(Class::Record, "parts.jsonl").leave_out()),
        vector("a salt altered", &[CROP], &|bag| bag.of(Class::Crop, CROP).salt = Some([0; 32])),
        vector("the salt of a record altered", &[part], &|bag| {
            bag.of(Class::Record, "parts.jsonl").salt = Some([0; 32]);
        }),
        vector("a salt that was left out made up", &[PHOTO], &|bag| {
            bag.files.remove(PHOTO);
            bag.of(Class::Photo, PHOTO).salt = Some([0; 32]);
        }),
        vector("a piece too many", &[EVIDENCE], &|bag| {
            let crop = Piece { file: "crops/x.jpg".into(), salt: None, ..bag.of(Class::Crop, CROP).clone() };
            bag.pieces.push(crop);
        }),
        vector("a piece too few", &["report.html", EVIDENCE], &|bag| drop(bag.pieces.pop())),
        vector("two pieces exchanged", &[EVIDENCE], &|bag| bag.pieces.swap(0, 1)),
        vector("a piece moved to another line", &[first, "results.jsonl, line 2", EVIDENCE], &|bag| {
            bag.of(Class::Path, "results.jsonl").line = Some(2);
        }),
        vector("a piece of another class", &[EVIDENCE], &|bag| {
            bag.of(Class::Place, "results.jsonl").class = Class::Path
        }),
        vector("a commitment changed", &[CROP, EVIDENCE], &|bag| bag.of(Class::Crop, CROP).commitment = [0; 32]),
        vector("no line feed behind the evidence", &[EVIDENCE], &|bag| bag.end = ""),
        vector("an empty line behind the evidence", &[EVIDENCE], &|bag| bag.end = "\n\n"),
        vector("another name in the seal", &[SEAL], &|bag| bag.seal = bag.seal.replacen("K-7", "K-8", 1)),
        vector("no signature", &[SEAL], &|bag| {
            let mut seal: Signed<CaseSeal> = Signed::from_json(bag.seal.as_bytes()).unwrap();
            seal.signatures.clear();
            bag.seal = seal.to_json();
        }),
        vector("a seal of another type", &[SEAL], &|bag| bag.seal = bag.seal.replacen("case-seal", "case-zeal", 1)),
        vector("another member in the seal", &[SEAL], &|bag| {
            bag.seal = bag.seal.replacen("\"case\":", "\"note\": \"x\", \"case\":", 1);
        }),
    ]
}

/// What no packer makes, signed all the same.
fn signed_so() -> Vec<Value> {
    type Change<'a> = &'a dyn Fn(&mut Packed);
    let vector = |name: &str, differs: &[&str], change: Change<'_>| {
        let mut packed = Packed::usual();
        change(&mut packed);
        packed.sealed().vector(name, differs)
    };
    let without = |packed: &mut Packed, class: Class, file: &str| {
        packed.pieces.retain(|piece| piece.class != class || piece.file != file);
    };
    let part = "parts.jsonl, line 1";
    vec![
        vector("signed so: no part at all", &[], &|packed| {
            packed.files.insert("parts.jsonl".into(), String::new());
            packed.pieces.retain(|piece| piece.file != "parts.jsonl");
        }),
        vector("signed so: two pieces of one class", &[], &|packed| {
            let line = r#"{"clones":[{"case":"K-6"}],"id":"b-2","photos":["kyiv/2.jpg"]}"#;
            packed.line("parts.jsonl", line, &[(Class::Path, &["/photos"]), (Class::Path, &["/clones/0/case"])]);
        }),
        vector("signed so: a line without record", &[part], &|packed| without(packed, Class::Record, "parts.jsonl")),
        vector("signed so: a line with two records", &[part], &|packed| {
            let record = packed.pieces.iter().find(|p| p.class == Class::Record && p.file == "parts.jsonl").cloned();
            packed.pieces.extend(record);
        }),
        vector("signed so: a member within another", &["parts.jsonl, line 2"], &|packed| {
            let line = r#"{"id":"b-2","trail":{"ledger":"x","records":9}}"#;
            packed.line("parts.jsonl", line, &[(Class::Path, &["/trail/ledger"]), (Class::Consignee, &["/trail"])]);
        }),
        vector("signed so: pointers that fall", &["results.jsonl, line 1"], &|packed| {
            let place = packed.pieces.iter_mut().find(|p| p.class == Class::Place).unwrap();
            place.members.reverse();
        }),
        vector("signed so: a case of two lines", &["case.json, line 2"], &|packed| packed.line("case.json", "{}", &[])),
        vector("signed so: no case", &["case.json"], &|packed| {
            packed.files.remove("case.json");
            packed.pieces.retain(|piece| piece.file != "case.json");
        }),
        vector("signed so: a case without line", &["case.json"], &|packed| {
            packed.files.insert("case.json".into(), String::new());
            packed.pieces.retain(|piece| piece.file != "case.json");
        }),
        vector("signed so: a file twice", &[CROP], &|packed| packed.file(Class::Crop, CROP, "a picture of a mark")),
        vector("signed so: a picture with a line", &[CROP], &|packed| {
            packed.pieces.iter_mut().find(|piece| piece.class == Class::Crop).unwrap().line = Some(1);
        }),
        vector("signed so: a photo called as a file of lines", &["case.json"], &|packed| {
            packed.piece(Class::Photo, "case.json", None, b"", Vec::new());
        }),
        vector("signed so: a record of a file that has no lines", &["x.jsonl"], &|packed| {
            packed.line("x.jsonl", "{}", &[]);
        }),
        vector("signed so: a file of another name made anew", &["notes.html"], &|packed| {
            packed.file(Class::Derived, "notes.html", "x");
            packed.pieces.last_mut().unwrap().leave_out();
        }),
        vector("signed so: a name that is not ASCII", &["parts.jsonl, line 2"], &|packed| {
            packed.files.get_mut("parts.jsonl").unwrap().push_str("{\"é\":1}\n");
            packed.piece(Class::Record, "parts.jsonl", Some(2), "{\"é\":1}".as_bytes(), Vec::new());
        }),
    ]
}

pub(super) fn cases() -> Vec<Value> {
    [changed(), signed_so()].concat()
}

/// Writes the bag of a vector; its manifests are what whoever forges it would make them.
fn write(vector: &Value, bag: &Path) {
    let put = |name: &str, content: &str| {
        let path = bag.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    for (name, content) in vector["files"].as_object().unwrap() {
        put(&format!("data/{name}"), content.as_str().unwrap());
    }
    put(SEAL, text(vector, "seal"));
    put(EVIDENCE, text(vector, "evidence"));
    put("bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
    manifests(bag);
}

/// Makes the manifests of a bag anew.
pub(crate) fn manifests(bag: &Path) {
    let below = |folder: &Path| {
        let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    };
    let listed = |files: &[std::path::PathBuf], hash: &dyn Fn(&[u8]) -> String| {
        let line = |path: &std::path::PathBuf| {
            let hash = hash(&std::fs::read(path).unwrap());
            format!("{hash}  {}\n", path.strip_prefix(bag).unwrap().to_str().unwrap())
        };
        files.iter().map(line).collect::<String>()
    };
    let both = |kind: &str, files: Vec<std::path::PathBuf>| {
        let sha256 = listed(&files, &|bytes| hex(&Sha256::digest(bytes)));
        let sha512 = listed(&files, &|bytes| hex(&Sha512::digest(bytes)));
        std::fs::write(bag.join(format!("{kind}-sha256.txt")), sha256).unwrap();
        std::fs::write(bag.join(format!("{kind}-sha512.txt")), sha512).unwrap();
    };
    both("manifest", below(&bag.join("data")));
    let beside = below(bag).into_iter().filter(|path| !path.starts_with(bag.join("data")));
    let tags = beside.filter(|path| !path.file_name().unwrap().to_str().unwrap().starts_with("tagmanifest-"));
    both("tagmanifest", tags.collect());
}

/// The places that the sentences about problems name, in order and once.
pub(crate) fn places(problems: &[String]) -> Vec<String> {
    let place = |problem: &String| match problem.split_once(": ") {
        Some((place, _)) => place.to_owned(),
        None => problem.split(' ').next().unwrap().to_owned(),
    };
    let places: std::collections::BTreeSet<String> = problems.iter().map(place).collect();
    places.into_iter().collect()
}

/// Holds a vector against the reader.
pub(super) fn check(vector: &Value) {
    let (place, name) = (tempfile::tempdir().unwrap(), text(vector, "name"));
    write(vector, place.path());
    let differs: Vec<String> = serde_json::from_value(vector["differs"].clone()).unwrap();
    match check_bag(place.path()) {
        Ok(checked) => {
            assert_eq!(places(&checked.problems), differs, "{name}: {:?}", checked.problems);
            assert_eq!(json!(checked.left_out), vector["left_out"], "{name}");
            if !differs.contains(&SEAL.to_owned()) {
                assert_eq!(checked.signers, [public(&investigator())], "{name}");
            }
        }
        Err(e) => assert_eq!([e.path.file_name().unwrap().to_str().unwrap()], differs[..], "{name}: {e}"),
    }
}

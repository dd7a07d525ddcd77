//! A small case for tests: two parts on three photos, of which one shows nothing.

use super::bag;
use super::folder::{Folder, FolderError};
use super::pack::{Packed, Packing, pack};
use super::record::{Case, PartResult, PhotoResult};
use crate::material;
use serde_json::{Value, json};
use std::path::Path;
use zeroize::Zeroizing;

pub(super) const LINE_KEY: &str = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=";

/// A key of RFC 8032, section 7.1, test 1, that everybody has.
pub(super) const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";

/// A folder to work in, with the case in `case` and its photos in `photos`.
pub(super) struct Sample(pub(super) tempfile::TempDir);

pub(super) fn case(name: &str) -> Case {
    serde_json::from_value(json!({
        "type": "touchmark-case", "version": 1, "tool": "touchmark-verify 0.1.0", "created": "2026-11-23T10:00:00Z", "name": name,
        "inputs": ["photos"], "effort": "normal", "group": "none",
        "trust": { "file": "trust.json", "sha256": "00", "authority": "A", "fingerprint": "f", "bundle_version": 1 },
        "disclosures": [{ "file": "from-acme.age", "sha256": "11" }],
    }))
    .unwrap()
}

pub(super) fn disclosed() -> Value {
    json!({ "status": "disclosed", "number": 471100815, "name": "Noordzee Instruments", "country": "NL", "address": "Kade 12", "case": "c" })
}

pub(super) fn part(id: &str, serial: u64, consignee: &Value, photos: &[String]) -> PartResult {
    serde_json::from_value(json!({
        "id": id, "verdict": "authentic", "reason": "r", "maker": "Acme", "country": "NL", "line": "line 1", "line_key": LINE_KEY,
        "key_id": "0badcafe", "part": "P", "lot": "L1", "serial": serial, "date": "2026-11-23", "consignee": consignee, "findings": [],
        "photos": photos, "read_from": photos, "crop": format!("crops/{serial:016x}-1.jpg"),
    }))
    .unwrap()
}

fn hash(path: &Path) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(std::fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Sample {
    pub(super) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let sample = Self(place);
        sample.write("case", &["one", "two", "none"]);
        sample
    }

    /// A case called `name` over photos with these contents; the first two show a part each, with serials 1 and 2.
    pub(super) fn write(&self, name: &str, contents: &[&str]) -> Folder {
        let photos = self.0.path().join("photos").join(name);
        std::fs::create_dir_all(&photos).unwrap();
        let folder = Folder::at(&self.0.path().join(name));
        folder.write_case(&case(name)).unwrap();
        let (mut results, mut parts) = (Vec::new(), Vec::new());
        for (n, content) in contents.iter().enumerate() {
            let path = photos.join(format!("{n}.jpg"));
            std::fs::write(&path, content).unwrap();
            let (path, sha256) = (path.to_str().unwrap().to_owned(), hash(&path));
            let serial = n as u64 + 1;
            let id = format!("0badcafe-{serial}");
            let consignee = if n == 0 { disclosed() } else { json!({ "status": "sealed" }) };
            let part = part(&id, serial, &consignee, std::slice::from_ref(&path));
            let mark = serde_json::to_value(&part.mark).unwrap();
            let mut line = json!({
                "photo": { "path": path, "sha256": sha256, "latitude": 50.45, "longitude": 30.52, "camera": "X100" },
                "verdict": "nothing-found", "reason": "no symbol was found in the photo", "marks": [],
            });
            if n < 2 {
                let mut mark = mark;
                let more = json!({ "corners": [[1.0, 2.5], [3.0, 2.5], [3.0, 4.0], [1.0, 4.0]], "crop": part.crop, "part_id": id });
                mark.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                (line["verdict"], line["marks"], line["parts"]) = (json!("authentic"), json!([mark]), json!([id]));
                std::fs::create_dir_all(folder.crops()).unwrap();
                std::fs::write(folder.root().join(part.crop.as_deref().unwrap()), [0xff, 0xd8, 0xff, n as u8]).unwrap();
                parts.push(part);
            }
            results.push(serde_json::from_value::<PhotoResult>(line).unwrap());
        }
        folder.write_results(results.into_iter().map(Ok::<_, FolderError>)).unwrap();
        folder.write_parts(parts.into_iter().map(Ok::<_, FolderError>)).unwrap();
        super::table::write(&folder).unwrap();
        super::report::write(&folder, super::report::Language::En).unwrap();
        folder
    }

    pub(super) fn folder(&self) -> Folder {
        Folder::at(&self.0.path().join("case"))
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Packs the case into `bag`.
    pub(super) fn packed(&self, photos: bool) -> Packed {
        let key = self.path("key.pem");
        std::fs::write(&key, PEM).unwrap();
        let key = material::open_signing_key(&key).unwrap();
        let now = "2026-11-24T09:00:00Z".parse().unwrap();
        let packing = Packing { key: &key, photos, now, secret: Zeroizing::new([9; 32]) };
        pack(&self.folder(), &self.path("bag"), &packing).unwrap()
    }
}

/// Makes the manifests of a bag anew, as whoever forges evidence would.
pub(super) fn manifests(bag: &Path) {
    for name in ["tagmanifest-sha256.txt", "tagmanifest-sha512.txt"] {
        std::fs::remove_file(bag.join(name)).unwrap();
    }
    bag::finish(bag, &[]).unwrap();
}

/// Replaces a text in a file of a bag.
pub(super) fn edit(bag: &Path, name: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(bag.join(name)).unwrap();
    assert!(text.contains(from), "{name} has no {from}");
    std::fs::write(bag.join(name), text.replacen(from, to, 1)).unwrap();
}

//! What a case folder holds, line by line: the types of `case.json`, `results.jsonl` and `parts.jsonl`.
//!
//! Fields of a newer version that are not known here are kept in `other`, so that whoever merges or redacts a case sees that
//! they are there. What may be redacted is optional, or empty.

mod mark;

pub use mark::*;

use crate::read::Effort;
use crate::verdict::Verdict;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `case.json`: what was examined, by what, under what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// [`Case::TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// [`Case::VERSION`].
    pub version: u32,
    /// The program and its version.
    pub tool: String,
    /// When the case was begun, in whole seconds; the present of every verdict in it.
    pub created: Timestamp,
    /// What the case is called: the name of its folder, unless it was named otherwise.
    pub name: String,
    /// The folders, archives and photos that were named, as they were typed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// How long marks were looked for.
    pub effort: Effort,
    /// Which photos were taken to be of one part.
    pub group: Group,
    /// Whom the verdicts believe.
    pub trust: TrustUsed,
    /// What makers disclosed, consignees and trails, in the order in which they were named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disclosures: Vec<FileUsed>,
    /// The keys of the witnesses that were believed, as NAME+ID+BASE64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub witnesses: Vec<String>,
    /// What a newer version says beside.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Case {
    /// What `type` says.
    pub const TYPE: &'static str = "touchmark-case";
    /// The version of the folder's layout.
    pub const VERSION: u32 = 1;
}

/// Which photos are taken to be of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Those that prove the same mark.
    #[default]
    None,
    /// All photos in one folder (not those in folders below it).
    Folder,
}

/// A file that the verdicts rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUsed {
    /// Its name, without the folder.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub file: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
}

/// The trust bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustUsed {
    /// The file.
    #[serde(flatten)]
    pub file: FileUsed,
    /// The authority that signed it.
    pub authority: String,
    /// SHA-256 of the authority's description, hexadecimal: what `trust show` prints the beginning of.
    pub fingerprint: String,
    /// The bundle's own version.
    pub bundle_version: u32,
}

/// A line of `results.jsonl`: a photo and what it shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PhotoResult {
    /// The photo.
    pub photo: PhotoFacts,
    /// The gravest verdict over its marks.
    pub verdict: Verdict,
    /// A sentence that says why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Every mark in it.
    pub marks: Vec<SeenMark>,
    /// Why it could not be opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is wrong with a file of which a part was searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
    /// The parts that it shows, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// What a newer version says beside.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A photo, as evidence.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PhotoFacts {
    /// The input as it was typed, and the way from there, `/` between folders; in an archive `ARCHIVE!/ENTRY`. What is not
    /// UTF-8 stands as U+FFFD here.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The path's own bytes, base64, where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_base64: Option<String>,
    /// SHA-256 of the file, hexadecimal; absent if it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Pixels a row, upright.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Rows, upright.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<usize>,
    /// When it was taken by the camera's clock (EXIF DateTimeOriginal): `2026-11-23T10:05:00`, with `+02:00` behind it where
    /// the camera says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Where, by the camera (EXIF GPS): degrees north, WGS 84.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude: Option<f64>,
    /// Make and model of the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
}

impl PhotoFacts {
    /// The photo for a finding, without a picture of a mark.
    #[must_use]
    pub fn exhibit(&self) -> Exhibit {
        let place = self.latitude.zip(self.longitude).map(|(north, east)| format!("{north}, {east}"));
        Exhibit { path: self.path.clone(), sha256: self.sha256.clone(), taken: self.taken.clone(), place, crop: None }
    }

    /// The bytes of its path.
    #[must_use]
    pub fn path_bytes(&self) -> Vec<u8> {
        let own = self.path_base64.as_ref().and_then(|bytes| STANDARD.decode(bytes).ok());
        own.unwrap_or_else(|| self.path.clone().into_bytes())
    }
}

/// A mark in a photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenMark {
    /// What it is: the fields as `photo --json` has them.
    #[serde(flatten)]
    pub mark: Mark,
    /// Outer corners in pixels of the upright photo: the symbol's own top left, top right, bottom right, bottom left.
    pub corners: [[f32; 2]; 4],
    /// The mark and its surroundings, outlined: a JPEG file below the case folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<String>,
    /// The part that it is on, if it is on one that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_id: Option<String>,
}

/// A line of `parts.jsonl`: a part and what its photos say of it together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PartResult {
    /// What the case calls it: letters, digits and hyphens, no two alike in one case.
    pub id: String,
    /// Its mark: the fields as `photo --json --same-part` has them (`part` is the part number).
    #[serde(flatten)]
    pub mark: Mark,
    /// The paths of its photos, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<String>,
    /// Of those, the photos that the mark was read from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub read_from: Vec<String>,
    /// The best picture of its mark: a JPEG file below the case folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<String>,
    /// What speaks for more than one part with this mark.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clones: Vec<CloneFinding>,
    /// What a newer version says beside.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// That a mark may be on two parts: something to look at, with both photos, and no verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloneFinding {
    /// What was noticed.
    pub why: CloneKind,
    /// A sentence for people, without names of files, people or firms.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The photo of this part.
    #[serde(default)]
    pub here: Exhibit,
    /// The photo that it is held against; of one in another case there is no more than that case had put on record.
    #[serde(default)]
    pub there: Exhibit,
    /// The other part, where it is one of this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_id: Option<String>,
    /// The other case, where the other photo is of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
}

/// The kinds of [`CloneFinding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CloneKind {
    /// Two good signatures over one serial of one line, and the marks do not say the same.
    MarksContradict,
    /// One photo shows the mark twice.
    TwiceInOnePhoto,
    /// The photos of two parts show it, by the folders in which they are (`--group folder`).
    TwoFolders,
    /// It was photographed at two places, and there is no time to go from one to the other.
    TooFarApart,
    /// Another case has it, on another photo.
    OtherCase,
}

/// A photo as a finding shows it. All of it stands here, for the photo may be one of another case.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exhibit {
    /// As in [`PhotoFacts::path`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// SHA-256 of the file, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// As in [`PhotoFacts::taken`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Where it was taken, by the camera: degrees north and east, WGS 84, as `50.4501, 30.5234`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The mark in this photo: as in [`SeenMark::crop`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<String>,
}

#[cfg(test)]
mod tests;

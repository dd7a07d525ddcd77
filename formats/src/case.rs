//! The seal of a packed case: what an investigator signs so that others can rely on the evidence, and still can after some
//! of it was left out (SPEC.md, section 17).
//!
//! The signature is over the root of a Merkle tree. Its leaves are salted commitments to the pieces of evidence: a file, or
//! of a line of JSON the members that may be left out, by class, and the rest. Whoever leaves a piece out drops its salt: the
//! commitment stays, and nobody can find out by trying what it was of.

mod lines;

pub use lines::{are_apart, from_line, take_member, take_members, to_line};

use crate::ledger::map::hash_text;
use crate::ledger::merkle::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
use crate::signed::{Document, canonical, instant, line};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// What commitments begin with.
const COMMITMENT: &[u8] = b"touchmark/v1/case-evidence\0";

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSeal {
    /// What the case is called.
    #[serde(deserialize_with = "line")]
    pub case: String,
    /// The program that packed it, with its version.
    #[serde(deserialize_with = "line")]
    pub tool: String,
    /// When, UTC.
    #[serde(deserialize_with = "instant")]
    pub sealed: Timestamp,
    /// How many pieces of evidence there are.
    pub pieces: u64,
    /// The root over their leaves.
    #[serde(with = "hash_text")]
    pub root: Hash,
}

impl Document for CaseSeal {
    const TYPE: &'static str = "touchmark/v1/case-seal";
}

/// What a piece of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A line of JSON without what other pieces hold of it.
    Record,
    /// To whom parts went: disclosed consignees, and trails.
    Consignee,
    /// Where photos were taken, and by which camera.
    Place,
    /// Names of files and folders, and of other cases.
    Path,
    /// A whole photo.
    Photo,
    /// A picture of a mark.
    Crop,
    /// What was made from the rest, and can be made anew: reports, tables, graphs.
    Derived,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Record, Self::Consignee, Self::Place, Self::Path, Self::Photo, Self::Crop, Self::Derived];

    /// The name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Consignee => "consignee",
            Self::Place => "place",
            Self::Path => "path",
            Self::Photo => "photo",
            Self::Crop => "crop",
            Self::Derived => "derived",
        }
    }

    /// Whether a piece of this class is a whole file.
    #[must_use]
    pub fn is_file(self) -> bool {
        matches!(self, Self::Photo | Self::Crop | Self::Derived)
    }
}

/// A piece of evidence: a line of the list beside the seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Piece {
    /// What it is.
    pub class: Class,
    /// The file of the case that holds it, `/` between folders.
    pub file: String,
    /// The line there, counted from 1; absent for a whole file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The commitment to it.
    #[serde(with = "hash_text")]
    pub commitment: Hash,
    /// What the commitment is made with; absent once the piece is left out.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "put_salt", deserialize_with = "salt")]
    pub salt: Option<Hash>,
    /// The members of the line that it holds, one at least, as JSON pointers (RFC 6901), in rising order. Absent in a record
    /// and a whole file, and once the piece is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

fn put_salt<S: Serializer>(salt: &Option<Hash>, s: S) -> Result<S::Ok, S::Error> {
    // Only called where there is one.
    hash_text::serialize(&salt.unwrap_or_default(), s)
}

fn salt<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Hash>, D::Error> {
    hash_text::deserialize(d).map(Some)
}

impl Piece {
    /// The piece in a line of the list.
    ///
    /// # Errors
    /// It is no JSON of a piece, in the one spelling that its values have, with the members that its class has.
    pub fn from_line(line: &str) -> Result<Self, serde_json::Error> {
        let piece: Self = serde_json::from_str(line)?;
        // The typed reader refuses a name that stands twice; this comparison refuses null in place of nothing.
        if serde_json::from_str::<Value>(line)? != serde_json::to_value(&piece)? {
            return Err(serde_json::Error::custom("a value in it is not spelled in the one way that is legal"));
        }
        let has_members = piece.salt.is_some() && !piece.class.is_file() && piece.class != Class::Record;
        if piece.line == Some(0) {
            return Err(serde_json::Error::custom("lines are counted from 1"));
        }
        if has_members == piece.members.is_empty() {
            return Err(serde_json::Error::custom("it has members where there are none, or none where there are some"));
        }
        Ok(piece)
    }

    /// The leaf's hash: RFC 6962 over the canonical JSON of class, commitment, file and line.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        let mut entry = Map::new();
        entry.insert("class".into(), self.class.name().into());
        entry.insert("commitment".into(), serde_json::to_value(Base64(self.commitment)).unwrap_or_default());
        entry.insert("file".into(), self.file.as_str().into());
        entry.extend(self.line.map(|line| ("line".to_owned(), line.into())));
        leaf_hash(canonical(&Value::Object(entry)).as_bytes())
    }

    /// Leaves it out: what remains says that there was something, and nothing of what.
    pub fn leave_out(&mut self) {
        self.salt = None;
        self.members.clear();
    }
}

#[derive(Serialize)]
struct Base64(#[serde(with = "hash_text")] Hash);

/// SHA-256(`"touchmark/v1/case-evidence" 00` ‖ salt ‖ content), the content in pieces.
#[derive(Debug, Clone)]
pub struct Commitment(Sha256);

impl Commitment {
    /// Begins with a salt.
    #[must_use]
    pub fn new(salt: &Hash) -> Self {
        Self(Sha256::new().chain_update(COMMITMENT).chain_update(salt))
    }

    /// The next bytes of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The commitment.
    #[must_use]
    pub fn finish(self) -> Hash {
        self.0.finalize().into()
    }

    /// The commitment to `content`.
    #[must_use]
    pub fn to(salt: &Hash, content: &[u8]) -> Hash {
        let mut commitment = Self::new(salt);
        commitment.update(content);
        commitment.finish()
    }
}

/// The root of the RFC 6962 tree over leaves that come one after the other.
#[derive(Debug, Clone, Default)]
pub struct Root {
    /// Perfect subtrees with their numbers of leaves, the largest first.
    subtrees: Vec<(u64, Hash)>,
}

impl Root {
    /// The next leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut last = (1, leaf);
        while let Some((_, hash)) = self.subtrees.pop_if(|(count, _)| *count == last.0) {
            last = (last.0 * 2, node_hash(&hash, &last.1));
        }
        self.subtrees.push(last);
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.subtrees.iter().map(|(count, _)| count).sum()
    }

    /// The root over all of them.
    #[must_use]
    pub fn finish(&self) -> Hash {
        let hashes = self.subtrees.iter().rev().map(|(_, hash)| *hash);
        hashes.reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::merkle::{Node, completed, root};
    use serde_json::json;
    use std::collections::HashMap;

    #[test]
    fn the_root_is_that_of_rfc_6962() {
        let mut nodes: HashMap<Node, Hash> = HashMap::new();
        let mut growing = Root::default();
        for index in 0..70 {
            let read = |nodes: &HashMap<Node, Hash>, node| Ok::<_, ()>(nodes[&node]);
            assert_eq!(root(index, |node| read(&nodes, node)), Ok(growing.finish()), "{index}");
            assert_eq!(growing.count(), index);
            let leaf = leaf_hash(&index.to_be_bytes());
            let done = completed(index, leaf, |node| read(&nodes, node)).unwrap();
            nodes.extend(done);
            growing.push(leaf);
        }
    }

    #[test]
    fn what_is_left_out_keeps_its_leaf() {
        let mut line = json!({ "id": "a", "marks": [{ "a/b": 1.5, "keep": [] }], "trail": {} });
        let members = vec!["/marks/0/a~1b".to_owned(), "/trail".to_owned()];
        let content = take_members(&mut line, &members).unwrap();
        assert_eq!(content, "{\"/marks/0/a~1b\":1.5,\"/trail\":{}}");
        assert_eq!(line, json!({ "id": "a", "marks": [{ "keep": [] }] }));
        let salt = [7; 32];
        let commitment = Commitment::to(&salt, content.as_bytes());
        let mut piece = Piece {
            class: Class::Consignee,
            file: "parts.jsonl".into(),
            line: Some(3),
            commitment,
            salt: Some(salt),
            members,
        };
        let leaf = piece.leaf();
        let text = serde_json::to_string(&piece).unwrap();
        assert_eq!(Piece::from_line(&text).unwrap(), piece);
        piece.leave_out();
        assert_eq!(piece.leaf(), leaf);
        let text = serde_json::to_string(&piece).unwrap();
        assert!(!text.contains("salt") && !text.contains("members"), "{text}");
        assert_eq!(Piece::from_line(&text).unwrap(), piece);
        for class in Class::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), json!(class.name()));
            piece.class = class;
            assert!(class == Class::Consignee || piece.leaf() != leaf);
        }
        for (class, file, line) in
            [(Class::Consignee, "results.jsonl", Some(3)), (Class::Consignee, "parts.jsonl", Some(4))]
        {
            let other = Piece { class, file: file.into(), line, ..piece.clone() };
            assert_ne!(other.leaf(), leaf, "place and class are bound");
        }
    }
}

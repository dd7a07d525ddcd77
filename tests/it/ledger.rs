//! The ledger's formats against what others published, and on hostile input.

use crate::vectors::folder;
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};
use touchmark_formats::ledger::checkpoint::{Checkpoint, LogProof, WitnessRequest};
use touchmark_formats::ledger::merkle::{Hash, includes, is_consistent};
use touchmark_formats::ledger::note::{Note, NoteKey, NoteKeyKind};
use touchmark_formats::ledger::record::Record;

fn published(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join("published").join(name)).unwrap()).unwrap()
}

/// A few vectors have texts in place of hashes, where it matters only whether they are equal; others have nothing.
fn hash(value: &Value) -> Option<Hash> {
    let bytes = STANDARD.decode(value.as_str().unwrap_or_default()).unwrap();
    let text = |bytes: Vec<u8>| Sha256::digest(bytes).into();
    (!bytes.is_empty()).then(|| bytes.try_into().unwrap_or_else(text))
}

fn proof(vector: &Value) -> Option<Vec<Hash>> {
    vector["proof"].as_array().into_iter().flatten().map(hash).collect()
}

#[test]
fn published_inclusion_proofs_are_judged_as_they_say() {
    let file = published("merkle/inclusion.json");
    let mut good = 0;
    for (name, vector) in file.as_object().unwrap() {
        let number = |field: &str| vector[field].as_u64();
        let checked = (|| {
            let (root, leaf) = (hash(&vector["root"])?, hash(&vector["leafHash"])?);
            Some(includes(&root, number("treeSize")?, number("leafIdx")?, &leaf, &proof(vector)?))
        })();
        assert_eq!(checked == Some(true), !vector["wantErr"].as_bool().unwrap(), "{name}");
        good += usize::from(checked == Some(true));
    }
    assert!(file.as_object().unwrap().len() == 98 && good > 4, "{good}");
}

#[test]
fn published_consistency_proofs_are_judged_as_they_say() {
    let file = published("merkle/consistency.json");
    for (name, vector) in file.as_object().unwrap() {
        let number = |field: &str| vector[field].as_u64();
        let checked = (|| {
            let (old, new) = (hash(&vector["root1"])?, hash(&vector["root2"])?);
            Some(is_consistent(number("size1")?, &old, number("size2")?, &new, &proof(vector)?))
        })();
        assert_eq!(checked == Some(true), !vector["wantErr"].as_bool().unwrap(), "{name}: {vector}");
    }
    assert_eq!(file.as_object().unwrap().len(), 98);
}

#[test]
fn the_published_note_and_its_keys() {
    let file = published("c2sp/signed-note.json");
    let key: NoteKey = file["keys"][0]["vkey"].as_str().unwrap().parse().unwrap();
    assert_eq!((key.kind, key.to_string().as_str()), (NoteKeyKind::Ed25519, file["keys"][0]["vkey"].as_str().unwrap()));
    for vector in file["valid"].as_array().unwrap() {
        let note = Note::parse(vector["note"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!((note.text.as_str(), note.signed_by(&key)), (vector["text"].as_str().unwrap(), Ok(Some(0))));
        assert_eq!(note.to_string(), vector["note"].as_str().unwrap());
    }
    for vector in file["invalid_vkeys"].as_array().unwrap() {
        assert!(vector["vkey"].as_str().unwrap().parse::<NoteKey>().is_err(), "{vector}");
    }
}

/// The worked example of c2sp.org/tlog-cosignature, whose keys are not published: its form.
#[test]
fn the_example_of_a_cosigned_checkpoint_is_read() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let note = Note::parse(text.as_bytes()).unwrap();
    let checkpoint = Checkpoint::parse(&note.text).unwrap();
    assert_eq!((checkpoint.size, checkpoint.text() == note.text, note.to_string() == text), (20_852_163, true, true));
    assert_eq!(note.signatures[1].bytes.len(), 72);
    for bent in ["020852163", "+1", "", "9223372036854775808"] {
        assert!(Checkpoint::parse(&note.text.replace("20852163", bent)).is_err(), "{bent}");
    }
    assert!(Checkpoint::parse(&format!("{}extension\n", note.text)).is_err());
    for head in ["old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\n", "old 0\n\n"] {
        let request = format!("{head}{text}");
        assert_eq!(WitnessRequest::parse(request.as_bytes()).unwrap().to_string(), request);
    }
    for head in [
        "c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nindex 7\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\n",
    ] {
        let proof = format!("{head}{text}");
        assert_eq!(LogProof::parse(proof.as_bytes()).unwrap().to_string(), proof);
    }
    for head in [
        "c2sp.org/tlog-proof@v1\n\n",
        "c2sp.org/tlog-proof@v2\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\n",
        "index 0\n\n",
    ] {
        assert!(LogProof::parse(format!("{head}{text}").as_bytes()).is_err(), "{head}");
    }
}

proptest! {
    #[test]
    fn a_record_is_refused_or_has_one_encoding(kind in 0u8..20, rest in prop::collection::vec(any::<u8>(), 0..200)) {
        crate::properties::checks::record(&[&[kind][..], &rest].concat());
    }

    #[test]
    fn notes_proofs_and_requests_are_refused_or_have_one_form(bytes in "(old [0-9]{1,3}|c2sp.org/tlog-proof@v1\nindex [0-9]\n([A-Za-z0-9+/]{43}=\n)?)?\n?[a-z]{0,3}\n[0-9]{1,2}\n[A-Za-z0-9+/]{43}=\n\n(\u{2014} [a-z]{1,3} [A-Za-z0-9]{8}\n){0,3}") {
        crate::properties::checks::note(bytes.as_bytes());
    }
}

#[test]
fn damaged_records_are_refused_or_have_one_encoding() {
    let file: Value = serde_json::from_slice(&std::fs::read(folder().join("ledger.json")).unwrap()).unwrap();
    for vector in file["records"].as_array().unwrap() {
        let bytes = crate::vectors::unhex(vector["record"].as_str().unwrap());
        assert!(Record::from_bytes(&bytes).is_ok());
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                crate::properties::checks::record(&bytes);
            }
            crate::properties::checks::record(&bytes[..at]);
        }
    }
}

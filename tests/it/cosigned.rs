//! Cosignatures of witnesses (c2sp.org/tlog-cosignature) that others made: those of the witnesses of Sigsum's public test log.

use sha2::{Digest, Sha256};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::checkpoint::Checkpoint;
use touchmark_formats::ledger::note::{Note, NoteKey, NoteKeyKind};

fn published(name: &str) -> String {
    let path = format!("{}/vectors/published/sigsum/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let pairs =
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    pairs.collect::<Vec<u8>>().try_into().unwrap()
}

fn note_key(name: &str, kind: NoteKeyKind, key: [u8; 32]) -> NoteKey {
    NoteKey { name: name.parse().unwrap(), kind, key: KeyBytes(key).check().unwrap() }
}

#[test]
fn cosignatures_of_the_witnesses_of_a_public_log_hold() {
    let (proof, policy) = (published("proof.txt"), published("policy.txt"));
    let all = |name: &'static str| proof.lines().filter_map(move |line| line.strip_prefix(name));
    let named = |kind: &'static str| {
        let lines = policy.lines().filter_map(move |line| line.strip_prefix(kind));
        lines.map(|line| line.split_whitespace().collect::<Vec<_>>())
    };
    // A Sigsum log's tree head is a checkpoint whose origin is the hash of the log's key.
    let log = all("log=").next().unwrap();
    let size = all("size=").next().unwrap().parse().unwrap();
    let origin = format!("sigsum.org/v1/tree/{log}");
    let text = Checkpoint { origin, size, root: bytes(all("root_hash=").next().unwrap()) }.text();
    let log_key =
        named("log ").map(|words| bytes::<32>(words[0])).find(|key| Sha256::digest(key)[..] == bytes::<32>(log));
    let log_key = note_key("log", NoteKeyKind::Ed25519, log_key.unwrap());
    let mut note = Note { text, signatures: vec![log_key.line(&bytes(all("signature=").next().unwrap()), 0)] };
    let mut witnesses = Vec::new();
    for line in all("cosignature=") {
        let [key_hash, at, signature] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let witness =
            named("witness ").find(|words| Sha256::digest(bytes::<32>(words[1]))[..] == bytes::<32>(key_hash));
        let [name, key] = witness.unwrap().try_into().unwrap();
        let key = note_key(name, NoteKeyKind::Cosignature, bytes(key));
        note.signatures.push(key.line(&bytes(signature), at.parse().unwrap()));
        witnesses.push((key, at.parse().unwrap()));
    }
    assert_eq!(witnesses.len(), 8);
    let note = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(note.signed_by(&log_key), Ok(Some(0)));
    for (witness, at) in &witnesses {
        assert_eq!(note.signed_by(witness), Ok(Some(*at)), "{}", witness.name);
    }
    // And of no other checkpoint.
    let other = Note { text: note.text.replace(&format!("\n{size}\n"), &format!("\n{}\n", size + 1)), ..note };
    assert!(witnesses.iter().all(|(witness, _)| other.signed_by(witness).is_err()));
}

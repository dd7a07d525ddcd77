//! Cosignatures of witnesses (c2sp.org/tlog-cosignature) between us and the Sigsum project's own Rust library: we accept those of
//! the witnesses of its public log, and it accepts ours.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use sigsum::policy::SIGSUM_TEST_2025_3;
use sigsum::{PolicyBuilder, SigsumSignature};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::checkpoint::{Checkpoint, WitnessRequest};
use touchmark_formats::ledger::merkle::{leaf_hash, node_hash};
use touchmark_formats::ledger::note::{Note, NoteKey, NoteKeyKind, NoteSignature};
use touchmark_signer::keys::{SecretKey, SigningKey};
use touchmark_signer::ledger::witness::Memory;

const AT: u64 = 1_770_193_051;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let pairs =
        hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    pairs.collect::<Vec<u8>>().try_into().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn note_key(name: &str, kind: NoteKeyKind, key: KeyBytes) -> NoteKey {
    NoteKey { name: name.parse().unwrap(), kind, key: key.check().unwrap() }
}

/// The checkpoint that a Sigsum log's tree head is, by the hash of its key.
fn checkpoint(log: &[u8; 32], size: u64, root: [u8; 32]) -> Checkpoint {
    Checkpoint { origin: format!("sigsum.org/v1/tree/{}", hex(log)), size, root }
}

#[test]
fn cosignatures_of_the_witnesses_of_a_public_log_hold() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/published/sigsum/proof.txt");
    let proof = std::fs::read_to_string(path).unwrap();
    let all = |name: &'static str| proof.lines().filter_map(move |line| line.strip_prefix(name));
    let log: [u8; 32] = bytes(all("log=").next().unwrap());
    let size = all("size=").next().unwrap().parse().unwrap();
    let text = checkpoint(&log, size, bytes(all("root_hash=").next().unwrap())).text();
    let log_key = SIGSUM_TEST_2025_3.logs().map(|log| log.pubkey).find(|key| Sha256::digest(key)[..] == log).unwrap();
    let own = note_key("log", NoteKeyKind::Ed25519, KeyBytes(log_key.into()));
    let signature = own.line(&bytes(all("signature=").next().unwrap()), 0);
    let mut note = Note { text, signatures: vec![signature] };
    let mut witnesses = Vec::new();
    for line in all("cosignature=") {
        let [key_hash, at, signature] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let known = SIGSUM_TEST_2025_3.get_witness_by_keyhash(&bytes::<32>(key_hash).into());
        // The log also shows cosignatures of witnesses that the policy does not name.
        let Some(witness) = known else { continue };
        let key = note_key(&witness.name, NoteKeyKind::Cosignature, KeyBytes(witness.pubkey.into()));
        note.signatures.push(key.line(&bytes(signature), at.parse().unwrap()));
        witnesses.push((key, at.parse().unwrap()));
    }
    assert!(witnesses.len() >= 5, "{} witnesses", witnesses.len());
    let note = Note::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!(note.signed_by(&own), Ok(Some(0)));
    for (witness, at) in &witnesses {
        assert_eq!(note.signed_by(witness), Ok(Some(*at)), "{}", witness.name);
    }
    // And of no other checkpoint.
    let other = Note { text: note.text.replace(&format!("\n{size}\n"), &format!("\n{}\n", size + 1)), ..note };
    assert!(witnesses.iter().all(|(witness, _)| other.signed_by(witness).is_err()));
}

/// A log of two leaves in Sigsum's form, its tree head cosigned by our witness.
struct Cosigned {
    signer: KeyBytes,
    log: KeyBytes,
    witness: KeyBytes,
    proof: String,
}

impl Cosigned {
    fn new(message: &[u8; 32]) -> Self {
        let [signer, log, witness] = [1, 2, 3].map(|n| SecretKey::from_seed(&[n; 32]));
        let hash = |key: KeyBytes| -> [u8; 32] { Sha256::digest(key.0).into() };
        let checksum: [u8; 32] = Sha256::digest(message).into();
        let leaf_signature = signer.sign(&[&b"sigsum.org/v1/tree-leaf\0"[..], &checksum].concat()).unwrap();
        let leaf = [&checksum[..], &leaf_signature, &hash(signer.public())].concat();
        let (first, second) = (leaf_hash(b"another leaf"), leaf_hash(&leaf));
        let head = checkpoint(&hash(log.public()), 2, node_hash(&first, &second));

        let log_key = note_key(&head.origin, NoteKeyKind::Ed25519, log.public());
        let tree_head = log.sign(head.text().as_bytes()).unwrap();
        let signed = Note { text: head.text(), signatures: vec![log_key.line(&tree_head, 0)] };
        let request = WitnessRequest { old: 0, hashes: Vec::new(), checkpoint: signed };
        let own = note_key("witness.example", NoteKeyKind::Cosignature, witness.public());
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory::open(folder.path()).unwrap();
        let line = memory.cosign(&request, &log_key, &own, &witness, AT).unwrap();
        let (at, cosignature) = read_line(&line);

        let proof = format!(
            "version=2\nlog={}\nleaf={} {}\n\nsize=2\nroot_hash={}\nsignature={}\ncosignature={} {at} {}\n\nleaf_index=1\nnode_hash={}\n",
            hex(&hash(log.public())),
            hex(&hash(signer.public())),
            hex(&leaf_signature),
            hex(&head.root),
            hex(&tree_head),
            hex(&hash(witness.public())),
            hex(&cosignature),
            hex(&first),
        );
        Self { signer: signer.public(), log: log.public(), witness: witness.public(), proof }
    }

    /// What Sigsum's library says of it, under the policy that this log counts where this witness has seen it.
    fn verdict(&self, message: &[u8; 32], proof: &str) -> Result<(), String> {
        let mut policy = PolicyBuilder::new();
        let policy = policy.add_log(self.log.0.into(), None).unwrap();
        let policy = policy.add_witness("ours".into(), self.witness.0.into(), None).unwrap();
        policy.set_quorum("ours".into()).unwrap();
        let policy = std::mem::take(policy).build();
        let signature = SigsumSignature::from_ascii(proof).map_err(|e| e.to_string())?;
        sigsum::verify(&(*message).into(), &signature, &[self.signer.0.into()], &policy).map_err(|e| e.to_string())
    }
}

/// The time and the signature in the line of a note, as the C2SP specification says it.
fn read_line(line: &NoteSignature) -> (u64, Vec<u8>) {
    let text = line.to_string();
    let bytes = STANDARD.decode(text.trim_end().rsplit(' ').next().unwrap()).unwrap();
    (u64::from_be_bytes(bytes[4..12].try_into().unwrap()), bytes[12..].to_vec())
}

#[test]
fn another_implementation_accepts_our_cosignature() {
    let message = [9; 32];
    let cosigned = Cosigned::new(&message);
    assert_eq!(cosigned.verdict(&message, &cosigned.proof), Ok(()));
    let later = cosigned.proof.replace(&format!(" {AT} "), &format!(" {} ", AT + 1));
    assert!(cosigned.verdict(&message, &later).unwrap_err().contains("bad witness cosignature"), "another time");
    let unseen: String =
        cosigned.proof.lines().filter(|l| !l.starts_with("cosignature")).map(|l| l.to_owned() + "\n").collect();
    assert!(cosigned.verdict(&message, &unseen).unwrap_err().contains("not enough"), "seen by nobody");
}

//! Strict verification, FF1, HKDF and base45 against the vectors that others published (`tests/vectors/published`):
//! the expected answers stand in SPEC.md, section 4.

use crate::vectors::{folder, hex, unhex, unhex_array};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value;
use std::collections::BTreeSet;
use touchmark_formats::key::{KeyBytes, KeyError};

fn published(name: &str) -> Value {
    serde_json::from_str(&published_text(name)).unwrap()
}

fn published_text(name: &str) -> String {
    let path = folder().join("published").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Whether Touchmark takes `signature`: the key must be good too, and a signature has 64 bytes.
fn accepts(key: &str, message: &[u8], signature: &str) -> bool {
    let Ok(signature) = unhex(signature).try_into() else { return false };
    KeyBytes(unhex_array(key)).check().is_ok_and(|key| key.verify(message, &signature))
}

fn at<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

#[test]
fn wycheproof_gets_every_answer_that_it_expects() {
    let file = published("wycheproof/ed25519_test.json");
    let mut count = 0;
    for group in items(&file["testGroups"]) {
        for test in items(&group["tests"]) {
            let accepted = accepts(at(&group["publicKey"], "pk"), &unhex(at(test, "msg")), at(test, "sig"));
            assert_eq!(accepted, test["result"] == "valid", "tcId {}: {}", test["tcId"], test["comment"]);
            count += 1;
        }
    }
    assert_eq!(count, 151);
}

#[test]
fn rfc_8032_signs_and_verifies_as_written() {
    let file = published("rfc8032/ed25519.json");
    let plain = items(&file["vectors"]).iter().filter(|v| at(v, "algorithm") == "Ed25519");
    let mut count = 0;
    for vector in plain {
        let (message, signature) = (unhex(at(vector, "message")), at(vector, "signature"));
        let key = SigningKey::from_bytes(&unhex_array(at(vector, "secret_key")));
        assert_eq!(hex(&key.sign(&message).to_bytes()), signature);
        assert!(accepts(at(vector, "public_key"), &message, signature), "{}", vector["name"]);
        count += 1;
    }
    assert_eq!(count, 4);
    // TEST 1024, whose message of 1023 bytes stands in Wycheproof as tcId 83.
    let wycheproof = published("wycheproof/ed25519_test.json");
    let tests = items(&wycheproof["testGroups"]).iter().flat_map(|group| items(&group["tests"]));
    let long = tests.into_iter().find(|test| test["tcId"] == 83).unwrap();
    let secret = unhex_array("f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5");
    assert_eq!(hex(&SigningKey::from_bytes(&secret).sign(&unhex(at(long, "msg"))).to_bytes()), at(long, "sig"));
    // Signatures of Ed25519ctx and Ed25519ph are none of plain Ed25519.
    for vector in items(&file["vectors"]).iter().filter(|v| at(v, "algorithm") != "Ed25519") {
        assert!(!accepts(at(vector, "public_key"), &unhex(at(vector, "message")), at(vector, "signature")));
    }
}

#[test]
fn the_list_of_the_first_implementation_signs_and_verifies_as_written() {
    let lines = published_text("rfc8032/dalek-TESTVECTORS.txt");
    let mut longest = 0;
    for line in lines.lines() {
        let [secret, key, message, signed, ..] = line.split(':').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let message = unhex(message);
        let signature = &signed[..128];
        assert_eq!(hex(&SigningKey::from_bytes(&unhex_array(&secret[..64])).sign(&message).to_bytes()), signature);
        assert!(accepts(key, &message, signature));
        longest = longest.max(message.len());
    }
    assert_eq!((lines.lines().count(), longest), (128, 639));
}

#[test]
fn speccheck_is_refused_from_first_to_last() {
    let file = published("speccheck/cases.json");
    let accepted: Vec<usize> = items(&file)
        .iter()
        .enumerate()
        .filter(|(_, v)| accepts(at(v, "pub_key"), &unhex(at(v, "message")), at(v, "signature")))
        .map(|(n, _)| n)
        .collect();
    // Case 3 passes strict verification alone; its key has a component of small order and is refused before.
    assert_eq!((items(&file).len(), accepted), (12, vec![]));
    let errors: Vec<_> = items(&file).iter().map(|v| KeyBytes(unhex_array(at(v, "pub_key"))).check().err()).collect();
    use KeyError::{Point, Torsion, Weak};
    let (weak, torsion, point) = (Some(Weak), Some(Torsion), Some(Point));
    assert_eq!(
        errors,
        [weak, weak, torsion, torsion, torsion, torsion, None, None, torsion, torsion, point, point],
        "the keys of cases 6 and 7 are good, of the others none"
    );
    // S not below the group order. These two pass if anything turns on dalek's `legacy_compatibility`.
    assert!(!accepts_any_key(&file[6]) && !accepts_any_key(&file[7]), "S must stay below the group order");
}

/// Strict verification without our refusal of torsion keys.
fn accepts_any_key(vector: &Value) -> bool {
    let key = ed25519_dalek::VerifyingKey::from_bytes(&unhex_array(at(vector, "pub_key"))).unwrap();
    let signature = ed25519_dalek::Signature::from_bytes(&unhex_array(at(vector, "signature")));
    key.verify_strict(&unhex(at(vector, "message")), &signature).is_ok()
}

#[test]
fn a_signature_has_one_form() {
    let key = SigningKey::from_bytes(&[7; 32]);
    let public = KeyBytes(key.verifying_key().to_bytes());
    let signature = key.sign(b"part").to_bytes();
    assert!(public.check().unwrap().verify(b"part", &signature));
    // S + L, the group order of RFC 8032, section 5.1, little-endian.
    let order = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut other = signature;
    let mut carry = 0;
    for (byte, l) in other[32..].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(l);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert!(!public.check().unwrap().verify(b"part", &other), "S + L is the same number, and refused");
}

#[test]
fn cctv_leaves_one_signature_of_a_clean_key() {
    let file = published("cctv/ed25519vectors.json");
    let flags = |v: &Value| -> BTreeSet<String> {
        v["flags"].as_array().into_iter().flatten().map(|f| f.as_str().unwrap().to_owned()).collect()
    };
    let clean = |v: &&Value| KeyBytes(unhex_array(at(v, "key"))).check().is_ok();
    let accepted: Vec<_> =
        items(&file).iter().filter(|v| accepts(at(v, "key"), at(v, "msg").as_bytes(), at(v, "sig"))).collect();
    assert_eq!(items(&file).len(), 914);
    assert_eq!(items(&file).iter().filter(clean).count(), 28);
    assert_eq!(accepted.iter().map(|v| v["number"].as_u64().unwrap()).collect::<Vec<_>>(), CCTV_ACCEPTED);
    assert!(accepted.iter().all(|v| flags(v).is_empty()), "what is accepted has nothing odd about it");
}

/// Vector 305: its key, R and equation have nothing odd.
const CCTV_ACCEPTED: [u64; 1] = [305];

#[test]
fn hkdf_is_that_of_rfc_5869() {
    let file = published("wycheproof/hkdf_sha256_test.json");
    let tests = items(&file["testGroups"]).iter().flat_map(|group| items(&group["tests"]));
    for test in tests {
        let kdf = hkdf::Hkdf::<sha2::Sha256>::new(Some(&unhex(at(test, "salt"))), &unhex(at(test, "ikm")));
        let mut out = vec![0; test["size"].as_u64().unwrap() as usize];
        let derived = kdf.expand(&unhex(at(test, "info")), &mut out).is_ok().then(|| hex(&out));
        assert_eq!(derived.as_deref(), (test["result"] == "valid").then(|| at(test, "okm")), "tcId {}", test["tcId"]);
    }
}

#[test]
fn base45_is_that_of_rfc_9285() {
    use touchmark_formats::base45;
    let file = published("rfc9285/base45.json");
    for vector in items(&file["valid"]) {
        assert_eq!(base45::encode(&unhex(at(vector, "hex"))), at(vector, "base45"));
        assert_eq!(base45::decode(at(vector, "base45")), Ok(unhex(at(vector, "hex"))));
    }
    for vector in items(&file["invalid"]) {
        assert!(base45::decode(at(vector, "base45")).is_err(), "{vector}");
    }
}

/// A batch judges a signature by its company, and so must not even be there: dalek's `batch` brings strobe-rs.
#[test]
fn batch_verification_is_not_built_in() {
    let lock = std::fs::read_to_string(folder().join("../../Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"ed25519-dalek\"") && !lock.contains("name = \"strobe-rs\""));
}

mod ff1 {
    use super::{at, items, published};
    use crate::vectors::unhex;
    use aes::{Aes128, Aes192, Aes256};
    use fpe::ff1::{FF1, FlexibleNumeralString, NumeralStringError};
    use serde_json::Value;
    use std::path::PathBuf;

    fn encrypt(key: &[u8], radix: u32, tweak: &[u8], plain: Vec<u16>) -> Option<Vec<u16>> {
        let plain = FlexibleNumeralString::from(plain);
        let sealed: Result<_, NumeralStringError> = match key.len() {
            16 => FF1::<Aes128>::new(key, radix).ok()?.encrypt(tweak, &plain),
            24 => FF1::<Aes192>::new(key, radix).ok()?.encrypt(tweak, &plain),
            32 => FF1::<Aes256>::new(key, radix).ok()?.encrypt(tweak, &plain),
            _ => return None,
        };
        sealed.ok().map(Vec::from)
    }

    fn digits(text: &str) -> Vec<u16> {
        text.chars().map(|c| c.to_digit(36).unwrap() as u16).collect()
    }

    #[test]
    fn the_nine_samples_of_nist_hold() {
        let file = published("ff1/sp800-38g-samples.json");
        for sample in items(&file["samples"]) {
            let radix = sample["radix"].as_u64().unwrap() as u32;
            let sealed =
                encrypt(&unhex(at(sample, "key")), radix, &unhex(at(sample, "tweak")), digits(at(sample, "plaintext")));
            assert_eq!(sealed, Some(digits(at(sample, "ciphertext"))), "{sample}");
        }
        assert_eq!(items(&file["samples"]).len(), 9);
    }

    /// Large files, and so not part of the project: read from the folder that TOUCHMARK_VECTORS names.
    #[test]
    fn wycheproof_holds_where_its_large_files_are_at_hand() {
        let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors");
        let folder = std::env::var_os("TOUCHMARK_VECTORS").map_or(default, PathBuf::from).join("wycheproof");
        for radix in [10, 16, 36, 256] {
            let path = folder.join(format!("aes_ff1_radix{radix}_test.json"));
            let Ok(bytes) = std::fs::read(&path) else {
                println!("skipped: {} is not there (set TOUCHMARK_VECTORS)", path.display());
                continue;
            };
            let file: Value = serde_json::from_slice(&bytes).unwrap();
            items(&file["testGroups"]).iter().flat_map(|g| items(&g["tests"])).for_each(|test| check(radix, test));
        }
    }

    fn check(radix: u32, test: &Value) {
        // -1 stands for a numeral outside the radix.
        let numeral = |n: &Value| n.as_u64().map_or(u16::MAX, |n| n as u16);
        let numerals = |field: &str| items(&test[field]).iter().map(numeral).collect::<Vec<_>>();
        let plain = numerals("msg");
        let values = f64::from(radix).powi(plain.len() as i32);
        let sealed = encrypt(&unhex(at(test, "key")), radix, &unhex(at(test, "tweak")), plain);
        match at(test, "result") {
            "invalid" => assert_eq!(sealed, None, "{test}"),
            // Below a million values FF1 is insecure (SP 800-38G, revision 1), and refused.
            _ if values < 1e6 => assert_eq!(sealed, None, "{test}"),
            _ => assert_eq!(sealed, Some(numerals("ct")), "{test}"),
        }
    }
}

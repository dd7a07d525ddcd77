//! keys.json: key ids, fingerprints, and the keys that are refused.

use super::{hex, list, stored, text, unhex_array};
use serde_json::json;
use testkit::maker::{TestMaker, public};
use touchmark_formats::key::KeyBytes;

/// Public keys that must not be accepted, little-endian y with the sign of x on top (RFC 8032, section 5.1.2).
const REFUSED: [(&str, &str, &str); 9] = [
    ("the neutral point", "weak", "0100000000000000000000000000000000000000000000000000000000000000"),
    ("a point of order 2", "weak", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("a point of order 4", "weak", "0000000000000000000000000000000000000000000000000000000000000000"),
    ("a point of order 8", "weak", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    ("a point of mixed order", "torsion", "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"),
    ("y = 2 is not on the curve", "point", "0200000000000000000000000000000000000000000000000000000000000000"),
    ("y = p, for 0", "point", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("y = 2^255 - 1, for 18", "point", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ("x = 0 with the sign bit set", "point", "0100000000000000000000000000000000000000000000000000000000000080"),
];

#[test]
fn keys_have_their_ids_and_bad_ones_are_refused() {
    let maker = TestMaker::listed(1);
    let keys = [public(&maker.root), public(&maker.line), public(&maker.authority), public(&TestMaker::new(2).line)];
    let valid = keys.map(|key| {
        json!({"key": hex(&key.0), "base64": key, "id": key.id().to_string(), "fingerprint": hex(&key.fingerprint())})
    });
    let refused = REFUSED.map(|(name, error, key)| json!({"name": name, "error": error, "key": key}));
    let made =
        json!({"about": "Public keys: id in marks and SHA-256, or why refused.", "valid": valid, "refused": refused});
    let file = stored("keys.json", &made);
    for vector in list(&file, "valid") {
        let key = KeyBytes(unhex_array(text(vector, "key")));
        assert_eq!(key.check().unwrap().bytes(), key);
        assert_eq!(text(vector, "base64").parse(), Ok(key));
        assert_eq!(key.id().to_string(), text(vector, "id"));
        assert_eq!(hex(&key.fingerprint()), text(vector, "fingerprint"));
    }
    for vector in list(&file, "refused") {
        let error = KeyBytes(unhex_array(text(vector, "key"))).check().expect_err(text(vector, "name"));
        assert_eq!(error.name(), text(vector, "error"), "{vector}");
    }
}

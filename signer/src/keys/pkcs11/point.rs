//! Public keys as tokens write them.

use touchmark_formats::key::KeyBytes;

/// DER of the OBJECT IDENTIFIER 1.3.101.112, id-Ed25519 (RFC 8410): CKA_EC_PARAMS by PKCS#11 3.1, section 6.3.
pub(super) const ED25519_OID: [u8; 5] = [0x06, 0x03, 0x2B, 0x65, 0x70];

/// DER of the PrintableString `edwards25519`: CKA_EC_PARAMS by PKCS#11 3.0, section 2.3.5.
pub(super) const ED25519_NAME: [u8; 14] = *b"\x13\x0Cedwards25519";

/// The key in CKA_EC_POINT: 32 bytes, or the same as a DER OCTET STRING (`04 20`). Which of the two, tokens disagree.
pub(super) fn public_key(point: &[u8]) -> Option<KeyBytes> {
    let bare = match point {
        [0x04, 0x20, rest @ ..] if rest.len() == 32 => rest,
        _ => point,
    };
    bare.try_into().ok().map(KeyBytes)
}

/// Whether CKA_EC_PARAMS says Ed25519, in whichever of the two ways.
pub(super) fn is_ed25519(params: &[u8]) -> bool {
    params == ED25519_OID || params == ED25519_NAME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_bare_or_wrapped() {
        let key = [9; 32];
        let wrapped = [&[0x04, 0x20][..], &key].concat();
        assert_eq!(public_key(&key), Some(KeyBytes(key)));
        assert_eq!(public_key(&wrapped), Some(KeyBytes(key)));
        // 32 bytes that happen to begin like a wrapping are a key.
        let mut unlucky = [9; 32];
        unlucky[..2].copy_from_slice(&[0x04, 0x20]);
        assert_eq!(public_key(&unlucky), Some(KeyBytes(unlucky)));
        for wrong in [&key[..31], &wrapped[..33], &[wrapped.as_slice(), &[0]].concat(), &[]] {
            assert_eq!(public_key(wrong), None);
        }
        assert!(is_ed25519(&ED25519_OID) && is_ed25519(&ED25519_NAME) && !is_ed25519(&[0x06, 0x03, 0x2B, 0x65, 0x71]));
    }
}

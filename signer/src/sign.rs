//! A mark and a line key to a signed mark. Pure: no file, no clock.

use crate::error::{Error, Result};
use crate::keys::SecretKey;
use touchmark_formats::key::{KeyBytes, KeyError, KeyId, PublicKey};
use touchmark_formats::mark::{Mark, SignedMark};
use touchmark_formats::text::Label;

/// A line's secret key, with its public key ready for checking.
#[derive(Debug)]
pub struct LineKey {
    secret: SecretKey,
    public: PublicKey,
    id: KeyId,
}

impl LineKey {
    /// `secret` as a line key.
    ///
    /// # Errors
    /// [`KeyError`] for a secret whose public key no verifier would accept; a generated one never is.
    pub fn new(secret: SecretKey) -> std::result::Result<Self, KeyError> {
        let public = secret.public().check()?;
        Ok(Self { id: public.bytes().id(), secret, public })
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> KeyBytes {
        self.public.bytes()
    }

    /// What a mark must carry as [`Mark::key_id`].
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// Signs `mark`, which says `part` and `lot`, for the maker with the root key `root`. It does not ask whether the
/// delegation allows it; [`crate::issue`] does.
#[must_use]
pub fn sign(key: &LineKey, mark: Mark, root: &KeyBytes, part: &Label, lot: Option<&Label>) -> SignedMark {
    let signature = key.secret.sign(&mark.message(root, part, lot));
    SignedMark { mark, signature }
}

/// As [`sign`], then checks the signature, so that a faulty computation, which for Ed25519 can give away the key, never
/// leaves the program (FIPS 186-5, section 7.8.3 on deterministic signatures and faults).
///
/// # Errors
/// The signature does not verify.
pub fn sign_checked(
    key: &LineKey,
    mark: Mark,
    root: &KeyBytes,
    part: &Label,
    lot: Option<&Label>,
) -> Result<SignedMark> {
    let signed = sign(key, mark, root, part, lot);
    if key.public.verify(&signed.mark.message(root, part, lot), &signed.signature) {
        Ok(signed)
    } else {
        Err(Error::unusable(format!(
            "the signature of serial {} came out wrong and was thrown away",
            signed.mark.serial
        ))
        .hint("this points at faulty memory or a faulty processor: do not sign on this machine"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_formats::date::Date;
    use touchmark_formats::mark::{Extension, Part, Serial};

    #[test]
    fn part_lot_and_root_are_under_the_signature() {
        let key = LineKey::new(SecretKey::from_seed(&[1; 32])).unwrap();
        let root = SecretKey::from_seed(&[2; 32]).public();
        let (part, lot): (Label, Label) = ("STM32F407VGT6".parse().unwrap(), "A2B347K".parse().unwrap());
        let mark = Mark {
            key_id: key.id(),
            serial: Serial::new(7).unwrap(),
            date: Date::from_days(2518),
            part: Part::Listed(0),
            lot: None,
            extension: Extension::default(),
            capsule: None,
        };
        let signed = sign_checked(&key, mark.clone(), &root, &part, Some(&lot)).unwrap();
        let good = |root: &KeyBytes, part: &Label, lot: Option<&Label>| {
            key.public.verify(&mark.message(root, part, lot), &signed.signature)
        };
        assert!(good(&root, &part, Some(&lot)));
        assert!(!good(&root, &lot, Some(&lot)));
        assert!(!good(&root, &part, None));
        assert!(!good(&key.public(), &part, Some(&lot)));
    }
}

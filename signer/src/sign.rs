//! A mark and a line key to a signed mark. Pure: no file, no clock.

use crate::error::Result;
use crate::keys::{self, SigningKey};
use touchmark_formats::container::{Container, SignedContainer};
use touchmark_formats::key::{KeyBytes, KeyError, KeyId, PublicKey, domain};
use touchmark_formats::mark::{Mark, SignedMark};
use touchmark_formats::text::Label;

/// A line's key, whoever holds it, with its public key ready for checking.
#[derive(Debug)]
pub struct LineKey {
    holder: Box<dyn SigningKey>,
    public: PublicKey,
    id: KeyId,
}

impl LineKey {
    /// `holder` as a line key.
    ///
    /// # Errors
    /// [`KeyError`] for a key whose public half no verifier would accept; a generated one never is.
    pub fn new(holder: Box<dyn SigningKey>) -> std::result::Result<Self, KeyError> {
        let public = holder.public().check()?;
        Ok(Self { id: public.bytes().id(), holder, public })
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> KeyBytes {
        self.public.bytes()
    }

    /// Signs a message that says nothing, and checks the signature ([`keys::sign_checked`]).
    ///
    /// # Errors
    /// The key's holder is out of reach or refuses, or the signature does not verify.
    pub fn try_out(&self) -> Result<()> {
        keys::sign_checked(&*self.holder, &self.public, domain::TRIAL, &"a trial").map(drop)
    }

    /// What a mark must carry as [`Mark::key_id`].
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// Signs `mark`, which says `part` and `lot`, for the maker with the root key `root`. It does not ask whether the
/// delegation allows it; [`crate::issue`] does.
///
/// # Errors
/// The key's holder is out of reach or refuses.
pub fn sign(key: &LineKey, mark: Mark, root: &KeyBytes, part: &Label, lot: Option<&Label>) -> Result<SignedMark> {
    let signature = key.holder.sign(&mark.message(root, part, lot))?;
    Ok(SignedMark { mark, signature })
}

/// As [`sign`], then checks the signature ([`keys::sign_checked`]).
///
/// # Errors
/// As [`sign`], or the signature does not verify.
pub fn sign_checked(
    key: &LineKey,
    mark: Mark,
    root: &KeyBytes,
    part: &Label,
    lot: Option<&Label>,
) -> Result<SignedMark> {
    let message = mark.message(root, part, lot);
    let what = format_args!("serial {}", mark.serial);
    let signature = keys::sign_checked(&*key.holder, &key.public, &message, &what)?;
    Ok(SignedMark { mark, signature })
}

/// As [`sign_checked`], for the mark of a container.
///
/// # Errors
/// As [`sign_checked`].
pub fn sign_container(
    key: &LineKey,
    container: Container,
    root: &KeyBytes,
    part: &Label,
    lot: Option<&Label>,
) -> Result<SignedContainer> {
    let message = container.message(root, part, lot);
    let what = format_args!("the {} of serials {}", container.level.name(), container.serials);
    let signature = keys::sign_checked(&*key.holder, &key.public, &message, &what)?;
    Ok(SignedContainer { container, signature })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SecretKey;
    use touchmark_formats::date::Date;
    use touchmark_formats::mark::{Extension, Part, Serial};

    #[test]
    fn part_lot_and_root_are_under_the_signature() {
        let key = LineKey::new(Box::new(SecretKey::from_seed(&[1; 32]))).unwrap();
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

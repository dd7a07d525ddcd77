//! A maker made of fixed keys, for tests and benches: everything that a test may want to bend is a public field.

use ed25519_dalek::{Signer as _, SigningKey};
use std::io::Write;
use touchmark_formats::capsule::{Capsule, CapsuleSize, YearKey};
use touchmark_formats::close::{LotClose, Scrapped};
use touchmark_formats::container::{Container, Level, SignedContainer};
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Delegation, Lot, Request, SerialRange};
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::{Extension, Mark, Part, Serial, SignedMark};
use touchmark_formats::signed::{Document, SignatureBytes, Signed, message};
use touchmark_formats::text::Label;
use touchmark_formats::trust::{Authority, Country, Maker, Signer, Trust};

/// A maker with one line, and an authority that vouches for it.
#[derive(Debug, Clone)]
pub struct TestMaker {
    /// Signs bundles.
    pub authority: SigningKey,
    /// Signs delegations and disclosures.
    pub root: SigningKey,
    /// Signs marks.
    pub line: SigningKey,
    /// Seals consignees.
    pub year: YearKey,
    /// What the line may mark; re-signed whenever a bundle is made.
    pub delegation: Delegation,
}

/// `text` as a label; panics on one that is none.
#[must_use]
pub fn label(text: &str) -> Label {
    text.parse().unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

/// `text` as a date; panics on one that is none.
#[must_use]
pub fn date(text: &str) -> Date {
    text.parse().unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

/// `number` as a serial; panics above the range.
#[must_use]
pub fn serial(number: u64) -> Serial {
    Serial::new(number).unwrap_or_else(|| panic!("{number} is no serial"))
}

/// The public key as written in files.
#[must_use]
pub fn public(key: &SigningKey) -> KeyBytes {
    KeyBytes(key.verifying_key().to_bytes())
}

/// `document` signed by `keys`.
#[must_use]
pub fn signed<T: Document>(document: T, keys: &[&SigningKey]) -> Signed<T> {
    let mut envelope = Signed::new(document);
    for key in keys {
        let signature = key.sign(&message(&envelope.signed)).to_bytes();
        envelope.attach(public(key), signature);
    }
    envelope
}

/// `plain` in an armored age file that only `recipient` can open.
#[must_use]
pub fn encrypted(plain: &[u8], recipient: &age::x25519::Recipient) -> Vec<u8> {
    let mut file = Vec::new();
    let mut write = || -> Result<(), Box<dyn std::error::Error>> {
        let encryptor = age::Encryptor::with_recipients(std::iter::once(recipient as &dyn age::Recipient))?;
        let armor = age::armor::ArmoredWriter::wrap_output(&mut file, age::armor::Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(plain)?;
        writer.finish()?.finish()?;
        Ok(())
    };
    write().unwrap_or_else(|e| panic!("cannot encrypt: {e}"));
    file
}

impl TestMaker {
    /// The maker of `seed`: any part and lot, all serials, 2026 to 2030, capsules of six bytes.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        let [authority, root, line] = [1, 2, 3].map(|n| SigningKey::from_bytes(&[seed.wrapping_mul(7) ^ n; 32]));
        let request = Request { maker: public(&root), key: public(&line), line: label("line 1") };
        let delegation = Delegation {
            maker: request.maker,
            key: request.key,
            line: request.line.clone(),
            possession: SignatureBytes(line.sign(&message(&request)).to_bytes()),
            site: 17,
            not_before: date("2026-01-01"),
            not_after: date("2030-12-31"),
            serials: SerialRange::ALL,
            parts: Vec::new(),
            other_parts: true,
            lots: Vec::new(),
            other_lots: true,
            capsule_bytes: 6,
        };
        Self { authority, root, line, year: YearKey::from_bytes([seed; 32]), delegation }
    }

    /// The same maker with part and lot in the delegation and capsules of eight bytes: marks of 84 bytes.
    #[must_use]
    pub fn listed(seed: u8) -> Self {
        let mut maker = Self::new(seed);
        maker.delegation.parts = vec![label("STM32F407VGT6")];
        maker.delegation.other_parts = false;
        let serials = SerialRange { first: serial(48_000_000), last: serial(48_999_999) };
        maker.delegation.lots = vec![Lot { lot: label("A2B347K"), serials }];
        maker.delegation.other_lots = false;
        maker.delegation.capsule_bytes = 8;
        maker
    }

    /// The bundle with this maker alone, not yet signed.
    #[must_use]
    pub fn trust(&self) -> Trust {
        let key = public(&self.authority);
        let country: Country = "NL".parse().unwrap_or_else(|e| panic!("{e}"));
        Trust {
            version: 1,
            created: "2026-11-23T00:00:00Z".parse().unwrap_or_default(),
            expires: "2027-11-23T00:00:00Z".parse().unwrap_or_default(),
            authority: Authority {
                name: label("Customs Laboratory"),
                threshold: 1,
                signers: vec![Signer { holder: label("head of laboratory"), key }],
            },
            makers: vec![Maker {
                name: label("Example Semiconductors"),
                country,
                root: public(&self.root),
                valid_from: date("2020-01-01"),
                valid_until: date("2199-06-06"),
                delegations: vec![signed(self.delegation.clone(), &[&self.root])],
                closed: Vec::new(),
                ledger: None,
            }],
            revocations: Vec::new(),
            voids: Vec::new(),
        }
    }

    /// The usual record: serial 48213077, lot A2B347K, part STM32F407VGT6, made 2026-11-23, consignee 104233; part and
    /// lot are left to the delegation where it lists them.
    #[must_use]
    pub fn usual_mark(&self) -> Mark {
        self.mark(48_213_077, "STM32F407VGT6", "A2B347K", "2026-11-23", Some(104_233))
    }

    /// The reel of the serials `first` to `last`, of which some are missing, packed on the usual day, with part and lot
    /// inline and an SSCC.
    #[must_use]
    pub fn reel(&self, first: u64, last: u64, missing: u64, part: &Label, lot: &Label) -> Container {
        Container {
            key_id: public(&self.line).id(),
            level: Level::Reel,
            serials: SerialRange { first: serial(first), last: serial(last) },
            missing,
            date: date("2026-11-23"),
            part: Part::Inline(part.clone()),
            lot: Some(lot.clone()),
            site: None,
            sscc: Some("376104250021234569".parse().unwrap_or_else(|e| panic!("{e}"))),
            capsule: None,
        }
    }

    /// `container`, signed by the line.
    #[must_use]
    pub fn sign_container(&self, container: Container) -> SignedContainer {
        let part = self.delegation.part_named(&container.part).cloned().unwrap_or_else(|| label("unknown"));
        let lot = self.delegation.container_lot(&container).cloned();
        let message = container.message(&public(&self.root), &part, lot.as_ref());
        SignedContainer { signature: self.line.sign(&message).to_bytes(), container }
    }

    /// The record that closes `serials`, of which `used` are on parts and `void` on no good one, signed by line and root.
    #[must_use]
    pub fn close(&self, serials: (u64, u64), used: &[(u64, u64)], void: &[(u64, u64)]) -> Signed<LotClose> {
        let range = |(first, last): (u64, u64)| SerialRange { first: serial(first), last: serial(last) };
        let scrapped = |v: &(u64, u64)| Scrapped { serials: range(*v), reason: label("bent lead") };
        let close = LotClose {
            maker: public(&self.root),
            key: public(&self.line),
            lot: Some(label("A2B347K")),
            serials: range(serials),
            used: used.iter().copied().map(range).collect(),
            void: void.iter().map(scrapped).collect(),
            closed: "2026-11-30T16:00:00Z".parse().unwrap_or_default(),
        };
        signed(close, &[&self.line, &self.root])
    }

    /// A mark of this maker's line.
    #[must_use]
    pub fn mark(&self, number: u64, part: &str, lot: &str, made: &str, consignee: Option<u64>) -> Mark {
        let listed = self.delegation.parts.iter().position(|p| p.as_str() == part).and_then(|i| u16::try_from(i).ok());
        let implied = self.delegation.lot_of(serial(number)).is_some_and(|l| l.as_str() == lot);
        let mut mark = Mark {
            key_id: public(&self.line).id(),
            serial: serial(number),
            date: date(made),
            part: listed.map_or_else(|| Part::Inline(label(part)), Part::Listed),
            lot: (!implied).then(|| label(lot)),
            extension: Extension::default(),
            capsule: None,
        };
        if let Some(consignee) = consignee {
            self.seal(&mut mark, &label(lot), consignee);
        }
        mark
    }

    /// Seals `consignee` into `mark`, which belongs to `lot`.
    pub fn seal(&self, mark: &mut Mark, lot: &Label, consignee: u64) {
        let size = CapsuleSize::new(self.delegation.capsule_bytes).unwrap_or_else(|| panic!("no such capsule"));
        let key = self.year.day(mark.date).lot(Some(lot)).item(mark.key_id, mark.serial);
        // The header announces the capsule before it is sealed, because the seal is bound to the header.
        mark.capsule = Capsule::from_bytes(&[0; 8][..size.bytes().into()]);
        mark.capsule = Capsule::seal(consignee, size, &key, &mark.head_bytes(), &public(&self.root));
        assert!(mark.capsule.is_some(), "consignee {consignee} does not fit");
    }

    /// `mark`, signed by the line.
    #[must_use]
    pub fn sign(&self, mark: Mark) -> SignedMark {
        let part = self.delegation.part(&mark).cloned().unwrap_or_else(|| label("unknown"));
        let lot = self.delegation.lot(&mark).cloned();
        let signature = self.line.sign(&mark.message(&public(&self.root), &part, lot.as_ref())).to_bytes();
        SignedMark { mark, signature }
    }
}

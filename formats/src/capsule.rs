//! The consignee, sealed into the mark: FF1 (NIST SP 800-38G) over AES-256, bound to the one mark that carries it, and
//! the tree of keys year, day, lot, item, so that a maker discloses one part, one lot or a span of days and no more
//! (SPEC.md, section 6).

use crate::date::Date;
use crate::delegation::SerialRange;
use crate::key::{KeyBytes, KeyId};
use crate::mark::Serial;
use crate::text::Label;
use aes::Aes256;
use fpe::ff1::{BinaryNumeralString, FF1};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A sealed consignee: 3 to 8 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capsule {
    bytes: [u8; Capsule::MAX_BYTES],
    len: u8,
}

impl std::fmt::Debug for Capsule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Capsule({:02x?})", self.bytes())
    }
}

/// What a capsule of one length holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapsuleSize {
    len: u8,
}

impl CapsuleSize {
    /// The size of `len` bytes, 3 to 8. FF1 is insecure over fewer than 10^6 values (SP 800-38G r1), so 3 is the floor.
    #[must_use]
    pub const fn new(len: u8) -> Option<Self> {
        if len >= 3 && len <= 8 { Some(Self { len }) } else { None }
    }

    /// Bytes in the mark.
    #[must_use]
    pub const fn bytes(self) -> u8 {
        self.len
    }

    /// Bytes of the consignee number: 3, but 4 in a capsule of 7 and 5 in one of 8.
    #[must_use]
    pub const fn number_bytes(self) -> u8 {
        if self.len > 6 { self.len - 3 } else { 3 }
    }

    /// Zero bits beside the number, 0 to 24: a wrong key shows with a probability of 1 - 2^-bits.
    #[must_use]
    pub const fn check_bits(self) -> u8 {
        (self.len - self.number_bytes()) * 8
    }

    /// The largest consignee number that fits.
    #[must_use]
    pub const fn max_number(self) -> u64 {
        (1 << (self.number_bytes() * 8)) - 1
    }
}

impl Capsule {
    const MAX_BYTES: usize = 8;

    /// The capsule of these bytes; `None` unless there are 3 to 8.
    #[must_use]
    pub fn from_bytes(sealed: &[u8]) -> Option<Self> {
        let len = u8::try_from(sealed.len()).ok().and_then(CapsuleSize::new)?.len;
        let mut bytes = [0; Self::MAX_BYTES];
        bytes.get_mut(..sealed.len())?.copy_from_slice(sealed);
        Some(Self { bytes, len })
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }

    /// Its size.
    #[must_use]
    pub fn size(&self) -> CapsuleSize {
        CapsuleSize { len: self.len }
    }

    /// Seals `consignee` for the mark whose bytes before the capsule are `head`; `None` if the number does not fit.
    /// `head` must already announce a capsule in its header.
    #[must_use]
    pub fn seal(consignee: u64, size: CapsuleSize, key: &ItemKey, head: &[u8], root: &KeyBytes) -> Option<Self> {
        if consignee > size.max_number() {
            return None;
        }
        let plain = consignee << size.check_bits();
        let plain = plain.to_be_bytes();
        let plain = plain.get(8 - usize::from(size.len)..)?;
        let cipher = FF1::<Aes256>::new(&key.0.0, 2).ok()?;
        let sealed = cipher.encrypt(&tweak(head, root), &BinaryNumeralString::from_bytes_le(plain)).ok()?;
        Self::from_bytes(&sealed.to_bytes_le())
    }

    /// Opens the capsule with `key`; `None` if its check bits are not zero: the key is of another mark, or the capsule
    /// was not sealed by it.
    #[must_use]
    pub fn open(&self, key: &ItemKey, head: &[u8], root: &KeyBytes) -> Option<u64> {
        let cipher = FF1::<Aes256>::new(&key.0.0, 2).ok()?;
        let plain = cipher.decrypt(&tweak(head, root), &BinaryNumeralString::from_bytes_le(self.bytes())).ok()?;
        let number = plain.to_bytes_le().iter().fold(0u64, |n, b| n << 8 | u64::from(*b));
        let check = (1u64 << self.size().check_bits()) - 1;
        (number & check == 0).then_some(number >> self.size().check_bits())
    }
}

fn tweak(head: &[u8], root: &KeyBytes) -> Vec<u8> {
    let mut tweak = head.to_vec();
    tweak.extend(root.fingerprint());
    tweak
}

/// 32 secret bytes, wiped when dropped, shown by nobody.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
struct Secret([u8; 32]);

impl Secret {
    /// HKDF-SHA-256 (RFC 5869) of this secret without salt.
    fn derive(&self, info: &[&[u8]]) -> Self {
        let mut out = [0; 32];
        // 32 bytes are within HKDF's limit of 255 hashes, so this cannot fail.
        let _ = Hkdf::<Sha256>::new(None, &self.0).expand_multi_info(info, &mut out);
        Self(out)
    }
}

macro_rules! key_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Secret);

        impl $name {
            /// The key of these 32 secret bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(Secret(bytes))
            }

            /// The 32 secret bytes, for sealed storage or a disclosure.
            #[must_use]
            pub fn expose(&self) -> &[u8; 32] {
                &self.0.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(secret)"))
            }
        }
    };
}

key_type! {
    /// The random key of a calendar year, from which nothing else can be derived once it is destroyed.
    YearKey
}
key_type! {
    /// Opens every mark of one day.
    DayKey
}
key_type! {
    /// Opens every mark of one lot made on one day.
    LotKey
}
key_type! {
    /// Opens one mark, or one container mark.
    ItemKey
}

impl YearKey {
    /// The key of `date`, a day of this key's year.
    #[must_use]
    pub fn day(&self, date: Date) -> DayKey {
        DayKey(self.0.derive(&[b"touchmark/v1/day-key\0", &date.days().to_be_bytes()]))
    }
}

impl DayKey {
    /// The key of what was made of `lot` on this day; of what was made without a lot, for `None`.
    #[must_use]
    pub fn lot(&self, lot: Option<&Label>) -> LotKey {
        let text = lot.map_or("", Label::as_str);
        // A label is at most 63 bytes long.
        LotKey(self.0.derive(&[b"touchmark/v1/lot-key\0", &[text.len() as u8], text.as_bytes()]))
    }
}

impl LotKey {
    /// The key of the container of `level`, its number in a container mark, with these serials under the line key with
    /// this id.
    #[must_use]
    pub fn container(&self, key_id: KeyId, level: u8, serials: SerialRange) -> ItemKey {
        let (first, last) = (serials.first.get().to_be_bytes(), serials.last.get().to_be_bytes());
        ItemKey(self.0.derive(&[b"touchmark/v1/container-key\0", &key_id.0, &[level], &first, &last]))
    }

    /// The key of the one mark with this serial under the line key with this id.
    #[must_use]
    pub fn item(&self, key_id: KeyId, serial: Serial) -> ItemKey {
        ItemKey(self.0.derive(&[b"touchmark/v1/item-key\0", &key_id.0, &serial.get().to_be_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn check_bits_reach_24_from_six_bytes_on() {
        let table: Vec<_> = (3..=8).filter_map(CapsuleSize::new).map(|s| (s.number_bytes(), s.check_bits())).collect();
        assert_eq!(table, [(3, 0), (3, 8), (3, 16), (3, 24), (4, 24), (5, 24)]);
        assert_eq!(CapsuleSize::new(2), None);
        assert_eq!(CapsuleSize::new(9), None);
        assert_eq!(CapsuleSize::new(8).map(CapsuleSize::max_number), Some((1 << 40) - 1));
    }

    #[test]
    fn keys_differ_by_every_input_and_print_nothing() {
        let year = YearKey::from_bytes([7; 32]);
        let day = year.day(Date::from_days(2518));
        let lot = day.lot("A2B347K".parse().ok().as_ref());
        let item = |key: &LotKey, serial| key.item(KeyId([1, 2, 3, 4]), Serial::new(serial).unwrap());
        assert_ne!(item(&lot, 1), item(&lot, 2));
        assert_ne!(lot, day.lot("A2B347L".parse().ok().as_ref()));
        assert_ne!(lot, day.lot(None));
        assert_ne!(lot, year.day(Date::from_days(2519)).lot("A2B347K".parse().ok().as_ref()));
        assert_ne!(
            lot.item(KeyId([1, 2, 3, 4]), Serial::new(1).unwrap()),
            lot.item(KeyId([1, 2, 3, 5]), Serial::new(1).unwrap())
        );
        assert_eq!(format!("{year:?} {day:?}"), "YearKey(secret) DayKey(secret)");
    }

    proptest! {
        #[test]
        fn a_capsule_opens_with_its_key_and_head_only(
            number in any::<u64>(), len in 3u8..=8, key in any::<[u8; 32]>(), head in prop::collection::vec(any::<u8>(), 8..90),
        ) {
            let size = CapsuleSize::new(len).unwrap();
            let number = number & size.max_number();
            let root = KeyBytes([3; 32]);
            let key = ItemKey::from_bytes(key);
            let capsule = Capsule::seal(number, size, &key, &head, &root).unwrap();
            prop_assert_eq!(capsule.bytes().len(), usize::from(len));
            prop_assert_eq!(capsule.open(&key, &head, &root), Some(number));
            prop_assert_eq!(Capsule::seal(size.max_number() + 1, size, &key, &head, &root), None);
            let mut moved = head.clone();
            moved[5] ^= 1;
            prop_assert_ne!(capsule.open(&key, &moved, &root), Some(number));
            prop_assert_ne!(capsule.open(&key, &head, &KeyBytes([4; 32])), Some(number));
        }
    }
}

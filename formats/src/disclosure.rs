//! What a maker hands to one reader, for one case: the keys of some capsules, and the names behind the numbers
//! (SPEC.md, section 10). The file is this envelope, encrypted to the reader with age.

use crate::capsule::{Capsule, CapsuleSize, DayKey, ItemKey, LotKey};
use crate::container::Container;
use crate::date::Date;
use crate::delegation::serial_number;
use crate::key::{KeyBytes, KeyId};
use crate::mark::{Mark, Serial};
use crate::signed::{Document, ForReader, instant, line, optional_line};
use crate::text::Label;
use crate::trust::Country;
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use zeroize::Zeroize;

/// What a disclosure is about, for people and for the record; the keys are what it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scope {
    /// One lot.
    Lot(Label),
    /// Every part made from one day to another, both included.
    Days {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// The parts with these serials.
    #[serde(deserialize_with = "serials")]
    Serials(Vec<u64>),
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lot(lot) => write!(f, "lot {lot}"),
            Self::Days { from, to } => write!(f, "parts made {from} to {to}"),
            Self::Serials(serials) if serials.len() == 1 => f.write_str("1 serial"),
            Self::Serials(serials) => write!(f, "{} serials", serials.len()),
        }
    }
}

/// A secret key in a disclosure: base64 in JSON, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DisclosedKey([u8; 32]);

impl DisclosedKey {
    /// The key to disclose.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl Drop for DisclosedKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl std::fmt::Debug for DisclosedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DisclosedKey(secret)")
    }
}

impl TryFrom<String> for DisclosedKey {
    type Error = &'static str;

    fn try_from(mut text: String) -> Result<Self, Self::Error> {
        let bytes = STANDARD.decode(&text);
        text.zeroize();
        bytes.ok().and_then(|b| b.try_into().ok()).map(Self).ok_or("a key is 32 bytes in base64")
    }
}

impl From<DisclosedKey> for String {
    fn from(key: DisclosedKey) -> Self {
        STANDARD.encode(key.0)
    }
}

/// A key and the marks that it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Grant {
    /// Every mark of a day.
    Day {
        /// The day.
        date: Date,
        /// Its [`DayKey`].
        key: DisclosedKey,
    },
    /// Every mark of a lot made on a day; of those without a lot where it is absent.
    Lot {
        /// The day.
        date: Date,
        /// The lot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lot: Option<Label>,
        /// Its [`LotKey`].
        key: DisclosedKey,
    },
    /// One mark.
    Item {
        /// The line key.
        line: KeyBytes,
        /// The serial.
        #[serde(with = "serial_number")]
        serial: Serial,
        /// Its [`ItemKey`].
        key: DisclosedKey,
    },
}

impl Grant {
    /// The key of what was made of `lot` on `date`.
    fn lot_key(&self, date: Date, lot: Option<&Label>) -> Option<LotKey> {
        match self {
            Self::Day { date: own, key } => (*own == date).then(|| DayKey::from_bytes(key.0).lot(lot)),
            Self::Lot { date: day, lot: own, key } => {
                (*day == date && own.as_ref() == lot).then(|| LotKey::from_bytes(key.0))
            }
            Self::Item { .. } => None,
        }
    }

    fn item_key(&self, id: KeyId, mark: &Mark, lot: Option<&Label>) -> Option<ItemKey> {
        match self {
            Self::Day { .. } | Self::Lot { .. } => Some(self.lot_key(mark.date, lot)?.item(id, mark.serial)),
            Self::Item { line, serial, key } => {
                (line.id() == id && *serial == mark.serial).then(|| ItemKey::from_bytes(key.0))
            }
        }
    }
}

/// A customer of the maker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consignee {
    /// The number that capsules carry: below 2^40.
    #[serde(deserialize_with = "consignee_number")]
    pub number: u64,
    /// The name.
    pub name: Label,
    /// Where it is seated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// The address: one line of at most 500 bytes.
    #[serde(default, deserialize_with = "optional_line", skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

fn serials<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u64>, D::Error> {
    let serials = Vec::<u64>::deserialize(d)?;
    let small = serials.iter().all(|s| Serial::new(*s).is_some());
    if small { Ok(serials) } else { Err(D::Error::custom("a serial is at most 2^53 - 1")) }
}

fn consignee_number<'de, D: Deserializer<'de>>(d: D) -> Result<u64, D::Error> {
    let number = u64::deserialize(d)?;
    let fits = CapsuleSize::new(8).is_some_and(|largest| number <= largest.max_number());
    if fits { Ok(number) } else { Err(D::Error::custom("a consignee number is below 2^40")) }
}

/// The disclosure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosure {
    /// The maker's root key, which signs.
    pub maker: KeyBytes,
    /// The age recipient for whom it was made.
    #[serde(deserialize_with = "line")]
    pub recipient: String,
    /// The case or request that it answers: one line of at most 500 bytes.
    #[serde(deserialize_with = "line")]
    pub case: String,
    /// When it was made, UTC.
    #[serde(deserialize_with = "instant")]
    pub created: Timestamp,
    /// Until when the maker wants it used, UTC; older ones still open, with a warning.
    #[serde(deserialize_with = "instant")]
    pub expires: Timestamp,
    /// What it is about.
    pub scope: Scope,
    /// What it opens.
    pub grants: Vec<Grant>,
    /// The names behind the numbers, of the consignees within the scope.
    pub consignees: Vec<Consignee>,
}

impl Document for Disclosure {
    const TYPE: &'static str = "touchmark/v1/disclosure";
}

impl ForReader for Disclosure {
    fn maker(&self) -> &KeyBytes {
        &self.maker
    }

    fn recipient(&self) -> &str {
        &self.recipient
    }
}

impl Disclosure {
    /// The consignee number in `mark`, made by the line key `line` of this maker and belonging to `lot`. `Some(None)`:
    /// a grant covers the mark, but its key does not open the capsule. `None`: no grant covers it.
    #[must_use]
    pub fn consignee(&self, line: &KeyBytes, mark: &Mark, lot: Option<&Label>) -> Option<Option<u64>> {
        let capsule = mark.capsule?;
        let head = mark.head_bytes();
        let keys = self.grants.iter().filter_map(|grant| grant.item_key(line.id(), mark, lot));
        self.open_capsule(capsule, &head, keys)
    }

    /// As [`Disclosure::consignee`], of a container. The keys of single marks do not open it.
    #[must_use]
    pub fn container_consignee(
        &self,
        line: &KeyBytes,
        container: &Container,
        lot: Option<&Label>,
    ) -> Option<Option<u64>> {
        let key = |lot_key: LotKey| lot_key.container(line.id(), container.level as u8, container.serials);
        let keys = self.grants.iter().filter_map(|grant| grant.lot_key(container.date, lot).map(key));
        self.open_capsule(container.capsule?, &container.head_bytes(), keys)
    }

    fn open_capsule(&self, capsule: Capsule, head: &[u8], keys: impl Iterator<Item = ItemKey>) -> Option<Option<u64>> {
        let mut keys = keys.peekable();
        keys.peek()?;
        Some(keys.find_map(|key| capsule.open(&key, head, &self.maker)))
    }

    /// What the maker says of consignee `number`.
    #[must_use]
    pub fn name(&self, number: u64) -> Option<&Consignee> {
        self.consignees.iter().find(|c| c.number == number)
    }
}

//! Who received goods: a record of its own in the ledger, which shipments name by its number there.

use super::record::{Fields, RecordError, put_label, put_text};
use crate::codec::put_leb128;
use crate::key::KeyBytes;
use crate::signed::{is_line, optional_line};
use crate::text::Label;
use crate::trust::Country;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The largest number of a consignee, which the largest capsule still holds: 2^40 - 1.
pub const MAX_CONSIGNEE: u64 = (1 << 40) - 1;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $check:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                if $check(text.as_bytes()) { Ok(Self(text)) } else { Err($what) }
            }
        }

        impl std::str::FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// A Legal Entity Identifier (ISO 17442): 18 letters and digits, and two check digits (ISO/IEC 7064, MOD 97-10).
    Lei,
    is_lei,
    "an LEI is 18 capital letters or digits and two check digits (ISO 17442)"
);
identifier!(
    /// An Economic Operators Registration and Identification number (Regulation (EU) 2015/2447, annex B): the country's
    /// two letters and 1 to 15 letters or digits.
    Eori,
    is_eori,
    "an EORI number is two capital letters and 1 to 15 capital letters or digits"
);
identifier!(
    /// A D-U-N-S number: nine digits.
    Duns,
    is_duns,
    "a D-U-N-S number is nine digits"
);

fn is_code(text: &[u8]) -> bool {
    text.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

fn is_lei(text: &[u8]) -> bool {
    // Each letter counts as two digits, 10 to 35; the number that they make leaves 1 when divided by 97.
    let rest = text.iter().fold(0u32, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        b => (rest * 100 + u32::from(b.wrapping_sub(b'A')) + 10) % 97,
    });
    text.len() == 20 && is_code(text) && text.iter().skip(18).all(u8::is_ascii_digit) && rest == 1
}

fn is_eori(text: &[u8]) -> bool {
    (3..=17).contains(&text.len()) && is_code(text) && text.iter().take(2).all(u8::is_ascii_uppercase)
}

fn is_duns(text: &[u8]) -> bool {
    text.len() == 9 && text.iter().all(u8::is_ascii_digit)
}

/// Somebody who receives goods, as whoever names it knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The number that the maker gave it as a customer, and that capsules carry: below 2^40.
    #[serde(default, deserialize_with = "number", skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// The name.
    pub name: Label,
    /// Where it is seated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// The address: one line of at most 500 bytes.
    #[serde(default, deserialize_with = "optional_line", skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its Legal Entity Identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lei: Option<Lei>,
    /// Its EORI number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eori: Option<Eori>,
    /// Its D-U-N-S number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duns: Option<Duns>,
    /// The key with which it signs what it hands over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyBytes>,
}

fn number<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u64>, D::Error> {
    let number = u64::deserialize(d)?;
    if number <= MAX_CONSIGNEE { Ok(Some(number)) } else { Err(D::Error::custom("a consignee number is below 2^40")) }
}

impl Party {
    /// A party of which nothing but the name is known.
    #[must_use]
    pub fn named(name: Label) -> Self {
        Self { number: None, name, country: None, address: None, lei: None, eori: None, duns: None, key: None }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        let there = [
            self.number.is_some(),
            self.country.is_some(),
            self.address.is_some(),
            self.lei.is_some(),
            self.eori.is_some(),
            self.duns.is_some(),
            self.key.is_some(),
        ];
        out.push(there.iter().rev().fold(0, |flags, there| flags << 1 | u8::from(*there)));
        put_label(out, Some(&self.name));
        if let Some(number) = self.number {
            put_leb128(out, number);
        }
        let texts = [
            self.country.as_ref().map(Country::as_str),
            self.address.as_deref(),
            self.lei.as_ref().map(Lei::as_str),
            self.eori.as_ref().map(Eori::as_str),
            self.duns.as_ref().map(Duns::as_str),
        ];
        texts.into_iter().flatten().for_each(|text| put_text(out, text));
        out.extend(self.key.iter().flat_map(|key| key.0));
    }

    pub(super) fn take(fields: &mut Fields<'_>) -> Result<Self, RecordError> {
        let flags = fields.u8()?;
        if flags >> 7 != 0 {
            return Err(RecordError::Flags);
        }
        let there = |bit: u8| flags >> bit & 1 == 1;
        let name = fields.label()?.ok_or(RecordError::Text)?;
        let number = there(0).then(|| fields.number(MAX_CONSIGNEE)).transpose()?;
        let mut text = |bit: u8| there(bit).then(|| fields.text()).transpose();
        let (country, address, lei, eori, duns) = (text(1)?, text(2)?, text(3)?, text(4)?, text(5)?);
        if !address.as_deref().is_none_or(is_line) {
            return Err(RecordError::Text);
        }
        Ok(Self {
            number,
            name,
            country: typed(country)?,
            address,
            lei: typed(lei)?,
            eori: typed(eori)?,
            duns: typed(duns)?,
            key: there(6).then(|| fields.array().map(KeyBytes)).transpose()?,
        })
    }
}

fn typed<T: TryFrom<String>>(text: Option<String>) -> Result<Option<T>, RecordError> {
    text.map(T::try_from).transpose().map_err(|_| RecordError::Text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_checked() {
        // The LEI Foundation's own, and one digit off.
        assert!("506700GE1G29325QX363".parse::<Lei>().is_ok());
        assert!("506700GE1G29325QX364".parse::<Lei>().is_err());
        assert!("506700ge1g29325qx363".parse::<Lei>().is_err());
        assert!("NL123456789".parse::<Eori>().is_ok() && "1L123456789".parse::<Eori>().is_err());
        assert!("NL".parse::<Eori>().is_err() && "NL1234567890123456".parse::<Eori>().is_err());
        assert!("060704780".parse::<Duns>().is_ok() && "06070478".parse::<Duns>().is_err());
    }
}

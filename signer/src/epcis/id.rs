//! What events name: parts, containers and parties, by GS1's keys in both of their forms, EPC URNs (Tag Data Standard) and
//! Digital Link URIs, and by URIs of the maker's own for what has no such key (CBV, section 8, private URIs).

use crate::percent;
use touchmark_formats::container::Sscc;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::mark::Serial;

/// A Global Trade Item Number (GS1 AI 01), as its 14 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gtin(String);

/// A Global Location Number (GS1 AIs 414 and 417), as its 13 digits: of a party or a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gln(String);

/// What a URI names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// A part: the product, the lot if it is said, and its serial (GS1 AIs 01, 10, 21).
    Part(Gtin, Option<String>, String),
    /// A part of the maker's own that has no GTIN.
    Own(KeyBytes, Serial),
    /// So many of a product, of one lot if it is said, without saying which.
    Class(Gtin, Option<String>),
    /// A container (GS1 AI 00).
    Container(Sscc),
    /// Anything else.
    Other,
}

/// The check digit behind `digits` (GS1 General Specifications, section 7.9).
fn check_digit(digits: &str) -> Option<char> {
    let weights = [3, 1].into_iter().cycle();
    let sum = digits.chars().rev().zip(weights).try_fold(0, |sum, (c, weight)| Some(sum + c.to_digit(10)? * weight))?;
    char::from_digit((10 - sum % 10) % 10, 10)
}

fn is_checked(digits: &str) -> bool {
    digits
        .split_at_checked(digits.len().wrapping_sub(1))
        .is_some_and(|(head, last)| check_digit(head).is_some_and(|digit| last.chars().eq([digit])))
}

impl std::str::FromStr for Gtin {
    type Err = &'static str;

    /// 14 digits, or the 13, 12 or 8 of a shorter one.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = [8, 12, 13, 14].contains(&text.len()) && is_checked(text);
        if good {
            Ok(Self(format!("{text:0>14}")))
        } else {
            Err("a GTIN is 14, 13, 12 or 8 digits, of which the last is the check digit")
        }
    }
}

impl std::str::FromStr for Gln {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let good = text.len() == 13 && is_checked(text);
        if good { Ok(Self(text.to_owned())) } else { Err("a GLN is 13 digits, of which the last is the check digit") }
    }
}

impl std::fmt::Display for Gtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for Gln {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn text(encoded: &str) -> Option<String> {
    String::from_utf8(percent::decode(encoded)?).ok()
}

/// The GTIN of an EPC's company prefix and item reference, whose first digit is the indicator.
fn gtin(prefix: &str, item: &str) -> Option<Gtin> {
    let (indicator, item) = item.split_at_checked(1)?;
    let digits = format!("{indicator}{prefix}{item}");
    let digit = check_digit(&digits).filter(|_| digits.len() == 13)?;
    format!("{digits}{digit}").parse().ok()
}

/// The keys and values of a Digital Link URI from the first key that is one of `keys`, of any domain, for makers may use
/// their own; empty if it is none.
fn digital_link<'a>(uri: &'a str, keys: &[&str]) -> Vec<(&'a str, &'a str)> {
    let rest = uri.strip_prefix("https://").or_else(|| uri.strip_prefix("http://"));
    let path = rest.and_then(|rest| rest.split(['?', '#']).next()).unwrap_or_default();
    let pieces: Vec<&str> = path.split('/').skip(1).collect();
    let at = pieces.iter().position(|piece| keys.contains(piece)).unwrap_or(pieces.len());
    pieces.get(at..).unwrap_or_default().as_chunks().0.iter().map(|[key, value]| (*key, *value)).collect()
}

impl Named {
    /// What `uri` names, for the maker whose own URIs begin with `base`.
    pub(super) fn of(uri: &str, base: &str) -> Self {
        Self::urn(uri).or_else(|| Self::own(uri.strip_prefix(base)?)).or_else(|| Self::link(uri)).unwrap_or(Self::Other)
    }

    fn urn(uri: &str) -> Option<Self> {
        let (kind, rest) = uri.strip_prefix("urn:epc:")?.split_once(':')?;
        let (scheme, rest) = rest.split_once(':')?;
        let (prefix, rest) = rest.split_once('.')?;
        match (kind, scheme) {
            ("id", "sscc") => {
                let (extension, reference) = rest.split_at_checked(1)?;
                let digits = format!("{extension}{prefix}{reference}");
                format!("{digits}{}", check_digit(&digits)?).parse().ok().map(Self::Container)
            }
            _ => {
                let (item, last) = rest.split_once('.')?;
                let gtin = gtin(prefix, item)?;
                match (kind, scheme, last) {
                    ("id", "sgtin", serial) => Some(Self::Part(gtin, None, text(serial)?)),
                    ("idpat", "sgtin", "*") => Some(Self::Class(gtin, None)),
                    ("class", "lgtin", lot) => Some(Self::Class(gtin, Some(text(lot)?))),
                    _ => None,
                }
            }
        }
    }

    fn own(rest: &str) -> Option<Self> {
        let (line, serial) = rest.strip_prefix("/obj/")?.split_once('/')?;
        Some(Self::Own(text(line)?.parse().ok()?, number(serial).and_then(Serial::new)?))
    }

    fn link(uri: &str) -> Option<Self> {
        let pairs = digital_link(uri, &["01", "00"]);
        let value = |key: &str| pairs.iter().find(|(own, _)| *own == key).map(|(_, value)| *value);
        if let Some(sscc) = value("00") {
            return sscc.parse().ok().map(Self::Container);
        }
        let (gtin, lot) = (value("01")?.parse().ok()?, value("10").map(text));
        let lot = if let Some(lot) = lot { Some(lot?) } else { None };
        Some(match value("21") {
            Some(serial) => Self::Part(gtin, lot, text(serial)?),
            None => Self::Class(gtin, lot),
        })
    }
}

/// A number as it is written once: digits without leading zeros.
pub(super) fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// The GLN that a URI of a party or a place holds.
pub(super) fn gln(uri: &str) -> Option<Gln> {
    let Some(rest) = uri.strip_prefix("urn:epc:id:sgln:").or_else(|| uri.strip_prefix("urn:epc:id:pgln:")) else {
        return digital_link(uri, &["414", "417"]).first()?.1.parse().ok();
    };
    let mut pieces = rest.split('.');
    let digits = format!("{}{}", pieces.next()?, pieces.next()?);
    format!("{digits}{}", check_digit(&digits)?).parse().ok()
}

/// The Digital Link URI of a part.
pub(super) fn part_link(gtin: &Gtin, serial: &str) -> String {
    format!("https://id.gs1.org/01/{gtin}/21/{}", percent::encode(serial))
}

/// The Digital Link URI of a party.
pub(super) fn party_link(gln: &Gln) -> String {
    format!("https://id.gs1.org/417/{gln}")
}

/// The maker's own URI of a part that has no GTIN.
pub(super) fn own_part(base: &str, line: &KeyBytes, serial: Serial) -> String {
    format!("{base}/obj/{}/{serial}", percent::encode(&line.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://acme.example/ledger";

    fn part(gtin: &str, lot: Option<&str>, serial: &str) -> Named {
        Named::Part(gtin.parse().unwrap(), lot.map(str::to_owned), serial.to_owned())
    }

    #[test]
    fn the_forms_of_a_key_name_the_same() {
        // The pairs are those of the EPC Tag Data Standard, sections 7.1 and 7.2.
        for (uri, named) in [
            ("urn:epc:id:sgtin:0614141.112345.400", part("10614141123459", None, "400")),
            ("urn:epc:id:sgtin:0614141.812345.32a%2Fb", part("80614141123458", None, "32a/b")),
            ("https://id.gs1.org/01/80614141123458/21/32a%2Fb", part("80614141123458", None, "32a/b")),
            (
                "https://acme.example/some/path/01/80614141123458/10/L1/21/7?x=y",
                part("80614141123458", Some("L1"), "7"),
            ),
            ("https://id.gs1.org/01/4012345123456/21/7", part("04012345123456", None, "7")),
            ("urn:epc:id:sscc:0614141.1234567890", Named::Container("106141412345678908".parse().unwrap())),
            ("https://id.gs1.org/00/106141412345678908", Named::Container("106141412345678908".parse().unwrap())),
            (
                "urn:epc:class:lgtin:4012345.012345.998877",
                Named::Class("04012345123456".parse().unwrap(), Some("998877".into())),
            ),
            ("urn:epc:idpat:sgtin:4012345.012345.*", Named::Class("04012345123456".parse().unwrap(), None)),
            (
                "https://id.gs1.org/01/04012345123456/10/998877",
                Named::Class("04012345123456".parse().unwrap(), Some("998877".into())),
            ),
            ("urn:epc:id:giai:4000001.111", Named::Other),
            ("https://id.gs1.org/01/80614141123459/21/1", Named::Other),
            ("urn:epc:id:sgtin:06141412.812345.1", Named::Other),
            ("urn:epc:id:sgtin", Named::Other),
            ("", Named::Other),
        ] {
            assert_eq!(Named::of(uri, BASE), named, "{uri}");
        }
        let (line, serial) = (KeyBytes([0xFB; 32]), Serial::new(7).unwrap());
        let own = own_part(BASE, &line, serial);
        assert_eq!(Named::of(&own, BASE), Named::Own(line, serial), "{own}");
        assert_eq!(Named::of(&own, "https://other.example"), Named::Other);
        assert_eq!(Named::of(&own.replace("/7", "/07"), BASE), Named::Other);
    }

    #[test]
    fn a_location_number_is_found_in_each_form() {
        for uri in [
            "urn:epc:id:sgln:0614141.00777.0",
            "urn:epc:id:pgln:0614141.00777",
            "https://id.gs1.org/414/0614141007776/254/x",
            "https://id.gs1.org/417/0614141007776",
        ] {
            assert_eq!(gln(uri).unwrap().to_string(), "0614141007776", "{uri}");
        }
        for uri in ["urn:epc:id:sgln:0614141", "https://id.gs1.org/417/0614141007777", "https://x/414", "geo:1,2"] {
            assert_eq!(gln(uri), None, "{uri}");
        }
    }
}

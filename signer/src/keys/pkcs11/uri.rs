//! Names of keys in tokens: PKCS#11 URIs (RFC 7512).

use crate::error::{Error, Result};
use crate::percent;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a key stands: which module speaks to which token, and what the key is called there. A token and a key are
/// whatever all attributes given here fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uri {
    text: String,
    /// `token`: the label of the token.
    pub token: Option<String>,
    /// `manufacturer` of the token.
    pub manufacturer: Option<String>,
    /// `model` of the token.
    pub model: Option<String>,
    /// `serial` of the token.
    pub serial: Option<String>,
    /// `slot-id`: the number of the slot that the token is in.
    pub slot_id: Option<u64>,
    /// `object`: the label of the key (CKA_LABEL).
    pub object: Option<String>,
    /// `id` of the key (CKA_ID).
    pub id: Option<Vec<u8>>,
    /// `module-path`: the file of the PKCS#11 module.
    pub module_path: Option<PathBuf>,
    /// `pin-source`: the file that holds the PIN.
    pub pin_source: Option<PathBuf>,
}

impl Uri {
    /// The URI as it was written. It never holds a PIN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The token, for people.
    #[must_use]
    pub fn token_name(&self) -> String {
        match (&self.token, &self.serial, self.slot_id) {
            (Some(label), _, _) => format!("{label:?}"),
            (None, Some(serial), _) => format!("with the serial number {serial}"),
            (None, None, Some(slot)) => format!("in slot {slot}"),
            (None, None, None) => "of the PKCS#11 module".to_owned(),
        }
    }

    /// The key, for people.
    #[must_use]
    pub fn key_name(&self) -> String {
        match (&self.object, &self.id) {
            (Some(label), _) => format!("{label:?}"),
            (None, Some(id)) => format!("with the id {}", id.iter().map(|b| format!("{b:02x}")).collect::<String>()),
            (None, None) => "of any name".to_owned(),
        }
    }

    fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let text = || decoded(value).and_then(|bytes| String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8")));
        let once = |taken: bool| if taken { Err(wrong(&format!("says {name} twice"))) } else { Ok(()) };
        match name {
            "token" => once(self.token.replace(text()?).is_some()),
            "manufacturer" => once(self.manufacturer.replace(text()?).is_some()),
            "model" => once(self.model.replace(text()?).is_some()),
            "serial" => once(self.serial.replace(text()?).is_some()),
            "object" => once(self.object.replace(text()?).is_some()),
            "id" => once(self.id.replace(decoded(value)?).is_some()),
            "slot-id" => {
                let number = text()?.parse().map_err(|_| wrong("has a slot-id that is not a number"))?;
                once(self.slot_id.replace(number).is_some())
            }
            // What is meant is always the private key, by whatever the file calls it.
            "type" => Ok(()),
            "module-path" => once(self.module_path.replace(text()?.into()).is_some()),
            "pin-source" => {
                let place = text()?;
                let path = place.strip_prefix("file://").or(place.strip_prefix("file:")).unwrap_or(&place);
                if path.is_empty() || path.starts_with('|') {
                    return Err(wrong("has a pin-source that is not a file"));
                }
                once(self.pin_source.replace(path.into()).is_some())
            }
            "pin-value" => Err(wrong("holds the PIN itself, where every list of processes and every backup shows it")
                .hint("take pin-value out, and say pin-source=file:PATH, --pin-file or TOUCHMARK_PIN; then change the PIN")),
            _ => Err(wrong(&format!("has an attribute that is not known here: {name}"))
                .hint("known: token, manufacturer, model, serial, slot-id, object, id, type; after `?` module-path, pin-source")),
        }
    }
}

fn wrong(what: &str) -> Error {
    Error::unusable(format!("the PKCS#11 URI {what}"))
}

fn decoded(text: &str) -> Result<Vec<u8>> {
    percent::decode(text).ok_or_else(|| wrong("has a % without two hexadecimal digits"))
}

impl FromStr for Uri {
    type Err = Error;

    /// # Errors
    /// Not a PKCS#11 URI, an attribute twice or not known, or a PIN in it.
    fn from_str(text: &str) -> Result<Self> {
        let rest = text.strip_prefix("pkcs11:").ok_or_else(|| {
            wrong("does not begin with pkcs11:")
                .hint("as in pkcs11:token=line;object=line-1?module-path=/usr/lib/softhsm/libsofthsm2.so")
        })?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Self { text: text.to_owned(), ..Self::default() };
        for pair in path.split(';').chain(query.split('&')).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| wrong(&format!("says {pair:?} without a value")))?;
            uri.set(name, value)?;
        }
        if uri.object.is_none() && uri.id.is_none() {
            return Err(wrong("does not say which key").hint("add object=LABEL or id=%01 of the key"));
        }
        Ok(uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_rfc_7512_writes_them() {
        let uri: Uri = "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;serial=;\
                        slot-id=7;object=my%3bkey;type=private;id=%69%95%3E%00?module-path=/usr/lib/x.so&pin-source=file:/etc/pin"
            .parse()
            .unwrap();
        assert_eq!(uri.token.as_deref(), Some("The Software PKCS#11 Softtoken"));
        assert_eq!(uri.manufacturer.as_deref(), Some("Snake Oil, Inc."));
        assert_eq!((uri.serial.as_deref(), uri.slot_id), (Some(""), Some(7)));
        assert_eq!(uri.object.as_deref(), Some("my;key"));
        assert_eq!(uri.id.as_deref(), Some(&[0x69, 0x95, 0x3E, 0][..]));
        assert_eq!(uri.module_path, Some("/usr/lib/x.so".into()));
        assert_eq!(uri.pin_source, Some("/etc/pin".into()));
        let other: Uri = "pkcs11:object=k?pin-source=file:///run/pin".parse().unwrap();
        assert_eq!(other.pin_source, Some("/run/pin".into()));
    }

    #[test]
    fn what_is_no_name_of_a_key_is_refused_and_a_pin_is_never_repeated() {
        for text in [
            "",
            "http://x",
            "pkcs11:",
            "pkcs11:token=a",
            "pkcs11:object",
            "pkcs11:object=%4",
            "pkcs11:object=%zz",
            "pkcs11:object=%ff",
            "pkcs11:object=a;object=b",
            "pkcs11:object=a;slot-id=x",
            "pkcs11:object=a;colour=red",
            "pkcs11:object=a?pin-source=|/bin/sh",
            "pkcs11:object=a?pin-value=1234",
        ] {
            let error = text.parse::<Uri>().unwrap_err();
            assert!(!format!("{error:?}").contains("1234"), "{error:?}");
        }
    }
}

//! A soft reading: what a photo shows of a symbol, module by module, be it as little as it may (SPEC.md, section 16). A maker
//! can tell by it which of its marks the symbol was.

use crate::signed::{Document, line};
use crate::symbol::Symbology;
use crate::symbol::datamatrix::sizes::Size;
use crate::symbol::qr::tables::Version;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The most photos of one reading.
pub const MAX_PHOTOS: usize = 1000;
/// The most symbols.
pub const MAX_SYMBOLS: usize = 64;
/// The most looks at one symbol.
pub const MAX_LOOKS: usize = 8;

/// Steps of a likelihood in one nat.
const STEPS: f32 = 16.0;

/// What some photos of one part show of its symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The program that made it, with its version.
    #[serde(deserialize_with = "line")]
    pub tool: String,
    /// The photos: one, or several of the same part; at most [`MAX_PHOTOS`].
    #[serde(deserialize_with = "photos")]
    pub photos: Vec<PhotoHash>,
    /// What looks like a symbol in them, the surest first; at most [`MAX_SYMBOLS`].
    #[serde(deserialize_with = "symbols")]
    pub symbols: Vec<SeenSymbol>,
}

impl Document for Reading {
    const TYPE: &'static str = "touchmark/v1/reading";
}

/// SHA-256 of a photo's file, small hexadecimal in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhotoHash(pub [u8; 32]);

impl TryFrom<String> for PhotoHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digit = |c: u8| char::from(c).to_digit(16).filter(|_| !c.is_ascii_uppercase()).map(|digit| digit as u8);
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes =
            pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect::<Option<Vec<u8>>>();
        let hash = bytes.filter(|_| rest.is_empty()).and_then(|bytes| bytes.try_into().ok());
        hash.map(Self).ok_or("a photo is named by its SHA-256, 64 digits of small hexadecimal")
    }
}

impl From<PhotoHash> for String {
    fn from(hash: PhotoHash) -> Self {
        hash.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A symbol as it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Unchecked")]
pub struct SeenSymbol {
    /// Which kind it is.
    pub symbology: SeenAs,
    /// Rows of modules.
    pub rows: u16,
    /// Columns of modules.
    pub columns: u16,
    /// Ways to look at it, the best first: 1 to [`MAX_LOOKS`].
    pub looks: Vec<Look>,
}

/// The kinds of symbol that carry marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeenAs {
    /// QR Code.
    QRCode,
    /// Data Matrix ECC 200.
    DataMatrix,
}

impl SeenAs {
    /// The symbology of this name; `None` for one that carries no marks.
    #[must_use]
    pub fn of(symbology: Symbology) -> Option<Self> {
        match symbology {
            Symbology::QrCode => Some(Self::QRCode),
            Symbology::DataMatrix => Some(Self::DataMatrix),
            Symbology::MicroQrCode => None,
        }
    }

    /// What it is elsewhere.
    #[must_use]
    pub fn symbology(self) -> Symbology {
        match self {
            Self::QRCode => Symbology::QrCode,
            Self::DataMatrix => Symbology::DataMatrix,
        }
    }
}

/// A likelihood for each module, row by row from the top left: positive for dark in the ordinary (dark on light) form, 0 for
/// unknown, in sixteenths of a nat, -127 to 127; base64 of two's complement in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look(Vec<i8>);

impl Look {
    /// A look with these log-likelihood ratios, in nats; what is beyond the range is put at its end.
    #[must_use]
    pub fn of(llr: &[f32]) -> Self {
        // A float that is no number becomes 0 by the cast.
        Self(llr.iter().map(|llr| (llr * STEPS).round().clamp(-127.0, 127.0) as i8).collect())
    }

    /// The log-likelihood ratios, in nats.
    #[must_use]
    pub fn llr(&self) -> Vec<f32> {
        self.0.iter().map(|step| f32::from(*step) / STEPS).collect()
    }
}

impl Serialize for Look {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().map(|step| step.cast_unsigned()).collect();
        s.serialize_str(&STANDARD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Look {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(d)?).ok();
        let steps = bytes.map(|bytes| bytes.into_iter().map(u8::cast_signed).collect::<Vec<i8>>());
        let steps = steps.filter(|steps| !steps.contains(&i8::MIN));
        steps.map(Self).ok_or_else(|| D::Error::custom("a look is base64 of bytes from -127 to 127"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    symbology: SeenAs,
    rows: u16,
    columns: u16,
    looks: Vec<Look>,
}

impl TryFrom<Unchecked> for SeenSymbol {
    type Error = &'static str;

    fn try_from(seen: Unchecked) -> Result<Self, Self::Error> {
        let Unchecked { symbology, rows, columns, looks } = seen;
        Self { symbology, rows, columns, looks }.checked().ok_or("no symbol has that size, or not 1 to 8 looks of it")
    }
}

impl SeenSymbol {
    /// A symbol of `rows` by `columns` modules, in several looks of which at most [`MAX_LOOKS`] are kept; `None` if there is
    /// none of that kind and size that carries marks, or no look of that size.
    #[must_use]
    pub fn new<'a>(
        symbology: Symbology,
        rows: usize,
        columns: usize,
        looks: impl IntoIterator<Item = &'a [f32]>,
    ) -> Option<Self> {
        let (rows, columns) = (u16::try_from(rows).ok()?, u16::try_from(columns).ok()?);
        let modules = usize::from(rows) * usize::from(columns);
        let looks = looks.into_iter().filter(|look| look.len() == modules).take(MAX_LOOKS).map(Look::of).collect();
        Self { symbology: SeenAs::of(symbology)?, rows, columns, looks }.checked()
    }

    fn checked(self) -> Option<Self> {
        let (rows, columns) = (usize::from(self.rows), usize::from(self.columns));
        let exists = match self.symbology {
            SeenAs::QRCode => rows == columns && Version::of_side(rows).is_some(),
            SeenAs::DataMatrix => Size::of(rows, columns).is_some(),
        };
        let whole = self.looks.iter().all(|look| look.0.len() == rows * columns);
        (exists && whole && (1..=MAX_LOOKS).contains(&self.looks.len())).then_some(self)
    }
}

fn photos<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<PhotoHash>, D::Error> {
    let photos = Vec::<PhotoHash>::deserialize(d)?;
    let fits = (1..=MAX_PHOTOS).contains(&photos.len());
    if fits { Ok(photos) } else { Err(D::Error::custom("a reading is of 1 to 1000 photos")) }
}

fn symbols<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<SeenSymbol>, D::Error> {
    let symbols = Vec::<SeenSymbol>::deserialize(d)?;
    if symbols.len() <= MAX_SYMBOLS { Ok(symbols) } else { Err(D::Error::custom("a reading has at most 64 symbols")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signed::{EnvelopeError, Signed};

    fn reading() -> Signed<Reading> {
        let llr: Vec<f32> = (0..100).map(|i| (i as f32 - 50.0) / 4.0).collect();
        let symbol = SeenSymbol::new(Symbology::DataMatrix, 10, 10, [llr.as_slice(), &llr[..50]]).unwrap();
        Signed::new(Reading { tool: "t 1".into(), photos: vec![PhotoHash([0xAB; 32])], symbols: vec![symbol] })
    }

    #[test]
    fn what_is_written_is_read() {
        let reading = reading();
        let json = reading.to_json();
        assert_eq!(Signed::from_json(json.as_bytes()), Ok(reading.clone()));
        assert!(json.contains(&"ab".repeat(32)));
        let llr = reading.signed.symbols[0].looks[0].llr();
        assert_eq!((llr.len(), llr[0], llr[50], llr[51], llr[99]), (100, -7.9375, 0.0, 0.25, 7.9375));
        assert_eq!(reading.signed.symbols[0].looks.len(), 1);
        assert_eq!(Look::of(&[f32::NAN, f32::INFINITY]).llr(), [0.0, 7.9375]);
    }

    #[test]
    fn what_no_symbol_can_be_is_refused() {
        let json = reading().to_json();
        for (from, to) in [
            ("DataMatrix", "MicroQRCode"),
            ("DataMatrix", "QRCode"),
            ("\"rows\": 10", "\"rows\": 11"),
            ("\"rows\": 10", "\"rows\": -10"),
            ("\"looks\"", "\"look\""),
            ("\"ab", "\"AB"),
            ("\"ab", "\"b"),
            ("\"tool\": \"t 1\"", "\"tool\": \"\\u0007\""),
            ("gYGB", "gIGB"),
        ] {
            let bent = json.replacen(from, to, 1);
            assert!(bent != json, "{from}: {json}");
            let refused = Signed::<Reading>::from_json(bent.as_bytes());
            assert!(matches!(refused, Err(EnvelopeError::Json(_))), "{from}: {refused:?}");
        }
        assert!(SeenSymbol::new(Symbology::MicroQrCode, 11, 11, [[0.0; 121].as_slice()]).is_none());
        assert!(SeenSymbol::new(Symbology::DataMatrix, 11, 11, [[0.0; 121].as_slice()]).is_none());
        assert!(SeenSymbol::new(Symbology::DataMatrix, 10, 10, []).is_none());
    }
}

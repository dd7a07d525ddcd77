//! Payload to symbol: what is asked for, what came out, and the sizes there are.

use super::{Matrix, Symbology, datamatrix, qr};
use std::fmt;

/// What symbol to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// QR Code at an error-correction level.
    Qr {
        /// Share of the symbol that may be lost.
        ec: EcLevel,
        /// The smallest version allowed, 1 to 40; 1 leaves the choice to the payload.
        min_version: u8,
    },
    /// Data Matrix ECC 200; its error correction follows from the size.
    DataMatrix {
        /// Which sizes may be used.
        shape: Shape,
    },
}

/// Error-correction level of QR Code, ISO/IEC 18004, clause 7.5.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EcLevel {
    /// About 7 % of the codewords can be wrong.
    L,
    /// About 15 %.
    M,
    /// About 25 %.
    Q,
    /// About 30 %.
    H,
}

impl EcLevel {
    /// All levels, weakest first.
    pub const ALL: [Self; 4] = [Self::L, Self::M, Self::Q, Self::H];

    /// The letter that names the level.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::L => 'L',
            Self::M => 'M',
            Self::Q => 'Q',
            Self::H => 'H',
        }
    }
}

/// Which Data Matrix sizes may be used. Of those that hold the payload the one with the smallest area is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Every size, the rectangles of ISO/IEC 21471 too.
    Any,
    /// The 24 squares of ISO/IEC 16022: what every reader knows.
    Square,
    /// The six rectangles of ISO/IEC 16022.
    Rectangle,
    /// Every rectangle, those of ISO/IEC 21471 (DMRE) too; many readers do not know these.
    Dmre,
    /// This size and no other, in modules.
    Exact {
        /// Modules from top to bottom.
        rows: usize,
        /// Modules from left to right.
        columns: usize,
    },
}

/// The facts about one size of symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolSize {
    /// The kind of symbol.
    pub symbology: Symbology,
    /// The usual name: `QR 6-M` (version and level), or rows by columns as in `24x64`.
    pub name: String,
    /// Modules from left to right, without quiet zone.
    pub columns: usize,
    /// Modules from top to bottom, without quiet zone.
    pub rows: usize,
    /// Codewords of one byte that carry data.
    pub data_codewords: usize,
    /// Codewords that carry error correction.
    pub ec_codewords: usize,
    /// Wrong codewords that can be corrected where they spread evenly over the blocks; of erasures it is twice as many.
    pub correctable: usize,
    /// Bytes of payload that it holds as one segment of bytes (QR byte mode, Data Matrix base 256).
    pub payload_bytes: usize,
    /// Whether it is a rectangle that only ISO/IEC 21471 knows.
    pub dmre: bool,
}

impl SymbolSize {
    /// The share of all codewords that can be corrected as errors, 0 to 0.5.
    #[must_use]
    pub fn correctable_share(&self) -> f64 {
        self.correctable as f64 / (self.data_codewords + self.ec_codewords).max(1) as f64
    }
}

/// A payload as modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The modules.
    pub matrix: Matrix,
    /// What size was chosen.
    pub size: SymbolSize,
}

/// Why a payload did not become a symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// No allowed size holds that much.
    TooLong {
        /// Length of the payload.
        bytes: usize,
        /// Bytes that the largest allowed size holds as one segment.
        limit: usize,
    },
    /// Data Matrix has no such size.
    NoSuchSize {
        /// Rows asked for.
        rows: usize,
        /// Columns asked for.
        columns: usize,
    },
    /// QR Code has no such version.
    NoSuchVersion(u8),
    /// The encoder behind it refused what should have been possible.
    Refused,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes, limit } => {
                write!(f, "payload of {bytes} bytes: the largest symbol allowed holds {limit}")
            }
            Self::NoSuchSize { rows, columns } => write!(f, "data matrix has no size {rows}x{columns}"),
            Self::NoSuchVersion(version) => write!(f, "QR code has versions 1 to 40, not {version}"),
            Self::Refused => write!(f, "the symbol encoder refused the payload"),
        }
    }
}

impl std::error::Error for EncodeError {}

/// Encodes bytes as one segment, so that the size follows from the length alone.
///
/// # Errors
/// [`EncodeError::TooLong`] if no allowed size holds the payload; the others if `request` asks for what does not exist.
pub fn encode(payload: &[u8], request: &Request) -> Result<Encoded, EncodeError> {
    match *request {
        Request::Qr { ec, min_version } => qr::encode::encode_bytes(payload, ec, min_version),
        Request::DataMatrix { shape } => datamatrix::encode::encode_bytes(payload, shape),
    }
}

/// Encodes text for readers that know only text: QR Code as one alphanumeric segment if its alphabet allows that
/// (base45 does), otherwise as bytes of UTF-8; Data Matrix in whatever mix of encodations is shortest.
///
/// # Errors
/// As [`encode`].
pub fn encode_text(text: &str, request: &Request) -> Result<Encoded, EncodeError> {
    match *request {
        Request::Qr { ec, min_version } => qr::encode::encode_text(text, ec, min_version),
        Request::DataMatrix { shape } => datamatrix::encode::encode_text(text, shape),
    }
}

/// Every size that holds `payload_bytes` bytes and is the smallest of its kind: the four levels of QR Code, then every
/// Data Matrix size that is large enough, by area.
#[must_use]
pub fn sizes(payload_bytes: usize) -> Vec<SymbolSize> {
    let qr = EcLevel::ALL.into_iter().filter_map(|ec| qr::encode::smallest(payload_bytes, ec, 1).ok());
    let all = datamatrix::encode::sizes();
    qr.chain(all.filter(|size| size.payload_bytes >= payload_bytes).cloned()).collect()
}

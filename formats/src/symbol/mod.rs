//! Bytes to and from the modules of a symbol: QR Code (ISO/IEC 18004) and Data Matrix ECC 200 (ISO/IEC 16022,
//! rectangular extension ISO/IEC 21471).

pub mod anatomy;
pub mod datamatrix;
pub mod decode;
pub mod encode;
pub mod matching;
mod ordered;
pub mod qr;
pub mod recover;
pub mod reed_solomon;
mod soft;
mod view;

pub use encode::{EcLevel, EncodeError, Encoded, Request, Shape, SymbolSize, encode, encode_text, sizes};

/// A kind of symbol that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symbology {
    /// QR Code, ISO/IEC 18004.
    QrCode,
    /// Data Matrix ECC 200, ISO/IEC 16022, with the rectangles of ISO/IEC 21471 (DMRE).
    DataMatrix,
    /// Micro QR Code, ISO/IEC 18004: too small for a mark, and only read.
    MicroQrCode,
}

impl Symbology {
    /// The stable name in JSON: `QRCode`, `DataMatrix` or `MicroQRCode`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::QrCode => "QRCode",
            Self::DataMatrix => "DataMatrix",
            Self::MicroQrCode => "MicroQRCode",
        }
    }
}

/// The modules of a symbol without its quiet zone, row by row from the top left; true is a dark module of the ordinary
/// (dark on light) form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    width: usize,
    height: usize,
    modules: Vec<bool>,
}

impl Matrix {
    /// A matrix of `width` by `height` modules from its rows; `None` if the count does not fit or a side is 0.
    #[must_use]
    pub fn new(width: usize, height: usize, modules: Vec<bool>) -> Option<Self> {
        let fits = width > 0 && height > 0 && width.checked_mul(height) == Some(modules.len());
        fits.then_some(Self { width, height, modules })
    }

    /// Modules a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// Whether the module in column `x` of row `y` is dark; light beyond the edge, where the quiet zone is.
    #[must_use]
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.modules.get(y * self.width + x).copied().unwrap_or(false)
    }
}

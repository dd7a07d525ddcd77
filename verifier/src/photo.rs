//! A photo file in, upright grey levels out, under limits that are checked before memory is taken.

mod cost;
pub(crate) mod heic;

use crate::files::{ReadError, read_regular};
use crate::guard::guarded;
use crate::read::Luma;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use sha2::{Digest, Sha256};
use std::fmt;
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// What a photo may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file; 256 MiB by default.
    pub file_bytes: u64,
    /// Pixels of the picture; 120 million by default.
    pub pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { file_bytes: 256 << 20, pixels: 120_000_000 }
    }
}

/// A decoded photo.
#[derive(Debug, Clone)]
pub struct Photo {
    /// Grey levels, upright.
    pub luma: Luma,
    /// SHA-256 of the file.
    pub sha256: [u8; 32],
    /// What is wrong with the file, where a part of the picture came out of it all the same.
    pub damage: Option<String>,
}

/// Why a file gives no photo.
#[derive(Debug)]
pub struct PhotoError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub kind: PhotoErrorKind,
}

/// The kinds of [`PhotoError`].
#[derive(Debug)]
#[non_exhaustive]
pub enum PhotoErrorKind {
    /// It cannot be opened or read.
    Io(io::Error),
    /// A directory.
    Directory,
    /// A pipe or device.
    NotAFile,
    /// No bytes.
    Empty,
    /// More bytes than [`Limits::file_bytes`].
    FileTooLarge(u64),
    /// More pixels than [`Limits::pixels`], by its own header.
    TooManyPixels {
        /// Pixels a row.
        width: u64,
        /// Rows.
        height: u64,
        /// The limit.
        limit: u64,
    },
    /// A format that is not read here.
    Format(&'static str),
    /// HEIC, which this program was built without.
    WithoutHeic,
    /// Damaged or cut short.
    Damaged(String),
}

impl fmt::Display for PhotoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use PhotoErrorKind as Kind;
        write!(f, "cannot read {}: ", self.path.display())?;
        match &self.kind {
            Kind::Io(e) => e.fmt(f),
            Kind::Directory => f.write_str("it is a directory; name the photos in it"),
            Kind::NotAFile => f.write_str("it is not a file"),
            Kind::Empty => f.write_str("the file is empty"),
            Kind::FileTooLarge(limit) => write!(f, "the file is larger than {} MiB", limit >> 20),
            Kind::TooManyPixels { width, height, limit } => {
                write!(f, "it claims {width} x {height} pixels; at most {} million are read", limit / 1_000_000)
            }
            Kind::Format(what) => write!(f, "{what}; save it as JPEG or PNG"),
            Kind::WithoutHeic => {
                f.write_str("this program was built without HEIC; convert it to JPEG, or build it with --features heic")
            }
            Kind::Damaged(why) => write!(f, "the picture is damaged or cut short ({why})"),
        }
    }
}

impl std::error::Error for PhotoError {}

impl Photo {
    /// Pixels a row, upright.
    #[must_use]
    pub fn width(&self) -> usize {
        self.luma.width
    }

    /// Rows, upright.
    #[must_use]
    pub fn height(&self) -> usize {
        self.luma.height
    }
}

/// Reads the photo at `path`.
///
/// # Errors
/// [`PhotoError`].
pub fn load(path: &Path, limits: &Limits) -> Result<Photo, PhotoError> {
    PhotoFile::read(path, limits)?.decode(limits)
}

/// The bytes of a photo, not yet decoded: so that whoever works on many can see beforehand what each will cost.
#[derive(Debug)]
pub struct PhotoFile {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl PhotoFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`PhotoError`].
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, PhotoError> {
        let bytes = read_file(path, limits)?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// A photo out of an archive; `path` says which.
    ///
    /// # Errors
    /// [`PhotoError`].
    pub fn of(path: &Path, bytes: Vec<u8>, limits: &Limits) -> Result<Self, PhotoError> {
        let fail = |kind| PhotoError { path: path.to_owned(), kind };
        if bytes.len() as u64 > limits.file_bytes {
            return Err(fail(PhotoErrorKind::FileTooLarge(limits.file_bytes)));
        }
        check_file(path, &bytes).map_err(fail)?;
        Ok(Self { path: path.to_owned(), bytes: Zeroizing::new(bytes) })
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// About how many bytes of memory it takes at most to decode and to search it, beside the file itself; by what its header
    /// says, which [`PhotoFile::decode`] holds it to.
    #[must_use]
    pub fn cost(&self, limits: &Limits) -> u64 {
        let worst = limits.pixels.saturating_mul(10);
        contained(|| cost::of(&self.bytes)).unwrap_or(worst).min(worst)
    }

    /// Its grey levels.
    ///
    /// # Errors
    /// [`PhotoError`].
    pub fn decode(&self, limits: &Limits) -> Result<Photo, PhotoError> {
        let decoded = contained(|| decode_luma(&self.bytes, limits));
        let (luma, damage) = decoded.map_err(|kind| PhotoError { path: self.path.clone(), kind })?;
        Ok(Photo { luma, sha256: self.sha256(), damage })
    }
}

/// Reads the photo at `path` in colour, upright, to draw on.
///
/// # Errors
/// [`PhotoError`].
pub fn load_rgb(path: &Path, limits: &Limits) -> Result<image::RgbImage, PhotoError> {
    let bytes = read_file(path, limits)?;
    let picture =
        contained(|| decode_any(&bytes, limits)).map_err(|kind| PhotoError { path: path.to_owned(), kind })?;
    Ok(on_white(picture).into_rgb8())
}

/// Decoders of others meet hostile files here: a panic of theirs is a damaged picture to the user.
fn contained<T>(decode: impl FnOnce() -> Result<T, PhotoErrorKind>) -> Result<T, PhotoErrorKind> {
    guarded(decode).unwrap_or_else(|| Err(PhotoErrorKind::Damaged("its decoder gave up".into())))
}

fn read_file(path: &Path, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, PhotoError> {
    let fail = |kind| PhotoError { path: path.to_owned(), kind };
    let bytes = read_regular(path, limits.file_bytes).map_err(|e| {
        fail(match e {
            ReadError::Io(e) => PhotoErrorKind::Io(e),
            ReadError::Directory => PhotoErrorKind::Directory,
            ReadError::NotAFile => PhotoErrorKind::NotAFile,
            ReadError::TooLarge => PhotoErrorKind::FileTooLarge(limits.file_bytes),
        })
    })?;
    check_file(path, &bytes).map_err(fail)?;
    Ok(bytes)
}

/// Whether it is worth decoding at all.
fn check_file(path: &Path, bytes: &[u8]) -> Result<(), PhotoErrorKind> {
    // Raw photos mostly are TIFF files whose first picture is a thumbnail: to read that would be to miss the mark.
    if has_raw_name(path) {
        return Err(PhotoErrorKind::Format(RAW));
    }
    if bytes.is_empty() { Err(PhotoErrorKind::Empty) } else { Ok(()) }
}

/// Whether the file's name is that of a camera's raw file.
pub(crate) fn has_raw_name(path: &Path) -> bool {
    let name = path.extension().unwrap_or_default().to_ascii_lowercase();
    RAW_NAMES.iter().any(|raw| name == *raw)
}

/// How the raw files of the usual cameras end.
const RAW_NAMES: [&str; 11] = ["arw", "cr2", "cr3", "dng", "nef", "nrw", "orf", "pef", "raf", "rw2", "srw"];
const RAW: &str = "it is a camera's raw file";

/// The upright grey levels of the picture in `bytes`, and what is wrong with it where only a part could be decoded (JPEG).
///
/// # Errors
/// [`PhotoErrorKind`].
pub fn decode_luma(bytes: &[u8], limits: &Limits) -> Result<(Luma, Option<String>), PhotoErrorKind> {
    if image::guess_format(bytes).is_ok_and(|format| format == ImageFormat::Jpeg) {
        match jpeg_luma(bytes, limits, true) {
            Ok(Some(luma)) => return Ok((luma, None)),
            Ok(None) => {}
            // A cut photo may still show the mark.
            Err(PhotoErrorKind::Damaged(why)) => {
                let rest = jpeg_luma(bytes, limits, false)?;
                return rest.map(|luma| (luma, Some(why.clone()))).ok_or(PhotoErrorKind::Damaged(why));
            }
            Err(e) => return Err(e),
        }
    }
    let grey = on_white(decode_any(bytes, limits)?).into_luma8();
    Ok((Luma { width: grey.width() as usize, height: grey.height() as usize, data: grey.into_raw() }, None))
}

/// JPEG keeps the grey levels apart: reading them alone takes half the time. `None` where the colours have to be read
/// (CMYK, or JPEG stored as RGB). `strict` refuses files that are cut or damaged.
fn jpeg_luma(bytes: &[u8], limits: &Limits, strict: bool) -> Result<Option<Luma>, PhotoErrorKind> {
    let options = DecoderOptions::default()
        .set_max_width(u16::MAX.into())
        .set_max_height(u16::MAX.into())
        .set_strict_mode(strict)
        .jpeg_set_out_colorspace(ColorSpace::Luma);
    let damaged = |e: DecodeErrors| PhotoErrorKind::Damaged(e.to_string().trim_end_matches(['\n', '.']).to_owned());
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.info().map_or((0, 0), |info| (usize::from(info.width), usize::from(info.height)));
    check_pixels(width as u64, height as u64, limits)?;
    if !matches!(decoder.input_colorspace(), Some(ColorSpace::YCbCr | ColorSpace::Luma)) {
        return Ok(None);
    }
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let data = decoder.decode().map_err(damaged)?;
    let grey = image::GrayImage::from_raw(width as u32, height as u32, data);
    let mut grey = DynamicImage::ImageLuma8(grey.ok_or_else(|| PhotoErrorKind::Damaged("pixels are missing".into()))?);
    grey.apply_orientation(orientation.unwrap_or(Orientation::NoTransforms));
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    Ok(Some(Luma { width, height, data: grey.into_luma8().into_raw() }))
}

fn check_pixels(width: u64, height: u64, limits: &Limits) -> Result<(), PhotoErrorKind> {
    match width.saturating_mul(height) > limits.pixels {
        true => Err(PhotoErrorKind::TooManyPixels { width, height, limit: limits.pixels }),
        false => Ok(()),
    }
}

/// The most memory for what a file says of itself before its pixels, such as a colour profile.
const HEADER_BYTES: u64 = 64 << 20;

fn memory(bytes: u64) -> image::Limits {
    let mut memory = image::Limits::default();
    memory.max_alloc = Some(bytes);
    memory
}

fn decode_any(bytes: &[u8], limits: &Limits) -> Result<DynamicImage, PhotoErrorKind> {
    if heic::is_heic(bytes) {
        return heic::decode(bytes, limits);
    }
    let damaged = |e: image::ImageError| PhotoErrorKind::Damaged(e.to_string());
    let format = image::guess_format(bytes).map_err(|_| PhotoErrorKind::Format(describe(bytes)))?;
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    // What stands before the pixels is small, unless it is there to fill the memory.
    reader.limits(memory(HEADER_BYTES));
    let mut decoder = reader.into_decoder().map_err(|e| match e {
        image::ImageError::Unsupported(_) => PhotoErrorKind::Format(describe(bytes)),
        e => damaged(e),
    })?;
    let (width, height) = decoder.dimensions();
    check_pixels(width.into(), height.into(), limits)?;
    // Beyond 8 bytes a pixel (32-bit channels) nothing is gained for what is read here.
    if decoder.total_bytes() > limits.pixels.saturating_mul(8) {
        return Err(PhotoErrorKind::TooManyPixels { width: width.into(), height: height.into(), limit: limits.pixels });
    }
    // A pixel of 16 bits a channel takes 8 bytes; decoders need some more beside.
    decoder.set_limits(memory(limits.pixels.saturating_mul(10))).map_err(damaged)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Transparent pixels as they would look on paper.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let mut rgba = picture.into_rgba8();
    for pixel in rgba.pixels_mut() {
        let alpha = u32::from(pixel[3]);
        for channel in 0..3 {
            pixel[channel] = ((u32::from(pixel[channel]) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
        pixel[3] = 255;
    }
    DynamicImage::ImageRgba8(rgba)
}

/// What a file that is not read here probably is.
fn describe(bytes: &[u8]) -> &'static str {
    match (bytes.get(4..8), bytes.get(8..12), bytes.get(..4)) {
        (Some(b"ftyp"), Some(b"avif" | b"avis" | b"mif1" | b"msf1"), _) => "AVIF pictures are not read here",
        (Some(b"ftyp"), Some(b"crx "), _) => RAW,
        (Some(b"ftyp"), ..) => "it is a video",
        (.., Some(b"%PDF")) => "it is a PDF",
        _ => "it is no picture that is read here (JPEG, PNG, TIFF, WebP, BMP, GIF)",
    }
}

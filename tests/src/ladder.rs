//! Photos of our own marks under growing wear: marks of test makers, rendered by the rig, one kind of wear at a time.

use crate::console::root;
use crate::maker::{TestMaker, label, signed};
use base64::{Engine, engine::general_purpose::STANDARD};
use image::{GrayImage, Luma};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use touchmark_formats::mark::SignedMark;
use touchmark_formats::symbol::{EcLevel, Request, Shape, encode};
use touchmark_formats::trust::Trust;

/// Seed of the rig's scenes.
const SEED: &str = "1";

/// The sizes of the marks; so mixed that each kind of wear meets several when it is given to every third to sixth mark.
const QR: [(EcLevel, u8, bool); 12] = [
    (EcLevel::M, 1, false),
    (EcLevel::M, 1, true),
    (EcLevel::L, 1, false),
    (EcLevel::Q, 1, true),
    (EcLevel::M, 1, false),
    (EcLevel::M, 1, true),
    (EcLevel::M, 1, true),
    (EcLevel::M, 1, false),
    (EcLevel::L, 6, false),
    (EcLevel::M, 1, true),
    (EcLevel::L, 6, true),
    (EcLevel::M, 1, false),
];
const DATA_MATRIX: [(Shape, bool); 12] = [
    (Shape::Square, false),
    (Shape::Square, true),
    (Shape::Exact { rows: 24, columns: 64 }, false),
    (Shape::Exact { rows: 26, columns: 48 }, true),
    (Shape::Square, false),
    (Shape::Square, true),
    (Shape::Exact { rows: 26, columns: 48 }, true),
    (Shape::Exact { rows: 24, columns: 64 }, false),
    (Shape::Square, true),
    (Shape::Square, false),
    (Shape::Square, true),
    (Shape::Square, false),
];
/// The part numbers of the marks; all that have theirs in the delegation are of the first.
pub const PARTS: [&str; 4] = ["STM32F407VGT6", "AD9361BBCZ", "LPC1768FBD100", "XC7A35T-1CSG"];

/// The lot of all marks.
pub const LOT: &str = "A2B347K";

/// Which photos to make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Kinds of wear, as the rig names them; empty for all.
    pub axes: Vec<String>,
    /// Levels of wear, 0 to 10.
    pub levels: Vec<u8>,
    /// Each mark takes one kind of wear in so many; 0 for all.
    pub spread: usize,
}

impl fmt::Display for Plan {
    /// What sets one ladder apart from another, as the name of its folder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let levels: Vec<String> = self.levels.iter().map(u8::to_string).collect();
        write!(f, "spread-{}", self.spread)?;
        if self.levels.len() < 11 {
            write!(f, "-levels-{}", levels.join("-"))?;
        }
        self.axes.iter().try_for_each(|axis| write!(f, "-{axis}"))
    }
}

impl Plan {
    /// All kinds of wear at the levels 0 to 10, each mark under one in `spread` of them.
    #[must_use]
    pub fn all(spread: usize) -> Self {
        Self { axes: Vec::new(), levels: (0..=10).collect(), spread }
    }

    /// Which photos these are.
    #[must_use]
    pub fn in_words(&self) -> String {
        let marks = match self.spread {
            0 => "every mark under every kind of wear".to_owned(),
            n => format!("every mark under one kind of wear in {n} (`--spread {n}`)"),
        };
        format!("{marks}, at {} levels", self.levels.len())
    }
}

/// The makers whose marks these are: one spells part and lot, one has them in its delegation.
#[must_use]
pub fn makers() -> [TestMaker; 2] {
    [TestMaker::new(1), TestMaker::listed(2)]
}

/// The bundle that vouches for both.
#[must_use]
pub fn trust() -> Trust {
    let [spelled, listed] = makers();
    let mut trust = spelled.trust();
    trust.makers.extend(
        listed
            .trust()
            .makers
            .into_iter()
            .map(|maker| touchmark_formats::trust::Maker { name: label("Second Semiconductors"), ..maker }),
    );
    trust
}

/// The marks, by name, with what symbol each becomes.
fn marks() -> Vec<(String, SignedMark, Request, String)> {
    let qr =
        QR.iter().map(|&(ec, min_version, short)| (Request::Qr { ec, min_version }, short, ec.letter().to_string()));
    let datamatrix = DATA_MATRIX.iter().map(|&(shape, short)| (Request::DataMatrix { shape }, short, "ECC200".into()));
    let [spelled, listed] = makers();
    let name = |i: usize| if i < QR.len() { format!("qr-{i:02}") } else { format!("dm-{:02}", i - QR.len()) };
    let mark = |i: usize, short: bool| {
        let serial = 48_213_077 + i as u64;
        match short {
            true => listed.sign(listed.mark(serial, PARTS[0], LOT, "2026-11-23", Some(104_233))),
            false => spelled.sign(spelled.mark(serial, PARTS[i % 4], LOT, "2026-11-23", Some(104_233))),
        }
    };
    let all = qr.chain(datamatrix).enumerate();
    all.map(|(i, (request, short, ec))| (name(i), mark(i, short), request, ec)).collect()
}

/// Why no ladder was made.
#[derive(Debug)]
pub enum LadderError {
    /// No rig in this folder.
    NoRig(PathBuf),
    /// No Python to run it.
    NoPython(PathBuf),
    /// The rig ended with an error, which it has printed.
    Rig,
    /// A file cannot be written.
    Io(PathBuf, std::io::Error),
}

impl fmt::Display for LadderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRig(folder) => {
                write!(f, "no rig: {} is absent; name its folder in TOUCHMARK_RIG", folder.display())
            }
            Self::NoPython(python) => write!(f, "{} is absent: run tests/peers/setup first", python.display()),
            Self::Rig => f.write_str("the rig gave up; what it printed says why"),
            Self::Io(path, e) => write!(f, "{}: {e}", path.display()),
        }
    }
}

impl std::error::Error for LadderError {}

/// The folder with the photos of `plan` and their `truth.csv`, rendered unless they are there already.
///
/// # Errors
/// [`LadderError`].
pub fn ladder(plan: &Plan) -> Result<PathBuf, LadderError> {
    let home = root().join("target/ladder");
    let photos = home.join(plan.to_string());
    if photos.join("truth.csv").is_file() {
        return Ok(photos);
    }
    let rig = std::env::var_os("TOUCHMARK_RIG").map_or_else(|| root().join("../shared/rig"), PathBuf::from);
    let python = root().join("target/peers/bin/python");
    if !rig.join("__main__.py").is_file() {
        return Err(LadderError::NoRig(rig));
    }
    if !python.exists() {
        return Err(LadderError::NoPython(python));
    }
    let folder = home.join("marks");
    write_marks(&folder)?;
    // Renamed when it is whole: a run that was stopped is not taken for a ladder.
    let unfinished = home.join(format!("{plan}.unfinished"));
    render(&rig, &python, &folder, &unfinished, plan)?;
    std::fs::rename(&unfinished, &photos).map_err(|e| LadderError::Io(photos.clone(), e))?;
    Ok(photos)
}

/// Writes the marks as the rig wants them, one pixel a module, and the bundle that vouches for them.
fn write_marks(folder: &Path) -> Result<(), LadderError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |e: std::io::Error| LadderError::Io(path, e)
    };
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    for (name, mark, request, ec) in marks() {
        let payload = mark.to_bytes();
        let encoded = encode(&payload, &request).unwrap_or_else(|e| panic!("{name}: {e}"));
        let matrix = &encoded.matrix;
        let picture = GrayImage::from_fn(matrix.width() as u32, matrix.height() as u32, |x, y| {
            Luma([if matrix.is_dark(x as usize, y as usize) { 0 } else { 255 }])
        });
        let path = folder.join(format!("{name}.png"));
        picture.save(&path).map_err(|e| LadderError::Io(path.clone(), std::io::Error::other(e)))?;
        let about = serde_json::json!({
            "symbology": encoded.size.symbology.name(),
            "payload": STANDARD.encode(&payload),
            "ec": ec,
            "size": encoded.size.name,
        });
        let path = folder.join(format!("{name}.json"));
        std::fs::write(&path, about.to_string()).map_err(io(&path))?;
    }
    let path = folder.join("trust.json");
    // Its name ends like a mark's, but the rig takes only those with a picture.
    std::fs::write(&path, signed(trust(), &[&makers()[0].authority]).to_json()).map_err(io(&path))
}

fn render(rig: &Path, python: &Path, marks: &Path, out: &Path, plan: &Plan) -> Result<(), LadderError> {
    let above = rig.parent().unwrap_or(rig);
    let mut command = Command::new(python);
    command.args(["-m", "rig", "ladder", "--seed", SEED, "--marks"]).arg(marks).arg("--out").arg(out);
    command.args(["--spread", &plan.spread.to_string(), "--levels"]).args(plan.levels.iter().map(u8::to_string));
    if !plan.axes.is_empty() {
        command.arg("--axes").args(&plan.axes);
    }
    // The rig's folder may belong to somebody else.
    command.env("PYTHONPATH", above).env("PYTHONDONTWRITEBYTECODE", "1");
    let status = command.status().map_err(|e| LadderError::Io(python.to_owned(), e))?;
    if status.success() { Ok(()) } else { Err(LadderError::Rig) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_formats::trust::Directory;
    use touchmark_verifier::verdict::Verdict;
    use touchmark_verifier::verify::{Basis, verify};

    #[test]
    fn every_mark_is_proven_by_the_bundle_and_has_the_size_of_the_page() {
        let trust = trust();
        let directory = Directory::new(&trust);
        let basis = Basis {
            directory: &directory,
            disclosures: &[],
            trails: &[],
            printed_part: None,
            printed_lot: None,
            now: trust.created,
        };
        let mut sizes = Vec::new();
        for (name, mark, request, _) in marks() {
            assert_eq!(verify(&mark.to_bytes(), &basis).verdict, Verdict::Authentic, "{name}");
            sizes.push(encode(&mark.to_bytes(), &request).unwrap().size.name);
        }
        assert_eq!(sizes.len(), 24);
        sizes.sort();
        sizes.dedup();
        assert_eq!(sizes, ["24x64", "26x48", "36x36", "40x40", "QR 5-L", "QR 5-M", "QR 6-L", "QR 6-M", "QR 7-Q"]);
    }

    #[test]
    fn marks_are_written_as_the_rig_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        write_marks(folder.path()).unwrap();
        let picture = image::open(folder.path().join("qr-00.png")).unwrap().into_luma8();
        assert_eq!((picture.dimensions(), picture[(0, 0)].0, picture[(1, 1)].0), ((41, 41), [0], [255]));
        let about = std::fs::read(folder.path().join("dm-02.json")).unwrap();
        let about: serde_json::Value = serde_json::from_slice(&about).unwrap();
        assert_eq!((&about["symbology"], &about["size"]), (&"DataMatrix".into(), &"24x64".into()));
        assert!(Trust::open(&std::fs::read(folder.path().join("trust.json")).unwrap()).is_ok());
    }
}

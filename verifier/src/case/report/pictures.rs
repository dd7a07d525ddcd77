//! Pictures of marks: which of them the page holds itself, and which it finds in the folder beside it.

use super::rows::is_crop;
use crate::case::folder::Folder;
use crate::case::record::PartResult;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Bytes of pictures that the page holds, as base64: enough for some hundreds of marks, and little enough to be mailed.
const MOST_BYTES: usize = 12 << 20;
/// The largest picture of a mark that is taken in, in bytes.
const MOST_CROP_BYTES: u64 = 1 << 20;

/// The pictures of a page while it is made. Whoever asks first gets the room.
#[derive(Debug)]
pub(super) struct Pictures {
    root: PathBuf,
    room: usize,
    /// Those that were read, as base64, by their paths.
    read: BTreeMap<String, String>,
    /// Those that stand in the markup, where the page's program finds them.
    drawn: BTreeSet<String>,
    /// Those for which there is no room.
    beside: BTreeSet<String>,
}

/// How the page shows a picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// It holds it: the address with all of it inside.
    Inside(String),
    /// It finds it beside itself.
    Beside,
}

impl Pictures {
    /// None yet, of the case in `folder`.
    pub(super) fn of(folder: &Folder) -> Self {
        let (read, drawn, beside) = Default::default();
        Self { root: folder.root().to_owned(), room: MOST_BYTES, read, drawn, beside }
    }

    /// What to draw for the picture at `crop`; `None` where there is no picture.
    pub(super) fn draw(&mut self, crop: &str) -> Option<Source> {
        if self.beside.contains(crop) {
            return Some(Source::Beside);
        }
        // One that stands there twice takes the room twice.
        let again = self.drawn.contains(crop);
        if !self.read.contains_key(crop) {
            self.take(crop);
        } else if again {
            let size = self.read.get(crop).map_or(0, String::len);
            match self.room.checked_sub(size) {
                Some(left) => self.room = left,
                None => return Some(Source::Beside),
            }
        }
        match self.read.get(crop) {
            Some(text) => {
                self.drawn.insert(crop.to_owned());
                Some(Source::Inside(format!("data:image/jpeg;base64,{text}")))
            }
            None => self.beside.contains(crop).then_some(Source::Beside),
        }
    }

    /// Takes in what there is room for: of copies first, then of the rest; `parts` stand the gravest first.
    pub(super) fn take_all(&mut self, parts: &[PartResult]) {
        let clones = parts.iter().flat_map(|part| &part.clones).flat_map(|clone| [&clone.here, &clone.there]);
        let copies = clones.filter_map(|exhibit| exhibit.crop.as_deref());
        for crop in copies.chain(parts.iter().filter_map(|part| part.crop.as_deref())) {
            if !self.read.contains_key(crop) && !self.beside.contains(crop) {
                self.take(crop);
            }
        }
    }

    fn take(&mut self, crop: &str) {
        let path = self.root.join(crop);
        // What is missing or damaged is not there: the page says so, and the case stands without it.
        if !is_crop(crop) || !path.is_file() {
            return;
        }
        if self.room == 0 {
            self.beside.insert(crop.to_owned());
            return;
        }
        let Ok(bytes) = crate::files::read_regular(&path, MOST_CROP_BYTES) else { return };
        if !bytes.starts_with(&[0xff, 0xd8]) {
            return;
        }
        let text = STANDARD.encode(&*bytes);
        match self.room.checked_sub(text.len()) {
            Some(left) => {
                self.room = left;
                self.read.insert(crop.to_owned(), text);
            }
            // Smaller ones that would still fit are not looked for: the gravest are to be inside, and no others.
            None => {
                self.room = 0;
                self.beside.insert(crop.to_owned());
            }
        }
    }

    /// Whether the page has it at hand, be it inside or beside.
    pub(super) fn has(&self, crop: &str) -> bool {
        self.inside(crop) || self.beside.contains(crop)
    }

    /// Whether the page holds it.
    pub(super) fn inside(&self, crop: &str) -> bool {
        self.read.contains_key(crop)
    }

    /// Those inside that stand nowhere in the markup, by their paths.
    pub(super) fn undrawn(&self) -> BTreeMap<&str, &str> {
        let rest = self.read.iter().filter(|(crop, _)| !self.drawn.contains(*crop));
        rest.map(|(crop, text)| (crop.as_str(), text.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::sample::part;
    use serde_json::json;

    /// A folder with pictures of so many bytes, called `crops/N-1.jpg`.
    fn folder(sizes: &[usize]) -> (tempfile::TempDir, Folder) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::at(place.path());
        std::fs::create_dir(folder.crops()).unwrap();
        for (n, size) in sizes.iter().enumerate() {
            let bytes = [&[0xff, 0xd8][..], &vec![n as u8; size - 2]].concat();
            std::fs::write(folder.crops().join(format!("{n}-1.jpg")), bytes).unwrap();
        }
        (place, folder)
    }

    fn with_crops(own: &str, clones: &[[&str; 2]]) -> PartResult {
        let clone = |[here, there]: &[&str; 2]| json!({ "why": "two-folders", "here": { "crop": here }, "there": { "crop": there } });
        let mut part = part("p", 7, &json!({ "status": "sealed" }), &[]);
        part.crop = Some(own.into());
        part.clones = serde_json::from_value(clones.iter().map(clone).collect()).unwrap();
        part
    }

    #[test]
    fn room_is_given_to_copies_first() {
        let (_place, folder) = folder(&[300, 300, 300, 300]);
        let parts =
            [with_crops("crops/0-1.jpg", &[["crops/1-1.jpg", "crops/2-1.jpg"]]), with_crops("crops/3-1.jpg", &[])];
        let mut pictures = Pictures { room: 2 * 400, ..Pictures::of(&folder) };
        pictures.take_all(&parts);
        let told = |pictures: &Pictures| {
            [0, 1, 2, 3]
                .map(|n| (pictures.inside(&format!("crops/{n}-1.jpg")), pictures.has(&format!("crops/{n}-1.jpg"))))
        };
        assert_eq!(told(&pictures), [(false, true), (true, true), (true, true), (false, true)]);
        // What stands in the markup is not held a second time; and what stands there twice takes the room twice.
        let mut pictures = Pictures { room: 3 * 400, ..Pictures::of(&folder) };
        assert!(
            matches!(pictures.draw("crops/2-1.jpg"), Some(Source::Inside(text)) if text.starts_with("data:image/jpeg;base64,/9gC"))
        );
        assert!(matches!(pictures.draw("crops/2-1.jpg"), Some(Source::Inside(_))));
        pictures.take_all(&parts);
        assert_eq!(told(&pictures), [(false, true), (true, true), (true, true), (false, true)]);
        assert_eq!(pictures.undrawn().into_keys().collect::<Vec<_>>(), ["crops/1-1.jpg"]);
        assert_eq!(pictures.draw("crops/2-1.jpg"), Some(Source::Beside), "there is no room for it a third time");
        assert_eq!(pictures.draw("crops/3-1.jpg"), Some(Source::Beside));
    }

    #[test]
    fn what_is_no_picture_of_a_mark_is_not_there() {
        let (_place, folder) = folder(&[300]);
        std::fs::write(folder.crops().join("1-1.jpg"), "<svg onload=alert(1)>").unwrap();
        std::fs::write(folder.root().join("secret.jpg"), [0xff, 0xd8, 0xff]).unwrap();
        let parts = [with_crops("crops/1-1.jpg", &[["crops/../secret.jpg", "crops/9-1.jpg"]])];
        let mut pictures = Pictures::of(&folder);
        assert_eq!(pictures.draw("crops/1-1.jpg"), None);
        pictures.take_all(&parts);
        assert_eq!(pictures.undrawn(), BTreeMap::new());
        for crop in ["crops/1-1.jpg", "crops/../secret.jpg", "crops/9-1.jpg"] {
            assert!(!pictures.has(crop), "{crop}");
        }
    }
}

//! `case merge`: cases of several teams and countries in one view. The same photo and the same part are joined; where the
//! cases contradict each other, the view says so.

mod seen;

use super::bag::{BagError, at};
use super::folder::{Folder, FolderError};
use super::pack::TOOL;
use super::place::{Place, copied};
use super::record::{Case, Exhibit, PartResult, PhotoResult};
use super::report::{self, Language};
use jiff::Timestamp;
use seen::{Said, Seen};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

pub use seen::DIFFERENT_VERDICTS;

/// What came of a merge.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Photos in the view.
    pub photos: u64,
    /// Photos that several cases have, joined.
    pub same_photos: u64,
    /// Parts in the view.
    pub parts: u64,
    /// Parts that several cases have, joined.
    pub same_parts: u64,
    /// Parts of which the cases say different verdicts.
    pub conflicts: u64,
    /// Parts of which the cases have different photos: one part seen twice, or a copy.
    pub clones: u64,
}

/// Puts the cases in `folders` together into a new case folder `out`, whole or not at all.
///
/// # Errors
/// [`BagError`].
pub fn merge(folders: &[Folder], out: &Path, language: Language, now: Timestamp) -> Result<Merged, BagError> {
    let cases = folders.iter().map(Folder::case).collect::<Result<Vec<Case>, _>>()?;
    let names = names(&cases);
    let place = Place::beside(out)?;
    let view = Folder::at(place.path());
    let mut merging = Merging::default();
    for (folder, name) in folders.iter().zip(&names) {
        merging.case(folder, name)?;
        for photo in folder.results()? {
            for crop in photo?.marks.into_iter().filter_map(|mark| mark.crop).filter(|crop| report::is_crop(crop)) {
                let (from, to) = (folder.root().join(&crop), place.path().join(&crop));
                // The view shows what pictures there are.
                if !to.exists() && from.is_file() {
                    copied(&from, &to, |_| {})?;
                }
            }
        }
    }
    let merged = merging.finish(&view)?;
    let name = out.file_name().map_or_else(|| "merged".into(), |name| name.to_string_lossy().into_owned());
    view.write_case(&merged_case(&cases, &names, &name, now).ok_or_else(|| at(out)("no case to merge"))?)?;
    super::table::write(&view)?;
    report::write(&view, language)?;
    place.keep(out)?;
    Ok(merged)
}

/// What the cases are called in the view, no two alike.
fn names(cases: &[Case]) -> Vec<String> {
    let mut taken = HashSet::new();
    let unlike = |case: &Case| {
        let other = (2..).map(|n| format!("{}-{n}", case.name));
        let mut all = std::iter::once(case.name.clone()).chain(other);
        all.find(|name| taken.insert(name.clone())).unwrap_or_default()
    };
    cases.iter().map(unlike).collect()
}

/// The view's own `case.json`: of the cases as they say it themselves.
fn merged_case(cases: &[Case], names: &[String], name: &str, now: Timestamp) -> Option<Case> {
    let first = cases.first()?;
    let told = |(case, name): (&Case, &String)| {
        json!({
            "name": name, "tool": case.tool, "created": case.created, "trust": case.trust, "disclosures": case.disclosures,
        })
    };
    let told: Vec<Value> = cases.iter().zip(names).map(told).collect();
    let mut case = first.clone();
    case.tool = TOOL.to_owned();
    case.created = Timestamp::from_second(now.as_second()).unwrap_or(now);
    case.name = name.to_owned();
    case.inputs = names.to_vec();
    case.disclosures = Vec::new();
    case.other.insert("cases".into(), told.into());
    Some(case)
}

/// What makes marks those of one part: the line key and the serial, or the range of a container.
type Key = (String, u64, u64, String);

#[derive(Default)]
struct Merging {
    photos: BTreeMap<String, PhotoResult>,
    by_hash: HashMap<String, String>,
    parts: BTreeMap<String, Seen>,
    by_key: HashMap<Key, String>,
    taken: HashSet<String>,
    same_photos: u64,
    same_parts: HashSet<String>,
}

impl Merging {
    fn case(&mut self, folder: &Folder, name: &str) -> Result<(), FolderError> {
        let mut exhibits: HashMap<String, Exhibit> = HashMap::new();
        let mut crops: HashMap<(String, String), String> = HashMap::new();
        let mut ids: HashMap<String, String> = HashMap::new();
        for photo in folder.results()? {
            let PhotoResult { photo, marks, .. } = photo?;
            for (part, crop) in marks.into_iter().filter_map(|mark| mark.part_id.zip(mark.crop)) {
                crops.entry((photo.path.clone(), part)).or_insert(crop);
            }
            exhibits.insert(photo.path.clone(), photo.exhibit());
        }
        for part in folder.parts()? {
            let part = part?;
            ids.insert(part.id.clone(), self.id(&part, name, &exhibits));
        }
        for photo in folder.results()? {
            let mut photo = photo?;
            photo.photo.path = within(name, &photo.photo.path);
            photo.photo.path_base64 = None;
            let new = |id: &mut String| *id = ids.get(id).cloned().unwrap_or_else(|| id.clone());
            photo.parts.iter_mut().for_each(new);
            photo.marks.iter_mut().filter_map(|mark| mark.part_id.as_mut()).for_each(new);
            self.photo(photo, name);
        }
        for part in folder.parts()? {
            let mut part = part?;
            let own = |path: &String| {
                let crop = crops.get(&(path.clone(), part.id.clone())).cloned();
                let exhibit = exhibits.get(path).cloned().unwrap_or_default();
                Exhibit { path: within(name, path), crop, ..exhibit }
            };
            let photos = part.photos.iter().map(own).collect();
            if let Some(id) = ids.get(&part.id) {
                part.id.clone_from(id);
            }
            for clone in &mut part.clones {
                clone.here.path = within(name, &clone.here.path);
                // A photo of an earlier case is that case's, not of this one.
                if clone.case.is_none() {
                    clone.there.path = within(name, &clone.there.path);
                }
                clone.part_id = clone.part_id.take().map(|id| ids.get(&id).cloned().unwrap_or(id));
            }
            part.photos.iter_mut().chain(&mut part.read_from).for_each(|path| *path = within(name, path));
            self.part(part, photos, name);
        }
        Ok(())
    }

    /// What a part is called in the view: as its own case calls it, if that is free.
    fn id(&mut self, part: &PartResult, case: &str, exhibits: &HashMap<String, Exhibit>) -> String {
        let key = key(part).or_else(|| key_by_photos(part, exhibits));
        if let Some(id) = key.as_ref().and_then(|key| self.by_key.get(key)) {
            return id.clone();
        }
        let mut id = part.id.clone();
        let mut n = 2;
        while !self.taken.insert(id.clone()) {
            id = format!("{}-{n}", part.id);
            n += 1;
        }
        // A part that cannot be told from others is one of its case alone.
        let key = key.unwrap_or_else(|| (case.to_owned(), 0, 0, part.id.clone()));
        self.by_key.insert(key, id.clone());
        id
    }

    fn photo(&mut self, photo: PhotoResult, case: &str) {
        let known = photo.photo.sha256.as_ref().and_then(|hash| self.by_hash.get(hash)).cloned();
        match known.and_then(|path| self.photos.get_mut(&path)) {
            Some(before) => {
                self.same_photos += 1;
                // The graver verdict stands; what the cases say of the part is told there.
                if photo.verdict > before.verdict {
                    (before.verdict, before.reason, before.marks) = (photo.verdict, photo.reason, photo.marks);
                }
                let new: Vec<_> = photo.parts.into_iter().filter(|id| !before.parts.contains(id)).collect();
                before.parts.extend(new);
                let also = before.other.entry("also_in").or_insert_with(|| json!([]));
                also.as_array_mut().map(|list| list.push(case.into())).unwrap_or_default();
            }
            None => {
                let path = photo.photo.path.clone();
                if let Some(hash) = &photo.photo.sha256 {
                    self.by_hash.insert(hash.clone(), path.clone());
                }
                self.photos.insert(path, photo);
            }
        }
    }

    fn part(&mut self, part: PartResult, photos: BTreeSet<Exhibit>, case: &str) {
        let said = Said { case: case.to_owned(), verdict: part.mark.verdict, photos };
        let Some(seen) = self.parts.get_mut(&part.id) else {
            self.parts.insert(part.id.clone(), Seen { part, said: vec![said] });
            return;
        };
        self.same_parts.insert(part.id.clone());
        seen.join(part, said);
    }

    fn finish(mut self, view: &Folder) -> Result<Merged, FolderError> {
        let mut merged =
            Merged { same_photos: self.same_photos, same_parts: self.same_parts.len() as u64, ..Merged::default() };
        let by_hash = std::mem::take(&mut self.by_hash);
        for seen in self.parts.values_mut() {
            merged.conflicts += u64::from(seen.conflict());
            seen.show(|hash| self.photos.get(by_hash.get(hash)?));
            merged.clones += u64::from(seen.copies());
            // A photo that two cases have stands under its first name.
            let names: HashMap<&str, &str> = seen
                .said
                .iter()
                .flat_map(|said| &said.photos)
                .filter_map(|photo| Some((photo.path.as_str(), by_hash.get(photo.sha256.as_ref()?)?.as_str())))
                .collect();
            for list in [&mut seen.part.photos, &mut seen.part.read_from] {
                list.iter_mut()
                    .for_each(|path| *path = names.get(path.as_str()).map_or(path.clone(), |name| (*name).to_owned()));
                list.sort();
                list.dedup();
            }
        }
        (merged.photos, merged.parts) = (self.photos.len() as u64, self.parts.len() as u64);
        view.write_results(self.photos.into_values().map(Ok::<_, FolderError>))?;
        view.write_parts(self.parts.into_values().map(|seen| Ok::<_, FolderError>(seen.part)))?;
        Ok(merged)
    }
}

fn within(case: &str, path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{case}/{path}") }
}

/// A part without a good signature is the same where its photos are, and what its case calls it by what was read.
fn key_by_photos(part: &PartResult, exhibits: &HashMap<String, Exhibit>) -> Option<Key> {
    let own: Option<BTreeSet<String>> = part.photos.iter().map(|path| exhibits.get(path)?.sha256.clone()).collect();
    let own = own.filter(|own| !own.is_empty())?;
    Some((own.into_iter().collect::<Vec<_>>().join(" "), 0, 0, part.id.clone()))
}

fn key(part: &PartResult) -> Option<Key> {
    let line = part.mark.line_key.clone()?;
    match (part.mark.serial, &part.mark.container) {
        (Some(serial), _) => Some((line, serial, serial, String::new())),
        (None, Some(held)) => Some((line, held.first, held.last, held.level.clone())),
        (None, None) => None,
    }
}

#[cfg(test)]
#[path = "merge/tests.rs"]
mod tests;

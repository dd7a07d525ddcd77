//! Which photos are of one part, and what speaks for two parts with one mark.
//!
//! Two photos are of one part if they prove the same mark: the same line key, serial and fields. With `--group folder` they must
//! be in one folder, too; a photo that proves nothing is then of the one part of its folder.

use super::clones;
use super::record::{CloneFinding, Exhibit, Finding, Group, Mark, PartResult, PhotoResult};
use crate::verdict::Verdict;
use serde_json::Map;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a part is told by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    /// What its id begins with.
    base: String,
    /// The line's key, in full; empty without a good signature.
    line_key: String,
    /// What the mark says: part, lot, date, die.
    says: [Option<String>; 4],
    /// The folder, where that counts.
    folder: Vec<u8>,
}

/// A photo of a part.
#[derive(Debug, Clone)]
pub struct Shot {
    /// The bytes of its path, by which photos are ordered.
    pub order: Vec<u8>,
    /// The photo itself.
    pub photo: Exhibit,
    /// Where it was taken: degrees north and east.
    pub place: Option<(f64, f64)>,
    /// How often it shows the mark; 0 where it proves nothing, and is of the part by its folder.
    pub times: u32,
    /// Each time, the picture of the mark; where it proves nothing, of the gravest of its marks.
    pub crops: Vec<Option<String>>,
}

impl Shot {
    /// The photo for a finding, with the picture of the mark where it is seen for the `n`-th time, from 0.
    pub(super) fn exhibit(&self, n: usize) -> Exhibit {
        Exhibit { crop: self.crops.get(n).cloned().flatten(), ..self.photo.clone() }
    }
}

/// A part while its photos come in.
#[derive(Debug)]
pub(super) struct Part {
    mark: Mark,
    /// How well the photo shows the mark that this was taken from: the smaller, the better.
    damage: usize,
    crop: Option<String>,
    read_from: Vec<String>,
    pub(super) shots: Vec<Shot>,
    pub(super) clones: Vec<CloneFinding>,
}

/// The parts of a case.
#[derive(Debug, Default)]
pub(super) struct Parts {
    group: Group,
    by_key: HashMap<Key, Part>,
    /// Photos that prove nothing, by their folder.
    rest: BTreeMap<Vec<u8>, Vec<Unproven>>,
    /// The part of a mark in a photo, and of photos without one.
    pub(super) ids: HashMap<(Vec<u8>, usize), String>,
    pub(super) of_photo: HashMap<Vec<u8>, BTreeSet<String>>,
    keys: HashMap<(Vec<u8>, usize), Key>,
}

/// A photo that proves nothing.
#[derive(Debug)]
pub(super) struct Unproven {
    pub(super) shot: Shot,
    /// The gravest of its marks, and the crop of it.
    best: Option<(Mark, Option<String>)>,
}

/// The folder that a photo is in.
fn folder(path: &[u8]) -> Vec<u8> {
    path.iter().rposition(|byte| *byte == b'/').and_then(|at| path.get(..at)).unwrap_or_default().to_vec()
}

impl Parts {
    pub(super) fn new(group: Group) -> Self {
        Self { group, ..Self::default() }
    }

    /// Adds a photo, of which the path has these bytes; photos come in the order of these.
    pub(super) fn add(&mut self, path: &[u8], result: &PhotoResult) {
        let photo = &result.photo;
        let shot = Shot {
            order: path.to_vec(),
            photo: photo.exhibit(),
            place: photo.latitude.zip(photo.longitude),
            times: 1,
            crops: Vec::new(),
        };
        let grouped = self.group == Group::Folder;
        let mut proves = false;
        for (n, seen) in result.marks.iter().enumerate() {
            let folder = if grouped { folder(path) } else { Vec::new() };
            let Some(key) = key(&seen.mark, folder, &photo.sha256, n) else { continue };
            let proven = !key.line_key.is_empty();
            proves |= proven;
            if grouped && !proven {
                continue;
            }
            self.keys.insert((path.to_vec(), n), key.clone());
            let damage = seen.mark.repaired.unwrap_or(usize::MAX);
            let part = self.by_key.entry(key).or_insert_with(|| Part::of(seen.mark.clone(), usize::MAX));
            if part.read_from.is_empty() || damage < part.damage {
                (part.mark, part.damage, part.crop) = (seen.mark.clone(), damage, seen.crop.clone());
                part.read_from = vec![photo.path.clone()];
            }
            match part.shots.last_mut().filter(|last| last.order == path) {
                Some(last) => {
                    last.times += 1;
                    last.crops.push(seen.crop.clone());
                }
                None => part.shots.push(Shot { crops: vec![seen.crop.clone()], ..shot.clone() }),
            }
        }
        if grouped && !proves {
            let gravest = result.marks.iter().max_by_key(|seen| seen.mark.verdict);
            let best = gravest.map(|seen| (seen.mark.clone(), seen.crop.clone()));
            let crops = gravest.map(|seen| seen.crop.clone()).into_iter().collect();
            let shot = Shot { times: 0, crops, ..shot };
            self.rest.entry(folder(path)).or_default().push(Unproven { shot, best });
        }
    }

    /// The folders of which no photo proves anything, with the photos in them.
    pub(super) fn unproven_folders(&self) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
        let proven: BTreeSet<&Vec<u8>> = self.by_key.keys().map(|key| &key.folder).collect();
        let rest = self.rest.iter().filter(|(folder, _)| !proven.contains(folder));
        rest.map(|(folder, photos)| (folder.clone(), photos.iter().map(|photo| photo.shot.order.clone()).collect()))
            .collect()
    }

    /// What the photos of a folder say together, of which none proves anything: `mark`, read from those at these places.
    pub(super) fn put_together(&mut self, folder: &[u8], mark: Mark, from: &[usize]) {
        let Some(photos) = self.rest.get(folder) else { return };
        let first = photos.iter().find_map(|photo| photo.shot.photo.sha256.clone());
        let Some(key) = key(&mark, folder.to_vec(), &first, 0) else { return };
        let mut part = Part::of(mark, 0);
        part.read_from =
            from.iter().filter_map(|n| photos.get(*n)).map(|photo| photo.shot.photo.path.clone()).collect();
        part.crop = from.iter().filter_map(|n| photos.get(*n)?.best.as_ref()?.1.clone()).next();
        self.by_key.insert(key, part);
    }

    /// The parts, when all photos are in: by their ids.
    pub(super) fn finish(&mut self) -> BTreeMap<String, Part> {
        self.share_folders();
        let mut sorted: Vec<(Key, Part)> = self.by_key.drain().collect();
        let first = |part: &Part| part.shots.first().map(|shot| shot.order.clone());
        sorted.sort_by_cached_key(|(key, part)| (key.base.clone(), first(part), key.clone()));
        let (mut ids, mut times): (HashMap<Key, String>, HashMap<String, u32>) = (HashMap::new(), HashMap::new());
        for (key, _) in &sorted {
            let n = times.entry(key.base.clone()).and_modify(|n| *n += 1).or_insert(1);
            ids.insert(key.clone(), if *n == 1 { key.base.clone() } else { format!("{}-{n}", key.base) });
        }
        for (place, key) in self.keys.drain() {
            if let Some(id) = ids.get(&key) {
                self.ids.insert(place, id.clone());
            }
        }
        let mut parts = BTreeMap::new();
        for (key, part) in sorted {
            let Some(id) = ids.remove(&key) else { continue };
            for shot in &part.shots {
                self.of_photo.entry(shot.order.clone()).or_default().insert(id.clone());
            }
            parts.insert(id, part);
        }
        clones::find(&mut parts, self.group);
        parts
    }

    /// Photos that prove nothing are of the part of their folder, if there is one and no more.
    fn share_folders(&mut self) {
        let mut by_folder: HashMap<Vec<u8>, Vec<Key>> = HashMap::new();
        for key in self.by_key.keys() {
            by_folder.entry(key.folder.clone()).or_default().push(key.clone());
        }
        for (folder, photos) in std::mem::take(&mut self.rest) {
            let mut shots = photos.iter().map(|photo| photo.shot.clone());
            match by_folder.get(&folder).map_or(&[][..], Vec::as_slice) {
                [only] => {
                    if let Some(part) = self.by_key.get_mut(only) {
                        part.shots.extend(shots);
                        part.shots.sort_by(|a, b| a.order.cmp(&b.order));
                    }
                }
                [] => {
                    let first = photos.iter().find_map(|photo| photo.shot.photo.sha256.clone());
                    let gravest = photos.iter().filter_map(|photo| photo.best.as_ref().map(|best| (photo, best)));
                    let gravest = gravest.rev().max_by_key(|(_, (mark, _))| mark.verdict);
                    let mark = gravest.map_or_else(nothing, |(_, (mark, _))| mark.clone());
                    let mut part = Part::of(mark, 0);
                    part.crop = gravest.and_then(|(_, (_, crop))| crop.clone());
                    part.read_from = gravest.iter().map(|(photo, _)| photo.shot.photo.path.clone()).collect();
                    part.shots = shots.by_ref().collect();
                    let Some(hash) = first else { continue };
                    let base = key(&part.mark, Vec::new(), &Some(hash.clone()), 0).map(|key| key.base);
                    let base = base.unwrap_or_else(|| format!("part-{}", hash.get(..16).unwrap_or_default()));
                    let key = Key { base, line_key: String::new(), says: Default::default(), folder };
                    self.by_key.insert(key, part);
                }
                _ => {}
            }
        }
        for keys in by_folder.values().filter(|keys| self.group == Group::Folder && keys.len() > 1) {
            let detail =
                format!("the photos of one folder prove {} different marks: they are not all of one part", keys.len());
            for key in keys {
                if let Some(part) = self.by_key.get_mut(key) {
                    part.mark.findings.push(Finding { finding: "different-parts".into(), detail: detail.clone() });
                }
            }
        }
    }
}

impl Part {
    fn of(mark: Mark, damage: usize) -> Self {
        Self { mark, damage, crop: None, read_from: Vec::new(), shots: Vec::new(), clones: Vec::new() }
    }

    /// Which part it is, whatever its marks say: line key and serial. `None` of containers, and without a good signature.
    pub(super) fn serial(&self) -> Option<(&str, u64)> {
        self.mark.line_key.as_deref().zip(self.mark.serial)
    }

    /// What the mark says of the part.
    pub(super) fn mark(&self) -> &Mark {
        &self.mark
    }

    /// As it stands in the case folder.
    pub(super) fn result(self, id: String) -> PartResult {
        let Self { mark, crop, read_from, shots, clones, .. } = self;
        let photos = shots.into_iter().map(|shot| shot.photo.path).collect();
        PartResult { id, mark, photos, read_from, crop, clones, other: Map::new() }
    }
}

fn nothing() -> Mark {
    Mark::without(Verdict::NothingFound, "no symbol was found in the photos")
}

/// The part that a mark is on; `None` where it says nothing of any: what carries something else is no mark of a part.
fn key(mark: &Mark, folder: Vec<u8>, photo: &Option<String>, n: usize) -> Option<Key> {
    let says = |part: &Option<String>, lot: &Option<String>, date: &Option<String>, die: &Option<String>| {
        [part.clone(), lot.clone(), date.clone(), die.clone()]
    };
    if let (Some(line_key), Some(key_id)) = (&mark.line_key, &mark.key_id) {
        let base = match (&mark.container, mark.serial) {
            (Some(held), _) => format!("{key_id}-{}-{}-{}", held.level, held.first, held.last),
            (None, serial) => format!("{key_id}-{}", serial?),
        };
        let says = says(&mark.part, &mark.lot, &mark.date, &mark.die_id);
        return Some(Key { base, line_key: line_key.clone(), says, folder });
    }
    let verdict = mark.verdict.name();
    let read = mark.unauthenticated.as_ref().filter(|_| mark.verdict > Verdict::NotATouchmark);
    let base = match (read, mark.verdict) {
        (Some(read), _) => {
            let number = match (&read.container, read.serial) {
                (Some(held), _) => format!("{}-{}-{}", held.level, held.first, held.last),
                (None, serial) => serial.map_or_else(String::new, |serial| serial.to_string()),
            };
            format!("{verdict}-{}-{number}", read.key_id.as_deref().unwrap_or_default())
        }
        (None, Verdict::Unreadable) => {
            let photo = photo.as_deref().and_then(|hash| hash.get(..16)).unwrap_or_default();
            format!("{verdict}-{photo}-{}", n + 1)
        }
        _ => return None,
    };
    let says = read.map_or_else(Default::default, |read| says(&read.part, &read.lot, &read.date, &None));
    Some(Key { base, line_key: String::new(), says, folder })
}

#[cfg(test)]
mod tests;

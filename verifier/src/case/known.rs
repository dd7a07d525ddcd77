//! The store of sightings, asked about the parts of a case and told of them.

use super::assemble::Known;
use super::clones::{MOST, contradiction};
use super::folder::{Folder, FolderError, FolderErrorKind};
use super::parts::Shot;
use super::record::{Case, CloneFinding, CloneKind, Exhibit, Mark};
use crate::hex::hex;
use crate::sightings::{Sighting, Sightings, SightingsError};
use sha2::{Digest, Sha256};
use std::io;

/// Sightings that are put on record together.
const TOGETHER: usize = 1000;

/// The store, for one case.
pub struct SeenBefore {
    store: Sightings,
    case: (Vec<u8>, String),
    waiting: Vec<Sighting>,
}

fn failed(error: SightingsError) -> FolderError {
    FolderError { path: "sightings".into(), kind: FolderErrorKind::Sightings(error) }
}

impl SeenBefore {
    /// The store at `place` for the case in `folder`.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn open(place: &str, folder: &Folder, case: &Case) -> Result<Self, FolderError> {
        let json = serde_json::to_vec(case);
        let json = json.map_err(|e| FolderError { path: folder.case_json(), kind: FolderErrorKind::Io(e.into()) })?;
        // What a case was begun with, and when, is what tells it from others.
        let id = Sha256::digest(json).get(..16).unwrap_or_default().to_vec();
        let store = Sightings::open(place).map_err(failed)?;
        Ok(Self { store, case: (id, case.name.clone()), waiting: Vec::new() })
    }

    /// Puts the rest on record.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn finish(mut self) -> Result<(), FolderError> {
        self.store.add(&self.waiting).map_err(failed)
    }

    fn sighting(&self, mark: &Mark, shot: &Shot) -> Option<Sighting> {
        let (Some(key), Some(serial), Some(maker), Some(part), Some(date)) =
            (&mark.line_key, mark.serial, &mark.maker, &mark.part, &mark.date)
        else {
            return None;
        };
        Some(Sighting {
            line_key: key.parse().ok()?,
            serial,
            case: self.case.clone(),
            photo: unhex(shot.photo.sha256.as_deref().filter(|_| shot.times > 0)?)?,
            path: shot.photo.path.clone(),
            maker: maker.clone(),
            part: part.clone(),
            lot: mark.lot.clone(),
            date: date.clone(),
            taken: shot.photo.taken.clone(),
            place: shot.photo.place.clone(),
        })
    }
}

impl Known for SeenBefore {
    fn clones(&mut self, mark: &Mark, shots: &[Shot]) -> Result<Vec<CloneFinding>, FolderError> {
        let proving: Vec<(&Shot, Sighting)> =
            shots.iter().filter_map(|shot| Some((shot, self.sighting(mark, shot)?))).collect();
        let Some((shot, first)) = proving.first() else { return Ok(Vec::new()) };
        let before = self.store.of(Some(&first.line_key), first.serial).map_err(failed)?;
        // The same photo in another case is a copy of a photo, and no second part.
        let strange = before
            .iter()
            .filter(|old| old.case.0 != self.case.0 && !proving.iter().any(|(_, new)| new.photo == old.photo));
        let mut found: Vec<CloneFinding> = Vec::new();
        for old in strange {
            let told = |known: &CloneFinding| known.case.as_ref() == Some(&old.case.1);
            // A photo of each case is enough to look at.
            if found.len() < MOST && !found.iter().any(told) {
                found.push(finding(mark, shot.exhibit(0), old));
            }
        }
        self.waiting.extend(proving.into_iter().map(|(_, sighting)| sighting));
        if self.waiting.len() >= TOGETHER {
            self.store.add(&self.waiting).map_err(failed)?;
            self.waiting.clear();
        }
        Ok(found)
    }
}

fn finding(mark: &Mark, here: Exhibit, there: &Sighting) -> CloneFinding {
    let old =
        Mark { part: Some(there.part.clone()), lot: there.lot.clone(), date: Some(there.date.clone()), ..mark.clone() };
    let detail = match contradiction(mark, &old) {
        Some(what) => format!(
            "another case has this serial with another mark ({what}): the line's key is in other hands, or it broke its rules"
        ),
        None => {
            "another case has this mark on another photo: there are two parts, or both cases have the same one".into()
        }
    };
    let Sighting { path, photo, taken, place, case: (_, case), .. } = there.clone();
    // Its picture is in its own case, wherever that is now.
    let there = Exhibit { path, sha256: Some(hex(&photo)), taken, place, crop: None };
    CloneFinding { why: CloneKind::OtherCase, detail, here, there, part_id: None, case: Some(case) }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

impl From<SightingsError> for io::Error {
    fn from(error: SightingsError) -> Self {
        Self::other(error)
    }
}

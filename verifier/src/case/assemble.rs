//! The case folder out of the journal: results in order, parts, and the table for spreadsheets.

use super::folder::{Folder, FolderError, FolderErrorKind};
use super::journal::Journal;
use super::parts::{Part, Parts, Shot};
use super::record::{Case, CloneFinding, Group, Mark};
use super::{report, soft, table};
use crate::examine::fused;
use crate::pipeline::{Event, Put, each, threads};
use crate::read::Symbol;
use crate::verdict::Verdict;
use crate::verify::Basis;
use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;

/// Memory for the symbols of one folder, in bytes.
const MAX_SYMBOLS: usize = 256 << 20;

/// What came out of a case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Photos by their verdicts.
    pub photos: BTreeMap<Verdict, u64>,
    /// Parts by their verdicts.
    pub parts: BTreeMap<Verdict, u64>,
    /// Parts with something that speaks for a second one.
    pub cloned: u64,
}

/// What is known of other cases.
pub trait Known {
    /// What speaks for a second part with the mark of these photos.
    ///
    /// # Errors
    /// What is known cannot be looked up.
    fn clones(&mut self, mark: &Mark, shots: &[Shot]) -> Result<Vec<CloneFinding>, FolderError>;
}

/// Writes `results.jsonl`, `results.csv` and `parts.jsonl` from what is in the journal, and of these `report.html` and
/// `flows.graphml`.
///
/// # Errors
/// [`FolderError`].
pub fn assemble(
    folder: &Folder,
    case: &Case,
    journal: &Journal,
    basis: &Basis<'_>,
    mut known: Option<&mut dyn Known>,
) -> Result<Summary, FolderError> {
    let mut parts = Parts::new(case.group);
    let mut summary = Summary::default();
    for entry in journal.sorted()? {
        let entry = entry?;
        parts.add(&entry.path(), &entry.result);
        *summary.photos.entry(entry.result.verdict).or_default() += 1;
    }
    if case.group == Group::Folder {
        put_folders_together(folder, case, basis, &mut parts)?;
    }
    let found = parts.finish();
    folder.write_results(journal.sorted()?.map(|entry| {
        let entry = entry?;
        let path = entry.path();
        let mut result = entry.result;
        for (n, seen) in result.marks.iter_mut().enumerate() {
            seen.part_id = parts.ids.get(&(path.clone(), n)).cloned();
        }
        result.parts = parts.of_photo.get(&path).into_iter().flatten().cloned().collect();
        Ok::<_, FolderError>(result)
    }))?;
    table::write(folder)?;
    folder.write_parts(found.into_iter().map(|(id, part): (String, Part)| {
        let clones = match &mut known {
            Some(known) => known.clones(part.mark(), &part.shots)?,
            None => Vec::new(),
        };
        let mut part = part.result(id);
        part.clones.extend(clones);
        *summary.parts.entry(part.mark.verdict).or_default() += 1;
        summary.cloned += u64::from(!part.clones.is_empty());
        Ok(part)
    }))?;
    report::write(folder, report::Language::default())?;
    Ok(summary)
}

/// What the photos of each folder say together of which none says enough, on all cores.
fn put_folders_together(folder: &Folder, case: &Case, basis: &Basis<'_>, parts: &mut Parts) -> Result<(), FolderError> {
    let folders = parts.unproven_folders();
    let failed = |e| FolderError { path: folder.journal(), kind: FolderErrorKind::Io(e) };
    let source = |put: Put<'_, _>| {
        let _ = folders.iter().try_for_each(put);
    };
    each(
        threads(),
        source,
        |(name, photos)| together(folder, case, basis, photos).map(|mark| (name, mark)),
        |event| {
            if let Event::Done(seen) = event
                && let (name, Some((mark, from))) = seen.map_err(failed)?
            {
                parts.put_together(name, mark, &from);
            }
            Ok(ControlFlow::Continue(()))
        },
    )
}

/// The mark that the photos prove together of which none does alone, and those that it was read from.
fn together(
    folder: &Folder,
    case: &Case,
    basis: &Basis<'_>,
    photos: &[Vec<u8>],
) -> io::Result<Option<(Mark, Vec<usize>)>> {
    let symbols = kept(folder, photos)?;
    let slices: Vec<&[Symbol]> = symbols.iter().map(Vec::as_slice).collect();
    let all = fused(&slices, basis, case.effort);
    let proven = all.into_iter().find(|part| part.judged.assessment.proven.is_some());
    proven.map(|part| Ok((Mark::of(&part.judged)?, part.photos))).transpose()
}

/// The symbols of the photos of a folder that were not read, as many as there is room for.
fn kept(folder: &Folder, photos: &[Vec<u8>]) -> io::Result<Vec<Vec<Symbol>>> {
    let (mut all, mut bytes) = (Vec::new(), 0);
    for photo in photos {
        let symbols = soft::read(folder, photo)?;
        let modules = symbols.iter().flat_map(Symbol::samplings).map(|grid| grid.llr.len());
        bytes += modules.sum::<usize>() * size_of::<f32>();
        all.push(if bytes > MAX_SYMBOLS { Vec::new() } else { symbols });
    }
    Ok(all)
}

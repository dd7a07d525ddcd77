//! A part of the view, and what its cases say of it: where they contradict each other, and where they may have two parts.

use crate::case::record::{CloneFinding, CloneKind, Exhibit, Finding, PartResult, PhotoResult};
use crate::verdict::Verdict;
use std::collections::BTreeSet;

/// The finding that cases say different verdicts of one mark.
pub const DIFFERENT_VERDICTS: &str = "different-verdicts";

/// A part, and what each case says of it.
pub(super) struct Seen {
    pub(super) part: PartResult,
    pub(super) said: Vec<Said>,
}

/// What a case says of a part.
pub(super) struct Said {
    pub(super) case: String,
    pub(super) verdict: Verdict,
    pub(super) photos: BTreeSet<Exhibit>,
}

impl Said {
    /// The photo to look at: one with a picture of the mark, if there is one.
    fn best(&self) -> Option<&Exhibit> {
        self.photos.iter().find(|photo| photo.crop.is_some()).or(self.photos.first())
    }

    fn hashes(&self) -> BTreeSet<&str> {
        self.photos.iter().filter_map(|photo| photo.sha256.as_deref()).collect()
    }
}

impl Seen {
    /// Adds what another case says.
    pub(super) fn join(&mut self, part: PartResult, said: Said) {
        self.said.push(said);
        let own = &mut self.part;
        // What one case knows and the other does not, be it a consignee or a trail; and the graver verdict.
        if part.mark.verdict > own.mark.verdict {
            (own.mark.verdict, own.mark.reason) = (part.mark.verdict, part.mark.reason);
        }
        let disclosed = |part: &PartResult| part.mark.consignee.as_ref().is_some_and(|c| c.status == "disclosed");
        if own.mark.consignee.is_none()
            || part.mark.consignee.as_ref().is_some_and(|c| c.status == "disclosed") && !disclosed(own)
        {
            own.mark.consignee = part.mark.consignee;
        }
        let longer =
            part.mark.trail.as_ref().map(|trail| trail.records) > own.mark.trail.as_ref().map(|trail| trail.records);
        if longer {
            own.mark.trail = part.mark.trail;
        }
        own.crop = own.crop.take().or(part.crop);
        own.photos.extend(part.photos);
        own.read_from.extend(part.read_from);
        own.clones.extend(part.clones);
        for finding in part.mark.findings {
            if !own.mark.findings.contains(&finding) {
                own.mark.findings.push(finding);
            }
        }
    }

    /// Notes that the cases say different verdicts, if they do.
    pub(super) fn conflict(&mut self) -> bool {
        let verdicts: BTreeSet<_> = self.said.iter().map(|said| said.verdict).collect();
        if verdicts.len() < 2 {
            return false;
        }
        let each: Vec<String> =
            self.said.iter().map(|said| format!("{} in {}", said.verdict.name(), said.case)).collect();
        let detail = format!("{}: compare their trust bundles", each.join(", "));
        self.part.mark.findings.push(Finding { finding: DIFFERENT_VERDICTS.into(), detail });
        true
    }

    /// Puts the pictures to photos of another case that are at hand in the view, which has that case, too; `of` gives a photo
    /// by its hash.
    pub(super) fn show<'a>(&mut self, of: impl Fn(&str) -> Option<&'a PhotoResult>) {
        let id = &self.part.id;
        for exhibit in self.part.clones.iter_mut().flat_map(|clone| [&mut clone.here, &mut clone.there]) {
            let Some(photo) = exhibit.sha256.as_deref().filter(|_| exhibit.crop.is_none()).and_then(&of) else {
                continue;
            };
            let mark = photo.marks.iter().find(|mark| mark.part_id.as_ref() == Some(id));
            exhibit.crop = mark.and_then(|mark| mark.crop.clone());
            exhibit.path.clone_from(&photo.photo.path);
        }
    }

    /// Notes that two cases have the mark on photos of which none is the same, if they do.
    pub(super) fn copies(&mut self) -> bool {
        if self.part.mark.maker.is_none() {
            return false;
        }
        let (mut any, mut found) = (false, Vec::new());
        for (n, one) in self.said.iter().enumerate() {
            for other in self.said.iter().skip(n + 1) {
                let (Some(here), Some(there)) = (one.best(), other.best()) else { continue };
                if !one.hashes().is_disjoint(&other.hashes()) {
                    continue;
                }
                any = true;
                // The later case may have found it itself, by the sightings.
                let pair =
                    |clone: &CloneFinding| BTreeSet::from([clone.here.sha256.clone(), clone.there.sha256.clone()]);
                let own = CloneFinding {
                    why: CloneKind::OtherCase,
                    detail: "two cases have this mark, and no photo in common: one part that both saw, or a copy"
                        .into(),
                    here: here.clone(),
                    there: there.clone(),
                    part_id: None,
                    case: Some(other.case.clone()),
                };
                let told = |clone: &CloneFinding| clone.why == CloneKind::OtherCase && pair(clone) == pair(&own);
                if !self.part.clones.iter().any(told) {
                    found.push(own);
                }
            }
        }
        self.part.clones.extend(found);
        any
    }
}

//! A part that several cases have: what they say of it together, and where they contradict each other.

use super::DIFFERENT_VERDICTS;
use crate::case::record::{CloneFinding, CloneKind, Finding, PartResult, PhotoName};
use std::collections::BTreeSet;

/// A part, and what each case says of it.
pub(super) struct Seen {
    pub(super) part: PartResult,
    pub(super) said: Vec<Said>,
}

/// What one case says of it.
pub(super) struct Said {
    pub(super) case: String,
    pub(super) verdict: crate::verdict::Verdict,
    pub(super) photos: BTreeSet<PhotoName>,
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

    /// Notes that two cases have the mark on photos of which none is the same, if they do.
    pub(super) fn copies(&mut self) -> bool {
        if self.part.mark.maker.is_none() {
            return false;
        }
        let mut found = Vec::new();
        for (n, one) in self.said.iter().enumerate() {
            for other in self.said.iter().skip(n + 1) {
                let hashes =
                    |said: &Said| said.photos.iter().filter_map(|photo| photo.sha256.clone()).collect::<BTreeSet<_>>();
                let (Some(here), Some(there)) = (one.photos.first(), other.photos.first()) else { continue };
                if hashes(one).is_disjoint(&hashes(other)) {
                    found.push(CloneFinding {
                        why: CloneKind::OtherCase,
                        detail: "two cases have this mark, and no photo in common: one part that both saw, or a copy"
                            .into(),
                        here: here.clone(),
                        there: there.clone(),
                        part_id: None,
                        case: Some(other.case.clone()),
                    });
                }
            }
        }
        let any = !found.is_empty();
        self.part.clones.extend(found);
        any
    }
}

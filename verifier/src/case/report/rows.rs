//! The parts as the page's own program shows them, the gravest first.

use super::pictures::Pictures;
use super::svg::visible;
use crate::case::flows::{is_contradiction, is_doubtful};
use crate::case::record::{CloneFinding, CloneKind, Container, Exhibit, Hand, Mark, PartResult};
use crate::verdict::Verdict;
use serde::Serialize;
use std::collections::HashMap;

/// One part in the table. Texts are made visible, for the page shows them as they are.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    id: String,
    verdict: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    maker: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// What is above was read without a good signature.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    lead: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    /// `disclosed`, `sealed`, `not-in-mark` or `left-out`.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    consignee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consignee_country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hands: Vec<Step>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<[String; 2]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clones: Vec<Copy>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    doubtful: bool,
    photos: Vec<String>,
    /// A file in `crops/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crop: Option<String>,
    /// Why there is none: the key of the sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    without: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Step {
    date: String,
    event: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    corrected: bool,
}

/// What speaks for a copy.
#[derive(Debug, Serialize)]
pub(super) struct Copy {
    /// The stable name.
    pub(super) why: String,
    /// In words.
    pub(super) detail: String,
    /// The photo of this part.
    pub(super) here: Side,
    /// The other photo.
    pub(super) there: Side,
    /// The other case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) case: Option<String>,
}

/// One of two photos.
#[derive(Debug, Serialize)]
pub(super) struct Side {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) taken: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    /// A file in `crops/` that is at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) crop: Option<String>,
    /// Why there is none: the key of the sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) without: Option<&'static str>,
}

/// Clones before contradictions before the rest, and then by verdict: the order in which people should look.
pub(super) fn by_gravity(parts: &mut [PartResult]) {
    let contradicts = |part: &PartResult| part.mark.findings.iter().any(|f| is_contradiction(&f.finding));
    let rank = |part: &PartResult| (part.clones.is_empty(), !contradicts(part), std::cmp::Reverse(part.mark.verdict));
    parts.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.id.cmp(&b.id)));
}

impl Row {
    /// `photos`: by the id of a part, what to call its photos where their paths are left out.
    pub(super) fn of(part: &PartResult, photos: &HashMap<String, Vec<String>>, pictures: &Pictures) -> Self {
        let mark = &part.mark;
        let lead = mark.unauthenticated.as_ref().filter(|_| mark.maker.is_none());
        let own = |text: &Option<String>| text.as_deref().map(visible);
        let or = |proven: &Option<String>, read: Option<&Option<String>>| own(proven).or_else(|| own(read?));
        let container = mark.container.as_ref().or(lead.and_then(|lead| lead.container.as_ref()));
        let consignee = mark.consignee.as_ref();
        let known = consignee.filter(|consignee| consignee.status == "disclosed");
        let number = known.and_then(|known| known.number).map(|number| format!("no. {number}"));
        let (crop, without) = at_hand(part.crop.as_deref(), pictures);
        let paths = if part.photos.is_empty() { photos.get(&part.id) } else { Some(&part.photos) };
        Self {
            id: visible(&part.id),
            verdict: mark.verdict.name(),
            reason: visible(&mark.reason),
            maker: own(&mark.maker),
            country: own(&mark.country),
            line: own(&mark.line),
            key: or(&mark.key_id, lead.map(|lead| &lead.key_id)),
            site: mark.site,
            part: or(&mark.part, lead.map(|lead| &lead.part)),
            lot: or(&mark.lot, lead.map(|lead| &lead.lot)),
            serial: mark.serial.or(lead.and_then(|lead| lead.serial)).map(|serial| serial.to_string()),
            date: or(&mark.date, lead.map(|lead| &lead.date)),
            lead: lead.is_some(),
            container: container.map(held),
            status: status(mark),
            consignee: known.and_then(|known| own(&known.name)).or(number),
            consignee_country: known.and_then(|known| own(&known.country)),
            address: known.and_then(|known| own(&known.address)),
            case: known.and_then(|known| own(&known.case)),
            hands: mark.trail.iter().flat_map(|trail| &trail.hands).map(step).collect(),
            findings: mark.findings.iter().map(|f| [visible(&f.finding), visible(&f.detail)]).collect(),
            clones: part.clones.iter().map(|clone| copy(clone, pictures)).collect(),
            doubtful: is_doubtful(part),
            photos: paths.into_iter().flatten().map(|path| visible(path)).collect(),
            crop,
            without,
        }
    }
}

fn status(mark: &Mark) -> String {
    let left_out = if mark.maker.is_some() { "left-out" } else { "" };
    mark.consignee.as_ref().map_or(left_out.to_owned(), |consignee| visible(&consignee.status))
}

fn held(container: &Container) -> String {
    let Container { level, first, last, quantity, .. } = container;
    format!("{}: {quantity} ({first}–{last})", visible(level))
}

fn step(hand: &Hand) -> Step {
    let named = hand.to.as_ref().map(|to| match &to.country {
        Some(country) => visible(&format!("{} ({country})", to.name)),
        None => visible(&to.name),
    });
    let (date, event) = (visible(&hand.date), visible(&hand.event));
    Step { date, event, to: named, corrected: hand.corrected }
}

/// A clone finding in texts that can be shown.
pub(super) fn copy(found: &CloneFinding, pictures: &Pictures) -> Copy {
    let why = serde_json::to_value(found.why).ok().and_then(|name| name.as_str().map(str::to_owned));
    let there = side(&found.there, pictures);
    let elsewhere = found.why == CloneKind::OtherCase && found.there.crop.is_none();
    Copy {
        why: why.unwrap_or_default(),
        detail: visible(&found.detail),
        here: side(&found.here, pictures),
        there: if elsewhere { Side { without: Some("picture-elsewhere"), ..there } } else { there },
        case: found.case.as_deref().map(visible),
    }
}

fn side(photo: &Exhibit, pictures: &Pictures) -> Side {
    let (crop, without) = at_hand(photo.crop.as_deref(), pictures);
    let own = |text: &Option<String>| text.as_deref().map(visible);
    let name = called(&photo.path, photo.sha256.as_deref());
    Side { name, taken: own(&photo.taken), place: own(&photo.place), crop, without }
}

/// The picture, if there is one, or the key of the sentence why not.
fn at_hand(crop: Option<&str>, pictures: &Pictures) -> (Option<String>, Option<&'static str>) {
    match crop {
        Some(crop) if pictures.has(crop) => (Some(crop.to_owned()), None),
        Some(_) => (None, Some("picture-missing")),
        None => (None, Some("no-picture")),
    }
}

/// What a photo is called: its path, or where that is left out the beginning of its hash.
pub(super) fn called(path: &str, sha256: Option<&str>) -> String {
    match (path, sha256) {
        ("", Some(sha256)) => format!("SHA-256 {}…", visible(sha256.get(..16).unwrap_or(sha256))),
        (path, _) => visible(path),
    }
}

/// Whether a path is that of a picture below the case folder, and nothing else.
pub(crate) fn is_crop(path: &str) -> bool {
    let name = path.strip_prefix("crops/").and_then(|name| name.strip_suffix(".jpg"));
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    name.is_some_and(|name| !name.is_empty() && name.len() < 100 && name.chars().all(good))
}

/// The key of the sentence that says what a verdict means.
pub(super) fn means(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Authentic => "means-authentic",
        Verdict::Forged => "means-forged",
        Verdict::Revoked => "means-revoked",
        Verdict::OutOfScope => "means-out-of-scope",
        Verdict::UnknownIssuer => "means-unknown-issuer",
        Verdict::NotATouchmark => "means-not-a-touchmark",
        Verdict::Unreadable => "means-unreadable",
        Verdict::NothingFound => "means-nothing-found",
    }
}

/// All verdicts, the gravest first.
pub(super) const VERDICTS: [Verdict; 8] = [
    Verdict::Forged,
    Verdict::Revoked,
    Verdict::OutOfScope,
    Verdict::UnknownIssuer,
    Verdict::NotATouchmark,
    Verdict::Unreadable,
    Verdict::NothingFound,
    Verdict::Authentic,
];

//! Bytes of a symbol and a trust bundle in, verdict out. Pure: no files, no clock, no pixels.

mod facts;
mod scope;
mod trace;

pub use facts::{ConsigneeStatus, ContainerFacts, Proven, Unproven};
pub use trace::{Answered, Trace};

use crate::verdict::{Finding, FindingKind, Verdict};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use touchmark_formats::base45;
use touchmark_formats::carried::Carried;
use touchmark_formats::date::Date;
use touchmark_formats::disclosure::Disclosure;
use touchmark_formats::key::KeyId;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::record::What;
use touchmark_formats::ledger::trail::Seen;
use touchmark_formats::mark::{Extension, Part};
use touchmark_formats::text::Label;
use touchmark_formats::trust::{Directory, Issuer};

/// What a verdict is based on. The disclosures were opened by [`Signed::open_for`](touchmark_formats::signed::Signed::open_for).
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// Whom to believe.
    pub directory: &'a Directory<'a>,
    /// What makers disclosed to this reader.
    pub disclosures: &'a [Disclosure],
    /// What makers answered from their ledgers.
    pub trails: &'a [Answered],
    /// The part number printed beside the code, if somebody stated it.
    pub printed_part: Option<&'a str>,
    /// The lot printed beside the code, if somebody stated it.
    pub printed_lot: Option<&'a str>,
    /// The present, for what has expired.
    pub now: Timestamp,
}

/// A verdict, what it rests on, and what else was noticed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Assessment {
    /// The verdict.
    pub verdict: Verdict,
    /// A sentence that says why.
    pub reason: String,
    /// What a good signature proves; absent without one.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Proven>,
    /// What was read without a good signature: a lead, not a fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unauthenticated: Option<Unproven>,
    /// What else was noticed.
    pub findings: Vec<Finding>,
}

impl Assessment {
    /// The assessment of a symbol or photo that carries no mark to speak of.
    #[must_use]
    pub fn without_mark(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self { verdict, reason: reason.into(), proven: None, unauthenticated: None, findings: Vec::new() }
    }
}

/// Judges what a symbol carries: the bytes of a mark, or its text form.
#[must_use]
pub fn verify(content: &[u8], basis: &Basis<'_>) -> Assessment {
    let text_form = || base45::decode(std::str::from_utf8(content).ok()?.trim_end()).ok();
    let parsed = Carried::from_bytes(content).or_else(|e| match text_form() {
        Some(bytes) => Carried::from_bytes(&bytes),
        None => Err(e),
    });
    match parsed {
        Ok(carried) => verify_carried(&carried, basis),
        Err(e) => Assessment::without_mark(Verdict::NotATouchmark, format!("the symbol carries something else: {e}")),
    }
}

/// Judges a code that somebody typed or pasted: base45, with an optional `TM1:` before it. Line breaks, lower case and
/// spaces lost at an end are put right, since only a text that verifies counts.
#[must_use]
pub fn verify_text(typed: &str, basis: &Basis<'_>) -> Assessment {
    let mut best: Option<Assessment> = None;
    let mut why = String::new();
    for spelling in spellings(typed) {
        let bytes = base45::decode(&spelling).map_err(|e| e.to_string());
        match bytes.and_then(|bytes| Carried::from_bytes(&bytes).map_err(|e| e.to_string())) {
            Ok(carried) => {
                let assessment = verify_carried(&carried, basis);
                if assessment.proven.is_some() {
                    return assessment;
                }
                best.get_or_insert(assessment);
            }
            Err(e) if why.is_empty() => why = e,
            Err(_) => {}
        }
    }
    best.unwrap_or_else(|| Assessment::without_mark(Verdict::NotATouchmark, format!("no mark in text form: {why}")))
}

/// What `typed` may have been before a keyboard, a mail or a clipboard had it: the likeliest first.
fn spellings(typed: &str) -> Vec<String> {
    let joined: String = typed.chars().filter(|c| !matches!(c, '\r' | '\n' | '\t')).collect();
    let upper = joined.to_ascii_uppercase();
    let code = upper.trim_start().strip_prefix("TM1:").unwrap_or(&upper);
    let trimmed = code.trim();
    let mut out = vec![joined.clone(), code.to_owned()];
    for lead in ["", " ", "  "] {
        out.extend(["", " ", "  "].map(|tail| format!("{lead}{trimmed}{tail}")));
    }
    out
}

/// Judges a parsed mark, of a part or a container.
#[must_use]
pub fn verify_carried(mark: &Carried, basis: &Basis<'_>) -> Assessment {
    let mut findings = trust_age(basis);
    let mut issuers = Vec::new();
    for issuer in basis.directory.issuers(mark.key_id()) {
        match issuer {
            Ok(issuer) => issuers.push(issuer),
            Err(e) => {
                findings.push(finding(FindingKind::BrokenDelegation, format!("a delegation was passed over: {e}")))
            }
        }
    }
    let mut good: Vec<_> = issuers.iter().filter(|issuer| signed_by(mark, issuer)).collect();
    // Of several delegations of the key that signed, one within whose limits the mark is speaks for it.
    if good.len() > 1 {
        good.sort_by_key(|issuer| scope::broken(mark, issuer, basis).reasons.len());
    }
    match good.first() {
        Some(issuer) => judge(mark, issuer, basis, findings),
        None => {
            findings.extend(unresolved_part(mark, &issuers));
            unproven(mark, issuers.is_empty(), findings)
        }
    }
}

/// An index beyond every list is no proof of forgery: the bundle may be older than the mark.
fn unresolved_part(mark: &Carried, issuers: &[Issuer<'_>]) -> Option<Finding> {
    let Part::Listed(index) = mark.part() else { return None };
    let resolves = |issuer: &Issuer<'_>| issuer.delegation.part_named(mark.part()).is_some();
    let resolved = issuers.is_empty() || issuers.iter().any(resolves);
    let detail =
        format!("the mark names entry {index} of a part list that no delegation here has; a newer trust bundle may");
    (!resolved).then(|| finding(FindingKind::PartNotResolved, detail))
}

fn finding(finding: FindingKind, detail: impl Into<String>) -> Finding {
    Finding { finding, detail: detail.into() }
}

fn trust_age(basis: &Basis<'_>) -> Vec<Finding> {
    let trust = basis.directory.trust();
    let days = basis.now.duration_since(trust.expires).as_hours() / 24;
    let detail = || {
        format!(
            "the trust bundle (version {}) expired {days} days ago: keys may have been revoked since",
            trust.version
        )
    };
    if basis.now > trust.expires { vec![finding(FindingKind::TrustExpired, detail())] } else { Vec::new() }
}

fn signed_by(mark: &Carried, issuer: &Issuer<'_>) -> bool {
    let delegation = issuer.delegation;
    delegation.part_named(mark.part()).is_some_and(|part| {
        issuer.key.verify(&mark.message(&issuer.maker.root, part, mark.lot(delegation)), mark.signature())
    })
}

fn judge(mark: &Carried, issuer: &Issuer<'_>, basis: &Basis<'_>, mut findings: Vec<Finding>) -> Assessment {
    let scope::Broken { reasons, findings: noticed } = scope::broken(mark, issuer, basis);
    findings.extend(noticed);
    let revoked = revoked(mark, issuer, basis, &mut findings);
    let (verdict, reason) = match (revoked, reasons) {
        (Some(reason), _) => (Verdict::Revoked, reason),
        (None, broken) if !broken.is_empty() => {
            (Verdict::OutOfScope, format!("the signature is good, but {}", broken.join("; ")))
        }
        _ => (
            Verdict::Authentic,
            "the mark is authentic: its signature is good, and its line was allowed to make it".into(),
        ),
    };
    let proven = prove(mark, issuer, basis, &mut findings);
    if let Some(Proven { part, lot, .. }) = &proven {
        let lot = lot.as_ref().map_or("no lot", Label::as_str);
        for (kind, marked, printed) in [
            (FindingKind::PartContradictsPrint, part.as_str(), basis.printed_part),
            (FindingKind::LotContradictsPrint, lot, basis.printed_lot),
        ] {
            let Some(printed) = printed.filter(|printed| !same_print(marked, printed)) else { continue };
            let detail =
                format!("the mark says {marked}, the print says {printed:?}: the mark may come from another part");
            findings.push(finding(kind, detail));
        }
    }
    Assessment { verdict, reason, proven, unauthenticated: None, findings }
}

/// Print on a package is capitals, and spaces in it mean nothing.
fn same_print(a: &str, b: &str) -> bool {
    let plain =
        |text: &str| text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect::<String>();
    plain(a) == plain(b)
}

/// Why the mark is revoked, if it is.
fn revoked(mark: &Carried, issuer: &Issuer<'_>, basis: &Basis<'_>, findings: &mut Vec<Finding>) -> Option<String> {
    let line = basis.directory.trust().revocation(&issuer.delegation.key).map(|r| ("line key", r));
    let root = basis.directory.trust().revocation(&issuer.maker.root).map(|r| ("maker's root key", r));
    let (which, revocation) = line.into_iter().chain(root).min_by_key(|(_, r)| r.since)?;
    if mark.date() < revocation.since {
        if let Some(Seen { made, witness, at, .. }) = seen(mark, issuer, basis, revocation.since) {
            let at = i64::try_from(*at).ok().and_then(|at| Timestamp::from_second(at).ok()).unwrap_or_default();
            let detail = format!(
                "the {which} was revoked as of {}: {}; but {witness} saw on {at} that the maker had this serial on record as made on {}",
                revocation.since, revocation.reason, made.date
            );
            findings.push(finding(FindingKind::DateCorroborated, detail));
            return None;
        }
        let detail = format!(
            "the mark is dated {}, before the revocation, but whoever holds the key can write any date, and nothing else vouches for this one",
            mark.date()
        );
        findings.push(finding(FindingKind::DateNotCorroborated, detail));
    }
    Some(format!(
        "the signature is good, but the {which} was revoked as of {}: {}",
        revocation.since, revocation.reason
    ))
}

/// Whether a witness saw this very part on its maker's record before the day `since`: part, lot and day as the mark says.
fn seen<'a>(mark: &Carried, issuer: &Issuer<'_>, basis: &Basis<'a>, since: Date) -> Option<&'a Seen> {
    let Carried::Mark(signed) = mark else { return None };
    let place = Place { line: issuer.delegation.key, serial: signed.mark.serial };
    let since = TimeZone::UTC.to_timestamp(since.civil().at(0, 0, 0, 0)).ok()?.as_second();
    let part = issuer.delegation.part_named(mark.part())?;
    let own = basis.trails.iter().filter(|trail| trail.maker == issuer.maker.root);
    own.flat_map(|trail| &trail.seen).find(|seen| {
        let same = match &seen.made.what {
            What::Commissioned { part: own, lot, .. } => {
                trace::same(own, lot.as_ref(), part, mark.lot(issuer.delegation))
            }
            _ => false,
        };
        let before = i64::try_from(seen.at).is_ok_and(|at| at < since);
        seen.place == place && same && mark.date() <= seen.made.date && before
    })
}

fn prove(mark: &Carried, issuer: &Issuer<'_>, basis: &Basis<'_>, findings: &mut Vec<Finding>) -> Option<Proven> {
    let (maker, delegation) = (issuer.maker, issuer.delegation);
    let extension = match mark {
        Carried::Mark(signed) => signed.mark.extension,
        Carried::Container(_) => Extension::default(),
    };
    let (part, lot) = (delegation.part_named(mark.part())?, mark.lot(delegation));
    let trail = Trace::of(mark, &maker.root, delegation.key, basis.trails);
    let contradiction = trail.as_ref().and_then(|trail| trail.contradicts(part, lot));
    findings.extend(contradiction.map(|detail| finding(FindingKind::LedgerContradictsMark, detail)));
    Some(Proven {
        maker: maker.name.clone(),
        country: maker.country.clone(),
        line: delegation.line.clone(),
        line_key: delegation.key,
        key_id: mark.key_id().to_string(),
        part: part.clone(),
        lot: lot.cloned(),
        serial: facts::serial(mark),
        container: ContainerFacts::of(mark),
        date: mark.date(),
        site: mark.site().unwrap_or(delegation.site),
        die_id: extension.die_id.map(|id| KeyId(id).to_string()),
        grade: extension.grade.map(|tenths| f64::from(tenths) / 10.0),
        consignee: consignee(mark, issuer, basis, findings),
        trail,
    })
}

fn consignee(mark: &Carried, issuer: &Issuer<'_>, basis: &Basis<'_>, findings: &mut Vec<Finding>) -> ConsigneeStatus {
    let Some(capsule) = mark.capsule() else { return ConsigneeStatus::NotInMark };
    let (root, delegation) = (issuer.maker.root, issuer.delegation);
    let mut covered = false;
    for disclosure in basis.disclosures.iter().filter(|d| d.maker == root) {
        let opened = mark.consignee(disclosure, &delegation.key, mark.lot(delegation));
        covered |= opened.is_some();
        let Some(Some(number)) = opened else { continue };
        if basis.now > disclosure.expires {
            let detail = format!("the maker meant its disclosure to be used until {}", disclosure.expires);
            findings.push(finding(FindingKind::DisclosureExpired, detail));
        }
        let known = disclosure.name(number);
        return ConsigneeStatus::Disclosed {
            number,
            name: known.map(|c| c.name.clone()),
            country: known.and_then(|c| c.country.clone()),
            address: known.and_then(|c| c.address.clone()),
            case: disclosure.case.clone(),
            check_bits: capsule.size().check_bits(),
        };
    }
    if covered {
        let detail = "a disclosure covers this mark, but its key does not open the capsule: ask the maker why";
        findings.push(finding(FindingKind::CapsuleNotOpened, detail));
    }
    ConsigneeStatus::Sealed
}

fn unproven(mark: &Carried, unknown: bool, findings: Vec<Finding>) -> Assessment {
    let (verdict, reason) = if unknown {
        let reason = format!("no key in the trust bundle has the id {}: the maker is not known here", mark.key_id());
        (Verdict::UnknownIssuer, reason)
    } else {
        (Verdict::Forged, format!("no key with the id {} made this signature", mark.key_id()))
    };
    Assessment { verdict, reason, proven: None, unauthenticated: Some(Unproven::of(mark)), findings }
}

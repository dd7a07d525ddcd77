//! Bytes of a symbol and a trust bundle in, verdict out. Pure: no files, no clock, no pixels.

use crate::verdict::{Finding, FindingKind, Verdict};
use jiff::Timestamp;
use serde::Serialize;
use touchmark_formats::base45;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::OutOfScope;
use touchmark_formats::disclosure::Disclosure;
use touchmark_formats::key::KeyId;
use touchmark_formats::mark::{Mark, Part, SignedMark};
use touchmark_formats::text::Label;
use touchmark_formats::trust::{Country, Directory, Issuer, Void};

/// What a verdict is based on. The disclosures were opened by [`Disclosure::open`].
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// Whom to believe.
    pub directory: &'a Directory<'a>,
    /// What makers disclosed to this reader.
    pub disclosures: &'a [Disclosure],
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

/// The fields of a mark whose signature is good.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proven {
    /// The manufacturer.
    pub maker: Label,
    /// Its country.
    pub country: Country,
    /// The line that signed.
    pub line: Label,
    /// The id of the line key, hexadecimal.
    pub key_id: String,
    /// The part number.
    pub part: Label,
    /// The lot, if the mark or its delegation says.
    pub lot: Option<Label>,
    /// The serial.
    pub serial: u64,
    /// The day of production.
    pub date: Date,
    /// The site.
    pub site: u16,
    /// First four bytes of the hash of the die's own id, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub die_id: Option<String>,
    /// Print quality when made: ISO/IEC 15415 grade, 0.0 to 4.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grade: Option<f64>,
    /// To whom the part was first sold.
    pub consignee: ConsigneeStatus,
}

/// What is known of the consignee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum ConsigneeStatus {
    /// The maker disclosed it.
    Disclosed {
        /// Its number at the maker.
        number: u64,
        /// Its name, if the disclosure has it.
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<Label>,
        /// Its country.
        #[serde(skip_serializing_if = "Option::is_none")]
        country: Option<Country>,
        /// Its address.
        #[serde(skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// The case for which it was disclosed.
        case: String,
        /// Zero bits in the capsule: a wrong key would show with a probability of 1 - 2^-bits.
        check_bits: u8,
    },
    /// The mark carries it, sealed; the maker can disclose it.
    Sealed,
    /// The mark does not carry it; the maker's shipping ledger may know.
    NotInMark,
}

/// The fields of a mark whose signature is not good, or not known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unproven {
    /// The key id that it names, hexadecimal.
    pub key_id: String,
    /// The part number, if the mark spells it.
    pub part: Option<Label>,
    /// The index of the part, if it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_index: Option<u16>,
    /// The lot, if the mark spells it.
    pub lot: Option<Label>,
    /// The serial.
    pub serial: u64,
    /// The date.
    pub date: Date,
}

impl Unproven {
    /// The fields of `mark`.
    #[must_use]
    pub fn of(mark: &Mark) -> Self {
        let (part, part_index) = match &mark.part {
            Part::Inline(text) => (Some(text.clone()), None),
            Part::Listed(index) => (None, Some(*index)),
        };
        Self {
            key_id: mark.key_id.to_string(),
            part,
            part_index,
            lot: mark.lot.clone(),
            serial: mark.serial.get(),
            date: mark.date,
        }
    }
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
    let parsed = SignedMark::from_bytes(content).or_else(|e| match text_form() {
        Some(bytes) => SignedMark::from_bytes(&bytes),
        None => Err(e),
    });
    match parsed {
        Ok(signed) => verify_mark(&signed, basis),
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
        match bytes.and_then(|bytes| SignedMark::from_bytes(&bytes).map_err(|e| e.to_string())) {
            Ok(signed) => {
                let assessment = verify_mark(&signed, basis);
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

/// Judges a parsed mark.
#[must_use]
pub fn verify_mark(signed: &SignedMark, basis: &Basis<'_>) -> Assessment {
    let mark = &signed.mark;
    let mut findings = trust_age(basis);
    let mut issuers = Vec::new();
    for issuer in basis.directory.issuers(mark.key_id) {
        match issuer {
            Ok(issuer) => issuers.push(issuer),
            Err(e) => {
                findings.push(finding(FindingKind::BrokenDelegation, format!("a delegation was passed over: {e}")))
            }
        }
    }
    let mut good: Vec<_> = issuers.iter().filter(|issuer| signed_by(signed, issuer)).collect();
    // Of several delegations of the key that signed, one within whose limits the mark is speaks for it.
    if good.len() > 1 {
        good.sort_by_key(|issuer| reasons_out_of_scope(mark, issuer, basis).len());
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
fn unresolved_part(mark: &Mark, issuers: &[Issuer<'_>]) -> Option<Finding> {
    let Part::Listed(index) = mark.part else { return None };
    let resolved = issuers.is_empty() || issuers.iter().any(|issuer| issuer.delegation.part(mark).is_some());
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

fn signed_by(signed: &SignedMark, issuer: &Issuer<'_>) -> bool {
    let (mark, delegation) = (&signed.mark, issuer.delegation);
    delegation.part(mark).is_some_and(|part| {
        issuer.key.verify(&mark.message(&issuer.maker.root, part, delegation.lot(mark)), &signed.signature)
    })
}

fn judge(mark: &Mark, issuer: &Issuer<'_>, basis: &Basis<'_>, mut findings: Vec<Finding>) -> Assessment {
    let (verdict, reason) = match (revoked(mark, issuer, basis), reasons_out_of_scope(mark, issuer, basis)) {
        (Some((reason, corroborated)), _) => {
            findings.extend(corroborated);
            (Verdict::Revoked, reason)
        }
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

fn revoked(mark: &Mark, issuer: &Issuer<'_>, basis: &Basis<'_>) -> Option<(String, Option<Finding>)> {
    let line = basis.directory.trust().revocation(&issuer.delegation.key).map(|r| ("line key", r));
    let root = basis.directory.trust().revocation(&issuer.maker.root).map(|r| ("maker's root key", r));
    let (which, revocation) = line.into_iter().chain(root).min_by_key(|(_, r)| r.since)?;
    let reason =
        format!("the signature is good, but the {which} was revoked as of {}: {}", revocation.since, revocation.reason);
    let early = (mark.date < revocation.since).then(|| {
        let detail = format!(
            "the mark is dated {}, before the revocation, but whoever holds the key can write any date, and nothing else vouches for this one",
            mark.date
        );
        finding(FindingKind::DateNotCorroborated, detail)
    });
    Some((reason, early))
}

fn reasons_out_of_scope(mark: &Mark, issuer: &Issuer<'_>, basis: &Basis<'_>) -> Vec<String> {
    let (maker, delegation) = (issuer.maker, issuer.delegation);
    let mut reasons: Vec<String> = delegation
        .violations(mark)
        .into_iter()
        .map(|limit| match limit {
            OutOfScope::Part => "the line was not allowed to mark this part".into(),
            OutOfScope::Lot => "the line was not allowed to mark this lot, or this serial in it".into(),
            OutOfScope::Serial => format!("the line was allowed serials {} only", delegation.serials),
            OutOfScope::TooEarly => format!("the line was not allowed to mark before {}", delegation.not_before),
            OutOfScope::TooLate => format!("the line was not allowed to mark after {}", delegation.not_after),
            OutOfScope::CapsuleSize => format!("the line seals {} bytes of consignee", delegation.capsule_bytes),
            _ => format!("a limit of its delegation is broken ({})", limit.name()),
        })
        .collect();
    if mark.date < maker.valid_from || mark.date > maker.valid_until {
        reasons.push(format!(
            "the authority vouches for this maker from {} to {} only",
            maker.valid_from, maker.valid_until
        ));
    }
    let void = |v: &&Void| v.key == delegation.key && v.serials.contains(mark.serial);
    if let Some(void) = basis.directory.trust().voids.iter().find(void) {
        reasons.push(format!("serials {} were declared void: {}", void.serials, void.reason));
    }
    reasons
}

fn prove(mark: &Mark, issuer: &Issuer<'_>, basis: &Basis<'_>, findings: &mut Vec<Finding>) -> Option<Proven> {
    let (maker, delegation) = (issuer.maker, issuer.delegation);
    Some(Proven {
        maker: maker.name.clone(),
        country: maker.country.clone(),
        line: delegation.line.clone(),
        key_id: mark.key_id.to_string(),
        part: delegation.part(mark)?.clone(),
        lot: delegation.lot(mark).cloned(),
        serial: mark.serial.get(),
        date: mark.date,
        site: mark.extension.site.unwrap_or(delegation.site),
        die_id: mark.extension.die_id.map(|id| KeyId(id).to_string()),
        grade: mark.extension.grade.map(|tenths| f64::from(tenths) / 10.0),
        consignee: consignee(mark, issuer, basis, findings),
    })
}

fn consignee(mark: &Mark, issuer: &Issuer<'_>, basis: &Basis<'_>, findings: &mut Vec<Finding>) -> ConsigneeStatus {
    let Some(capsule) = mark.capsule else { return ConsigneeStatus::NotInMark };
    let (root, delegation) = (issuer.maker.root, issuer.delegation);
    let mut covered = false;
    for disclosure in basis.disclosures.iter().filter(|d| d.maker == root) {
        let opened = disclosure.consignee(&delegation.key, mark, delegation.lot(mark));
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

fn unproven(mark: &Mark, unknown: bool, findings: Vec<Finding>) -> Assessment {
    let (verdict, reason) = if unknown {
        let reason = format!("no key in the trust bundle has the id {}: the maker is not known here", mark.key_id);
        (Verdict::UnknownIssuer, reason)
    } else {
        (Verdict::Forged, format!("no key with the id {} made this signature", mark.key_id))
    };
    Assessment { verdict, reason, proven: None, unauthenticated: Some(Unproven::of(mark)), findings }
}

//! How results are put into words for people.

use super::trail;
use crate::examine::{FoundMark, Judged};
pub(super) use crate::hex::hex;
use crate::verify::{Assessment, ConsigneeStatus, ContainerFacts, Proven, Trace, Unproven};
use std::fmt::Write;

/// `text` without characters that could drive a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// A warning for a photo of which only a part could be decoded.
pub(super) fn damaged(file: &str, damage: &str) -> String {
    plain(&format!("warning: {file} is damaged or cut short ({damage}); what is left of it was searched"))
}

/// The first 16 bytes of a fingerprint, in groups that people can compare aloud.
pub(super) fn fingerprint(bytes: &[u8; 32]) -> String {
    let groups: Vec<String> = bytes.chunks(2).take(8).map(hex).collect();
    groups.join(" ")
}

/// An assessment as indented lines: the verdict first, what is proven, what is not, what else was noticed.
pub(super) fn assessment(assessment: &Assessment) -> String {
    let mut out = format!("{}: {}\n", assessment.verdict.name().to_uppercase(), assessment.reason);
    let rows = assessment.proven.as_ref().map(proven).unwrap_or_default();
    for (name, value) in rows {
        let _ = writeln!(out, "  {name:<10} {value}");
    }
    if let Some(unproven) = &assessment.unauthenticated {
        out += "  read, but not authenticated (a lead, not a fact):\n";
        for (name, value) in unauthenticated(unproven) {
            let _ = writeln!(out, "    {name:<8} {value}");
        }
    }
    for finding in &assessment.findings {
        let _ = writeln!(out, "  note       {}", finding.detail);
    }
    plain_lines(&out)
}

/// A symbol in a photo in a few words: kind, size, damage, place.
pub(super) fn found(mark: &FoundMark) -> String {
    let [[x, y], ..] = mark.corners;
    format!("{}, top left corner at {x:.0}, {y:.0}", symbol(&mark.judged))
}

/// The kind of a symbol as people write it, from its name in data.
pub(super) fn kind(symbology: &str) -> &str {
    match symbology {
        "QRCode" => "QR Code",
        "MicroQRCode" => "Micro QR Code",
        "DataMatrix" => "Data Matrix",
        other => other,
    }
}

/// A symbol in a few words: kind, size, damage.
pub(super) fn symbol(mark: &Judged) -> String {
    let [width, height] = mark.modules;
    let kind = kind(mark.symbology);
    let repaired = match (mark.repaired, mark.codewords) {
        (Some(repaired), Some(all)) => format!(", {repaired} of {all} codewords repaired"),
        _ if mark.recovered => ", beyond its error correction: recovered by what is known of it".into(),
        _ => String::new(),
    };
    format!("{kind} {width}x{height}{repaired}")
}

fn plain_lines(text: &str) -> String {
    text.lines().map(|line| plain(line) + "\n").collect()
}

fn proven(proven: &Proven) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("maker", format!("{} ({})", proven.maker, proven.country)),
        ("line", format!("{}, site {}, key {}", proven.line, proven.site, proven.key_id)),
        ("part", proven.part.to_string()),
        ("lot", proven.lot.as_ref().map_or("not in the mark".into(), ToString::to_string)),
    ];
    rows.extend(proven.serial.map(|serial| ("serial", serial.to_string())));
    rows.extend(proven.container.iter().flat_map(container));
    rows.push(("date", proven.date.to_string()));
    rows.push(("consignee", consignee(&proven.consignee, proven.trail.is_some())));
    if let Some(Trace { ledger, records, case, hands }) = &proven.trail {
        rows.push(("ledger", format!("{ledger}, {records} records, asked for case {case:?}")));
        let maker = format!("{} ({})", proven.maker, proven.country);
        rows.extend(["trail"].into_iter().chain(std::iter::repeat("")).zip(trail::lines(hands, &maker)));
    }
    rows.extend(proven.die_id.iter().map(|id| ("die id", format!("hash {id}"))));
    rows.extend(proven.grade.iter().map(|grade| ("grade", format!("{grade:.1} when made"))));
    rows
}

/// A container: what it is, and which parts are in it.
fn container(facts: &ContainerFacts) -> Vec<(&'static str, String)> {
    let ContainerFacts { level, first, last, quantity, sscc } = facts;
    let mut rows = vec![(*level, format!("{quantity} parts, with serials {first} to {last}"))];
    rows.extend(sscc.iter().map(|code| ("SSCC", code.clone())));
    rows
}

fn consignee(status: &ConsigneeStatus, traced: bool) -> String {
    match status {
        ConsigneeStatus::Disclosed { number, name, country, address, case, .. } => {
            let mut out = name.as_ref().map_or("not named by the maker".into(), ToString::to_string);
            out += &country.as_ref().map(|c| format!(", {c}")).unwrap_or_default();
            out += &address.as_ref().map(|a| format!(", {a}")).unwrap_or_default();
            out + &format!(" (number {number}, disclosed for case {case:?})")
        }
        ConsigneeStatus::Sealed if traced => "sealed in the mark".into(),
        ConsigneeStatus::NotInMark if traced => "not in the mark".into(),
        ConsigneeStatus::Sealed => "sealed in the mark; ask the maker to disclose it".into(),
        ConsigneeStatus::NotInMark => "not in the mark; ask the maker for its shipping record".into(),
    }
}

fn unauthenticated(unproven: &Unproven) -> Vec<(&'static str, String)> {
    let index = unproven.part_index.map(|index| format!("entry {index} of a list"));
    let part = unproven.part.as_ref().map(ToString::to_string).or(index);
    let mut rows = vec![("key", unproven.key_id.clone())];
    rows.extend(part.map(|part| ("part", part)));
    rows.extend(unproven.lot.as_ref().map(|lot| ("lot", lot.to_string())));
    rows.extend(unproven.serial.map(|serial| ("serial", serial.to_string())));
    rows.extend(unproven.container.iter().flat_map(container));
    rows.push(("date", unproven.date.to_string()));
    rows
}

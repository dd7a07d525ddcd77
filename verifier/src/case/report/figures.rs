//! Counts, flows, map and timeline: each a drawing and the table that says the same.

use super::overview::{bdi, head, pick, text, text_with};
use super::svg::escape;
use super::words::Language;
use super::{sankey, timeline as bars, world};
use crate::case::flows::{Count, Flows, by_country, by_month, counted, first_buyer};
use crate::case::record::PartResult;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Rows of the tables of makers and the like.
const MOST_COUNTS: usize = 12;
/// Rows of the table of flows.
const MOST_FLOWS: usize = 20;

/// Parts by maker, consignee, lot and month, a table each.
pub(super) fn counts(parts: &[PartResult], language: Language) -> String {
    let maker = |part: &PartResult| place(part.mark.maker.as_deref()?, part.mark.country.as_deref());
    let buyer = |part: &PartResult| first_buyer(part).and_then(|party| place(&party.name, party.country.as_deref()));
    let proven = |part: &PartResult| part.mark.maker.is_some();
    let lot = |part: &PartResult| part.mark.lot.clone().filter(|_| proven(part));
    let month = |part: &PartResult| part.mark.date.as_deref().filter(|_| proven(part))?.get(..7).map(str::to_owned);
    let mut dates = counted(parts, month);
    dates.sort_by(|(a, _), (b, _)| a.cmp(b));
    table("maker", "maker", &counted(parts, maker), language)
        + &table("consignee", "consignee", &counted(parts, buyer), language)
        + &table("lot", "lot", &counted(parts, lot), language)
        + &table("month", "text", &dates, language)
}

fn place(name: &str, country: Option<&str>) -> Option<String> {
    Some(country.map_or(name.to_owned(), |country| format!("{name} ({country})")))
}

fn table(key: &str, field: &str, counts: &[(String, Count)], language: Language) -> String {
    if counts.is_empty() {
        return format!("<div><h3>{}</h3><p>{}</p></div>", text(key, language), text("none-known", language));
    }
    let mut out = head(key, &[(key, false), ("count", true), ("doubtful", true)], language);
    for (name, count) in counts.iter().take(MOST_COUNTS) {
        let doubtful = if count.doubtful == 0 { String::new() } else { count.doubtful.to_string() };
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{doubtful}</td></tr>",
            pick(field, name, &bdi(name)),
            count.parts,
        );
    }
    out += "</tbody></table>";
    if counts.len() > MOST_COUNTS {
        let _ = write!(
            out,
            "<p class=\"small\">{}</p>",
            text_with("others", &[("n", counts.len() - MOST_COUNTS)], language)
        );
    }
    format!("<div>{out}</div>")
}

/// The diagram of flows, and the largest of them as a table.
pub(super) fn flows(flows: &Flows, language: Language) -> String {
    let Some(drawn) = sankey::sankey(flows, language) else {
        return format!("<p>{}</p>", text("none-known", language));
    };
    let mut out = drawn;
    out += &head(
        "flows-caption",
        &[("from", false), ("to", false), ("count", true), ("doubtful", true), ("arrived", false)],
        language,
    );
    let mut edges: Vec<_> = flows.edges.iter().collect();
    edges.sort_by_key(|edge| std::cmp::Reverse(edge.count.parts));
    for edge in edges.iter().take(MOST_FLOWS) {
        let party = |n: usize| {
            let party = flows.nodes.get(n).map(|node| &node.party);
            party.map_or(String::new(), |party| match sankey::unknown(party) {
                Some(key) => text(key, language),
                None => bdi(&sankey::party_name(party, language)),
            })
        };
        let days = edge.days.as_ref().map_or(String::new(), |(first, last)| {
            if first == last { first.clone() } else { format!("{first} – {last}") }
        });
        let doubtful = if edge.count.doubtful == 0 { String::new() } else { edge.count.doubtful.to_string() };
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{doubtful}</td><td>{}</td></tr>",
            party(edge.from),
            party(edge.to),
            edge.count.parts,
            escape(&days)
        );
    }
    out += "</tbody></table>";
    if edges.len() > MOST_FLOWS {
        let _ =
            write!(out, "<p class=\"small\">{}</p>", text_with("others", &[("n", edges.len() - MOST_FLOWS)], language));
    }
    out
}

/// The map, and its numbers as a table.
pub(super) fn map(
    parts: &[PartResult],
    places: &BTreeMap<(i32, i32), u64>,
    flows: &Flows,
    language: Language,
) -> String {
    let countries = by_country(parts);
    let mut routes: BTreeMap<(String, String), u64> = BTreeMap::new();
    for edge in &flows.edges {
        let country = |n: usize| flows.nodes.get(n).and_then(|node| node.party.country.clone());
        if let (Some(from), Some(to)) = (country(edge.from), country(edge.to)) {
            *routes.entry((from, to)).or_default() += edge.count.parts;
        }
    }
    let Some(mut out) = world::map(&countries, &routes, places, language) else {
        return format!("<p>{}</p>", text("none-known", language));
    };
    out += &head("map-caption", &[("country", false), ("made", true), ("sold", true), ("passed", true)], language);
    let mut rows: Vec<_> = countries.iter().collect();
    rows.sort_by_key(|(_, country)| std::cmp::Reverse(country.made + country.sold + country.passed));
    for (code, country) in rows {
        let code = escape(code);
        let _ = write!(out, "<tr><th scope=\"row\"><span data-country=\"{code}\">{code}</span></th>");
        for n in [country.made, country.sold, country.passed] {
            let n = if n == 0 { String::new() } else { n.to_string() };
            let _ = write!(out, "<td class=\"n\">{n}</td>");
        }
        out += "</tr>";
    }
    out + "</tbody></table>"
}

/// The bars, and their numbers as a table.
pub(super) fn timeline(parts: &[PartResult], language: Language) -> String {
    let months = by_month(parts);
    let Some(mut out) = bars::timeline(&months, language) else {
        return format!("<p>{}</p>", text("none-known", language));
    };
    let key = |class: &str| {
        format!(
            "<li><svg viewBox=\"0 0 10 8\" aria-hidden=\"true\"><rect class=\"{class}\" width=\"10\" height=\"8\"/></svg>{}</li>",
            text(class, language)
        )
    };
    let _ = write!(out, "<ul class=\"legend\">{}{}</ul>", key("made"), key("arrivals"));
    out += &head("timeline-caption", &[("date", false), ("made", true), ("arrivals", true)], language);
    for (month, (made, arrived)) in months {
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escape(&month));
        for n in [made, arrived] {
            let n = if n == 0 { String::new() } else { n.to_string() };
            let _ = write!(out, "<td class=\"n\">{n}</td>");
        }
        out += "</tr>";
    }
    out + "</tbody></table>"
}

//! What to look at first: what may be a copy, with both photos side by side, and contradictions.

use super::overview::{bdi, english, pick, tag, text, text_with};
use super::pictures::{Pictures, Source};
use super::rows::{self, Side};
use super::svg::escape;
use super::words::{Language, say};
use crate::case::flows::{is_contradiction, is_doubtful};
use crate::case::record::PartResult;
use std::fmt::Write;

/// Entries of the list.
const MOST: usize = 25;

/// Clones and contradictions; `parts` stand the gravest first. It needs no program, as in the preview of a mail.
pub(super) fn first(parts: &[PartResult], pictures: &mut Pictures, language: Language) -> String {
    let all = parts.iter().filter(|part| is_doubtful(part)).count();
    if all == 0 {
        return format!("<p>{}</p>", text("first-none", language));
    }
    let mut out = format!("<p>{}</p><ol class=\"first\">", text("first-explained", language));
    for part in parts.iter().take(all.min(MOST)) {
        let mark = &part.mark;
        let serial = mark.serial.map(|serial| format!(" {serial}")).unwrap_or_default();
        let name = format!("{}{serial}", mark.part.as_deref().unwrap_or(&part.id));
        let _ = write!(out, "<li>{} {}", tag(mark.verdict, language), pick("text", &part.id, &bdi(&name)));
        for clone in &part.clones {
            let sources = [&clone.here, &clone.there].map(|exhibit| pictures.draw(exhibit.crop.as_deref()?));
            let copy = rows::copy(clone, pictures);
            let _ = write!(out, "<p><strong>{}</strong>: {}</p>", text(&copy.why, language), english(&copy.detail));
            let [here, there] = sources;
            let _ = write!(
                out,
                "<div class=\"pair\">{}{}</div>",
                figure("seen", &copy.here, here, None, language),
                figure("held-against", &copy.there, there, copy.case.as_deref(), language)
            );
        }
        for finding in mark.findings.iter().filter(|f| is_contradiction(&f.finding)) {
            let said = text(&finding.finding, language);
            let _ = write!(out, "<p><strong>{said}</strong>: {}</p>", english(&finding.detail));
        }
        out += "</li>";
    }
    out += "</ol>";
    if all > MOST {
        let _ = write!(out, "<p>{}</p>", text_with("first-more", &[("n", all - MOST)], language));
    }
    out
}

/// A photo of a pair, or the sentence why it is not there, and what tells the photo.
fn figure(key: &str, side: &Side, source: Option<Source>, case: Option<&str>, language: Language) -> String {
    let mut out = String::from("<figure>");
    let source = match (source, &side.crop) {
        (Some(Source::Inside(data)), _) => Some(data),
        (Some(Source::Beside), Some(crop)) => Some(escape(crop)),
        _ => None,
    };
    match (source, &side.crop) {
        (Some(source), Some(crop)) => {
            let name = escape(&side.name);
            let alt = escape(say(language, "picture-in")).replace("{name}", &name);
            let _ = write!(
                out,
                "<img alt=\"{alt}\" data-alt=\"picture-in\" data-name=\"{name}\" data-crop=\"{}\" src=\"{source}\">",
                escape(crop)
            );
        }
        _ => {
            let _ = write!(out, "<p class=\"without\">{}</p>", text(side.without.unwrap_or("no-picture"), language));
        }
    }
    let _ = write!(out, "<figcaption>{} {}", text(key, language), bdi(&side.name));
    let told = [("in-case", case), ("taken", side.taken.as_deref()), ("place", side.place.as_deref())];
    for (key, told) in told.into_iter().filter_map(|(key, told)| Some((key, told?))) {
        let _ = write!(out, "<br>{} {}", text(key, language), bdi(told));
    }
    out + "</figcaption></figure>"
}

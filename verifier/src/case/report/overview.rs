//! The parts of the page that stand without its program: what it rests on, verdicts, and photos without a part.

use super::Photos;
use super::pictures::Pictures;
use super::rows::{self, Row, VERDICTS};
use super::svg::{Drawing, escape, tenth};
use super::words::{Language, say};
use crate::case::flows::is_doubtful;
use crate::case::record::{Case, FileUsed, PartResult, PhotoResult};
use crate::verdict::Verdict;
use std::fmt::Write;

/// Photos listed without a part.
const MOST_REST: usize = 500;

/// A sentence that the page's program says in another language when asked.
pub(super) fn text(key: &str, language: Language) -> String {
    format!("<span data-t=\"{key}\">{}</span>", escape(say(language, key)))
}

/// The same with a number in it.
pub(super) fn text_with(key: &str, gaps: &[(&str, usize)], language: Language) -> String {
    let (mut said, mut data) = (say(language, key).to_owned(), String::new());
    for (name, n) in gaps {
        said = said.replace(&format!("{{{name}}}"), &n.to_string());
        let _ = write!(data, " data-{name}=\"{n}\"");
    }
    format!("<span data-t=\"{key}\"{data}>{}</span>", escape(&said))
}

/// The sign beside a verdict, so that it does not stand by its colour alone.
pub(super) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Authentic => "✓",
        Verdict::Forged => "✕",
        Verdict::Revoked => "⊘",
        Verdict::OutOfScope => "⊗",
        Verdict::UnknownIssuer => "?",
        Verdict::NotATouchmark => "≠",
        Verdict::Unreadable => "…",
        Verdict::NothingFound => "–",
    }
}

pub(super) fn tag(verdict: Verdict, language: Language) -> String {
    let (name, sign) = (verdict.name(), sign(verdict));
    format!("<span class=\"tag {name}\" data-sign=\"{sign}\" data-t=\"{name}\">{}</span>", escape(say(language, name)))
}

/// A button that sets the filter `field` of the table of parts to `value`.
pub(super) fn pick(field: &str, value: &str, label: &str) -> String {
    let value = escape(value);
    format!("<button type=\"button\" class=\"pick\" data-pick=\"{field}\" data-value=\"{value}\">{label}</button>")
}

/// A sentence of evidence, which stays as it was written.
pub(super) fn english(text: &str) -> String {
    format!("<span lang=\"en\">{}</span>", escape(text))
}

pub(super) fn bdi(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(text))
}

pub(super) fn languages(language: Language) -> String {
    let button = |(own, name): (Language, &str)| {
        let (tag, pressed) = (own.tag(), own == language);
        format!(
            "<button type=\"button\" lang=\"{tag}\" data-language=\"{tag}\" aria-pressed=\"{pressed}\">{name}</button>"
        )
    };
    Language::ALL.into_iter().map(button).collect()
}

/// What the verdicts rest on: each file by its hash.
pub(super) fn bases(case: &Case, language: Language) -> String {
    let file =
        |used: &FileUsed| format!("{} <span class=\"hash\">SHA-256 {}</span>", bdi(&used.file), escape(&used.sha256));
    let row = |key: &str, value: String| format!("<div><dt>{}</dt><dd>{value}</dd></div>", text(key, language));
    let trust = &case.trust;
    let version = format!("{}, {} {}", file(&trust.file), text("version", language), trust.bundle_version);
    let mut out = row("authority", bdi(&trust.authority)) + &row("trust", version);
    for used in &case.disclosures {
        out += &row("disclosure", file(used));
    }
    // A merged view has those of its cases.
    for own in case.other.get("cases").and_then(serde_json::Value::as_array).into_iter().flatten() {
        let said = |pointer: &str| own.pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default();
        let hash = escape(said("/trust/sha256"));
        let told = format!(
            "{}, {}; {} {} <span class=\"hash\">SHA-256 {hash}</span>",
            bdi(said("/name")),
            escape(said("/created")),
            text("trust", language),
            bdi(said("/trust/file"))
        );
        out += &row("cases", told);
    }
    out
}

/// How many parts have which verdict.
pub(super) fn verdicts(parts: &[PartResult], photos: &Photos, language: Language) -> String {
    let doubtful = parts.iter().filter(|part| is_doubtful(part)).count();
    let figure = |n: u64, key: &str| format!("<li><b>{n}</b> {}</li>", text(key, language));
    let mut out = format!(
        "<ul class=\"figures\">{}{}{}{}</ul>",
        figure(photos.count, "photos"),
        figure(parts.len() as u64, "parts"),
        figure(doubtful as u64, "doubtful"),
        if photos.unopened > 0 { figure(photos.unopened, "unopened") } else { String::new() },
    );
    let _ = write!(
        out,
        "<table class=\"verdicts\"><caption>{}</caption><thead><tr><th scope=\"col\">{}</th><th scope=\"col\" class=\"n\">{}</th><th scope=\"col\">{}</th><th scope=\"col\"></th></tr></thead><tbody>",
        text("verdicts-caption", language),
        text("verdict", language),
        text("count", language),
        text("share", language),
    );
    for verdict in VERDICTS {
        let n = parts.iter().filter(|part| part.mark.verdict == verdict).count();
        if n == 0 {
            continue;
        }
        let name = verdict.name();
        let mut bar = Drawing::default();
        let wide = tenth(100.0 * n as f64 / parts.len() as f64);
        bar.shape("rect", &[("width", &wide), ("height", &6)], None);
        let bar = bar.finish("share", 100.0, 6.0, &format!("{wide} %")).replacen(
            "<svg",
            "<svg preserveAspectRatio=\"none\"",
            1,
        );
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"n\">{}</td><td><span class=\"bar\">{bar}</span></td><td class=\"means\">{}</td></tr>",
            tag(verdict, language),
            pick("verdict", name, &n.to_string()),
            text(rows::means(verdict), language)
        );
    }
    out + "</tbody></table>"
}

/// A table up to its first row. Columns of numbers are flush right.
pub(super) fn head(caption: &str, columns: &[(&str, bool)], language: Language) -> String {
    let mut out = format!("<table><caption>{}</caption><thead><tr>", text(caption, language));
    for (key, number) in columns {
        let class = if *number { " class=\"n\"" } else { "" };
        let _ = write!(out, "<th scope=\"col\"{class}>{}</th>", text(key, language));
    }
    out + "</tr></thead><tbody>"
}

/// How many pictures are in the page, where not all are.
pub(super) fn pictures(rows: &[Row], pictures: &Pictures, language: Language) -> String {
    let pictured = rows.iter().filter_map(|row| row.crop.as_ref());
    let (inside, beside): (Vec<_>, Vec<_>) = pictured.partition(|crop| pictures.inside(crop));
    if beside.is_empty() {
        return String::new();
    }
    text_with("pictures-embedded", &[("n", inside.len()), ("of", inside.len() + beside.len())], language)
}

/// Photos that show no part.
#[derive(Debug, Default)]
pub(super) struct Rest {
    count: usize,
    listed: Vec<(String, Verdict, &'static str, String)>,
}

impl Rest {
    pub(super) fn add(&mut self, photo: &PhotoResult) {
        self.count += 1;
        if self.listed.len() < MOST_REST {
            let name = rows::called(&photo.photo.path, photo.photo.sha256.as_deref());
            let why = photo.error.as_ref().or(photo.damage.as_ref()).unwrap_or(&photo.reason);
            let means = if photo.error.is_some() { "means-unopened" } else { rows::means(photo.verdict) };
            self.listed.push((name, photo.verdict, means, why.clone()));
        }
    }

    pub(super) fn page(&self, language: Language) -> String {
        if self.count == 0 {
            return format!("<p>{}</p>", text("rest-none", language));
        }
        let mut out = head("rest", &[("file", false), ("verdict", false), ("reason", false)], language);
        for (name, verdict, means, why) in &self.listed {
            let (name, tag, means) = (bdi(name), tag(*verdict, language), text(means, language));
            let _ = write!(
                out,
                "<tr><td>{name}</td><td>{tag}</td><td>{means}<br><span class=\"small\" lang=\"en\">{}</span></td></tr>",
                escape(why)
            );
        }
        out += "</tbody></table>";
        if self.count > self.listed.len() {
            let more = self.count - self.listed.len();
            let _ = write!(out, "<p class=\"small\">{}</p>", text_with("rest-more", &[("n", more)], language));
        }
        out
    }
}

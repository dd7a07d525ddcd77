//! Drawings as SVG, and text made safe for HTML and SVG.

use super::tip::Tip;
use std::fmt::{Display, Write};

/// `text` as the content of an element or of an attribute in double quotes, of HTML and of XML. What drives terminals
/// and the direction of writing is shown by its number, for names in a case are an attacker's to choose.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if unseen(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// `text` with what nobody sees shown by its number.
pub(crate) fn visible(text: &str) -> String {
    if !text.chars().any(unseen) {
        return text.to_owned();
    }
    let shown = |c: char| if unseen(c) { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Whether `c` shows nothing or changes how others are shown, or is no character of XML 1.0.
fn unseen(c: char) -> bool {
    touchmark_formats::text::forbidden(c) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

/// An SVG element under construction.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    body: String,
}

/// The attributes of an element.
pub(crate) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

impl Drawing {
    /// Begins an element that holds others until [`Self::close`].
    pub(crate) fn open(&mut self, name: &str, attributes: Attributes<'_>) -> &mut Self {
        self.body.push('<');
        self.body.push_str(name);
        for (name, value) in attributes {
            let _ = write!(self.body, " {name}=\"{}\"", escape(&value.to_string()));
        }
        self.body.push('>');
        self
    }

    /// Ends the element called `name`.
    pub(crate) fn close(&mut self, name: &str) -> &mut Self {
        let _ = write!(self.body, "</{name}>");
        self
    }

    /// An element with nothing in it but what a pointer over it is told.
    pub(super) fn shape(&mut self, name: &str, attributes: Attributes<'_>, tip: Option<&Tip>) -> &mut Self {
        self.open(name, attributes);
        if let Some(tip) = tip {
            match tip.pieces() {
                Some(pieces) => self.text("title", &[("data-tip", &pieces)], &tip.said()),
                None => self.text("title", &[], &tip.said()),
            };
        }
        self.close(name)
    }

    /// An element with text.
    pub(crate) fn text(&mut self, name: &str, attributes: Attributes<'_>, text: &str) -> &mut Self {
        self.open(name, attributes);
        self.body.push_str(&escape(text));
        self.close(name)
    }

    /// As [`Self::finish`], of a part of the drawing: its left, top, width and height.
    pub(crate) fn finish_view(self, class: &str, [x, y, width, height]: [f64; 4], label: &str) -> String {
        let whole = self.finish(class, width, height, label);
        whole.replacen("viewBox=\"0 0 ", &format!("viewBox=\"{} {} ", tenth(x), tenth(y)), 1)
    }

    /// The whole drawing, of `width` by `height` units, called `label` by programs that read aloud; `class` for the style sheet.
    pub(crate) fn finish(self, class: &str, width: f64, height: f64, label: &str) -> String {
        format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">{}</svg>",
            escape(label),
            self.body
        )
    }
}

/// At most `most` characters of `text`, the rest by an ellipsis.
pub(crate) fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A length to a tenth of a unit: more only makes files long.
pub(crate) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::words::Language;
    use super::*;

    #[test]
    fn text_ends_no_element_and_no_attribute() {
        let hostile = "</title><script>alert(\"1\")</script>' onload='x' & \u{202e}gpj\u{0}";
        let safe = escape(hostile);
        assert!(!safe.contains(['<', '>', '"', '\'', '\u{202e}', '\u{0}']), "{safe}");
        assert!(safe.contains("&lt;script&gt;") && safe.contains("\\u{202e}gpj\\u{0}"), "{safe}");
        let mut drawing = Drawing::default();
        drawing.shape("rect", &[("data-filter", &hostile)], Some(&Tip::new(Language::En).text(hostile).word("made")));
        let drawn = drawing.finish("c", 1.0, 1.0, hostile);
        assert_eq!(drawn.matches('<').count(), 6, "{drawn}");
    }
}

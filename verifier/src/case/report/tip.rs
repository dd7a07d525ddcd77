//! What a pointer over a figure is told: names and numbers, and words that the page says in another language when asked.

use super::svg::visible;
use super::words::{Language, say};
use serde::Serialize;
use std::fmt::Display;

/// A text of pieces.
#[derive(Debug, Clone)]
pub(super) struct Tip {
    language: Language,
    pieces: Vec<Piece>,
}

/// As the page's program reads it: a text as it stands, or the key of a word in a list of one.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Piece {
    Text(String),
    Word([String; 1]),
}

impl Tip {
    /// An empty one.
    pub(super) fn new(language: Language) -> Self {
        Self { language, pieces: Vec::new() }
    }

    /// With a text behind it, which is the same in every language.
    pub(super) fn text(mut self, text: impl Display) -> Self {
        self.pieces.push(Piece::Text(visible(&text.to_string())));
        self
    }

    /// With the word called `key` behind it.
    pub(super) fn word(mut self, key: &str) -> Self {
        self.pieces.push(Piece::Word([key.to_owned()]));
        self
    }

    /// In the language in which the page opens.
    pub(super) fn said(&self) -> String {
        let said = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Word([key]) => say(self.language, key).to_owned(),
        };
        self.pieces.iter().map(said).collect()
    }

    /// For the page's program, as JSON; nothing, if it is the same in every language.
    pub(super) fn pieces(&self) -> Option<String> {
        let any = self.pieces.iter().any(|piece| matches!(piece, Piece::Word(_)));
        any.then(|| serde_json::to_string(&self.pieces).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_change_with_the_language_and_names_do_not() {
        let tip = |language| Tip::new(language).text("a\"[\u{202e}{made}").text(": ").word("made").text(" ").text(3);
        assert_eq!(tip(Language::En).said(), "a\"[\\u{202e}{made}: Made 3");
        assert_eq!(tip(Language::Uk).said(), "a\"[\\u{202e}{made}: Виготовлено 3");
        let pieces = tip(Language::Nl).pieces().unwrap();
        assert_eq!(pieces, r#"["a\"[\\u{202e}{made}",": ",["made"]," ","3"]"#);
        assert_eq!(Tip::new(Language::En).text("NL → DE: 5").pieces(), None);
    }
}

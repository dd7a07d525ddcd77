//! Every sentence of the report, in every language.

mod judged;
mod page;

use serde::Serialize;
use std::collections::BTreeMap;

/// A language of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, clap::ValueEnum)]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Dutch.
    Nl,
    /// Ukrainian.
    Uk,
}

impl Language {
    /// All of them, with their own names.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::En, "English"), (Self::Nl, "Nederlands"), (Self::Uk, "Українська")];

    /// The tag of BCP 47.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Nl => "nl",
            Self::Uk => "uk",
        }
    }
}

/// The text called `key` in `language`; the key itself if there is none, which a test rules out.
pub(super) fn say(language: Language, key: &str) -> &str {
    texts().find(|(own, _)| *own == key).map_or(key, |(_, texts)| texts[language as usize])
}

/// Every text by language and key, as the page's own program uses them.
pub(super) fn all() -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let of = |language: Language| texts().map(move |(key, texts)| (*key, texts[language as usize]));
    Language::ALL.into_iter().map(|(language, _)| (language.tag(), of(language).collect())).collect()
}

/// A key, and its text in the order of [`Language::ALL`]. `{n}`, `{of}` and the like stand for what the page knows.
type Text = (&'static str, [&'static str; 3]);

fn texts() -> impl Iterator<Item = &'static Text> {
    judged::WORDS.iter().chain(page::WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_language_has_every_sentence_once_and_with_the_same_gaps() {
        let mut keys = BTreeSet::new();
        for (key, texts) in texts() {
            assert!(keys.insert(*key), "{key} stands twice");
            for text in texts {
                assert!(!text.trim().is_empty(), "{key} is empty");
                assert_eq!(placeholders(text), placeholders(texts[0]), "{key}");
            }
            let cyrillic = texts[2].chars().any(|c| ('\u{400}'..'\u{500}').contains(&c));
            assert!(cyrillic, "{key} is not in Ukrainian: {}", texts[2]);
        }
    }

    #[test]
    fn the_page_uses_what_there_is() {
        let known: BTreeSet<&str> = texts().map(|(key, _)| *key).collect();
        let page = include_str!("page.html");
        let in_page = page.split("{t:").skip(1).filter_map(|rest| rest.split_once('}')).map(|(key, _)| key);
        // t("key", ...) in the page's own program.
        let script = include_str!("page.js");
        let called = script.match_indices("t(\"").filter(|(at, _)| !script[..*at].ends_with(char::is_alphanumeric));
        let in_script = called.filter_map(|(at, call)| script[at + call.len()..].split_once('"')).map(|(key, _)| key);
        let mut used = 0;
        for key in in_page.chain(in_script) {
            assert!(known.contains(key), "{key:?} is in no language");
            used += 1;
        }
        assert!(used > 40, "{used}");
        // Why there is no picture, and what tells a photo.
        let by_name =
            ["no-picture", "picture-missing", "picture-elsewhere", "seen", "held-against", "in-case", "taken", "place"];
        let means = super::super::rows::VERDICTS.map(super::super::rows::means);
        for key in by_name.into_iter().chain(means).chain(["means-unopened"]) {
            assert!(known.contains(key), "{key:?} is in no language");
        }
        use crate::verdict::FindingKind as Kind;
        let kinds = [
            Kind::PartContradictsPrint,
            Kind::LotContradictsPrint,
            Kind::DifferentParts,
            Kind::DateNotCorroborated,
            Kind::DateCorroborated,
            Kind::TrustExpired,
            Kind::DisclosureExpired,
            Kind::CapsuleNotOpened,
            Kind::LedgerContradictsMark,
            Kind::BrokenDelegation,
            Kind::ClosedLot,
            Kind::BrokenClose,
            Kind::PartNotResolved,
        ];
        for kind in kinds {
            let name = serde_json::to_value(kind).unwrap();
            assert!(known.contains(name.as_str().unwrap()), "{name}");
        }
    }
}

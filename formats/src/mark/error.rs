//! Why bytes are no mark.

use crate::codec::Fault;
use crate::text::PackFault;

/// Why bytes are no mark. Each is one kind of refusal with a stable name; the sentence beside it may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MarkError {
    /// The first byte is not 0x90 to 0xBF: something else.
    NotAMark,
    /// Kinds that a later version defines, 0xA0 to 0xAF (micro marks), and another kind than the one asked for.
    UnknownKind,
    /// More than [`crate::mark::MAX_BYTES`].
    TooLong,
    /// The bytes end before the fields do, or leave no room for a signature.
    Truncated,
    /// A serial above [`crate::mark::Serial::MAX`], or not in its shortest form.
    Serial,
    /// A container's level other than 1 to 3.
    Level,
    /// A container's last serial above [`crate::mark::Serial::MAX`], or its distance from the first not in the shortest
    /// form.
    Range,
    /// A container that lacks as many serials as its range holds or more, or a number not in its shortest form.
    Missing,
    /// A part index above 65,535, or not in its shortest form.
    PartIndex,
    /// A text of no characters.
    TextEmpty,
    /// A packed text beyond what its characters can make.
    TextOverflow,
    /// A text in a larger alphabet than it needs.
    TextAlphabet,
    /// A text that is not UTF-8.
    TextUtf8,
    /// A text that is no [`crate::text::Label`].
    TextCharacter,
    /// An extension block with nothing in it.
    ExtensionEmpty,
    /// Tags that do not rise.
    ExtensionOrder,
    /// A tag that version 1 does not define.
    ExtensionTag,
    /// A value of the wrong length or out of range.
    ExtensionValue,
    /// A capsule of fewer than 3 or more than 8 bytes, or bytes where no capsule was announced.
    CapsuleLength,
}

impl MarkError {
    /// The stable name, as the test vectors spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.name_and_sentence().0
    }

    fn name_and_sentence(self) -> (&'static str, &'static str) {
        match self {
            Self::NotAMark => ("not-a-mark", "the first byte is not that of a Touchmark"),
            Self::UnknownKind => ("unknown-kind", "a kind of Touchmark that this version does not know"),
            Self::TooLong => ("too-long", "more than 255 bytes"),
            Self::Truncated => ("truncated", "the bytes end within a field or the signature"),
            Self::Serial => ("serial", "the serial is out of range or not in its shortest form"),
            Self::Level => ("level", "a level of container that version 1 does not define"),
            Self::Range => ("range", "the range of serials is too long or not in its shortest form"),
            Self::Missing => {
                ("missing", "no part would be left in the container, or a number is not in its shortest form")
            }
            Self::PartIndex => ("part-index", "the part index is out of range or not in its shortest form"),
            Self::TextEmpty => ("text-empty", "a text without characters"),
            Self::TextOverflow => ("text-overflow", "a packed text beyond its range"),
            Self::TextAlphabet => ("text-alphabet", "a text in a larger alphabet than it needs"),
            Self::TextUtf8 => ("text-utf8", "a text that is not UTF-8"),
            Self::TextCharacter => ("text-character", "a text with characters that a mark may not hold"),
            Self::ExtensionEmpty => ("extension-empty", "an extension block with nothing in it"),
            Self::ExtensionOrder => ("extension-order", "extension tags that do not rise"),
            Self::ExtensionTag => ("extension-tag", "an extension that version 1 does not define"),
            Self::ExtensionValue => ("extension-value", "an extension value of the wrong length or range"),
            Self::CapsuleLength => ("capsule-length", "a capsule that is not 3 to 8 bytes long"),
        }
    }
}

impl std::fmt::Display for MarkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name_and_sentence().1)
    }
}

impl std::error::Error for MarkError {}

impl From<Fault> for MarkError {
    fn from(_: Fault) -> Self {
        Self::Truncated
    }
}

impl From<PackFault> for MarkError {
    fn from(fault: PackFault) -> Self {
        match fault {
            PackFault::Truncated => Self::Truncated,
            PackFault::Empty => Self::TextEmpty,
            PackFault::Overflow => Self::TextOverflow,
            PackFault::Alphabet => Self::TextAlphabet,
            PackFault::Utf8 => Self::TextUtf8,
            PackFault::Label => Self::TextCharacter,
        }
    }
}

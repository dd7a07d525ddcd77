//! Every sentence of the report, in every language: one table.

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
    WORDS.iter().find(|(own, _)| *own == key).map_or(key, |(_, texts)| texts[language as usize])
}

/// Every text by language and key, as the page's own program uses them.
pub(super) fn all() -> BTreeMap<&'static str, BTreeMap<&'static str, &'static str>> {
    let of = |language: Language| WORDS.iter().map(move |(key, texts)| (*key, texts[language as usize]));
    Language::ALL.into_iter().map(|(language, _)| (language.tag(), of(language).collect())).collect()
}

/// `{n}`, `{of}` and the like stand for what the page knows.
#[rustfmt::skip]
pub(super) const WORDS: &[(&str, [&str; 3])] = &[
    ("report", ["Case report: marked components", "Zaakrapport: gemerkte componenten", "Звіт у справі: марковані компоненти"]),
    ("skip", ["To the parts", "Naar de onderdelen", "До компонентів"]),
    ("contents", ["Contents", "Inhoud", "Зміст"]),
    ("language", ["Language", "Taal", "Мова"]),
    ("no-script", [
        "The table of parts needs JavaScript, which is off. Everything above it and the file parts.jsonl do not.",
        "De tabel met onderdelen heeft JavaScript nodig, en dat staat uit. Wat erboven staat en het bestand parts.jsonl niet.",
        "Таблиця компонентів потребує JavaScript, який вимкнено. Усе вище та файл parts.jsonl його не потребують."]),
    ("created", ["Case begun", "Zaak begonnen", "Справу розпочато"]),
    ("tool", ["Made by", "Gemaakt met", "Створено програмою"]),
    ("trust", ["Trust bundle", "Vertrouwensbundel", "Пакет довіри"]),
    ("authority", ["Authority", "Autoriteit", "Уповноважений орган"]),
    ("version", ["version", "versie", "версія"]),
    ("disclosure", ["Disclosure", "Openbaarmaking", "Розкриття"]),
    ("redacted", [
        "Redacted: some evidence was left out of this copy. What was left out is listed by `touchmark-verify case verify`.",
        "Geredigeerd: een deel van het bewijs is uit deze kopie weggelaten. Wat is weggelaten, toont `touchmark-verify case verify`.",
        "Відредаговано: частину доказів у цій копії вилучено. Що вилучено, показує `touchmark-verify case verify`."]),
    ("overview", ["Overview", "Overzicht", "Огляд"]),
    ("photos", ["Photos", "Foto’s", "Фотографії"]),
    ("parts", ["Parts", "Onderdelen", "Компоненти"]),
    ("unopened", ["Photos that could not be opened", "Foto’s die niet te openen waren", "Фотографії, які не вдалося відкрити"]),
    ("verdict", ["Verdict", "Oordeel", "Висновок"]),
    ("share", ["Share", "Aandeel", "Частка"]),
    ("verdicts-caption", ["Parts by verdict", "Onderdelen naar oordeel", "Компоненти за висновком"]),
    ("authentic", ["authentic", "echt", "справжній"]),
    ("revoked", ["revoked", "ingetrokken", "відкликано"]),
    ("out-of-scope", ["out of scope", "buiten bevoegdheid", "поза повноваженнями"]),
    ("forged", ["forged", "vervalst", "підроблено"]),
    ("unknown-issuer", ["unknown issuer", "onbekende uitgever", "невідомий видавець"]),
    ("not-a-touchmark", ["not a Touchmark", "geen Touchmark", "не Touchmark"]),
    ("unreadable", ["unreadable", "onleesbaar", "не читається"]),
    ("nothing-found", ["nothing found", "niets gevonden", "нічого не знайдено"]),
    ("means-authentic", [
        "A line of a known maker signed the mark, within its limits.",
        "Een lijn van een bekende maker heeft het merk ondertekend, binnen haar bevoegdheid.",
        "Лінія відомого виробника підписала марку в межах своїх повноважень."]),
    ("means-revoked", [
        "The signature is good, but its key is revoked.",
        "De handtekening klopt, maar de sleutel is ingetrokken.",
        "Підпис правильний, але його ключ відкликано."]),
    ("means-out-of-scope", [
        "The signature is good, but the line was not allowed to make this mark.",
        "De handtekening klopt, maar de lijn mocht dit merk niet maken.",
        "Підпис правильний, але лінія не мала права робити цю марку."]),
    ("means-forged", [
        "A known key is named, and it did not make this signature.",
        "Er wordt een bekende sleutel genoemd, die deze handtekening niet heeft gezet.",
        "Названо відомий ключ, але цей підпис зроблено не ним."]),
    ("means-unknown-issuer", [
        "No key in the trust bundle has the id that the mark names.",
        "Geen sleutel in de vertrouwensbundel heeft het nummer dat het merk noemt.",
        "У пакеті довіри немає ключа з номером, названим у марці."]),
    ("means-not-a-touchmark", [
        "A symbol was read, and it holds something else.",
        "Er is een symbool gelezen, met een andere inhoud.",
        "Символ прочитано, але він містить щось інше."]),
    ("means-unreadable", [
        "A symbol is there, and could not be read.",
        "Er is een symbool, maar het was niet te lezen.",
        "Символ є, але прочитати його не вдалося."]),
    ("means-nothing-found", [
        "No symbol was found in the photos.",
        "Er is geen symbool gevonden in de foto’s.",
        "На фотографіях символу не знайдено."]),
    ("means-unopened", [
        "The photo could not be opened.",
        "De foto was niet te openen.",
        "Фотографію не вдалося відкрити."]),
    ("first", ["To look at first", "Eerst te bekijken", "Перевірити передусім"]),
    ("first-explained", [
        "The mark is judged, not the part: a copied mark is authentic, too. These parts show a mark that may be on more than one part, or that contradicts what else is known. None of this proves a copy; look at both photos.",
        "Het merk wordt beoordeeld, niet het onderdeel: ook een gekopieerd merk is echt. Deze onderdelen tonen een merk dat op meer dan één onderdeel kan staan, of dat iets anders tegenspreekt. Niets hiervan bewijst een kopie; bekijk beide foto’s.",
        "Оцінюється марка, а не компонент: скопійована марка теж справжня. На цих компонентах марка, яка може бути на кількох компонентах або суперечить іншим відомостям. Це не доводить копіювання; перегляньте обидві фотографії."]),
    ("first-none", [
        "Nothing: no mark was seen on two parts, and none contradicts what else is known.",
        "Niets: geen merk is op twee onderdelen gezien, en geen spreekt iets anders tegen.",
        "Нічого: жодної марки не помічено на двох компонентах, і жодна не суперечить іншим відомостям."]),
    ("first-more", ["and {n} more: filter the parts by “doubtful”", "en nog {n}: filter de onderdelen op ‘twijfelachtig’", "і ще {n}: відфільтруйте компоненти за ознакою «сумнівні»"]),
    ("marks-contradict", [
        "Two good signatures over one serial, and the marks do not say the same",
        "Twee goede handtekeningen over één serienummer, en de merken zeggen niet hetzelfde",
        "Два правильні підписи для одного серійного номера, а марки різні"]),
    ("twice-in-one-photo", ["One photo shows the mark twice", "Eén foto toont het merk tweemaal", "На одній фотографії марка двічі"]),
    ("two-folders", ["Two parts show the mark", "Twee onderdelen tonen het merk", "Марка є на двох компонентах"]),
    ("too-far-apart", [
        "Photographed at two places too far apart for the time between",
        "Gefotografeerd op twee plaatsen, te ver uiteen voor de tijd ertussen",
        "Сфотографовано у двох місцях, надто віддалених для часу між знімками"]),
    ("other-case", ["Another case has the mark on another photo", "Een andere zaak heeft het merk op een andere foto", "В іншій справі ця марка є на іншій фотографії"]),
    ("different-verdicts", [
        "Cases say different verdicts of this mark",
        "Zaken geven verschillende oordelen over dit merk",
        "У справах різні висновки про цю марку"]),
    ("part-contradicts-print", ["The part number in the mark is not the one printed", "Het onderdeelnummer in het merk is niet het gedrukte", "Номер компонента в марці не збігається з надрукованим"]),
    ("lot-contradicts-print", ["The lot in the mark is not the one printed", "De partij in het merk is niet de gedrukte", "Партія в марці не збігається з надрукованою"]),
    ("different-parts", ["The photos prove marks of several parts", "De foto’s bewijzen merken van meerdere onderdelen", "Фотографії доводять марки кількох компонентів"]),
    ("date-not-corroborated", ["Dated before its key was revoked, and nothing else says so", "Gedateerd vóór de intrekking van de sleutel, en niets anders bevestigt dat", "Датовано до відкликання ключа, і це нічим більше не підтверджено"]),
    ("date-corroborated", ["On record, and witnessed, before its key was revoked", "Geregistreerd, met getuige, vóór de intrekking van de sleutel", "Зареєстровано і засвідчено до відкликання ключа"]),
    ("trust-expired", ["The trust bundle has expired", "De vertrouwensbundel is verlopen", "Строк дії пакета довіри минув"]),
    ("disclosure-expired", ["The disclosure has expired", "De openbaarmaking is verlopen", "Строк дії розкриття минув"]),
    ("capsule-not-opened", ["A disclosure covers the mark, and its key does not open it", "Een openbaarmaking dekt het merk, maar haar sleutel opent het niet", "Розкриття охоплює марку, але його ключ її не відкриває"]),
    ("ledger-contradicts-mark", ["The maker’s ledger contradicts the mark", "Het grootboek van de maker spreekt het merk tegen", "Реєстр виробника суперечить марці"]),
    ("broken-delegation", ["A delegation with this key does not hold", "Een delegatie met deze sleutel is ongeldig", "Делегування з цим ключем недійсне"]),
    ("closed-lot", ["The maker closed the lot, and the serial is not among those on parts", "De maker heeft de partij gesloten, en het serienummer hoort niet bij de onderdelen", "Виробник закрив партію, і цього номера немає серед використаних"]),
    ("broken-close", ["A record that closes serials of the line does not hold", "Een sluiting van serienummers van de lijn is ongeldig", "Запис про закриття номерів лінії недійсний"]),
    ("part-not-resolved", ["The part number stands in a list that is not at hand", "Het onderdeelnummer staat in een lijst die ontbreekt", "Номер компонента є у списку, якого немає"]),
    ("seen", ["photo", "foto", "фото"]),
    ("held-against", ["against", "tegenover", "порівняно з"]),
    ("in-case", ["in the case", "in de zaak", "у справі"]),
    ("counts", ["Makers, consignees, lots, dates", "Makers, afnemers, partijen, data", "Виробники, одержувачі, партії, дати"]),
    ("maker", ["Maker", "Maker", "Виробник"]),
    ("consignee", ["Consignee", "Afnemer", "Одержувач"]),
    ("lot", ["Lot", "Partij", "Партія"]),
    ("date", ["Date", "Datum", "Дата"]),
    ("month", ["Month of production", "Productiemaand", "Місяць виготовлення"]),
    ("count", ["Parts", "Onderdelen", "Компоненти"]),
    ("doubtful", ["doubtful", "twijfelachtig", "сумнівні"]),
    ("none-known", ["None is known.", "Geen bekend.", "Невідомо."]),
    ("others", ["and {n} others", "en {n} andere", "та ще {n}"]),
    ("sealed", ["sealed in the mark", "verzegeld in het merk", "запечатано в марці"]),
    ("not-in-mark", ["not in the mark", "niet in het merk", "немає в марці"]),
    ("left-out", ["left out", "weggelaten", "вилучено"]),
    ("flows", ["Flows", "Stromen", "Потоки"]),
    ("flows-explained", [
        "Maker, first buyer and later holders, as proven by marks, disclosures and makers’ ledgers. The width is the number of parts; what is doubtful is hatched.",
        "Maker, eerste afnemer en latere houders, zoals bewezen door merken, openbaarmakingen en grootboeken. De breedte is het aantal onderdelen; wat twijfelachtig is, is gearceerd.",
        "Виробник, перший покупець і наступні власники, доведені марками, розкриттями та реєстрами виробників. Ширина — кількість компонентів; сумнівне заштриховано."]),
    ("flows-caption", ["Parts by flow", "Onderdelen naar stroom", "Компоненти за потоками"]),
    ("from", ["From", "Van", "Від"]),
    ("to", ["To", "Naar", "До"]),
    ("arrived", ["Arrived", "Aangekomen", "Надійшло"]),
    ("other-parties", ["others", "andere", "інші"]),
    ("map", ["Map", "Kaart", "Карта"]),
    ("map-explained", [
        "Countries by the parts first sold to there; circles by the parts made there; points where photos were taken, by the camera.",
        "Landen naar de onderdelen die er het eerst zijn verkocht; cirkels naar de onderdelen die er zijn gemaakt; punten waar foto’s zijn genomen, volgens de camera.",
        "Країни — за кількістю компонентів, уперше проданих туди; кола — за кількістю виготовлених там; точки — де зроблено фотографії за даними камери."]),
    ("map-caption", ["Parts by country", "Onderdelen naar land", "Компоненти за країнами"]),
    ("country", ["Country", "Land", "Країна"]),
    ("made", ["Made", "Gemaakt", "Виготовлено"]),
    ("sold", ["First sold to", "Eerst verkocht aan", "Уперше продано"]),
    ("passed", ["Passed through", "Doorgegaan via", "Пройшло через"]),
    ("found", ["Photographed", "Gefotografeerd", "Сфотографовано"]),
    ("timeline", ["Timeline", "Tijdlijn", "Хронологія"]),
    ("timeline-explained", [
        "Parts by the month in which they were made (marks), and in which they arrived at a buyer or holder (makers’ ledgers).",
        "Onderdelen naar de maand waarin ze zijn gemaakt (merken), en waarin ze bij een afnemer of houder aankwamen (grootboeken).",
        "Компоненти за місяцем виготовлення (марки) та надходження до покупця чи власника (реєстри виробників)."]),
    ("timeline-caption", ["Parts by month", "Onderdelen naar maand", "Компоненти за місяцями"]),
    ("arrivals", ["Arrivals", "Aankomsten", "Надходження"]),
    ("parts-caption", ["The parts, the gravest first", "De onderdelen, de ernstigste eerst", "Компоненти, найсерйозніші спершу"]),
    ("search", ["Search", "Zoeken", "Пошук"]),
    ("all", ["all", "alle", "усі"]),
    ("doubt", ["Doubtful", "Twijfelachtig", "Сумнівні"]),
    ("only-doubtful", ["only doubtful", "alleen twijfelachtige", "лише сумнівні"]),
    ("sort", ["Sort by", "Sorteren op", "Сортувати за"]),
    ("sort-gravest", ["gravest first", "ernstigste eerst", "спершу найсерйозніші"]),
    ("reset", ["Show all", "Toon alles", "Показати все"]),
    ("filter", ["filter", "filter", "фільтр"]),
    ("shown", ["{n} of {of} parts", "{n} van {of} onderdelen", "{n} з {of} компонентів"]),
    ("more-rows", ["Show more", "Meer tonen", "Показати ще"]),
    ("printed", ["Printed: the first {n} of {of} parts of this filter.", "Afgedrukt: de eerste {n} van {of} onderdelen van dit filter.", "Надруковано: перші {n} з {of} компонентів цього фільтра."]),
    ("picture", ["Mark", "Merk", "Марка"]),
    ("picture-of", ["The mark of part {id}, outlined", "Het merk van onderdeel {id}, omlijnd", "Марка компонента {id}, обведена"]),
    ("picture-in", ["The mark in the photo {name}, outlined", "Het merk op de foto {name}, omlijnd", "Марка на фотографії {name}, обведена"]),
    ("no-picture", ["no picture", "geen foto", "немає фото"]),
    ("picture-missing", [
        "The picture was left out of this copy, or is not beside it.",
        "De foto is uit deze kopie weggelaten, of staat er niet naast.",
        "Зображення вилучено з цієї копії, або його немає поруч із нею."]),
    ("picture-elsewhere", [
        "This photo is in another case; it is to be looked at there.",
        "Deze foto zit in een andere zaak, en is daar te bekijken.",
        "Ця фотографія — в іншій справі; її слід переглянути там."]),
    ("pictures-embedded", [
        "The pictures of {n} of {of} parts are in this file, what may be copied first; the others are read from the folder crops beside it.",
        "De foto’s van {n} van {of} onderdelen zitten in dit bestand, mogelijke kopieën eerst; de andere komen uit de map crops ernaast.",
        "Зображення {n} з {of} компонентів містяться в цьому файлі, передусім можливих копій; решта — у теці crops поруч."]),
    ("taken", ["taken", "genomen", "знято"]),
    ("place", ["place", "plaats", "місце"]),
    ("part", ["Part number", "Onderdeelnummer", "Номер компонента"]),
    ("serial", ["Serial", "Serienummer", "Серійний номер"]),
    ("remarks", ["Findings", "Bevindingen", "Зауваження"]),
    ("photo", ["Photos", "Foto’s", "Фотографії"]),
    ("details", ["details", "details", "подробиці"]),
    ("lead", ["read without a good signature: a lead, not a fact", "gelezen zonder goede handtekening: een aanwijzing, geen feit", "прочитано без правильного підпису: припущення, а не факт"]),
    ("reason", ["Reason", "Reden", "Підстава"]),
    ("line", ["Line", "Lijn", "Лінія"]),
    ("site", ["site", "locatie", "майданчик"]),
    ("key", ["key", "sleutel", "ключ"]),
    ("case-of", ["disclosed for case", "openbaar gemaakt voor zaak", "розкрито для справи"]),
    ("trail", ["Trail", "Spoor", "Шлях"]),
    ("commissioned", ["made", "gemaakt", "виготовлено"]),
    ("shipped", ["shipped to", "verzonden aan", "відправлено"]),
    ("handed-over", ["handed over to", "overgedragen aan", "передано"]),
    ("returned", ["returned to the maker", "terug naar de maker", "повернуто виробникові"]),
    ("destroyed", ["destroyed", "vernietigd", "знищено"]),
    ("corrected", ["corrected", "gecorrigeerd", "виправлено"]),
    ("said-wrong", ["later said to be wrong", "later onjuist genoemd", "пізніше визнано хибним"]),
    ("container", ["Container", "Verpakking", "Упаковка"]),
    ("id", ["Part of the case", "Onderdeel van de zaak", "Компонент справи"]),
    ("cases", ["Cases", "Zaken", "Справи"]),
    ("rest", ["Photos without a part", "Foto’s zonder onderdeel", "Фотографії без компонента"]),
    ("rest-none", ["Every photo shows a part.", "Elke foto toont een onderdeel.", "На кожній фотографії є компонент."]),
    ("rest-more", ["and {n} more: see results.csv", "en nog {n}: zie results.csv", "і ще {n}: див. results.csv"]),
    ("file", ["File", "Bestand", "Файл"]),
    ("sense", ["What this says", "Wat dit zegt", "Що це означає"]),
    ("sense-explained", [
        "Everything here rests on results.jsonl and parts.jsonl beside this file, and on the trust bundle and disclosures named above, by their SHA-256. It can be made anew from the photos with the same program. A consignee is whom the maker sold to; that it did wrong is not said.",
        "Alles hier berust op results.jsonl en parts.jsonl naast dit bestand, en op de vertrouwensbundel en openbaarmakingen hierboven, met hun SHA-256. Het is met hetzelfde programma uit de foto’s opnieuw te maken. Een afnemer is aan wie de maker verkocht; dat die iets misdeed, is niet gezegd.",
        "Усе тут ґрунтується на results.jsonl і parts.jsonl поруч із цим файлом та на названих вище пакеті довіри й розкриттях за їхніми SHA-256. Це можна відтворити з фотографій тією самою програмою. Одержувач — той, кому продав виробник; про його провину тут не йдеться."]),
    ("world", [
        "Outlines: Natural Earth, public domain. Borders are for orientation and say nothing on their status.",
        "Omtrekken: Natural Earth, publiek domein. Grenzen dienen ter oriëntatie en zeggen niets over hun status.",
        "Контури: Natural Earth, суспільне надбання. Кордони наведено для орієнтації, вони не визначають статусу територій."]),
];

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
        for (key, texts) in WORDS {
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
        let known: BTreeSet<&str> = WORDS.iter().map(|(key, _)| *key).collect();
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

//! Verdicts, what may be a copy, and findings: what the report says of parts.

#[rustfmt::skip]
pub(super) const WORDS: &[super::Text] = &[
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
];

use super::*;
use crate::delegate::{self, Limits};
use crate::keys::{SecretKey, SigningKey};
use crate::sign::{LineKey, sign_checked, sign_container};
use jiff::Timestamp;
use std::collections::BTreeMap;
use touchmark_formats::capsule::YearKey;
use touchmark_formats::delegation::Lot;
use touchmark_formats::mark::{Extension, Mark, Serial};

const AT: Timestamp = Timestamp::UNIX_EPOCH;

fn range(first: u64, last: u64) -> SerialRange {
    SerialRange { first: Serial::new(first).unwrap(), last: Serial::new(last).unwrap() }
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

/// A line for part P, with lots A (1 to 1000) and B (1001 to 2000).
fn line() -> (LineKey, Delegation) {
    let (root, line) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
    let request = delegate::request(&line, label("L"), root.public()).unwrap();
    let lot = |name, first, last| Lot { lot: label(name), serials: range(first, last) };
    let limits = Limits {
        serials: range(1, 2000),
        parts: vec![label("P"), label("Q")],
        other_parts: false,
        lots: vec![lot("A", 1, 1000), lot("B", 1001, 2000)],
        other_lots: false,
        ..Limits::wide(1, Date::MIN, Date::MAX)
    };
    let delegation = delegate::grant(&root, &request, limits).unwrap().signed;
    (LineKey::new(Box::new(line)).unwrap(), delegation)
}

fn packing(level: Level) -> Packing {
    Packing { level, date: Date::from_days(2518), sscc: None }
}

fn parts(ranges: &[(u64, u64)], lot: &str) -> Vec<Piece> {
    let piece = |(first, last): &(u64, u64)| Piece {
        level: None,
        serials: vec![range(*first, *last)],
        part: label("P"),
        lot: Some(label(lot)),
        sealed: None,
    };
    ranges.iter().map(piece).collect()
}

/// Packs, and gives the text of the label.
fn pack(
    book: &mut Book,
    key: &LineKey,
    delegation: &Delegation,
    packing: &Packing,
    pieces: &[Piece],
) -> Result<String> {
    let contents = contents(delegation, packing, pieces)?;
    if let Some(known) = book.same(&contents, &key.public())? {
        return Ok(known.mark.clone());
    }
    let (part, lot) = (contents.part.clone(), contents.lot.clone());
    let signed = sign_container(key, contents.container.clone(), &delegation.maker, &part, lot.as_ref())?;
    Ok(book.add(&contents, &signed, key.public(), AT)?.mark)
}

#[test]
fn parts_reels_and_boxes_go_into_one_another_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packing.jsonl");
    let (key, delegation) = line();
    let public = key.public().check().unwrap();
    let mut book = Book::lock(&path).unwrap();
    let reel = |book: &mut Book, ranges: &[(u64, u64)], lot| {
        pack(book, &key, &delegation, &packing(Level::Reel), &parts(ranges, lot))
    };
    let first = reel(&mut book, &[(1, 10), (12, 20)], "A").unwrap();
    assert_eq!(reel(&mut book, &[(12, 20), (1, 10)], "A").unwrap(), first, "the same things give the same label");
    let refused = reel(&mut book, &[(20, 30)], "A").unwrap_err();
    assert_eq!(refused.message, "serial 20 is in another reel already, packed on 2026-11-23");
    let second = reel(&mut book, &[(11, 11), (21, 40)], "A").unwrap();
    let third = reel(&mut book, &[(1001, 1100)], "B").unwrap();
    // The book is read again, as another run would.
    drop(book);
    let mut book = Book::lock(&path).unwrap();
    let scan = |book: &Book, text: &str| scanned(text, &delegation, &public, book).unwrap();
    let reels = [&first, &second, &third].map(|text| scan(&book, text));
    assert_eq!(reels[0].serials, [range(1, 10), range(12, 20)]);
    let whole = pack(&mut book, &key, &delegation, &packing(Level::Box), &reels).unwrap();
    let Carried::Container(label_of_box) = Carried::from_bytes(&base45::decode(&whole).unwrap()).unwrap() else {
        panic!()
    };
    let container = label_of_box.container;
    assert_eq!((container.serials, container.quantity(), container.missing), (range(1, 1100), 140, 960));
    assert_eq!(delegation.container_lot(&container), None, "two lots");
    assert_eq!(delegation.container_violations(&container), []);
    let twice = pack(&mut book, &key, &delegation, &packing(Level::Box), &reels[..1]).unwrap_err();
    assert_eq!(twice.message, "serial 1 is in another box already, packed on 2026-11-23");
    let boxes = [scan(&book, &whole)];
    let pallet = pack(&mut book, &key, &delegation, &packing(Level::Pallet), &boxes);
    assert!(pallet.is_ok());
    assert_eq!(book.packed().len(), 5);
    let counts = check(book.packed(), &delegation, &public).unwrap();
    assert_eq!(counts, Counts { whole: [3, 1, 1], opened: 0, parts: 140 });
}

#[test]
fn what_was_opened_is_packed_anew_and_its_label_counts_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packing.jsonl");
    let (key, delegation) = line();
    let public = key.public().check().unwrap();
    let mut book = Book::lock(&path).unwrap();
    let reel = |ranges: &[(u64, u64)]| {
        let mut book = Book::lock(&path).unwrap();
        pack(&mut book, &key, &delegation, &packing(Level::Reel), &parts(ranges, "A"))
    };
    drop(book);
    let first = reel(&[(1, 20)]).unwrap();
    book = Book::lock(&path).unwrap();
    let opened = |mark: &str| Opened { mark: mark.to_owned(), taken: Vec::new(), reason: label("count"), at: AT };
    assert!(book.open(opened("nothing"), None).is_err());
    book.open(opened(&first), None).unwrap();
    assert!(book.open(opened(&first), None).is_err(), "once");
    drop(book);
    let second = reel(&[(11, 30)]).unwrap();
    book = Book::lock(&path).unwrap();
    let scan = |book: &Book, text: &str| scanned(text, &delegation, &public, book);
    let refused = scan(&book, &first).unwrap_err();
    assert_eq!(refused.message, "the reel packed on 2026-11-23 was opened at 1970-01-01T00:00:00Z: count");
    assert_eq!(scan(&book, &second).unwrap().serials, [range(11, 30)]);
    assert_eq!(check(book.packed(), &delegation, &public).unwrap(), Counts { whole: [1, 0, 0], opened: 1, parts: 20 });
    // Some of it is taken out; the rest is a reel of its own, and what was taken may go elsewhere.
    let whole = book.find(&second).unwrap().clone();
    let (piece, out) = rest(&whole, &parts(&[(13, 13), (29, 30)], "A")).unwrap();
    assert_eq!((&piece.serials, &out), (&vec![range(11, 12), range(14, 28)], &vec![range(13, 13), range(29, 30)]));
    let left = contents(&delegation, &packing(Level::Reel), &[piece]).unwrap();
    let signed =
        sign_container(&key, left.container.clone(), &delegation.maker, &left.part, left.lot.as_ref()).unwrap();
    let taken = Opened { taken: out, ..opened(&second) };
    book.open(taken, Some(Packed::new(&left, &signed, key.public(), AT))).unwrap();
    drop(book);
    reel(&[(1, 10), (13, 13), (29, 40)]).unwrap();
    assert!(reel(&[(14, 14)]).is_err());
    book = Book::lock(&path).unwrap();
    assert_eq!(check(book.packed(), &delegation, &public).unwrap(), Counts { whole: [2, 0, 0], opened: 2, parts: 40 });
    for (taken, message) in [
        (parts(&[(1, 1)], "A"), "serial 1 is not in the reel packed on 2026-11-23"),
        (parts(&[(11, 30)], "A"), "all was taken out of the reel packed on 2026-11-23"),
        (Vec::new(), "nothing was taken out of the reel packed on 2026-11-23"),
        (
            vec![Piece { level: Some(Level::Reel), ..parts(&[(11, 12)], "A")[0].clone() }],
            "a reel holds no reel, and one was taken",
        ),
    ] {
        assert_eq!(rest(&whole, &taken).unwrap_err().message, message);
    }
}

#[test]
fn a_record_that_was_changed_does_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let mut book = Book::lock(&folder.path().join("packing.jsonl")).unwrap();
    let (key, delegation) = line();
    let public = key.public().check().unwrap();
    let reels = [[(1, 20)], [(21, 40)]]
        .map(|ranges| pack(&mut book, &key, &delegation, &packing(Level::Reel), &parts(&ranges, "A")).unwrap());
    let pieces = reels.map(|reel| scanned(&reel, &delegation, &public, &book).unwrap());
    pack(&mut book, &key, &delegation, &packing(Level::Box), &pieces).unwrap();
    let good = book.packed().to_vec();
    let message = |change: fn(&mut Vec<Packed>)| {
        let mut packed = good.clone();
        change(&mut packed);
        check(&packed, &delegation, &public).unwrap_err().message
    };
    assert!(check(&good, &delegation, &public).is_ok());
    assert_eq!(
        message(|packed| packed[0].serials = vec![range(1, 19)]),
        "the reel packed on 2026-11-23: its mark says something else than the record"
    );
    assert_eq!(
        message(|packed| packed.push(packed[0].clone())),
        "serial 1 is in the reel packed on 2026-11-23 and in the reel packed on 2026-11-23"
    );
    assert_eq!(
        message(|packed| drop(packed.remove(1))),
        "the box packed on 2026-11-23: serial 21 is in no whole container in it"
    );
    assert!(message(|packed| packed[0].mark.replace_range(90..91, "+")).starts_with("the reel packed on 2026-11-23: "));
}

#[test]
fn a_container_is_sealed_for_one_consignee_and_so_is_what_is_in_it() {
    let (key, delegation) = line();
    let year = YearKey::from_bytes([3; 32]);
    let years = BTreeMap::from([(2026, year.clone())]);
    let public = key.public().check().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut book = Book::lock(&folder.path().join("packing.jsonl")).unwrap();
    let mark = |serial: u64, consignee: u64| {
        let content = crate::issue::Content {
            part: label("P"),
            lot: Some(label("A")),
            date: Date::from_days(2518),
            consignee: Some(consignee),
            extension: Extension::default(),
        };
        let template = crate::issue::Template::new(&delegation, content, Some(&year)).unwrap();
        let mark = template.mark(Serial::new(serial).unwrap()).unwrap();
        let signed = sign_checked(&key, mark, &delegation.maker, &label("P"), Some(&label("A"))).unwrap();
        base45::encode(&signed.to_bytes())
    };
    let pieces = [mark(1, 4711), mark(2, 4711)].map(|text| scanned(&text, &delegation, &public, &book).unwrap());
    require_consignee(&pieces, &delegation.maker, 4711, &years).unwrap();
    let other = require_consignee(&pieces, &delegation.maker, 5, &years).unwrap_err();
    assert_eq!(other.message, "serials 1 to 1 are sealed for another consignee than 5");
    let gone = require_consignee(&pieces, &delegation.maker, 4711, &BTreeMap::new()).unwrap_err();
    assert_eq!(gone.message, "serials 1 to 1: the disclosure key of 2026 is not here");
    let mut sealed = contents(&delegation, &packing(Level::Reel), &pieces).unwrap();
    seal(&mut sealed, &delegation, 4711, &year).unwrap();
    let signed =
        sign_container(&key, sealed.container.clone(), &delegation.maker, &label("P"), Some(&label("A"))).unwrap();
    let packed = book.add(&sealed, &signed, key.public(), AT).unwrap();
    assert_eq!(consignee(&packed, &delegation.maker, &year), Ok(Some(4711)));
    assert!(consignee(&packed, &delegation.maker, &YearKey::from_bytes([4; 32])).is_err());
    // The reel in a box, likewise; and the same reel for nobody or for another is another reel.
    let reel = [scanned(&packed.mark, &delegation, &public, &book).unwrap()];
    require_consignee(&reel, &delegation.maker, 4711, &years).unwrap();
    assert!(require_consignee(&reel, &delegation.maker, 5, &years).is_err());
    assert!(book.same(&sealed, &key.public()).unwrap().is_some());
    for consignee in [None, Some(5)] {
        let mut other = contents(&delegation, &packing(Level::Reel), &pieces).unwrap();
        consignee.iter().for_each(|number| seal(&mut other, &delegation, *number, &year).unwrap());
        assert!(
            book.same(&other, &key.public()).unwrap_err().message.starts_with("serial 1 is in another reel already")
        );
    }
}

#[test]
fn void_parts_are_not_packed() {
    let voids = [(5, "bent lead".to_owned())];
    assert!(require_good(&[range(1, 4), range(6, 9)], &voids).is_ok());
    assert_eq!(require_good(&[range(1, 9)], &voids).unwrap_err().message, "serial 5 is void: bent lead");
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (_, delegation) = line();
    let message = |level, pieces: &[Piece]| contents(&delegation, &packing(level), pieces).unwrap_err().message;
    assert_eq!(message(Level::Reel, &[]), "nothing to pack");
    assert_eq!(message(Level::Box, &parts(&[(1, 2)], "A")), "a box holds no part, and one was given");
    assert_eq!(message(Level::Reel, &parts(&[(1, 5), (5, 6)], "A")), "serial 5 is in it twice");
    let mut other = parts(&[(1, 5), (6, 7)], "A");
    other[1].part = label("Q");
    assert_eq!(message(Level::Reel, &other), "parts P and Q in one reel");
    assert_eq!(
        message(Level::Reel, &parts(&[(1999, 2001)], "B")),
        "line \"L\" may not use serials 1999 to 2001, only 1 to 2000"
    );
    let two_lots = [parts(&[(1, 1000)], "A"), parts(&[(1001, 1002)], "B")].concat();
    let both = contents(&delegation, &packing(Level::Reel), &two_lots).unwrap();
    assert_eq!((both.lot, both.container.lot), (None, None));
    let one = contents(&delegation, &packing(Level::Reel), &parts(&[(3, 9)], "A")).unwrap();
    assert_eq!((one.lot, one.container.lot), (Some(label("A")), None), "the delegation says the lot");
}

#[test]
fn only_what_this_line_signed_is_scanned() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book::lock(&folder.path().join("b")).unwrap();
    let (key, delegation) = line();
    let public = key.public().check().unwrap();
    let mark = Mark {
        key_id: key.id(),
        serial: Serial::new(7).unwrap(),
        date: Date::from_days(2518),
        part: Part::Listed(0),
        lot: None,
        extension: Extension::default(),
        capsule: None,
    };
    let signed = sign_checked(&key, mark.clone(), &delegation.maker, &label("P"), Some(&label("A"))).unwrap();
    let text = base45::encode(&signed.to_bytes());
    let piece = scanned(&text, &delegation, &public, &book).unwrap();
    assert_eq!((piece.serials, piece.lot), (vec![range(7, 7)], Some(label("A"))));
    let stranger = LineKey::new(Box::new(SecretKey::from_seed(&[9; 32]))).unwrap();
    let forged = sign_checked(&stranger, mark, &delegation.maker, &label("P"), Some(&label("A"))).unwrap();
    let forged = base45::encode(&forged.to_bytes());
    assert!(scanned(&forged, &delegation, &public, &book).unwrap_err().message.contains("this line did not sign"));
    let contents = contents(&delegation, &packing(Level::Reel), &parts(&[(1, 5)], "A")).unwrap();
    let reel = sign_container(&key, contents.container, &delegation.maker, &label("P"), Some(&label("A"))).unwrap();
    let reel = base45::encode(&reel.to_bytes());
    let unknown = scanned(&reel, &delegation, &public, &book).unwrap_err();
    assert!(unknown.message.starts_with("the reel of serials 1 to 5 is not on record in "), "{unknown}");
    assert!(scanned("https://example.com", &delegation, &public, &book).is_err());
}

#[test]
fn a_torn_record_is_written_over_and_a_broken_one_stops_packing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packing.jsonl");
    let (key, delegation) = line();
    let reel = |ranges: &[(u64, u64)]| {
        let mut book = Book::lock(&path)?;
        pack(&mut book, &key, &delegation, &packing(Level::Reel), &parts(ranges, "A"))
    };
    reel(&[(1, 5)]).unwrap();
    let whole = std::fs::read_to_string(&path).unwrap();
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, format!("{whole}{}", &whole[..cut])).unwrap();
        assert_eq!(Book::lock(&path).unwrap().packed().len(), 1);
    }
    reel(&[(6, 9)]).unwrap();
    assert_eq!(Book::lock(&path).unwrap().packed().len(), 2);
    std::fs::write(&path, format!("{{}}\n{whole}")).unwrap();
    assert!(reel(&[(10, 11)]).unwrap_err().message.contains("line 1 is no record of a container"));
}

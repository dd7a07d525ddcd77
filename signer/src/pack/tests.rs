use super::*;
use crate::delegate::{self, Limits};
use crate::keys::{SecretKey, SigningKey};
use crate::sign::{LineKey, sign_checked, sign_container};
use jiff::Timestamp;
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

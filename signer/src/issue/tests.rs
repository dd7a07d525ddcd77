use super::*;
use crate::delegate::{Limits, grant, request};
use crate::keys::{SecretKey, SigningKey};
use proptest::prelude::*;
use touchmark_formats::delegation::Lot;
use touchmark_formats::mark::SignedMark;

/// A delegation within `limits`.
pub(crate) fn delegation(limits: Limits) -> Delegation {
    let [root, line] = [1, 2].map(|n| SecretKey::from_seed(&[n; 32]));
    let request = request(&line, "L".parse().unwrap(), root.public()).unwrap();
    grant(&root, &request, limits).unwrap().signed
}

pub(crate) fn content(part: &str, lot: Option<&str>) -> Content {
    Content {
        part: part.parse().unwrap(),
        lot: lot.map(|l| l.parse().unwrap()),
        date: "2026-11-23".parse().unwrap(),
        consignee: None,
        extension: Extension::default(),
    }
}

fn range(first: u64, last: u64) -> SerialRange {
    SerialRange { first: Serial::new(first).unwrap(), last: Serial::new(last).unwrap() }
}

fn lots(lots: &[(&str, u64, u64)]) -> Vec<Lot> {
    lots.iter().map(|(lot, a, b)| Lot { lot: lot.parse().unwrap(), serials: range(*a, *b) }).collect()
}

fn wide() -> Limits {
    Limits::wide(1, Date::MIN, Date::MAX)
}

#[test]
fn a_lot_may_use_its_own_serials_and_others_the_rest() {
    let d = delegation(Limits {
        lots: lots(&[("A", 0, 9), ("B", 20, 29), ("A", 30, 39)]),
        serials: range(5, 35),
        ..wide()
    });
    let serials = |lot| Template::new(&d, content("P", lot), None).unwrap().serials();
    assert_eq!(serials(Some("A")), [range(5, 9), range(30, 35)]);
    assert_eq!(serials(Some("B")), [range(20, 29)]);
    assert_eq!(serials(Some("C")), [range(10, 19)]);
    assert_eq!(serials(None), [range(10, 19)]);
}

#[test]
fn gaps_reach_both_ends() {
    assert_eq!(gaps(&[]), [SerialRange::ALL]);
    assert_eq!(gaps(&[SerialRange::ALL]), []);
    assert_eq!(gaps(&[range(0, 4), range(5, 9)]), [range(10, Serial::MAX)]);
    assert_eq!(gaps(&[range(7, Serial::MAX)]), [range(0, 6)]);
}

#[test]
fn what_the_delegation_has_is_left_out_of_the_mark() {
    let d = delegation(Limits {
        parts: vec!["X".parse().unwrap(), "P".parse().unwrap()],
        lots: lots(&[("A", 5, 9)]),
        ..wide()
    });
    let template = Template::new(&d, content("P", Some("A")), None).unwrap();
    let listed = template.mark(Serial::new(7).unwrap()).unwrap();
    assert_eq!((listed.part.clone(), listed.lot.clone()), (Part::Listed(1), None));
    assert_eq!((d.part(&listed), d.lot(&listed)), (Some(&template.content().part), template.content().lot.as_ref()));
    let other = Template::new(&d, content("Q", Some("B")), None).unwrap().mark(Serial::new(1).unwrap()).unwrap();
    assert_eq!((d.part(&other).unwrap().as_str(), d.lot(&other).unwrap().as_str()), ("Q", "B"));
}

#[test]
fn a_missing_lot_is_the_one_that_the_delegation_implies() {
    let settle = |limits: Limits, serial: Option<u64>| {
        let serial = serial.and_then(Serial::new);
        let mut order = Order { content: content("P", None), serial, count: 1 };
        settle_lot(&delegation(limits), &mut order).map(|()| order.content.lot.map(String::from))
    };
    let closed = |l: &[(&str, u64, u64)]| Limits { lots: lots(l), other_lots: false, ..wide() };
    assert_eq!(settle(closed(&[("A", 5, 9)]), None), Ok(Some("A".to_owned())));
    assert_eq!(settle(closed(&[("A", 5, 9), ("B", 10, 19)]), Some(12)), Ok(Some("B".to_owned())));
    assert_eq!(settle(closed(&[("A", 5, 9), ("B", 10, 19)]), None).unwrap_err().hint.as_deref(), Some("say --lot L"));
    assert_eq!(settle(Limits { lots: lots(&[("A", 5, 9)]), ..wide() }, None), Ok(None));
}

#[test]
fn a_consignee_that_does_not_fit_is_refused() {
    let year = YearKey::from_bytes([3; 32]);
    let d = delegation(Limits { capsule_bytes: 3, ..wide() });
    let with = |number| Template::new(&d, Content { consignee: Some(number), ..content("P", None) }, Some(&year));
    assert!(with((1 << 24) - 1).is_ok());
    assert!(with(1 << 24).unwrap_err().message.starts_with("consignee 16777216 is too large"));
    let no_key = Template::new(&d, Content { consignee: Some(1), ..content("P", None) }, None);
    assert_eq!(no_key.unwrap_err().message, "consignees cannot be sealed here: no disclosure key of 2026");
}

proptest! {
    #[test]
    fn every_mark_opens_with_the_key_tree_and_comes_back_from_its_bytes(
        serial in 0..=Serial::MAX, number in 0..1u64 << 24, bytes in 3u8..=8, lot in prop::option::of("[A-Z0-9]{1,9}"),
    ) {
        let (year, serial) = (YearKey::from_bytes([3; 32]), Serial::new(serial).unwrap());
        let d = delegation(Limits { capsule_bytes: bytes, ..wide() });
        let content = Content { consignee: Some(number), ..content("P", lot.as_deref()) };
        let template = Template::new(&d, content.clone(), Some(&year)).unwrap();
        template.check(serial).unwrap();
        let mark = template.mark(serial).unwrap();
        prop_assert!(d.violations(&mark).is_empty());
        let item = year.day(mark.date).lot(content.lot.as_ref()).item(mark.key_id, serial);
        prop_assert_eq!(mark.capsule.unwrap().open(&item, &mark.head_bytes(), &d.maker), Some(number));
        let signed = SignedMark { mark, signature: [7; 64] };
        prop_assert_eq!(SignedMark::from_bytes(&signed.to_bytes()), Ok(signed));
    }
}

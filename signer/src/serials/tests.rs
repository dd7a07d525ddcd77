use super::*;
use crate::delegate::Limits;
use crate::issue::tests::{content, delegation};
use proptest::prelude::*;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Delegation, SerialRange};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const PARTS: [&str; 3] = ["P", "Q", "R"];

fn few(last: u64) -> Delegation {
    let serials = SerialRange { first: Serial::new(0).unwrap(), last: Serial::new(last).unwrap() };
    delegation(Limits { serials, ..Limits::wide(1, Date::MIN, Date::MAX) })
}

fn templates(d: &Delegation) -> Vec<Template<'_>> {
    PARTS.iter().map(|part| Template::new(d, content(part, None), None).unwrap()).collect()
}

/// One mark after another: what the journal must never let differ.
type Issued = std::collections::BTreeMap<u64, usize>;

proptest! {
    #[test]
    fn no_serial_ever_has_two_contents(
        calls in prop::collection::vec(prop::collection::vec((0usize..3, prop::option::of(0u64..45), 1u64..6), 1..4), 1..12),
    ) {
        let d = few(40);
        let templates = templates(&d);
        let (mut records, mut issued): (Vec<Record>, Issued) = Default::default();
        for call in calls {
            let demands = call.iter().map(|(part, serial, count)| Demand {
                template: &templates[*part], serial: serial.and_then(Serial::new), count: *count,
            }).collect::<Vec<_>>();
            let Ok(found) = allot(&records, &d.key, &demands, NOW) else { continue };
            let fresh: u64 = found.fresh.iter().map(|r| r.last + 1 - r.first).sum();
            let marks: u64 = found.runs.iter().map(|r| r.last + 1 - r.first).sum();
            prop_assert_eq!(marks, demands.iter().map(|d| d.count).sum::<u64>());
            prop_assert_eq!(fresh + found.again, marks);
            for run in &found.runs {
                for serial in run.first..=run.last {
                    prop_assert!(serial <= 40);
                    prop_assert_eq!(*issued.entry(serial).or_insert(call[run.demand].0), call[run.demand].0);
                }
            }
            records.extend(found.fresh);
            let on_record: u64 = records.iter().map(|r| r.last + 1 - r.first).sum();
            prop_assert_eq!(on_record, issued.len() as u64, "each serial stands in one record");
        }
    }

    #[test]
    fn asking_again_by_number_gives_the_same_and_records_nothing(first in 0u64..30, count in 1u64..10) {
        let d = few(40);
        let templates = templates(&d);
        let demand = [Demand { template: &templates[0], serial: Serial::new(first), count }];
        let once = allot(&[], &d.key, &demand, NOW).unwrap();
        let twice = allot(&once.fresh, &d.key, &demand, NOW).unwrap();
        prop_assert_eq!(&once.runs, &twice.runs);
        prop_assert_eq!((twice.fresh, twice.again), (Vec::new(), count));
        let other = [Demand { template: &templates[1], ..demand[0] }];
        prop_assert_eq!(allot(&once.fresh, &d.key, &other, NOW).unwrap_err().kind, crate::error::Kind::Refused);
    }
}

#[test]
fn every_serial_but_zero_is_found_before_it_says_used_up() {
    let d = few(10);
    let templates = templates(&d);
    let ask = |records: &[Record], serial: Option<u64>, count| {
        allot(records, &d.key, &[Demand { template: &templates[0], serial: serial.and_then(Serial::new), count }], NOW)
    };
    let mut records = ask(&[], Some(5), 2).unwrap().fresh;
    let rest = ask(&records, None, 8).unwrap();
    let runs = rest.runs.iter().map(|r| (r.first, r.last)).collect::<Vec<_>>();
    assert_eq!(runs, [(1, 4), (7, 10)]);
    records.extend(rest.fresh);
    let error = ask(&records, None, 1).unwrap_err();
    assert_eq!(error.message, "the serials of the delegation are used up: 1 too few are left");
}

#[test]
fn serials_are_unique_under_their_own_key_only() {
    let d = few(10);
    let templates = templates(&d);
    let demand = [Demand { template: &templates[0], serial: None, count: 1 }];
    let mut records = allot(&[], &d.key, &demand, NOW).unwrap().fresh;
    records[0].key = d.maker;
    assert_eq!(allot(&records, &d.key, &demand, NOW).unwrap().runs[0].first, 1);
}

#[test]
fn absurd_counts_are_refused_at_once() {
    let d = delegation(Limits::wide(1, Date::MIN, Date::MAX));
    let templates = templates(&d);
    let demand = |serial: Option<u64>, count| {
        allot(&[], &d.key, &[Demand { template: &templates[0], serial: serial.and_then(Serial::new), count }], NOW)
    };
    assert!(demand(None, u64::MAX).unwrap_err().message.contains("too many"));
    assert!(demand(Some(Serial::MAX), 2).unwrap_err().message.contains("the largest is 9007199254740991"));
    assert_eq!(demand(Some(Serial::MAX), 1).unwrap().runs.len(), 1);
}

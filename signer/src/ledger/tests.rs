//! One suite, over SQLite and over PostgreSQL.

use super::pages::leaf;
use super::schema::place;
use super::*;
use crate::postgres_server as postgres;
use std::collections::BTreeMap;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::map::{Answer, MapLeaf, Place, join};
use touchmark_formats::ledger::merkle::{self, EMPTY_ROOT, Hash};
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::{Handed, Record, What};
use touchmark_formats::mark::Serial;
use touchmark_formats::signed::message;
use touchmark_formats::text::Label;

/// A ledger of its own, on a store that a second connection can open.
struct World {
    folder: tempfile::TempDir,
    url: Option<String>,
}

impl World {
    fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), url: None }
    }

    fn postgres() -> Self {
        Self { url: Some(postgres::server().new_database()), ..Self::sqlite() }
    }

    fn open(&self) -> Ledger {
        match &self.url {
            Some(url) => Ledger::postgres(url).unwrap(),
            None => Ledger::sqlite(&self.folder.path().join("ledger.db")).unwrap(),
        }
    }
}

/// Runs `test` on both.
fn on_both(test: impl Fn(&World)) {
    test(&World::sqlite());
    test(&World::postgres());
}

fn label(text: &str) -> Label {
    text.parse().unwrap()
}

fn range(first: u64, last: u64) -> SerialRange {
    SerialRange { first: Serial::new(first).unwrap(), last: Serial::new(last).unwrap() }
}

const LINE: KeyBytes = KeyBytes([4; 32]);

fn happened(first: u64, last: u64, day: u16, what: What) -> New {
    New::Event(Happened { line: LINE, serials: range(first, last), date: Date::from_days(day), what })
}

fn made(first: u64, last: u64) -> New {
    happened(first, last, 10, What::Commissioned { part: label("STM32F407VGT6"), lot: Some(label("A2B")), keys: None })
}

fn shipped(first: u64, last: u64, day: u16, to: u64) -> New {
    happened(first, last, day, What::Shipped { to, ship_to: None, document: None })
}

fn returned(first: u64, last: u64, day: u16) -> New {
    happened(first, last, day, What::Returned { document: None })
}

fn corrected(first: u64, last: u64, day: u16) -> New {
    happened(first, last, day, What::Corrected { reason: label("typing error") })
}

fn customer(number: u64) -> Party {
    Party { number: Some(number), ..Party::named(label("Noordzee Instruments")) }
}

#[track_caller]
fn refused(ledger: &mut Ledger, new: New, why: &str) {
    let size = ledger.size();
    let error = ledger.append(&[New::Padding, new]).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (crate::error::Kind::Refused, why));
    assert_eq!(ledger.size(), size, "nothing of it is on record");
}

#[test]
fn what_cannot_be_is_refused_with_the_record_that_it_conflicts_with() {
    on_both(|world| {
        let mut ledger = world.open();
        refused(&mut ledger, returned(1, 2, 11), "cannot return serials 1 to 2: they were never commissioned");
        let numbers = ledger.append(&[New::Party(customer(5)), made(100, 199), shipped(120, 129, 20, 0)]).unwrap();
        assert_eq!((numbers, ledger.party(5).unwrap(), ledger.party(6).unwrap()), (0..3, Some(0), None));
        let day = Date::from_days(20);
        for (first, last) in [(120, 129), (125, 125)] {
            let why =
                format!("cannot ship serials {first} to {last}: {first} to {last} are shipped on {day} (record 2)");
            refused(&mut ledger, shipped(first, last, 21, 0), &why);
        }
        let (early, made_on) = (Date::from_days(9), Date::from_days(10));
        let why = format!(
            "cannot ship serials 100 to 110: {early} is before {made_on}, when they were commissioned (record 1)"
        );
        refused(&mut ledger, shipped(100, 110, 9, 0), &why);
        let why = format!(
            "cannot ship serials 115 to 125: no one record answers for all of them: 115 to 119 are commissioned on \
             {made_on} (record 1), 120 to 125 are shipped on {day} (record 2)"
        );
        refused(&mut ledger, shipped(115, 125, 21, 0), &why);
        let why = format!(
            "cannot ship serials 190 to 200: only 190 to 199 are commissioned on {made_on} (record 1), and the others were never commissioned"
        );
        refused(&mut ledger, shipped(190, 200, 21, 0), &why);
        let why = format!("cannot commission serials 199 to 300: 199 to 199 are commissioned on {made_on} (record 1)");
        refused(&mut ledger, made(199, 300), &why);
        assert!(ledger.append(&[shipped(100, 101, 20, 1)]).is_err(), "record 1 is no customer");
        assert!(ledger.append(&[shipped(100, 101, 20, 9)]).is_err());
        // Back, and out again; and what was wrong goes back to what was before.
        let again = |last, day| {
            [returned(125, 129, 22), shipped(125, 126, 23, 0), corrected(125, 126, 23), shipped(125, last, day, 0)]
        };
        ledger.append(&again(129, 23)).unwrap_err();
        ledger.append(&again(126, 24)).unwrap();
        let place = Place { line: LINE, serial: Serial::new(126).unwrap() };
        let Custody { segment, chain } = ledger.custody(&place).unwrap().unwrap();
        assert_eq!((segment.first, segment.last, segment.record), (125, 126, 6));
        let kinds: Vec<_> = chain.iter().map(|(n, e)| (*n, e.what.name())).collect();
        assert_eq!(
            kinds,
            [(6, "shipped"), (5, "corrected"), (4, "shipped"), (3, "returned"), (2, "shipped"), (1, "commissioned")]
        );
        let destroyed = happened(130, 140, 30, What::Destroyed { document: None });
        ledger.append(std::slice::from_ref(&destroyed)).unwrap();
        refused(
            &mut ledger,
            destroyed,
            &format!(
                "cannot destroy serials 130 to 140: 130 to 140 are destroyed on {} (record 7)",
                Date::from_days(30)
            ),
        );
    });
}

#[test]
fn a_commissioning_that_is_corrected_away_can_be_made_anew() {
    on_both(|world| {
        let mut ledger = world.open();
        ledger.append(&[made(1, 10), corrected(1, 10, 10), made(1, 5), New::Party(customer(1))]).unwrap();
        let why =
            format!("cannot ship serials 6 to 10: 6 to 10 are corrected away on {} (record 1)", Date::from_days(10));
        refused(&mut ledger, shipped(6, 10, 12, 3), &why);
        ledger.append(&[shipped(1, 5, 12, 3)]).unwrap();
    });
}

#[test]
fn parts_named_together_are_cut_where_another_record_answers() {
    on_both(|world| {
        let mut ledger = world.open();
        let cut = |ledger: &mut Ledger, first, last| {
            let pieces = ledger.pieces(&LINE, range(first, last)).unwrap();
            pieces.iter().map(|p| (p.first.get(), p.last.get())).collect::<Vec<_>>()
        };
        assert_eq!(cut(&mut ledger, 5, 9), [(5, 9)]);
        ledger.append(&[New::Party(customer(1)), made(10, 19), made(30, 39), shipped(12, 13, 20, 0)]).unwrap();
        assert_eq!(cut(&mut ledger, 5, 45), [(5, 9), (10, 11), (12, 13), (14, 19), (20, 29), (30, 39), (40, 45)]);
        assert_eq!(cut(&mut ledger, 13, 31), [(13, 13), (14, 19), (20, 29), (30, 31)]);
        assert_eq!(cut(&mut ledger, 15, 15), [(15, 15)]);
        assert_eq!(cut(&mut ledger, 39, Serial::MAX), [(39, 39), (40, Serial::MAX)]);
    });
}

#[test]
fn a_lot_is_what_was_commissioned_as_that_and_is_left() {
    on_both(|world| {
        let mut ledger = world.open();
        let of_lot = |first, last, day, lot: &str| {
            let lot = Some(label(lot));
            happened(first, last, day, What::Commissioned { part: label("P"), lot, keys: None })
        };
        let gone = happened(3, 4, 20, What::Destroyed { document: None });
        let anew = [corrected(9, 10, 11), of_lot(9, 9, 12, "B"), corrected(9, 9, 12)];
        ledger.append(&[&[of_lot(1, 10, 10, "A"), of_lot(20, 29, 10, "A"), gone][..], &anew].concat()).unwrap();
        let mut lot = |name: &str, destroyed| {
            let parts = ledger.parts_of_lot(&label(name), Some(LINE), destroyed).map_err(|e| e.message)?;
            Ok(parts.iter().flat_map(|p| &p.serials).map(|s| (s.first.get(), s.last.get())).collect::<Vec<_>>())
        };
        assert_eq!(lot("A", false), Ok(vec![(1, 2), (5, 8), (20, 29)]));
        assert_eq!(lot("A", true), Ok(vec![(1, 2), (3, 4), (5, 8), (20, 29)]));
        assert_eq!(lot("B", false), Err("nothing is left of lot B".to_owned()));
        assert_eq!(lot("C", false), Err("lot C was never commissioned".to_owned()));
        ledger.append(&[of_lot(9, 9, 13, "B")]).unwrap();
        let parts = ledger.parts_of_lot(&label("B"), None, false).unwrap();
        assert_eq!(parts, [Parts { name: "lot B".into(), line: LINE, serials: vec![range(9, 9)] }]);
        assert!(ledger.parts_of_lot(&label("B"), Some(KeyBytes([9; 32])), false).is_err());
    });
}

#[test]
fn what_is_appended_together_is_there_as_a_whole_or_not_at_all() {
    on_both(|world| {
        let (mut ledger, mut other) = (world.open(), world.open());
        // Another connection has appended since this one looked.
        other.append(&[New::Party(customer(1)), made(1, 9)]).unwrap();
        let numbers = ledger.together(|ledger| {
            let to = ledger.party(&customer(2))?;
            assert_eq!((to, ledger.party(&customer(1))?, ledger.party(&customer(2))?), (2, 0, 2));
            ledger.append(&[shipped(1, 2, 20, to)])
        });
        assert_eq!(numbers, Ok(3..4));
        let refused = ledger.together(|ledger| {
            let to = ledger.party(&customer(3))?;
            ledger.append(&[shipped(3, 4, 20, to)])?;
            ledger.append(&[shipped(4, 5, 20, to)])
        });
        assert_eq!((refused.unwrap_err().kind, ledger.size()), (crate::error::Kind::Refused, 4));
        assert_eq!(ledger.party(3), Ok(None));
    });
}

#[test]
fn only_who_has_the_parts_hands_them_over() {
    on_both(|world| {
        let mut ledger = world.open();
        let (first, second) = (key(1), key(2));
        let with_key = |key: &ed25519_dalek::SigningKey| Some(KeyBytes(key.verifying_key().to_bytes()));
        let first_party = Party { key: with_key(&first), ..customer(1) };
        ledger
            .append(&[
                New::Party(first_party),
                New::Party(customer(2)),
                made(1, 100),
                shipped(1, 10, 20, 0),
                shipped(11, 20, 20, 1),
            ])
            .unwrap();
        let to = Party { key: with_key(&second), ..Party::named(label("Second hand")) };
        refused(
            &mut ledger,
            handed(1, 5, 21, &second, to.clone()),
            "cannot hand over serials 1 to 5: Noordzee Instruments has them, and this is not its key",
        );
        refused(
            &mut ledger,
            handed(11, 12, 21, &first, to.clone()),
            "cannot hand over serials 11 to 12: Noordzee Instruments has them, and its key is not on record",
        );
        let mut forged = handed(1, 5, 21, &first, to.clone());
        if let New::Event(Happened { what: What::HandedOver(handed), .. }) = &mut forged {
            handed.to = Party::named(label("Another"));
        }
        refused(&mut ledger, forged, "cannot hand over serials 1 to 5: it is not signed by the key that it names");
        ledger
            .append(&[handed(1, 5, 21, &first, to), handed(2, 3, 22, &second, Party::named(label("Third")))])
            .unwrap();
        ledger.append(&[returned(2, 2, 23)]).unwrap();
    });
}

fn key(byte: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[byte; 32])
}

fn handed(first: u64, last: u64, day: u16, by: &ed25519_dalek::SigningKey, to: Party) -> New {
    use ed25519_dalek::Signer as _;
    let public = KeyBytes(by.verifying_key().to_bytes());
    let unsigned = Handed { to, document: None, by: public, signature: [0; 64] };
    let date = Date::from_days(day);
    let event = touchmark_formats::ledger::record::Event {
        line: LINE,
        serials: range(first, last),
        after: None,
        date,
        what: What::HandedOver(Box::new(unsigned.clone())),
    };
    let signature = by.sign(&message(&event.hand_over().unwrap())).to_bytes();
    happened(first, last, day, What::HandedOver(Box::new(Handed { signature, ..unsigned })))
}

/// The log and the map, made by their definitions from what is on record.
fn check(ledger: &mut Ledger) {
    let (size, root) = ledger.head().unwrap();
    assert_eq!(ledger.head().unwrap(), (size, root), "a second head adds nothing");
    let numbers: Vec<u64> = (0..size).collect();
    let records = ledger.record_bytes(&numbers).unwrap();
    let leaves: Vec<Hash> = records.iter().map(|(n, bytes)| merkle::leaf_hash(&ledger.entry(*n, bytes))).collect();
    assert_eq!(root, slow_root(&leaves));
    let mut map: BTreeMap<u64, MapLeaf> = BTreeMap::new();
    for (line, key) in ledger.lines.iter().map(|l| l.public).enumerate().collect::<Vec<_>>() {
        for segment in ledger.segments(line as u64, 0, Serial::MAX, 1 << 20).unwrap() {
            map.insert(place(line as u64, segment.first), leaf(key, &segment).unwrap());
        }
    }
    let mut all: Vec<MapLeaf> = map.into_values().collect();
    all.sort_by_key(|leaf| leaf.subtree().first);
    let map_root = join(&all.iter().map(MapLeaf::subtree).collect::<Vec<_>>()).map_or(EMPTY_ROOT, |t| t.hash);
    assert_eq!(Record::from_bytes(&records[&(size - 1)]), Ok(Record::Map(map_root)));
    let step = (all.len() / 40).max(1);
    for leaf in all.iter().step_by(step) {
        for serial in [leaf.serials.first.get(), leaf.serials.last.get(), leaf.serials.last.get() + 1] {
            let at = Place { line: leaf.line, serial: Serial::new(serial).unwrap() };
            let expected = all.iter().find(|l| l.line == at.line && l.serials.contains(at.serial));
            let custody = ledger.custody(&at).unwrap();
            let newest = custody.map(|c| (c.segment.first, c.segment.record, c.chain[0].0));
            assert_eq!(newest, expected.map(|leaf| (leaf.serials.first.get(), leaf.index, leaf.index)), "{serial}");
            let proof = ledger.map_proof(&at).unwrap();
            assert_eq!(proof.answer(&map_root, &at), Some(expected.map_or(Answer::Absent, Answer::Entry)), "{serial}");
        }
    }
    for line in [[0; 32], [9; 32], [255; 32]] {
        let at = Place { line: KeyBytes(line), serial: Serial::new(5).unwrap() };
        assert_eq!(ledger.map_proof(&at).unwrap().answer(&map_root, &at), Some(Answer::Absent));
    }
    for (number, proof) in [0, size / 2, size - 1].iter().zip(ledger.inclusion(&[0, size / 2, size - 1], size).unwrap())
    {
        assert!(merkle::includes(&root, size, *number, &leaves[*number as usize], &proof));
    }
    for old in [1, size / 3, size - 1, size].into_iter().filter(|old| *old > 0) {
        let proof = ledger.consistency(old, size).unwrap();
        assert!(merkle::is_consistent(old, &ledger.root(old).unwrap(), size, &root, &proof), "{old} {size}");
    }
}

fn slow_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        leaves => {
            let half = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(half);
            merkle::node_hash(&slow_root(left), &slow_root(right))
        }
    }
}

/// A generator of numbers that looks random and is not.
fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

#[test]
fn log_and_map_are_what_the_records_make_them() {
    on_both(|world| {
        let mut ledger = world.open();
        check(&mut ledger);
        let mut pick = numbers(7);
        let mut next = 1000;
        for round in 0..12 {
            let mut batch = vec![New::Party(customer(round))];
            let party = ledger.size();
            let start = next;
            for _ in 0..pick(300) {
                let last = next + pick(5000);
                let line = KeyBytes([[4, 77, 200][pick(3) as usize]; 32]);
                batch.push(New::Event(Happened {
                    line,
                    serials: range(next, last),
                    date: Date::from_days(10),
                    what: What::Commissioned { part: label("P"), lot: None, keys: None },
                }));
                if pick(3) == 0 {
                    let (a, b) = (next + pick(last - next + 1), last);
                    let ship = What::Shipped { to: party, ship_to: None, document: Some(label("DN")) };
                    batch.push(New::Event(Happened {
                        line,
                        serials: range(a, b),
                        date: Date::from_days(20),
                        what: ship,
                    }));
                }
                next = last + 1 + pick(3) * pick(1 << 30);
            }
            let numbers = ledger.append(&batch).unwrap();
            assert_eq!((numbers.start, numbers.end - numbers.start), (party, batch.len() as u64), "{start}");
            if round % 3 != 1 {
                check(&mut ledger);
            }
            if round == 6 {
                ledger = world.open();
                check(&mut ledger);
            }
        }
    });
}

#[test]
fn many_ranges_of_one_line_make_pages_and_keep_them_right() {
    let world = World::sqlite();
    let mut ledger = world.open();
    let batch = |from: u64, to: u64| (from..to).map(|n| made(n * 3000, n * 3000 + 2999)).collect::<Vec<_>>();
    ledger.append(&[&[New::Party(customer(1))][..], &batch(0, 6000)].concat()).unwrap();
    check(&mut ledger);
    // Before, between and after them, and parts of them.
    let mut pick = numbers(3);
    let mut more: Vec<New> = batch(6000, 6100);
    more.extend((0..300).map(|n| {
        let first = (n * 19 + 1) * 3000 + pick(1000);
        shipped(first, first + pick(1900), 20, 0)
    }));
    ledger.append(&more).unwrap();
    check(&mut ledger);
}

#[test]
fn a_ledger_of_the_version_before_is_brought_up_to_date() {
    on_both(|world| {
        let mut ledger = world.open();
        let batch: Vec<New> = (0..2000).map(|n| made(n * 10, n * 10 + 9)).collect();
        ledger.append(&batch).unwrap();
        check(&mut ledger);
        let (size, root) = ledger.head().unwrap();
        // That version had tiles of every eighth level, the first of them over 256 records.
        ledger.db.run("DELETE FROM ledger_tile WHERE number >= $1", &[(1u64 << 56).into()]).unwrap();
        ledger
            .upsert("ledger_tile", &["number", "body"], vec![vec![(1u64 << 56).into(), [7; 32 * 7].as_slice().into()]])
            .unwrap();
        ledger.db.run("UPDATE ledger SET version = 2", &[]).unwrap();
        drop(ledger);
        let mut ledger = world.open();
        assert_eq!((ledger.size(), ledger.root(size).unwrap()), (size, root));
        ledger.append(&(2000..2300).map(|n| made(n * 10, n * 10 + 9)).collect::<Vec<_>>()).unwrap();
        check(&mut ledger);
        let head = ledger.head().unwrap();
        assert!(world.open().audit(&[(size, root), head], &mut |_| ()).unwrap().faults.is_empty());
        ledger.db.run("UPDATE ledger SET version = 1", &[]).unwrap();
        let refused = match &world.url {
            Some(url) => Ledger::postgres(url),
            None => Ledger::sqlite(&world.folder.path().join("ledger.db")),
        };
        assert!(refused.is_err_and(|e| e.message.contains("another version")));
    });
}

#[test]
fn two_connections_append_to_one_log() {
    on_both(|world| {
        let threads: Vec<_> = (0..2)
            .map(|n| {
                let mut ledger = world.open();
                std::thread::spawn(move || {
                    for round in 0..20 {
                        let first = n * 1_000_000 + round * 100;
                        ledger.append(&[made(first, first + 99)]).unwrap();
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut ledger = world.open();
        assert_eq!(ledger.size(), 40);
        check(&mut ledger);
    });
}

/// A ledger with a few heads, and their sizes and roots.
fn audited(world: &World) -> (Ledger, Vec<(u64, Hash)>) {
    let mut ledger = world.open();
    let mut heads = Vec::new();
    ledger
        .append(&[New::Party(Party { key: Some(KeyBytes(key(1).verifying_key().to_bytes())), ..customer(1) })])
        .unwrap();
    for n in 0..6 {
        let made: Vec<New> = (0..200).map(|k| made(n * 100_000 + k * 100, n * 100_000 + k * 100 + 99)).collect();
        ledger.append(&made).unwrap();
        let first = n * 100_000;
        ledger
            .append(&[
                shipped(first, first + 99, 20, 0),
                shipped(first + 130, first + 140, 20, 0),
                corrected(first + 133, first + 135, 21),
            ])
            .unwrap();
        ledger.append(&[handed(first, first + 9, 22, &key(1), Party::named(label("Next")))]).unwrap();
        if n % 2 == 1 {
            heads.push(ledger.head().unwrap());
        }
    }
    (ledger, heads)
}

#[test]
fn an_audit_of_what_nobody_touched_finds_nothing() {
    on_both(|world| {
        let (mut ledger, heads) = audited(world);
        let audit = ledger.audit(&heads, &mut |_| ()).unwrap();
        assert_eq!((audit.faults, audit.size, audit.checkpoints), (vec![], ledger.size(), 3));
        assert_eq!(audit.root, ledger.root(ledger.size()).unwrap());
        ledger.append(&[New::Padding, made(9_000_000, 9_000_001)]).unwrap();
        assert_eq!(ledger.audit(&heads, &mut |_| ()).unwrap().faults, vec![]);
    });
}

#[test]
fn an_audit_names_the_record_that_was_touched() {
    on_both(|world| {
        // An edit of a record; of what stands beside it; and one whose tiles were made to fit.
        let edit = |sql: &str| {
            let world = World {
                folder: tempfile::tempdir().unwrap(),
                url: world.url.as_ref().map(|_| postgres::server().new_database()),
            };
            let (mut ledger, heads) = audited(&world);
            assert_eq!(ledger.db.run(sql, &[]).unwrap(), 1, "{sql}");
            let mut ledger = world.open();
            ledger.audit(&heads, &mut |_| ()).unwrap().faults
        };
        let is_sqlite = world.url.is_none();
        // The second byte of a record's key.
        let byte = if is_sqlite {
            "unhex(substr(hex(body), 1, 140) || '63' || substr(hex(body), 143))"
        } else {
            "set_byte(body, 70, 99)"
        };
        let faults = edit(&format!("UPDATE ledger_bundle SET body = {byte} WHERE number = 1"));
        assert!(faults[0].record == 65 && faults[0].what.contains("hash"), "{faults:?}");
        let faults = edit("UPDATE ledger_segment SET record = record - 1 WHERE place = 100000");
        assert_eq!(faults.len(), 1, "{faults:?}");
        let faults = edit("DELETE FROM ledger_bundle WHERE number = 3");
        assert_eq!(faults[0].record, 192, "{faults:?}");
        let faults = edit("DELETE FROM ledger_segment WHERE place = 200300");
        assert_eq!(faults.len(), 1, "{faults:?}");
        let faults = edit("DELETE FROM ledger_lot WHERE record = 9");
        assert_eq!((faults.len(), faults[0].record), (1, 9), "{faults:?}");
        let faults = edit("UPDATE ledger_line SET count = 5, hash = public");
        assert_eq!(faults.len(), 1, "{faults:?}");
    });
}

#[test]
fn a_ledger_that_was_made_anew_disagrees_with_what_was_signed() {
    let (mut first, heads) = audited(&World::sqlite());
    let (second, others) = audited(&World::sqlite());
    drop(second);
    // Other salts, other roots: as another history under the same key would be.
    let mut mixed = heads.clone();
    mixed[1] = others[1];
    let faults = first.audit(&mixed, &mut |_| ()).unwrap().faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].record, heads[1].0 - 1);
    assert!(faults[0].what.contains(&format!("records {} to {}", heads[0].0, heads[1].0 - 1)), "{faults:?}");
}

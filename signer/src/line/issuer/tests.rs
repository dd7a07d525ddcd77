//! The promises, on SQLite and on PostgreSQL alike: the same suite, and the same store that fails at every step.

use super::*;
use crate::delegate::Limits;
use crate::issue::tests::{content, delegation};
use crate::keys::SecretKey;
use crate::line::audit::audit;
use crate::line::store::faulty::{Failure, Faulty, Plan};
use crate::line::store::{Database, Postgres, Sqlite};
use crate::line::witness::Busy;
use std::collections::BTreeMap;
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Lot, SerialRange};

#[path = "../../../../tests/src/postgres.rs"]
#[allow(dead_code, clippy::panic, unreachable_pub, missing_docs, reason = "the test kit, used in part")]
mod postgres;

/// A folder in memory where there is one: what is tested is the order of things, and not the disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Where a store is, and the state of one machine.
struct World {
    folder: tempfile::TempDir,
    url: Option<String>,
    delegation: Arc<Delegation>,
}

impl World {
    fn sqlite() -> Self {
        Self { folder: folder(), url: None, delegation: Arc::new(delegation(limits())) }
    }

    fn postgres() -> Self {
        Self { url: Some(postgres::server().new_database()), ..Self::sqlite() }
    }

    /// One on each kind of store.
    fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("serials.db")
    }

    fn database(&self) -> Box<dyn Database> {
        match &self.url {
            None => Box::new(Sqlite::open(&self.file(), false).unwrap()),
            Some(url) => Box::new(Postgres::open(url).unwrap()),
        }
    }

    fn store(&self) -> Store {
        Store::open(self.database()).unwrap()
    }

    fn parts(&self, name: &str, store: Store) -> Parts {
        Parts {
            store,
            witness: Witness::open(&self.state(), &self.delegation.key, name, Busy::Refuse).unwrap(),
            name: name.to_owned(),
            key: Arc::new(LineKey::new(Box::new(SecretKey::from_seed(&[2; 32]))).unwrap()),
            delegation: Arc::clone(&self.delegation),
            years: Box::new(|_| Ok(Some(YearKey::from_bytes([7; 32])))),
            lease: 10,
        }
    }

    fn issuer(&self, name: &str) -> Issuer {
        Issuer::start(self.parts(name, self.store())).unwrap()
    }

    /// Checks every promise that can be read off the store.
    #[track_caller]
    fn audited(&self) -> crate::line::store::Counts {
        let key = self.delegation.key.check().unwrap();
        let audit = audit(&mut self.store(), &self.delegation, &key, true).unwrap();
        assert_eq!(audit.problems, Vec::<String>::new());
        audit.counts
    }
}

fn limits() -> Limits {
    let lot = |lot: &str, first, last| Lot { lot: lot.parse().unwrap(), serials: range(first, last) };
    Limits { lots: vec![lot("TIED", 1000, 1029)], ..Limits::wide(1, Date::MIN, Date::MAX) }
}

fn range(first: u64, last: u64) -> SerialRange {
    SerialRange { first: Serial::new(first).unwrap(), last: Serial::new(last).unwrap() }
}

fn order(part: &str, lot: Option<&str>, count: u64) -> Order {
    Order { content: content(part, lot), serial: None, count }
}

fn issue(id: &str, part: &str, lot: Option<&str>, count: u64) -> Job {
    let request = (!id.is_empty()).then(|| RequestId { client: "mes".to_owned(), id: id.to_owned() });
    Job::Issue { order: order(part, lot, count), request, dated: true }
}

fn note(serial: u64, state: State) -> Job {
    Job::Note(Outcome { serial, state, at: 5, reason: None, grade: Some(35) })
}

fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

#[track_caller]
fn marks(answer: Result<Done>) -> Vec<SignedMark> {
    match answer.unwrap() {
        Done::Issued(issued) => issued.marks,
        other => panic!("{other:?}"),
    }
}

fn serials(marks: &[SignedMark]) -> Vec<u64> {
    marks.iter().map(|m| m.mark.serial.get()).collect()
}

#[track_caller]
fn one(issuer: &mut Issuer, job: Job) -> Result<Done> {
    issuer.process(&[job], now()).remove(0)
}

#[test]
fn jobs_of_one_commit_are_answered_in_order() {
    for world in World::both() {
        let mut issuer = world.issuer("a");
        let jobs = [
            issue("1", "P", None, 3),
            issue("", "Q", Some("TIED"), 2),
            note(77, State::Verified),
            issue("2", "P", None, 12),
            issue("1", "P", None, 3),
        ];
        let mut answers = issuer.process(&jobs, now());
        let repeated = marks(answers.remove(4));
        assert_eq!(serials(&marks(answers.remove(3))), (4..=15).collect::<Vec<_>>());
        assert_eq!(answers.remove(2).unwrap_err().message, "serial 77 was not issued");
        assert_eq!(serials(&marks(answers.remove(1))), [1000, 1001]);
        assert_eq!(marks(answers.remove(0)), repeated);
        assert_eq!(one(&mut issuer, note(7, State::Verified)), Ok(Done::Noted(State::Verified)));
        let counts = world.audited();
        assert_eq!((counts.issued, counts.verified), (17, 1));
        issuer.finish().unwrap();
        assert_eq!(world.audited().reserved, 0, "what was not used is given back");
    }
}

#[test]
fn a_request_id_gets_the_same_marks_for_ever_and_no_others() {
    for world in World::both() {
        let mut issuer = world.issuer("a");
        let first = marks(one(&mut issuer, issue("x", "P", Some("L"), 70)));
        issuer.finish().unwrap();
        let mut issuer = world.issuer("a");
        assert_eq!(marks(one(&mut issuer, issue("x", "P", Some("L"), 70))), first);
        for other in [issue("x", "P", Some("L"), 69), issue("x", "Q", Some("L"), 70), issue("x", "P", None, 70)] {
            let error = one(&mut issuer, other).unwrap_err();
            assert_eq!(error.message, "request id \"x\" was used before, for other marks");
        }
        assert_eq!(world.audited().issued, 70);
    }
}

#[test]
fn consignees_are_sealed_and_told_apart() {
    for world in World::both() {
        let mut issuer = world.issuer("a");
        let with = |consignee| {
            let mut order = order("P", None, 2);
            order.content.consignee = consignee;
            Job::Issue { order, request: Some(RequestId { client: String::new(), id: "c".to_owned() }), dated: true }
        };
        let first = marks(one(&mut issuer, with(Some(5))));
        assert!(first.iter().all(|m| m.mark.capsule.is_some()));
        assert_eq!(marks(one(&mut issuer, with(Some(5)))), first);
        for other in [Some(6), None] {
            assert!(one(&mut issuer, with(other)).is_err(), "{other:?}");
        }
        let Done::Found(found, None) = one(&mut issuer, Job::Find(Serial::new(2).unwrap())).unwrap() else { panic!() };
        assert_eq!(found.marks, first[1..]);
        world.audited();
    }
}

#[test]
fn limits_come_before_signing_and_a_used_up_lot_is_refused_whole() {
    for world in World::both() {
        let mut issuer = world.issuer("a");
        assert_eq!(
            serials(&marks(one(&mut issuer, issue("", "P", Some("TIED"), 28)))),
            (1000..=1027).collect::<Vec<_>>()
        );
        let error = one(&mut issuer, issue("", "P", Some("TIED"), 3)).unwrap_err();
        assert_eq!(error.message, "the serials of the delegation for lot TIED are used up: 1 too few are left");
        assert_eq!(serials(&marks(one(&mut issuer, issue("", "P", Some("TIED"), 2)))), [1028, 1029]);
        assert_eq!(world.audited().issued, 30);
    }
}

#[test]
fn several_lines_share_the_serials() {
    for world in World::both() {
        let mut lines = ["a", "b", "c"].map(|name| world.issuer(name));
        let mut seen = std::collections::BTreeSet::new();
        for round in 0..12 {
            for line in &mut lines {
                for serial in serials(&marks(one(line, issue("", "P", None, 1 + round)))) {
                    assert!(seen.insert(serial), "serial {serial} twice");
                }
            }
        }
        assert_eq!(world.audited().issued, 3 * (1..=12).sum::<u64>());
        for line in lines {
            line.finish().unwrap();
        }
        let mut later = world.issuer("d");
        let gap = marks(one(&mut later, issue("", "P", None, 40)));
        assert!(serials(&gap).iter().all(|serial| seen.insert(*serial)));
        world.audited();
    }
}

#[test]
fn who_took_a_seat_later_has_it() {
    for world in World::both() {
        let mut old = world.issuer("a");
        marks(one(&mut old, issue("", "P", None, 1)));
        // Another machine with a copy of the state of the first.
        let copy = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(world.state()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        let mut parts = world.parts("elsewhere", world.store());
        parts.witness = Witness::open(copy.path(), &world.delegation.key, "a", Busy::Refuse).unwrap();
        parts.name = "a".to_owned();
        let mut new = Issuer::start(parts).unwrap();
        let newer = marks(one(&mut new, issue("", "P", None, 2)));
        let error = one(&mut old, issue("", "P", None, 1)).unwrap_err();
        assert!(error.message.contains("another process has taken over"), "{error}");
        assert_eq!(serials(&newer), [2, 3]);
        assert_eq!(world.audited().issued, 3);
    }
}

#[test]
fn void_stays_void_and_the_last_word_counts() {
    for world in World::both() {
        let mut issuer = world.issuer("a");
        marks(one(&mut issuer, issue("", "P", None, 3)));
        let answers = issuer.process(&[note(1, State::Verified), note(1, State::Void), note(2, State::Void)], now());
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert_eq!(one(&mut issuer, note(2, State::Void)), Ok(Done::Noted(State::Void)), "said again");
        assert_eq!(one(&mut issuer, note(2, State::Verified)).unwrap_err().message, "serial 2 is void, and stays so");
        let counts = world.audited();
        assert_eq!((counts.verified, counts.void), (0, 2));
    }
}

#[test]
fn a_restored_store_is_refused() {
    let world = World::sqlite();
    let mut issuer = world.issuer("a");
    marks(one(&mut issuer, issue("", "P", None, 3)));
    issuer.finish().unwrap();
    std::fs::copy(world.file(), world.folder.path().join("backup")).unwrap();
    let mut issuer = world.issuer("a");
    marks(one(&mut issuer, issue("", "P", None, 1)));
    issuer.finish().unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", world.file().display()));
    }
    std::fs::copy(world.folder.path().join("backup"), world.file()).unwrap();
    let refused = |parts| Issuer::start(parts).err().unwrap().message;
    let message = refused(world.parts("a", world.store()));
    assert!(
        message.contains("is an older copy of itself: it ends at commit 1 of \"a\", which has made 2"),
        "{message}"
    );
    std::fs::remove_file(world.file()).unwrap();
    let message = refused(world.parts("a", world.store()));
    assert!(message.contains("is not the store that \"a\" used last"), "{message}");
}

#[test]
fn a_store_without_its_witness_is_refused() {
    for world in World::both() {
        let mut issuer = world.issuer("a");
        marks(one(&mut issuer, issue("", "P", None, 3)));
        issuer.finish().unwrap();
        std::fs::remove_dir_all(world.state()).unwrap();
        let message = Issuer::start(world.parts("a", world.store())).err().unwrap().message;
        assert!(message.contains("knows nothing of them"), "{message}");
        assert_eq!(serials(&marks(one(&mut world.issuer("b"), issue("", "P", None, 1)))), [4]);
    }
}

/// What a client with patience does: asks again, with the same id, until it has its answer.
fn patient(world: &World, plan: &Plan) -> BTreeMap<String, Vec<SignedMark>> {
    let faulty = |world: &World| -> Result<Store> {
        Store::open(Box::new(Faulty { inner: world.database(), plan: plan.clone() }))
    };
    let start = || -> Result<Issuer> { Issuer::start(world.parts("a", faulty(world)?)) };
    let mut answers: BTreeMap<String, Vec<SignedMark>> = BTreeMap::new();
    let wishes = [("1", "P", None, 2u64), ("2", "P", None, 60), ("3", "Q", Some("TIED"), 5), ("4", "P", None, 1)];
    let mut issuer = start();
    for _ in 0..4 {
        let Ok(own) = &mut issuer else {
            issuer = start();
            continue;
        };
        let open: Vec<_> = wishes.iter().filter(|(id, ..)| !answers.contains_key(*id)).collect();
        for pair in open.chunks(2) {
            let mut jobs: Vec<Job> = pair.iter().map(|(id, part, lot, count)| issue(id, part, *lot, *count)).collect();
            jobs.extend(answers.values().next().map(|marks| note(marks[0].mark.serial.get(), State::Verified)));
            for ((id, ..), answer) in pair.iter().zip(own.process(&jobs, now())) {
                if answer.is_ok() {
                    answers.insert((*id).to_owned(), marks(answer));
                }
            }
        }
        if answers.len() == wishes.len() {
            break;
        }
    }
    assert_eq!(answers.len(), wishes.len(), "one failure is got over: {:?}", plan.step.lock());
    if let Ok(own) = issuer {
        let _ = own.finish();
    }
    answers
}

/// Every step of the store fails once, in both ways, and every promise stands.
fn fails_at_every_step(world: impl Fn() -> World, failure: Failure) {
    for step in 0.. {
        let world = world();
        let plan = Plan::new(step, failure);
        let answers = patient(&world, &plan);
        let all: Vec<u64> = answers.values().flat_map(|marks| serials(marks)).collect();
        let unique: std::collections::BTreeSet<_> = all.iter().collect();
        let place = || format!("step {step}, {failure:?}: {:?}", plan.step.lock());
        assert_eq!((all.len(), unique.len()), (68, 68), "{}", place());
        let counts = world.audited();
        assert_eq!(counts.issued, 68, "every mark on record was answered: {}", place());
        for (id, marks_then) in &answers {
            let (_, part, lot, count) =
                [("1", "P", None, 2u64), ("2", "P", None, 60), ("3", "Q", Some("TIED"), 5), ("4", "P", None, 1)]
                    .into_iter()
                    .find(|(other, ..)| other == id)
                    .unwrap();
            assert_eq!(&marks(one(&mut world.issuer("a"), issue(id, part, lot, count))), marks_then, "{}", place());
        }
        if !plan.failed() {
            assert!(step > 40, "the scenario has too few steps: {step}");
            return;
        }
    }
}

#[test]
fn sqlite_may_refuse_at_any_step() {
    fails_at_every_step(World::sqlite, Failure::Refused);
}

#[test]
fn sqlite_may_do_any_step_and_report_a_failure() {
    fails_at_every_step(World::sqlite, Failure::Done);
}

#[test]
fn postgres_may_refuse_at_any_step() {
    fails_at_every_step(World::postgres, Failure::Refused);
}

#[test]
fn postgres_may_do_any_step_and_report_a_failure() {
    fails_at_every_step(World::postgres, Failure::Done);
}

#[test]
fn a_lost_connection_is_made_anew() {
    let world = World::postgres();
    let mut issuer = world.issuer("a");
    let first = marks(one(&mut issuer, issue("1", "P", None, 1)));
    // Other tests share the server, and so only this database's connections are ended.
    postgres::server().end_connections_of(world.url.as_deref().unwrap());
    let error = one(&mut issuer, issue("2", "P", None, 1)).unwrap_err();
    assert_eq!(error.kind, Kind::Storage);
    assert_eq!(serials(&marks(one(&mut issuer, issue("2", "P", None, 1)))), [2]);
    assert_eq!(marks(one(&mut issuer, issue("1", "P", None, 1))), first);
    world.audited();
}

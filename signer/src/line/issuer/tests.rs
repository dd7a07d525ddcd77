//! The promises, on SQLite and on PostgreSQL alike: the same suite, and the same store that fails at every step.

use super::*;
use crate::delegate::Limits;
use crate::issue::tests::{content, delegation};
use crate::keys::SecretKey;
use crate::line::audit::audit;
use crate::line::store::faulty::{Failure, Faulty, Plan};
use crate::line::store::{Database, Postgres, Sqlite};
use crate::line::witness::Busy;
use crate::postgres_server as postgres;
use std::collections::BTreeMap;
use std::path::PathBuf;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::{Lot, SerialRange};

/// A folder in memory where there is one: what is tested is the order of things, and not the disk.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Where a store is, and the state of one machine.
struct World {
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
    url: Option<String>,
    delegation: Arc<Delegation>,
}

impl World {
    fn sqlite() -> Self {
        let temporary = folder();
        Self { folder: temporary.path().to_owned(), _temporary: Some(temporary), ..Self::at(PathBuf::new(), None) }
    }

    /// In a folder that somebody else made.
    fn at(folder: PathBuf, url: Option<String>) -> Self {
        Self { folder, _temporary: None, url, delegation: Arc::new(delegation(limits())) }
    }

    fn postgres() -> Self {
        Self { url: Some(postgres::server().new_database()), ..Self::sqlite() }
    }

    /// One on each kind of store.
    fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state")
    }

    fn file(&self) -> PathBuf {
        self.folder.join("serials.db")
    }

    fn database(&self) -> Box<dyn Database> {
        match &self.url {
            None => Box::new(Sqlite::open(&self.file(), false).unwrap()),
            Some(url) => Box::new(Postgres::open(url, true).unwrap()),
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
            stages: Stages::default(),
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
fn a_mark_is_void_for_the_reason_that_was_said_first() {
    for world in World::both() {
        let mut issuer = world.issuer("a");
        let made = marks(one(&mut issuer, issue("1", "P", None, 1)));
        let void = |reason: &str| {
            Job::Note(Outcome { serial: 1, state: State::Void, at: 5, reason: Some(reason.to_owned()), grade: None })
        };
        for reason in ["smeared", "dropped"] {
            assert_eq!(one(&mut issuer, void(reason)), Ok(Done::Noted(State::Void)));
        }
        let Ok(Done::Found(_, Some(outcome))) = one(&mut issuer, Job::Find(made[0].mark.serial)) else {
            panic!("no outcome")
        };
        assert_eq!(outcome.reason.as_deref(), Some("smeared"));
        assert_eq!(world.audited().void, 1);
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
        assert_eq!(error.message, "too few serials of the delegation for lot TIED are left: short by 1");
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
    std::fs::copy(world.file(), world.folder.join("backup")).unwrap();
    let mut issuer = world.issuer("a");
    marks(one(&mut issuer, issue("", "P", None, 1)));
    issuer.finish().unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", world.file().display()));
    }
    std::fs::copy(world.folder.join("backup"), world.file()).unwrap();
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

/// What a line is asked for where it fails: id, part, lot, count.
const WISHES: [(&str, &str, Option<&str>, u64); 4] =
    [("1", "P", None, 2), ("2", "P", None, 60), ("3", "Q", Some("TIED"), 5), ("4", "P", None, 1)];
/// All of them together.
const MARKS: u64 = 68;

type Answers = BTreeMap<String, Vec<SignedMark>>;

/// What a client with patience does: asks again, with the same id, until it has its answer. `told` hears each answer.
fn patient(world: &World, plan: &Plan, answers: &mut Answers, mut told: impl FnMut(&str, &[SignedMark])) {
    let start = || -> Result<Issuer> {
        let store = Store::open(Box::new(Faulty { inner: world.database(), plan: plan.clone() }))?;
        Issuer::start(world.parts("a", store))
    };
    let mut issuer = start();
    for _ in 0..4 {
        let Ok(own) = &mut issuer else {
            issuer = start();
            continue;
        };
        let open: Vec<_> = WISHES.iter().filter(|(id, ..)| !answers.contains_key(*id)).collect();
        for pair in open.chunks(2) {
            let mut jobs: Vec<Job> = pair.iter().map(|(id, part, lot, count)| issue(id, part, *lot, *count)).collect();
            jobs.extend(answers.values().next().map(|marks| note(marks[0].mark.serial.get(), State::Verified)));
            for ((id, ..), answer) in pair.iter().zip(own.process(&jobs, now())) {
                if answer.is_ok() {
                    let marks = marks(answer);
                    told(id, &marks);
                    answers.insert((*id).to_owned(), marks);
                }
            }
        }
        if answers.len() == WISHES.len() {
            break;
        }
    }
    assert_eq!(answers.len(), WISHES.len(), "one failure is got over: {:?}", plan.step.lock());
    if let Ok(own) = issuer {
        let _ = own.finish();
    }
}

/// Every promise, once everything is answered.
#[track_caller]
fn kept(world: &World, answers: &Answers, place: &dyn Fn() -> String) {
    let all: Vec<u64> = answers.values().flat_map(|marks| serials(marks)).collect();
    let unique: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len() as u64, unique.len() as u64), (MARKS, MARKS), "{}", place());
    assert_eq!(world.audited().issued, MARKS, "every mark on record was answered: {}", place());
    let mut issuer = world.issuer("a");
    for (id, part, lot, count) in WISHES {
        assert_eq!(&marks(one(&mut issuer, issue(id, part, lot, count))), &answers[id], "{}", place());
    }
}

/// Every step of the store fails once, in both ways, and every promise stands.
fn fails_at_every_step(world: impl Fn() -> World, failure: Failure) {
    for step in 0.. {
        let (world, plan, mut answers) = (world(), Plan::new(step, failure), Answers::new());
        patient(&world, &plan, &mut answers, |_, _| {});
        kept(&world, &answers, &|| format!("step {step}, {failure:?}: {:?}", plan.step.lock()));
        if !plan.failed() {
            assert!(step > 40, "the scenario has too few steps: {step}");
            return;
        }
    }
}

/// Where a process that is going to die finds its store, at which step it dies, and how.
const DOOMED: &str = "TOUCHMARK_TEST_DOOMED";

/// Not a test of its own: what [`killed_at_every_step_of_its_journal`] runs in another process.
#[test]
fn doomed() {
    let Ok(fate) = std::env::var(DOOMED) else { return };
    let [how, step, folder, url] = fate.split(' ').collect::<Vec<_>>().try_into().unwrap();
    let failure = if how == "before" { Failure::KilledBefore } else { Failure::KilledAfter };
    let world = World::at(folder.into(), (!url.is_empty()).then(|| url.to_owned()));
    let plan = Plan::new(step.parse().unwrap(), failure);
    let mut log = std::fs::File::create(world.folder.join("client.log")).unwrap();
    patient(&world, &plan, &mut Answers::new(), |id, marks| {
        let hex = |mark: &SignedMark| mark.to_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>();
        let line = format!("{id} {}\n", marks.iter().map(hex).collect::<Vec<_>>().join(" "));
        std::io::Write::write_all(&mut log, line.as_bytes()).unwrap();
    });
}
/// Another process works until it dies at a step; then this one asks again for all that the client has no answer to.
fn killed_at_every_step(world: impl Fn() -> World, how: &str, stride: usize) {
    for step in (0..).step_by(stride) {
        let world = world();
        let fate = format!("{how} {step} {} {}", world.folder.display(), world.url.as_deref().unwrap_or_default());
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "line::issuer::tests::doomed", "--test-threads", "1"]).env(DOOMED, fate);
        let lived = child.output().unwrap().status.success();
        let mut answers = Answers::new();
        for line in std::fs::read_to_string(world.folder.join("client.log")).unwrap_or_default().lines() {
            let (id, marks) = line.split_once(' ').unwrap();
            answers.insert(id.to_owned(), marks.split(' ').map(unhex).collect());
        }
        patient(&world, &Plan::new(i64::MAX, Failure::Refused), &mut answers, |_, _| {});
        kept(&world, &answers, &|| format!("killed {how} step {step}"));
        if lived {
            assert!(step > 40, "the scenario has too few steps: {step}");
            return;
        }
    }
}

fn unhex(text: &str) -> SignedMark {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    SignedMark::from_bytes(&(0..text.len()).step_by(2).map(byte).collect::<Vec<_>>()).unwrap()
}

#[test]
fn sqlite_is_killed_at_every_step() {
    killed_at_every_step(World::sqlite, "before", 1);
    killed_at_every_step(World::sqlite, "after", 1);
}

#[test]
fn postgres_is_killed_at_every_seventh_step() {
    // The rules are the same, and a database for each step takes a while.
    killed_at_every_step(World::postgres, "before", 7);
    killed_at_every_step(World::postgres, "after", 7);
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

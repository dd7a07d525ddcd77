//! Orders in, answers out, exactly once, on a line that runs.

use super::super::tests::Running;
use super::*;
use crate::line::store::faulty::{Failure, Faulty, Plan};
use crate::line::store::{Sqlite, Store};
use std::cell::RefCell;

struct Place {
    dir: tempfile::TempDir,
    running: Running,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let running = Running::start(dir.path(), 1000);
        let place = Self { dir, running };
        drop(place.folder(Duration::ZERO));
        place
    }

    fn folder(&self, settle: Duration) -> HotFolder {
        // A process that another test starts at this moment holds what is open here until it runs its own program.
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            match HotFolder::open(&self.path(""), settle) {
                Ok(folder) => return folder,
                Err(e) => assert!(Instant::now() < until, "{e}"),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("hot").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Answers what waits in the folder, as a process that was started anew; returns what it says.
    fn pass(&self) -> Vec<String> {
        let said = RefCell::new(Vec::new());
        let say = |_: Level, text: &str| said.borrow_mut().push(text.to_owned());
        self.folder(Duration::ZERO).pass(&self.running.desk, &Stop::default(), &say).unwrap();
        said.into_inner()
    }

    /// Why something still waits.
    fn waits(&self) -> Option<String> {
        self.folder(Duration::ZERO).pass(&self.running.desk, &Stop::default(), &|_, _| ()).unwrap()
    }

    /// The names in a folder, but for the lock.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| name != ".lock");
        names.sort();
        names
    }

    /// The serials in an answer.
    fn serials(&self, name: &str) -> Vec<u64> {
        let text = self.read(name);
        let mut table = csv::Reader::from_reader(text.as_bytes());
        let column = table.headers().unwrap().iter().position(|name| name == "serial").unwrap();
        table.records().filter_map(|row| row.unwrap()[column].parse().ok()).collect()
    }
}

const ORDER: &str = "part,lot,count\nTM-1,A,2\nTM-2,,1\n";

#[test]
fn an_order_is_answered_with_a_row_a_mark() {
    let place = Place::new();
    place.write("in/a.csv", ORDER);
    place.write("in/.b.csv", ORDER);
    place.write("in/c.csv.part", ORDER);
    #[cfg(unix)]
    std::os::unix::fs::symlink(place.path("in/.b.csv"), place.path("in/d.csv")).unwrap();
    #[cfg(unix)]
    assert_eq!(place.pass(), ["d.csv: left alone: it is no file, but a link, a folder or a pipe", "a.csv: answered"]);
    assert_eq!(place.names("in"), [".b.csv", "c.csv.part", "d.csv"]);
    assert_eq!(
        (place.names("work"), place.names("done"), place.names("out")),
        (vec![], vec!["a.csv".into()], vec!["a.csv".into()])
    );
    assert_eq!(place.read("done/a.csv"), ORDER);
    assert_eq!(place.serials("out/a.csv"), [1, 2, 3]);
    let answer = place.read("out/a.csv");
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines[0], "line,part,lot,date,serial,text,matrix,artwork,error");
    assert!(lines[1].starts_with("2,TM-1,A,,1,") && lines[3].starts_with("3,TM-2,,,3,"), "{answer}");
    let text = lines[1].split(',').nth(5).unwrap();
    let mark = touchmark_formats::base45::decode(text).unwrap();
    assert_eq!(touchmark_formats::mark::SignedMark::from_bytes(&mark).unwrap().mark.serial.get(), 1);
}

#[test]
fn artwork_stands_in_files_that_the_answer_names() {
    let place = Place::new();
    for form in ["svg", "png", "dxf", "zpl"] {
        place.write(&format!("in/{form}.csv"), &format!("part,as\nTM-1,{form}\n"));
    }
    place.pass();
    for (form, begin) in [("svg", &b"<?xml"[..]), ("png", b"\x89PNG"), ("dxf", b"0"), ("zpl", b"^XA")] {
        let answer = place.read(&format!("out/{form}.csv"));
        let file = answer.lines().nth(1).unwrap().split(',').nth(7).unwrap().to_owned();
        let bytes = fs::read(place.path("out").join(&file)).unwrap();
        let bytes = bytes.trim_ascii_start();
        assert!(file.ends_with(form) && (bytes.starts_with(begin) || bytes.starts_with(b"<svg")), "{file}");
    }
}

#[test]
fn a_file_that_still_grows_is_left_alone() {
    let place = Place::new();
    let mut folder = place.folder(Duration::from_millis(300));
    let pass = |folder: &mut HotFolder| folder.pass(&place.running.desk, &Stop::default(), &|_, _| ()).unwrap();
    for n in 1..4 {
        place.write("in/a.csv", &format!("part\n{}", "TM-1\n".repeat(n)));
        pass(&mut folder);
        assert_eq!(place.names("in"), ["a.csv"]);
        std::thread::sleep(Duration::from_millis(150));
    }
    let until = Instant::now() + Duration::from_secs(20);
    while place.names("out").is_empty() {
        assert!(Instant::now() < until);
        pass(&mut folder);
    }
    assert_eq!(place.serials("out/a.csv"), [1, 2, 3]);
}

#[test]
fn a_bad_order_is_rejected_whole_and_uses_no_serial() {
    let place = Place::new();
    place.write("in/a.csv", "part,count\nTM-1,5\nTM-1,many\n");
    assert_eq!(place.pass(), ["a.csv: rejected: line 3: count \"many\": 1 to 10000"]);
    assert_eq!(place.names("rejected"), ["a.csv", "a.txt"]);
    assert_eq!(place.read("rejected/a.txt"), "a.csv: line 3: count \"many\": 1 to 10000\n");
    place.write("in/a.csv", "recipe\nnone-such\n");
    place.pass();
    assert_eq!(place.names("rejected"), ["a-2.csv", "a-2.txt", "a.csv", "a.txt"]);
    assert!(place.read("rejected/a-2.txt").starts_with("a.csv: line 2: there is no recipe \"none-such\""));
    place.write("in/b.csv", "part\nTM-1\n");
    place.pass();
    assert_eq!(place.serials("out/b.csv"), [1]);
}

#[test]
fn rows_that_a_rule_refuses_stand_in_the_answer_with_the_reason() {
    let place = Place::new();
    place.write("in/a.csv", "part,count\nTM-1,999\nTM-1,2\nTM-1,1\n");
    assert_eq!(place.pass(), ["a.csv: answered"]);
    assert_eq!(place.serials("out/a.csv").len(), 1000);
    let answer = place.read("out/a.csv");
    assert!(
        answer.lines().any(|line| line.starts_with("3,TM-1,,,,,,,") && line.contains("too few serials")),
        "{answer}"
    );
}

#[test]
fn the_same_file_a_second_time_is_no_new_order() {
    let place = Place::new();
    let told = "a file of this name with these very bytes was answered before, and its marks may be on parts";
    place.write("in/a.csv", ORDER);
    place.pass();
    place.write("in/a.csv", ORDER);
    assert_eq!(place.pass(), [format!("a.csv: rejected: {told}")]);
    // Nor is it when `done` was tidied up: then the store remembers.
    fs::remove_file(place.path("done/a.csv")).unwrap();
    place.write("in/a.csv", ORDER);
    assert_eq!(place.pass(), [format!("a.csv: rejected: {told}")]);
    // Another name or other rows are another order, and an answer that nobody fetched stays.
    place.write("in/b.csv", ORDER);
    place.write("in/a.csv", "part\nTM-1\n");
    place.pass();
    assert_eq!(place.names("out"), ["a-2.csv", "a.csv", "b.csv"]);
    assert_eq!((place.serials("out/a-2.csv"), place.serials("out/b.csv")), (vec![4], vec![5, 6, 7]));
}

#[test]
fn whatever_step_is_interrupted_the_answer_comes_once_and_is_the_same() {
    let place = Place::new();
    let order = "part,as\nTM-1,svg\nTM-2,svg\n";
    place.write("in/a.csv", order);
    place.pass();
    let answer = place.read("out/a.csv");
    let names = Names { order: place.path("work/a.csv"), id: id_of(Path::new("a.csv"), order.as_bytes()) };
    let artwork = place.path("out").join(names.artwork_name());
    let drawn = fs::read(artwork.join("1.svg")).unwrap();

    let claimed = || fs::rename(place.path("done/a.csv"), &names.order).unwrap();
    let answered = || fs::rename(place.path("out/a.csv"), names.answer()).unwrap();
    let drawn_only = || fs::rename(&artwork, names.artwork()).unwrap();
    let interrupted: [(&str, &dyn Fn()); 6] = [
        ("after it was taken", &|| {
            claimed();
            fs::remove_file(place.path("out/a.csv")).unwrap();
            fs::remove_dir_all(&artwork).unwrap();
        }),
        ("while its artwork was written", &|| {
            claimed();
            fs::remove_file(place.path("out/a.csv")).unwrap();
            drawn_only();
            fs::write(names.artwork().join("1.svg"), "<sv").unwrap();
        }),
        ("before its answer was complete", &|| {
            claimed();
            fs::remove_file(place.path("out/a.csv")).unwrap();
            drawn_only();
        }),
        ("when its answer was complete", &|| {
            claimed();
            answered();
            drawn_only();
        }),
        ("when it was moved to done", &|| {
            answered();
            drawn_only();
        }),
        ("when its artwork was out", &|| answered()),
    ];
    for (when, interrupt) in interrupted {
        interrupt();
        place.pass();
        assert_eq!(place.read("out/a.csv"), answer, "{when}");
        assert_eq!(fs::read(artwork.join("1.svg")).unwrap(), drawn, "{when}");
        assert_eq!((place.names("work"), place.names("done")), (vec![], vec!["a.csv".to_owned()]), "{when}");
        assert_eq!(place.names("rejected"), Vec::<String>::new(), "{when}");
    }
    place.write("in/b.csv", "part\nTM-1\n");
    place.pass();
    assert_eq!(place.serials("out/b.csv"), [3]);
}

#[test]
fn a_store_that_fails_makes_an_order_wait_and_nothing_else() {
    let mut waited = 0;
    for failure in [Failure::Refused, Failure::Done] {
        for step in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let plan = Plan::new(step, failure);
            let inner = Box::new(Sqlite::open(&dir.path().join("serials.db"), true).unwrap());
            let store = Store::open(Box::new(Faulty { inner, plan: plan.clone() }));
            // Whoever cannot start is started again; that is another story.
            let Ok(running) = store.and_then(|store| Running::with(store, dir.path(), 1000)) else { continue };
            let place = Place { dir, running };
            drop(place.folder(Duration::ZERO));
            place.write("in/a.csv", ORDER);
            let until = Instant::now() + Duration::from_secs(20);
            while place.names("out").is_empty() {
                assert!(Instant::now() < until, "step {step}");
                waited += place.waits().is_some() as usize;
            }
            assert_eq!((place.serials("out/a.csv").len(), place.names("rejected").len()), (3, 0), "step {step}");
            if !plan.failed() {
                break;
            }
        }
    }
    assert!(waited >= 10, "{waited}");
}

#[test]
fn a_folder_has_one_line() {
    let place = Place::new();
    let first = place.folder(SETTLE);
    let second = HotFolder::open(&place.path(""), SETTLE).err().unwrap();
    assert!(second.message.ends_with("hot/: another process serves this hot folder"), "{second}");
    drop(first);
    place.folder(SETTLE);
}

#[test]
fn a_name_that_leaves_no_room_for_an_answer_is_rejected_and_the_rest_goes_on() {
    let place = Place::new();
    let name = "q".repeat(210);
    place.write(&format!("in/{name}.csv"), ORDER);
    place.write("in/zz.csv", ORDER);
    let said = place.pass();
    assert!(said[0].contains("its name is longer than 180 bytes") && said[1] == "zz.csv: answered", "{said:?}");
    assert_eq!(place.names("rejected").len(), 2);
}

use super::*;
use crate::case::record::{PhotoFacts, SeenMark};
use crate::verdict::Verdict;
use serde_json::json;

fn entry(path: &str, stamp: &str) -> Entry {
    let result = PhotoResult {
        photo: PhotoFacts { path: path.into(), ..PhotoFacts::default() },
        verdict: Verdict::Authentic,
        reason: "r".into(),
        marks: Vec::new(),
        error: None,
        damage: None,
        parts: Vec::new(),
        other: serde_json::Map::new(),
    };
    Entry { stamp: stamp.into(), result, crops: Vec::new() }
}

fn folder() -> (tempfile::TempDir, Folder) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::at(&temporary.path().join("case"));
    (temporary, folder)
}

fn paths(journal: &Journal) -> Vec<String> {
    journal.sorted().unwrap().map(|entry| entry.unwrap().result.photo.path).collect()
}

#[test]
fn what_was_added_is_there_again_in_order_and_the_newest_counts() {
    let (_temporary, folder) = folder();
    let mut journal = Journal::open(&folder).unwrap();
    for (path, stamp) in [("b", "1"), ("a/c", "1"), ("a.jpg", "1"), ("b", "2")] {
        journal.add(&entry(path, stamp)).unwrap();
    }
    assert_eq!(journal.settle(true).unwrap(), 4);
    assert_eq!(journal.settle(true).unwrap(), 0);
    assert_eq!(paths(&journal), ["a.jpg", "a/c", "b"]);
    drop(journal);
    let journal = Journal::open(&folder).unwrap();
    assert_eq!((journal.len(), paths(&journal)), (3, vec!["a.jpg".into(), "a/c".into(), "b".into()]));
    assert_eq!(journal.stamps()[b"b".as_slice()], "2");
}

#[test]
fn wherever_it_is_cut_the_lines_before_are_kept_and_it_goes_on() {
    let (_temporary, folder) = folder();
    let mut journal = Journal::open(&folder).unwrap();
    journal.add(&entry("a", "1")).unwrap();
    let first = journal.end;
    journal.add(&entry("b", "1")).unwrap();
    let path = journal.path.clone();
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    for cut in (0..whole.len()).step_by(7) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let mut journal = Journal::open(&folder).unwrap();
        assert_eq!(journal.len(), usize::from(cut as u64 >= first), "cut at {cut}");
        journal.add(&entry("c", "1")).unwrap();
        drop(journal);
        let journal = Journal::open(&folder).unwrap();
        assert!(paths(&journal).ends_with(&["c".to_owned()]), "cut at {cut}");
    }
}

#[test]
fn a_damaged_line_costs_its_photo_alone() {
    let (_temporary, folder) = folder();
    let mut journal = Journal::open(&folder).unwrap();
    ["a", "b", "c"].iter().for_each(|path| journal.add(&entry(path, "1")).unwrap());
    let path = journal.path.clone();
    drop(journal);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(paths(&Journal::open(&folder).unwrap()), ["a", "c"]);
}

#[test]
fn a_photo_without_its_crop_is_not_done() {
    let (_temporary, folder) = folder();
    let mut journal = Journal::open(&folder).unwrap();
    let mut with_crop = entry("a", "1");
    let mark = json!({
        "verdict": "authentic", "reason": "r", "corners": [[0, 0], [1, 0], [1, 1], [0, 1]], "crop": "crops/a.jpg",
    });
    with_crop.result.marks = vec![serde_json::from_value::<SeenMark>(mark).unwrap()];
    with_crop.crops = vec![hex(&Sha256::digest(b"picture"))];
    std::fs::create_dir_all(folder.crops()).unwrap();
    std::fs::write(folder.crops().join("a.jpg"), b"picture").unwrap();
    journal.add(&with_crop).unwrap();
    drop(journal);
    assert_eq!(Journal::open(&folder).unwrap().len(), 1);
    std::fs::write(folder.crops().join("a.jpg"), b"").unwrap();
    assert_eq!(Journal::open(&folder).unwrap().len(), 0);
}

#[test]
fn one_case_is_for_one_run() {
    let (_temporary, folder) = folder();
    let journal = Journal::open(&folder).unwrap();
    assert!(Journal::open(&folder).unwrap_err().to_string().contains("another run works on this case"));
    drop(journal);
    assert!(Journal::open(&folder).is_ok());
}

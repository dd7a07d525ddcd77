use super::*;
use crate::case::record::{CloneKind, PhotoFacts, SeenMark};
use serde_json::json;

/// A mark of one line with this serial and part number.
fn proven(serial: u64, part: &str) -> Mark {
    let fields = json!({
        "verdict": "authentic", "reason": "r", "line_key": "K", "key_id": "0badcafe", "serial": serial, "part": part,
        "lot": "L", "date": "2026-11-23", "repaired": 3,
    });
    serde_json::from_value(fields).unwrap()
}

fn lead(verdict: &str, serial: u64) -> Mark {
    let fields = json!({
        "verdict": verdict, "reason": "r", "unauthenticated": {"key_id": "0badcafe", "serial": serial},
    });
    serde_json::from_value(fields).unwrap()
}

/// Photos by path, hash and marks.
fn case(group: Group, photos: &[(&str, &str, &[Mark])]) -> (Parts, BTreeMap<String, Part>) {
    case_at(group, photos, |_| (None, None))
}

fn case_at(
    group: Group,
    photos: &[(&str, &str, &[Mark])],
    at: impl Fn(&str) -> (Option<String>, Option<(f64, f64)>),
) -> (Parts, BTreeMap<String, Part>) {
    let mut parts = Parts::new(group);
    for (path, hash, marks) in photos {
        let (taken, place) = at(path);
        let photo = PhotoFacts {
            path: (*path).into(),
            sha256: Some(hash.repeat(16)),
            taken,
            latitude: place.map(|p| p.0),
            longitude: place.map(|p| p.1),
            ..PhotoFacts::default()
        };
        let seen = |(n, mark): (usize, &Mark)| SeenMark {
            mark: mark.clone(),
            corners: [[0.0; 2]; 4],
            crop: Some(format!("crops/{hash}-{}.jpg", n + 1)),
            part_id: None,
        };
        let result = PhotoResult {
            photo,
            verdict: Verdict::Authentic,
            reason: String::new(),
            marks: marks.iter().enumerate().map(seen).collect(),
            error: None,
            damage: None,
            parts: Vec::new(),
            other: Map::new(),
        };
        parts.add(path.as_bytes(), &result);
    }
    let found = parts.finish();
    (parts, found)
}

fn ids(parts: &BTreeMap<String, Part>) -> Vec<&str> {
    parts.keys().map(String::as_str).collect()
}

fn kinds(part: &Part) -> Vec<CloneKind> {
    part.clones.iter().map(|clone| clone.why).collect()
}

/// The pictures of both sides of what speaks for a second part.
fn pictures(part: &Part) -> Vec<[String; 2]> {
    let crop = |exhibit: &Exhibit| exhibit.crop.clone().unwrap_or_default();
    part.clones.iter().map(|clone| [crop(&clone.here), crop(&clone.there)]).collect()
}

fn photos(part: &Part) -> Vec<&str> {
    part.shots.iter().map(|shot| shot.photo.path.as_str()).collect()
}

#[test]
fn photos_of_one_mark_are_of_one_part_wherever_they_are() {
    let better = Mark { repaired: Some(0), ..proven(7, "P") };
    let other = lead("not-a-touchmark", 1);
    let all: [(&str, &str, &[Mark]); 5] = [
        ("a/1", "01", &[proven(7, "P")]),
        ("a/2", "02", &[better, proven(8, "P")]),
        ("b/1", "03", &[lead("forged", 7)]),
        ("b/2", "04", &[]),
        ("b/3", "05", &[Mark { unauthenticated: None, ..other }]),
    ];
    let (parts, found) = case(Group::None, &all);
    assert_eq!(ids(&found), ["0badcafe-7", "0badcafe-8", "forged-0badcafe-7"]);
    let part = &found["0badcafe-7"];
    assert_eq!((photos(part), part.read_from.as_slice()), (vec!["a/1", "a/2"], &["a/2".to_owned()][..]));
    assert_eq!(part.mark.repaired, Some(0));
    assert!(found.values().all(|part| part.clones.is_empty()));
    assert_eq!(parts.ids[&(b"a/2".to_vec(), 1)], "0badcafe-8");
    assert_eq!(parts.of_photo[b"a/2".as_slice()].len(), 2);
    assert!(!parts.of_photo.contains_key(b"b/2".as_slice()));
}

#[test]
fn marks_that_share_a_serial_and_do_not_say_the_same_are_two_parts() {
    let (_, found) = case(Group::None, &[("a", "01", &[proven(7, "Q")]), ("b", "02", &[proven(7, "P")])]);
    assert_eq!(ids(&found), ["0badcafe-7", "0badcafe-7-2"]);
    let [first, second] = ["0badcafe-7", "0badcafe-7-2"].map(|id| &found[id]);
    assert_eq!((photos(first), kinds(first)), (vec!["a"], vec![CloneKind::MarksContradict]));
    let clone = &second.clones[0];
    assert_eq!(
        (clone.part_id.as_deref(), clone.here.path.as_str(), clone.there.path.as_str()),
        (Some("0badcafe-7"), "b", "a")
    );
    assert!(clone.detail.contains("part P and Q"), "{}", clone.detail);
    assert_eq!(pictures(second), [["crops/02-1.jpg", "crops/01-1.jpg"]]);
    // The same serial of another line is no contradiction, though the ids of their keys are alike.
    let stranger = Mark { line_key: Some("L".into()), ..proven(7, "P") };
    let (_, found) = case(Group::None, &[("a", "01", &[proven(7, "Q")]), ("b", "02", &[stranger])]);
    assert_eq!((ids(&found).len(), found.values().flat_map(kinds).count()), (2, 0));
}

#[test]
fn a_photo_that_shows_a_mark_twice_is_pointed_out() {
    let (_, found) = case(Group::None, &[("a", "01", &[proven(7, "P"), proven(7, "P")])]);
    let part = &found["0badcafe-7"];
    assert_eq!(kinds(part), [CloneKind::TwiceInOnePhoto]);
    assert_eq!(pictures(part), [["crops/01-1.jpg", "crops/01-2.jpg"]], "each of the two places in it");
}

#[test]
fn by_folder_all_photos_in_one_are_of_its_part() {
    let all: [(&str, &str, &[Mark]); 6] = [
        ("a/1", "01", &[]),
        ("a/2", "02", &[proven(7, "P")]),
        ("a/3", "03", &[lead("unreadable", 9)]),
        ("b/1", "04", &[lead("unknown-issuer", 5)]),
        ("b/2", "05", &[]),
        ("c/1", "06", &[]),
    ];
    let (parts, found) = case(Group::Folder, &all);
    assert_eq!(ids(&found), ["0badcafe-7", "part-0606060606060606", "unknown-issuer-0badcafe-5"]);
    assert_eq!(photos(&found["0badcafe-7"]), ["a/1", "a/2", "a/3"]);
    assert_eq!(photos(&found["unknown-issuer-0badcafe-5"]), ["b/1", "b/2"]);
    assert_eq!(found["part-0606060606060606"].mark.verdict, Verdict::NothingFound);
    assert!(parts.of_photo[b"a/1".as_slice()].contains("0badcafe-7"));
}

#[test]
fn a_folder_that_proves_two_marks_says_so() {
    let all: [(&str, &str, &[Mark]); 3] =
        [("a/1", "01", &[proven(7, "P")]), ("a/2", "02", &[proven(8, "P")]), ("a/3", "03", &[])];
    let (_, found) = case(Group::Folder, &all);
    assert_eq!(ids(&found), ["0badcafe-7", "0badcafe-8"]);
    for part in found.values() {
        assert_eq!(part.mark.findings[0].finding, "different-parts");
        assert_eq!(photos(part).len(), 1, "nobody knows of which of them the third photo is");
    }
}

#[test]
fn one_mark_in_two_folders_is_pointed_out_unless_it_is_one_photo() {
    let (_, found) = case(Group::Folder, &[("a/1", "01", &[proven(7, "P")]), ("b/1", "02", &[proven(7, "P")])]);
    assert_eq!(ids(&found), ["0badcafe-7", "0badcafe-7-2"]);
    assert!(found.values().all(|part| kinds(part) == [CloneKind::TwoFolders]));
    let (_, found) = case(Group::Folder, &[("a/1", "01", &[proven(7, "P")]), ("b/1", "01", &[proven(7, "P")])]);
    assert!(found.values().all(|part| part.clones.is_empty()));
    // The photos to look at are those that show the mark, not what else is in the folders.
    let all: [(&str, &str, &[Mark]); 4] =
        [("a/1", "01", &[]), ("a/2", "02", &[proven(7, "P")]), ("b/1", "03", &[]), ("b/2", "04", &[proven(7, "P")])];
    let (_, found) = case(Group::Folder, &all);
    assert_eq!(pictures(&found["0badcafe-7"]), [["crops/02-1.jpg", "crops/04-1.jpg"]]);
    assert_eq!(found["0badcafe-7-2"].clones[0].there.path, "a/2");
}

#[test]
fn what_put_together_proves_is_the_part_of_the_folder() {
    let mut parts = Parts::new(Group::Folder);
    let shot = |path: &str| {
        let photo = PhotoFacts { path: path.into(), sha256: Some("ab".repeat(32)), ..PhotoFacts::default() };
        let (marks, reason) = (Vec::new(), String::new());
        let (error, damage, verdict) = (None, None, Verdict::NothingFound);
        PhotoResult { photo, verdict, reason, marks, error, damage, parts: Vec::new(), other: Map::new() }
    };
    ["a/1", "a/2", "a/3"].iter().for_each(|path| parts.add(path.as_bytes(), &shot(path)));
    assert_eq!(
        parts.unproven_folders(),
        [(b"a".to_vec(), ["a/1", "a/2", "a/3"].map(|p| p.as_bytes().to_vec()).to_vec())]
    );
    parts.put_together(b"a", proven(7, "P"), &[0, 2]);
    let found = parts.finish();
    assert_eq!(ids(&found), ["0badcafe-7"]);
    assert_eq!(
        (photos(&found["0badcafe-7"]).len(), found["0badcafe-7"].read_from.as_slice()),
        (3, &["a/1", "a/3"].map(String::from)[..])
    );
}

#[test]
fn nobody_is_at_two_places_at_once() {
    let (amsterdam, kyiv) = ((52.3676, 4.9041), (50.4501, 30.5234));
    let two: [(&str, &str, &[Mark]); 2] = [("a", "01", &[proven(7, "P")]), ("b", "02", &[proven(7, "P")])];
    let clones = |times: [&str; 2], there: (f64, f64)| {
        let (_, found) = case_at(Group::None, &two, |path| match path {
            "a" => (Some(times[0].into()), Some(amsterdam)),
            _ => (Some(times[1].into()), Some(there)),
        });
        kinds(&found["0badcafe-7"])
    };
    let zoned = ["2026-11-23T10:00:00+01:00", "2026-11-23T11:30:00+02:00"];
    assert_eq!(clones(zoned, kyiv), [CloneKind::TooFarApart]);
    let (_, found) = case_at(Group::None, &two, |path| match path {
        "a" => (Some(zoned[0].into()), Some(amsterdam)),
        _ => (Some(zoned[1].into()), Some(kyiv)),
    });
    let clone = &found["0badcafe-7"].clones[0];
    assert_eq!((clone.here.taken.as_deref(), clone.there.place.as_deref()), (Some(zoned[0]), Some("50.4501, 30.5234")));
    assert_eq!(clones(zoned, (52.4, 5.0)), [], "a few kilometres are nothing");
    assert_eq!(clones([zoned[0], "2026-11-23T18:00:00+02:00"], kyiv), [], "time enough to fly");
    assert_eq!(clones(["2026-11-23T10:00:00", "2026-11-23T11:30:00"], kyiv), [], "clocks of unknown zones");
}

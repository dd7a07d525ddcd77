use super::*;
use crate::case::record::CloneKind;
use crate::case::sample::Sample;
use serde_json::json;

fn merged(sample: &Sample, cases: &[&str]) -> (Merged, Folder) {
    let folders: Vec<Folder> = cases.iter().map(|name| Folder::at(&sample.path(name))).collect();
    let merged = merge(&folders, &sample.path("view"), Language::En, "2026-12-01T00:00:00Z".parse().unwrap()).unwrap();
    (merged, Folder::at(&sample.path("view")))
}

fn parts(folder: &Folder) -> Vec<PartResult> {
    folder.parts().unwrap().map(Result::unwrap).collect()
}

#[test]
fn the_same_photo_and_part_stand_once() {
    let sample = Sample::new();
    sample.write("kyiv", &["one", "two", "else"]);
    let (merged, view) = merged(&sample, &["case", "kyiv"]);
    let expected = Merged { photos: 4, same_photos: 2, parts: 2, same_parts: 2, conflicts: 0, clones: 0 };
    assert_eq!(merged, expected);
    let photos: Vec<PhotoResult> = view.results().unwrap().map(Result::unwrap).collect();
    assert_eq!(photos.iter().filter(|photo| photo.other.get("also_in") == Some(&json!(["kyiv"]))).count(), 2);
    assert!(photos.iter().all(|photo| photo.photo.path.starts_with("case/") || photo.photo.path.starts_with("kyiv/")));
    let parts = parts(&view);
    assert_eq!((parts[0].photos.len(), parts[0].clones.len()), (1, 0));
    assert!(view.report_html().exists() && view.crops().join("0000000000000001-1.jpg").exists());
    assert_eq!(view.case().unwrap().other["cases"][1]["name"], json!("kyiv"));
}

#[test]
fn one_serial_on_different_photos_is_a_finding_and_so_are_two_verdicts() {
    let sample = Sample::new();
    let kyiv = sample.write("kyiv", &["other one", "two"]);
    let mut own = parts(&kyiv);
    own[1].mark.verdict = crate::verdict::Verdict::Revoked;
    kyiv.write_parts(own.into_iter().map(Ok::<_, FolderError>)).unwrap();
    let (merged, view) = merged(&sample, &["case", "kyiv"]);
    assert_eq!((merged.parts, merged.same_parts, merged.conflicts, merged.clones), (2, 2, 1, 1));
    let parts = parts(&view);
    let clone = &parts[0].clones[0];
    assert_eq!((clone.why, clone.case.as_deref()), (CloneKind::OtherCase, Some("kyiv")));
    assert!(clone.here.path.starts_with("case/") && clone.there.path.starts_with("kyiv/"), "{clone:?}");
    assert_eq!((parts[0].photos.len(), parts[1].mark.verdict), (2, crate::verdict::Verdict::Revoked));
    assert_eq!(parts[1].mark.findings[0].detail, "authentic in case, revoked in kyiv: compare their trust bundles");
    let report = std::fs::read_to_string(view.report_html()).unwrap();
    assert!(report.contains("Cases say different verdicts of this mark"));
}

#[test]
fn parts_that_cannot_be_told_apart_stay_apart() {
    let sample = Sample::new();
    let other = sample.write("kyiv", &["three", "four"]);
    let unproven = |folder: &Folder| {
        let mut own = parts(folder);
        own.iter_mut().for_each(|part| (part.mark.line_key, part.mark.maker) = (None, None));
        folder.write_parts(own.into_iter().map(Ok::<_, FolderError>)).unwrap();
    };
    unproven(&other);
    unproven(&sample.folder());
    let (merged, view) = merged(&sample, &["case", "kyiv"]);
    assert_eq!((merged.parts, merged.same_parts, merged.clones), (4, 0, 0));
    // The same photos are the same part, whatever can be said of it.
    unproven(&sample.write("copy", &["one", "two"]));
    let copies = [sample.path("case"), sample.path("copy")].map(|path| Folder::at(&path));
    let joined = merge(&copies, &sample.path("joined"), Language::En, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!((joined.parts, joined.same_parts), (2, 2));
    let ids: Vec<String> = parts(&view).into_iter().map(|part| part.id).collect();
    assert_eq!(ids, ["0badcafe-1", "0badcafe-1-2", "0badcafe-2", "0badcafe-2-2"]);
    let photos: Vec<PhotoResult> = view.results().unwrap().map(Result::unwrap).collect();
    let kyiv = photos.iter().find(|photo| photo.photo.path.starts_with("kyiv/") && !photo.parts.is_empty()).unwrap();
    assert!(
        kyiv.parts[0].ends_with("-2") && kyiv.marks[0].part_id.as_deref() == Some(kyiv.parts[0].as_str()),
        "{kyiv:?}"
    );
}

#[test]
fn two_cases_of_one_name_are_told_apart() {
    assert_eq!(
        names(&[crate::case::sample::case("a"), crate::case::sample::case("a"), crate::case::sample::case("b")]),
        ["a", "a-2", "b"]
    );
}

use super::*;
use crate::case::check::check;
use crate::case::folder::FolderError;
use crate::case::record::PartResult;
use crate::case::redact::{PRIVATE, Redaction, redact};
use crate::case::report::Language;
use crate::case::sample::{Sample, edit, manifests};
use crate::material;
use std::collections::BTreeMap;

fn redaction(classes: &[Class]) -> Redaction {
    let now = "2026-11-25T09:00:00Z".parse().unwrap();
    Redaction { classes: classes.iter().copied().collect(), language: Language::En, now }
}

/// Every text in the files below a folder.
fn everything(folder: &Path) -> String {
    let names = bag::files_below(folder, folder).unwrap();
    let texts = names
        .iter()
        .map(|name| format!("{name}\n{}\n", String::from_utf8_lossy(&std::fs::read(folder.join(name)).unwrap())));
    texts.collect()
}

#[test]
fn a_bag_is_as_it_was_signed() {
    let sample = Sample::new();
    let packed = sample.packed(true);
    assert_eq!((packed.photos, &packed.without), (3, &Vec::new()));
    let checked = check(&sample.path("bag")).unwrap();
    assert_eq!((checked.problems, checked.signers), (Vec::<String>::new(), vec![packed.signer]));
    assert_eq!((checked.left_out, checked.made_anew), (BTreeMap::new(), Vec::<String>::new()));
    assert_eq!((checked.seal.case.as_str(), checked.seal.pieces), ("case", packed.pieces));
    // The payload is a case like any other.
    let payload = Folder::at(&sample.path("bag/data"));
    assert_eq!(
        payload.parts().unwrap().map(Result::unwrap).collect::<Vec<_>>(),
        sample.folder().parts().unwrap().map(Result::unwrap).collect::<Vec<_>>()
    );
    assert_eq!(payload.case().unwrap(), sample.folder().case().unwrap());
    let again = pack(
        &sample.folder(),
        &sample.path("bag"),
        &Packing {
            key: &material::open_signing_key(&sample.path("key.pem")).unwrap(),
            photos: false,
            now: Timestamp::UNIX_EPOCH,
            secret: Zeroizing::new([0; 32]),
        },
    );
    assert!(again.unwrap_err().to_string().ends_with("it is there already: name a new folder"));
}

#[test]
fn a_photo_that_changed_is_not_packed() {
    let sample = Sample::new();
    std::fs::write(sample.path("photos/case/1.jpg"), "another").unwrap();
    std::fs::remove_file(sample.path("photos/case/2.jpg")).unwrap();
    let packed = sample.packed(true);
    assert_eq!((packed.photos, packed.without.len()), (1, 2));
    assert_eq!(check(&sample.path("bag")).unwrap().problems, Vec::<String>::new());
}

#[test]
fn what_was_left_out_cannot_be_found_and_the_signature_still_holds() {
    let sample = Sample::new();
    let signer = sample.packed(true).signer;
    let (bag, copy) = (sample.path("bag"), sample.path("copy"));
    let private =
        ["Noordzee", "471100815", "Kade 12", "50.45", "30.52", "X100", "photos/case", "from-acme.age", "trust.json"];
    assert!(private.iter().all(|text| everything(&bag).contains(text)));
    let left_out = redact(&bag, &copy, &redaction(&PRIVATE)).unwrap();
    let expected = [(Class::Consignee, 2), (Class::Place, 3), (Class::Path, 6), (Class::Photo, 3)];
    assert_eq!(left_out, BTreeMap::from(expected));
    let all = everything(&copy);
    for text in private {
        assert!(!all.contains(text), "{text} is still there");
    }
    let checked = check(&copy).unwrap();
    assert_eq!((checked.problems, checked.signers), (Vec::<String>::new(), vec![signer]));
    assert_eq!(checked.left_out, left_out);
    assert_eq!(checked.made_anew, ["flows.graphml", "report.html", "results.csv"]);
    // What stays is still said: verdict, serial, lot, hash of the photo; and that evidence is missing.
    let report = std::fs::read_to_string(copy.join("data/report.html")).unwrap();
    assert!(report.contains("Redacted: some evidence") && report.contains("\"serial\":\"1\""));
    assert!(copy.join("data/crops/0000000000000001-1.jpg").exists());
    // A copy of the copy, too.
    let twice = sample.path("twice");
    redact(&copy, &twice, &redaction(&[Class::Crop])).unwrap();
    let checked = check(&twice).unwrap();
    assert_eq!((checked.problems, checked.left_out.get(&Class::Crop)), (Vec::<String>::new(), Some(&2)));
}

#[test]
fn both_photos_of_a_clone_are_private_like_any_other() {
    let sample = Sample::new();
    let mut parts: Vec<PartResult> = sample.folder().parts().unwrap().map(Result::unwrap).collect();
    let clone = serde_json::json!({
        "why": "other-case", "detail": "d", "case": "Lviv",
        "here": { "path": "street/1.jpg", "sha256": "aa", "place": "48.1, 30.2", "crop": "crops/0000000000000001-1.jpg" },
        "there": { "path": "yard/1.jpg", "sha256": "bb", "place": "49.8, 24.03" },
    });
    parts[0].clones = vec![serde_json::from_value(clone).unwrap()];
    sample.folder().write_parts(parts.into_iter().map(Ok::<_, FolderError>)).unwrap();
    sample.packed(false);
    let (bag, copy) = (sample.path("bag"), sample.path("copy"));
    let private = ["street/1.jpg", "yard/1.jpg", "48.1, 30.2", "49.8, 24.03", "Lviv"];
    assert!(private.iter().all(|text| everything(&bag).contains(text)));
    redact(&bag, &copy, &redaction(&[&PRIVATE[..], &[Class::Crop]].concat())).unwrap();
    let all = everything(&copy);
    for text in private {
        assert!(!all.contains(text), "{text} is still there");
    }
    assert_eq!(check(&copy).unwrap().problems, Vec::<String>::new());
    let report = std::fs::read_to_string(copy.join("data/report.html")).unwrap();
    let first = report.split_once("<ol class=\"first\">").unwrap().1.split_once("</ol>").unwrap().0;
    for said in ["data-t=\"picture-missing\"", "data-t=\"picture-elsewhere\"", "SHA-256 aa…"] {
        assert!(first.contains(said), "{said}: {first}");
    }
}

#[test]
fn a_case_without_parts_is_packed_and_verified() {
    let sample = Sample::new();
    std::fs::write(sample.folder().parts_jsonl(), "").unwrap();
    crate::case::report::write(&sample.folder(), Language::En).unwrap();
    sample.packed(false);
    assert_eq!(check(&sample.path("bag")).unwrap().problems, Vec::<String>::new());
}

#[test]
fn what_programs_may_read_differently_is_not_signed() {
    for (member, at) in [("\"n\":9007199254740993", 1), ("\"\u{e9}\":1", 1)] {
        let sample = Sample::new();
        let path = sample.folder().parts_jsonl();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen('{', &format!("{{{member},"), 1)).unwrap();
        let key = sample.path("key.pem");
        std::fs::write(&key, crate::case::sample::PEM).unwrap();
        let key = material::open_signing_key(&key).unwrap();
        let packing = Packing { key: &key, photos: false, now: Timestamp::UNIX_EPOCH, secret: Zeroizing::new([9; 32]) };
        let said = pack(&sample.folder(), &sample.path("bag"), &packing).unwrap_err().to_string();
        assert!(said.contains(&format!("parts.jsonl: line {at}: {UNLIKE}")) && !sample.path("bag").exists(), "{said}");
    }
}

#[test]
fn one_class_is_left_out_and_the_others_stay() {
    let sample = Sample::new();
    sample.packed(false);
    redact(&sample.path("bag"), &sample.path("copy"), &redaction(&[Class::Consignee])).unwrap();
    let all = everything(&sample.path("copy"));
    assert!(!all.contains("Noordzee") && all.contains("photos/case") && all.contains("50.45"));
    assert!(all.contains("\"status\":\"sealed\""), "that a consignee is sealed is no secret");
}

/// Every problem after `change` to the bag, with the manifests made anew, as whoever forges evidence would.
fn forged(change: impl Fn(&Path)) -> Vec<String> {
    let sample = Sample::new();
    sample.packed(false);
    let bag = sample.path("bag");
    change(&bag);
    manifests(&bag);
    check(&bag).unwrap().problems
}

#[test]
fn no_change_goes_unseen() {
    let as_signed = "it is not as it was signed";
    let edited = |name: &'static str, from: &'static str, to: &'static str| move |bag: &Path| edit(bag, name, from, to);
    assert_eq!(forged(|_| {}), Vec::<String>::new());
    assert_eq!(
        forged(edited("data/parts.jsonl", "\"lot\":\"L1\"", "\"lot\":\"L2\"")),
        [format!("parts.jsonl, line 1: {as_signed}")]
    );
    assert_eq!(
        forged(edited("data/parts.jsonl", "Noordzee", "Zuidzee")),
        [format!("parts.jsonl, line 1: {as_signed}")]
    );
    assert_eq!(forged(edited("data/results.jsonl", "50.45", "50.46")), [format!("results.jsonl, line 1: {as_signed}")]);
    assert_eq!(
        forged(edited("data/parts.jsonl", "\"lot\"", " \"lot\"")),
        ["parts.jsonl, line 1: it is not in its canonical form"]
    );
    let twice = edited("data/parts.jsonl", "\"lot\":\"L1\",", "\"lot\":\"L2\",\"lot\":\"L1\",");
    assert_eq!(forged(twice), ["parts.jsonl, line 1: it is not in its canonical form"]);
    assert_eq!(forged(edited("data/report.html", "Overview", "Outlook")), [format!("report.html: {as_signed}")]);
    let crop = "data/crops/0000000000000001-1.jpg";
    assert_eq!(
        forged(|bag| std::fs::write(bag.join(crop), "x").unwrap()),
        [format!("crops/0000000000000001-1.jpg: {as_signed}")]
    );
    assert_eq!(
        forged(|bag| std::fs::remove_file(bag.join(crop)).unwrap()),
        ["crops/0000000000000001-1.jpg: it was signed, and is not there"]
    );
    assert_eq!(
        forged(|bag| std::fs::write(bag.join("data/new.txt"), "x").unwrap()),
        ["new.txt: it is no evidence that was signed"]
    );
    assert_eq!(
        forged(|bag| std::fs::remove_file(bag.join("data/parts.jsonl")).unwrap()),
        ["parts.jsonl: it was signed, and is not there"]
    );
    let unended = |bag: &Path| {
        let text = std::fs::read_to_string(bag.join("data/parts.jsonl")).unwrap();
        std::fs::write(bag.join("data/parts.jsonl"), text.trim_end()).unwrap();
    };
    assert_eq!(forged(unended), ["parts.jsonl, line 2: it does not end with a line feed"]);
    let shorter = |bag: &Path| {
        let text = std::fs::read_to_string(bag.join("data/parts.jsonl")).unwrap();
        std::fs::write(bag.join("data/parts.jsonl"), text.lines().next().unwrap().to_owned() + "\n").unwrap();
    };
    assert_eq!(forged(shorter), ["parts.jsonl, line 2: it was signed, and is not there"]);
    // A consignee put in place of one that was left out; a piece moved to another line; a piece dropped.
    let put = |bag: &Path| {
        let text = std::fs::read_to_string(bag.join(EVIDENCE)).unwrap();
        let lines: Vec<String> = text
            .lines()
            .map(|line| {
                let mut piece: Piece = serde_json::from_str(line).unwrap();
                if piece.class == Class::Consignee {
                    piece.leave_out();
                }
                serde_json::to_string(&piece).unwrap() + "\n"
            })
            .collect();
        std::fs::write(bag.join(EVIDENCE), lines.concat()).unwrap();
        edit(bag, "data/parts.jsonl", "Noordzee", "Scapegoat");
        edit(bag, "data/results.jsonl", "Noordzee", "Scapegoat");
    };
    let both = ["parts.jsonl, line 1: it is not as it was signed", "results.jsonl, line 1: it is not as it was signed"];
    assert_eq!(forged(put), both);
    let moved =
        forged(edited(EVIDENCE, "\"file\":\"results.jsonl\",\"line\":1", "\"file\":\"results.jsonl\",\"line\":2"));
    assert_eq!(moved[0], format!("{EVIDENCE}: not the evidence that was signed"));
    let dropped = |bag: &Path| {
        let text = std::fs::read_to_string(bag.join(EVIDENCE)).unwrap();
        std::fs::write(bag.join(EVIDENCE), text.split_inclusive('\n').skip(1).collect::<String>()).unwrap();
    };
    assert_eq!(forged(dropped)[0], format!("{EVIDENCE}: not the evidence that was signed"));
    assert_eq!(
        forged(edited(SEAL, "\"case\": \"case\"", "\"case\": \"other\"")),
        [format!("{SEAL}: no good signature")]
    );
}

#[test]
fn manifests_show_what_differs_and_lead_nowhere() {
    let sample = Sample::new();
    sample.packed(false);
    let bag = sample.path("bag");
    std::fs::write(bag.join("data/results.csv"), "x").unwrap();
    std::fs::remove_file(bag.join("bag-info.txt")).unwrap();
    let problems = check(&bag).unwrap().problems;
    assert_eq!(problems[..2], ["data/results.csv is not as the manifest has it", "bag-info.txt is missing"]);
    edit(&bag, "manifest-sha256.txt", "data/results.csv", "../../../etc/passwd");
    let said = check(&bag).unwrap_err().to_string();
    assert!(said.ends_with("the name leads out of the bag"), "{said}");
    let other = sample.path("photos");
    assert!(check(&other).unwrap_err().to_string().contains("bagit.txt"));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let sample = Sample::new();
    sample.packed(false);
    std::os::unix::fs::symlink("/etc/passwd", sample.path("bag/data/x")).unwrap();
    let said = check(&sample.path("bag")).unwrap_err().to_string();
    assert!(said.ends_with("a bag holds nothing else"), "{said}");
}

#[test]
fn what_is_not_as_signed_is_not_redacted() {
    let sample = Sample::new();
    sample.packed(false);
    edit(&sample.path("bag"), "data/parts.jsonl", "L1", "L2");
    let said = redact(&sample.path("bag"), &sample.path("copy"), &redaction(&PRIVATE)).unwrap_err().to_string();
    assert!(said.contains("it is not what was signed") && !sample.path("copy").exists(), "{said}");
}

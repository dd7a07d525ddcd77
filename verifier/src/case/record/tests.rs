use super::*;
use crate::case::folder::{Folder, FolderError, FolderErrorKind};
use crate::examine::Judged;
use crate::verdict::{Finding as Noticed, FindingKind};
use crate::verify::{Assessment, ConsigneeStatus, ContainerFacts, Proven, Trace, Unproven};
use serde::de::DeserializeOwned;
use serde_json::json;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::{Event, What};
use touchmark_formats::ledger::trail::Link;
use touchmark_formats::mark::Serial;

fn text<T: DeserializeOwned>(text: &str) -> T {
    serde_json::from_value(json!(text)).unwrap()
}

fn date() -> Date {
    text("2026-11-23")
}

fn container() -> Option<ContainerFacts> {
    Some(ContainerFacts { level: "reel", first: 7, last: 9, quantity: 3, sscc: Some("1".into()) })
}

fn link(what: What, party: Option<&Party>, corrected: bool) -> Link {
    let serial = Serial::new(7).unwrap();
    let serials = SerialRange { first: serial, last: serial };
    let event = Event { line: KeyBytes([1; 32]), serials, after: None, date: date(), what };
    Link { index: 5, event, to: party.cloned(), ship_to: party.cloned(), corrected }
}

/// A mark of which everything is known at once that can be.
fn full() -> Judged {
    let party: Party = serde_json::from_value(json!({
        "number": 4711, "name": "Noordzee", "country": "NL", "address": "Kade 12", "duns": "123456789",
    }))
    .unwrap();
    let hands = vec![
        link(What::Shipped { to: 1, ship_to: Some(2), document: Some(text("D 1")) }, Some(&party), true),
        link(What::Corrected { reason: text("mistyped") }, None, false),
    ];
    let proven = Proven {
        maker: text("Acme"),
        country: text("NL"),
        line: text("line 1"),
        line_key: KeyBytes([1; 32]),
        key_id: "0badcafe".into(),
        part: text("=HYPERLINK(1)"),
        lot: Some(text("L1")),
        serial: Some(Serial::MAX),
        container: container(),
        date: date(),
        site: 17,
        die_id: Some("01020304".into()),
        grade: Some(3.5),
        consignee: ConsigneeStatus::Disclosed {
            number: 4711,
            name: Some(text("Noordzee")),
            country: Some(text("NL")),
            address: Some("Kade 12".into()),
            case: "c".into(),
            check_bits: 24,
        },
        trail: Some(Trace { ledger: "l".into(), records: 8, case: "c".into(), hands }),
    };
    let unauthenticated = Unproven {
        key_id: "0badcafe".into(),
        part: Some(text("P")),
        part_index: Some(3),
        lot: Some(text("L1")),
        serial: Some(1),
        container: container(),
        date: date(),
    };
    Judged {
        assessment: Assessment {
            verdict: Verdict::Revoked,
            reason: "why".into(),
            proven: Some(proven),
            unauthenticated: Some(unauthenticated),
            findings: vec![Noticed { finding: FindingKind::DateNotCorroborated, detail: "d".into() }],
        },
        symbology: "DataMatrix",
        modules: [40, 40],
        repaired: Some(2),
        codewords: Some(162),
        recovered: true,
    }
}

#[test]
fn a_mark_keeps_every_field_and_its_name() {
    let judged = full();
    let mark = Mark::of(&judged).unwrap();
    assert_eq!(serde_json::to_value(&mark).unwrap(), serde_json::to_value(&judged).unwrap());
    let bare = Judged {
        assessment: Assessment::without_mark(Verdict::Unreadable, "no"),
        symbology: "QRCode",
        modules: [21, 21],
        repaired: None,
        codewords: None,
        recovered: false,
    };
    let expected = json!({
        "verdict": "unreadable", "reason": "no", "findings": [], "symbology": "QRCode", "modules": [21, 21],
    });
    assert_eq!(serde_json::to_value(Mark::of(&bare).unwrap()).unwrap(), expected);
}

fn part() -> PartResult {
    let name = |path: &str| Exhibit {
        path: path.into(),
        sha256: Some("00".repeat(32)),
        taken: Some("2026-11-23T10:05:00".into()),
        place: Some("50.45, 30.52".into()),
        crop: Some("crops/x.jpg".into()),
    };
    PartResult {
        id: "0badcafe-7".into(),
        mark: Mark::of(&full()).unwrap(),
        photos: vec!["a".into(), "b".into()],
        read_from: vec!["a".into()],
        crop: Some("crops/x.jpg".into()),
        clones: vec![CloneFinding {
            why: CloneKind::OtherCase,
            detail: "d".into(),
            here: name("a"),
            there: name("z"),
            part_id: None,
            case: Some("earlier".into()),
        }],
        other: serde_json::from_value(json!({"newer": [1, {"x": null}]})).unwrap(),
    }
}

fn photo(path: &str) -> PhotoResult {
    let PartResult { id, mark, crop, .. } = part();
    PhotoResult {
        photo: PhotoFacts { path: path.into(), latitude: Some(-0.1), bytes: Some(u64::MAX), ..PhotoFacts::default() },
        verdict: Verdict::Authentic,
        reason: "r".into(),
        marks: vec![SeenMark { mark, corners: [[0.1, 2.5]; 4], crop, part_id: Some(id.clone()) }],
        error: None,
        damage: Some("cut".into()),
        parts: vec![id],
        other: Map::new(),
    }
}

fn case() -> Case {
    let file = FileUsed { file: "trust.json".into(), sha256: "0".into() };
    Case {
        kind: Case::TYPE.into(),
        version: Case::VERSION,
        tool: "touchmark-verify 0.1.0".into(),
        created: "2026-11-23T10:00:00Z".parse().unwrap(),
        name: "one".into(),
        inputs: vec!["seizure".into()],
        effort: Effort::Forensic,
        group: Group::Folder,
        trust: TrustUsed { file: file.clone(), authority: "A".into(), fingerprint: "f".into(), bundle_version: 3 },
        disclosures: vec![file],
        witnesses: Vec::new(),
        other: Map::new(),
    }
}

#[test]
fn a_folder_gives_back_what_was_written() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::at(&temporary.path().join("new/case"));
    folder.write_case(&case()).unwrap();
    assert_eq!(folder.case().unwrap(), case());
    let photos = [photo("a"), photo("b\n\u{2028}")];
    folder.write_results(photos.iter().cloned().map(Ok::<_, FolderError>)).unwrap();
    assert_eq!(folder.results().unwrap().map(Result::unwrap).collect::<Vec<_>>(), photos);
    folder.write_parts([Ok::<_, FolderError>(part())]).unwrap();
    assert_eq!(folder.parts().unwrap().map(Result::unwrap).collect::<Vec<_>>(), [part()]);
    let names: Vec<_> = std::fs::read_dir(folder.root()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 3, "nothing else is left behind: {names:?}");
}

#[test]
fn what_is_redacted_is_missed_by_nobody() {
    let strip = |value: &mut serde_json::Value, names: &[&str]| {
        names.iter().for_each(|name| drop(value.as_object_mut().unwrap().remove(*name)));
    };
    let mut line = serde_json::to_value(part()).unwrap();
    strip(&mut line, &["photos", "read_from", "consignee", "trail", "crop"]);
    strip(&mut line["clones"][0], &["here", "case"]);
    strip(&mut line["clones"][0]["there"], &["path", "place"]);
    let read: PartResult = serde_json::from_value(line).unwrap();
    assert_eq!((&read.id, read.photos.len(), &read.mark.consignee), (&part().id, 0, &None));
    assert_eq!(read.clones[0].there, Exhibit { path: String::new(), place: None, ..part().clones[0].there.clone() });
    let mut line = serde_json::to_value(photo("a")).unwrap();
    strip(&mut line["photo"], &["path", "latitude"]);
    let read: PhotoResult = serde_json::from_value(line.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), line, "and does not come back as something empty");
}

#[test]
fn what_fails_half_way_leaves_the_old_file() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::at(temporary.path());
    folder.write_parts([Ok::<_, FolderError>(part())]).unwrap();
    let fails = || FolderError { path: "x".into(), kind: FolderErrorKind::NotAFile };
    assert!(folder.write_parts([Ok(part()), Ok(part()), Err(fails())]).is_err());
    assert_eq!(folder.parts().unwrap().count(), 1);
}

#[test]
fn damaged_files_are_refused_with_their_line() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::at(temporary.path());
    let said = |e: FolderError| e.to_string().replace(&temporary.path().display().to_string(), "");
    assert!(said(folder.case().unwrap_err()).starts_with("/case.json is not there: "));
    std::fs::create_dir(folder.parts_jsonl()).unwrap();
    assert_eq!(said(folder.parts().unwrap_err()), "/parts.jsonl is no file of a case");
    let line = serde_json::to_string(&photo("a")).unwrap();
    std::fs::write(folder.results_jsonl(), format!("{line}\n\n{}", &line[..30])).unwrap();
    let mut lines = folder.results().unwrap();
    assert!(lines.next().unwrap().is_ok());
    let message = said(lines.next().unwrap().unwrap_err());
    assert!(message.starts_with("/results.jsonl, line 3: EOF while parsing"), "{message}");
    assert!(lines.next().is_none());
    let newer = Case { version: 2, ..case() };
    folder.write_case(&newer).unwrap();
    let message = said(folder.case().unwrap_err());
    assert_eq!(message, "/case.json: \"touchmark-case\" version 2; this program reads \"touchmark-case\" up to 1");
}

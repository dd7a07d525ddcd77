use super::*;
use serde_json::{Value, json};

/// What an attacker writes into every field that is one's own to choose: names of files, labels of marks, names of firms.
const HOSTILE: &str =
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'{data}{t:maker}\u{2028}\u{202e}<!--";

fn case(name: &str) -> Case {
    serde_json::from_value(json!({
        "type": "touchmark-case", "version": 1, "tool": name, "created": "2026-11-23T10:00:00Z", "name": name, "inputs": [name],
        "effort": "normal", "group": "none",
        "trust": { "file": name, "sha256": "00", "authority": name, "fingerprint": "f", "bundle_version": 1 },
        "disclosures": [{ "file": name, "sha256": name }],
    }))
    .unwrap()
}

fn hostile_part(verdict: &str) -> PartResult {
    let x = HOSTILE;
    serde_json::from_value(json!({
        "id": x, "verdict": verdict, "reason": x, "maker": x, "country": x, "line": x, "key_id": x, "part": x, "lot": x, "serial": 7,
        "date": x, "container": { "level": x, "first": 1, "last": 2, "quantity": 2 },
        "consignee": { "status": "disclosed", "number": 5, "name": x, "country": x, "address": x, "case": x },
        "trail": { "ledger": x, "records": 1, "hands": [{ "record": 0, "date": x, "event": "shipped", "to": { "name": x, "country": x } }] },
        "unauthenticated": { "part": x }, "findings": [{ "finding": "closed-lot", "detail": x }, { "finding": x, "detail": x }],
        "photos": [x], "read_from": [x], "crop": "crops/../../secret.jpg",
        "clones": [{
            "why": "other-case", "detail": x, "case": x,
            "here": { "path": x, "taken": x, "place": x, "crop": "crops/../../secret.jpg" },
            "there": { "path": x, "taken": x, "place": x, "crop": x },
        }],
    }))
    .unwrap()
}

fn hostile_photo() -> PhotoResult {
    serde_json::from_value(json!({
        "photo": { "path": HOSTILE, "latitude": 50.4, "longitude": 1e300 }, "verdict": "nothing-found", "reason": HOSTILE, "marks": [],
        "error": HOSTILE,
    }))
    .unwrap()
}

fn written(
    parts: &[PartResult],
    photos: &[PhotoResult],
    name: &str,
    language: Language,
) -> (tempfile::TempDir, String) {
    let temporary = tempfile::tempdir().unwrap();
    let folder = Folder::at(temporary.path());
    folder.write_case(&case(name)).unwrap();
    folder.write_parts(parts.iter().cloned().map(Ok::<_, FolderError>)).unwrap();
    folder.write_results(photos.iter().cloned().map(Ok::<_, FolderError>)).unwrap();
    write(&folder, language).unwrap();
    let page = std::fs::read_to_string(folder.report_html()).unwrap();
    (temporary, page)
}

#[test]
fn names_become_no_markup_and_no_program() {
    let (_place, page) =
        written(&[hostile_part("forged"), hostile_part("authentic")], &[hostile_photo()], HOSTILE, Language::En);
    // Outside of the page's own program and style, which are fixed, nothing of the attack is markup.
    let scripts = page.matches("<script").count();
    assert_eq!((scripts, page.matches("</script>").count()), (4, 4));
    let own = page.replace(include_str!("page.js"), "");
    for attack in ["<img", "alert(1)</script>", "<!--", "onerror=alert(2)>", "\u{202e}", "\u{2028}"] {
        assert!(!own.contains(attack), "{attack:?}");
    }
    assert!(own.contains("&lt;/script&gt;") && own.contains("\\u003c/script\\u003e"));
    assert!(own.contains("{data}{t:maker}"), "what was filled in is not filled again");
    assert!(!own.contains("secret.jpg"), "a picture is one in crops/, or none");
    // The data are JSON, and give back what was put in.
    let data = data(&page, "data");
    let rows = data["rows"].as_array().unwrap();
    assert_eq!((rows.len(), &rows[0]["verdict"]), (2, &json!("forged")));
    assert_eq!(rows[0]["part"], json!(svg::visible(HOSTILE)));
}

#[test]
fn only_this_program_may_run_and_nothing_is_fetched() {
    let (_place, page) =
        written(&[crate::case::sample::part("a", 7, &crate::case::sample::disclosed(), &[])], &[], "c", Language::Nl);
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let script = page.rsplit_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert!(policy.contains(&format!("script-src {}", hash(script))), "{policy}");
    assert!(policy.contains(&format!("style-src {}", hash(style))), "{policy}");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    for fetched in ["http://", "https://", " src=", "url(http", "@import", " style=", " onclick="] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    assert!(page.contains("<html lang=\"nl\">") && page.contains(">Overzicht<"));
}

#[test]
fn the_gravest_come_first() {
    let mut quiet = hostile_part("authentic");
    quiet.clones.clear();
    quiet.mark.findings.clear();
    quiet.id = "quiet".into();
    let mut forged = quiet.clone();
    (forged.id, forged.mark.verdict) = ("forged".into(), crate::verdict::Verdict::Forged);
    let mut contradicting = quiet.clone();
    contradicting.id = "contradicting".into();
    contradicting.mark.findings = hostile_part("authentic").mark.findings;
    let mut clone = quiet.clone();
    (clone.id, clone.clones) = ("clone".into(), hostile_part("authentic").clones);
    let mut parts = [quiet, forged, contradicting, clone];
    rows::by_gravity(&mut parts);
    assert_eq!(parts.each_ref().map(|part| part.id.as_str()), ["clone", "contradicting", "forged", "quiet"]);
}

/// The page's own data.
fn data(page: &str, id: &str) -> Value {
    let from = page.split_once(&format!("id=\"{id}\">")).unwrap().1;
    serde_json::from_str(from.split_once("</script>").unwrap().0).unwrap()
}

/// A case of one part, with what speaks for a second one.
fn of_clones(clones: Value, crops: &[&str]) -> (tempfile::TempDir, String) {
    let sealed = json!({ "status": "sealed" });
    let mut part = crate::case::sample::part("p-7", 7, &sealed, &["a/1.jpg".into(), "b/1.jpg".into()]);
    part.crop = crops.first().map(|crop| (*crop).to_owned());
    part.clones = serde_json::from_value(clones).unwrap();
    let (place, _) = written(&[part], &[], "c", Language::En);
    let folder = Folder::at(place.path());
    std::fs::create_dir(folder.crops()).unwrap();
    for (n, crop) in crops.iter().enumerate() {
        std::fs::write(folder.root().join(crop), [0xff, 0xd8, n as u8]).unwrap();
    }
    write(&folder, Language::En).unwrap();
    let page = std::fs::read_to_string(folder.report_html()).unwrap();
    (place, page)
}

#[test]
fn both_photos_of_a_clone_stand_side_by_side() {
    let here = json!({ "path": "a/1.jpg", "sha256": "aa", "taken": "2026-11-20T10:05:00", "place": "50.45, 30.52", "crop": "crops/aa-1.jpg" });
    let there = json!({ "path": "b/1.jpg", "sha256": "bb", "crop": "crops/bb-1.jpg" });
    let clones = json!([{ "why": "two-folders", "detail": "d", "here": here, "there": there }]);
    let (_place, page) = of_clones(clones, &["crops/aa-1.jpg", "crops/bb-1.jpg"]);
    // In the list, which needs no program.
    let pair = page.split_once("<div class=\"pair\">").unwrap().1.split_once("</div>").unwrap().0;
    let drawn: Vec<&str> = pair.split(" src=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let data_of = |n: u8| format!("data:image/jpeg;base64,{}", STANDARD.encode([0xff, 0xd8, n]));
    assert_eq!(drawn, [data_of(0), data_of(1)]);
    for told in ["a/1.jpg", "2026-11-20T10:05:00", "50.45, 30.52", "b/1.jpg"] {
        assert!(pair.contains(&format!("<bdi>{told}</bdi>")), "{told}: {pair}");
    }
    // In the table; what stands in the list already is not held a second time.
    let clone = &data(&page, "data")["rows"][0]["clones"][0];
    assert_eq!((&clone["here"]["crop"], &clone["there"]["crop"]), (&json!("crops/aa-1.jpg"), &json!("crops/bb-1.jpg")));
    assert_eq!((&clone["here"]["place"], &clone["there"]["name"]), (&json!("50.45, 30.52"), &json!("b/1.jpg")));
    assert_eq!(data(&page, "crops"), json!({}));
}

#[test]
fn a_photo_without_a_picture_says_why() {
    let here = json!({ "path": "a/1.jpg", "crop": "crops/aa-1.jpg" });
    let clones = json!([
        { "why": "other-case", "detail": "d", "here": here, "there": { "path": "z.jpg", "taken": "2025-01-02T03:04:05" }, "case": "Lviv" },
        { "why": "two-folders", "detail": "d", "here": here, "there": { "path": "b/1.jpg", "crop": "crops/bb-1.jpg" } },
        { "why": "two-folders", "detail": "d", "here": here, "there": { "sha256": "0123456789abcdef00" } },
    ]);
    let (_place, page) = of_clones(clones.clone(), &["crops/aa-1.jpg"]);
    let pairs: Vec<&str> =
        page.split("<div class=\"pair\">").skip(1).map(|rest| rest.split("</div>").next().unwrap()).collect();
    let said = ["picture-elsewhere", "picture-missing", "no-picture"];
    assert_eq!(pairs.len(), 3);
    for (pair, key) in pairs.iter().zip(said) {
        assert_eq!((pair.matches("<img").count(), pair.matches("class=\"without\"").count()), (1, 1), "{pair}");
        assert!(pair.contains(&format!("<p class=\"without\"><span data-t=\"{key}\">")), "{key}: {pair}");
    }
    assert!(pairs[0].contains("<bdi>Lviv</bdi>") && pairs[0].contains("2025-01-02T03:04:05"), "{}", pairs[0]);
    assert!(pairs[2].contains("SHA-256 0123456789abcdef…"), "{}", pairs[2]);
    let clones = data(&page, "data")["rows"][0]["clones"].clone();
    assert_eq!([0, 1, 2].map(|n| clones[n]["there"]["without"].clone()), said.map(Value::from));
    // A copy without pictures says so of each.
    let (_place, page) = of_clones(json!([{ "why": "two-folders", "here": here, "there": here }]), &[]);
    assert_eq!((page.matches("<img").count(), page.matches("data-t=\"picture-missing\"").count()), (0, 2));
    assert_eq!(data(&page, "data")["rows"][0]["clones"][0]["here"]["crop"], Value::Null);
}

#[test]
fn an_empty_case_and_one_without_paths_have_a_report() {
    let (_place, page) = written(&[], &[], "empty", Language::Uk);
    assert!(page.contains(">Невідомо.<"));
    let mut part = hostile_part("authentic");
    (part.id, part.photos) = ("p-1".into(), Vec::new());
    let photo: PhotoResult = serde_json::from_value(json!({
        "photo": { "sha256": "0123456789abcdef0123" }, "verdict": "authentic", "reason": "r", "marks": [], "parts": ["p-1"],
    }))
    .unwrap();
    let (_place, page) = written(&[part], &[photo], "c", Language::En);
    assert!(page.contains("\"photos\":[\"SHA-256 0123456789abcdef…\"]"), "named by their hash");
}

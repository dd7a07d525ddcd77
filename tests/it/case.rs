//! What becomes of a case: its report in a real browser, and its leads answered by the real signer.

use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::Path;
use testkit::browser::Browser;
use testkit::case::write_case;
use testkit::console::root;
use touchmark_formats::trust::Trust;
use touchmark_verifier::case::folder::{Folder, FolderError};
use touchmark_verifier::case::record::PartResult;
use touchmark_verifier::case::report::{Language, write};
use touchmark_verifier::material::{Disclosed, open_disclosed, open_identities};
use touchmark_verifier::verdict::Status;

const READER: &str = "age1vr7g3acnec3srr6nxp6m8a6222cjvu4v8azw2sz40272repd8p5qy0qvfc";

/// A folder in which both programs run, with names in it standing for files in it.
pub(crate) struct Place(pub(crate) tempfile::TempDir);

impl Place {
    pub(crate) fn at(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Words of a line; one that begins with `@` is a file here.
    fn words(&self, program: &str, line: &str) -> Vec<OsString> {
        let word = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.at(name).into_os_string(),
            None => word.replace('_', " ").into(),
        };
        std::iter::once(program.into()).chain(line.split_whitespace().map(word)).collect()
    }

    fn sign(&self, line: &str) -> String {
        let (mut stdin, mut stdout, mut stderr) = (std::io::empty(), Vec::new(), Vec::new());
        let mut io = touchmark_signer::cli::Io::of_process(&mut stdin, &mut stdout, &mut stderr);
        io.state = None;
        let status = touchmark_signer::cli::run(self.words("touchmark-sign", line), &mut io);
        assert_eq!(status, touchmark_signer::cli::ExitStatus::Done, "{line}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap()
    }

    pub(crate) fn verify(&self, line: &str, input: &str) -> (Status, String, String) {
        let mut stdin = input.as_bytes();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut io = touchmark_verifier::cli::Io {
            stdin: &mut stdin,
            stdout: &mut stdout,
            stderr: &mut stderr,
            progress: false,
            terminal: false,
            now: "2026-12-01T10:00:00Z".parse().unwrap(),
            state: None,
        };
        let status = touchmark_verifier::cli::run(self.words("touchmark-verify", line), &mut io);
        (status, String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }
}

/// A case of what `text --json` said of some marks.
fn case_of(folder: &Folder, verdicts: &[Value]) {
    write_case(folder, "K-7", 0);
    let part = |verdict: &Value| {
        let mut line = verdict.clone();
        line["id"] = json!(format!("{}-{}", verdict["key_id"].as_str().unwrap(), verdict["serial"]));
        line["photos"] = json!([format!("seizure/{}.jpg", verdict["serial"])]);
        serde_json::from_value::<PartResult>(line).unwrap()
    };
    folder.write_parts(verdicts.iter().map(|verdict| Ok::<_, FolderError>(part(verdict)))).unwrap();
}

#[test]
fn leads_are_requests_that_each_maker_answers() {
    let place = Place(tempfile::tempdir().unwrap());
    let mut verdicts = Vec::new();
    for (home, maker) in [("acme", "Acme"), ("zenit", "Zenit_&_Sons")] {
        place.sign(&format!("init @{home} --maker {maker} --country NL --no-passphrase"));
        let customers = place.at(home).join("consignees.csv");
        let listed = std::fs::read_to_string(&customers).unwrap();
        std::fs::write(&customers, listed + "41,Alpha BV,NL,\n").unwrap();
        place.sign(&format!("ledger init --home @{home} --origin {home}.example/ledger"));
        let marks = place.sign(&format!(
            "mark --home @{home} --part P1 --lot L1 --date 2026-11-23 --consignee 41 --count 3 --format text --out -"
        ));
        place.sign(&format!("ledger commission --home @{home} --lot L1"));
        place.sign(&format!("ship --home @{home} --serials 1-3 --to 41 --date 2026-11-24"));
        let (status, out, err) = place.verify(&format!("text - --trust @{home}/trust.json --json"), &marks);
        assert_eq!(status, Status::AllAuthentic, "{err}");
        verdicts.extend(out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    case_of(&Folder::at(&place.at("case")), &verdicts);
    let (status, told, err) = place.verify("case leads @case --out @unsigned", "");
    assert_eq!(status, Status::AllAuthentic, "{err}");
    assert!(told.contains("Acme: not signed: say who asks with --requester"), "{told}");

    let key = place.at("key.pem");
    std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n").unwrap();
    let asked = format!("case leads @case --out @leads --requester Customs --key @key.pem --recipient {READER}");
    let (status, told, err) = place.verify(&asked, "");
    assert_eq!(status, Status::AllAuthentic, "{err}");
    assert!(told.contains("3 parts  Zenit & Sons: request-zenit---sons.json"), "{told}");
    // RFC 8032, section 7.1, test 1.
    let public = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    for (home, file) in [("acme", "request-acme.json"), ("zenit", "request-zenit---sons.json")] {
        place.sign(&format!("disclose --home @{home} --request @leads/{file} --requester {public} --out @{home}.age"));
        let trust = Trust::open(&std::fs::read(place.at(home).join("trust.json")).unwrap()).unwrap().signed;
        let identities = open_identities(&root().join("tests/photos/identity.txt")).unwrap();
        let answer = open_disclosed(&place.at(&format!("{home}.age")), &identities, &trust).unwrap();
        let Disclosed::Trail(answered) = answer else { panic!("{home} answered with keys") };
        let went: Vec<_> =
            answered.proven.chains.iter().map(|chain| (chain.place.serial.get(), chain.links.len())).collect();
        assert_eq!((answered.case.as_str(), went), ("K-7", vec![(1, 2), (2, 2), (3, 2)]));
    }
}

/// A page on which hostile names stand wherever they can.
fn hostile(folder: &Folder) {
    let attack =
        "</script><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>\u{202e}\"'`${alert(4)}";
    write_case(folder, attack, 40);
    let mut parts: Vec<PartResult> = folder.parts().unwrap().map(Result::unwrap).collect();
    for part in &mut parts {
        part.mark.part = Some(attack.into());
        part.mark.lot = Some(attack.into());
        part.mark.maker = part.mark.maker.as_ref().map(|_| attack.into());
        part.photos = vec![attack.into()];
        part.mark.reason = attack.into();
    }
    folder.write_parts(parts.into_iter().map(Ok::<_, FolderError>)).unwrap();
}

#[test]
fn the_report_in_a_browser() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| Folder::at(&place.path().join(name));
    let Some(mut browser) = Browser::start(1280, 900) else {
        println!("skipped: there is no Chromium here");
        return;
    };
    let folder = at("usual");
    write_case(&folder, "Kyiv 2026/17", 300);
    write(&folder, Language::En).unwrap();
    usual(&mut browser, &folder.report_html());
    let folder = at("hostile");
    hostile(&folder);
    write(&folder, Language::Uk).unwrap();
    browser.open(&folder.report_html());
    browser.evaluate("document.querySelectorAll('#rows details').forEach((one) => { one.open = true; })");
    let foreign = "document.querySelectorAll('img:not(#rows img, #first .pair img), svg:not(.flow, .map, .timeline, .share, .legend svg), script[src]').length";
    assert_eq!(browser.evaluate(foreign), json!(0));
    assert_eq!(browser.complaints, Vec::<String>::new(), "nothing ran, nothing was fetched");
}

fn usual(browser: &mut Browser, report: &Path) {
    browser.open(report);
    let shown = "document.getElementById('shown').textContent";
    assert_eq!(browser.evaluate(shown), json!("300 of 300 parts"));
    let broken = "Promise.all([...document.images].slice(0, 20).map((image) => { image.loading = 'eager'; return image.decode().then(() => 0, () => 1); })).then((all) => all.reduce((a, b) => a + b, 0))";
    assert_eq!(browser.evaluate(broken), json!(0), "every picture is there");
    let pairs = "[...document.querySelectorAll('.pair')].filter((pair) => pair.children.length !== 2 || [...pair.children].some((one) => !one.querySelector('img, .without') || !one.querySelector('figcaption bdi').textContent))";
    assert_eq!(browser.evaluate(&format!("{pairs}.length")), json!(0), "two photos each, or why not");
    let lists = "['#first', '#rows'].map((where) => document.querySelectorAll(where + ' .pair img').length)";
    let listed = browser.evaluate(lists);
    assert!(listed[0].as_u64() > Some(1) && listed[1].as_u64() > Some(1), "{listed}");
    let set = |id: &str, value: &str| {
        format!(
            "{{ const field = document.getElementById('{id}'); field.value = '{value}'; field.dispatchEvent(new Event('input', {{ bubbles: true }})); }} {shown}"
        )
    };
    let forged = browser.evaluate(&set("verdict", "forged"));
    let tags =
        browser.evaluate("[...document.querySelectorAll('#rows .tag:not(.doubt)')].map((tag) => tag.textContent)");
    let tags = tags.as_array().unwrap();
    assert!(!tags.is_empty() && tags.iter().all(|tag| tag == "forged"), "{forged} {tags:?}");
    browser.evaluate("document.getElementById('show-all').click()");
    // A name in a table above is a filter.
    browser.evaluate("document.querySelector('[data-pick=lot]').click()");
    let own =
        browser.evaluate("[document.getElementById('lot').value, document.querySelectorAll('#rows tr').length > 1]");
    assert!(own[0] != json!("") && own[1] == json!(true), "{own}");
    let spoken = [
        ("nl", "Overzicht", "Gemaakt", "Stromen"),
        ("uk", "Огляд", "Виготовлено", "Потоки"),
        ("en", "Overview", "Made", "Flows"),
    ];
    for (language, overview, made, flows) in spoken {
        browser.evaluate(&format!("document.querySelector('[data-language={language}]').click()"));
        let said =
            browser.evaluate("[document.documentElement.lang, document.querySelector('#overview h2').textContent]");
        assert_eq!(said, json!([language, overview]));
        // What a pointer is told, and what reads aloud.
        let told =
            browser.evaluate("[...document.querySelectorAll('svg.timeline title')].map((one) => one.textContent)");
        let told = told.as_array().unwrap();
        assert!(told.iter().any(|one| one.as_str().unwrap().contains(&format!(": {made} "))), "{language}: {told:?}");
        assert_eq!(browser.evaluate("document.querySelector('svg.flow').getAttribute('aria-label')"), json!(flows));
        // The program's own sentence behind the one that is translated.
        browser.evaluate("document.querySelector('#rows details').open = true");
        let reason = "new Promise((done) => setTimeout(() => done([...document.querySelectorAll('#rows details[open] dd')].slice(1, 3).map((dd) => [dd.lang, dd.textContent])), 100))";
        let reason = browser.evaluate(reason);
        assert_eq!((&reason[0][0], &reason[1][0]), (&json!(""), &json!("en")), "{reason}");
        assert!(reason[1][1].as_str().unwrap().starts_with("as the verdict "), "{reason}");
    }
    for (width, beside) in [(1280, true), (768, true), (390, false), (320, false)] {
        browser.resize(width, 844);
        let places = browser.evaluate(
            "[...document.querySelector('.pair').children].map((one) => { const { x, y } = one.getBoundingClientRect(); return [x, y]; })",
        );
        assert_eq!(
            (places[0][1] == places[1][1], places[0][0] == places[1][0]),
            (beside, !beside),
            "{width}: {places}"
        );
        let wide = browser.evaluate("document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= u64::from(width), "{wide} pixels are wider than a screen of {width}");
    }
    // Headings, captions, names of fields, and text that stands out: WCAG 2.2, 1.3.1, 1.4.3, 4.1.2.
    let lacking = "[...document.querySelectorAll('table:not(:has(caption)), th:not([scope]), img:not([alt]), svg[role=img]:not([aria-label])')].length \
        + [...document.querySelectorAll('input, select')].filter((field) => !field.labels.length).length";
    assert_eq!(browser.evaluate(lacking), json!(0));
    assert!(browser.pdf().starts_with(b"%PDF"));
    assert_eq!(browser.complaints, Vec::<String>::new());
}

use super::*;
use crate::case::check::{Checked, check};
use crate::case::redact::{PRIVATE, Redaction, redact};
use crate::case::sample::{Sample, edit, manifests};

const DIFFERS: &str = "report.html: it is not what this program makes of the evidence";

/// A sample whose case is of `tool`, packed, and redacted in `shared`.
fn sample(tool: &str, language: Language) -> Sample {
    let sample = Sample::new();
    let folder = sample.folder();
    let case = crate::case::record::Case { tool: tool.into(), ..folder.case().unwrap() };
    folder.write_case(&case).unwrap();
    report::write(&folder, language).unwrap();
    sample.packed(false);
    let redaction = Redaction {
        classes: PRIVATE.into_iter().collect(),
        language: Language::Uk,
        now: "2026-11-25T09:00:00Z".parse().unwrap(),
    };
    redact(&sample.path("bag"), &sample.path("shared"), &redaction).unwrap();
    sample
}

fn checked(bag: &Path) -> Checked {
    manifests(bag);
    check(bag).unwrap()
}

fn derived(report: Derived) -> BTreeMap<String, Derived> {
    let all = [("flows.graphml", Derived::AsMade), ("report.html", report), ("results.csv", Derived::AsMade)];
    all.map(|(name, derived)| (name.to_owned(), derived)).into()
}

#[test]
fn what_is_made_of_the_evidence_is_told_and_the_bag_left_as_it_is() {
    for (tool, language) in [(TOOL, Language::En), (TOOL, Language::Nl), ("touchmark-verify 0.0.1", Language::Uk)] {
        let sample = sample(tool, language);
        for name in ["bag", "shared"] {
            let bag = sample.path(name);
            let before = crate::case::bag::files_below(&bag, &bag).unwrap();
            let checked = check(&bag).unwrap();
            assert_eq!((checked.problems, checked.derived), (Vec::new(), derived(Derived::AsMade)), "{tool} {name}");
            assert_eq!(crate::case::bag::files_below(&bag, &bag).unwrap(), before);
        }
    }
}

#[test]
fn a_forged_report_is_found() {
    let sample = sample(TOOL, Language::En);
    let bag = sample.path("shared");
    let report = std::fs::read(bag.join("data/report.html")).unwrap();
    let forge = |from: &str, to: &str| {
        std::fs::write(bag.join("data/report.html"), &report).unwrap();
        edit(&bag, "data/report.html", from, to);
        let checked = checked(&bag);
        assert_eq!(
            (checked.problems, checked.derived),
            (vec![DIFFERS.to_owned()], derived(Derived::Differs)),
            "{from}"
        );
    };
    forge("\"serial\":\"1\"", "\"serial\":\"7\"");
    forge("lang=\"uk\"", "lang=\"en\"");
    forge("lang=\"uk\"", "lang=\"xx\"");
    forge("</html>\n", "</html> ");
    std::fs::write(bag.join("data/report.html"), "").unwrap();
    assert_eq!(checked(&bag).problems, [DIFFERS]);
    // That of the whole case says nothing of what was left out.
    report::write_copy(&Folder::at(&bag.join("data")), &Folder::at(&bag.join("data")), Language::Uk, false).unwrap();
    assert_eq!(checked(&bag).problems, [DIFFERS]);
    std::fs::write(bag.join("data/report.html"), &report).unwrap();
    edit(&bag, "data/results.csv", "authentic", "forged");
    assert_eq!(checked(&bag).problems, [DIFFERS.replace("report.html", "results.csv")]);
}

#[test]
fn a_signed_report_that_says_something_else_is_found_too() {
    let sample = Sample::new();
    edit(sample.folder().root(), "report.html", "\"serial\":\"1\"", "\"serial\":\"7\"");
    sample.packed(false);
    let checked = check(&sample.path("bag")).unwrap();
    assert_eq!((checked.problems, checked.derived), (vec![DIFFERS.to_owned()], derived(Derived::Differs)));
}

#[test]
fn a_case_of_another_version_may_have_another_report() {
    let sample = sample("touchmark-verify 0.0.1", Language::En);
    let bag = sample.path("shared");
    edit(&bag, "data/report.html", "<h1>", "<h1> ");
    let checked = checked(&bag);
    assert_eq!((checked.problems, checked.derived), (Vec::new(), derived(Derived::OtherVersion)));
}

#[test]
fn of_evidence_that_is_not_as_signed_nothing_is_made() {
    let sample = sample(TOOL, Language::En);
    let bag = sample.path("shared");
    edit(&bag, "data/parts.jsonl", "\"lot\":\"L1\"", "\"lot\":\"L2\"");
    let checked = checked(&bag);
    assert_eq!(checked.problems.len(), 1);
    assert!(checked.derived.values().all(|derived| *derived == Derived::NotCompared));
}

#[test]
fn a_case_taken_out_of_a_redacted_bag_is_one_like_any_other() {
    let sample = sample(TOOL, Language::En);
    let again = Sample::new();
    std::fs::remove_dir_all(again.folder().root()).unwrap();
    std::fs::rename(sample.path("shared/data"), again.folder().root()).unwrap();
    again.packed(false);
    let checked = check(&again.path("bag")).unwrap();
    assert_eq!((checked.problems, checked.derived), (Vec::new(), derived(Derived::AsMade)));
}

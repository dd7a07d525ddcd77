//! verdicts.json: a bundle and marks, with the verdict of each (SPEC.md, section 12).

use super::{closes, hex, list, stored, text, unhex};
use serde_json::{Value, json};
use testkit::maker::{TestMaker, date, label, serial, signed};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::{Extension, Mark, Part, SignedMark};
use touchmark_formats::trust::{Directory, Revocation, Trust, Unsound, Void};
use touchmark_verifier::verdict::FindingKind;
use touchmark_verifier::verify::{Basis, verify};

const NOW: &str = "2026-12-01T00:00:00Z";

/// Two good makers and one whose root key was revoked.
fn makers() -> [TestMaker; 3] {
    [TestMaker::listed(1), TestMaker::new(2), TestMaker::new(3)]
}

fn trust(makers: &[TestMaker]) -> Trust {
    use testkit::maker::public;
    let mut trust = makers[0].trust();
    trust.makers.extend(makers[1..].iter().flat_map(|maker| maker.trust().makers));
    trust.makers[1].valid_until = date("2027-12-31");
    // A second order of the second maker's line, so that one key has two delegations.
    let mut second = makers[1].delegation.clone();
    (second.not_before, second.not_after) = (date("2031-01-01"), date("2031-12-31"));
    trust.makers[1].delegations.push(signed(second, &[&makers[1].root]));
    let since = date("2026-06-01");
    trust.revocations = vec![Revocation { key: public(&makers[2].root), since, reason: label("stolen") }];
    trust.makers[0].closed = vec![closes::good(&makers[0])];
    let mut unaccepted = makers[1].close((1, 9), &[], &[]);
    unaccepted.signatures.pop();
    trust.makers[1].closed = vec![unaccepted];
    let serials = SerialRange { first: serial(48_500_000), last: serial(48_500_009) };
    trust.voids = vec![Void { key: public(&makers[0].line), serials, reason: label("reel stolen") }];
    trust
}

fn cases(makers: &[TestMaker; 3]) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let [listed, free, revoked] = makers;
    let usual = |bend: fn(&mut Mark)| {
        let mut mark = listed.usual_mark();
        bend(&mut mark);
        listed.sign(mark)
    };
    let free_mark = |day: &str| free.sign(free.mark(9, "LM317", "X1", day, None)).to_bytes();
    let good = usual(|_| {});
    let mut forged = good.clone();
    forged.signature[0] ^= 1;
    let mut adopted = free.mark(9, "LM317", "X1", "2026-11-23", None);
    adopted.key_id = good.mark.key_id;
    let revoked_mark = |day: &str| revoked.sign(revoked.mark(9, "LM317", "X1", day, None)).to_bytes();
    let void = listed.mark(48_500_003, "STM32F407VGT6", "A2B347K", "2026-11-23", None);
    let text = touchmark_formats::base45::encode(&good.to_bytes()).into_bytes();
    let of_lot = |n: u64| listed.sign(listed.mark(n, "STM32F407VGT6", "A2B347K", "2026-11-23", None)).to_bytes();
    let reel = |first, last, missing, lot: Option<&str>| {
        let mut reel = listed.reel(first, last, missing, &label("STM32F407VGT6"), &label("A2B347K"));
        reel.part = Part::Listed(0);
        reel.lot = lot.map(label);
        listed.sign_container(reel)
    };
    let whole = reel(48_213_000, 48_215_999, 12, None);
    let mut changed = whole.clone();
    changed.container.missing = 0;
    let mut passed_off = whole.to_bytes();
    passed_off[0] = 0x91;
    let unlisted = SignedMark { mark: Mark { part: Part::Listed(1), ..good.mark.clone() }, signature: good.signature };
    vec![
        ("good", "authentic", good.to_bytes()),
        ("good, in text form", "authentic", text),
        (
            "good, with another site",
            "authentic",
            usual(|m| m.extension = Extension { site: Some(3), ..m.extension }).to_bytes(),
        ),
        ("good, of another maker", "authentic", free_mark("2026-11-23")),
        ("a changed signature", "forged", forged.to_bytes()),
        ("another line's mark under this key id", "forged", free.sign(adopted).to_bytes()),
        ("an index beyond the list", "forged", unlisted.to_bytes()),
        (
            "a key that nobody delegated",
            "unknown-issuer",
            TestMaker::new(9).sign(TestMaker::new(9).usual_mark()).to_bytes(),
        ),
        (
            "a part outside the list",
            "out-of-scope",
            usual(|m| m.part = Part::Inline(label("STM32F405RGT6"))).to_bytes(),
        ),
        ("a lot that is not the serial's", "out-of-scope", usual(|m| m.lot = Some(label("A2B348K"))).to_bytes()),
        ("a serial outside every lot", "out-of-scope", usual(|m| m.serial = serial(1)).to_bytes()),
        ("too early", "out-of-scope", usual(|m| m.date = date("2025-12-31")).to_bytes()),
        ("too late", "out-of-scope", usual(|m| m.date = date("2031-01-01")).to_bytes()),
        (
            "a capsule of another size",
            "out-of-scope",
            usual(|m| m.capsule = touchmark_formats::capsule::Capsule::from_bytes(&[1; 6])).to_bytes(),
        ),
        ("a voided serial", "out-of-scope", listed.sign(void).to_bytes()),
        ("used, of a closed range", "authentic", of_lot(48_600_499)),
        ("void, of a closed range", "out-of-scope", of_lot(48_600_500)),
        ("never issued, of a closed range", "out-of-scope", of_lot(48_600_900)),
        ("beside a closed range", "authentic", of_lot(48_601_000)),
        ("a reel", "authentic", whole.to_bytes()),
        ("a reel, in text form", "authentic", touchmark_formats::base45::encode(&whole.to_bytes()).into_bytes()),
        ("a reel that spells its lot", "authentic", reel(48_213_000, 48_215_999, 0, Some("A2B347K")).to_bytes()),
        ("a reel of another lot", "out-of-scope", reel(48_213_000, 48_215_999, 0, Some("A2B348K")).to_bytes()),
        ("a reel with a changed quantity", "forged", changed.to_bytes()),
        ("a reel passed off as a mark", "not-a-touchmark", passed_off),
        ("a reel beyond the lot", "out-of-scope", reel(48_999_000, 49_000_000, 0, None).to_bytes()),
        ("a reel of a key that nobody delegated", "unknown-issuer", {
            let stranger = TestMaker::new(9);
            stranger.sign_container(stranger.reel(1, 9, 0, &label("P"), &label("L"))).to_bytes()
        }),
        ("a reel of what is used in a closed range", "authentic", reel(48_600_000, 48_600_899, 10, None).to_bytes()),
        ("a reel of more than is used in it", "out-of-scope", reel(48_600_000, 48_600_899, 9, None).to_bytes()),
        ("a reel of nothing that is used", "out-of-scope", reel(48_600_900, 48_600_999, 99, None).to_bytes()),
        ("a reel over a void range", "out-of-scope", reel(48_500_000, 48_500_019, 9, None).to_bytes()),
        ("a reel over a void range that lacks it", "authentic", reel(48_500_000, 48_500_019, 10, None).to_bytes()),
        (
            "a closed range that the maker did not accept",
            "authentic",
            free.sign(free.mark(5, "LM317", "X1", "2026-11-23", None)).to_bytes(),
        ),
        ("beyond the maker's validity", "out-of-scope", free_mark("2028-01-01")),
        ("within the second delegation, beyond the maker's validity", "out-of-scope", free_mark("2031-05-05")),
        ("revoked root", "revoked", revoked_mark("2026-11-23")),
        ("revoked root, dated before", "revoked", revoked_mark("2026-01-23")),
        ("revoked comes before out of scope", "revoked", revoked_mark("2025-01-01")),
        ("a web address", "not-a-touchmark", b"https://example.com/".to_vec()),
        ("a micro mark", "not-a-touchmark", vec![0xA0; 20]),
        ("cut to 60 bytes", "not-a-touchmark", good.to_bytes()[..60].to_vec()),
        ("cut by four bytes, which leaves a shorter capsule", "forged", good.to_bytes()[..80].to_vec()),
    ]
}

#[test]
fn verdicts_are_those_written_down() {
    let makers = makers();
    let bundle = signed(trust(&makers), &[&makers[0].authority]);
    let vector = |(name, verdict, content): (&str, &str, Vec<u8>)| {
        json!({"name": name, "verdict": verdict, "content": hex(&content),
               "date_not_corroborated": name == "revoked root, dated before" || name == "revoked comes before out of scope"})
    };
    let made = json!({
        "about": "What symbols carry, and the verdict of each by the trust bundle, a file.",
        "trust": bundle.to_json(), "cases": cases(&makers).into_iter().map(vector).collect::<Vec<Value>>(),
    });
    let file = stored("verdicts.json", &made);
    let trust = Trust::open(text(&file, "trust").as_bytes()).unwrap();
    assert!(matches!(trust.signed.check_all(), Err(Unsound::Close(..))), "one close record lacks a signature");
    let directory = Directory::new(&trust.signed);
    let basis = Basis {
        directory: &directory,
        disclosures: &[],
        trails: &[],
        printed_part: None,
        printed_lot: None,
        now: NOW.parse().unwrap(),
    };
    for vector in list(&file, "cases") {
        let assessment = verify(&unhex(text(vector, "content")), &basis);
        assert_eq!(json!(assessment.verdict), vector["verdict"], "{vector}: {}", assessment.reason);
        let undated = assessment.findings.iter().any(|f| f.finding == FindingKind::DateNotCorroborated);
        assert_eq!(json!(undated), vector["date_not_corroborated"], "{vector}");
    }
}

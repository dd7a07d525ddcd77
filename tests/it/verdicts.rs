//! Every rung of the verdict, each reached for its own reason and no other.

use ed25519_dalek::{Signer as _, SigningKey};
use jiff::Timestamp;
use std::collections::BTreeSet;
use testkit::maker::{TestMaker, date, label, public, serial, signed};
use touchmark_formats::base45;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::disclosure::{Consignee, DisclosedKey, Disclosure, Grant, Scope};
use touchmark_formats::mark::{Part, SignedMark};
use touchmark_formats::signed::{SignatureBytes, message};
use touchmark_formats::trust::{Directory, Revocation, Trust, Void};
use touchmark_verifier::verdict::{FindingKind, Verdict};
use touchmark_verifier::verify::{Assessment, Basis, ConsigneeStatus, verify, verify_text};

/// What `judge` finds with `trust` and `disclosures` on 1 December 2026.
fn with<T>(trust: &Trust, disclosures: &[Disclosure], judge: impl FnOnce(&Basis<'_>) -> T) -> T {
    let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    judge(&Basis {
        directory: &Directory::new(trust),
        disclosures,
        trails: &[],
        printed_part: None,
        printed_lot: None,
        now,
    })
}

fn judge(trust: &Trust, mark: &SignedMark) -> Assessment {
    with(trust, &[], |basis| verify(&mark.to_bytes(), basis))
}

fn kinds(assessment: &Assessment) -> Vec<FindingKind> {
    assessment.findings.iter().map(|f| f.finding).collect()
}

#[test]
fn the_usual_record_is_96_bytes_inline_and_84_by_the_delegation() {
    for (maker, size) in [(TestMaker::new(1), 96), (TestMaker::listed(1), 84)] {
        let mark = maker.sign(maker.usual_mark());
        assert_eq!(mark.to_bytes().len(), size);
        let assessment = judge(&maker.trust(), &mark);
        assert_eq!(assessment.verdict, Verdict::Authentic, "{}", assessment.reason);
        let proven = assessment.proven.unwrap();
        assert_eq!(
            (
                proven.part.as_str(),
                proven.lot.unwrap().as_str(),
                proven.serial.unwrap(),
                proven.date.to_string().as_str()
            ),
            ("STM32F407VGT6", "A2B347K", 48_213_077, "2026-11-23")
        );
        assert_eq!(
            (proven.site, proven.maker.as_str(), proven.line.as_str()),
            (17, "Example Semiconductors", "line 1")
        );
        assert_eq!(proven.consignee, ConsigneeStatus::Sealed);
    }
}

#[test]
fn any_changed_bit_is_never_authentic() {
    let maker = TestMaker::new(1);
    let bytes = maker.sign(maker.usual_mark()).to_bytes();
    let trust = maker.trust();
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let assessment = with(&trust, &[], |basis| verify(&changed, basis));
        assert!(assessment.proven.is_none(), "bit {bit}: {:?}", assessment.verdict);
    }
}

#[test]
fn something_else_is_not_a_touchmark() {
    let trust = TestMaker::new(1).trust();
    for content in [&b""[..], b"https://example.com", b"0123456789", &[0x90; 10], &[0xFF; 96], "\u{90}".as_bytes()] {
        assert_eq!(with(&trust, &[], |basis| verify(content, basis)).verdict, Verdict::NotATouchmark, "{content:?}");
    }
}

#[test]
fn a_key_outside_the_bundle_is_an_unknown_issuer_and_its_fields_are_unproven() {
    let maker = TestMaker::new(1);
    let assessment = judge(&TestMaker::new(2).trust(), &maker.sign(maker.usual_mark()));
    assert_eq!(assessment.verdict, Verdict::UnknownIssuer);
    assert!(assessment.proven.is_none());
    assert_eq!(assessment.unauthenticated.unwrap().serial, Some(48_213_077));
}

#[test]
fn a_known_key_id_without_its_signature_is_forged() {
    let maker = TestMaker::new(1);
    let mut mark = maker.sign(maker.usual_mark());
    mark.mark.serial = serial(48_213_078);
    assert_eq!(judge(&maker.trust(), &mark).verdict, Verdict::Forged);
}

#[test]
fn a_part_index_means_what_it_meant_when_it_was_signed() {
    let maker = TestMaker::listed(1);
    let mark = maker.sign(maker.usual_mark());
    let mut reissued = maker.clone();
    reissued.delegation.parts = vec![label("OTHER")];
    assert_eq!(judge(&reissued.trust(), &mark).verdict, Verdict::Forged);
    reissued.delegation.parts.clear();
    let assessment = judge(&reissued.trust(), &mark);
    assert_eq!((assessment.verdict, kinds(&assessment)), (Verdict::Forged, vec![FindingKind::PartNotResolved]));
}

#[test]
fn another_maker_cannot_adopt_a_line_key() {
    let maker = TestMaker::new(1);
    let mark = maker.sign(maker.usual_mark());
    let mut thief = TestMaker::new(2);
    // The thief cannot make the line sign a request that names its root; it reuses the one for the true maker.
    thief.delegation = maker.delegation.clone();
    thief.delegation.maker = public(&thief.root);
    let assessment = judge(&thief.trust(), &mark);
    assert_eq!((assessment.verdict, kinds(&assessment)), (Verdict::UnknownIssuer, vec![FindingKind::BrokenDelegation]));
}

/// The maker of `seed` with another line key.
fn with_line(seed: u8, line: SigningKey) -> TestMaker {
    let mut maker = TestMaker::new(seed);
    maker.delegation.key = public(&line);
    maker.delegation.possession = SignatureBytes(line.sign(&message(&maker.delegation.request())).to_bytes());
    maker.line = line;
    maker
}

#[test]
fn keys_that_share_an_id_are_all_tried_and_never_taken_for_each_other() {
    // Found by trying seeds: the ids of both keys are 1d4ef034.
    let key = |number: u32| {
        let mut seed = [0; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        SigningKey::from_bytes(&seed)
    };
    let (ours, theirs) = (with_line(1, key(32_694)), with_line(2, key(61_939)));
    assert_eq!(public(&ours.line).id(), public(&theirs.line).id());
    let mut both = ours.trust();
    both.makers.extend(theirs.trust().makers);
    both.makers[1].name = label("The others");
    for (maker, name) in [(&ours, "Example Semiconductors"), (&theirs, "The others")] {
        let assessment = judge(&both, &maker.sign(maker.usual_mark()));
        assert_eq!(assessment.verdict, Verdict::Authentic);
        assert_eq!(assessment.proven.unwrap().maker.as_str(), name);
    }
    let mark = theirs.sign(theirs.usual_mark());
    assert_eq!(judge(&ours.trust(), &mark).verdict, Verdict::Forged, "its own maker is not in the bundle");
    both.revocations.push(Revocation { key: public(&ours.line), since: date("2026-01-01"), reason: label("stolen") });
    assert_eq!(judge(&both, &mark).verdict, Verdict::Authentic, "the other key with the id is revoked");
    let mut changed = mark;
    changed.signature[0] ^= 1;
    assert_eq!(judge(&both, &changed).verdict, Verdict::Forged);
}

/// A key may serve in several roles: what it signs for one is a signature for no other.
#[test]
fn every_message_begins_with_a_purpose_of_its_own() {
    let maker = TestMaker::listed(1);
    let mark = maker.usual_mark();
    let (part, lot) = (maker.delegation.part(&mark).unwrap(), maker.delegation.lot(&mark));
    let day = Grant::Day { date: mark.date, key: DisclosedKey::new([1; 32]) };
    let messages = [
        mark.message(&public(&maker.root), part, lot),
        message(&maker.delegation.request()),
        message(&maker.delegation),
        message(&maker.trust()),
        message(&disclosure(&maker, day)),
    ];
    let purpose = |message: &Vec<u8>| message.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
    let purposes: BTreeSet<_> = messages.iter().map(purpose).collect();
    assert_eq!(purposes.len(), messages.len());
    for (n, one) in messages.iter().enumerate() {
        let signature = maker.line.sign(one).to_bytes();
        let good = |message: &Vec<u8>| public(&maker.line).check().unwrap().verify(message, &signature);
        assert!(messages.iter().enumerate().all(|(m, other)| good(other) == (m == n)));
    }
}

#[test]
fn every_limit_of_the_delegation_counts() {
    let usual = TestMaker::listed(1);
    type Bend = fn(&mut TestMaker);
    let bend: [(&str, Bend); 6] = [
        ("serials", |m| m.delegation.serials = SerialRange { first: serial(1), last: serial(9) }),
        ("before", |m| m.delegation.not_before = date("2026-11-24")),
        ("after", |m| m.delegation.not_after = date("2026-11-22")),
        ("seals", |m| m.delegation.capsule_bytes = 7),
        ("lot", |m| m.delegation.lots[0].lot = label("OTHER")),
        ("part", |m| m.delegation.parts = vec![label("OTHER")]),
    ];
    for (word, bend) in bend {
        let mut mark = usual.usual_mark();
        // Inline texts, so that the signature stays good whatever the delegation lists.
        mark.part = Part::Inline(label("STM32F407VGT6"));
        mark.lot = Some(label("A2B347K"));
        let mark = usual.sign(mark);
        let mut bent = usual.clone();
        bend(&mut bent);
        let assessment = judge(&bent.trust(), &mark);
        assert_eq!(assessment.verdict, Verdict::OutOfScope, "{word}");
        assert!(assessment.reason.contains(word), "{word}: {}", assessment.reason);
        assert!(assessment.proven.is_some());
        assert_eq!(judge(&usual.trust(), &mark).verdict, Verdict::Authentic);
    }
}

#[test]
fn of_several_delegations_of_a_key_one_that_allows_the_mark_is_enough() {
    let mut narrow = TestMaker::new(1);
    let mark = narrow.sign(narrow.usual_mark());
    let wide = narrow.trust().makers.remove(0).delegations;
    narrow.delegation.serials = SerialRange { first: serial(1), last: serial(9) };
    let mut trust = narrow.trust();
    assert_eq!(judge(&trust, &mark).verdict, Verdict::OutOfScope);
    trust.makers[0].delegations.extend(wide);
    assert_eq!(judge(&trust, &mark).verdict, Verdict::Authentic);
}

#[test]
fn voided_serials_and_the_makers_validity_are_limits_too() {
    let maker = TestMaker::new(1);
    let mark = maker.sign(maker.usual_mark());
    let mut trust = maker.trust();
    let serials = SerialRange { first: serial(48_213_077), last: serial(48_213_077) };
    trust.voids.push(Void { key: public(&maker.line), serials, reason: label("spare serials of the lot") });
    assert_eq!(judge(&trust, &mark).verdict, Verdict::OutOfScope);
    let mut trust = maker.trust();
    trust.makers[0].valid_until = date("2026-11-22");
    assert_eq!(judge(&trust, &mark).verdict, Verdict::OutOfScope);
}

#[test]
fn a_revoked_key_is_revoked_at_any_date_since_dates_can_be_written_at_will() {
    let maker = TestMaker::new(1);
    let mark = maker.sign(maker.usual_mark());
    for key in [public(&maker.line), public(&maker.root)] {
        for (since, early) in [("2026-11-23", false), ("2026-11-24", true)] {
            let mut trust = maker.trust();
            trust.revocations.push(Revocation { key, since: date(since), reason: label("key stolen") });
            let assessment = judge(&trust, &mark);
            assert_eq!(assessment.verdict, Verdict::Revoked);
            assert!(assessment.reason.contains("key stolen") && assessment.reason.contains(since));
            assert_eq!(kinds(&assessment).contains(&FindingKind::DateNotCorroborated), early);
        }
    }
}

#[test]
fn an_expired_bundle_still_works_and_says_so() {
    let maker = TestMaker::new(1);
    let mut trust = maker.trust();
    trust.expires = "2026-11-24T00:00:00Z".parse().unwrap();
    let assessment = judge(&trust, &maker.sign(maker.usual_mark()));
    assert_eq!((assessment.verdict, kinds(&assessment)), (Verdict::Authentic, vec![FindingKind::TrustExpired]));
    assert!(assessment.findings[0].detail.contains("7 days ago"));
}

#[test]
fn print_that_contradicts_the_mark_is_found_and_changes_no_verdict() {
    let maker = TestMaker::new(1);
    let (trust, mark) = (maker.trust(), maker.sign(maker.usual_mark()).to_bytes());
    for (printed, contradicts) in [("STM32F407VGT6", false), ("stm32 f407 vgt6", false), ("STM32F103C8T6", true)] {
        let assessment = with(&trust, &[], |basis| verify(&mark, &Basis { printed_part: Some(printed), ..*basis }));
        assert_eq!(assessment.verdict, Verdict::Authentic);
        assert_eq!(kinds(&assessment) == [FindingKind::PartContradictsPrint], contradicts, "{printed}");
    }
}

fn disclosure(maker: &TestMaker, grant: Grant) -> Disclosure {
    Disclosure {
        maker: public(&maker.root),
        recipient: "age1example".into(),
        case: "2026/17".into(),
        created: "2026-11-24T00:00:00Z".parse().unwrap(),
        expires: "2027-11-24T00:00:00Z".parse().unwrap(),
        scope: Scope::Lot(label("A2B347K")),
        grants: vec![grant],
        consignees: vec![Consignee { number: 104_233, name: label("Sample Trading"), country: None, address: None }],
    }
}

#[test]
fn each_kind_of_grant_opens_its_own_marks_and_no_others() {
    let maker = TestMaker::new(1);
    let (day, lot) = (date("2026-11-23"), Some(label("A2B347K")));
    let day_key = maker.year.day(day);
    let item_key = day_key.lot(lot.as_ref()).item(public(&maker.line).id(), serial(48_213_077));
    let grants = [
        Grant::Day { date: day, key: DisclosedKey::new(*day_key.expose()) },
        Grant::Lot { date: day, lot: lot.clone(), key: DisclosedKey::new(*day_key.lot(lot.as_ref()).expose()) },
        Grant::Item {
            line: public(&maker.line),
            serial: serial(48_213_077),
            key: DisclosedKey::new(*item_key.expose()),
        },
    ];
    // The usual mark, another lot of the day, another serial of the lot, another day.
    let marks = [
        (48_213_077, "A2B347K", "2026-11-23", [true, true, true]),
        (48_213_077, "A2B347L", "2026-11-23", [true, false, false]),
        (48_213_078, "A2B347K", "2026-11-23", [true, true, false]),
        (48_213_079, "A2B347K", "2026-11-24", [false, false, false]),
    ];
    let trust = maker.trust();
    for (number, lot, made, opens) in marks {
        let mark = maker.sign(maker.mark(number, "STM32F407VGT6", lot, made, Some(104_233))).to_bytes();
        for (grant, opens) in grants.iter().zip(opens) {
            let disclosures = [disclosure(&maker, grant.clone())];
            let consignee = with(&trust, &disclosures, |basis| verify(&mark, basis)).proven.unwrap().consignee;
            let name = match consignee {
                ConsigneeStatus::Disclosed { name, number: 104_233, .. } => name,
                _ => None,
            };
            assert_eq!(name.is_some_and(|n| n.as_str() == "Sample Trading"), opens, "{number} {lot} {made} {grant:?}");
        }
    }
}

#[test]
fn a_wrong_key_names_nobody() {
    let maker = TestMaker::new(1);
    let wrong = Grant::Day { date: date("2026-11-23"), key: DisclosedKey::new([9; 32]) };
    let (trust, disclosures) = (maker.trust(), [disclosure(&maker, wrong)]);
    let assessment = with(&trust, &disclosures, |basis| verify(&maker.sign(maker.usual_mark()).to_bytes(), basis));
    assert_eq!(assessment.proven.as_ref().unwrap().consignee, ConsigneeStatus::Sealed);
    assert_eq!(kinds(&assessment), [FindingKind::CapsuleNotOpened]);
}

#[test]
fn a_mark_without_capsule_says_so() {
    let maker = TestMaker::new(1);
    let mark = maker.sign(maker.mark(7, "STM32F407VGT6", "A2B347K", "2026-11-23", None));
    assert_eq!(judge(&maker.trust(), &mark).proven.unwrap().consignee, ConsigneeStatus::NotInMark);
}

#[test]
fn typed_codes_survive_lower_case_line_breaks_and_lost_spaces() {
    let maker = TestMaker::new(1);
    let trust = maker.trust();
    // Enough serials that some of their texts begin, end or go on with spaces.
    for number in 0..300 {
        let mark = maker.sign(maker.mark(number, "STM32F407VGT6", "A2B347K", "2026-11-23", Some(1)));
        let text = base45::encode(&mark.to_bytes());
        let (a, b) = text.split_at(text.len() / 2);
        let typed = [
            text.clone(),
            format!("TM1:{text}\r\n"),
            text.to_lowercase(),
            text.trim_end().to_owned(),
            format!("{a}\n{b}"),
        ];
        for typed in typed {
            let assessment = with(&trust, &[], |basis| verify_text(&typed, basis));
            assert_eq!(assessment.verdict, Verdict::Authentic, "{number} {typed:?}");
        }
        // A QR code may carry the text form, too.
        assert_eq!(with(&trust, &[], |basis| verify(text.as_bytes(), basis)).verdict, Verdict::Authentic);
    }
    assert_eq!(with(&trust, &[], |basis| verify_text("HELLO", basis)).verdict, Verdict::NotATouchmark);
}

#[test]
fn the_bundle_survives_its_file_and_no_change() {
    let maker = TestMaker::new(1);
    let json = signed(maker.trust(), &[&maker.authority]).to_json();
    assert!(Trust::open(json.as_bytes()).is_ok());
    assert!(Trust::open(json.replace("\"NL\"", "\"DE\"").as_bytes()).is_err());
    let spaced = json.replace("  ", "\t");
    assert!(Trust::open(spaced.as_bytes()).is_ok(), "spacing is not signed");
}

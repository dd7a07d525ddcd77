//! An answer to a trace request: what it proves, and that nothing in it can be changed.

use testkit::maker::{date, encrypted, label, serial};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::head::LedgerKey;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::note::{NoteKey, NoteKeyKind};
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::What;
use touchmark_formats::ledger::trail::{Trail, TrailError};
use touchmark_formats::mark::{Extension, Mark, Part, SignedMark};
use touchmark_formats::signed::{ForReaderError, Signed};
use touchmark_formats::trust::{Directory, Revocation, Trust};
use touchmark_signer::home::Home;
use touchmark_signer::init::{Options, init};
use touchmark_signer::keys::{NoSecrets, SecretKey, SigningKey, sign_document};
use touchmark_signer::ledger::keeper::Evidence;
use touchmark_signer::ledger::{Happened, Keeper, New, keeper};
use touchmark_verifier::material::{self, Disclosed, MaterialErrorKind};
use touchmark_verifier::verdict::{FindingKind, Verdict};
use touchmark_verifier::verify::{Answered, Basis, verify};

const READER: &str = "age1vr7g3acnec3srr6nxp6m8a6222cjvu4v8azw2sz40272repd8p5qy0qvfc";

struct World {
    folder: tempfile::TempDir,
    keeper: Keeper,
    root: SecretKey,
    /// The ledger's.
    key: SecretKey,
    /// The line's.
    line_key: SecretKey,
    line: KeyBytes,
    trust: Trust,
}

impl World {
    /// A maker that made serials 1 to 100 and shipped 1 to 10 to one customer and 11 to 20 to another.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join("home");
        let options = Options {
            maker: label("Acme"),
            country: "NL".parse().unwrap(),
            line: label("line 1"),
            site: 1,
            authority: label("Acme"),
            root_token: None,
            authority_token: None,
        };
        init(&home, &options, None, "2026-11-01T00:00:00Z".parse().unwrap(), &mut NoSecrets).unwrap();
        let home = Home::open(&home).unwrap();
        let read =
            |name: &str| SecretKey::read(&home.key_file(name), || panic!("a test home has no passphrase")).unwrap();
        let root = read("root");
        let mut keeper = keeper::init(&home, "acme.example/ledger", &root, None).unwrap();
        let line = home.lines().unwrap()[0].delegation.signed.key;
        let customer = |number, name| New::Party(Party { number: Some(number), ..Party::named(label(name)) });
        let happened = |first, last, what| {
            let serials = SerialRange { first: serial(first), last: serial(last) };
            New::Event(Happened { line, serials, date: date("2026-11-02"), what })
        };
        let shipped = |to| What::Shipped { to, ship_to: None, document: None };
        let made = What::Commissioned { part: label("P"), lot: None, keys: None };
        let new = [
            customer(1, "One"),
            customer(2, "Two"),
            happened(1, 100, made),
            happened(1, 10, shipped(0)),
            happened(11, 20, shipped(1)),
        ];
        keeper.ledger.append(&new).unwrap();
        let key = read("ledger");
        keeper.checkpoint(&key).unwrap();
        let trust = Trust::open(&std::fs::read(home.trust_file()).unwrap()).unwrap().signed;
        Self { folder, keeper, root, key, line_key: read("line-1"), line, trust }
    }

    fn trail(&mut self, serials: &[u64]) -> Trail {
        let places: Vec<Place> = serials.iter().map(|n| Place { line: self.line, serial: serial(*n) }).collect();
        let Evidence { records, answers, checkpoint, earlier } = self.keeper.evidence(&places).unwrap();
        Trail {
            maker: self.root.public(),
            recipient: READER.to_owned(),
            case: "7".to_owned(),
            created: "2026-11-03T00:00:00Z".parse().unwrap(),
            ledger: self.keeper.document.clone(),
            checkpoint,
            records,
            answers,
            earlier,
        }
    }

    /// The witness cosigns the newest checkpoint at `time`.
    fn cosign(&mut self, time: &str) {
        let at = u64::try_from(time.parse::<jiff::Timestamp>().unwrap().as_second()).unwrap();
        let (note, checkpoint) = self.keeper.last().unwrap().unwrap();
        let (key, own) = witness(7);
        let line = own.line(&key.sign(&own.message(&note.text, at)).unwrap(), at);
        assert_eq!(self.keeper.cosign(checkpoint.size, &line.to_string(), &[own]), Ok(1));
    }

    /// Ships a few more, and signs the head.
    fn go_on(&mut self) {
        let serials = SerialRange { first: serial(91), last: serial(92) };
        let what = What::Shipped { to: 0, ship_to: None, document: None };
        let event = Happened { line: self.line, serials, date: date("2026-11-10"), what };
        self.keeper.ledger.append(&[New::Event(event)]).unwrap();
        self.keeper.checkpoint(&self.key).unwrap();
    }
}

fn witness(seed: u8) -> (SecretKey, NoteKey) {
    let key = SecretKey::from_seed(&[seed; 32]);
    let name = "witness.example/w1".parse().unwrap();
    let own = NoteKey { name, kind: NoteKeyKind::Cosignature, key: key.public().check().unwrap() };
    (key, own)
}

impl World {
    /// A mark of the home, and the bundle that vouches for it.
    fn mark(&self, serial: u64, part: &str) -> Vec<u8> {
        let home = self.folder.path().join("home").to_string_lossy().into_owned();
        let serial = serial.to_string();
        let words =
            ["touchmark-sign", "mark", "--home", &home, "--part", part, "--date", "2026-11-02", "--serial", &serial];
        let words = words.into_iter().chain(["--format", "text", "--out", "-"]).map(Into::into);
        let (mut stdout, mut stderr, mut stdin) = (Vec::new(), Vec::new(), std::io::empty());
        let mut io = touchmark_signer::cli::Io::of_process(&mut stdin, &mut stdout, &mut stderr);
        io.state = None;
        assert_eq!(touchmark_signer::cli::run(words, &mut io), touchmark_signer::cli::ExitStatus::Done);
        stdout
    }

    /// The file that answers for these serials, for one reader.
    fn answer(&mut self, serials: &[u64], reader: &age::x25519::Identity) -> tempfile::NamedTempFile {
        let trail = Trail { recipient: reader.to_public().to_string(), ..self.trail(serials) };
        let mut envelope = Signed::new(trail);
        sign_document(&self.root, &mut envelope).unwrap();
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), encrypted(envelope.to_json().as_bytes(), &reader.to_public())).unwrap();
        file
    }
}

#[test]
fn a_verdict_shows_the_trail_and_what_contradicts_it() {
    let mut world = World::new();
    let (own, other) = (world.mark(5, "P"), world.mark(15, "Q"));
    let reader = age::x25519::Identity::generate();
    let file = world.answer(&[5, 15], &reader);
    let mut trust = world.trust.clone();
    let open = |trust: &Trust| material::open_disclosed(file.path(), std::slice::from_ref(&reader), trust);
    let Ok(Disclosed::Trail(answered)) = open(&trust) else { panic!("no trail") };
    let trails = [answered];
    let directory = Directory::new(&trust);
    let now = "2026-12-01T00:00:00Z".parse().unwrap();
    let basis =
        Basis { directory: &directory, disclosures: &[], trails: &trails, printed_part: None, printed_lot: None, now };
    let assessed = |mark: &[u8]| {
        let assessment = verify(mark, &basis);
        let findings: Vec<FindingKind> = assessment.findings.iter().map(|f| f.finding).collect();
        (assessment.proven.unwrap().trail, findings)
    };
    let (trail, findings) = assessed(&own);
    let json = serde_json::to_value(trail.unwrap()).unwrap();
    assert!(findings.is_empty());
    assert_eq!((&json["ledger"], &json["case"]), (&"acme.example/ledger".into(), &"7".into()));
    let events: Vec<&str> = json["hands"].as_array().unwrap().iter().map(|h| h["event"].as_str().unwrap()).collect();
    assert_eq!((events, &json["hands"][1]["to"]["name"]), (vec!["commissioned", "shipped"], &"One".into()));
    // The ledger knows serial 15 as one of part P.
    assert_eq!(assessed(&other).1, [FindingKind::LedgerContradictsMark]);
    // Of a serial that nobody asked about it says nothing.
    assert_eq!(assessed(&world.mark(50, "P")), (None, Vec::new()));

    trust.makers[0].ledger = Some(world.keeper.document.clone());
    assert!(open(&trust).is_ok());
    let document = LedgerKey { origin: "acme.example/other".into(), ..world.keeper.document.signed.clone() };
    let mut envelope = Signed::new(document);
    trust.makers[0].ledger = Some(envelope.clone());
    assert!(open(&trust).is_ok(), "nobody signed that it is the maker's");
    sign_document(&world.root, &mut envelope).unwrap();
    trust.makers[0].ledger = Some(envelope);
    assert!(
        matches!(open(&trust).unwrap_err().kind, MaterialErrorKind::OtherLedger(name) if name == "acme.example/other")
    );
}

#[test]
fn a_trail_proves_its_serials_and_shows_no_other_customer() {
    let mut world = World::new();
    let trail = world.trail(&[5, 50, 101]);
    let mut envelope = Signed::new(trail.clone());
    sign_document(&world.root, &mut envelope).unwrap();
    let opened = Signed::<Trail>::open_for(envelope.to_json().as_bytes(), READER).unwrap();
    let proven = opened.signed.prove().unwrap();
    let chains: Vec<Vec<&str>> =
        proven.chains.iter().map(|chain| chain.links.iter().map(|link| link.event.what.name()).collect()).collect();
    assert_eq!(chains, [vec!["commissioned", "shipped"], vec!["commissioned"], vec![]]);
    assert_eq!(proven.chains[0].links[1].to.as_ref().unwrap().name, label("One"));
    assert!(
        !envelope.to_json().contains("Two") && trail.records.iter().all(|shown| shown.index != 1 && shown.index != 4)
    );
    let other = Signed::<Trail>::open_for(envelope.to_json().as_bytes(), "age1other");
    assert_eq!(other.unwrap_err(), ForReaderError::OtherRecipient(READER.to_owned()));
    let bent = envelope.to_json().replacen("\"case\": \"7\"", "\"case\": \"8\"", 1);
    assert_eq!(Signed::<Trail>::open_for(bent.as_bytes(), READER).unwrap_err(), ForReaderError::Signature);
}

#[test]
fn nothing_in_a_trail_can_be_changed_left_out_or_exchanged() {
    let mut world = World::new();
    let good = world.trail(&[5]);
    assert!(good.prove().is_ok());
    for at in 0..good.records.len() {
        let mut bent = good.clone();
        bent.records.remove(at);
        assert!(bent.prove().is_err(), "without record {at}");
        let mut bent = good.clone();
        bent.records[at].salt[0] ^= 1;
        assert_eq!(bent.prove(), Err(TrailError::Record(good.records[at].index)));
        let mut bent = good.clone();
        bent.records[at].index ^= 1;
        assert!(bent.prove().is_err());
        for byte in 0..good.records[at].record.len() {
            let mut bent = good.clone();
            bent.records[at].record[byte] ^= 1;
            assert_eq!(bent.prove(), Err(TrailError::Record(good.records[at].index)), "byte {byte}");
        }
    }
    // The answer for another serial, of another customer, in place of this one's.
    let other = world.trail(&[15]);
    let mut bent = Trail { answers: other.answers.clone(), ..good.clone() };
    assert_eq!(bent.prove(), Err(TrailError::Answer(15)));
    bent.answers[0].place.serial = serial(5);
    assert_eq!(bent.prove(), Err(TrailError::Answer(5)));
    let mut bent = Trail { answers: good.answers.clone(), ..good.clone() };
    bent.answers[0].map.steps.pop();
    assert_eq!(bent.prove(), Err(TrailError::Answer(5)));
    // Another ledger of the same maker, and one of another maker.
    let mut second = World::new();
    let foreign = second.trail(&[5]);
    assert_eq!(Trail { ledger: foreign.ledger.clone(), ..good.clone() }.prove(), Err(TrailError::Checkpoint));
    assert_eq!(Trail { checkpoint: foreign.checkpoint.clone(), ..good.clone() }.prove(), Err(TrailError::Checkpoint));
    assert_eq!(Trail { maker: foreign.maker, ..good }.prove(), Err(TrailError::Checkpoint));
}

#[test]
fn a_mark_of_a_key_that_was_revoked_later_counts_if_a_witness_saw_it_in_time() {
    let mut world = World::new();
    world.go_on();
    world.cosign("2026-11-12T08:00:00Z");
    world.keeper.ledger.append(&[New::Padding]).unwrap();
    world.keeper.checkpoint(&world.key).unwrap();
    world.cosign("2027-01-01T00:00:00Z");
    let trail = world.trail(&[5]);
    let (_, own) = witness(7);
    let silent = [Answered::of(&trail).unwrap()];
    let seen = [silent[0].clone().believing(std::slice::from_ref(&own))];
    assert_eq!(seen[0].seen.iter().map(|seen| seen.at).collect::<Vec<_>>(), [1_794_470_400]);
    let mark = |number, part: &str, day: &str| {
        let mark = Mark {
            key_id: world.line.id(),
            serial: serial(number),
            date: date(day),
            part: Part::Inline(label(part)),
            lot: None,
            extension: Extension::default(),
            capsule: None,
        };
        let message = mark.message(&world.root.public(), &label(part), None);
        SignedMark { signature: world.line_key.sign(&message).unwrap(), mark }.to_bytes()
    };
    let judge = |mark: &[u8], since: &str, trails: &[Answered]| {
        let mut trust = world.trust.clone();
        trust.revocations.push(Revocation { key: world.line, since: date(since), reason: label("stolen") });
        let directory = Directory::new(&trust);
        let now = "2027-02-01T00:00:00Z".parse().unwrap();
        let basis =
            Basis { directory: &directory, disclosures: &[], trails, printed_part: None, printed_lot: None, now };
        let assessment = verify(mark, &basis);
        (assessment.verdict, assessment.findings.iter().map(|f| f.finding).collect::<Vec<_>>())
    };
    let good = mark(5, "P", "2026-11-02");
    let (counts, not) = (vec![FindingKind::DateCorroborated], vec![FindingKind::DateNotCorroborated]);
    assert_eq!(judge(&good, "2026-11-13", &seen), (Verdict::Authentic, counts));
    // Revoked as of the day of the cosignature, of before it; or with nothing that vouches for it.
    assert_eq!(judge(&good, "2026-11-12", &seen), (Verdict::Revoked, not.clone()));
    assert_eq!(judge(&good, "2026-11-13", &[]), (Verdict::Revoked, not.clone()));
    assert_eq!(judge(&good, "2026-11-13", &silent), (Verdict::Revoked, not.clone()));
    // Another maker's ledger has no say in what was made by this one.
    let foreign = [Answered { maker: world.line, ..seen[0].clone() }];
    assert_eq!(judge(&good, "2026-11-13", &foreign), (Verdict::Revoked, not.clone()));
    assert_eq!(judge(&good, "2026-11-01", &seen), (Verdict::Revoked, vec![]));
    // What the thief of the key writes is not what was on record.
    for other in [mark(5, "P", "2026-11-03"), mark(6, "P", "2026-11-02")] {
        assert_eq!(judge(&other, "2026-11-13", &seen), (Verdict::Revoked, not.clone()));
    }
    let contradicted = [not, vec![FindingKind::LedgerContradictsMark]].concat();
    assert_eq!(judge(&mark(5, "Q", "2026-11-02"), "2026-11-13", &seen), (Verdict::Revoked, contradicted));
    // Another's word, and none at all.
    assert_eq!(trail.prove().unwrap().seen(&[witness(8).1]), []);
    assert_eq!(Trail { earlier: Vec::new(), ..trail.clone() }.prove().unwrap().seen(&[own])[0].at, 1_798_761_600);
    let mut bent = trail.clone();
    bent.earlier[0].proofs[0].index += 1;
    assert_eq!(bent.prove(), Err(TrailError::Record(3)));
    let mut bent = trail.clone();
    bent.earlier[0].proofs[0].proof[0][0] ^= 1;
    assert_eq!(bent.prove(), Err(TrailError::Record(2)));
    let mut bent = trail;
    bent.earlier[0].checkpoint = bent.earlier[0].checkpoint.replacen("\n8\n", "\n7\n", 1);
    assert_eq!(bent.prove(), Err(TrailError::Checkpoint));
}

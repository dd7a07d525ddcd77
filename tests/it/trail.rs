//! An answer to a trace request: what it proves, and that nothing in it can be changed.

use testkit::maker::{date, encrypted, label, serial};
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::ledger::head::LedgerKey;
use touchmark_formats::ledger::map::Place;
use touchmark_formats::ledger::party::Party;
use touchmark_formats::ledger::record::What;
use touchmark_formats::ledger::trail::{Trail, TrailError};
use touchmark_formats::signed::Signed;
use touchmark_formats::trust::{Directory, Trust};
use touchmark_signer::home::Home;
use touchmark_signer::init::{Options, init};
use touchmark_signer::keys::{NoSecrets, SecretKey, SigningKey, sign_document};
use touchmark_signer::ledger::{Happened, Keeper, New, keeper};
use touchmark_verifier::material::{self, Disclosed, MaterialErrorKind};
use touchmark_verifier::verdict::FindingKind;
use touchmark_verifier::verify::{Basis, verify};

const READER: &str = "age1vr7g3acnec3srr6nxp6m8a6222cjvu4v8azw2sz40272repd8p5qy0qvfc";

struct World {
    folder: tempfile::TempDir,
    keeper: Keeper,
    root: SecretKey,
    line: KeyBytes,
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
        keeper.checkpoint(&read("ledger")).unwrap();
        Self { folder, keeper, root, line }
    }

    fn trail(&mut self, serials: &[u64]) -> Trail {
        let places: Vec<Place> = serials.iter().map(|n| Place { line: self.line, serial: serial(*n) }).collect();
        let (records, answers, checkpoint) = self.keeper.shown(&places).unwrap();
        Trail {
            maker: self.root.public(),
            recipient: READER.to_owned(),
            case: "7".to_owned(),
            created: "2026-11-03T00:00:00Z".parse().unwrap(),
            ledger: self.keeper.document.clone(),
            checkpoint,
            records,
            answers,
        }
    }
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
    let mut trust = Trust::open(&std::fs::read(world.folder.path().join("home/trust.json")).unwrap()).unwrap().signed;
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
    let opened = Trail::open(envelope.to_json().as_bytes(), READER).unwrap();
    let proven = opened.signed.prove().unwrap();
    let chains: Vec<Vec<&str>> =
        proven.chains.iter().map(|chain| chain.links.iter().map(|link| link.event.what.name()).collect()).collect();
    assert_eq!(chains, [vec!["commissioned", "shipped"], vec!["commissioned"], vec![]]);
    assert_eq!(proven.chains[0].links[1].to.as_ref().unwrap().name, label("One"));
    assert!(
        !envelope.to_json().contains("Two") && trail.records.iter().all(|shown| shown.index != 1 && shown.index != 4)
    );
    assert!(matches!(Trail::open(envelope.to_json().as_bytes(), "age1other"), Err(TrailError::OtherRecipient(_))));
    let bent = envelope.to_json().replacen("\"case\": \"7\"", "\"case\": \"8\"", 1);
    assert_eq!(Trail::open(bent.as_bytes(), READER).unwrap_err(), TrailError::Signature);
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

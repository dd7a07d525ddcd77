//! What must hold for any bytes at all: no panic, one encoding, one spelling. Shared by the fuzz targets and the
//! property tests.

use touchmark_formats::base45;
use touchmark_formats::capsule::{Capsule, ItemKey};
use touchmark_formats::carried::Carried;
use touchmark_formats::case::{CaseSeal, Piece, take_members};
use touchmark_formats::close::{Account, LotClose};
use touchmark_formats::container::SignedContainer;
use touchmark_formats::date::Date;
use touchmark_formats::delegation::Delegation;
use touchmark_formats::disclosure::Disclosure;
use touchmark_formats::key::{KeyBytes, KeyId};
use touchmark_formats::ledger::checkpoint::{Checkpoint, LogProof, WitnessRequest};
use touchmark_formats::ledger::note::Note;
use touchmark_formats::ledger::record::Record;
use touchmark_formats::mark::{Extension, MAX_BYTES, Mark, Part, Serial, SignedMark};
use touchmark_formats::reading::Reading;
use touchmark_formats::signed::{Document, Signed, canonical, message};
use touchmark_formats::trust::{Directory, Pin, Trust};

/// A mark is refused, or is the one encoding of its fields.
pub fn mark(bytes: &[u8]) {
    let Ok(signed) = SignedMark::from_bytes(bytes) else { return };
    assert_eq!(signed.to_bytes(), bytes);
    assert!(bytes.len() <= MAX_BYTES);
    let root = KeyBytes([3; 32]);
    let head = signed.mark.head_bytes();
    assert!(bytes.starts_with(&head));
    if let Some(capsule) = signed.mark.capsule {
        let key = ItemKey::from_bytes([5; 32]);
        if let Some(number) = capsule.open(&key, &head, &root) {
            assert_eq!(Capsule::seal(number, capsule.size(), &key, &head, &root), Some(capsule));
        }
    }
}

/// A container mark is refused, or is the one encoding of its fields.
pub fn container(bytes: &[u8]) {
    let Ok(signed) = SignedContainer::from_bytes(bytes) else { return };
    assert_eq!(signed.to_bytes(), bytes);
    assert_eq!(Carried::from_bytes(bytes), Ok(Carried::Container(signed.clone())));
    assert!(bytes.len() <= MAX_BYTES && bytes.starts_with(&signed.container.head_bytes()));
    assert!((1..=signed.container.serials.count()).contains(&signed.container.quantity()));
}

/// A record of a closed lot accounts for every serial once.
pub fn close(bytes: &[u8]) {
    let Some(envelope) = envelope::<LotClose>(bytes) else { return };
    let close = &envelope.signed;
    if close.check_ranges().is_ok() {
        let (used, void, unused) = close.counts();
        assert_eq!(used + void + unused, close.serials.count());
        assert_eq!(close.spare().map(|range| range.count()).sum::<u64>(), void + unused);
        let ends = close.used.iter().flat_map(|range| [range.first, range.last]);
        ends.for_each(|serial| assert_eq!(close.account(serial), Some(Account::Used)));
    }
    if let Ok(maker) = close.maker.check() {
        let _ = LotClose::check(&envelope, &maker);
    }
}

/// A text form is refused, or is the one text of its bytes.
pub fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(decoded) = base45::decode(text) {
        assert_eq!(base45::encode(&decoded), text);
        mark(&decoded);
    }
}

/// An envelope is refused, or its file and its canonical form say the same.
fn envelope<T: Document>(bytes: &[u8]) -> Option<Signed<T>> {
    let envelope = Signed::<T>::from_json(bytes).ok()?;
    let again = Signed::<T>::from_json(envelope.to_json().as_bytes());
    let again = again.unwrap_or_else(|e| panic!("what was read cannot be written and read: {e}"));
    assert_eq!(message(&again.signed), message(&envelope.signed));
    Some(envelope)
}

/// Marks that a hostile delegation or disclosure may be asked about.
fn probes() -> [Mark; 2] {
    let plain = Mark {
        key_id: KeyId([0; 4]),
        serial: Serial::new(5).unwrap_or_default(),
        date: Date::MIN,
        part: Part::Listed(1),
        lot: None,
        extension: Extension::default(),
        capsule: None,
    };
    let sealed = Mark { capsule: Capsule::from_bytes(&[7; 8]), part: Part::Listed(u16::MAX), ..plain.clone() };
    [plain, sealed]
}

/// A delegation answers for any mark.
pub fn delegation(bytes: &[u8]) {
    let Some(envelope) = envelope::<Delegation>(bytes) else { return };
    let sound = envelope.signed.check_limits().is_ok();
    for probe in probes() {
        let resolved = (envelope.signed.part(&probe).is_some(), envelope.signed.lot(&probe).is_some());
        let broken = envelope.signed.violations(&probe).len();
        assert!(!sound || resolved.0 || broken > 0, "a part that does not exist is out of scope");
    }
    if let Ok(maker) = envelope.signed.maker.check() {
        let _ = Delegation::check(&envelope, &maker);
    }
}

/// A bundle that is accepted is followed by itself.
pub fn trust(bytes: &[u8]) {
    if let Some(bundle) = envelope::<Trust>(bytes) {
        let directory = Directory::new(&bundle.signed);
        for maker in &bundle.signed.makers {
            maker.delegations.iter().for_each(|d| assert!(directory.issuers(d.signed.key.id()).next().is_some()));
        }
        let _ = (bundle.signed.check_all(), bundle.signed.authority.fingerprint());
    }
    if let Ok(bundle) = Trust::open(bytes) {
        let pin = Pin { authority: bundle.signed.authority.clone(), version: bundle.signed.version };
        assert_eq!(pin.advance(&bundle), Ok(pin));
    }
}

/// A disclosure opens for its own recipient alone.
pub fn disclosure(bytes: &[u8]) {
    let Some(envelope) = envelope::<Disclosure>(bytes) else { return };
    for probe in probes() {
        let _ = envelope.signed.consignee(&KeyBytes([0; 32]), &probe, None);
    }
    let other = format!("{}x", envelope.signed.recipient);
    assert!(Signed::<Disclosure>::open_for(bytes, &other).is_err());
}

/// A record is refused, or is the one encoding of its fields; and so is a hand-over's signed form.
pub fn record(bytes: &[u8]) {
    let Ok(record) = Record::from_bytes(bytes) else { return };
    assert_eq!(record.to_bytes(), bytes);
    if let Record::Event(event) = record {
        assert!(event.serials.count() > 0);
        if let Some(document) = event.hand_over() {
            let again = Signed::from_json(Signed::new(document.clone()).to_json().as_bytes());
            assert_eq!(again.map(|envelope| envelope.signed), Ok(document));
        }
    }
}

/// A note, and what travels with one, is refused, or is the one form of what it says.
pub fn note(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        if let Ok(checkpoint) = Checkpoint::parse(&note.text) {
            assert_eq!(checkpoint.text(), note.text);
        }
    }
    if let Ok(proof) = LogProof::parse(bytes) {
        assert_eq!(proof.to_string().as_bytes(), bytes);
    }
    if let Ok(request) = WitnessRequest::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
}

/// A seal says the same again; a piece of evidence is the leaf that it was; and what pieces take out of a line is gone from it.
pub fn evidence(bytes: &[u8]) {
    let _ = envelope::<CaseSeal>(bytes);
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let (Some(piece), Some(line)) = (lines.next(), lines.next()) else { return };
    let Ok(mut piece) = serde_json::from_slice::<Piece>(piece) else { return };
    let again = serde_json::to_vec(&piece).and_then(|json| serde_json::from_slice::<Piece>(&json));
    assert_eq!(again.as_ref().ok(), Some(&piece));
    if let Ok(whole) = serde_json::from_slice::<serde_json::Value>(line) {
        let mut rest = whole.clone();
        if take_members(&mut rest, &piece.members).is_some() {
            let left = canonical(&rest);
            assert_eq!(left == canonical(&whole), piece.members.is_empty());
            // Each member stands there once.
            assert!(piece.members.is_empty() || take_members(&mut rest, &piece.members).is_none());
        }
    }
    let leaf = piece.leaf();
    piece.leave_out();
    assert_eq!(piece.leaf(), leaf);
}

/// A soft reading is refused, or says the same again, with a likelihood for each module of a symbol that there is.
pub fn reading(bytes: &[u8]) {
    let Ok(reading) = serde_json::from_slice::<Reading>(bytes) else { return };
    let again = serde_json::to_vec(&reading).and_then(|json| serde_json::from_slice::<Reading>(&json));
    assert_eq!(again.as_ref().ok(), Some(&reading));
    for symbol in &reading.symbols {
        let modules = usize::from(symbol.rows) * usize::from(symbol.columns);
        assert!(symbol.looks.iter().all(|look| look.llr().len() == modules));
    }
}

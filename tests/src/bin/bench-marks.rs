//! `cargo bench-marks`: signing, artwork and verification beside the bare cryptography, and the sizes of our marks.
//!
//! Rates on a shared machine mean little, ratios measured side by side mean much: every row takes turns with its peer in
//! short rounds, and the median of the rounds' ratios is what counts.

#![allow(clippy::panic, clippy::print_stdout)] // A bench prints, and stops where its premise fails.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use std::hint::black_box;
use std::time::{Duration, Instant};
use testkit::maker::{TestMaker, public};
use touchmark_formats::base45;
use touchmark_formats::mark::{Mark, SignedMark};
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::encode::{EcLevel, Request, Shape, encode, encode_text};
use touchmark_formats::trust::Directory;
use touchmark_signer::keys::SecretKey;
use touchmark_signer::render::{Artwork, ArtworkOptions, Format, SheetOptions, render};
use touchmark_signer::sign::{LineKey, sign as sign_mark};
use touchmark_verifier::verify::{Basis, verify};

const ROUNDS: usize = 25;
const ROUND: Duration = Duration::from_millis(80);

fn main() {
    let maker = TestMaker::new(1);
    let mark = maker.usual_mark();
    let bytes = maker.sign(mark.clone()).to_bytes();
    signing(&maker, &mark);
    verification(&maker, &bytes);
    sizes();
}

fn signing(maker: &TestMaker, mark: &Mark) {
    let message = maker.sign(mark.clone()).mark.unsigned_bytes();
    println!(
        "Signing, one core (target: encode and sign at least 80 % of bare; symbol and SVG at least 5,000 a second)"
    );
    let bare = || {
        black_box(maker.line.sign(black_box(&message)));
    };
    let key = LineKey::new(Box::new(SecretKey::from_seed(maker.line.as_bytes()))).unwrap_or_else(|e| panic!("{e}"));
    let (root, part) = (public(&maker.root), maker.delegation.part(mark).cloned().unwrap_or_else(|| panic!("no part")));
    let signed =
        || sign_mark(&key, black_box(mark).clone(), &root, &part, mark.lot.as_ref()).unwrap_or_else(|e| panic!("{e}"));
    let sign = || drop(black_box(signed().to_bytes()));
    compare("bare ed25519-dalek sign", bare, "encode and sign", sign);
    let qr = || drop(black_box(svg(&signed(), &Request::Qr { ec: EcLevel::M, min_version: 1 })));
    compare("bare ed25519-dalek sign", bare, "and QR Code 6-M as SVG", qr);
    let square = Request::DataMatrix { shape: Shape::Square };
    let datamatrix = || drop(black_box(svg(&signed(), &square)));
    compare("bare ed25519-dalek sign", bare, "and Data Matrix 40x40 as SVG", datamatrix);
}

fn svg(mark: &SignedMark, request: &Request) -> Vec<u8> {
    let encoded = encode(&mark.to_bytes(), request).unwrap_or_else(|e| panic!("{e}"));
    let artwork = Artwork::new(encoded.matrix, encoded.size.symbology, ArtworkOptions::default());
    let artwork = artwork.unwrap_or_else(|e| panic!("{e}"));
    render(Format::Svg, &[artwork], &SheetOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn verification(maker: &TestMaker, bytes: &[u8]) {
    let trust = maker.trust();
    let directory = Directory::new(&trust);
    let now = trust.created;
    let basis = Basis { directory: &directory, disclosures: &[], printed_part: None, printed_lot: None, now };
    let key: VerifyingKey = maker.line.verifying_key();
    let signed = SignedMark::from_bytes(bytes).unwrap_or_else(|e| panic!("{e}"));
    let part = maker.delegation.part(&signed.mark).cloned().unwrap_or_else(|| panic!("the part is inline"));
    let message = signed.mark.message(&public(&maker.root), &part, signed.mark.lot.as_ref());
    let signature = ed25519_dalek::Signature::from_bytes(&signed.signature);
    println!("\nVerification, one core (target: at least 90 % of bare)");
    compare(
        "bare verify_strict",
        || assert!(key.verify_strict(black_box(&message), &signature).is_ok()),
        "bytes to verdict",
        || assert!(verify(black_box(bytes), &basis).proven.is_some()),
    );
}

/// Runs both in turns and prints their rates and the median of the ratios.
fn compare(peer: &str, peer_work: impl Fn(), name: &str, work: impl Fn()) {
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (rate(&peer_work), rate(&work))).collect();
    rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
    let (peer_rate, own) = rounds[ROUNDS / 2];
    println!("  {name:<30} {own:>9.0} a second, {:>5.1} % of {peer} ({peer_rate:.0})", own / peer_rate * 100.0);
}

fn rate(work: &impl Fn()) -> f64 {
    let start = Instant::now();
    let mut done = 0u32;
    while start.elapsed() < ROUND {
        (0..8).for_each(|_| work());
        done += 8;
    }
    f64::from(done) / start.elapsed().as_secs_f64()
}

fn sizes() {
    println!("\nSizes of the usual record (13-character part, 7-character lot, serial, date, site, sealed consignee)");
    println!(
        "  {:<34} {:>5}  {:>8} {:>8} {:>8} {:>8}  {:>9} {:>9}",
        "", "bytes", "QR L", "QR M", "QR Q", "QR H", "DM square", "DM rect"
    );
    for (name, maker) in
        [("part and lot inline", TestMaker::new(1)), ("part and lot by the delegation", TestMaker::listed(1))]
    {
        let bytes = maker.sign(maker.usual_mark()).to_bytes();
        let text = base45::encode(&bytes);
        row(name, bytes.len(), |request| encode(&bytes, request).ok().map(|e| e.size));
        row(&format!("{name}, as text"), text.len(), |request| encode_text(&text, request).ok().map(|e| e.size));
    }
    let signature = SigningKey::from_bytes(&[1; 32]).sign(b"").to_bytes();
    row("a signature alone", signature.len(), |request| encode(&signature, request).ok().map(|e| e.size));
}

fn row(name: &str, bytes: usize, size: impl Fn(&Request) -> Option<touchmark_formats::symbol::encode::SymbolSize>) {
    let qr = EcLevel::ALL.map(|ec| Request::Qr { ec, min_version: 1 });
    let datamatrix = [Shape::Square, Shape::Dmre].map(|shape| Request::DataMatrix { shape });
    let cell = |request: &Request| match size(request) {
        Some(size) if size.symbology == Symbology::QrCode => {
            format!("{} ({})", &size.name[3..size.name.len() - 2], size.columns)
        }
        Some(size) => size.name,
        None => "-".into(),
    };
    let [l, m, q, h] = qr.map(|request| cell(&request));
    let [square, rectangle] = datamatrix.map(|request| cell(&request));
    println!("  {name:<34} {bytes:>5}  {l:>8} {m:>8} {q:>8} {h:>8}  {square:>9} {rectangle:>9}");
}

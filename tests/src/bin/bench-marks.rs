//! `cargo bench-marks`: signing, artwork and verification beside the bare cryptography, and the sizes of our marks.
//!
//! Rates on a shared machine mean little, ratios measured side by side mean much: every row takes turns with its peer in
//! short rounds, and the median of the rounds' ratios is what counts. `--page FILE` writes the tables into a page.

#![allow(clippy::panic, clippy::print_stdout)] // A bench prints, and stops where its premise fails.

use clap::Parser;
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use testkit::maker::{TestMaker, public};
use testkit::page::put_section;
use touchmark_formats::base45;
use touchmark_formats::mark::{Mark, SignedMark};
use touchmark_formats::symbol::Symbology;
use touchmark_formats::symbol::{EcLevel, Encoded, Request, Shape, encode, encode_text};
use touchmark_formats::trust::Directory;
use touchmark_signer::keys::SecretKey;
use touchmark_signer::render::{Artwork, ArtworkOptions, Format, SheetOptions, render};
use touchmark_signer::sign::{LineKey, sign as sign_mark, sign_checked};
use touchmark_verifier::verify::{Basis, verify};

const ROUNDS: usize = 25;
const ROUND: Duration = Duration::from_millis(80);

/// Measures marks.
#[derive(Parser)]
struct Args {
    /// Also write the tables into this Markdown page, under its headings
    #[arg(long)]
    page: Option<PathBuf>,
}

fn main() {
    let args = Args::parse();
    let maker = TestMaker::new(1);
    let mark = maker.usual_mark();
    let bytes = maker.sign(mark.clone()).to_bytes();
    let mut rates =
        format!("`cargo bench-marks`, one core, by its processor time; a mark of {} bytes:\n\n", bytes.len());
    rates += "| work | a second | beside | a second | ratio | target |\n| --- | --: | --- | --: | --: | --- |\n";
    rates += &signing(&maker, &mark);
    rates += &verification(&maker, &bytes);
    for (title, body) in [("Signing and verifying", rates), ("Sizes", sizes())] {
        println!("{body}");
        if let Some(page) = &args.page {
            put_section(page, title, &body).unwrap_or_else(|e| panic!("{}: {e}", page.display()));
        }
    }
}

fn signing(maker: &TestMaker, mark: &Mark) -> String {
    let key = LineKey::new(Box::new(SecretKey::from_seed(maker.line.as_bytes()))).unwrap_or_else(|e| panic!("{e}"));
    let (root, part) = (public(&maker.root), maker.delegation.part(mark).cloned().unwrap_or_else(|| panic!("no part")));
    let message = mark.message(&root, &part, mark.lot.as_ref());
    let bare = || {
        black_box(maker.line.sign(black_box(&message)));
    };
    let signed =
        || sign_mark(&key, black_box(mark).clone(), &root, &part, mark.lot.as_ref()).unwrap_or_else(|e| panic!("{e}"));
    let sign = || drop(black_box(signed().to_bytes()));
    let checked = || {
        let mark = sign_checked(&key, black_box(mark).clone(), &root, &part, mark.lot.as_ref());
        drop(black_box(mark.unwrap_or_else(|e| panic!("{e}")).to_bytes()));
    };
    let qr = || drop(black_box(svg(&signed(), &Request::Qr { ec: EcLevel::M, min_version: 1 })));
    let datamatrix = || drop(black_box(svg(&signed(), &Request::DataMatrix { shape: Shape::Square })));
    let peer = "bare ed25519-dalek `sign`";
    compare("encode and sign", sign, peer, bare, "at least 80 %")
        + &compare("the same, signature verified before it leaves", checked, peer, bare, "")
        + &compare("encode, sign, QR Code 6-M, SVG", qr, peer, bare, "at least 5,000 a second")
        + &compare("encode, sign, Data Matrix 40x40, SVG", datamatrix, peer, bare, "")
}

fn svg(mark: &SignedMark, request: &Request) -> Vec<u8> {
    let encoded = encode(&mark.to_bytes(), request).unwrap_or_else(|e| panic!("{e}"));
    let artwork = Artwork::new(encoded.matrix, encoded.size.symbology, ArtworkOptions::default());
    let artwork = artwork.unwrap_or_else(|e| panic!("{e}"));
    render(Format::Svg, &[artwork], &SheetOptions::default()).unwrap_or_else(|e| panic!("{e}"))
}

fn verification(maker: &TestMaker, bytes: &[u8]) -> String {
    let trust = maker.trust();
    let directory = Directory::new(&trust);
    let now = trust.created;
    let basis =
        Basis { directory: &directory, disclosures: &[], trails: &[], printed_part: None, printed_lot: None, now };
    let key: VerifyingKey = maker.line.verifying_key();
    let signed = SignedMark::from_bytes(bytes).unwrap_or_else(|e| panic!("{e}"));
    let part = maker.delegation.part(&signed.mark).cloned().unwrap_or_else(|| panic!("the part is inline"));
    let message = signed.mark.message(&public(&maker.root), &part, signed.mark.lot.as_ref());
    let signature = ed25519_dalek::Signature::from_bytes(&signed.signature);
    compare(
        "bytes to verdict",
        || assert!(verify(black_box(bytes), &basis).proven.is_some()),
        "bare ed25519-dalek `verify_strict`",
        || assert!(key.verify_strict(black_box(&message), &signature).is_ok()),
        "at least 90 %",
    )
}

/// Runs both in turns and gives a row: their rates, and the median of the ratios.
fn compare(name: &str, work: impl Fn(), peer: &str, peer_work: impl Fn(), target: &str) -> String {
    let mut rounds: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (rate(&peer_work), rate(&work))).collect();
    rounds.sort_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0)));
    let (peer_rate, own) = rounds[ROUNDS / 2];
    format!("| {name} | {own:.0} | {peer} | {peer_rate:.0} | {:.1} % | {target} |\n", own / peer_rate * 100.0)
}

fn rate(work: &impl Fn()) -> f64 {
    let (start, began) = (Instant::now(), on_processor());
    let mut done = 0u32;
    while start.elapsed() < ROUND {
        (0..8).for_each(|_| work());
        done += 8;
    }
    let spent = on_processor().zip(began).map_or(start.elapsed(), |(now, began)| now - began);
    f64::from(done) / spent.as_secs_f64()
}

/// How long this thread has had a processor, where Linux tells: others on the machine do not count.
fn on_processor() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn sizes() -> String {
    let mut table = String::from(
        "The same command, from the real encoder: the smallest symbol of each kind, of QR Code with its modules a side in
brackets, of Data Matrix rows x columns, rectangles with DMRE. The record is a 13-character part number, a
7-character lot, serial, date, site and a sealed consignee.

| carried | length | QR L | QR M | QR Q | QR H | DM square | DM rectangle |
| --- | --: | --- | --- | --- | --- | --- | --- |
",
    );
    for (name, maker) in [
        ("part and lot inline, consignee of 6 bytes", TestMaker::new(1)),
        ("part and lot by the delegation, consignee of 8 bytes", TestMaker::listed(1)),
    ] {
        let bytes = maker.sign(maker.usual_mark()).to_bytes();
        let text = base45::encode(&bytes);
        table += &row(name, bytes.len(), |request| encode(&bytes, request).ok());
        table += &row(&format!("{name}, as text"), text.len(), |request| encode_text(&text, request).ok());
    }
    let signature = SigningKey::from_bytes(&[1; 32]).sign(b"").to_bytes();
    table + &row("a signature alone", signature.len(), |request| encode(&signature, request).ok())
}

fn row(name: &str, length: usize, symbol: impl Fn(&Request) -> Option<Encoded>) -> String {
    let qr = EcLevel::ALL.map(|ec| Request::Qr { ec, min_version: 1 });
    let datamatrix = [Shape::Square, Shape::Dmre].map(|shape| Request::DataMatrix { shape });
    let mut row = format!("| {name} | {length} |");
    for request in qr.iter().chain(&datamatrix) {
        let size = symbol(request).map(|encoded| encoded.size);
        let _ = match &size {
            Some(size) if size.symbology == Symbology::QrCode => write!(row, " {} ({}) |", size.name, size.columns),
            Some(size) => write!(row, " {} |", size.name),
            None => write!(row, " - |"),
        };
    }
    row + "\n"
}

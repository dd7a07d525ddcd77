//! Codes that were typed, pasted or scanned as text: every verdict that a code can get, as the program prints it, and
//! lists of codes on standard input.

use testkit::console::{root, run_page};
use testkit::maker::{TestMaker, date, label, public, serial, signed};
use touchmark_formats::base45;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::mark::SignedMark;
use touchmark_formats::trust::{Revocation, Trust, Void};

#[test]
fn every_verdict_on_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let maker = TestMaker::new(1);
    let bundle = |name: &str, change: &dyn Fn(&mut Trust)| {
        let mut trust = maker.trust();
        trust.expires = "2036-11-23T00:00:00Z".parse().unwrap();
        change(&mut trust);
        write(name, &signed(trust, &[&maker.authority]).to_json());
    };
    bundle("trust.json", &|_| {});
    let revoked = Revocation { key: public(&maker.line), since: date("2026-12-01"), reason: label("line key stolen") };
    bundle("revoked.json", &|trust| trust.revocations.push(revoked.clone()));
    let serials = SerialRange { first: serial(48_213_000), last: serial(48_213_999) };
    let void = Void { key: public(&maker.line), serials, reason: label("scrapped") };
    bundle("void.json", &|trust| trust.voids.push(void.clone()));

    let code = |signed: &SignedMark| base45::encode(&signed.to_bytes());
    let genuine = maker.sign(maker.usual_mark());
    let mut forged = genuine.clone();
    forged.signature[7] ^= 1;
    let stranger = TestMaker::new(2);
    write("good", &code(&genuine));
    let list = [
        &format!("TM1:{}", code(&genuine)),
        "",
        &code(&genuine).to_lowercase(),
        &code(&forged),
        &code(&stranger.sign(stranger.usual_mark())),
        "https://example.com/",
        &"A".repeat(5000),
        &code(&maker.sign(maker.mark(48_213_078, "STM32F407VGT6", "A2B347K", "2025-12-31", None))),
    ];
    write("list", &(list.join("\r\n") + "\r\n"));
    write("empty", "\n\n");
    // More than any buffer holds: each is judged as it comes.
    let marks = (0..2000).map(|n| maker.mark(n, "STM32F407VGT6", "A2B347K", "2026-11-23", None));
    write("many", &marks.map(|mark| code(&maker.sign(mark)) + "\n").collect::<String>());
    run_page(&root().join("tests/it/pages/typed.md"), &[(folder.path(), "t")]);
}

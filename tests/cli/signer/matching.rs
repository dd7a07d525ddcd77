//! `match`: which mark on record a reading is of.

use super::kit::{Place, marks};
use touchmark_formats::base45;
use touchmark_formats::mark::SignedMark;
use touchmark_formats::reading::{PhotoHash, Reading, SeenSymbol};
use touchmark_formats::signed::Signed;
use touchmark_formats::symbol::{EcLevel, Request, Shape, Symbology, encode};

const DATA_MATRIX: (Symbology, Request) = (Symbology::DataMatrix, Request::DataMatrix { shape: Shape::Square });
const QR: (Symbology, Request) = (Symbology::QrCode, Request::Qr { ec: EcLevel::M, min_version: 1 });

/// The reading of a symbol of which this share of the modules is left.
fn reading(mark: &SignedMark, (symbology, request): (Symbology, Request), left: usize) -> String {
    let matrix = encode(&mark.to_bytes(), &request).unwrap().matrix;
    let (rows, columns) = (matrix.height(), matrix.width());
    let seen = |i: usize| {
        let random = ((i * 2_654_435_761) >> 12) % 1000;
        let dark = matrix.is_dark(i % columns, i / columns);
        if random < 10 * left { if dark { 5.0 } else { -5.0 } } else { (random % 7) as f32 / 4.0 - 0.75 }
    };
    let llr: Vec<f32> = (0..rows * columns).map(seen).collect();
    let symbols = vec![SeenSymbol::new(symbology, rows, columns, [llr.as_slice()]).unwrap()];
    Signed::new(Reading { tool: "camera 1".into(), photos: vec![PhotoHash([7; 32])], symbols }).to_json()
}

#[test]
fn a_mark_of_which_a_fifth_is_left_is_found_among_those_of_its_lot_and_in_no_other() {
    let place = Place::with_home();
    let mark = |lot: &str, first: u64| {
        let line = format!(
            "mark --home h --part P1 --lot {lot} --date 2026-11-23 --serial {first} --count 300 --consignee 5 --format text --out -"
        );
        marks(&place.run(&line).done().out)
    };
    let (made, other) = (mark("L1", 100), mark("L2", 1000));
    for (carrier, name) in [(DATA_MATRIX, "dm"), (QR, "qr")] {
        place.write(name, &reading(&made[170], carrier, 20));
        for which in ["--lot L1", "--serials 1-5000", "--serials 270-270 --part P1"] {
            let ran = place.run(&format!("match {name} --home h {which}")).done();
            assert!(ran.out.starts_with(&format!("{name}: MATCH: serial 270\n  line       line 1\n  part       P1\n  lot        L1\n  date       2026-11-23\n  ratio      10^")), "{ran:?}");
            // The answer is the mark itself.
            assert!(ran.out.ends_with(&format!("  mark       {}\n", base45::encode(&made[170].to_bytes()))), "{ran:?}");
        }
        let ran = place.run(&format!("match {name} --home h --lot L2"));
        assert!(
            ran.out.starts_with(&format!(
                "{name}: NO MATCH: no mark agrees beyond chance\n  compared   300 marks compared"
            ))
        );
        assert_eq!(
            (ran.status, ran.err.lines().next()),
            (Some(1), Some(&*format!("error: no mark of lot L2 agrees beyond chance with {name}")))
        );
    }
    place.write("other", &reading(&other[3], DATA_MATRIX, 30)).write("faint", &reading(&made[3], QR, 3));
    let ran = place.run("match dm other faint --home h --lot L1 --json");
    assert_eq!(ran.status, Some(1), "{ran:?}");
    let lines: Vec<serde_json::Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let matched: Vec<bool> = lines.iter().map(|line| line["matched"].as_bool().unwrap()).collect();
    assert_eq!(matched, [true, false, false]);
    let dm = &lines[0];
    assert_eq!(
        (&dm["best"]["serial"], &dm["marks"], &dm["photos"][0]),
        (&270.into(), &300.into(), &"07".repeat(32).into())
    );
    assert!(dm["best"]["chance"].as_f64().unwrap() < 1e-12 && dm["best"]["log10_ratio"].as_f64().unwrap() > 12.0);
    assert!(dm["next"]["serial"] != 270 && dm["next"]["chance"].as_f64().unwrap() > 1e-3, "{dm}");
    assert_eq!(ran.err.lines().next(), Some("error: no mark of lot L1 agrees beyond chance with other, faint"));
}

#[test]
fn what_cannot_be_compared_is_said() {
    let place = Place::with_home();
    let made = marks(&place.run("mark --home h --part P --lot L1 --format text --out -").done().out);
    place.write("r", &reading(&made[0], DATA_MATRIX, 50)).write("none", "{}");
    place.run("match r --home h --lot L9").says(
        2,
        "error: no mark of lot L9 is on record in this home\nhint: `touchmark-sign line find` says what a serial was used for",
    );
    let ran = place.run("match r --home h --lot L1 --part Q");
    assert_eq!(
        (ran.status, ran.err.lines().next()),
        (Some(2), Some("error: no mark of lot L1 and part Q is on record in this home"))
    );
    let ran = place.run("match none --home h --lot L1");
    assert_eq!(ran.status, Some(2));
    assert!(ran.err.contains("none: ") && ran.err.contains("hint: `touchmark-verify photo"), "{ran:?}");
    for line in [
        "match r --home h",
        "match --home h --lot L1",
        "match r --home h --lot L1 --serials 1-2",
        "match r --home h --lot L1 --at-most 0",
    ] {
        assert_eq!(place.run(line).status, Some(2), "{line}");
    }
}

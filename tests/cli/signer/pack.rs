//! Parts into reels, reels into boxes, boxes onto pallets.

use super::kit::{Place, marks};
use touchmark_formats::base45;
use touchmark_formats::carried::Carried;
use touchmark_formats::container::Container;
use touchmark_formats::trust::{Directory, Trust};

/// A maker's home `h` with line L2 for 30 parts P of lot A, all marked: their codes in `codes`.
fn thirty_parts() -> Place {
    let place = Place::with_home();
    place.run("delegate grant --home h --new-line L2 --part P --lot A:1-30 --from 2026-11-01").done();
    place.run("mark --home h --line L2 --part P --date 2026-11-23 --count 30 --format text --out codes").done();
    place
}

const PACK: &str = "pack --home h --line L2 --date 2026-11-23 --format text";

/// The container in a file with its text form; its signature and the limits of its line were checked.
#[track_caller]
fn container(place: &Place, file: &str) -> Container {
    let carried = Carried::from_bytes(&base45::decode(place.read(file).trim_end_matches('\n')).unwrap()).unwrap();
    let bundle = Trust::open(place.read("h/trust.json").as_bytes()).unwrap().signed;
    let directory = Directory::new(&bundle);
    let issuer = directory.issuers(carried.key_id()).map(Result::unwrap).find(|issuer| {
        let part = issuer.delegation.part_named(carried.part()).unwrap();
        let message = carried.message(&issuer.maker.root, part, carried.lot(issuer.delegation));
        issuer.key.verify(&message, carried.signature())
    });
    assert_eq!(carried.violations(issuer.unwrap().delegation), []);
    let container = match carried {
        Carried::Container(signed) => Some(signed.container),
        Carried::Mark(_) => None,
    };
    container.unwrap()
}

#[test]
fn a_pallet_is_packed_from_what_was_scanned() {
    let place = thirty_parts();
    let codes = place.read("codes");
    let lines: Vec<&str> = codes.split_inclusive('\n').collect();
    place.write("reel1", &lines[..12].concat()).write("reel2", &[&lines[13..20], &lines[25..]].concat().concat());
    place
        .run(&format!("{PACK} --level reel --from reel1 --out r1"))
        .says(0, "reel: 12 x P lot A, serials 1 to 12, DATE; 76 bytes");
    place
        .run(&format!("{PACK} --level reel --from reel2 --sscc 376104250021234569 --out r2"))
        .says(0, "reel: 12 x P lot A, serials 14 to 30, SSCC 376104250021234569, DATE; 87 bytes");
    place.run(&format!("{PACK} --level reel --from reel1 --out r1-again")).says(
        0,
        "reel: 12 x P lot A, serials 1 to 12, DATE; 76 bytes\nnote: it was packed before, and the label is the same once more",
    );
    assert_eq!(place.read("r1"), place.read("r1-again"));
    assert_eq!((container(&place, "r2").quantity(), container(&place, "r2").missing), (12, 5));
    place.write("box", &(place.read("r1") + &place.read("r2")));
    place.run(&format!("{PACK} --level box --from box --out b")).done();
    assert_eq!((container(&place, "b").serials.to_string(), container(&place, "b").quantity()), ("1 to 30".into(), 24));
    let pallet = place.run_with(&format!("{PACK} --level pallet --from - --out -"), &place.read("b")).done();
    assert_eq!(pallet.out.lines().count(), 1);
    for format in ["svg", "png", "pdf", "zpl"] {
        let again = format!(
            "pack --home h --line L2 --date 2026-11-23 --level box --from box --format {format} --out label.{format}"
        );
        place.run(&again).done();
        assert!(std::fs::metadata(place.path(&format!("label.{format}"))).unwrap().len() > 500, "{format}");
    }
    assert_eq!(place.read("h/packing.jsonl").lines().count(), 4);
}

#[test]
fn what_is_no_part_of_it_is_named_by_its_line() {
    let place = thirty_parts();
    let codes = place.read("codes");
    let first = codes.lines().next().unwrap();
    let reel = |text: &str| {
        place.write("scan", text);
        place.run(&format!("{PACK} --level reel --from scan --out r"))
    };
    reel(&format!("{first}\n{first}\n")).says(
        1,
        "error: serial 1 is in it twice\nhint: one of the two was scanned twice, or is a copy: look at the parts",
    );
    let none = reel(&format!("{first}\n\nHELLO WORLD\n"));
    assert!(none.err.starts_with("error: scan, line 3: \"HELLO WORLD\" is not the text form of a mark: "), "{none:?}");
    place.run("delegate grant --home h --new-line L3 --part P --serials 1-5").done();
    let other = place.run("mark --home h --line L3 --part P --format text --out -").done().out;
    assert_eq!(marks(&other).len(), 1);
    let foreign = reel(&other);
    assert!(
        foreign.err.starts_with("error: scan, line 1: serials 1 to 1: this line did not sign the mark"),
        "{foreign:?}"
    );
    assert_eq!(foreign.status, Some(1));
    reel("").says(2, "error: nothing to pack\nhint: name what was scanned, one text form a line");
    reel(first).done();
    place.write("scan", &codes);
    place.run(&format!("{PACK} --level reel --from scan --out r2")).says(
        1,
        "error: serial 1 is in another reel already, packed on DATE\nhint: h/packing.jsonl says what is in it; a part is in one \
         reel only",
    );
    place.run(&format!("{PACK} --level box --from codes --out b")).says(
        1,
        "error: a box holds no part, and one was given\nhint: a box holds what is called reel here: pack that first",
    );
    assert!(!place.path("r2").exists() && !place.path("b").exists());
}

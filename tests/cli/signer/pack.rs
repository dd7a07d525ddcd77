//! Parts into reels, reels into boxes, boxes onto pallets.

use super::kit::{Place, marks};
use touchmark_formats::base45;
use touchmark_formats::carried::Carried;
use touchmark_formats::container::Container;
use touchmark_formats::disclosure::Disclosure;
use touchmark_formats::signed::Signed;
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
         reel only, until that is opened (`touchmark-sign unpack`)",
    );
    place.run(&format!("{PACK} --level box --from codes --out b")).says(
        1,
        "error: a box holds no part, and one was given\nhint: a box holds what is called reel here: pack that first",
    );
    assert!(!place.path("r2").exists() && !place.path("b").exists());
}

#[test]
fn a_reel_is_opened_split_and_packed_again() {
    let place = thirty_parts();
    let codes = place.read("codes");
    let lines: Vec<&str> = codes.split_inclusive('\n').collect();
    place.write("a", &lines[..10].concat()).write("b", &lines[10..20].concat()).write("c", &lines[20..].concat());
    for reel in ["a", "b", "c"] {
        place.run(&format!("{PACK} --level reel --from {reel} --out r{reel}")).done();
    }
    place.write("ab", &(place.read("ra") + &place.read("rb")));
    place.run(&format!("{PACK} --level box --from ab --out box --sscc 376104250021234569")).done();
    let unpack = "unpack --home h --line L2";
    place.run(&format!("{unpack} --from ra --reason recount")).says(
        1,
        "error: the reel packed on DATE is in a box packed on DATE with SSCC 376104250021234569\nhint: open that first, or take \
         this out of it",
    );
    // One reel leaves the box, and its parts leave the reel; one of them goes to the laboratory.
    place.run(&format!("{unpack} --from box --taken ra --reason split --date 2026-11-24 --format text --out box2")).says(
        0,
        "10 parts taken out of: box: 20 x P lot A, serials 1 to 20, SSCC 376104250021234569, DATE\nbox: 10 x P lot A, serials 11 \
         to 20, DATE; 76 bytes",
    );
    assert_eq!(
        (container(&place, "box2").serials.to_string(), container(&place, "box2").quantity()),
        ("11 to 20".into(), 10)
    );
    place.write("lab", lines[4]);
    place
        .run(&format!("{unpack} --from ra --taken lab --reason laboratory --date 2026-11-24 --format text --out ra2"))
        .says(0, "1 parts taken out of: reel: 10 x P lot A, serials 1 to 10, DATE\nreel: 9 x P lot A, serials 1 to 10, DATE; 76 bytes");
    assert_eq!(container(&place, "ra2").missing, 1);
    // The old labels count no more, the new ones do.
    for (label, what) in
        [("ra", "reel packed on 2026-11-23"), ("box", "box packed on 2026-11-23 with SSCC 376104250021234569")]
    {
        let refused = place.run(&format!("{unpack} --from {label} --reason again"));
        assert!(refused.err.starts_with(&format!("error: {label}, line 1: the {what} was opened at ")), "{refused:?}");
    }
    place.write("all", &(place.read("ra2") + &place.read("rc")));
    place.run(&format!("{PACK} --level box --from all --out box3")).done();
    assert_eq!(container(&place, "box3").quantity(), 19);
    place.run(&format!("{PACK} --level reel --from lab --out sample")).done();
    let report = place.run("packed --home h --line L2").done().out;
    assert_eq!(report, "reels      4, with 30 parts\nboxes      2\npallets    0\nopened     2\n");
    let path = place.run("packed --home h --line L2 5").done().out;
    let words: Vec<&str> = path.lines().collect();
    assert_eq!(words[1], "reel       10 x P lot A, serials 1 to 10, 2026-11-23");
    assert!(words[2].starts_with("           taken out ") && words[2].ends_with(": laboratory"), "{path}");
    assert!(words[4].starts_with("           taken out ") && words[4].ends_with(": split"), "{path}");
    assert_eq!(words[5], "reel       1 x P lot A, serials 5 to 5, 2026-11-23");
    assert_eq!(place.run("packed --home h --line L2 31").status, Some(1));
    // A whole box is opened, and its reels stay reels.
    place
        .run(&format!("{unpack} --from box2 --reason customs"))
        .says(0, "opened: box: 10 x P lot A, serials 11 to 20, DATE");
    place.run(&format!("{PACK} --level box --from rb --out box4")).done();
    place.run("packed --home h --line L2").done();
}

#[test]
fn void_parts_stay_out_and_are_found_in_what_was_packed() {
    let place = thirty_parts();
    let codes = place.read("codes");
    let reel = |lines: std::ops::Range<usize>, out: &str| {
        place.write("scan", &codes.split_inclusive('\n').skip(lines.start).take(lines.len()).collect::<String>());
        place.run(&format!("{PACK} --level reel --from scan --out {out}"))
    };
    reel(0..10, "r1").done();
    let request =
        "{\"do\":\"void\",\"serial\":5,\"reason\":\"chipped\"}\n{\"do\":\"void\",\"serial\":15,\"reason\":\"bent\"}\n";
    place.run_with("line run --home h --line L2 --stdin", request).done();
    reel(10..20, "r2").says(
        1,
        "error: serial 15 is void: bent\nhint: what is void is on no good part: take that part out and look at it",
    );
    assert!(!place.path("r2").exists());
    place.run("packed --home h --line L2").says(
        1,
        "error: the reel packed on DATE: serial 5 is void: chipped\nhint: what is void is on no good part: take that part out and \
         look at it",
    );
}

#[test]
fn the_consignee_of_a_container_is_sealed_and_disclosed() {
    let place = thirty_parts();
    let codes = place.read("codes");
    let lines: Vec<&str> = codes.split_inclusive('\n').collect();
    place.write("a", &lines[..10].concat()).write("b", &lines[10..20].concat());
    // Packed on another day than the parts were made.
    let pack = "pack --home h --line L2 --date 2026-11-25 --format text --level";
    place
        .run(&format!("{pack} reel --from a --consignee 4711 --out ra"))
        .says(0, "reel: 10 x P lot A, serials 1 to 10, DATE; 82 bytes");
    place
        .run(&format!("{pack} reel --from b --consignee 7 --out rb"))
        .says(0, "note: not in h/consignees.csv: consignee 7\nreel: 10 x P lot A, serials 11 to 20, DATE; 82 bytes");
    place.write("ab", &(place.read("ra") + &place.read("rb")));
    place.run(&format!("{pack} box --from ab --consignee 4711 --out box")).says(
        1,
        "error: serials 11 to 20 are sealed for another consignee than 4711\nhint: a container is for one consignee, and so is what \
         is in it",
    );
    place.run(&format!("{pack} box --from ra --consignee 4711 --out box")).done();
    // What is left of it stays sealed for the same.
    place.write("one", lines[0]);
    place.run("unpack --home h --line L2 --from box --reason split").done();
    place
        .run("unpack --home h --line L2 --from ra --taken one --reason sample --date 2026-11-26 --format text --out rest")
        .done();
    let reader = age::x25519::Identity::generate();
    let recipient = reader.to_public().to_string();
    place.run(&format!("disclose --home h --lot A --to {recipient} --out d.age")).done();
    let opened = age::decrypt(&reader, &std::fs::read(place.path("d.age")).unwrap()).unwrap();
    let disclosure = Signed::<Disclosure>::open_for(&opened, &recipient).unwrap().signed;
    let lot = "A".parse().ok();
    let bundle = Trust::open(place.read("h/trust.json").as_bytes()).unwrap().signed;
    let line = bundle.makers[0].delegations.iter().find(|d| d.signed.line.as_str() == "L2").unwrap().signed.key;
    for (label, number) in [("ra", 4711), ("rb", 7), ("box", 4711), ("rest", 4711)] {
        let found = disclosure.container_consignee(&line, &container(&place, label), lot.as_ref());
        assert_eq!(found, Some(Some(number)), "{label}");
    }
    assert_eq!(disclosure.name(4711).map(|named| named.name.as_str()), Some("Farina"));
    // A key under which a label was sealed is never made anew.
    std::fs::remove_file(place.path("h/disclosure").join(place.names("h/disclosure").remove(0))).unwrap();
    let gone =
        place.run("mark --home h --line L2 --part P --date 2026-11-27 --serial 1 --consignee 5 --format text --out -");
    assert!(gone.err.contains("the disclosure key of that year is missing"), "{gone:?}");
}

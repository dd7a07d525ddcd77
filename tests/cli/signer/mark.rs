//! Marks: what they say, their length, their serials, their files.

use super::kit::{Place, assert_authentic, marks};

const USUAL: &str = "--part STM32F407VGT6 --lot A2B347K --consignee 4711";

#[test]
fn a_usual_mark_is_96_bytes_and_verifies() {
    let place = Place::with_home();
    let ran = place.run(&format!("mark --home h {USUAL} --serial 3000000 --format text --out -")).done();
    let mark = ran.marks().remove(0);
    assert_eq!(mark.to_bytes().len(), 96);
    assert_authentic(&mark, &place.path("h/trust.json"));
    let site = place.run(&format!("mark --home h {USUAL} --serial 3000001 --site 1 --format text --out -"));
    assert_eq!(site.done().marks()[0].to_bytes().len(), 96, "the line's own site costs nothing");
}

#[test]
fn part_and_lot_of_the_delegation_make_84_bytes() {
    let place = Place::with_home();
    place
        .run("delegate grant --home h --new-line L2 --part X --part STM32F407VGT6 --lot A2B347K:3000000-3000999 --capsule-bytes 8")
        .done();
    let ran = place.run(&format!("mark --home h --line L2 {USUAL} --format text --out -")).done();
    let mark = ran.marks().remove(0);
    assert_eq!((mark.to_bytes().len(), mark.mark.serial.get()), (84, 3_000_000));
    assert_authentic(&mark, &place.path("h/trust.json"));
    let ran = place.run("mark --home h --line L2 --part STM32F407VGT6 --consignee 4711 --format matrix --out -");
    ran.done().says(0, "serial 3000001; 84 bytes; Data Matrix 36x36, 3.80 x 3.80 mm with quiet zone");
}

#[test]
fn the_same_serial_gives_the_same_mark_or_is_refused() {
    let place = Place::with_home();
    let line = "mark --home h --part P --lot L --serial 7 --count 3 --consignee 1 --format text --out -";
    let first = place.run(line).done();
    let again = place.run(line).done();
    assert_eq!(first.out, again.out);
    again.says(0, "serials 7 to 9; 82 bytes\nnote: issued before, and the same once more: 3 marks");
    let part = place.run("mark --home h --part P --lot L --serial 9 --consignee 1 --format text --out -").done();
    assert_eq!(part.out.lines().next(), first.out.lines().nth(2));
    let beside = "with another consignee or other extras, or under another delegation";
    for (other, what) in [
        ("--part Q --lot L --consignee 1", "with another content"),
        ("--part P --consignee 1", "with another content"),
        ("--part P --lot L", beside),
        ("--part P --lot L --consignee 5", beside),
        ("--part P --lot L --consignee 1 --grade 3.0", beside),
    ] {
        let ran = place.run(&format!("mark --home h {other} --serial 8 --count 5 --format text --out -"));
        let error = format!(
            "error: serial 8 was issued before {what}: on TIME for part P lot L dated DATE\nhint: take an unused serial by \
             leaving --serial out; `touchmark-sign line find` says what each was used for"
        );
        ran.says(1, &error);
        assert_eq!(ran.out, "");
    }
    assert_eq!(place.recorded("h"), [(7, 9)]);
}

#[test]
fn a_missing_serial_is_the_next_unused_one() {
    let place = Place::with_home();
    let serial = |line: &str| {
        let ran = place.run(&format!("mark --home h --part P --format text --out - {line}")).done();
        ran.marks().iter().map(|m| m.mark.serial.get()).collect::<Vec<_>>()
    };
    assert_eq!(serial(""), [1]);
    assert_eq!(serial("--count 2"), [2, 3]);
    assert_eq!(serial("--serial 100"), [100]);
    assert_eq!(serial(""), [101]);
    assert_eq!(serial("--serial 9007199254740991"), [9_007_199_254_740_991]);
    assert_eq!(serial("--count 3"), [4, 5, 6], "at the end of the range the gaps are filled");
    assert_eq!(serial("--serial 0"), [0]);
}

#[test]
fn consignees_do_not_stand_in_the_journal() {
    let place = Place::with_home();
    place
        .run("mark --home h --part P --consignee 987654 --count 2 --format text --out -")
        .says(0, "note: not in h/consignees.csv: consignee 987654\nserials 1 to 2; 80 bytes");
    for file in place.names("h").iter().filter(|name| name.starts_with("serials")) {
        let bytes = std::fs::read(place.path("h").join(file)).unwrap();
        let found = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
        assert!(!found(b"987654") && !found(&987_654u32.to_be_bytes()[1..]), "{file}");
    }
}

#[test]
fn a_table_gives_a_mark_a_row_and_a_record_a_run() {
    let place = Place::with_home();
    let table = "Lot, part ,serial,consignee\nL1,P1,,\nL1,P1,,\n,,,5\nL2,P2,77,\n";
    let ran = place.run_with("mark --home h --csv - --part FALLBACK --format text --out -", table).done();
    ran.says(0, "serials 78 to 80, 77; 77 to 85 bytes");
    let lots = ran.marks().iter().map(|m| m.mark.lot.clone().map(String::from).unwrap_or_default()).collect::<Vec<_>>();
    assert_eq!(lots, ["L1", "L1", "", "L2"]);
    assert_eq!(place.recorded("h"), [(77, 77), (78, 79), (80, 80)]);
    for (table, error) in [
        (
            "",
            "error: standard input: it is empty\nhint: the columns are part, lot, date, serial, consignee, in any order; those not needed can be left out",
        ),
        ("part\n", "error: standard input: a header without rows"),
        (
            "part;lot;part\n",
            "error: standard input: its first line names \"part\" twice\nhint: the columns are part, lot, date, serial, consignee, in any order; those not needed can be left out",
        ),
        (
            "part;lot\nP;L;M\n",
            "error: standard input, line 2: 3 cells, where the first line names 2 columns\nhint: a cell that holds the separator of the columns must stand in double quotes",
        ),
        (
            "P1,L1\nP2,L2\n",
            "error: standard input: its first line is \"P1,L1\", not names of columns\nhint: the columns are part, lot, date, serial, consignee, in any order; those not needed can be left out",
        ),
        ("part,serial\nP,1\nP,x\n", "error: standard input, line 3: a serial is a number from 0 to 9007199254740991"),
        (
            "part,date\nP,24-01-01\n",
            "error: standard input, line 2: date \"24-01-01\": a date is written YYYY-MM-DD, from DATE to DATE",
        ),
    ] {
        place.run_with("mark --home h --csv - --format text --out -", table).says(2, error);
    }
}

#[test]
fn rows_that_give_one_serial_two_contents_are_refused() {
    let place = Place::with_home();
    let ran = place.run_with("mark --home h --csv - --format text --out -", "part,serial\nP,5\nQ,5\n");
    assert_eq!(ran.status, Some(1));
    assert!(
        ran.err.starts_with("error: serial 5 was issued before with another content: in this very call"),
        "{ran:?}"
    );
    let twice = place.run_with("mark --home h --csv - --format text --out -", "part,serial\nP,5\nP,5\n").done();
    assert_eq!(twice.out.lines().next(), twice.out.lines().nth(1));
    assert_eq!(place.recorded("h"), [(5, 5)]);
}

#[test]
fn every_format_is_written_and_one_file_a_mark_where_asked() {
    let place = Place::with_home();
    for (format, start) in [
        ("svg", "<svg"),
        ("png", "\u{FFFD}PNG"),
        ("pdf", "%PDF-1.7"),
        ("dxf", "0\nSECTION"),
        ("zpl", "^XA"),
        ("text", ""),
        ("matrix", "1"),
    ] {
        let line =
            format!("mark --home h {USUAL} --count 2 --symbol qr --ec Q --caption --format {format} --out m.{format}");
        place.run(&line).done();
        let bytes = std::fs::read(place.path(&format!("m.{format}"))).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.trim_start().starts_with(start), "{format}: {:?}", &text[..60.min(text.len())]);
    }
    place.run("mark --home h --part P --serial 500 --count 3 --format text --out each-{serial}.txt").done();
    for serial in 500..503u64 {
        let mark = marks(&place.read(&format!("each-{serial}.txt"))).remove(0);
        assert_eq!(mark.mark.serial.get(), serial);
    }
}

#[test]
fn the_matrix_is_the_symbol_and_depends_on_no_drawing_option() {
    let place = Place::with_home();
    let matrix = |options: &str| {
        place.run(&format!("mark --home h {USUAL} --serial 3000000 --format matrix --out - {options}")).done().out
    };
    let plain = matrix("");
    assert_eq!(plain.lines().map(str::len).collect::<Vec<_>>(), [40; 40]);
    assert!(plain.lines().all(|row| row.starts_with('1')), "the finder's solid left edge");
    assert_eq!(matrix("--polarity dark --modules dot --quiet-zone 5"), plain);
    assert_eq!(matrix("--symbol qr").lines().map(str::len).collect::<Vec<_>>(), [41; 41]);
    assert_eq!(matrix("--shape 24x64").lines().map(str::len).collect::<Vec<_>>(), [64; 24]);
    assert_eq!(matrix("--symbol qr --ec L --content text"), matrix("--symbol qr --ec L --content text --quiet-zone 0"));
    assert_ne!(matrix("--symbol qr --content text"), matrix("--symbol qr"));
}

#[test]
fn options_that_cannot_work_use_up_no_serial() {
    let place = Place::with_home();
    for (options, error) in [
        ("--module-mm 0.001", "error: module size in mm: 0.001 is not between 0.02 and 10"),
        (
            "--format png --dpi 60",
            "error: a module would be 0.24 pixels wide, too few to draw it: use at least 508 dpi, or larger modules",
        ),
        ("--out .", "error: .: it is a folder"),
        ("--out missing/m", "error: missing: there is no such folder"),
        ("--count 10001", "error: 10001 marks in one file: the limit is 10000"),
        (
            "--count 10000 --format png",
            "error: a picture of 519.0 x 519.0 mm at this resolution is over 64 million pixels",
        ),
        ("--shape 10x10", "error: payload of 90 bytes: the largest symbol allowed holds 1"),
        ("--shape 11x11", "error: data matrix has no size 11x11"),
    ] {
        let format = if options.contains("format") { "" } else { "--format svg" };
        let out = if options.contains("--out") { "" } else { "--out m" };
        let ran = place.run(&format!(
            "mark --home h --part STM32F407VGT6 --lot A2B347K --serial 3000000 {options} {format} {out}"
        ));
        assert_eq!((ran.status, ran.err.lines().next().unwrap()), (Some(2), error), "{options}");
    }
    let long = "part,lot\nP,L\nSTM32F407VGT6-WITH-A-LONG-NAME,A2B347K-OF-THE-LONG-KIND\n";
    let ran = place.run_with("mark --home h --csv - --shape 36x36 --format svg --out m-{serial}.svg", long);
    ran.says(
        2,
        "error: payload of 112 bytes: the largest symbol allowed holds 84\nhint: allow larger ones with --shape any, or \
         shorten the mark (`plan` shows what fits)",
    );
    assert_eq!(place.recorded("h"), []);
}

#[test]
fn modules_that_come_out_uneven_are_pointed_out() {
    let place = Place::with_home();
    let mark = |options: &str| place.run(&format!("mark --home h --part P --serial 1 {options} --out m"));
    mark("--format zpl").done();
    mark("--format zpl").says(
        0,
        "serial 1; 74 bytes; Data Matrix 36x36, 3.80 x 3.80 mm with quiet zone\n\
         note: a module of 0.1 mm is 2.36 pixels at 600 dpi, so modules differ by a pixel; --module-mm 0.0847 or 0.1270 \
         makes them alike\nnote: issued before, and the same once more: 1 mark",
    );
    for even in [
        "--format zpl --module-mm 0.0847",
        "--format png",
        "--format svg --module-mm 0.11",
        "--format zpl --module-mm 0.5",
    ] {
        assert!(!mark(even).done().err.contains("pixels"), "{even}");
    }
}

#[test]
fn extras_are_carried() {
    let place = Place::with_home();
    let ran = place.run("mark --home h --part P --site 9 --die-id 00ff10 --grade 3.5 --format text --out -").done();
    let extension = ran.marks()[0].mark.extension;
    assert_eq!((extension.site, extension.grade), (Some(9), Some(35)));
    assert_eq!(extension.die_id, Some(touchmark_signer::issue::die_id(&[0, 255, 16])));
}

#[test]
fn the_key_of_a_new_year_is_made_once_and_never_in_place_of_a_lost_one() {
    let place = Place::with_home();
    let this_year = touchmark_signer::init::today(jiff::Timestamp::now()).unwrap().year();
    let mark = |year: i16| format!("mark --home h --part P --consignee 1 --date {year}-12-31 --format text --out -");
    let key = |year: i16| format!("h/disclosure/{year}.key");
    let made = place.run(&mark(this_year + 1)).done();
    assert!(
        made.err.starts_with(&format!("note: made the disclosure key of {}; keep a copy", this_year + 1)),
        "{made:?}"
    );
    let first = place.read(&key(this_year + 1));
    place.run(&mark(this_year + 1)).done();
    assert_eq!(place.read(&key(this_year + 1)), first);
    place.run(&mark(this_year)).done();
    std::fs::remove_file(place.path(&key(this_year))).unwrap();
    place
        .run(&mark(this_year))
        .says(2, &format!("error: {}: the disclosure key of that year is missing\nhint: restore it from its copy, or take it from the PC of this maker that made it: no other opens what was sealed under it; marks without a consignee need none", key(this_year)));
    std::fs::rename(place.path(&key(this_year + 1)), place.path(&key(this_year))).unwrap();
    place.run(&mark(this_year)).says(2, &format!("error: {0}: not the key of the year {this_year}", key(this_year)));
}

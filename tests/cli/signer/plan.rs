//! The table by which a packaging engineer decides.

use super::kit::Place;

fn first_column(table: &str) -> Vec<&str> {
    let mut lengths = table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect::<Vec<_>>();
    lengths.dedup();
    lengths
}

#[test]
fn usual_marks_have_the_lengths_and_symbols_of_the_specification() {
    let place = Place::new();
    let table = place.run("plan").done().out;
    assert_eq!(first_column(&table), ["84", "96"]);
    for row in
        ["96     QR 6-M", "96     Data Matrix 40x40", "96     DMRE 24x64", "84     QR 5-M", "84     Data Matrix 36x36"]
    {
        assert!(table.contains(row), "{row} is not in\n{table}");
    }
}

#[test]
fn fields_give_the_length_that_marking_then_has() {
    let place = Place::with_home();
    place.run("delegate grant --home h --new-line L2 --part STM32F407VGT6 --lot A2B347K:3000000-3000999 --capsule-bytes 8").done();
    let fields = "--part STM32F407VGT6 --lot A2B347K";
    for (options, bytes) in
        [("", "96"), ("--home h --line L2", "84"), (r#"--home h --line "line 1""#, "96"), ("--no-consignee", "90")]
    {
        assert_eq!(first_column(&place.run(&format!("plan {fields} {options}")).done().out), [bytes], "{options}");
    }
    assert_eq!(first_column(&place.run("plan --bytes 100 --bytes 20").done().out), ["100", "20"]);
}

#[test]
fn json_has_a_line_a_symbol() {
    let place = Place::new();
    let out = place.run("plan --bytes 96 --ec M --module-mm 0.2 --package 10x10 --json").done().out;
    let rows = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect::<Vec<_>>();
    assert_eq!((&rows[0]["symbol"], &rows[0]["width_mm"]), (&"QR 6-M".into(), &9.8.into()));
    assert_eq!(rows[0]["packages"][0]["fits"], false);
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let place = Place::new();
    let ran = place.run("plan --package nonsense");
    assert_eq!(ran.status, Some(2));
    assert!(ran.err.starts_with("error: package \"nonsense\" is neither W x H in mm nor one of"), "{ran:?}");
    place.run("plan --module-mm 0").says(2, "error: module size in mm: 0 is not between 0.02 and 10");
}

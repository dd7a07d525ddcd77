//! Strips: marks for the good units of a map, each with its place.

use super::kit::Place;
use serde_json::{Value, json};
use touchmark_formats::base45;

const MAP: &str = r#"<?xml version="1.0"?>
<MapData xmlns="urn:semi-org:xsd.E142-1.V1005.SubstrateMap">
  <Substrates><Substrate SubstrateType="Strip" SubstrateId="S-0042"><LotId>A2B347K</LotId></Substrate></Substrates>
  <SubstrateMaps><SubstrateMap SubstrateType="Strip" SubstrateId="S-0042"><Overlay MapName="bins">
    <BinCodeMap BinType="HexaDecimal" NullBin="FF">
      <BinDefinitions><BinDefinition BinCode="01" BinQuality="Pass"/><BinDefinition BinCode="02" BinQuality="Fail"/></BinDefinitions>
      <BinCode>01020101</BinCode>
      <BinCode>FF010201</BinCode>
    </BinCodeMap>
  </Overlay></SubstrateMap></SubstrateMaps>
</MapData>"#;

fn placed(text: &str) -> Vec<(u64, u64, u64)> {
    let number = |line: &Value, name: &str| line[name].as_u64().unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.map(|line| (number(&line, "x"), number(&line, "y"), number(&line, "serial"))).collect()
}

#[test]
fn a_strip_is_asked_for_under_its_own_id_and_placed() {
    let place = Place::with_home();
    place.write("map.xml", MAP);
    let ran = place.run("strip request --map map.xml --part P --date 2026-11-23");
    ran.says(0, "substrate \"S-0042\": 5 of 7 units are good");
    let request: Value = serde_json::from_str(&ran.out).unwrap();
    let expected = serde_json::json!({
        "id": "S-0042", "client": "strip", "part": "P", "lot": "A2B347K", "date": "2026-11-23", "count": 5
    });
    assert_eq!(request, expected);
    place.write("odd.xml", &MAP.replace("FF010201", "FF010701"));
    place.run("strip request --map odd.xml --part P").says(
        0,
        "warning: the map does not define bin \"07\": 1 unit of it without a mark\nsubstrate \"S-0042\": 5 of 7 units are good",
    );
    place.run("mark --home h --part P --lot A2B347K --count 5 --serial 11 --format text --out codes").done();
    place
        .run("strip place --map map.xml --marks codes --out strip.jsonl")
        .says(0, "substrate \"S-0042\": 5 marks placed");
    let expected = [(0, 0, 11), (2, 0, 12), (3, 0, 13), (1, 1, 14), (3, 1, 15)];
    assert_eq!(placed(&place.read("strip.jsonl")), expected);
    let codes = place.read("codes");
    let first: Value = serde_json::from_str(place.read("strip.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!((first["substrate"].as_str(), first["bin"].as_str()), (Some("S-0042"), Some("01")));
    assert_eq!(first["text"].as_str(), codes.lines().next());
    // As the line answers, in whatever form it was asked for.
    let marks: Vec<Value> = (11..16).map(|n| serde_json::json!({"serial": n, "svg": "<svg/>"})).collect();
    let answer = serde_json::json!({"id": "S-0042", "marks": marks}).to_string();
    let ran = place.run_with("strip place --map map.xml --marks - --out -", &answer).done();
    assert_eq!(placed(&ran.out), expected);
    assert!(ran.out.contains("<svg/>"));
}

/// Three columns and two rows of units of 6 x 5 mm on a strip of 30 x 20 mm, counted from the upper left.
const LAID_OUT: &str = r#"<MapData><Layouts>
  <Layout LayoutId="Strip" DefaultUnits="mm" TopLevel="true"><Dimension X="1" Y="1"/><DeviceSize X="30" Y="20"/>
    <ChildLayouts><ChildLayout LayoutId="Unit"/></ChildLayouts></Layout>
  <Layout LayoutId="Unit" DefaultUnits="mm"><Dimension X="3" Y="2"/><LowerLeft X="4" Y="3"/>
    <DeviceSize X="6" Y="5"/><StepSize X="7.5" Y="7"/></Layout></Layouts>
  <SubstrateMaps><SubstrateMap SubstrateId="S-7" OriginLocation="UpperLeft" AxisDirection="DownRight"><Overlay>
    <BinCodeMap BinType="Ascii" NullBin="."><BinDefinitions><BinDefinition BinCode="1" BinQuality="Pass"/></BinDefinitions>
      <BinCode>1X1</BinCode><BinCode>X11</BinCode></BinCodeMap></Overlay></SubstrateMap></SubstrateMaps></MapData>"#;

#[test]
fn a_whole_strip_is_drawn_with_each_mark_on_its_unit() {
    let place = Place::with_home();
    place.write("map.xml", LAID_OUT);
    place.run("mark --home h --part P --lot A --count 4 --format text --out codes").done();
    let draw = "strip draw --home h --map map.xml --marks codes";
    place.run(&format!("{draw} --format dxf --out strip.dxf")).says(
        0,
        "substrate \"S-7\": 4 marks on 30 x 20 mm, x and y counted from the upper-left corner; Data Matrix 36x36, 3.80 x 3.80 \
         mm\nserial 1 is on the unit at x 0, y 0: its middle is 7.000 mm right of and 12.500 mm above the lower left corner",
    );
    // The finder's corner at the lower left of each symbol of 3.6 mm.
    let dxf = place.read("strip.dxf");
    for (x, y) in [(7.0, 12.5), (22.0, 12.5), (14.5, 5.5), (22.0, 5.5)] {
        let corner = format!("10\n{}\n20\n{}\n", x - 1.8, y - 1.8);
        assert_eq!(dxf.matches(&corner).count(), 1, "{corner}");
    }
    // Each symbol in the picture is the one of its unit.
    place.run(&format!("{draw} --format png --dpi 635 --out strip.png")).done();
    let picture = image::open(place.path("strip.png")).unwrap().into_luma8();
    assert_eq!(picture.dimensions(), (750, 500));
    // From the engineer's own figures, about the other corner, and turned.
    place
        .run(&format!(
            "{draw} --origin lower-right --size-mm 40,30 --first-mm 30,10 --pitch-mm 8,9 --unit-mm 5,5 --offset-mm 0.5,-0.5 \
             --turn 180 --format svg --out strip.svg"
        ))
        .says(
            0,
            "substrate \"S-7\": 4 marks on 40 x 30 mm, x and y counted from the lower-right corner; Data Matrix 36x36, 3.80 x \
             3.80 mm\nserial 1 is on the unit at x 0, y 0: its middle is 30.500 mm right of and 9.500 mm above the lower left \
             corner",
        );
    // A recipe says how marks look.
    place.write("r.toml", "[symbol]\nkind = \"qr\"\n[drawing]\nmodule_mm = 0.1\npolarity = \"dark\"\n");
    let ran = place.run(&format!("{draw} --recipe r.toml --format svg --out -")).done();
    assert!(ran.err.contains("QR 5-M, 4.50 x 4.50 mm") && ran.out.contains("<rect fill=\"#fff\""), "{ran:?}");
    assert_eq!(place.run(&format!("{draw} --recipe r.toml --module-mm 0.2 --format svg --out -")).status, Some(2));
}

#[test]
fn a_strip_is_not_drawn_with_marks_that_are_not_this_lines_or_do_not_fit() {
    let place = Place::with_home();
    place.write("map.xml", LAID_OUT);
    place.run("mark --home h --part P --lot A --count 4 --format text --out codes").done();
    place.run("init other --maker Other --country DE --no-passphrase").done();
    place.run("mark --home other --part P --lot A --count 4 --format text --out foreign").done();
    let draw = |options: &str, status, error: &str| {
        let ran = place.run(&format!("strip draw --home h --map map.xml {options} --format svg --out strip.svg"));
        assert!(ran.err.starts_with(&format!("error: {error}")) && ran.status == Some(status), "{ran:?}");
        assert!(!place.path("strip.svg").exists());
    };
    draw("--marks foreign", 1, "foreign: serials 1 to 1: this line did not sign the mark");
    let codes = place.read("codes");
    place.write("twice", &[codes.lines().next().unwrap(); 4].join("\n"));
    draw("--marks twice", 1, "twice: serial 1 is in it twice");
    place.write("few", &codes.lines().take(3).collect::<Vec<_>>().join("\n"));
    draw("--marks few", 1, "3 marks for 4 good units of substrate \"S-7\"");
    place.write("dxf", r#"{"id":"S-7","as":"dxf","marks":[{"serial":1,"artwork":"0"}]}"#);
    draw("--marks dxf", 2, "dxf: the line gave no text forms\nhint: ask once more with --as text");
    draw(
        "--marks codes --module-mm 0.15",
        1,
        "a mark of 5.70 x 5.70 mm with quiet zone does not fit the unit of 6.00 x 5.00 mm",
    );
    draw(
        "--marks codes --offset-mm 1.2,0",
        1,
        "a mark of 3.80 x 3.80 mm with quiet zone, 1.2, 0 mm off the middle, does not",
    );
    draw("--marks codes --size-mm 20,20", 2, "map.xml: the unit at x 2, y 0 would be at 22.000, 12.500 mm, outside");
    place.write("map.xml", "x,y\n0,0\n1,0\n0,1\n1,1\n");
    draw("--substrate S-7 --marks codes", 2, "map.xml: the map does not say how large the substrate is");
}

#[cfg(unix)]
#[test]
fn a_running_line_marks_a_strip_and_hears_what_the_camera_saw() {
    let place = Place::with_home();
    place.write("map.xml", MAP);
    let request = place.run("strip request --map map.xml --part P --as text").done().out;
    let line = super::line::Running::start(&place, "");
    let mut client = line.connect();
    client.send(request.trim_end());
    let answer = client.line();
    place.write("answer", &answer);
    place.run("strip place --map map.xml --marks answer --out strip.jsonl").done();
    assert_eq!(placed(&place.read("strip.jsonl")), [(0, 0, 1), (2, 0, 2), (3, 0, 3), (1, 1, 4), (3, 1, 5)]);
    // The camera reads unit 1, sees another mark on unit 2, and nothing on unit 3.
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let bytes = |n: usize| {
        let text = answer["marks"][n]["text"].as_str().unwrap();
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, base45::decode(text).unwrap())
    };
    let symbol = |n: usize| json!({"bytes": bytes(n), "iso29158": {"grade": "B"}});
    let seen = [json!([symbol(0)]), json!([symbol(4)]), json!([])].into_iter().zip(1..);
    let seen =
        seen.map(|(symbols, n)| json!({"file": format!("S-0042/{n}.png"), "symbols": symbols}).to_string() + "\n");
    let requests = place.run_with("readback --serial-in-name -", &seen.collect::<String>()).done().out;
    let states: Vec<_> = requests.lines().map(|request| client.ask(request).state.unwrap()).collect();
    assert_eq!(states, ["verified", "void", "void"]);
    drop(client);
    line.stop();
    let found = |serial: u64| place.run(&format!("line find --home h {serial}")).done().out;
    assert!(found(1).contains("\ngrade      3.0\n"), "{}", found(1));
    assert!(found(2).contains("read back as something else") && found(3).contains("not read back"), "{}", found(2));
    let report = place.run("line verify-journal --home h").done().out;
    assert!(report.starts_with("every serial is accounted for: 5 issued (1 verified, 2 void)"), "{report}");
}

#[test]
fn marks_of_another_strip_are_not_placed() {
    let place = Place::with_home();
    place.write("map.xml", MAP);
    let refused = |answer: &str, error: &str| {
        let ran = place.run_with("strip place --map map.xml --marks - --out out.jsonl", answer);
        assert!(ran.err.starts_with(&format!("error: standard input: {error}")), "{ran:?}");
        assert!(!place.path("out.jsonl").exists());
        ran.status
    };
    let other = r#"{"id":"S-0043","marks":[]}"#;
    assert_eq!(refused(other, "the answer is to request \"S-0043\", not to \"S-0042\""), Some(1));
    let no = r#"{"id":"S-0042","error":{"kind":"refused","message":"the serials are used up","hint":"ask"}}"#;
    assert_eq!(refused(no, "the line gave no marks: the serials are used up\nhint: ask"), Some(1));
    let few = r#"{"id":"S-0042","marks":[{"serial":1}]}"#;
    assert_eq!(refused(few, "1 marks for 5 good units of substrate \"S-0042\""), Some(1));
    assert_eq!(refused("{", "no answer of the line"), Some(2));
    assert_eq!(refused("HELLO\n", "line 1: "), Some(2));
    let ran = place.run("strip request --map map.xml --good 0Z --part P");
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.err.contains("substrate \"S-0042\" has no good unit"), "{ran:?}");
}

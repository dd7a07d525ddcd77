use super::*;

const STRIP: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<MapData xmlns="urn:semi-org:xsd.E142-1.V1005.SubstrateMap">
  <Layouts><Layout LayoutId="Strip" TopLevel="true"><Dimension X="1" Y="1"/></Layout></Layouts>
  <Substrates><Substrate SubstrateType="Strip" SubstrateId="S-0042"><LotId> A2B347K </LotId></Substrate></Substrates>
  <SubstrateMaps>
    <SubstrateMap SubstrateType="Strip" SubstrateId="S-0042" LayoutSpecifier="Strip/Device" Orientation="0"
        OriginLocation="UpperLeft" AxisDirection="DownRight" SubstrateSide="TopSide">
      <Overlay MapName="BinCodeMap" MapVersion="1">
        <BinCodeMap BinType="HexaDecimal" NullBin="FF">
          <BinDefinitions>
            <BinDefinition BinCode="01" BinCount="5" BinQuality="Pass" BinDescription="good"/>
            <BinDefinition BinCode="0A" BinQuality="PASS"/>
            <BinDefinition BinCode="02" BinQuality="Fail"/>
          </BinDefinitions>
          <BinCode>0101FF02</BinCode>
          <BinCode><![CDATA[
            02010A01
          ]]></BinCode>
        </BinCodeMap>
      </Overlay>
    </SubstrateMap>
  </SubstrateMaps>
</MapData>"#;

fn read_as(text: &str, good: &GoodBins, id: Option<&str>) -> Result<Substrate> {
    read(text.as_bytes(), Path::new("map"), good, id)
}

fn strip(text: &str) -> Result<Substrate> {
    read_as(text, &GoodBins::AsMapped, None)
}

fn codes(codes: &[&str]) -> GoodBins {
    GoodBins::Codes(codes.iter().map(|code| (*code).to_owned()).collect())
}

fn places(substrate: &Substrate) -> Vec<(u32, u32)> {
    substrate.good().map(|(place, _)| (place.x, place.y)).collect()
}

fn message(result: Result<Substrate>) -> String {
    result.unwrap_err().message
}

#[test]
fn good_units_of_a_strip_are_found_row_by_row() {
    let substrate = strip(STRIP).unwrap();
    assert_eq!((substrate.id.as_str(), substrate.lot.as_deref()), ("S-0042", Some("A2B347K")));
    assert_eq!(places(&substrate), [(0, 0), (1, 0), (1, 1), (2, 1), (3, 1)]);
    assert_eq!(substrate.units.len(), 7, "the null bin is no unit");
    assert_eq!(substrate.units[&Place { x: 3, y: 0 }], Unit { bin: "02".to_owned(), good: false });
    // Equipment that writes no namespace, and no quality.
    let bare = STRIP.replace(r#" xmlns="urn:semi-org:xsd.E142-1.V1005.SubstrateMap""#, "");
    assert_eq!(strip(&bare).unwrap(), substrate);
    let other = read_as(STRIP, &codes(&["02"]), None).unwrap();
    assert_eq!(places(&other), [(3, 0), (0, 1)]);
    assert_eq!(read_as(STRIP, &GoodBins::AsMapped, Some("S-0042")).unwrap(), substrate);
}

#[test]
fn every_type_of_bin_and_single_places_are_read() {
    let map = |kind: &str, pass: &str, rows: &str| {
        format!(
            r#"<MapData><SubstrateMaps><SubstrateMap SubstrateId="T"><Overlay><BinCodeMap BinType="{kind}" NullBin=".">
               <BinDefinitions><BinDefinition BinCode="{pass}" BinQuality="Pass"/></BinDefinitions>{rows}
               </BinCodeMap></Overlay></SubstrateMap></SubstrateMaps></MapData>"#
        )
    };
    let row = |codes: &str| format!("<BinCode>{codes}</BinCode>");
    assert_eq!(places(&strip(&map("ASCII", "X", &row("X.YX"))).unwrap()), [(0, 0), (3, 0)]);
    assert_eq!(places(&strip(&map("Decimal", "001", &row("002001"))).unwrap()), [(1, 0)]);
    assert_eq!(places(&strip(&map("Integer2", "0001", &row("000100020001"))).unwrap()), [(0, 0), (2, 0)]);
    let places_of = r#"<BinCode X="7" Y="3">X</BinCode><BinCode X="2" Y="9">XX</BinCode>"#;
    assert_eq!(places(&strip(&map("Ascii", "X", places_of)).unwrap()), [(7, 3), (2, 9), (3, 9)]);
    assert_eq!(message(strip(&map("Roman", "X", &row("X")))), "map: BinType \"Roman\" is not known");
    assert_eq!(
        message(strip(&map("Decimal", "1", &row("001")))),
        "map: \"1\" is no code of a bin: Decimal has 3 characters"
    );
    assert!(message(strip(&map("Decimal", "001", &row("0010")))).contains("4 characters are no row of codes of 3"));
    assert!(
        message(strip(&map("Ascii", "X", &(row("XX") + &row("X")))))
            .contains("a row of 1 units, where the first has 2")
    );
    let twice = r#"<BinCode X="1" Y="1">X</BinCode><BinCode X="1" Y="1">X</BinCode>"#;
    assert!(message(strip(&map("Ascii", "X", twice))).contains("the unit at x 1, y 1 stands there twice"));
    assert!(
        message(strip(&map("Ascii", "X", r#"<BinCode X="-1" Y="1">X</BinCode>"#))).contains("not a number from 0 on")
    );
    assert!(message(strip(&map("Ascii", "X", ""))).contains("has no BinCode"));
    assert!(message(strip(&map("Ascii", "X", &row("YY")))).contains("has no good unit"));
}

#[test]
fn what_is_no_map_or_not_one_is_refused() {
    for (text, error) in [
        ("<a", "no substrate map"),
        ("<MapData/>", "no map of bins in it"),
        ("<!DOCTYPE a [<!ENTITY x \"y\">]><MapData>&x;</MapData>", "no substrate map"),
        ("", "its first line is \"\", without x and y"),
    ] {
        assert!(message(strip(text)).contains(error), "{text}: {}", message(strip(text)));
    }
    assert!(
        message(strip(&STRIP.replace("Pass", "?").replace("PASS", "?"))).contains("does not say which bins are good")
    );
    let twice = STRIP.replace(
        "</SubstrateMaps>",
        "<SubstrateMap SubstrateId=\"S-0043\"><BinCodeMap/></SubstrateMap></SubstrateMaps>",
    );
    assert!(message(strip(&twice)).contains("2 maps of bins in it: S-0042, S-0043"));
    assert!(read_as(&twice, &GoodBins::AsMapped, Some("S-0042")).is_ok());
    assert!(message(read_as(STRIP, &GoodBins::AsMapped, Some("S-7"))).contains("no map of bins of substrate \"S-7\""));
}

#[test]
fn tables_are_maps_too() {
    let good = codes(&["1", "A"]);
    let table = "y;x;bin\n0;0;1\n0;1;2\n0;2;\n1;0;A\n";
    let substrate = read_as(table, &good, Some("T-1")).unwrap();
    assert_eq!((substrate.id.as_str(), places(&substrate)), ("T-1", vec![(0, 0), (0, 1)]));
    assert_eq!(substrate.units.len(), 3);
    assert_eq!(places(&read_as("x,y\n5,6\n", &GoodBins::AsMapped, Some("T")).unwrap()), [(5, 6)]);
    let several = "substrate,x,y\nT-1,0,0\nT-2,0,0\nT-2,1,0\n";
    assert_eq!(places(&read_as(several, &GoodBins::AsMapped, Some("T-2")).unwrap()), [(0, 0), (1, 0)]);
    for (table, id, error) in [
        (several, None, "map, line 3: substrate \"T-2\" follows \"T-1\""),
        (several, Some("T-3"), "map: no unit of substrate \"T-3\" is in it"),
        ("x,y\n0,0\n", None, "map, line 2: the substrate is missing"),
        ("x,y\n0,-1\n", Some("T"), "map, line 2: \"-1\" is not a number from 0 on"),
        ("x,y\n0,0\n0,0\n", Some("T"), "map, line 3: the unit at x 0, y 0 stands there twice"),
        ("x,y,bin\n0,0,1\n", Some("T"), "map: a table with bins does not say which of them are good"),
        ("a,b\n", Some("T"), "map: its first line is \"a,b\", without x and y"),
    ] {
        assert_eq!(message(read_as(table, &GoodBins::AsMapped, id)), error);
    }
}

#[test]
fn bins_that_the_map_does_not_know_are_told() {
    let other = strip(&STRIP.replace("0101FF02", "0107FF07")).unwrap();
    assert_eq!(other.undefined, BTreeMap::from([("07".to_owned(), 2)]));
    assert_eq!(strip(STRIP).unwrap().undefined, BTreeMap::new());
    assert_eq!(
        message(strip(&STRIP.replace("0101FF02", "01O1FF02"))),
        "map: line 15: \"O1\" is no code of this map's BinType"
    );
}

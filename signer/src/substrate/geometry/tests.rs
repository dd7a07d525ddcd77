use super::*;
use crate::substrate::{GoodBins, read};
use std::path::Path;

/// A strip of 60 x 40 mm with two panels beside each other, of three columns and two rows of units each.
fn map(attributes: &str) -> Substrate {
    let text = format!(
        r#"<MapData><Layouts>
           <Layout LayoutId="S" DefaultUnits="mm" TopLevel="true"><Dimension X="1" Y="1"/><DeviceSize X="60" Y="40"/>
             <ChildLayouts><ChildLayout LayoutId="P"/></ChildLayouts></Layout>
           <Layout LayoutId="P" DefaultUnits="mm"><Dimension X="2" Y="1"/><LowerLeft X="4" Y="3"/><StepSize X="30" Y="0"/>
             <ChildLayouts><ChildLayout LayoutId="U"/></ChildLayouts></Layout>
           <Layout LayoutId="U" DefaultUnits="micron"><Dimension X="3" Y="2"/><LowerLeft X="1000" Y="500"/>
             <DeviceSize X="6000" Y="5000"/><StepSize X="7" Y="6" Units="mm"/></Layout></Layouts>
         <SubstrateMaps><SubstrateMap SubstrateId="T" {attributes}><Overlay><BinCodeMap BinType="Ascii" NullBin=".">
           <BinDefinitions><BinDefinition BinCode="X" BinQuality="Pass"/></BinDefinitions>
           <BinCode>XXXXXX</BinCode><BinCode>XXXXXX</BinCode></BinCodeMap></Overlay></SubstrateMap></SubstrateMaps></MapData>"#
    );
    read(text.as_bytes(), Path::new("map"), &GoodBins::AsMapped, None).unwrap()
}

fn at(geometry: &Geometry, x: u32, y: u32) -> (f64, f64) {
    let round = |mm: f64| (mm * 1e6).round() / 1e6;
    let (x, y) = geometry.middle(Place { x, y }).unwrap();
    (round(x), round(y))
}

#[test]
fn units_are_where_the_layouts_have_them() {
    // The lower left unit: panel at 4, 3; unit at 1, 0.5 in it; its middle at 3, 2.5 in that.
    for attributes in ["", r#"LayoutSpecifier="S/P/U""#, r#"OriginLocation="LowerLeft" AxisDirection="UpRight""#] {
        let geometry = Geometry::new(&map(attributes), &Given::default()).unwrap();
        assert_eq!((geometry.size_mm, geometry.unit_mm), ((60.0, 40.0), Some((6.0, 5.0))));
        assert_eq!(geometry.pitch_mm(), (7.0, 6.0));
        assert_eq!(at(&geometry, 0, 0), (8.0, 6.0));
        assert_eq!(at(&geometry, 2, 1), (22.0, 12.0));
        assert_eq!(at(&geometry, 3, 0), (38.0, 6.0), "the first column of the second panel");
        assert!(geometry.middle(Place { x: 6, y: 0 }).is_err());
    }
}

#[test]
fn counting_begins_at_any_corner() {
    for (origin, axes, corner, first) in [
        ("UpperLeft", "DownRight", Corner::UpperLeft, (8.0, 12.0)),
        ("UpperRight", "DownLeft", Corner::UpperRight, (52.0, 12.0)),
        ("LowerRight", "UpLeft", Corner::LowerRight, (52.0, 6.0)),
    ] {
        for attributes in [format!(r#"OriginLocation="{origin}""#), format!(r#"AxisDirection="{axes}""#)] {
            let geometry = Geometry::new(&map(&attributes), &Given::default()).unwrap();
            assert_eq!((geometry.origin(), at(&geometry, 0, 0)), (corner, first));
        }
        let given = Given { origin: Some(corner), ..Given::default() };
        assert_eq!(at(&Geometry::new(&map(""), &given).unwrap(), 0, 0), first);
    }
}

#[test]
fn what_the_engineer_says_has_the_word() {
    let given = Given {
        origin: Some(Corner::UpperRight),
        size_mm: Some((100.0, 50.0)),
        grid_mm: Some(((90.0, 45.0), (10.0, 20.0))),
        unit_mm: None,
    };
    let turned = map(r#"Orientation="180" OriginLocation="Center""#);
    let geometry = Geometry::new(&turned, &given).unwrap();
    assert_eq!((at(&geometry, 0, 0), at(&geometry, 2, 1)), ((90.0, 45.0), (70.0, 25.0)));
    assert_eq!((geometry.size_mm, geometry.pitch_mm()), ((100.0, 50.0), (10.0, 20.0)));
}

#[test]
fn what_is_not_known_or_cannot_be_is_refused_with_the_way_out() {
    let table = read(b"x,y\n0,0\n", Path::new("map"), &GoodBins::AsMapped, Some("T")).unwrap();
    let size = Given { size_mm: Some((60.0, 40.0)), ..Given::default() };
    let grid = |first, pitch| Given { grid_mm: Some((first, pitch)), ..size };
    for (substrate, given, message, hint) in [
        (table.clone(), Given::default(), "the map does not say how large the substrate is", "--size-mm"),
        (table.clone(), size, "the map does not say where its units are", "--first-mm"),
        (
            table,
            grid((61.0, 1.0), (1.0, 1.0)),
            "the unit at x 0, y 0 would be at 61.000, 1.000 mm, outside",
            "--origin",
        ),
        (map(r#"Orientation="90""#), size, "the map shows the substrate turned by 90 degrees", "--first-mm"),
        (map(r#"SubstrateSide="BottomSide""#), size, "the map is of the BottomSide", "--first-mm"),
        (map(r#"OriginLocation="Center""#), size, "the map counts from OriginLocation \"Center\"", "--origin"),
        (
            map(r#"OriginLocation="UpperLeft" AxisDirection="UpRight""#),
            size,
            "the map counts from its upper-left corner, and its axes lead away from the lower-left one",
            "--origin",
        ),
        (map(r#"LayoutSpecifier="S/Q""#), size, "the map names a layout \"Q\" and does not have it", "--first-mm"),
        (map(r#"LayoutSpecifier="S""#), size, "layout \"S\" does not say its LowerLeft", "--first-mm"),
        (map(r#"LayoutSpecifier="S/U""#), size, "the unit at x 3, y 0 is beyond the map's own layout", "--first-mm"),
    ] {
        let error = Geometry::new(&substrate, &given).unwrap_err();
        assert!(error.message.contains(message), "{error:?}");
        assert!(error.hint.as_ref().is_some_and(|text| text.contains(hint)), "{error:?}");
    }
}

#[test]
fn pairs_are_two_numbers() {
    assert_eq!((pair("250,70"), pair("4.5x -3")), (Ok((250.0, 70.0)), Ok((4.5, -3.0))));
    for text in ["", "1", "1,", "a,b", "1,inf", "1e9,1"] {
        assert!(pair(text).is_err(), "{text:?}");
    }
}

//! Layouts of SEMI E142.1: arrays of devices within arrays, in whatever unit of length.

use super::named;
use crate::substrate::geometry::{Array, Corner, Layout, Mm};
use roxmltree::Node;

/// Layouts within layouts: far above strip, panel and device.
const MAX_DEPTH: usize = 8;

/// What the file says of the layout of `map`, a BinCodeMap.
pub(super) fn of(map: Node<'_, '_>) -> Layout {
    let Some(substrate) = map.ancestors().find(|n| n.tag_name().name() == "SubstrateMap") else {
        return Layout::default();
    };
    let mut layout = Layout { origin: origin(substrate), ..Layout::default() };
    let path = match path(substrate) {
        Ok(path) => path,
        Err(why) => return Layout { arrays: Err(why), ..layout },
    };
    // The outermost is the substrate itself where it holds one of the next.
    let (whole, arrays) = match path.as_slice() {
        [whole, inner @ ..] if !inner.is_empty() && count(*whole) == Some((1, 1)) => (Some(*whole), inner),
        all => (None, all),
    };
    layout.size_mm = whole.and_then(|whole| length(whole, "DeviceSize"));
    layout.unit_mm = arrays.last().and_then(|innermost| length(*innermost, "DeviceSize"));
    layout.arrays = match turned(substrate) {
        Some(why) => Err(why),
        None => arrays.iter().map(|node| array(*node)).collect(),
    };
    layout
}

fn origin(substrate: Node<'_, '_>) -> Result<Option<Corner>, String> {
    let corner = match substrate.attribute("OriginLocation") {
        None => None,
        Some("LowerLeft") => Some(Corner::LowerLeft),
        Some("LowerRight") => Some(Corner::LowerRight),
        Some("UpperLeft") => Some(Corner::UpperLeft),
        Some("UpperRight") => Some(Corner::UpperRight),
        Some(other) => return Err(format!("the map counts from OriginLocation {other:?}, which is no corner")),
    };
    let away_from = match substrate.attribute("AxisDirection") {
        None => None,
        Some("UpRight") => Some(Corner::LowerLeft),
        Some("UpLeft") => Some(Corner::LowerRight),
        Some("DownRight") => Some(Corner::UpperLeft),
        Some("DownLeft") => Some(Corner::UpperRight),
        Some(other) => return Err(format!("the map's AxisDirection {other:?} is not known")),
    };
    match (corner, away_from) {
        (Some(corner), Some(other)) if corner != other => Err(format!(
            "the map counts from its {} corner, and its axes lead away from the {} one",
            corner.name(),
            other.name()
        )),
        (corner, axes) => Ok(corner.or(axes)),
    }
}

/// Why the layouts, which are those of the substrate as it lies with its top side up, do not hold for the map.
fn turned(substrate: Node<'_, '_>) -> Option<String> {
    match (substrate.attribute("Orientation"), substrate.attribute("SubstrateSide")) {
        (None | Some("0"), None | Some("TopSide")) => None,
        (None | Some("0"), Some(side)) => Some(format!("the map is of the {side}, not of the TopSide")),
        (Some(degrees), _) => Some(format!("the map shows the substrate turned by {degrees} degrees")),
    }
}

/// The layouts from the outermost to that of the devices.
fn path<'a, 'i: 'a>(substrate: Node<'a, 'i>) -> Result<Vec<Node<'a, 'i>>, String> {
    let root = substrate.document().root_element();
    let find = |id: &str| {
        let found = named(root, "Layout").find(|layout| layout.attribute("LayoutId") == Some(id));
        found.ok_or_else(|| format!("the map names a layout {id:?} and does not have it"))
    };
    if let Some(names) = substrate.attribute("LayoutSpecifier").filter(|names| !names.trim().is_empty()) {
        let names: Vec<&str> = names.split('/').map(str::trim).filter(|name| !name.is_empty()).collect();
        return if names.len() > MAX_DEPTH {
            Err(format!("more than {MAX_DEPTH} layouts within each other"))
        } else {
            names.into_iter().map(find).collect()
        };
    }
    let top =
        named(root, "Layout").find(|l| l.attribute("TopLevel").is_some_and(|top| top.eq_ignore_ascii_case("true")));
    let mut path: Vec<Node<'a, 'i>> = top.into_iter().collect();
    while let Some(last) = path.last().filter(|_| path.len() <= MAX_DEPTH) {
        let children: Vec<&str> = named(*last, "ChildLayout").filter_map(|child| child.attribute("LayoutId")).collect();
        match children.as_slice() {
            [] => break,
            [child] => path.push(find(child)?),
            _ => return Err("the map does not say which of its layouts it is for".to_owned()),
        }
    }
    if path.is_empty() { Err("the map does not say where its units are".to_owned()) } else { Ok(path) }
}

fn array(layout: Node<'_, '_>) -> Result<Array, String> {
    let id = layout.attribute("LayoutId").unwrap_or_default();
    let count = count(layout).ok_or_else(|| format!("layout {id:?} does not say its Dimension"))?;
    let corner =
        length(layout, "LowerLeft").ok_or_else(|| format!("layout {id:?} does not say its LowerLeft in a known unit"));
    let pitch = match (length(layout, "StepSize"), count) {
        (Some(pitch), _) => pitch,
        (None, (1, 1)) => (0.0, 0.0),
        (None, _) => return Err(format!("layout {id:?} does not say its StepSize in a known unit")),
    };
    Ok(Array { count, corner_mm: corner?, pitch_mm: pitch })
}

fn child<'a, 'i>(layout: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    layout.children().find(|n| n.is_element() && n.tag_name().name() == name)
}

fn count(layout: Node<'_, '_>) -> Option<(u32, u32)> {
    let node = child(layout, "Dimension")?;
    let number = |name: &str| node.attribute(name)?.trim().parse::<u32>().ok().filter(|n| *n > 0);
    Some((number("X")?, number("Y")?))
}

/// A length in millimetres.
fn length(layout: Node<'_, '_>, name: &str) -> Option<Mm> {
    let node = child(layout, name)?;
    let unit = node.attribute("Units").or(layout.attribute("DefaultUnits"))?;
    let mm = match unit.trim().to_ascii_lowercase().as_str() {
        "mm" | "millimeter" | "millimeters" | "millimetre" | "millimetres" => 1.0,
        "um" | "\u{b5}m" | "\u{3bc}m" | "micron" | "microns" | "micrometer" | "micrometers" => 1e-3,
        "cm" => 10.0,
        "in" | "inch" | "inches" => 25.4,
        "mil" | "mils" => 0.0254,
        _ => return None,
    };
    let number = |name: &str| node.attribute(name)?.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    Some((number("X")? * mm, number("Y")? * mm))
}

//! Maps of bins as XML, in the manner of SEMI E142.1. Equipment writes them with and without the namespace, in several
//! spellings of the names of bin types, and with rows in CDATA: all of that is taken.

mod layout;

use super::{GoodBins, MAX_UNITS, Place, Substrate, Unit};
use crate::error::{Error, Result};
use roxmltree::{Document, Node, ParsingOptions};
use std::collections::BTreeMap;

/// XML nodes of one file: far above a map with an element for each of [`MAX_UNITS`].
const MAX_NODES: u32 = 1 << 23;

pub(super) fn read(text: &str, good: &GoodBins, id: Option<&str>) -> Result<Substrate> {
    // No document type declaration: a map needs none, and entities could make it grow without bounds.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_NODES, ..ParsingOptions::default() };
    let document =
        Document::parse_with_options(text, options).map_err(|e| Error::unusable(format!("no substrate map: {e}")))?;
    let maps: Vec<Node<'_, '_>> = named(document.root_element(), "SubstrateMap")
        .filter(|map| id.is_none_or(|id| map.attribute("SubstrateId") == Some(id)))
        .flat_map(|map| named(map, "BinCodeMap"))
        .collect();
    let map = match maps.as_slice() {
        [map] => *map,
        [] => return Err(nothing(document.root_element(), id)),
        several => {
            let ids: Vec<&str> = several.iter().filter_map(|map| substrate_id(*map)).collect();
            return Err(Error::unusable(format!("{} maps of bins in it: {}", several.len(), ids.join(", ")))
                .hint("name the substrate with --substrate ID; a file has one map of bins for each"));
        }
    };
    let own = substrate_id(map).ok_or_else(|| Error::unusable("a SubstrateMap without SubstrateId"))?;
    let lots = named(document.root_element(), "Substrate").filter(|s| s.attribute("SubstrateId") == Some(own));
    let lot = lots.flat_map(|s| named(s, "LotId")).find_map(|lot| Some(lot.text()?.trim().to_owned()));
    let lot = lot.filter(|lot| !lot.is_empty());
    let mut substrate = Substrate {
        id: own.to_owned(),
        lot,
        units: BTreeMap::new(),
        layout: layout::of(map),
        undefined: BTreeMap::new(),
    };
    Bins::of(map, good)?.fill(map, &mut substrate)?;
    Ok(substrate)
}

fn nothing(root: Node<'_, '_>, id: Option<&str>) -> Error {
    let known: Vec<&str> = named(root, "SubstrateMap").filter_map(|map| map.attribute("SubstrateId")).collect();
    match (id, known.is_empty()) {
        (Some(id), false) => {
            Error::unusable(format!("no map of bins of substrate {id:?}; it has {}", known.join(", ")))
        }
        _ => Error::unusable("no map of bins in it").hint("a SubstrateMap with an Overlay and a BinCodeMap is needed"),
    }
}

/// Elements below `node` with this local name, in whatever namespace.
fn named<'a, 'i: 'a>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |n| n.is_element() && n.tag_name().name() == name)
}

fn substrate_id<'a>(map: Node<'a, '_>) -> Option<&'a str> {
    map.ancestors().find(|n| n.tag_name().name() == "SubstrateMap")?.attribute("SubstrateId")
}

/// How the codes of a map are written, and which are good.
struct Bins {
    /// Characters of a code.
    width: usize,
    /// Where no unit is.
    null: Option<String>,
    good: GoodBins,
    passing: Vec<String>,
    /// Every code that the map defines.
    defined: Vec<String>,
    /// The base of codes that are numbers.
    radix: Option<u32>,
}

impl Bins {
    fn of(map: Node<'_, '_>, good: &GoodBins) -> Result<Self> {
        let kind = map.attribute("BinType").unwrap_or("Ascii");
        let (width, radix) = match kind.to_ascii_lowercase().as_str() {
            "ascii" => (1, None),
            "hexadecimal" => (2, Some(16)),
            "decimal" => (3, Some(10)),
            "integer2" => (4, None),
            _ => {
                return Err(Error::unusable(format!("BinType {kind:?} is not known"))
                    .hint("SEMI E142.1 has Ascii, Decimal, HexaDecimal and Integer2"));
            }
        };
        let (mut passing, mut defined) = (Vec::new(), Vec::new());
        for bin in named(map, "BinDefinition") {
            defined.extend(bin.attribute("BinCode").map(str::to_owned));
            let passes = bin.attribute("BinQuality").is_some_and(|quality| quality.eq_ignore_ascii_case("pass"));
            passing.extend(bin.attribute("BinCode").filter(|_| passes).map(str::to_owned));
        }
        if *good == GoodBins::AsMapped && passing.is_empty() {
            return Err(Error::unusable(
                "the map does not say which bins are good: no BinDefinition has BinQuality \"Pass\"",
            )
            .hint("say the codes with --good CODE"));
        }
        let codes = match good {
            GoodBins::AsMapped => &passing,
            GoodBins::Codes(codes) => codes,
        };
        if let Some(wrong) = codes.iter().find(|code| code.chars().count() != width) {
            return Err(Error::unusable(format!("{wrong:?} is no code of a bin: {kind} has {width} characters")));
        }
        let null = map.attribute("NullBin").map(str::to_owned);
        Ok(Self { width, null, good: good.clone(), passing, defined, radix })
    }

    fn unit(&self, code: &str) -> Option<Unit> {
        let null = self.null.as_deref() == Some(code);
        (!null).then(|| Unit { bin: code.to_owned(), good: self.good.has(code, &self.passing) })
    }

    fn fill(&self, map: Node<'_, '_>, substrate: &mut Substrate) -> Result<()> {
        let rows = map.children().filter(|n| n.is_element() && n.tag_name().name() == "BinCode");
        let mut width = None;
        for (y, row) in (0u32..).zip(rows) {
            let wrong = |what: String| {
                let line = row.document().text_pos_at(row.range().start).row;
                Error::unusable(format!("line {line}: {what}"))
            };
            let text: String = row.descendants().filter(Node::is_text).filter_map(|n| n.text()).collect();
            let codes = self.codes(text.trim()).map_err(wrong)?;
            let at = place(row).map_err(wrong)?;
            if let (None, Some(width)) = (at, width.filter(|width| *width != codes.len())) {
                return Err(wrong(format!("a row of {} units, where the first has {width}", codes.len())));
            }
            width = width.or(Some(codes.len()));
            let first = at.unwrap_or(Place { x: 0, y });
            for (x, code) in (first.x..).zip(codes) {
                if let Some(unit) = self.unit(&code) {
                    // A map that defines only its good bins says enough.
                    let defines_all = self.defined.len() > self.passing.len();
                    if !unit.good && defines_all && !self.defined.contains(&code) {
                        *substrate.undefined.entry(code).or_default() += 1;
                    }
                    substrate.put(Place { x, y: first.y }, unit).map_err(wrong)?;
                }
            }
        }
        if width.is_none() { Err(Error::unusable("the map of bins has no BinCode")) } else { Ok(()) }
    }

    /// The codes of a row.
    fn codes(&self, row: &str) -> std::result::Result<Vec<String>, String> {
        let characters: Vec<char> = row.chars().collect();
        if characters.is_empty() || !characters.len().is_multiple_of(self.width) {
            let width = self.width;
            return Err(format!("{} characters are no row of codes of {width} characters", characters.len()));
        }
        if characters.len() > MAX_UNITS * self.width {
            return Err(format!("more than {MAX_UNITS} units"));
        }
        let codes: Vec<String> = characters.chunks(self.width).map(|code| code.iter().collect()).collect();
        let is_number = |code: &&String| self.radix.is_none_or(|radix| code.chars().all(|c| c.is_digit(radix)));
        match codes.iter().find(|code| !is_number(code) && self.null.as_ref() != Some(code)) {
            Some(code) => Err(format!("{code:?} is no code of this map's BinType")),
            None => Ok(codes),
        }
    }
}

/// Where a row begins, if it says so: maps of single places do.
fn place(row: Node<'_, '_>) -> std::result::Result<Option<Place>, String> {
    let coordinate = |name: &str| {
        let value = row.attribute(name).map(str::parse::<u32>).transpose();
        value.map_err(|_| format!("the coordinate {name} is not a number from 0 on"))
    };
    Ok(coordinate("X")?.zip(coordinate("Y")?).map(|(x, y)| Place { x, y }))
}

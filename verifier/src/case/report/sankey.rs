//! Flows as a diagram: a column for each step of the way, bands as wide as there are parts.

use super::svg::{Drawing, short, tenth};
use super::tip::Tip;
use super::words::{Language, say};
use crate::case::flows::{Count, Flows, Party, Role};
use std::collections::BTreeMap;

/// The most parties of a column that are drawn by name; the others are drawn as one.
const MOST: usize = 12;
/// The most columns.
const LAYERS: usize = 6;
/// Units between one column and the next, and of the height of a label.
const COLUMN: f64 = 250.0;
const ROW: f64 = 30.0;
/// How high the boxes of the fullest column are together.
const ALL: f64 = 240.0;
/// How wide a box is.
const BAR: f64 = 10.0;

struct Box {
    layer: usize,
    /// `None`: all the others of its column.
    party: Option<Party>,
    count: Count,
    y: f64,
    height: f64,
    /// How much of each side is taken by bands drawn already.
    out: f64,
    into: f64,
}

/// The diagram, or nothing where no flow is known.
pub(super) fn sankey(flows: &Flows, language: Language) -> Option<String> {
    let (mut boxes, bands) = folded(flows);
    if bands.is_empty() {
        return None;
    }
    let layers = boxes.iter().map(|b| b.layer + 1).max().unwrap_or(1);
    let height = place(&mut boxes, &bands, layers);
    let mut drawing = Drawing::default();
    hatching(&mut drawing);
    draw_bands(&mut drawing, &mut boxes, &bands, language);
    for (n, one) in boxes.iter().enumerate() {
        draw_box(&mut drawing, one, n, layers, language);
    }
    let width = COLUMN * (layers - 1) as f64 + BAR + 170.0;
    Some(drawing.finish("flow", width, tenth(height), say(language, "flows")))
}

type Bands = BTreeMap<(usize, usize), Count>;

/// The largest of each column as they are, the rest as one; and the bands between what is left.
fn folded(flows: &Flows) -> (Vec<Box>, Bands) {
    let mut by_layer: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (n, node) in flows.nodes.iter().enumerate().filter(|(_, node)| node.layer < LAYERS) {
        by_layer.entry(node.layer).or_default().push(n);
    }
    let mut boxes: Vec<Box> = Vec::new();
    let mut boxed: BTreeMap<usize, usize> = BTreeMap::new();
    for (layer, mut own) in by_layer {
        own.sort_by_key(|n| std::cmp::Reverse(flows.nodes[*n].count.parts));
        for (rank, n) in own.iter().enumerate() {
            let node = &flows.nodes[*n];
            let named = rank < MOST || own.len() == MOST + 1;
            if named || rank == MOST {
                let party = named.then(|| node.party.clone());
                boxes.push(Box { layer, party, count: Count::default(), y: 0.0, height: 0.0, out: 0.0, into: 0.0 });
            }
            let at = boxes.len() - 1;
            boxes[at].count.parts += node.count.parts;
            boxes[at].count.doubtful += node.count.doubtful;
            boxed.insert(*n, at);
        }
    }
    let mut bands = Bands::new();
    for edge in &flows.edges {
        if let (Some(from), Some(to)) = (boxed.get(&edge.from), boxed.get(&edge.to)) {
            let band = bands.entry((*from, *to)).or_default();
            band.parts += edge.count.parts;
            band.doubtful += edge.count.doubtful;
        }
    }
    (boxes, bands)
}

/// Gives each box its place, and the height that all of it takes. Boxes stand near those from which their parts come.
fn place(boxes: &mut [Box], bands: &Bands, layers: usize) -> f64 {
    let in_layer =
        |boxes: &[Box], layer: usize| -> Vec<usize> { (0..boxes.len()).filter(|n| boxes[*n].layer == layer).collect() };
    let parts = |boxes: &[Box], layer| in_layer(boxes, layer).iter().map(|n| boxes[*n].count.parts).sum::<u64>();
    let largest = (0..layers).map(|layer| parts(boxes, layer)).max().unwrap_or(1).max(1);
    let scale = ALL / largest as f64;
    let mut bottom: f64 = 0.0;
    for layer in 0..layers {
        let mut own = in_layer(boxes, layer);
        if layer > 0 {
            let middle = |n: &usize| {
                let into = bands.iter().filter(|((_, to), _)| to == n);
                let sums = into.fold((0.0, 0.0), |(sum, weight), ((from, _), count)| {
                    let parts = count.parts as f64;
                    (sum + parts * (boxes[*from].y + boxes[*from].height / 2.0), weight + parts)
                });
                if sums.1 > 0.0 { sums.0 / sums.1 } else { f64::MAX }
            };
            own.sort_by(|a, b| middle(a).total_cmp(&middle(b)));
        }
        let mut y = ROW / 2.0;
        for n in own {
            boxes[n].y = y;
            boxes[n].height = (boxes[n].count.parts as f64 * scale).max(2.0);
            y += boxes[n].height.max(4.0) + ROW;
        }
        bottom = bottom.max(y);
    }
    bottom
}

fn hatching(drawing: &mut Drawing) {
    let size = [
        ("id", &"hatch" as &dyn std::fmt::Display),
        ("width", &6),
        ("height", &6),
        ("patternUnits", &"userSpaceOnUse"),
    ];
    drawing.open("defs", &[]).open("pattern", &size);
    drawing.shape("path", &[("d", &"M0 6L6 0"), ("class", &"hatch")], None);
    drawing.close("pattern").close("defs");
}

fn draw_bands(drawing: &mut Drawing, boxes: &mut [Box], bands: &Bands, language: Language) {
    // From top to bottom on the other side, so that bands of one box do not cross.
    let mut order: Vec<(&(usize, usize), &Count)> = bands.iter().collect();
    order.sort_by(|((_, a), _), ((_, b), _)| boxes[*a].y.total_cmp(&boxes[*b].y));
    let mut starts: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for ((from, to), count) in &order {
        let source = &mut boxes[*from];
        starts.insert((*from, *to), source.y + source.out);
        source.out += source.height * count.parts as f64 / source.count.parts.max(1) as f64;
    }
    order.sort_by(|((a, _), _), ((b, _), _)| boxes[*a].y.total_cmp(&boxes[*b].y));
    for ((from, to), count) in order {
        let share = |one: &Box| one.height * count.parts as f64 / one.count.parts.max(1) as f64;
        let (left, right) = (share(&boxes[*from]), share(&boxes[*to]));
        let y1 = starts.get(&(*from, *to)).copied().unwrap_or(boxes[*from].y);
        let y2 = boxes[*to].y + boxes[*to].into;
        boxes[*to].into += right;
        let (x1, x2) = (x(boxes[*from].layer) + BAR, x(boxes[*to].layer));
        let tip = named(named(Tip::new(language), &boxes[*from]).text(" → "), &boxes[*to]);
        let tip = counted(tip.text(": "), count);
        let band = |share: f64| {
            let (a, b) = (y1 + left * (1.0 - share), y2 + right * (1.0 - share));
            curve((x1, a, y1 + left), (x2, b, y2 + right))
        };
        drawing.shape("path", &[("class", &"band"), ("d", &band(1.0))], Some(&tip));
        if count.doubtful > 0 {
            let share = count.doubtful as f64 / count.parts.max(1) as f64;
            drawing.shape("path", &[("fill", &"url(#hatch)"), ("d", &band(share))], Some(&tip));
        }
    }
}

/// A band between two upright sides, each given by its x, its top and its bottom.
fn curve((x1, top1, bottom1): (f64, f64, f64), (x2, top2, bottom2): (f64, f64, f64)) -> String {
    let middle = tenth((x1 + x2) / 2.0);
    let [top1, bottom1, top2, bottom2] = [top1, bottom1.max(top1 + 0.7), top2, bottom2.max(top2 + 0.7)].map(tenth);
    format!(
        "M{x1} {top1}C{middle} {top1} {middle} {top2} {x2} {top2}L{x2} {bottom2}C{middle} {bottom2} {middle} {bottom1} {x1} {bottom1}Z"
    )
}

fn x(layer: usize) -> f64 {
    layer as f64 * COLUMN
}

fn draw_box(drawing: &mut Drawing, one: &Box, n: usize, layers: usize, language: Language) {
    let tip = counted(named(Tip::new(language), one).text(": "), &one.count);
    let role = one.party.as_ref().map_or("others", |party| party.role.name());
    let (left, top, tall) = (x(one.layer), tenth(one.y), tenth(one.height));
    let class = format!("node {role}");
    let place: [(&str, &dyn std::fmt::Display); 6] =
        [("class", &class), ("x", &left), ("y", &top), ("width", &BAR), ("height", &tall), ("data-node", &n)];
    drawing.shape("rect", &place, Some(&tip));
    let last = one.layer + 1 == layers;
    let (at, y) = (left + BAR + 4.0, tenth(one.y + one.height / 2.0));
    let label = short(&name(one, language), if last { 20 } else { 26 });
    drawing.open("text", &[("x", &at), ("y", &y), ("dy", &"0.1em")]);
    match one.party.as_ref().map_or(Some("other-parties"), unknown) {
        // The page says it in another language.
        Some(key) => drawing.text("tspan", &[("data-t", &key)], &label),
        None => drawing.text("tspan", &[], &label),
    };
    drawing.text("tspan", &[("class", &"number"), ("x", &at), ("dy", &"1.15em")], &one.count.parts.to_string());
    drawing.close("text");
}

fn counted(tip: Tip, count: &Count) -> Tip {
    let tip = tip.text(count.parts);
    match count.doubtful {
        0 => tip,
        doubtful => tip.text(format!(" ({doubtful} ")).word("doubtful").text(")"),
    }
}

fn named(tip: Tip, one: &Box) -> Tip {
    match &one.party {
        None => tip.word("other-parties"),
        Some(party) => match unknown(party) {
            Some(key) => tip.word(key),
            None => tip.text(known(party)),
        },
    }
}

fn name(one: &Box, language: Language) -> String {
    one.party.as_ref().map_or_else(|| say(language, "other-parties").to_owned(), |party| party_name(party, language))
}

/// A party's name and country; of an unknown one why it is not known.
pub(super) fn party_name(party: &Party, language: Language) -> String {
    unknown(party).map_or_else(|| known(party), |key| say(language, key).to_owned())
}

fn known(party: &Party) -> String {
    party.country.as_ref().map_or_else(|| party.name.clone(), |country| format!("{} ({country})", party.name))
}

/// The key of the words for why a party is not known.
pub(super) fn unknown(party: &Party) -> Option<&str> {
    (party.role == Role::Unknown).then_some(party.name.as_str())
}

//! The flows as GraphML (graphml.graphdrawing.org), which Gephi, yEd and networkx open.

use super::flows::{Flows, Role};
use super::report::svg::escape;
use std::fmt::Write;

const KEYS: [(&str, &str, &str); 8] = [
    ("label", "node", "string"),
    ("role", "node", "string"),
    ("country", "node", "string"),
    ("parts", "all", "long"),
    ("doubtful", "all", "long"),
    ("weight", "edge", "double"),
    ("first", "edge", "string"),
    ("last", "edge", "string"),
];

/// `flows` as a GraphML file. Edges carry how many parts went that way (`parts`, and the same as `weight`, by which
/// programs draw), how many of these are `doubtful`, and the `first` and `last` day of their arrival.
#[must_use]
pub fn graphml(flows: &Flows) -> String {
    let mut out = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\" ",
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" ",
        "xsi:schemaLocation=\"http://graphml.graphdrawing.org/xmlns ",
        "http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd\">\n",
    ));
    for (name, of, kind) in KEYS {
        let _ = writeln!(out, "  <key id=\"{name}\" for=\"{of}\" attr.name=\"{name}\" attr.type=\"{kind}\"/>");
    }
    out.push_str("  <graph id=\"flows\" edgedefault=\"directed\">\n");
    for (n, node) in flows.nodes.iter().enumerate() {
        let _ = writeln!(out, "    <node id=\"n{n}\">");
        let label =
            if node.party.role == Role::Unknown { format!("({})", node.party.name) } else { node.party.name.clone() };
        put(&mut out, "label", &label);
        put(&mut out, "role", node.party.role.name());
        put(&mut out, "country", node.party.country.as_deref().unwrap_or_default());
        put(&mut out, "parts", &node.count.parts.to_string());
        put(&mut out, "doubtful", &node.count.doubtful.to_string());
        out.push_str("    </node>\n");
    }
    for (n, edge) in flows.edges.iter().enumerate() {
        let _ = writeln!(out, "    <edge id=\"e{n}\" source=\"n{}\" target=\"n{}\">", edge.from, edge.to);
        put(&mut out, "parts", &edge.count.parts.to_string());
        put(&mut out, "doubtful", &edge.count.doubtful.to_string());
        put(&mut out, "weight", &edge.count.parts.to_string());
        if let Some((first, last)) = &edge.days {
            put(&mut out, "first", first);
            put(&mut out, "last", last);
        }
        out.push_str("    </edge>\n");
    }
    out.push_str("  </graph>\n</graphml>\n");
    out
}

fn put(out: &mut String, key: &str, value: &str) {
    if !value.is_empty() {
        let _ = writeln!(out, "      <data key=\"{key}\">{}</data>", escape(value));
    }
}

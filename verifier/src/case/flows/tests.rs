use super::*;
use crate::case::graphml::graphml;
use serde_json::{Value, json};

fn part(id: &str, more: Value) -> PartResult {
    let mut line = json!({
        "id": id, "verdict": "authentic", "reason": "r", "maker": "Acme", "country": "NL", "lot": "L1", "serial": 7,
        "date": "2026-11-23", "consignee": { "status": "sealed" },
    });
    line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(line).unwrap()
}

fn disclosed(number: u64, name: &str) -> Value {
    json!({ "status": "disclosed", "number": number, "name": name, "country": "NL" })
}

fn hand(date: &str, event: &str, to: Option<Value>) -> Value {
    let mut hand = json!({ "record": 1, "date": date, "event": event });
    hand.as_object_mut().unwrap().extend(to.map(|to| ("to".to_owned(), to)));
    hand
}

fn trail(hands: Vec<Value>) -> Value {
    json!({ "ledger": "l", "records": 9, "hands": hands })
}

fn names(part: &PartResult) -> Vec<String> {
    stations(part)
        .iter()
        .map(|(party, day)| format!("{} {} {}", party.role.name(), party.name, day.as_deref().unwrap_or("-")))
        .collect()
}

#[test]
fn the_capsule_and_the_first_shipment_are_one_buyer() {
    let hands = vec![
        hand("2026-11-23", "commissioned", None),
        hand("2026-12-01", "shipped", Some(json!({ "name": "Noordzee Instruments BV", "country": "NL", "number": 5 }))),
        hand("2027-01-09", "handed-over", Some(json!({ "name": "Broker", "country": "HK" }))),
        hand("2027-02-01", "returned", None),
    ];
    let both = part("a", json!({ "consignee": disclosed(5, "Noordzee Instruments"), "trail": trail(hands.clone()) }));
    let expected = [
        "maker Acme 2026-11-23",
        "consignee Noordzee Instruments 2026-12-01",
        "hand Broker 2027-01-09",
        "maker Acme 2027-02-01",
    ];
    assert_eq!(names(&both), expected);
    let alone = part("a", json!({ "trail": trail(hands.clone()) }));
    assert_eq!(names(&alone)[1], "consignee Noordzee Instruments BV 2026-12-01");
    let other = part("a", json!({ "consignee": disclosed(6, "Elsewhere"), "trail": trail(hands) }));
    assert_eq!(names(&other)[1..3], ["consignee Elsewhere 2026-12-01", "hand Noordzee Instruments BV 2026-12-01"]);
}

#[test]
fn what_is_not_known_is_said_and_what_is_not_proven_takes_no_part() {
    assert_eq!(names(&part("a", json!({}))), ["maker Acme 2026-11-23", "unknown sealed -"]);
    assert_eq!(names(&part("a", json!({ "consignee": null })))[1], "unknown left-out -");
    let nameless = trail(vec![hand("2027-01-01", "shipped", Some(json!({})))]);
    assert_eq!(names(&part("a", json!({ "trail": nameless })))[1], "unknown left-out 2027-01-01");
    let wrong = trail(vec![
        json!({ "record": 1, "date": "2027-01-01", "event": "shipped", "to": { "name": "X" }, "corrected": true }),
    ]);
    assert_eq!(names(&part("a", json!({ "trail": wrong })))[1], "unknown sealed -");
    let forged: PartResult = serde_json::from_value(
        json!({ "id": "f", "verdict": "forged", "reason": "r", "unauthenticated": { "lot": "L1" } }),
    )
    .unwrap();
    assert!(stations(&forged).is_empty());
}

fn case() -> Vec<PartResult> {
    let went = |to: &str| trail(vec![hand("2027-01-05", "shipped", Some(json!({ "name": to, "country": "AT" })))]);
    vec![
        part("a", json!({ "trail": went("Alpen") })),
        part("b", json!({ "trail": went("Alpen"), "findings": [{ "finding": "closed-lot", "detail": "d" }] })),
        part("c", json!({ "trail": went("Berg & <Tal>"), "date": "2026-12-01" })),
        part("d", json!({ "maker": "Alpen", "country": "AT" })),
    ]
}

#[test]
fn parts_are_counted_once_at_each_party() {
    let flows = layered(&case());
    let nodes: Vec<_> =
        flows.nodes.iter().map(|n| (n.layer, n.party.name.as_str(), n.count.parts, n.count.doubtful)).collect();
    let expected =
        [(0, "Acme", 3, 1), (1, "Alpen", 2, 1), (1, "Berg & <Tal>", 1, 0), (0, "Alpen", 1, 0), (1, "sealed", 1, 0)];
    assert_eq!(nodes, expected);
    let edges: Vec<_> = flows.edges.iter().map(|e| (e.from, e.to, e.count.parts)).collect();
    assert_eq!(edges, [(0, 1, 2), (0, 2, 1), (3, 4, 1)]);
    assert_eq!(flows.edges[0].days, Some(("2027-01-05".into(), "2027-01-05".into())));
    let merged = between_parties(&case());
    let alpen = merged.nodes.iter().find(|n| n.party.name == "Alpen").unwrap();
    assert_eq!((merged.nodes.len(), alpen.count.parts), (4, 3), "as a buyer and as a maker, Alpen is one");
    let countries = by_country(&case());
    assert_eq!(countries["AT"], Country { made: 1, sold: 3, passed: 0 });
    assert_eq!(by_month(&case())["2027-01"], (0, 3));
    assert_eq!(by_month(&case())["2026-12"], (1, 0));
    let lots = counted(&case(), |part| part.mark.lot.clone());
    assert_eq!(lots, [("L1".to_owned(), Count { parts: 4, doubtful: 1 })]);
}

#[test]
fn another_parser_reads_the_graph_as_it_was_meant() {
    let text = graphml(&between_parties(&case()));
    let document = roxmltree::Document::parse(&text).unwrap();
    let named = |name: &'static str| {
        document.descendants().filter(move |n| n.has_tag_name(("http://graphml.graphdrawing.org/xmlns", name)))
    };
    let value = |of: roxmltree::Node<'_, '_>, key: &str| {
        of.children().find(|c| c.attribute("key") == Some(key)).and_then(|c| c.text()).map(str::to_owned)
    };
    let labels: Vec<_> = named("node").map(|n| value(n, "label").unwrap()).collect();
    assert_eq!(labels, ["Acme", "Alpen", "Berg & <Tal>", "(sealed)"]);
    let ids: Vec<_> = named("node").map(|n| n.attribute("id").unwrap()).collect();
    for edge in named("edge") {
        assert!(ids.contains(&edge.attribute("source").unwrap()) && ids.contains(&edge.attribute("target").unwrap()));
        assert_eq!(value(edge, "parts"), value(edge, "weight"));
    }
    assert_eq!(named("edge").count(), 3);
    let keys: Vec<_> = named("key").map(|k| k.attribute("id").unwrap()).collect();
    assert!(named("data").all(|d| keys.contains(&d.attribute("key").unwrap())), "every value has a declared key");
}

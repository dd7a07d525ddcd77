//! The cases of envelopes.json that are records of closed lots.

use serde_json::{Value, json};
use testkit::maker::{TestMaker, public, serial, signed};
use touchmark_formats::close::LotClose;
use touchmark_formats::delegation::SerialRange;
use touchmark_formats::key::KeyBytes;
use touchmark_formats::signed::Signed;

/// A good record: 1,000 serials, of which 890 are on parts and 10 are void.
pub(super) fn good(maker: &TestMaker) -> Signed<LotClose> {
    let (used, void) = ([(48_600_000, 48_600_499), (48_600_510, 48_600_899)], [(48_600_500, 48_600_509)]);
    maker.close((48_600_000, 48_600_999), &used, &void)
}

pub(super) fn cases() -> Vec<Value> {
    let maker = TestMaker::listed(1);
    let good = good(&maker);
    let bent = |bend: fn(&mut LotClose)| {
        let mut close = good.signed.clone();
        bend(&mut close);
        signed(close, &[&maker.line, &maker.root]).to_json()
    };
    let by = |keys: &[&ed25519_dalek::SigningKey]| signed(good.signed.clone(), keys).to_json();
    let known = json!({"maker": public(&maker.root)});
    let case = |name: &str, file: String, error: Option<&str>| json!({"kind": "lot-close", "name": name, "file": file, "known": known, "error": error});
    let other = TestMaker::new(2);
    vec![
        case("good", good.to_json(), None),
        case("without a lot", bent(|c| c.lot = None), None),
        case("nothing used", bent(|c| c.used.clear()), None),
        case("all used", bent(|c| (c.used, c.void) = (vec![c.serials], Vec::new())), None),
        case("another maker's", other.close((1, 9), &[], &[]).to_json(), Some("other-maker")),
        case("a weak line key", bent(|c| c.key = KeyBytes([0; 32])), Some("line-key")),
        case("a range that ends before it begins", bent(|c| c.used[0].last = serial(1)), Some("empty-range")),
        case("nothing closed", bent(|c| c.serials.last = serial(1)), Some("empty-range")),
        case("used ranges that fall", bent(|c| c.used.reverse()), Some("lists")),
        case("used and void", bent(|c| c.void[0].serials.last = serial(48_600_510)), Some("lists")),
        case(
            "void beyond the range",
            bent(|c| c.void[0].serials = SerialRange { first: serial(1), last: serial(2) }),
            Some("lists"),
        ),
        case("signed by the line alone", by(&[&maker.line]), Some("root-signature")),
        case("signed by the root alone", by(&[&maker.root]), Some("line-signature")),
        case("signed by another line", by(&[&maker.root, &other.line]), Some("line-signature")),
        case("changed after signing", good.to_json().replacen("48600899", "48600999", 1), Some("root-signature")),
        case(
            "null in place of no lot",
            bent(|c| c.lot = None).replacen("\"serials\"", "\"lot\": null, \"serials\"", 1),
            Some("json"),
        ),
    ]
}

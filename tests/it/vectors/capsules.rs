//! capsules.json: the key tree, and capsules of every size.

use super::{hex, list, stored, text, unhex, unhex_array};
use serde_json::{Value, json};
use testkit::maker::{TestMaker, label, public, serial};
use touchmark_formats::capsule::{Capsule, CapsuleSize, ItemKey, YearKey};
use touchmark_formats::date::Date;
use touchmark_formats::key::{KeyBytes, KeyId};

fn tree(year: &YearKey, key_id: KeyId) -> Vec<Value> {
    let rows = [
        (0, None, 0),
        (2518, Some("A2B347K"), 48_213_077),
        (2518, Some("ЛОТ 7"), 1),
        (u16::MAX, Some("0"), (1 << 53) - 1),
    ];
    rows.map(|(days, lot, number)| {
        let day = year.day(Date::from_days(days));
        let lot_key = day.lot(lot.map(label).as_ref());
        let item = lot_key.item(key_id, serial(number));
        json!({
            "days": days, "lot": lot, "serial": number, "key_id": key_id.to_string(),
            "day_key": hex(day.expose()), "lot_key": hex(lot_key.expose()), "item_key": hex(item.expose()),
        })
    })
    .to_vec()
}

fn sealed(root: &KeyBytes) -> Vec<Value> {
    let mut out = Vec::new();
    for size in (3..=8).filter_map(CapsuleSize::new) {
        for (n, number) in [0, 1, 104_233, size.max_number()].into_iter().enumerate() {
            let key = ItemKey::from_bytes([n as u8 ^ 0xA5; 32]);
            let head: Vec<u8> = (0..20 + n as u8).map(|i| i.wrapping_mul(37) ^ 0x92).collect();
            let capsule = Capsule::seal(number, size, &key, &head, root).unwrap();
            let other = ItemKey::from_bytes([0x11; 32]);
            out.push(json!({
                "item_key": hex(key.expose()), "head": hex(&head), "number": number, "capsule": hex(capsule.bytes()),
                "check_bits": size.check_bits(), "max_number": size.max_number(),
                "other_key": hex(other.expose()), "number_by_other_key": capsule.open(&other, &head, root),
            }));
        }
    }
    out
}

#[test]
fn keys_derive_and_capsules_open_as_written() {
    let maker = TestMaker::listed(1);
    let root = public(&maker.root);
    let made = json!({
        "about": "The key tree, and capsules sealed under item keys; null: the check bits show that the key is another.",
        "root": hex(&root.0), "year_key": hex(maker.year.expose()),
        "tree": tree(&maker.year, public(&maker.line).id()), "capsules": sealed(&root),
    });
    let file = stored("capsules.json", &made);
    let year = YearKey::from_bytes(unhex_array(text(&file, "year_key")));
    for vector in list(&file, "tree") {
        let day = year.day(Date::from_days(vector["days"].as_u64().unwrap() as u16));
        let lot = day.lot(vector["lot"].as_str().map(label).as_ref());
        let item = lot.item(KeyId(unhex_array(text(vector, "key_id"))), serial(vector["serial"].as_u64().unwrap()));
        assert_eq!(hex(item.expose()), text(vector, "item_key"));
    }
    for vector in list(&file, "capsules") {
        let capsule = Capsule::from_bytes(&unhex(text(vector, "capsule"))).unwrap();
        let open = |key: &str| {
            capsule.open(&ItemKey::from_bytes(unhex_array(text(vector, key))), &unhex(text(vector, "head")), &root)
        };
        assert_eq!(open("item_key"), vector["number"].as_u64(), "{vector}");
        assert_eq!(open("other_key"), vector["number_by_other_key"].as_u64(), "{vector}");
    }
}

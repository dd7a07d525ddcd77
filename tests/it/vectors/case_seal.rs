//! case-seal.json: lines of packed cases and their pieces, commitments, leaves, roots and seals.

use super::{cases, hex, list, stored, text, unhex, unhex_array};
use serde_json::{Value, json};
use touchmark_formats::case::{CaseSeal, Class, Commitment, Piece, Root, are_apart, from_line, take_members};
use touchmark_formats::ledger::merkle::leaf_hash;
use touchmark_formats::signed::{Signed, canonical, message};

fn commitments() -> Vec<Value> {
    let contents: [(&str, &[u8]); 4] = [
        ("nothing", b""),
        ("a record", br#"{"id":"e73c39cc-48213077"}"#),
        ("members", "{\"/consignee/name\":\"Київ\"}".as_bytes()),
        ("a photo", &[0xff, 0xd8, 0xff, 0x00]),
    ];
    let made = contents.iter().flat_map(|(name, content)| {
        [[0; 32], [0x5a; 32]].map(|salt| {
            let commitment = Commitment::to(&salt, content);
            json!({"name": name, "salt": hex(&salt), "content": hex(content), "commitment": hex(&commitment)})
        })
    });
    made.collect()
}

/// Which members of a line which pieces hold.
type Held = Vec<(Class, &'static [&'static str])>;

/// Lines, by their names.
fn cuts() -> Vec<(&'static str, &'static str, Held)> {
    use Class::{Consignee, Path, Place};
    vec![
        ("nothing is held", r#"{"a":1}"#, vec![]),
        (
            "members of two classes",
            r#"{"photo":{"camera":"X100","latitude":50.45,"path":"a/b.jpg"},"verdict":"authentic"}"#,
            vec![(Place, &["/photo/camera", "/photo/latitude"]), (Path, &["/photo/path"])],
        ),
        (
            "pointers with ~0 and ~1",
            r#"{"/":1,"a/b":2,"c~d":3,"e":{"/":4,"~":5,"~1":6,"~~//":7}}"#,
            vec![(Place, &["/e/~0", "/e/~01", "/e/~0~0~1~1", "/e/~1"]), (Path, &["/a~1b", "/c~0d", "/~1"])],
        ),
        (
            "names that are escaped in JSON",
            r#"{"":1,"\u0001":2,"\n":3," ":4,"\"":5,"\\":6,"\\\"":7,"k":{"":8}}"#,
            vec![(Path, &["/", "/\u{1}", "/\n", "/ ", "/\"", "/\\", "/\\\"", "/k/"])],
        ),
        (
            "members of objects in lists",
            r#"{"marks":[{"consignee":"A","n":1},[{"trail":{}}],{"consignee":"B"}]}"#,
            vec![(Consignee, &["/marks/0/consignee", "/marks/1/0/trail", "/marks/2/consignee"])],
        ),
        (
            "pointers rise by their bytes",
            r#"{"m":[{"x":0},{},{"x":2},{},{},{},{},{},{},{},{"x":10}]}"#,
            vec![(Path, &["/m/0/x", "/m/10/x", "/m/2/x"])],
        ),
        (
            "names that begin alike",
            r#"{"a":1,"a!":{"b":2},"ab":{"b":3,"c":4}}"#,
            vec![(Place, &["/a", "/ab/b"]), (Path, &["/a!"])],
        ),
        ("all that an item holds", r#"{"clones":[{"case":"x"}]}"#, vec![(Path, &["/clones/0/case"])]),
        ("a line that is a list", r#"[{"a":1},{"a":2}]"#, vec![(Path, &["/1/a"])]),
        ("names that look like numbers", r#"{"0":{"-":2,"01":1}}"#, vec![(Path, &["/0/-", "/0/01"])]),
        (
            "values of every kind",
            r#"{"a":[null,true,false,0,-1.5,118.37578055555555,5e-324,1e+21,100000000000000000000,9007199254740991],"b":"é€𝄞\u000f\b\t\n\f\r\"\\/","c":{}}"#,
            vec![(Path, &["/a"]), (Place, &["/b"])],
        ),
        ("text of U+007F and U+2028", "{\"a\":\"\u{7f}\u{2028}\"}", vec![(Path, &["/a"])]),
    ]
}

fn lines() -> Vec<Value> {
    let made = cuts().into_iter().map(|(name, line, pieces)| {
        let mut value = from_line(line).unwrap_or_else(|| panic!("{name}"));
        let pieces: Vec<Value> = pieces
            .iter()
            .map(|(class, members)| {
                let own: Vec<String> = members.iter().map(|member| (*member).to_owned()).collect();
                let content = take_members(&mut value, &own).unwrap_or_else(|| panic!("{name}"));
                json!({"class": class, "members": members, "content": content})
            })
            .collect();
        json!({"name": name, "line": line, "pieces": pieces, "record": canonical(&value)})
    });
    made.collect()
}

fn lines_refused() -> Vec<Value> {
    let all = [
        ("nothing", ""),
        ("cut short", r#"{"a":1"#),
        ("something after the end", r#"{"a":1}{}"#),
        ("a space", r#"{"a": 1}"#),
        ("a space at the end", r#"{"a":1} "#),
        ("a carriage return at the end", "{\"a\":1}\r"),
        ("a byte order mark", "\u{feff}{\"a\":1}"),
        ("members that fall", r#"{"b":1,"a":2}"#),
        ("a name twice", r#"{"a":1,"a":1}"#),
        ("a name twice, with two values", r#"{"a":1,"a":2}"#),
        ("a name twice, further in", r#"{"a":[{"b":1,"b":2}]}"#),
        ("a name twice, once escaped", r#"{"a":1,"\u0061":2}"#),
        ("a name that is not ASCII", r#"{"é":1}"#),
        ("a fraction of nothing", r#"{"a":1.0}"#),
        ("an exponent", r#"{"a":1e3}"#),
        ("minus nothing", r#"{"a":-0}"#),
        ("an integer that is no such number", r#"{"a":9007199254740993}"#),
        ("an integer with more digits than tell", r#"{"a":1152921504606846976}"#),
        ("a number with more digits than tell", r#"{"a":0.1000000000000000055}"#),
        ("a number beyond all", r#"{"a":1e400}"#),
        ("no number", r#"{"a":NaN}"#),
        ("a plus", r#"{"a":+1}"#),
        ("a letter escaped", r#"{"a":"\u00e9"}"#),
        ("a slash escaped", r#"{"a":"\/"}"#),
        ("large hexadecimal", r#"{"a":"\u000F"}"#),
        ("a short escape written long", r#"{"a":"\u000a"}"#),
        ("half a character", r#"{"a":"\ud834"}"#),
        ("a control as it is", "{\"a\":\"\u{1}\"}"),
        ("a comma too many", r#"{"a":[1,]}"#),
    ];
    all.map(|(name, line)| json!({"name": name, "line": line})).to_vec()
}

fn cuts_refused() -> Vec<Value> {
    let line = r#"{"a":{"b":1,"c":[{"x":1},2],"~2":3},"d":4,"e":{}}"#;
    let all: [(&str, &[&[&str]]); 18] = [
        ("pointers that fall", &[&["/d", "/a"]]),
        ("a member twice", &[&["/d", "/d"]]),
        ("a member that is not there", &[&["/f"]]),
        ("a member of what is not there", &[&["/f/a"]]),
        ("a member of a number", &[&["/d/a"]]),
        ("an item of a list", &[&["/a/c/1"]]),
        ("the end of a list", &[&["/a/c/-"]]),
        ("an item with a nought before it", &[&["/a/c/00/x"]]),
        ("an item beyond the list", &[&["/a/c/2/x"]]),
        ("the line itself", &[&[""]]),
        ("no slash", &[&["d"]]),
        ("a tilde and another digit", &[&["/a/~2"]]),
        ("a tilde at the end", &[&["/a/~"]]),
        ("a pointer as in a URL", &[&["#/d"]]),
        ("two pieces hold a member", &[&["/d"], &["/d"]]),
        ("a member within one of another piece", &[&["/a"], &["/a/b"]]),
        ("a member around one of another piece", &[&["/a/c/0/x"], &["/a"]]),
        ("a member within one of the same piece", &[&["/a", "/a/b"]]),
    ];
    all.map(|(name, pieces)| json!({"name": name, "line": line, "pieces": pieces})).to_vec()
}

/// Lines of the list of evidence.
fn evidence() -> Vec<(&'static str, String)> {
    let (hash, salt) = ("Q".repeat(42) + "Q=", "W".repeat(42) + "U=");
    let own = |rest: &str| format!(r#"{{"commitment":"{hash}",{rest}}}"#);
    let with = |rest: &str| own(&format!(r#""salt":"{salt}",{rest}"#));
    vec![
        ("a record", with(r#""class":"record","file":"case.json","line":1"#)),
        ("a piece of a line", with(r#""class":"consignee","file":"parts.jsonl","line":12,"members":["/a","/b~1c"]"#)),
        (
            "a piece of a line that was left out",
            own(r#""class":"place","file":"results.jsonl","line":9007199254740991"#),
        ),
        ("a path", with(r#""class":"path","file":"results.jsonl","line":2,"members":["/photo/path"]"#)),
        ("a photo", with(r#""class":"photo","file":"photos/00.jpg""#)),
        ("a photo that was left out", own(r#""class":"photo","file":"photos/00.jpg""#)),
        ("a crop whose name is escaped", with(r#""class":"crop","file":"crops/\"\\\n\u00e9.jpg""#)),
        ("a derived file, spelled otherwise", with(r#" "file" : "report\u002ehtml" , "class":"derived""#)),
    ]
}

fn evidence_refused() -> Vec<Value> {
    let of = |name: &str| evidence().into_iter().find(|(own, _)| *own == name).unwrap().1;
    let bent = |from: &str, what: &str, to: &str| {
        let line = of(from);
        assert!(line.contains(what), "{line} has no {what}");
        line.replacen(what, to, 1)
    };
    let (piece, record, photo) = ("a piece of a line", "a record", "a photo");
    let left_out = "a piece of a line that was left out";
    let all = [
        ("nothing", String::new()),
        ("a list", format!("[{}]", of(photo))),
        ("two of them", of(photo).repeat(2)),
        ("another member", bent(photo, "{", r#"{"size":1,"#)),
        ("a member twice", bent(photo, "{", r#"{"class":"photo","#)),
        ("a class of another kind", bent(photo, r#""photo""#, r#""video""#)),
        ("no class", bent(photo, r#""class":"photo","#, "")),
        ("no file", bent(photo, r#","file":"photos/00.jpg""#, "")),
        ("no commitment", r#"{"class":"photo","file":"photos/00.jpg"}"#.to_owned()),
        ("a commitment of 31 bytes", bent(photo, "QQQQ", "")),
        ("base64 without padding", bent(photo, "Q=", "Q")),
        ("base64 with bits that are not used", bent(photo, "QQ=\"", "QR=\"")),
        ("a salt of null", bent(left_out, "{", r#"{"salt":null,"#)),
        ("a line of null", bent(photo, "{", r#"{"line":null,"#)),
        ("line 0", bent(record, r#""line":1"#, r#""line":0"#)),
        ("line -1", bent(record, r#""line":1"#, r#""line":-1"#)),
        ("a line with a fraction", bent(record, r#""line":1"#, r#""line":1.0"#)),
        ("a line in text", bent(record, r#""line":1"#, r#""line":"1""#)),
        ("members of a record", bent(record, "{", r#"{"members":["/a"],"#)),
        ("members of a photo", bent(photo, "{", r#"{"members":["/a"],"#)),
        ("members of what was left out", bent(left_out, "{", r#"{"members":["/a"],"#)),
        ("a piece without members", bent(piece, r#","members":["/a","/b~1c"]"#, "")),
        ("a piece with no member", bent(piece, r#"["/a","/b~1c"]"#, "[]")),
        ("a record with no member", bent(record, "{", r#"{"members":[],"#)),
        ("members of null", bent(record, "{", r#"{"members":null,"#)),
        ("a member that is a number", bent(piece, r#""/a""#, "1")),
    ];
    all.map(|(name, line)| json!({"name": name, "evidence": line})).to_vec()
}

fn leaf(piece: &Piece) -> String {
    let mut leaf = json!({"class": piece.class, "file": piece.file});
    leaf["commitment"] = serde_json::to_value(piece).unwrap()["commitment"].take();
    if let Some(line) = piece.line {
        leaf["line"] = line.into();
    }
    canonical(&leaf)
}

fn leaves() -> Vec<Value> {
    let made = evidence().into_iter().map(|(name, evidence)| {
        let leaf = leaf(&Piece::from_line(&evidence).unwrap_or_else(|e| panic!("{name}: {e}")));
        json!({"name": name, "evidence": evidence, "leaf": leaf, "hash": hex(&leaf_hash(leaf.as_bytes()))})
    });
    made.collect()
}

fn roots() -> Vec<Value> {
    let root = |count: u64| {
        let leaves: Vec<String> = (0..count).map(|n| format!("{{\"n\":{n}}}")).collect();
        let mut root = Root::default();
        leaves.iter().for_each(|leaf| root.push(leaf_hash(leaf.as_bytes())));
        json!({"leaves": leaves, "root": hex(&root.finish())})
    };
    [0, 1, 2, 3, 4, 7, 8, 21].map(root).to_vec()
}

fn seals() -> Vec<Value> {
    let seal = cases::seal("K-7", 14, [0x11; 32]);
    let plain = seal.to_json();
    let mixed = serde_json::to_string(&serde_json::to_value(&seal).unwrap()).unwrap();
    let vector = |name: &str, text: String| {
        let envelope: Signed<CaseSeal> = Signed::from_json(text.as_bytes()).unwrap();
        json!({"name": name, "seal": text, "message": hex(&message(&envelope.signed))})
    };
    vec![vector("a seal", plain), vector("in another order", mixed)]
}

#[test]
fn the_seal_of_a_case() {
    let made = json!({
        "commitments": commitments(), "lines": lines(), "lines_refused": lines_refused(), "cuts_refused": cuts_refused(),
        "leaves": leaves(), "evidence_refused": evidence_refused(), "roots": roots(), "seals": seals(),
        "cases": cases::cases(),
    });
    let file = stored("case-seal.json", &made);
    for vector in list(&file, "commitments") {
        let commitment = Commitment::to(&unhex_array(text(vector, "salt")), &unhex(text(vector, "content")));
        assert_eq!(hex(&commitment), text(vector, "commitment"));
    }
    for vector in list(&file, "lines_refused") {
        assert_eq!(from_line(text(vector, "line")), None, "{}", text(vector, "name"));
    }
    for vector in list(&file, "cuts_refused") {
        let mut line = from_line(text(vector, "line")).unwrap();
        let pieces: Vec<Vec<String>> = serde_json::from_value(vector["pieces"].clone()).unwrap();
        let good = are_apart(pieces.iter().flatten())
            && pieces.iter().all(|members| take_members(&mut line, members).is_some());
        assert!(!good, "{}", text(vector, "name"));
    }
    for vector in list(&file, "leaves") {
        let piece = Piece::from_line(text(vector, "evidence")).unwrap();
        assert_eq!(hex(&piece.leaf()), text(vector, "hash"), "{}", text(vector, "name"));
    }
    for vector in list(&file, "evidence_refused") {
        assert!(Piece::from_line(text(vector, "evidence")).is_err(), "{}", text(vector, "name"));
    }
    for vector in list(&file, "cases") {
        cases::check(vector);
    }
}

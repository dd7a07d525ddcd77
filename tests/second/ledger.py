"""Section 15 of formats/SPEC.md, the ledger: the part of touchmark.py that it needs a file of its own for."""

import base64
import re

from touchmark import (
    Bytes, Refused, canonical, check_key, check_label, counted, day_number, day_text, envelope_message, leb128, need,
    outcome, sha256, shows_all, verifies,
)

# 15.1: records

EVENTS = ["commissioned", "shipped", "handed-over", "returned", "destroyed", "corrected"]


def as_number(reader, limit):
    return reader.leb128(limit, "number")


def optional_index(reader):
    number = as_number(reader, 2**53)
    return number - 1 if number else None


def decoded(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("text") from None


def label(reader, required=False):
    text = decoded(reader.take(reader.number()))
    need(text or not required, "text")
    need(not text or outcome(lambda: check_label(text)) is None, "text")
    return text or None


def is_lei(text):
    digits = "".join(str(int(c, 36)) for c in text)
    return re.fullmatch("[0-9A-Z]{18}[0-9]{2}", text, re.ASCII) and int(digits) % 97 == 1


PARTY = [
    ("country", lambda text: re.fullmatch("[A-Z]{2}", text)),
    ("address", lambda text: len(text.encode()) <= 500 and shows_all(text)),
    ("lei", is_lei),
    ("eori", lambda text: re.fullmatch("[A-Z]{2}[0-9A-Z]{1,15}", text)),
    ("duns", lambda text: re.fullmatch("[0-9]{9}", text)),
]


def party(reader):
    flags = reader.number()
    need(flags < 128, "flags")
    out = {"name": label(reader, True)}
    if flags & 1:
        out["number"] = as_number(reader, 2**40 - 1)
    raw = {name: decoded(reader.take(reader.number(2))) for bit, (name, _) in enumerate(PARTY, 1) if flags >> bit & 1}
    for name, good in PARTY:
        need(name not in raw or good(raw[name]), "text")
    out.update(raw)
    if flags & 64:
        out["key"] = base64.b64encode(reader.take(32)).decode()
    return out


def parse_record(data):
    need(len(data) <= 2048, "too-long")
    reader = Bytes(data)
    kind = reader.number()
    if 1 <= kind <= 6:
        out = event(reader, EVENTS[kind - 1])
    elif kind == 16:
        out = {"kind": "party", "party": party(reader)}
    elif kind == 17:
        out = {"kind": "map", "root": reader.take(32).hex()}
    else:
        need(kind == 18, "kind")
        out = {"kind": "padding"}
    need(not reader.data, "trailing")
    return out


def event(reader, kind):
    out = {"kind": kind, "line": reader.take(32).hex(), "first": as_number(reader, 2**53 - 1)}
    out["last"] = out["first"] + as_number(reader, 2**53 - 1)
    need(out["last"] < 2**53, "serials")
    out["after"], out["date"] = optional_index(reader), day_text(reader.number(2))
    if kind == "commissioned":
        out["part"], out["lot"] = label(reader, True), label(reader)
        flag = reader.number()
        need(flag < 2, "flags")
        out["keys"] = reader.take(32).hex() if flag else None
    elif kind == "shipped":
        out["to"], out["ship_to"] = as_number(reader, 2**53 - 1), optional_index(reader)
        out["document"] = label(reader)
    elif kind == "handed-over":
        out["party"], out["document"] = party(reader), label(reader)
        out["key"], out["signature"] = reader.take(32).hex(), reader.take(64).hex()
        out["message"] = hand_over(out).hex()
    elif kind == "corrected":
        out["reason"] = label(reader, True)
    else:
        out["document"] = label(reader)
    return out


def hand_over(fields):
    document = {
        "line": base64.b64encode(bytes.fromhex(fields["line"])).decode(),
        "serials": {"first": fields["first"], "last": fields["last"]}, "date": fields["date"], "to": fields["party"],
    }
    if fields["document"]:
        document["document"] = fields["document"]
    return envelope_message("touchmark/v1/hand-over", document)


def put_party(fields):
    names = ["number", "country", "address", "lei", "eori", "duns", "key"]
    out = bytes([sum(1 << n for n, name in enumerate(names) if name in fields)]) + counted(fields["name"])
    if "number" in fields:
        out += leb128(fields["number"])
    for name in names[1:6]:
        if name in fields:
            out += len(fields[name].encode()).to_bytes(2, "big") + fields[name].encode()
    return out + (base64.b64decode(fields["key"]) if "key" in fields else b"")


def put_index(index):
    return leb128(0 if index is None else index + 1)


def build_record(fields):
    kind = fields["kind"]
    if kind == "party":
        return b"\x10" + put_party(fields["party"])
    if kind == "map":
        return b"\x11" + bytes.fromhex(fields["root"])
    if kind == "padding":
        return b"\x12"
    out = bytes([EVENTS.index(kind) + 1]) + bytes.fromhex(fields["line"]) + leb128(fields["first"])
    out += leb128(fields["last"] - fields["first"]) + put_index(fields["after"])
    out += day_number(fields["date"]).to_bytes(2, "big")
    if kind == "commissioned":
        keys = b"\x01" + bytes.fromhex(fields["keys"]) if fields["keys"] else b"\x00"
        return out + counted(fields["part"]) + counted(fields["lot"]) + keys
    if kind == "shipped":
        return out + leb128(fields["to"]) + put_index(fields["ship_to"]) + counted(fields["document"])
    if kind == "handed-over":
        signed = bytes.fromhex(fields["key"] + fields["signature"])
        return out + put_party(fields["party"]) + counted(fields["document"]) + signed
    return out + counted(fields["reason" if kind == "corrected" else "document"])


# 15.2: the tree, by the definitions of RFC 6962 and the algorithms of RFC 9162


def tree(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01", tree(leaves[:half]), tree(leaves[half:]))


def includes(root, size, index, leaf, proof):
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = sha256(b"\x01", p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01", r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def is_consistent(old, old_root, new, new_root, proof):
    if old == new:
        return old > 0 and not proof and old_root == new_root
    if old & (old - 1) == 0:
        proof = [old_root, *proof]
    if not proof or not 0 < old < new:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = sha256(b"\x01", c, fr), sha256(b"\x01", c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b"\x01", sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == old_root and sr == new_root


# 15.3: signed notes


def note_time(note, vkey):
    """When the key signed the note; None if it did not."""
    need(not re.search(r"[\x00-\x09\x0b-\x1f]", note) and "\n\n" in note and note.endswith("\n"), "form")
    body, lines = note.rsplit("\n\n", 1)
    text, times = body + "\n", []
    name, key_id, key = vkey.split("+", 2)
    kind, key = base64.b64decode(key)[0], base64.b64decode(key)[1:]
    check_key(key)
    own_id = sha256(name.encode(), b"\n", bytes([kind]), key)[:4]
    need(own_id.hex() == key_id, "id")
    for line in lines[:-1].split("\n"):
        match = re.fullmatch("\u2014 ([^ ]*) ([A-Za-z0-9+/]+=*)", line)
        need(match, "line")
        need(match[1] and not re.search(r"[\s+]", match[1]), "name")
        signature = base64.b64decode(match[2], validate=True)
        if match[1] == name and signature[:4] == own_id:
            at, message = 0, text
            if kind == 4:
                at = int.from_bytes(signature[4:12], "big")
                message = f"cosignature/v1\ntime {at}\n{text}"
            need(verifies(key, message.encode(), signature[-64:]), "signature")
            times.append(at)
    return min(times, default=None)


# 15.5: the map of serials


def place(line, serial):
    return base64.b64decode(line) + serial.to_bytes(8, "big")


def leaf_hash(leaf):
    numbers = [leaf["serials"]["first"], leaf["serials"]["last"], leaf["index"]]
    parts = [n.to_bytes(8, "big") for n in numbers]
    return sha256(b"\x02", base64.b64decode(leaf["line"]), *parts, base64.b64decode(leaf["entry"]))


def map_root(leaves, bit=0):
    """The root of (place, hash) pairs whose places agree before `bit`."""
    if len(leaves) < 2:
        return leaves[0][1] if leaves else sha256()
    sides = [[leaf for leaf in leaves if leaf[0][bit // 8] >> 7 - bit % 8 & 1 == side] for side in (0, 1)]
    if not all(sides):
        return map_root(leaves, bit + 1)
    left, right = (map_root(side, bit + 1) for side in sides)
    return sha256(b"\x03", min(sides[1])[0], left, right)


def map_answer(root, at, proof):
    leaf = proof.get("leaf")
    here = leaf_hash(leaf) if leaf else sha256()
    for step in proof["steps"]:
        split, other = place(step["split"]["line"], step["split"]["serial"]), base64.b64decode(step["other"])
        here = sha256(b"\x03", split, *((here, other) if at < split else (other, here)))
    need(here == root, "root")
    first, last = (place(leaf["line"], leaf["serials"][end]) for end in ("first", "last")) if leaf else (at, at[:-1])
    return leaf["index"] if first <= at <= last else None


# The vectors


def check_ledger(file, agree):
    for vector in file["records"]:
        name, data = vector["name"], bytes.fromhex(vector["record"])
        agree(name, parse_record(data), vector["fields"])
        agree(name, build_record(vector["fields"]), data)
        agree(name, sha256(b"touchmark/v1/ledger-record\0", bytes.fromhex(vector["salt"]), data).hex(), vector["entry"])
        if vector["fields"]["kind"] == "handed-over":
            key, signature = (bytes.fromhex(vector["fields"][field]) for field in ("key", "signature"))
            agree(name, verifies(check_key(key), hand_over(vector["fields"]), signature), True)
    for vector in file["refused"]:
        agree(vector["name"], outcome(lambda: parse_record(bytes.fromhex(vector["record"]))), vector["error"])
    for vector in file["trees"]:
        leaves = [sha256(b"\x00", bytes.fromhex(entry)) for entry in vector["entries"]]
        root, size = tree(leaves), len(leaves)
        agree("root", root.hex(), vector["root"])
        for case in vector["inclusion"]:
            proof = [bytes.fromhex(step) for step in case["proof"]]
            agree("inclusion", includes(root, size, case["index"], leaves[case["index"]], proof), True)
        for case in vector["consistency"]:
            proof = [bytes.fromhex(step) for step in case["proof"]]
            agree("old root", tree(leaves[: case["old"]]).hex(), case["root"])
            agree("consistency", is_consistent(case["old"], tree(leaves[: case["old"]]), size, root, proof), True)
    for vector in file["notes"]:
        found = []
        error = outcome(lambda: found.append(note_time(vector["note"], vector["key"])))
        agree(vector["name"], [error, *found], [vector["error"]] + ([] if vector["error"] else [vector["time"]]))
    for vector in file["maps"]:
        leaves = [(place(leaf["line"], leaf["serials"]["first"]), leaf_hash(leaf)) for leaf in vector["leaves"]]
        agree("map", map_root(leaves).hex(), vector["root"])
        for case in vector["proofs"]:
            at = place(case["place"]["line"], case["place"]["serial"])
            agree(canonical(case["place"]), map_answer(map_root(leaves), at, case["proof"]), case["answer"])

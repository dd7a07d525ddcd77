"""Section 17 of formats/SPEC.md, the packed case: the part of touchmark.py that it needs a file of its own for.

    python3 tests/second/seal.py BAG...     prints what a reader finds out of each bag, a line of JSON each
"""

import hashlib
import json
import math
import os
import pathlib
import re
import sys
from decimal import Decimal

from ledger import tree
from touchmark import (
    KEY, Refused, envelope_message, fault, integer, is_good, items, members, need, open_envelope,
    outcome, record, sha256, signed_by, string, unbase64,
)

LINES = ["case.json", "results.jsonl", "parts.jsonl"]
MADE = ["flows.graphml", "report.html", "results.csv"]
SEAL, EVIDENCE = "touchmark-seal.json", "touchmark-evidence.jsonl"


class NoBag(Exception):
    """What cannot be read at all, by the file that is to blame."""


# 17.1: lines, the canonical JSON of what they say (RFC 8785)


def spelled(number):
    """A number as ECMAScript writes it (ECMA-262, Number::toString)."""
    if number == 0:
        return "0"
    _, digits, exponent = Decimal(repr(abs(number))).as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + exponent
    text = text.rstrip("0")
    if len(text) <= point <= 21:
        out = text.ljust(point, "0")
    elif 0 < point <= 21:
        out = f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        out = f"0.{'0' * -point}{text}"
    else:
        out = text[0] + ("." + text[1:] if text[1:] else "") + f"e{point - 1:+}"
    return ("-" if number < 0 else "") + out


def canonical(value):
    if isinstance(value, dict):
        return "{" + ",".join(canonical(name) + ":" + canonical(value[name]) for name in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, float):
        return spelled(value)
    return json.dumps(value, ensure_ascii=False)


def finite(text):
    need(math.isfinite(float(text)), "json")
    return float(text)


def value_of(line):
    """What a line says; Refused if it is not the one spelling of that."""

    def named(pairs):
        need(all(name.isascii() for name, _ in pairs), "names")
        return members(pairs)

    try:
        value = json.loads(line, object_pairs_hook=named, parse_float=finite, parse_int=finite, parse_constant=fault)
        need(canonical(value).encode() == line.encode(), "canonical")
    except (ValueError, RecursionError):
        raise Refused("json") from None
    return value


# 17.2: pieces


def tokens(pointer):
    """The names on the way to a member (RFC 6901)."""
    need(re.fullmatch(r"(/([^/~]|~[01])*)+", pointer, re.DOTALL), "pointer")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])


def holder(value, names):
    """The object that holds the member at the end of this way."""
    for name in names[:-1]:
        if isinstance(value, list):
            need(re.fullmatch("0|[1-9][0-9]*", name, re.ASCII) and int(name) < len(value), "pointer")
            value = value[int(name)]
        else:
            need(isinstance(value, dict) and name in value, "pointer")
            value = value[name]
    need(isinstance(value, dict) and names[-1] in value, "pointer")
    return value


def cut(line, pieces):
    """The contents of pieces that hold these members of a line, and that of the record."""
    ways = sorted(tokens(pointer) for piece in pieces for pointer in piece)
    need(all(b[: len(a)] != a for a, b in zip(ways, ways[1:])), "apart")
    need(all(piece == sorted(set(piece), key=str.encode) for piece in pieces), "order")
    contents = []
    for piece in pieces:
        contents.append(canonical({pointer: holder(line, tokens(pointer))[tokens(pointer)[-1]] for pointer in piece}))
    for way in ways:
        del holder(line, way)[way[-1]]
    return contents, canonical(line)


def commitment(salt, content):
    return sha256(b"touchmark/v1/case-evidence\0", salt, content)


CLASSES = {"record": True, "consignee": True, "place": True, "path": True, "photo": False, "crop": False, "derived": False}
PIECE = record(**{"class": string(lambda name: name in CLASSES)}, commitment=KEY, file=string(lambda _: True),
               line_=integer(2**53 - 1), salt_=KEY, members_=items(string(lambda _: True)))


def open_piece(line):
    try:
        piece = json.loads(line, object_pairs_hook=members, parse_float=fault, parse_constant=fault)
    except ValueError:
        raise Refused("json") from None
    PIECE(piece)
    need(piece.get("line") != 0, "line")
    holds = "salt" in piece and CLASSES[piece["class"]] and piece["class"] != "record"
    need(bool(piece.get("members")) == holds and ("members" in piece) == holds, "members")
    return piece


def leaf(piece):
    return canonical({name: piece[name] if name != "line" else float(piece[name])
                      for name in ("class", "commitment", "file", "line") if name in piece})


def root(leaves):
    return tree([sha256(b"\0", leaf.encode()) for leaf in leaves])


# 17.5: what a reader checks


def lines_of(data):
    """The lines of a file; None where one is none."""
    whole = data.split(b"\n")
    for line in whole[:-1]:
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError:
            yield None
    if whole[-1]:
        yield None


def check_line(line, pieces):
    value = value_of(line)
    records = [piece for piece in pieces if piece["class"] == "record"]
    need(len(records) == 1 and "salt" in records[0], "record")
    shown = [piece for piece in pieces if "salt" in piece and piece["class"] != "record"]
    contents, rest = cut(value, [piece["members"] for piece in shown])
    for piece, content in zip([*shown, *records], [*contents, rest]):
        is_own = commitment(unbase64(piece["salt"]), content.encode()) == unbase64(piece["commitment"])
        need(is_own, "commitment")


def check_lines(name, data, pieces, differs):
    number, own = 0, {}
    for piece in pieces:
        own.setdefault(piece["line"], []).append(piece)
    for number, line in enumerate(lines_of(data), 1):
        wrong = line is None or name == "case.json" and number > 1
        if wrong or outcome(lambda: check_line(line, own.get(number, []))):
            differs.add(f"{name}, line {number}")
        if wrong:
            return
    if name == "case.json" and not number and not own:
        differs.add(name)
    differs.update(f"{name}, line {missing}" for missing in own if missing > number)


def check_file(name, data, pieces, found):
    if len(pieces) != 1:
        return False
    piece = pieces[0]
    if "salt" in piece:
        return commitment(unbase64(piece["salt"]), data) == unbase64(piece["commitment"])
    if piece["class"] == "derived" and name in MADE:
        found["made_anew"].append(name)
        return True
    return False


def check_case(files, evidence, seal):
    """Steps 2 to 5 over the files of the payload, the list of evidence and the seal."""
    try:
        envelope = open_envelope(seal.decode("utf-8"), "case-seal")
    except (Refused, UnicodeDecodeError):
        raise NoBag(SEAL) from None
    differs, signed = set(), envelope["signed"]
    keys = dict.fromkeys(entry["key"] for entry in envelope["signatures"])
    signers = [key for key in keys if is_good(unbase64(key)) and signed_by(envelope, unbase64(key))]
    if not signers:
        differs.add(SEAL)
    try:
        pieces = [open_piece(line) for line in map(some, lines_of(evidence))]
    except Refused:
        raise NoBag(EVIDENCE) from None
    if len(pieces) != signed["pieces"] or root(map(leaf, pieces)) != unbase64(signed["root"]):
        differs.add(EVIDENCE)
    found = {"signers": signers, "left_out": {}, "made_anew": []}
    own = {}
    for piece in pieces:
        if "salt" not in piece and piece["class"] != "derived":
            found["left_out"][piece["class"]] = found["left_out"].get(piece["class"], 0) + 1
        if CLASSES[piece["class"]] == (piece["file"] in LINES) == ("line" in piece):
            own.setdefault(piece["file"], []).append(piece)
        else:
            differs.add(piece["file"])
    for name, data in files.items():
        if name in LINES:
            check_lines(name, data, own.pop(name, []), differs)
        elif not check_file(name, data, own.pop(name, []), found):
            differs.add(name)
    differs.update(name for name in LINES if name not in files)
    differs.update(name for name, gone in own.items() if any("salt" in p or p["class"] == "record" for p in gone))
    return {"differs": sorted(differs), "as_signed": not differs, **found}


def some(line):
    need(line is not None, "line")
    return line


# The bag (RFC 8493)


def files_below(folder):
    """The files below a folder by their paths; links and whatever else is there make it no bag."""
    found = {}
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            found.update({f"{entry.name}/{name}": path for name, path in files_below(entry.path).items()})
        elif entry.is_file(follow_symlinks=False):
            found[entry.name] = entry.path
        else:
            raise NoBag(entry.name)
    return found


def manifest(path):
    listed = {}
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise NoBag(path.name) from None
    for line in re.split("\r?\n", text)[:-1]:
        match = re.fullmatch(r"([0-9A-Fa-f]+)[ \t]+\*?(.+)", line)
        name = match and re.sub("%0A|%0D|%25", lambda code: chr(int(code[0][1:], 16)), match[2])
        if not match or name.startswith("/") or name in listed or {".", "..", ""} & set(name.split("/")):
            raise NoBag(path.name)
        listed[name] = match[1].lower()
    return listed


def check_manifests(bag, kind, files):
    differs = set()
    for algorithm in ("sha256", "sha512"):
        listed = manifest(bag / f"{kind}-{algorithm}.txt")
        found = {name: hashlib.new(algorithm, data).hexdigest() for name, data in files.items()}
        differs.update(name for name in listed.keys() | found.keys() if listed.get(name) != found.get(name))
    return differs


def check_bag(bag):
    try:
        declared = (bag / "bagit.txt").read_text("utf-8").split("\n")[0]
    except (OSError, UnicodeDecodeError):
        raise NoBag("bagit.txt") from None
    if declared not in ("BagIt-Version: 1.0", "BagIt-Version: 0.97"):
        raise NoBag("bagit.txt")
    if bag.joinpath("data").is_symlink() or not bag.joinpath("data").is_dir():
        raise NoBag("data")
    read = {name: pathlib.Path(path).read_bytes() for name, path in files_below(bag).items()}
    payload = {name.removeprefix("data/"): data for name, data in read.items() if name.startswith("data/")}
    tags = {name: data for name, data in read.items() if not name.startswith(("data/", "tagmanifest-"))}
    differs = check_manifests(bag, "manifest", {"data/" + name: data for name, data in payload.items()})
    differs |= check_manifests(bag, "tagmanifest", tags)
    for name in (SEAL, EVIDENCE):
        if name not in tags:
            raise NoBag(name)
    found = check_case(dict(sorted(payload.items())), tags[EVIDENCE], tags[SEAL])
    differs.update(found["differs"])
    return {**found, "differs": sorted(differs), "as_signed": not differs}


# The vectors


def check_seal(file, agree):
    for vector in file["commitments"]:
        salt, content = bytes.fromhex(vector["salt"]), bytes.fromhex(vector["content"])
        agree(vector["name"], commitment(salt, content).hex(), vector["commitment"])
    for vector in file["lines"]:
        name, line = vector["name"], value_of(vector["line"])
        contents, rest = cut(line, [piece["members"] for piece in vector["pieces"]])
        agree(name, contents, [piece["content"] for piece in vector["pieces"]])
        agree(name, rest, vector["record"])
    for vector in file["lines_refused"]:
        agree(vector["name"], outcome(lambda: value_of(vector["line"])) is not None, True)
    for vector in file["cuts_refused"]:
        line = value_of(vector["line"])
        agree(vector["name"], outcome(lambda: cut(line, vector["pieces"])) is not None, True)
    for vector in file["leaves"]:
        text = leaf(open_piece(vector["evidence"]))
        agree(vector["name"], [text, sha256(b"\0", text.encode()).hex()], [vector["leaf"], vector["hash"]])
    for vector in file["evidence_refused"]:
        agree(vector["name"], outcome(lambda: open_piece(vector["evidence"])) is not None, True)
    for vector in file["roots"]:
        agree("root", root(vector["leaves"]).hex(), vector["root"])
    for vector in file["seals"]:
        envelope = open_envelope(vector["seal"], "case-seal")
        agree(vector["name"], envelope_message(envelope["type"], envelope["signed"]).hex(), vector["message"])
    for vector in file["cases"]:
        files = {name: text.encode() for name, text in vector["files"].items()}
        try:
            found = check_case(files, vector["evidence"].encode(), vector["seal"].encode())
        except NoBag as no:
            found = {"differs": [str(no)]}
        expected = {name: vector[name] for name in found if name in vector}
        agree(vector["name"], {name: found[name] for name in expected}, expected)


def main(bags):
    for bag in bags:
        try:
            found = check_bag(pathlib.Path(bag))
        except NoBag as no:
            found = {"no_bag": str(no)}
        print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])

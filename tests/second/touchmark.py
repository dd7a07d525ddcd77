#!/usr/bin/env python3
"""A second implementation of Touchmark, written from formats/SPEC.md alone, with Python's standard library alone.

It is slow and not for use: it proves that the specification is complete, and that the vectors mean one thing.

    python3 tests/second/touchmark.py [FOLDER]     checks every vector of tests/vectors; status 1 if any disagrees
"""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import sys
from datetime import date, datetime, timedelta


class Refused(Exception):
    """What SPEC.md refuses, by the name that it gives the error."""


def need(condition, name):
    if not condition:
        raise Refused(name)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# 1.1, 1.2: labels and dates

HIDDEN = [
    (0, 0x1F), (0x7F, 0x9F), (0x2028, 0x202E), (0x2060, 0x206F), (0x61C, 0x61C), (0x200B, 0x200F), (0xAD, 0xAD),
    (0x34F, 0x34F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
]
SPACES = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}


def shows_all(text):
    return not any(low <= ord(c) <= high for c in text for low, high in HIDDEN)


def check_label(text):
    need(1 <= len(text.encode()) <= 63, "length")
    need(shows_all(text) and ord(text[0]) not in SPACES and ord(text[-1]) not in SPACES, "character")
    return text


def day_text(days):
    return (date(2020, 1, 1) + timedelta(days=days)).isoformat()


def day_number(text):
    need(re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII), "json")
    try:
        days = (date.fromisoformat(text) - date(2020, 1, 1)).days
    except ValueError:
        raise Refused("json") from None
    need(0 <= days <= 65535, "json")
    return days


# 2: the mark

CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-./+#,_= "
BASES = [10, 36, 45, 256]


def leb128(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def alphabet_of(text):
    for alphabet, base in enumerate(BASES[:3]):
        if all(c in CHARACTERS[:base] for c in text):
            return alphabet
    return 3


def pack(texts):
    heads, value, product = bytearray(), 0, 1
    for text in texts:
        alphabet, data = alphabet_of(text), text.encode()
        heads.append(alphabet << 6 | len(data))
        for digit in data if alphabet == 3 else map(CHARACTERS.index, text):
            value = value * BASES[alphabet] + digit
            product *= BASES[alphabet]
    return bytes(heads) + value.to_bytes(((product - 1).bit_length() + 7) // 8, "big")


class Bytes:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        need(len(self.data) >= count, "truncated")
        head, self.data = self.data[:count], self.data[count:]
        return head

    def number(self, count=1):
        return int.from_bytes(self.take(count), "big")

    def leb128(self, limit, error):
        value = 0
        for place in range(9):
            byte = self.number()
            value |= (byte & 0x7F) << 7 * place
            need(value <= limit and (place < 8 or byte < 0x80), error)
            if byte < 0x80:
                need(byte or place == 0, error)
                return value

    def texts(self, count):
        heads = [(head >> 6, head & 63) for head in self.take(count)]
        need(all(length for _, length in heads), "text-empty")
        product = 1
        for alphabet, length in heads:
            product *= BASES[alphabet] ** length
        value = self.number(((product - 1).bit_length() + 7) // 8)
        need(value < product, "text-overflow")
        raw = []
        for alphabet, length in reversed(heads):
            digits = []
            for _ in range(length):
                value, digit = divmod(value, BASES[alphabet])
                digits.insert(0, digit)
            raw.insert(0, (alphabet, bytes(digits) if alphabet == 3 else "".join(CHARACTERS[d] for d in digits).encode()))
        return [self.text(alphabet, data) for alphabet, data in raw]

    @staticmethod
    def text(alphabet, data):
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused("text-utf8") from None
        try:
            check_label(text)
        except Refused:
            raise Refused("text-character") from None
        need(alphabet_of(text) == alphabet, "text-alphabet")
        return text

    def extension(self, mark, tags):
        block, last = Bytes(self.take(self.number())), 0
        need(block.data, "extension-empty")
        while block.data:
            tag, size = block.number(), block.number()
            value = block.take(size)
            need(tag > last, "extension-order")
            need(tag in tags, "extension-tag")
            need(size == {1: 2, 2: 4, 3: 1, 4: 8}[tag], "extension-value")
            last, number = tag, int.from_bytes(value, "big")
            need(tag != 3 or number <= 40, "extension-value")
            need(tag != 4 or is_sscc(number), "extension-value")
            name = {1: "site", 2: "die_id", 3: "grade", 4: "sscc"}[tag]
            mark[name] = {"die_id": value.hex(), "sscc": f"{number:018}"}.get(name, number)


def is_sscc(number):
    digits = zip(reversed(f"{number:018}"), [1, 3] * 9)
    return number < 10**18 and sum(int(digit) * weight for digit, weight in digits) % 10 == 0


FIELDS = ["key_id", "serial", "days", "date", "part_index", "part", "lot", "site", "die_id", "grade", "capsule"]


CONTAINER_FIELDS = ["key_id", "level", "first", "last", "missing", "days", "date", "part_index", "part", "lot", "site",
                    "sscc", "capsule"]
LEVELS = ["reel", "box", "pallet"]


def is_container(data):
    return data[0] >> 4 == 0xB


def parse(data):
    """The fields, the head, the fields' bytes and the signature of a mark or a container mark."""
    need(data and 0x90 <= data[0] <= 0xBF, "not-a-mark")
    need(data[0] < 0xA0 or is_container(data), "unknown-kind")
    need(len(data) <= 255, "too-long")
    need(len(data) >= 64, "truncated")
    fields, signature = data[:-64], data[-64:]
    reader, mark = Bytes(fields), dict.fromkeys(CONTAINER_FIELDS if is_container(data) else FIELDS)
    header = reader.number()
    mark["key_id"] = reader.take(4).hex()
    if is_container(data):
        level = reader.number()
        need(1 <= level <= 3, "level")
        mark["level"] = LEVELS[level - 1]
        mark["first"] = reader.leb128(2**53 - 1, "serial")
        more = reader.leb128(2**53 - 1 - mark["first"], "range")
        mark["last"] = mark["first"] + more
        mark["missing"] = reader.leb128(more, "missing")
    else:
        mark["serial"] = reader.leb128(2**53 - 1, "serial")
    mark["days"] = reader.number(2)
    mark["date"] = day_text(mark["days"])
    if not header & 8:
        mark["part_index"] = reader.leb128(65535, "part-index")
    inline = [name for name, bit in (("part", 8), ("lot", 4)) if header & bit]
    if inline:
        mark.update(zip(inline, reader.texts(len(inline))))
    if header & 1:
        reader.extension(mark, (1, 4) if is_container(data) else (1, 2, 3))
    rest = len(reader.data)
    need(3 <= rest <= 8 if header & 2 else rest == 0, "capsule-length")
    mark["capsule"] = reader.data.hex() if rest else None
    return mark, fields[: len(fields) - rest], fields, signature


def build(mark):
    """The head of a mark."""
    entries, container = b"", "level" in mark
    if mark["site"] is not None:
        entries += bytes([1, 2]) + mark["site"].to_bytes(2, "big")
    if mark.get("die_id") is not None:
        entries += bytes([2, 4]) + bytes.fromhex(mark["die_id"])
    if mark.get("grade") is not None:
        entries += bytes([3, 1, mark["grade"]])
    if mark.get("sscc") is not None:
        entries += bytes([4, 8]) + int(mark["sscc"]).to_bytes(8, "big")
    bits = [mark["part"], mark["lot"], mark["capsule"], entries or None]
    header = (0xB0 if container else 0x90) | sum(8 >> n for n, bit in enumerate(bits) if bit is not None)
    out = bytes([header]) + bytes.fromhex(mark["key_id"])
    if container:
        out += bytes([LEVELS.index(mark["level"]) + 1])
        out += leb128(mark["first"]) + leb128(mark["last"] - mark["first"]) + leb128(mark["missing"])
    else:
        out += leb128(mark["serial"])
    out += mark["days"].to_bytes(2, "big")
    if mark["part"] is None:
        out += leb128(mark["part_index"])
    texts = [text for text in (mark["part"], mark["lot"]) if text is not None]
    out += pack(texts) if texts else b""
    return out + (bytes([len(entries)]) + entries if entries else b"")


# 3: what is signed


def counted(text):
    data = (text or "").encode()
    return bytes([len(data)]) + data


def message(root, part, lot, fields):
    domain = b"touchmark/v1/container\0" if is_container(fields) else b"touchmark/v1/mark\0"
    return domain + sha256(root) + counted(part) + counted(lot) + fields


# 4: keys and signatures, on the curve -x^2 + y^2 = 1 + d x^2 y^2

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
NEUTRAL = (0, 1, 1, 0)


def add(a, b):
    e, f = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    g, h = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    x, t, z, y = f - e, h - g, h + g, f + e
    return x * t % P, z * y % P, t * z % P, x * y % P


def times(n, point):
    out = NEUTRAL
    while n:
        if n & 1:
            out = add(out, point)
        point, n = add(point, point), n >> 1
    return out


def same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def point(data):
    """The point that `data` canonically encodes, or None."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
KEYS = {}


def check_key(data):
    if data not in KEYS:
        KEYS[data] = key_fault(data)
    need(KEYS[data] is None, KEYS[data])
    return data


def key_fault(data):
    a = point(data)
    if a is None:
        return "point"
    if same(times(8, a), NEUTRAL):
        return "weak"
    return None if same(times(L, a), NEUTRAL) else "torsion"


def is_good(data):
    try:
        return bool(check_key(data))
    except Refused:
        return False


def verifies(key, text, signature):
    """Whether the good key `key` made `signature` over `text`."""
    s, r = int.from_bytes(signature[32:], "little"), point(signature[:32])
    if s >= L or r is None or same(times(8, r), NEUTRAL):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % L
    return same(times(s, BASE), add(r, times(k, point(key))))


def key_id(key):
    return sha256(b"touchmark/v1/key-id\0", key)[:4].hex()


# 5: the text form

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def base45(data):
    out = ""
    for at in range(0, len(data), 2):
        group = data[at : at + 2]
        value = int.from_bytes(group, "big")
        out += "".join(BASE45[value // 45**n % 45] for n in range(len(group) + 1))
    return out


def unbase45(text):
    out, data = b"", text.encode()
    for at in range(0, len(data), 3):
        group = data[at : at + 3].decode("latin-1")
        need(len(group) > 1, "length")
        need(all(c in BASE45 for c in group), "character")
        value = sum(BASE45.index(c) * 45**n for n, c in enumerate(group))
        need(value < 256 ** (len(group) - 1), "overflow")
        out += value.to_bytes(len(group) - 1, "big")
    return out


# 6: the capsule. AES-256 (FIPS 197) first, for the standard library has none


def double(n):
    return n << 1 ^ (0x11B if n & 0x80 else 0)


def sbox():
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= double(p)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xFF
        q ^= 9 if q & 0x80 else 0
        turned = [q << n & 0xFF | q >> 8 - n for n in range(5)]
        box[p] = turned[0] ^ turned[1] ^ turned[2] ^ turned[3] ^ turned[4] ^ 0x63
        if p == 1:
            return box


SBOX = sbox()


def round_keys(key):
    words, rcon = [list(key[n : n + 4]) for n in range(0, 32, 4)], 1
    for n in range(8, 60):
        word = words[-1]
        if n % 8 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = double(rcon)
        elif n % 8 == 4:
            word = [SBOX[b] for b in word]
        words.append([a ^ b for a, b in zip(words[n - 8], word)])
    return [sum(words[n : n + 4], []) for n in range(0, 60, 4)]


def aes(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for n in range(1, 15):
        state = [SBOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if n < 14:
            mixed = []
            for c in range(0, 16, 4):
                a = state[c : c + 4]
                total = a[0] ^ a[1] ^ a[2] ^ a[3]
                mixed += [a[i] ^ total ^ double(a[i] ^ a[(i + 1) % 4]) for i in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, keys[n])]
    return bytes(state)


def ff1(key, tweak, data, decrypt):
    """FF1 of radix 2 over the bits of `data`, those of each byte from the least significant on."""
    keys, n = round_keys(key), 8 * len(data)
    u, v = n // 2, n - n // 2
    bits = "".join(f"{byte:08b}"[::-1] for byte in data)
    a, b = int(bits[:u], 2), int(bits[u:], 2)
    size = (v + 7) // 8
    d = 4 * ((size + 3) // 4) + 4
    head = bytes([1, 2, 1, 0, 0, 2, 10, u % 256]) + n.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
    for i in range(9, -1, -1) if decrypt else range(10):
        known = a if decrypt else b
        q = tweak + bytes((-len(tweak) - size - 1) % 16) + bytes([i]) + known.to_bytes(size, "big")
        block = bytes(16)
        for at in range(0, 16 + len(q), 16):
            block = aes(keys, bytes(x ^ y for x, y in zip(block, (head + q)[at : at + 16])))
        y = int.from_bytes(block[:d], "big")
        m = v if i % 2 else u
        if decrypt:
            a, b = (b - y) % 2**m, a
        else:
            a, b = b, (a + y) % 2**m
    bits = f"{a:0{u}b}" + f"{b:0{v}b}"
    return bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, n, 8))


def number_bytes(length):
    return {7: 4, 8: 5}.get(length, 3)


def seal(number, length, item, head, root):
    size = number_bytes(length)
    return ff1(item, head + sha256(root), number.to_bytes(size, "big") + bytes(length - size), False)


def unseal(capsule, item, head, root):
    plain, size = ff1(item, head + sha256(root), capsule, True), number_bytes(len(capsule))
    return None if any(plain[size:]) else int.from_bytes(plain[:size], "big")


def derive(parent, info):
    return hmac.digest(hmac.digest(bytes(32), parent, "sha256"), info + b"\1", "sha256")


def day_key(year, days):
    return derive(year, b"touchmark/v1/day-key\0" + days.to_bytes(2, "big"))


def lot_key(day, lot):
    return derive(day, b"touchmark/v1/lot-key\0" + counted(lot))


def item_key(lot, key, serial):
    return derive(lot, b"touchmark/v1/item-key\0" + bytes.fromhex(key) + serial.to_bytes(8, "big"))


def container_key(lot, mark):
    info = bytes.fromhex(mark["key_id"]) + bytes([LEVELS.index(mark["level"]) + 1])
    info += mark["first"].to_bytes(8, "big") + mark["last"].to_bytes(8, "big")
    return derive(lot, b"touchmark/v1/container-key\0" + info)


# 7: signed files


def members(pairs):
    need(len(dict(pairs)) == len(pairs), "json")
    return dict(pairs)


def fault(_):
    raise Refused("json")


def canonical(value):
    if isinstance(value, dict):
        return "{" + ",".join(canonical(k) + ":" + canonical(value[k]) for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def envelope_message(kind, document):
    return kind.encode() + b"\0" + canonical(document).encode()


# The kinds of values: each checks, and raises Refused("json").


def integer(limit):
    return lambda value: need(type(value) is int and 0 <= value <= limit, "json")


def string(check):
    def checked(value):
        need(isinstance(value, str), "json")
        try:
            value.encode()
            need(check(value) is not False, "json")
        except (Refused, ValueError):
            raise Refused("json") from None

    return checked


def binary(length):
    return string(lambda text: base64.b64encode(unbase64(text)).decode() == text and len(unbase64(text)) == length)


def unbase64(text):
    return base64.b64decode(text, validate=True)


def is_time(text):
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text, re.ASCII), "json")
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").year >= 1970 and not text.endswith("60Z")


def boolean(value):
    need(type(value) is bool, "json")


def items(kind):
    def checked(value):
        need(isinstance(value, list), "json")
        for item in value:
            kind(item)

    return checked


def record(**kinds):
    """An object with these members; those whose name here ends in _ are optional."""
    optional = {name[:-1] for name in kinds if name.endswith("_")}
    kinds = {name.rstrip("_"): kind for name, kind in kinds.items()}

    def checked(value):
        need(isinstance(value, dict), "json")
        need(kinds.keys() - optional <= value.keys() <= kinds.keys(), "json")
        for name, member in value.items():
            kinds[name](member)

    return checked


def one_of(**kinds):
    def checked(value):
        need(isinstance(value, dict) and len(value) == 1, "json")
        name, member = next(iter(value.items()))
        need(name in kinds, "json")
        kinds[name](member)

    return checked


LABEL, LINE = string(check_label), string(lambda text: len(text.encode()) <= 500 and shows_all(text))
DATE, TIME = string(lambda text: day_number(text) >= 0), string(is_time)
KEY, SIGNATURE = binary(32), binary(64)
COUNTRY = string(lambda text: re.fullmatch("[A-Z]{2}", text) is not None)
SERIAL = integer(2**53 - 1)
RANGE = record(first=SERIAL, last=SERIAL)


def envelope_of(kind, document):
    def few(value):
        items(record(key=KEY, signature=SIGNATURE))(value)
        need(len(value) <= 64, "json")

    return record(type=string(lambda text: text == "touchmark/v1/" + kind), signed=document, signatures=few)


REQUEST = record(maker=KEY, key=KEY, line=LABEL)
DELEGATION = record(
    maker=KEY, key=KEY, line=LABEL, possession=SIGNATURE, site=integer(65535), not_before=DATE, not_after=DATE,
    serials=RANGE, parts=items(LABEL), other_parts=boolean, lots=items(record(lot=LABEL, serials=RANGE)),
    other_lots=boolean, capsule_bytes=integer(255),
)
CLOSE = record(
    maker=KEY, key=KEY, lot_=LABEL, serials=RANGE, used=items(RANGE), void=items(record(serials=RANGE, reason=LABEL)),
    closed=TIME,
)


def some_closes(value):
    items(envelope_of("lot-close", CLOSE))(value)
    need(value, "json")


LEDGER_KEY = record(
    maker=KEY,
    origin=string(lambda text: 1 <= len(text.encode()) <= 255 and not re.search(r"[\s+\x00-\x1f\x7f-\x9f]", text)),
    key=KEY,
)

TRUST = record(
    version=integer(2**32 - 1), created=TIME, expires=TIME,
    authority=record(name=LABEL, threshold=integer(255), signers=items(record(holder=LABEL, key=KEY))),
    makers=items(record(name=LABEL, country=COUNTRY, root=KEY, valid_from=DATE, valid_until=DATE,
                        delegations=items(envelope_of("delegation", DELEGATION)), closed_=some_closes,
                        ledger_=envelope_of("ledger-key", LEDGER_KEY))),
    revocations=items(record(key=KEY, since=DATE, reason=LABEL)),
    voids=items(record(key=KEY, serials=RANGE, reason=LABEL)),
)
DISCLOSURE = record(
    maker=KEY, recipient=LINE, case=LINE, created=TIME, expires=TIME,
    scope=one_of(lot=LABEL, days=record(**{"from": DATE, "to": DATE}), serials=items(SERIAL)),
    grants=items(one_of(day=record(date=DATE, key=KEY), lot=record(date=DATE, lot_=LABEL, key=KEY),
                        item=record(line=KEY, serial=SERIAL, key=KEY))),
    consignees=items(record(number=integer(2**40 - 1), name=LABEL, country_=COUNTRY, address_=LINE)),
)
CASE_SEAL = record(case=LINE, tool=LINE, sealed=TIME, pieces=integer(2**53 - 1), root=KEY)
DOCUMENTS = {"delegation-request": REQUEST, "delegation": DELEGATION, "lot-close": CLOSE, "trust": TRUST,
             "disclosure": DISCLOSURE, "case-seal": CASE_SEAL}


def open_envelope(text, kind):
    try:
        envelope = json.loads(text, object_pairs_hook=members, parse_float=fault, parse_constant=fault)
    except ValueError:
        raise Refused("json") from None
    need(isinstance(envelope, dict) and isinstance(envelope.get("type"), str), "json")
    need(envelope["type"] == "touchmark/v1/" + kind, "type")
    envelope_of(kind, DOCUMENTS[kind])(envelope)
    return envelope


def signed_by(envelope, key):
    text = envelope_message(envelope["type"], envelope["signed"])
    entries = [e for e in envelope["signatures"] if unbase64(e["key"]) == key]
    return any(verifies(key, text, unbase64(e["signature"])) for e in entries)


# 8: delegation


def check_delegation(envelope, root):
    this = envelope["signed"]
    need(is_good(root), "maker-key")
    need(unbase64(this["maker"]) == root, "other-maker")
    line = unbase64(this["key"])
    need(is_good(line), "line-key")
    ranges = [lot["serials"] for lot in this["lots"]] + [this["serials"]]
    dates_rise = day_number(this["not_before"]) <= day_number(this["not_after"])
    need(dates_rise and all(r["first"] <= r["last"] for r in ranges), "empty-range")
    lots = this["lots"]
    rise = all(a["serials"]["last"] < b["serials"]["first"] for a, b in zip(lots, lots[1:]))
    need(rise and len(set(this["parts"])) == len(this["parts"]) <= 65536, "lists")
    need(3 <= this["capsule_bytes"] <= 8, "capsule-size")
    need(signed_by(envelope, root), "root-signature")
    request = {name: this[name] for name in ("maker", "key", "line")}
    text = envelope_message("touchmark/v1/delegation-request", request)
    need(verifies(line, text, unbase64(this["possession"])), "possession")
    return line


def within(serial, limits):
    return limits["first"] <= serial <= limits["last"]


def listed_lot(delegation, first, last):
    """The listed lot whose range holds all of these serials."""
    whole = (lot["lot"] for lot in delegation["lots"] if within(first, lot["serials"]) and within(last, lot["serials"]))
    return next(whole, None)


def span(mark):
    """The first and the last serial."""
    return (mark["first"], mark["last"]) if "level" in mark else (mark["serial"], mark["serial"])


def resolve(delegation, mark):
    part = mark["part"]
    if part is None and mark["part_index"] < len(delegation["parts"]):
        part = delegation["parts"][mark["part_index"]]
    return part, mark["lot"] if mark["lot"] is not None else listed_lot(delegation, *span(mark))


def container_lot_holds(delegation, mark):
    first, last = span(mark)
    own, listed, named = mark["lot"], listed_lot(delegation, first, last), delegation["lots"]
    if own is not None and listed is not None:
        return own == listed
    if own is not None:
        met = any(lot["serials"]["first"] <= last and first <= lot["serials"]["last"] for lot in named)
        return delegation["other_lots"] and own not in {lot["lot"] for lot in named} and not met
    held = sum(max(0, min(last, lot["serials"]["last"]) - max(first, lot["serials"]["first"]) + 1) for lot in named)
    return listed is not None or delegation["other_lots"] or held == last - first + 1


def broken_limits(delegation, mark):
    part, lot = resolve(delegation, mark)
    listed = listed_lot(delegation, *span(mark))
    named = {entry["lot"] for entry in delegation["lots"]}
    lot_holds = lot == listed if listed is not None else delegation["other_lots"] and lot not in named
    capsule = mark["capsule"]
    holds = {
        "part": part in delegation["parts"] or delegation["other_parts"],
        "lot": container_lot_holds(delegation, mark) if "level" in mark else lot_holds,
        "serial": all(within(serial, delegation["serials"]) for serial in span(mark)),
        "too-early": mark["days"] >= day_number(delegation["not_before"]),
        "too-late": mark["days"] <= day_number(delegation["not_after"]),
        "capsule-size": capsule is None or len(capsule) == 2 * delegation["capsule_bytes"],
    }
    return [limit for limit, kept in holds.items() if not kept]


def check_close(envelope, root):
    this = envelope["signed"]
    need(is_good(root), "maker-key")
    need(unbase64(this["maker"]) == root, "other-maker")
    line = unbase64(this["key"])
    need(is_good(line), "line-key")
    void = [entry["serials"] for entry in this["void"]]
    need(all(r["first"] <= r["last"] for r in [this["serials"]] + this["used"] + void), "empty-range")
    for ranges in (this["used"], void, sorted(this["used"] + void, key=lambda r: r["first"])):
        need(all(a["last"] < b["first"] for a, b in zip(ranges, ranges[1:])), "lists")
        need(all(within(r["first"], this["serials"]) and within(r["last"], this["serials"]) for r in ranges), "lists")
    need(signed_by(envelope, root), "root-signature")
    need(signed_by(envelope, line), "line-signature")
    return this


def spare(close):
    """The ranges of a close record that are on no part."""
    first = close["serials"]["first"]
    for used in close["used"]:
        yield first, used["first"] - 1
        first = used["last"] + 1
    yield first, close["serials"]["last"]


# 9: trust


def approves(authority, bundle):
    signers = [(s["holder"], unbase64(s["key"])) for s in authority["signers"]]
    holders = {holder for holder, key in signers if is_good(key) and signed_by(bundle, key)}
    return len(holders) >= authority["threshold"]


def open_trust(text):
    bundle = open_envelope(text, "trust")
    authority, trust = bundle["signed"]["authority"], bundle["signed"]
    keys = [s["key"] for s in authority["signers"]]
    holders = {s["holder"] for s in authority["signers"]}
    need(len(set(keys)) == len(keys) <= 64 and 1 <= authority["threshold"] <= len(holders), "authority")
    need(approves(authority, bundle), "signatures")
    roots = [maker["root"] for maker in trust["makers"]]
    need(len(set(roots)) == len(roots), "duplicate-maker")
    return bundle


def authority_fingerprint(authority):
    signers = sorted((unbase64(s["key"]), s["holder"]) for s in authority["signers"])
    rows = [key + counted(holder) for key, holder in signers]
    return sha256(b"touchmark/v1/authority\0", bytes([authority["threshold"]]), *rows)


def follow(pin, bundle):
    need(approves(pin["authority"], bundle), "other-authority")
    need(bundle["signed"]["version"] >= pin["version"], "rollback")


# 10: disclosure


def open_disclosure(text, recipient):
    envelope = open_envelope(text, "disclosure")
    maker = unbase64(envelope["signed"]["maker"])
    need(is_good(maker) and signed_by(envelope, maker), "signature")
    need(envelope["signed"]["recipient"] == recipient, "other-recipient")
    return envelope


# 12: the verdict


def content_of(content):
    try:
        return parse(content)
    except Refused:
        return parse(unbase45(content.decode("ascii")))


def verdict(content, trust):
    """The verdict, and whether the date is not corroborated."""
    try:
        mark, _, fields, signature = content_of(content)
    except (Refused, ValueError):
        return "not-a-touchmark", False
    issuers, good = 0, []
    for maker in trust["makers"]:
        for envelope in maker["delegations"]:
            delegation, root = envelope["signed"], unbase64(maker["root"])
            if key_id(unbase64(delegation["key"])) != mark["key_id"]:
                continue
            try:
                line = check_delegation(envelope, root)
            except Refused:
                continue
            issuers += 1
            part, lot = resolve(delegation, mark)
            if part is not None and verifies(line, message(root, part, lot, fields), signature):
                good.append((maker, delegation, out_of_scope(maker, delegation, mark, trust)))
    if not good:
        return "forged" if issuers else "unknown-issuer", False
    maker, delegation, broken = min(good, key=lambda issuer: len(issuer[2]))
    revoked = [day_number(r["since"]) for r in trust["revocations"] if r["key"] in (maker["root"], delegation["key"])]
    if revoked:
        return "revoked", mark["days"] < min(revoked)
    return "out-of-scope" if broken else "authentic", False


def out_of_scope(maker, delegation, mark, trust):
    broken = broken_limits(delegation, mark)
    if not day_number(maker["valid_from"]) <= mark["days"] <= day_number(maker["valid_until"]):
        broken.append("maker")
    bad = [(v["serials"]["first"], v["serials"]["last"]) for v in trust["voids"] if v["key"] == delegation["key"]]
    for envelope in maker.get("closed", []):
        if outcome(lambda: check_close(envelope, unbase64(maker["root"]))) is None:
            if envelope["signed"]["key"] == delegation["key"]:
                bad += spare(envelope["signed"])
    first, last = span(mark)
    good, position = last - first + 1, first
    for low, high in sorted(bad):
        low, high = max(low, position), min(high, last)
        if low <= high:
            good, position = good - (high - low + 1), high + 1
    if good < last - first + 1 - mark.get("missing", 0):
        broken.append("void")
    return broken


# The vectors


def outcome(attempt):
    try:
        attempt()
    except Refused as refusal:
        return str(refusal)
    return None


def check_marks(file, agree):
    root, line, year = (bytes.fromhex(file[name]) for name in ("root", "line", "year_key"))
    check_key(line)
    for vector in file["valid"]:
        name, data = vector["name"], bytes.fromhex(vector["mark"])
        mark, head, fields, signature = parse(data)
        part, lot = vector["part"], vector["lot"]
        text = message(root, part, lot, fields)
        agree(name, mark, vector["fields"])
        agree(name, build(mark), head)
        agree(name, [base45(data), unbase45(vector["text"])], [vector["text"], data])
        agree(name, text.hex(), vector["message"])
        agree(name, verifies(line, text, signature), True)
        if mark["capsule"]:
            item = item_key(lot_key(day_key(year, mark["days"]), lot), mark["key_id"], mark["serial"])
            agree(name, unseal(bytes.fromhex(mark["capsule"]), item, head, root), vector["consignee"])


def check_containers(file, agree):
    root, line, year = (bytes.fromhex(file[name]) for name in ("root", "line", "year_key"))
    check_key(line)
    for vector in file["valid"]:
        name, data = vector["name"], bytes.fromhex(vector["mark"])
        mark, head, fields, signature = parse(data)
        text = message(root, vector["part"], vector["lot"], fields)
        agree(name, mark, vector["fields"])
        agree(name, build(mark), head)
        agree(name, base45(data), vector["text"])
        agree(name, text.hex(), vector["message"])
        agree(name, verifies(line, text, signature), True)
        if mark["capsule"]:
            key = container_key(lot_key(day_key(year, mark["days"]), vector["lot"]), mark)
            agree(name, unseal(bytes.fromhex(mark["capsule"]), key, head, root), vector["consignee"])


def check_invalid_marks(file, agree):
    for vector in file["invalid"]:
        agree(vector["name"], outcome(lambda: parse(bytes.fromhex(vector["mark"]))), vector["error"])


def check_keys(file, agree):
    for vector in file["valid"]:
        key = check_key(bytes.fromhex(vector["key"]))
        agree(vector["id"], [key_id(key), sha256(key).hex(), base64.b64encode(key).decode()],
              [vector["id"], vector["fingerprint"], vector["base64"]])
    for vector in file["refused"]:
        agree(vector["name"], outcome(lambda: check_key(bytes.fromhex(vector["key"]))), vector["error"])


def check_texts(file, agree):
    for vector in file["base45"]:
        agree(vector["text"], [base45(bytes.fromhex(vector["bytes"])), unbase45(vector["text"]).hex()],
              [vector["text"], vector["bytes"]])
    for vector in file["base45_refused"]:
        agree(vector["text"], outcome(lambda: unbase45(vector["text"])), vector["error"])
    for vector in file["labels"]:
        agree(repr(vector["label"]), outcome(lambda: check_label(vector["label"])), vector["error"])


def check_capsules(file, agree):
    root, year = bytes.fromhex(file["root"]), bytes.fromhex(file["year_key"])
    for vector in file["tree"]:
        day = day_key(year, vector["days"])
        lot = lot_key(day, vector["lot"])
        keys = [day, lot, item_key(lot, vector["key_id"], vector["serial"])]
        agree("tree", [key.hex() for key in keys], [vector[name] for name in ("day_key", "lot_key", "item_key")])
    for vector in file["capsules"]:
        key, head, capsule, other = (bytes.fromhex(vector[n]) for n in ("item_key", "head", "capsule", "other_key"))
        agree("seal", seal(vector["number"], len(capsule), key, head, root), capsule)
        agree("open", unseal(capsule, key, head, root), vector["number"])
        agree("other key", unseal(capsule, other, head, root), vector["number_by_other_key"])
        size = number_bytes(len(capsule))
        agree("size", [8 * (len(capsule) - size), 256**size - 1], [vector["check_bits"], vector["max_number"]])


def check_envelopes(file, agree):
    for vector in file["cases"]:
        text, known = vector["file"], vector["known"]
        attempts = {
            "delegation": lambda: check_delegation(open_envelope(text, "delegation"), unbase64(known["maker"])),
            "lot-close": lambda: check_close(open_envelope(text, "lot-close"), unbase64(known["maker"])),
            "trust": lambda: open_trust(text),
            "pin": lambda: follow(known, open_trust(text)),
            "disclosure": lambda: open_disclosure(text, known["recipient"]),
        }
        agree(vector["kind"] + ": " + vector["name"], outcome(attempts[vector["kind"]]), vector["error"])
    for vector in file["messages"]:
        envelope = open_envelope(vector["file"], json.loads(vector["file"])["type"].removeprefix("touchmark/v1/"))
        agree(vector["name"], envelope_message(envelope["type"], envelope["signed"]).hex(), vector["message"])
    agree("authority", authority_fingerprint(file["authority"]).hex(), file["authority_fingerprint"])


def check_verdicts(file, agree):
    trust = open_trust(file["trust"])["signed"]
    for vector in file["cases"]:
        expected = vector["verdict"], vector["date_not_corroborated"]
        agree(vector["name"], verdict(bytes.fromhex(vector["content"]), trust), expected)


CHECKS = {
    "marks.json": check_marks, "containers.json": check_containers, "invalid-marks.json": check_invalid_marks, "keys.json": check_keys,
    "texts.json": check_texts, "capsules.json": check_capsules, "envelopes.json": check_envelopes,
    "verdicts.json": check_verdicts,
}


def main(folder):
    from ledger import check_ledger  # These need this module in turn.
    from seal import check_seal

    failed = 0
    for name, check in [*CHECKS.items(), ("ledger.json", check_ledger), ("case-seal.json", check_seal)]:
        count = 0

        def agree(what, found, expected):
            nonlocal count, failed
            count += 1
            if found != expected:
                failed += 1
                print(f"{name}: {what}: {found!r}, and not {expected!r}")

        check(json.loads((folder / name).read_text("utf-8")), agree)
        print(f"{name}: {count} comparisons")
    return 1 if failed else 0


if __name__ == "__main__":
    default = pathlib.Path(__file__).resolve().parent.parent / "vectors"
    sys.exit(main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else default))

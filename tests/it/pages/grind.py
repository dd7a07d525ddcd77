"""Stands in for a grinder and a camera: a photo of a mark, made from its modules, of which a strip is left.

    python3 grind.py MODULES PHOTO.png

Of several marks it is the first.
"""

import struct
import sys
import zlib

PIXELS, QUIET, LEFT = 8, 4, 0.3


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


rows = open(sys.argv[1]).read().split("\n\n")[0].split()
side = (len(rows) + 2 * QUIET) * PIXELS


def grey(x, y):
    column, row = x // PIXELS - QUIET, y // PIXELS - QUIET
    if column > LEFT * len(rows):
        return 110 + (x * 31 + y * 17 + x * y % 23) % 20
    inside = 0 <= column and 0 <= row < len(rows)
    return 60 if inside and rows[row][column] == "1" else 200


pixels = b"".join(b"\0" + bytes(grey(x, y) for x in range(side)) for y in range(side))
with open(sys.argv[2], "wb") as photo:
    photo.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)))
    photo.write(chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b""))

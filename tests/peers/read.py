"""Another reader of symbols, driven by `cargo bench-photos --peers`.

    read.py zxing-cpp|opencv|zbar|libdmtx

Paths come on standard input, one a line; for each, one JSON line goes out: `load_ms`, `read_ms` (the picture being in
memory), and `symbols` with `symbology` and `bytes` (base64). Each reader is asked for QR Code and Data Matrix only, as
far as it can read them, at its most thorough settings.
"""

import base64
import json
import sys
import time

import numpy
from PIL import Image, ImageOps


def zxing_cpp():
    import zxingcpp

    wanted = [zxingcpp.BarcodeFormat.QRCode, zxingcpp.BarcodeFormat.MicroQRCode, zxingcpp.BarcodeFormat.DataMatrix]

    def read(grey):
        found = zxingcpp.read_barcodes(grey, formats=wanted, try_rotate=True, try_downscale=True, try_invert=True)
        return [(str(f.format).replace(" ", ""), f.bytes, f.text) for f in found if f.valid]

    return read


def opencv():
    import cv2

    detector = cv2.QRCodeDetector()

    def read(grey):
        try:
            good, texts, _, _ = detector.detectAndDecodeMulti(grey)
        except cv2.error:
            return []
        return [("QRCode", t.encode("utf-8", "surrogateescape"), t) for t in texts if t] if good else []

    return read


def zbar():
    from pyzbar import pyzbar

    def read(grey):
        found = pyzbar.decode(Image.fromarray(grey), symbols=[pyzbar.ZBarSymbol.QRCODE])
        return [("QRCode", f.data, None) for f in found]

    return read


def libdmtx():
    from pylibdmtx import pylibdmtx

    def read(grey):
        # Without a limit it may search a photo for minutes.
        found = pylibdmtx.decode(Image.fromarray(grey), timeout=500, max_count=1)
        return [("DataMatrix", f.data, None) for f in found]

    return read


READERS = {"zxing-cpp": zxing_cpp, "opencv": opencv, "zbar": zbar, "libdmtx": libdmtx}


def main():
    read = READERS[sys.argv[1]]()
    for line in sys.stdin:
        start = time.perf_counter()
        try:
            picture = ImageOps.exif_transpose(Image.open(line.rstrip("\n")))
            if picture.mode in ("RGBA", "LA", "P", "PA"):
                picture = picture.convert("RGBA")
                white = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(white, picture)
            grey = numpy.ascontiguousarray(picture.convert("L"))
            loaded = time.perf_counter()
            found = read(grey)
        except OSError:
            loaded, found = time.perf_counter(), []
        done = time.perf_counter()
        symbols = [
            {"symbology": kind, "bytes": base64.b64encode(data).decode(), "text": text} for kind, data, text in found
        ]
        out = {"load_ms": (loaded - start) * 1e3, "read_ms": (done - loaded) * 1e3, "symbols": symbols}
        print(json.dumps(out), flush=True)


if __name__ == "__main__":
    main()

"""Makes world.json: outlines of countries for the map of the report.

Source: Natural Earth, 1:110m, public domain (naturalearthdata.com), in the form in which the source
distribution of geopandas 0.14.4 holds it (geopandas/datasets). Run it with pyshp and pycountry installed:

    python world.py geopandas-0.14.4/geopandas/datasets > world.json

The output is {"width", "height", "paths": {alpha-2: SVG path}, "points": {alpha-2: [x, y]}}: Equal Earth
(Savric, Patterson, Jenny 2018), whole units, a path for each country that the map shows, a point for each
that it shows and for those that are too small for it.
"""

import json
import math
import sys

import pycountry
import shapefile

WIDTH = 1000.0
# Countries without an alpha-3 code in the source, and parts that ISO 3166-1 counts with another.
BY_NAME = {"Kosovo": "XK", "Somaliland": "SO", "N. Cyprus": "CY"}
# Ports and states too small for outlines at this scale, by a city of the same source.
SMALL = {
    "Singapore": "SG", "Hong Kong": "HK", "Monaco": "MC", "Vaduz": "LI", "San Marino": "SM", "Andorra": "AD",
    "Valletta": "MT", "Manama": "BH", "Malé": "MV", "Port Louis": "MU", "Victoria": "SC", "Bridgetown": "BB",
    "Castries": "LC", "Basseterre": "KN", "Roseau": "DM", "Saint George's": "GD", "Saint John's": "AG",
    "Kingstown": "VC", "Praia": "CV", "São Tomé": "ST", "Moroni": "KM", "Apia": "WS", "Nuku'alofa": "TO",
    "Majuro": "MH", "Palikir": "FM", "Melekeok": "PW", "Tarawa": "KI", "Funafuti": "TV", "Vatican City": "VA",
}
# Offshore addresses of trade that the source has no city for: degrees east and north.
MORE = {"MO": (113.54, 22.20), "GI": (-5.35, 36.14), "KY": (-81.25, 19.32), "VG": (-64.62, 18.42),
        "BM": (-64.78, 32.30), "JE": (-2.13, 49.21), "GG": (-2.58, 49.46), "IM": (-4.53, 54.24),
        "CW": (-68.99, 12.17), "AW": (-69.97, 12.52), "FO": (-6.91, 61.89)}


def equal_earth(longitude, latitude):
    a1, a2, a3, a4 = 1.340264, -0.081106, 0.000893, 0.003796
    theta = math.asin(math.sqrt(3) / 2 * math.sin(math.radians(latitude)))
    t2 = theta * theta
    t6 = t2 * t2 * t2
    x = 2 * math.sqrt(3) * math.radians(longitude) * math.cos(theta)
    x /= 3 * (9 * a4 * t6 * t2 + 7 * a3 * t6 + 3 * a2 * t2 + a1)
    return x, theta * (a4 * t6 * t2 + a3 * t6 + a2 * t2 + a1)


LIMIT_X, LIMIT_Y = equal_earth(180, 0)[0], equal_earth(0, 84)[1]
SCALE = WIDTH / (2 * LIMIT_X)
BOTTOM = equal_earth(0, -57)[1]


def place(longitude, latitude):
    x, y = equal_earth(longitude, latitude)
    return round((x + LIMIT_X) * SCALE), round((LIMIT_Y - y) * SCALE)


def rings(shape):
    ends = list(shape.parts[1:]) + [len(shape.points)]
    return [shape.points[a:b] for a, b in zip(shape.parts, ends)]


def area(ring):
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1]))) / 2


def centre(ring):
    return sum(x for x, _ in ring) / len(ring), sum(y for _, y in ring) / len(ring)


def middle(ring):
    """The centre of a ring's area."""
    pairs = list(zip(ring, ring[1:] + ring[:1]))
    twice = sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)
    x = sum((x1 + x2) * (x1 * y2 - x2 * y1) for (x1, y1), (x2, y2) in pairs) / (3 * twice)
    y = sum((y1 + y2) * (x1 * y2 - x2 * y1) for (x1, y1), (x2, y2) in pairs) / (3 * twice)
    return x, y


def path(ring):
    points = []
    for point in ring:
        placed = place(*point)
        if not points or placed != points[-1]:
            points.append(placed)
    if len(points) > 1 and points[0] == points[-1]:
        points.pop()
    if len(points) < 3:
        return ""
    out = "M%d %dl" % points[0]
    steps = ["%d %d" % (x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in zip(points, points[1:])]
    return (out + " ".join(steps)).replace(" -", "-") + "z"


def main(folder):
    countries = {}
    for row in shapefile.Reader(folder + "/naturalearth_lowres/naturalearth_lowres.shp").shapeRecords():
        code = BY_NAME.get(row.record["name"])
        if code is None:
            known = pycountry.countries.get(alpha_3=row.record["iso_a3"])
            if known is None:
                print("no code:", row.record["name"], file=sys.stderr)
                continue
            code = known.alpha_2
        if code == "AQ":
            continue
        for ring in rings(row.shape):
            x, y = centre(ring)
            # The source draws who holds the land. Crimea is Ukraine's by UN General Assembly resolution 68/262.
            crimea = code == "RU" and 32.3 < x < 36.8 and 44.2 < y < 46.3
            countries.setdefault("UA" if crimea else code, []).append(ring)
    points = {}
    for code, own in countries.items():
        points[code] = place(*middle(max(own, key=area)))
    for row in shapefile.Reader(folder + "/naturalearth_cities/naturalearth_cities.shp").shapeRecords():
        code = SMALL.get(row.record["name"])
        if code:
            points[code] = place(*row.shape.points[0])
    for code, degrees in MORE.items():
        points[code] = place(*degrees)
    missing = set(SMALL.values()) - set(points)
    if missing:
        print("no city for", missing, file=sys.stderr)
    paths = {code: "".join(path(ring) for ring in own) for code, own in countries.items()}
    height = round((LIMIT_Y - BOTTOM) * SCALE)
    world = {"width": int(WIDTH), "height": height,
             "paths": {code: text for code, text in sorted(paths.items()) if text},
             "points": dict(sorted(points.items()))}
    json.dump(world, sys.stdout, separators=(",", ":"))
    print()


main(sys.argv[1])

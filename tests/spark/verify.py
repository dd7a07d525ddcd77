"""Verifies photos on a Spark cluster: one line of JSON a photo, in the order of the list.

    verify.py --master MASTER --list FILE --out FILE [--slices N] -- touchmark-verify photo --files0-from - --json OPTION...

FILE has the names of the photos, each ending with a NUL byte (find -print0). Every worker must find the photos, the program
and the trust bundle at the same paths: on a shared file system, or copied there. What is after -- runs once a slice; what
comes out is what one run over the whole list prints.
"""

import argparse
import json
import shlex
import subprocess
import sys

# RDD.pipe speaks in lines, and a name may hold a line feed: each goes as a JSON string, and becomes a name again at the worker.
NAMES = """
import json, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE)
for line in sys.stdin:
    child.stdin.write(json.loads(line).encode("utf-8", "surrogateescape") + b"\\0")
    child.stdin.flush()
child.stdin.close()
# 1 and 3 speak of photos; 2 says that there are no verdicts.
sys.exit(2 if child.wait() not in (0, 1, 3) else 0)
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--master", required=True)
    parser.add_argument("--list", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--slices", type=int, default=0)
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()

    from pyspark.sql import SparkSession

    with open(args.list, "rb") as names:
        paths = [name.decode("utf-8", "surrogateescape") for name in names.read().split(b"\0") if name]
    session = SparkSession.builder.master(args.master).appName("touchmark-verify").getOrCreate()
    context = session.sparkContext
    context.setLogLevel("ERROR")
    slices = args.slices or max(context.defaultParallelism * 4, 1)
    command = shlex.join(["python3", "-c", NAMES, *args.command])
    lines = context.parallelize([json.dumps(path) for path in paths], slices).pipe(command, checkCode=True)
    count = 0
    with open(args.out, "w", encoding="utf-8") as out:
        # Slice by slice: a result set does not fit the driver's memory.
        for line in lines.toLocalIterator(prefetchPartitions=True):
            out.write(line + "\n")
            count += 1
    session.stop()
    if count != len(paths):
        sys.exit(f"{len(paths)} photos, and {count} lines")


if __name__ == "__main__":
    main()

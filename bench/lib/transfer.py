# SPDX-License-Identifier: Apache-2.0
"""Getting data out of a traced process: transfer.c, summarised."""
import subprocess

import output
import stats
from base import PATIENCE, Failure, progress

WAYS = {
    "peek": "PTRACE_PEEKDATA, word by word",
    "fifo": "the tracee is made to write() into a FIFO",
    "vm": "process_vm_readv",
    "shm": "shared memory, data is there already",
    "ring": "shared memory, the process copies it there first",
}


def run(bench):
    rounds = bench.reps(7)
    ms = bench.duration(0.03) * 1000
    progress("  transfers")
    try:
        r = subprocess.run(
            [bench.build.path("bench/transfer"), str(rounds), str(ms)],
            capture_output=True, text=True, check=False,
            timeout=PATIENCE + rounds * ms / 1000 * 15 * 5)
    except subprocess.TimeoutExpired:
        raise Failure("bench/transfer does not end") from None
    if r.returncode:
        raise Failure(f"bench/transfer: {r.stderr.strip()}")
    samples = {}
    for line in r.stdout.splitlines():
        way, size, ns = line.split("\t")
        samples.setdefault(int(size), {}).setdefault(way, []).append(float(ns))
    for size, by_way in samples.items():
        name = f"{size} B" if size < 1024 else f"{size // 1024} KiB"
        series = stats.Series([w for w in by_way if w != "vm"])
        # the way a monitor would choose first takes the place of "native"
        for w, v in by_way.items():
            key = "native" if w == "vm" else w
            series.samples[key] = [{"value": x} for x in v]
            if w != "vm":
                series.ratios[w] = [x / y for x, y in zip(v, by_way["vm"])]
        modes = series.summary()
        modes = {"vm": modes.pop("native"), **modes}
        bench.result["cases"][name] = {
            "title": f"{name} out of a traced process", "unit": "ns",
            "better": "less", "modes": modes}
    sizes = list(samples)
    rows = [["one transfer"] + list(bench.result["cases"])]
    speed = [["MB/s"] + list(bench.result["cases"])]
    ratio = [["ratio to process_vm_readv"] + list(bench.result["cases"])]
    for w, what in WAYS.items():
        got = [c["modes"][w] for c in bench.result["cases"].values()]
        rows.append([what] + [output.ns(m["median"]) for m in got])
        speed.append([what] + [output.number(s / m["median"] * 1000)
                               for s, m in zip(sizes, got)])
        ratio.append([what] + [output.number(m.get("ratio", 1)) for m in got])
    for t in (rows, speed, ratio):
        bench.table({"rows": t})

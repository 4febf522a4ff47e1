# SPDX-License-Identifier: Apache-2.0
"""Load clients. Each returns a sample:

    {"value": requests per second, "requests": n, "seconds": s, "errors": n,
     "latency": [[percentile, microseconds], ...]}
"""
import contextlib
import json
import os
import re
import subprocess
import tempfile
import time

import stats
from base import LIB, PATIENCE, Failure, tool


_watch = None  # raises when the server asked has died


@contextlib.contextmanager
def watching(server):
    """Clients end early when this server dies; some of them would go on
    trying for ever."""
    global _watch
    _watch = server.alive
    try:
        yield
    finally:
        _watch = None


def run(argv, seconds):
    """stdout of a client that should take about so long."""
    with tempfile.TemporaryFile() as out, subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT) as p:
        try:
            end = time.monotonic() + seconds + PATIENCE
            while True:
                try:
                    p.wait(1)
                    break
                except subprocess.TimeoutExpired:
                    if _watch:
                        _watch()
                if time.monotonic() > end:
                    raise Failure(f"{' '.join(argv)}: no end within "
                                  f"{seconds + PATIENCE:.0f} s")
        finally:
            if p.poll() is None:
                p.kill()
        out.seek(0)
        text = out.read().decode(errors="replace")
    if p.returncode:
        raise Failure(f"{' '.join(argv)} ended with {p.returncode}:\n"
                      f"{text[-1000:]}")
    return text


def sample(d):
    if not d["requests"]:
        raise Failure("not one request was answered")
    d["value"] = d["requests"] / d["seconds"]
    return d


def wrk(url, seconds, connections=10, prefix=()):
    """Keep-alive. wrk's durations are whole seconds."""
    whole = max(1, round(seconds))
    out = run([*prefix, tool("wrk"), "-t1", f"-c{connections}",
               f"-d{whole}s", "--timeout", "10s", "-s",
               os.path.join(LIB, "percentiles.lua"), url], whole)
    for line in out.splitlines():
        if line.startswith("JSON "):
            return sample(json.loads(line[5:]))
    raise Failure(f"wrk said:\n{out[-1000:]}")


def ab(url, seconds, connections=10, prefix=()):
    """A connection per request."""
    whole = max(1, round(seconds))
    with tempfile.NamedTemporaryFile(suffix=".csv") as csv:
        # -t sets -n to 50000; the one behind it counts
        out = run([*prefix, tool("ab"), "-q", "-c", str(connections), "-t",
                   str(whole), "-n", "100000000", "-s", "10", "-e", csv.name,
                   url], whole)
        curve = []
        for line in csv.read().decode().splitlines()[1:]:
            p, ms = line.split(",")
            curve.append([float(p), float(ms) * 1000])

    def number(what):
        m = re.search(rf"^{what}:\s+([\d.]+)", out, re.M)
        return float(m.group(1)) if m else 0.0
    return sample({"requests": int(number("Complete requests")),
                   "seconds": number("Time taken for tests"),
                   "errors": int(number("Failed requests") +
                                 number("Non-2xx responses")),
                   "latency": curve})


def redis(port, seconds, test, pipeline, rate, connections=10):
    """redis-benchmark makes a number of requests: rate says how many fit."""
    count = max(200, int(rate * seconds))
    out = run([tool("redis-benchmark"), "-h", "127.0.0.1", "-p", str(port),
               "-c", str(connections), "-n", str(count), "-P", str(pipeline),
               "-t", test], seconds * 10)
    out = out.replace("\r", "\n")
    m = re.search(r"(\d+) requests completed in ([\d.]+) seconds", out)
    if not m:
        raise Failure(f"redis-benchmark said:\n{out[-1000:]}")
    # seconds have two digits there; the summary has the rate
    throughput = re.search(r"throughput summary: ([\d.]+)", out)
    value = float(throughput.group(1))
    curve = [[float(p), float(ms) * 1000] for p, ms in re.findall(
        r"^([\d.]+)% <= ([\d.]+) milliseconds \(cumulative", out, re.M)]
    # the curve's points differ from run to run: these do not
    if curve:
        curve = [[p, stats.at(curve, p)] for p in (
            0, 1, 2, 5, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95, 97, 98,
            99, 99.5, 99.9, 100)]
    return {"value": value, "requests": int(m.group(1)),
            "seconds": int(m.group(1)) / value, "errors": 0,
            "latency": curve}


def memcached(build, port, seconds, size, sets, connections=10):
    return sample(json.loads(run(
        [build.path("bench/memload"), "127.0.0.1", str(port), str(seconds),
         str(connections), str(size), str(sets)], seconds)))

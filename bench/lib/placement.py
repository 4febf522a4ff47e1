# SPDX-License-Identifier: Apache-2.0
"""Where monitord and the variants run decides what a rendezvous costs: the
same call with the parts pinned to different cores, and what ptrace alone
costs there (rendezvous_floor.c)."""
import os
import subprocess

import output
import stats
from base import PATIENCE, progress
from modes import Mode

STRICT = Mode("strict/2", "strict", 2)


def pinned(c, call, where):
    """A strict run whose parts sit on chosen CPUs; where(tracer, leader,
    followers) gives {pid: cpu}."""
    loop = c.start(STRICT, call, ("--placement", "none"))
    loop.batch(0)
    tracer, variants = loop.tracer_and_variants()
    for pid, cpu in where(tracer, variants[0], variants[1:]).items():
        os.sched_setaffinity(pid, {cpu})
    return loop


def starters(c, call, cpus):
    a = cpus[0]
    start = {
        "native": lambda: c.start(Mode("native"), call),
        "default": lambda: c.start(STRICT, call),
        "kernel decides": lambda: c.start(STRICT, call,
                                          ("--placement", "none")),
        "all on one core": lambda: pinned(
            c, call, lambda t, le, fo: dict.fromkeys([t, le, *fo], a)),
    }
    if len(cpus) > 1:
        b = cpus[1]
        start["monitord elsewhere"] = lambda: pinned(
            c, call, lambda t, le, fo: {t: b, **dict.fromkeys([le, *fo], a)})
        start["followers elsewhere"] = lambda: pinned(
            c, call, lambda t, le, fo: {t: a, le: a, **dict.fromkeys(fo, b)})
    return start


def bare(c, cpus, samples):
    """A rendezvous of a tracer that does nothing but skip the call."""
    where = {"bare ptrace, one core": (cpus[0], cpus[0]),
             "bare ptrace, kernel decides": (-1, -1)}
    if len(cpus) > 1:
        where["bare ptrace, tracer elsewhere"] = (cpus[1], cpus[0])
    result = {w: [] for w in where}
    for _ in range(samples):
        for w, (tracer, children) in where.items():
            r = subprocess.run(
                [c.bench.build.path("bench/rendezvous_floor"), "2",
                 str(tracer), str(children), "3000"], check=True,
                capture_output=True, timeout=PATIENCE)
            result[w].append(float(r.stdout))
    return result


def measure(c):
    cpus = sorted(os.sched_getaffinity(0))
    rows = [["one rendezvous, strict N=2", "refused", "ratio", "spread",
             "getppid", "ratio", "spread"]]
    found = {}
    for call in ("refused", "getppid"):
        found[call] = c.interleave(
            starters(c, call, cpus), f"placements, {call}", c.bench.reps(3),
            c.args.rounds, c.bench.duration(0.05))
    for name in found["refused"]:
        row = [name]
        for call in found:
            m = found[call].get(name, {})
            if "median" in m:
                row += [output.ns(m["median"]), output.number(
                    m.get("ratio", 1)), f"{m['spread'] * 100:.0f} %"]
            else:
                row += ["FAILED", "", ""]
        rows.append(row)
    progress("  bare ptrace")
    for name, v in bare(c, cpus, max(c.bench.reps(3), 4)).items():
        low, high = stats.quartiles(v)
        median = sorted(v)[len(v) // 2]
        rows.append([name, output.ns(median), "",
                     f"{(high - low) / median * 100:.0f} %", "", "", ""])
    c.bench.result["placement"] = found
    c.bench.table({"rows": rows, "note":
                   "refused: a call nobody executes, one stop per variant; "
                   "getppid: the leader executes it, one stop more; bare "
                   "ptrace: what the machine allows"})

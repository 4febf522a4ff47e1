# SPDX-License-Identifier: Apache-2.0
"""Tables for people, JSON for bench/report.

A table is {"title", "rows": [[text, ...], ...], "note"}; the first row is the
head.  A result is one JSON object:

    version, workload, title, time, command, machine, noise_before/after
    cases: {name: {title, unit, better ("more" or "less"), modes: {mode:
        {median, min, max, spread, ratio, ratio_low, ratio_high, ratios,
         samples, latency, cpu_ns, switches, counts, errors, failed}}}}
    tables: what was printed beyond that
    skipped: {case: reason}
    plots: files beside the JSON
"""
import json
import os
import time

import stats
from base import OUT, Failure

MARKDOWN = False


def number(x):
    if x == 0:
        return "0"
    if abs(x) >= 1000:
        return f"{x:,.0f}".replace(",", " ")
    if abs(x) >= 100:
        return f"{x:.0f}"
    if abs(x) >= 10:
        return f"{x:.1f}"
    if abs(x) >= 0.01:
        return f"{x:.2f}"
    return f"{x:.1g}"


def ns(x):
    if abs(x) < 10_000:
        return f"{x:.0f} ns"
    if abs(x) < 1_000_000:
        return f"{x / 1000:.1f} µs"
    return f"{x / 1e6:.2f} ms"


def show(table):
    rows = table["rows"]
    print()
    if table.get("title"):
        print(("**%s**\n" if MARKDOWN else "%s") % table["title"])
    if MARKDOWN:
        rows = [rows[0], ["---"] + ["---:"] * (len(rows[0]) - 1), *rows[1:]]
        for r in rows:
            print(f"| {' | '.join(r)} |")
    else:
        widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
        for r in rows:
            print("  " + "  ".join(
                c.ljust(w) if i == 0 else c.rjust(w)
                for i, (c, w) in enumerate(zip(r, widths))).rstrip())
    if table.get("note"):
        print(("\n%s" if MARKDOWN else "  (%s)") % table["note"])


def value(x, unit):
    return ns(x) if unit == "ns" else number(x)


def case_table(case):
    """Throughput (or cost), ratio and latency of one case."""
    unit = case["unit"]
    head = ["", unit if unit != "ns" else "cost", "spread", "ratio",
            "quartiles"]
    curves = any("latency" in m for m in case["modes"].values())
    errors = any("errors" in m for m in case["modes"].values())
    if curves:
        head += ["p50", "p99", "p99/native"]
    if errors:
        head += ["errors"]
    rows = [head]
    base = case["modes"].get("native", {}).get("latency")
    for name, m in case["modes"].items():
        if "median" not in m:
            rows.append([name, "FAILED"] + [""] * (len(head) - 2))
            continue
        row = [name, value(m["median"], unit), f"{m['spread'] * 100:.0f} %"]
        if "ratio" in m:
            row += [number(m["ratio"]), f"{number(m['ratio_low'])}–"
                    f"{number(m['ratio_high'])}"]
        else:
            row += ["", ""]
        if curves and "latency" in m:
            p99 = stats.at(m["latency"], 99)
            row += [ns(stats.at(m["latency"], 50) * 1000), ns(p99 * 1000),
                    number(p99 / stats.at(base, 99)) if base else ""]
        elif curves:
            row += ["", "", ""]
        if errors:
            row += [str(m.get("errors", 0))]
        if "failed" in m:
            row[0] += " (failed later)"
        rows.append(row)
    return {"title": case["title"], "rows": rows}


def cpu_table(case, per="request"):
    """CPU time and switches per request, by role. Steadier than throughput:
    the leader against native is what a client waits for when cores are free,
    the sum what the machine pays."""
    rows = [[f"CPU time per {per}", "server or leader", "/ native",
             "followers", "monitord", "sum", "/ native", "switches, all"]]
    native = sum(case["modes"].get("native", {}).get("cpu_ns", {}).values())
    for name, m in case["modes"].items():
        cpu = m.get("cpu_ns")
        if not cpu or "sum" in cpu:
            continue
        main = cpu.get("server", cpu.get("leader", 0))
        total = sum(cpu.values())
        rows.append([name, ns(main), number(main / native) if native else "",
                     " + ".join(ns(v) for role, v in cpu.items()
                                if role[0] == "f"),
                     ns(cpu["monitord"]) if "monitord" in cpu else "",
                     ns(total), number(total / native) if native else "",
                     number(sum(m["switches"].values()))
                     if "switches" in m else ""])
    return {"rows": rows} if len(rows) > 1 else None


def counts_table(case, per="request"):
    """Kernel entries, stops and futexes per request, by role."""
    rows = [[f"per {per}", "role", "kernel entries", "ptrace stops", "futex",
             "switches"]]
    for name, m in case["modes"].items():
        for role, c in m.get("counts", {}).items():
            rows.append([name, role] + [
                number(c[k]) if k in c else "" for k in
                ("entries", "stops", "futex", "switches")])
    return {"rows": rows} if len(rows) > 1 else None


def calls_table(case):
    """The busiest calls of each role, as shares."""
    rows = [["calls that reach the kernel, share", "role", "", "", "", "", ""]]
    for name, m in case["modes"].items():
        for role, calls in m.get("by_call", {}).items():
            total = sum(calls.values())
            top = sorted(calls.items(), key=lambda c: -c[1])[:5]
            cells = [f"{k} {v / total * 100:.0f} %" for k, v in top]
            rows.append([name, role] + cells + [""] * (5 - len(cells)))
    return {"rows": rows} if len(rows) > 1 else None


def check(path):
    """Will write() be able to?  Better known before hours of measuring."""
    path = os.path.abspath(path or os.path.join(OUT, "probe"))
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        there = os.path.lexists(path)
        with open(path, "a", encoding="utf-8"):
            pass
        if not there:
            os.unlink(path)
    except OSError as e:
        raise Failure(f"{path}: {e.strerror}; -o names a file that can be "
                      "written") from None


def write(result, path):
    if not path:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = os.path.join(OUT, f"{result['workload']}-{stamp}.json")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(result, f, indent=1, ensure_ascii=False)
    return path

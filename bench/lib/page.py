# SPDX-License-Identifier: Apache-2.0
"""One self-contained HTML page out of results (output.py says what is in one).

SVG files of gnuplot use ids (for markers and clip paths) which would collide
on one page, so every plot gets its own prefix.
"""
import glob
import html
import json
import os
import re
import shlex

import machine
import output
import plot
from base import OUT, note

ORDER = ("nginx", "lighttpd", "haproxy", "redis", "memcached", "syscall",
         "signal", "startup", "transfer")

STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem;
	margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { margin-top: 3rem; border-bottom: 2px solid
	var(--line); } h3 { margin-top: 2rem; }
table { border-collapse: collapse; margin: .8rem 0; font-size: .87rem;
	font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem; border-bottom: 1px solid var(--line);
	text-align: right; vertical-align: top; }
th:first-child, td:first-child { text-align: left; }
td { white-space: nowrap; } td.text { white-space: normal;
	text-align: left; max-width: 40rem; }
th { background: var(--soft); }
.wide { overflow-x: auto; }
.note, dd { color: #777; font-size: .9rem; }
.noisy { color: #c30; } .failed { color: #c30; white-space: pre-wrap; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto;
	background: #fff; }
code, pre { font: .85rem ui-monospace, monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dd { margin: 0; }
"""


def e(text):
    return html.escape(str(text))


def table(t):
    rows = t["rows"]
    out = ["<div class=wide><table><thead><tr>"]
    out += [f"<th>{e(c)}</th>" for c in rows[0]]
    out.append("</tr></thead><tbody>")
    for r in rows[1:]:
        out.append("<tr>" + "".join(
            f"<td class=text>{e(c)}</td>" if i and len(c) > 40 else
            f"<td>{e(c)}</td>" for i, c in enumerate(r)) + "</tr>")
    out.append("</tbody></table></div>")
    if t.get("note"):
        out.append(f"<p class=note>{e(t['note'])}</p>")
    if t.get("title"):
        out.insert(0, f"<h3>{e(t['title'])}</h3>")
    return "\n".join(out)


def svg(path, prefix):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    text = text[text.index("<svg"):]
    for name in set(re.findall(r"\bid=['\"]([^'\"]+)['\"]", text)):
        text = re.sub(rf"(\bid=['\"]|#){re.escape(name)}(['\")])",
                      rf"\g<1>{prefix}{name}\g<2>", text)
    # no script, no reference to anything outside
    text = re.sub(r"<script.*?</script>", "", text, flags=re.S)
    return f"<figure>{text}</figure>"


def details(m):
    n = ("noise_before", "noise_after")
    return "\n".join(
        f"<p class={'note' if m[k]['quiet'] else 'noisy'}>"
        f"{e(machine.noise_line(k.removeprefix('noise_'), m[k]))}</p>"
        for k in n if k in m)


def the_machine(m):
    rows = [("processor", f"{m['cpu']}, {m['cpus']} CPUs" +
             (" (virtual)" if m["virtual"] else "") +
             (f", governor {m['governor']}" if m["governor"] else "")),
            ("memory", m["memory"]), ("system", m["system"]),
            ("kernel", f"Linux {m['kernel']}"), ("ipmon", m["commit"]),
            ("mitigations", "; ".join(f"{k}: {v}" for k, v in
                                      m["mitigations"].items()) or "none")]
    return "<dl>" + "".join(f"<dt>{e(k)}</dt><dd>{e(v)}</dd>"
                            for k, v in rows) + "</dl>"


def section(path, r, prefix):
    folder = os.path.dirname(os.path.abspath(path))
    plots = r.get("plots", [])
    if not plots:
        plots = plot.draw(r, path, note)
    plots = [p for p in plots if p.endswith(".svg") and
             os.path.exists(os.path.join(folder, p))]
    used = set()

    def figure(part):
        for p in plots:
            if p not in used and part in p:
                used.add(p)
                return svg(os.path.join(folder, p),
                           f"{prefix}-{len(used)}-")
        return ""

    out = [f"<h2 id={e(r['workload'])}>{e(r['title'])}</h2>",
           f"<p><code>{e(shlex.join(['bench/run', *r['command'][1:]]))}"
           f"</code><br>{e(r['time'])}, ipmon {e(r['machine']['commit'])}</p>",
           details(r)]
    if "control" in r:
        c = r["control"]
        out.append(f"<p>Native against native is {c['low']:.2f} to "
                   f"{c['high']:.2f} here (quartiles): differences like that "
                   "are noise.</p>")
    for name, why in r.get("skipped", {}).items():
        out.append(f"<p class=noisy>skipped: {e(name)}: {e(why)}</p>")
    out += [figure("-ratio."), figure("-value.")]
    servers = any("latency" in m for c in r["cases"].values()
                  for m in c["modes"].values())
    tables = "\n".join(table(t) for t in r.get("tables", []))
    if not servers:
        out.append(tables)
    for name, case in r["cases"].items():
        if not servers and r["workload"] in ("syscall", "signal", "transfer"):
            continue  # the overview has it all
        out.append(table(output.case_table(case)))
        for mode, m in case["modes"].items():
            if "failed" in m:
                out.append(f"<details class=failed><summary>{e(mode)} failed"
                           f"</summary>{e(m['failed'])}</details>")
        out.append(figure(f"-latency-{name}."))
        for t in (output.cpu_table(case), output.counts_table(case),
                  output.calls_table(case)):
            if t:
                out.append(table(t))
    if servers:
        out.append(tables)
    return "\n".join(o for o in out if o)


def newest():
    """The newest result of each workload."""
    found = {}
    for path in sorted(glob.glob(os.path.join(OUT, "*.json")),
                       key=os.path.getmtime):
        try:
            with open(path, encoding="utf-8") as f:
                r = json.load(f)
            found[r["workload"]] = path
        except (ValueError, KeyError, TypeError):
            continue
    return list(found.values())


def main(args):
    results = []
    for path in args.result or newest():
        try:
            with open(path, encoding="utf-8") as f:
                r = json.load(f)
            if r.get("version") != 1 or "cases" not in r:
                raise ValueError
            results.append((path, r))
        except OSError as err:
            note(f"bench/report: {path}: {err.strerror}; bench/run writes "
                 "results to bench/out/, or where -o says")
            return 1
        except (ValueError, AttributeError):
            note(f"bench/report: {path}: not a result of bench/run; name the "
                 "JSON file it has written, or none for those in bench/out/")
            return 1
    if not results:
        note("bench/report: no results in bench/out/; run bench/run first")
        return 1
    results.sort(key=lambda x: ORDER.index(x[1]["workload"])
                 if x[1]["workload"] in ORDER else len(ORDER))
    parts = ["<!doctype html><html lang=en><head><meta charset=utf-8>"
             "<meta name=viewport content='width=device-width'>"
             f"<title>ipmon: measurements</title><style>{STYLE}</style></head>"
             "<body><h1>ipmon: measurements</h1>",
             "<p>Native and monitored copies are alive at once and take turns; "
             "a ratio is the median of the ratios to the native neighbours. "
             "“relaxed/2” is <code>monitord run -n 2 --policy "
             "relaxed</code>; “control” is native once more.</p>",
             "<p>" + " · ".join(f"<a href=#{e(r['workload'])}>{e(r['title'])}"
                                "</a>" for _, r in results) + "</p>"]
    shown = None
    for i, (path, r) in enumerate(results):
        m = {k: v for k, v in r["machine"].items() if k != "commit"}
        if m != shown:
            shown = m
            parts.append(the_machine(r["machine"]))
        parts.append(section(path, r, f"p{i}"))
    parts.append("</body></html>\n")
    try:
        os.makedirs(os.path.dirname(os.path.abspath(args.output)),
                    exist_ok=True)
        with open(args.output, "w", encoding="utf-8") as f:
            f.write("\n".join(parts))
    except OSError as err:
        note(f"bench/report: {args.output}: {err.strerror}; -o names a file "
             "that can be written")
        return 1
    print(args.output)
    return 0

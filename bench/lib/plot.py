# SPDX-License-Identifier: Apache-2.0
"""Plots of a result, by gnuplot, as SVG and PNG beside the JSON.

    NAME-value.*         what was measured, a cluster of bars per case
    NAME-ratio.*         relative to native, with quartiles
    NAME-latency-CASE.*  latency: share of requests that took at most so long
"""
import os
import subprocess

from base import PATIENCE, have

TERMINALS = (
    ("svg", "svg size {w},{h} dynamic font 'sans,12' background '#ffffff'"),
    ("png", "pngcairo size {w},{h} font 'sans,10'"),
)
# distinguishable without colour vision, too
COLOURS = ("#444444", "#aaaaaa", "#0072b2", "#d55e00", "#009e73", "#cc79a7",
           "#e69f00", "#56b4e9", "#f0e442", "#7b3294", "#a6611a", "#018571")


def quoted(text):
    """For gnuplot's double quotes; no enhanced text."""
    return '"%s"' % str(text).replace("\\", "\\\\").replace('"', '\\"')


def modes_of(cases):
    """In the order of their first appearance."""
    found = []
    for c in cases.values():
        found += [m for m in c["modes"] if m not in found]
    return found


def gnuplot(script, path, width=900, height=420):
    """Draw it in every format; the files' names."""
    names = []
    for suffix, terminal in TERMINALS:
        file = f"{path}.{suffix}"
        text = (f"set terminal {terminal.format(w=width, h=height)}\n"
                f"set output {quoted(file)}\n" + script + "\nunset output\n")
        r = subprocess.run([have("gnuplot"), "-"], input=text, text=True,
                           capture_output=True, timeout=PATIENCE, check=False)
        if r.returncode or not os.path.exists(file):
            raise RuntimeError(f"gnuplot: {r.stderr.strip()[:500]}")
        names.append(os.path.basename(file))
    return names


COMMON = """
set encoding utf8
set termoption noenhanced
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror out
set key outside top center horizontal
"""


def bars(cases, modes, colours, columns, path, ylabel, title, log=False, line=None):
    """columns(mode of a case) gives (value, low, high) or None."""
    rows = []
    for name, case in cases.items():
        row = [quoted(name)]
        for m in modes:
            v = columns(case["modes"].get(m, {}))
            row += [f"{x:.6g}" for x in v] if v else ["?"] * 3
        rows.append(" ".join(row))
    plots = [f"$data using {3 * i + 2}:{3 * i + 3}:{3 * i + 4}"
             f"{':xtic(1)' if i == 0 else ''} title {quoted(m)} "
             f"lc rgb {quoted(colours[m])}"
             for i, m in enumerate(modes)]
    script = COMMON + f"""
$data << EOD
{chr(10).join(rows)}
EOD
set datafile missing "?"
set title {quoted(title)}
set ylabel {quoted(ylabel)}
set style data histograms
set style histogram errorbars gap 1.5 lw 1
set style fill solid 0.9 noborder
set errorbars 0.4 lc rgb "#000000"
set xtics {"rotate by -25" if len(rows) > 5 else ""}
{"set logscale y" if log else "set yrange [0:*]"}
{f'set arrow from graph 0, first {line} to graph 1, first {line} nohead dt 2 lc rgb "#888888"' if line else ""}
plot {", ".join(plots)}
"""
    return gnuplot(script, path, max(900, 60 + 14 * len(rows) * len(modes)))


def cdf(case, path):
    blocks, plots = [], []
    for i, (name, m) in enumerate(case["modes"].items()):
        if not m.get("latency"):
            continue
        # 100 % may be infinitely far out
        points = [(us / 1000, p / 100) for p, us in m["latency"]
                  if us > 0 and p < 100]
        blocks.append(f"$m{i} << EOD\n" + "\n".join(
            f"{x:.6g} {y:.6g}" for x, y in points) + "\nEOD")
        plots.append(f"$m{i} using 1:2 title {quoted(name)} with lines lw 2 "
                     f"lc rgb {quoted(COLOURS[i % len(COLOURS)])}")
    if not plots:
        return []
    script = COMMON + "\n".join(blocks) + f"""
set title {quoted(case["title"])}
set xlabel "latency, ms"
set ylabel "share of requests"
set logscale x
set grid xtics lc rgb "#dddddd"
set yrange [0:1]
plot {", ".join(plots)}
"""
    return gnuplot(script, path)


def draw(result, json_path, say):
    """The names of the files drawn."""
    cases = result["cases"]
    if not cases:
        return []
    if not have("gnuplot"):
        say("no plots: gnuplot is not there (Debian package gnuplot-nox)")
        return []
    base = os.path.splitext(json_path)[0]
    modes = modes_of(cases)
    case = next(iter(cases.values()))
    unit = case["unit"]
    medians = [m["median"] for c in cases.values()
               for m in c["modes"].values() if m.get("median", 0) > 0]
    if not medians:
        return []
    colours = {m: COLOURS[i % len(COLOURS)] for i, m in enumerate(modes)}
    wide = max(medians) > 30 * min(medians)
    plots = []
    try:
        plots += bars(
            cases, modes, colours, lambda m: (m["median"], m["min"], m["max"])
            if m.get("median", 0) > 0 and m["min"] > 0 else None,
            base + "-value", unit, result["title"] + ": " + unit +
            " (median, least and most)", wide)
        ratios = [m["ratio"] for c in cases.values()
                  for m in c["modes"].values() if "ratio" in m]
        if ratios:
            plots += bars(
                cases, [m for m in modes if m != "native"], colours,
                lambda m: (m["ratio"], m["ratio_low"], m["ratio_high"])
                if m.get("ratio", 0) > 0 and m["ratio_low"] > 0 else None,
                base + "-ratio", "ratio to native",
                f"{result['title']}: ratio to native (median, quartiles; "
                f"{case['better']} is better)", max(ratios) > 10, 1)
        for name, c in cases.items():
            plots += cdf(c, f"{base}-latency-{name}")
    except (RuntimeError, subprocess.TimeoutExpired) as e:
        say(f"plots: {e}")
    return plots

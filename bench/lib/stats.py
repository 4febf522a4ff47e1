# SPDX-License-Identifier: Apache-2.0
"""Taking turns, and what the samples say.

A round is: native, two modes, native, two modes, native, ...  Every sample
has a native sample just before and just after it (never further than one mode
away), and its ratio is taken against the mean of these two.  What disturbs
the machine for seconds disturbs a sample and its neighbours alike.  The
reported ratio is the median of these ratios, not a ratio of medians; spread is
the distance of the quartiles, relative to the median.
"""
import statistics

GROUP = 2  # modes between two native samples


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    q = statistics.quantiles(values, n=4, method="inclusive")
    return q[0], q[2]


def order(modes):
    """One round: names, `native` first and last."""
    turns = []
    for i in range(0, len(modes), GROUP):
        turns += ["native", *modes[i:i + GROUP]]
    return turns + ["native"]


class Series:
    """The samples of one case. A sample is a dict with "value"."""

    def __init__(self, modes):
        self.modes = list(modes)
        self.samples = {m: [] for m in ["native", *self.modes]}
        self.ratios = {m: [] for m in self.modes}
        self.failed = {}

    def turn(self, take):
        """One round; take(mode) returns a sample or raises RuntimeError."""
        waiting, before = [], None
        for m in order([m for m in self.modes if m not in self.failed]):
            try:
                s = take(m)
            except RuntimeError as e:
                if m == "native":
                    raise
                self.failed[m] = str(e)
                continue
            self.samples[m].append(s)
            if m != "native":
                waiting.append((m, s["value"]))
                continue
            for name, value in waiting:
                near = (before + s["value"]) / 2
                self.ratios[name].append(value / near if near else 0.0)
            waiting, before = [], s["value"]

    def summary(self):
        result = {}
        for m, samples in self.samples.items():
            if not samples:
                continue
            values = [s["value"] for s in samples]
            median = statistics.median(values)
            low, high = quartiles(values)
            r = result[m] = {
                "median": median, "min": min(values), "max": max(values),
                "spread": (high - low) / median if median else 0.0,
                "samples": samples,
            }
            ratios = self.ratios.get(m)
            if ratios:
                low, high = quartiles(ratios)
                r.update(ratio=statistics.median(ratios), ratios=ratios,
                         ratio_low=low, ratio_high=high)
            r.update(per_request(samples))
        for m, why in self.failed.items():
            result.setdefault(m, {})["failed"] = why
        return result


def middle(dicts, key):
    """Medians by role of sample[key] = {role: number}."""
    found = {}
    for d in dicts:
        for role, value in d.get(key, {}).items():
            found.setdefault(role, []).append(value)
    return {role: statistics.median(v) for role, v in found.items()}


def per_request(samples):
    """Medians of what samples tell beyond their value."""
    r = {}
    for key in ("cpu_ns", "switches"):
        m = middle(samples, key)
        if m:
            r[key] = m
    curves = [dict(map(tuple, s["latency"])) for s in samples
              if s.get("latency")]
    if curves:
        common = set.intersection(*(set(c) for c in curves))
        r["latency"] = [[p, statistics.median(c[p] for c in curves)]
                        for p in sorted(common)]
    errors = sum(s.get("errors", 0) for s in samples)
    if errors:
        r["errors"] = errors
    return r


def at(latency, p):
    """Latency at a percentile (linear between the points that are there)."""
    before = None
    for q, value in latency:
        if q >= p:
            if before is None or q == p:
                return value
            share = (p - before[0]) / (q - before[0])
            return before[1] + share * (value - before[1])
        before = (q, value)
    return before[1] if before else 0.0

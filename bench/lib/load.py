# SPDX-License-Identifier: Apache-2.0
"""Measuring servers: the part that is common to all of them.

A workload is a list of groups.  A group is one configuration of the server;
one copy per mode is started and all of them stay alive while the cases of the
group are measured, the client turning from one to the next (stats.py says in
which order).  A case is one way of asking.

After the turns comes a phase of counting with perf (perf.py), and at the end
the counters of --stats, from which those of a run without requests are
subtracted.
"""
import fnmatch
import os
import time

import clients
import output
import perf
import procs
import stats
from base import Failure, Skip, note, progress
from modes import NATIVE


class Case:
    """client(server, seconds) returns a sample."""

    def __init__(self, name, title, client):
        self.name, self.title, self.client = name, title, client


class Group:
    """One configuration: start(mode) returns a Server; end() cleans up."""

    name, cases = "", ()

    def start(self, mode):
        raise NotImplementedError

    def end(self):
        pass


class Load:
    def __init__(self, bench):
        self.bench, self.args = bench, bench.args
        self.servers = {}
        self.lost = {}  # mode: why
        self.requests = {}  # by mode, in the life of the present servers
        self.seconds = bench.duration(2.0)
        self.reps = bench.reps(3)

    # ---- servers ----

    def start(self, group):
        for mode in [NATIVE, *self.bench.modes]:
            progress(f"  {group.name}: starting {mode.name}")
            s = group.start(mode)
            self.servers[mode.name] = s
            try:
                s.ready()
            except Failure as e:
                self.lose(mode.name, e)
        if NATIVE.name not in self.servers:
            raise Failure("the native server does not start")

    def lose(self, name, why):
        note(f"FAILED {name}: {why}")
        self.bench.failed += 1
        self.lost[name] = str(why)
        s = self.servers.pop(name, None)
        if s:
            if s.said() and s.said() not in str(why):
                note(f"the server said: {s.said()}")
            s.kill()

    def kill_all(self):
        for s in self.servers.values():
            s.kill()
        self.servers = {}

    def stop_all(self):
        """{mode: counters}"""
        found = {}
        for name, s in list(self.servers.items()):
            progress(f"  stopping {name}")
            try:
                found[name] = s.stop()
            except Failure as e:
                self.lose(name, e)
        self.kill_all()
        return found

    def baseline(self, group):
        """Counters of a life without requests, by mode."""
        found = {}
        for mode in self.bench.modes:
            if not mode.monitored or mode.name not in self.servers:
                continue
            progress(f"  {group.name}: counters of {mode.name} without load")
            s = group.start(mode)
            try:
                s.ready()
                found[mode.name] = s.stop()
            except Failure as e:
                note(f"no counters without load for {mode.name}: {e}")
            finally:
                s.kill()
        return found

    # ---- one case ----

    def sample(self, case, name, seconds):
        server = self.servers[name]
        server.alive()
        who = server.roles()
        before = procs.usage(who)
        with clients.watching(server):
            s = case.client(server, seconds)
        spent = procs.spent(before, procs.usage(who))
        server.alive()
        n = s["requests"]
        self.requests[name] = self.requests.get(name, 0) + n
        s["cpu_ns"] = {r: cpu / n for r, (cpu, _) in spent.items()}
        s["switches"] = {r: sw / n for r, (_, sw) in spent.items()}
        return s

    def measure(self, case):
        names = [n for n in self.servers if n != NATIVE.name]
        for n in [NATIVE.name, *names]:
            progress(f"  {case.name}: warming {n}")
            try:
                with clients.watching(self.servers[n]):
                    case.client(self.servers[n], min(1.0, self.seconds))
            except Failure as e:
                self.lose(n, e)
        names = [n for n in names if n in self.servers]
        series = stats.Series(names)
        turns = len(stats.order(names)) * self.reps
        done = 0

        def take(name):
            nonlocal done
            done += 1
            left = (turns - done + 1) * (self.seconds + 0.2)
            progress(f"  {case.name}: {done}/{turns} {name}, "
                     f"{left:.0f} s left")
            try:
                return self.sample(case, name, self.seconds)
            except Failure as e:
                if name != NATIVE.name:
                    self.lose(name, e)
                raise
        for _ in range(self.reps):
            series.turn(take)
        modes = series.summary()
        if not self.args.no_counts:
            self.count(case, modes)
        for name, why in self.lost.items():
            modes.setdefault(name, {})["failed"] = why
        return {"title": case.title, "unit": "requests/s", "better": "more",
                "modes": modes}

    def count(self, case, modes):
        why = perf.missing()
        if why:
            self.bench.once(f"no kernel entries per request: {why}")
            return
        for name in list(self.servers):
            if name == "control" or name not in modes:
                continue
            progress(f"  {case.name}: counting {name}")
            server = self.servers[name]
            work = lambda: case.client(server, 1.0)  # noqa: E731
            try:
                with clients.watching(server):
                    self.count_one(name, server.roles(), work, modes[name])
            except Failure as e:
                self.lose(name, e)

    def count_one(self, name, who, work, m):
        s, counts = perf.count(who, work)
        self.add(name, s)
        m["counts"] = {role: {k: v / s["requests"] for k, v in c.items()}
                       for role, c in counts.items()}
        m["by_call"] = perf.by_call(who, lambda: self.add(name, work()))

    def add(self, name, s):
        self.requests[name] = self.requests.get(name, 0) + s["requests"]

    # ---- all of it ----

    def group(self, group, cases):
        b = self.bench
        self.requests, self.lost = {}, {}
        note(f"{group.name}: {', '.join(c.name for c in cases)}")
        try:
            self.start(group)
            base = {} if self.args.no_counts else self.baseline(group)
            for case in cases:
                r = self.measure(case)
                b.result["cases"][case.name] = r
                output.show(output.case_table(r))
                self.details(r)
            counters = self.stop_all()
            if not self.args.no_counts:
                self.counters(group, base, counters)
        finally:
            self.kill_all()
            group.end()

    def details(self, r):
        for t in (output.cpu_table(r), output.counts_table(r),
                  output.calls_table(r)):
            if t:
                output.show(t)

    def counters(self, group, base, counters):
        """What --stats counted, per request over all cases of the group."""
        keys = []
        for c in counters.values():
            keys += [k for k, v in c.get("totals", {}).items()
                     if v and isinstance(v, int) and k not in keys]
        rows = [[f"--stats per request, {group.name}", "requests", *keys]]
        for name, c in counters.items():
            n = self.requests.get(name)
            if not c.get("totals") or not n:
                continue
            before = base.get(name, {}).get("totals", {})
            rows.append([name, str(n)] + [
                output.number(max(c["totals"].get(k, 0) - before.get(k, 0), 0)
                              / n) for k in keys])
        if len(rows) > 1:
            self.bench.table({"rows": rows, "note":
                              "of all cases together, without what start and "
                              "end cost; traps are \"rendezvous\", wakes are "
                              "IP-MON's"})
        rows = [[f"what trapped, {group.name}", "where", "calls", "why",
                 "per request"]]
        for name, c in counters.items():
            if self.requests.get(name):
                rows += trapped(name, c, base.get(name, {}),
                                self.requests[name])
        if len(rows) > 1:
            self.bench.table({"rows": rows, "note":
                              "of --stats, the busiest sites, without those "
                              "of start and end"})

    def run(self, groups):
        left = time.monotonic()
        wanted = self.args.cases.split(",") if self.args.cases else ["*"]
        found, names = False, []
        for make in groups:
            try:
                group = make()
            except Skip as e:
                note(f"skipped: {e}")
                self.bench.result["skipped"][make.__name__] = str(e)
                continue
            names += [c.name for c in group.cases]
            cases = [c for c in group.cases
                     if any(fnmatch.fnmatch(c.name, w) for w in wanted)]
            if cases:
                found = True
                self.group(group, cases)
            else:
                group.end()
        if not found:
            why = list(self.bench.result["skipped"].values())
            raise Skip(why[0]) if why else Failure(
                f"no case is called {self.args.cases}; there are "
                f"{', '.join(names)}")
        note(f"took {time.monotonic() - left:.0f} s")


def sites(counters):
    """{(file, offset): what --stats says about a site that trapped}"""
    return {(o["path"], t["offset"]): t for o in counters.get("objects", [])
            for t in o.get("trapped", [])}


def shares(counts, most=2):
    total = sum(counts.values())
    top = sorted(counts.items(), key=lambda c: -c[1])[:most]
    return ", ".join(f"{k} {v / total * 100:.0f} %" for k, v in top)


def trapped(name, counters, base, requests, most=5):
    """Rows: the sites that trapped most often, per request."""
    before, found = sites(base), []
    for key, t in sites(counters).items():
        n = t["traps"] - before.get(key, {}).get("traps", 0)
        if n > 0:
            found.append((n, key, t))
    return [[name, t.get("symbol") or f"{os.path.basename(key[0])}+{key[1]}",
             ", ".join(t.get("calls", {})), shares(t.get("why", {})),
             output.number(n / requests)]
            for n, key, t in sorted(found, key=lambda f: -f[0])[:most]]

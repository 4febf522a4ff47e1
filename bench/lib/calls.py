# SPDX-License-Identifier: Apache-2.0
"""What one system call costs.

Modes: native; "floor", native under a seccomp filter that checks the
instruction pointer and allows (no in-process scheme can be cheaper for calls
that enter the kernel); strict, where every call goes to monitord; verified and
relaxed, where IP-MON handles most of them in the variant.

Time is taken here, outside the variants: inside, the clock is a replicated
call and rdtsc traps.  The measured program (syscall_loop.c) waits for a
number on stdin, makes that many calls and answers with one byte.  A sample is
(time of a batch - time of an empty batch) / calls, the empty one being the
shortest of three, so start-up and hand-over are not in it.  The answer passes
the same way as the calls do, so a leader that has run ahead of its followers
answers at once: the followers' share is in the CPU times, and in `relaxed`
the ring bounds how far ahead it can be.  A pair of calls (openat_close) is
divided by two.

getpid_libc and getpid_syscall are made 5,000,000 times in a row unless
--duration says otherwise, or unless that would take too long: these are
scaled, and say so.
"""
import fnmatch
import os
import select
import subprocess
import tempfile
import time

import output
import perf
import procs
import stats
from base import PATIENCE, Failure, note, progress
from modes import Mode

FIVE_MILLION = ("getpid_libc", "getpid_syscall")
TOO_LONG = 10.0  # seconds for 5,000,000 calls, then fewer are made
FLOOR = Mode("floor")


class Loop:
    """One copy of the measured program."""

    def __init__(self, bench, mode, call, data, options=()):
        argv = [bench.build.path("bench/syscall_loop")]
        if mode.name == FLOOR.name:
            argv.append("--filter")
        self.mode = mode
        self.argv = [*mode.argv(bench.build,
                                options=[*bench.args.option, *options]),
                     *argv, call, data]
        self.err = tempfile.TemporaryFile()
        self.p = subprocess.Popen(self.argv, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=self.err,
                                  bufsize=0)
        self.count, self.want, self.per, self.who = 0, 0, 1, None

    def fail(self, what):
        self.err.seek(0)
        said = self.err.read().decode(errors="replace")[:3000]
        raise Failure(f"{' '.join(self.argv)}: {what}\n{said}")

    def batch(self, n):
        """Nanoseconds from handing over `n` to the answer."""
        t0 = time.perf_counter_ns()
        try:
            self.p.stdin.write(b"%d\n" % n)
        except OSError:
            self.fail("ended")
        if not select.select([self.p.stdout], [], [], PATIENCE)[0]:
            self.fail(f"no answer for {PATIENCE} s")
        answer = self.p.stdout.read(1)
        t1 = time.perf_counter_ns()
        if answer != b"+":
            self.fail(f"ended with {self.p.wait(PATIENCE)}")
        return t1 - t0

    def calibrate(self, seconds, wanted=None):
        """Choose the number of iterations of a sample."""
        # a short look at a disturbed machine must not decide that it is slow
        n, want = 16, (max(seconds, 0.4) if wanted else seconds) * 1e9
        while True:
            looks = 1 if n * 4 > 5_000_000 else 3
            t = max(min(self.batch(n) for _ in range(looks)) - self.batch(0),
                    1)
            if t > want / 8 or n > 5_000_000:
                break
            n *= 4
        self.want = want
        self.count = max(16, min(int(n * want / t), 20_000_000))
        if wanted and t / n * wanted < TOO_LONG * 1e9:
            self.count, self.want = wanted, 0
        self.who = procs.roles(self.p.pid, self.mode.monitored)

    def sample(self):
        """Nanoseconds per call."""
        empty = min(self.batch(0) for _ in range(3))
        before = procs.usage(self.who)
        t = self.batch(self.count)
        spent = procs.spent(before, procs.usage(self.who))
        n = self.count * self.per
        if t < self.want / 2:  # calibrated in a bad moment
            self.count = int(self.count * min(self.want / t, 8))
        return {"value": max(t - empty, 1) / n, "calls": n,
                "cpu_ns": {r: cpu / n for r, (cpu, _) in spent.items()},
                "switches": {r: sw / n for r, (_, sw) in spent.items()}}

    def count_events(self, calls):
        _, counts = perf.count(self.who, lambda: self.batch(calls))
        return {role: {k: v / calls / self.per for k, v in c.items()}
                for role, c in counts.items()}

    def tracer_and_variants(self):
        """The tracer's pid, [leader, follower 1, ...]."""
        who = procs.roles(self.p.pid, True)
        if "leader" not in who:
            self.fail("no leader found")
        variants = [who["leader"][0]] + [
            who[r][0] for r in sorted(who) if r[0] == "f"]
        return int(procs.status(variants[0])["TracerPid"]), variants

    def end(self):
        self.p.stdin.close()
        try:
            code = self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.fail("does not end")
        self.p.stdout.close()
        if code:
            self.fail(f"ended with {code}")
        self.err.close()

    def kill(self):
        if self.p.poll() is None:
            self.p.kill()
            self.p.wait()


class Calls:
    def __init__(self, bench):
        self.bench, self.args = bench, bench.args
        self.alive = []
        shm = "/dev/shm"
        self.folder = tempfile.mkdtemp(
            prefix="ipmon-bench.", dir=shm if os.access(shm, os.W_OK) else None)
        self.data = os.path.join(self.folder, "data")
        with open(self.data, "wb") as f:
            f.write(os.urandom(65536))
        listing = subprocess.run(
            [bench.build.path("bench/syscall_loop"), "--list"], check=True,
            capture_output=True, text=True, timeout=PATIENCE).stdout
        self.known = {}
        for line in listing.splitlines():
            name, calls, what = line.split("\t")
            self.known[name] = int(calls), what

    def close(self):
        for loop in self.alive:
            loop.kill()
        try:
            os.unlink(self.data)
            os.rmdir(self.folder)
        except OSError:
            pass

    def choose(self, names):
        if not self.args.cases:
            return names
        patterns = self.args.cases.split(",")
        found = [c for c in self.known
                 if any(fnmatch.fnmatch(c, p) for p in patterns)]
        if not found:
            raise Failure(f"no call is called {self.args.cases}; there are "
                          f"{', '.join(self.known)}")
        return found

    def start(self, mode, call, options=()):
        loop = Loop(self.bench, mode, call, self.data, options)
        self.alive.append(loop)
        loop.per = self.known[call][0]
        return loop

    def drop(self, loop):
        loop.kill()
        self.alive.remove(loop)

    def end_all(self):
        while self.alive:
            self.alive[-1].end()
            self.alive.pop()

    def interleave(self, start, what, starts, rounds, seconds, wanted=None,
                   last=None):
        """start: {name: function that starts a Loop}, "native" among them.
        last(loops) is called before the last copies end."""
        series = stats.Series([n for n in start if n != "native"])
        turns = starts * rounds * len(stats.order(series.modes))
        done, began = 0, time.monotonic()
        for s in range(starts):
            loops = {}
            for name, f in start.items():
                if name in series.failed:
                    continue
                progress(f"  {what}: starting {name}")
                loops[name] = loop = f()
                try:
                    loop.batch(16)
                    loop.calibrate(seconds, wanted)
                except Failure as e:
                    if name == "native":
                        raise
                    self.lose(series, name, loop, e)

            def take(name):
                nonlocal done
                done += 1
                left = (time.monotonic() - began) / done * (turns - done)
                progress(f"  {what}: {done}/{turns} {name}, {left:.0f} s left")
                try:
                    return loops[name].sample()
                except Failure as e:
                    if name != "native":
                        self.lose(series, name, loops[name], e)
                    raise
            for _ in range(rounds):
                series.turn(take)
            if last and s == starts - 1:
                last({n: v for n, v in loops.items()
                      if n not in series.failed})
            self.end_all()
        return series.summary()

    def lose(self, series, name, loop, why):
        note(f"FAILED {name}: {why}")
        self.bench.failed += 1
        series.failed[name] = str(why)
        self.drop(loop)

    def modes(self):
        return [Mode("native"), FLOOR, *self.bench.modes]

    def measure(self, call):
        five = call in FIVE_MILLION and not self.args.duration
        counts = {}

        def last(loops):
            why = perf.missing()
            if why:
                self.bench.once(f"no kernel entries per call: {why}")
                return
            for name, loop in loops.items():
                if name in ("floor", "control"):
                    continue
                progress(f"  {call}: counting {name}")
                counts[name] = loop.count_events(min(loop.count, 20000))

        modes = self.interleave(
            {m.name: lambda m=m: self.start(m, call) for m in self.modes()},
            call, self.bench.reps(3), 1 if five else self.args.rounds,
            self.bench.duration(0.05), 5_000_000 if five else None,
            None if self.args.no_counts else last)
        for name, c in counts.items():
            modes[name]["counts"] = c
        what = self.known[call][1]
        return {"title": f"{call}" + (f": {what}" if what else ""),
                "unit": "ns", "better": "less", "modes": modes}


def overview(cases):
    """All calls on one page: median, ratio to native and to the floor."""
    modes = []
    for c in cases.values():
        modes += [m for m in c["modes"] if m not in modes]
    rows = [["cost per call"] + modes]
    ratios = [["ratio to native"] + modes[1:]]
    floors = [["ratio to the floor"] + [m for m in modes[1:] if m != "floor"]]
    for name, c in cases.items():
        got = [c["modes"].get(m, {}) for m in modes]
        rows.append([name] + [output.ns(m["median"]) if "median" in m else
                              "FAILED" for m in got])
        ratios.append([name] + [output.number(m["ratio"]) if "ratio" in m else
                                "" for m in got[1:]])
        floor = c["modes"].get("floor", {}).get("median")
        floors.append([name] + [
            output.number(m["median"] / floor) if floor and "median" in m
            else "" for k, m in zip(modes[1:], got[1:]) if k != "floor"])
    tables = [{"rows": rows, "note": "medians of interleaved samples"},
              {"rows": ratios, "note": "median over neighbours"}]
    if len(floors[0]) > 1:
        tables.append({"rows": floors, "note": "of medians"})
    return tables


def per_call(cases):
    """CPU time of each role, and what perf counted, per call."""
    rows = [["per call", "mode", "role", "CPU", "switches", "kernel entries",
             "ptrace stops", "futex"]]
    for call, c in cases.items():
        for name, m in c["modes"].items():
            if name in ("floor", "control"):
                continue
            for role, cpu in m.get("cpu_ns", {}).items():
                n = m.get("counts", {}).get(role, {})
                rows.append([call, name, role, output.ns(cpu),
                             output.number(m["switches"].get(role, 0))] + [
                    output.number(n[k]) if k in n else ""
                    for k in ("entries", "stops", "futex")])
    return {"rows": rows}


def five_million(cases):
    rows = [["5,000,000 getpid, seconds", "through", "time", "ratio",
             "spread"]]
    for call in FIVE_MILLION:
        if call not in cases:
            continue
        for name, m in cases[call]["modes"].items():
            if "median" not in m:
                continue
            made = min(s["calls"] for s in m["samples"])
            rows.append([name, "libc" if "libc" in call else "syscall(2)",
                         f"{m['median'] * 5e-3:.3f}" +
                         ("" if made >= 5_000_000 else
                          f" (scaled from {made})"),
                         output.number(m.get("ratio", 1)),
                         f"{m['spread'] * 100:.0f} %"])
    return {"rows": rows} if len(rows) > 1 else None


def measure_all(bench, choose, after=None):
    """choose(known) gives the calls measured by default."""
    c = Calls(bench)
    try:
        cases = bench.result["cases"]
        for call in c.choose(choose(c.known)):
            try:
                cases[call] = c.measure(call)
            except Failure as e:
                bench.failed += 1
                note(f"FAILED {call}: {e}")
                for loop in list(c.alive):
                    c.drop(loop)
        for t in overview(cases) + [five_million(cases), per_call(cases)]:
            if t:
                bench.table(t)
        if after:
            after(c)
    finally:
        c.close()


def run(bench):
    import placement

    def after(c):
        if not bench.args.no_placement:
            placement.measure(c)
    measure_all(bench, lambda known: [k for k in known
                                      if "kill" not in k and "raise" not in k],
                after)

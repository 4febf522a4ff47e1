# SPDX-License-Identifier: Apache-2.0
"""What starting a program costs, and what that is made of.

Each sample is one run from posix_spawn() to the end, seen from outside.  The
breakdown comes from runs of their own:

  parts   what can be had separately: monitord without a program, the program
          with libipmon preloaded but without monitord
  phases  perf's time stamps of forks, execs and exits of monitord, the tracer
          and the variants
  steps   the longest times between two kernel entries of the leader
  counts  --stats of one run
  calls   perf trace -s: kernel entries of each process, and where the time in
          the kernel went (waiting included)
"""
import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import threading
import time

import output
import perf
import stats
from base import PATIENCE, Failure, have, note, output_of, progress
from modes import NATIVE

PROGRAMS = {
    "true": (["/bin/true"], "/bin/true"),
    "sh": (["/bin/sh", "-c", "/bin/true; :"], "sh that runs /bin/true"),
    "python": (["/usr/bin/python3", "-I", "-S", "-c", "pass"],
               "python3 -c pass"),
}


def once(argv, env=None):
    """One run: wall time, and CPU time of it and all that it waited for."""
    null = os.open(os.devnull, os.O_RDWR)
    err = tempfile.TemporaryFile()
    running = []
    late = threading.Timer(PATIENCE, lambda: [os.kill(p, signal.SIGKILL)
                                              for p in running])
    late.daemon = True
    late.start()
    try:
        t = time.perf_counter_ns()
        pid = os.posix_spawn(argv[0], argv, env or os.environ, file_actions=[
            (os.POSIX_SPAWN_DUP2, fd, k) for k, fd in
            enumerate((null, null, err.fileno()))])
        running.append(pid)
        _, status, ru = os.wait4(pid, 0)
        running.clear()
        t = time.perf_counter_ns() - t
    finally:
        late.cancel()
        os.close(null)
    with err:
        if status:
            err.seek(0)
            raise Failure(f"{' '.join(argv)} ended with "
                          f"{os.waitstatus_to_exitcode(status)}\n"
                          f"{err.read().decode(errors='replace')[:3000]}")
    return {"value": t, "cpu_ns": {"sum": (ru.ru_utime + ru.ru_stime) * 1e9}}


def several(what, argv, reps, env=None):
    progress(f"  {what}")
    return statistics.median(once(argv, env)["value"] for _ in range(reps))


def parts(bench, reps):
    """Name and nanoseconds of what can be measured alone."""
    true = PROGRAMS["true"][0]
    preload = dict(os.environ, LD_PRELOAD=bench.build.path(
        "libipmon/libipmon.so") + ":" + bench.build.path(
        "libipmon/libipmon-compat.so"))
    return [
        ("/bin/true natively", several("native", true, reps)),
        ("/bin/true natively, libipmon preloaded",
         several("preloaded", true, reps, preload)),
        ("monitord --version", several(
            "monitord --version", [bench.build.monitord, "--version"], reps)),
    ]


# ---- phases, from perf's time stamps ----

LIFE = ("sched:sched_process_fork", "sched:sched_process_exec",
        "sched:sched_process_exit")
ENTRY = "raw_syscalls:sys_enter"
PHASES = (
    ("exec monitord", "monitord is loaded, prepares, forks its tracer",
     "fork tracer"),
    ("fork tracer", "variants are forked, filtered, seized", "first exec"),
    ("first exec", "exec in all variants", "last exec"),
    ("last exec", "the program: ld.so, libipmon, patching, main, exit",
     "first exit"),
    ("first exit", "all variants end", "last exit"),
    ("last exit", "monitord ends", "end"),
)


def record(argv, kinds):
    """[(ns, event, pid, child pid or call number)] of one run, and its pid."""
    with tempfile.NamedTemporaryFile(prefix="ipmon-bench.") as f:
        command = [have("perf"), "record", "-q", "-o", f.name]
        for e in kinds:
            command += ["-e", e]
        # the shell tells the pid
        r = subprocess.run([*command, "--", "/bin/sh", "-c",
                            'echo $$; exec "$@"', "sh", *argv],
                           capture_output=True, text=True, timeout=PATIENCE,
                           check=False)
        if r.returncode:
            raise Failure(f"perf record: {r.stderr.strip()[-500:]}")
        text = subprocess.run(
            [have("perf"), "script", "-i", f.name, "--ns", "-F",
             "comm,pid,tid,time,event,trace"], capture_output=True,
            text=True, timeout=PATIENCE, check=False).stdout
    found = []
    for line in text.splitlines():
        m = re.search(r"\s(\d+)/\d+\s+(\d+)\.(\d{9}):\s+\w+:(\w+):\s+(.*)$",
                      line)
        if not m:
            continue
        pid, event, rest = int(m.group(1)), m.group(4), m.group(5)
        what = re.search(r"child_pid=(\d+)" if "fork" in event else
                         r"NR (-?\d+)", rest)
        found.append((int(m.group(2)) * 10**9 + int(m.group(3)),
                      event.removeprefix("sched_process_"), pid,
                      int(what.group(1)) if what else None))
    return found, int(r.stdout.split()[0])


def variants_of(found, monitord_pid):
    """The tracer, and those of its children that execute something, in the
    order of their birth: the leader first."""
    forks = [(pid, child) for _, e, pid, child in found if e == "fork"]
    execs = {pid for _, e, pid, _ in found if e == "exec"}
    for pid, tracer in forks:
        children = [c for p, c in forks if p == tracer and c in execs]
        if pid == monitord_pid and children:
            return tracer, children
    return None, []


def marks(found, monitord_pid):
    """{mark: ns}"""
    at = {}
    tracer, variants = variants_of(found, monitord_pid)
    for t, event, pid, what in found:
        if event == "exec" and pid == monitord_pid:
            at["exec monitord"] = t
        elif event == "fork" and what == tracer:
            at["fork tracer"] = t
        elif event in ("exec", "exit") and pid in variants:
            at.setdefault(f"first {event}", t)
            at[f"last {event}"] = t
        elif event == "exit" and pid == monitord_pid:
            at["end"] = t
    return at


def phases(argv, reps):
    """{phase: [ns, ...]}"""
    result = {}
    for i in range(reps):
        progress(f"  phases {i + 1}/{reps}")
        at = marks(*record(argv, LIFE))
        for start, name, end in PHASES:
            if start in at and end in at:
                result.setdefault(name, []).append(at[end] - at[start])
    return result


def names(bench):
    """{call number: name}, of `monitord syscalls`."""
    found = {}
    for line in output_of(bench.build.monitord, "syscalls").splitlines():
        f = line.split()
        if len(f) > 1 and f[0].isdigit():
            found[int(f[0])] = f[1]
    return found


def gaps(bench, argv):
    """Rows: the longest times between two kernel entries of the leader.
    Calls that monitord answers itself do not enter the kernel and are inside
    the gaps; those it makes the variant execute are among the entries."""
    found, pid = record(argv, [*LIFE, ENTRY])
    _, variants = variants_of(found, pid)
    if not variants:
        return []
    known = names(bench)
    leader = [(t, what) for t, e, p, what in found
              if e == "sys_enter" and p == variants[0]]
    steps = sorted(((b - a, m, n) for (a, m), (b, n) in
                    zip(leader, leader[1:])), reverse=True)
    return [[output.ns(ns), known.get(m, str(m)), known.get(n, str(n))]
            for ns, m, n in steps[:10]]


def kernel_calls(argv):
    """Rows: process, kernel entries, the calls that took longest."""
    with tempfile.NamedTemporaryFile(prefix="ipmon-bench.") as f:
        subprocess.run([have("perf"), "trace", "-s", "-o", f.name, "--",
                        *argv], capture_output=True, timeout=PATIENCE,
                       check=False)
        text = f.read().decode(errors="replace")
    rows, calls = [], []

    def close():
        entries = sum(c[1] for c in calls)
        if rows and entries < 20:  # a process made to try something out
            rows.pop()
        elif rows:
            top = sorted(calls, key=lambda c: -c[2])[:4]
            rows[-1][1] = str(entries)
            rows[-1][2] = ", ".join(f"{n} {k} ({ms:.1f} ms)"
                                    for n, k, ms in top)
            if any(c[0] == "ptrace" for c in calls):
                rows[-1][0] += ", tracer"
    for line in text.splitlines():
        m = re.match(r"\s*(.*) \((\d+)\), \d+ events", line)
        if m:
            close()
            calls = []
            rows.append([m.group(1), "", ""])
            continue
        f = line.split()
        if len(f) >= 6 and re.fullmatch(r"[a-z_0-9]+", f[0]) and \
                f[1].isdigit():
            calls.append((f[0], int(f[1]), float(f[3])))
    close()
    return rows


def breakdown(bench, mode):
    argv = [*mode.argv(bench.build, options=bench.args.option),
            *PROGRAMS["true"][0]]
    if not perf.missing():
        found = phases(argv, max(bench.reps(15) // 2, 1))
        rows = [[f"phases of {mode.name}, /bin/true", "time"]]
        rows += [[name, output.ns(statistics.median(v))]
                 for name, v in found.items()]
        if len(rows) > 1:
            rows.append(["sum", output.ns(sum(
                statistics.median(v) for v in found.values()))])
            bench.table({"rows": rows, "note": "medians; perf adds a little "
                         "to each event"})
        rows = gaps(bench, argv)
        if rows:
            bench.table({"rows": [[f"longest steps of the leader, {mode.name}",
                                   "after", "before"], *rows],
                         "note": "between two kernel entries, of one run"})
        rows = kernel_calls(argv)
        if rows:
            bench.table({"rows": [[f"kernel entries, {mode.name}", "entries",
                                   "longest in (waiting included)"], *rows]})
    with tempfile.NamedTemporaryFile(prefix="ipmon-bench.",
                                     suffix=".json") as f:
        once([*mode.argv(bench.build, f.name, bench.args.option),
              *PROGRAMS["true"][0]])
        with open(f.name, encoding="utf-8") as g:
            s = json.load(g)
    t = {k: v for k, v in s.get("totals", {}).items() if v}
    calls = sorted(s.get("calls", {}).items(), key=lambda c: -c[1])
    bench.table({"rows": [[f"--stats of {mode.name}, /bin/true", "count"]] +
                 [[k, str(v)] for k, v in t.items()] +
                 [["rendezvous by call", ", ".join(
                     f"{k} {v}" for k, v in calls[:12])]]})


def measure(bench, name, argv, title, reps):
    modes = {m.name: m for m in [NATIVE, *bench.modes]}
    series = stats.Series([m for m in modes if m != "native"])

    def take(mode):
        try:
            return once([*modes[mode].argv(bench.build,
                                           options=bench.args.option), *argv])
        except Failure as e:
            note(f"FAILED {name}, {mode}: {e}")
            bench.failed += 1
            raise
    for i in range(reps):
        progress(f"  {name}: {i + 1}/{reps}")
        series.turn(take)
    for v in series.samples.values():
        for s in v:
            s.pop("switches", None)
    return {"title": f"{title}, from start to end", "unit": "ns",
            "better": "less", "modes": series.summary()}


def run(bench):
    reps = bench.reps(15)
    wanted = bench.args.cases.split(",") if bench.args.cases else [*PROGRAMS]
    for name in wanted:
        if name not in PROGRAMS:
            raise Failure(f"no case is called {name}; there are "
                          f"{', '.join(PROGRAMS)}")
        argv, title = PROGRAMS[name]
        if not os.access(argv[0], os.X_OK):
            bench.result["skipped"][name] = f"{argv[0]} is not there"
            continue
        note(f"{name}: {reps} rounds")
        case = measure(bench, name, argv, title, reps)
        bench.result["cases"][name] = case
        output.show(output.case_table(case))
        native = case["modes"]["native"]["median"]
        rows = [["over native", "wall", "CPU, all processes"]]
        for m, v in case["modes"].items():
            if "median" in v and m != "native":
                rows.append([m, output.ns(v["median"] - native),
                             output.ns(v["cpu_ns"]["sum"] - case["modes"][
                                 "native"]["cpu_ns"]["sum"])])
        bench.table({"rows": rows})
    bench.table({"rows": [["alone", "time"]] +
                 [[k, output.ns(v)] for k, v in parts(bench, reps)]})
    if not bench.args.no_counts:
        for mode in bench.modes:
            if mode.monitored:
                breakdown(bench, mode)

# SPDX-License-Identifier: Apache-2.0
"""Kernel entries, ptrace stops and wakes per request, counted by perf.

    entries   raw_syscalls:sys_enter: system calls that reached the kernel
    stops     sched:sched_switch with prev_state TASK_TRACED: the thread stopped
              for its tracer, that is, a trap (or a second stop of one)
    futex     syscalls:sys_enter_futex: waits and wakes; those of IP-MON and
              those of the program
    switches  context switches

These tracepoints slow every system call of the machine down a little, so they
are on only in a phase of their own.  Without permission (root, or
perf_event_paranoid and tracefs) there are no such counts.
"""
import re
import signal
import subprocess
import tempfile
import time

from base import PATIENCE, have
from procs import threads

TASK_TRACED = 8
EVENTS = {
    "entries": ["-e", "raw_syscalls:sys_enter"],
    "stops": ["-e", "sched:sched_switch", "--filter",
              f"prev_state=={TASK_TRACED}"],
    "futex": ["-e", "syscalls:sys_enter_futex"],
    "switches": ["-e", "context-switches"],
}
_missing = None  # None: not tried; "": works; else why not


def missing():
    """Why perf cannot count here, '' if it can."""
    global _missing
    if _missing is None:
        perf = have("perf")
        if not perf:
            _missing = "perf is not there (Debian package linux-perf)"
        else:
            argv = [perf, "stat", "-x,"]
            for e in EVENTS.values():
                argv += e
            r = subprocess.run([*argv, "--", "true"], capture_output=True,
                               text=True, timeout=PATIENCE, check=False)
            _missing = ""
            if r.returncode or "not supported" in r.stderr:
                _missing = "perf may not count here: " + (
                    r.stderr.strip().splitlines() or ["?"])[0]
    return _missing


def parse(text):
    """{event: count} of perf stat -x, output."""
    names = {"raw_syscalls:sys_enter": "entries",
             "sched:sched_switch": "stops",
             "syscalls:sys_enter_futex": "futex",
             "context-switches": "switches"}
    result = {}
    for line in text.splitlines():
        f = line.split(",")
        if len(f) > 2:
            name = names.get(f[2].removesuffix(":u").removesuffix(":k"))
            if name and f[0].isdigit():
                result[name] = int(f[0])
    return result


class Attached:
    """perf on some pids until end(); what it wrote."""

    def __init__(self, argv, pids):
        self.out = tempfile.NamedTemporaryFile(prefix="ipmon-bench.perf.")
        self.p = subprocess.Popen(
            [*argv, "-o", self.out.name, "-p", ",".join(map(str, pids))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def end(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGINT)
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
        with open(self.out.name, encoding="utf-8", errors="replace") as f:
            text = f.read()
        self.out.close()
        return text


def count(who, work):
    """work() with perf attached to each role: (its result, {role: {event: n}})."""
    argv = [have("perf"), "stat", "-x,"]
    for e in EVENTS.values():
        argv += e
    attached = {}
    try:
        for role, pids in who.items():
            attached[role] = Attached(argv, pids)
        time.sleep(0.4)  # it has no way to say that it counts now
        result = work()
    finally:
        counts = {role: parse(a.end()) for role, a in attached.items()}
    return result, counts


def by_call(who, work):
    """{role: {call: n}} of the busiest calls while work() runs. perf trace may
    lose events under load: proportions, not counts."""
    pid_role = {}
    for role, pids in who.items():
        for p in pids:
            pid_role[p] = role
            for tid in threads(p):
                pid_role[int(tid)] = role
    a = Attached([have("perf"), "trace", "-s"], [p for v in who.values()
                                                 for p in v])
    try:
        time.sleep(0.4)
        work()
    finally:
        text = a.end()
    result, role = {}, None
    for line in text.splitlines():
        m = re.match(r"\s*.* \((\d+)\), \d+ events", line)
        if m:
            role = pid_role.get(int(m.group(1)))
            continue
        f = line.split()
        if role and len(f) >= 6 and re.fullmatch(r"[a-z_0-9]+", f[0]) and \
                f[1].isdigit():
            calls = result.setdefault(role, {})
            calls[f[0]] = calls.get(f[0], 0) + int(f[1])
    return result

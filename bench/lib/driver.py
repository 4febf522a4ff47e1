# SPDX-License-Identifier: Apache-2.0
"""From the command line to a result: what all workloads have in common."""
import datetime
import os
import shutil
import sys
import tempfile
import time

import base
import machine
import modes
import output
import plot
from base import Failure, Skip, note


def servers(*names):
    """A workload made of groups (load.py) named "module.Class"."""
    def run(bench):
        import importlib
        from functools import partial

        from load import Load
        groups = []
        for name in names:
            module, _, cls = name.partition(".")
            g = partial(getattr(importlib.import_module(module), cls), bench)
            g.__name__ = cls
            groups.append(g)
        Load(bench).run(groups)
    return run


def piece(module):
    def run(bench):
        import importlib
        importlib.import_module(module).run(bench)
    return run


# name: (title, default --n, commands it needs, what runs it)
WORKLOADS = {
    "nginx": ("nginx", "2", ("nginx", "wrk", "ab", "openssl"),
              servers("web.Nginx", "web.NginxTwoWorkers", "web.NginxVeth")),
    "lighttpd": ("lighttpd", "2", ("lighttpd", "wrk", "ab"),
                 servers("web.Lighttpd")),
    "haproxy": ("haproxy", "2", ("haproxy", "nginx", "wrk", "ab", "openssl"),
                servers("web.Haproxy")),
    "redis": ("redis", "2", ("redis-server", "redis-benchmark"),
              servers("kv.Redis")),
    "memcached": ("memcached", "2", ("memcached",),
                  servers("kv.Memcached", "kv.MemcachedThreads")),
    "syscall": ("cost of a system call", "1,2,3", (), piece("calls")),
    "signal": ("cost of a signal", "1,2,3", (), piece("signals")),
    "startup": ("start-up", "2", (), piece("startup")),
    "transfer": ("data out of a traced process", "2", (), piece("transfer")),
}


class Bench:
    """One workload being measured."""

    def __init__(self, name, args, build, ports):
        self.name, self.args, self.build, self.ports = name, args, build, ports
        self.title, default_n, self.needs, self.body = WORKLOADS[name]
        given = args.n
        args.n = given or default_n
        self.modes = modes.chosen(args, build)
        args.n = given
        self.failed = 0
        self.said = set()
        self.tmp = None
        self.result = {
            "version": 1, "workload": name, "title": self.title,
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(
                timespec="seconds"),
            "command": sys.argv, "machine": machine.describe(),
            "cases": {}, "tables": [], "skipped": {}, "plots": [],
        }

    def duration(self, default):
        return self.args.duration or default

    def reps(self, default):
        return self.args.reps or default

    def once(self, text):
        if text not in self.said:
            self.said.add(text)
            note(text)

    def table(self, t):
        self.result["tables"].append(t)
        output.show(t)

    def run(self):
        r = self.result
        for command in self.needs:
            base.tool(command)
        print(f"== {self.title}")
        print(machine.line(r["machine"]))
        r["noise_before"] = machine.noise()
        print(machine.noise_line("before", r["noise_before"]), flush=True)
        # readable for servers that change their user
        self.tmp = tempfile.mkdtemp(prefix="ipmon-bench.")
        try:
            os.chmod(self.tmp, 0o755)
            self.body(self)
        finally:
            shutil.rmtree(self.tmp, ignore_errors=True)
        r["noise_after"] = machine.noise()
        print()
        print(machine.noise_line("after", r["noise_after"]))
        self.control()
        path = output.write(r, self.args.output)
        if not self.args.no_plots:
            r["plots"] = plot.draw(r, path, self.once)
            output.write(r, path)
        print(f"all samples: {path}", flush=True)

    def control(self):
        """What native against native looks like in this result."""
        found = [c["modes"]["control"] for c in self.result["cases"].values()
                 if "ratio" in c["modes"].get("control", {})]
        if not found:
            return
        low = min(m["ratio_low"] for m in found)
        high = max(m["ratio_high"] for m in found)
        self.result["control"] = {"low": low, "high": high}
        print(f"control: native against native is {low:.2f} to {high:.2f} "
              "(quartiles, all cases); differences like that are noise")


def main(args):
    base.end_by_exception()
    output.MARKDOWN = args.markdown
    failed = 0
    try:
        if args.install:
            base.install({c for w in args.workload for c in WORKLOADS[w][2]} |
                         {"gnuplot", "perf", "ip"})
        output.check(args.output)
        build = base.Build(not args.no_build)
        ports = base.Ports(args.ports)
        started = time.monotonic()
        for name in args.workload:
            bench = Bench(name, args, build, ports)
            try:
                bench.run()
            except Skip as e:
                note(f"bench/run: {name} skipped: {e}")
                # asked for by name it should have been there
                failed += len(args.workload) == 1
            except Failure as e:
                note(f"bench/run: {name}: {e}")
                failed += 1
            failed += bench.failed
        if len(args.workload) > 1:
            note(f"all of it took {time.monotonic() - started:.0f} s")
    except Failure as e:
        note(f"bench/run: {e}")
        return 1
    except KeyboardInterrupt:
        note("interrupted")
        return 130
    except BrokenPipeError:
        # nobody reads any more; nor shall Python try again as it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    return 1 if failed else 0

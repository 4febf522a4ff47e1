# SPDX-License-Identifier: Apache-2.0
"""One running copy of a server, natively or as variants."""
import json
import os
import signal
import subprocess
import tempfile
import time

import procs
from base import PATIENCE, Failure


class Server:
    """argv is the server's; `answers()` is true when it serves."""

    def __init__(self, bench, mode, argv, answers, stop=signal.SIGTERM,
                 prefix=(), cwd=None):
        self.mode, self.answers, self.stop_signal = mode, answers, stop
        self.err = tempfile.TemporaryFile()
        self.stats_file = os.path.join(
            bench.tmp, f"stats.{time.monotonic_ns()}.json")
        self.argv = [*prefix, *mode.argv(bench.build, self.stats_file,
                                         bench.args.option), *argv]
        self.p = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL,
                                  stdout=self.err, stderr=self.err, cwd=cwd,
                                  start_new_session=True)

    def said(self):
        self.err.seek(0)
        return self.err.read().decode(errors="replace")[:3000]

    def fail(self, what):
        raise Failure(f"{self.mode.name}: {what}\n{self.said()}")

    def alive(self):
        if self.p.poll() is not None:
            self.fail(f"the server ended with {self.p.returncode}")

    def ready(self):
        end = time.monotonic() + PATIENCE / 2
        while time.monotonic() < end:
            self.alive()
            try:
                if self.answers():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.fail("the server does not come up")

    def roles(self):
        return procs.roles(self.p.pid, self.mode.monitored)

    def stop(self):
        """Politely; the counters of --stats."""
        self.alive()
        self.p.send_signal(self.stop_signal)
        try:
            self.p.wait(30)
        except subprocess.TimeoutExpired:
            self.fail("the server does not stop")
        if self.p.returncode not in (0, -self.stop_signal,
                                     128 + self.stop_signal):
            self.fail(f"the server ended with {self.p.returncode}")
        try:
            with open(self.stats_file, encoding="utf-8") as f:
                return json.load(f)
        except (OSError, ValueError):
            return {}

    def kill(self):
        if self.p.poll() is None:
            # the native ones have children of their own; those of monitord
            # go with it
            for pid in reversed(procs.descendants(self.p.pid)):
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            self.p.wait()
        self.err.close()

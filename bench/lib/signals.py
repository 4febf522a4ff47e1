# SPDX-License-Identifier: Apache-2.0
"""What a signal costs: kill(getpid()) and raise() with a handler, that is,
kill, the handler, rt_sigreturn; kill() with the signal ignored; and for
comparison a mask change and a getppid."""
import calls


def run(bench):
    wanted = ("kill_handled", "raise_handled", "kill_ignored",
              "rt_sigprocmask", "getppid")
    calls.measure_all(bench, lambda known: [k for k in wanted if k in known])

# SPDX-License-Identifier: Apache-2.0
"""The configurations that take turns.

    native              the program alone; the neighbour everybody is compared with
    control             native once more: its ratio says what noise looks like
    relaxed/2           monitord run -n 2 --policy relaxed
    relaxed/2/SOCKET_RW the same with --level SOCKET_RW

With --level, verified and relaxed are measured at each of the levels: two
configurations with the same list of calls in-process ("equal set").  strict
has no in-process calls, so no levels.
"""
from base import Failure

POLICIES = ("strict", "verified", "relaxed")
LEVELS = ("BASE", "NONSOCKET_RO", "NONSOCKET_RW", "SOCKET_RO", "SOCKET_RW")


class Mode:
    def __init__(self, name, policy=None, n=0, level=None):
        self.name, self.policy, self.n, self.level = name, policy, n, level

    @property
    def monitored(self):
        return self.policy is not None

    def argv(self, build, stats=None, options=()):
        """What comes before the program."""
        if not self.monitored:
            return []
        argv = [build.monitord, "run", "-n", str(self.n), "--policy",
                self.policy]
        if self.level:
            argv += ["--level", self.level]
        if stats:
            argv += ["--stats", stats]
        return [*argv, *options, "--"]


NATIVE = Mode("native")
CONTROL = Mode("control")


def chosen(args, build):
    """What the options ask for, the control first."""
    def words(text, known, what):
        found = [w.strip() for w in text.split(",") if w.strip()]
        for w in found:
            if known and w not in known:
                raise Failure(f"no such {what}: {w}; there are "
                              f"{', '.join(known)}")
        return found

    counts = []
    for w in words(args.n, None, "number"):
        if not w.isdigit() or not 1 <= int(w) <= 8:
            raise Failure(f"--n {w}: from 1 to 8 variants, as in --n 1,2,3")
        counts.append(int(w))
    policies = words(args.policy, POLICIES, "policy")
    levels = [None]
    if args.level:
        if "--level" not in build.help:
            raise Failure("this monitord has no --level")
        levels = words(args.level.upper(), LEVELS, "level")
    modes = [CONTROL] if args.control else []
    for n in counts:
        for policy in policies:
            for level in levels if policy != "strict" else [None]:
                name = f"{policy}/{n}" + (f"/{level}" if level else "")
                modes.append(Mode(name, policy, n, level))
    return modes

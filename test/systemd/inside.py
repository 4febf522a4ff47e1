#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Services under systemd, natively and under monitord: run in the container.

Theory of operation
-------------------
A scenario (scenarios.py) sets a unit up, does something to it with systemctl and
others, and returns what an administrator or client would see (a transcript).  It
runs twice: with the unit as it is, and after `monitord service` has put it under
monitord.  Both must be the same.  So it is with packaged services (packaged.py).
What only monitord does (divergences, the drop-in itself) has tests of its own
(monitored.py).

Prints "PASS name", "FAIL name" with indented lines, and "DONE" at the end.
Arguments are regular expressions of tests to run.
"""
import os
import re
import shutil
import sys
import time

from monitored import TESTS
from packaged import KEY, PACKAGED, packaged
from scenarios import SCENARIOS, compare
from units import LATE, LOGS, Fail, ctl, run, write

JOBS = 4
# The main process of these is not systemd's child.  Where no control group tells it
# that it is empty (version 1, in a container) a daemon-reload of another test's, just
# as they end, may leave systemd without a notion of that: it waits until it kills.
ALONE = "forking"


def attempt(name, f):
    begin = time.monotonic()
    try:
        f()
        text = f"PASS {name} ({time.monotonic() - begin:.1f} s)"
    except Exception as e:
        kind = "" if isinstance(e, Fail) else f"{type(e).__name__}: "
        text = f"FAIL {name}\n" + "\n".join(
            "     " + x for x in (kind + str(e)).splitlines()[:60] +
            "\n".join(LATE).splitlines()[:120])
    os.write(1, (text + "\n").encode())


def main():
    patterns = sys.argv[1:]
    os.makedirs(LOGS, exist_ok=True)
    os.chmod(LOGS, 0o755)
    write("/tmp/outside", "")
    with open("/var/www/html/big.bin", "wb") as f:
        f.write(bytes(range(256)) * 4096)
    with open("/etc/lighttpd/lighttpd.conf") as f:
        conf = f.read()
    with open("/etc/lighttpd/lighttpd.conf", "w") as f:
        f.write(re.sub(r"(?m)^server\.port.*", "server.port = 8080", conf))
    for name in PACKAGED:
        ctl("stop", name)
    if not os.path.exists(KEY):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", KEY,
            check=True)
        shutil.copy(KEY + ".pub", "/root/.ssh/authorized_keys")
    run("journalctl", "--update-catalog")
    chosen = []
    todo = [(f"own/{n}", lambda n=n, f=f: compare(n, f))
            for n, f in SCENARIOS.items()]
    todo += [(f"packaged/{n}", lambda n=n: packaged(n)) for n in PACKAGED]
    todo += [(f"monitor/{n}", f) for n, f in TESTS.items()]
    for name, f in todo:
        if patterns and not any(re.search(p, name) for p in patterns):
            continue
        chosen.append((name, f))
    chosen.sort(key=lambda x: ALONE in x[0])
    # each in a process of its own, some at a time: most of it is waiting
    running = {}
    while chosen or running:
        while chosen and len(running) < (1 if ALONE in chosen[0][0] else JOBS):
            name, f = chosen.pop(0)
            pid = os.fork()
            if not pid:
                attempt(name, f)
                os._exit(0)
            running[pid] = name
        pid, status = os.wait()
        name = running.pop(pid, "?")
        if status:
            print(f"FAIL {name}\n     status {status}", flush=True)
    print("DONE", flush=True)


if __name__ == "__main__":
    main()

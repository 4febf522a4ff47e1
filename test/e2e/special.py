# SPDX-License-Identifier: Apache-2.0
"""Cases that data cannot say: something is done to the variants from outside.

Each function takes (suite, case, n, policy) and raises Fail when what it
checks does not hold.
"""
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import time

from runner import MARK, Fail, kill_left, processes
from commandline import (colours, errors_help, exit_codes, filtered,  # noqa: F401
                         help_fits, no_dev, outputs, report_golden, report_hostile, report_private,
                         report_shown, service_config, service_needs, small_stack,
                         stopped_at_birth)
from hostile import (follower_memory, hidden_memory, hidden_written,  # noqa: F401
                     how_far_ahead, monitor_memory, names_at_the_gate, old_kernel,
                     proc_again, proc_covered, shared_store, starved)


class Session:
    """A monitored program with pipes to it, killed whole at the end."""

    def __init__(self, suite, case, n, policy, argv, extra=(), **popen):
        self.suite, self.case = suite, case
        self.work = suite.fresh(case)
        self.mark = f"{os.getpid()}-{time.monotonic_ns()}"
        self.report = os.path.join(os.path.dirname(self.work), "report.json")
        options = [suite.monitord, "run", "-n", str(n), "--policy", policy,
                   "--report", self.report, *extra, "--"]
        args = dict(cwd=self.work, env=suite.environment(case, self.mark),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, start_new_session=True)
        args.update(popen)
        for path in (self.work, os.path.dirname(self.work)) if "user" in popen else ():
            os.chown(path, popen["user"], popen["group"])
        self.p = subprocess.Popen(options + [suite.subst(a) for a in argv], **args)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        kill_left(self.p.pid, f"{MARK}={self.mark}".encode(), self.work)
        if self.p.poll() is None:
            self.p.kill()
        self.p.wait()
        for f in (self.p.stdin, self.p.stdout, self.p.stderr):
            if f:
                try:
                    f.close()
                except OSError:
                    pass

    def line(self, timeout=20):
        """The next line of standard output."""
        end = time.monotonic() + timeout
        out = b""
        fd = self.p.stdout.fileno()
        while not out.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise Fail(f"no line within {timeout} s, only {out!r}")
            c = os.read(fd, 1)
            if not c:
                raise Fail("it ended: " +
                           self.p.stderr.read().decode(errors="replace")[:800])
            out += c
        return out.decode()

    def end(self, timeout=20):
        """Wait; (status, stdout, stderr)."""
        try:
            out, err = self.p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Fail(f"no end within {timeout} s") from None
        return self.p.returncode, out, err.decode(errors="replace")

    def family(self):
        """All descendants, monitord's own processes included."""
        table = processes()
        found = {self.p.pid}
        grew = True
        while grew:
            grew = False
            for pid, (ppid, _, state) in table.items():
                if ppid in found and pid not in found and state not in "ZX":
                    found.add(pid)
                    grew = True
        return found

    def programs(self, name):
        """Processes of the family whose program is called so, oldest first."""
        out = []
        for pid in sorted(self.family()):
            try:
                if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == name:
                    out.append(pid)
            except OSError:
                pass
        return out

    def tracer(self, name):
        """monitord's process that traces, by TracerPid of a variant."""
        for pid in self.programs(name):
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
                m = re.search(r"TracerPid:\s*(\d+)", f.read())
            if m and int(m.group(1)):
                return int(m.group(1))
        raise Fail("no traced process")

    def json_report(self):
        try:
            with open(self.report, encoding="utf-8") as f:
                return json.load(f)
        except (OSError, ValueError) as e:
            raise Fail(f"no usable report: {e}") from e


def gone(pids, seconds=5):
    """All of these have died; Fail if not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        table = processes()
        alive = [p for p in pids if p in table and table[p][2] not in "ZX"]
        if not alive:
            return
        time.sleep(0.05)
    raise Fail(f"{len(alive)} processes survive")


def real_maps(pid):
    out = []
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)", line)
            out.append((int(m[1], 16), int(m[2], 16), m[3], m[4]))
    return out


def gate(suite, case, n, policy):
    with Session(suite, case, n, policy, ["@ATTACK@/gate"]) as s:
        if s.line() != "ready\n":
            raise Fail("not ready")
        pids = s.programs("gate")
        if len(pids) != n:
            raise Fail(f"{len(pids)} processes of the program, expected {n}")
        targets = set()
        own = {}
        for pid in pids:
            for a, b, perms, name in real_maps(pid):
                # the gate and libipmon's text: executable, at hidden addresses.
                # (Stubs lie near libraries, and may be made to crash.)
                if "x" in perms and a < 0x600000000000 and (
                        not name or name.endswith("libipmon.so")):
                    targets.add((a, b - a))
                    own.setdefault(pid, []).append((a, b, perms))
        if len(targets) < n:
            raise Fail(f"found {len(targets)} gate pages in the real maps of {n} variants")
        lines = []
        for a, size in sorted(targets):
            s.p.stdin.write(f"{a:x} {size:x}\n".encode())
            s.p.stdin.flush()
            while not lines or lines[-1] != "attacked":
                lines.append(s.line().strip())
            lines.pop()
        for pid, ranges in own.items():
            now = [(a, b, perms) for a, b, perms, _ in real_maps(pid)]
            for r in ranges:
                if r not in now:
                    raise Fail(f"the gate at {r[0]:x} is gone or changed")
        s.p.stdin.write(b"end\n")
        s.p.stdin.flush()
        s.p.stdin.close()
        s.p.stdin = None
        status, out, err = s.end()
        lines += out.decode().splitlines()
        bad = [x for x in lines if x.endswith("succeeded")]
        # an address that only another variant has is free in this one: what
        # may succeed there natively must nevertheless be refused, or answered
        # alike; either way nothing may have become of it
        if bad:
            raise Fail("attacks succeeded: " + "; ".join(sorted(set(bad))))
        if status != 0 or "still here" not in lines or "child works" not in lines:
            raise Fail(f"status {status}, output {lines}, {err[:500]}")


def exploit(suite, case, n, policy):
    with Session(suite, case, n, policy, ["@ATTACK@/overflow"]) as s:
        end = time.monotonic() + 10
        while True:
            pids = s.programs("overflow")
            leader = min(pids) if len(pids) == n else 0
            base = [a for a, _, perms, name in real_maps(leader)
                    if name.endswith("/overflow")] if leader else []
            if base and any(name.endswith("libc.so.6") for *_, name in real_maps(leader)):
                break
            if time.monotonic() > end:
                raise Fail("the victim does not come up")
            time.sleep(0.02)
        # the leader is the process whose standard input is ours
        for pid in pids:
            if os.readlink(f"/proc/{pid}/fd/0").startswith("pipe:"):
                leader = pid
        base = min(a for a, _, _, name in real_maps(leader) if name.endswith("/overflow"))
        nm = subprocess.run(["nm", suite.subst("@ATTACK@/overflow")], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
        offset = int(re.search(r"([0-9a-f]+) \w secret", nm)[1], 16)
        time.sleep(0.2)
        s.p.stdin.write(b"A" * 16 + struct.pack("<Q", base + offset))
        s.p.stdin.flush()
        s.p.stdin.close()
        s.p.stdin = None
        status, out, err = s.end()
        if status != 99:
            raise Fail(f"status {status}, {err[:500]}")
        if out or os.path.exists(os.path.join(s.work, "effect")):
            raise Fail("the exploit had an effect")
        kind = s.json_report().get("kind")
        if kind not in ("crash", "call"):
            raise Fail(f"reported as {kind}")


def gate_jump(suite, case, n, policy):
    """Only the leader has its gate there, and the call is none for a gate."""
    with Session(suite, case, n, policy, ["@ATTACK@/jump", "at", "83"]) as s:
        if s.line() != "ready\n":
            raise Fail("not ready")
        pids = s.programs("jump")
        leader = [p for p in pids
                  if os.readlink(f"/proc/{p}/fd/0").startswith("pipe:")]
        gates = [a for a, b, perms, name in real_maps(leader[0])
                 if perms == "r-xp" and not name and b - a == 4096]
        if not gates:
            raise Fail("no gate in the leader's maps")
        s.p.stdin.write(b"%x\n" % gates[-1])
        s.p.stdin.flush()
        status, _, err = s.end()
        if status != 99 or s.json_report().get("kind") not in ("crash", "call"):
            raise Fail(f"status {status}, {err[:500]}")
        if os.path.exists(os.path.join(s.work, "effect")):
            raise Fail("the call was made")


def outside(suite, case, n, policy):
    """What differs never comes to somebody else's socket."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.settimeout(20)
        port = listener.getsockname()[1]
        with Session(suite, case, n, policy,
                     ["@ATTACK@/leak", "stack", f"port:{port}"]) as s:
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(20)
                got = b""
                while True:
                    try:
                        x = peer.recv(4096)
                    except OSError:
                        break
                    if not x:
                        break
                    got += x
            status, _, err = s.end()
            if status != 99 or s.json_report().get("kind") != "payload":
                raise Fail(f"status {status}, {err[:500]}")
            # verified may still hold back the greeting when all is over
            if not (b"hello".startswith(got) if policy != "relaxed" else
                    got.startswith(b"hello")):
                raise Fail(f"the peer received {got!r}")


def corrupt(suite, case, n, policy, who="1:VARIANT=1", seeds=3):
    """The memory of the in-process half in the hands of an attacker: some
    end, in time, and monitord's own."""
    for what in case.data["parts"]:
        for seed in range(1, seeds + 1):
            env = ["--env", who]
            if n == 3 and who[0] == "1":
                env += ["--env", "2:VARIANT=1"]
            with Session(suite, case, n, policy,
                         ["@ATTACK@/jump", what, str(seed)],
                         ["--timeout", "1", *env]) as s:
                status, _, err = s.end(30)
                # not noticed at all is possible: what was written did not matter
                if status not in (0, 99):
                    raise Fail(f"{what} {seed}: status {status}, {err[:500]}")
                r = s.json_report() if status == 99 else {"kind": ""}
                # what the leader writes must not crash who only reads it
                if r["kind"] == "crash" and who[0] == "1" and \
                        r["diff"]["variant_signal"]:
                    raise Fail(f"{what} {seed}: {r['summary']}")
                if "Sanitizer" in err or "runtime error" in err:
                    raise Fail(f"{what} {seed}: {err[:2000]}")


def corrupt_follower(suite, case, n, policy):
    corrupt(suite, case, n, policy, "0:VARIANT=1", 2)


def sleepers(s, n, name):
    """Processes of a program whose leader waits for its standard input and
    whose followers wait for the leader; leader first."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        pids = s.programs(name)
        if len(pids) == n:
            states = [processes()[p][2] for p in pids if p in processes()]
            if states == ["S"] * n:
                break
        time.sleep(0.02)
    return sorted(pids, key=lambda p: not os.readlink(f"/proc/{p}/fd/0")
                  .startswith("pipe:"))


ECHO = ("import os\n"
        "for i in range(50): os.write(1, b'')\n"
        "os.write(1, b'ready\\n')\n"
        "while True:\n"
        "    b = os.read(0, 100)\n"
        "    if not b: break\n"
        "    os.write(1, b)\n")


def killed_asleep(suite, case, n, policy):
    with Session(suite, case, n, policy, ["@PYTHON@", "-c", ECHO]) as s:
        while s.line() != "ready\n":
            pass
        for i in range(20):
            s.p.stdin.write(b"%d\n" % i)
            s.p.stdin.flush()
            s.line()
        time.sleep(0.3)
        name = os.path.basename(os.path.realpath(suite.python))
        pids = sleepers(s, n, name)
        family = s.family()
        os.kill(pids[1], signal.SIGKILL)
        status, _, err = s.end()
        if status != 99 or s.json_report().get("kind") != "killed":
            raise Fail(f"status {status}, {err[:500]}")
        gone(family)


def killed_dropped(suite, case, n, policy):
    with Session(suite, case, n, policy, ["@PYTHON@", "-c", ECHO],
                 ["--on-divergence", "continue"]) as s:
        while s.line() != "ready\n":
            pass
        name = os.path.basename(os.path.realpath(suite.python))
        for kill_next in range(n):
            for i in range(20):
                s.p.stdin.write(b"%d\n" % i)
                s.p.stdin.flush()
                if s.line() != f"{i}\n":
                    raise Fail("another answer")
            if kill_next < n - 1:
                time.sleep(0.2)
                pids = sleepers(s, n - kill_next, name)
                os.kill(pids[1], signal.SIGKILL)
        s.p.stdin.close()
        s.p.stdin = None
        status, _, err = s.end()
        if status or err.count("has been dropped") != n - 1:
            raise Fail(f"status {status}, {err[:500]}")


def run_ahead(suite, case, n, policy):
    """The report says what the leader has done since, and what others saw."""
    with Session(suite, case, n, policy, ["@ATTACK@/leak", "stack"]) as s:
        status, _, err = s.end()
        r = s.json_report()
        if status != 99 or r["kind"] != "payload":
            raise Fail(f"status {status}, {err[:500]}")
        x = r["inprocess"]
        if x["ahead"] < 1 or x["visible"] < 1:
            raise Fail(f"nothing ahead: {x}")
        here = [c for c in x["calls"] if c["when"] == "here"]
        if len(here) != 1 or not here[0]["text"].startswith("write("):
            raise Fail(f"not the write: {here}")
        d = r["diff"]
        if len(d["leader"]) != 16 or d["leader"] == d["variant"]:
            raise Fail(f"the bytes: {d}")
        # the leader has left main by now, perhaps
        for v, symbol in zip(r["variants"], ("_start", "main")):
            if symbol not in [f["symbol"] for f in v["backtrace"]]:
                raise Fail(f"no {symbol} in the backtrace of {v['variant']}")


def start_busy(suite, case, n, policy, extra=()):
    s = Session(suite, case, n, policy, ["@ATTACK@/busy"], extra)
    try:
        if s.line() != "ready\n":
            raise Fail("not ready")
        deadline = time.monotonic() + 10
        while len(s.programs("busy")) != 4 * n:
            if time.monotonic() > deadline:
                raise Fail(f"{len(s.programs('busy'))} processes, expected {4 * n}")
            time.sleep(0.02)
    except BaseException:
        s.__exit__()
        raise
    return s


def variant_roots(s):
    """The first process of each variant, leader first."""
    pids = s.programs("busy")
    roots = [p for p in pids if processes()[p][0] not in pids]
    return sorted(roots, key=lambda p: (not os.readlink(f"/proc/{p}/fd/0")
                                        .startswith("pipe:"), p))


def follower_killed(suite, case, n, policy):
    with start_busy(suite, case, n, policy) as s:
        family = s.family()
        os.kill(variant_roots(s)[1], signal.SIGKILL)
        status, _, err = s.end()
        if status != 99:
            raise Fail(f"status {status}, {err[:500]}")
        kind = s.json_report().get("kind")
        if kind != "killed":
            raise Fail(f"reported as {kind}")
        gone(family)


def leader_killed(suite, case, n, policy):
    # SIGKILL to the leader from outside is the program's own death
    with start_busy(suite, case, n, policy) as s:
        family = s.family()
        os.kill(variant_roots(s)[0], signal.SIGKILL)
        try:
            # its children go on and hold the pipes, as they would natively
            status = s.p.wait(20)
        except subprocess.TimeoutExpired:
            raise Fail("no end within 20 s") from None
        if status not in (137, 99):
            raise Fail(f"status {status}")
        if status == 99:
            gone(family)


def monitord_killed(suite, case, n, policy):
    with start_busy(suite, case, n, policy) as s:
        variants = s.programs("busy")
        os.kill(s.tracer("busy"), signal.SIGKILL)
        gone(variants)
        status, _, err = s.end()
        if status not in (125, 137):
            raise Fail(f"status {status}, {err[:300]}")


def front_stopped(suite, case, n, policy):
    """Who stops the process he has started stops the program; continued both go on."""
    script = ("trap 'echo got USR1' USR1; : > count; echo ready; "
              "while :; do echo >> count; sleep 0.02; done")
    with Session(suite, case, n, policy, ["/bin/bash", "-c", script]) as s:
        def size():
            return os.path.getsize(os.path.join(s.work, "count"))
        if s.line() != "ready\n":
            raise Fail("not ready")
        for _ in range(3):
            s.p.send_signal(signal.SIGSTOP)
            deadline = time.monotonic() + 30
            before = -1
            while before != size():
                if time.monotonic() > deadline:
                    raise Fail("the program goes on")
                before = size()
                time.sleep(1)
            s.p.send_signal(signal.SIGUSR1)
            s.p.send_signal(signal.SIGCONT)
            if s.line() != "got USR1\n":
                raise Fail("does not go on")
        s.p.terminate()
        status, out, err = s.end()
        if status != 143 or out or err:
            raise Fail(f"status {status} {out!r} {err!r}")


def monitord_killed_stopped(suite, case, n, policy):
    """The front process has stopped with the program: it is continued.  (Started
    by a shell, as a session leader's group is orphaned then, and continued by the
    kernel.)"""
    def children(pid):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(x) for x in f.read().split()]

    def until(what, text):
        deadline = time.monotonic() + 20
        while not what():
            if time.monotonic() > deadline:
                raise Fail(text)
            time.sleep(0.02)
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    shell = subprocess.Popen(
        ["sh", "-c", '"$@"; exit $?', "sh", suite.monitord, "run", "-n", str(n),
         "--policy", policy, "--", suite.subst("@ATTACK@/busy")],
        env=suite.environment(case, mark), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        if shell.stdout.readline() != b"ready\n":
            raise Fail("not ready")
        front = children(shell.pid)[0]
        tracer = children(front)[0]
        variants = children(tracer)
        leader = [x for x in variants if os.getpgid(x) == shell.pid]
        os.kill(leader[0], signal.SIGSTOP)
        until(lambda: processes()[front][2] == "T", "the front process does not stop")
        os.kill(tracer, signal.SIGKILL)
        gone(variants)
        until(lambda: shell.poll() is not None, "the front process is left stopped")
        if shell.returncode != 125:
            raise Fail(f"status {shell.returncode}")
    finally:
        kill_left(shell.pid, f"{MARK}={mark}".encode(), "/nowhere")
        shell.wait()


def front_killed(suite, case, n, policy):
    with start_busy(suite, case, n, policy) as s:
        variants = s.programs("busy")
        s.p.kill()
        gone(variants)


def killed_at_any_moment(suite, case, n, policy):
    """SIGKILL to monitord or its front process leaves nothing behind, whatever
    the run is at: forking, being traced, executing, waiting, stopped."""
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    env = suite.environment(case, mark)
    found = f"{MARK}={mark}".encode()

    def ours():
        left = []
        for pid, (_, _, state) in processes().items():
            try:
                with open(f"/proc/{pid}/environ", "rb") as f:
                    if state not in "ZX" and found in f.read().split(b"\0"):
                        left.append(pid)
            except OSError:
                pass
        return left

    def comm(pid):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
                return f.read().strip()
        except OSError:
            return ""

    def kill(pid):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def tracer_of(front):
        """The front's first child, as soon as there is one."""
        try:
            with open(f"/proc/{front}/task/{front}/children", encoding="ascii") as f:
                return int(f.read().split()[0])
        except (OSError, IndexError):
            return front
    for i in range(24):
        p = subprocess.Popen([suite.monitord, "run", "-n", str(n), "--policy", policy,
                              "--", suite.subst("@ATTACK@/busy")], env=env,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(0.0025 * (i // 2) ** 1.3)
        if i % 8 > 5:
            # hanging: a variant does not go on
            for pid in [x for x in sorted(ours()) if comm(x) == "busy"][-1:]:
                os.kill(pid, signal.SIGSTOP)
        kill(p.pid if i % 2 else tracer_of(p.pid))
        try:
            gone(ours())
        except Fail as e:
            raise Fail(f"round {i}: {e}: {[(x, comm(x)) for x in ours()]}") from e
        finally:
            for pid in ours():
                kill(pid)
            kill(p.pid)
            p.wait()


def forwarded(suite, case, n, policy):
    """A signal sent to monitord reaches the program once."""
    script = ("trap 'echo got USR1; n=$((n+1)); test $n = 3 && exit 5' USR1; n=0; "
              "echo ready; while :; do sleep 0.02; done")
    with Session(suite, case, n, policy, ["/bin/bash", "-c", script]) as s:
        if s.line() != "ready\n":
            raise Fail("not ready")
        for _ in range(3):
            # bash forgets a signal that comes while its trap still runs
            time.sleep(0.5)
            s.p.send_signal(signal.SIGUSR1)
            if s.line() != "got USR1\n":
                raise Fail("not forwarded")
        status, out, err = s.end()
        if status != 5 or out or err:
            raise Fail(f"status {status} {out!r} {err!r}")
    with Session(suite, case, n, policy, ["/bin/sleep", "100"]) as s:
        time.sleep(0.3)
        s.p.terminate()
        status, out, err = s.end()
        if status != 143 or out or err:
            raise Fail(f"sleep: status {status} {out!r} {err!r}")


def plain(suite, case, n, policy, argv, extra):
    with Session(suite, case, n, policy, argv, extra, stdin=subprocess.DEVNULL) as s:
        status, out, err = s.end()
        files = {f: open(os.path.join(s.work, f), encoding="utf-8").read()
                 for f in os.listdir(s.work)}
        return status, out.decode(errors="replace"), err, files


def trace_file(suite, case, n, policy):
    status, out, err, files = plain(
        suite, case, n, policy,
        ["/bin/sh", "-c", "echo hello; cat < /dev/null; kill -USR1 $$"],
        ["--trace", "trace.txt"])
    if status != 128 + signal.SIGUSR1 or out != "hello\n" or err:
        raise Fail(f"status {status} {out!r} {err!r}")
    text = files.get("trace.txt", "")
    for pattern in (r'execve\("/bin/sh"', r'write\(1, "hello\\n", 6\)\s*= 6',
                    r"openat\(AT_FDCWD", r"exit_group\(0\)", r"SIGUSR1"):
        if not re.search(pattern, text):
            raise Fail(f"the trace lacks {pattern}: {text[-600:]}")
    if len(re.findall(r"write\(1,", text)) != 1:
        raise Fail("one write, but not one line")


def stats_file(suite, case, n, policy):
    status, out, err, files = plain(
        suite, case, n, policy, ["/bin/sh", "-c", "/bin/true; echo x"],
        ["--stats", "stats.json"])
    if status or out != "x\n" or err:
        raise Fail(f"status {status} {out!r} {err!r}")
    stats = json.loads(files["stats.json"])
    if not isinstance(stats, dict) or not stats:
        raise Fail("the counters are no object")
    flat = json.dumps(stats)
    for word in ("rendezvous", "write", "execve"):
        if word not in flat:
            raise Fail(f"the counters lack {word}: {flat[:400]}")
    for o in stats["objects"]:
        if o["sites"] != len(o["trapped"]):
            raise Fail(f"{o['path']}: {o['sites']} sites")
        for t in o["trapped"]:
            if not (t["traps"] == sum(t["calls"].values()) ==
                    sum(t["why"].values())):
                raise Fail(f"{o['path']}: counted differently: {t}")
            if t["kind"] == "none" and not t["reason"]:
                raise Fail(f"{o['path']}: left without a reason: {t}")
    libc = [o for o in stats["objects"] if "/libc.so" in o["path"]]
    if not libc or not any("symbol" in t for t in libc[0]["trapped"]):
        raise Fail("no calls from libc, or without symbols")


def calls_in_process(suite, case, n, policy):
    """At least 150 calls, each made 12 times, and next to no rendezvous."""
    for start in ([], ["/lib64/ld-linux-x86-64.so.2"]):
        status, out, err, files = plain(
            suite, case, n, policy, start + ["@VICTIM@/p02_calls_in_process"],
            ["--stats", "stats.json"])
        if status or err:
            raise Fail(f"{start}: status {status} {err!r}")
        names = {re.split("[: ]", line)[0] for line in out.splitlines()}
        stats = json.loads(files["stats.json"])
        often = [k for k, v in stats["calls"].items() if v >= 12 and k in names]
        # the dynamic linker's are not handled in-process
        often = [k for k in often if k not in ("mmap", "read")]
        if len(names) - len(often) < 150 or stats["totals"]["rendezvous"] > 150:
            raise Fail(f"{start}: {len(names)} calls, {stats['totals']['rendezvous']} "
                       f"rendezvous, often: {often}")


def own_sites(suite, case, n, policy):
    for program in ("v_own_pie", "v_own_nopie"):
        status, out, err, files = plain(suite, case, n, policy, [f"@VICTIM@/{program}"],
                                        ["--stats", "stats.json"])
        if status or err or out != "own calls\n":
            raise Fail(f"{program}: status {status} {out!r} {err!r}")
        stats = json.loads(files["stats.json"])
        if stats["totals"]["rendezvous"] > 300:
            raise Fail(f"{program}: {stats['totals']['rendezvous']} rendezvous")


def report_file(suite, case, n, policy):
    status, out, err, files = plain(suite, case, n, policy,
                                    ["@ATTACK@/leak", "stack"],
                                    ["--report", "r.json"])
    # relaxed: the leader does not wait
    if status != 99 or (out and policy != "relaxed"):
        raise Fail(f"status {status} {out!r}")
    r = json.loads(files["r.json"])
    if r["kind"] != "payload" or r["syscall"] != "write":
        raise Fail(f"{r['kind']} {r['syscall']}")
    if len(r["variants"]) != n:
        raise Fail(f"{len(r['variants'])} variants in the report")
    for v in r["variants"]:
        frames = json.dumps(v["backtrace"])
        if "main" not in frames:
            raise Fail(f"main is not in the backtrace: {frames[:400]}")
    if not r["recent"]:
        raise Fail("no recent events")
    if r["diff"]["argument"] != 2 or "argument 2" not in err:
        raise Fail(f"not the second argument: {r['diff']} {err[:600]}")
    for word in ("write", "payload", "variant"):
        if word not in err:
            raise Fail(f"the text lacks {word}: {err[:600]}")


def unwritable_report(suite, case, n, policy):
    status, out, err, _ = plain(suite, case, n, policy, ["@ATTACK@/leak", "stack"],
                                ["--report", "/no/such/folder/r.json"])
    # said before anything runs
    if status != 125 or out or err != "monitord: --report /no/such/folder/r.json: " \
            "No such file or directory; make its directory first\n":
        raise Fail(f"status {status} {out!r} {err[:300]!r}")


def doctor(suite, case, n, policy):
    r = subprocess.run([suite.monitord, "doctor"], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    if r.returncode:
        raise Fail(f"doctor says no: {r.stdout}{r.stderr}")
    if len(r.stdout.splitlines()) < 4:
        raise Fail(f"doctor says little: {r.stdout}")
    # a kernel that is too old, or says so
    r = subprocess.run(["setarch", "--uname-2.6", suite.monitord, "doctor"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=30, check=False)
    first = r.stdout.split("\n")[0]
    if r.returncode or "note" not in first or "5.15" not in first:
        raise Fail(f"doctor takes any kernel: {first} {r.stderr}")


def syscalls_table(suite, case, n, policy):
    r = subprocess.run([suite.monitord, "syscalls"], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    lines = r.stdout.splitlines()
    if r.returncode or len(lines) < 300:
        raise Fail(f"status {r.returncode}, {len(lines)} lines")
    for name in ("read", "write", "openat", "futex", "clone3", "io_uring_setup"):
        if not re.search(rf"\b{name}\b", r.stdout):
            raise Fail(f"{name} is not listed")
    # arguments are counted from 1, as in reports
    r = subprocess.run([suite.monitord, "syscalls", "write"], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=30, check=False)
    if re.findall(r"^  argument (\d) +(\S+)", r.stdout, re.M) != \
            [("1", "fd"), ("2", "buf"), ("3", "size")]:
        raise Fail(f"write: {r.stdout}")


def unprivileged(suite, case, n, policy):
    """An ordinary user needs nothing special."""
    if os.geteuid() != 0:
        return
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as f:
            if int(f.read()) > 1:
                return
    except OSError:
        pass
    script = "id -u; echo text > f; cat f; (exit 3); echo $?; sed s/t/T/g f | tr x y"
    out = []
    for monitored in (False, True):
        work = suite.fresh(case)
        os.chown(work, 65534, 65534)
        argv = ["/bin/sh", "-c", script]
        if monitored:
            argv = suite.monitor_argv(case, n, policy) + argv
        r = subprocess.run(argv, cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=suite.environment(case, "none"), user=65534, group=65534,
                           extra_groups=[], timeout=30, check=False, start_new_session=True)
        if r.returncode == 126 or (monitored and b"ermission" in r.stderr):
            # the build tree lies where this user may not go
            probe = subprocess.run(["test", "-x", suite.monitord], user=65534,
                                   group=65534, extra_groups=[], check=False)
            if probe.returncode:
                return
        out.append((r.returncode, r.stdout, r.stderr))
    if out[0] != out[1]:
        raise Fail(f"natively {out[0]}, monitored {out[1]}")


def on_terminal(suite, case, n, policy):
    """A shell on a terminal: prompt, echo, job control, the interrupt key."""
    transcripts = []
    for monitored in (False, True):
        work = suite.fresh(case)
        argv = ["/bin/bash", "--norc", "--noprofile", "-i"]
        if monitored:
            argv = suite.monitor_argv(case, n, policy) + argv
        env = suite.environment(case, f"tty-{time.monotonic_ns()}")
        env["PS1"] = "PROMPT> "
        env["HISTFILE"] = "/dev/null"
        env["INPUTRC"] = "/dev/null"
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(work)
            os.execve(argv[0], argv, env)
        out = b""

        def expect(pattern, seconds=20):
            nonlocal out
            end = time.monotonic() + seconds
            start = len(out)
            while not re.search(pattern, out[start:]):
                left = end - time.monotonic()
                if left <= 0 or not select.select([fd], [], [], left)[0]:
                    raise Fail(f"terminal: no {pattern!r} in {out[start:]!r} "
                               f"(monitored: {monitored})")
                try:
                    data = os.read(fd, 4096)
                except OSError:
                    data = b""
                if not data:
                    raise Fail(f"terminal: it ended without {pattern!r}: {out!r}")
                out += data

        try:
            expect(rb"PROMPT> ")
            for text, pattern in (
                    (b"stty -a | grep -o 'isig '\n", rb"\nisig \r\n(.|\n)*PROMPT> "),
                    (b"tty > /dev/null && echo on a tty\n", rb"\non a tty\r\n(.|\n)*PROMPT> "),
                    (b"cat\n", rb"cat\r\n"),
                    (b"typed\n", rb"typed\r\n(.|\n)*typed\r\n"),
                    (b"\x04", rb"PROMPT> "),
                    (b"sleep 100\n", rb"sleep 100\r\n"),
                    (b"\x1a", rb"Stopped(.|\n)*PROMPT> "),
                    (b"jobs | tr -s ' '\n", rb"Stopped(.|\n)*PROMPT> "),
                    (b"fg\n", rb"sleep 100\r\n"),
                    (b"\x03", rb"PROMPT> "),
                    (b"echo status $?\n", rb"status 130(.|\n)*PROMPT> "),
                    (b"(sleep 0.1; exit 4) & wait $!; echo got $?\n", rb"got 4(.|\n)*PROMPT> "),
                    (b"exit 6\n", rb"exit")):
                time.sleep(0.15)
                os.write(fd, text)
                expect(pattern)
            end = time.monotonic() + 10
            while True:
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    break
                if time.monotonic() > end:
                    raise Fail("the shell does not end")
                if select.select([fd], [], [], 0.05)[0]:
                    try:
                        out += os.read(fd, 4096)
                    except OSError:
                        pass
            pid = 0
            transcripts.append(os.waitstatus_to_exitcode(status))
        finally:
            kill_left(pid or -1, f"{MARK}={env[MARK]}".encode(), work)
            if pid:
                os.waitpid(pid, 0)
            os.close(fd)
    if transcripts != [6, 6]:
        raise Fail(f"exit statuses {transcripts}")

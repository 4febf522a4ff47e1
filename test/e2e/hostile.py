# SPDX-License-Identifier: Apache-2.0
"""Attacks by somebody who knows the monitor: where its pages and processes
are, and what its gate lets pass.  See doc/threat-model.md, which names these.

Cases of special.py's kind; see there.
"""
import ctypes
import errno
import os
import re
import select
import struct
import subprocess
import time

from runner import Fail, Skip

HIDDEN = (0x400000000000, 0x550000000000)


def hidden_ranges(special, pids):
    """The monitor's pages in these processes, as seen from outside."""
    out = set()
    for pid in pids:
        for a, b, perms, _ in special.real_maps(pid):
            if HIDDEN[0] <= a < HIDDEN[1] and perms != "---p":
                out.add((a, b - a, perms))
    return sorted(out)


def hidden_memory(suite, case, n, policy):
    """Everything that changes mappings, over every page of the monitor's."""
    import special
    with special.Session(suite, case, n, policy, ["@ATTACK@/gate", "maps"]) as s:
        if s.line() != "ready\n":
            raise Fail("not ready")
        pids = s.programs("gate")
        ranges = hidden_ranges(special, pids)
        if len(ranges) < (1 if policy == "strict" else 4) * n:
            raise Fail(f"found only {ranges}")
        before = {p: [x for x in special.real_maps(p) if HIDDEN[0] <= x[0] < HIDDEN[1]]
                  for p in pids}
        lines = []
        for a, size, _ in ranges:
            s.p.stdin.write(f"{a:x} {size:x}\n".encode())
            s.p.stdin.flush()
            while not lines or lines[-1] != "attacked":
                lines.append(s.line().strip())
            lines.pop()
            bad = [x for x in lines if x.endswith("succeeded")]
            if bad:
                raise Fail(f"at {a:x}: {bad}")
        for pid, maps in before.items():
            now = [x for x in special.real_maps(pid) if HIDDEN[0] <= x[0] < HIDDEN[1]]
            if now != maps:
                raise Fail(f"the monitor's pages have changed: {maps} {now}")
        s.p.stdin.close()
        s.p.stdin = None
        status, out, err = s.end()
        if status or "still here" not in out.decode() or "child works" not in out.decode():
            raise Fail(f"status {status}, {out!r}, {err[:500]}")


def hidden_written(suite, case, n, policy):
    """System calls that would write to the monitor's pages, or read them."""
    import special
    count = 0
    while True:
        with special.Session(suite, case, n, policy, ["@ATTACK@/gate", "writes"],
                             ["--timeout", "3"]) as s:
            if s.line() != "ready\n":
                raise Fail("not ready")
            ranges = hidden_ranges(special, s.programs("gate"))
            if count == len(ranges):
                return
            a, size, perms = ranges[count]
            count += 1
            s.p.stdin.write(f"{a:x} {size:x}\n".encode())
            s.p.stdin.close()
            s.p.stdin = None
            status, out, err = s.end(30)
            out = out.decode()
            # refused, or seen as the difference that it is
            if status == 99 and s.json_report()["kind"] in ("result", "payload", "call", "crash"):
                continue
            if perms == "r--p":
                # the kernel's clock page, which nobody else can read to
                # compare; it has no secrets
                out = out.replace("write from succeeded", "")
            if status or "succeeded" in out or "still here" not in out:
                raise Fail(f"{a:x} {perms}: status {status}, {out!r}, {err[:600]}")


def opened(s, form, path, flags, text, at):
    """What the leader's gate said to opening (jump.c) and reading or writing."""
    s.p.stdin.write(f"{form} {path} {flags:x} {text} {at:x}\n".encode())
    s.p.stdin.flush()
    if not select.select([s.p.stdout], [], [], 5)[0]:
        return None
    line = s.p.stdout.readline().decode()
    m = re.match(r"(-?\d+) (-?\d+)\n", line)
    return (int(m[1]), int(m[2])) if m else None


def as_nobody(suite):
    """Options for Popen, if the build can be run by somebody unprivileged."""
    if os.geteuid() != 0:
        return {}
    who = {"user": 65534, "group": 65534, "extra_groups": []}
    if subprocess.run(["test", "-x", suite.monitord], check=False, **who).returncode:
        return None
    return who


def monitor_memory(suite, case, n, policy):
    """The monitor's own memory and descriptors are out of reach, even for a
    leader that uses its gate, if the program is not root."""
    import special
    who = as_nobody(suite)
    if who is None:
        return
    work = suite.fresh(case)
    if who:
        os.chown(work, 65534, 65534)
        os.chown(os.path.dirname(work), 65534, 65534)
    probe = ("import ctypes, os\n"
             "libc = ctypes.CDLL(None, use_errno=True)\n"
             "p = os.getppid()\n"
             "f = int(open(f'/proc/{p}/stat').read().split()[3])\n"
             "for pid in (p, f):\n"
             "    if 'monitord' not in open(f'/proc/{pid}/comm').read(): continue\n"
             "    print('monitord')\n"
             "    for call in (lambda: os.open(f'/proc/{pid}/mem', os.O_RDWR),\n"
             "                 lambda: os.listdir(f'/proc/{pid}/fd'),\n"
             "                 lambda: os.readlink(f'/proc/{pid}/exe'),\n"
             "                 lambda: os.pidfd_open(pid)):\n"
             "        try: print('REACHED', call())\n"
             "        except OSError: pass\n"
             "    b = ctypes.create_string_buffer(8)\n"
             "    class iov(ctypes.Structure): _fields_ = [('p', ctypes.c_void_p), ('n', ctypes.c_size_t)]\n"
             "    Z = ctypes.c_long(0)\n"
             "    v = iov(ctypes.addressof(b), 8)\n"
             "    for nr in (310, 311):\n"
             "        if libc.syscall(nr, pid, ctypes.byref(v), 1, ctypes.byref(v), 1, Z) != -1:\n"
             "            print('REACHED', nr)\n")
    r = subprocess.run([suite.monitord, "run", "-n", str(n), "--policy", policy, "--",
                        suite.python, "-c", probe], cwd=work, timeout=60, check=False,
                       env=suite.environment(case, "none"), stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, **who)
    if r.returncode or "monitord" not in r.stdout or "REACHED" in r.stdout:
        raise Fail(f"status {r.returncode}: {r.stdout} {r.stderr[:500]} "
                   f"({os.stat('/dev/null')})")
    if policy == "strict" or n < 2:
        return
    with special.Session(suite, case, n, policy, ["@ATTACK@/jump", "open"],
                         ["--env", "1:VARIANT=1", "--env", "2:VARIANT=1"][:2 * (n - 1)],
                         **who) as s:
        if s.line() != "ready\n":
            raise Fail("not ready")
        tracer = s.tracer("jump")
        for path in (f"/proc/{tracer}/mem", f"/proc/{tracer}/fd/3",
                     f"/proc/{s.p.pid}/mem"):
            got = opened(s, "gate", path, os.O_RDONLY, "owned", 0x1000)
            if not got or got[0] >= 0:
                raise Fail(f"{path}: {got}")
        # the plain call is none for a gate
        got = opened(s, "openat", f"/proc/{tracer}/mem", os.O_RDWR, "owned", 0x1000)
        status, _, err = s.end()
        if got or status != 99:
            raise Fail(f"openat: {got}, status {status}, {err[:500]}")


class AtTheGate:
    """A run whose leader does at its gate what it is told."""

    def __init__(self, suite, case, n, policy):
        import special
        self.special, self.policy = special, policy
        self.s = special.Session(suite, case, n, policy, ["@ATTACK@/jump", "open"],
                                 ["--env", "1:VARIANT=1", "--timeout", "2"])

    def __enter__(self):
        self.s.__enter__()
        if self.s.line() != "ready\n":
            raise Fail("not ready")
        pids = sorted(self.s.programs("jump"), key=lambda p: not os.readlink(
            f"/proc/{p}/fd/0").startswith("pipe:"))
        self.follower = pids[1]
        return self

    def __exit__(self, *args):
        return self.s.__exit__(*args)

    def end(self):
        self.s.p.stdin.close()
        self.s.p.stdin = None
        status, _, err = self.s.end()
        return status, err[:500]

    def stopped(self, form, path, flags, at=0x1000):
        """The call is the difference that ends the run, and is not made."""
        got = opened(self.s, form, path, flags, "owned", at)
        status, err = self.end()
        if got or status != 99:
            raise Fail(f"{form} {path} {flags:x}: {got}, status {status}, {err}")


def follower_memory(suite, case, n, policy):
    """A leader that has been taken over and uses its gate comes at nothing in
    /proc, by no form of the call and no name: there is a follower's memory."""
    where = suite.fresh(case)
    for form, what, flags in (
            ("openat", "mem", os.O_RDWR), ("openat", "mem", os.O_RDONLY),
            ("openat", "maps", os.O_RDONLY), ("open", "mem", os.O_RDWR),
            ("own", "mem", os.O_RDWR), ("own", "maps", os.O_RDONLY),
            ("here", "maps", os.O_RDONLY), ("askew", "mem", os.O_RDWR),
            ("creat", "mem", os.O_RDWR)):
        with AtTheGate(suite, case, n, policy) as g:
            g.stopped(form, f"/proc/{g.follower}/{what}", flags)
    # the form that the gate does pass
    with AtTheGate(suite, case, n, policy) as g:
        if policy == "strict":
            g.stopped("gate", f"/proc/{g.follower}/maps", os.O_RDONLY)
            return
        own = [a for a, _, _, name in g.special.real_maps(g.follower) if name == "[stack]"][0]
        link = os.path.join(where, "link")
        os.symlink(f"/proc/{g.follower}", link)
        names = [f"/proc/{g.follower}/{x}" for x in
                 ("mem", "maps", "auxv", "environ", "fd/0", "map_files", "task")]
        names += [f"{link}/mem", f"{link}/maps", f"/../proc/{g.follower}/mem",
                  f"/proc/self/root/proc/{g.follower}/mem", "/proc", "/dev/mem",
                  "/proc/kcore", f"{where}/../../proc/{g.follower}/mem",
                  # no directory to start from
                  ".", "link/mem", ""]
        for name in names:
            got = opened(g.s, "gate", name or "./", os.O_RDONLY, "owned", own)
            if not got or got[0] >= 0:
                raise Fail(f"{name}: {got}")
        # it does open files, or all this would show nothing
        got = opened(g.s, "gate", os.path.realpath(suite.monitord), os.O_RDONLY, "owned", 0)
        on_root = os.stat(suite.monitord).st_dev == os.stat("/").st_dev
        if not got or (on_root and (got[0] < 0 or got[1] != 5)):
            raise Fail(f"a file: {got}")
        status, err = g.end()
        if status:
            raise Fail(f"status {status}, {err}")


def names_at_the_gate(suite, case, n, policy):
    """Nothing is made, written to or given other rights by its name at the gate.
    Not stopped: what takes a file away or moves it."""
    for form, flags in (("openat", os.O_WRONLY), ("openat", os.O_WRONLY | os.O_CREAT),
                        ("open", os.O_RDWR | os.O_TRUNC), ("own", os.O_RDWR),
                        ("openat", os.O_RDONLY | os.O_CREAT), ("creat", os.O_WRONLY),
                        ("openat", os.O_TMPFILE | os.O_RDWR), ("chmod", 0),
                        ("symlink", 0)):
        with AtTheGate(suite, case, n, policy) as g:
            path = os.path.join(g.s.work, "precious")
            with open(path, "w", encoding="ascii") as f:
                f.write("precious")
            os.chmod(path, 0o640)
            before = sorted(os.listdir(g.s.work))
            g.stopped(form, g.s.work if flags & os.O_TMPFILE == os.O_TMPFILE else path,
                      flags, 0)
            with open(path, encoding="ascii") as f:
                text = f.read()
            if text != "precious" or os.stat(path).st_mode & 0o777 != 0o640 or \
                    sorted(os.listdir(g.s.work)) != before:
                raise Fail(f"{form} {flags:x} had an effect")
    if policy == "strict":
        return
    with AtTheGate(suite, case, n, policy) as g:
        path = os.path.join(g.s.work, "precious")
        with open(path, "w", encoding="ascii") as f:
            f.write("precious")
        for form, what in (("rename", path), ("unlink", f"{path}.there")):
            got = opened(g.s, form, what, 0, "owned", 0)
            if got != (0, -9) and (not got or got[0]):
                raise Fail(f"{form}: {got}; see the threat model")
        status, err = g.end()
        if status or os.path.exists(f"{path}.there"):
            raise Fail(f"status {status}, {err}")


def without_openat2():
    """Between fork and exec: from now on the kernel does not know openat2."""
    code = struct.pack("<" + "HBBI" * 4,
                       0x20, 0, 0, 0,             # load the number
                       0x15, 0, 1, 437,           # openat2?
                       0x06, 0, 0, 0x00050000 | errno.ENOSYS,
                       0x06, 0, 0, 0x7fff0000)    # allow
    libc = ctypes.CDLL(None, use_errno=True)
    at = ctypes.create_string_buffer(code, len(code))
    prog = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", 4, ctypes.addressof(at)))
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, prog, 0, 0):
        os._exit(125)


def old_kernel(suite, case, n, policy):
    """Without openat2 monitord opens everything, and programs still work."""
    r = subprocess.run([suite.monitord, "doctor"], stdout=subprocess.PIPE, timeout=30,
                       check=False, text=True, preexec_fn=without_openat2)
    if not re.search("^note +openat2: ", r.stdout, re.M):
        raise Fail(f"doctor does not say so: {r.stdout}")
    r = subprocess.run([suite.monitord, "run", "-n", str(n), "--policy", policy, "--",
                        "sh", "-c", "cat /etc/passwd /etc/passwd | sort -u | wc -l; "
                        "cat /no/such/file 2>/dev/null || echo none"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                       check=False, text=True, preexec_fn=without_openat2)
    with open("/etc/passwd", encoding="utf-8") as f:
        want = f"{len(set(f.read().splitlines()))}\nnone\n"
    if r.returncode or r.stdout != want or r.stderr:
        raise Fail(f"status {r.returncode}, {r.stdout!r} instead of {want!r}, {r.stderr[:500]}")


def run_escape(suite, case, n, policy, what, *options):
    """(status, stdout, stderr, report or None), in a fresh directory."""
    import special
    with special.Session(suite, case, n, policy, ["@ATTACK@/escape", what],
                         options) as s:
        status, out, err = s.end(30)
        report = s.json_report() if os.path.exists(s.report) and \
            os.path.getsize(s.report) else None
        return status, out, err, report, s.work


def proc_again(suite, case, n, policy):
    """The files of /proc are what they are, not where they are mounted."""
    status, out, err, report, work = run_escape(suite, case, n, policy, "proc-again")
    if status == 77:
        raise Skip("nothing can be mounted")
    if b"memfd:ipmon" in out or os.path.exists(os.path.join(work, "effect")):
        raise Fail("the monitor's memory is to be seen")
    if status != 99 or report["kind"] != "payload" or \
            (policy != "relaxed" and out):
        raise Fail(f"status {status}, {out[:200]!r} {err[:500]}")


def proc_covered(suite, case, n, policy):
    """Who mounts something over what the monitor sees is ended."""
    for what in ("self/fd", "self", "thread-self/", "."):
        work = suite.fresh(case)
        r = subprocess.run(["unshare", "-m", "--propagation", "private", suite.monitord, "run",
                            "-n", str(n), "--policy", policy, "--",
                            suite.subst("@ATTACK@/escape"), "proc-covered", what],
                           cwd=work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                           check=False, text=True)
        if r.returncode == 77 or "unshare failed" in r.stderr:
            raise Skip("nothing can be mounted")
        if r.returncode != 125 or "over /proc" not in r.stderr or \
                os.path.exists(os.path.join(work, "effect")):
            raise Fail(f"{what}: status {r.returncode}, {r.stderr[:500]}")


def starved(suite, case, n, policy):
    """A program that takes its limits away from the monitor harms itself."""
    status, out, err, _, work = run_escape(suite, case, n, policy, "limits")
    if status not in (99, 125) or out or os.path.exists(os.path.join(work, "effect")):
        raise Fail(f"status {status}, {out!r} {err[:500]}")


def shared_store(suite, case, n, policy):
    """Not stopped: what the leader stores into a file needs no system call."""
    status, _, err, _, work = run_escape(suite, case, n, policy, "shared-store")
    with open(os.path.join(work, "file"), "rb") as f:
        v = int.from_bytes(f.read(8), "little")
    if status or v >> 40 not in range(0x7f - 8, 0x80):
        raise Fail(f"status {status}, {v:#x}, {err[:300]}")


def how_far_ahead(suite, case, n, policy):
    """How much of a thousand outputs comes after the one that differs."""
    for lag in (None, 1, 10, 100):
        options = ["--max-lag", str(lag)] if lag else []
        status, _, err, report, work = run_escape(suite, case, n, policy, "ahead", *options)
        size = os.path.getsize(os.path.join(work, "out"))
        if status != 99 or report["kind"] != "payload":
            raise Fail(f"status {status}, {err[:500]}")
        # 8 bytes that differ, then one per call
        if size > (0 if policy != "relaxed" else 1008 if not lag else 8 + lag):
            raise Fail(f"--max-lag {lag}: {size} bytes have left")

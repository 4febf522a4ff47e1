#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""End-to-end tests: programs under `monitord run` against the same natively.

Theory of operation
-------------------
Cases are data (cases/*.toml).  A case of kind "same" runs its program natively
once in a fresh directory, then once per (N, policy) in a fresh directory of
the same name, and compares standard output, standard error, exit status and
the directory tree afterwards.  A case with `kind` expects a divergence: exit
99, the report's kind and syscall, and no effect.  A case with `status`
expects exactly that exit status of monitord.  A case with `server` or
`special` is driven by Python (servers.py, special.py), which returns a
transcript that is compared in the same way.

Each run is its own session with a hard time limit.  What is left of it
afterwards (found by session, by descent and by a marker in the environment
or by its working directory) is killed process by process, and counts as a
failure when the native run left nothing.

See cases/README for the fields of a case.
"""
import argparse
import contextlib
import ctypes
import difflib
import fnmatch
import importlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

DEFAULTS = {"n": [1, 2, 3], "policy": ["strict", "verified", "relaxed"],
            "timeout": 40}
PROGRESS_SECONDS = 30
MARK = "E2E_MARK"


class Fail(Exception):
    """A case's expectation does not hold; the text says which."""


class Skip(Exception):
    """This machine does not allow what the case is about."""


def processes():
    """All processes as {pid: (ppid, session, state)}."""
    out = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as f:
                    rest = f.read().rsplit(b")", 1)[1].split()
                out[int(name)] = (int(rest[1]), int(rest[3]), rest[0].decode())
            except (OSError, IndexError):
                pass
    return out


def leftovers(leader, mark, workdir):
    """Processes that belong to a run: by session, descent, marker or place."""
    table = processes()
    found = set()
    for pid, (ppid, session, state) in table.items():
        if pid == os.getpid() or state in "ZX":
            continue
        if session == leader or pid == leader:
            found.add(pid)
            continue
        try:
            with open(f"/proc/{pid}/environ", "rb") as f:
                if mark in f.read():
                    found.add(pid)
                    continue
            cwd = os.readlink(f"/proc/{pid}/cwd")
            if cwd == workdir or cwd.startswith(workdir + "/"):
                found.add(pid)
        except OSError:
            pass
    grew = True
    while grew:
        grew = False
        for pid, (ppid, _, state) in table.items():
            if ppid in found and pid not in found and state not in "ZX":
                found.add(pid)
                grew = True
    return found


def kill_left(leader, mark, workdir):
    """Kill what is left of a run, one by one; how many there were."""
    count = 0
    for _ in range(20):
        found = leftovers(leader, mark, workdir)
        if not found:
            break
        count = max(count, len(found))
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
    return count


def tree(root):
    """The directory as {path: description}, times left out."""
    out = {}
    # by descriptor: some programs make paths that are too long for a name
    for base, dirs, files, at in os.fwalk(root):
        for name in sorted(dirs + files):
            rel = os.path.relpath(os.path.join(base, name), root)
            st = os.lstat(name, dir_fd=at)
            mode = stat.S_IMODE(st.st_mode)
            kind = stat.S_IFMT(st.st_mode)
            if kind == stat.S_IFLNK:
                out[rel] = ("link", os.readlink(name, dir_fd=at))
            elif kind == stat.S_IFDIR:
                out[rel] = ("dir", oct(mode), st.st_uid, st.st_gid)
            elif kind == stat.S_IFREG:
                try:
                    with open(name, "rb", opener=lambda n, flags:
                              os.open(n, flags, dir_fd=at)) as f:
                        data = f.read()
                except OSError:
                    data = b"(unreadable)"
                out[rel] = ("file", oct(mode), st.st_uid, st.st_gid,
                            st.st_nlink, data)
            else:
                out[rel] = ("special", oct(st.st_mode), st.st_uid, st.st_gid)
    return out


class Run:
    """Outcome of one run."""

    def __init__(self, status, out, err, files, left, seconds, timed_out):
        self.status, self.out, self.err = status, out, err
        self.files, self.left = files, left
        self.seconds, self.timed_out = seconds, timed_out


class Case:
    def __init__(self, data, source):
        self.data, self.source = data, source
        self.name = data["name"]
        self.group = data.get("group", source)
        self.passed = self.failed = 0

    def get(self, key, default=None):
        return self.data.get(key, DEFAULTS.get(key, default))


class Suite:
    def __init__(self, args):
        self.args = args
        self.build = os.path.abspath(args.build)
        self.monitord = os.path.abspath(
            args.monitord or os.path.join(self.build, "monitord", "monitord"))
        self.top = tempfile.mkdtemp(prefix="e2e.")
        os.chmod(self.top, 0o755)
        self.logs = os.path.abspath(args.logs) if args.logs else \
            tempfile.mkdtemp(prefix="ipmon-e2e-logs.")
        os.makedirs(self.logs, exist_ok=True)
        self.lock = threading.Lock()
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.python = "/usr/bin/python3"

    # ---- running -------------------------------------------------------
    def environment(self, case, mark):
        env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "HOME": os.path.join(self.top, "home"), "LC_ALL": "C.UTF-8",
               "TZ": "UTC", "TERM": "dumb", "USER": "root", "LOGNAME": "root",
               "SHELL": "/bin/sh", "PYTHONHASHSEED": "0",
               "PYTHONDONTWRITEBYTECODE": "1",
               "GIT_CONFIG_NOSYSTEM": "1", MARK: mark}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(case.get("env", {}))
        return env

    def subst(self, text, extra=None):
        words = {"BUILD": self.build, "VICTIM": self.build + "/test/victim",
                 "ATTACK": self.build + "/test/attack",
                 "MONITORD": self.monitord, "PYTHON": self.python}
        words.update(extra or {})
        return re.sub(r"@([A-Z]+)@",
                      lambda m: words.get(m.group(1), m.group(0)), text)

    def argv(self, case):
        if "argv" in case.data:
            return [self.subst(a) for a in case.data["argv"]]
        for shell in ("sh", "bash"):
            if shell in case.data:
                return [f"/bin/{shell}", "-c", self.subst(case.data[shell])]
        if "python" in case.data:
            return [self.python, "-c", self.subst(case.data["python"])]
        if "perl" in case.data:
            return ["/usr/bin/perl", "-e", self.subst(case.data["perl"])]
        raise Fail("the case names no program")

    def monitor_argv(self, case, n, policy, extra=()):
        options = []
        given = [self.subst(o) for o in case.get("options", [])]
        while given:
            option = given.pop(0)
            # a case names more variants than some of its N have, unless that
            # is what it tests
            if option in ("--env", "--preload", "--cpu") and \
                    int(given[0].split(":")[0]) >= n and \
                    case.get("status") != 125:
                given.pop(0)
                continue
            options.append(option)
        return ([self.monitord, "run", "-n", str(n), "--policy", policy] +
                options + list(extra) + ["--"])

    def fresh(self, case):
        """An empty directory, always of the same name for a case."""
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", case.name)
        outer = os.path.join(self.top, name)
        if os.path.exists(outer):
            self.remove(outer)
        work = os.path.join(outer, "work")
        os.makedirs(work)
        os.makedirs(os.path.join(outer, "tmp"))
        if "setup" in case.data:
            r = subprocess.run(["/bin/bash", "-ec", self.subst(case.data["setup"])],
                               cwd=work, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env=self.environment(case, "setup"), timeout=60)
            if r.returncode:
                raise Fail("setup failed: " + r.stdout.decode(errors="replace"))
        return work

    @staticmethod
    def remove(path):
        def again(func, name, _):
            os.chmod(os.path.dirname(name), 0o700)
            func(name)
        shutil.rmtree(path, onerror=again)

    def execute(self, case, argv, work, timeout=None):
        """Run argv in `work`; never raises for what the program does."""
        mark = f"{os.getpid()}-{time.monotonic_ns()}"
        timeout = timeout or case.get("timeout")
        base = os.path.dirname(work)
        outp, errp = os.path.join(base, "stdout"), os.path.join(base, "stderr")
        stdin = case.get("stdin")
        inp = os.path.join(base, "stdin")
        with open(inp, "wb") as f:
            f.write((stdin or "").encode())
        limit = False
        env = self.environment(case, mark)
        start = time.monotonic()
        with open(outp, "wb") as out, open(errp, "wb") as err, \
                open(inp if stdin is not None else "/dev/null", "rb") as i:
            try:
                p = subprocess.Popen(argv, cwd=work, stdin=i, stdout=out,
                                     stderr=err, env=env,
                                     start_new_session=True, umask=0o022)
            except OSError as e:
                raise Fail(f"cannot start {argv[0]}: {e}") from e
            try:
                status = p.wait(timeout)
            except subprocess.TimeoutExpired:
                limit = True
                status = None
        seconds = time.monotonic() - start
        # what only needs a moment more to end by itself is not left behind
        mark_bytes = f"{MARK}={mark}".encode()
        patience = time.monotonic() + (0 if limit else 3)
        while time.monotonic() < patience and leftovers(p.pid, mark_bytes, work):
            time.sleep(0.05)
        left = kill_left(p.pid, mark_bytes, work)
        if limit:
            p.wait()
        with open(outp, "rb") as f:
            o = f.read()
        with open(errp, "rb") as f:
            e = f.read()
        return Run(status, o, e, tree(work), left, seconds, limit)

    # ---- comparing -----------------------------------------------------
    def normalise(self, case, data, what):
        for rule in case.get("normalise", []):
            if "in" in rule and not fnmatch.fnmatch(what, rule["in"]):
                continue
            data = re.sub(rule["find"].encode(), rule["put"].encode(), data,
                          flags=re.M)
        if what in case.get("sort", []):
            data = b"".join(sorted(data.splitlines(True)))
        return data

    @staticmethod
    def text_diff(a, b, what):
        def lines(x):
            return x.decode(errors="backslashreplace").splitlines()[:4000]
        d = list(difflib.unified_diff(lines(a), lines(b), what + " native",
                                      what + " monitored", lineterm="", n=1))
        if not d:
            k = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y),
                     min(len(a), len(b)))
            return f"{what}: {len(a)} and {len(b)} bytes, first difference at {k}"
        return "\n".join(x[:300] for x in d[:30])

    def same(self, case, native, got):
        problems = []
        if got.timed_out:
            problems.append(f"no end within {case.get('timeout')} s")
        elif got.status != native.status:
            problems.append(f"exit status {native.status} natively, {got.status} monitored")
        for what in ("out", "err"):
            a = self.normalise(case, getattr(native, what), "std" + what)
            b = self.normalise(case, getattr(got, what), "std" + what)
            if a != b:
                problems.append(self.text_diff(a, b, "std" + what))
        for path in sorted(set(native.files) | set(got.files)):
            if any(fnmatch.fnmatch(path, p) for p in case.get("ignore", [])):
                continue
            a, b = native.files.get(path), got.files.get(path)
            if a is None or b is None:
                problems.append(f"{path}: only {'monitored' if a is None else 'natively'}")
            elif a[:-1] != b[:-1] or (a[0] != "file" and a != b):
                problems.append(f"{path}: {a[:-1]} natively, {b[:-1]} monitored")
            elif a[0] == "file":
                x = self.normalise(case, a[-1], path)
                y = self.normalise(case, b[-1], path)
                if x != y:
                    problems.append(self.text_diff(x, y, path))
        if got.left > native.left:
            problems.append(f"{got.left} processes left behind")
        if problems:
            raise Fail("\n".join(problems))

    # ---- one case ------------------------------------------------------
    def combinations(self, case):
        """The (n, policy) to run.  One variant alone has nobody to wait for:
        verified is relaxed then, and left out unless it is asked for."""
        ns, policies = case.get("n"), case.get("policy")
        if self.args.n:
            ns = [n for n in ns if n in self.args.n]
        if self.args.policy:
            policies = [p for p in policies if p in self.args.policy]
        for n in ns:
            for policy in policies:
                if n > 1 or policy != "verified" or "relaxed" not in policies:
                    yield n, policy

    def result(self, case, variant, why=None, run=None, seconds=0.0):
        name = f"{case.group}/{case.name} {variant}"
        with self.lock:
            case.passed += why is None
            case.failed += why is not None
            if why is None:
                self.passed += 1
                if self.args.verbose:
                    print(f"ok   {name} ({seconds:.1f} s)", flush=True)
                return
            self.failed += 1
            self.failures.append(name)
            log = os.path.join(self.logs, re.sub(r"[^A-Za-z0-9_.-]+", "_", name))
            with open(log, "wb") as f:
                f.write(why.encode() + b"\n")
                if run:
                    f.write(b"\n--- status %s\n--- stdout\n" % str(run.status).encode())
                    f.write(run.out + b"\n--- stderr\n" + run.err)
            short = "\n".join("     " + x for x in why.splitlines()[:self.args.lines])
            tail = ""
            if run and run.err and "stderr" not in why:
                tail = "\n" + "\n".join(
                    "     | " + x[:200] for x in
                    run.err.decode(errors="replace").splitlines()[:4])
            print(f"FAIL {name}\n{short}{tail}\n     log: {log}", flush=True)

    def skip(self, case, why):
        with self.lock:
            self.skipped += 1
            print(f"skip {case.group}/{case.name}: {why}", flush=True)

    def run_case(self, case):
        for need in case.get("needs", []):
            path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            if not (os.path.exists(self.subst(need)) or shutil.which(need, path=path)):
                return self.skip(case, need + " is not there")
        try:
            if "kind" in case.data or "status" in case.data:
                self.run_negative(case)
            elif "special" in case.data:
                self.run_special(case)
            elif "server" in case.data:
                self.run_server(case)
            else:
                self.run_same(case)
        except Skip as e:
            self.skip(case, str(e))
        except Fail as e:
            self.result(case, "", str(e))
        except Exception as e:  # a broken case must not end the suite
            import traceback
            self.result(case, "", f"runner: {e!r}\n{traceback.format_exc()}")
        finally:
            if not self.args.keep:
                name = re.sub(r"[^A-Za-z0-9_.-]", "_", case.name)
                try:
                    # a case need not have had one; remove() would take the
                    # permissions of what it is in for the reason
                    if os.path.exists(os.path.join(self.top, name)):
                        self.remove(os.path.join(self.top, name))
                except OSError:
                    pass

    def run_same(self, case):
        argv = self.argv(case)
        native = self.execute(case, argv, self.fresh(case))
        if native.timed_out:
            raise Fail("the native run does not end\n" +
                       native.err.decode(errors="replace"))
        want = case.get("native_status", 0)
        if native.status == 77 != want:
            raise Skip(native.err.decode(errors="replace").strip() or
                       "not possible here")
        if native.status != want:
            raise Fail(f"the native run ended with {native.status}\n" +
                       native.out.decode(errors="replace")[-500:] +
                       native.err.decode(errors="replace")[-1500:])
        for n, policy in self.combinations(case):
            got = self.execute(case, self.monitor_argv(case, n, policy) + argv,
                               self.fresh(case))
            try:
                self.same(case, native, got)
            except Fail as e:
                self.result(case, f"n={n} {policy}", str(e), got)
                continue
            self.result(case, f"n={n} {policy}", seconds=got.seconds)

    def run_negative(self, case):
        argv = self.argv(case)
        for n, policy in self.combinations(case):
            if "kind" in case.data and n < 2:
                continue
            work = self.fresh(case)
            report = os.path.join(os.path.dirname(work), "report.json")
            got = self.execute(case, self.monitor_argv(
                case, n, policy, ["--report", report]) + argv, work)
            try:
                self.negative(case, got, report, policy)
            except Fail as e:
                self.result(case, f"n={n} {policy}", str(e), got)
                continue
            self.result(case, f"n={n} {policy}", seconds=got.seconds)

    def negative(self, case, got, report, policy):
        # The leader of `relaxed` runs ahead: what it did before somebody
        # differed has been done.
        ahead = (policy == "relaxed" and "kind" in case.data and
                 case.data.get("relaxed_effects", True))
        if got.timed_out:
            raise Fail("no end")
        want = case.get("status", 99)
        if got.status == 77 != want:
            raise Skip(got.err.decode(errors="replace").strip() or "not possible here")
        if got.status != want:
            raise Fail(f"exit status {got.status}, expected {want}")
        if "kind" in case.data:
            try:
                with open(report, encoding="utf-8") as f:
                    r = json.load(f)
            except (OSError, ValueError) as e:
                raise Fail(f"no usable report: {e}") from e
            kinds = case.get("kind")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if r.get("kind") not in kinds:
                raise Fail(f"report says kind {r.get('kind')}, expected {kinds}")
            calls = case.get("syscall")
            calls = calls if isinstance(calls, list) else [calls]
            if calls != [None] and r.get("syscall") not in calls:
                raise Fail(f"report says syscall {r.get('syscall')}, expected {calls}")
            for key in ("kind", "syscall", "task", "variants", "diff", "recent"):
                if key not in r:
                    raise Fail(f"the report lacks {key}")
            for v in r["variants"]:
                for key in ("args", "ip", "backtrace"):
                    if key not in v:
                        raise Fail(f"a variant of the report lacks {key}")
            if len(r["variants"]) < 2:
                raise Fail("the report shows fewer than two variants")
            if not got.err.strip():
                raise Fail("nothing was reported on stderr")
        for path in [] if ahead else case.get("absent", []):
            if path in got.files and (path not in case.get("may_be_empty", [])
                                      or got.files[path][-1]):
                raise Fail(f"{path} is there: the effect happened")
        for path, want in case.get("contents", {}).items():
            if path not in got.files or got.files[path][-1] != want.encode():
                raise Fail(f"{path}: {got.files.get(path)!r}, expected {want!r}")
        for what in ("out", "err"):
            data = getattr(got, what).decode(errors="replace")
            if ahead and what == "out":
                continue
            if "std" + what in case.data and data != case.data["std" + what]:
                raise Fail(f"std{what} is {data!r}, expected {case.data['std' + what]!r}")
            for pattern in case.get("match_std" + what, []):
                if not re.search(pattern, data, re.M):
                    raise Fail(f"std{what} does not match {pattern!r}: {data[:600]!r}")
            for pattern in case.get("no_std" + what, []):
                if re.search(pattern, data, re.M):
                    raise Fail(f"std{what} matches {pattern!r}: {data[:600]!r}")
        if got.left:
            raise Fail(f"{got.left} processes left behind")

    def run_special(self, case):
        module, _, name = case.data["special"].rpartition(".")
        fn = getattr(importlib.import_module(module or "special"), name)
        for n, policy in self.combinations(case):
            start = time.monotonic()
            try:
                fn(self, case, n, policy)
            except Fail as e:
                self.result(case, f"n={n} {policy}", str(e))
                continue
            self.result(case, f"n={n} {policy}", seconds=time.monotonic() - start)

    def run_server(self, case):
        import servers
        native = servers.drive(self, case, None, None)
        for n, policy in self.combinations(case):
            start = time.monotonic()
            try:
                got = servers.drive(self, case, n, policy)
                self.same(case, native, got)
            except Fail as e:
                self.result(case, f"n={n} {policy}", str(e))
                continue
            self.result(case, f"n={n} {policy}", seconds=time.monotonic() - start)

    # ---- all -----------------------------------------------------------
    def victims(self, overrides):
        """One case per program of test/victim, with what cases/victims.toml adds."""
        listing = os.path.join(self.build, "test", "victim")
        names = sorted(x for x in os.listdir(listing) if re.fullmatch(
            r"(?:[pv][0-9]*|rv|sys)_[a-z0-9_]+", x) and os.access(os.path.join(listing, x), os.X_OK)
            and os.path.isfile(os.path.join(listing, x)))
        for name in names:
            data = {"name": name, "argv": [os.path.join(listing, name)]}
            data.update(overrides.pop(name, {}))
            if "args" in data:
                data["argv"] = data["argv"] + data["args"]
            yield Case(data, "victim")
        for name in overrides:
            print(f"cases/victims.toml names {name}, which is not built")

    def load(self):
        cases = []
        folder = os.path.join(HERE, "cases")
        for file in sorted(os.listdir(folder)):
            if not file.endswith(".toml"):
                continue
            with open(os.path.join(folder, file), "rb") as f:
                data = tomllib.load(f)
            if file == "victims.toml":
                cases += self.victims(data)
                continue
            base = data.get("defaults", {})
            for c in data.get("case", []):
                cases.append(Case({**base, **c}, file[:-5]))
        seen = set()
        for c in cases:
            if c.name in seen:
                sys.exit(f"two cases are called {c.name}")
            seen.add(c.name)
        if self.args.pattern:
            cases = [c for c in cases if any(
                re.search(p, f"{c.group}/{c.name}") for p in self.args.pattern)]
        return cases

    def again(self, cases):
        """What failed beside other cases gets a second try by itself: machines
        with two cores starve a server or a timer now and then. Both are shown."""
        for c in cases:
            with self.lock:
                self.passed -= c.passed
                self.failed -= c.failed
                c.passed = c.failed = 0
            print(f"-- again, alone: {c.group}/{c.name}", flush=True)
            self.run_case(c)
            if not c.failed:
                print(f"-- {c.group}/{c.name}: passed when alone", flush=True)

    @contextlib.contextmanager
    def progress(self, name, members):
        """A line now and then about how far a long group is."""
        done, over = [], threading.Event()

        def counted(case):
            self.run_case(case)
            done.append(case)

        def show():
            while not over.wait(PROGRESS_SECONDS):
                print(f"-- {name}: {len(done)} of {len(members)} cases", flush=True)

        ticker = threading.Thread(target=show, daemon=True)
        ticker.start()
        try:
            yield counted
        finally:
            over.set()
            ticker.join()

    def run(self):
        cases = self.load()
        groups = {}
        for c in cases:
            groups.setdefault(c.group, []).append(c)
        for name, members in groups.items():
            start = time.monotonic()
            before = (self.passed, self.failed, self.skipped)
            alone = [c for c in members if c.get("alone")]
            rest = [c for c in members if not c.get("alone")]
            with self.progress(name, members) as counted:
                with ThreadPoolExecutor(self.args.jobs) as pool:
                    list(pool.map(counted, rest))
                for c in alone:
                    counted(c)
            self.again([c for c in members if c.failed])
            p, f, s = (a - b for a, b in
                       zip((self.passed, self.failed, self.skipped), before))
            label = f"{self.args.label}/" if self.args.label else ""
            print(f"== {label}{name}: {len(members)} cases, {p} passed, {f} failed, "
                  f"{s} skipped in {time.monotonic() - start:.0f} s", flush=True)
        return self.failed


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("--build", required=True)
    ap.add_argument("--monitord", help="another monitord than the build's")
    ap.add_argument("--label", help="put before the names of the groups")
    ap.add_argument("--logs", help="folder for the logs of failures")
    ap.add_argument("--n", type=lambda s: [int(x) for x in s.split(",")])
    ap.add_argument("--policy", type=lambda s: s.split(","))
    ap.add_argument("-j", "--jobs", type=int, default=2)
    ap.add_argument("-v", "--verbose", action="store_true")
    ap.add_argument("--keep", action="store_true", help="keep the directories")
    ap.add_argument("--list", action="store_true")
    ap.add_argument("--lines", type=int, default=12, help="lines shown per failure")
    ap.add_argument("--counts", help="file to write 'passed failed skipped' to")
    ap.add_argument("pattern", nargs="*", help="regular expression on group/name")
    args = ap.parse_args()
    # special.py and servers.py import this module by its name
    sys.modules["runner"] = sys.modules["__main__"]
    # who starts us in the background may have these ignored; the programs under
    # test would inherit that
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for sig in (signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(sig, signal.SIG_DFL)
    # orphans of a run come to us, so that they can be reaped
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    suite = Suite(args)
    try:
        if args.list:
            for c in suite.load():
                print(f"{c.group}/{c.name}")
            return 0
        os.makedirs(os.path.join(suite.top, "home"), exist_ok=True)
        suite.run()
    finally:
        if not args.keep:
            Suite.remove(suite.top)
        if not suite.failed and not args.logs:
            shutil.rmtree(suite.logs, ignore_errors=True)
    if args.counts:
        with open(args.counts, "w", encoding="ascii") as f:
            f.write(f"{suite.passed} {suite.failed} {suite.skipped}\n")
    print(f"{suite.passed} passed, {suite.failed} failed, {suite.skipped} skipped")
    return 1 if suite.failed else 0


if __name__ == "__main__":
    sys.exit(main())

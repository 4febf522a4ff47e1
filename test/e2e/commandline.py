# SPDX-License-Identifier: Apache-2.0
"""What a person at the command line meets: help, messages, reports, colours.

Cases of special.py's kind; see there.
"""
import ctypes
import fcntl
import json
import os
import pty
import re
import resource
import signal
import struct
import subprocess
import termios
import time

from runner import Fail

HERE = os.path.dirname(os.path.abspath(__file__))
MAN = os.path.join(HERE, "..", "..", "doc", "monitord.1")
REPORTS = os.path.join(HERE, "reports")


def call(suite, case, *argv, stdin=b"", **env):
    """monitord with these arguments: (status, stdout, stderr)."""
    p = subprocess.run([suite.monitord, *argv], input=stdin, timeout=30,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                       cwd=os.path.join(suite.top, "home"),
                       env={**suite.environment(case, "cli"), **env})
    return (p.returncode, p.stdout.decode(errors="replace"),
            p.stderr.decode(errors="replace"))


def on_pty(suite, case, argv, columns, **env):
    """What a command writes on a terminal that wide."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(os.path.join(suite.top, "home"))
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execve(argv[0], argv, {**suite.environment(case, "pty"),
                                  "TERM": "xterm", **env})
    out = b""
    while True:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        out += data
    os.close(fd)
    os.waitpid(pid, 0)
    return out.decode(errors="replace").replace("\r\n", "\n")


def commands(suite, case):
    status, out, err = call(suite, case, "--help")
    if status or err:
        raise Fail(f"--help: {status} {err}")
    names = re.findall(r"^  ([a-z-]+) {2,}\S", out, re.M)
    if "run" not in names or "report" not in names:
        raise Fail(f"commands are missing: {out}")
    return out, names


def fits(what, text):
    lines = text.splitlines()
    if len(lines) > 24 or any(len(x) > 80 for x in lines):
        raise Fail(f"{what} does not fit 80x24: {len(lines)} lines, "
                   f"{max(map(len, lines))} columns")


def help_fits(suite, case, n, policy):
    """Each help is a screen, goes to standard output, and is in the manual."""
    top, names = commands(suite, case)
    fits("--help", top)
    with open(MAN, encoding="utf-8") as f:
        manual = f.read()
    for name in names:
        status, out, err = call(suite, case, name, "--help")
        if name != "help":
            again = call(suite, case, "help", name)
            if again != (status, out, err):
                raise Fail(f"`help {name}` is not `{name} --help`: {again}")
        if status or err or not out.startswith("usage: monitord "):
            raise Fail(f"{name} --help: {status} {out[:200]!r} {err!r}")
        fits(f"{name} --help", out)
        if f".It Cm {name}\n" not in manual and f".Cm {name}\n" not in manual:
            raise Fail(f"monitord(1) does not know {name}")
    fits("help exit-codes", call(suite, case, "help", "exit-codes")[1])
    status, out, err = call(suite, case)
    if status != 125 or out or not err.startswith("usage: "):
        raise Fail(f"without arguments: {status} {out!r} {err!r}")


# An invocation that is wrong, and what must be in the line that says so.
WRONG = [
    (["no-such-command"], "try 'monitord --help'"),
    (["help", "no-such-command"], "try 'monitord --help'"),
    (["rn", "true"], "no command 'rn'; did you mean run?"),
    (["chekc-config", "x"], "did you mean check-config?"),
    (["help", "exit-code"], "did you mean exit-codes?"),
    (["-n", "2", "true"], "'monitord run -n ...'"),
    (["--versoin"], "did you mean --version?"),
    (["sh", "-c", "true"], "'monitord run -- sh ...' to run that program"),
    (["run"], "try 'monitord run -- PROGRAM'"),
    (["run", "--frobnicate", "true"], "try 'monitord run --help'"),
    (["run", "--polcy", "strict", "true"], "did you mean --policy?"),
    (["run", "--polcy=strict", "true"], "did you mean --policy?"),
    (["run", "--p", "strict", "true"], "may be --policy, --placement or --preload; write more"),
    (["run", "--verbose=3", "true"], "'--verbose' takes no value"),
    (["run", "-vx", "true"], "no option '-x'; try 'monitord run --help'"),
    (["run", "--name=x", "-q", "true"], "no option '-q'"),
    (["service", "--revrt", "x"], "did you mean --revert?"),
    (["service", "--config"], "'--config' needs a value"),
    (["service", "-n"], "'-n' needs a value"),
    (["service", "--root", "/no/such/dir", "x"], "name the directory"),
    (["service", "--root", "/etc/passwd", "x"], "Not a directory"),
    (["service", "--no-config", "--config", "x", "x"], "not both"),
    (["ps", "--jsn"], "did you mean --json?"),
    (["top", "--onec"], "did you mean --once?"),
    (["top", "--delay"], "'--delay' needs a value"),
    (["doctor", "--hlp"], "did you mean --help?"),
    (["check-config", "--hepl"], "did you mean --help?"),
    (["check-config"], "try 'monitord check-config NAME'"),
    (["syscalls", "--clss", "base"], "did you mean --class?"),
    (["syscalls", "--class", "basis"], "'monitord syscalls --help' lists them"),
    (["syscalls", "opnat"], "did you mean openat?"),
    (["run", "-n"], "needs a value; try"),
    (["run", "-n", "two", "true"], "must be a number from 1 to 8"),
    (["run", "--policy", "none", "true"], "must be strict, verified or relaxed"),
    (["run", "--timeout", "0", "true"], "must be a time from 1s"),
    (["run", "--variant", "x=y", "true"], "must be K=..."),
    (["run", "--env", "1:A", "true"], "must be NAME=VALUE"),
    (["run", "--trace", "/no/such/dir/t", "true"], "No such file"),
    (["run", "--trace", "/", "true"], "--trace /: Is a directory; name a file"),
    (["run", "--report", "/no/such/dir/r", "true"],
     "--report /no/such/dir/r: No such file or directory; make its directory first"),
    (["run", "--report", "/", "true"], "--report /: Is a directory; name a file"),
    (["run", "--stats", "/no/such/dir/s", "true"], "--stats /no/such/dir/s: No such"),
    (["run", "--stats", "/etc/passwd/s", "true"], "--stats /etc/passwd/s: Not a dir"),
    (["run", "--report-dir", "/no/such/dir/r", "true"], "make its directory first"),
    (["run", "--report-dir", "/etc/passwd", "true"], "Not a directory"),
    (["report"], "try 'monitord report FILE'"),
    (["report", "a", "b"], "one file at a time"),
    (["report", "--frobnicate", "x"], "try 'monitord report --help'"),
    (["report", "--colr", "x"], "did you mean --color?"),
    (["report", "--color", "pink", "x"], "must be auto, always or never"),
    (["report", "/no/such/file"], "without a divergence"),
    (["report", "/"], "Is a directory"),
    (["report", "/dev/null"], "give the file that"),
    (["report", "/etc/passwd"], "give the file that"),
    (["report", "/dev/zero"], "give the file that"),
    (["syscalls", "no_such_call"], "no_such_call"),
    (["doctor", "now"], "usage: "),
]


def errors_help(suite, case, n, policy):
    """What is wrong with a command is said in one line, with what to do."""
    for argv, want in WRONG:
        status, out, err = call(suite, case, *argv)
        if status != 125 or out:
            raise Fail(f"{argv}: status {status}, {out[:200]!r}")
        if want not in err or not re.match("monitord: |usage: ", err) or \
                (err.startswith("monitord: ") and err.count("\n") != 1):
            raise Fail(f"{argv}: {err!r}")


def _refuse_odd_calls():
    """As a container's profile does: numbers that are no calls get EPERM."""
    insns = [(0x20, 0, 0, 0),           # the call's number
             (0x35, 0, 1, 500),         # at least 500?
             (0x06, 0, 0, 0x00050001),  # EPERM
             (0x06, 0, 0, 0x7fff0000)]  # allowed
    code = b"".join(struct.pack("=HBBI", *i) for i in insns)
    at = ctypes.create_string_buffer(code)
    prog = struct.pack("@HP", len(insns), ctypes.addressof(at))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.c_char_p(prog), 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def _prepared(suite, case, n, policy, prepare, script, want):
    """monitord itself is started after `prepare`; the script prints what is wanted."""
    p = subprocess.run([suite.monitord, "run", "-n", str(n), "--policy", policy, "--",
                        "sh", "-c", script],
                       cwd=suite.fresh(case), preexec_fn=prepare, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                       check=False)
    if p.returncode or p.stdout.decode() != want or p.stderr:
        raise Fail(f"status {p.returncode} {p.stdout!r} {p.stderr!r}")


def filtered(suite, case, n, policy):
    """monitord itself runs under a filter, as in a container or by SystemCallFilter=."""
    want = f"{len([f for f in os.listdir('/') if f[0] != '.'])} 1 2 3\n"
    _prepared(suite, case, n, policy, _refuse_odd_calls, "echo $(ls / | wc -l) $(seq 3)",
              want)


def small_stack(suite, case, n, policy):
    """The hard limit of the stack is less than monitord needs, and cannot be raised."""
    def limits():
        libc = ctypes.CDLL(None, use_errno=True)
        # PR_CAPBSET_DROP CAP_SYS_RESOURCE, which only root has
        if libc.prctl(24, 24, 0, 0, 0) and not os.geteuid():
            raise OSError(ctypes.get_errno(), "prctl")
        resource.setrlimit(resource.RLIMIT_STACK, (64 << 10, 64 << 10))
    _prepared(suite, case, n, policy, limits, "ulimit -s; seq 3 | tail -1", "64\n3\n")


def exit_codes(suite, case, n, policy):
    """The statuses are as documented, in all three places."""
    text = call(suite, case, "help", "exit-codes")[1]
    listed = re.findall(r"^  (\S+)  +\S", text, re.M)
    with open(MAN, encoding="utf-8") as f:
        manual = f.read().split(".Sh EXIT STATUS")[1].split(".Sh ")[0]
    for word in listed:
        if word != "0-255" and f".It {word.replace('+S', '+ Ns Em S')}\n" not in manual:
            raise Fail(f"monitord(1) does not list {word}")
    run = ["run", "-n", str(n), "--policy", policy]
    leak = suite.subst("@ATTACK@/leak")
    work = suite.fresh(case)
    plain = os.path.join(work, "plain")
    with open(plain, "w", encoding="ascii"):
        pass
    known = {"128+S": (["sh", "-c", "kill -TERM $$"], 128 + 15),
             "99": ([leak, "stack"], 99),
             "125": (None, 125), "126": ([plain], 126),
             "127": (["/no/such/program"], 127),
             "0-255": (["sh", "-c", "exit 42"], 42)}
    if sorted(known) != sorted(listed):
        raise Fail(f"listed are {listed}")
    for word, (argv, want) in known.items():
        if word == "99" and n < 2:
            continue
        got = call(suite, case, *run, *(argv or ["--no-such-option"]))[0]
        if got != want:
            raise Fail(f"{word}: status {got}")
    # a program's own 99 and 125 come through, and nothing is said
    for own in (99, 125, 126, 127, 255):
        report = os.path.join(work, "none.json")
        got = call(suite, case, *run, "--report", report, "sh", "-c", f"exit {own}")
        if got != (own, "", "") or os.path.exists(report):
            raise Fail(f"the program's own {own}: {got}")


def report_golden(suite, case, n, policy):
    """Reports from files, to the byte: a trapped divergence, in-process ones."""
    for name, argv, env in (
            ("trapped", [], {}), ("crash", [], {}), ("inprocess", [], {}),
            ("inprocess-132-colour", ["--color=always"], {"COLUMNS": "132"})):
        with open(os.path.join(REPORTS, name + ".txt"), encoding="ascii") as f:
            want = f.read()
        path = os.path.join(REPORTS, name.split("-")[0] + ".json")
        status, out, err = call(suite, case, "report", *argv, path, **env)
        if status or err:
            raise Fail(f"{name}: {status} {err}")
        if out != want:
            raise Fail(f"{name}:\n" + suite.text_diff(want.encode(), out.encode(), name))
        with open(path, "rb") as f:
            data = f.read()
        if call(suite, case, "report", *argv, "-", stdin=data, **env)[1] != want:
            raise Fail(f"{name}: not the same from standard input")
        # cleaned JSON is a report with the same content
        status, out, err = call(suite, case, "report", "--json", path)
        if status or err or call(suite, case, "report", *argv, "-",
                                 stdin=out.encode(), **env)[1] != want:
            raise Fail(f"{name}: --json lost something: {status} {err}")
        if json.loads(out)["kind"] != json.loads(data)["kind"]:
            raise Fail(f"{name}: another kind")


def report_shown(suite, case, n, policy):
    """What `report` shows is what was said when it happened."""
    work = suite.fresh(case)
    path = os.path.join(work, "r.json")
    for argv in (["@ATTACK@/leak", "stack"], ["@ATTACK@/behave", "crash"],
                 ["@ATTACK@/behave", "extra"]):
        status, _, err = call(
            suite, case, "run", "-n", str(n), "--policy", policy, "--report", path,
            "--env", "1:VARIANT=1", "--", *map(suite.subst, argv))
        if status != 99:
            raise Fail(f"{argv}: status {status}, {err[:500]}")
        status, out, _ = call(suite, case, "report", path)
        # but for the first line, which is whole on a stream that is no terminal
        join = re.compile(r"\A(.*)\n {4}(?=\S)")
        while join.match(out):
            out = join.sub(r"\1 ", out, count=1)
        # a word too long for a line was broken, not moved
        if status or out.replace(" ", "") != err.replace(" ", ""):
            raise Fail(f"{argv}: " + suite.text_diff(err.encode(), out.encode(), "report"))
        if "main" not in out or "side by side" not in out or \
                not re.search(r"at \S*(leak|behave|attack)\.[ch]:\d+", out.replace("\n          ", " ")):
            raise Fail(f"{argv}: no source lines in {out}")


def colours(suite, case, n, policy):
    """Escapes on a terminal only, not with NO_COLOR, and --color decides."""
    path = os.path.join(REPORTS, "crash.json")
    show = [suite.monitord, "report", path]
    esc = "\033["
    for what, text, want in (
            ("a pipe", call(suite, case, "report", path)[1], False),
            ("a pipe, always", call(suite, case, "report", "--color=always", path)[1], True),
            ("a terminal", on_pty(suite, case, show, 80), True),
            ("NO_COLOR", on_pty(suite, case, show, 80, NO_COLOR="1"), False),
            ("NO_COLOR empty", on_pty(suite, case, show, 80, NO_COLOR=""), True),
            ("TERM=dumb", on_pty(suite, case, show, 80, TERM="dumb"), False),
            ("never", on_pty(suite, case, show + ["--color", "never"], 80), False),
            ("NO_COLOR, always", on_pty(suite, case, show + ["--color", "always"], 80,
                                        NO_COLOR="1"), True)):
        if "divergence:" not in text or (esc in text) != want:
            raise Fail(f"{what}: colours {'missing' if want else 'there'}: {text[:300]!r}")
    for columns in (60, 80, 100, 150):
        text = on_pty(suite, case, show + ["--color", "never"], columns)
        widest = max(map(len, text.splitlines()))
        if not columns - 12 <= widest <= columns:
            raise Fail(f"{columns} columns: the longest line has {widest}")
    # the report of `run` itself
    run = [suite.monitord, "run", "--env", "1:VARIANT=1",
           suite.subst("@ATTACK@/behave"), "crash"]
    if esc not in on_pty(suite, case, run, 80) or \
            esc in on_pty(suite, case, run, 80, NO_COLOR="1"):
        raise Fail("colours of `run` on a terminal")


def report_hostile(suite, case, n, policy):
    """Nothing in a file reaches the terminal as it is, or ends badly."""
    evil = {"kind": "payload", "version": 1, "n": 3, "summary": "\x1b[2J\x07 \u202e",
            "guess": "a\nb\x1b]0;owned\x07", "program": "\x9b31m" * 1000,
            "variants": [{"variant": v, "syscall": "write\x1b[A", "args": ["\r\x1b[31m"] * 9,
                          "state": "\x08" * 50, "comm": "\n\n", "deviates": True}
                         for v in range(3)] * 20,
            "diff": {"arg": 0, "label": "\x1b", "offset": 2 ** 64, "leader": "00" * 9999}}
    for text in (json.dumps(evil), json.dumps(evil, ensure_ascii=False)):
        status, out, err = call(suite, case, "report", "-", stdin=text.encode())
        if status or err or re.search(r"[^\n -~]", out) or \
                any(len(x) > 80 for x in out.splitlines()):
            raise Fail(f"{status} {err} {out!r}")
        status, out, err = call(suite, case, "report", "--json", "-", stdin=text.encode())
        if status or err or re.search(r"[^\n -~]", out):
            raise Fail(f"--json: {status} {err} {out!r}")
    for text in (b"", b"\0" * 100, b"[" * 100000, b"{\"kind\":" * 9999, b"\xff\xfe",
                 b" " * (5 << 20), json.dumps(evil).encode()[:-5]):
        status, out, err = call(suite, case, "report", "-", stdin=text)
        if status != 125 or out or not re.match(r"monitord: -: [ -~]*\n\Z", err):
            raise Fail(f"{text[:20]!r}: {status} {out!r} {err!r}")


# What a unit says, and what the drop-in has to say about it (or must not).
NEEDS = [
    ("", [], ["RuntimeDirectory", "SystemCallFilter", "Limit", "Capability"]),
    ("User=www-data", ["RuntimeDirectory=ipmon/%N"], ["Capability"]),
    ("DynamicUser=yes\nRuntimeDirectory=x", ["RuntimeDirectory=ipmon/%N"], []),
    ("ProtectSystem=strict", ["RuntimeDirectory=ipmon/%N"], ["ReadWritePaths"]),
    ("ProtectSystem=full", [], ["RuntimeDirectory"]),
    ("User=x\nExecStartPre=/bin/mkdir ${RUNTIME_DIRECTORY}/y",
     ["note: 'monitord ps' may not find it"], ["RuntimeDirectory=ipmon"]),
    ("SystemCallFilter=@system-service", ["SystemCallFilter=ptrace process_vm_readv"], []),
    ("RestrictAddressFamilies=AF_INET", ["RestrictAddressFamilies=AF_UNIX"], []),
    ("RestrictAddressFamilies=AF_UNIX AF_INET", [], ["RestrictAddressFamilies"]),
    ("RestrictAddressFamilies=~AF_PACKET", [], ["RestrictAddressFamilies"]),
    ("CapabilityBoundingSet=CAP_KILL", ["CapabilityBoundingSet=CAP_SYS_PTRACE CAP_SETPCAP",
                                        "--withhold CAP_SYS_PTRACE,CAP_SETPCAP"], []),
    ("LimitNOFILE=700", ["LimitNOFILE=700:1001"], []),
    ("LimitNPROC=10:500", ["LimitNPROC=24:1004"], []),
    ("LimitNPROC=10:infinity", ["LimitNPROC=24:infinity"], []),
    ("TasksMax=10\nLimitNPROC=infinity", ["TasksMax=24"], ["LimitNPROC"]),
    ("NoExecPaths=/", ["ExecPaths="], []),
    ("Type=notify\nNotifyAccess=all", ["--notify all"], ["NotifyAccess"]),
    ("Type=forking\nNotifyAccess=main", ["--notify direct", "NotifyAccess=all",
                                         "without PIDFile="], []),
    ("PIDFile=/run/x y.pid", ["\nPIDFile=\n",
                              'ExecStopPost=-+/bin/rm -f "/run/x y.pid"\n'], []),
    ("Type=notify\nPIDFile=x$.pid", ['-f "%t/x$$.pid"\n'], []),
    ("PIDFile=%N.pid", ['-f "%t/%N.pid"\n'], []),
    ("PIDFile=%t/x.pid", ['-f "%t/x.pid"\n'], []),
    ("Type=forking\nPIDFile=/run/x.pid", [], ["PIDFile", "ExecStopPost"]),
    ("MemoryMax=1G", ["note: the service's memory is limited (1G)"], ["MemoryMax=1G\n"]),
]


def service_needs(suite, case, n, policy):
    """What the drop-in loosens follows from the unit, and is no more."""
    root = os.path.join(suite.fresh(case), "100% root")
    units = os.path.join(root, "etc/systemd/system")
    os.makedirs(units)
    conf = os.path.join(root, "c.conf")
    strict = "ProtectSystem=strict"
    for text, there, not_there in NEEDS:
        with open(os.path.join(units, "x.service"), "w", encoding="ascii") as f:
            f.write(f"[Service]\nExecStart=/bin/x --a 'b c'\n{text}\n")
        found = "".join(call(suite, case, "service", *dry, "--root", root, "x")[1]
                        for dry in (["--dry-run"], []))
        os.unlink(os.path.join(units, "x.service.d/50-ipmon.conf"))
        for want in ("ExecStart=\nExecStart=", " -- /bin/x --a 'b c'\n", *there):
            if want not in found:
                raise Fail(f"{text}: no '{want}' in:\n{found}")
        for want in not_there:
            if re.search(rf"^ *{re.escape(want)}", found, re.M):
                raise Fail(f"{text}: '{want}' in:\n{found}")
    # what the configuration says counts as well
    for text, settings, there, not_there in (
            ("ReportDirectory=/", strict, "ReadWritePaths=-/\n", ""),
            ("Control=none", strict, "", "RuntimeDirectory"),
            ("Variants=3", "TasksMax=10", "TasksMax=34", "")):
        with open(os.path.join(units, "x.service"), "w", encoding="ascii") as f:
            f.write(f"[Service]\nExecStart=/bin/x\n{settings}\n")
        with open(conf, "w", encoding="ascii") as f:
            f.write(f"[Run]\n{text}\n")
        status, found, err = call(suite, case, "service", "--dry-run", "--root", root,
                                  "--config", os.path.relpath(conf, os.path.join(
                                      suite.top, "home")), "x")
        if status or there not in found or (not_there and not_there in found) or \
                " --config /c.conf " not in found:
            raise Fail(f"{text}: {status} {err}\n{found}")


def service_config(suite, case, n, policy):
    """Whose settings a service has: of the file with its name, or as it is said;
    with --root of that system, by the names files have there."""
    root = os.path.join(suite.fresh(case), "root")
    units, etc, opt = (os.path.join(root, d) for d in
                       ("etc/systemd/system", "etc/ipmon", "opt/b/monitord"))
    for d in (units, etc, opt, os.path.join(root, "lib")):
        os.makedirs(d)

    def put(path, text):
        with open(os.path.join(root, path), "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(os.path.join(root, path), 0o644)

    def service(*argv, monitord=suite.monitord):
        p = subprocess.run([monitord, "service", "--root", root, *argv], cwd=root,
                           capture_output=True, text=True, timeout=30, check=False,
                           env=suite.environment(case, "service"))
        return p.returncode, p.stdout, p.stderr

    def dropin(name):
        with open(f"{units}/{name}.service.d/50-ipmon.conf", encoding="ascii") as f:
            return f.read()

    for name in ("a", "b", "t@", "t@own", "bad"):
        put(f"etc/systemd/system/{name}.service", "[Service]\nExecStart=/bin/x\n")
    put("etc/ipmon/a.conf", "[Run]\nVariants=3\n")
    put("etc/ipmon/t.conf", "[Run]\nVariants=4\n")
    put("etc/ipmon/t@own.conf", "[Run]\nVariants=5\n")
    put("etc/ipmon/bad.conf", "[Run]\nVariantes=5\n")
    put("c.conf", "[Variant 1]\nPreload=/lib/p.so\n")
    # a link's path is that of the system it is in, and so is a library's
    with open("/bin/true", "rb") as f, open(f"{root}/lib/p.so.1", "wb") as g:
        g.write(f.read())
    os.symlink("/lib/p.so.1", f"{root}/lib/p.so")
    os.symlink("/c.conf", f"{etc}/linked.conf")
    for argv, want, said in (
            (["a"], "--config a -- /bin/x", "3 variants"),
            (["a.service"], "--config a -- /bin/x", f"settings: {etc}/a.conf\n"),
            (["--no-config", "a"], "run -- /bin/x", "2 variants"),
            (["-n", "4", "a"], "--config a -n 4 -- /bin/x", "4 variants"),
            (["--config", "t", "a"], "--config t -- /bin/x", "4 variants"),
            (["--config", "/c.conf", "a"], "--config /c.conf -- /bin/x", f"{root}/c.conf\n"),
            (["--config", f"{root}/c.conf", "a"], "--config /c.conf -- /bin/x", ""),
            (["--config", "./c.conf", "a"], "--config /c.conf -- /bin/x", ""),
            (["--config", "linked", "a"], "--config linked -- /bin/x", ""),
            (["b"], "run -- /bin/x", f"settings: defaults (there is no {etc}/b.conf)"),
            (["t@own"], "--config t@own -- /bin/x", "5 variants"),
            (["t@any"], "--config t -- /bin/x", "4 variants")):
        status, out, err = service(*argv)
        text = "" if status else dropin(argv[-1].replace(".service", ""))
        if status or want not in text or said not in out:
            raise Fail(f"{argv}: {status} {out} {err} {text}")
        if f"there is no {suite.monitord} in {root}" not in err:
            raise Fail(f"{argv}: the service cannot start, and nobody says so: {err!r}")
    os.unlink(f"{root}/lib/p.so.1")
    for argv, want in ((["bad"], f"{etc}/bad.conf:2: Variantes: .*did you mean Variants"),
                       (["--config", "bda", "a"], f"{etc}/bda.conf: does not exist; did you mean bad"),
                       (["--config", "../home/x.conf", "a"], f"not in {root}"),
                       (["--config", "/c.conf", "a"], f"{root}/c.conf:2: .*Preload: /lib/p.so: No"),
                       (["none"], f"no unit none.service in {root}; 'systemctl"),
                       (["bda"], "did you mean bad.service")):
        status, out, err = service(*argv)
        if status != 125 or out or not re.search(want, err):
            raise Fail(f"{argv}: {status} {out} {err}")
    # a monitord of that system, and one that has only been built
    copy = os.path.join(opt, "monitord")
    with open(suite.monitord, "rb") as f, open(copy, "wb") as g:
        g.write(f.read())
    os.chmod(copy, 0o755)
    status, out, err = service("a", monitord=copy)
    if status or err or "ExecStart=/opt/b/monitord/monitord run" not in dropin("a"):
        raise Fail(f"installed: {status} {out} {err} {dropin('a')}")
    put("opt/b/build.ninja", "")
    status, out, err = service("a", monitord=copy)
    if status or not re.fullmatch("monitord: warning: /opt/b/monitord/monitord lies in a "
                                  "build directory: .*ninja -C /opt/b install.*\n", err):
        raise Fail(f"only built: {status} {out} {err}")
    # where nobody could start it
    if not os.path.exists("/run/systemd/system"):
        status, out, err = call(suite, case, "service", "no-such-unit")
        if status != 125 or out or "systemd does not run here" not in err:
            raise Fail(f"without systemd: {status} {out} {err}")


def outputs(suite, case, n, policy):
    """What cannot be written is said before anything runs; what can be is only
    written when there is something to say."""
    def run(*argv):
        p = subprocess.run(
            [suite.monitord, "run", "-n", str(n), "--policy", policy, *argv, "--",
             "sh", "-c", "echo started > started"], cwd=work, timeout=30,
            capture_output=True, text=True, check=False,
            env=suite.environment(case, "outputs"), stdin=subprocess.DEVNULL)
        return p.returncode, p.stdout, p.stderr

    work = suite.fresh(case)
    os.mkdir(f"{work}/dir")
    for option in ("--report", "--stats", "--trace"):
        for path in ("no/r", "dir", "dir/", "x" * 300):
            status, out, err = run(option, path)
            if status != 125 or out or err.count("\n") != 1 or \
                    not err.startswith(f"monitord: {option} {path[:50]}") or \
                    "; " not in err or os.listdir(work) != ["dir"]:
                raise Fail(f"{option} {path[:50]}: {status} {out} {err} {os.listdir(work)}")
    # a place for it, links to there, a pipe whose reader is late, what is there
    os.symlink("target", f"{work}/link")
    os.mkfifo(f"{work}/fifo")
    with open(f"{work}/kept", "w", encoding="ascii") as f:
        f.write("kept")
    for path in ("new", "link", "fifo", "kept", "/dev/null", "/dev/stderr"):
        got = run("--report", path)
        if got != (0, "", "") or not os.path.exists(f"{work}/started"):
            raise Fail(f"--report {path}: {got}")
        os.unlink(f"{work}/started")
    with open(f"{work}/kept", encoding="ascii") as f:
        if f.read() != "kept" or \
                sorted(os.listdir(work)) != ["dir", "fifo", "kept", "link"]:
            raise Fail(f"left behind: {os.listdir(work)}")
    got = run("--stats", "link")
    if got != (0, "", "") or not os.path.getsize(f"{work}/target"):
        raise Fail(f"--stats link: {got}")


def report_private(suite, case, n, policy):
    """Reports and traces are for their owner, and go through no link or file
    that somebody else has put in their place."""
    nobody = 65534
    leak = ["@ATTACK@/leak", "stack"]

    def run(where, option, name):
        p = subprocess.run(
            [suite.monitord, "run", "-n", str(n), "--policy", policy, option,
             os.path.join(where, name), "--", *map(suite.subst, leak)],
            env=suite.environment(case, "private"), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=30, check=False, umask=0)
        return p.returncode, p.stderr

    def mode(path):
        return os.lstat(path).st_mode & 0o777
    top = suite.fresh(case)
    own, shared, theirs = (os.path.join(top, d) for d in
                           ("own", "shared", "theirs"))
    for d, m in ((own, 0o755), (shared, 0o1777), (theirs, 0o755)):
        os.mkdir(d)
        os.chmod(d, m)
    for option in ("--report", "--trace"):
        name = option.strip("-")
        if run(own, option, name)[0] != 99 or mode(f"{own}/{name}") != 0o600:
            raise Fail(f"{option}: mode {mode(f'{own}/{name}'):o}")
    if run(own, "--report-dir", "reports")[0] != 99 or \
            mode(f"{own}/reports") != 0o700 or \
            [mode(e.path) for e in os.scandir(f"{own}/reports")] != [0o600]:
        raise Fail("--report-dir")
    if run(own, "--stats", "stats")[0] != 99 or mode(f"{own}/stats") != 0o666:
        raise Fail("--stats is no secret")
    # one's own link stays a link
    victim = os.path.join(top, "victim")
    for d in (own, shared):
        with open(victim, "w", encoding="ascii") as f:
            f.write("precious")
        os.symlink(victim, f"{d}/link")
        if run(d, "--report", "link")[0] != 99 or not os.path.islink(f"{d}/link"):
            raise Fail(f"one's own link in {d}")
        with open(victim, encoding="utf-8") as f:
            if json.load(f)["kind"] != "payload":
                raise Fail("the link was not followed")
    if os.geteuid():
        return
    # somebody else's is not followed
    os.chown(theirs, nobody, nobody)
    for d in (shared, theirs):
        for option in ("--report", "--trace", "--stats"):
            for kind in ("link", "nowhere", "file"):
                with open(victim, "w", encoding="ascii") as f:
                    f.write("precious")
                path = os.path.join(d, f"{kind}{option}")
                if kind == "file":
                    with open(path, "w", encoding="ascii") as f:
                        f.write("theirs")
                    kept = open(path, encoding="ascii")
                else:
                    os.symlink(victim if kind == "link" else
                               os.path.join(top, "new"), path)
                os.chown(path, nobody, nobody, follow_symlinks=False)
                status, err = run(d, option, os.path.basename(path))
                with open(victim, encoding="ascii") as f:
                    if f.read() != "precious" or \
                            os.path.exists(os.path.join(top, "new")):
                        raise Fail(f"{option}: the {kind} in {d} was followed")
                if option == "--trace":
                    if status != 125 or not re.search(
                            "somebody else|Permission denied", err):
                        raise Fail(f"{option}, {kind}: {status} {err}")
                elif status != 99 or os.path.islink(path) or \
                        os.stat(path).st_uid or \
                        (option == "--report" and mode(path) != 0o600):
                    raise Fail(f"{option}, {kind} in {d}: {status} "
                               f"{os.lstat(path)} {err[-300:]}")
                if kind == "file":
                    with kept:
                        if kept.read() != "theirs":
                            raise Fail(f"{option}: told through the file in {d}")


def no_dev(suite, case, n, policy):
    """A root directory without /dev, as a chroot may be, or with devices that
    may not be opened."""
    if os.geteuid() != 0:
        return
    program = ["sh", "-c", "echo out; echo err >&2; (exec <&-; cat); echo $?"]
    run = [suite.monitord, "run", "-n", str(n), "--policy", policy, "--", *program]
    for dev in ("mount -t tmpfs none /dev",
                "mount -t tmpfs none /dev && mknod /dev/null c 1 3 && mount -o remount,nodev /dev"):
        for closed in ("", " <&-"):
            got = [subprocess.run(["unshare", "-m", "sh", "-c", f'{dev} && exec "$@"{closed}', "sh", *argv],
                                  cwd=suite.fresh(case), env=suite.environment(case, "none"),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=60, check=False)
                   for argv in (program, run)]
            if got[0].returncode or b"out" not in got[0].stdout or \
                    (got[0].returncode, got[0].stdout, got[0].stderr) != \
                    (got[1].returncode, got[1].stdout, got[1].stderr):
                raise Fail(f"{dev}{closed}: {got[1]}, natively {got[0]}")


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


def stopped_at_birth(suite, case, n, policy):
    """A service manager signals every process of a service that has only just been
    started: the program, which is not among them yet, dies of it all the same."""
    argv = ["sh", "-c", 'SYSTEMD_EXEC_PID=$$ exec "$0" "$@"', suite.monitord, "run",
            "-n", str(n), "--policy", policy, "--", "/bin/sleep", "100"]
    for _ in range(10):
        p = subprocess.Popen(argv, env=suite.environment(case, "birth"),
                             stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             start_new_session=True)
        try:
            end = time.monotonic() + 20
            while not children(p.pid):
                if p.poll() is not None or time.monotonic() > end:
                    raise Fail(f"no tracer: status {p.poll()}")
                time.sleep(0)
            tracer = children(p.pid)[0]
            os.kill(tracer, signal.SIGSTOP)
            # to monitord's processes, all there are without the tracer's help
            time.sleep(0.1)
            for pid in (p.pid, *children(p.pid), *children(tracer)):
                os.kill(pid, signal.SIGTERM)
            os.kill(tracer, signal.SIGCONT)
            p.wait(20)
        except subprocess.TimeoutExpired as e:
            raise Fail("it goes on running") from e
        finally:
            p.kill()
            err = p.communicate()[1]
        if p.returncode != -signal.SIGTERM or err:
            raise Fail(f"status {p.returncode}, stderr {err!r}")

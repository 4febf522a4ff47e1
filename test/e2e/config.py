# SPDX-License-Identifier: Apache-2.0
"""Specials of cases/config.toml: what keys of a configuration do, what is said
of files that are wrong."""
import glob
import json
import os
import re
import subprocess
import time

from runner import Fail, processes


def run(suite, case, conf, argv, extra=(), name="./test.conf", parts=None,
        timeout=40):
    """`monitord run --config` of a file with this text, in a fresh directory:
    status, stdout, stderr and that directory."""
    work = suite.fresh(case)
    path = os.path.join(work, "test.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(conf)
    os.chmod(path, 0o644)
    for part, text in (parts or {}).items():
        os.makedirs(path + ".d", exist_ok=True)
        with open(os.path.join(path + ".d", part), "w", encoding="utf-8") as f:
            f.write(text)
    got = suite.execute(case, [suite.monitord, "run", "--config", name, *extra,
                               "--", *[suite.subst(a) for a in argv]], work,
                        timeout)
    if got.timed_out:
        raise Fail("no end: " + got.err.decode(errors="replace")[:600])
    return (got.status, got.out.decode(errors="replace"),
            got.err.decode(errors="replace"), work)


def expect(what, got, want):
    if got != want:
        raise Fail(f"{what}: {got!r}, expected {want!r}")


def stats(work, name="stats.json"):
    with open(os.path.join(work, name), encoding="utf-8") as f:
        return json.load(f)


LOOP = ["/usr/bin/python3", "-c",
        "import os\nfor i in range(400): os.stat('/etc/passwd')\nprint('done')"]


def run_keys(suite, case, n, policy):
    """[Run]: each key does what its option does."""
    head = f"[Run]\nVariants={n}\nPolicy={policy}\n"
    # Variants, Stats, Trace, Report (none without a divergence)
    status, out, err, work = run(suite, case, head +
                                 "Stats=stats.json\nTrace=trace.txt\n"
                                 "Report=report.json\n", ["/bin/echo", "hello"])
    expect("run", (status, out, err), (0, "hello\n", ""))
    text = json.dumps(stats(work))
    if f'"n": {n},' not in text or f'"policy": "{policy}"' not in text:
        raise Fail("Variants or Policy: " + text[:300])
    with open(os.path.join(work, "trace.txt"), encoding="utf-8") as f:
        if 'execve("/bin/echo"' not in f.read():
            raise Fail("Trace: no such line")
    if os.path.exists(os.path.join(work, "report.json")):
        raise Fail("Report: written without a divergence")
    # Report, ReportDirectory, OnDivergence
    status, _, err, work = run(suite, case, head + "Report=r.json\n"
                               "ReportDirectory=reports\n",
                               ["@ATTACK@/leak", "stack"])
    files = glob.glob(work + "/reports/leak-*Z-*.json")
    expect("status and reports", (status, len(files)), (99, 1))
    expect("kind", (stats(work, "r.json")["kind"],
                    stats(os.path.dirname(files[0]),
                          os.path.basename(files[0]))["kind"]),
           ("payload", "payload"))
    if files[0] not in err:
        raise Fail(f"the report's name is not told: {err[-300:]}")
    status, out, err, _ = run(suite, case, head + "OnDivergence=continue\n"
                              "[Variant 1]\nEnvironment=VARIANT=1\n",
                              ["@ATTACK@/behave", "crash"])
    if status == 99 or "dropped" not in err:
        raise Fail(f"OnDivergence: {status} {err[-300:]}")
    # Timeout
    t = time.monotonic()
    status, _, err, _ = run(suite, case, head + "Timeout=1s\n[Variant 1]\n"
                            "Environment=VARIANT=1\n",
                            ["/bin/sh", "-c",
                             "[ -z \"$VARIANT\" ] || while :; do :; done; echo x"])
    if status != 99 or "stall" not in err or time.monotonic() - t > 25:
        raise Fail(f"Timeout: {status} {err[:300]}")
    # Verbose
    status, _, err, _ = run(suite, case, head + "Verbose=yes\n", ["/bin/true"])
    if status or "leader" not in err:
        raise Fail(f"Verbose: {status} {err!r}")
    # CPUs, Placement
    status, out, _, _ = run(suite, case, head + "CPUs=0\nPlacement=none\n",
                            ["nproc"])
    expect("CPUs", (status, out), (0, "1\n"))
    # Layout: the same addresses are no difference
    status, out, err, _ = run(suite, case, head + "Layout=same\n",
                              ["@ATTACK@/leak", "stack"])
    if status:
        raise Fail(f"Layout: {status} {err[:200]}")
    # Level, MaxLag: accepted and still right
    status, out, _, work = run(suite, case, head + "Level=base\n"
                               "MaxLag=10,8192,2\nStats=stats.json\n", LOOP)
    expect("Level", (status, out), (0, "done\n"))
    few = stats(work)
    status, out, _, work = run(suite, case, head + "Stats=stats.json\n", LOOP)
    expect("no Level", (status, out), (0, "done\n"))
    if policy != "strict" and not \
            rendezvous(few) > rendezvous(stats(work)) + 200:
        raise Fail(f"Level=base: {rendezvous(few)} rendezvous, "
                   f"{rendezvous(stats(work))} without")
    # the line wins over the file, drop-ins over the file before them
    status, _, _, work = run(suite, case, "[Run]\nVariants=5\nPolicy=strict\n"
                             "[Variant 4]\nEnvironment=A=b\n", ["/bin/true"],
                             ["-n", str(n), "--policy", policy, "--stats",
                              "stats.json"])
    text = json.dumps(stats(work))
    if status or f'"n": {n},' not in text or \
            f'"policy": "{policy}"' not in text:
        raise Fail("the command line does not win: " + text[:200])
    status, _, _, work = run(suite, case, "[Run]\nVariants=7\nStats=no.json\n",
                             ["/bin/true"], parts={
                                 "10-a.conf": "[Run]\nVariants=8\n",
                                 "20-b.conf": f"[Run]\nVariants={n}\n"
                                 "Stats=stats.json\n",
                                 "30-not.txt": "nonsense"})
    if status or f'"n": {n},' not in json.dumps(stats(work)):
        raise Fail("drop-ins")


def rendezvous(s):
    """The number of rendezvous, wherever the counters have it."""
    m = re.search(r'"rendezvous": (\d+)', json.dumps(s))
    return int(m.group(1)) if m else 0


def variant_keys(suite, case, n, policy):
    """[Variant N]: Path, Environment, CPU, Preload; and [Variant] for all."""
    head = f"[Run]\nVariants={n}\nPolicy={policy}\n"
    work = suite.fresh(case)
    other = os.path.join(os.path.dirname(work), "other-cat")
    with open("/bin/cat", "rb") as f, open(other, "wb") as g:
        g.write(f.read())
    os.chmod(other, 0o755)
    for conf, want in (
            (f"[Variant 1]\nPath={other}\n", {1: other}),
            ("[Variant]\nEnvironment=E2E_ALL=1 \"E2E_WORDS=a b\"\n"
             "[Variant 1]\nEnvironment=E2E_ONE=1\n",
             {"all": b"E2E_ALL=1", "words": b"E2E_WORDS=a b", 1: b"E2E_ONE=1"}),
            ("[Variant 1]\nCPU=0\n", {"cpu": 1}),
            ("[Variant 1]\nPreload=/usr/lib/x86_64-linux-gnu/"
             "libjemalloc.so.2\n", {"map": "libjemalloc"})):
        if "map" in want and not os.path.exists(conf.split("=")[1].strip()):
            continue
        work = suite.fresh(case)
        with open(other, "wb") as g, open("/bin/cat", "rb") as f:
            g.write(f.read())
        os.chmod(other, 0o755)
        with open(os.path.join(work, "c.conf"), "w", encoding="utf-8") as f:
            f.write(head + conf)
        p = subprocess.Popen(
            [suite.monitord, "run", "--config", "./c.conf", "--", "/bin/cat"],
            cwd=work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=suite.environment(case, "config"))
        try:
            p.stdin.write(b"x\n")
            p.stdin.flush()
            if p.stdout.readline() != b"x\n":
                raise Fail(p.stderr.read().decode(errors="replace")[:500])
            look_at(p.pid, n, want)
        finally:
            p.stdin.close()
            p.wait(20)
        expect("status", p.returncode, 0)


def look_at(pid, n, want):
    """Are the variants below `pid` as wanted?  By pid the leader is first."""
    table = processes()
    below, grew = {pid}, True
    while grew:
        more = {p for p, (pp, _, _) in table.items() if pp in below} - below
        below |= more
        grew = bool(more)
    found = []
    for p in sorted(below):
        try:
            with open(f"/proc/{p}/comm", encoding="utf-8") as f:
                if "cat" in f.read():
                    found.append(p)
        except OSError:
            pass
    expect("number of variants", len(found), n)

    def read(p, name):
        with open(f"/proc/{p}/{name}", "rb") as f:
            return f.read()
    for i, p in enumerate(found):
        env = read(p, "environ")
        for key, value in want.items():
            if key in ("all", "words") and value not in env:
                raise Fail(f"variant {i} lacks {value}")
            if key == 1 and isinstance(value, bytes) and \
                    (value in env) != (i == 1):
                raise Fail(f"{value} in variant {i}: {value in env}")
            if key == 1 and isinstance(value, str) and \
                    (os.readlink(f"/proc/{p}/exe") == value) != (i == 1):
                raise Fail(f"Path: variant {i} runs "
                           + os.readlink(f"/proc/{p}/exe"))
            if key == "map" and (value.encode() in read(p, "maps")) != (i == 1):
                raise Fail(f"Preload: {value} in variant {i}")
            if key == "cpu" and i == value and \
                    b"Cpus_allowed_list:\t0\n" not in read(p, "status"):
                raise Fail("CPU: not where it should be")


def calls_keys(suite, case, n, policy):
    """[Calls]: Trap, Verify, Relax, Deny."""
    head = f"[Run]\nVariants={n}\nPolicy={policy}\nStats=stats.json\n"
    status, out, _, work = run(suite, case, head, LOOP)
    expect("without", (status, out), (0, "done\n"))
    before = stats(work)
    call = "stat" if '"stat"' in json.dumps(before) else "newfstatat"
    status, out, _, work = run(suite, case, head + "[Calls]\nTrap=stat "
                               "newfstatat\n", LOOP)
    expect("Trap", (status, out), (0, "done\n"))
    if policy != "strict" and not \
            rendezvous(stats(work)) > rendezvous(before) + 200:
        raise Fail(f"Trap: {rendezvous(stats(work))} rendezvous, "
                   f"{rendezvous(before)} without ({call})")
    status, out, _, work = run(suite, case, head + "[Calls]\nVerify=stat "
                               "newfstatat\n", LOOP)
    expect("Verify", (status, out), (0, "done\n"))
    if policy != "strict" and not \
            verified(stats(work)) > verified(before) + 200:
        raise Fail(f"Verify: {verified(stats(work))} verified")
    many = ["/usr/bin/python3", "-c", "import os\nfd = os.open('f', 65)\n"
            "for i in range(400): os.write(fd, b'x')\nprint('done')"]
    status, out, _, work = run(suite, case, head, many)
    before = stats(work)
    status, out, _, work = run(suite, case, head + "[Calls]\nRelax=write\n",
                               many)
    expect("Relax", (status, out), (0, "done\n"))
    with open(os.path.join(work, "f"), "rb") as f:
        expect("Relax", f.read(), b"x" * 400)
    if policy == "verified" and not \
            verified(before) > verified(stats(work)) + 200:
        raise Fail(f"Relax: {verified(stats(work))} verified, "
                   f"{verified(before)} without")
    status, out, err, _ = run(
        suite, case, head + "[Calls]\nDeny=mkdir sethostname:ENOSYS\n"
        "Deny=getppid:EACCES\n",
        ["/usr/bin/python3", "-c", "import os, errno\n"
         "try: os.mkdir('d')\nexcept OSError as e: print(errno.errorcode[e.errno])\n"
         "try: os.mkdir('d')\nexcept OSError as e: print(errno.errorcode[e.errno])\n"
         "try: print(os.getppid())\nexcept OSError as e: print('?')\n"])
    lines = out.split()
    expect("Deny", (status, lines[:2], err.count("refused mkdir")),
           (0, ["EPERM", "EPERM"], 1))
    expect("Deny getppid", lines[2], str(-13))
    # the line adds, and wins for a call that is named twice
    status, out, _, _ = run(suite, case, head + "[Calls]\nDeny=mkdir\n",
                            ["/bin/mkdir", "d"], ["--trap", "mkdir"])
    expect("--trap wins", status, 0)


def verified(s):
    m = re.search(r'"verified": (\d+)', json.dumps(s))
    return int(m.group(1)) if m else 0


def check(suite, case, text, name="./test.conf", mode=0o644, owner=None):
    """`monitord check-config` of a file with this text."""
    work = suite.fresh(case)
    path = os.path.join(work, "test.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    if owner is not None:
        os.chown(path, owner, owner)
    r = subprocess.run([suite.monitord, "check-config", name], cwd=work,
                       capture_output=True, text=True, timeout=20,
                       env=suite.environment(case, "check"), check=False)
    return r.returncode, r.stdout, r.stderr


def check_config(suite, case, n, policy):
    """What is wrong is said by file, line and key, all of it, with what was
    probably meant."""
    expect("good", check(suite, case, "[Run]\nVariants = 3\n"),
           (0, "./test.conf: ok\n", ""))
    status, out, err = check(suite, case, """[Run]
Polcy = strict
Policy = lenient
Bogus
[Rn]
[Variant 9]
[Variant 1]
Preload = /no/such.so
Path = ./no-such-program
Variants = 3
[Calls]
Trap = opnat
Deny = exit_group
Relax = execve
Deny = mkdir:EPRM
""")
    expect("bad", (status, out), (1, ""))
    for pattern in (
            r"\./test\.conf:2: Polcy: .*did you mean Policy\?",
            r"\./test\.conf:3: Policy 'lenient': must be strict, verified or",
            r"\./test\.conf:4: neither a \[Section\] nor Key=Value",
            r"\./test\.conf:5: \[Rn\]: .*did you mean \[Run\]\?",
            r"\./test\.conf:6: \[Variant 9\]: .* from 0, the leader, to 7",
            r"\./test\.conf:8: Preload: /no/such\.so: No such file",
            r"\./test\.conf:9: Path: \./no-such-program: No such file",
            r"\./test\.conf:10: Variants belongs into section \[Run\]",
            r"\./test\.conf:12: Trap 'opnat': .*did you mean openat\?",
            r"\./test\.conf:13: Deny 'exit_group': .*cannot be denied",
            r"\./test\.conf:14: Relax 'execve': ",
            r"\./test\.conf:15: Deny 'mkdir:EPRM': .*did you mean EPERM\?"):
        if not re.search(pattern, err):
            raise Fail(f"{pattern} is not in {err}")
    expect("lines", len(err.splitlines()), 12)
    # run starts nothing
    status, out, err, _ = run(suite, case, "[Run]\nPolcy=strict\n",
                              ["/bin/echo", "started"])
    expect("run", (status, out), (125, ""))
    if "did you mean Policy?" not in err or "check-config" not in err:
        raise Fail(err)
    status, out, err, _ = run(suite, case, "", ["/bin/echo", "started"],
                              name="no-such-name")
    expect("no file", (status, out), (125, ""))
    if "/etc/ipmon/no-such-name.conf: does not exist" not in err:
        raise Fail(err)
    for name, words in (("/", "/: is no file; name one"),
                        ("/no/such.conf", "does not exist; is the path right?")):
        status, out, err = check(suite, case, "", name)
        if status != 1 or out or words not in err:
            raise Fail(f"{name}: {status} {out} {err}")
    status, _, err = check(suite, case, "[Variant 3]\nEnvironment=A=b\n")
    if status != 1 or "test.conf:2:" not in err or "Variants=4" not in err:
        raise Fail(err)
    if os.geteuid() == 0:
        for mode, owner in ((0o666, None), (0o644, 12345)):
            status, _, err = check(suite, case, "[Run]\n", mode=mode,
                                   owner=owner)
            if status != 1 or "others than root may write" not in err:
                raise Fail(f"{mode:o} {owner}: {status} {err}")
    # examples that come along are right, but for what this machine lacks
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    for path in glob.glob(root + "/monitord/install/*.conf"):
        r = subprocess.run([suite.monitord, "check-config", path],
                           capture_output=True, text=True, timeout=20,
                           check=False)
        left = [x for x in r.stderr.splitlines()
                if "No such file" not in x and "others than root" not in x]
        if left:
            raise Fail("\n".join(left))

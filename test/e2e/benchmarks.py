# SPDX-License-Identifier: Apache-2.0
"""bench/run and bench/report: that they measure, and say what they should.

Cases of special.py's kind; see there.  What comes out as a time is nobody's
business here.
"""
import json
import os
import re
import subprocess

from runner import Fail

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")


def call(suite, case, *argv):
    """Output of bench/run or bench/report."""
    r = subprocess.run([suite.python, os.path.join(BENCH, argv[0]), *argv[1:]],
                       cwd=suite.top, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=150, check=False,
                       env={**suite.environment(case, "bench"), "BUILD": suite.build})
    if r.returncode:
        raise Fail(f"bench/{argv[0]} ended with {r.returncode}: {r.stdout[-3000:]}")
    return r.stdout


def measures(suite, case, n, policy, workload, cases, *argv, control=True):
    """A short run of a workload, its result and page: each case has medians,
    spreads and ratios, the machine is described, and the noise on it."""
    work = suite.fresh(case)
    result, page = os.path.join(work, "out.json"), os.path.join(work, "out.html")
    wanted = ["--cases", ",".join(cases)] if workload != "transfer" else []
    call(suite, case, "run", workload, *wanted, "--n", str(n), "--policy",
          policy, "--no-build", "-o", result, *argv)
    call(suite, case, "report", "-o", page, result)
    with open(result, encoding="utf-8") as f:
        r = json.load(f)
    with open(page, encoding="utf-8") as f:
        html = f.read()
    for key in ("machine", "noise_before", "noise_after", "command", "time"):
        if not r.get(key):
            raise Fail(f"the result has no {key}")
    if sorted(r["cases"]) != sorted(cases) or r["skipped"]:
        raise Fail(f"cases {list(r['cases'])}, skipped {r['skipped']}")
    for name, c in r["cases"].items():
        modes = c["modes"]
        if workload != "transfer" and \
                ("native" not in modes or
                 not any(m.startswith(f"{policy}/{n}") for m in modes)):
            raise Fail(f"{name}: only {list(modes)}")
        for mode, m in modes.items():
            if "failed" in m or not m["median"] > 0 or not m["samples"] or \
                    "spread" not in m or \
                    (mode not in ("native", "vm") and not m["ratio"] > 0):
                raise Fail(f"{name}, {mode}: {m}")
        if name not in html:
            raise Fail(f"the page does not show {name}")
    if re.search(r"<script|(?:src|href)=[\"']?(?:https?:)?//", html):
        raise Fail("the page is not self-contained")
    return r, html


def startup(suite, case, n, policy):
    measures(suite, case, n, policy, "startup", ["true"], "--reps", "1",
                   "--no-plots")


def help(suite, case, n, policy):
    """Each is a screen, and has all options there are."""
    for name in ("run", "report"):
        text = call(suite, case, name, "--help")
        lines = text.splitlines()
        if len(lines) > 24 or max(map(len, lines)) > 80:
            raise Fail(f"bench/{name} --help: {len(lines)} lines, "
                       f"{max(map(len, lines))} columns")
        with open(os.path.join(BENCH, name), encoding="utf-8") as f:
            options = re.findall(r'"(--?[a-z-]+)"', f.read())
        missing = [o for o in options if not re.search(rf"(?<![\w-]){o}\b", text)]
        if missing or not options:
            raise Fail(f"bench/{name} --help lacks {missing}")


def script(suite, case, name, *argv):
    """A shell script of ours, in an environment like a person's."""
    p = subprocess.run(["sh", os.path.join(BENCH, "..", name), *argv], cwd=suite.top,
                       capture_output=True, text=True, timeout=60, check=False,
                       env=suite.environment(case, "script"))
    return p.returncode, p.stdout, p.stderr


def scripts(suite, case, n, policy):
    """bench/demo and test/run explain themselves, and do nothing when called
    wrongly; so do bench/run and bench/report."""
    for name, known in (("bench/demo", ["BUILD", "N", "-h"]),
                        ("test/run", ["--no-install", "--n", "--policy", "-v", "-j",
                                      "--build", "PATTERN"])):
        for option in ("--help", "-h"):
            status, out, err = script(suite, case, name, option)
            if status or err or len(out.splitlines()) > 24 or \
                    max(len(x.expandtabs()) for x in out.splitlines()) > 80:
                raise Fail(f"{name} {option}: {status} {err} {out}")
            missing = [o for o in known if not re.search(rf"(?<![\w-]){o}\b", out)]
            if missing:
                raise Fail(f"{name} {option} lacks {missing}")
        for wrong in (["--frobnicate"], ["--helpme"],
                      ["--build"] if name == "test/run" else ["nginx"]):
            status, out, err = script(suite, case, name, *wrong)
            if status != 2 or out or err.count("\n") != 1 or "--help'" not in err:
                raise Fail(f"{name} {wrong}: {status} {out} {err}")
    for name in ("run", "report"):
        p = subprocess.run([suite.python, os.path.join(BENCH, name), "--frobnicate"],
                           capture_output=True, text=True, timeout=60, check=False,
                           env=suite.environment(case, "script"))
        if p.returncode != 2 or p.stdout or "usage:" not in p.stderr:
            raise Fail(f"bench/{name} --frobnicate: {p}")
    # what is wrong is said before anything is measured, and what to do
    for argv, want in ((["run", "transfer", "-o", "/proc/x/y.json"], "-o names a file"),
                       (["run", "nginx", "--n", "9"], "from 1 to 8 variants"),
                       (["run", "startup", "-c", "nonsense"], "there are true"),
                       (["report", "/no/such.json"], "bench/run writes results"),
                       (["report", "/etc/passwd"], "not a result of bench/run; name")):
        p = subprocess.run([suite.python, os.path.join(BENCH, argv[0]), *argv[1:],
                            *(["--no-build"] if argv[0] == "run" else [])],
                           capture_output=True, text=True, timeout=60, check=False,
                           env={**suite.environment(case, "script"),
                                "BUILD": suite.build})
        if p.returncode != 1 or want not in p.stderr or "Traceback" in p.stderr:
            raise Fail(f"bench {argv}: {p}")


def demo_cut(suite, case, n, policy):
    """Whoever reads the demo's output goes away in the middle of it: nothing is
    left of its processes and files."""
    work = suite.fresh(case)
    for last in ("== 2.", "natively:", "monitord run -n 2 --report"):
        with subprocess.Popen(
                ["sh", os.path.join(BENCH, "demo")], cwd=work, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**suite.environment(case, "demo"), "BUILD": suite.build,
                     "TMPDIR": work}) as p:
            for line in p.stdout:
                if last in line:
                    break
            else:
                raise Fail(f"the demo does not come to '{last}': {p.stderr.read()}")
            if not os.listdir(work):
                raise Fail("its files are not where they are looked for")
            p.stdout.close()
            err = p.stderr.read()
            p.wait(60)
        if p.returncode != 1 or os.listdir(work):
            raise Fail(f"'{last}': {p.returncode} {err} {os.listdir(work)}")
        left = [x for x in os.listdir("/proc") if x.isdigit() and in_command(x, work)]
        if left:
            raise Fail(f"'{last}': processes are left: {left}")


def in_command(pid, text):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return text.encode() in f.read()
    except OSError:
        return False


def syscall(suite, case, n, policy):
    r, _ = measures(suite, case, n, policy, "syscall",
                          ["getpid_syscall", "pread64_1"], "--starts", "1", "--rounds",
                          "1", "--time", "0.02", "--no-placement", "--no-plots")
    if "floor" not in r["cases"]["getpid_syscall"]["modes"]:
        raise Fail("no filter floor")


def levels(suite, case, n, policy):
    """The same list of calls in-process under two configurations."""
    r, _ = measures(suite, case, n, policy, "syscall", ["getpid_syscall"],
                          "--level", "BASE", "--policy", "verified,relaxed",
                          "--starts", "1", "--rounds", "1", "--time", "0.02",
                          "--no-placement", "--no-plots")
    modes = r["cases"]["getpid_syscall"]["modes"]
    if not {"verified/2/BASE", "relaxed/2/BASE"} <= set(modes):
        raise Fail(f"{list(modes)}")


def transfer(suite, case, n, policy):
    measures(suite, case, n, policy, "transfer",
                   ["160 B", "4 KiB", "128 KiB"], "--reps", "1", "--time", "0.01",
                   "--no-plots")


def nginx(suite, case, n, policy):
    """Throughput and latency, and their plots."""
    r, html = measures(suite, case, n, policy, "nginx",
                             ["keepalive-4k", "close-4k"], "--reps", "1",
                             "--duration", "0.3")
    for c in r["cases"].values():
        if not c["modes"]["native"]["latency"]:
            raise Fail("no latencies")
    kinds = {re.sub(r".*?-(value|ratio|latency).*\.", r"\1.", p) for p in r["plots"]}
    if kinds != {f"{a}.{b}" for a in ("value", "ratio", "latency")
                 for b in ("svg", "png")}:
        raise Fail(f"plots: {r['plots']}")
    if html.count("<svg") != len(r["plots"]) // 2:
        raise Fail("the plots are not on the page")


def redis(suite, case, n, policy):
    measures(suite, case, n, policy, "redis", ["set-p1"], "--reps", "1",
                   "--duration", "0.3", "--no-plots", "--no-counts")

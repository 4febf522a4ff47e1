# SPDX-License-Identifier: Apache-2.0
"""Looking at a run from outside: metrics and top.

Cases of special.py's kind; see there.
"""
import os
import re
import socket
import stat
import subprocess
import time

import openmetrics
from runner import Fail
from see import ECHO, begin, call, connect, echo, finish, start, status, tracer, wait_for

# ---- metrics -----------------------------------------------------------------

def curl(suite, case, *argv):
    p = subprocess.run(["curl", "-sS", "--max-time", "20", *argv],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                       env=suite.environment(case, "see"), timeout=40)
    if p.returncode:
        raise Fail(f"curl: {p.stderr!r}")
    return p.stdout.decode()


def metrics(suite, case, n, policy):
    """OpenMetrics over HTTP, on a UNIX socket and on the loopback interface."""
    for unix in (True, False):
        where = "unix:m.sock" if unix else "127.0.0.1:0"
        with start(suite, case, n, policy, extra=["--metrics", where],
                   argv=["@PYTHON@", "-c", ECHO]) as s:
            begin(s)
            d = status(suite, case, tracer(s))
            if unix:
                path = os.path.join(s.work, "m.sock")
                if d["metrics"] != "unix:" + path:
                    raise Fail(d["metrics"])
                if stat.S_IMODE(os.stat(path).st_mode) != 0o660:
                    raise Fail("mode of the socket")
                url = ["--unix-socket", path, "http://localhost/metrics"]
            else:
                url = [f"http://{d['metrics']}/metrics"]
            # a place that calls is trapped some times before it is patched
            echo(s, 0)
            time.sleep(0.15)
            one = openmetrics.parse(curl(suite, case, *url))
            for i in range(1, 6):
                echo(s, i)
            time.sleep(0.15)
            two = openmetrics.parse(curl(suite, case, *url))
            openmetrics.later(one, two)
            for family in ("ipmon", "ipmon_calls_in_process", "ipmon_calls_trapped",
                           "ipmon_calls_verified", "ipmon_calls_held",
                           "ipmon_calls_forwarded", "ipmon_wakes", "ipmon_waits",
                           "ipmon_lag_bytes", "ipmon_divergences", "ipmon_signals",
                           "ipmon_variants", "ipmon_processes", "ipmon_threads",
                           "ipmon_replicated_bytes", "ipmon_trapped_seconds"):
                if family not in two:
                    raise Fail(f"no {family}")
            if two["ipmon_variants"].value() != n or \
                    two["ipmon_processes"].value() != 1 or \
                    two["ipmon_divergences"].value() != 0:
                raise Fail("variants, processes or divergences")
            made = openmetrics.Family.value(two["ipmon_calls_in_process"],
                                            call="getppid") - \
                openmetrics.Family.value(one["ipmon_calls_in_process"],
                                         call="getppid", default=0)
            if made != 100:
                raise Fail(f"{made} calls of getppid in-process, not 100")
            head = curl(suite, case, "-D", "-", "-o", "/dev/null", *url)
            if "Content-Type: application/openmetrics-text; version=1.0.0; " \
                    "charset=utf-8\r\n" not in head:
                raise Fail(f"head: {head}")
            if len(two["ipmon_lag_bytes"].samples) != n - 1:
                raise Fail("a lag per follower")
            s.p.stdin.close()
            s.p.stdin = None
            finish(s)


def bad_http(suite, case, n, policy):
    """Requests that are none, or not for us."""
    with start(suite, case, n, policy, extra=["--metrics", "unix:m.sock"]) as s:
        begin(s)
        path = os.path.join(s.work, "m.sock")

        def ask(data, end=False):
            with connect(path, socket.SOCK_STREAM) as c:
                try:
                    for i in range(0, len(data), 3000):
                        c.send(data[i:i + 3000])
                    if end:
                        c.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                got = b""
                while True:
                    try:
                        x = c.recv(65536)
                    except ConnectionError:
                        break
                    if not x:
                        break
                    got += x
                return got
        good = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
        for data, code in (
                (good, 200), (good + b"more of it" * 5000, 200),
                (b"\r\n" + good, 200),
                (b"GET /metrics HTTP/1.0\n\n", 200),
                (b"GET /metrics?x=y HTTP/1.1\r\n\r\n", 200),
                (b"GET http://host/metrics HTTP/1.1\r\nHost: host\r\n\r\n", 200),
                (b"GET / HTTP/1.1\r\n\r\n", 404), (b"GET /metricsx HTTP/1.1\r\n\r\n", 404),
                (b"GET http://host HTTP/1.1\r\n\r\n", 404),
                (b"POST /metrics HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 405),
                (b"GET /metrics HTTP/2.0\r\n\r\n", 505),
                (b"GET /metrics\r\n\r\n", 400), (b"GET  /metrics HTTP/1.1\r\n\r\n", 400),
                (b"\0\0\0\0", 400), (b"\x16\x03\x01\x02\x00", 400),
                (b"GET /metrics HTTP/1.1\r\nno colon\r\n\r\n", 400),
                (b"GET /metrics HTTP/1.1\r\nA: \x01\r\n\r\n", 400),
                (b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n", 414),
                (b"GET /metrics HTTP/1.1\r\nA: " + b"x" * 100000 + b"\r\n\r\n", 431)):
            got = ask(data)
            if not got.startswith(b"HTTP/1.1 %d " % code):
                raise Fail(f"{data[:40]!r}: {got[:60]!r}, not {code}")
            head, body = got.split(b"\r\n\r\n", 1)
            m = re.search(rb"Content-Length: (\d+)", head)
            if not m or int(m.group(1)) != len(body) or \
                    b"Connection: close" not in head:
                raise Fail(f"{data[:40]!r}: {head!r}, {len(body)} bytes")
            if (code == 200) != body.endswith(b"# EOF\n"):
                raise Fail(f"{data[:40]!r}: {body[-40:]!r}")
        head = ask(b"HEAD /metrics HTTP/1.1\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 ") or not head.endswith(b"\r\n\r\n"):
            raise Fail(f"HEAD: {head[-60:]!r}")
        if ask(b"GET /metr", end=True):
            raise Fail("an answer to half a question")
        # a byte at a time
        with connect(path, socket.SOCK_STREAM) as c:
            for b in good:
                c.send(bytes([b]))
            if not c.recv(100).startswith(b"HTTP/1.1 200 "):
                raise Fail("slowly asked")
        echo(s, 0)
        s.p.stdin.close()
        s.p.stdin = None
        finish(s, r"monitord: metrics: a request that is none .*\n")


# ---- top ---------------------------------------------------------------------

BUSY = ("import os, time\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    for _ in range(50): os.getppid()\n"
        "    time.sleep(0.01)\n")
COLUMNS = ["CALL", "IN-PROC", "VERIFIED", "HELD", "TRAPPED", "TIME%", "AVG", "MAX"]


def top_batch(suite, case, n, policy):
    """Without a terminal: plain text, one screen after the other."""
    with start(suite, case, n, policy, argv=["@PYTHON@", "-c", BUSY]) as s:
        begin(s)
        t = str(tracer(s))
        r, out, err = call(suite, case, "top", "-b", "-n", "2", "-d", "0.4", t)
        if r or err or re.search(r"[^ -~\n]", out):
            raise Fail(f"status {r}, {err!r}, {out!r}")
        screens = out.split("\n\nmonitord top")
        if len(screens) != 2 or out.count("\n" + " ".join(COLUMNS[:1])) != 2:
            raise Fail(f"{len(screens)} screens: {out}")
        row = [x for x in screens[1].splitlines() if x.startswith("getppid ")]
        column = COLUMNS.index("TRAPPED" if policy == "strict" else "IN-PROC")
        if len(row) != 1 or len(row[0].split()) != len(COLUMNS) or \
                row[0].split()[column] == "0":
            raise Fail(f"getppid: {row}")
        r, out, err = call(suite, case, "top", "--once", "-s", "name", t)
        names = [x.split()[0] for x in out.splitlines()[8:]]
        if r or err or names != sorted(names) or "getppid" not in names and \
                len(names) < 20:
            raise Fail(f"by name: {names}")
        # no terminal, no -b
        r, out, err = call(suite, case, "top", t)
        if r != 125 or out or "top -b" not in err:
            raise Fail(f"without a terminal: {r} {out!r} {err!r}")


def top_terminal(suite, case, n, policy):
    """80x24, and what happens when it is resized, paused, sorted, left."""
    with start(suite, case, n, policy, argv=["@PYTHON@", "-c", BUSY]) as s:
        begin(s)
        t = str(tracer(s))
        names = [f"see-{os.getpid()}-{t}"]
        env = {**suite.environment(case, "tmux"), "TERM": "screen"}

        def tmux(*argv):
            p = subprocess.run(["tmux", "-f", "/dev/null", "-L", names[-1], *argv],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=env, timeout=20, check=False)
            if p.returncode:
                raise Fail(f"tmux {argv[0]}: {p.stderr!r}")
            return p.stdout.decode()

        def screen():
            # -N keeps blanks at the end, -e the attributes
            return tmux("capture-pane", "-p").split("\n")[:-1]
        try:
            tmux("new-session", "-d", "-x", "80", "-y", "24",
                 f"'{suite.monitord}' top -d 0.3 {t}; echo left: $?; sleep 60")

            def drawn():
                "a row for getppid"
                lines = screen()
                return any(x.startswith("getppid ") for x in lines) and lines
            lines = wait_for(drawn)
            if len(lines) != 24 or not lines[0].startswith("monitord top - "):
                raise Fail("not the whole screen: " + "\n".join(lines))
            if lines[7].split() != COLUMNS or len(lines[7]) != 79:
                raise Fail(f"columns: {lines[7]!r}")
            if not lines[23].startswith("q quit"):
                raise Fail(f"last line: {lines[23]!r}")
            for x in lines[8:23]:
                if x and (len(x.split()) != len(COLUMNS) or len(x) != 79):
                    raise Fail(f"a row that is none: {x!r}")
            for width, height in ((50, 10), (120, 40), (20, 3), (80, 24)):
                tmux("resize-window", "-x", str(width), "-y", str(height))

                def fits():
                    "the new size"
                    lines = screen()
                    return len(lines) == height and \
                        lines[0].startswith("monitord top - "[:width]) and \
                        lines[-1].startswith("q quit") and \
                        not any(x.startswith("q quit") for x in lines[:-1])
                wait_for(fits)
            tmux("send-keys", "s")
            wait_for(lambda: "sort: inproc" in screen()[-1])
            tmux("send-keys", "S")
            wait_for(lambda: "sort: calls" in screen()[-1])
            tmux("send-keys", "p")
            wait_for(lambda: "PAUSED" in screen()[0])
            clock = screen()[3:]
            time.sleep(0.8)
            if screen()[3:] != clock:
                raise Fail("a pause in which it goes on")
            tmux("send-keys", "p")
            wait_for(lambda: "PAUSED" not in screen()[0])
            # bold is there, and not with NO_COLOR
            if "\33[1m" not in tmux("capture-pane", "-p", "-e"):
                raise Fail("nothing is bright")
            tmux("send-keys", "q")
            wait_for(lambda: any(x == "left: 0" for x in screen()))
            if any("CALL" in x for x in screen()):
                raise Fail("the screen was not put back")
            # another server: the first may still be ending
            names.append(names[0] + "-2")
            tmux("new-session", "-d", "-x", "80", "-y", "24",
                 f"NO_COLOR=1 '{suite.monitord}' top -d 0.3 {t}; echo left: $?; "
                 "stty -a | tr ' ' '\\n' | grep -x -e echo -e icanon; sleep 60")
            wait_for(drawn)
            if "\33[1m" in tmux("capture-pane", "-p", "-e"):
                raise Fail("bright in spite of NO_COLOR")
            # the run ends
            s.p.terminate()
            wait_for(lambda: any(x == "left: 0" for x in screen()))
            wait_for(lambda: {"echo", "icanon"} <= set(screen()))
            if not any("the run has ended" in x for x in screen()):
                raise Fail("\n".join(screen()))
        finally:
            for name in names:
                subprocess.run(["tmux", "-L", name, "kill-server"],
                               stderr=subprocess.DEVNULL, check=False, timeout=20)
                try:
                    os.unlink(f"/tmp/tmux-{os.geteuid()}/{name}")
                except OSError:
                    pass

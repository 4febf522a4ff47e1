# SPDX-License-Identifier: Apache-2.0
"""Looking at a run from outside: control socket and ps.

Cases of special.py's kind; see there.  No case asserts how fast anything is:
what must not happen is that a client changes what the run does.
"""
import array
import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import time

from runner import Fail
from special import Session

MAGIC, VERSION, STATUS = 0x45455349, 1, 1
REQUEST = struct.pack("=IHHQ", MAGIC, VERSION, STATUS, 0)
NOBODY = 65534

# prints a number per line read, and makes some calls for each
ECHO = ("import os, sys\n"
        "print('ready', flush=True)\n"
        "for i, line in enumerate(sys.stdin):\n"
        "    for _ in range(20): os.getppid(); os.stat('/')\n"
        "    print(i, flush=True)\n")


def call(suite, case, *argv, **env):
    """monitord with these arguments: (status, stdout, stderr)."""
    p = subprocess.run([suite.monitord, *argv], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       check=False, timeout=30,
                       env={**suite.environment(case, "see"), **env})
    return (p.returncode, p.stdout.decode(errors="replace"),
            p.stderr.decode(errors="replace"))


def wait_for(what, seconds=20):
    """The first true result of what()."""
    end = time.monotonic() + seconds
    while True:
        r = what()
        if r:
            return r
        if time.monotonic() > end:
            raise Fail(f"did not happen within {seconds} s: {what.__doc__}")
        time.sleep(0.02)


def status(suite, case, word):
    """The JSON of one run; word is a pid or path."""
    r, out, err = call(suite, case, "ps", "--json", str(word))
    if r or err:
        raise Fail(f"ps --json {word}: status {r}, {err!r}")
    answer = json.loads(out)
    if len(answer) != 1:
        raise Fail(f"ps --json {word}: {len(answer)} runs")
    return answer[0]


def tracer(session):
    """monitord's process that traces, once there is one."""
    def find():
        "the tracer"
        for pid in session.family():
            try:
                with open(f"/proc/{pid}/status", encoding="ascii",
                          errors="replace") as f:
                    m = re.search(r"TracerPid:\s*(\d+)", f.read())
            except OSError:
                continue
            if m and int(m.group(1)):
                return int(m.group(1))
        return None
    return wait_for(find)


def server_pid(session):
    """The process that serves the sockets; 0: there is none."""
    for pid in session.family():
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                if f.read() == "monitord-see\n":
                    return pid
        except OSError:
            pass
    return 0


def served(session):
    """Its server, once it listens."""
    def find():
        "a server"
        return server_pid(session)
    pid = wait_for(find)

    def listens():
        "the control socket"
        return session.p.poll() is not None or any(
            os.path.exists(p) for p in
            (f"/run/ipmon/{tracer(session)}", *session.sockets))
    wait_for(listens)
    return pid


def start(suite, case, n, policy, extra=(), argv=None, **popen):
    """A run with ECHO (or argv) that is served."""
    s = Session(suite, case, n, policy, argv or ["@PYTHON@", "-c", ECHO],
                extra=extra, **popen)
    s.sockets = [os.path.join(s.work, e) for e in extra if e.endswith(".sock")]
    return s


def begin(s):
    if s.line() != "ready\n":
        raise Fail("not ready")
    served(s)


def echo(s, number):
    """The run goes on as if nothing had happened."""
    s.p.stdin.write(b"x\n")
    s.p.stdin.flush()
    if s.line() != f"{number}\n":
        raise Fail("the program was disturbed")


def finish(s, stderr=""):
    code, out, err = s.end()
    if code or out or not re.fullmatch(stderr, err):
        raise Fail(f"status {code}, {out!r}, {err!r}")


def connect(path, kind=socket.SOCK_SEQPACKET):
    """Connected; a queue that is full is waited for."""
    c = socket.socket(socket.AF_UNIX, kind)
    c.settimeout(20)
    end = time.monotonic() + 20
    while True:
        try:
            c.connect(path)
            return c
        except BlockingIOError:
            if time.monotonic() > end:
                raise Fail(f"{path} takes nobody") from None
            time.sleep(0.005)


def reply(c):
    """Error and bytes of one answer; None: closed without one."""
    data, total, have = b"", None, 0
    while total is None or have < total:
        try:
            packet = c.recv(65536)
        except ConnectionError:
            return None
        if not packet:
            return None
        magic, version, error, total, offset = struct.unpack("=IHHII", packet[:16])
        if magic != MAGIC or version != VERSION or offset != have:
            raise Fail(f"answer {packet[:16]!r}")
        if error:
            return error, b""
        data += packet[16:]
        have = len(data)
    return 0, data


# ---- ps ----------------------------------------------------------------------

TREE = ("import os, sys, threading, time\n"
        "def busy():\n"
        "    while not done: os.getppid(); time.sleep(0.002)\n"
        "done = False\n"
        "threads = [threading.Thread(target=busy) for _ in range(2)]\n"
        "r, w = os.pipe()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os.read(r, 1); os._exit(0)\n"
        "for t in threads: t.start()\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
        "done = True\n"
        "for t in threads: t.join()\n"
        "os.write(w, b'x'); os.waitpid(child, 0)\n")


def ps_tree(suite, case, n, policy):
    """Processes, threads, variants, counters of a run; their text."""
    with start(suite, case, n, policy, argv=["@PYTHON@", "-c", TREE]) as s:
        begin(s)
        t = tracer(s)
        # what is shown may be a tenth of a second old, if somebody else asked
        time.sleep(0.15)
        one = status(suite, case, t)
        if one["pid"] != t or one["front"] != s.p.pid or one["n"] != n or \
                one["policy"] != policy or one["stalled"] or one["truncated"]:
            raise Fail(f"what is run: {one}")
        if [v["role"] for v in one["variants"]] != \
                ["leader"] + ["follower"] * (n - 1):
            raise Fail(f"variants: {one['variants']}")
        root, child = one["processes"]
        if child["parent"] != root["id"] or root["parent"] != 0 or \
                len(root["threads"]) != 3 or len(child["threads"]) != 1:
            raise Fail(f"processes: {one['processes']}")
        for p in (root, child):
            if len(set(p["pids"])) != n or p["pid"] != p["pids"][0] or \
                    not p["name"].startswith("python"):
                raise Fail(f"process: {p}")
            for pid in p["pids"]:
                with open(f"/proc/{pid}/status", encoding="ascii",
                          errors="replace") as f:
                    if f"TracerPid:\t{t}\n" not in f.read():
                        raise Fail(f"{pid} is not traced by {t}")
            for thread in p["threads"]:
                if len(thread["tids"]) != n or len(thread["lag_bytes"]) != n:
                    raise Fail(f"thread: {thread}")
        # found by every pid there is, and in the list of all
        for pid in (s.p.pid, t, server_pid(s), *root["pids"], *child["pids"]):
            if status(suite, case, pid)["pid"] != t:
                raise Fail(f"not found by {pid}")
        r, out, err = call(suite, case, "ps")
        if r or err or f"\n{t} " not in "\n" + out:
            raise Fail(f"not in the list: {r} {out!r} {err!r}")
        # counters go up, and only up
        time.sleep(0.3)
        two = status(suite, case, t)
        for key, value in one["totals"].items():
            if two["totals"][key] < value:
                raise Fail(f"{key} went down: {value}, {two['totals'][key]}")
        what = "trapped" if policy == "strict" else "in_process"
        if two["calls"]["getppid"]["in_process" if policy != "strict" else
                                   "trapped"] <= 0 and policy == "strict":
            raise Fail(f"no calls of getppid: {two['calls']['getppid']}")
        for total in ("in_process", "verified", "held", "forwarded"):
            if sum(c[total] for c in two["calls"].values()) != \
                    two["totals"][total]:
                raise Fail(f"{total} is not the sum of its calls")
        if two["totals"][what] == 0 and policy == "strict":
            raise Fail(f"nothing {what}")
        # for people
        r, out, err = call(suite, case, "ps", "-t", str(t))
        lines = out.splitlines()
        if r or err or len(lines) != 3 + 2 + 4 or \
                f"{n} variants, {policy}" not in lines[0] or \
                "\\_ python" not in out or out.count("thread ") != 4:
            raise Fail(f"ps -t: {r} {out} {err!r}")
        for pid in root["pids"]:
            if not re.search(rf"\b{pid}\b", out):
                raise Fail(f"{pid} is not shown: {out}")
        s.p.stdin.write(b"\n")
        s.p.stdin.flush()
        finish(s)


def ps_nginx(suite, case, n, policy):
    """A server that leaves its caller: the run is still there to be seen."""
    with socket.socket() as x:
        x.bind(("127.0.0.1", 0))
        port = x.getsockname()[1]
    conf = (f"daemon on; master_process on; worker_processes 2; pid nginx.pid;\n"
            f"error_log error.log; events {{ worker_connections 64; }}\n"
            f"http {{ access_log off; server {{ listen 127.0.0.1:{port}; "
            f"location / {{ return 200 'text'; }} }} }}\n")
    name = os.path.join(suite.top, f"see-nginx-{n}.conf")
    with open(name, "w", encoding="ascii") as f:
        f.write(conf)
    with start(suite, case, n, policy,
               argv=["nginx", "-p", ".", "-c", name]) as s:
        code, out, err = s.end()
        if code or out or err:
            raise Fail(f"start: {code} {out!r} {err!r}")
        with open(os.path.join(s.work, "nginx.pid"), encoding="ascii") as f:
            master = int(f.read())
        try:
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", port), 10) as c:
                    c.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    if not c.recv(4096).startswith(b"HTTP/1.1 200"):
                        raise Fail("no answer")

            def whole():
                "master and workers, that have accepted 20 times"
                d = status(suite, case, master)
                accepted = d["calls"].get("accept4", {})
                return accepted.get("in_process", 0) + \
                    accepted.get("trapped", 0) >= 20 and \
                    len([p for p in d["processes"] if not p["zombie"]]) == 3 and d
            d = wait_for(whole)
            top = [p for p in d["processes"] if p["pid"] == master]
            workers = [p for p in d["processes"] if p["parent"] == top[0]["id"]]
            if len(workers) != 2 or any(len(p["pids"]) != n for p in workers):
                raise Fail(f"tree: {d['processes']}")
            path = d["control"]
        finally:
            os.kill(master, signal.SIGTERM)

        def ended():
            "the end of the socket"
            return not os.path.exists(path)
        wait_for(ended)


def wrong_use(suite, case, n, policy):
    """What is wrong is said, with the documented status."""
    for argv, code, text in (
            (["ps", "--nonsense"], 125, "ps --help"),
            (["ps", "4194304"], 1, "no monitor"),
            (["ps", "word"], 1, "'monitord ps' lists"),
            (["ps", "/no/such/socket"], 1, "'monitord ps' lists"),
            (["ps", "/dev/null"], 1, "'monitord ps' lists"),
            (["top", "4194304"], 1, "no monitor"),
            (["top", "-n", "0"], 125, "top --help"),
            (["top", "-d", "0.01"], 125, "top --help"),
            (["top", "-d", "nan"], 125, "top --help"),
            (["top", "-s", "x"], 125, "top --help"),
            (["top", "1", "2"], 125, "one PID"),
            (["run", "--metrics", "0.0.0.0:80", "--", "true"], 125, "loopback"),
            (["run", "--metrics", "[::]:80", "--", "true"], 125, "loopback"),
            (["run", "--metrics", "127.0.0.1:70000", "--", "true"], 125, "PORT"),
            (["run", "--metrics", "9100", "--", "true"], 125, "PORT"),
            (["run", "--metrics", "unix:", "--", "true"], 125, "empty"),
            (["run", "--metrics", "unix:/no/such/dir/m", "--", "true"], 125,
             "make its directory first"),
            (["run", "--metrics", "[::1]:70000", "--", "true"], 125, "PORT"),
            (["run", "--control", "/no/such/dir/c", "--", "true"], 125,
             "make its directory first"),
            (["run", "--control", "/proc/c", "--", "true"], 125, "; "),
            (["run", "--control", "/tmp/" + "x" * 120, "--", "true"], 125, "107"),
            (["run", "--control", "/dev/null", "--", "true"], 125, "no socket")):
        r, out, err = call(suite, case, *argv)
        if r != code or out or text not in err or len(err.splitlines()) != 1:
            raise Fail(f"{argv}: {r} {out!r} {err!r}")
    for command in ("ps", "top"):
        r, out, err = call(suite, case, command, "--help")
        lines = out.splitlines()
        if r or err or len(lines) > 24 or max(map(len, lines)) > 80:
            raise Fail(f"{command} --help: {r}, {len(lines)} lines, {err!r}")


def strangers(suite, case, n, policy):
    """What answers at a path need not be a monitor."""
    work = suite.fresh(case)
    path = os.path.join(work, "s")
    bad = {"version": 1, "pid": 1, "program": "\33[31mred\nnext\a", "n": 2,
           "policy": "\x9b31m", "uid": 0, "uptime_seconds": {"a": []},
           "processes": [{"id": 1, "parent": 2, "pids": 7, "threads": "x",
                          "name": "a\33]0;t\a"},
                         {"id": 2, "parent": 1, "pids": [[], {}, "\33"],
                          "threads": [[], {"lag_bytes": [{}], "state": 3}]}],
           "totals": [], "calls": {"\33[2J": 3, "read": {"in_process": []}}}

    def packets(data):
        return [struct.pack("=IHHII", MAGIC, VERSION, 0, len(data), i) +
                data[i:i + 16384] for i in range(0, len(data), 16384)]
    deep = b"[" * 100000
    for answer, good in (
            ([b"garbage"], False), ([b""], False), ([], False),
            ([struct.pack("=IHHII", MAGIC, VERSION, 0, 0, 0)], False),
            ([struct.pack("=IHHII", MAGIC, VERSION, 0, 0xffffffff, 0) + b"{"], False),
            ([struct.pack("=IHHII", MAGIC, VERSION, 0, 8, 4) + b"{}  "], False),
            ([struct.pack("=IHHII", MAGIC, VERSION, 0, 2, 0) + b"{}{}"], False),
            ([struct.pack("=IHHII", MAGIC, 7, 0, 2, 0) + b"{}"], False),
            (packets(deep), False), (packets(b"[1, 2]"), False),
            (packets(b"{"), False), (packets(b"{} x"), True),
            (packets(json.dumps(bad).encode()), True), (packets(b"{}"), True)):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as x:
            x.bind(path)
            x.listen(4)
            for command in (["ps", path], ["top", "--once", path],
                            ["ps", "-t", path]):
                p = subprocess.Popen([suite.monitord, *command],
                                     stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
                c, _ = x.accept()
                with c:
                    c.recv(100)
                    for packet in answer:
                        try:
                            c.send(packet)
                        except OSError:
                            break
                    c.shutdown(socket.SHUT_WR)
                    out, err = p.communicate(timeout=30)
                if (p.returncode == 0) != good:
                    raise Fail(f"{answer[:1]!r:.80}: {p.returncode} {err!r}")
                if re.search(rb"[^ -~\n]", out + err):
                    raise Fail(f"unprintable: {out + err!r}")
        os.unlink(path)


def liars(suite, case, n, policy):
    """Whose a run is the kernel says; who does not answer is left out soon."""
    if os.geteuid():
        return
    place = f"/tmp/ipmon-{NOBODY}"
    if os.path.exists(place):
        return
    # in one go as that user, who stays that user
    script = ("import json, os, socket, struct, sys, threading\n"
              "os.mkdir(sys.argv[1], 0o700); os.chdir(sys.argv[1])\n"
              "def serve(x, text):\n"
              "    while True:\n"
              "        c = x.accept()[0]\n"
              "        keep.append(c)\n"
              "        if text:\n"
              "            c.recv(100)\n"
              "            c.send(struct.pack('=IHHII', %d, %d, 0, len(text), 0) + text)\n"
              "keep = []\n"
              "lie = json.dumps({'uid': 0, 'pid': 1, 'n': 2, 'program': 'liar'})\n"
              "for i in range(8):\n"
              "    x = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
              "    x.bind(str(70000 + i)); x.listen(64)\n"
              "    threading.Thread(target=serve, daemon=True, args=(\n"
              "        x, lie.encode() if sys.argv[2] == 'lie' else b'')).start()\n"
              "print('ready', flush=True)\n"
              "sys.stdin.read()\n"
              "for f in os.listdir('.'): os.unlink(f)\n"
              "os.rmdir(sys.argv[1])\n" % (MAGIC, VERSION))
    for how in ("lie", "hang"):
        p = subprocess.Popen([suite.python, "-c", script, place, how],
                             user=NOBODY, group=NOBODY, extra_groups=[],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            if p.stdout.readline() != b"ready\n":
                raise Fail("not ready")
            asked = call(suite, case, "ps", "--json")
            mine = [x for x in json.loads(asked[1])
                    if x.get("program") == "liar"]
            if how == "lie" and (len(mine) != 8 or asked[2] or
                                 {x["uid"] for x in mine} != {NOBODY}):
                raise Fail(f"believed: {mine} {asked[2]!r}")
            if how == "hang" and (mine or not re.fullmatch(
                    f"monitord: 3 sockets in {place} do not answer.*\n", asked[2])):
                raise Fail(f"{mine} {asked[2]!r}")
        finally:
            p.communicate(timeout=20)


def stalled(suite, case, n, policy):
    """A tracer that does nothing is said to do nothing."""
    with start(suite, case, n, policy) as s:
        begin(s)
        t = tracer(s)
        before = status(suite, case, t)
        os.kill(t, signal.SIGSTOP)
        try:
            time.sleep(0.3)
            d = status(suite, case, t)
        finally:
            os.kill(t, signal.SIGCONT)
        if not d["stalled"] or [p["pids"] for p in d["processes"]] != \
                [p["pids"] for p in before["processes"]]:
            raise Fail(f"stopped: {d}")
        if status(suite, case, t)["stalled"]:
            raise Fail("still said to be stalled")
        echo(s, 0)
        s.p.stdin.close()
        s.p.stdin = None
        finish(s)


# ---- the control socket ------------------------------------------------------

def other_user(suite, case, n, policy):
    """Nobody but the user and root is answered, whatever the mode says."""
    if os.geteuid():
        return
    with start(suite, case, n, policy, extra=["--control", "c.sock"]) as s:
        begin(s)
        path = os.path.join(s.work, "c.sock")
        if stat.S_IMODE(os.stat(path).st_mode) != 0o600:
            raise Fail(f"mode {os.stat(path).st_mode:o}")
        script = ("import socket, sys\n"
                  "c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
                  "c.settimeout(20)\n"
                  "try:\n"
                  "    c.connect(sys.argv[1])\n"
                  "    c.send(bytes.fromhex(sys.argv[2]))\n"
                  "    print(len(c.recv(1000)))\n"
                  "except OSError as e:\n"
                  "    print(type(e).__name__)\n")
        said = []
        for mode in (0o600, 0o666, 0o666):
            os.chmod(path, mode)
            p = subprocess.run([suite.python, "-c", script, path, REQUEST.hex()],
                               user=NOBODY, group=NOBODY, extra_groups=[],
                               stdout=subprocess.PIPE, check=True, timeout=30)
            said.append(p.stdout.decode().strip())
        if said[0] != "PermissionError" or \
                not set(said[1:]) <= {"0", "BrokenPipeError", "ConnectionResetError"}:
            raise Fail(f"another user was told: {said}")
        if status(suite, case, path)["control"] != path:
            raise Fail("root is not answered")
        echo(s, 0)
        s.p.stdin.close()
        s.p.stdin = None
        # one line, although it happened twice
        finish(s, r"monitord: control socket: user 65534 \(process \d+\) may not.*\n")


def own_program(suite, case, n, policy):
    """The program is told nothing about itself."""
    script = ("import socket, time, os\n"
              "while not os.path.exists('c.sock'): time.sleep(0.01)\n"
              "time.sleep(0.2)\n"
              "c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
              "c.connect('c.sock')\n"
              "try:\n"
              "    c.send(bytes.fromhex('%s'))\n"
              "    data = c.recv(1000)\n"
              "except OSError:\n"
              "    data = b''\n"
              "print(len(data))\n" % REQUEST.hex())
    with start(suite, case, n, policy, extra=["--control", "c.sock"],
               argv=["@PYTHON@", "-c", script]) as s:
        code, out, err = s.end()
        if code or out != b"0\n" or "belongs to the program" not in err:
            raise Fail(f"status {code}, {out!r}, {err!r}")


def garbage(suite, case, n, policy):
    """What is no request costs one line on stderr and nothing else."""
    with start(suite, case, n, policy, extra=["--control", "c.sock"]) as s:
        begin(s)
        pid = served(s)
        path = os.path.join(s.work, "c.sock")
        fds = len(os.listdir(f"/proc/{pid}/fd"))
        packets = [b"x", b"\0" * 15, REQUEST + b"\0", b"A" * 100000,
                   b"\xff" * 16, REQUEST[:4] + b"\2\0" + REQUEST[6:],
                   REQUEST[:6] + b"\7\0" + REQUEST[8:], REQUEST[:15] + b"\1",
                   b"GET /metrics HTTP/1.1\r\n\r\n"]
        for i, packet in enumerate(packets * 5):
            with connect(path) as c:
                try:
                    if i % 2:
                        c.send(packet)
                    else:
                        # with descriptors, which nobody takes
                        c.sendmsg([packet], [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                              array.array("i", [0, 1, 2]))])
                except OSError as e:
                    raise Fail(f"{packet[:20]!r} was not taken: {e}") from e
                got = reply(c)
                if got and got[0] == 0:
                    raise Fail(f"{packet[:20]!r} was answered")
        # many questions at once, without reading the answer
        clients = [connect(path) for _ in range(20)]
        for c in clients:
            c.send(REQUEST)
        # and one who leaves before it
        with connect(path) as c:
            c.send(REQUEST)
        with connect(path) as c:
            c.send(REQUEST)
            code, data = reply(c)
            if code or json.loads(data)["n"] != n:
                raise Fail("no answer after that")
        for c in clients:
            c.close()
        # a stream socket is another thing
        try:
            connect(path, socket.SOCK_STREAM).close()
            raise Fail("a stream was taken")
        except OSError:
            pass

        def tidy():
            "the server's descriptors as before"
            return len(os.listdir(f"/proc/{pid}/fd")) <= fds
        wait_for(tidy)
        if served(s) != pid:
            raise Fail("the server is another one")
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            text = f.read()
        if "NoNewPrivs:\t1\n" not in text or \
                "Seccomp:\t2\n" not in text and "ASAN_OPTIONS" not in os.environ:
            raise Fail(f"the server is not confined: {text}")
        echo(s, 0)
        s.p.stdin.close()
        s.p.stdin = None
        finish(s, r"monitord: control socket: process \d+ sent a message .*\n")


def silent(suite, case, n, policy):
    """Hundreds who connect and say nothing."""
    with start(suite, case, n, policy, extra=["--control", "c.sock",
                                              "--metrics", "127.0.0.1:0"]) as s:
        begin(s)
        pid = served(s)
        path = os.path.join(s.work, "c.sock")
        where = status(suite, case, path)["metrics"]
        port = int(where.rsplit(":", 1)[1])
        clients = []
        for i in range(200):
            clients.append(connect(path))
            c = socket.create_connection(("127.0.0.1", port), 20)
            if i % 2:
                c.send(b"GET /metrics HT")
            clients.append(c)
            if i % 50 == 0:
                echo(s, i // 50)
        # somebody with a question is answered while they are there
        d = status(suite, case, path)
        if d["stalled"] or d["n"] != n:
            raise Fail(f"answer: {d}")
        with socket.create_connection(("127.0.0.1", port), 20) as c:
            c.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            if not c.recv(100).startswith(b"HTTP/1.1 200 "):
                raise Fail("no metrics")
        # the first of them have made room
        for c in clients[:2]:
            try:
                if c.recv(10):
                    raise Fail("an answer without a question")
            except ConnectionError:
                pass
        if len(os.listdir(f"/proc/{pid}/fd")) > 100:
            raise Fail("they are all kept")
        echo(s, 4)
        for c in clients:
            c.close()
        s.p.stdin.close()
        s.p.stdin = None
        finish(s)


def stale(suite, case, n, policy):
    """A socket that nobody serves is in nobody's way; one that is served is."""
    with start(suite, case, n, policy, extra=["--control", "c.sock"]) as s:
        begin(s)
        path = os.path.join(s.work, "c.sock")
        r, out, err = call(suite, case, "run", "--control", path, "--", "true")
        if r != 125 or "listens there" not in err:
            raise Fail(f"a socket in use was taken: {r} {out!r} {err!r}")
        os.kill(served(s), signal.SIGKILL)
        echo(s, 0)
        r, out, err = call(suite, case, "ps", path)
        if r != 1 or "no monitor" not in err:
            raise Fail(f"nobody listens: {r} {out!r} {err!r}")
        with subprocess.Popen([suite.monitord, "run", "--control", path, "--",
                               "sleep", "0.5"], env=suite.environment(case, "see")) as p:
            def answers():
                "the next run at the same place"
                return call(suite, case, "ps", path)[0] == 0
            wait_for(answers)
            if p.wait(20):
                raise Fail(f"the next run: {p.returncode}")
        if os.path.exists(path):
            raise Fail("its socket was left behind")
        s.p.stdin.close()
        s.p.stdin = None
        finish(s)
    if os.geteuid():
        return
    # in the default place, of a process that cannot be
    old = "/run/ipmon/4194304"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as x:
        if not os.path.exists(old):
            x.bind(old)
    with start(suite, case, n, policy) as s:
        begin(s)
        if os.path.exists(old):
            raise Fail("a stale socket was left where it was")
        mine = f"/run/ipmon/{tracer(s)}"
        if not os.path.exists(mine):
            raise Fail(f"no {mine}")
        s.p.stdin.close()
        s.p.stdin = None
        finish(s)
        if os.path.exists(mine):
            raise Fail("the socket outlived the run")


def none(suite, case, n, policy):
    """Nobody serves what nobody is to see."""
    with start(suite, case, n, policy, extra=["--control", "none"]) as s:
        if s.line() != "ready\n":
            raise Fail("not ready")
        time.sleep(0.3)
        if server_pid(s):
            raise Fail("there is a server")
        r, out, err = call(suite, case, "ps", str(s.p.pid))
        if r != 1 or out or "was started with --control none" not in err:
            raise Fail(f"it was found: {r} {out} {err}")
        s.p.stdin.close()
        s.p.stdin = None
        finish(s)


def elsewhere(suite, case, n, policy):
    """A run whose socket is not where they usually are is found by a pid, or it
    is said which path is wanted."""
    with tempfile.TemporaryDirectory(prefix="e2e.") as work:
        elsewhere_in(suite, case, n, policy, work)


def elsewhere_in(suite, case, n, policy, work):
    for extra, words in ((["--control", f"{work}/abs.sock"], None),
                         ([f"--control={work}/abs.sock"], None),
                         (["--config", f"{work}/c.conf"], "says Control=, give"),
                         (["--control", "rel.sock"], None if not os.geteuid() else
                          "--control rel.sock; give that path, from where")):
        with open(f"{work}/c.conf", "w", encoding="ascii") as f:
            f.write(f"[Run]\nControl={work}/abs.sock\n")
        os.chmod(f"{work}/c.conf", 0o644)
        with start(suite, case, n, policy, extra=extra) as s:
            s.sockets = [os.path.join(s.work, "rel.sock") if "rel.sock" in extra
                         else f"{work}/abs.sock"]
            begin(s)
            t = tracer(s)
            one = status(suite, case, s.sockets[0])
            if one["pid"] != t:
                raise Fail(f"{extra}: not found by its path: {one}")
            for pid in (s.p.pid, t, *one["processes"][0]["pids"]):
                for command in (["ps"], ["top", "-b"]):
                    r, out, err = call(suite, case, *command, str(pid))
                    if words:
                        if r != 1 or out or words not in err or err.count("\n") != 1:
                            raise Fail(f"{extra}, {pid}: {r} {out} {err}")
                    elif r or err or f"{t}" not in out:
                        raise Fail(f"{extra}, {pid}: {r} {out} {err}")
            if not os.geteuid():
                p = subprocess.run([suite.monitord, "ps", str(t)], user=NOBODY,
                                   group=NOBODY, extra_groups=[], timeout=30,
                                   capture_output=True, text=True, check=False,
                                   env=suite.environment(case, "none"))
                if p.returncode != 1 or "only that user and root" not in p.stderr:
                    raise Fail(f"{extra}: another user is told: {p}")
            # what a command line says is not believed: a socket of a stranger's
            if not os.geteuid() and not words:
                os.chown(s.sockets[0], NOBODY, NOBODY)
                r, out, err = call(suite, case, "ps", str(t))
                if r != 1 or out or "give that path" not in err:
                    raise Fail(f"{extra}: asked somebody else's: {r} {out} {err}")
            s.p.stdin.close()
            s.p.stdin = None
            finish(s)


def unprivileged(suite, case, n, policy):
    """An ordinary user sees his own runs, root sees them too."""
    if os.geteuid():
        return
    probe = subprocess.run(["test", "-x", suite.monitord], user=NOBODY,
                           group=NOBODY, extra_groups=[], check=False)
    if probe.returncode:
        return
    user = dict(user=NOBODY, group=NOBODY, extra_groups=[])
    home = suite.fresh(case)
    os.chown(home, NOBODY, NOBODY)
    runtime = os.path.join(home, "runtime")
    os.mkdir(runtime, 0o700)
    os.chown(runtime, NOBODY, NOBODY)
    services = f"/run/ipmon/e2e-{os.getpid()}"
    os.makedirs(services, 0o755)
    os.chown(services, NOBODY, NOBODY)
    for env, place in (({"RUNTIME_DIRECTORY": "/run/x:" + services}, services),
                       ({"XDG_RUNTIME_DIR": runtime}, runtime + "/ipmon"),
                       ({}, f"/tmp/ipmon-{NOBODY}")):
        environment = {**suite.environment(case, "none"), **env}
        p = subprocess.Popen([suite.monitord, "run", "-n", str(n), "--policy",
                              policy, "--", "sleep", "30"], cwd=home,
                             env=environment, stdin=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, start_new_session=True, **user)
        try:
            def seen():
                "ps of the same user"
                r = subprocess.run([suite.monitord, "ps", "--json", str(p.pid)],
                                   env=environment, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, timeout=30, check=False,
                                   **user)
                return r.returncode == 0 and json.loads(r.stdout)[0]
            d = wait_for(seen)
            if os.path.dirname(d["control"]) != place or d["uid"] != NOBODY:
                raise Fail(f"served at {d['control']}, by user {d['uid']}")
            st = os.stat(place)
            if st.st_uid != NOBODY or stat.S_IMODE(st.st_mode) & 0o022:
                raise Fail(f"{place}: {st.st_mode:o} of {st.st_uid}")
            if status(suite, case, d["control"])["pid"] != d["pid"]:
                raise Fail("root does not see it")
            if "XDG_RUNTIME_DIR" not in env and \
                    status(suite, case, p.pid)["pid"] != d["pid"]:
                raise Fail("root does not find it")
        finally:
            p.send_signal(signal.SIGTERM)
            err = p.communicate(timeout=20)[1]
        if p.returncode != 128 + signal.SIGTERM or err:
            raise Fail(f"status {p.returncode} {err!r}")
        if os.path.exists(d["control"]):
            raise Fail("the socket outlived the run")
        if place != runtime + "/ipmon":
            os.rmdir(place)

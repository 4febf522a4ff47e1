#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Services under systemd, natively and under monitord: run in the container.

Theory of operation
-------------------
A scenario sets a unit up, does something to it with systemctl and others, and
returns what an administrator or client would see (a transcript).  It runs twice:
with the unit as it is, and after `monitord service` has put it under monitord.
Both must be the same.  What only monitord does (divergences, the drop-in itself)
has tests of its own below.

Prints "PASS name", "FAIL name" with indented lines, and "DONE" at the end.
Arguments are regular expressions of tests to run.
"""
import difflib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time

UNITS = "/etc/systemd/system"
LOGS = "/run/ipmon-test"
PROGRAM = "/opt/ipmon-test/unitd"
MESSAGE_ID = "6f64c0c26b794b5fbdd0e49d1d6c0f98"
N = ["-n", "2"]
JOBS = 4


class Fail(Exception):
    pass


def run(*argv, check=False, timeout=60):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=timeout,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = p.stdout.decode(errors="replace")
    if check and p.returncode:
        raise Fail(f"{' '.join(argv)}: status {p.returncode}\n{out}")
    return p.returncode, out


def ctl(*argv, check=False):
    return run("systemctl", *argv, check=check)


def show(unit, *props):
    out = ctl("show", unit, "-p", ",".join(props), check=True)[1]
    found = dict(x.split("=", 1) for x in out.splitlines() if "=" in x)
    return [f"{p}={found.get(p, '')}" for p in props]


STATE = ("ActiveState", "SubState", "Result", "ExecMainCode", "ExecMainStatus",
         "StatusText")


def until(what, cond, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if cond():
            return
        time.sleep(0.05)
    raise Fail(f"waited in vain for {what}")


def log(unit):
    try:
        with open(f"{LOGS}/{unit}.log") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def wait_log(unit, text, seconds=20):
    until(f"'{text}' of {unit}; it said:\n{log(unit)}",
          lambda: text in log(unit).splitlines(), seconds)


def wait_state(unit, prop, *values, seconds=20):
    def there():
        return show(unit, prop)[0].split("=", 1)[1] in values
    try:
        until("", there, seconds)
    except Fail:
        raise Fail(f"{unit} does not get to {prop}={'|'.join(values)}: "
                   f"{show(unit, *STATE)}\n{journal(unit)}") from None


def journal(unit, lines=25):
    return run("journalctl", "-u", unit, "-n", str(lines), "-o", "cat",
               "--no-pager")[1]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def unit(name, command, *settings, kind="simple", extra=""):
    """A test service; its output goes to a file."""
    write(f"{UNITS}/{name}.service",
          "[Unit]\nStartLimitIntervalSec=0\n[Service]\n"
          f"Type={kind}\nExecStart={command}\n"
          f"StandardOutput=append:{LOGS}/{name}.log\n"
          "StandardError=journal\nLimitCORE=0\n"
          + "".join(s + "\n" for s in settings) + extra)
    ctl("daemon-reload", check=True)


def remove(name):
    found = [name + x for x in (".socket", ".service")
             if os.path.exists(f"{UNITS}/{name}{x}")]
    if found:
        ctl("stop", *found)
        ctl("reset-failed", *found)
    for x in found:
        os.unlink(f"{UNITS}/{x}")
    shutil.rmtree(f"{UNITS}/{name}.service.d", ignore_errors=True)
    if os.path.exists(f"{LOGS}/{name}.log"):
        os.unlink(f"{LOGS}/{name}.log")
    if found:
        ctl("daemon-reload", check=True)


def put_under(name, *options):
    return run("monitord", "service", *N, *options, name + ".service",
               check=True)[1]


def processes(name):
    """The command lines of the unit's processes."""
    group = show(name, "ControlGroup")[0].split("=", 1)[1]
    out = []
    for base in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified",
                 "/sys/fs/cgroup"):
        try:
            with open(f"{base}{group}/cgroup.procs") as f:
                pids = f.read().split()
        except OSError:
            continue
        for pid in pids:
            try:
                with open(f"/proc/{pid}/cmdline") as f:
                    out.append(f.read().split("\0"))
            except OSError:
                pass
    return out if group else []


def is_monitored(name):
    return any(x[0].endswith("/monitord") for x in processes(name))


# ---- scenarios with a service of our own ------------------------------------
# Each is (setup, drive); drive returns a list of lines.

SCENARIOS = {}


def scenario(f):
    SCENARIOS[f.__name__.replace("_", "-")] = f
    return f


def stopped(name):
    ctl("stop", name)
    return show(name, *STATE)


def told(s):
    """What it has said. A child that is still there when the main process has
    ended gets a second SIGTERM from systemd: that it got one is enough."""
    lines = log(s).splitlines()
    mine = [x for x in lines if not x.startswith("child: ")]
    return mine + sorted(set(lines) - set(mine))


@scenario
def simple(s):
    unit(s, f"{PROGRAM} env child", "ExecReload=/bin/kill -HUP $MAINPID")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield show(s, *STATE)
    ctl("reload", s, check=True)
    wait_log(s, "signal HUP")
    ctl("kill", "--kill-whom=main", "-s", "USR1", s, check=True)
    wait_log(s, "signal USR1")
    # SIGTERM to every process of the unit: each of them sees it once
    yield stopped(s)
    yield told(s)


@scenario
def simple_mixed(s):
    unit(s, f"{PROGRAM} child", "KillMode=mixed")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield stopped(s)
    yield told(s)


@scenario
def simple_process(s):
    unit(s, f"{PROGRAM}", "KillMode=process", kind="exec")
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("restart", s, check=True)
    until("the second start", lambda: log(s).count("up\n") == 2)
    yield stopped(s)
    yield log(s)


@scenario
def no_handlers(s):
    unit(s, f"{PROGRAM} plain")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield stopped(s)


@scenario
def arguments(s):
    # no variables (":"), a name of its own ("@"), continued lines
    unit(s, f"-:@{PROGRAM} \"own name\" args %N \\\n# a comment in between\n"
            "   '%n two  words' $LIST \"q\\\"uote\" back\\\\slash \\\n  end",
         "Environment=LIST='a b'", "User=daemon", kind="exec")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield log(s)
    yield stopped(s)


@scenario
def variables(s):
    unit(s, f"{PROGRAM} args %N '%n two  words' $LIST ${{ONE}}x \"q\\\"uote\" "
            "back\\\\slash $$HOME '${LIST}'",
         "Environment=LIST='a b' \"ONE=1 2\"", kind="exec")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield log(s)
    yield stopped(s)


@scenario
def oneshot(s):
    unit(s, f"{PROGRAM} exit 0 ; -{PROGRAM} exit 4 ; {PROGRAM} env exit 5",
         f"ExecStart={PROGRAM} exit 0", kind="oneshot")
    yield ctl("start", s)[0]
    yield show(s, *STATE)
    yield log(s)


@scenario
def notify(s):
    unit(s, f"{PROGRAM} env ready mainpid", kind="notify")
    ctl("start", s, check=True)
    wait_log(s, "up")
    until("a status", lambda: "main" in show(s, "StatusText")[0])
    yield show(s, *STATE)
    ctl("kill", "--kill-whom=main", "-s", "HUP", s, check=True)
    until("a status", lambda: "reloaded" in show(s, "StatusText")[0])
    yield show(s, *STATE)
    yield stopped(s)
    yield log(s)


@scenario
def notify_child(s):
    unit(s, f"{PROGRAM} ready child-status", kind="notify")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def notify_all(s):
    unit(s, f"{PROGRAM} ready child-status", "NotifyAccess=all", kind="notify")
    ctl("start", s, check=True)
    wait_log(s, "up")
    until("a status", lambda: "child" in show(s, "StatusText")[0])
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def notify_never(s):
    unit(s, f"{PROGRAM} exit 0", kind="notify")
    yield ctl("start", s)[0]
    yield show(s, *STATE)


@scenario
def notify_late(s):
    unit(s, PROGRAM, "TimeoutStartSec=2", kind="notify")
    yield ctl("start", s)[0]
    yield show(s, *STATE)
    yield log(s)


@scenario
def forking(s):
    pid = f"/run/{s}.pid"
    unit(s, f"{PROGRAM} env daemon {pid}", f"PIDFile={pid}",
         "ExecReload=/bin/kill -HUP $MAINPID", kind="forking")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield show(s, *STATE)
    with open(pid) as f:
        yield show(s, "MainPID") == [f"MainPID={f.read().strip()}"]
    ctl("reload", s, check=True)
    wait_log(s, "signal HUP")
    ctl("restart", s, check=True)
    until("the second start", lambda: log(s).count("up\n") == 2)
    yield stopped(s)
    yield log(s)


@scenario
def forking_killed(s):
    pid = f"/run/{s}.pid"
    unit(s, f"{PROGRAM} daemon {pid}", f"PIDFile={pid}", "Restart=on-failure",
         kind="forking")
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("kill", "--kill-whom=main", "-s", "KILL", s, check=True)
    until("a restart", lambda: log(s).count("up\n") == 2)
    wait_state(s, "SubState", "running")
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def forking_notify(s):
    pid = f"/run/{s}.pid"
    unit(s, f"{PROGRAM} daemon {pid} child-status", f"PIDFile={pid}",
         "NotifyAccess=all", kind="forking")
    ctl("start", s, check=True)
    wait_log(s, "up")
    until("a status", lambda: "child" in show(s, "StatusText")[0])
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def watchdog(s):
    unit(s, f"{PROGRAM} env ready watchdog", "WatchdogSec=1", "Restart=no",
         kind="notify")
    ctl("start", s, check=True)
    wait_log(s, "up")
    time.sleep(2.2)
    yield show(s, *STATE)
    ctl("kill", "--kill-whom=main", "-s", "USR1", s, check=True)
    wait_state(s, "ActiveState", "failed")
    # whether there is a core is the process's affair
    yield show(s, "Result")
    yield log(s)


@scenario
def sockets(s):
    unit(s, f"{PROGRAM} env serve")
    write(f"{UNITS}/{s}.socket",
          f"[Socket]\nListenStream=/run/{s}.sock\n")
    ctl("daemon-reload", check=True)
    ctl("start", s + ".socket", check=True)
    yield show(s, *STATE)
    for text in (b"one", b"another"):
        with socket.socket(socket.AF_UNIX) as c:
            c.settimeout(20)
            c.connect(f"/run/{s}.sock")
            c.sendall(text)
            yield c.recv(100)
    yield show(s, *STATE)
    ctl("stop", s + ".socket", check=True)
    yield stopped(s)
    yield log(s)


@scenario
def dynamic_user(s):
    unit(s, f"{PROGRAM} env files", "DynamicUser=yes", "StateDirectory=%N",
         "NoNewPrivileges=yes", "PrivateTmp=yes", "ProtectSystem=strict",
         "ProtectHome=yes", "PrivateDevices=yes", "ProtectProc=invisible",
         "LimitNOFILE=700:4000")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield show(s, *STATE)
    yield stopped(s)
    yield log(s)


@scenario
def sandbox(s):
    unit(s, f"{PROGRAM} env files filtered", "PrivateTmp=yes",
         "ProtectSystem=full", "NoNewPrivileges=yes", "PrivateUsers=yes",
         "MemoryDenyWriteExecute=yes", "LockPersonality=yes",
         "RestrictAddressFamilies=AF_INET", "RestrictNamespaces=yes",
         "RestrictSUIDSGID=yes", "RestrictRealtime=yes",
         "ProtectKernelTunables=yes", "ProtectControlGroups=yes",
         "SystemCallArchitectures=native", "ProcSubset=pid",
         "SystemCallFilter=@system-service",
         "SystemCallFilter=~@privileged @resources",
         "SystemCallErrorNumber=EPERM", "User=nobody")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield show(s, *STATE)
    yield stopped(s)
    yield log(s)


@scenario
def denied_calls(s):
    unit(s, f"{PROGRAM} env filtered", "SystemCallFilter=~@debug @mount",
         "SystemCallErrorNumber=EPERM",
         "RestrictAddressFamilies=~AF_NETLINK AF_UNIX")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield show(s, *STATE)
    yield stopped(s)
    yield log(s)


@scenario
def filter_kills(s):
    unit(s, f"{PROGRAM} filtered", "SystemCallFilter=@system-service")
    ctl("start", s)
    wait_state(s, "ActiveState", "failed")
    yield show(s, *STATE)
    yield log(s)


@scenario
def changes_user(s):
    unit(s, f"{PROGRAM} user nobody files child",
         "CapabilityBoundingSet=CAP_SETUID CAP_SETGID", "NoNewPrivileges=yes")
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("kill", "--kill-whom=main", "-s", "HUP", s, check=True)
    wait_log(s, "signal HUP")
    yield show(s, *STATE)
    yield stopped(s)
    yield told(s)


@scenario
def few_descriptors(s):
    unit(s, PROGRAM, "LimitNOFILE=64", "TasksMax=3", "User=nobody")
    ctl("start", s, check=True)
    wait_log(s, "up")
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def exit_status(s):
    unit(s, f"{PROGRAM} exit 3")
    ctl("start", s)
    wait_state(s, "ActiveState", "failed")
    yield show(s, *STATE)


@scenario
def success_status(s):
    unit(s, f"{PROGRAM} exit 3", "SuccessExitStatus=3")
    ctl("start", s)
    wait_state(s, "ActiveState", "inactive")
    yield show(s, *STATE)


@scenario
def aborts(s):
    unit(s, f"{PROGRAM} abort")
    ctl("start", s)
    wait_state(s, "ActiveState", "failed")
    yield show(s, *STATE)


@scenario
def restarts(s):
    unit(s, f"{PROGRAM} exit 3", "Restart=on-failure", "RestartSec=100ms")
    ctl("start", s)
    until("restarts",
          lambda: int(show(s, "NRestarts")[0].split("=")[1]) >= 2)
    ctl("stop", s)
    yield show(s, "ActiveState")


@scenario
def killed(s):
    unit(s, PROGRAM, "Restart=on-failure")
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("kill", "-s", "KILL", s, check=True)
    until("a restart", lambda: log(s).count("up\n") == 2)
    wait_state(s, "SubState", "running")
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def template(s):
    s = "ipt-template@some-one"
    unit("ipt-template@", f"{PROGRAM} args %i %I", kind="exec")
    ctl("daemon-reload", check=True)
    ctl("start", s, check=True)
    until("up", lambda: "up\n" in log("ipt-template@"))
    yield show(s, *STATE)
    yield stopped(s)
    yield log("ipt-template@")


def lines_of(parts):
    out = []
    for part in parts:
        if isinstance(part, (list, tuple)):
            out += [str(x) for x in part]
        else:
            out += str(part).splitlines() or [""]
    return out


def compare(name, f):
    s = "ipt-" + name
    out = {}
    for how in ("native", "monitord"):
        real = "ipt-template@" if name == "template" else s
        remove(real)
        under = []
        # the unit is written by the scenario, the drop-in comes right after
        global unit
        plain_unit = unit

        def unit_under(n, *a, **kw):
            plain_unit(n, *a, **kw)
            put_under("ipt-template@some-one" if n == "ipt-template@" else n)
            under.append(n)

        if how == "monitord":
            unit = unit_under
        try:
            out[how] = []
            for part in f(s):
                out[how] += lines_of([part])
            if how == "monitord" and not under:
                raise Fail("it has not run under monitord")
        except Fail as e:
            raise Fail(f"{how}: {e}\n{journal(s)}") from None
        finally:
            unit = plain_unit
            if name == "template":
                run("monitord", "service", "--revert", "ipt-template@some-one")
                ctl("stop", "ipt-template@some-one")
            remove(real)
    if out["native"] != out["monitord"]:
        raise Fail("\n".join(difflib.unified_diff(
            out["native"], out["monitord"], "native", "monitord", lineterm="",
            n=2)))


# ---- packaged services --------------------------------------------------------

def http(port, path="/", headers=()):
    rc, out = run("curl", "-s", "-i", "-m", "20", *headers,
                  f"http://127.0.0.1:{port}{path}")
    drop = ("Date:", "Last-Modified:", "ETag:")
    return [str(rc)] + [x for x in out.splitlines() if not x.startswith(drop)]


def wait_http(port):
    until(f"port {port}", lambda: run("curl", "-s", "-o", "/dev/null",
                                      f"http://127.0.0.1:{port}/")[0] == 0)


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    except OSError:
        return False


def talk(port, text, until_text):
    with socket.create_connection(("127.0.0.1", port), 20) as c:
        c.settimeout(20)
        c.sendall(text)
        got = b""
        while until_text not in got:
            part = c.recv(65536)
            if not part:
                break
            got += part
        return got.decode(errors="replace").splitlines()


def drive_web(name, port):
    def drive():
        wait_http(port)
        yield http(port)
        yield http(port, "/nothing")
        yield http(port, "/big.bin", ("-r", "100-120", "-o", "/dev/null"))[0]
        for _ in range(20):
            yield http(port, "/")[1]
    return drive


def drive_redis():
    until("redis", lambda: run("redis-cli", "ping")[1].strip() == "PONG")
    for words in (("set", "a", "1"), ("incr", "a"), ("get", "a"),
                  ("lpush", "l", "x", "y"), ("lrange", "l", "0", "-1"),
                  ("config", "get", "maxclients"), ("save",)):
        yield run("redis-cli", *words)[1]
    yield run("redis-benchmark", "-q", "-n", "500", "-c", "5", "-t",
              "set,get")[0]
    yield run("redis-cli", "del", "a", "l")[1]


def drive_memcached():
    until("memcached", lambda: answers(11211))
    yield talk(11211, b"set k 0 0 5\r\nhello\r\nget k\r\n", b"END")
    yield talk(11211, b"get nothing\r\n", b"END")
    yield talk(11211, b"version\r\n", b"\n")


KEY = "/root/.ssh/id_ed25519"


def drive_ssh():
    ssh = ("ssh", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
           "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=30", "root@127.0.0.1")
    until("ssh", lambda: run(*ssh, "true")[0] == 0, 30)
    yield run(*ssh, "echo $USER; tty; exit 7")
    yield run(*ssh, "cat /etc/hostname")
    yield run("ssh", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
              "-o", "LogLevel=ERROR", "nobody@127.0.0.1", "true")[0]


PACKAGED = {
    "nginx": drive_web("nginx", 80),
    "lighttpd": drive_web("lighttpd", 8080),
    "redis-server": drive_redis,
    "memcached": drive_memcached,
    "ssh": drive_ssh,
}


def packaged_transcript(name, drive, monitored):
    out = []
    props = ("ActiveState", "SubState", "Result", "StatusText")
    ctl("restart", name, check=True)
    out += lines_of(drive())
    out += show(name, *props)
    if is_monitored(name) != monitored:
        raise Fail("monitord is not there" if monitored else
                   "monitord is still there")
    if show(name, "CanReload") == ["CanReload=yes"]:
        rc = ctl("reload", name)
        out.append(f"reload: {rc}")
        if name == "lighttpd":
            time.sleep(1)
        out += lines_of(drive())
    ctl("restart", name, check=True)
    out += lines_of(drive())
    out += show(name, *props)
    ctl("stop", name)
    out += show(name, *STATE)
    return out


def packaged(name):
    drive = PACKAGED[name]
    run("monitord", "service", "--revert", name)
    ctl("reset-failed", name)
    try:
        native = packaged_transcript(name, drive, False)
        put_under(name)
        monitored = packaged_transcript(name, drive, True)
        out = run("monitord", "service", "--revert", name, check=True)[1]
        if os.path.exists(f"{UNITS}/{name}.service.d"):
            raise Fail(f"something is left of the drop-in:\n{out}")
        ctl("restart", name, check=True)
        if is_monitored(name):
            raise Fail("monitord is still there after --revert")
        ctl("stop", name)
    except Fail as e:
        raise Fail(f"{e}\n{journal(name)}") from None
    finally:
        run("monitord", "service", "--revert", name)
        ctl("stop", name)
    if native != monitored:
        raise Fail("\n".join(difflib.unified_diff(
            native, monitored, "native", "monitord", lineterm="", n=2)))


# ---- what only monitord does ----------------------------------------------------

TESTS = {}


def test(f):
    TESTS[f.__name__.replace("_", "-")] = f
    return f


def records(name, since):
    """The divergences of a unit in the journal, as dictionaries."""
    run("journalctl", "--sync")
    out = run("journalctl", f"--since=@{since}", "-o", "json", "--all",
              "--no-pager", f"_SYSTEMD_UNIT={name}.service", f"MESSAGE_ID={MESSAGE_ID}")[1]
    return [json.loads(x) for x in out.splitlines() if x.startswith("{")]


def expect(fields, record):
    for key, want in fields.items():
        got = record.get(key)
        if got is None or not re.fullmatch(want, got, re.S):
            raise Fail(f"{key} is {got!r}, not {want!r}")


def expect_record(name, since, **fields):
    found = []

    def there():
        found[:] = records(name, since)
        return found
    until("a record in the journal", there)
    r = found[0]
    if len(found) != 1:
        raise Fail(f"{len(found)} records")
    expect({"MESSAGE": "divergence: .*", "IPMON_VARIANTS": "2",
            "IPMON_VARIANT": "[01]", "IPMON_POLICY": "verified",
            "IPMON_LAYOUT": "disjoint", "SYSLOG_IDENTIFIER": "monitord",
            "IPMON_PROGRAM": re.escape(PROGRAM), "IPMON_PID": "[0-9]+",
            "IPMON_TID": "[0-9]+", "IPMON_GUESS": ".+",
            **fields}, r)
    report = json.loads(r["IPMON_REPORT_JSON"])
    if report["kind"] != r["IPMON_KIND"]:
        raise Fail(f"the report is of kind {report['kind']}")
    return r


@test
def divergence_simple():
    s = "ipt-divergence"
    remove(s)
    unit(s, f"{PROGRAM} leak")
    put_under(s)
    since = time.time() - 1
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("kill", "--kill-whom=main", "-s", "USR2", s, check=True)
    wait_state(s, "ActiveState", "failed")
    got = show(s, "Result", "ExecMainCode", "ExecMainStatus")
    if got != ["Result=exit-code", "ExecMainCode=1", "ExecMainStatus=99"]:
        raise Fail(f"the unit has {got}")
    if "0x" in log(s):
        raise Fail(f"the address got out:\n{log(s)}")
    expect_record(s, since, IPMON_KIND="payload", IPMON_SYSCALL="write",
                  IPMON_ACTION="kill", PRIORITY="2")
    # the text of the report is there for people, too
    text = journal(s, 200)
    if "divergence: payload: write" not in text or "what it may" not in text:
        raise Fail(f"no report in the journal:\n{text}")
    catalog = run("journalctl", "-x", "-n", "5", "--no-pager",
                  f"MESSAGE_ID={MESSAGE_ID}")[1]
    if "monitord report" not in catalog:
        raise Fail(f"the catalogue does not explain it:\n{catalog}")
    remove(s)


@test
def divergence_restarts():
    s = "ipt-divrestart"
    remove(s)
    unit(s, f"{PROGRAM} leak", "Restart=on-failure")
    put_under(s)
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("kill", "--kill-whom=main", "-s", "USR2", s, check=True)
    until("a restart", lambda: log(s).count("up\n") == 2)
    write(f"{UNITS}/{s}.service.d/60-stay.conf",
          "[Service]\nRestartPreventExitStatus=99\n")
    ctl("daemon-reload", check=True)
    ctl("kill", "--kill-whom=main", "-s", "USR2", s, check=True)
    wait_state(s, "ActiveState", "failed")
    remove(s)


@test
def divergence_forking():
    s = "ipt-divforking"
    pid = f"/run/{s}.pid"
    remove(s)
    unit(s, f"{PROGRAM} daemon {pid} leak", f"PIDFile={pid}", kind="forking")
    put_under(s)
    since = time.time() - 1
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("kill", "--kill-whom=main", "-s", "USR2", s, check=True)
    wait_state(s, "ActiveState", "failed")
    if show(s, "Result") != ["Result=signal"]:
        raise Fail(f"the unit has {show(s, *STATE)}")
    expect_record(s, since, IPMON_KIND="payload", IPMON_SYSCALL="write")
    if "what it may" not in journal(s, 200):
        raise Fail(f"no report in the journal:\n{journal(s, 200)}")
    remove(s)


@test
def monitor_killed():
    """The death of the monitor ends the program and fails the unit."""
    s = "ipt-monkilled"
    remove(s)
    unit(s, PROGRAM)
    put_under(s)
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("kill", "--kill-whom=main", "-s", "KILL", s, check=True)
    wait_state(s, "ActiveState", "failed")
    if show(s, "Result") != ["Result=signal"]:
        raise Fail(f"the unit has {show(s, *STATE)}")
    until("the end of all", lambda: not processes(s))
    remove(s)


@test
def configuration():
    s = "ipt-config"
    remove(s)
    write("/etc/ipmon/ipt.conf", "[Run]\nVariants=3\nPolicy=strict\n")
    unit(s, f"{PROGRAM} leak", "TasksMax=10")
    out = run("monitord", "service", "--config", "ipt", s, check=True)[1]
    if "3 variants" not in out or "TasksMax=34" not in out:
        raise Fail(out)
    since = time.time() - 1
    ctl("start", s, check=True)
    wait_log(s, "up")
    ctl("kill", "--kill-whom=main", "-s", "USR2", s, check=True)
    wait_state(s, "ActiveState", "failed")
    expect_record(s, since, IPMON_KIND="payload", IPMON_POLICY="strict",
                  IPMON_VARIANTS="3", IPMON_VARIANT="[012]")
    rc, out = run("monitord", "service", "--config", "no-such", s)
    if rc != 125 or "no-such" not in out:
        raise Fail(f"{rc}: {out}")
    os.unlink("/etc/ipmon/ipt.conf")
    remove(s)


@test
def drop_in():
    """Idempotent; --dry-run and --revert do what they say; errors."""
    s = "ipt-dropin"
    remove(s)
    unit(s, f"{PROGRAM} args 'a b'")
    path = f"{UNITS}/{s}.service.d/50-ipmon.conf"
    dry = run("monitord", "service", "--dry-run", s, check=True)[1]
    if os.path.exists(path):
        raise Fail("--dry-run has written something")
    first = run("monitord", "service", s, check=True)[1]
    with open(path) as f:
        text = f.read()
    if "wrote " + path not in first or text not in dry:
        raise Fail(f"{first}\n{dry}\n{text}")
    if f"ExecStart=\nExecStart={shutil.which('monitord')} run -- {PROGRAM} " \
       "args 'a b'\n" not in text:
        raise Fail(text)
    again = run("monitord", "service", s, check=True)[1]
    with open(path) as f:
        if f.read() != text or "up to date" not in again:
            raise Fail(again)
    run("monitord", "service", "-n", "3", s, check=True)
    with open(path) as f:
        if "run -n 3 -- " not in f.read():
            raise Fail("-n 3 is not in the drop-in")
    # another drop-in next to it stays
    other = f"{UNITS}/{s}.service.d/99-other.conf"
    write(other, "[Service]\nNice=1\n")
    out = run("monitord", "service", "--revert", s, check=True)[1]
    if os.path.exists(path) or not os.path.exists(other) or \
       "removed " + path not in out:
        raise Fail(out)
    out = run("monitord", "service", "--revert", s, check=True)[1]
    if "nothing to do" not in out:
        raise Fail(out)
    write(path, "[Service]\n# by hand\n")
    for argv in (["service", s], ["service", "--revert", s]):
        rc, out = run("monitord", *argv)
        if rc != 125 or "not written by monitord" not in out:
            raise Fail(f"{rc}: {out}")
    os.unlink(path)
    write(f"{UNITS}/{s}.service", "[Service]\nExecStart=/usr/bin/monitord run "
          "-- /bin/true\n")
    write(f"{UNITS}/ipt-none.service", "[Service]\nType=oneshot\n"
          "ExecStop=/bin/true\n")
    ctl("daemon-reload", check=True)
    ctl("mask", "ipt-masked.service")
    for argv, words in (
            (["ipt-nope"], "there is no unit ipt-nope.service"),
            (["ssh.socket"], "is not a service"),
            (["ipt-masked"], "is masked"),
            (["ipt-none"], "has no ExecStart="),
            ([s], "runs under monitord already"),
            (["-n", "9", "nginx"], "must be a number from 1 to 8"),
            (["--policy", "lax", "nginx"], "must be strict"),
            ([], "no service given"), (["a", "b"], "one service at a time")):
        rc, out = run("monitord", "service", *argv)
        if rc != 125 or words not in out:
            raise Fail(f"{argv}: {rc}: {out}")
    ctl("unmask", "ipt-masked.service")
    os.unlink(f"{UNITS}/ipt-none.service")
    # an alias: the drop-in goes to the unit itself
    out = run("monitord", "service", "--dry-run", "sshd", check=True)[1]
    if f"{UNITS}/ssh.service.d/" not in out:
        raise Fail(out)
    rc, out = run("setpriv", "--reuid=nobody", "--clear-groups", "monitord",
                  "service", "nginx")
    if rc != 125 or "root" not in out:
        raise Fail(f"{rc}: {out}")
    remove(s)


@test
def not_for_the_program():
    """What the monitor needs beyond the unit's bounds is kept from it."""
    s = "ipt-withhold"
    remove(s)
    unit(s, f"{PROGRAM} files", "CapabilityBoundingSet=CAP_SETUID")
    put_under(s)
    ctl("start", s, check=True)
    wait_log(s, "up")
    if "CapBnd:\t0000000000000080" not in log(s) or \
       "CapEff:\t0000000000000080" not in log(s):
        raise Fail(log(s))
    remove(s)


def attempt(name, f):
    begin = time.monotonic()
    try:
        f()
        text = f"PASS {name} ({time.monotonic() - begin:.1f} s)"
    except Exception as e:
        kind = "" if isinstance(e, Fail) else f"{type(e).__name__}: "
        text = f"FAIL {name}\n" + "\n".join(
            "     " + x for x in (kind + str(e)).splitlines()[:60])
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
    # each in a process of its own, some at a time: most of it is waiting
    running = {}
    while chosen or running:
        while chosen and len(running) < JOBS:
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

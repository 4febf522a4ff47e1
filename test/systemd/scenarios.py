# SPDX-License-Identifier: Apache-2.0
"""Scenarios with a service of our own (unitd.c), natively and under monitord.

A scenario sets a unit up, does something to it, and yields what an administrator
or client would see.  compare() runs it twice; inside.py has the theory.
"""
import difflib
import os
import socket
import time

from units import (Fail, PROGRAM, STATE, UNITS, ctl, journal, lines_of, log,
                   put_under, remove, run, show, signal_main, start, stopped, unit,
                   until, wait_log, wait_state, write)

SCENARIOS = {}


def scenario(f):
    SCENARIOS[f.__name__.replace("_", "-")] = f
    return f


def told(s):
    """What it has said. A child that is still there when the main process has
    ended gets a second SIGTERM from systemd: that it got one is enough."""
    lines = log(s).splitlines()
    mine = [x for x in lines if not x.startswith("child: ")]
    return mine + sorted(set(lines) - set(mine))


@scenario
def simple(s):
    unit(s, f"{PROGRAM} env child", "ExecReload=/bin/kill -HUP $MAINPID")
    start(s)
    yield show(s, *STATE)
    ctl("reload", s, check=True)
    wait_log(s, "signal HUP")
    signal_main(s, "USR1")
    wait_log(s, "signal USR1")
    # SIGTERM to every process of the unit: each of them sees it once
    yield stopped(s)
    yield told(s)


@scenario
def simple_mixed(s):
    unit(s, f"{PROGRAM} child", "KillMode=mixed")
    start(s)
    yield stopped(s)
    yield told(s)


@scenario
def simple_process(s):
    unit(s, f"{PROGRAM}", "KillMode=process", kind="exec")
    start(s)
    ctl("restart", s, check=True)
    until("the second start", lambda: log(s).count("up\n") == 2)
    yield stopped(s)
    yield log(s)


@scenario
def no_handlers(s):
    unit(s, f"{PROGRAM} plain")
    start(s)
    yield stopped(s)


@scenario
def arguments(s):
    # no variables (":"), a name of its own ("@"), continued lines
    unit(s, f"-:@{PROGRAM} \"own name\" args %N \\\n# a comment in between\n"
            "   '%n two  words' $LIST \"q\\\"uote\" back\\\\slash \\\n  end",
         "Environment=LIST='a b'", "User=daemon", kind="exec")
    start(s)
    yield log(s)
    yield stopped(s)


@scenario
def variables(s):
    unit(s, f"{PROGRAM} args %N '%n two  words' $LIST ${{ONE}}x \"q\\\"uote\" "
            "back\\\\slash $$HOME '${LIST}'",
         "Environment=LIST='a b' \"ONE=1 2\"", kind="exec")
    start(s)
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
    start(s)
    until("a status", lambda: "main" in show(s, "StatusText")[0])
    yield show(s, *STATE)
    signal_main(s, "HUP")
    until("a status", lambda: "reloaded" in show(s, "StatusText")[0])
    yield show(s, *STATE)
    yield stopped(s)
    yield log(s)


@scenario
def notify_child(s):
    unit(s, f"{PROGRAM} ready child-status", kind="notify")
    start(s)
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def notify_all(s):
    unit(s, f"{PROGRAM} ready child-status", "NotifyAccess=all", kind="notify")
    start(s)
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
    start(s)
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
    start(s)
    signal_main(s, "KILL")
    until("a restart", lambda: log(s).count("up\n") == 2)
    wait_state(s, "SubState", "running")
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def pid_file(s):
    """A service in the foreground that also writes its pid: systemd reads the file
    after a reload, and removes it in the end."""
    pid = f"/run/{s}.pid"
    unit(s, f"{PROGRAM} pidfile {pid}", f"PIDFile={pid}", "TimeoutStopSec=30",
         "ExecReload=/bin/kill -HUP $MAINPID")
    for how in ("KILL", "stop"):
        ctl("start", s, check=True)
        until("the start", lambda: log(s).endswith("up\n"))
        ctl("reload", s, check=True)
        until("the signal", lambda: log(s).endswith("signal HUP\n"))
        yield show(s, *STATE)
        if how == "KILL":
            signal_main(s, how)
            wait_state(s, "ActiveState", "failed")
            yield show(s, *STATE)
        else:
            yield stopped(s)
        yield os.path.exists(pid)
    yield log(s)


@scenario
def forking_notify(s):
    pid = f"/run/{s}.pid"
    unit(s, f"{PROGRAM} daemon {pid} child-status", f"PIDFile={pid}",
         "NotifyAccess=all", kind="forking")
    start(s)
    until("a status", lambda: "child" in show(s, "StatusText")[0])
    yield show(s, *STATE)
    yield stopped(s)


@scenario
def watchdog(s):
    unit(s, f"{PROGRAM} env ready watchdog", "WatchdogSec=1", "Restart=no",
         kind="notify")
    start(s)
    time.sleep(2.2)
    yield show(s, *STATE)
    signal_main(s, "USR1")
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
    start(s)
    yield show(s, *STATE)
    yield stopped(s)
    yield log(s)


@scenario
def sandbox(s):
    unit(s, f"{PROGRAM} env files filtered", "PrivateTmp=yes",
         "RuntimeDirectory=%N %N-two",
         "ProtectSystem=full", "NoNewPrivileges=yes", "PrivateUsers=yes",
         "MemoryDenyWriteExecute=yes", "LockPersonality=yes",
         "RestrictAddressFamilies=AF_INET", "RestrictNamespaces=yes",
         "RestrictSUIDSGID=yes", "RestrictRealtime=yes",
         "ProtectKernelTunables=yes", "ProtectControlGroups=yes",
         "SystemCallArchitectures=native", "ProcSubset=pid",
         "SystemCallFilter=@system-service",
         "SystemCallFilter=~@privileged @resources",
         "SystemCallErrorNumber=EPERM", "User=nobody")
    start(s)
    yield show(s, *STATE)
    yield stopped(s)
    yield log(s)


@scenario
def denied_calls(s):
    unit(s, f"{PROGRAM} env filtered", "SystemCallFilter=~@debug @mount",
         "SystemCallErrorNumber=EPERM",
         "RestrictAddressFamilies=~AF_NETLINK AF_UNIX")
    start(s)
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
    start(s)
    signal_main(s, "HUP")
    wait_log(s, "signal HUP")
    yield show(s, *STATE)
    yield stopped(s)
    yield told(s)


@scenario
def few_descriptors(s):
    unit(s, PROGRAM, "LimitNOFILE=64", "TasksMax=3", "User=nobody")
    start(s)
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
    unit(s, f"{PROGRAM} exit 3", "Restart=on-failure", "RestartSec=3s")
    ctl("start", s)
    until("restarts",
          lambda: int(show(s, "NRestarts")[0].split("=")[1]) >= 2)
    # a unit that is stopped while it runs has failed with its exit status
    wait_state(s, "SubState", "auto-restart")
    ctl("stop", s)
    yield show(s, "ActiveState")


@scenario
def killed(s):
    unit(s, PROGRAM, "Restart=on-failure")
    start(s)
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

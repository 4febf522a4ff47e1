# SPDX-License-Identifier: Apache-2.0
"""What only monitord does: divergences, the drop-in itself, ps, its own unit."""
import json
import os
import re
import shutil
import time

from units import (Fail, LOGS, MESSAGE_ID, PROGRAM, STATE, UNITS, ctl, diverge,
                   is_monitored, journal, log, processes, put_under, remove, run, show,
                   signal_main, start, stopped, unit, until, wait_log, wait_state,
                   write)

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
    start(s)
    diverge(s)
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
    start(s)
    signal_main(s, "USR2")
    until("a restart", lambda: log(s).count("up\n") == 2)
    write(f"{UNITS}/{s}.service.d/60-stay.conf",
          "[Service]\nRestartPreventExitStatus=99\n")
    ctl("daemon-reload", check=True)
    diverge(s)
    remove(s)


@test
def divergence_forking():
    s = "ipt-divforking"
    pid = f"/run/{s}.pid"
    remove(s)
    unit(s, f"{PROGRAM} daemon {pid} leak", f"PIDFile={pid}", kind="forking")
    put_under(s)
    since = time.time() - 1
    start(s)
    diverge(s)
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
    start(s)
    signal_main(s, "KILL")
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
    start(s)
    diverge(s)
    expect_record(s, since, IPMON_KIND="payload", IPMON_POLICY="strict",
                  IPMON_VARIANTS="3", IPMON_VARIANT="[012]")
    rc, out = run("monitord", "service", "--config", "no-such", s)
    if rc != 125 or "no-such" not in out:
        raise Fail(f"{rc}: {out}")
    os.unlink("/etc/ipmon/ipt.conf")
    # its own name needs no option
    for name, expected in ((s, "4 variants"), ("ipt-other", "2 variants")):
        write(f"/etc/ipmon/{name}.conf", "[Run]\nVariants=4\n")
        out = run("monitord", "service", s, check=True)[1]
        os.unlink(f"/etc/ipmon/{name}.conf")
        if expected not in out or (name == s) != \
                (f"settings: /etc/ipmon/{s}.conf\n" in out):
            raise Fail(out)
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
    # a file is named as the service will find it
    write(f"/run/{s}.conf", "[Run]\nVariants=2\n")
    out = run("sh", "-c", f"cd /run && monitord service --dry-run --config ./{s}.conf {s}",
              check=True)[1]
    if f"run --config /run/{s}.conf -- " not in out:
        raise Fail(out)
    os.unlink(f"/run/{s}.conf")
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
    start(s)
    if "CapBnd:\t0000000000000080" not in log(s) or \
       "CapEff:\t0000000000000080" not in log(s):
        raise Fail(log(s))
    remove(s)


def ps(unit_name):
    """The one run that root sees of this unit."""
    found = []

    def there():
        runs = json.loads(run("monitord", "ps", "--json", check=True)[1])
        found[:] = [x for x in runs if
                    x["control"].startswith(f"/run/ipmon/{unit_name}/")]
        return found
    until(f"ps to list {unit_name}:\n{run('monitord', 'ps')[1]}", there)
    if len(found) != 1:
        raise Fail(f"{len(found)} runs of {unit_name}")
    return found[0]


@test
def seen_by_root():
    """ps finds services of other users and those that may not write to /run,
    and they do not find that in their environment."""
    for s, *settings in (
            ("ipt-seen-user", "User=nobody", "PrivateTmp=yes",
             "RuntimeDirectoryMode=0777"),
            ("ipt-seen-dynamic", "DynamicUser=yes", "RuntimeDirectory=%N"),
            ("ipt-seen-strict", "ProtectSystem=strict", "RuntimeDirectory=%N",
             "RuntimeDirectoryMode=0700")):
        remove(s)
        unit(s, f"{PROGRAM} env", *settings)
        out = put_under(s)
        if "RuntimeDirectory=ipmon/%N" not in out:
            raise Fail(f"{s}: {out}")
        start(s)
        own = f"/run/{s}" if "RuntimeDirectory=%N" in settings else "-"
        if f"RUNTIME_DIRECTORY {own}\n" not in log(s):
            raise Fail(log(s))
        r = ps(s)
        if r["n"] != 2 or (r["uid"] == 0) != (s == "ipt-seen-strict"):
            raise Fail(f"{s}: {r['n']} variants of user {r['uid']}")
        if "unitd" not in run("monitord", "top", "--once", str(r["pid"]),
                            check=True)[1]:
            raise Fail("top does not show it")
        ctl("stop", s, check=True)
        if os.path.exists(f"/run/ipmon/{s}"):
            raise Fail(f"/run/ipmon/{s} is still there")
        remove(s)
    # its commands mean the unit's own directory: it stays the only one
    s = "ipt-seen-not"
    remove(s)
    unit(s, f"{PROGRAM} args ${{RUNTIME_DIRECTORY}}", "User=nobody",
         "RuntimeDirectory=%N", kind="exec")
    out = put_under(s)
    if "RuntimeDirectory=ipmon" in out or "Control=" not in out:
        raise Fail(out)
    start(s)
    if f"argument [/run/{s}]\n" not in log(s):
        raise Fail(log(s))
    remove(s)


@test
def reports_of_a_strict_unit():
    """ReportDirectory= works under ProtectSystem=strict, and says what it takes."""
    s = "ipt-strict"
    remove(s)
    shutil.rmtree("/var/log/ipt-reports", ignore_errors=True)
    os.mkdir("/var/log/ipt-reports", 0o755)
    write(f"/etc/ipmon/{s}.conf", "[Run]\nReportDirectory=/var/log/ipt-reports\n")
    unit(s, f"{PROGRAM} leak", "ProtectSystem=strict")
    out = put_under(s, "--config", s)
    if "ReadWritePaths=-/var/log/ipt-reports" not in out:
        raise Fail(out)
    start(s)
    diverge(s)
    files = os.listdir("/var/log/ipt-reports")
    if len(files) != 1:
        raise Fail(f"reports: {files}\n{journal(s)}")
    path = f"/var/log/ipt-reports/{files[0]}"
    if os.stat(path).st_mode & 0o077:
        raise Fail(f"others may read the report: {os.stat(path).st_mode:o}")
    run("monitord", "report", path, check=True)
    os.unlink(f"/etc/ipmon/{s}.conf")
    remove(s)


@test
def own_unit():
    """monitord@NAME.service runs what /etc/ipmon/NAME.conf says."""
    s, name = "monitord@ipt-own", "ipt-own"
    reports = f"/var/log/{name}"
    shutil.rmtree(reports, ignore_errors=True)
    write(f"/etc/ipmon/{name}.conf",
          f"[Run]\nProgram={PROGRAM} env leak\nReportDirectory={reports}\n")
    # only where the output goes is ours
    write(f"{UNITS}/{s}.service.d/log.conf",
          f"[Service]\nStandardOutput=append:{LOGS}/{s}.log\n"
          "StandardError=journal\nLimitCORE=0\n")
    ctl("daemon-reload", check=True)
    run("monitord", "check-config", name, check=True)
    try:
        ctl("enable", "--now", s, check=True)
        wait_log(s, "up")
        if not is_monitored(s) or ps(s)["n"] != 2:
            raise Fail(f"{processes(s)}")
        if "RUNTIME_DIRECTORY -\n" not in log(s):
            raise Fail(log(s))
        ctl("reload", s, check=True)
        wait_log(s, "signal HUP")
        # ended by force: it comes back
        signal_main(s, "KILL")
        until("the second start", lambda: log(s).count("up\n") == 2)
        wait_state(s, "SubState", "running")
        if stopped(s)[:3] != ["ActiveState=inactive", "SubState=dead",
                              "Result=success"]:
            raise Fail(f"stopped: {show(s, *STATE)}")
        # ended by a divergence: it does not
        since = time.time() - 1
        ctl("start", s, check=True)
        until("the third start", lambda: log(s).count("up\n") == 3)
        diverge(s)
        got = show(s, "Result", "ExecMainStatus", "NRestarts")
        if got != ["Result=exit-code", "ExecMainStatus=99", "NRestarts=0"]:
            raise Fail(f"after a divergence: {got}")
        r = expect_record(s, since, IPMON_KIND="payload",
                          IPMON_REPORT=f"{reports}/unitd-.*[.]json")
        out = run("monitord", "report", r["IPMON_REPORT"], check=True)[1]
        if "divergence: payload: write" not in out:
            raise Fail(out)
        # a configuration that is wrong starts nothing, and is not tried again
        ctl("reset-failed", s, check=True)
        write(f"/etc/ipmon/{name}.conf", "[Run]\nPolcy=strict\n")
        ctl("start", s)
        wait_state(s, "ActiveState", "failed")
        got = show(s, "Result", "ExecMainStatus", "NRestarts")
        if got != ["Result=exit-code", "ExecMainStatus=125", "NRestarts=0"] or \
           "did you mean Policy?" not in journal(s, 50):
            raise Fail(f"wrong configuration: {got}\n{journal(s, 50)}")
    finally:
        ctl("disable", "--now", s)
        ctl("reset-failed", s)
        shutil.rmtree(f"{UNITS}/{s}.service.d", ignore_errors=True)
        os.unlink(f"/etc/ipmon/{name}.conf")
        ctl("daemon-reload")

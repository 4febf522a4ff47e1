# SPDX-License-Identifier: Apache-2.0
"""Units of systemd's: what all tests in the container need."""
import os
import shutil
import subprocess
import time

UNITS = "/etc/systemd/system"
LOGS = "/run/ipmon-test"
PROGRAM = "/opt/ipmon-test/unitd"
MESSAGE_ID = "6f64c0c26b794b5fbdd0e49d1d6c0f98"
N = ["-n", "2"]


class Fail(Exception):
    pass


# what took longer than LATE_AFTER seconds, and what all processes did then: for
# the report of a test that fails
LATE = []
LATE_AFTER = 15


def proc(pid, name):
    try:
        with open(f"/proc/{pid}/{name}") as f:
            return f.read().replace("\0", " ").strip()
    except OSError:
        return "?"


def situation():
    out = []
    for pid in sorted(int(x) for x in os.listdir("/proc") if x.isdigit()):
        command = proc(pid, "cmdline")
        if not command or "python" in command or "/systemd" in command:
            continue
        stat = proc(pid, "stat").rsplit(")", 1)[-1].split() + ["?"] * 13
        call = proc(pid, "syscall").split()[0]
        out.append(f"  {pid} (parent {stat[1]}) {stat[0]}, {stat[11]} + {stat[12]} ticks, "
                   f"call {call}, {proc(pid, 'wchan')}: {command[:60]}")
    return "\n".join(out)


# longer than the time after which systemd kills what does not stop (90 s)
def run(*argv, check=False, timeout=150):
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as p:
        try:
            out = p.communicate(timeout=LATE_AFTER)[0]
        except subprocess.TimeoutExpired:
            LATE.append(f"{' '.join(argv)}, after {LATE_AFTER} s:\n{situation()}")
            try:
                out = p.communicate(timeout=timeout - LATE_AFTER)[0]
            except subprocess.TimeoutExpired:
                p.kill()
                raise Fail(f"{' '.join(argv)}: not over after {timeout} s") from None
    out = out.decode(errors="replace")
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


def start(name):
    """A test service, and until it says that it is up."""
    ctl("start", name, check=True)
    wait_log(name, "up")


def signal_main(name, signal):
    ctl("kill", "--kill-whom=main", "-s", signal, name, check=True)


def diverge(name):
    """A service with `leak`: the address it is asked to write ends it."""
    signal_main(name, "USR2")
    wait_state(name, "ActiveState", "failed")


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


def stopped(name):
    ctl("stop", name)
    return show(name, *STATE)


def lines_of(parts):
    out = []
    for part in parts:
        if isinstance(part, (list, tuple)):
            out += [str(x) for x in part]
        else:
            out += str(part).splitlines() or [""]
    return out

# SPDX-License-Identifier: Apache-2.0
"""What every part of the harness needs: messages, the build, tools, ports.

Progress goes to stderr, results to stdout.  Nothing is installed unless
--install was given; a tool that is missing is a reason to skip or to stop,
with the name of the package that has it.
"""
import os
import shutil
import signal
import socket
import subprocess
import sys

LIB = os.path.dirname(os.path.abspath(__file__))
HERE = os.path.dirname(LIB)
ROOT = os.path.dirname(HERE)
OUT = os.path.join(HERE, "out")
PATIENCE = 60  # seconds until something that should answer counts as hung

# command: Debian package
PACKAGES = {
    "wrk": "wrk", "ab": "apache2-utils", "redis-benchmark": "redis-tools",
    "redis-server": "redis-server", "memcached": "memcached",
    "lighttpd": "lighttpd", "haproxy": "haproxy", "nginx": "nginx-light",
    "openssl": "openssl", "gnuplot": "gnuplot-nox", "perf": "linux-perf",
    "ip": "iproute2",
}


class Failure(RuntimeError):
    """Something the person at the keyboard should read; no backtrace."""


class Skip(Failure):
    """Cannot be measured here; the reason."""


def note(text):
    if sys.stderr.isatty():
        text = "\r\033[K" + text
    print(text, file=sys.stderr, flush=True)


def progress(text):
    """Like note(), but replaced by what follows if stderr is a terminal."""
    if sys.stderr.isatty():
        print("\r\033[K" + text[:shutil.get_terminal_size().columns - 1],
              end="", file=sys.stderr, flush=True)
    else:
        print(text, file=sys.stderr, flush=True)


def output_of(*argv, timeout=20):
    """stdout of a command that succeeded, else ''."""
    try:
        return subprocess.run(argv, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, cwd=ROOT,
                              check=True, timeout=timeout).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def tool(name):
    """Its path; Skip if it is not there."""
    path = shutil.which(name, path=os.environ.get("PATH", "") +
                        ":/usr/local/sbin:/usr/sbin:/sbin")
    if not path:
        raise Skip(f"{name} is not there (Debian package "
                   f"{PACKAGES.get(name, name)}; --install installs it)")
    return path


def have(name):
    try:
        return tool(name)
    except Skip:
        return None


def install(names):
    """Install the packages of the commands that are missing, as root."""
    packages = sorted({PACKAGES[n] for n in names if not have(n)})
    if not packages:
        return
    sudo = [] if os.getuid() == 0 else ["sudo"]
    # no daemon may start because its package arrives
    guard = "/usr/sbin/policy-rc.d"
    guarded = not os.path.exists(guard)
    note(f"installing: {' '.join(packages)}")
    if guarded:
        quietly(*sudo, "sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{guard}"
                f" && chmod 755 {guard}")
    try:
        quietly(*sudo, "apt-get", "update")
        quietly(*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get",
                "install", "-y", "--no-install-recommends", *packages)
    finally:
        if guarded:
            quietly(*sudo, "rm", "-f", guard)


def quietly(*argv):
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, check=False)
    if r.returncode:
        raise Failure(f"{' '.join(argv)} failed:\n{r.stdout[-4000:]}")


class Build:
    """Where the programs are; made if there is nothing."""

    PROGRAMS = ("monitord/monitord", "libipmon/libipmon.so",
                "libipmon/libipmon-compat.so", "bench/syscall_loop",
                "bench/rendezvous_floor", "bench/memload", "bench/transfer")

    def __init__(self, build=True):
        self.dir = self.find()
        if build:
            if not os.path.exists(os.path.join(self.dir, "build.ninja")):
                note(f"configuring {self.dir}")
                quietly("meson", "setup", self.dir, ROOT)
            progress(f"building in {self.dir}")
            quietly("ninja", "-C", self.dir, *self.PROGRAMS)
        missing = [p for p in self.PROGRAMS
                   if not os.path.exists(os.path.join(self.dir, p))]
        if missing:
            raise Failure(f"not built: {' '.join(missing)} in {self.dir}")
        self.monitord = self.path("monitord/monitord")
        try:
            self.help = subprocess.run(
                [self.monitord, "run", "--help"], capture_output=True,
                text=True, check=False, timeout=PATIENCE)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise Failure(f"{self.monitord}: {e}") from None
        self.help = self.help.stdout + self.help.stderr

    @staticmethod
    def find():
        if os.environ.get("BUILD"):
            return os.path.abspath(os.environ["BUILD"])
        for d in ("build", "build-test/main"):  # the latter is test/run's
            if os.path.exists(os.path.join(ROOT, d, "build.ninja")):
                return os.path.join(ROOT, d)
        return os.path.join(ROOT, "build")

    def path(self, name):
        return os.path.join(self.dir, name)


class Ports:
    """Free TCP ports, of a range if one is given ("A-B")."""

    def __init__(self, given=None):
        self.range = None
        self.used = set()
        if given:
            low, _, high = given.partition("-")
            self.range = range(int(low), int(high or low) + 1)

    def take(self):
        for port in self.range or [0] * 100:
            if port and port in self.used:
                continue
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    continue
                port = s.getsockname()[1]
            if port not in self.used:
                self.used.add(port)
                return port
        raise Failure("no free port")


def end_by_exception():
    """SIGTERM and SIGHUP unwind like an exception, so that clean-up runs."""
    def stop(sig, _):
        sys.exit(128 + sig)
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, stop)

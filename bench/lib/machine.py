# SPDX-License-Identifier: Apache-2.0
"""What a result was measured on, and how quiet it was there."""
import glob
import os
import platform
import time

from base import output_of


def first(path, key, sep=":"):
    """What follows `key` in the first line that begins with it."""
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                if line.startswith(key):
                    return line.split(sep, 1)[1].strip().strip('"')
    except OSError:
        pass
    return ""


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            return f.read().strip()
    except OSError:
        return ""


def mitigations():
    """What the kernel does about each weakness that this processor has."""
    found = {}
    for path in sorted(glob.glob("/sys/devices/system/cpu/vulnerabilities/*")):
        text = read(path)
        if text and text != "Not affected":
            found[os.path.basename(path)] = text
    return found


def describe():
    cpus = sorted(os.sched_getaffinity(0))
    return {
        "cpu": first("/proc/cpuinfo", "model name"),
        "cpus": len(cpus),
        "virtual": "hypervisor" in first("/proc/cpuinfo", "flags").split(),
        "governor": read(f"/sys/devices/system/cpu/cpu{cpus[0]}/cpufreq/"
                         "scaling_governor"),
        "memory": first("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "system": first("/etc/os-release", "PRETTY_NAME=", "="),
        "mitigations": mitigations(),
        "commit": output_of("git", "describe", "--always", "--dirty"),
    }


def cpu_ticks():
    """(busy, idle, stolen) of all CPUs together."""
    v = [int(x) for x in first("/proc/stat", "cpu ", " ").split()]
    return v[0] + v[1] + v[2] + v[5] + v[6], v[3] + v[4], v[7]


def noise():
    """How busy is the machine without us, and how much do the times of one
    and the same piece of arithmetic differ?"""
    def work():
        t = time.perf_counter_ns()
        sum(range(200_000))
        return time.perf_counter_ns() - t

    before = cpu_ticks()
    time.sleep(0.5)
    busy, idle, _ = (b - a for a, b in zip(before, cpu_ticks()))
    work()
    before = cpu_ticks()
    t = sorted(work() for _ in range(60))
    stolen = cpu_ticks()[2] - before[2]
    return {
        "load": os.getloadavg()[0],
        "others_busy": busy / max(busy + idle, 1),
        "loop_ns": t[30],
        "slow_tenth": t[54] / t[30] - 1,  # the slowest tenth against the median
        "steal_ticks": stolen,
        "quiet": busy / max(busy + idle, 1) < 0.1 and t[54] / t[30] < 1.1,
    }


def noise_line(when, n):
    verdict = "quiet" if n["quiet"] else "NOISY: do not trust small differences"
    return (f"noise {when}: load {n['load']:.2f}, others use "
            f"{n['others_busy'] * 100:.0f} % of the CPUs, slowest tenth of a "
            f"fixed loop +{n['slow_tenth'] * 100:.0f} %: {verdict}")


def line(m):
    return (f"machine: {m['cpu']}, {m['cpus']} CPUs"
            f"{' (virtual)' if m['virtual'] else ''}, Linux {m['kernel']}, "
            f"{m['system']}; ipmon {m['commit']}")

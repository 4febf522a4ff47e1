# SPDX-License-Identifier: Apache-2.0
"""Processes seen through /proc: who is who under monitord, CPU time, switches.

Roles: "server" is a native program; under monitord "monitord" is the front
process and the tracer, "leader" what talks to the world, "follower 1" and so
on the others.  A follower is known by its descriptor 1000, the channel to
monitord: one socket per variant, inherited by all of the variant's processes.
"""
import os

CHANNEL = 1000
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def read_proc(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8",
                  errors="replace") as f:
            return f.read()
    except OSError:
        return ""


def status(pid):
    return dict(line.split(":", 1) for line in
                read_proc(pid, "status").splitlines() if ":" in line)


def descendants(pid):
    """pid and everything below it, parents first."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            # comm may contain anything, but no ')' follows it
            after = read_proc(entry, "stat").rpartition(")")[2].split()
            if after:
                children.setdefault(int(after[1]), []).append(int(entry))
    found = [pid]
    for p in found:
        found += sorted(children.get(p, []))
    return found


def roles(pid, monitored):
    """{role: [pid, ...]}, leader before followers."""
    pids = descendants(pid)
    if not monitored:
        return {"server": pids}
    variants, result, channels = {}, {"monitord": []}, {}
    for p in pids:
        if int(status(p).get("TracerPid", 0)) in pids:
            try:
                channel = os.readlink(f"/proc/{p}/fd/{CHANNEL}")
            except OSError:
                channel = ""
            if not channel.startswith("socket:"):
                channel = ""
            variants.setdefault(channel, []).append(p)
        else:
            result["monitord"].append(p)
    if "" in variants:
        result["leader"] = variants.pop("")
    for channel in sorted(variants, key=lambda c: min(variants[c])):
        channels[channel] = f"follower {len(channels) + 1}"
        result[channels[channel]] = variants[channel]
    return result


def threads(pid):
    try:
        return os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []


def usage(who):
    """{role: (CPU nanoseconds, context switches)} of roles' living threads."""
    result = {}
    for role, pids in who.items():
        cpu = switches = 0
        for pid in pids:
            for tid in threads(pid):
                sched = read_proc(pid, f"task/{tid}/schedstat").split()
                if len(sched) == 3 and sched[0] != "0":
                    cpu += int(sched[0])
                else:
                    after = read_proc(pid, f"task/{tid}/stat").rpartition(")")
                    after = after[2].split()
                    if after:
                        cpu += (int(after[11]) + int(after[12])) * TICK_NS
                for line in read_proc(pid, f"task/{tid}/status").splitlines():
                    if "ctxt_switches" in line:
                        switches += int(line.split()[1])
        result[role] = (cpu, switches)
    return result


def spent(before, after):
    """{role: (CPU ns, switches)} between two usage()."""
    return {role: tuple(max(a - b, 0) for a, b in zip(after[role],
                                                      before[role]))
            for role in after if role in before}

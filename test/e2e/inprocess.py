# SPDX-License-Identifier: Apache-2.0
"""What is handled in-process, by the counters of --stats."""
import json

from special import Fail, plain


def locks(suite, case, n, policy):
    """Priority-inheritance locks: thousands of calls, few of them at monitord."""
    status, out, err, files = plain(
        suite, case, n, policy, ["@VICTIM@/p43_pi_threads"],
        ["--stats", "stats.json"])
    if status or err:
        raise Fail(f"status {status} {out!r} {err!r}")
    stats = json.loads(files["stats.json"])
    if stats["calls"]["futex"] > 400 or stats["totals"]["in_process"] < 3000:
        raise Fail(f"{stats['calls']['futex']} at monitord, "
                   f"{stats['totals']['in_process']} in-process")


def counters(suite, case, n, policy):
    """rdtsc and rdrand: hundred thousands of them, a fault each would be seen."""
    status, out, err, files = plain(
        suite, case, n, policy, ["@VICTIM@/p59_rdtsc_stub"],
        ["--stats", "stats.json"])
    if status or err:
        raise Fail(f"status {status} {out!r} {err!r}")
    totals = json.loads(files["stats.json"])["totals"]
    if totals["in_process"] < 40000 or totals["stops"] > 4000 * n:
        raise Fail(f"{totals['in_process']} in-process, "
                   f"{totals['stops']} stops")


def _calls(suite, case, n, policy, argv):
    status, out, err, files = plain(
        suite, case, n, policy, argv, ["--stats", "stats.json"])
    if status or err or not out.endswith("calls ok\n"):
        raise Fail(f"status {status} {out!r} {err!r}")
    totals = json.loads(files["stats.json"])["totals"]
    if totals["in_process"] < 9000:
        raise Fail(f"{totals['in_process']} in-process, "
                   f"{totals['rendezvous']} rendezvous")


def static(suite, case, n, policy):
    """Programs without a dynamic linker handle their calls in-process, too."""
    for kind in "static", "static_pie":
        _calls(suite, case, n, policy, [f"@VICTIM@/v_calls_{kind}"])
    _calls(suite, case, n, policy, ["@VICTIM@/v_calls_static", "mdwe"])


def other_root(suite, case, n, policy):
    """... and such as do not find libipmon's file where it is."""
    _calls(suite, case, n, policy, ["/bin/sh", "-c",
           "d=$(mktemp -d) && cp @VICTIM@/v_calls_static $d/calls && "
           "unshare -r chroot $d /calls; e=$?; rm -r $d; exit $e"])

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

// SPDX-License-Identifier: Apache-2.0
/*
 * --stats: counters as JSON, written once at the end of the run.
 */
#include "stats.h"
#include "jsonfile.h"
#include "monitor.h"
#include "text.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static uint64_t started;
static time_t started_wall;

/* The wall clock of the run starts with monitord itself. */
static void __attribute__((constructor)) stats_start(void)
{
	started = now_ns();
	started_wall = time(NULL);
}

static struct json_object *per_call(const uint64_t *counts)
{
	struct json_object *o = json_object_new_object();
	char name[32];

	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++)
		if (counts[nr])
			json_add_uint(o, ipmon_name(nr, name), counts[nr]);
	return o;
}

static struct json_object *variants(void)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int v = 0; v < mon.n; v++) {
		struct json_object *o = json_object_new_object();

		json_add_uint(o, "variant", v);
		json_add_str(o, "role", v == LEADER ? "leader" : "follower");
		json_object_object_add(o, "dropped",
			json_object_new_boolean(mon.v[v].dropped));
		json_object_array_add(a, o);
	}
	return a;
}

static const char *policy_name(void)
{
	switch (mon.opt.policy) {
	case POLICY_VERIFIED:
		return "verified";
	case POLICY_RELAXED:
		return "relaxed";
	default:
		return "strict";
	}
}

int stats_write(const char *path)
{
	const struct counters *c = &mon.count;
	struct json_object *o = json_object_new_object();
	struct json_object *n = json_object_new_object();
	char program[512], when[32];
	struct tm tm;
	int r;

	json_add_int(o, "version", 1);
	text_sanitize(program, sizeof(program),
		      mon.opt.argv && mon.opt.argv[0] ? mon.opt.argv[0] : "");
	json_add_str(o, "program", program);
	gmtime_r(&started_wall, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_add_str(o, "started", when);
	json_object_object_add(o, "wall_seconds",
		json_object_new_double((double)(now_ns() - started) / 1e9));
	json_add_uint(o, "n", mon.n);
	json_add_str(o, "policy", policy_name());
	json_add_str(o, "layout", mon.opt.layout == LAYOUT_SAME ? "same" :
		     "disjoint");
	json_object_object_add(o, "variants", variants());

	json_add_uint(n, "rendezvous", c->rendezvous);
	json_add_uint(n, "stops", c->stops);
	json_add_uint(n, "injected", c->injected);
	json_add_uint(n, "signals", c->signals);
	json_add_uint(n, "deferred", c->deferred);
	json_add_uint(n, "parked", c->parked);
	json_add_uint(n, "divergences", c->divergences);
	json_add_uint(n, "forks", c->forks);
	json_add_uint(n, "execs", c->execs);
	json_add_uint(n, "exec_retries", c->exec_retries);
	json_add_uint(n, "overlaps", c->overlaps);
	json_add_uint(n, "newnames", c->newnames);
	json_object_object_add(o, "totals", n);
	json_object_object_add(o, "calls", per_call(c->per_nr));
	json_object_object_add(o, "refused", per_call(c->refused));

	r = jsonfile_write(path, o);
	if (r < 0)
		say("cannot write statistics to %s: %s", path, strerror(-r));
	json_object_put(o);
	return r;
}

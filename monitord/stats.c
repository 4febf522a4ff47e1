// SPDX-License-Identifier: Apache-2.0
/*
 * --stats: counters as JSON, written once at the end of the run.
 */
#include "stats.h"
#include "jsonfile.h"
#include "monitor.h"
#include "objects.h"
#include "patch.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* ---- where calls came from ---- */

/* by enum trap_why */
static const char *const whys[] = {
	[TRAP_NOT_LOADED] = "library not loaded",
	[TRAP_KIND] = "kind of call",
	[TRAP_SITE] = "site not patched",
	[TRAP_TURN] = "other threads running",
	[TRAP_CALL] = "this call",
};
_Static_assert(sizeof(whys) / sizeof(whys[0]) == TRAP_WHYS, "one per reason");

static const char *const kinds[] = {
	[SITE_NONE] = "none", [SITE_P1] = "P1", [SITE_P] = "P",
	[SITE_S] = "S",
};

static struct json_object *per_why(const uint64_t *n)
{
	struct json_object *o = json_object_new_object();

	for (unsigned int i = 0; i < TRAP_WHYS; i++)
		if (n[i])
			json_add_uint(o, whys[i], n[i]);
	return o;
}

static struct json_object *per_site(struct object *o, const struct site *p)
{
	struct json_object *j = json_object_new_object();
	struct json_object *calls = json_object_new_object();
	char name[256];

	if (p->vaddr) {
		snprintf(name, sizeof(name), "0x%lx",
			 (unsigned long)p->vaddr);
		json_add_str(j, "offset", name);
		object_symbol(o, p->vaddr, name, sizeof(name));
		if (name[0]) {
			char clean[256];

			text_sanitize(clean, sizeof(clean), name);
			json_add_str(j, "symbol", clean);
		}
	}
	json_add_str(j, "kind", p->planned ? kinds[p->p.kind] : "not looked at");
	if (p->planned && !p->p.kind)
		json_add_str(j, "reason", p->p.why ? p->p.why : "");
	json_add_uint(j, "patched", p->patched);
	json_add_uint(j, "traps", p->traps);
	for (const struct site_call *c = p->calls; c; c = c->next)
		json_add_uint(calls, ipmon_name(c->nr, name), c->n);
	json_object_object_add(j, "calls", calls);
	json_object_object_add(j, "why", per_why(p->why));
	return j;
}

static int more_traps(const void *a, const void *b)
{
	const struct site *const *x = a, *const *y = b;

	return ((*x)->traps < (*y)->traps) - ((*x)->traps > (*y)->traps);
}

static struct json_object *per_object(struct object *o)
{
	struct json_object *j = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const struct site **sorted = calloc(o->n_sites, sizeof(*sorted));
	unsigned int n = 0, patched = 0, left = 0;
	char path[512];

	for (const struct site *p = o->sites; p; p = p->next) {
		patched += p->patched != 0;
		left += p->planned && !p->p.kind;
		if (sorted)
			sorted[n++] = p;
	}
	if (n)
		qsort(sorted, n, sizeof(*sorted), more_traps);
	text_sanitize(path, sizeof(path), o->name);
	json_add_str(j, "path", path);
	json_add_uint(j, "sites", o->n_sites);
	json_add_uint(j, "patched", patched);
	json_add_uint(j, "left", left);
	json_add_uint(j, "rdtsc", o->n_tsc);
	for (unsigned int i = 0; i < n; i++)
		json_object_array_add(list, per_site(o, sorted[i]));
	json_object_object_add(j, "trapped", list);
	free(sorted);
	return j;
}

static struct json_object *per_objects(void)
{
	struct json_object *a = json_object_new_array();

	for (struct object *o = objects; o; o = o->next)
		if (o->n_sites)
			json_object_array_add(a, per_object(o));
	return a;
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
	json_add_str(o, "layout", layout_name(mon.opt.layout));
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
	json_add_uint(n, "overlaps", c->overlaps);
	json_add_uint(n, "newnames", c->newnames);
	json_add_uint(n, "in_process", c->inproc);
	json_add_uint(n, "verified", c->verified);
	json_add_uint(n, "held", c->held);
	json_add_uint(n, "forwarded", c->forwarded);
	json_add_uint(n, "wakes", c->wakes);
	json_add_uint(n, "waits", c->waits);
	json_add_uint(n, "sites_patched", c->sites_patched);
	json_object_object_add(o, "totals", n);
	json_object_object_add(o, "trapped", per_why(c->why));
	json_object_object_add(o, "objects", per_objects());
	json_object_object_add(o, "calls", per_call(c->per_nr));
	json_object_object_add(o, "refused", per_call(c->refused));

	r = jsonfile_write(path, o, false);
	if (r < 0)
		say("cannot write statistics to %s: %s; name a file that can be written",
		    path, strerror(-r));
	json_object_put(o);
	return r;
}

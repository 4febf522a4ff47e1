// SPDX-License-Identifier: Apache-2.0
/*
 * A snapshot as text: JSON for `monitord ps` and `top`, OpenMetrics for
 * scrapers.
 *
 * Names that come from the program (argv, comm) are escaped before they get
 * here or on the way; numbers cannot be wrong.  The metrics have a bounded number
 * of series: a call's name is the only label with many values, and calls that
 * were never made are left out.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "jsonfile.h"
#include "see.h"
#include "see_int.h"
#include "text.h"

#ifndef IPMON_VERSION
#define IPMON_VERSION "unknown"
#endif

static const char *policy_name(void)
{
	static const char *const names[] = { "strict", "verified", "relaxed" };

	return names[mon.opt.policy];
}

static const char *level_name(void)
{
	return ipmon_level_name(mon.opt.level ? mon.opt.level :
				LEVEL_SOCKET_RW);
}

/* argv, printable */
static void program_text(char *buf, size_t cap)
{
	struct text t;

	text_init(&t, buf, cap);
	for (char **a = mon.opt.argv; a && *a; a++) {
		if (a != mon.opt.argv)
			text_putc(&t, ' ');
		text_escape(&t, *a, strlen(*a));
	}
}

static uint64_t age_ns(const struct snapshot *s)
{
	struct timespec t;
	uint64_t at;

	clock_gettime(CLOCK_MONOTONIC, &t);
	at = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	return s->now && at > s->now ? at - s->now : 0;
}

static double uptime(const struct see_facts *f)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9 -
		(double)f->started / 1e9;
}

/* ---- JSON ---- */

static const char *const states[] = {
	[SET_RUN] = "running", [SET_CALL] = "call", [SET_DONE] = "call",
	[SET_READY] = "ready", [SET_PARKED] = "parked",
	[SET_EXITING] = "exiting", [SET_DEAD] = "dead",
};

static struct json_object *pid_list(const pid_t *pid)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int v = 0; v < mon.n; v++)
		json_object_array_add(a, json_object_new_int(pid[v]));
	return a;
}

static void add_counts(struct json_object *o, const struct ipmon_count *c)
{
	json_add_uint(o, "in_process", c->calls);
	json_add_uint(o, "verified", c->verified);
	json_add_uint(o, "held", c->held);
	json_add_uint(o, "forwarded", c->forwarded);
}

static struct json_object *thread_json(const struct see_set *s)
{
	struct json_object *o = json_object_new_object();
	struct json_object *lag = json_object_new_array();
	char name[32];

	json_add_int(o, "tid", s->vtid);
	json_object_object_add(o, "tids", pid_list(s->tid));
	json_add_str(o, "state", s->state <= SET_DEAD && states[s->state] ?
		     s->asleep ? "asleep" : states[s->state] : "unknown");
	json_object_object_add(o, "in_process_now",
			       json_object_new_boolean(s->live));
	if (s->has_call) {
		json_add_str(o, "call", ipmon_name(s->nr, name));
		if (s->ns)
			json_object_object_add(o, "call_seconds",
				json_object_new_double((double)s->ns / 1e9));
	}
	add_counts(o, &s->in);
	json_add_uint(o, "wakes", s->wakes);
	json_add_uint(o, "waits", s->waits);
	json_add_uint(o, "lag_records", s->lag_records);
	for (unsigned int v = 0; v < mon.n; v++)
		json_object_array_add(lag, json_object_new_int64(
					      (int64_t)s->lag_bytes[v]));
	json_object_object_add(o, "lag_bytes", lag);
	return o;
}

static void add_comm(struct json_object *o, pid_t pid)
{
	char path[64], raw[32], clean[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, raw, sizeof(raw) - 1);
	close(fd);
	if (n <= 0)
		return;
	raw[raw[n - 1] == '\n' ? n - 1 : n] = 0;
	text_sanitize(clean, sizeof(clean), raw);
	json_add_str(o, "name", clean);
}

static struct json_object *proc_json(const struct snapshot *s,
				     const struct see_proc *p)
{
	struct json_object *o = json_object_new_object();
	struct json_object *threads = json_object_new_array();

	json_add_uint(o, "id", p->id);
	json_add_uint(o, "parent", p->parent);
	json_add_int(o, "pid", p->vpid);
	json_object_object_add(o, "pids", pid_list(p->pid));
	add_comm(o, p->pid[LEADER]);
	json_object_object_add(o, "zombie", json_object_new_boolean(p->zombie));
	json_object_object_add(o, "in_process",
			       json_object_new_boolean(p->in_process));
	for (unsigned int i = 0; i < s->n_sets; i++)
		if (s->set[i].proc == p->id)
			json_object_array_add(threads,
					      thread_json(&s->set[i]));
	json_object_object_add(o, "threads", threads);
	return o;
}

static void sums(const struct snapshot *s, struct see_call *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		sum->in.calls += s->call[nr].in.calls;
		sum->in.verified += s->call[nr].in.verified;
		sum->in.held += s->call[nr].in.held;
		sum->in.forwarded += s->call[nr].in.forwarded;
		sum->refused += s->call[nr].refused;
	}
}

static struct json_object *totals_json(const struct snapshot *s)
{
	struct json_object *o = json_object_new_object();
	struct see_call sum;

	sums(s, &sum);
	add_counts(o, &sum.in);
	json_add_uint(o, "trapped", s->rendezvous);
	json_add_uint(o, "refused", sum.refused);
	json_add_uint(o, "wakes", s->wakes);
	json_add_uint(o, "waits", s->waits);
	json_add_uint(o, "signals", s->signals);
	json_add_uint(o, "divergences", s->divergences);
	json_add_uint(o, "forks", s->forks);
	json_add_uint(o, "execs", s->execs);
	json_add_uint(o, "replicated_bytes", s->bytes);
	json_add_uint(o, "watched_ns", s->watched_ns);
	return o;
}

static struct json_object *calls_json(const struct snapshot *s)
{
	struct json_object *o = json_object_new_object();
	char name[32];

	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const struct see_call *c = &s->call[nr];
		struct json_object *j;

		if (!(c->in.calls | c->in.forwarded | c->trapped | c->refused))
			continue;
		j = json_object_new_object();
		add_counts(j, &c->in);
		json_add_uint(j, "trapped", c->trapped);
		json_add_uint(j, "refused", c->refused);
		json_add_uint(j, "trapped_ns", c->ns);
		json_add_uint(j, "trapped_max_ns", c->max_ns);
		json_add_uint(j, "sampled_ns", c->sampled_ns);
		json_object_object_add(o, ipmon_name(nr, name), j);
	}
	return o;
}

static struct json_object *variants_json(const struct snapshot *s)
{
	struct json_object *a = json_object_new_array();

	for (unsigned int v = 0; v < mon.n; v++) {
		struct json_object *o = json_object_new_object();

		json_add_uint(o, "variant", v);
		json_add_str(o, "role", v == LEADER ? "leader" : "follower");
		json_object_object_add(o, "dropped", json_object_new_boolean(
			s->now && !(s->live & 1u << v)));
		json_object_array_add(a, o);
	}
	return a;
}

char *see_json(const struct snapshot *s, const struct see_facts *f, size_t *len)
{
	struct json_object *o = json_object_new_object(), *a;
	uint64_t age = age_ns(s);
	char text[1024], when[32];
	const char *json;
	struct tm tm;
	time_t wall = (time_t)f->started_wall;
	char *out;

	json_add_int(o, "version", 1);
	json_add_str(o, "monitord", IPMON_VERSION);
	json_add_int(o, "pid", f->tracer);
	json_add_int(o, "front", f->front);
	json_add_uint(o, "uid", f->uid);
	program_text(text, sizeof(text));
	json_add_str(o, "program", text);
	gmtime_r(&wall, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_add_str(o, "started", when);
	json_object_object_add(o, "uptime_seconds",
			       json_object_new_double(uptime(f)));
	json_add_uint(o, "n", mon.n);
	json_add_str(o, "policy", policy_name());
	json_add_str(o, "level", level_name());
	json_add_str(o, "layout", layout_name(mon.opt.layout));
	json_add_str(o, "on_divergence", mon.opt.on_divergence ==
		     DIV_CONTINUE ? "continue" : "kill");
	json_add_str(o, "control", f->control);
	json_add_str(o, "metrics", f->metrics);
	/* the tracer did not answer: the rest is that old, or empty */
	json_object_object_add(o, "stalled", json_object_new_boolean(
			       !s->now || age > 1000000000u));
	json_object_object_add(o, "age_seconds",
			       json_object_new_double((double)age / 1e9));
	json_object_object_add(o, "truncated",
			       json_object_new_boolean(s->truncated));
	json_object_object_add(o, "variants", variants_json(s));
	json_add_uint(o, "processes_alive", s->procs);
	json_add_uint(o, "threads_alive", s->threads);
	a = json_object_new_array();
	/* the list has the youngest first */
	for (unsigned int i = s->n_procs; i-- > 0;)
		json_object_array_add(a, proc_json(s, &s->proc[i]));
	json_object_object_add(o, "processes", a);
	json_object_object_add(o, "totals", totals_json(s));
	json_object_object_add(o, "calls", calls_json(s));
	json = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	out = json ? strdup(json) : NULL;
	*len = out ? strlen(out) : 0;
	json_object_put(o);
	return out;
}

/* ---- OpenMetrics 1.0 ---- */

static void family(FILE *f, const char *name, const char *type,
		   const char *unit, const char *help)
{
	fprintf(f, "# TYPE %s %s\n", name, type);
	if (unit)
		fprintf(f, "# UNIT %s %s\n", name, unit);
	fprintf(f, "# HELP %s %s\n", name, help);
}

static void counter(FILE *f, const char *name, const char *help, uint64_t v)
{
	family(f, name, "counter", NULL, help);
	fprintf(f, "%s_total %" PRIu64 "\n", name, v);
}

static void gauge(FILE *f, const char *name, const char *unit,
		  const char *help, double v)
{
	family(f, name, "gauge", unit, help);
	fprintf(f, "%s %.17g\n", name, v);
}

/* A label's value: backslash, quote and newline are escaped. */
static void label(FILE *f, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			fputc('\\', f);
		if (*value == '\n')
			fputs("\\n", f);
		else
			fputc(*value, f);
	}
}

/* A counter with a series per call; `at` is its offset in struct see_call. */
static void per_call(FILE *f, const struct snapshot *s, const char *name,
		     const char *help, size_t at)
{
	char call[32];

	family(f, name, "counter", NULL, help);
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		uint64_t v;

		memcpy(&v, (const char *)&s->call[nr] + at, sizeof(v));
		if (v)
			fprintf(f, "%s_total{call=\"%s\"} %" PRIu64 "\n", name,
				ipmon_name(nr, call), v);
	}
}

static void per_call_seconds(FILE *f, const struct snapshot *s)
{
	static const char name[] = "ipmon_trapped_seconds";
	char call[32];

	family(f, name, "counter", "seconds",
	       "Time from the first variant's arrival to the end of trapped calls.");
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++)
		if (s->call[nr].ns)
			fprintf(f, "%s_total{call=\"%s\"} %.9f\n", name,
				ipmon_name(nr, call),
				(double)s->call[nr].ns / 1e9);
}

/* How far the variants are behind, in whatever thread it is most. */
static void lags(FILE *f, const struct snapshot *s)
{
	uint64_t bytes[MAX_VARIANTS] = { 0 };
	uint32_t records = 0;

	for (unsigned int i = 0; i < s->n_sets; i++) {
		if (s->set[i].lag_records > records)
			records = s->set[i].lag_records;
		for (unsigned int v = 1; v < mon.n; v++)
			if (s->set[i].lag_bytes[v] > bytes[v])
				bytes[v] = s->set[i].lag_bytes[v];
	}
	family(f, "ipmon_lag_bytes", "gauge", "bytes",
	       "Records of the leader's calls that a follower has not consumed, of the thread with most.");
	for (unsigned int v = 1; v < mon.n; v++)
		if (s->live & 1u << v)
			fprintf(f, "ipmon_lag_bytes{variant=\"%u\"} %" PRIu64
				"\n", v, bytes[v]);
	gauge(f, "ipmon_lag_records", NULL,
	      "Calls the slowest follower has not consumed, of the thread with most.",
	      records);
}

char *see_metrics(const struct snapshot *s, const struct see_facts *facts,
		  size_t *len)
{
	char program[256], *out = NULL;
	FILE *f = open_memstream(&out, len);

	if (!f)
		return NULL;
	text_sanitize(program, sizeof(program), mon.opt.argv &&
		      mon.opt.argv[0] ? mon.opt.argv[0] : "");
	family(f, "ipmon", "info", NULL, "What is being run, and how.");
	fprintf(f, "ipmon_info{version=\"" IPMON_VERSION
		"\",program=\"");
	label(f, program);
	fprintf(f, "\",policy=\"%s\",level=\"%s\",layout=\"%s\"} 1\n",
		policy_name(), level_name(),
		layout_name(mon.opt.layout));
	gauge(f, "ipmon_start_time_seconds", "seconds",
	      "When the run began, since the epoch.",
	      (double)facts->started_wall);
	gauge(f, "ipmon_uptime_seconds", "seconds", "Age of the run.",
	      uptime(facts));
	gauge(f, "ipmon_snapshot_age_seconds", "seconds",
	      "Age of these numbers; large if the monitor is busy with one variant.",
	      (double)age_ns(s) / 1e9);
	gauge(f, "ipmon_variants", NULL, "Variants that take part.",
	      __builtin_popcount(s->live));
	gauge(f, "ipmon_variants_dropped", NULL,
	      "Followers dropped after a divergence.",
	      s->now ? mon.n - (unsigned int)__builtin_popcount(s->live) : 0);
	gauge(f, "ipmon_processes", NULL, "Processes of the program.",
	      s->procs);
	gauge(f, "ipmon_threads", NULL, "Threads of the program.", s->threads);
	lags(f, s);
#define PER_CALL(name, member, help) \
	per_call(f, s, name, help, offsetof(struct see_call, member))
	PER_CALL("ipmon_calls_in_process", in.calls,
		 "Calls that reached the in-process monitor and were not left at once.");
	PER_CALL("ipmon_calls_verified", in.verified,
		 "Of these: made after all followers had asked for the same.");
	PER_CALL("ipmon_calls_held", in.held,
		 "Of these: outputs held until all followers had asked for the same.");
	PER_CALL("ipmon_calls_forwarded", in.forwarded,
		 "Of these: left to the monitor after all.");
	PER_CALL("ipmon_calls_trapped", trapped,
		 "Calls at a rendezvous of all variants in the monitor.");
	PER_CALL("ipmon_calls_refused", refused,
		 "Calls refused because they cannot be made for several variants.");
	per_call_seconds(f, s);
	counter(f, "ipmon_wakes", "Sleeping followers woken by the leader.",
		s->wakes);
	counter(f, "ipmon_waits", "Times the leader waited for followers.",
		s->waits);
	counter(f, "ipmon_signals", "Signals delivered to the program.",
		s->signals);
	counter(f, "ipmon_divergences", "Differences between variants.",
		s->divergences);
	counter(f, "ipmon_forks", "Processes and threads created.", s->forks);
	counter(f, "ipmon_execs", "Programs executed.", s->execs);
	family(f, "ipmon_replicated_bytes", "counter", "bytes",
	       "Bytes given to followers: records in rings, outputs of trapped calls.");
	fprintf(f, "ipmon_replicated_bytes_total %" PRIu64 "\n", s->bytes);
	fputs("# EOF\n", f);
	if (fclose(f)) {
		free(out);
		return NULL;
	}
	return out;
}

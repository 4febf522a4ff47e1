// SPDX-License-Identifier: Apache-2.0
/*
 * `monitord ps`: the runs there are, their processes and how far followers are
 * behind.
 *
 * A run is a line, then comes one line per process of the program, indented as
 * they descend from each other: the leader's pid first, then those of the
 * followers.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "options.h"
#include "see_int.h"
#include "text.h"

static const char usage[] =
	"usage: monitord ps [OPTION...] [PID | SOCKET]...\n"
	"\n"
	"Lists what runs under monitord as this user; as root, all of it. PID is of\n"
	"monitord itself or of a process it runs; SOCKET is what --control named.\n"
	"\n"
	"  -t, --threads  a line per thread\n"
	"      --json     all that is known, as a JSON array (monitord(1))\n"
	"  -h, --help     print this\n"
	"\n"
	"Columns: VARIANTS are the pids of the process in each variant, the leader's\n"
	"first; THR its threads; STATE what its first thread does; LAG how many calls\n"
	"and bytes of records the slowest follower is behind; IN-PROC the calls made\n"
	"in-process.\n"
	"Exit status: 0; 1 if a PID or SOCKET is none of a monitor; 125 wrong usage.\n";

static const struct option longopts[] = {
	{ "threads", no_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool threads;
static int width;

/* One line, cut to the terminal; the text is printable. */
static void line(const char *text)
{
	if (width > 0)
		printf("%.*s\n", width, text);
	else
		puts(text);
}

static void user_name(uid_t uid, char *buf, size_t cap)
{
	struct passwd *pw = getpwuid(uid);

	if (pw)
		text_sanitize(buf, cap, pw->pw_name);
	else
		snprintf(buf, cap, "%u", (unsigned int)uid);
}

/* The largest of a thread's lags in bytes. */
static int64_t most_bytes(struct json_object *thread)
{
	int64_t most = 0;

	for (size_t v = 0; v < see_len(thread, "lag_bytes"); v++) {
		int64_t b = json_object_get_int64(see_at(thread, "lag_bytes",
							 v));

		if (b > most)
			most = b;
	}
	return most;
}

static void state_text(struct json_object *thread, char *buf, size_t cap)
{
	char state[32], call[32];

	see_str(thread, "state", state, sizeof(state));
	see_str(thread, "call", call, sizeof(call));
	snprintf(buf, cap, "%s", *call ? call : *state ? state : "-");
}

/* "12 14 15" */
static void pids_text(struct json_object *o, const char *key, char *buf,
		      size_t cap)
{
	struct text t;

	text_init(&t, buf, cap);
	for (size_t v = 0; v < see_len(o, key) && v < MAX_VARIANTS; v++) {
		int pid = json_object_get_int(see_at(o, key, v));

		if (pid)
			text_printf(&t, v ? " %d" : "%d", pid);
		else
			text_puts(&t, v ? " -" : "-");
	}
}

static void columns(const char *name, const char *variants, const char *thr,
		    const char *state, const char *lag, const char *calls)
{
	char buf[512];

	snprintf(buf, sizeof(buf), "  %-18.40s %-23s %3s %-13.13s %9s %8s",
		 name, variants, thr, state, lag, calls);
	line(buf);
}

static void thread_line(struct json_object *t, int depth)
{
	char name[64], pids[128], state[40], lag[48], calls[24];

	snprintf(name, sizeof(name), "%*s thread %d", 2 * depth, "",
		 (int)see_int(t, "tid"));
	pids_text(t, "tids", pids, sizeof(pids));
	state_text(t, state, sizeof(state));
	snprintf(lag, sizeof(lag), "%lld/%lld",
		 (long long)see_int(t, "lag_records"),
		 (long long)most_bytes(t));
	snprintf(calls, sizeof(calls), "%lld",
		 (long long)see_int(t, "in_process"));
	columns(name, pids, "", state, lag, calls);
}

static void proc_line(struct json_object *p, int depth)
{
	char name[64], comm[40], pids[128], thr[16], state[40] = "zombie";
	char lag[48], calls[24];
	int64_t records = 0, bytes = 0, in = 0;
	size_t n = see_len(p, "threads");

	for (size_t i = 0; i < n; i++) {
		struct json_object *t = see_at(p, "threads", i);

		if (see_int(t, "lag_records") > records)
			records = see_int(t, "lag_records");
		if (most_bytes(t) > bytes)
			bytes = most_bytes(t);
		in += see_int(t, "in_process");
	}
	/* the list has the youngest first */
	if (n)
		state_text(see_at(p, "threads", n - 1), state, sizeof(state));
	see_str(p, "name", comm, sizeof(comm));
	snprintf(name, sizeof(name), "%*s%s%s", depth > 1 ? 2 * (depth - 1) : 0,
		 "", depth ? "\\_ " : "", *comm ? comm : "?");
	pids_text(p, "pids", pids, sizeof(pids));
	snprintf(thr, sizeof(thr), "%zu", n);
	snprintf(lag, sizeof(lag), "%lld/%lld", (long long)records,
		 (long long)bytes);
	snprintf(calls, sizeof(calls), "%lld", (long long)in);
	columns(name, pids, thr, state, lag, calls);
	for (size_t i = n; threads && i-- > 0;)
		thread_line(see_at(p, "threads", i), depth);
}

/* Those whose parent is `parent`, and theirs.  Every process is shown once,
 * whatever an answer says about who descends from whom. */
static void tree(struct json_object *o, int64_t parent, int depth, bool *shown)
{
	size_t n = see_len(o, "processes");

	if (depth > 32)
		return;
	for (size_t i = 0; i < n; i++) {
		struct json_object *p = see_at(o, "processes", i);

		if (shown[i] || see_int(p, "parent") != parent)
			continue;
		shown[i] = true;
		proc_line(p, depth);
		if (see_int(p, "id"))
			tree(o, see_int(p, "id"), depth + 1, shown);
	}
}

static void show(struct json_object *o)
{
	char program[512], policy[64], up[32], user[40], buf[1024];
	size_t n = see_len(o, "processes");
	bool *shown = calloc(n + 1, sizeof(*shown));
	struct json_object *totals = see_obj(o, "totals");
	int64_t diverged = see_int(totals, "divergences");

	if (!shown)
		die("out of memory");
	see_policy(o, policy, sizeof(policy));
	see_uptime(up, sizeof(up), see_int(o, "uptime_seconds"));
	user_name((uid_t)see_int(o, "uid"), user, sizeof(user));
	snprintf(buf, sizeof(buf), "%lld %s, %lld variants, %s, up %s%s%s",
		 (long long)see_int(o, "pid"), user, (long long)see_int(o, "n"),
		 policy, up,
		 diverged ? ", DIVERGED" : "",
		 json_object_get_boolean(see_obj(o, "stalled")) ?
		 ", does not answer at the moment" : "");
	line(buf);
	snprintf(buf, sizeof(buf), "  %s",
		 see_str(o, "program", program, sizeof(program)));
	line(buf);
	if (n)
		columns("PROCESS", "VARIANTS", "THR", "STATE", "LAG",
			"IN-PROC");
	tree(o, 0, 0, shown);
	/* whose parent is not in the list */
	for (size_t i = 0; i < n; i++)
		if (!shown[i]) {
			shown[i] = true;
			proc_line(see_at(o, "processes", i), 0);
		}
	if (json_object_get_boolean(see_obj(o, "truncated")))
		line("  (there are more)");
	free(shown);
}

static void show_json(const struct see_found *found, int n)
{
	struct json_object *a = json_object_new_array();

	for (int i = 0; i < n; i++)
		json_object_array_add(a, json_object_get(found[i].status));
	puts(json_object_to_json_string_ext(a, JSON_C_TO_STRING_PRETTY));
	json_object_put(a);
}

int cmd_ps(int argc, char **argv)
{
	struct see_found *found;
	struct winsize ws;
	bool json = false;
	int c, n;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":th", longopts, NULL)) != -1) {
		switch (c) {
		case 't':
			threads = true;
			break;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return wrong_option("ps", argv, longopts, c);
		}
	}
	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws))
		width = ws.ws_col;
	n = see_find(argv + optind, &found);
	if (n < 0)
		return 1;
	if (json)
		show_json(found, n);
	else if (!n)
		puts("Nothing runs under monitord.");
	for (int i = 0; i < n && !json; i++)
		show(found[i].status);
	see_found_free(found, n);
	if (fflush(stdout) || ferror(stdout)) {
		say("cannot write to standard output: is the disk full, or the reader gone?");
		return EXIT_MONITOR;
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * `monitord top`: what one run is doing, live.
 *
 * Theory of operation
 * -------------------
 * Once per interval the status is fetched and subtracted from the one before:
 * rates per second since then, for the first one since the start.  A screen is
 * composed as lines of plain text, cut to the terminal's width, never longer than
 * the terminal is high, and written with one write: home, each line with the rest
 * of its row erased.  Nothing but ECMA-48 sequences that every terminal knows, so
 * no terminal library is needed and starting `monitord run` costs no more.
 *
 * The terminal is put back whatever ends us: signals only set a flag.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "see_int.h"
#include "text.h"

static const char usage[] =
	"usage: monitord top [OPTION...] [PID | SOCKET]\n"
	"\n"
	"Shows what a run does: calls per second and how they are handled. Without\n"
	"PID (of monitord, or of a process it runs) the only run there is.\n"
	"\n"
	"  -b, --batch          print instead of using the terminal\n"
	"      --once           the same as -b -n 1\n"
	"  -n, --iterations N   stop after N (batch: default 1)\n"
	"  -d, --delay SECONDS  between two, 0.1 to 3600 (1)\n"
	"  -s, --sort KEY       calls, inproc, verified, held, trapped, time, avg,\n"
	"                       max or name (calls)\n"
	"  -h, --help           print this\n"
	"\n"
	"Keys: q quit, p or blank pause, s next sort key, S the one before, + and -\n"
	"change the delay. Columns: IN-PROC calls made in-process per second, of these\n"
	"VERIFIED after all variants had asked and HELD until they have; TRAPPED calls\n"
	"at a rendezvous. TIME% how much of the time threads are in the call, waiting\n"
	"included, by samples; AVG and, since the start, MAX of the trapped ones. ~ is\n"
	"an average in-process, by samples.\n"
	"Exit status: 0; 1 if there is no such run, or not one; 125 wrong usage.\n";

enum {
	O_ONCE = 256,
};
static const struct option longopts[] = {
	{ "batch", no_argument, NULL, 'b' },
	{ "once", no_argument, NULL, O_ONCE },
	{ "iterations", required_argument, NULL, 'n' },
	{ "delay", required_argument, NULL, 'd' },
	{ "sort", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

enum key { BY_CALLS, BY_IN, BY_VERIFIED, BY_HELD, BY_TRAPPED, BY_TIME, BY_AVG,
	   BY_MAX, BY_NAME, KEYS };
static const char *const key_names[KEYS] = {
	"calls", "inproc", "verified", "held", "trapped", "time", "avg", "max",
	"name",
};

static volatile sig_atomic_t resized, ended;
static bool batch, paused, colour;
static enum key sort_key;
static unsigned int delay_ms = 1000;
static long iterations;

/* ---- rates ---- */

/* What is counted, by call or in all. */
struct counts {
	char name[32];
	double in, verified, held, forwarded, trapped, ns, max;
	double sampled;			/* ns; as a rate, of all the time */
	bool guess;			/* ns is taken from that */
	double by;			/* sort key */
};

#define CALLS_MAX 600u
struct sample {
	double at;			/* s */
	struct counts call[CALLS_MAX];
	unsigned int n;
	double in, verified, held, forwarded, trapped;
	double wakes, waits, signals, bytes, watched;
};

static double number(struct json_object *o, const char *key)
{
	struct json_object *v = see_obj(o, key);

	if (json_object_is_type(v, json_type_int) ||
	    json_object_is_type(v, json_type_double))
		return json_object_get_double(v);
	return 0;
}

static void sample_calls(struct sample *s, struct json_object *calls)
{
	struct json_object_iter it;

	s->n = 0;
	if (!json_object_is_type(calls, json_type_object))
		return;
	json_object_object_foreachC(calls, it) {
		struct counts *c = &s->call[s->n];

		if (s->n == CALLS_MAX)
			break;
		s->n++;
		text_sanitize(c->name, sizeof(c->name), it.key);
		c->in = number(it.val, "in_process");
		c->verified = number(it.val, "verified");
		c->held = number(it.val, "held");
		c->forwarded = number(it.val, "forwarded");
		c->trapped = number(it.val, "trapped");
		c->ns = number(it.val, "trapped_ns");
		c->max = number(it.val, "trapped_max_ns");
		c->sampled = number(it.val, "sampled_ns");
	}
}

static void sample(struct sample *s, struct json_object *o)
{
	struct json_object *t = see_obj(o, "totals");

	/* when it was taken, not when we asked */
	s->at = number(o, "uptime_seconds") - number(o, "age_seconds");
	s->in = number(t, "in_process");
	s->verified = number(t, "verified");
	s->held = number(t, "held");
	s->forwarded = number(t, "forwarded");
	s->trapped = number(t, "trapped");
	s->wakes = number(t, "wakes");
	s->waits = number(t, "waits");
	s->signals = number(t, "signals");
	s->bytes = number(t, "replicated_bytes");
	s->watched = number(t, "watched_ns");
	sample_calls(s, see_obj(o, "calls"));
}

static double rate(double a, double b, double seconds)
{
	return a > b && seconds > 0 ? (a - b) / seconds : 0;
}

/*
 * The time a call takes: as measured at the rendezvous, if there were any.  Else
 * the calls in-process divide the time in which a thread was seen in one, if
 * that was often enough to say something.
 */
#define SEEN_MIN_NS	60000000.0	/* three samples */
static void per_call(struct counts *c, const struct counts *b, double watched,
		     double seconds)
{
	double seen = c->sampled - b->sampled;
	double in = c->in - b->in;

	if (c->trapped > b->trapped && c->ns > b->ns)
		c->ns = (c->ns - b->ns) / (c->trapped - b->trapped);
	else
		c->ns = 0;
	c->guess = !(c->ns > 0) && seen >= SEEN_MIN_NS && watched > 0 && in > 0;
	if (c->guess)
		c->ns = seen / watched * seconds * 1e9 / in;
	c->sampled = seen > 0 && watched > 0 ? 100 * seen / watched : 0;
}

/* now - before, per second; what had not been there before was 0. */
static void rates(struct sample *out, const struct sample *now,
		  const struct sample *before)
{
	double s = now->at - before->at;

	*out = *now;
#define R(m) (out->m = rate(now->m, before->m, s))
	R(in), R(verified), R(held), R(forwarded), R(trapped);
	R(wakes), R(waits), R(signals), R(bytes);
	for (unsigned int i = 0; i < out->n; i++) {
		struct counts *c = &out->call[i];
		const struct counts *b = NULL;
		static const struct counts none;

		for (unsigned int k = 0; k < before->n && !b; k++)
			if (!strcmp(before->call[k].name, c->name))
				b = &before->call[k];
		if (!b)
			b = &none;
		per_call(c, b, now->watched - before->watched, s);
#define C(m) (c->m = rate(c->m, b->m, s))
		C(in), C(verified), C(held), C(forwarded), C(trapped);
#undef R
#undef C
	}
}

static int by_key(const void *a, const void *b)
{
	const struct counts *x = a, *y = b;

	if (x->by > y->by || x->by < y->by)
		return x->by < y->by ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void sort_calls(struct sample *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		struct counts *c = &s->call[i];
		const double keys[KEYS] = {
			/* a forwarded one is trapped as well */
			c->in - c->forwarded + c->trapped, c->in, c->verified,
			c->held, c->trapped, c->sampled, c->ns, c->max, 0,
		};

		c->by = keys[sort_key];
	}
	qsort(s->call, s->n, sizeof(*s->call), by_key);
}

/* ---- the screen ---- */

struct screen {
	char *buf;
	size_t cap, len;
	int width, height, row;		/* height 0: no terminal */
	bool last;			/* the last row is being written */
};

static void out(struct screen *d, const char *s, size_t n)
{
	if (d->len + n > d->cap) {
		d->cap = 2 * (d->len + n);
		d->buf = realloc(d->buf, d->cap);
		if (!d->buf)
			die("out of memory");
	}
	memcpy(d->buf + d->len, s, n);
	d->len += n;
}

static void outs(struct screen *d, const char *s)
{
	out(d, s, strlen(s));
}

/* A line, unless the screen is full but for the last row; its text is printable. */
static void __attribute__((format(printf, 3, 4)))
put(struct screen *d, bool bright, const char *fmt, ...)
{
	char text[512];
	size_t n;
	va_list ap;

	if (d->height && d->row >= d->height - !d->last)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	n = strlen(text);
	if (d->width && n > (size_t)d->width)
		n = (size_t)d->width;
	/* no newline behind the last row: it would scroll */
	if (d->height && d->row)
		outs(d, "\r\n");
	if (bright && colour)
		outs(d, "\33[1m");
	out(d, text, n);
	if (bright && colour)
		outs(d, "\33[m");
	if (d->height)
		/* at the last column the cursor still stands on the last
		 * character: nothing is left to be erased there */
		outs(d, n < (size_t)d->width ? "\33[K" : "");
	else
		outs(d, "\n");
	d->row++;
}

/* 7 characters: 999.9, 12345, 123.4k, 12.3M */
static const char *si(double v, char buf[16])
{
	static const char units[] = " kMGTPE";
	unsigned int u = 0;

	if (v < 0.05) {
		strcpy(buf, "0");
		return buf;
	}
	if (v < 99.95) {
		snprintf(buf, 16, "%.1f", v);
		return buf;
	}
	while (v >= 99999.5 && u < 6) {
		v /= 1000;
		u++;
	}
	if (u)
		snprintf(buf, 16, v < 999.95 ? "%.1f%c" : "%.0f%c", v,
			 units[u]);
	else
		snprintf(buf, 16, "%.0f", v);
	return buf;
}

/* ns as 7 characters */
static const char *duration(double ns, char buf[16])
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	unsigned int u = 0;

	if (ns <= 0) {
		strcpy(buf, "-");
		return buf;
	}
	while (ns >= 999.5 && u < 3) {
		ns /= 1000;
		u++;
	}
	if (ns > 99999)
		ns = 99999;
	snprintf(buf, 16, u && ns < 99.95 ? "%.1f%s" : "%.0f%s", ns, units[u]);
	return buf;
}

static void lag_line(struct screen *d, struct json_object *o)
{
	int64_t records = 0, bytes[MAX_VARIANTS] = { 0 };
	int64_t n = see_int(o, "n");
	struct text t;
	char buf[160];

	for (size_t i = 0; i < see_len(o, "processes"); i++) {
		struct json_object *p = see_at(o, "processes", i);

		for (size_t k = 0; k < see_len(p, "threads"); k++) {
			struct json_object *s = see_at(p, "threads", k);

			if (see_int(s, "lag_records") > records)
				records = see_int(s, "lag_records");
			for (size_t v = 0; v < MAX_VARIANTS; v++) {
				int64_t b = json_object_get_int64(
					see_at(s, "lag_bytes", v));

				if (b > bytes[v])
					bytes[v] = b;
			}
		}
	}
	text_init(&t, buf, sizeof(buf));
	text_printf(&t, "lag: %lld calls; bytes by variant:",
		    (long long)records);
	for (int64_t v = 1; v < n && v < MAX_VARIANTS; v++)
		text_printf(&t, " %lld", (long long)bytes[v]);
	put(d, false, "%s", n > 1 ? buf : "lag: one variant has nobody behind");
}

static void header(struct screen *d, struct json_object *o,
		   const struct sample *r)
{
	char a[16], b[16], c[16], e[16], f[16], up[32], clock[16] = "";
	char program[256], policy[64];
	time_t t = time(NULL);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	see_uptime(up, sizeof(up), see_int(o, "uptime_seconds"));
	see_str(o, "program", program, sizeof(program));
	see_policy(o, policy, sizeof(policy));
	put(d, false, "monitord top - %s  up %s  %lld variants, %s%s",
	    clock, up, (long long)see_int(o, "n"), policy,
	    json_object_get_boolean(see_obj(o, "stalled")) ?
	    "  STALLED" : paused ? "  PAUSED" : "");
	put(d, true, "%lld %s", (long long)see_int(o, "pid"), program);
	put(d, false, "processes %lld  threads %lld  signals %s/s  replicated %s B/s  divergences %lld",
	    (long long)see_int(o, "processes_alive"),
	    (long long)see_int(o, "threads_alive"), si(r->signals, a),
	    si(r->bytes, b),
	    (long long)see_int(see_obj(o, "totals"), "divergences"));
	put(d, false, "calls/s: in-process %s  verified %s  held %s  forwarded %s  trapped %s",
	    si(r->in, a), si(r->verified, b), si(r->held, c),
	    si(r->forwarded, e), si(r->trapped, f));
	put(d, false, "wakes/s %s  waits/s %s", si(r->wakes, a),
	    si(r->waits, b));
	lag_line(d, o);
}

static void compose(struct screen *d, struct json_object *o,
		    const struct sample *r)
{
	char a[16], b[16], c[16], e[16], f[16], g[16], h[16], avg[24];
	unsigned int shown = 0, room = 20;

	d->row = 0;
	d->last = false;
	if (d->height)
		outs(d, "\33[H");
	header(d, o, r);
	put(d, false, "%s", "");
	put(d, true, "%-19s %8s %8s %8s %8s %7s %7s %7s", "CALL", "IN-PROC",
	    "VERIFIED", "HELD", "TRAPPED", "TIME%", "AVG", "MAX");
	if (d->height)
		room = d->height > d->row + 1 ?
			(unsigned int)(d->height - d->row - 1) : 0;
	for (unsigned int i = 0; i < r->n && shown < room; i++) {
		const struct counts *x = &r->call[i];

		/* by time and by name, also what rests */
		if (x->by <= 0 && sort_key != BY_NAME)
			continue;
		shown++;
		snprintf(avg, sizeof(avg), "%s%s", x->guess ? "~" : "",
			 duration(x->ns, g));
		put(d, false, "%-19.19s %8s %8s %8s %8s %7s %7s %7s", x->name,
		    si(x->in, a), si(x->verified, b), si(x->held, c),
		    si(x->trapped, e), si(x->sampled, f), avg,
		    duration(x->max, h));
	}
	if (!d->height)
		return;
	while (d->row < d->height - 1)
		put(d, false, "%s", "");
	d->last = true;
	put(d, true, "q quit  p pause  s sort: %-9s + - delay: %.1f s",
	    key_names[sort_key], delay_ms / 1000.0);
}

static void flush(struct screen *d)
{
	for (size_t done = 0; done < d->len;) {
		ssize_t n = write(STDOUT_FILENO, d->buf + done, d->len - done);

		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR)
			break;
	}
	d->len = 0;
}

/* ---- the terminal ---- */

static struct termios cooked;
static bool raw;

static void on_signal(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else
		ended = sig;
}

static void size(struct screen *d)
{
	struct winsize ws;

	resized = 0;
	d->width = 80;
	d->height = 24;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col && ws.ws_row) {
		d->width = ws.ws_col;
		d->height = ws.ws_row;
	}
}

static int terminal_on(struct screen *d)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
				       SIGWINCH };
	struct sigaction sa = { .sa_handler = on_signal };
	struct termios t;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &cooked) < 0) {
		say("top needs a terminal; 'monitord top -b' prints");
		return -1;
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	t = cooked;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
	raw = true;
	size(d);
	outs(d, "\33[?1049h\33[?25l\33[2J");
	flush(d);
	return 0;
}

static void terminal_off(struct screen *d)
{
	if (!raw)
		return;
	outs(d, "\33[m\33[?25h\33[?1049l");
	flush(d);
	tcsetattr(STDIN_FILENO, TCSANOW, &cooked);
	raw = false;
}

/* false: quit */
static bool key(char c)
{
	switch (c) {
	case 'q':
	case 'Q':
		return false;
	case 'p':
	case ' ':
		paused = !paused;
		break;
	case 's':
		sort_key = (sort_key + 1) % KEYS;
		break;
	case 'S':
		sort_key = (sort_key + KEYS - 1) % KEYS;
		break;
	case '+':
		delay_ms = delay_ms >= 1800000 ? 3600000 : delay_ms * 2;
		break;
	case '-':
		delay_ms = delay_ms <= 200 ? 100 : delay_ms / 2;
		break;
	}
	return true;
}

static int64_t ms_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the run ---- */

struct top {
	char *path;
	struct json_object *now;
	struct sample s[2], shown;
	unsigned int turn;
	struct screen d;
};

static void draw(struct top *t)
{
	sort_calls(&t->shown);
	compose(&t->d, t->now, &t->shown);
	flush(&t->d);
}

/* The next status; false: the run has ended. */
static bool next(struct top *t)
{
	struct sample *s = &t->s[t->turn % 2];
	const struct sample *before = &t->s[(t->turn + 1) % 2];
	struct json_object *o;

	if (see_ask(t->path, &o) < 0)
		return false;
	json_object_put(t->now);
	t->now = o;
	sample(s, o);
	/* an answer that could not be fresher: the rates are those before */
	if (t->turn && s->at <= before->at + 0.01)
		return true;
	rates(&t->shown, s, before);
	t->turn++;
	return true;
}

/* Until it is time for the next; false: quit. */
static bool wait_keys(struct top *t, int64_t until)
{
	for (;;) {
		struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
		int64_t left = paused ? 3600000 : until - ms_now();
		char c;
		int r;

		if (ended)
			return false;
		if (resized) {
			size(&t->d);
			outs(&t->d, "\33[2J");
			flush(&t->d);
			draw(t);
		}
		if (left <= 0)
			return true;
		r = poll(&p, batch ? 0 : 1, (int)left);
		if (r <= 0)
			continue;
		if (read(STDIN_FILENO, &c, 1) != 1)
			return false;
		if (!key(c))
			return false;
		draw(t);
		until = ms_now() + delay_ms;
	}
}

static int run(struct top *t)
{
	bool gone = false;

	if (!batch && terminal_on(&t->d) < 0)
		return EXIT_MONITOR;
	for (long i = 0; !ended; i++) {
		int64_t until = ms_now() + delay_ms;

		if (batch && i)
			outs(&t->d, "\n");
		draw(t);
		if (iterations && i + 1 >= iterations)
			break;
		if (!wait_keys(t, until))
			break;
		if (!next(t)) {
			gone = true;
			break;
		}
	}
	terminal_off(&t->d);
	if (gone)
		say("the run has ended");
	return ended ? 128 + ended : 0;
}

static int choose(char **words, struct top *t)
{
	struct see_found *found;
	int n = see_find(words, &found), r = 1;

	if (n == 1) {
		t->path = strdup(found[0].path);
		t->now = json_object_get(found[0].status);
		sample(&t->s[0], t->now);
		rates(&t->shown, &t->s[0], &t->s[1]);
		t->turn = 1;
		r = t->path ? 0 : 1;
	} else if (n == 0) {
		say("nothing runs under monitord%s; 'monitord run -- PROGRAM' starts something",
		    geteuid() ? " as this user, and others' are for root to see" :
		    "");
	} else if (n > 0) {
		char program[64];

		say("several programs run under monitord; try 'monitord top PID' with one of:");
		for (int i = 0; i < n; i++)
			say("  %lld %s",
			    (long long)see_int(found[i].status, "pid"),
			    see_str(found[i].status, "program", program,
				    sizeof(program)));
	}
	if (n >= 0)
		see_found_free(found, n);
	return r;
}

static int option_error(const char *what)
{
	say("%s; try 'monitord top --help'", what);
	return EXIT_MONITOR;
}

int cmd_top(int argc, char **argv)
{
	static struct top t;
	const char *no_color = getenv("NO_COLOR");
	double seconds;
	char *end;
	int c, r;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":bn:d:s:h", longopts, NULL)) != -1) {
		switch (c) {
		case 'b':
			batch = true;
			break;
		case O_ONCE:
			batch = true;
			iterations = 1;
			break;
		case 'n':
			iterations = strtol(optarg, &end, 10);
			if (*end || end == optarg || iterations < 1)
				return option_error("-n must be a number from 1 on");
			break;
		case 'd':
			seconds = strtod(optarg, &end);
			if (*end || end == optarg ||
			    !(seconds >= 0.1 && seconds <= 3600))
				return option_error("-d must be seconds from 0.1 to 3600");
			delay_ms = (unsigned int)(seconds * 1000);
			break;
		case 's':
			for (sort_key = 0; sort_key < KEYS; sort_key++)
				if (!strcmp(optarg, key_names[sort_key]))
					break;
			if (sort_key == KEYS)
				return option_error("-s must be calls, inproc, verified, held, trapped, time, avg, max or name");
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return wrong_option("top", argv, longopts, c);
		}
	}
	if (optind + 1 < argc)
		return option_error("one PID at a time");
	if (batch && !iterations)
		iterations = 1;
	colour = !batch && !(no_color && *no_color);
	r = choose(argv + optind, &t);
	if (!r)
		r = run(&t);
	free(t.path);
	free(t.d.buf);
	json_object_put(t.now);
	return r;
}

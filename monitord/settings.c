// SPDX-License-Identifier: Apache-2.0
/*
 * The settings of a run.
 *
 * Theory of operation
 * -------------------
 * Every setting is a row: its key in a file, its option on the command line, and
 * the function that takes its value.  The functions know nothing of where a
 * value came from; what they say is wrong with it is completed by who called
 * them ("--policy 'lenient': must be ..." or "nginx.conf:3: Policy 'lenient':
 * must be ...").
 *
 * A later value replaces an earlier one, except for lists, where it adds.  What
 * the command line says comes last and wins; a list it names for the first time
 * is begun anew where two lists would make no sense together (options.c).
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "manager.h"
#include "nearest.h"
#include "see_parse.h"
#include "settings.h"
/* after our headers: it makes macros of some of our names */
#include <seccomp.h>

#define LAG_MS		1000u
#define LAG_BYTES	IPMON_RING_BYTES
#define LAG_BYTES_MIN	8192u

void fault_set(struct fault *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

/* ---- kinds of values ---- */

/* Words in the order of their enum. */
static const char *const policies[] = { "strict", "verified", "relaxed", NULL };
static const char *const layouts[] = { "disjoint", "same", "independent",
				       NULL };
static const char *const ondivs[] = { "kill", "continue", NULL };
static const char *const placements[] = { "auto", "none", "one", NULL };
static const char *const notifies[] = { "main", "all", "direct", NULL };
static const char *const withholds[] = { "CAP_SYS_PTRACE", "CAP_KILL",
					 "CAP_SETPCAP", NULL };
_Static_assert(POLICY_RELAXED == 2 && LAYOUT_INDEPENDENT == 2 && DIV_CONTINUE == 1 &&
	       PLACE_ONE == 2 && NOTIFY_DIRECT == 2 && WITHHOLD_SETPCAP == 1 << 2,
	       "words follow the enums");

static int word_of(const char *value, const char *const *words,
		   struct fault *f)
{
	struct nearest near = { NULL, 0 };
	char all[128] = "";

	for (int i = 0; words[i]; i++)
		if (!strcasecmp(value, words[i]))
			return i;
	for (int i = 0; words[i]; i++) {
		if (i)
			strcat(all, words[i + 1] ? ", " : " or ");
		strcat(all, words[i]);
		nearest_try(&near, value, words[i]);
	}
	fault_set(f, "must be %s%s%s%s", all, near.word ? "; did you mean " :
		  "", near.word ? near.word : "", near.word ? "?" : "");
	return -1;
}

static int number_of(const char *value, unsigned int min, unsigned int max,
		     unsigned int *out, struct fault *f)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)*value) || errno || *end || n < min ||
	    n > max) {
		fault_set(f, "must be a number from %u to %u", min, max);
		return -1;
	}
	*out = (unsigned int)n;
	return 0;
}

#define SET(name) \
	static int name(struct options *opt, const struct setting *s, \
			unsigned int variant, const char *value, \
			struct fault *f)

/* ---- [Run] ---- */

SET(set_variants)
{
	return number_of(value, 1, MAX_VARIANTS, &opt->n, f);
}

SET(set_policy)
{
	int w = word_of(value, policies, f);

	if (w >= 0)
		opt->policy = (enum policy)w;
	return w < 0 ? -1 : 0;
}

SET(set_layout)
{
	int w = word_of(value, layouts, f);

	if (w >= 0)
		opt->layout = (enum layout)w;
	return w < 0 ? -1 : 0;
}

SET(set_on_divergence)
{
	int w = word_of(value, ondivs, f);

	if (w >= 0)
		opt->on_divergence = (enum on_divergence)w;
	return w < 0 ? -1 : 0;
}

SET(set_placement)
{
	int w = word_of(value, placements, f);

	if (w >= 0)
		opt->placement = (enum placement)w;
	return w < 0 ? -1 : 0;
}

SET(set_level)
{
	const char *words[LEVEL_MAX] = { NULL };
	int w;

	for (unsigned int l = LEVEL_BASE; l < LEVEL_MAX; l++)
		words[l - LEVEL_BASE] = ipmon_level_name(l);
	w = word_of(value, words, f);
	if (w < 0)
		return -1;
	/* the last is all there is */
	opt->level = w + LEVEL_BASE == LEVEL_SOCKET_RW ? 0 :
		(unsigned int)w + LEVEL_BASE;
	return 0;
}

/* "RECORDS,BYTES,MILLISECONDS"; what is left out keeps its value. */
SET(set_max_lag)
{
	unsigned int *const to[] = {
		&opt->lag_records, &opt->lag_bytes, &opt->lag_ms
	};
	static const unsigned int most[] = {
		1u << 30, IPMON_RING_BYTES, 3600000
	};
	const char *p = value;

	for (unsigned int i = 0; i < 3; i++) {
		unsigned long n;
		char *end;

		errno = 0;
		n = strtoul(p, &end, 10);
		if (*p == '-' || *p == '+' || *p == ' ' || errno ||
		    n > most[i] || (i == 1 && n && n < LAG_BYTES_MIN))
			break;
		if (end != p)
			*to[i] = (unsigned int)n;
		if (!*end)
			return 0;
		if (*end != ',')
			break;
		p = end + 1;
	}
	fault_set(f, "must be RECORDS,BYTES,MILLISECONDS with BYTES from %u to %u, 0 for no bound",
		  LAG_BYTES_MIN, IPMON_RING_BYTES);
	return -1;
}

/* Seconds, or with a unit. */
SET(set_timeout)
{
	static const struct {
		const char *name;
		unsigned int factor;
	} unit[] = {
		{ "", 1 }, { "s", 1 }, { "sec", 1 }, { "min", 60 },
		{ "h", 3600 },
	};
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(value, &end, 10);
	for (size_t i = 0; end != value && !errno && *value != '-' &&
	     i < sizeof(unit) / sizeof(unit[0]); i++)
		if (!strcmp(end, unit[i].name) && n >= 1 &&
		    n <= 86400 / unit[i].factor) {
			opt->timeout = (unsigned int)n * unit[i].factor;
			return 0;
		}
	fault_set(f, "must be a time from 1s to 24h, such as 30, 30s or 2min");
	return -1;
}

bool cpu_list_parse(const char *list, unsigned long *mask, size_t words)
{
	const unsigned int bits = 8 * sizeof(mask[0]);
	const char *p = list;

	memset(mask, 0, words * sizeof(*mask));
	while (isdigit((unsigned char)*p)) {
		char *end;
		unsigned long from = strtoul(p, &end, 10), to = from;

		if (*end == '-' && isdigit((unsigned char)end[1]))
			to = strtoul(end + 1, &end, 10);
		if (from > to || to >= words * bits)
			return false;
		for (unsigned long i = from; i <= to; i++)
			mask[i / bits] |= 1ul << i % bits;
		if (!*end)
			return true;
		if (*end != ',')
			return false;
		p = end + 1;
	}
	return false;
}

static int check_cpus(const char *value, struct fault *f)
{
	unsigned long mask[CPU_LIST_WORDS];

	if (cpu_list_parse(value, mask, CPU_LIST_WORDS))
		return 0;
	fault_set(f, "must be a list of processors, such as 0,2-3");
	return -1;
}

SET(set_cpus)
{
	if (check_cpus(value, f))
		return -1;
	opt->cpus = value;
	return 0;
}

enum { FILE_REPORT, FILE_REPORT_DIR, FILE_STATS, FILE_TRACE, FILE_CONTROL };

SET(set_file)
{
	const char **const to[] = {
		[FILE_REPORT] = &opt->report_file,
		[FILE_REPORT_DIR] = &opt->report_dir,
		[FILE_STATS] = &opt->stats_file,
		[FILE_TRACE] = &opt->trace_file,
		[FILE_CONTROL] = &opt->control,
	};

	/* "Report=" takes back what an earlier file said */
	*to[s->arg] = *value ? value : NULL;
	return 0;
}

SET(set_metrics)
{
	struct metrics_at at;
	const char *why = *value ? metrics_parse(value, &at) : NULL;

	if (why) {
		fault_set(f, "%s", why);
		return -1;
	}
	opt->metrics = *value ? value : NULL;
	return 0;
}

SET(set_notify)
{
	int w = word_of(value, notifies, f);

	if (w >= 0)
		opt->notify = (unsigned int)w;
	return w < 0 ? -1 : 0;
}

SET(set_withhold)
{
	for (const char *p = value; *p;) {
		size_t n = strcspn(p, ",");
		unsigned int i;

		for (i = 0; withholds[i]; i++)
			if (strlen(withholds[i]) == n &&
			    !strncasecmp(p, withholds[i], n))
				break;
		if (!withholds[i]) {
			fault_set(f, "must be some of CAP_SYS_PTRACE,CAP_KILL,CAP_SETPCAP");
			return -1;
		}
		opt->withhold |= 1u << i;
		p += n + (p[n] == ',');
	}
	return 0;
}

SET(set_name)
{
	opt->argv0 = value;
	return 0;
}

SET(set_verbose)
{
	static const char *const words[] = {
		"no", "yes", "off", "on", "false", "true", "0", "1", NULL
	};
	int w = -1;

	for (int i = 0; words[i]; i++)
		if (!strcasecmp(value, words[i]))
			w = i;
	if (w < 0) {
		fault_set(f, "must be yes or no");
		return -1;
	}
	opt->verbose = (unsigned int)w % 2;
	return 0;
}

/* ---- [Variant] ---- */

SET(set_path)
{
	if (!*value) {
		fault_set(f, "must be the path of a program");
		return -1;
	}
	opt->variant_path[variant] = value;
	return 0;
}

SET(set_cpu)
{
	if (check_cpus(value, f))
		return -1;
	opt->cpu[variant] = value;
	return 0;
}

static int out_of_memory(struct fault *f)
{
	fault_set(f, "there is not enough memory");
	return -1;
}

static int add_env(struct options *opt, unsigned int variant,
		   const char *assignment, struct fault *f)
{
	const char *eq = strchr(assignment, '=');
	struct env_override *env;

	if (!eq || eq == assignment) {
		fault_set(f, "'%.100s' must be NAME=VALUE", assignment);
		return -1;
	}
	if (!strncmp(assignment, "LD_PRELOAD=", 11)) {
		fault_set(f, "LD_PRELOAD is for libraries in all variants; use Preload (--preload) for one");
		return -1;
	}
	env = reallocarray(opt->env, opt->n_env + 1, sizeof(*env));
	if (!env)
		return out_of_memory(f);
	opt->env = env;
	env[opt->n_env].variant = variant;
	env[opt->n_env].assignment = strdup(assignment);
	if (!env[opt->n_env].assignment)
		return out_of_memory(f);
	opt->n_env++;
	return 0;
}

static void clear_env(struct options *opt, unsigned int variant)
{
	size_t out = 0;

	for (size_t i = 0; i < opt->n_env; i++) {
		if (opt->env[i].variant == variant)
			free(opt->env[i].assignment);
		else
			opt->env[out++] = opt->env[i];
	}
	opt->n_env = out;
}

int settings_word(const char **value, char *buf, size_t size)
{
	const char *p = *value;
	char quote = 0;
	size_t n = 0;

	while (isspace((unsigned char)*p))
		p++;
	if (!*p)
		return 0;
	for (; *p && (quote || !isspace((unsigned char)*p)); p++) {
		char c = *p;

		if (c == quote) {
			quote = 0;
			continue;
		}
		if (!quote && (c == '"' || c == '\'')) {
			quote = c;
			continue;
		}
		if (c == '\\' && quote != '\'') {
			if (!p[1])
				return -1;
			c = *++p;
		}
		if (n + 1 >= size)
			return -1;
		buf[n++] = c;
	}
	buf[n] = 0;
	*value = p;
	return quote ? -1 : 1;
}

/* A file: words, with quotes.  The command line: one assignment as it is. */
SET(set_environment)
{
	char buf[4096];
	int r;

	if (s->arg)
		return add_env(opt, variant, value, f);
	if (!*value)
		clear_env(opt, variant);
	while ((r = settings_word(&value, buf, sizeof(buf))) > 0)
		if (add_env(opt, variant, buf, f))
			return -1;
	if (r < 0)
		fault_set(f, "a quote is not closed, or a word is longer than %zu bytes",
			  sizeof(buf) - 1);
	return r;
}

static void free_words(char **words)
{
	for (char **w = words; w && *w; w++)
		free(*w);
	free(words);
}

/* What to run when the command line does not say: words, with quotes. */
SET(set_program)
{
	size_t n = 0;
	char **words = calloc(1, sizeof(*words));
	char buf[4096];
	int r = 1;

	while (words && (r = settings_word(&value, buf, sizeof(buf))) > 0) {
		char **more = reallocarray(words, n + 2, sizeof(*words));

		if (!more)
			break;
		words = more;
		words[n] = strdup(buf);
		if (!words[n++])
			break;
		words[n] = NULL;
	}
	if (words && !r) {
		free_words(opt->program);
		/* "Program=" takes back what an earlier file said */
		opt->program = n ? words : NULL;
		if (!n)
			free(words);
		return 0;
	}
	if (words && r < 0)
		fault_set(f, "a quote is not closed, or a word is longer than %zu bytes",
			  sizeof(buf) - 1);
	else
		out_of_memory(f);
	free_words(words);
	return -1;
}

SET(set_preload)
{
	char *old = opt->preload[variant], *list;
	char *words, *save = NULL, *w;
	int r = 0;

	if (!*value) {
		free(old);
		opt->preload[variant] = NULL;
		return 0;
	}
	words = strdup(value);
	list = calloc(1, strlen(value) + (old ? strlen(old) : 0) + 2);
	if (!words || !list) {
		free(words);
		free(list);
		return out_of_memory(f);
	}
	if (old)
		strcpy(list, old);
	/* as ld.so separates them: names with blanks or colons cannot be */
	for (w = strtok_r(words, ": \t", &save); w && !r;
	     w = strtok_r(NULL, ": \t", &save)) {
		if (*w != '/') {
			fault_set(f, "'%.100s' must be an absolute path of a library",
				  w);
			r = -1;
			break;
		}
		if (*list)
			strcat(list, ":");
		strcat(list, w);
	}
	free(words);
	if (r || strlen(list) >= PRELOAD_MAX) {
		if (!r)
			fault_set(f, "the list is longer than %u bytes",
				  PRELOAD_MAX - 1);
		free(list);
		return -1;
	}
	free(old);
	opt->preload[variant] = *list ? list : NULL;
	if (!*list)
		free(list);
	return 0;
}

/* ---- [Calls] ---- */

static const char *const actions[] = {
	[CALL_TRAP] = "Trap", [CALL_VERIFY] = "Verify", [CALL_RELAX] = "Relax",
	[CALL_DENY] = "Deny",
};

static void unknown_call(const char *name, struct fault *f)
{
	struct nearest near = { NULL, 0 };

	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++)
		if (ipmon_row(nr)->name[0])
			nearest_try(&near, name, ipmon_row(nr)->name);
	fault_set(f, "there is no system call '%.60s'%s%s%s; 'monitord syscalls' lists them",
		  name, near.word ? "; did you mean " : "",
		  near.word ? near.word : "", near.word ? "?" : "");
}

/* Without these a program cannot even end, or its stack is lost. */
static bool needed(uint64_t nr)
{
	const struct ipmon_row *row = ipmon_row(nr);

	return row->handler == H_EXIT || row->handler == H_SIGRETURN ||
		!strcmp(row->name, "restart_syscall");
}

static int errno_named(const char *name, struct fault *f)
{
	struct nearest near = { NULL, 0 };

	for (int e = 1; e < 134; e++) {
		const char *n = strerrorname_np(e);

		if (n && !strcmp(n, name))
			return e;
		if (n)
			nearest_try(&near, name, n);
	}
	fault_set(f, "'%.60s' is no error%s%s%s; it must be the name of one, such as EACCES",
		  name, near.word ? "; did you mean " : "",
		  near.word ? near.word : "", near.word ? "?" : "");
	return -1;
}

static int set_call(struct options *opt, int action, char *name,
		    struct fault *f)
{
	char *colon = strchr(name, ':');
	const struct ipmon_row *row;
	int nr, error = EPERM;

	if (colon && action != CALL_DENY) {
		fault_set(f, "'%.60s': only Deny takes an error", name);
		return -1;
	}
	if (colon) {
		*colon = 0;
		error = errno_named(colon + 1, f);
		if (error < 0)
			return -1;
	}
	nr = seccomp_syscall_resolve_name(name);
	/* negative: a call of other machines */
	if (nr < 0 || nr >= IPMON_NR_MAX) {
		unknown_call(name, f);
		return -1;
	}
	row = ipmon_row((uint64_t)nr);
	if (action == CALL_DENY && needed((uint64_t)nr)) {
		fault_set(f, "%s cannot be denied: programs could not end", name);
		return -1;
	}
	if (action == CALL_RELAX && (row->flags & RF_NEVER_INPROC ||
				     ipmon_row_path(row) == PATH_MONITOR ||
				     ipmon_row_path(row) == PATH_REFUSED)) {
		fault_set(f, "%s is never made without monitord; 'monitord syscalls %s' shows how it is treated",
			  name, name);
		return -1;
	}
	opt->calls[nr].action = (uint8_t)action;
	opt->calls[nr].error = (uint8_t)(action == CALL_DENY ? error : 0);
	opt->any_calls = true;
	return 0;
}

SET(set_calls)
{
	char *words, *save = NULL, *w;
	int r = 0;

	for (int nr = 0; !*value && nr < IPMON_NR_MAX; nr++)
		if (opt->calls[nr].action == s->arg)
			opt->calls[nr].action = CALL_DEFAULT;
	words = strdup(value);
	if (!words)
		return out_of_memory(f);
	for (w = strtok_r(words, ", \t", &save); w && !r;
	     w = strtok_r(NULL, ", \t", &save))
		r = set_call(opt, s->arg, w, f);
	free(words);
	return r;
}

/* ---- the table ---- */

const struct setting settings[] = {
	{ "Variants", "variants", IN_RUN, set_variants },
	{ "Program", NULL, IN_RUN, set_program },
	{ "Policy", "policy", IN_RUN, set_policy },
	{ "Level", "level", IN_RUN, set_level },
	{ "MaxLag", "max-lag", IN_RUN, set_max_lag },
	{ "Layout", "layout", IN_RUN, set_layout },
	{ "OnDivergence", "on-divergence", IN_RUN, set_on_divergence },
	{ "Timeout", "timeout", IN_RUN, set_timeout },
	{ "CPUs", "cpus", IN_RUN, set_cpus },
	{ "Placement", "placement", IN_RUN, set_placement },
	{ "Report", "report", IN_RUN, set_file, FILE_REPORT },
	{ "ReportDirectory", "report-dir", IN_RUN, set_file, FILE_REPORT_DIR },
	{ "Stats", "stats", IN_RUN, set_file, FILE_STATS },
	{ "Trace", "trace", IN_RUN, set_file, FILE_TRACE },
	{ "Control", "control", IN_RUN, set_file, FILE_CONTROL },
	{ "Metrics", "metrics", IN_RUN, set_metrics },
	{ "Verbose", NULL, IN_RUN, set_verbose },
	/* what `monitord service` writes into drop-ins */
	{ NULL, "notify", IN_RUN, set_notify },
	{ NULL, "withhold", IN_RUN, set_withhold },
	{ NULL, "name", IN_RUN, set_name },
	{ "Path", "variant", IN_VARIANT, set_path },
	{ "Environment", NULL, IN_VARIANT, set_environment, 0, true },
	{ NULL, "env", IN_VARIANT, set_environment, 1, true },
	{ "Preload", "preload", IN_VARIANT, set_preload, 0, true },
	{ "CPU", "cpu", IN_VARIANT, set_cpu },
	{ "Trap", "trap", IN_CALLS, set_calls, CALL_TRAP, true },
	{ "Verify", "verify", IN_CALLS, set_calls, CALL_VERIFY, true },
	{ "Relax", "relax", IN_CALLS, set_calls, CALL_RELAX, true },
	{ "Deny", "deny", IN_CALLS, set_calls, CALL_DENY, true },
};
const size_t n_settings = sizeof(settings) / sizeof(settings[0]);

const char *setting_section_name(enum setting_section s)
{
	static const char *const name[] = { "Run", "Variant", "Calls" };

	return name[s];
}

const char *call_action_name(unsigned int action)
{
	return action < CALL_ACTIONS && actions[action] ? actions[action] : "";
}

void settings_init(struct options *opt)
{
	memset(opt, 0, sizeof(*opt));
	opt->n = DEFAULT_VARIANTS;
	opt->timeout = DEFAULT_TIMEOUT;
	opt->policy = POLICY_VERIFIED;
	opt->lag_bytes = LAG_BYTES;
	opt->lag_ms = LAG_MS;
}

void settings_free(struct options *opt)
{
	for (size_t i = 0; i < opt->n_env; i++)
		free(opt->env[i].assignment);
	free(opt->env);
	opt->env = NULL;
	opt->n_env = 0;
	for (unsigned int v = 0; v < MAX_VARIANTS; v++) {
		free(opt->preload[v]);
		opt->preload[v] = NULL;
	}
	free_words(opt->program);
	opt->program = NULL;
}

void settings_forget(struct options *opt, unsigned int variant)
{
	clear_env(opt, variant);
	free(opt->preload[variant]);
	opt->preload[variant] = NULL;
	opt->variant_path[variant] = opt->cpu[variant] = NULL;
}

static bool same_string(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool settings_diverse(const struct options *opt)
{
	for (unsigned int v = 1; v < opt->n; v++)
		if (!same_string(opt->variant_path[v], opt->variant_path[0]) ||
		    !same_string(opt->preload[v], opt->preload[0]))
			return true;
	return false;
}

int settings_check(const struct options *opt, settings_wrong *wrong, void *ctx)
{
	struct fault f;
	int n = 0;

	for (unsigned int k = opt->n; k < MAX_VARIANTS; k++) {
		const char *key = opt->variant_path[k] ? "Path" :
			opt->preload[k] ? "Preload" :
			opt->cpu[k] ? "CPU" : NULL;

		for (size_t i = 0; !key && i < opt->n_env; i++)
			if (opt->env[i].variant == k)
				key = "Environment";
		if (!key)
			continue;
		fault_set(&f, "with %u variant%s, they are numbered 0 to %u; say how many with Variants=%u (-n %u)",
			  opt->n, opt->n == 1 ? "" : "s", opt->n - 1, k + 1,
			  k + 1);
		wrong(ctx, (int)k, key, &f);
		n++;
	}
	return n;
}

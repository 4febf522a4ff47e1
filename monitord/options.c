// SPDX-License-Identifier: Apache-2.0
/*
 * The options of `monitord run`.
 *
 * Parsing stops at the first word that is not an option, so the program's
 * own options never need quoting; "--" makes that explicit.  Whatever is
 * wrong is said in one line that ends with what to do instead.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static const char usage[] =
	"usage: monitord run [OPTION...] -- PROGRAM [ARG...]\n"
	"\n"
	"  -n, --variants N        number of variants, 1 to 8 (2)\n"
	"      --policy P          strict: every call at a rendezvous\n"
	"                          verified: in-process, followers first (default)\n"
	"                          relaxed: in-process, leader runs ahead\n"
	"      --level L           in-process up to BASE, NONSOCKET_RO, NONSOCKET_RW,\n"
	"                          SOCKET_RO or SOCKET_RW (default)\n"
	"      --max-lag R,B,MS    how far ahead: calls, bytes, ms (0,131072,1000)\n"
	"      --layout L          disjoint addresses (default), or same\n"
	"      --variant K=PATH    variant K runs PATH instead of PROGRAM\n"
	"      --env K:NAME=VALUE  set NAME in the environment of variant K\n"
	"      --on-divergence A   kill all variants (default), or continue without\n"
	"                          the deviating follower\n"
	"      --timeout SECONDS   how late a variant may be (30)\n"
	"      --cpus LIST         processors to use, such as 0,2-3\n"
	"      --placement P       auto (default), none, one: use of the cores\n"
	"      --report FILE.json  write the divergence report to FILE.json\n"
	"      --stats FILE.json   write counters to FILE.json at the end\n"
	"      --trace FILE        one line per rendezvous, as strace prints\n"
	"  -v, --verbose           say what is being done     -h, --help\n"
	"Exit status: the program's; 128+S if it died of signal S; 99 on\n"
	"divergence; 125 monitord failed; 126 not executable; 127 not found.\n";

enum {
	O_POLICY = 256, O_LAYOUT, O_VARIANT, O_ENV, O_ONDIV, O_TIMEOUT,
	O_PLACEMENT, O_REPORT, O_STATS, O_TRACE, O_LEVEL, O_LAG, O_CPUS,
};

static const struct option longopts[] = {
	{ "variants", required_argument, NULL, 'n' },
	{ "policy", required_argument, NULL, O_POLICY },
	{ "layout", required_argument, NULL, O_LAYOUT },
	{ "variant", required_argument, NULL, O_VARIANT },
	{ "env", required_argument, NULL, O_ENV },
	{ "on-divergence", required_argument, NULL, O_ONDIV },
	{ "timeout", required_argument, NULL, O_TIMEOUT },
	{ "placement", required_argument, NULL, O_PLACEMENT },
	{ "level", required_argument, NULL, O_LEVEL },
	{ "max-lag", required_argument, NULL, O_LAG },
	{ "cpus", required_argument, NULL, O_CPUS },
	{ "report", required_argument, NULL, O_REPORT },
	{ "stats", required_argument, NULL, O_STATS },
	{ "trace", required_argument, NULL, O_TRACE },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Words in the order of their enum. */
static const char *const policies[] = { "strict", "verified", "relaxed", NULL };
static const char *const layouts[] = { "disjoint", "same", NULL };
static const char *const ondivs[] = { "kill", "continue", NULL };
static const char *const placements[] = { "auto", "none", "one", NULL };
_Static_assert(POLICY_RELAXED == 2 && LAYOUT_SAME == 1 && DIV_CONTINUE == 1 &&
	       PLACE_ONE == 2, "words follow the enums");

static int word(const char *option, const char *value,
		const char *const *words)
{
	char all[128] = "";

	for (int i = 0; words[i]; i++)
		if (!strcmp(value, words[i]))
			return i;
	for (int i = 0; words[i]; i++) {
		if (i)
			strcat(all, words[i + 1] ? ", " : " or ");
		strcat(all, words[i]);
	}
	say("--%s '%s': must be %s", option, value, all);
	return -1;
}

static int number(const char *option, const char *value, unsigned int min,
		  unsigned int max, unsigned int *out)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(value, &end, 10);
	if (errno || end == value || *end || *value == '-' || n < min ||
	    n > max) {
		say("%s '%s': must be a number from %u to %u", option, value,
		    min, max);
		return -1;
	}
	*out = (unsigned int)n;
	return 0;
}

static int level(const char *value, unsigned int *out)
{
	for (unsigned int l = LEVEL_BASE; l < LEVEL_MAX; l++) {
		if (strcasecmp(value, ipmon_level_name(l)))
			continue;
		/* the last is all there is */
		*out = l == LEVEL_SOCKET_RW ? 0 : l;
		return 0;
	}
	say("--level '%s': must be BASE, NONSOCKET_RO, NONSOCKET_RW, SOCKET_RO or SOCKET_RW",
	    value);
	return -1;
}

#define LAG_MS		1000u
#define LAG_BYTES	(IPMON_RING_BYTES / 2)
#define LAG_BYTES_MIN	8192u

/* "RECORDS,BYTES,MILLISECONDS"; what is left out keeps its default. */
static int max_lag(const char *value, struct options *opt)
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
	say("--max-lag '%s': must be RECORDS,BYTES,MILLISECONDS with BYTES from %u to %u, 0 for no bound",
	    value, LAG_BYTES_MIN, IPMON_RING_BYTES);
	return -1;
}

/* "K=rest" or "K:rest": one digit and a separator. */
static int numbered(const char *option, const char *value, char sep,
		    unsigned int *k)
{
	if (value[0] < '0' || value[0] >= '0' + MAX_VARIANTS ||
	    value[1] != sep || !value[2]) {
		say("--%s '%s': must be K%c..., K being the variant's number, 0 for the leader",
		    option, value, sep);
		return -1;
	}
	*k = (unsigned int)(value[0] - '0');
	return 0;
}

static int add_env(struct options *opt, char *value)
{
	unsigned int k;
	struct env_override *env;

	if (numbered("env", value, ':', &k) < 0)
		return -1;
	if (value[2] == '=' || !strchr(value + 2, '=')) {
		say("--env '%s': must be K:NAME=VALUE", value);
		return -1;
	}
	env = reallocarray(opt->env, opt->n_env + 1, sizeof(*env));
	if (!env) {
		say("out of memory");
		return -1;
	}
	opt->env = env;
	env[opt->n_env].variant = k;
	env[opt->n_env++].assignment = value + 2;
	return 0;
}

/* What only the whole set of options shows to be wrong. */
static int check(const struct options *opt)
{
	for (unsigned int k = opt->n; k < MAX_VARIANTS; k++)
		if (opt->variant_path[k]) {
			say("--variant %u=...: with -n %u the variants are 0 to %u",
			    k, opt->n, opt->n - 1);
			return -1;
		}
	for (size_t i = 0; i < opt->n_env; i++)
		if (opt->env[i].variant >= opt->n) {
			say("--env %u:...: with -n %u the variants are 0 to %u",
			    opt->env[i].variant, opt->n, opt->n - 1);
			return -1;
		}
	return 0;
}

int options_parse(int argc, char **argv, struct options *opt)
{
	int c, w = 0;
	unsigned int k;

	memset(opt, 0, sizeof(*opt));
	opt->n = DEFAULT_VARIANTS;
	opt->timeout = DEFAULT_TIMEOUT;
	opt->policy = POLICY_VERIFIED;
	opt->lag_bytes = LAG_BYTES;
	opt->lag_ms = LAG_MS;
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "+:n:vh", longopts, NULL)) != -1) {
		switch (c) {
		case 'n':
			w = number("-n", optarg, 1, MAX_VARIANTS, &opt->n);
			break;
		case O_POLICY:
			w = word("policy", optarg, policies);
			opt->policy = (enum policy)w;
			break;
		case O_LAYOUT:
			w = word("layout", optarg, layouts);
			opt->layout = (enum layout)w;
			break;
		case O_ONDIV:
			w = word("on-divergence", optarg, ondivs);
			opt->on_divergence = (enum on_divergence)w;
			break;
		case O_PLACEMENT:
			w = word("placement", optarg, placements);
			opt->placement = (enum placement)w;
			break;
		case O_LEVEL:
			w = level(optarg, &opt->level);
			break;
		case O_LAG:
			w = max_lag(optarg, opt);
			break;
		case O_CPUS:
			opt->cpus = optarg;
			break;
		case O_TIMEOUT:
			w = number("--timeout", optarg, 1, 86400,
				   &opt->timeout);
			break;
		case O_VARIANT:
			w = numbered("variant", optarg, '=', &k);
			if (!w)
				opt->variant_path[k] = optarg + 2;
			break;
		case O_ENV:
			w = add_env(opt, optarg);
			break;
		case O_REPORT:
			opt->report_file = optarg;
			break;
		case O_STATS:
			opt->stats_file = optarg;
			break;
		case O_TRACE:
			opt->trace_file = optarg;
			break;
		case 'v':
			opt->verbose++;
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		case ':':
			say("option '%s' needs a value; try 'monitord run --help'",
			    argv[optind - 1]);
			return EXIT_MONITOR;
		default:
			if (optopt > 0 && optopt < 256)
				say("no option '-%c'; try 'monitord run --help'",
				    optopt);
			else
				say("no option '%s'; try 'monitord run --help'",
				    argv[optind - 1]);
			return EXIT_MONITOR;
		}
		if (w < 0)
			return EXIT_MONITOR;
	}
	if (optind >= argc) {
		say("no program given; try 'monitord run -- PROGRAM'");
		return EXIT_MONITOR;
	}
	opt->argv = argv + optind;
	return check(opt) < 0 ? EXIT_MONITOR : 0;
}

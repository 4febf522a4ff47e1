// SPDX-License-Identifier: Apache-2.0
/*
 * The options of `monitord run`.
 *
 * Parsing stops at the first word that is not an option, so the program's
 * own options never need quoting; "--" makes that explicit.  Whatever is
 * wrong is said in one line that ends with what to do instead.
 *
 * What options there are follows from the table of settings (settings.c).  The
 * line is gone through twice: first for --config, as what the files say comes
 * first and the rest of the line wins over it.
 */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "options.h"
#include "settings.h"

/* No longer than a terminal of 24 lines shows. */
static const char usage[] =
	"usage: monitord run [OPTION...] -- PROGRAM [ARG...]\n"
	"      --config NAME|FILE  settings of /etc/ipmon/NAME.conf, or a FILE with /\n"
	"  -n, --variants N        number of variants, 1 to 8 (2)\n"
	"      --policy P          strict: every call at a rendezvous; verified\n"
	"                          (default): followers first; relaxed: leader first\n"
	"      --level L           in-process up to BASE, NONSOCKET_RO, NONSOCKET_RW,\n"
	"                          SOCKET_RO or SOCKET_RW (default)\n"
	"      --max-lag R,B,MS    how far ahead: calls, bytes, ms (0,262144,1000)\n"
	"      --layout L          disjoint addresses (default), independent or same\n"
	"      --variant K=PATH    variant K runs PATH instead of PROGRAM\n"
	"      --env K:NAME=VALUE  in its environment;  --preload K:LIBRARY loaded first\n"
	"      --cpus LIST         processors to use (0,2-3);  --cpu K:LIST of variant K\n"
	"      --placement P       auto (default), none, one: use of the cores\n"
	"      --trap CALL,...     these at a rendezvous; --verify: not before all ask;\n"
	"                          --relax: without waiting; --deny CALL[:ERROR]: refused\n"
	"      --on-divergence A   kill all (default), or continue without the follower\n"
	"      --timeout TIME      how late a variant may be (30s)\n"
	"      --report FILE.json  of a divergence;  --report-dir DIR: a file of its own\n"
	"      --stats FILE.json   counters, at the end;  --trace FILE: each rendezvous\n"
	"      --notify, --withhold, --name: what `monitord service` writes\n"
	"      --control PATH|none where ps and top look;  --metrics unix:PATH|HOST:PORT\n"
	"  -v, --verbose           say what is being done     -h, --help\n"
	"Exit status: the program's; 128+S if it died of signal S; 99 on\n"
	"divergence; 125 monitord failed; 126 not executable; 127 not found.\n";

enum { O_CONFIG = 256, O_SETTING };
#define OPTIONS_MAX 40u

static struct option longopts[OPTIONS_MAX + 5];

static void make_longopts(void)
{
	size_t n = 0;

	longopts[n++] = (struct option){ "config", required_argument, NULL,
					 O_CONFIG };
	longopts[n++] = (struct option){ "verbose", no_argument, NULL, 'v' };
	longopts[n++] = (struct option){ "help", no_argument, NULL, 'h' };
	for (size_t i = 0; i < n_settings && n < OPTIONS_MAX; i++)
		if (settings[i].option)
			longopts[n++] = (struct option){
				settings[i].option, required_argument, NULL,
				O_SETTING + (int)i,
			};
}

static struct config config;
static struct {
	bool n;				/* how many is said on the line */
	unsigned int variants;		/* bit per variant it names */
	unsigned int preloads;		/* ... and whose Preload it sets */
} line;

/* "K=rest" or "K:rest": the number and the rest, or NULL. */
static char *numbered(char *value, unsigned int *k)
{
	if (value[0] < '0' || value[0] >= '0' + MAX_VARIANTS ||
	    (value[1] != '=' && value[1] != ':'))
		return NULL;
	*k = (unsigned int)(value[0] - '0');
	return value + 2;
}

static int set_option(struct options *opt, const struct setting *s,
		      char *value)
{
	struct fault f = { "" };
	unsigned int k = 0;
	char *rest = value;

	if (s->section == IN_VARIANT) {
		rest = numbered(value, &k);
		if (!rest) {
			say("--%s '%s': must be K%c..., K being the variant's number, 0 for the leader",
			    s->option, value,
			    strcmp(s->option, "variant") ? ':' : '=');
			return -1;
		}
		line.variants |= 1u << k;
		if (!strcmp(s->option, "preload")) {
			/* another allocator, not two */
			if (!(line.preloads >> k & 1))
				s->set(opt, s, k, "", &f);
			line.preloads |= 1u << k;
		}
	}
	if (!s->set(opt, s, k, rest, &f))
		return 0;
	say("--%s '%s': %s", s->option, value, f.text);
	return -1;
}

/* What is wrong with the whole: of whom, and if a file has said it, where. */
static void wrong(void *ctx, int variant, const char *key,
		  const struct fault *f)
{
	const struct config_item *it = config_where(&config, variant, key);
	char who[32] = "";

	if (variant >= 0 && line.variants >> variant & 1)
		it = NULL;
	if (variant >= 0)
		snprintf(who, sizeof(who), "[Variant %d] ", variant);
	if (it)
		config_error(&config, it->file, it->line, "%s%s: %s", who, key,
			     f->text);
	else
		say("%s%s: %s", who, key, f->text);
}

static int check(struct options *opt)
{
	int n;

	/* [Variant] is about those there are, and -n may ask for fewer */
	for (unsigned int v = opt->n; v < MAX_VARIANTS; v++)
		if (!(line.variants >> v & 1) &&
		    (line.n || !config_names(&config, v)))
			settings_forget(opt, v);
	n = settings_check(opt, wrong, NULL);
	/* a program that is not there has an exit status of its own */
	n += settings_check_files(opt, false, wrong, NULL);
	config_say(&config);
	opt->diverse = settings_diverse(opt);
	return n ? -1 : 0;
}

/* First, what files say. */
static int read_configs(int argc, char **argv, struct options *opt)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "+:n:vh", longopts, NULL)) != -1)
		if (c == O_CONFIG)
			config_read(&config, optarg);
	config_apply(&config, opt);
	if (!config.n_errors)
		return 0;
	config_say(&config);
	say("the configuration is wrong; nothing has been started; 'monitord check-config' looks at it without starting anything");
	return -1;
}

int options_parse(int argc, char **argv, struct options *opt)
{
	int c, w;

	make_longopts();
	settings_init(opt);
	opterr = 0;
	if (read_configs(argc, argv, opt) < 0)
		return EXIT_MONITOR;
	optind = 1;
	while ((c = getopt_long(argc, argv, "+:n:vh", longopts, NULL)) != -1) {
		struct fault f = { "" };

		w = 0;
		switch (c) {
		case 'n':
			/* the first row */
			line.n = true;
			w = settings[0].set(opt, &settings[0], 0, optarg, &f);
			if (w < 0)
				say("-n '%s': %s", optarg, f.text);
			break;
		case O_CONFIG:
			break;
		case 'v':
			opt->verbose++;
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		case ':':
		case '?':
			return wrong_option("run", argv, longopts, c);
		default:
			line.n |= c == O_SETTING;
			w = set_option(opt, &settings[c - O_SETTING], optarg);
			break;
		}
		if (w < 0)
			return EXIT_MONITOR;
	}
	opt->argv = optind < argc ? argv + optind : opt->program;
	if (!opt->argv) {
		say("no program given%s; try 'monitord run -- PROGRAM'",
		    config.n_files ? ", and no Program in the configuration" :
		    "");
		return EXIT_MONITOR;
	}
	return check(opt) < 0 ? EXIT_MONITOR : 0;
}

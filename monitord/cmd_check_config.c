// SPDX-License-Identifier: Apache-2.0
/*
 * `monitord check-config`: what `run --config` would say, without starting
 * anything.
 *
 * All files are looked at and everything that is wrong with them is said,
 * on standard error.  Standard output has one line for each that is in order.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "options.h"
#include "settings.h"

#define EXIT_WRONG 1

static const char usage[] =
	"usage: monitord check-config NAME|FILE...\n"
	"\n"
	"Says what is wrong with the configuration NAME, which is\n"
	IPMON_CONFDIR "/NAME.conf, or with FILE, which has a slash in it, and\n"
	"with the files in NAME.conf.d: syntax, keys, values, and whether the\n"
	"programs, libraries, directories and processors they name are there.\n"
	"\n"
	"Exit status: 0 all is in order, 1 something is wrong (all of it has been\n"
	"said), 125 called wrongly.\n";

static void wrong(void *ctx, int variant, const char *key,
		  const struct fault *f)
{
	struct config *c = ctx;
	const struct config_item *it = config_where(c, variant, key);

	config_error(c, it ? it->file : "", it ? it->line : 0, "%s: %s", key,
		     f->text);
}

static bool check(const char *name)
{
	struct config c = { NULL };
	struct options opt;
	bool ok;

	settings_init(&opt);
	config_read(&c, name);
	config_apply(&c, &opt);
	for (unsigned int v = opt.n; v < MAX_VARIANTS; v++)
		if (!config_names(&c, v))
			settings_forget(&opt, v);
	settings_check(&opt, wrong, &c);
	settings_check_files(&opt, true, wrong, &c);
	ok = !c.n_errors;
	config_say(&c);
	for (size_t i = 0; ok && i < c.n_files; i++)
		printf("%s: ok\n", c.files[i]);
	settings_free(&opt);
	config_free(&c);
	return ok;
}

int cmd_check_config(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int status = 0, c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":h", longopts, NULL)) != -1) {
		if (c != 'h')
			return wrong_option("check-config", argv, longopts, c);
		fputs(usage, stdout);
		return 0;
	}
	if (optind >= argc) {
		say("no configuration given; try 'monitord check-config NAME' of " IPMON_CONFDIR "/NAME.conf, or a FILE with a slash in its path");
		return EXIT_MONITOR;
	}
	for (; optind < argc; optind++)
		if (!check(argv[optind]))
			status = EXIT_WRONG;
	if (fflush(stdout) == EOF)
		return EXIT_MONITOR;
	return status;
}

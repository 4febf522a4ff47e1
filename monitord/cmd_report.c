// SPDX-License-Identifier: Apache-2.0
/*
 * `monitord report FILE`: a divergence report for people.
 *
 * Nothing here looks at the machine: all that is shown has been written down
 * when it happened, backtraces with their source lines too, because the
 * processes are gone.  The file is hostile input, see report_read.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front.h"
#include "monitor.h"
#include "options.h"
#include "report.h"
#include "style.h"
#include "text.h"

static const char usage[] =
	"usage: monitord report [OPTION...] FILE\n"
	"\n"
	"Shows a divergence report, which `monitord run --report FILE` has written:\n"
	"what happened, what it may mean, the calls side by side, the bytes that\n"
	"differ, backtraces, and the calls before. FILE may be - for standard input.\n"
	"\n"
	"      --color WHEN  auto (default: on a terminal, unless NO_COLOR is set),\n"
	"                    always or never\n"
	"      --json        the report as JSON again, checked and cleaned\n"
	"  -h, --help\n"
	"\n"
	"Lines are broken at the width of the terminal, else at COLUMNS, else at 80.\n"
	"\n"
	"Exit status: 0 if the report could be shown, 125 if not.\n";

static int read_all(int fd, char **text, size_t *n)
{
	size_t cap = 65536;
	char *buf = malloc(cap);

	*n = 0;
	while (buf) {
		ssize_t r;

		if (*n == cap) {
			char *more = realloc(buf, cap *= 2);

			if (!more)
				break;
			buf = more;
		}
		r = read(fd, buf + *n, cap - *n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			int err = errno;

			free(buf);
			return -err;
		}
		*n += (size_t)r;
		/* one byte more than allowed: report_parse() refuses it */
		if (!r || *n > REPORT_BYTES) {
			*text = buf;
			return 0;
		}
	}
	free(buf);
	return -ENOMEM;
}

static int load(const char *path, char **text, size_t *n)
{
	bool own = strcmp(path, "-");
	int fd, r;
	struct stat st;

	fd = own ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO;
	if (fd < 0)
		return -errno;
	if (own && !fstat(fd, &st) && S_ISDIR(st.st_mode))
		r = -EISDIR;
	else
		r = read_all(fd, text, n);
	if (own)
		close(fd);
	return r;
}

static int show(const struct report *r, bool json, enum style_when when)
{
	struct style style = style_for(STDOUT_FILENO, when);

	if (json) {
		struct json_object *o = report_to_json(r);

		puts(json_object_to_json_string_ext(o,
			JSON_C_TO_STRING_PRETTY |
			JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
	} else {
		report_print(stdout, r, &style);
	}
	if (fflush(stdout) || ferror(stdout)) {
		say("cannot write to standard output: %s; is the disk full, or the reader gone?",
		    strerror(errno));
		return EXIT_MONITOR;
	}
	return 0;
}

static int report_file(const char *path, bool json, enum style_when when)
{
	char name[256], *text = NULL;
	const char *why;
	struct report *r;
	size_t n = 0;
	int err;

	text_sanitize(name, sizeof(name), path);
	err = load(path, &text, &n);
	if (err < 0) {
		say("%s: %s%s", name, strerror(-err), err == -ENOENT ?
		    "; without a divergence `run --report` writes none" : "");
		return EXIT_MONITOR;
	}
	r = calloc(1, sizeof(*r));
	why = r ? report_parse(r, text, n) : "out of memory";
	if (why)
		say("%s: %s; give the file that `monitord run --report` has written",
		    name, why);
	else
		err = show(r, json, when);
	free(r);
	free(text);
	return why ? EXIT_MONITOR : err;
}

int cmd_report(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "color", required_argument, NULL, 'c' },
		{ "colour", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	enum style_when when = STYLE_AUTO;
	bool json = false;
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":h", longopts, NULL)) != -1) {
		switch (c) {
		case 'c':
			if (!style_parse(optarg, &when))
				break;
			say("--color '%s': must be auto, always or never",
			    optarg);
			return EXIT_MONITOR;
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return wrong_option("report", argv, longopts, c);
		}
	}
	if (argc - optind != 1) {
		say("%s; try 'monitord report FILE', or - for standard input",
		    argc > optind ? "one file at a time" : "no file given");
		return EXIT_MONITOR;
	}
	return report_file(argv[optind], json, when);
}

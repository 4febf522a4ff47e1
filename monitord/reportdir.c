// SPDX-License-Identifier: Apache-2.0
/*
 * Names of reports in a directory.
 *
 * A service that is restarted after a divergence must not lose the report of
 * the one before, so each has a name of its own: sorted by name, those of a
 * program are sorted by time, which is UTC.  The directory's path is made
 * absolute at the start, because monitord changes its working directory along
 * with nobody but may outlive the meaning of a relative one.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "monitor.h"
#include "reportdir.h"

static char absolute[PATH_MAX];

int report_dir_prepare(const char *dir)
{
	/* reports show memory of the program */
	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		int e = errno;

		say("cannot make the report directory %s: %s; make it, or name another (ReportDirectory=, --report-dir)",
		    dir, strerror(e));
		return -e;
	}
	if (!realpath(dir, absolute) || access(absolute, W_OK | X_OK)) {
		int e = errno;

		say("the report directory %s cannot be used: %s; name one that this user may write to (ReportDirectory=, --report-dir), in a service with ReadWritePaths=",
		    dir, strerror(e));
		return -e;
	}
	return 0;
}

const char *report_dir_path(const char *dir, const char *program, long pid)
{
	static char path[PATH_MAX + 128];
	const char *slash = strrchr(program, '/');
	char name[64], when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	size_t n = 0;

	program = slash ? slash + 1 : program;
	for (; *program && n < sizeof(name) - 1; program++)
		name[n++] = isalnum((unsigned char)*program) ||
			strchr("._+-", *program) ? *program : '_';
	name[n] = 0;
	if (gmtime_r(&now, &tm))
		strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	if (*absolute)
		dir = absolute;
	for (unsigned int k = 1; k < 1000; k++) {
		int len = snprintf(path, sizeof(path), "%s/%s-%s-%ld", dir,
				   *name && *name != '.' ? name : "program",
				   when, pid);

		if (k > 1)
			len += snprintf(path + len, sizeof(path) - (size_t)len,
					".%u", k);
		snprintf(path + len, sizeof(path) - (size_t)len, ".json");
		if (access(path, F_OK))
			break;
	}
	return path;
}

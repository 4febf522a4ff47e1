// SPDX-License-Identifier: Apache-2.0
/*
 * What LD_PRELOAD names is for the program.  monitord is no place for it: a sanitizer's
 * runtime in a tracer that was not built with it dies, and nobody's library shall be in
 * what watches over the program.  So monitord executes itself once more without.  What
 * the variable says waits in a sealed file of memory, and in its place in the
 * environment is another one with the number of that file's descriptor.
 *
 * Others may set that other one as well, where LD_PRELOAD would be taken from them: it
 * is the program's then, like any other, as what it names is no such file of ours.
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload.h"

extern char **environ;

#define PRELOAD	"LD_PRELOAD="
#define KEPT	"IPMON_" PRELOAD

#define SEALS	(F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
static const char magic[] = "kept by monitord for its program\n";
#define MAGIC	(sizeof(magic) - 1)

static bool starts(const char *string, const char *with)
{
	return !strncmp(string, with, strlen(with));
}

/* A descriptor for `string` that the next program has as well; -1: there is none. */
static int keep(const char *string)
{
	struct rlimit most;
	int n, low, fd = -1;
	char *text;

	n = asprintf(&text, "%s%s", magic, string);
	if (n < 0)
		return -1;
	/* else it is a signal that says so */
	if (getrlimit(RLIMIT_FSIZE, &most) || most.rlim_cur < (rlim_t)n) {
		free(text);
		return -1;
	}
	low = memfd_create("preload", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (low >= 0 && write(low, text, (size_t)n) == n &&
	    !fcntl(low, F_ADD_SEALS, SEALS)) {
		/* away from those that have a meaning */
		fd = fcntl(low, F_DUPFD, 100);
		if (fd < 0)
			fd = fcntl(low, F_DUPFD, 3);
	}
	if (low >= 0)
		close(low);
	free(text);
	return fd;
}

/* The string behind what KEPT says, which is closed; NULL: not by keep(). */
static char *kept(const char *number)
{
	unsigned long fd;
	struct stat st;
	size_t size;
	char *text, *end;
	int seals;

	fd = strtoul(number, &end, 10);
	if (!isdigit((unsigned char)*number) || *end || fd > INT_MAX)
		return NULL;
	/* no other kind of file can have all of them */
	seals = fcntl((int)fd, F_GET_SEALS);
	if (seals < 0 || (seals & SEALS) != SEALS || fstat((int)fd, &st) ||
	    st.st_uid != geteuid())
		return NULL;
	size = (size_t)st.st_size;
	text = calloc(1, size + 1);
	if (!text)
		return NULL;
	if (pread((int)fd, text, size, 0) != st.st_size ||
	    !starts(text, magic) || !starts(text + MAGIC, PRELOAD)) {
		free(text);
		return NULL;
	}
	close((int)fd);
	memmove(text, text + MAGIC, size + 1 - MAGIC);
	return text;
}

void without_preload(char **argv)
{
	char path[PATH_MAX], number[sizeof(KEPT) + 10];
	char **its = NULL, *as_it_was;
	ssize_t n;
	int fd;

	if (getauxval(AT_SECURE))
		return;
	for (char **e = environ; e && *e; e++) {
		if (starts(*e, KEPT)) {
			char *string = kept(*e + strlen(KEPT));

			/* the second time */
			if (string) {
				*e = string;
				return;
			}
		} else if (!its && starts(*e, PRELOAD)) {
			its = e;
		}
	}
	if (!its || !(*its)[strlen(PRELOAD)])
		return;
	/* by its own name, which is the process' as well */
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	fd = keep(*its);
	if (fd < 0)
		return;
	snprintf(number, sizeof(number), KEPT "%d", fd);
	as_it_was = *its;
	*its = number;
	execv(path, argv);
	*its = as_it_was;
	close(fd);
}

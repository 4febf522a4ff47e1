// SPDX-License-Identifier: Apache-2.0
/*
 * /proc/PID/maps, line by line.
 *
 * The kernel writes the file, but the path at the end of a line is chosen by
 * the program: it is cut to fit and never interpreted.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch.h"

/* A number in hexadecimal digits, and the character behind it. */
static bool hex(const char **p, char end, uint64_t *n)
{
	const char *s = *p;

	for (*n = 0;; s++) {
		unsigned int c = (unsigned char)*s;

		if (c - '0' < 10)
			*n = *n << 4 | (c - '0');
		else if (c - 'a' < 6)
			*n = *n << 4 | (c - 'a' + 10);
		else
			break;
	}
	if (s == *p || *s != end)
		return false;
	*p = s + 1;
	return true;
}

/* By hand: a third of what reading it took was sscanf(). */
static int parse(const char *p, struct map_entry *e)
{
	uint64_t major, minor;
	size_t n;

	e->inode = 0;
	if (!hex(&p, '-', &e->start) || !hex(&p, ' ', &e->end) ||
	    strnlen(p, 5) < 5 || p[4] != ' ')
		return -EINVAL;
	memcpy(e->perms, p, 4);
	e->perms[4] = '\0';
	p += 5;
	if (!hex(&p, ' ', &e->offset) || !hex(&p, ':', &major) ||
	    !hex(&p, ' ', &minor))
		return -EINVAL;
	e->dev_major = (unsigned int)major;
	e->dev_minor = (unsigned int)minor;
	for (; *p >= '0' && *p <= '9'; p++)
		e->inode = e->inode * 10 + (uint64_t)(*p - '0');
	p += strspn(p, " ");
	n = strcspn(p, "\n");
	if (n >= sizeof(e->path))
		n = sizeof(e->path) - 1;
	memcpy(e->path, p, n);
	e->path[n] = '\0';
	return 0;
}

int maps_each(pid_t tid, int (*cb)(void *ctx, const struct map_entry *e),
	      void *ctx)
{
	char name[32];
	char *line = NULL;
	size_t cap = 0;
	int r = 0;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/maps", (int)tid);
	f = fopen(name, "re");
	if (!f)
		return -errno;
	while (!r && getline(&line, &cap, f) > 0) {
		struct map_entry e;

		if (!parse(line, &e))
			r = cb(ctx, &e);
	}
	free(line);
	fclose(f);
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * /proc/PID/maps, line by line.
 *
 * The kernel writes the file, but the path at the end of a line is chosen by
 * the program: it is cut to fit and never interpreted.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "launch.h"

static int parse(char *line, struct map_entry *e)
{
	int at = 0;
	size_t n;
	char *p;

	memset(e, 0, sizeof(*e));
	if (sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %n", &e->start, &e->end,
		   e->perms, &e->offset, &e->dev_major, &e->dev_minor,
		   &e->inode, &at) < 7)
		return -EINVAL;
	p = line + at;
	n = strcspn(p, "\n");
	if (n >= sizeof(e->path))
		n = sizeof(e->path) - 1;
	memcpy(e->path, p, n);
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

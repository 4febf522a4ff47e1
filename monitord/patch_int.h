/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between patch.c and patch_own.c.
 */
#ifndef MONITORD_PATCH_INT_H
#define MONITORD_PATCH_INT_H

#include "objects.h"
#include "patch.h"

#define AREA_SIZE	65536u

struct area {
	struct object *o;
	uint64_t bias[MAX_VARIANTS];
	uint64_t at[MAX_VARIANTS];
	uint32_t used;
	struct area *next;
};

/* What is known about a trap's origin, by the leader's ip. */
struct seen {
	uint64_t ip;
	struct site *site;
	uint32_t traps;
	bool decided, patched;
};
#define SEEN_MAX 1024u
#define SEEN_WAYS 8u

/* A site that is patched. */
struct done {
	const struct site *site;
	uint64_t stub;			/* its vaddr */
	bool gone;			/* the text is the program's again */
	uint64_t bias[MAX_VARIANTS];
};

struct patch_map {
	struct area *areas;
	struct done *done;
	unsigned int n_done, cap_done;
	struct seen seen[SEEN_MAX];
};

struct patch_find {
	uint64_t ip;
	struct map_entry e;
};
int patch_find_ip(void *ctx, const struct map_entry *e);

/* A site with its plan, made if need be; own: it is no syscall.  NULL: out of
 * memory. */
struct site *patch_plan(struct object *o, uint64_t vaddr,
			const struct site_own *own);
/* Put up to 64 plans in place in all variants: how many worked, those first in
 * w[]. */
unsigned int patch_apply(struct taskset *s, struct object *o, struct site **w,
			 unsigned int n, const uint64_t bias[MAX_VARIANTS]);
/* Give the text of one back to the program. */
void patch_take_off(struct taskset *s, struct done *d);
/* Does no other set stand at an arbitrary instruction? */
bool patch_nobody_parked(const struct taskset *s);
/* The text a site that is no syscall has in variants, before it is patched. */
void patch_own_text(struct site *p);

#endif

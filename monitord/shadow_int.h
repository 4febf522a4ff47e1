/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of a shadow: shared by shadow.c and shadow_write.c only.
 */
#ifndef MONITORD_SHADOW_INT_H
#define MONITORD_SHADOW_INT_H

#include "shadow.h"

struct shadow {
	bool shm;
	dev_t dev;			/* file: identity */
	ino_t ino;
	ino_t ns;			/* SysV: identity */
	int id, cpid;
	bool hot;
	int place;			/* in struct ipmon_hot; -1: none */
	bool crowded;			/* there was no place for it */
	int pin;			/* of the file, or -1 */
	bool pin_reads;			/* pin is O_RDONLY, not O_PATH */
	int memfd[MAX_VARIANTS];
	uint64_t size;			/* of every memfd */
	unsigned int held;
	LIST_HEAD(, shadow_region) regions;
	unsigned int reals;		/* regions that are `real` */
	LIST_ENTRY(shadow) all;
};

LIST_HEAD(shadow_list, shadow);
extern struct shadow_list shadows;
extern unsigned int shadows_hot;	/* how many of them are hot */

/*
 * Leaders leave to us what they write to this file, from now on; no longer.  A SysV
 * segment is no file.  See shadow_hot.c.
 */
void shadow_hot_add(struct shadow *sh);
void shadow_hot_remove(struct shadow *sh);

struct shadow *shadow_lookup(dev_t dev, ino_t ino);
/*
 * Copy [off, off+len) of the file into all copies.  `fresh`: they are known
 * to be zero there, so holes may stay holes.
 */
int shadow_copy_in(struct shadow *sh, int fd, uint64_t off, uint64_t len,
		   bool fresh);
int shadow_set_size(struct shadow *sh, uint64_t size);

#endif

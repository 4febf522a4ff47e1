// SPDX-License-Identifier: Apache-2.0
/*
 * Which files followers have copies of, told to the leaders.
 *
 * Theory of operation
 * -------------------
 * What a leader writes by a call in-process is not seen here, so one that may write
 * to a hot file has to leave the call to us.  The list lies in the arena of rings of
 * every image (struct ipmon_hot); its reader, libipmon/filedata.c, may be anywhere
 * meanwhile.  So a file keeps its place, and a place is filled before its bit is set:
 * a reader may miss a file that is being added (it is not hot yet, or belongs to a
 * domain that stands still), never one that has been there.
 */
#include <string.h>
#include <sys/sysmacros.h>

#include "fast.h"
#include "shadow_int.h"

/* As it is in all arenas. */
static struct ipmon_hot list;
static unsigned int more;		/* files without a place */

/* Each arena once, or more often. */
static void tell_all(int place)
{
	struct proc *p;

	LIST_FOREACH(p, &mon.procs, all) {
		struct ipmon_hot *h;

		if (!p->mm || !p->mm->fast)
			continue;
		h = fast_hot(p->mm->fast);
		if (place >= 0)
			h->file[place] = list.file[place];
		__atomic_store_n(&h->used, list.used, __ATOMIC_RELEASE);
	}
}

void shadow_hot_add(struct shadow *sh)
{
	uint64_t taken = list.used | IPMON_HOT_MORE;

	if (sh->shm || sh->place >= 0 || sh->crowded)
		return;
	if (!~taken) {
		sh->crowded = true;
		more++;
		list.used |= IPMON_HOT_MORE;
	} else {
		sh->place = __builtin_ctzll(~taken);
		list.file[sh->place].dev = IPMON_HOT_DEV(major(sh->dev),
							 minor(sh->dev));
		list.file[sh->place].ino = sh->ino;
		list.used |= 1ull << sh->place;
	}
	tell_all(sh->place);
}

void shadow_hot_remove(struct shadow *sh)
{
	if (sh->crowded) {
		sh->crowded = false;
		if (!--more)
			list.used &= ~IPMON_HOT_MORE;
	} else if (sh->place >= 0) {
		list.used &= ~(1ull << sh->place);
	} else {
		return;
	}
	sh->place = -1;
	tell_all(-1);
}

void shadow_hot_list(struct ipmon_hot *hot)
{
	memcpy(hot, &list, sizeof(*hot));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: values which the kernel keeps for the program and hands back later
 * (sigev_value, a queued signal's value).
 *
 * Such a value is usually a pointer, so every variant gave its own, but only
 * the leader's reached the kernel.  The map remembers all of them under the
 * leader's, and the moment the kernel hands the leader's back every variant
 * is given the one it had registered.
 *
 * Bounded: each kind keeps the VALUEMAP_MAX entries used last.
 */
#ifndef MONITORD_VALUEMAP_H
#define MONITORD_VALUEMAP_H

#include "monitor.h"

#define VALUEMAP_MAX 16384u

enum valuemap_kind {
	VM_TIMER,	/* scope: proc id; key: kernel timer id */
	VM_SIGQUEUE,	/* scope: si_pid given by the sender; key: the
			 * leader's si_value */
	VM_MQ,		/* scope: proc id; key: the leader's sigev_value */
	VM_KINDS
};

/* Remember values[] (one per variant); replaces an entry of the same key. */
void valuemap_add(enum valuemap_kind kind, uint64_t scope, uint64_t key,
		  const uint64_t values[MAX_VARIANTS]);
/* Variant v's value; false when nothing is known (then all have the same). */
bool valuemap_get(enum valuemap_kind kind, uint64_t scope, uint64_t key,
		  unsigned int v, uint64_t *value);
void valuemap_del(enum valuemap_kind kind, uint64_t scope, uint64_t key);

/*
 * `info` is the leader's, about to be shown to variant v of set s: put v's
 * own value into si_value.  True when something changed.
 */
bool siginfo_translate(const struct taskset *s, siginfo_t *info,
		       unsigned int v);
/*
 * A signal with a value is about to be sent (rt_sigqueueinfo and friends,
 * pidfd_send_signal): info[v] is what variant v passed.
 */
void siginfo_remember(const siginfo_t info[MAX_VARIANTS]);

/*
 * Room for the arguments of a rewritten call, in variant v's scratch pages:
 * SCRATCH_SLOT bytes that belong to this set for as long as its call lasts.
 * scratch_big() is for synchronous use only: written and consumed within one
 * handler function.
 */
#define SCRATCH_SLOT	256u
#define SCRATCH_BIG	(SCRATCH_SIZE - SCRATCH_BIG_OFFSET)
uint64_t scratch_slot(const struct taskset *s, unsigned int v);
uint64_t scratch_big(const struct taskset *s, unsigned int v);

#endif

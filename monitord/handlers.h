/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handlers: calls whose execution is irregular (table rows with a handler).
 *
 * A rendezvous goes through at most two functions of its handler:
 *
 *   start(s)  all variants are AT_ENTRY and compared equal.  It either
 *             finishes the call (set_finish*, set_release path), or sends
 *             the leader in with set_leader_go(s) and returns.
 *   done(s, ret)
 *             the leader is AT_EXIT with result `ret` (never an ERESTART
 *             code: those are resolved in signal.c first).  It lets followers
 *             do their part and ends with set_finish*.
 *
 * `compare` may be replaced (NULL = set_compare).  Everything is on the
 * monitor's one thread; start and done must not wait for anything that may
 * take longer than an injected call.
 */
#ifndef MONITORD_HANDLERS_H
#define MONITORD_HANDLERS_H

#include "monitor.h"

struct handler {
	bool (*compare)(struct taskset *s);
	void (*start)(struct taskset *s);
	void (*done)(struct taskset *s, int64_t ret);
};

/* Indexed by enum ipmon_handler; handlers.c. Unset entries are generic. */
extern const struct handler handlers[H_MAX];

/* generic.c: EXEC_LEADER, EXEC_ALL and EXEC_NONE by the row alone */
void generic_start(struct taskset *s);
void generic_done(struct taskset *s, int64_t ret);
/* Refuse the call in all variants with -err, saying so unless quiet. */
void refuse_start(struct taskset *s);
/* A call of another ABI than the 64-bit one. */
void refuse_foreign(struct taskset *s);
/*
 * The walker does not know this command: answer in the kernel's place, or, with
 * one variant, which has nobody to tell, let it be made (true).
 */
bool unknown_alone(const struct taskset *s);
void refuse_unknown(struct taskset *s);
/* What an ioctl points at differs; was it for a command that this file does not
 * know, and the call is answered? */
bool unknown_unread(struct taskset *s);

#endif

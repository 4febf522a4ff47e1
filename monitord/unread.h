/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inputs the kernel does not look at: see unread.c.
 */
#ifndef MONITORD_UNREAD_H
#define MONITORD_UNREAD_H

#include "monitor.h"

/*
 * Argument `arg` of call `nr` is an input of `len` bytes, and differs at `off`.
 * How many bytes, from there on, nobody looks at; 0: none.
 */
uint64_t unread_bytes(struct taskset *s, uint64_t nr, const uint64_t args[6],
		      unsigned int arg, uint64_t len, uint64_t off);

/* The same for what follower t, stopped, reports from in-process; `c`: what the
 * leader's record says of the call. */
struct ring_call;
uint64_t unread_reported(struct task *t, const struct ring_call *c);

#endif

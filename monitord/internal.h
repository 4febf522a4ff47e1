/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipes and socket pairs that lead nowhere but to processes of the program:
 * theory of operation in internal.c.
 */
#ifndef MONITORD_INTERNAL_H
#define MONITORD_INTERNAL_H

#include "monitor.h"

/* pipe, pipe2, socketpair have succeeded: remember what they made. */
void channel_done(struct taskset *s, int64_t ret);

/* Is this descriptor of the leader's an end of one? */
bool internal_is(const struct taskset *s, int fd);

/*
 * Input spans x (leader) and y (variant v) differ at `off`.  If the bytes
 * there are one pointer into equivalent places of both variants, or its upper
 * half, and the call writes to an internal channel, returns the offset behind
 * it; else -1.
 */
int64_t internal_pointer(struct taskset *s, unsigned int v,
			 const struct ipmon_item *x,
			 const struct ipmon_item *y, int64_t off);

/* Does the call read an internal channel, and may pointers come out of it? */
bool internal_receives(const struct taskset *s);

/* Variant v has received n bytes of the leader's at `addr`: pointers that
 * internal_pointer() let pass become its own again. */
void internal_translate(struct taskset *s, unsigned int v, uint64_t addr,
			size_t n);

#endif

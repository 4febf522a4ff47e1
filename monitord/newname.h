/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names that a call creates exclusively: random parts drawn from addresses.
 */
#ifndef MONITORD_NEWNAME_H
#define MONITORD_NEWNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct task;
struct taskset;
struct ipmon_item;

/* Shortest random part that is recognised: mktemp(1) takes three X (test suites
 * use four), mkstemp(3) six. */
#define NEWNAME_RUN 3u

/*
 * Do two paths, of n and of m bytes, differ in nothing but one run of at least
 * NEWNAME_RUN letters and digits in the last component?  False when equal.
 */
bool newname_differs(const char *a, size_t n, const char *b, size_t m);

/* Comparison (handlers.h) for open with O_CREAT | O_EXCL and for mkdir. */
bool newname_compare(struct taskset *s);

/*
 * Two paths of n bytes: where a component of `own` is variant v's own name for
 * something whose name the leader gave it, and `name` has the leader's, write
 * that over it.  True when the paths are equal then.
 */
bool newname_translate(const char *name, char *own, size_t n, unsigned int v);

/* The same for differing strings a (leader) and b (variant v) of a call. */
bool newname_known(struct taskset *s, unsigned int v,
		   const struct ipmon_item *a, const struct ipmon_item *b);

/* The same for what follower t reports (IPMON_DIV_PAYLOAD): from the difference
 * on, so many bytes are equal now; 0: no. */
uint64_t newname_reported(struct task *t);

#endif

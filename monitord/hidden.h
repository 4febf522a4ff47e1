/* SPDX-License-Identifier: Apache-2.0 */
/* Where the monitor's own pages lie in variants: hidden.c. */
#ifndef MONITORD_HIDDEN_H
#define MONITORD_HIDDEN_H

#include "monitor.h"

/*
 * Map `len` bytes at a hidden address that is free: the address, or -errno.  What
 * lies there already stays.  guard: a page below it that cannot be touched.
 */
int64_t hidden_map(struct task *t, uint64_t len, unsigned int prot,
		   unsigned int flags, int fd, uint64_t off, bool guard);

#endif

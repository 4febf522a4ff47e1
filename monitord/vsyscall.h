/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vsyscall page: see vsyscall.c.
 */
#ifndef MONITORD_VSYSCALL_H
#define MONITORD_VSYSCALL_H

#include "monitor.h"

#define VSYSCALL_PAGE	0xffffffffff600000ull

/* The leader's call at a rendezvous has been made there. */
bool is_vsyscall(const struct taskset *s);
/* Answer it, and finish the call. */
void vsyscall(struct taskset *s);

#endif

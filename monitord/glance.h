/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at the memory of stopped variants, a page at a time.
 */
#ifndef MONITORD_GLANCE_H
#define MONITORD_GLANCE_H

#include "monitor.h"

/* From here on nothing that is looked at changes ... */
void glance_begin(void);
/* ... until here. */
void glance_end(void);

/* As mem_read(), mem_read_some() and mem_strnlen(). */
int glance_read(struct task *t, void *dst, uint64_t src, size_t n);
ssize_t glance_some(struct task *t, void *dst, uint64_t src, size_t n);
long glance_strnlen(struct task *t, uint64_t src, size_t max);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the leader's mappings IP-MON leaves to monitord: see fast_mem.c.
 */
#ifndef MONITORD_FAST_MEM_H
#define MONITORD_FAST_MEM_H

#include "monitor.h"

/* The process has just registered: look at what it has. */
void fast_mem_setup(struct taskset *s);
/* A mapping of the leader's that monitord keeps track of has been made, or
 * [start, start + len) has been unmapped. */
void fast_mem_add(struct taskset *s, uint64_t start, uint64_t len);
void fast_mem_del(struct taskset *s, uint64_t start, uint64_t len);
/* Any other has been made. */
void fast_mem_zone(struct taskset *s, uint64_t start, uint64_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* libipmon in the variants: theory of operation in library.c. */
#ifndef MONITORD_LIBRARY_H
#define MONITORD_LIBRARY_H

#include "monitor.h"

/*
 * A fresh image, all variants stopped before its first instruction (or, with
 * Path= or Preload= of a variant, when its dynamic linker has done its work): map
 * libipmon and all that goes with it, so that calls can be handled in-process.
 * Where that cannot be, the program runs under the tracer alone.
 */
void library_map(struct taskset *s);

/* Bytes of address space it takes in each variant. */
uint64_t library_size(void);

/* The dynamic linker has done its work: the environment is put back as the caller of
 * execve made it. */
void linked_hide_preload(struct taskset *s);

#endif

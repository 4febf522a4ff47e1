/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a traced call as text (trace_mem.c): what trace_args.c needs for
 * structures.  Every function shows the bare pointer when the memory cannot
 * be read.
 */
#ifndef MONITORD_TRACE_MEM_H
#define MONITORD_TRACE_MEM_H

#include <stdint.h>
#include "trace.h"

/* All n bytes, or false. */
bool format_read(const struct format *f, void *dst, uint64_t src, size_t n);
/* Up to n bytes, ending at the first NUL at the latest (included) or where
 * memory ends.  Number of bytes, or -EFAULT for none. */
ssize_t format_read_string(const struct format *f, char *dst, uint64_t src,
			   size_t n);

void show_pointer(struct text *t, uint64_t v);
/* `total` bytes of payload are spread over the vectors; UINT64_MAX: all. */
void show_iovec(struct text *t, const struct format *f, uint64_t addr,
		uint64_t count, uint64_t total);
void show_msghdr(struct text *t, const struct format *f, uint64_t addr,
		 uint64_t total);
void show_sockaddr(struct text *t, const struct format *f, uint64_t addr,
		   uint64_t len);
void show_fdset(struct text *t, const struct format *f, uint64_t addr,
		uint64_t nfds);
/* `found`: only those with revents, as after the call. */
void show_pollfd(struct text *t, const struct format *f, uint64_t addr,
		 uint64_t count, bool found);
void show_sigset(struct text *t, const struct format *f, uint64_t addr);
void show_flock(struct text *t, const struct format *f, uint64_t addr);

/* Argument i by presentation s; false if s has no layout here. */
bool show_struct(struct text *t, const struct format *f, unsigned int i,
		 enum show s);

#endif

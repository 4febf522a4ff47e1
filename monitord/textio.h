/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many small pieces of a task's text at once.
 */
#ifndef MONITORD_TEXTIO_H
#define MONITORD_TEXTIO_H

#include "monitor.h"

struct text_span {
	uint64_t addr;
	const void *bytes;
	size_t n;		/* at most 64 */
};

/* Is each span, moved by `shift`, in the task's memory as given? */
bool text_equal(struct task *t, const struct text_span *s, unsigned int n,
		uint64_t shift);
/* Write them in this order, read-only pages or not.  0, -EFAULT or -ESRCH. */
int text_write(struct task *t, const struct text_span *s, unsigned int n,
	       uint64_t shift);

#endif

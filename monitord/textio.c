// SPDX-License-Identifier: Apache-2.0
/*
 * Many small pieces of a task's text at once.
 *
 * A new image gets dozens of patches (patch.c, tsc.c), in every variant.  Peeking
 * and poking them word by word took longer than everything else an execve
 * needs, so comparing is one call for all, and writing one for each.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "textio.h"
#include "tracee.h"

#define BATCH	64u
#define SPAN	64u

bool text_equal(struct task *t, const struct text_span *s, unsigned int n,
		uint64_t shift)
{
	uint8_t have[BATCH * SPAN];
	struct iovec remote[BATCH], local = { have, 0 };

	for (unsigned int i = 0; i < n; i += BATCH) {
		unsigned int k, m = n - i < BATCH ? n - i : BATCH;
		const uint8_t *at = have;

		local.iov_len = 0;
		for (k = 0; k < m; k++) {
			if (s[i + k].n > SPAN)
				return false;
			remote[k].iov_base = (void *)(uintptr_t)
				(s[i + k].addr + shift);
			remote[k].iov_len = s[i + k].n;
			local.iov_len += s[i + k].n;
		}
		if (process_vm_readv(t->tid, &local, 1, remote, m, 0) !=
		    (ssize_t)local.iov_len)
			return false;
		for (k = 0; k < m; at += s[i + k++].n)
			if (memcmp(at, s[i + k].bytes, s[i + k].n))
				return false;
	}
	return true;
}

int text_write(struct task *t, const struct text_span *s, unsigned int n,
	       uint64_t shift)
{
	unsigned int i = 0;
	char path[32];
	int fd, r = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)t->tid);
	fd = n > 2 ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	while (fd >= 0 && i < n &&
	       pwrite(fd, s[i].bytes, s[i].n, (off_t)(s[i].addr + shift)) ==
	       (ssize_t)s[i].n)
		i++;
	if (fd >= 0)
		close(fd);
	/* a kernel may forbid the write through /proc, but not the poke */
	for (; !r && i < n; i++)
		r = mem_poke(t, s[i].addr + shift, s[i].bytes, s[i].n);
	return r;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Outputs of calls that ended with EFAULT.
 *
 * Theory of operation
 * -------------------
 * The kernel stops at the first page it cannot write, but what it stored before
 * stays: the beginning of a buffer, or whole outputs that come before the bad
 * one (the first ids of getresuid).  How much that was it does not say.  What is
 * readable in the leader is given to the followers, unless it holds an address:
 * then it is the program's, and the kernel never came there.
 */
#include <string.h>

#include "handlers.h"
#include "tracee.h"

static bool holds_address(struct task *t, const char *buf, size_t n)
{
	uint64_t word;
	char c;

	for (size_t i = 0; i + sizeof(word) <= n; i++) {
		memcpy(&word, buf + i, sizeof(word));
		if (word >= 65536 && !(word >> 47) &&
		    !mem_read(t, &c, word, sizeof(c)))
			return true;
	}
	return false;
}

void replicate_faulted(struct taskset *s, unsigned int i)
{
	static char buf[65536];
	const struct ipmon_item *it = &s->t[LEADER].items.v[i];
	ssize_t got;

	got = mem_read_some(&s->t[LEADER], buf, it->addr,
			    it->len < sizeof(buf) ? it->len : sizeof(buf));
	if (got <= 0 || (size_t)got == sizeof(buf) ||
	    holds_address(&s->t[LEADER], buf, (size_t)got))
		return;
	for_each_follower(v)
		if (i < s->t[v].items.n && s->t[v].items.v[i].addr)
			mem_write(&s->t[v], s->t[v].items.v[i].addr, buf,
				  (size_t)got);
}

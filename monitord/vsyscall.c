// SPDX-License-Identifier: Apache-2.0
/*
 * Calls through the vsyscall page.
 *
 * The page is emulated by the kernel, which asks seccomp first and shows no exit
 * stop: the calls are answered here.  The three of them take no input.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "handlers.h"
#include "tracee.h"
#include "vsyscall.h"

bool is_vsyscall(const struct taskset *s)
{
	return (s->t[LEADER].call.ip & ~0xfffull) == VSYSCALL_PAGE;
}

void vsyscall(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct timeval tv;
	struct timezone tz;
	unsigned int cpu[2] = { 0, 0 };
	int64_t ret = 0;

	syscall(SYS_gettimeofday, &tv, &tz);
	for_each_variant(v) {
		struct task *t = &s->t[v];

		if (s->row->nargs == 1) {		/* time */
			ret = tv.tv_sec;
			if (a[0] && mem_write(t, t->call.args[0], &tv.tv_sec,
					      sizeof(tv.tv_sec)))
				ret = -EFAULT;
		} else if (s->row->nargs == 2) {	/* gettimeofday */
			if ((a[0] && mem_write(t, t->call.args[0], &tv,
					       sizeof(tv))) ||
			    (a[1] && mem_write(t, t->call.args[1], &tz,
					       sizeof(tz))))
				ret = -EFAULT;
		} else {				/* getcpu */
			for (int i = 0; i < 2; i++)
				if (a[i] && mem_write(t, t->call.args[i],
						      &cpu[i], 4))
					ret = -EFAULT;
		}
	}
	set_finish(s, ret);
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Calls through the vsyscall page.
 *
 * The page is emulated by the kernel, which asks seccomp first and shows no exit
 * stop: the calls are answered here.  The three of them take no input.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "handlers.h"
#include "tracee.h"
#include "vsyscall.h"

/* As the kernel has them (CONFIG_NODES_SHIFT). */
#define MAX_NODES 1024u

bool is_vsyscall(const struct taskset *s)
{
	return (s->t[LEADER].call.ip & ~0xfffull) == VSYSCALL_PAGE;
}

/*
 * getcpu answers for the leader, which is stopped: where it ran last, field 39 of
 * its stat.  Who has chosen a processor is there since.
 */
static void where(const struct task *t, unsigned int cpu[2])
{
	char path[80], buf[1024], *p;
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)t->tid,
		 (int)t->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, buf, sizeof(buf) - 1);
		close(fd);
	}
	if (n < 0)
		return;
	buf[n] = 0;
	p = strrchr(buf, ')');		/* the name may hold anything */
	for (int field = 2; p && field < 39; field++)
		p = strchr(p + 1, ' ');
	if (!p || sscanf(p, "%u", &cpu[0]) != 1)
		return;
	for (unsigned int node = 0; node < MAX_NODES; node++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%u/node%u", cpu[0], node);
		if (!access(path, F_OK)) {
			cpu[1] = node;
			return;
		}
	}
}

void vsyscall(struct taskset *s)
{
	const uint64_t *a = s->t[LEADER].call.args;
	struct timeval tv;
	struct timezone tz;
	unsigned int cpu[2] = { 0, 0 };
	int64_t ret = 0;

	syscall(SYS_gettimeofday, &tv, &tz);
	if (s->row->nargs > 2)
		where(&s->t[LEADER], cpu);
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

// SPDX-License-Identifier: Apache-2.0
/*
 * A follower's execve of a name that leads nowhere for it.
 *
 * Theory of operation
 * -------------------
 * "/proc/self/exe" is nobody in a proc that belongs to another pid namespace, and
 * followers are not in the leader's (h_fdmisc.c).  But the leader has already begun
 * to execute the file: it has it as exe now.  A follower that fails is given that
 * file, and executes it by descriptor.
 *
 * What the kernel keeps of the name is what execveat was called with, "/dev/fd/3/5",
 * where 3 is the follower's own /proc/PID/fd and 5 the file: with as many slashes
 * between them as it takes to be as long as the leader's name, which is written over it
 * later (exec_setup.c).  If the name was that of a script, the leader's exe is the
 * interpreter, and what was put in front of the arguments is taken from its new stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "h_process.h"
#include "tracee.h"
#include "valuemap.h"

#define ARGS_MAX 512u		/* of a script */

/* Where things are put in the follower. */
struct room {
	uint64_t at, end;
};

static uint64_t put(struct task *t, struct room *r, const void *p, size_t n)
{
	uint64_t at = r->at;

	if (n > r->end - at || mem_write(t, at, p, n) < 0)
		return 0;
	r->at = (at + n + 7) & ~7ull;
	return at;
}

/* How many, and the pointers of the first ones. */
static int pointers(struct task *t, uint64_t at, uint64_t v[ARGS_MAX])
{
	int n = 0;
	uint64_t p;

	for (; at; at += 8, n++) {
		if (mem_read(t, &p, at, 8) < 0)
			return -EFAULT;
		if (!p)
			break;
		if (n < (int)ARGS_MAX)
			v[n] = p;
	}
	return n;
}

/* The arguments that the leader's program has got; 0: they cannot be had. */
static uint64_t arguments(struct taskset *s, unsigned int v, uint64_t argv,
			  struct room *r)
{
	struct task *l = &s->t[LEADER], *t = &s->t[v];
	uint64_t own[ARGS_MAX + 1], its[ARGS_MAX], argc;
	int n = pointers(t, argv, own), more;

	if (n < 0 || !task_regs(l) || mem_read(l, &argc, l->regs.rsp, 8) < 0)
		return 0;
	/* the kernel does not leave a program without any */
	if (argc == (uint64_t)n || (!n && argc == 1))
		return argv;
	if (argc > ARGS_MAX || (int)argc < n || !n ||
	    mem_read(l, its, l->regs.rsp + 8, argc * 8) < 0)
		return 0;
	/* the interpreter, its argument, the script: in place of the first */
	more = (int)argc - n;
	memmove(own + more, own, (size_t)n * sizeof(*own));
	for (int i = 0; i <= more; i++) {
		char word[PATH_MAX];
		long len = mem_strnlen(l, its[i], sizeof(word) - 1);

		if (len < 0 || mem_read(l, word, its[i], (size_t)len))
			return 0;
		word[len] = '\0';
		own[i] = put(t, r, word, (size_t)len + 1);
		if (!own[i])
			return 0;
	}
	own[argc] = 0;
	return put(t, r, own, (argc + 1) * sizeof(*own));
}

/* "./////5", so that "/dev/fd/3/./////5" is as long as the leader's name. */
static uint64_t name(struct taskset *s, unsigned int v, int dir, int file,
		     uint64_t leaders, struct room *r)
{
	long len = mem_strnlen(&s->t[v], leaders, PATH_MAX - 1);
	char nr[16], path[PATH_MAX + 32];
	int has = snprintf(path, sizeof(path), "/dev/fd/%d/./", dir) +
		snprintf(nr, sizeof(nr), "%d", file);
	size_t slashes = len > has ? (size_t)(len - has) : 0;

	if (len < 0)
		return 0;
	strcpy(path, "./");
	memset(path + 2, '/', slashes);
	strcpy(path + 2 + slashes, nr);
	return put(&s->t[v], r, path, strlen(path) + 1);
}

static int send_path(struct task *t, pid_t pid, const char *what)
{
	char path[64];
	int fd, there;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	there = task_send_fd(t, fd);
	close(fd);
	return there;
}

int exec_again(struct taskset *s, unsigned int v)
{
	struct task *t = &s->t[v];
	unsigned int at = s->row->nargs == 5 ? 1 : 0;
	struct room r = {
		s->proc->mm->scratch[v] + SCRATCH_BIG_OFFSET,
		s->proc->mm->scratch[v] + SCRATCH_SIZE
	};
	uint64_t args[6] = { 0, 0, 0, t->call.args[at + 2], 0, 0 };
	int file = send_path(t, s->proc->pid[LEADER], "exe");
	int dir = file < 0 ? file : send_path(t, s->proc->pid[v], "fd");

	if (dir < 0 || task_enter_again(t) < 0)
		return -1;
	args[0] = (uint64_t)dir;
	args[1] = name(s, v, dir, file, t->call.args[at], &r);
	args[2] = arguments(s, v, t->call.args[at + 1], &r);
	return args[1] && args[2] ? task_rewrite(t, SYS_execveat, args) : -1;
}

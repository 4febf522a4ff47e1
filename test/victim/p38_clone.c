/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone with a stack and flags: ids stored in parent and child, id cleared
 * and futex woken, shared files and memory.
 */
#include "victim.h"
static pid_t ptid, ctid = 1;
static int shared;
static int fn(void *arg)
{
	shared = 77;
	CHECK(ctid == (pid_t)syscall(SYS_gettid));
	return 5;
}
static int files(void *arg)
{
	close(*(int *)arg);
	CHECK(chdir("/") == 0);
	umask(077);
	return 0;
}

int main(void)
{
	char *stack = OK(mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0));
	int fd = OK(open("/dev/null", O_RDONLY)), st;
	char cwd[100];
	pid_t p;

	stack += 65536;
	p = OK(clone(fn, stack, CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
		     CLONE_CHILD_CLEARTID | SIGCHLD, NULL, &ptid, NULL, &ctid));
	CHECK(ptid == p);
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 5);
	CHECK(shared == 77 && ctid == 0);
	shared = 0;
	p = OK(clone(fn, stack, CLONE_CHILD_SETTID | SIGCHLD, NULL, NULL, NULL, &ctid));
	CHECK(WEXITSTATUS(reap(p)) == 5);
	CHECK(shared == 0 && ctid == 0);
	p = OK(clone(files, stack, CLONE_FILES | CLONE_FS | SIGCHLD, &fd));
	REAP(p);
	FAILS(fcntl(fd, F_GETFD), EBADF);
	CHECK(strcmp(getcwd(cwd, sizeof(cwd)), "/") == 0 && umask(022) == 077);
	p = OK(clone(fn, stack, CLONE_VM | CLONE_VFORK | CLONE_CHILD_SETTID, NULL, NULL, NULL, &ctid));
	FAILS(waitpid(p, &st, 0), ECHILD);
	CHECK(waitpid(p, &st, __WALL) == p && WEXITSTATUS(st) == 5);
	FAILS(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	FAILS(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	p = OK(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	if (!p)
		_exit(3);
	CHECK(WEXITSTATUS(reap(p)) == 3);
	puts("clone ok");
	return 0;
}

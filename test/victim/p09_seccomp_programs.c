/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of the program's own mean what seccomp(2) says: computed results,
 * TRACE without a tracer, the accumulator at the start, long and malformed
 * programs, permission, and many calls under a filter.
 */
#include "victim.h"
#include <linux/audit.h>

#define NR offsetof(struct seccomp_data, nr)
#define ARG0 offsetof(struct seccomp_data, args[0])

static long load(struct sock_filter *f, unsigned short n)
{
	struct sock_fprog p = { n, f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p);
}
#define LOAD(...) \
	({ \
		struct sock_filter f_[] = { __VA_ARGS__ }; \
		load(f_, sizeof(f_) / sizeof(f_[0])); \
	})

static void trace(void)
{
	OK(LOAD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 5),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)));
	FAILS(syscall(SYS_getpgrp), ENOSYS);
	CHECK(getppid() > 0);
}

static void answer(unsigned int nr, uint32_t what)
{
	OK(LOAD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, what),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)));
}

/* An error comes before a tracer, in whatever order the filters were made. */
static void several(void)
{
	answer(SYS_getpgrp, SECCOMP_RET_ERRNO | EDOM);
	answer(SYS_getpgrp, SECCOMP_RET_TRACE | 1);
	FAILS(syscall(SYS_getpgrp), EDOM);
	answer(SYS_getsid, SECCOMP_RET_TRACE);
	FAILS(syscall(SYS_getsid, 0), ENOSYS);
	answer(SYS_getsid, SECCOMP_RET_LOG);
	FAILS(syscall(SYS_getsid, 0), ENOSYS);
	answer(SYS_getsid, SECCOMP_RET_ERRNO | ERANGE);
	FAILS(syscall(SYS_getsid, 0), ERANGE);
	answer(SYS_getpgrp, SECCOMP_RET_ERRNO | EXDEV);
	FAILS(syscall(SYS_getpgrp), EXDEV);
	/* what makes processes, and what ends the caller */
	answer(SYS_fork, SECCOMP_RET_TRACE | 7);
	FAILS(syscall(SYS_fork), ENOSYS);
	answer(SYS_execve, SECCOMP_RET_TRACE | 0xffff);
	FAILS(syscall(SYS_execve, "/bin/true", NULL, NULL), ENOSYS);
	answer(SYS_write, SECCOMP_RET_TRACE);
	FAILS(syscall(SYS_write, 1, "lost\n", 5), ENOSYS);
	answer(SYS_exit_group, SECCOMP_RET_TRACE);
	FAILS(syscall(SYS_exit_group, 3), ENOSYS);
	syscall(SYS_exit, 0);
}

/* The result of getpgrp is what its first argument says. */
static void computed(void)
{
	OK(LOAD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARG0),
		BPF_STMT(BPF_RET | BPF_A, 0)));
	FAILS(syscall(SYS_getpgrp, SECCOMP_RET_TRACE | 9), ENOSYS);
	FAILS(syscall(SYS_getpgrp, SECCOMP_RET_ERRNO | ENOTTY), ENOTTY);
	FAILS(syscall(SYS_getpgrp, SECCOMP_RET_ERRNO | ENOANO), ENOANO);
	CHECK(syscall(SYS_getpgrp, SECCOMP_RET_ALLOW) == getpgid(0));
	CHECK(syscall(SYS_getpgrp, SECCOMP_RET_LOG) == getpgid(0));
}

/* The accumulator starts as zero. */
static void start(void)
{
	OK(LOAD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4),
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EDOM)));
	CHECK(getppid() > 0);
}

static void malformed(void)
{
	static struct sock_filter f[5000];
	struct sock_fprog p = { 1, NULL };

	/* no return, a jump out, an unknown load, an endless list */
	FAILS(LOAD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR)), EINVAL);
	FAILS(LOAD(BPF_STMT(BPF_JMP | BPF_JA, 5),
		   BPF_STMT(BPF_RET | BPF_A, 0)), EINVAL);
	FAILS(LOAD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		   BPF_STMT(BPF_RET | BPF_A, 0)), EINVAL);
	FAILS(LOAD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 4096),
		   BPF_STMT(BPF_RET | BPF_A, 0)), EINVAL);
	FAILS(LOAD(BPF_STMT(BPF_LD | BPF_MEM, 0),
		   BPF_STMT(BPF_RET | BPF_A, 0)), EINVAL);
	FAILS(load(f, 0), EINVAL);
	FAILS(load(f, 4097), EINVAL);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL), EFAULT);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p), EINVAL);
	p.filter = (struct sock_filter *)8;
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &p), EFAULT);
	FAILS(syscall(SYS_seccomp, 77, 0, NULL), EINVAL);
	FAILS(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL), EINVAL);
	FAILS(prctl(PR_SET_SECCOMP, 3, &p), EINVAL);
	for (int i = 0; i < 3000; i++)
		f[i] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_IMM, 1);
	f[3000] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					       SECCOMP_RET_ALLOW);
	OK(load(f, 3001));
	/* as long as it can be, mostly never executed */
	for (int i = 0; i < 4096; i++)
		f[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						    SECCOMP_RET_ALLOW);
	FAILS(load(f, 4097), EINVAL);
	OK(load(f, 4096));
	f[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR);
	f[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					    SYS_getpgrp, 0, 200);
	f[2] = (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 4000);
	f[4003] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 1, 9, 3);
	f[4013] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					       SECCOMP_RET_ERRNO | EDOM);
	OK(load(f, 4096));
	FAILS(syscall(SYS_getpgrp), EDOM);
	CHECK(getppid() > 0);
}

static void available(void)
{
	uint32_t a = SECCOMP_RET_ERRNO, b = 0x12340000;
	struct seccomp_notif_sizes s = { 0 };

	OK(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &a));
	FAILS(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &b),
	      EOPNOTSUPP);
	OK(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &s));
	CHECK(s.seccomp_notif && s.seccomp_notif_resp);
}

/* A sandbox like a daemon's: a list of calls, everything else killed. */
static void sandbox(void)
{
	static const unsigned short ok[] = {
		SYS_read, SYS_write, SYS_close, SYS_brk, SYS_mmap, SYS_munmap,
		SYS_mprotect, SYS_rt_sigaction, SYS_rt_sigprocmask,
		SYS_rt_sigreturn, SYS_exit_group, SYS_clock_gettime,
		SYS_newfstatat, SYS_fstat, SYS_getrandom, SYS_poll, SYS_getpid, SYS_madvise,
	};
	struct sock_filter f[64];
	unsigned short n = 0;
	char buf[64], *p;
	int fd = OK(open("data", O_RDONLY));

	f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR);
	for (size_t i = 0; i < sizeof(ok) / sizeof(ok[0]); i++) {
		f[n++] = (struct sock_filter)
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ok[i], 0, 1);
		f[n++] = (struct sock_filter)
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					      SECCOMP_RET_KILL_PROCESS);
	OK(load(f, n));
	/* memory from a descriptor, more memory, a file */
	p = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	CHECK(!memcmp(p, "sandboxed", 9));
	OK(munmap(p, 4096));
	p = malloc(1 << 20);
	memset(p, 1, 1 << 20);
	free(p);
	CHECK(read(fd, buf, sizeof(buf)) == 9);
	OK(close(fd));
	handle(SIGUSR1, SIG_IGN, 0);
	puts("sandbox ok");
	_exit(0);
}

static void denied(void)
{
	/* only where it is a matter of privilege */
	if (geteuid() == 0 || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0))
		return;
	FAILS(LOAD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)), EACCES);
	CHECK(prctl(PR_GET_SECCOMP) == 0);
}

/* The vsyscall page is asked as well, where there is one. */
static void no_page(int sig)
{
	(void)sig;
	_exit(0);
}

static void traced_page(void)
{
	long (*vtime)(long *) = (long (*)(long *))0xffffffffff600400ul;

	handle(SIGSEGV, no_page, 0);
	OK(LOAD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_time, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | 5),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)));
	CHECK(vtime(NULL) == -ENOSYS);
}

int main(void)
{
	put_file("data", "sandboxed");
	denied();
	available();
	CHECK(prctl(PR_GET_SECCOMP) == 0);
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	REAP(CHILD({ malformed(); }));
	REAP(CHILD({ trace(); }));
	REAP(CHILD({ traced_page(); }));
	REAP(CHILD({ computed(); }));
	REAP(CHILD({ several(); }));
	REAP(CHILD({ start(); start(); trace(); }));
	REAP(CHILD({ sandbox(); }));
	/* filters stay over exec */
	REAP(CHILD({
		trace();
		execl("/bin/true", "true", NULL);
		_exit(9);
	}));
	CHECK(prctl(PR_GET_SECCOMP) == 0);
	puts("programs ok");
	return 0;
}

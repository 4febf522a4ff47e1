/* SPDX-License-Identifier: Apache-2.0 */
/* Uninitialised padding and tails of structures do not count as a difference. */
#include "victim.h"
static void __attribute__((noinline)) dirty(unsigned char x)
{
	volatile unsigned char junk[4096];
	uintptr_t a = (uintptr_t)&junk;

	/* addresses, which differ between the variants */
	for (int i = 0; i < 4096; i += 8)
		*(volatile uintptr_t *)&junk[i] = a + i;
	(void)x;
}
static void __attribute__((noinline)) unix_tail(int s)
{
	struct sockaddr_un a;

	a.sun_family = AF_UNIX;
	strcpy(a.sun_path, "tail");
	OK(bind(s, (struct sockaddr *)&a, sizeof(a)));
}
static void __attribute__((noinline)) interval(void)
{
	struct itimerspec it;
	struct epoll_event ev;
	struct flock fl;
	struct sigaction sa;
	int t = OK(timerfd_create(CLOCK_MONOTONIC, 0)), ep = OK(epoll_create1(0));

	it.it_value.tv_sec = 10;
	it.it_value.tv_nsec = 0;
	it.it_interval = it.it_value;
	OK(timerfd_settime(t, 0, &it, NULL));
	ev.events = EPOLLIN;
	ev.data.fd = t;			/* the upper half is garbage */
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, t, &ev));
	fl.l_type = F_WRLCK;		/* l_pid and padding are garbage */
	fl.l_whence = SEEK_SET;
	fl.l_start = 0;
	fl.l_len = 1;
	OK(fcntl(OK(open("lock", O_RDWR | O_CREAT, 0600)), F_SETLK, &fl));
	sa.sa_handler = SIG_IGN;
	sa.sa_flags = 0;
	sigemptyset(&sa.sa_mask);
	OK(sigaction(SIGUSR1, &sa, NULL));
}
static void __attribute__((noinline)) unused(void)
{
	uintptr_t g = (uintptr_t)&g;

	/* arguments that the call does not use hold an address */
	OK(syscall(SYS_getpid, g, g, g, g, g, g));
	OK(syscall(SYS_close, OK(open(".", O_RDONLY, (mode_t)g)), g, g));
	OK(syscall(SYS_getppid, g, g));
	OK(syscall(SYS_sched_yield, g));
	OK(syscall(SYS_umask, 022, g, g));
	OK(syscall(SYS_alarm, 0, g));
	OK(syscall(SYS_openat, AT_FDCWD, ".", O_RDONLY, g, g, g));
	OK(syscall(SYS_fcntl, 1, F_GETFD, g, g));
	OK(syscall(SYS_fcntl, 1, F_GETFL, g));
	OK(syscall(SYS_prctl, PR_GET_DUMPABLE, g, g, g, g));
	OK(syscall(SYS_futex, (int *)g, FUTEX_WAKE, 1, g, g, g));
	OK(syscall(SYS_sync, g));
	OK(syscall(SYS_getuid, g));
	OK(syscall(SYS_madvise, 0, 0, MADV_NORMAL, g));
	OK(syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, (int)g | -1, 0));
	OK(syscall(SYS_wait4, CHILD(_exit(0)), 0, 0, 0, g));
	OK(syscall(SYS_kill, getpid(), 0, g, g));
	OK(syscall(SYS_lseek, OK(open("/dev/null", O_RDONLY)), 0, SEEK_SET, g, g));
	OK(syscall(SYS_dup, 1, g));
	OK(syscall(SYS_ioctl, OK(open("/dev/null", O_RDONLY)), FIOCLEX, g, g));
	OK(syscall(SYS_fchdir, OK(open(".", O_RDONLY)), g));
	OK(syscall(SYS_sigaltstack, 0, 0, g, g));
}

int main(void)
{
	int s = OK(socket(AF_UNIX, SOCK_DGRAM, 0));

	dirty(1);
	unix_tail(s);
	dirty(2);
	interval();
	dirty(3);
	unused();
	puts("padding ok");
	return 0;
}

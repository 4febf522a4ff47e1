/* SPDX-License-Identifier: Apache-2.0 */
/* Optional pointers may be absent; only their being there is compared. */
#include "victim.h"
int main(void)
{
	struct timespec ts = { 0, 1000 };
	int st;

	CHECK(time(NULL) > 1000000000);
	OK(clock_gettime(CLOCK_REALTIME, &ts));
	OK(syscall(SYS_gettimeofday, NULL, NULL));
	OK(syscall(SYS_clock_getres, CLOCK_MONOTONIC, NULL));
	OK(sigaction(SIGUSR1, NULL, NULL));
	OK(sigprocmask(SIG_BLOCK, NULL, NULL));
	OK(sigaltstack(NULL, NULL));
	OK(getcpu(NULL, NULL));
	OK(syscall(SYS_getcpu, NULL, NULL, NULL));
	ts = (struct timespec){ 0, 1000 };
	OK(nanosleep(&ts, NULL));
	CHECK(select(0, NULL, NULL, NULL, &(struct timeval){ 0, 1000 }) == 0);
	CHECK(poll(NULL, 0, 1) == 0);
	CHECK(ppoll(NULL, 0, &ts, NULL) == 0);
	pid_t p = CHILD(_exit(3));
	CHECK(waitpid(p, NULL, 0) == p);
	p = CHILD(_exit(3));
	CHECK(wait4(p, &st, 0, NULL) == p && WEXITSTATUS(st) == 3);
	p = CHILD(_exit(3));
	OK(waitid(P_PID, p, NULL, WEXITED));
	OK(setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL));
	OK(prlimit(0, RLIMIT_NOFILE, NULL, NULL));
	OK(utimensat(AT_FDCWD, ".", NULL, 0));
	FAILS(syscall(SYS_read, OK(open("/dev/zero", O_RDONLY)), NULL, 1), EFAULT);
	CHECK(syscall(SYS_read, 0, NULL, 0) == 0);
	FAILS(syscall(SYS_stat, NULL, NULL), EFAULT);
	FAILS(syscall(SYS_pipe, NULL), EFAULT);
	FAILS(accept(0, NULL, NULL), ENOTSOCK);
	puts("null ok");
	return 0;
}

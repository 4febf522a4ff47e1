/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wait family: any, group, one; WNOHANG; waitid's siginfo; WNOWAIT;
 * pidfd; rusage.
 */
#include "victim.h"
int main(void)
{
	int st = 0x5a5a, p[2];
	siginfo_t si;
	struct rusage ru;
	pid_t a, b;
	char c;

	FAILS(wait(&st), ECHILD);
	CHECK(st == 0x5a5a);
	FAILS(waitpid(999999, &st, 0), ECHILD);
	OK(pipe(p));
	a = CHILD(CHECK(read(p[0], &c, 1) == 1); _exit(1));
	CHECK(waitpid(a, &st, WNOHANG) == 0 && st == 0x5a5a);
	memset(&si, 0x11, sizeof(si));
	OK(waitid(P_PID, a, &si, WEXITED | WNOHANG));
	CHECK(si.si_pid == 0 && si.si_signo == 0);
	CHECK(write(p[1], "g", 1) == 1);
	OK(waitid(P_PID, a, &si, WEXITED | WNOWAIT));
	CHECK(si.si_pid == a && si.si_status == 1 && si.si_code == CLD_EXITED &&
	      si.si_signo == SIGCHLD && si.si_uid == getuid());
	memset(&ru, 0xff, sizeof(ru));
	CHECK(wait4(a, &st, 0, &ru) == a && WEXITSTATUS(st) == 1);
	CHECK(ru.ru_utime.tv_sec < 10);
	a = CHILD(setpgid(0, 0); _exit(2));
	setpgid(a, a);
	b = CHILD(_exit(3));
	CHECK(waitpid(0, &st, 0) == b && WEXITSTATUS(st) == 3);
	FAILS(waitpid(0, &st, 0), ECHILD);
	CHECK(waitpid(-a, &st, 0) == a && WEXITSTATUS(st) == 2);
	a = CHILD(_exit(4));
	OK(waitid(P_ALL, 0, &si, WEXITED));
	CHECK(si.si_pid == a && si.si_status == 4);
	a = CHILD(setpgid(0, 0); raise(SIGSTOP); abort());
	setpgid(a, a);
	OK(waitid(P_PGID, a, &si, WSTOPPED));
	CHECK(si.si_code == CLD_STOPPED && si.si_status == SIGSTOP);
	OK(kill(a, SIGKILL));
	OK(waitid(P_PGID, a, &si, WEXITED));
	CHECK(si.si_code == CLD_KILLED && si.si_status == SIGKILL);
	a = CHILD(_exit(5));
	int fd = OK(syscall(SYS_pidfd_open, a, 0));
	OK(waitid((idtype_t)P_PIDFD, fd, &si, WEXITED));
	CHECK(si.si_pid == a && si.si_status == 5);
	FAILS(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
	FAILS(waitid(P_ALL, 0, &si, 0), EINVAL);
	FAILS(waitpid(-1, &st, 0x4000000), EINVAL);
	puts("wait ok");
	return 0;
}

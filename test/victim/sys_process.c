/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes the raw way: fork, vfork, clone, clone3, exit, every form of wait,
 * pidfds, execveat, kcmp; and what fails.
 */
#include "victim.h"
#include <linux/sched.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void info(const char *what, long r, const siginfo_t *si, pid_t expect)
{
	printf("%s: %ld %s", what, r, r < 0 ? strerrorname_np(errno) : "");
	if (r == 0)
		printf("signo %d code %d status %d %s", si->si_signo, si->si_code,
		       si->si_pid ? si->si_status : -1,
		       si->si_pid == expect ? "expected" : si->si_pid ? "other" : "none");
	puts("");
}

static pid_t raw_fork(void)
{
	fflush(NULL);
	return (pid_t)OK(syscall(SYS_fork));
}

int main(int argc, char **argv)
{
	struct rusage ru;
	siginfo_t si;
	int st = -1, pf = -1;
	pid_t p, ptid = 0, ctid = 0;

	if (argc > 1) {
		printf("%s: %s, descriptor 9 %s\n", argv[0], argv[1],
		       fcntl(9, F_GETFD) < 0 ? "closed" : "open");
		return 5;
	}
	p = raw_fork();
	if (!p)
		syscall(SYS_exit, 3);
	CHECK(wait4(p, &st, 0, &ru) == p && WEXITSTATUS(st) == 3);
	p = vfork();
	if (!p)
		_exit(4);
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 4);
	/* a vfork child that execs, and one whose exec fails */
	for (int i = 0; i < 2; i++) {
		char *av[] = { "name", "argument", NULL };

		fflush(NULL);
		p = vfork();
		if (!p) {
			execv(i ? "nosuch" : "/proc/self/exe", av);
			_exit(6);
		}
		CHECK(waitpid(p, &st, 0) == p);
		printf("vfork exec: %d\n", WEXITSTATUS(st));
	}
	/* clone3 */
	struct clone_args ca = {
		.flags = CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID,
		.pidfd = (uintptr_t)&pf, .parent_tid = (uintptr_t)&ptid,
		.child_tid = (uintptr_t)&ctid, .exit_signal = SIGCHLD,
	};
	fflush(NULL);
	p = (pid_t)syscall(SYS_clone3, &ca, sizeof(ca));
	if (!p)
		_exit(ctid == getpid() ? 7 : 8);
	if (p > 0) {
		CHECK(ptid == p && pf >= 0);
		memset(&si, 0, sizeof(si));
		info("waitid pidfd", waitid(P_PIDFD, pf, &si, WEXITED | WNOWAIT), &si, p);
		info("waitid pidfd", waitid(P_PIDFD, pf, &si, WEXITED), &si, p);
		info("waitid pidfd", waitid(P_PIDFD, pf, &si, WEXITED), &si, p);
		close(pf);
	} else {
		printf("clone3: %s\n", strerrorname_np(errno));
	}
	SAYS(syscall(SYS_clone3, &ca, 8));
	SAYS(syscall(SYS_clone3, NULL, sizeof(ca)));
	ca.flags = CLONE_THREAD;
	SAYS(syscall(SYS_clone3, &ca, sizeof(ca)));
	ca.flags = CLONE_SIGHAND;
	SAYS(syscall(SYS_clone3, &ca, sizeof(ca)));
	SAYS(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
	SAYS(syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0));
	/* waits with nothing, with something, of every kind */
	SAYS(wait4(-1, &st, 0, NULL));
	SAYS(wait4(99999999, &st, 0, NULL));
	SAYS(wait4(-1, &st, 0x1000, NULL));
	memset(&si, 0x33, sizeof(si));
	info("waitid none", waitid(P_ALL, 0, &si, WEXITED), &si, 0);
	info("waitid bad", waitid(P_ALL, 0, &si, 0), &si, 0);
	info("waitid bad type", waitid(99, 0, &si, WEXITED), &si, 0);
	p = raw_fork();
	if (!p) {
		pause();
		_exit(1);
	}
	SAYS(wait4(p, &st, WNOHANG, &ru));
	memset(&si, 0x33, sizeof(si));
	info("waitid running", waitid(P_PID, p, &si, WEXITED | WNOHANG), &si, p);
	OK(kill(p, SIGSTOP));
	info("waitid stopped", waitid(P_PID, p, &si, WSTOPPED), &si, p);
	OK(kill(p, SIGCONT));
	info("waitid continued", waitid(P_PID, p, &si, WCONTINUED), &si, p);
	/* pidfds */
	pf = OK(syscall(SYS_pidfd_open, p, 0));
	SAYS(fcntl(pf, F_GETFD));
	SAYS(syscall(SYS_pidfd_open, -1, 0));
	SAYS(syscall(SYS_pidfd_open, 99999999, 0));
	SAYS(syscall(SYS_pidfd_open, p, 77));
	struct pollfd pl = { pf, POLLIN, 0 };
	SAYS(poll(&pl, 1, 0));
	int other = (int)DOES(syscall(SYS_pidfd_getfd, pf, 1, 0));
	if (other >= 0)
		CHECK(write(other, "by the child's descriptor\n", 26) == 26);
	SAYS(syscall(SYS_pidfd_getfd, pf, 777, 0));
	SAYS(syscall(SYS_pidfd_getfd, pf, 1, 1));
	SAYS(syscall(SYS_pidfd_getfd, -1, 1, 0));
	SAYS(syscall(SYS_kcmp, getpid(), p, 0, 1, 1));
	SAYS(syscall(SYS_kcmp, getpid(), getpid(), 1, 0xdead, &p));
	SAYS(syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 999));
	SAYS(syscall(SYS_kcmp, getpid(), getpid(), 99, 0, 0));
	SAYS(syscall(SYS_kcmp, 99999999, getpid(), 1, 0, 0));
	SAYS(syscall(SYS_pidfd_send_signal, pf, 0, NULL, 0));
	SAYS(syscall(SYS_pidfd_send_signal, pf, 999, NULL, 0));
	SAYS(syscall(SYS_pidfd_send_signal, 1, 0, NULL, 0));
	SAYS(syscall(SYS_pidfd_send_signal, pf, SIGTERM, NULL, 0));
	SAYS(poll(&pl, 1, 5000));
	memset(&si, 0, sizeof(si));
	info("waitid killed", syscall(SYS_waitid, P_PIDFD, pf, &si, WEXITED, &ru), &si, p);
	SAYS(syscall(SYS_pidfd_send_signal, pf, 0, NULL, 0));
	close(pf);
	/* waitid without siginfo, wait of a group */
	p = CHILD(setpgid(0, 0); _exit(9));
	SAYS(syscall(SYS_waitid, P_PID, p, NULL, WEXITED, NULL));
	p = CHILD(sleep_ms(50); _exit(9));
	OK(setpgid(p, p));
	CHECK(waitpid(-p, &st, 0) == p && WEXITSTATUS(st) == 9);
	p = CHILD(sleep_ms(20); _exit(10));
	CHECK(waitpid(0, &st, __WALL) == p && WEXITSTATUS(st) == 10);
	/* clone children without a signal are waited for with __WCLONE */
	fflush(NULL);
	p = (pid_t)OK(syscall(SYS_clone, 0, 0, 0, 0, 0));
	if (!p)
		_exit(11);
	SAYS(waitpid(p, &st, 0));
	CHECK(waitpid(p, &st, __WCLONE) == p && WEXITSTATUS(st) == 11);
	/* execveat */
	int dir = OK(open("/proc/self", O_RDONLY | O_DIRECTORY)), self = OK(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	OK(dup2(0, 9));
	for (int i = 0; i < 5; i++) {
		char *av[] = { "at", "again", NULL };

		fflush(NULL);
		p = OK(fork());
		if (!p) {
			int c = OK(open("/proc/self", O_RDONLY | O_DIRECTORY));

			if (i == 0)
				syscall(SYS_execveat, c, "exe", av, environ, 0);
			if (i == 1)
				syscall(SYS_execveat, self, "", av, environ, AT_EMPTY_PATH);
			if (i == 2)
				syscall(SYS_execveat, c, "exe", av, environ, AT_SYMLINK_NOFOLLOW);
			if (i == 3)
				syscall(SYS_execveat, c, "nosuch", av, environ, 0);
			if (i == 4)
				syscall(SYS_execveat, c, "exe", av, environ, 0x800);
			printf("execveat %d: %s\n", i, strerrorname_np(errno));
			fflush(NULL);
			_exit(12);
		}
		CHECK(waitpid(p, &st, 0) == p);
		printf("status %d\n", WEXITSTATUS(st));
	}
	close(dir);
	/* sessions and groups */
	SAYS(getpgid(99999999));
	SAYS(getsid(99999999));
	SAYS(setpgid(99999999, 0));
	SAYS(setpgid(0, -1));
	REAP(CHILD(CHECK(setsid() == getpid()); CHECK(getsid(0) == getpid() && getpgrp() == getpid());
		   SAYS(setsid()); SAYS(setpgid(0, 0)); SAYS(syscall(SYS_vhangup) == 0 || errno == EPERM)));
	SAYS(kill(99999999, 0));
	SAYS(kill(getpid(), 99));
	SAYS(syscall(SYS_tgkill, getpid(), 99999999, 0));
	SAYS(syscall(SYS_tgkill, getpid(), -1, 0));
	SAYS(syscall(SYS_tkill, 0, 0));
	SAYS(syscall(SYS_gettid) == getpid());
	SAYS(getppid() > 0);
	puts("process ok");
	return 0;
}

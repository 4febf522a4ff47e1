/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stopping and continuing children and groups, SIGCONT handlers, kills of the
 * stopped.
 */
#include "victim.h"
static volatile sig_atomic_t cont;
static int p[2], q[2];
static void on(int sig)
{
	cont++;
	CHECK(write(p[1], "c", 1) == 1);
}

int main(void)
{
	int st;
	char c;
	pid_t k;

	OK(pipe(p));
	OK(pipe(q));
	k = CHILD({
		handle(SIGCONT, on, 0);
		CHECK(write(p[1], "r", 1) == 1);
		while (cont < 3)
			sleep_ms(1);
		while (read(q[0], &c, 1) != 1)
			;
		CHECK(write(p[1], "d", 1) == 1);
		_exit(4);
	});
	CHECK(read(p[0], &c, 1) == 1);
	for (int i = 0; i < 3; i++) {
		OK(kill(k, SIGSTOP));
		CHECK(waitpid(k, &st, WUNTRACED) == k && WIFSTOPPED(st) &&
		      WSTOPSIG(st) == SIGSTOP);
		OK(kill(k, SIGCONT));
		CHECK(waitpid(k, &st, WCONTINUED) == k && WIFCONTINUED(st));
		/* another stop would discard a SIGCONT not yet handled */
		CHECK(read(p[0], &c, 1) == 1 && c == 'c');
	}
	CHECK(write(q[1], "g", 1) == 1);
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(WEXITSTATUS(reap(k)) == 4);
	k = CHILD(setpgid(0, 0); for (;;) burn(1000));
	setpgid(k, k);
	OK(kill(-k, SIGSTOP));
	CHECK(waitpid(-k, &st, WUNTRACED) == k && WIFSTOPPED(st));
	OK(kill(-k, SIGKILL));
	CHECK(WTERMSIG(reap(k)) == SIGKILL);
	k = CHILD(setpgid(0, 0); raise(SIGTSTP); raise(SIGTTIN); _exit(7));
	CHECK(waitpid(k, &st, WUNTRACED) == k);
	while (WIFSTOPPED(st)) {
		printf("stopped by %d\n", WSTOPSIG(st));
		OK(kill(k, SIGCONT));
		CHECK(waitpid(k, &st, WUNTRACED) == k);
	}
	printf("exit %d\n", WEXITSTATUS(st));
	return 0;
}

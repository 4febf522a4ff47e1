// SPDX-License-Identifier: Apache-2.0
/*
 * A process that computes, with handlers for SIGCONT and SIGTSTP, is stopped and
 * continued in turns: each stop takes effect, also one that comes right after it was
 * continued.  It has a process group of its own, for a SIGTSTP does not stop those of one
 * that nobody in the session looks after.
 */
#include "victim.h"

#define TURNS 8

static volatile int continued, asked;
static volatile unsigned long x;

static void on_cont(int sig)
{
	(void)sig;
	continued++;
}

static void on_stop(int sig)
{
	(void)sig;
	asked++;
}

static void turns(const char *name, int stop, bool computes)
{
	int fds[2], status, stops = 0, conts = 0;
	pid_t p;
	char c;

	OK(pipe(fds));
	p = CHILD({
		OK(setpgid(0, 0));
		handle(SIGCONT, on_cont, SA_RESTART);
		CHECK(write(fds[1], "r", 1) == 1);
		for (;;)
			if (computes)
				x = x * 3 + 1;
			else
				getppid();
	});
	CHECK(read(fds[0], &c, 1) == 1);
	for (int i = 0; i < TURNS; i++) {
		OK(kill(p, stop));
		CHECK(waitpid(p, &status, WUNTRACED) == p);
		stops += WIFSTOPPED(status) && WSTOPSIG(status) == stop;
		OK(kill(p, SIGCONT));
		CHECK(waitpid(p, &status, WCONTINUED) == p);
		conts += WIFCONTINUED(status);
	}
	OK(kill(p, SIGKILL));
	CHECK(WTERMSIG(reap(p)) == SIGKILL);
	OK(close(fds[0]));
	OK(close(fds[1]));
	printf("%s: %d stops, continued %d times\n", name, stops, conts);
}

/* SIGTSTP caught, and SIGCONT to one that is not stopped, none lost in the end */
static void both_caught(void)
{
	pid_t p;

	fflush(NULL);
	p = CHILD({
		handle(SIGCONT, on_cont, SA_RESTART);
		handle(SIGTSTP, on_stop, SA_RESTART);
		REAP(CHILD({
			for (int i = 0; i < TURNS; i++) {
				OK(kill(getppid(), SIGTSTP));
				sleep_ms(3);
				OK(kill(getppid(), SIGCONT));
				sleep_ms(3);
			}
			/* these are certain */
			OK(kill(getppid(), SIGTSTP));
			sleep_ms(300);
			OK(kill(getppid(), SIGCONT));
		}));
		while (!continued || !asked)
			x = x * 3 + 1;
	});
	REAP(p);
	printf("both caught\n");
}

int main(void)
{
	turns("SIGSTOP, computing", SIGSTOP, true);
	turns("SIGSTOP, calling", SIGSTOP, false);
	turns("SIGTSTP, computing", SIGTSTP, true);
	turns("SIGTSTP, calling", SIGTSTP, false);
	both_caught();
	return 0;
}

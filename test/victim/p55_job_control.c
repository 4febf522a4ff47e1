/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Job control on a pty: foreground and background groups, SIGTTIN, SIGTTOU,
 * keys that signal.
 */
#include "victim.h"
static void say(const char *s)
{
	CHECK(write(9, s, strlen(s)) == (ssize_t)strlen(s));
}
static void session(void)
{
	int st;
	char b[16];
	pid_t k;
	struct termios t;

	signal(SIGTTOU, SIG_IGN);
	k = CHILD(setpgid(0, 0); signal(SIGTTIN, SIG_DFL); read(0, b, 1); _exit(1));
	setpgid(k, k);
	CHECK(waitpid(k, &st, WUNTRACED) == k && WIFSTOPPED(st));
	say(WSTOPSIG(st) == SIGTTIN ? "background read stops\n" : "?\n");
	OK(tcsetpgrp(0, k));
	CHECK(tcgetpgrp(0) == k);
	OK(kill(-k, SIGCONT));
	say("typed\n");
	CHECK(waitpid(k, &st, 0) == k && WEXITSTATUS(st) == 1);
	OK(tcsetpgrp(0, getpgrp()));
	OK(tcgetattr(0, &t));
	t.c_lflag |= TOSTOP;
	OK(tcsetattr(0, TCSANOW, &t));
	k = CHILD(setpgid(0, 0); signal(SIGTTOU, SIG_DFL); write(1, "x", 1); _exit(2));
	setpgid(k, k);
	CHECK(waitpid(k, &st, WUNTRACED) == k && WIFSTOPPED(st) && WSTOPSIG(st) == SIGTTOU);
	say("background write stops\n");
	OK(kill(-k, SIGKILL));
	CHECK(waitpid(k, &st, 0) == k);
	k = CHILD(setpgid(0, 0); for (;;) pause());
	setpgid(k, k);
	OK(tcsetpgrp(0, k));
	say("interrupt\n");
	CHECK(waitpid(k, &st, 0) == k && WTERMSIG(st) == SIGINT);
	OK(tcsetpgrp(0, getpgrp()));
	k = CHILD(setpgid(0, 0); for (;;) pause());
	setpgid(k, k);
	OK(tcsetpgrp(0, k));
	say("suspend\n");
	CHECK(waitpid(k, &st, WUNTRACED) == k && WIFSTOPPED(st) && WSTOPSIG(st) == SIGTSTP);
	OK(tcsetpgrp(0, getpgrp()));
	OK(kill(-k, SIGTERM));
	OK(kill(-k, SIGCONT));
	CHECK(waitpid(k, &st, 0) == k && WTERMSIG(st) == SIGTERM);
	say("done\n");
}

int main(void)
{
	int m, s, p[2], n;
	char b[64];
	pid_t k;
	FILE *f;

	OK(pipe(p));
	OK(openpty(&m, &s, NULL, NULL, NULL));
	k = CHILD({
		OK(dup2(p[1], 9));
		close(p[0]);
		close(m);
		CHECK(login_tty(s) == 0);
		session();
	});
	close(s);
	close(p[1]);
	f = fdopen(p[0], "r");
	while (fgets(b, sizeof(b), f)) {
		fputs(b, stdout);
		if (strcmp(b, "typed\n") == 0)
			CHECK(write(m, "hello\n", 6) == 6);
		if (strcmp(b, "interrupt\n") == 0) {
			sleep_ms(30);
			CHECK(write(m, "\003", 1) == 1);
		}
		if (strcmp(b, "suspend\n") == 0) {
			sleep_ms(30);
			CHECK(write(m, "\032", 1) == 1);
		}
	}
	n = reap(k);
	printf("status %d\n", n);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Terminal ioctls and termios on a pty: sizes, modes, canonical input, echo,
 * window changes, hang-up.
 */
#include "victim.h"
static volatile sig_atomic_t winch, hup;
static void on(int sig)
{
	if (sig == SIGWINCH)
		winch++;
	else
		hup++;
}

int main(void)
{
	int m, s, n;
	struct winsize ws = { 24, 80, 0, 0 };
	struct termios t;
	char b[256];
	pid_t k;

	OK(openpty(&m, &s, NULL, NULL, &ws));
	CHECK(isatty(m) && isatty(s) && !isatty(OK(open("/dev/null", O_RDONLY))));
	OK(ioctl(s, TIOCGWINSZ, &ws));
	printf("%d x %d\n", ws.ws_row, ws.ws_col);
	OK(tcgetattr(s, &t));
	CHECK((t.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO));
	CHECK(write(m, "line\n", 5) == 5);
	CHECK(read(s, b, sizeof(b)) == 5 && memcmp(b, "line\n", 5) == 0);
	n = OK(read(m, b, sizeof(b)));
	printf("echo %d\n", n);
	CHECK(write(m, "erase\177\177X\n", 9) == 9);
	n = OK(read(s, b, sizeof(b)));
	printf("edited %.*s", n, b);
	cfmakeraw(&t);
	t.c_cc[VMIN] = 1;
	OK(tcsetattr(s, TCSAFLUSH, &t));
	CHECK(write(m, "r", 1) == 1 && read(s, b, 10) == 1);
	OK(ioctl(s, FIONREAD, &n));
	CHECK(n == 0);
	OK(tcflush(s, TCIOFLUSH));
	OK(tcdrain(s));
	CHECK(strncmp(ttyname(s), "/dev/pts/", 9) == 0);
	CHECK(ptsname(m) && strcmp(ptsname(m), ttyname(s)) == 0);
	FAILS(tcgetattr(OK(open("/dev/null", O_RDONLY)), &t), ENOTTY);
	k = CHILD({
		handle(SIGWINCH, on, 0);
		handle(SIGHUP, on, 0);
		close(m);
		CHECK(login_tty(s) == 0);
		CHECK(tcgetsid(0) == getpid() && tcgetpgrp(0) == getpid());
		CHECK(write(1, "R", 1) == 1);
		while (!winch)
			sleep_ms(1);
		OK(ioctl(0, TIOCGWINSZ, &ws));
		CHECK(ws.ws_row == 50);
		CHECK(write(1, "W", 1) == 1);
		while (!hup)
			sleep_ms(1);
		_exit(12);
	});
	close(s);
	do
		CHECK(read(m, b, 1) == 1);
	while (b[0] != 'R');		/* echoes come before */
	ws.ws_row = 50;
	OK(ioctl(m, TIOCSWINSZ, &ws));
	CHECK(read(m, b, 1) == 1 && b[0] == 'W');
	close(m);
	CHECK(WEXITSTATUS(reap(k)) == 12);
	return 0;
}

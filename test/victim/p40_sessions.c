/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions and process groups: setsid, setpgid, getsid, errors, groups of
 * children.
 */
#include "victim.h"
int main(void)
{
	pid_t k, a, b;
	int p[2];
	char c;

	OK(pipe(p));
	k = CHILD({
		CHECK(setsid() == getpid() || getpgrp() == getpid());
		CHECK(getsid(0) == getpid() && getpgrp() == getpid());
		FAILS(setsid(), EPERM);
		FAILS(setpgid(0, 0), EPERM);
		REAP(CHILD({
			CHECK(getsid(0) == getppid() && getpgrp() == getppid());
			OK(setpgid(0, 0));
			CHECK(getpgrp() == getpid() && getpgid(getppid()) == getppid());
		}));
		int fd = open("/dev/tty", O_RDWR);
		CHECK(fd == -1 && errno == ENXIO);
	});
	REAP(k);
	a = CHILD(CHECK(read(p[0], &c, 1) == 1));
	b = CHILD(CHECK(read(p[0], &c, 1) == 1));
	OK(setpgid(a, a));
	OK(setpgid(b, a));
	CHECK(getpgid(a) == a && getpgid(b) == a);
	FAILS(setpgid(a, 999999), EPERM);
	FAILS(setpgid(999999, 0), ESRCH);
	FAILS(setpgid(0, -1), EINVAL);
	FAILS(getpgid(999999), ESRCH);
	FAILS(getsid(-1), ESRCH);
	CHECK(write(p[1], "12", 2) == 2);
	REAP(a);
	REAP(b);
	k = CHILD(sleep_ms(200));
	REAP(CHILD(FAILS(setpgid(k, k), ESRCH)));
	REAP(k);
	puts("sessions ok");
	return 0;
}

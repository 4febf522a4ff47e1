/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon: forks twice, new session, closes its descriptors, writes a file,
 * is waited for by polling.
 */
#include "victim.h"
int main(void)
{
	struct stat st;
	pid_t k = CHILD({
		if (daemon(1, 0) < 0)
			_exit(1);
		CHECK(isatty(0) == 0);
		int fd = OK(open("daemon.tmp", O_WRONLY | O_CREAT, 0600));
		CHECK(write(fd, "from the daemon\n", 16) == 16);
		close(fd);
		OK(rename("daemon.tmp", "daemon.out"));
	});

	REAP(k);
	while (stat("daemon.out", &st) < 0)
		sleep_ms(2);
	puts("daemon ok");
	return 0;
}

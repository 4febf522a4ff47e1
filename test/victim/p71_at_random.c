/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AT_RANDOM as a source of randomness: what a runtime decides and writes by it
 * is the same in all variants. Canaries made of it are not (attack.toml).
 */
#include "victim.h"

int main(void)
{
	const unsigned char *r = (const void *)getauxval(AT_RANDOM);
	int fd = OK(open("seed", O_RDWR | O_CREAT | O_TRUNC, 0600));
	unsigned char back[16];

	CHECK(write(fd, r, 16) == 16);
	for (int i = 0; i < r[0] % 16; i++)
		getppid();
	CHECK(pread(fd, back, 16, 0) == 16 && memcmp(back, r, 16) == 0);
	unlink("seed");
	if (fork() == 0)
		_exit(r[1] & 127);
	int st;
	OK(wait(&st));
	CHECK(WEXITSTATUS(st) == (r[1] & 127));
	puts("at_random ok");
	return 0;
}

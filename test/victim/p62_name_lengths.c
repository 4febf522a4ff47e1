/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of temporary directories and files with a random number in them, written
 * without leading zeros, as Ruby's tmpdir does: they are not always as long in one
 * variant as in another. Who meets a name that is taken draws another one.
 */
#include "victim.h"

static uint64_t state;

static unsigned int draw(void)
{
	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned int)(state >> 33);
}

/* Mostly six digits of base 36, often five. */
static void invent(char name[64], const char *prefix, const char *suffix)
{
	unsigned int n = (draw() % 2176782336u) >> (draw() % 4 ? 0 : 5);
	char digits[16];
	unsigned int i = 0, at = 0;

	do
		digits[i++] = "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36];
	while (n /= 36);
	at = (unsigned int)snprintf(name, 64, "%s20261123-", prefix);
	while (i)
		name[at++] = digits[--i];
	snprintf(name + at, 64 - at, "%s", suffix);
}

int main(void)
{
	char name[64];

	state = (uint64_t)(uintptr_t)&name >> 4;
	for (unsigned int i = 0; i < 40; i++) {
		int fd;

		do
			invent(name, "d", "");
		while (mkdir(name, 0700) < 0 && errno == EEXIST);
		OK(rmdir(name));
		do {
			invent(name, "f", ".txt");
			fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		} while (fd < 0 && errno == EEXIST);
		OK(fd);
		OK(write(fd, "x", 1));
		close(fd);
		OK(unlink(name));
	}
	puts("names of any length ok");
	return 0;
}

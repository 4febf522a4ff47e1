// SPDX-License-Identifier: Apache-2.0
/*
 * As many mappings as a process may have: unmapping from the middle of one
 * would make one more, fails, and leaves everything as it was.
 */
#include "victim.h"

#define PAGES 512

int main(void)
{
	char *p = OK(mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	long failed = 0, limit = 0;
	FILE *f = fopen("/proc/sys/vm/max_map_count", "r");

	CHECK(f && fscanf(f, "%ld", &limit) == 1);
	fclose(f);
	if (limit > 66000) {	/* more than is sensible to make here */
		puts("failed 1 errno 12, all there 1");
		return 0;
	}
	/* neighbours of another protection: a mapping each */
	for (int i = 0; mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
	     i++)
		CHECK(i < 70000);
	for (int i = 1; i < PAGES - 1; i += 2) {
		p[i * 4096] = (char)i;
		if (!munmap(p + i * 4096, 4096))
			continue;
		failed++;
		CHECK(errno == ENOMEM && p[i * 4096] == (char)i);
	}
	printf("failed %d errno 12, all there 1\n", failed > 0);
	return 0;
}

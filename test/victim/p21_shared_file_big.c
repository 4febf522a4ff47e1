/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shared mapping that is written everywhere, extended and truncated while
 * mapped.
 */
#include "victim.h"
int main(void)
{
	int fd = OK(open("big", O_RDWR | O_CREAT | O_TRUNC, 0644));
	size_t n = 3 << 20;
	char *m;
	uint64_t sum = 0;
	static char b[65536];
	ssize_t k;

	OK(ftruncate(fd, n));
	m = OK(mmap(NULL, 2 * n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
	for (size_t i = 0; i < n; i += 64)
		*(uint32_t *)(m + i) = i * 2654435761u;
	OK(ftruncate(fd, 2 * n));
	m[2 * n - 1] = 'e';
	OK(ftruncate(fd, n + 4096));
	OK(munmap(m, 2 * n));
	while ((k = OK(read(fd, b, sizeof(b)))) > 0)
		for (ssize_t i = 0; i < k; i++)
			sum = sum * 31 + (unsigned char)b[i];
	printf("sum %016" PRIx64 "\n", sum);
	return 0;
}

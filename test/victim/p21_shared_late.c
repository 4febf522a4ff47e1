/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mappings that become writable late: by mprotect in a child, then in its
 * parent, in pieces, after a hole was punched; a pointer stored by one is
 * found by the other.
 */
#include "victim.h"

#define P 4096ul
#define N 200ul

int main(void)
{
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), p[2], q[2];
	char *m, c = 0;
	pid_t kid;

	OK(ftruncate(fd, N * P));
	for (unsigned long i = 0; i < N; i++)
		CHECK(pwrite(fd, &i, sizeof(i), i * P) == sizeof(i));
	m = OK(mmap(NULL, N * P, PROT_READ, MAP_SHARED, fd, 0));
	/* many pieces with different rights */
	for (unsigned long i = 0; i < N; i += 2)
		OK(mprotect(m + i * P, P, PROT_NONE));
	for (unsigned long i = 0; i < N; i += 2)
		OK(mprotect(m + i * P, P, i % 4 ? PROT_READ : PROT_READ | PROT_EXEC));
	OK(pipe(p));
	OK(pipe(q));
	kid = CHILD({
		OK(mprotect(m + 7 * P, P, PROT_READ | PROT_WRITE));
		*(char **)(m + 7 * P) = m + 9 * P;
		strcpy(m + 7 * P + 100, "by the child");
		CHECK(write(p[1], "1", 1) == 1 && read(q[0], &c, 1) == 1);
		CHECK(!strcmp(m + 150 * P + 8, "by the parent"));
		CHECK(*(char **)(m + 7 * P) == m + 8 * P);
	});
	CHECK(read(p[0], &c, 1) == 1 && !strcmp(m + 7 * P + 100, "by the child"));
	OK(mprotect(m, N * P, PROT_READ | PROT_WRITE));
	CHECK(*(char **)(m + 7 * P) == m + 9 * P);
	*(char **)(m + 7 * P) = m + 8 * P;
	strcpy(m + 150 * P + 8, "by the parent");
	CHECK(write(q[1], "1", 1) == 1);
	REAP(kid);
	for (unsigned long i = 0; i < N; i++)
		CHECK(i == 7 || *(unsigned long *)(m + i * P) == i);
	if (madvise(m + 20 * P, P, MADV_REMOVE) == 0)
		CHECK(pread(fd, &c, 1, 20 * P) == 1 && c == 0 && m[20 * P] == 0);
	OK(munmap(m, N * P));
	/* from the start again: what the file has */
	m = OK(mmap(NULL, N * P, PROT_READ, MAP_SHARED, fd, 0));
	CHECK(!strcmp(m + 150 * P + 8, "by the parent"));
	(void)madvise(m + 30 * P, P, MADV_REMOVE);
	CHECK(*(unsigned long *)(m + 31 * P) == 31);
	/* it holds addresses */
	OK(unlink("f"));
	puts("late ok");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* mremap grows, moves, shrinks, to a fixed place, without unmapping the old. */
#include "victim.h"
int main(void)
{
	size_t P = 4096;
	char *p = OK(mmap(NULL, 4 * P, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), *q, *r;

	for (int i = 0; i < 4; i++)
		p[i * P] = i + 1;
	q = OK(mremap(p, 4 * P, 1000 * P, MREMAP_MAYMOVE));
	for (int i = 0; i < 4; i++)
		CHECK(q[i * P] == i + 1);
	CHECK(q[999 * P] == 0);
	q[999 * P] = 3;
	CHECK(mremap(q, 1000 * P, 2 * P, 0) == q);
	CHECK(q[P] == 2);
	r = OK(mmap(NULL, 8 * P, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	CHECK(mremap(q, 2 * P, 3 * P, MREMAP_MAYMOVE | MREMAP_FIXED, r + P) == r + P);
	CHECK(r[P] == 1 && r[2 * P] == 2 && r[3 * P] == 0);
	FAILS(mremap(r + 1, P, 2 * P, MREMAP_MAYMOVE), EINVAL);
	FAILS(mremap(r + P, P, 0, MREMAP_MAYMOVE), EINVAL);
	FAILS(mremap(r + P, P, 2 * P, MREMAP_FIXED, r), EINVAL);
	FAILS(mremap(q, P, 2 * P, MREMAP_MAYMOVE), EFAULT);
	q = OK(mremap(r + P, 3 * P, 3 * P, MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
	CHECK(q[0] == 1 && r[P] == 0);
	/* a shared mapping duplicated by old size 0 */
	p = OK(mmap(NULL, P, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	q = OK(mremap(p, 0, P, MREMAP_MAYMOVE));
	CHECK(q != p);
	strcpy(p, "twice");
	CHECK(strcmp(q, "twice") == 0);
	/* at a place the program has chosen; often enough to be in-process */
	for (int i = 0; i < 6; i++) {
		char *at = (char *)0x650000000000 + i * (1 << 24);

		p = mmap(at, 16 * P, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(p == at);
		p[0] = 7;
		CHECK(mremap(p, 16 * P, 8 * P, 0) == p);
		CHECK(mremap(p, 8 * P, 16 * P, 0) == p);
		CHECK(mremap(p, 16 * P, 4 * P, MREMAP_MAYMOVE) == p);
		q = OK(mremap(p, 4 * P, 400 * P, MREMAP_MAYMOVE));
		CHECK(q[0] == 7 && q[400 * P - 1] == 0);
		OK(munmap(q, 400 * P));
	}
	puts("mremap ok");
	return 0;
}

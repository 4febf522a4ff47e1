/* SPDX-License-Identifier: Apache-2.0 */
/* Splitting, merging, moving and replacing mappings. */
#include "victim.h"
int main(void)
{
	size_t P = 4096;
	char *p = OK(mmap(NULL, 16 * P, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), *q;
	unsigned char vec[16];

	memset(p, 1, 16 * P);
	OK(mprotect(p + 4 * P, 4 * P, PROT_READ));
	OK(mprotect(p + 6 * P, P, PROT_NONE));
	OK(mprotect(p + 4 * P, 4 * P, PROT_READ | PROT_WRITE));
	p[6 * P] = 9;
	OK(munmap(p + 8 * P, 2 * P));
	FAILS(mprotect(p + 7 * P, 2 * P, PROT_READ), ENOMEM);
	OK(mprotect(p + 7 * P, P, PROT_READ | PROT_WRITE));
	q = OK(mmap(p + 8 * P, 2 * P, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	CHECK(q == p + 8 * P && q[0] == 0 && p[10 * P] == 1);
	FAILS(mmap(p, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		   -1, 0), EEXIST);
	/* replaced over a populated piece */
	q = OK(mmap(p + 2 * P, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	CHECK(q[0] == 0 && p[P] == 1 && p[3 * P] == 1);
	OK(madvise(p + 12 * P, P, MADV_DONTNEED));
	CHECK(p[12 * P] == 0 && p[13 * P] == 1);
	FAILS(madvise(p + 1, P, MADV_DONTNEED), EINVAL);
	FAILS(madvise(p, P, 9999), EINVAL);
	OK(mincore(p, 4 * P, vec));
	CHECK(vec[1] & 1);
	FAILS(munmap(p + 1, P), EINVAL);
	FAILS(munmap(p, 0), EINVAL);
	FAILS(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS(mmap(NULL, P, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	FAILS(mmap(NULL, P, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	FAILS(mmap(p + 1, P, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
	FAILS(mmap(NULL, (size_t)1 << 62, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	FAILS(mprotect(p + 1, P, PROT_READ), EINVAL);
	OK(munmap(p, 16 * P));
	OK(munmap(p, 16 * P));		/* nothing there: success */
	q = OK(mmap(NULL, 4 * P, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
	CHECK((uintptr_t)q < 0x100000000ul);
	q[0] = 1;
	OK(munmap(q, 4 * P));
	q = OK(mmap(NULL, 4 * P, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_POPULATE | MAP_NORESERVE | MAP_STACK, -1, 0));
	q[4 * P - 1] = 1;
	OK(mlock(q, P));
	OK(munlock(q, P));
	puts("vma ok");
	return 0;
}

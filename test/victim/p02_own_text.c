/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that reads, sums up, unprotects, drops and maps over its libc's
 * text, before and after its calls have become frequent, and its children.
 */
#include "victim.h"
static void calls(void)
{
	struct timespec ts;

	for (int i = 0; i < 20; i++) {
		CHECK(getppid() > 0);
		CHECK(!clock_gettime(CLOCK_MONOTONIC, &ts));
		FAILS(close(-1), EBADF);
	}
}

static unsigned int sum(const unsigned char *p, size_t n)
{
	unsigned int s = 0;

	while (n--)
		s = s * 31 + *p++;
	return s;
}

int main(void)
{
	unsigned char *page = (void *)((uintptr_t)dlsym(RTLD_DEFAULT,
							"getppid") & ~4095ul);
	int fd = OK(open("/dev/null", O_WRONLY));
	unsigned int before;
	void *copy;

	CHECK(page);
	calls();
	before = sum(page, 8192);
	/* what it writes must be the same in all variants */
	CHECK(write(fd, &before, sizeof(before)) == sizeof(before));
	CHECK(write(fd, page, 8192) == 8192);
	for (int i = 0; i < 3; i++) {
		OK(mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC));
		calls();
		page[1] = *(volatile unsigned char *)(page + 1);
		OK(mprotect(page, 8192, PROT_READ | PROT_EXEC));
		calls();
		OK(madvise(page, 8192, MADV_DONTNEED));
		calls();
	}
	REAP(CHILD({
		calls();
		OK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
		calls();
		OK(mprotect(page, 4096, PROT_READ | PROT_EXEC));
		calls();
	}));
	calls();
	/* the same bytes somewhere else, then back over the text */
	copy = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	OK(mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC));
	memcpy(copy, page, 8192);
	OK(mprotect(copy, 8192, PROT_READ | PROT_EXEC));
	CHECK(mremap(copy, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, page) ==
	      page);
	calls();
	for (int i = 0; i < 5; i++) {
		void *h = dlopen("libm.so.6", RTLD_NOW);

		calls();
		if (h)
			dlclose(h);
	}
	puts("text ok");
	return 0;
}

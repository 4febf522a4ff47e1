/* SPDX-License-Identifier: Apache-2.0 */
/* MADV_DONTFORK, MADV_WIPEONFORK and copy on write over fork. */
#include "victim.h"
static sigjmp_buf back;
static void segv(int sig)
{
	siglongjmp(back, 1);
}
int main(void)
{
	size_t P = 4096;
	char *p = OK(mmap(NULL, 4 * P, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	memset(p, 'x', 4 * P);
	OK(madvise(p, P, MADV_DONTFORK));
	OK(madvise(p + P, P, MADV_WIPEONFORK));
	REAP(CHILD({
		handle(SIGSEGV, segv, 0);
		if (!sigsetjmp(back, 1)) {
			*(volatile char *)p = 1;
			_exit(3);
		}
		CHECK(p[P] == 0 && p[2 * P] == 'x');
		p[2 * P] = 'c';
	}));
	CHECK(p[0] == 'x' && p[P] == 'x' && p[2 * P] == 'x');
	OK(madvise(p, P, MADV_DOFORK));
	OK(madvise(p + P, P, MADV_KEEPONFORK));
	REAP(CHILD(CHECK(p[0] == 'x' && p[P] == 'x')));
	OK(madvise(p, 4 * P, MADV_FREE));
	OK(madvise(p, 4 * P, MADV_HUGEPAGE) + 0);
	OK(madvise(p, 4 * P, MADV_SEQUENTIAL));
	OK(madvise(p, 4 * P, MADV_DONTDUMP));
	puts("madvise ok");
	return 0;
}

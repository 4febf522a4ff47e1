/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that makes sure that nothing will ever be in most of its address space:
 * terabytes without access, where the monitor has pages of its own.  It gets them, gets
 * rid of them, and everything goes on.
 */
#include "victim.h"

#define FROM 0x200000000000ul
#define SIZE 0x310000000000ul

static void reserve(void)
{
	void *p = mmap((void *)FROM, SIZE, PROT_NONE, MAP_PRIVATE |
		       MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);

	CHECK(p == (void *)FROM);
	puts("reserved");
}

int main(void)
{
	int status;
	pid_t pid;

	reserve();
	reserve();
	CHECK(!munmap((void *)FROM, SIZE));
	CHECK(mmap((void *)FROM, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS |
		   MAP_FIXED | MAP_NORESERVE, -1, 4096) == (void *)FROM);
	CHECK(mmap((void *)(FROM + 1), SIZE, PROT_NONE, MAP_PRIVATE |
		   MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) ==
	      MAP_FAILED && errno == EINVAL);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		reserve();
		fflush(stdout);
		_exit(7);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 7);
	/* no page of the range may be touched */
	pid = fork();
	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)(FROM + 4096) = 1;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	      WTERMSIG(status) == SIGSEGV);
	puts("done");
	return 0;
}

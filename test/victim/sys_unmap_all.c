/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that unmap everything they have, themselves included, die of the
 * next instruction.
 */
#include "victim.h"

int main(void)
{
	pid_t c = CHILD(munmap((void *)4096, 0x7ffffffff000 - 8192); _exit(3));
	int st = reap(c);

	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
	c = CHILD(
		FAILS(munmap((void *)4096, 0x7fffffffffff000), EINVAL);
		FAILS(munmap((void *)4097, 0x7fff00000000), EINVAL);
		_exit(4)
	);
	st = reap(c);
	CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 4);
	puts("unmap ok");
	return 0;
}

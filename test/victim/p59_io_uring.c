/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_uring is refused or works; a program that asks for it finds out and goes
 * on.
 */
#include "victim.h"
int main(void)
{
	char params[120] = { 0 };
	long fd = syscall(425, 4, params);

	CHECK(fd >= 0 || errno == ENOSYS || errno == EPERM);
	puts("went on");
	return 0;
}

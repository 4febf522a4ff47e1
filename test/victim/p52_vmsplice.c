/* SPDX-License-Identifier: Apache-2.0 */
/* vmsplice works or is refused with ENOSYS, as if the kernel did not have it. */
#include "victim.h"
int main(void)
{
	struct iovec v[2] = { { (void *)(uintptr_t)"vm", 2 }, { (void *)(uintptr_t)"splice", 6 } };
	char b[10];
	int p[2];
	ssize_t n;

	OK(pipe(p));
	n = vmsplice(p[1], v, 2, 0);
	CHECK(n == 8 || (n == -1 && errno == ENOSYS));
	if (n == 8)
		CHECK(read(p[0], b, 10) == 8 && memcmp(b, "vmsplice", 8) == 0);
	puts("vmsplice ok");
	return 0;
}

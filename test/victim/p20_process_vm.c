/* SPDX-License-Identifier: Apache-2.0 */
/* process_vm_readv and process_vm_writev between parent and child. */
#include "victim.h"
static char buf[8192];
int main(void)
{
	int p[2], q[2];
	char c;
	struct iovec l[2] = { { buf, 5 }, { buf + 100, 6 } }, r = { buf + 4000, 11 };

	OK(pipe(p));
	OK(pipe(q));
	pid_t child = CHILD({
		memcpy(buf + 4000, "hello world", 11);
		CHECK(write(p[1], "1", 1) == 1);
		CHECK(read(q[0], &c, 1) == 1);
		CHECK(memcmp(buf + 4000, "HELLO world", 11) == 0);
	});
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(process_vm_readv(child, l, 2, &r, 1, 0) == 11);
	CHECK(memcmp(buf, "hello", 5) == 0 && memcmp(buf + 100, " world", 6) == 0);
	memcpy(buf, "HELLO", 5);
	CHECK(process_vm_writev(child, l, 1, &r, 1, 0) == 5);
	CHECK(write(q[1], "1", 1) == 1);
	FAILS(process_vm_readv(child, l, 2, &r, 1, 77), EINVAL);
	REAP(child);
	puts("process_vm ok");
	return 0;
}

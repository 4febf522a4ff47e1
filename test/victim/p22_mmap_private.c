/* SPDX-License-Identifier: Apache-2.0 */
/* A private file mapping: copy on write, execution, partial last page. */
#include "victim.h"
int main(void)
{
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char *m, *r, b[6];

	CHECK(write(fd, "hello", 5) == 5);
	m = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
	r = OK(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0));
	CHECK(memcmp(m, "hello\0\0", 7) == 0);
	m[0] = 'J';
	CHECK(r[0] == 'h' && pread(fd, b, 5, 0) == 5 && b[0] == 'h');
	CHECK(pwrite(fd, "HELLO", 5, 0) == 5);
	CHECK(memcmp(r, "HELLO", 5) == 0 && m[0] == 'J');
	REAP(CHILD(CHECK(m[0] == 'J'); m[0] = 'K'));
	CHECK(m[0] == 'J');
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };
	CHECK(pwrite(fd, code, 6, 0) == 6);
	int (*fn)(void) = (int (*)(void))(uintptr_t)OK(mmap(NULL, 4096,
			PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0));
	printf("%d\n", fn());
	return 0;
}

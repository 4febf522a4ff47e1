/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A buffer is rewritten at once after the call that sent it; what was sent is
 * what was in it.
 */
#include "victim.h"
int main(void)
{
	int p[2];
	char b[64], r[64];
	uint64_t sum = 0;

	OK(pipe(p));
	pid_t c = CHILD({
		close(p[0]);
		for (int i = 0; i < 500; i++) {
			memset(b, i, sizeof(b));
			CHECK(write(p[1], b, sizeof(b)) == sizeof(b));
			memset(b, 0xff, sizeof(b));
		}
	});
	close(p[1]);
	for (int i = 0; i < 500; i++) {
		size_t n = 0;
		while (n < sizeof(r))
			n += OK(read(p[0], r + n, sizeof(r) - n));
		for (size_t k = 0; k < sizeof(r); k++)
			CHECK(r[k] == (char)i);
		sum += i;
	}
	CHECK(read(p[0], r, 1) == 0);
	REAP(c);
	printf("%" PRIu64 "\n", sum);
	return 0;
}

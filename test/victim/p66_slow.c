/* SPDX-License-Identifier: Apache-2.0 */
/* Long computing between calls is slow, not divergent. */
#include "victim.h"
int main(void)
{
	uint64_t x = 0;

	for (int i = 0; i < 3; i++) {
		x ^= burn(200000000);
		CHECK(getppid() > 0);
	}
	printf("%016" PRIx64 "\n", x);
	return 0;
}

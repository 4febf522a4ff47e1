/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heavy use of the allocator: sizes, realloc, alignment, trimming, with a
 * checksum of the contents.
 */
#include "victim.h"
int main(void)
{
	static unsigned char *p[2000];
	static size_t n[2000];
	uint64_t seed = 42, sum = 0;

	for (int round = 0; round < 20000; round++) {
		unsigned int i, k;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		i = (seed >> 33) % 2000;
		k = (seed >> 20) & 0x1fff;
		if ((seed & 127) == 0)
			k *= 100;
		for (size_t j = 0; j < n[i]; j += 97)
			sum = sum * 31 + p[i][j];
		if (seed & 0x100) {
			p[i] = realloc(p[i], k + 1);
			for (size_t j = n[i]; j <= k; j++)
				p[i][j] = j * i;
			n[i] = k + 1;
		} else {
			free(p[i]);
			p[i] = calloc(1, k + 1);
			n[i] = k + 1;
		}
		CHECK(p[i] && ((uintptr_t)p[i] & 15) == 0);
	}
	for (int a = 16; a <= 1 << 20; a *= 2) {
		void *q = NULL;
		ZERO(posix_memalign(&q, a, 100));
		CHECK(((uintptr_t)q & (a - 1)) == 0);
		free(q);
	}
	for (int i = 0; i < 2000; i++)
		free(p[i]);
	CHECK(malloc((size_t)1 << 60) == NULL && errno == ENOMEM);
	printf("sum %016" PRIx64 "\n", sum);
	return 0;
}

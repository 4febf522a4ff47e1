/* SPDX-License-Identifier: Apache-2.0 */
/*
 * More calls, and longer ones, than a replication buffer of any sensible size
 * holds: many small ones, and data in one piece and in many.
 */
#include "victim.h"
#define BIG (3u << 20)

static unsigned char *fill(unsigned int seed)
{
	unsigned char *p = OK(malloc(BIG));

	for (unsigned int i = 0; i < BIG; i++)
		p[i] = (unsigned char)(seed = seed * 1103515245u + 12345u, seed >> 16);
	return p;
}

int main(void)
{
	unsigned char *a = fill(1), *b = calloc(1, BIG), small[300];
	struct iovec iov[1024];
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	struct stat st;

	/* in one piece, there and back */
	CHECK(pwrite(fd, a, BIG, 0) == BIG);
	CHECK(pread(fd, b, BIG, 0) == BIG && !memcmp(a, b, BIG));
	/* 1024 vectors, and one more */
	for (int i = 0; i < 1024; i++)
		iov[i] = (struct iovec){ a + i * 3000, (size_t)(i * 7 % 3000) };
	size_t total = 0;
	for (int i = 0; i < 1024; i++)
		total += iov[i].iov_len;
	CHECK(pwritev(fd, iov, 1024, 0) == (ssize_t)total);
	for (int i = 0; i < 1024; i++)
		iov[i].iov_base = b + i * 3000;
	memset(b, 0, BIG);
	CHECK(preadv(fd, iov, 1024, 0) == (ssize_t)total);
	for (int i = 0; i < 1024; i++)
		CHECK(!memcmp(a + i * 3000, b + i * 3000, iov[i].iov_len));
	FAILS(preadv(fd, iov, 1025, 0), EINVAL);
	FAILS(pwritev(fd, iov, 1025, 0), EINVAL);
	printf("%zu in vectors\n", total);
	/* a short one at the end of the file: some vectors stay as they are */
	OK(ftruncate(fd, 5000));
	memset(b, 0x55, BIG);
	CHECK(preadv(fd, iov, 1024, 0) == 5000);
	size_t left = 5000;
	for (int i = 0; i < 1024; i++) {
		size_t k = iov[i].iov_len < left ? iov[i].iov_len : left;

		CHECK(k == iov[i].iov_len ||
		      ((unsigned char *)iov[i].iov_base)[k] == 0x55);
		left -= k;
	}
	/* small ones of all lengths: the buffer's end is met at every offset */
	OK(ftruncate(fd, 0));
	uint64_t sum = 0, calls = 0;
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int n = i * 13 % sizeof(small);

		memset(small, (int)i, sizeof(small));
		CHECK(pwrite(fd, a + i, n, i % 4096) == (ssize_t)n);
		CHECK(pread(fd, small, n, i % 4096) == (ssize_t)n);
		for (unsigned int k = 0; k < n; k++)
			sum += small[k] * (k + 1u);
		if (i % 16 == 0)
			OK(fstat(fd, &st));
		calls += 2;
	}
	printf("%lu calls, sum %lu, size %ld\n", calls, sum, (long)st.st_size);
	free(a);
	free(b);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * jemalloc seeds its generators with addresses: where in its first page a large
 * allocation begins, and when pages are given back, is the same in all variants.
 * What there is to see natively differs from run to run, so it is not printed.
 */
#include "victim.h"

#include <dlfcn.h>

#define BLOCKS	400
#define ROUNDS	60

typedef int mallctl_fn(const char *, void *, size_t *, void *, size_t);

static void *block[BLOCKS];

static void tell(int fd, uint64_t what)
{
	CHECK(write(fd, &what, sizeof(what)) == sizeof(what));
}

static void work(mallctl_fn *ctl)
{
	int fd = open("/dev/null", O_WRONLY);

	CHECK(fd >= 0);
	for (int i = 0; i < BLOCKS; i++) {
		block[i] = malloc(20000 + (size_t)i * 100);
		CHECK(block[i]);
		tell(fd, (uintptr_t)block[i] & 4095);
	}
	for (int round = 0; round < ROUNDS; round++) {
		const struct timespec nap = { 0, 5000000 };
		uint64_t epoch = 1;
		size_t resident, n = sizeof(resident);

		for (int i = round % 7; i < BLOCKS; i += 3 + round % 5) {
			free(block[i]);
			block[i] = malloc(20000 + (size_t)(i * 977 % 60000));
			CHECK(block[i]);
			memset(block[i], round, 20000);
		}
		nanosleep(&nap, NULL);
		CHECK(!ctl("epoch", NULL, NULL, &epoch, sizeof(epoch)));
		if (!ctl("stats.resident", &resident, &n, NULL, 0))
			tell(fd, resident);
	}
}

int main(int argc, char **argv)
{
	mallctl_fn *ctl;

	*(void **)&ctl = dlsym(RTLD_DEFAULT, "mallctl");
	if (ctl) {
		work(ctl);
	} else if (argc < 2) {
		setenv("LD_PRELOAD", "libjemalloc.so.2", 1);
		setenv("MALLOC_CONF", "dirty_decay_ms:50,muzzy_decay_ms:50", 1);
		/* the linker complains of a library that is not there */
		close(2);
		open("/dev/null", O_WRONLY);
		execl("/proc/self/exe", argv[0], "again", NULL);
		return 1;
	}
	puts("done");
	return 0;
}

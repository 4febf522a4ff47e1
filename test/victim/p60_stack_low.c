// SPDX-License-Identifier: Apache-2.0
/*
 * Numbers taken from the lower half of an address on the stack are alike in all
 * variants, as of other memory: ksh names its temporary files after one.  The stack
 * grows as natively, and is where /proc says, whatever its limit.
 */
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>

#include "victim.h"

extern char **environ;

static void low(int fd, const void *p)
{
	uint32_t half = (uint32_t)(uintptr_t)p;

	CHECK(write(fd, &half, sizeof(half)) == sizeof(half));
}

static __attribute__((noinline)) int deep(int fd, int n)
{
	volatile char page[4096];

	page[n % 4096] = (char)n;
	if (!n) {
		low(fd, (const void *)page);
		return page[0];
	}
	return deep(fd, n - 1) + page[n % 4096];
}

static int in_stack(const char *p)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[512];
	int found = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "[stack]"))
			found = sscanf(line, "%lx-%lx", &start, &end) == 2 &&
				(uintptr_t)p >= start && (uintptr_t)p < end;
	fclose(f);
	return found;
}

int main(int argc, char *argv[])
{
	static const unsigned long limits[] = { 8ul << 20, 1ul << 20, 64ul << 20, RLIM_INFINITY };
	int step = argc > 1 ? atoi(argv[1]) : 0, fd = open("/dev/null", O_WRONLY);
	pthread_attr_t attr;
	struct rlimit lim;
	char next[8];
	size_t size;
	void *at;

	CHECK(fd >= 0);
	low(fd, &lim);
	low(fd, argv[0]);
	low(fd, environ);
	low(fd, environ[0]);
	low(fd, (const void *)getauxval(AT_EXECFN));
	CHECK(in_stack((const char *)&lim) && in_stack(argv[0]));
	CHECK(!getrlimit(RLIMIT_STACK, &lim));
	if (step)
		printf("%d %d\n", step, deep(fd, (int)((lim.rlim_cur > 32ul << 20 ? 32ul << 20 :
							lim.rlim_cur - (256ul << 10)) / 4400)) & 1);
	CHECK(!pthread_getattr_np(pthread_self(), &attr));
	CHECK(!pthread_attr_getstack(&attr, &at, &size));
	CHECK((char *)&lim >= (char *)at && (char *)&lim < (char *)at + size);
	CHECK(step < 1 || step > 3 || size > limits[step - 1] - 65536);
	if (step == 4) {
		puts("done");
		return 0;
	}
	lim.rlim_cur = limits[step];
	CHECK(!setrlimit(RLIMIT_STACK, &lim));
	snprintf(next, sizeof(next), "%d", step + 1);
	fflush(stdout);
	execl("/proc/self/exe", "p60_stack_low", next, (char *)NULL);
	return 1;
}

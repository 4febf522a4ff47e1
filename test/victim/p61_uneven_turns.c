/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads of which one reads the clock more or less often, as an address says,
 * so that variants do so differently often, and goes on with a call from a place
 * in memory of its own.  Others want to run meanwhile; what all of them write
 * depends on who came when.
 */
#include "victim.h"

#define ROUNDS 25

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int order;
static int null, done;
static long (*call_write)(long nr, long fd, const void *buf, long n);

static void note(unsigned int who)
{
	ZERO(pthread_mutex_lock(&lock));
	order = order * 31 + who;
	ZERO(pthread_mutex_unlock(&lock));
}

static void *other(void *arg)
{
	unsigned int me = (unsigned int)(uintptr_t)arg, now;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		note(me);
		now = order;
		CHECK(write(null, &now, sizeof(now)) == sizeof(now));
		usleep(20);
	}
	return NULL;
}

int main(void)
{
	/* mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; syscall */
	static const unsigned char code[] = {
		0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48,
		0x89, 0xca, 0x0f, 0x05, 0xc3,
	};
	pthread_t t[2];
	struct timespec ts;
	uint64_t prng;
	char *area;

	OK(null = open("/dev/null", O_WRONLY));
	area = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	prng = (uintptr_t)area;
	memcpy(area, code, sizeof(code));
	OK(mprotect(area, 4096, PROT_READ | PROT_EXEC));
	call_write = (void *)area;
	for (unsigned int i = 0; i < 2; i++)
		ZERO(pthread_create(&t[i], NULL, other,
				    (void *)(uintptr_t)(i + 1)));
	for (int i = 0; i < ROUNDS; i++) {
		unsigned int n;

		CHECK(write(null, &i, sizeof(i)) == sizeof(i));
		prng = prng * 6364136223846793005ull + 1442695040888963407ull;
		n = 960 + (prng >> 33) % 128;
		while (n--)
			CHECK(!syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts));
		CHECK(call_write(SYS_write, null, &i, sizeof(i)) == sizeof(i));
		note(3);
	}
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < 2; i++)
		ZERO(pthread_join(t[i], NULL));
	puts("same order");
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * An allocator that wakes its helper thread when an address says so, by system calls at
 * many places in the text, which are the monitor's the first few times.  Clocks that the
 * program reads afterwards tell the same time everywhere: it goes out to a file.
 */
#include "victim.h"

#define SITES 96
#define READS 6

static int word;

long site_first(long nr, int *word, long op, long n);

__asm__(
"	.text\n"
"	.type site_first, @function\n"
"	.globl site_first\n"
"	.p2align 5\n"
"site_first:\n"
"	.rept 96\n"
"	.p2align 5\n"
"	mov %rdi, %rax\n"
"	mov %rsi, %rdi\n"
"	mov %rdx, %rsi\n"
"	mov %rcx, %rdx\n"
"	syscall\n"
"	ret\n"
"	.endr\n"
"	.size site_first, . - site_first\n"
);

typedef long (*site_fn)(long nr, int *word, long op, long n);

static void allocator(const void *object, unsigned int i, site_fn site)
{
	uint64_t x = ((uint64_t)(uintptr_t)object + i) * 0x9e3779b97f4a7c15ull;

	if (x >> 62 == 1)
		ZERO(site(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1));
}

static void *helper(void *fd)
{
	char c;

	CHECK(read(*(int *)fd, &c, 1) == 0);
	return NULL;
}

int main(void)
{
	void *object = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	int null = OK(open("/dev/null", O_WRONLY)), fds[2];
	pthread_t thread;

	OK(pipe(fds));
	ZERO(pthread_create(&thread, NULL, helper, &fds[0]));
	for (unsigned int i = 0; i < SITES; i++) {
		site_fn site = (site_fn)((uintptr_t)site_first +
					 32 * (uintptr_t)i);
		struct timespec t[READS][2];

		for (unsigned int k = 0; k < READS; k++) {
			allocator(object, READS * i + k, site);
			ZERO(clock_gettime(CLOCK_MONOTONIC, &t[k][0]));
			ZERO(clock_gettime(CLOCK_REALTIME, &t[k][1]));
			CHECK(write(null, t[k], sizeof(t[k])) == sizeof(t[k]));
		}
	}
	OK(close(fds[1]));
	ZERO(pthread_join(thread, NULL));
	puts("the same times");
	return 0;
}

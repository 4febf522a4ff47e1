/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As p61_clock_order, from system calls at many places in the text, each of them
 * made a few times only: what one variant asks additionally falls into the time in
 * which calls from there cease to be the monitor's.
 */
#include "victim.h"

#define SITES 96
#define READS 6

long site_first(long nr, long clock, struct timespec *t);


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
"	syscall\n"
"	ret\n"
"	.endr\n"
"	.size site_first, . - site_first\n"
);

typedef long (*site_fn)(long nr, long clock, struct timespec *t);

static volatile unsigned int sink;

/* Now and then, as an address says. */
static void look(const void *object, unsigned int i, site_fn site)
{
	uint64_t x = ((uint64_t)(uintptr_t)object + i) * 0x9e3779b97f4a7c15ull;
	struct timespec t;

	if (x >> 63)
		return;
	ZERO(site(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, &t));
	sink += (unsigned int)t.tv_nsec;
}

static long by_libc(long nr, long clock, struct timespec *t)
{
	return syscall(nr, clock, t);
}

int main(void)
{
	void *object = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	int null = OK(open("/dev/null", O_WRONLY));

	for (unsigned int i = 0; i < SITES; i++) {
		site_fn site = (site_fn)((uintptr_t)site_first +
					 32 * (uintptr_t)i);
		struct timespec t[READS];

		for (unsigned int k = 0; k < READS; k++) {
			look(object, 2 * (READS * i + k), site);
			ZERO(site(SYS_clock_gettime, CLOCK_MONOTONIC, &t[k]));
			look(object, 2 * (READS * i + k) + 1, by_libc);
		}
		CHECK(write(null, t, sizeof(t)) == sizeof(t));
	}
	puts("clocks in order ok");
	return 0;
}

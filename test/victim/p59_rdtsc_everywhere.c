/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdtsc in the program, in code it generates, in threads and children, before
 * and after it asked for SIGSEGV instead (PR_SET_TSC): always one value for all
 * variants, in order, and clocks go on in between.
 */
#include "victim.h"
#include <x86intrin.h>
static volatile int trapped;
static uint64_t last;

static void on(int sig, siginfo_t *si, void *uc)
{
	ucontext_t *u = uc;

	trapped++;
	u->uc_mcontext.gregs[REG_RIP] += 2;
	u->uc_mcontext.gregs[REG_RAX] = 1;
	u->uc_mcontext.gregs[REG_RDX] = 0;
}

/* The path taken depends on the value. */
static void use(uint64_t tsc)
{
	struct timespec ts;

	CHECK(tsc >= last);
	last = tsc;
	if (tsc & 16)
		getppid();
	if (tsc & 32)
		getuid();
	CHECK(!clock_gettime(CLOCK_MONOTONIC, &ts));
}

static void all(uint64_t (*generated)(void))
{
	unsigned int aux;

	for (int i = 0; i < 10; i++) {
		use(__rdtsc());
		use(__rdtscp(&aux));
		if (generated)
			use(generated());
	}
}

static void *thread(void *arg)
{
	all((uint64_t (*)(void))(uintptr_t)arg);
	return NULL;
}

int main(void)
{
	/* rdtsc; shl $32,%rdx; or %rdx,%rax; ret */
	static const unsigned char code[] = {
		0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0, 0xc3,
	};
	void *page, *own = NULL;
	pthread_t t;
	int mode;

	all(NULL);
	REAP(CHILD(all(NULL)));
	ZERO(pthread_create(&t, NULL, thread, NULL));
	ZERO(pthread_join(t, NULL));
	page = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	memcpy(page, code, sizeof(code));
	OK(mprotect(page, 4096, PROT_READ | PROT_EXEC));
	all((uint64_t (*)(void))(uintptr_t)page);
	REAP(CHILD(all((uint64_t (*)(void))(uintptr_t)page)));
	ZERO(pthread_create(&t, NULL, thread, page));
	ZERO(pthread_join(t, NULL));
	OK(prctl(PR_GET_TSC, &mode));
	CHECK(mode == PR_TSC_ENABLE);
	handle_info(SIGSEGV, on, 0);
	OK(prctl(PR_SET_TSC, PR_TSC_SIGSEGV));
	CHECK(__rdtsc() == 1 && trapped == 1);
	CHECK(((uint64_t (*)(void))(uintptr_t)page)() == 1 && trapped == 2);
	OK(prctl(PR_SET_TSC, PR_TSC_ENABLE));
	all((uint64_t (*)(void))(uintptr_t)page);
	CHECK(trapped == 2);
	(void)own;
	puts("tsc ok");
	return 0;
}

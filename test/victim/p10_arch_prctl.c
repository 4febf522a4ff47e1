/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arch_prctl: the segment bases are each thread's own and work; features that
 * are not there are refused. The auxiliary vector can be read back.
 */
#include "victim.h"
#include <asm/prctl.h>

#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif

static long arch_prctl(int code, void *addr)
{
	return syscall(SYS_arch_prctl, code, addr);
}

static uint64_t gs_word(void)
{
	uint64_t v;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(v));
	return v;
}

static void *thread(void *arg)
{
	uint64_t area[2] = { 0, 99 };
	void *base = NULL;

	/* a new thread starts with its creator's */
	OK(arch_prctl(ARCH_GET_GS, &base));
	CHECK(base == arg);
	OK(arch_prctl(ARCH_SET_GS, area));
	CHECK(gs_word() == 99);
	sched_yield();
	CHECK(gs_word() == 99);
	return NULL;
}

int main(void)
{
	uint64_t area[2] = { 1, 4711 };
	void *base = NULL, *fs;
	uint64_t aux[128][2];
	pthread_t t;
	long n;

	__asm__("movq %%fs:0, %0" : "=r"(fs));
	OK(arch_prctl(ARCH_GET_FS, &base));
	CHECK(base == fs);
	OK(arch_prctl(ARCH_SET_FS, fs));
	OK(arch_prctl(ARCH_SET_GS, area));
	CHECK(gs_word() == 4711);
	OK(arch_prctl(ARCH_GET_GS, &base));
	CHECK(base == area);
	ZERO(pthread_create(&t, NULL, thread, &area));
	ZERO(pthread_join(t, NULL));
	CHECK(gs_word() == 4711);
	REAP(CHILD({ CHECK(gs_word() == 4711); }));
	FAILS(arch_prctl(ARCH_SET_FS, (void *)(1ull << 60)), EPERM);
	FAILS(arch_prctl(ARCH_GET_FS, NULL), EFAULT);
	FAILS(arch_prctl(0x7777, NULL), EINVAL);
	OK(arch_prctl(ARCH_SET_GS, NULL));
	n = prctl(PR_GET_AUXV, aux, sizeof(aux), 0, 0);
	if (n > 0) {
		int found = 0;

		for (int i = 0; i < 128 && aux[i][0] != AT_NULL; i++) {
			if (aux[i][0] == AT_PAGESZ && aux[i][1] == 4096)
				found++;
			if (aux[i][0] == AT_ENTRY)
				found += aux[i][1] == getauxval(AT_ENTRY);
		}
		CHECK(found == 2);
	}
	puts("arch ok");
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Threads that wait for each other by looking at memory, thousands of times: a flag with
 * and without `pause`, a lock taken by an exchange, a barrier of their own, a wait that is
 * given up after so many rounds and begun again (redis' io-threads), and one in which
 * every register, the flags and the bytes below the stack pointer hold something.  Where
 * the turn changes only by stopping everybody each of them takes a tenth of a second.
 */
#include "victim.h"

#define ROUNDS 1500
#define LEAST_ROUNDS 100000

static int turn, lock, inside, arrived, sense, pending;
static long count;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *flag(void *arg)
{
	int me = (int)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != me)
			;
		count++;
		__atomic_store_n(&turn, !me, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void *paused(void *arg)
{
	int me = (int)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != me)
			__builtin_ia32_pause();
		count++;
		__atomic_store_n(&turn, !me, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* The other one is to have had it in between. */
static void *locked(void *arg)
{
	int me = (int)(uintptr_t)arg, done = 0;

	while (done < ROUNDS) {
		while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
			__builtin_ia32_pause();
		CHECK(!inside++);
		if (turn == me) {
			count++;
			done++;
			turn = !me;
		}
		inside--;
		__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void *barrier(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		int now = __atomic_load_n(&sense, __ATOMIC_RELAXED);

		if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == 2) {
			count += 2;
			__atomic_store_n(&arrived, 0, __ATOMIC_RELAXED);
			__atomic_store_n(&sense, !now, __ATOMIC_RELEASE);
		} else {
			while (__atomic_load_n(&sense, __ATOMIC_ACQUIRE) == now)
				;
		}
	}
	return NULL;
}

static void *bounded(void *arg)
{
	int me = (int)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; ) {
		for (int k = 0; k < LEAST_ROUNDS; k++)
			if (__atomic_load_n(&pending, __ATOMIC_ACQUIRE) == me)
				break;
		if (__atomic_load_n(&pending, __ATOMIC_ACQUIRE) != me) {
			pthread_mutex_lock(&mutex);
			pthread_mutex_unlock(&mutex);
			continue;
		}
		count++;
		i++;
		__atomic_store_n(&pending, !me, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* Waits for *p == me; returns something else than 0 if a register, the carry (nothing in
 * the loop changes a flag) or what is below the stack pointer is not what it was. */
__attribute__((noinline)) static uint64_t full_of_things(const int *p, int64_t me)
{
	uint64_t bad = (uint64_t)(uintptr_t)p, minus = (uint64_t)-me;

	__asm__ volatile(
		"subq $256, %%rsp\n\t"
		"movq $77, -8(%%rsp); movq $78, -120(%%rsp)\n\t"
		"movl $1, %%ebx; movl $3, %%esi; movl $4, %%edi\n\t"
		"movl $5, %%r8d; movl $6, %%r9d; movl $7, %%r10d\n\t"
		"movl $8, %%r11d; movl $9, %%r12d; movl $10, %%r13d\n\t"
		"movl $11, %%r14d; movl $12, %%r15d\n\t"
		"movq %%rbx, %%xmm0; movq %%r15, %%xmm15\n\t"
		"stc\n\t"
		"1: movl (%%rax), %%ecx\n\t"
		"leaq (%%rcx,%%rdx), %%rcx\n\t"
		"jrcxz 2f\n\t"
		"jmp 1b\n\t"
		"2: setnc %%cl; movzbl %%cl, %%eax\n\t"
		"subq $1, %%rbx; orq %%rbx, %%rax\n\t"
		"subq $3, %%rsi; orq %%rsi, %%rax\n\t"
		"subq $4, %%rdi; orq %%rdi, %%rax\n\t"
		"subq $5, %%r8; orq %%r8, %%rax\n\t"
		"subq $6, %%r9; orq %%r9, %%rax\n\t"
		"subq $7, %%r10; orq %%r10, %%rax\n\t"
		"subq $8, %%r11; orq %%r11, %%rax\n\t"
		"subq $9, %%r12; orq %%r12, %%rax\n\t"
		"subq $10, %%r13; orq %%r13, %%rax\n\t"
		"subq $11, %%r14; orq %%r14, %%rax\n\t"
		"subq $12, %%r15; orq %%r15, %%rax\n\t"
		"movq %%xmm0, %%rcx; subq $1, %%rcx; orq %%rcx, %%rax\n\t"
		"movq %%xmm15, %%rcx; subq $12, %%rcx; orq %%rcx, %%rax\n\t"
		"movq -8(%%rsp), %%rcx; subq $77, %%rcx; orq %%rcx, %%rax\n\t"
		"movq -120(%%rsp), %%rcx; subq $78, %%rcx; orq %%rcx, %%rax\n\t"
		"addq $256, %%rsp\n\t"
		: "+a"(bad), "+d"(minus) : :
		  "rbx", "rcx", "rsi", "rdi", "r8", "r9", "r10", "r11",
		  "r12", "r13", "r14", "r15", "xmm0", "xmm15", "cc", "memory");
	return bad;
}

static void *full(void *arg)
{
	int me = (int)(uintptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		CHECK(!full_of_things(&turn, me));
		count++;
		__atomic_store_n(&turn, !me, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void run(const char *name, void *(*fn)(void *))
{
	pthread_t a, b;

	count = 0;
	turn = 0;
	ZERO(pthread_create(&a, NULL, fn, (void *)0));
	ZERO(pthread_create(&b, NULL, fn, (void *)1));
	ZERO(pthread_join(a, NULL));
	ZERO(pthread_join(b, NULL));
	printf("%s %ld\n", name, count);
	fflush(stdout);
}

int main(void)
{
	run("flag", flag);
	run("paused", paused);
	run("locked", locked);
	run("barrier", barrier);
	run("bounded", bounded);
	run("full", full);
	return 0;
}

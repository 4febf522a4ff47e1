/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program begins to use the GS base when it has made many calls already, from
 * several threads, one of which sleeps in a call and one of which computes.
 */
#include "victim.h"
#include <asm/prctl.h>

static int p[2];
static volatile int stop, spins;

static uint64_t gs_word(void)
{
	uint64_t v;

	__asm__ volatile("movq %%gs:8, %0" : "=r"(v));
	return v;
}

static void calls(void)
{
	char c = 'x';
	int fd = OK(open("/dev/null", O_WRONLY));

	for (int i = 0; i < 50; i++) {
		CHECK(getppid() > 0);
		CHECK(write(fd, &c, 1) == 1);
		CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	}
	OK(close(fd));
}

static void *sleeper(void *arg)
{
	void *base = arg;
	char c;

	CHECK(read(p[0], &c, 1) == 1 && c == 'a');
	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	CHECK(!base);
	calls();
	CHECK(read(p[0], &c, 1) == 1 && c == 'b');
	return NULL;
}

static void *spinner(void *arg)
{
	while (!stop)
		spins++;
	calls();
	return arg;
}

static void *late(void *arg)
{
	CHECK(gs_word() == 4711);
	calls();
	return arg;
}

int main(void)
{
	uint64_t area[2] = { 1, 4711 }, other[2] = { 2, 99 };
	pthread_t a, b, c;
	void *base = &area;

	OK(pipe(p));
	calls();
	OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	CHECK(!base);
	ZERO(pthread_create(&a, NULL, sleeper, NULL));
	ZERO(pthread_create(&b, NULL, spinner, NULL));
	sleep_ms(20);
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, area));
	CHECK(gs_word() == 4711);
	stop = 1;
	for (int i = 0; i < 3; i++) {
		calls();
		CHECK(gs_word() == 4711);
	}
	ZERO(pthread_join(b, NULL));
	CHECK(write(p[1], "a", 1) == 1);
	REAP(CHILD({
		CHECK(gs_word() == 4711);
		calls();
		OK(syscall(SYS_arch_prctl, ARCH_SET_GS, other));
		calls();
		CHECK(gs_word() == 99);
	}));
	ZERO(pthread_create(&c, NULL, late, NULL));
	ZERO(pthread_join(c, NULL));
	CHECK(write(p[1], "b", 1) == 1);
	ZERO(pthread_join(a, NULL));
	REAP(CHILD(execl("/bin/true", "true", NULL)));
	CHECK(gs_word() == 4711);
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, NULL));
	calls();
	puts("gs ok");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wrgsbase loads bases that ptrace(2) does not accept, after which the
 * program's other registers must still be settable. A thread does so, which
 * then makes calls of many kinds and waits for a child.
 */
#include "victim.h"
#include <asm/prctl.h>

#define HWCAP2_FSGSBASE_BIT 2

static void *user(void *arg)
{
	uint64_t base = ~0ul, after;
	int status, fd, p[2];
	pid_t child;
	void *map;
	char c = 'x';

	/* says that the program has a use for GS */
	OK(syscall(SYS_arch_prctl, ARCH_SET_GS, NULL));
	__asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0xae, 0xd8" /* wrgsbase rax */
			 : : "a"(base));
	OK(pipe(p));
	child = OK(fork());
	if (!child) {
		CHECK(write(p[1], &c, 1) == 1);
		_exit(7);
	}
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	CHECK(waitpid(child, &status, 0) == -1 && errno == ECHILD);
	fd = OK(open("/dev/null", O_RDWR));
	OK(close(fd));
	map = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(map != MAP_FAILED);
	OK(munmap(map, 65536));
	__asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0xae, 0xc8" /* rdgsbase rax */
			 : "=a"(after));
	CHECK(after == base);
	return arg;
}

int main(void)
{
	pthread_t t;

	if (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT) {
		ZERO(pthread_create(&t, NULL, user, NULL));
		ZERO(pthread_join(t, NULL));
	}
	puts("done");
	return 0;
}

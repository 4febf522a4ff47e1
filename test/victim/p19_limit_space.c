/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of the address space and of data mean the program's own memory: what
 * fits natively fits, what does not fails, and reading a limit gives what was
 * set, in children and after exec, too.
 */
#include "victim.h"

static uint64_t used(const char *what)
{
	char line[256];
	unsigned long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, what, strlen(what)))
			sscanf(line + strlen(what), " %lu", &kb);
	fclose(f);
	CHECK(kb);
	return kb << 10;
}

static void *map(size_t n)
{
	return mmap(NULL, n, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void expect(int what, rlim_t cur)
{
	struct rlimit l;

	OK(getrlimit(what, &l));
	CHECK(l.rlim_cur == cur);
	OK(syscall(SYS_prlimit64, 0, what, NULL, &l));
	CHECK(l.rlim_cur == cur && l.rlim_max == RLIM_INFINITY);
}

static void room(int what, const char *name)
{
	struct rlimit l = { 0, RLIM_INFINITY }, old;
	void *p;

	(void)name;
	/* well above what any libc maps by itself, natively */
	l.rlim_cur = 64 << 20;
	OK(prlimit(0, what, &l, &old));
	CHECK(old.rlim_cur == RLIM_INFINITY);
	expect(what, 64 << 20);
	p = OK(map(32 << 20));
	FAILS(map(64 << 20), ENOMEM);
	REAP(CHILD({
		expect(what, 64 << 20);
		OK(map(8 << 20));
		FAILS(map(64 << 20), ENOMEM);
	}));
	REAP(CHILD(execl("/proc/self/exe", "again", name, NULL)));
	OK(munmap(p, 32 << 20));
	l.rlim_cur = RLIM_INFINITY;
	OK(setrlimit(what, &l));
	OK(munmap(OK(map(128 << 20)), 128 << 20));
	FAILS(syscall(SYS_prlimit64, 0, what, (void *)1, NULL), EFAULT);
	l.rlim_cur = 2;
	l.rlim_max = 1;
	FAILS(setrlimit(what, &l), EINVAL);
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		expect(argv[1][0] == 'a' ? RLIMIT_AS : RLIMIT_DATA, 64 << 20);
		OK(map(32 << 20));
		FAILS(map(64 << 20), ENOMEM);
		return 0;
	}
	/* no page of the program is counted as its own more than natively */
	CHECK(used("VmData:") < 8 << 20);
	room(RLIMIT_DATA, "data");
	room(RLIMIT_AS, "as");
	puts("limits ok");
	return 0;
}

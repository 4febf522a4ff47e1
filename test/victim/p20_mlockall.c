// SPDX-License-Identifier: Apache-2.0
/*
 * mlockall by a user: what the program has is compared with the limit, not
 * what the monitor has beside it; memory is locked and let go.
 */
#include "victim.h"

#include <sys/resource.h>
#include <sys/syscall.h>

static long locked_kb(void)
{
	char line[200];
	FILE *f = fopen("/proc/self/status", "r");
	long kb = -1;

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmLck: %ld", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

static void told(const char *what, int ret)
{
	printf("%s %d %d\n", what, ret, ret < 0 ? errno : 0);
}

int main(void)
{
	struct rlimit l = { 8 << 20, 8 << 20 };
	char *p = OK(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	unsigned char in[256];
	int n = 0;

	OK(setrlimit(RLIMIT_MEMLOCK, &l));
	if (!geteuid())
		OK(syscall(SYS_setresuid, 65534, 65534, 65534));
	told("bad", mlockall(0));
	told("bad", mlockall(64));
	told("on fault alone", mlockall(MCL_ONFAULT));
	printf("nothing locked %d\n", locked_kb() == 0);
	OK(mlockall(MCL_CURRENT));
	printf("locked %d\n", locked_kb() >= 1024);
	OK(mincore(p, 1 << 20, in));
	for (int i = 0; i < 256; i++)
		n += in[i] & 1;
	printf("populated %d\n", n);
	OK(munlockall());
	printf("nothing locked %d\n", locked_kb() == 0);
	OK(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT));
	printf("locked %d\n", locked_kb() >= 1024);
	p = OK(mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	n = locked_kb() >= 1024 + 64;
	OK(mlockall(MCL_CURRENT));
	printf("future %d\n", n);
	OK(munlockall());
	l.rlim_cur = 65536;
	OK(setrlimit(RLIMIT_MEMLOCK, &l));
	told("too much", mlockall(MCL_CURRENT));
	l.rlim_cur = 0;
	OK(setrlimit(RLIMIT_MEMLOCK, &l));
	told("not allowed", mlockall(MCL_CURRENT));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getcpu, sched_getcpu, rseq registration and identity calls decide the path
 * alike in all variants.
 */
#include "victim.h"
int main(void)
{
	unsigned int cpu, node;
	struct utsname u;
	struct sysinfo si;
	char host[256];

	for (int i = 0; i < 20; i++) {
		OK(getcpu(&cpu, &node));
		if ((cpu + i) & 1)
			getppid();
		CHECK(sched_getcpu() >= 0);
	}
	OK(uname(&u));
	CHECK(strcmp(u.sysname, "Linux") == 0 && strcmp(u.machine, "x86_64") == 0);
	OK(gethostname(host, sizeof(host)));
	CHECK(strcmp(host, u.nodename) == 0);
	OK(sysinfo(&si));
	CHECK(si.totalram > 0 && si.mem_unit >= 1);
	if (si.freeram & 4096)
		getppid();
	CHECK(personality(0xffffffff) != -1);
	CHECK(personality(PER_LINUX) != -1);
	CHECK(sysconf(_SC_PAGESIZE) == 4096 && sysconf(_SC_OPEN_MAX) > 0);
	CHECK(gethostid() == gethostid());
	puts("identity ok");
	return 0;
}

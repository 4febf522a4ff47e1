/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/self/maps shows this variant's own mappings: main, libc, stack, heap,
 * a new one; none of the monitor's.
 */
#include "victim.h"
static int look(const void *addr, char *perms, char *path)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[600];
	unsigned long a, b;
	int found = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		char p[8], q[512] = "";

		CHECK(sscanf(line, "%lx-%lx %7s %*s %*s %*s %511s", &a, &b, p, q) >= 3);
		if (strstr(q, "ipmon"))
			CHECK(strstr(q, "libipmon") == NULL);
		if ((uintptr_t)addr >= a && (uintptr_t)addr < b) {
			found = 1;
			strcpy(perms, p);
			strcpy(path, q);
		}
	}
	fclose(f);
	return found;
}

/* The line with the bounds of it all can be sent on as it is. */
static void rollup(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	int copy = OK(open("rollup", O_WRONLY | O_CREAT, 0600));
	unsigned long a, b;
	char line[200];

	if (!f || !fgets(line, sizeof(line), f))
		return;
	dprintf(copy, "%s", line);
	CHECK(sscanf(line, "%lx-%lx ---p 00000000 00:00 0", &a, &b) == 2 && a < b);
	CHECK(strstr(line, " [rollup]\n"));
	CHECK(fgets(line, sizeof(line), f) && !strncmp(line, "Rss: ", 5));
	fclose(f);
	close(copy);
	OK(unlink("rollup"));
}

int main(void)
{
	char perms[8], path[600];
	int local;
	void *heap = malloc(10), *m = OK(mmap(NULL, 40960, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	rollup();
	CHECK(look((void *)(uintptr_t)main, perms, path) && perms[2] == 'x' &&
	      strstr(path, "/p57_proc_maps"));
	CHECK(look(&local, perms, path) && strcmp(path, "[stack]") == 0);
	CHECK(look(heap, perms, path) && strcmp(path, "[heap]") == 0);
	CHECK(look((void *)(uintptr_t)puts, perms, path) && strstr(path, "libc"));
	CHECK(look(m, perms, path) && strncmp(perms, "r--p", 4) == 0);
	OK(mprotect(m, 4096, PROT_READ | PROT_WRITE));
	CHECK(look(m, perms, path) && strncmp(perms, "rw-p", 4) == 0);
	CHECK(look((char *)m + 8192, perms, path) && strncmp(perms, "r--p", 4) == 0);
	OK(munmap(m, 40960));
	CHECK(!look(m, perms, path));
	CHECK(look(&local, perms, path));
	FILE *f = fopen("/proc/self/smaps", "r");
	int rss = 0;
	char line[512];
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "Rss:", 4) == 0)
			rss++;
	CHECK(rss > 5);
	fclose(f);
	pthread_attr_t a;
	void *sp;
	size_t sz;
	ZERO(pthread_getattr_np(pthread_self(), &a));	/* reads maps */
	ZERO(pthread_attr_getstack(&a, &sp, &sz));
	CHECK((char *)&local > (char *)sp && (char *)&local < (char *)sp + sz);
	puts("maps ok");
	return 0;
}

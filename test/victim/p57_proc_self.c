/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other files of /proc/self that tell of the address space or of a
 * tracer: stat, status, auxv, environ, smaps, smaps_rollup, syscall, wchan.
 */
#include "victim.h"

static char buf[1 << 20];

static ssize_t slurp(const char *path)
{
	int fd = OK(open(path, O_RDONLY));
	ssize_t len = 0, n;

	while ((n = OK(read(fd, buf + len, sizeof(buf) - 1 - len))))
		len += n;
	buf[len] = 0;
	close(fd);
	return len;
}

static const char *status(const char *key)
{
	static char line[256];
	char *p;

	slurp("/proc/self/status");
	p = strstr(buf, key);
	CHECK(p && sscanf(p, "%*s %255[^\n]", line) == 1);
	return line;
}

extern char **environ;

int main(int argc, char **argv)
{
	unsigned long f[60];
	char state, *p;
	ssize_t len;
	int n = 4;

	slurp("/proc/self/stat");
	CHECK(atoi(buf) == getpid());
	p = strrchr(buf, ')');
	CHECK(p && sscanf(p, ") %c %lu", &state, &f[4]) == 2 && state == 'R');
	CHECK((pid_t)f[4] == getppid());
	p += 3;
	for (; n < 53; n++)
		f[n] = strtoul(p, &p, 10);
	CHECK(*p == '\n' && p[1] == 0);
	/* startcode, endcode, startstack, arguments */
	CHECK((uintptr_t)main >= f[26] && (uintptr_t)main < f[27]);
	CHECK(f[28] > (uintptr_t)&state && f[28] <= (uintptr_t)environ[0]);
	CHECK(f[48] <= (uintptr_t)argv[0] + (1 << 20) && f[49] > f[48]);

	CHECK(!strcmp(status("TracerPid:"), "0"));
	CHECK(!strcmp(status("State:"), "R (running)"));
	CHECK(!strcmp(status("Seccomp:"), "0"));
	CHECK(!strcmp(status("NoNewPrivs:"), "0"));
	CHECK(atoi(status("Pid:")) == getpid());
	CHECK(atoi(status("PPid:")) == getppid());
	OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(!strcmp(status("NoNewPrivs:"), "1"));

	len = slurp("/proc/self/auxv");
	CHECK(len >= 32 && len % 16 == 0);
	for (ssize_t i = 0; i < len; i += 16) {
		unsigned long a[2];

		memcpy(a, buf + i, 16);
		if (a[0] == AT_PHDR || a[0] == AT_ENTRY || a[0] == AT_RANDOM ||
		    a[0] == AT_BASE || a[0] == AT_PAGESZ)
			CHECK(a[1] == getauxval(a[0]));
	}
	setenv("ADDED", "later", 1);
	len = slurp("/proc/self/environ");
	CHECK(len > 0 && !memmem(buf, len, "ADDED", 5));
	CHECK(!memmem(buf, len, "libipmon", 8));

	slurp("/proc/self/smaps");
	CHECK(strstr(buf, "\nRss:") && strstr(buf, "[stack]"));
	for (p = buf, n = 0; p && *p; p = strchr(p, '\n') + 1) {
		unsigned long a, b;

		if (sscanf(p, "%lx-%lx ", &a, &b) == 2 &&
		    (uintptr_t)main >= a && (uintptr_t)main < b)
			n++;
	}
	CHECK(n == 1);
	slurp("/proc/self/smaps_rollup");
	CHECK(sscanf(buf, "%lx-%lx", &f[0], &f[1]) == 2);
	CHECK((uintptr_t)main >= f[0] && (uintptr_t)&state < f[1]);
	if (!access("/proc/self/numa_maps", R_OK)) {
		slurp("/proc/self/numa_maps");
		CHECK(strstr(buf, "stack"));
	}
	if (!access("/proc/self/syscall", R_OK)) {
		slurp("/proc/self/syscall");
		CHECK(!strncmp(buf, "running", 7) || atoi(buf) == SYS_read);
	}
	CHECK(argc == 1);
	puts("proc self ok");
	return 0;
}

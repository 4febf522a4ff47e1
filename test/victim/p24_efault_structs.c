// SPDX-License-Identifier: Apache-2.0
/*
 * Structures that end beyond the last mapped page: the kernel fills what is
 * there before it says EFAULT, and all variants have the same bytes then.
 */
#include "victim.h"

#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>

static unsigned char *end;

/* What is in front of the bad page decides what is written, in all alike. */
static void told(const char *name, long ret, size_t n)
{
	unsigned int sum = 0;

	/* any difference between variants becomes one of this output or of
	 * the number of bytes */
	for (size_t i = 1; i <= n; i++)
		sum += end[-(long)i];
	OK(write(open("/dev/null", O_WRONLY), end - n, n));
	OK((int)write(open("/dev/null", O_WRONLY), &sum, sizeof(sum)));
	printf("%s %ld %d\n", name, ret, ret < 0 ? errno : 0);
	memset(end - 512, 0x5a, 512);
}

int main(void)
{
	unsigned char *p = OK(mmap(NULL, 8192, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	struct itimerval it = { { 0, 0 }, { 1000, 0 } };
	int fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600)), q[2];

	end = p + 4096;
	OK(munmap(end, 4096));
	memset(end - 512, 0x5a, 512);
	OK(pipe(q));
	OK(setitimer(ITIMER_REAL, &it, NULL));
	told("clock_gettime", syscall(SYS_clock_gettime, CLOCK_REALTIME,
				      end - 15), 15);
	told("gettimeofday", syscall(SYS_gettimeofday, end - 12, NULL), 12);
	told("getitimer", syscall(SYS_getitimer, ITIMER_REAL, end - 24), 24);
	told("fstat", syscall(SYS_fstat, fd, end - 100), 100);
	told("newfstatat", syscall(SYS_newfstatat, AT_FDCWD, "f", end - 140, 0),
	     140);
	told("uname", syscall(SYS_uname, end - 300), 300);
	told("sysinfo", syscall(SYS_sysinfo, end - 60), 60);
	told("times", syscall(SYS_times, end - 20), 20);
	told("getrusage", syscall(SYS_getrusage, RUSAGE_SELF, end - 100), 100);
	told("pipe2", syscall(SYS_pipe2, end - 4, 0), 4);
	told("statfs", syscall(SYS_statfs, "/", end - 100), 100);
	memset(end - 8, 0, 8);
	end[-8] = 1;
	OK((int)write(q[1], "x", 1));
	/* more descriptors than a table has that never grew are cut off */
	OK(dup2(q[0], 200));
	told("select", syscall(SYS_select, 65, end - 8, NULL, NULL, NULL), 8);
	return 0;
}

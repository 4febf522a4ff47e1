/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that fail late, or for another reason than the first that comes to mind:
 * a timer's number is stored before its clock refuses it, a memory policy before
 * the mask of nodes is found to be too long, who gives advice that
 * nobody knows is told first that the memory list is not there or the process
 * is not, a socket option is looked at after what it is set for. Flags of FIEMAP
 * that nobody knows are stored; mincore() that fails leaves what it has no room for.
 */
#include "victim.h"

#include <linux/fiemap.h>
#include <linux/fs.h>

#define IP_TABLES	64	/* IPT_SO_SET_REPLACE and what is there for IPv6 */
#define NO_ADVICE	99

static void tell(const char *what, long r)
{
	printf("%s: %ld %s\n", what, r, r < 0 ? strerror(errno) : "");
}

static void timers(void)
{
	static const clockid_t clocks[] = { CLOCK_MONOTONIC_RAW,
		CLOCK_REALTIME_COARSE, -1, -2, 99, CLOCK_BOOTTIME };
	struct sigevent bad = { .sigev_notify = 77 };
	int number;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		number = 4711;
		tell("timer", syscall(SYS_timer_create, clocks[i], NULL,
				      &number));
		printf("  %d\n", number);
	}
	number = 4711;
	tell("bad event", syscall(SYS_timer_create, CLOCK_MONOTONIC, &bad,
				  &number));
	printf("  %d\n", number);
}

static void policy(void)
{
	unsigned long mask = 0;
	int mode = 4711;

	tell("policy", syscall(SYS_get_mempolicy, &mode, &mask, 1ul << 20, NULL,
			       0));
	printf("  %d\n", mode);
	mode = 4711;
	tell("policy", syscall(SYS_get_mempolicy, &mode, &mask, 1ul << 20, NULL,
			       8));
	printf("  %d\n", mode);
}

static void advice(void)
{
	char *page = OK(mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	struct iovec iov = { page, 4096 }, wrong = { (void *)-1L, 4096 };
	int self = OK(syscall(SYS_pidfd_open, getpid(), 0));
	int null = OK(open("/dev/null", O_RDONLY));

	tell("no list", syscall(SYS_process_madvise, self, 8, 1, NO_ADVICE, 0));
	tell("wrong list", syscall(SYS_process_madvise, self, &wrong, 1,
				   NO_ADVICE, 0));
	tell("no process", syscall(SYS_process_madvise, -1, &iov, 1, NO_ADVICE,
				   0));
	tell("a file", syscall(SYS_process_madvise, null, &iov, 1, NO_ADVICE,
			       0));
	tell("flags", syscall(SYS_process_madvise, -1, &iov, 1, NO_ADVICE, 1));
	tell("unknown", syscall(SYS_process_madvise, self, &iov, 1, NO_ADVICE,
				0));
	/* everything there is, but in no way that is known or possible */
	tell("unknown", madvise(NULL, 1ul << 47, NO_ADVICE));
	tell("within a page", madvise((void *)1, 1ul << 47, MADV_DONTNEED));
}

static void options(void)
{
	int null = OK(open("/dev/null", O_RDONLY)), pair[2], value = 0;
	int inet6 = OK(socket(AF_INET6, SOCK_DGRAM, 0));
	char room[512] = "";
	socklen_t size = sizeof(value);

	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	tell("file", setsockopt(null, IPPROTO_IPV6, IP_TABLES, &value, size));
	tell("file", getsockopt(null, IPPROTO_IP, IP_TABLES, &value, &size));
	tell("closed", getsockopt(-1, IPPROTO_IP, IP_TABLES, &value, &size));
	tell("unix", setsockopt(pair[0], IPPROTO_IPV6, IP_TABLES, &value, size));
	tell("unix", getsockopt(pair[0], IPPROTO_IPV6, IP_TABLES, &value,
				&size));
	/* how much room there is is looked at before what is there */
	for (size = 0; size <= 300; size += 100)
		tell("inet6", getsockopt(inet6, IPPROTO_IPV6, IP_TABLES, room,
					 &size));
}

static void pages(void)
{
	char *memory = OK(mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	unsigned char told[8];

	memset(memory, 1, 4 * 4096);
	OK(munmap(memory + 4 * 4096, 4096));
	memset(told, 0xee, sizeof(told));
	tell("incore", mincore(memory, 4 * 4096, told));
	for (size_t i = 0; i < sizeof(told); i++)
		printf(" %02x", told[i]);
	printf("\n");
	/* more than there is room for: is all of it there? */
	tell("incore", mincore(memory, 64 * 4096, told));
	tell("incore", mincore(memory, 1ul << 40, told));
	tell("nowhere", mincore(memory, 4096, (void *)8));
	/* what is not stored stays the variant's own */
	memcpy(told, &memory, sizeof(memory));
	tell("unaligned", mincore(memory + 1, 8 * 4096, told));
	printf("  %s\n", memcmp(told, &memory, sizeof(memory)) ? "changed" : "kept");
}

static void extents(void)
{
	struct fiemap map = { .fm_length = 10, .fm_flags = ~0u,
			      .fm_mapped_extents = 4711 };
	int fd = OK(open(".", O_TMPFILE | O_RDWR, 0600));
	int null = OK(open("/dev/null", O_RDONLY));

	tell("extents", ioctl(fd, FS_IOC_FIEMAP, &map));
	printf("  %x %u\n", map.fm_flags, map.fm_mapped_extents);
	map.fm_mapped_extents = 4711;
	tell("extents", ioctl(null, FS_IOC_FIEMAP, &map));
	printf("  %x %u\n", map.fm_flags, map.fm_mapped_extents);
}

int main(void)
{
	timers();
	policy();
	advice();
	options();
	pages();
	extents();
	/* what is not on can be switched off */
	tell("dispatch", prctl(59 /* PR_SET_SYSCALL_USER_DISPATCH */, 0, 0, 0,
			       0));
	tell("dispatch", prctl(59, 0, 1, 0, 0));
	return 0;
}

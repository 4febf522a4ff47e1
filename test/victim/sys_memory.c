/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about memory that has been mapped already: locks, policies, keys,
 * residency, pages of other nodes, seals, advice to oneself and to a child.
 */
#include "victim.h"

#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_process_mrelease
#define SYS_process_mrelease 448
#endif

/* Linux 6.13 lets a process give itself any advice that madvise knows. */
static void advise_oneself(void)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_FREE, MADV_DONTFORK, MADV_WIPEONFORK,
		MADV_DONTDUMP, MADV_REMOVE, MADV_COLD, 99, 9999,
	};
	char *p = (char *)OK((long)mmap(NULL, 16384, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	struct iovec iov[] = {
		{ p, 4096 }, { p + 8192, 4096 }, { p + 1, 4096 }, { p, 4096 },
	};
	struct iovec wrong[] = { { p, 4096 }, { p + 4096, (size_t)-4096 } };
	int self = (int)OK(syscall(SYS_pidfd_open, getpid(), 0));

	for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		for (int n = 0; n < 4; n++) {
			memset(p, 1, 16384);
			printf("advice %d: ", advice[i]);
			SAYS(syscall(SYS_process_madvise, self, iov, n,
				     advice[i], 0));
			/* what MADV_FREE takes, and when, is the kernel's */
			if (advice[i] != MADV_FREE)
				printf("  %d %d %d\n", p[0], p[4096], p[8192]);
		}
	memset(p, 1, 16384);
	SAYS(syscall(SYS_process_madvise, self, wrong, 2, MADV_DONTNEED, 0));
	printf("  %d %d\n", p[0], p[4096]);
	SAYS(syscall(SYS_process_madvise, self, NULL, 1, MADV_DONTNEED, 0));
	SAYS(syscall(SYS_process_madvise, self, iov, 1, MADV_DONTNEED, 1));
	SAYS(syscall(SYS_process_madvise, self, iov, 2000, MADV_DONTNEED, 0));
	SAYS(syscall(SYS_process_madvise, -10000, iov, 1, MADV_DONTNEED, 0));
	OK(munmap(p, 16384));
	close(self);
}

int main(void)
{
	char *p = (char *)OK((long)mmap(NULL, 65536, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), *q;
	unsigned char vec[16];
	unsigned long nodes[16] = { 1 };
	int mode = -1;

	memset(p, 1, 65536);
	SAYS(mlock(p, 4096));
	SAYS(munlock(p, 4096));
	SAYS(mlock(p, 0));
	SAYS(mlock((void *)4096, 4096));
	SAYS(syscall(SYS_mlock2, p, 8192, 1));
	SAYS(syscall(SYS_mlock2, p, 8192, 9));
	SAYS(mlockall(MCL_FUTURE));
	SAYS(munlockall());
	SAYS(mlockall(0));
	SAYS(mlockall(MCL_CURRENT | MCL_ONFAULT));
	SAYS(munlockall());
	SAYS(mincore(p, 65536, vec));
	printf("  %d %d\n", vec[0] & 1, vec[15] & 1);
	SAYS(mincore(p + 1, 4096, vec));
	SAYS(mincore(p, 4096, (void *)8));
	SAYS(mincore((void *)4096, 4096, vec));
	/* memory policies */
	SAYS(syscall(SYS_get_mempolicy, &mode, nodes, 1024, NULL, 0));
	printf("  mode %d\n", mode);
	SAYS(syscall(SYS_get_mempolicy, &mode, NULL, 0, p, 2));
	SAYS(syscall(SYS_get_mempolicy, NULL, nodes, 1024, NULL, 4));
	SAYS(syscall(SYS_get_mempolicy, &mode, NULL, 0, p, 3));
	printf("  node %d\n", mode);
	SAYS(syscall(SYS_get_mempolicy, &mode, nodes, 1, NULL, 0));
	nodes[0] = 1;
	SAYS(syscall(SYS_set_mempolicy, 2, nodes, 64));
	SAYS(syscall(SYS_get_mempolicy, &mode, nodes, 1024, NULL, 0));
	printf("  mode %d nodes %lx\n", mode, nodes[0]);
	SAYS(syscall(SYS_set_mempolicy, 0, NULL, 0));
	SAYS(syscall(SYS_set_mempolicy, 77, NULL, 0));
	SAYS(syscall(SYS_mbind, p, 8192, 1, nodes, 64, 0));
	SAYS(syscall(SYS_mbind, p, 8192, 99, nodes, 64, 0));
	SAYS(syscall(SYS_mbind, p + 1, 8192, 1, nodes, 64, 0));
	SAYS(syscall(SYS_mbind, p, 8192, 1, nodes, 64, 0x100));
	SAYS(syscall(SYS_set_mempolicy_home_node, p, 8192, 0, 0));
	SAYS(syscall(SYS_set_mempolicy_home_node, p, 8192, 5000, 0));
	SAYS(syscall(SYS_migrate_pages, 0, 64, nodes, nodes));
	void *pages[3] = { p, p + 4096, (void *)4096 };
	int to[3] = { 0, 0, 0 }, status[3] = { 99, 99, 99 };
	SAYS(syscall(SYS_move_pages, 0, 3, pages, NULL, status, 0));
	printf("  %d %d %d\n", status[0], status[1], status[2]);
	SAYS(syscall(SYS_move_pages, 0, 2, pages, to, status, 2));
	SAYS(syscall(SYS_move_pages, 0, 3, pages, to, NULL, 0x100));
	SAYS(syscall(SYS_move_pages, 99999999, 1, pages, NULL, status, 0));
	/* protection keys */
	int key = (int)DOES(syscall(SYS_pkey_alloc, 0, 0));
	if (key >= 0) {
		SAYS(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ | PROT_WRITE, key));
		SAYS(syscall(SYS_pkey_free, key));
	}
	SAYS(syscall(SYS_pkey_alloc, 1, 0));
	SAYS(syscall(SYS_pkey_free, 99));
	SAYS(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ | PROT_WRITE, -1));
	SAYS(syscall(SYS_pkey_mprotect, p, 4096, PROT_READ, 15));
	/* advice */
	static const int advice[] = { 0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 999 };
	for (unsigned int i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
		printf("advice %d: %d %s\n", advice[i], madvise(p + 32768, 4096, advice[i]),
		       errno ? strerrorname_np(errno) : ""), errno = 0;
	SAYS(madvise(p + 1, 4096, MADV_NORMAL));
	SAYS(madvise((void *)4096, 4096, MADV_WILLNEED));
	/* ranges */
	SAYS(mprotect(p + 1, 4096, PROT_READ));
	SAYS(mprotect(p, 4096, 0x10000));
	SAYS(mprotect((void *)4096, 4096, PROT_READ));
	SAYS(msync(p, 4096, MS_SYNC));
	SAYS(msync(p, 4096, MS_SYNC | MS_ASYNC));
	SAYS(msync((void *)4096, 4096, MS_ASYNC));
	SAYS(munmap(p + 1, 4096));
	SAYS(munmap(p, 0));
	DOES((long)mremap(p, 65536, 0x7fffffffffffull, 0));
	DOES((long)mremap(p + 1, 4096, 8192, MREMAP_MAYMOVE));
	DOES((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	DOES((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0));
	DOES((long)mmap(NULL, 4096, PROT_READ, 0, -1, 0));
	DOES((long)mmap((void *)1, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	/* a child's memory */
	pid_t c = CHILD(pause());
	int pf = (int)OK(syscall(SYS_pidfd_open, c, 0));
	struct iovec iov = { p + 32768, 8192 };
	SAYS(syscall(SYS_process_madvise, pf, &iov, 1, MADV_COLD, 0));
	SAYS(syscall(SYS_process_madvise, pf, &iov, 1, MADV_WILLNEED, 0));
	SAYS(syscall(SYS_process_madvise, pf, &iov, 1, MADV_HUGEPAGE, 0));
	SAYS(syscall(SYS_process_madvise, -1, &iov, 1, MADV_COLD, 0));
	SAYS(syscall(SYS_process_madvise, pf, &iov, 1, MADV_COLD, 7));
	SAYS(syscall(SYS_process_madvise, pf, &iov, 5000, MADV_COLD, 0));
	SAYS(syscall(SYS_process_madvise, pf, &iov, 1, MADV_DONTNEED, 0));
	advise_oneself();
	SAYS(syscall(SYS_process_mrelease, pf, 0));
	SAYS(syscall(SYS_process_mrelease, -1, 0));
	OK(kill(c, SIGKILL));
	CHECK(WTERMSIG(reap(c)) == SIGKILL);
	SAYS(syscall(SYS_process_mrelease, pf, 0));
	/* memfd and its seals */
	int m = OK(memfd_create("m", MFD_ALLOW_SEALING | MFD_CLOEXEC));
	SAYS(ftruncate(m, 8192));
	SAYS(fcntl(m, F_GET_SEALS));
	q = (char *)OK((long)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0));
	strcpy(q, "shared");
	SAYS(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE));
	SAYS(fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	SAYS(ftruncate(m, 4096));
	SAYS(ftruncate(m, 16384));
	OK(munmap(q, 8192));
	SAYS(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE));
	SAYS(pwrite(m, "x", 1, 0));
	DOES((long)mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0));
	q = (char *)OK((long)mmap(NULL, 8192, PROT_READ, MAP_SHARED, m, 0));
	printf("  %s\n", q);
	SAYS(fcntl(m, F_ADD_SEALS, F_SEAL_SEAL));
	SAYS(fcntl(m, F_ADD_SEALS, 0x1000));
	SAYS(fcntl(m, F_GET_SEALS));
	SAYS(memfd_create("m", 0x1000));
	SAYS(memfd_create(NULL, 0));
	DOES(memfd_create("", 0x8));
	/* sealed mappings cannot be changed any more */
	q = (char *)OK((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	if (SAYS(syscall(SYS_mseal, q, 4096, 0)) == 0) {
		SAYS(mprotect(q, 4096, PROT_READ | PROT_WRITE));
		SAYS(munmap(q, 4096));
		SAYS(syscall(SYS_mseal, q + 1, 4096, 0));
	}
	puts("memory ok");
	return 0;
}

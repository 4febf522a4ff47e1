/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on the monitor's own pages. Reads from standard input an address
 * and a length in hexadecimal (the runner found them from outside in the
 * variants' real maps; the program could not have) and does to them what a
 * program can do to memory. Prints what succeeded, which must be nothing.
 */
#include "attack.h"

static void tried(const char *what, long r)
{
	if (r != -1)
		printf("%s succeeded\n", what);
}

int main(void)
{
	unsigned long a, n;
	char line[128], b[16] = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		void *p;

		if (sscanf(line, "%lx %lx", &a, &n) != 2)
			break;
		p = (void *)a;
		/* succeeds, as for any range where the program has nothing,
		 * and must change nothing: all that follows shows it */
		munmap(p, n);
		tried("mprotect none", mprotect(p, n, PROT_NONE));
		tried("mprotect write", mprotect(p, n, PROT_READ | PROT_WRITE | PROT_EXEC));
		tried("pkey_mprotect", syscall(SYS_pkey_mprotect, p, n, PROT_NONE, -1));
		tried("mmap fixed", (long)mmap(p, n, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
		tried("mmap fixed no replace", (long)mmap(p, n, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
		tried("mremap away", (long)mremap(p, n, 2 * n, MREMAP_MAYMOVE));
		p = mmap(NULL, n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		tried("mremap onto", (long)mremap(p, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)a));
		p = (void *)a;
		tried("madvise dontneed", madvise(p, n, MADV_DONTNEED));
		tried("madvise dontfork", madvise(p, n, MADV_DONTFORK));
		tried("remap_file_pages", syscall(SYS_remap_file_pages, p, n, 0, 0, 0));
		/* a range that only touches them */
		munmap((char *)p - 4096, n + 8192);
		tried("mprotect around", mprotect((char *)p - 4096, n + 8192, PROT_NONE));
		struct iovec l = { b, 8 }, r = { p, 8 };
		tried("process_vm_writev", process_vm_writev(getpid(), &l, 1, &r, 1, 0));
		int fd = open("/proc/self/mem", O_RDWR);

		if (fd >= 0)
			tried("/proc/self/mem", pwrite(fd, b, 8, a));
		fd = open("/dev/zero", O_RDONLY);
		tried("read into", read(fd, p, 8));
		close(fd);
		printf("attacked\n");
	}
	printf("still here\n");
	if (fork() == 0) {
		printf("child works\n");
		_exit(0);
	}
	wait(NULL);
	return 0;
}

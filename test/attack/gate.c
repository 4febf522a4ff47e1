/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on the monitor's own pages. Reads from standard input an address
 * and a length in hexadecimal (the runner found them from outside in the
 * variants' real maps; the program could not have) and does to them what a
 * program can do to memory. Prints what succeeded, which must be nothing.
 *
 *	gate		everything, for each line
 *	gate maps	the same, without read()
 *	gate writes	only what makes the kernel write there or read from there
 */
#include "attack.h"

static void tried(const char *what, long r)
{
	if (r != -1)
		printf("%s succeeded\n", what);
}

/* What other memory may legitimately be named in: the kernel does the rest. */
static void kernel_writes(char *p, unsigned long n)
{
	int s[2], fd = open("/dev/zero", O_RDONLY);
	struct iovec l = { (void *)"xxxxxxxx", 8 }, r = { p, 8 };
	stack_t ss = { .ss_sp = p, .ss_size = n };

	tried("read into", read(fd, p, 8));
	tried("readv into", readv(fd, &r, 1));
	tried("pread into", pread(fd, p, 8, 0));
	tried("getcwd into", getcwd(p, n) ? 0 : -1);
	tried("process_vm_writev", process_vm_writev(getpid(), &l, 1, &r, 1, 0));
	tried("process_vm_readv", process_vm_readv(getpid(), &(struct iovec)
		{ (char[8]){ 0 }, 8 }, 1, &r, 1, 0));
	if (pipe(s) == 0)
		tried("write from", write(s[1], p, 8));
	/* legal for any address; the frame goes there when a signal comes */
	sigaltstack(&ss, NULL);
	ss.ss_flags = SS_DISABLE;
	sigaltstack(&ss, NULL);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned long a, n;
	char line[128], b[16] = { 0 };

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		void *p;

		if (sscanf(line, "%lx %lx", &a, &n) != 2)
			break;
		p = (void *)a;
		if (strcmp(what, "writes") == 0) {
			kernel_writes(p, n);
			printf("attacked\n");
			continue;
		}
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
		if (!*what)
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

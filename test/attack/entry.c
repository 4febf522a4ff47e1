/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other ways into the kernel: int $0x80 from 64-bit code, x32 numbers, the
 * reserved registration call from the program's own text, a jump to the far
 * 32-bit code segment, and what the kernel has to get around system calls. None
 * may take effect.
 */
#include "attack.h"

static long int80(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	static char low_path[] = "effect";
	char *low;
	long r = 0;

	if (strcmp(what, "int80") == 0) {
		/* mkdir is 39 there; the path must lie below 4 GiB */
		low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		strcpy(low, low_path);
		r = int80(39, (long)low, 0700, 0);
	} else if (strcmp(what, "int80-write") == 0) {
		low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
		strcpy(low, "leak\n");
		r = int80(4, 1, (long)low, 5);
	} else if (strcmp(what, "x32") == 0) {
		r = syscall(SYS_mkdir | 0x40000000, low_path, 0700);
		if (r == -1)
			r = -errno;
	} else if (strcmp(what, "x32-range") == 0) {
		for (long nr = 512; nr < 548; nr++) {
			r = syscall(nr | 0x40000000, 1, low_path, 6, 0, 0, 0);
			if (r != -1)
				break;
			r = -errno;
		}
	} else if (strcmp(what, "refused") == 0) {
		/* each would be a way around the monitor; with arguments that
		 * natively succeed, or fail with another error than these */
		static const struct { long nr, a, b; } way[] = {
			{ SYS_ptrace, 0, 0 },		/* PTRACE_TRACEME */
			{ SYS_userfaultfd, 1, 0 },
			{ SYS_bpf, 0, 0 },
			{ SYS_io_uring_setup, 8, (long)low_path },
			{ SYS_modify_ldt, 1, (long)low_path },
			{ SYS_iopl, 3, 0 },
			{ SYS_ioperm, 0x80, 1 },
			{ SYS_kexec_load, 0, 0 },
			{ SYS_memfd_secret, 0, 0 },
			{ SYS_perf_event_open, (long)low_path, 0 },
		};

		for (size_t i = 0; i < sizeof(way) / sizeof(*way); i++) {
			r = syscall(way[i].nr, way[i].a, way[i].b, 1, 0, 0);
			if (r != -1 || (errno != EPERM && errno != ENOSYS &&
					errno != EACCES))
				return 1;
		}
		r = -EPERM;
	} else if (strcmp(what, "unknown") == 0) {
		for (long nr = 480; nr < 2000; nr++) {
			r = syscall(nr, 1, 2, 3, 4, 5, 6);
			if (r != -1 || errno != ENOSYS) {
				r = 0;
				break;
			}
			r = -ENOSYS;
		}
	}
	return r < 0 ? 0 : 1;
}

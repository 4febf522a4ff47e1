/* SPDX-License-Identifier: Apache-2.0 */
/* Commands, members and objects the kernel refuses by itself get its own answer. */
#include "victim.h"
#include <linux/sched.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>

#define SAY(...) say(#__VA_ARGS__, (long)(__VA_ARGS__))
static void say(const char *what, long r)
{
	printf("%s: %ld %s\n", what, r < 0 ? -1 : r, r < 0 ? strerror(errno) :
	       "");
}

/* what lies behind a structure is garbage, here addresses */
static void __attribute__((noinline)) grown(void)
{
	struct {
		uint64_t known[16];
		uintptr_t more[64];
	} a;

	memset(&a, 0, sizeof(a));
	SAY(syscall(444, &a, 64, 0));			/* ENOMSG, or no Landlock */
	SAY(syscall(437, AT_FDCWD, "/dev/null", &a, 128) >= 0 ? 0 : -1);
	for (int i = 0; i < 64; i++)
		a.more[i] = (uintptr_t)&a.more[i];
	a.known[0] = 1;
	SAY(syscall(444, &a, sizeof(a), 0) < 0 ? -1 : 0);
	a.known[0] = 0;
	SAY(syscall(437, AT_FDCWD, "/dev/null", &a, sizeof(a)));
	SAY(syscall(435, &a, sizeof(a)));
	SAY(syscall(437, AT_FDCWD, "/dev/null", &a, 5000));
}

static void commands(void)
{
	char garbage[64] = "";
	int f = OK(open("f", O_RDWR | O_CREAT, 0600)), p[2];

	OK(pipe(p));
	SAY(fcntl(f, 0x7777, garbage));
	SAY(fcntl(f, -1, garbage));
	SAY(ioctl(f, 0x12345678, garbage));
	SAY(ioctl(f, 0xdeadbeef, garbage));
	SAY(ioctl(p[0], 0x4cff, garbage));
	SAY(ioctl(OK(socket(AF_INET, SOCK_STREAM, 0)), 0x4cff, garbage));
	/* numbers, to commands that may take one */
	SAY(ioctl(f, 0x12345678, 7));
	SAY(ioctl(p[0], 0x4cff, 0));
	f = OK(epoll_create1(0));
	SAY(ioctl(f, 0x1234, garbage));
	SAY(ioctl(f, 0x4cff, 7));
	SAY(syscall(SYS_keyctl, 9999, garbage, garbage, garbage, garbage));
	SAY(syscall(SYS_keyctl, -1, garbage, garbage, garbage, garbage));
	SAY(ptrace(PTRACE_CONT, getpid(), 0, 0));
	SAY(ptrace(PTRACE_PEEKDATA, getpid(), 0, 0));
	/* nobody there */
	SAY(ptrace(PTRACE_ATTACH, 0, 0, 0));
	SAY(ptrace(PTRACE_ATTACH, 0x7ffffff0, 0, 0));
	SAY(ptrace(PTRACE_SEIZE, -5, 0, 0));
	SAY(syscall(SYS_finit_module, -1, "", 0) < 0 ? 0 : 1);
}

/* what a file of /proc cannot do */
static void of_proc(void)
{
	int f = OK(open("/proc/self/maps", O_RDONLY)), p[2], n;
	int out = OK(open("out", O_RDWR | O_CREAT, 0600));

	OK(pipe(p));
	SAY(syscall(SYS_splice, f, 0, p[1], 0, 1, 0));
	SAY(syscall(SYS_splice, f, 0, p[0], 0, 1, 0));
	SAY(syscall(SYS_splice, f, 0, out, 0, 1, 0));
	SAY(syscall(SYS_splice, f, 0, p[1], 0, 0, 0));
	SAY(sendfile(out, f, NULL, 1));
	SAY(sendfile(f, f, NULL, 1));
	SAY(copy_file_range(f, NULL, OK(memfd_create("m", 0)), NULL, 1, 0));
	SAY(copy_file_range(f, NULL, p[1], NULL, 1, 0));
	SAY(fsync(f));
	SAY(fdatasync(f));
	SAY(fchmod(f, 0600));
	SAY(fgetxattr(f, "user.a", &n, sizeof(n)));
	SAY(fremovexattr(f, "user.a"));
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	grown();
	commands();
	of_proc();
	return 0;
}

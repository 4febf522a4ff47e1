/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors that come before others: what cannot be mapped, what files of /proc cannot do,
 * commands that nobody knows.
 */
#include "victim.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <linux/fs.h>

#define SAY(...) say(#__VA_ARGS__, (long)(__VA_ARGS__))
static void say(const char *what, long r)
{
	printf("%s: %ld %s\n", what, r < 0 ? -1 : r, r < 0 ? strerror(errno) :
	       "");
}

static char garbage[16384];

static void mapped(const char *what, int fd)
{
	for (int prot = 0; prot < 8; prot++)
		for (int type = MAP_SHARED; type <= MAP_SHARED_VALIDATE; type++) {
			void *m = mmap(NULL, 4096, prot, type, fd, 0);

			printf("%s %d %d: %s\n", what, prot, type,
			       m == MAP_FAILED ? strerror(errno) : "mapped");
			if (m != MAP_FAILED)
				munmap(m, 4096);
		}
}

static void of_proc(const char *name)
{
	struct { struct file_handle h; char rest[128]; } h;
	int f = OK(open(name, O_RDONLY)), v;

	puts(name);
	SAY(ioctl(f, FS_IOC_GETFLAGS, &v));
	v = 0;
	SAY(ioctl(f, FS_IOC_SETFLAGS, &v));
	SAY(ioctl(f, FS_IOC_FSGETXATTR, garbage));
	h.h.handle_bytes = 128;
	SAY(name_to_handle_at(f, "", &h.h, &v, AT_EMPTY_PATH));
	SAY(fcntl(f, F_SETFL, O_DIRECT));
	SAY(lseek(f, 0, SEEK_END));
	SAY(lseek(f, 0, SEEK_CUR));
	SAY(lseek(f, -1, SEEK_END));
	SAY(lseek(f, 3, SEEK_SET));
	SAY(lseek(f, 0, SEEK_DATA));
	SAY(lseek(f, 0, SEEK_CUR));
	mapped(name, f);
	close(f);
}

static void of_devices(void)
{
	static const char *const names[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/urandom",
	};

	for (int i = 0; i < 4; i++) {
		int f = OK(open(names[i], O_RDONLY));

		puts(names[i]);
		SAY(ioctl(f, 0x12345678, garbage));
		SAY(ioctl(f, 0x4cff, 7));
		close(f);
	}
}

static void of_quotas(void)
{
	static const int cmds[] = { 0x7777, -1, 0, 0x800100, 0x5801, 0x580a };

	for (int i = 0; i < 6; i++) {
		long cmd = (long)((unsigned int)cmds[i] << 8);

		printf("%x\n", cmds[i]);
		SAY(syscall(SYS_quotactl, cmd, "/dev/null", 0, garbage));
		SAY(syscall(SYS_quotactl, cmd, NULL, 0, garbage));
		SAY(syscall(SYS_quotactl, cmd, "/no/such", 0, garbage));
		SAY(syscall(SYS_quotactl, cmd + 77, "/no/such", 0, garbage));
		SAY(syscall(443, -1, cmd, 0, garbage));
	}
}

int main(void)
{
	int p[2];

	of_proc("/proc/self/maps");
	of_proc("/proc/self/auxv");
	of_proc("/proc/self/stat");
	of_devices();
	of_quotas();
	OK(pipe(p));
	mapped("pipe", p[0]);
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p));
	mapped("socket", p[0]);
	mapped("eventfd", OK(eventfd(0, 0)));
	mapped("epoll", OK(epoll_create1(0)));
	mapped("inotify", OK(inotify_init()));
	OK(mkfifo("fifo", 0600));
	mapped("fifo", OK(open("fifo", O_RDWR)));
	mapped("full", OK(open("/dev/full", O_WRONLY)));
	mapped("null", OK(open("/dev/null", O_RDONLY)));
	mapped("directory", OK(open(".", O_RDONLY)));
	return 0;
}

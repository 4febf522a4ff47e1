/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that fail after they have stored something or had an effect, and calls
 * that fail before they touch an output in memory that cannot be written.
 */
#include "victim.h"

#define PAGE 4096

int main(void)
{
	char *p = OK(mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	char *end = p + 2 * PAGE, *ro = p + PAGE, name[64];
	uid_t *u = (uid_t *)p;
	int s, sv[2] = { -7, -7 }, fd;
	socklen_t len = 128;
	sigset_t set, old;
	struct timeval tv = { 0, 0 };
	struct timespec ts = { 0, 0 };
	loff_t *off;
	size_t n = 77;

	OK(munmap(end, PAGE));
	/* the first two have been stored, and are zero or the user's */
	memset(u, 0x55, 12);
	FAILS(syscall(SYS_getresuid, u, u + 1, (void *)8), EFAULT);
	CHECK(u[0] == getuid() && u[1] == geteuid());
	printf("getresuid %x\n", u[2]);
	memset(u, 0x55, 12);
	FAILS(syscall(SYS_getresgid, u, (void *)8, u + 2), EFAULT);
	CHECK(u[0] == getgid());
	printf("getresgid %x %x\n", u[1], u[2]);
	/* a length that may or may not have been stored: like the kernel */
	s = OK(socket(AF_INET, SOCK_STREAM, 0));
	printf("getsockname %d %d", getsockname(s, (void *)8, &len), errno);
	printf(" %u\n", len);
	len = 3;
	printf("getsockopt %d %d", getsockopt(s, SOL_SOCKET, SO_ERROR, (void *)8, &len), errno);
	printf(" %u\n", len);
	len = 64;
	printf("getsockopt %d %d", getsockopt(s, SOL_TCP, TCP_INFO, (void *)8, &len), errno);
	printf(" %u\n", len);
	FAILS(socketpair(AF_INET, SOCK_STREAM, 0, sv), EOPNOTSUPP);
	printf("socketpair %d %d\n", sv[0], sv[1]);
	FAILS(syscall(SYS_get_robust_list, 0, (void *)8, &n), EFAULT);
	printf("get_robust_list %zu\n", n);
	/* the mask has been changed when the old one cannot be stored */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	FAILS(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, (void *)8, 8), EFAULT);
	OK(sigprocmask(SIG_SETMASK, NULL, &old));
	CHECK(sigismember(&old, SIGUSR1));
	OK(raise(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
	/* outputs that a call did not come to */
	memset(ro, 0x40, PAGE);
	off = (loff_t *)ro;
	*off = 1;
	OK(mprotect(ro, PAGE, PROT_READ));
	fd = OK(open("f", O_RDWR | O_CREAT | O_TRUNC, 0600));
	FAILS(accept(fd, (void *)p, (socklen_t *)ro), ENOTSOCK);
	FAILS(recvfrom(fd, p, 1, 0, (void *)p, (socklen_t *)ro), ENOTSOCK);
	FAILS(getsockname(fd, (void *)p, (socklen_t *)ro), ENOTSOCK);
	FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, p, (socklen_t *)ro), ENOTSOCK);
	FAILS(copy_file_range(fd, off, fd, NULL, 1, 99), EINVAL);
	FAILS(syscall(SYS_name_to_handle_at, -1, "f", ro, ro, 0), EBADF);
	/* as much of it as is there may be read, and nothing written */
	FAILS(syscall(SYS_ppoll, ro + PAGE - 256, 100, &ts, NULL, 8), EFAULT);
	OK(close(s));
	/* more descriptors than there is memory for: the kernel looks at none
	 * that there cannot be */
	memset(p, 0, PAGE);
	OK(munmap(ro, PAGE));
	printf("select %d\n", select(1 << 15, (fd_set *)(p + PAGE - 128), NULL, NULL, &tv));
	printf("pselect %d\n", pselect(1 << 15, NULL, (fd_set *)(p + PAGE - 128), NULL, &ts, NULL));
	/* the names of file systems */
	CHECK(syscall(SYS_sysfs, 3) > 0);
	OK(syscall(SYS_sysfs, 2, syscall(SYS_sysfs, 1, "proc"), name));
	puts(name);
	FAILS(syscall(SYS_sysfs, 1, "no such"), EINVAL);
	FAILS(syscall(SYS_sysfs, 2, 0, 8), EFAULT);
	FAILS(syscall(SYS_sysfs, 4), EINVAL);
	return 0;
}

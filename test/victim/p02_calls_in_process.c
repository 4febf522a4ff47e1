/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every call that an implementation may answer without its monitor, often
 * enough that it does: with nonsense for arguments, where the kernel's answer
 * is all there is, and with sense, where nonsense would not end or not be kind.
 * What its gate had better not pass is in p02_calls_left.c.
 * test/e2e/special.py counts the lines.
 */
#include "victim.h"
#include "calls.h"

static void nonsense(void)
{
	C(read) C(write) C(stat) C(fstat) C(lstat) C(poll) C(lseek)
	C(pread64) C(pwrite64) C(readv) C(writev) C(access) C(dup2)
	C(getitimer) C(setitimer) C(sendfile) C(connect) C(accept) C(sendto)
	C(recvfrom) C(sendmsg) C(recvmsg) C(shutdown) C(bind) C(listen)
	C(getsockname) C(getpeername) C(setsockopt) C(getsockopt) C(uname)
	C(flock) C(fsync) C(fdatasync) C(truncate) C(ftruncate) C(getdents)
	C(rename) C(rmdir) C(unlink) C(readlink)
	C(gettimeofday) C(getrusage)
	C(sysinfo) C(getuid) C(getgid) C(geteuid) C(getegid) C(getgroups)
	C(getresuid) C(getresgid) C(capget) C(utime) C(ustat) C(statfs)
	C(fstatfs) C(sched_getparam) C(sched_getscheduler)
	C(sched_get_priority_max) C(sched_get_priority_min) C(readahead)
	C(getxattr) C(lgetxattr)
	C(fgetxattr) C(listxattr) C(llistxattr) C(flistxattr)
	C(getdents64) C(fadvise64)
	C(timer_settime) C(timer_gettime) C(timer_getoverrun) C(timer_delete)
	C(clock_gettime) C(clock_getres) C(epoll_wait) C(epoll_ctl) C(utimes)
	C(mq_timedsend) C(mq_timedreceive) C(ioprio_get) C(inotify_add_watch)
	C(inotify_rm_watch) C(futimesat) C(newfstatat)
	C(unlinkat) C(renameat) C(readlinkat)
	C(faccessat) C(splice) C(tee) C(sync_file_range)
	C(utimensat) C(epoll_pwait) C(fallocate) C(timerfd_settime)
	C(timerfd_gettime) C(accept4) C(dup3) C(preadv) C(pwritev)
	C(recvmmsg) C(name_to_handle_at) C(sendmmsg)
	C(sched_getattr) C(renameat2) C(copy_file_range) C(preadv2)
	C(pwritev2) C(statx)
}

static void descriptors(void)
{
	put_file("f", "text");
	FD(dup, 2)
	FD(epoll_create, 1)
	FD(epoll_create1, 0)
	FD(eventfd, 0)
	FD(eventfd2, 0, 0)
	FD(inotify_init)
	FD(inotify_init1, 0)
	FD(socket, AF_INET, SOCK_STREAM, 0)
	FD(timerfd_create, CLOCK_MONOTONIC, 0)
	FD(memfd_create, "name", 0)
	FD(open, "/etc/passwd", O_RDONLY)
	FD(openat, AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC)
	ANY(close, -1)
}

static void state(void)
{
	char buf[64], *page;
	struct timespec ts = { 0, 1 };
	struct timeval tv = { 0, 0 };
	uint32_t word = 5;
	uint64_t mask = 0;

	ANY(getpid)
	ANY(gettid)
	ANY(getppid)
	ANY(getpgrp)
	ANY(getsid, 0)
	ANY(getpgid, 0)
	ANY(times, buf)
	ANY(time, NULL)
	ANY(umask, 022)
	ANY(alarm, 0)
	ANY(brk, 0)
	ANY(sched_yield)
	ANY(getpriority, PRIO_PROCESS, 0)
	ANY(getcpu, buf, NULL, NULL)
	ANY(getrandom, buf, 16, 0)
	ANY(getcwd, buf, 1)
	ANY(sched_rr_get_interval, 0, buf)
	ANY(kcmp, getpid(), getpid(), 0, 1, 1)
	ANY(syncfs, -1)
	ANY(select, 0, NULL, NULL, NULL, &tv)
	ts.tv_nsec = 0;
	ANY(pselect6, 0, NULL, NULL, NULL, &ts, NULL)
	ANY(ppoll, NULL, 0, &ts, NULL, 8)
	ANY(nanosleep, &ts, NULL)
	ANY(clock_nanosleep, CLOCK_MONOTONIC, 0, &ts, NULL)
	ANY(futex, &word, FUTEX_WAIT_PRIVATE, 4, NULL)
	ANY(fcntl, 2, F_GETFD)
	ANY(ioctl, -1, FIONREAD, buf)
	ANY(rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8)
	ANY(semop, -1, NULL, 0)
	ANY(semtimedop, -1, NULL, 0, NULL)
	ANY(msgsnd, -1, buf, 0, 0)
	ANY(msgrcv, -1, buf, 0, 0, 0)
	ANY(epoll_pwait2, -1, NULL, 0, NULL, NULL, 8)
	ANY(faccessat2, AT_FDCWD, "f", 0, 0)
	for (int i = 0; i < TIMES; i++) {
		page = (char *)OK(syscall(SYS_mmap, NULL, 8192,
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			-1, 0));
		page[0] = 1;
		OK(syscall(SYS_madvise, page, 4096, MADV_DONTNEED));
		CHECK(page[0] == 0);
		page = (char *)OK(syscall(SYS_mremap, page, 8192, 65536,
					  MREMAP_MAYMOVE));
		page[65535] = 1;
		OK(syscall(SYS_munmap, page, 65536));
	}
	say("mmap", 0, 0);
	say("madvise", 0, 0);
	say("mremap", 0, 0);
	say("munmap", 0, 0);
}

int main(void)
{
	nonsense();
	descriptors();
	state();
	return 0;
}

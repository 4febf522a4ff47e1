/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the victim programs: small programs, each exercising one corner
 * of the kernel's interface, whose output must be the same natively and as N
 * variants.
 *
 * Rules for a victim: exit 0; output without pids, addresses, times or
 * anything else that differs between two native runs; everything that the man
 * pages promise is asserted inside, so that it tests something natively too;
 * it works in its current directory, which the runner made for it; it leaves
 * no process behind; user-space races do not decide what it prints. Where the
 * machine does not allow what it is about it says so and exits with 77 (SKIP),
 * which is counted as skipped.
 */
#ifndef VICTIM_H
#define VICTIM_H

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <utime.h>
#include <utmp.h>

static inline void __attribute__((noreturn))
victim_fail(const char *file, int line, const char *what)
{
	int e = errno;

	fprintf(stderr, "%s:%d: failed: %s (errno %d %s)\n", file, line, what,
		e, strerror(e));
	fflush(NULL);
	_exit(1);
}

static inline void __attribute__((noreturn)) victim_skip(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	fflush(NULL);
	_exit(77);
}

/* The call is what the victim is about; without it there is nothing to see. */
#define NEEDS(expr) \
	do { \
		if ((long)(expr) == -1) \
			victim_skip(#expr); \
	} while (0)
/* The condition holds, or the program ends with status 1. */
#define CHECK(cond) \
	do { \
		if (!(cond)) \
			victim_fail(__FILE_NAME__, __LINE__, #cond); \
	} while (0)
/* The call succeeds; its value. */
#define OK(expr) \
	({ \
		__auto_type ok_ = (expr); \
		if ((long)ok_ == -1) \
			victim_fail(__FILE_NAME__, __LINE__, #expr); \
		ok_; \
	})
/* The call fails with this errno. */
#define FAILS(expr, err) \
	do { \
		errno = 0; \
		if ((long)(expr) != -1 || errno != (err)) \
			victim_fail(__FILE_NAME__, __LINE__, \
				    #expr " fails with " #err); \
	} while (0)
/* The call and what it says, for sweeps over a family of calls: what matters is
 * that the answer is the native one, whatever this kernel's is.  SAYS prints
 * the value, DOES (for descriptors, ids and addresses) only that it is one. */
#define SAYS(expr) \
	({ \
		errno = 0; \
		long says_ = (long)(expr); \
		int e_ = errno; \
		if (says_ == -1 && e_) \
			printf("%s: %s\n", #expr, strerrorname_np(e_)); \
		else \
			printf("%s = %ld\n", #expr, says_); \
		errno = e_; \
		says_; \
	})
#define DOES(expr) \
	({ \
		errno = 0; \
		long does_ = (long)(expr); \
		int e_ = errno; \
		printf("%s: %s\n", #expr, \
		       does_ == -1 && e_ ? strerrorname_np(e_) : "done"); \
		errno = e_; \
		does_; \
	})
/* For functions that return the error, like pthread_*. */
#define ZERO(expr) CHECK((errno = (expr)) == 0)

/* A child process that runs the body and exits with 0 (or as the body says). */
#define CHILD(...) \
	({ \
		fflush(NULL); \
		pid_t child_ = OK(fork()); \
		if (!child_) { \
			__VA_ARGS__; \
			fflush(NULL); \
			_exit(0); \
		} \
		child_; \
	})

static inline int reap(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}
#define REAP(pid) CHECK(reap(pid) == 0)

static inline void sleep_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static inline int64_t mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static inline void put_file(const char *path, const char *text)
{
	int fd = OK(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));

	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	OK(close(fd));
}

static inline void handle(int sig, void (*fn)(int), int flags)
{
	struct sigaction sa = { .sa_handler = fn, .sa_flags = flags };

	sigemptyset(&sa.sa_mask);
	OK(sigaction(sig, &sa, NULL));
}

static inline void handle_info(int sig, void (*fn)(int, siginfo_t *, void *),
			       int flags)
{
	struct sigaction sa = { .sa_sigaction = fn,
				.sa_flags = flags | SA_SIGINFO };

	sigemptyset(&sa.sa_mask);
	OK(sigaction(sig, &sa, NULL));
}

/* Work without a system call that the compiler may not shorten. */
static inline uint64_t burn(uint64_t rounds)
{
	uint64_t x = 88172645463325252ull;

	for (uint64_t i = 0; i < rounds; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		__asm__ volatile("" : "+r"(x));
	}
	return x;
}

/* A sibling program of this build directory (helpers for exec tests). */
static inline const char *sibling(const char *argv0, const char *name)
{
	static char path[PATH_MAX];
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	(void)argv0;
	if (n < 0)
		victim_fail(__FILE_NAME__, __LINE__, "readlink /proc/self/exe");
	self[n] = 0;
	slash = strrchr(self, '/');
	snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - self), self, name);
	return path;
}

/* Output by line, so that a fork never duplicates what was not flushed. */
__attribute__((constructor)) static void victim_start(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
}

#endif

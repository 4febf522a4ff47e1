// SPDX-License-Identifier: Apache-2.0
/*
 * Calls in strace's notation, on a small fake address space.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "trace.h"

#define BASE 0x100000ull
#define SIZE 0x4000u
static unsigned char memory[SIZE];
static uint64_t used;

static ssize_t read_fake(void *ctx, void *dst, uint64_t src, size_t n)
{
	if (src < BASE || src >= BASE + SIZE)
		return -EFAULT;
	if (n > BASE + SIZE - src)
		n = BASE + SIZE - src;
	memcpy(dst, memory + (src - BASE), n);
	return (ssize_t)n;
}

/* Puts n bytes into the fake memory; their address. */
static uint64_t put(const void *p, size_t n)
{
	uint64_t at = BASE + used;

	memcpy(memory + used, p, n);
	used += (n + 15) & ~15ull;
	return at;
}

static uint64_t put_string(const char *s)
{
	return put(s, strlen(s) + 1);
}

static char line[FORMAT_MAX];

static const char *format(long nr, int64_t ret, bool done, uint64_t a0,
			  uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
			  uint64_t a5)
{
	const uint64_t args[6] = { a0, a1, a2, a3, a4, a5 };
	struct format f = {
		.row = ipmon_row((uint64_t)nr), .nr = (uint64_t)nr,
		.args = args, .ret = ret, .done = done,
		.strmax = FORMAT_STRMAX, .read = read_fake,
	};
	struct text t;

	text_init(&t, line, sizeof(line));
	format_call(&t, &f);
	text_putc(&t, ' ');
	format_ret(&t, &f);
	used = 0;
	return line;
}

#define CALL(nr, ret, ...) CALL6(nr, ret, true, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define BEGUN(nr, ...) CALL6(nr, 0, false, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL6(nr, ret, done, a, b, c, d, e, f, ...) \
	format(nr, ret, done, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), \
	       (uint64_t)(d), (uint64_t)(e), (uint64_t)(f))

Test(trace, open)
{
	cr_assert_str_eq(CALL(SYS_openat, 3, AT_FDCWD, put_string("/etc/passwd"),
			      O_RDONLY | O_CLOEXEC),
		"openat(AT_FDCWD, \"/etc/passwd\", O_RDONLY|O_CLOEXEC) = 3");
	/* the mode is printed only when it counts */
	cr_assert_str_eq(CALL(SYS_openat, -EACCES, AT_FDCWD, put_string("x"),
			      O_WRONLY | O_CREAT | O_TRUNC, 0644),
		"openat(AT_FDCWD, \"x\", O_WRONLY|O_CREAT|O_TRUNC, 0644) "
		"= -1 EACCES (Permission denied)");
}

Test(trace, negative_dirfd_in_the_low_half_only)
{
	cr_assert_str_eq(CALL(SYS_openat, 3, (uint32_t)AT_FDCWD,
			      put_string("f"), O_RDONLY),
		"openat(AT_FDCWD, \"f\", O_RDONLY) = 3");
}

Test(trace, read_shows_what_was_read_and_cuts_at_32_bytes)
{
	const char *s = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:";

	cr_assert_str_eq(CALL(SYS_read, 46, 3, put_string(s), 4096),
		"read(3, \"root:x:0:0:root:/root:/bin/bash\\n\"..., 4096) = 46");
	cr_assert_str_eq(CALL(SYS_read, 4, 3, put_string(s), 4096),
		"read(3, \"root\", 4096) = 4");
	cr_assert_str_eq(CALL(SYS_read, 0, 3, put_string(s), 4096),
		"read(3, \"\", 4096) = 0");
	cr_assert_str_eq(CALL(SYS_read, -EBADF, 3, BASE, 4096),
		"read(3, 0x100000, 4096) = -1 EBADF (Bad file descriptor)");
	cr_assert_str_eq(BEGUN(SYS_read, 3, BASE, 4096),
		"read(3, 0x100000, 4096) = ?");
}

Test(trace, write)
{
	cr_assert_str_eq(CALL(SYS_write, 6, 1, put_string("hello\n"), 6),
			 "write(1, \"hello\\n\", 6) = 6");
	cr_assert_str_eq(CALL(SYS_write, 3, 1, put("\033[0", 3), 3),
			 "write(1, \"\\33[0\", 3) = 3");
	/* unreadable, and a length that must not be believed */
	cr_assert_str_eq(CALL(SYS_write, -EFAULT, 1, 0x10, UINT64_MAX),
		"write(1, 0x10, 18446744073709551615) "
		"= -1 EFAULT (Bad address)");
	cr_assert_str_eq(CALL(SYS_write, -EFAULT, 1, 0, 5),
			 "write(1, NULL, 5) = -1 EFAULT (Bad address)");
}

Test(trace, string_that_runs_into_unmapped_memory)
{
	memset(memory + SIZE - 4, 'z', 4);
	cr_assert_str_eq(CALL(SYS_unlink, -EFAULT, BASE + SIZE - 4),
		"unlink(\"zzzz\"...) = -1 EFAULT (Bad address)");
}

Test(trace, mmap)
{
	cr_assert_str_eq(CALL(SYS_mmap, 0x7f0000000000, 0, 8192,
			      PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		"mmap(NULL, 8192, PROT_READ|PROT_WRITE, "
		"MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000");
	cr_assert_str_eq(CALL(SYS_mprotect, 0, 0x7f0000000000, 4096, PROT_NONE),
		"mprotect(0x7f0000000000, 4096, PROT_NONE) = 0");
}

Test(trace, exec)
{
	uint64_t argv[3] = { put_string("ls"), put_string("-l"), 0 };
	uint64_t envp[2] = { put_string("A=b"), 0 };
	uint64_t path = put_string("/bin/ls");
	uint64_t av = put(argv, sizeof(argv)), ev = put(envp, sizeof(envp));
	char want[128];

	snprintf(want, sizeof(want), "execve(\"/bin/ls\", [\"ls\", \"-l\"], "
		 "%#lx /* 1 var */) = 0", ev);
	cr_assert_str_eq(CALL(SYS_execve, 0, path, av, ev), want);
}

Test(trace, vectors)
{
	struct iovec v[2];
	uint64_t at;

	v[0].iov_base = (void *)put("abc", 3);
	v[0].iov_len = 3;
	v[1].iov_base = (void *)put("defg", 4);
	v[1].iov_len = 4;
	at = put(v, sizeof(v));
	cr_assert_str_eq(CALL(SYS_writev, 7, 1, at, 2),
		"writev(1, [{iov_base=\"abc\", iov_len=3}, "
		"{iov_base=\"defg\", iov_len=4}], 2) = 7");
	v[0].iov_base = (void *)put("abc", 3);
	v[1].iov_base = (void *)put("defg", 4);
	at = put(v, sizeof(v));
	/* a read of five fills the second in part */
	cr_assert_str_eq(CALL(SYS_readv, 5, 1, at, 2),
		"readv(1, [{iov_base=\"abc\", iov_len=3}, "
		"{iov_base=\"de\", iov_len=4}], 2) = 5");
}

Test(trace, hostile_vector_count_is_bounded)
{
	struct iovec v = { (void *)BASE, 1 };

	for (int i = 0; i < 64; i++)
		put(&v, sizeof(v));
	cr_assert_not_null(strstr(CALL(SYS_writev, -EINVAL, 1, BASE,
				       UINT64_MAX), ", ...], "));
}

Test(trace, socket_addresses)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(80) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/x" };

	inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
	cr_assert_str_eq(CALL(SYS_connect, -ECONNREFUSED, 4, put(&in, sizeof(in)),
			      sizeof(in)),
		"connect(4, {sa_family=AF_INET, sin_port=htons(80), "
		"sin_addr=inet_addr(\"127.0.0.1\")}, 16) "
		"= -1 ECONNREFUSED (Connection refused)");
	cr_assert_str_eq(CALL(SYS_bind, 0, 4, put(&un, sizeof(un)), sizeof(un)),
		"bind(4, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 110) = 0");
	memcpy(un.sun_path, "\0abc", 4);
	cr_assert_str_eq(CALL(SYS_bind, 0, 4, put(&un, sizeof(un)), 6),
		"bind(4, {sa_family=AF_UNIX, sun_path=@\"abc\"}, 6) = 0");
	cr_assert_str_eq(CALL(SYS_bind, -EINVAL, 4, put(&un, sizeof(un)), 1),
		"bind(4, 0x100000, 1) = -1 EINVAL (Invalid argument)");
}

Test(trace, socket_types)
{
	cr_assert_str_eq(CALL(SYS_socket, 3, AF_INET6,
			      SOCK_STREAM | SOCK_CLOEXEC, 0),
		"socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3");
}

Test(trace, poll)
{
	struct pollfd p[2] = {
		{ .fd = 3, .events = POLLIN, .revents = POLLIN },
		{ .fd = 4, .events = POLLOUT },
	};

	cr_assert_str_eq(CALL(SYS_poll, 1, put(p, sizeof(p)), 2, -1),
		"poll([{fd=3, events=POLLIN}, {fd=4, events=POLLOUT}], 2, -1) "
		"= 1 ([{fd=3, revents=POLLIN}])");
	cr_assert_str_eq(CALL(SYS_poll, 0, put(p, sizeof(p)), 1, 100),
		"poll([{fd=3, events=POLLIN}], 1, 100) = 0 (Timeout)");
}

Test(trace, epoll)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET,
				 .data = { .u64 = 0x55 } };

	cr_assert_str_eq(CALL(SYS_epoll_ctl, 0, 5, EPOLL_CTL_ADD, 7,
			      put(&e, sizeof(e))),
		"epoll_ctl(5, EPOLL_CTL_ADD, 7, "
		"{events=EPOLLIN|EPOLLET, data=0x55}) = 0");
	cr_assert_str_eq(CALL(SYS_epoll_wait, 1, 5, put(&e, sizeof(e)), 16, -1),
		"epoll_wait(5, [{events=EPOLLIN|EPOLLET, data=0x55}], 16, -1) "
		"= 1");
}

Test(trace, signals)
{
	uint64_t set = 1ull << (SIGCHLD - 1) | 1ull << (SIGINT - 1);
	struct {
		uint64_t handler, flags, restorer, mask;
	} act = { 0x401000, 0x14000000, 0x401100, 0 };

	cr_assert_str_eq(CALL(SYS_rt_sigprocmask, 0, SIG_BLOCK,
			      put(&set, sizeof(set)), 0, 8),
		"rt_sigprocmask(SIG_BLOCK, [INT CHLD], NULL, 8) = 0");
	cr_assert_str_eq(CALL(SYS_rt_sigaction, 0, SIGINT,
			      put(&act, sizeof(act)), 0, 8),
		"rt_sigaction(SIGINT, {sa_handler=0x401000, sa_mask=[], "
		"sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x401100}, "
		"NULL, 8) = 0");
	cr_assert_str_eq(CALL(SYS_kill, 0, 42, SIGKILL), "kill(42, SIGKILL) = 0");
}

Test(trace, stat)
{
	struct stat st = { .st_mode = S_IFREG | 0644, .st_size = 1234 };

	cr_assert_str_eq(CALL(SYS_fstat, 0, 3, put(&st, sizeof(st))),
		"fstat(3, {st_mode=S_IFREG|0644, st_size=1234, ...}) = 0");
	cr_assert_str_eq(BEGUN(SYS_fstat, 3, BASE), "fstat(3, 0x100000) = ?");
}

Test(trace, wait)
{
	int status = 3 << 8;

	cr_assert_str_eq(CALL(SYS_wait4, 77, -1, put(&status, 4), 0, 0),
		"wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) "
		"= 77");
	/* nobody was reaped: the word was not written */
	cr_assert_str_eq(CALL(SYS_wait4, 0, -1, put(&status, 4), WNOHANG, 0),
		"wait4(-1, 0x100000, WNOHANG, NULL) = 0");
}

Test(trace, fcntl)
{
	cr_assert_str_eq(CALL(SYS_fcntl, 0, 3, F_SETFD, FD_CLOEXEC),
			 "fcntl(3, F_SETFD, FD_CLOEXEC) = 0");
	cr_assert_str_eq(CALL(SYS_fcntl, 0, 3, F_SETFL, O_RDWR | O_NONBLOCK),
			 "fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0");
}

Test(trace, time)
{
	struct timespec ts = { 1, 500 };

	cr_assert_str_eq(CALL(SYS_clock_nanosleep, 0, CLOCK_REALTIME, 0,
			      put(&ts, sizeof(ts)), 0),
		"clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=1, tv_nsec=500}, "
		"NULL) = 0");
}

Test(trace, restart_codes)
{
	struct pollfd p = { .fd = 3, .events = POLLIN };

	cr_assert_str_eq(CALL(SYS_pause, -514, 0),
		"pause() = ? ERESTARTNOHAND (To be restarted if no handler)");
	cr_assert_str_eq(CALL(SYS_poll, -516, put(&p, sizeof(p)), 1, -1),
		"poll([{fd=3, events=POLLIN}], 1, -1) "
		"= ? ERESTART_RESTARTBLOCK (Interrupted by signal)");
}

Test(trace, unknown_call)
{
	cr_assert_str_eq(CALL(IPMON_NR_MAX + 5, -ENOSYS, 1, 2, 3, 4, 5, 6),
		"syscall_517(0x1, 0x2, 0x3, 0x4, 0x5, 0x6) "
		"= -1 ENOSYS (Function not implemented)");
}

Test(trace, statuses)
{
	char buf[64];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	format_status(&t, 3 << 8);
	cr_assert_str_eq(buf, "exited with 3");
	text_init(&t, buf, sizeof(buf));
	format_status(&t, SIGSEGV | 0x80);
	cr_assert_str_eq(buf, "killed by SIGSEGV (core dumped)");
	text_init(&t, buf, sizeof(buf));
	format_signal(&t, 34);
	cr_assert_str_eq(buf, "SIGRT_2");
}

Test(trace, every_presented_call_is_in_the_table)
{
	const char *name;

	for (unsigned int i = 0; (name = show_call(i)); i++) {
		bool found = false;

		for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++)
			found = found || !strcmp(ipmon_row(nr)->name, name);
		cr_assert(found, "%s", name);
	}
}

/* Garbage in every register of every call must neither crash nor hang, and
 * what comes out must be printable. */
Test(trace, hostile_registers)
{
	static const uint64_t values[] = {
		0, 1, 8, BASE, BASE + 1, BASE + SIZE - 1, BASE + SIZE - 9,
		0x7fffffff, 0x80000000, UINT32_MAX, INT64_MAX, UINT64_MAX,
		UINT64_MAX - 7, 0x7ffffffff000, 1ull << 63,
	};
	const unsigned int n = sizeof(values) / sizeof(*values);
	static const int64_t rets[] = { 0, 1, -1, -514, INT64_MAX, INT64_MIN,
					65536 };
	uint64_t seed = 1;

	for (unsigned int i = 0; i < SIZE; i++)
		memory[i] = (unsigned char)(i * 7 + (i >> 5));
	for (unsigned int round = 0; round < 40; round++) {
		for (long nr = 0; nr < IPMON_NR_MAX; nr++) {
			uint64_t a[6];

			for (int i = 0; i < 6; i++) {
				seed = seed * 6364136223846793005ull + 1;
				a[i] = values[(seed >> 33) % n];
			}
			seed = seed * 6364136223846793005ull + 1;
			format(nr, rets[(seed >> 33) % 7], seed >> 63, a[0],
			       a[1], a[2], a[3], a[4], a[5]);
			for (const char *p = line; *p; p++)
				cr_assert(*p >= 0x20 && *p < 0x7f);
		}
	}
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The measured program of bench/syscall.
 *
 * Theory of operation
 * -------------------
 * It measures nothing itself: inside a variant the clock is a replicated
 * call and rdtsc traps.  It reads a number of iterations from stdin, makes
 * the chosen call that often, answers with one byte on stdout, and waits for
 * the next number; the runner holds the watch, outside.  A batch of 0
 * iterations is what the hand-over costs and is subtracted there.  Between
 * batches it sits in read(), so several copies (native, strict, ...) can be
 * alive at once and be measured in turns.
 *
 * Every measured call is issued by one and the same `syscall` instruction,
 * in all modes, except those called *_libc and *_syscall: these go through
 * libc's wrapper and through syscall(2), as programs do.  With --filter the program first installs a seccomp filter
 * which checks, as IP-MON's will, that the instruction pointer is the one
 * behind it, and allows the call: the floor under any in-process scheme.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The one syscall instruction: gate(nr, a0..a5), arguments as a C call. */
long gate(long nr, long a0, long a1, long a2, long a3, long a4, long a5);
extern const char gate_ip[];
__asm__(
	".text\n"
	".globl gate\n"
	".type gate, @function\n"
	"gate:\n"
	/* without unwind information nobody can tell where a function begins,
	 * and IP-MON would not touch its call */
	"	.cfi_startproc\n"
	"	endbr64\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	mov %r9, %r8\n"
	"	mov 8(%rsp), %r9\n"
	"	syscall\n"
	".globl gate_ip\n"
	"gate_ip:\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size gate, . - gate\n");

#define L(x) ((long)(x))
#define G0(nr) gate(nr, 0, 0, 0, 0, 0, 0)
#define G4(nr, a, b, c, d) gate(nr, L(a), L(b), L(c), L(d), 0, 0)
#define G6(nr, a, b, c, d, e, f) gate(nr, L(a), L(b), L(c), L(d), L(e), L(f))

static const char *file;	/* 64 KiB of data, on tmpfs if there is one */
static int data_fd, null_fd, ep_fd, sock[2], udp[2];
static pid_t self;
static uint32_t word;
static char buf[65536] __attribute__((aligned(4096)));

/* Every body returns 0 or more when its calls succeeded. */

static long b_refused(void)
{
	/* answered without being executed by anyone: ENOSYS under monitord;
	 * natively the null pointer is EINVAL */
	return G4(SYS_rseq, 0, 0, 0, 0) < 0 ? 0 : -1;
}

static long b_getppid(void)
{
	return G0(SYS_getppid);
}

static long b_getpid(void)
{
	return G0(SYS_getpid);
}

static long b_getpid_libc(void)
{
	return getpid();
}

static long b_getpid_syscall(void)
{
	return syscall(SYS_getpid);
}

static long b_clock_libc(void)
{
	struct timespec ts;

	return clock_gettime(CLOCK_MONOTONIC, &ts);
}

/* A signal to oneself is delivered before kill() returns, so each iteration
 * is kill, handler, rt_sigreturn. */
static volatile sig_atomic_t caught;

static void catch(int sig)
{
	(void)sig;
	caught++;
}

static long b_kill(void)
{
	long before = caught;

	if (kill(self, SIGUSR1) < 0)
		return -1;
	return caught - before - 1;
}

static long b_kill_ignored(void)
{
	return kill(self, SIGUSR2);
}

static long b_raise(void)
{
	long before = caught;

	if (raise(SIGUSR1))
		return -1;
	return caught - before - 1;
}

static long b_gettid(void)
{
	return G0(SYS_gettid);
}

static long b_sched_yield(void)
{
	return G0(SYS_sched_yield);
}

static long b_clock_gettime(void)
{
	struct timespec ts;

	return G4(SYS_clock_gettime, CLOCK_MONOTONIC, &ts, 0, 0);
}

static long b_getrandom(void)
{
	return G4(SYS_getrandom, buf, 16, 0, 0);
}

static long b_sigprocmask(void)
{
	uint64_t set = 1u << (SIGUSR1 - 1), old;

	return G4(SYS_rt_sigprocmask, SIG_BLOCK, &set, &old, 8);
}

static long b_futex(void)
{
	return G6(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0);
}

static long b_stat(void)
{
	struct stat st;

	return G4(SYS_newfstatat, AT_FDCWD, file, &st, 0);
}

static long b_pread1(void)
{
	return G4(SYS_pread64, data_fd, buf, 1, 0) - 1;
}

static long b_pread4k(void)
{
	return G4(SYS_pread64, data_fd, buf, 4096, 0) - 4096;
}

static long b_pread64k(void)
{
	return G4(SYS_pread64, data_fd, buf, 65536, 0) - 65536;
}

static long b_write1(void)
{
	return G4(SYS_write, null_fd, buf, 1, 0) - 1;
}

static long b_write64k(void)
{
	return G4(SYS_write, null_fd, buf, 65536, 0) - 65536;
}

static long b_openclose(void)
{
	long fd = G4(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0);

	return fd < 0 ? fd : G4(SYS_close, fd, 0, 0, 0);
}

static long b_mmap(void)
{
	long p = G6(SYS_mmap, 0, 65536, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p < 0 && p > -4096 ? p : G4(SYS_munmap, p, 65536, 0, 0);
}

static long b_epoll(void)
{
	struct epoll_event ev[8];

	/* one descriptor is ready, level-triggered: always one event */
	return G6(SYS_epoll_wait, ep_fd, ev, 8, 0, 0, 0) - 1;
}

static long b_sendrecv(void)
{
	long r = G6(SYS_sendto, sock[0], buf, 64, 0, 0, 0);

	return r < 0 ? r : G6(SYS_recvfrom, sock[1], buf, 64, 0, 0, 0) - 64;
}

static long b_udp(void)
{
	long r = G6(SYS_sendto, udp[0], buf, 64, 0, 0, 0);

	return r < 0 ? r : G6(SYS_recvfrom, udp[1], buf, 64, 0, 0, 0) - 64;
}

static const struct bench {
	const char *name;
	unsigned int calls;	/* system calls per iteration */
	long (*body)(void);
	const char *what;
} benches[] = {
	{ "refused", 1, b_refused,
	  "a call nobody executes (rseq): the bare rendezvous" },
	{ "getppid", 1, b_getppid, "" },
	{ "getpid", 1, b_getpid, "" },
	{ "getpid_libc", 1, b_getpid_libc, "libc's getpid()" },
	{ "getpid_syscall", 1, b_getpid_syscall, "syscall(SYS_getpid)" },
	{ "gettid", 1, b_gettid, "" },
	{ "sched_yield", 1, b_sched_yield, "" },
	{ "clock_gettime", 1, b_clock_gettime, "by syscall, not vDSO" },
	{ "clock_libc", 1, b_clock_libc,
	  "libc's clock_gettime(): the vDSO natively" },
	{ "getrandom", 1, b_getrandom, "16 bytes" },
	{ "rt_sigprocmask", 1, b_sigprocmask, "executed by every variant" },
	{ "futex", 1, b_futex, "FUTEX_WAKE, nobody waits" },
	{ "newfstatat", 1, b_stat, "" },
	{ "pread64_1", 1, b_pread1, "1 byte of a cached file" },
	{ "pread64_4k", 1, b_pread4k, "4 KiB of a cached file" },
	{ "pread64_64k", 1, b_pread64k, "64 KiB of a cached file" },
	{ "write_1", 1, b_write1, "1 byte to /dev/null" },
	{ "write_64k", 1, b_write64k, "64 KiB to /dev/null" },
	{ "epoll_wait", 1, b_epoll, "one event ready" },
	{ "openat_close", 2, b_openclose, "a pair" },
	{ "sendto_recvfrom", 2, b_sendrecv, "a pair, 64 bytes, Unix sockets" },
	{ "udp_send_recv", 2, b_udp, "a pair, 64 bytes, UDP over loopback" },
	{ "mmap_munmap", 2, b_mmap, "a pair, 64 KiB anonymous" },
	{ "kill_handled", 1, b_kill,
	  "kill(getpid()), handler and rt_sigreturn together" },
	{ "raise_handled", 1, b_raise,
	  "raise(), handler and rt_sigreturn together" },
	{ "kill_ignored", 1, b_kill_ignored, "the signal is ignored" },
};

static void fail(const char *what)
{
	fprintf(stderr, "syscall_loop: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int udp_socket(struct sockaddr_in *addr)
{
	socklen_t len = sizeof(*addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*addr = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (struct sockaddr *)addr, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)addr, &len) < 0)
		fail("UDP socket");
	return fd;
}

static void prepare(void)
{
	struct sockaddr_in addr[2];
	struct epoll_event ev = { .events = EPOLLOUT };
	struct sigaction act = { .sa_handler = catch };

	self = getpid();
	if (sigaction(SIGUSR1, &act, NULL) < 0)
		fail("sigaction");
	act.sa_handler = SIG_IGN;
	if (sigaction(SIGUSR2, &act, NULL) < 0)
		fail("sigaction");
	data_fd = open(file, O_RDONLY | O_CLOEXEC);
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ep_fd = epoll_create1(EPOLL_CLOEXEC);
	if (data_fd < 0 || null_fd < 0 || ep_fd < 0)
		fail(file);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sock) < 0)
		fail("socketpair");
	/* an eventfd of 0 is always writable */
	ev.data.ptr = buf;
	if (epoll_ctl(ep_fd, EPOLL_CTL_ADD,
		      eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), &ev) < 0)
		fail("epoll_ctl");
	udp[0] = udp_socket(&addr[0]);
	udp[1] = udp_socket(&addr[1]);
	if (connect(udp[0], (struct sockaddr *)&addr[1], sizeof(addr[1])) < 0)
		fail("connect");
}

static void install_filter(void)
{
	uint64_t ip = (uintptr_t)gate_ip;
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ip, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, instruction_pointer) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(ip >> 32), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		/* nothing traces us: what would be trapped is allowed, too */
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) < 0)
		fail("seccomp");
}

static int serve(const struct bench *b)
{
	char line[32];
	ssize_t n;

	while ((n = read(STDIN_FILENO, line, sizeof(line) - 1)) > 0) {
		line[n] = 0;
		for (long left = atol(line); left > 0; left--)
			if (b->body() < 0)
				fail(b->name);
		if (write(STDOUT_FILENO, "+", 1) != 1)
			fail("stdout");
	}
	return n < 0;
}

int main(int argc, char **argv)
{
	size_t n = sizeof(benches) / sizeof(benches[0]);
	int i = 1;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t k = 0; k < n; k++)
			printf("%s\t%u\t%s\n", benches[k].name,
			       benches[k].calls, benches[k].what);
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "--filter"))
		i++;
	if (argc - i != 2) {
		fprintf(stderr, "usage: syscall_loop [--filter] CALL FILE\n"
			"       syscall_loop --list\n");
		return 2;
	}
	for (size_t k = 0; k < n; k++) {
		if (strcmp(argv[i], benches[k].name))
			continue;
		file = argv[i + 1];
		prepare();
		if (i == 2)
			install_filter();
		return serve(&benches[k]);
	}
	fprintf(stderr, "syscall_loop: no such call: %s\n", argv[i]);
	return 2;
}

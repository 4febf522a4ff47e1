// SPDX-License-Identifier: Apache-2.0
/*
 * What it costs to get data out of a traced process, for bench/run transfer.
 *
 * Theory of operation
 * -------------------
 * A monitor must see what a variant wants to write.  Five ways:
 *
 *	peek	PTRACE_PEEKDATA, eight bytes at a time, from a stopped tracee
 *	fifo	the tracer makes the stopped tracee write() its buffer into a
 *		pipe (registers set, one resume, one stop) and reads the pipe
 *	vm	process_vm_readv(): one call, the tracee stopped or not
 *	shm	the data is in shared memory already: one copy out of it
 *	ring	as IP-MON does it: the process copies its private buffer into
 *		shared memory when told to, through flags both sides look at,
 *		and the reader copies it out; no kernel entry
 *
 * All ways take turns in every round, each measured over as many transfers as
 * take about MILLISECONDS.  One line per sample: way, bytes, nanoseconds per
 * transfer.  What arrives is compared with what was sent before the first
 * round, so that a way which moves nothing cannot win.
 *
 *	transfer ROUNDS MILLISECONDS [BYTES...]
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LARGEST (128u * 1024)
#define PATIENT 2000		/* looks before a waiter yields the core */

/* Where the tracer sends the tracee to make a call; ends in a trap. */
extern const char call_site[];
__asm__(
	".text\n"
	".globl call_site\n"
	"call_site:\n"
	"	syscall\n"
	"	int3\n");

static struct shared {
	_Atomic uint32_t asked, answered;
	uint32_t bytes;
	char data[LARGEST] __attribute__((aligned(64)));
} *shared;

static char *private;		/* the tracee's buffer, same address in both */
static char *copy;
static int fifo[2];
static pid_t tracee, writer;
static uint32_t turn;

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "transfer: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Until *word is `value`. */
static void await(_Atomic uint32_t *word, uint32_t value)
{
	for (unsigned int i = 1; atomic_load_explicit(word, memory_order_acquire) != value; i++) {
		__builtin_ia32_pause();
		if (i % PATIENT == 0)
			sched_yield();
	}
}

static pid_t child(void (*body)(void))
{
	pid_t parent = getpid(), p = fork();

	if (p < 0)
		fail("fork");
	if (p)
		return p;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	body();
	_exit(0);
}

static void sleeping(void)
{
	for (;;)
		pause();
}

/* The ring's producer: asleep between rounds, so that it takes no time from
 * the others; woken by SIGCONT. */
static void producing(void)
{
	for (uint32_t seen = 1;; seen++) {
		await(&shared->asked, seen);
		if (!shared->bytes)
			raise(SIGSTOP);
		else
			memcpy(shared->data, private, shared->bytes);
		atomic_store_explicit(&shared->answered, seen,
				      memory_order_release);
	}
}

/* ---- the five ways ---- */

static void by_peek(size_t bytes)
{
	for (size_t i = 0; i < bytes; i += sizeof(long)) {
		long w;

		errno = 0;
		w = ptrace(PTRACE_PEEKDATA, tracee, private + i, NULL);
		if (errno)
			fail("PTRACE_PEEKDATA");
		memcpy(copy + i, &w, sizeof(w));
	}
}

static void by_fifo(size_t bytes)
{
	struct user_regs_struct regs;
	int status;

	if (ptrace(PTRACE_GETREGS, tracee, NULL, &regs) < 0)
		fail("PTRACE_GETREGS");
	regs.rip = (uintptr_t)call_site;
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = SYS_write;
	regs.rdi = (unsigned long long)fifo[1];
	regs.rsi = (uintptr_t)private;
	regs.rdx = bytes;
	if (ptrace(PTRACE_SETREGS, tracee, NULL, &regs) < 0 ||
	    ptrace(PTRACE_CONT, tracee, NULL, NULL) < 0 ||
	    waitpid(tracee, &status, 0) < 0)
		fail("the call in the tracee");
	if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
		fail("the tracee ended");
	for (size_t got = 0; got < bytes;) {
		ssize_t n = read(fifo[0], copy + got, bytes - got);

		if (n <= 0)
			fail("read from the fifo");
		got += (size_t)n;
	}
}

static void by_vm(size_t bytes)
{
	struct iovec here = { copy, bytes }, there = { private, bytes };

	if (process_vm_readv(tracee, &here, 1, &there, 1, 0) != (ssize_t)bytes)
		fail("process_vm_readv");
}

static void by_shm(size_t bytes)
{
	memcpy(copy, shared->data, bytes);
	/* the copy is wanted, whoever reads it */
	__asm__ volatile("" : : "r"(copy) : "memory");
}

static void by_ring(size_t bytes)
{
	shared->bytes = (uint32_t)bytes;
	atomic_store_explicit(&shared->asked, ++turn, memory_order_release);
	await(&shared->answered, turn);
	by_shm(bytes);
}

static const struct way {
	const char *name;
	void (*transfer)(size_t bytes);
} ways[] = {
	{ "peek", by_peek },
	{ "fifo", by_fifo },
	{ "vm", by_vm },
	{ "shm", by_shm },
	{ "ring", by_ring },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))
#define RING (WAYS - 1)

/* ---- all of it ---- */

static void writer_sleeps(void)
{
	int status;

	shared->bytes = 0;
	atomic_store(&shared->asked, ++turn);
	if (waitpid(writer, &status, WUNTRACED) < 0 || !WIFSTOPPED(status))
		fail("the ring's writer does not stop");
}

static void writer_wakes(void)
{
	kill(writer, SIGCONT);
	await(&shared->answered, turn);
}

static double sample(const struct way *w, size_t bytes, double want_ns)
{
	uint64_t t;
	size_t n = 1;

	for (;;) {
		t = now_ns();
		for (size_t i = 0; i < n; i++)
			w->transfer(bytes);
		t = now_ns() - t;
		if ((double)t > want_ns || n > 1u << 28)
			return (double)t / (double)n;
		n *= (double)t * 4 < want_ns ? 4 : 2;
	}
}

static void start(void)
{
	int status;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	private = mmap(NULL, LARGEST, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	copy = malloc(LARGEST);
	if (shared == MAP_FAILED || private == MAP_FAILED || !copy)
		fail("memory");
	/* the largest transfer must fit: tracee and tracer take turns */
	if (pipe2(fifo, O_CLOEXEC) < 0 ||
	    fcntl(fifo[1], F_SETPIPE_SZ, 2 * LARGEST) < 0)
		fail("pipe");
	for (size_t i = 0; i < LARGEST; i++)
		private[i] = (char)(i * 31 + i / 251);
	memcpy(shared->data, private, LARGEST);
	tracee = child(sleeping);
	writer = child(producing);
	if (ptrace(PTRACE_SEIZE, tracee, NULL, (void *)PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_INTERRUPT, tracee, NULL, NULL) < 0 ||
	    waitpid(tracee, &status, 0) < 0 || !WIFSTOPPED(status))
		fail("ptrace");
}

static void check(size_t bytes)
{
	for (size_t i = 0; i < WAYS; i++) {
		memset(copy, 0, LARGEST);
		ways[i].transfer(bytes);
		if (memcmp(copy, private, bytes)) {
			errno = EBADMSG;
			fail(ways[i].name);
		}
	}
}

int main(int argc, char **argv)
{
	size_t sizes[8] = { 160, 4096, LARGEST }, n = 3;
	double want_ns;
	int rounds;

	if (argc < 3 || argc > 3 + 8) {
		fprintf(stderr, "usage: transfer ROUNDS MILLISECONDS [BYTES...]\n");
		return 2;
	}
	rounds = atoi(argv[1]);
	want_ns = atof(argv[2]) * 1e6;
	if (argc > 3)
		n = (size_t)argc - 3;
	for (int i = 3; i < argc; i++) {
		sizes[i - 3] = (size_t)atol(argv[i]) & ~7ul;
		if (!sizes[i - 3] || sizes[i - 3] > LARGEST) {
			errno = EINVAL;
			fail(argv[i]);
		}
	}
	start();
	for (size_t k = 0; k < n; k++)
		check(sizes[k]);
	writer_sleeps();
	for (int r = 0; r < rounds; r++) {
		for (size_t k = 0; k < n; k++) {
			for (size_t i = 0; i < WAYS; i++) {
				double ns;

				if (i == RING)
					writer_wakes();
				ns = sample(&ways[i], sizes[k], want_ns);
				if (i == RING)
					writer_sleeps();
				printf("%s\t%zu\t%.1f\n", ways[i].name,
				       sizes[k], ns);
			}
		}
		fflush(stdout);
	}
	kill(writer, SIGKILL);
	kill(tracee, SIGKILL);
	return 0;
}

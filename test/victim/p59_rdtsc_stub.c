/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rdtsc, rdtscp, rdrand and rdseed, so often that they are no faults any more: they
 * leave all other registers, the flags and the red zone alone, with whatever
 * instructions behind them; in threads, in children, and while signals come.
 */
#include "victim.h"
#include <cpuid.h>
#include <x86intrin.h>

#define ROUNDS 40

enum { RAX, RCX, RDX, RBX, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, FLAGS, N };
enum { ZONE = 16 };

/* One state per thread would need a register: one at a time runs these. */
static volatile uint64_t in[N] __attribute__((used)), out[N] __attribute__((used)),
	zone[ZONE] __attribute__((used)), sp[2] __attribute__((used));

#define EACH(do, at) \
	do("rax", at, 0) do("rcx", at, 8) do("rdx", at, 16) do("rbx", at, 24) do("rbp", at, 32) \
	do("rsi", at, 40) do("rdi", at, 48) do("r8", at, 56) do("r9", at, 64) do("r10", at, 72) \
	do("r11", at, 80) do("r12", at, 88) do("r13", at, 96) do("r14", at, 104) \
	do("r15", at, 112)
#define LOAD(reg, at, off) "movq " at "+" #off "(%rip), %" reg "\n\t"
#define SAVE(reg, at, off) "movq %" reg ", " at "+" #off "(%rip)\n\t"

/* The red zone keeps its numbers; what is between the instruction and the first save
 * differs. */
#define FUNCTION(name, insn)						\
	void name(void);						\
	__asm__(".text\n\t.p2align 4\n\t.type " #name ", @function\n"	\
		#name ":\n\t.cfi_startproc\n\t"				\
		"push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\t"	\
		"push %r14\n\tpush %r15\n\t"				\
		"mov %rsp, sp(%rip)\n\t"				\
		"mov $16, %ecx\n"					\
		"1:\tmov %rcx, %rax\n\tneg %rax\n\t"			\
		"mov %rcx, (%rsp,%rax,8)\n\tdec %ecx\n\tjnz 1b\n\t"	\
		"lea zone(%rip), %rdi\n\t"				\
		"mov in+120(%rip), %rax\n\tmov %al, %cl\n\t"		\
		"shr $11, %eax\n\tand $1, %al\n\tmov %cl, %ah\n\t"	\
		"addb $0x7f, %al\n\tsahf\n\t"				\
		EACH(LOAD, "in")					\
		insn "\n\t"						\
		EACH(SAVE, "out")					\
		"lahf\n\tseto %al\n\tmov %rax, out+120(%rip)\n\t"	\
		"mov %rsp, sp+8(%rip)\n\t"				\
		"mov $16, %ecx\n\tlea zone(%rip), %rdi\n"		\
		"1:\tmov %rcx, %rax\n\tneg %rax\n\t"			\
		"mov (%rsp,%rax,8), %rdx\n\tmov %rdx, -8(%rdi,%rcx,8)\n\t" \
		"dec %ecx\n\tjnz 1b\n\t"				\
		"mov sp(%rip), %rsp\n\t"				\
		"pop %r15\n\tpop %r14\n\tpop %r13\n\tpop %r12\n\t"	\
		"pop %rbp\n\tpop %rbx\n\tcld\n\tret\n\t"		\
		".cfi_endproc\n\t.size " #name ", . - " #name "\n\t"	\
		".p2align 4\n")

FUNCTION(tsc_plain, "rdtsc");
FUNCTION(tsc_short, "rdtsc\n\tjc 2f\n\tnop\n2:\tnop");
FUNCTION(tsc_target, "jmp 2f\n3:\tjmp 4f\n2:\trdtsc\n\tjmp 3b\n4:");
FUNCTION(tsc_fence, "lfence\n\trdtsc\n\tlfence");
FUNCTION(tscp_plain, "rdtscp");
FUNCTION(tscp_short, "rdtscp\n\tjno 2f\n\tnop\n2:");
FUNCTION(rand_rax, "rdrand %rax");
FUNCTION(rand_edx, "rdrand %edx\n\tjc 2f\n\tnop\n2:");
FUNCTION(rand_bp, "rdrand %bp");
FUNCTION(rand_r11, "rdrand %r11");
FUNCTION(rand_r12d, "rdrand %r12d");
FUNCTION(rand_r13w, "rdrand %r13w");
FUNCTION(seed_rcx, "rdseed %rcx");
FUNCTION(seed_r15, "rdseed %r15\n\tcmovnc %r15, %r15");

static uint64_t mix(uint64_t x)
{
	return x * 6364136223846793005u + 1442695040888963407u;
}

static int null;

/* What is not the same everywhere is seen at once. */
static void tell(uint64_t x)
{
	if (x & 16)
		getppid();
	CHECK(write(null, &x, sizeof(x)) == sizeof(x));
}

static void prepare(unsigned int i)
{
	static const uint64_t flags[] = { 0, 1, 4, 0x10, 0x40, 0x80, 0x800, 0x8d5, 0x895, 0x844 };
	uint64_t x = i + 1;

	for (unsigned int k = 0; k < N; k++) {
		in[k] = x = mix(x);
		out[k] = 0;
	}
	in[FLAGS] = flags[i % (sizeof(flags) / sizeof(flags[0]))] | 0x202;
}

static uint64_t flags_out(void)
{
	return (out[FLAGS] >> 8 & 0xd5) | (out[FLAGS] & 1) << 11;
}

static void check(unsigned int results, uint64_t flags)
{
	for (unsigned int k = 0; k < FLAGS; k++)
		CHECK(results >> k & 1 || out[k] == in[k]);
	CHECK(flags_out() == flags);
	CHECK(sp[0] == sp[1]);
	for (uint64_t k = 0; k < ZONE; k++)
		CHECK(zone[k] == k + 1);
}

static void counter(void (*read)(void), bool p)
{
	uint64_t last = 0, now;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		prepare(i);
		read();
		check(1u << RAX | 1u << RDX | (p ? 1u << RCX : 0), in[FLAGS] & 0x8d5);
		CHECK(!(out[RAX] >> 32) && !(out[RDX] >> 32) && (!p || !(out[RCX] >> 32)));
		now = out[RDX] << 32 | out[RAX];
		CHECK(now > last);
		last = now;
		if (i % 8 == 0)
			tell(now);
	}
}

static void number(void (*draw)(void), unsigned int reg, unsigned int bits)
{
	uint64_t kept = bits == 16 ? ~0xffffull : 0, top = bits == 32 ? 32 : 63;
	unsigned int other = 0;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint64_t last = out[reg];

		do {
			prepare(i);
			draw();
		} while (!(flags_out() & 1));
		check(1u << reg, 1);
		CHECK((out[reg] & kept) == (in[reg] & kept));
		CHECK(bits != 32 || !(out[reg] >> top));
		other += out[reg] != last;
		if (i % 8 == 0)
			tell(out[reg]);
	}
	CHECK(other > ROUNDS / 2);
}

static void all(void)
{
	unsigned int a, b, c, d;

	counter(tsc_plain, false);
	counter(tsc_short, false);
	counter(tsc_target, false);
	counter(tsc_fence, false);
	if (__get_cpuid(0x80000001u, &a, &b, &c, &d) && d & 1u << 27) {
		counter(tscp_plain, true);
		counter(tscp_short, true);
	}
	if (__get_cpuid(1, &a, &b, &c, &d) && c & bit_RDRND) {
		number(rand_rax, RAX, 64);
		number(rand_edx, RDX, 32);
		number(rand_bp, RBP, 16);
		number(rand_r11, R11, 64);
		number(rand_r12d, R12, 32);
		number(rand_r13w, R13, 16);
	}
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_RDSEED) {
		number(seed_rcx, RCX, 64);
		number(seed_r15, R15, 64);
	}
}

static void *thread(void *arg)
{
	(void)arg;
	all();
	return NULL;
}

/* Two at once, each with a loop of its own. */
static void *spin(void *arg)
{
	uint64_t sum = 0, last = 0, now;

	(void)arg;
	for (unsigned int i = 0; i < 20000; i++) {
		now = __rdtsc();
		CHECK(now >= last);
		last = now;
		sum = mix(sum ^ now);
		if (i % 1000 == 0)
			tell(sum);
	}
	return NULL;
}

static volatile sig_atomic_t ticks;
static uint64_t heard;

static void tick(int sig)
{
	(void)sig;
	heard = mix(heard ^ __rdtsc());
	ticks++;
}

/* Nothing but the counter, until the handler has been there often enough. */
static void ticking(void)
{
	const struct itimerval it = { { 0, 3000 }, { 0, 3000 } }, off = { { 0, 0 }, { 0, 0 } };
	uint64_t turns = 0, x = 0;

	handle(SIGALRM, tick, 0);
	OK(setitimer(ITIMER_REAL, &it, NULL));
	while (ticks < 20) {
		x ^= __rdtsc();
		turns++;
	}
	OK(setitimer(ITIMER_REAL, &off, NULL));
	tell(turns);
	tell(x);
	tell(heard);
}

int main(void)
{
	pthread_t t[2];

	null = OK(open("/dev/null", O_WRONLY | O_CLOEXEC));
	all();
	REAP(CHILD(all()));
	ZERO(pthread_create(&t[0], NULL, thread, NULL));
	ZERO(pthread_join(t[0], NULL));
	for (int i = 0; i < 2; i++)
		ZERO(pthread_create(&t[i], NULL, spin, NULL));
	for (int i = 0; i < 2; i++)
		ZERO(pthread_join(t[i], NULL));
	ticking();
	REAP(CHILD(ticking()));
	puts("ok");
	return 0;
}

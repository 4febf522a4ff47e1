/* SPDX-License-Identifier: Apache-2.0 */
/* What a benchmark does: how often is something done that takes functions and loops of
 * its own, until the alarm says stop?  The count is in a register, in the program's
 * data, on the heap, or several frames up. */
#include "victim.h"

static volatile sig_atomic_t run;
static unsigned char text[1024];
static uint32_t sum;
static long in_data;

static void stop(int sig)
{
	(void)sig;
	run = 0;
}

__attribute__((noinline)) static void mix(uint32_t *s, const unsigned char *p,
					  size_t n)
{
	while (n--) {
		uint32_t a = s[0], b = s[1];

		for (unsigned int i = 0; i < 64; i++) {
			a = (a << 5 | a >> 27) + (b ^ p[i]);
			b += a;
		}
		s[0] += a;
		s[1] += b;
		p += 64;
	}
}

__attribute__((noinline)) static void pad(uint32_t *s, size_t n)
{
	char room[700];

	memset(room, (int)n, sizeof(room));
	mix(s, text, n / 64);
	sum += (unsigned char)room[n % sizeof(room)];
}

__attribute__((noinline)) static void digest(size_t n)
{
	uint32_t s[2] = { 1, 2 };
	char room[300];

	memset(room, 1, sizeof(room));
	pad(s, n);
	sum ^= s[0] + (unsigned char)room[n % sizeof(room)];
}

__attribute__((noinline)) static void twice(size_t n, long *count)
{
	digest(n);
	++*count;
	digest(n);
}

static void start(void)
{
	struct itimerval it = { .it_value.tv_usec = 200000 };

	run = 1;
	OK(setitimer(ITIMER_REAL, &it, NULL));
}

/* Not known natively: the same in all variants. */
static void tell(const char *what, long count)
{
	char line[64];
	int fd = OK(open("/dev/null", O_WRONLY | O_CLOEXEC)), n;

	CHECK(count > 0);
	n = snprintf(line, sizeof(line), "%ld %u", count, sum);
	CHECK(write(fd, line, (size_t)n) == n);
	close(fd);
	printf("%s\n", what);
	fflush(stdout);
}

int main(void)
{
	long *in_heap = OK(calloc(1, sizeof(*in_heap))), count;

	signal(SIGALRM, stop);
	for (size_t n = 64; n <= 1024; n *= 4) {
		start();
		for (count = 0; run; count++)
			digest(n);
		tell("register", count);
		start();
		for (in_data = 0; run; in_data++)
			digest(n);
		tell("data", in_data);
		start();
		for (*in_heap = 0; run; ++*in_heap)
			digest(n);
		tell("heap", *in_heap);
		start();
		for (count = 0; run; )
			twice(n, &count);
		tell("frame", count);
	}
	free(in_heap);
	return 0;
}

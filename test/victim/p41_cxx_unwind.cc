// SPDX-License-Identifier: Apache-2.0
// Unwinding through calls that have become frequent: exceptions out of
// callbacks of libc, a thread cancelled in a blocked read runs its
// destructors, a backtrace taken in a signal handler that interrupts calls
// reaches main.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/time.h>
#include <unistd.h>

static int p[2], destroyed;

static void fail(const char *what)
{
	fprintf(stderr, "failed: %s\n", what);
	_exit(1);
}

static void calls()
{
	char c;

	for (int i = 0; i < 10; i++) {
		getppid();
		if (write(p[1], "x", 1) != 1 || read(p[0], &c, 1) != 1)
			fail("pipe");
	}
}

struct Guard {
	~Guard()
	{
		calls();
		destroyed++;
	}
};

static int compare(const void *, const void *)
{
	Guard g;

	calls();
	throw std::runtime_error("out of qsort");
}

static void *blocked(void *)
{
	Guard a;
	char c;
	int old;
	{
		Guard b;

		/* not between a write and its read, on a slow machine */
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
		calls();
		pthread_setcancelstate(old, nullptr);
		if (read(p[0], &c, 1))
			fail("read returned");
	}
	return nullptr;
}

static volatile sig_atomic_t reached, taken;
static void *main_start, *main_end;

static void on(int)
{
	void *frame[64];
	int n = backtrace(frame, 64);

	taken = taken + 1;
	for (int i = 0; i < n; i++)
		if (frame[i] >= main_start && frame[i] < main_end) {
			reached = reached + 1;
			break;
		}
}

static void __attribute__((noinline, section(".text.measured"))) loop()
{
	while (taken < 20)
		getppid();
}
static void __attribute__((noinline, section(".text.measured"))) behind()
{
	__asm__ volatile("");
}

int main()
{
	void *warm[4];
	int v[8] = { 3, 1, 2, 5, 4, 7, 6, 0 };

	if (pipe(p))
		fail("pipe");
	calls();
	for (int i = 0; i < 5; i++) {
		try {
			qsort(v, 8, sizeof(v[0]), compare);
			fail("qsort returned");
		} catch (const std::runtime_error &e) {
			if (i == 0)
				puts(e.what());
		}
	}
	printf("%d destroyed\n", destroyed);
	for (int i = 0; i < 5; i++) {
		pthread_t t;
		void *r;

		pthread_create(&t, nullptr, blocked, nullptr);
		usleep(2000);
		pthread_cancel(t);
		pthread_join(t, &r);
		if (r != PTHREAD_CANCELED)
			fail("not cancelled");
	}
	printf("%d destroyed\n", destroyed);

	/* the first one loads libgcc */
	backtrace(warm, 4);
	main_start = (void *)loop;
	main_end = (void *)behind;
	if (main_start > main_end) {
		void *x = main_start;

		main_start = main_end;
		main_end = x;
		main_end = (char *)main_end + 256;
	}
	struct itimerval it = { { 0, 2000 }, { 0, 2000 } };
	signal(SIGALRM, on);
	setitimer(ITIMER_REAL, &it, nullptr);
	loop();
	memset(&it, 0, sizeof(it));
	setitimer(ITIMER_REAL, &it, nullptr);
	printf("%s\n", reached == taken ? "every backtrace reached it" :
	       "a backtrace was cut off");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls which libc does not make any more: the forms without flags, select,
 * poll, and the newest futex calls, which it does not make yet.
 */
#include "victim.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wake
#define SYS_futex_wake 454
#define SYS_futex_wait 455
#define SYS_futex_requeue 456
#endif

static uint32_t word, word2;
struct waitv {
	uint64_t val, uaddr;
	uint32_t flags, reserved;
};

static void *waiter(void *arg)
{
	struct waitv w[2] = {
		{ 0, (uintptr_t)&word, 2 | 128, 0 }, { 0, (uintptr_t)&word2, 2 | 128, 0 },
	};
	long r;

	do
		r = arg ? syscall(SYS_futex_wait, &word, 0, 0xfffffffful, 2 | 128, NULL, CLOCK_MONOTONIC) :
			syscall(SYS_futex_waitv, w, 2, 0, NULL, CLOCK_MONOTONIC);
	while (r < 0 && errno == EINTR);
	return (void *)(r < 0 ? -(long)errno : r);
}

static void futexes(void)
{
	struct timespec past = { 0, 1 };
	struct waitv w[2] = {
		{ 0, (uintptr_t)&word, 2 | 128, 0 }, { 0, (uintptr_t)&word2, 2 | 128, 0 },
	};
	pthread_t t;
	void *r;

	SAYS(syscall(SYS_futex_waitv, w, 2, 0, &past, CLOCK_MONOTONIC));
	SAYS(syscall(SYS_futex_waitv, w, 2, 0, &past, 99));
	SAYS(syscall(SYS_futex_waitv, w, 200, 0, NULL, CLOCK_MONOTONIC));
	SAYS(syscall(SYS_futex_waitv, w, 2, 1, NULL, CLOCK_MONOTONIC));
	w[0].val = 1;
	SAYS(syscall(SYS_futex_waitv, w, 2, 0, NULL, CLOCK_MONOTONIC));
	SAYS(syscall(SYS_futex_wait, &word, 1, 0xfffffffful, 2 | 128, NULL, CLOCK_MONOTONIC));
	SAYS(syscall(SYS_futex_wait, &word, 0, 0ul, 2 | 128, NULL, CLOCK_MONOTONIC));
	SAYS(syscall(SYS_futex_wait, &word, 0, 0xfffffffful, 2 | 128, &past, CLOCK_MONOTONIC));
	SAYS(syscall(SYS_futex_wake, &word, 0xfffffffful, 1, 2 | 128));
	SAYS(syscall(SYS_futex_wake, &word, 0xfffffffful, 1, 7777));
	SAYS(syscall(SYS_futex_wake, (char *)&word + 1, 0xfffffffful, 1, 2 | 128));
	w[0].val = 0;
	SAYS(syscall(SYS_futex_requeue, w, 0, 1, 1));
	if (syscall(SYS_futex_wait, &word, 1, 0xfffffffful, 2 | 128, NULL, CLOCK_MONOTONIC) < 0 && errno == ENOSYS)
		return;
	for (long i = 0; i < 2; i++) {
		ZERO(pthread_create(&t, NULL, waiter, (void *)i));
		while (syscall(SYS_futex_wake, i ? &word : &word2, 0xfffffffful, 1, 2 | 128) == 0)
			sleep_ms(1);
		ZERO(pthread_join(t, &r));
		printf("woken: %ld\n", (long)r);
	}
}

static void on_usr1(int sig)
{
	(void)sig;
}

int main(void)
{
	fd_set in, out, ex;
	struct timeval tv = { 0, 1000 };
	struct pollfd p[3];
	sigset_t s;
	int e, i, sf, q[2];
	uint64_t n = 0;
	char b[256];

	CHECK((e = (int)DOES(syscall(SYS_eventfd, 5))) >= 0);
	SAYS(read(e, &n, 8));
	printf("  %d\n", (int)n);
	DOES(syscall(SYS_epoll_create, 1));
	SAYS(syscall(SYS_epoll_create, 0));
	i = (int)DOES(syscall(SYS_inotify_init));
	SAYS(inotify_add_watch(i, ".", IN_CREATE));
	SAYS(inotify_add_watch(i, "nosuch", IN_CREATE));
	SAYS(inotify_add_watch(i, ".", 0));
	SAYS(inotify_add_watch(0, ".", IN_CREATE));
	close((int)DOES(syscall(SYS_creat, "made", 0600)));
	SAYS(read(i, b, sizeof(b)));
	SAYS(inotify_rm_watch(i, 1));
	SAYS(inotify_rm_watch(i, 1));
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	OK(sigprocmask(SIG_BLOCK, &s, NULL));
	sf = (int)DOES(syscall(SYS_signalfd, -1, &s, 8));
	SAYS(syscall(SYS_signalfd, -1, &s, 4));
	SAYS(syscall(SYS_signalfd, 0, &s, 8));
	OK(kill(getpid(), SIGUSR1));
	struct signalfd_siginfo si;
	SAYS(read(sf, &si, sizeof(si)));
	printf("  %u\n", si.ssi_signo);
	SAYS(syscall(SYS_pipe, q));
	SAYS(syscall(SYS_pipe, (void *)8));
	SAYS(syscall(SYS_pipe2, q, 1));
	/* select and poll */
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&ex);
	FD_SET(q[0], &in);
	FD_SET(q[1], &out);
	SAYS(syscall(SYS_select, 64, &in, &out, &ex, &tv));
	printf("  %d %d\n", FD_ISSET(q[0], &in), FD_ISSET(q[1], &out));
	FD_SET(q[0], &in);
	SAYS(syscall(SYS_select, q[0] + 1, &in, NULL, NULL, &tv));
	printf("  %ld %ld\n", (long)tv.tv_sec, (long)tv.tv_usec);
	SAYS(syscall(SYS_select, -1, &in, NULL, NULL, &tv));
	SAYS(syscall(SYS_select, 1, (void *)8, NULL, NULL, &tv));
	FD_SET(900, &in);
	SAYS(syscall(SYS_select, 901, &in, NULL, NULL, &tv));
	tv = (struct timeval){ -1, 0 };
	SAYS(syscall(SYS_select, 0, NULL, NULL, NULL, &tv));
	CHECK(write(q[1], "x", 1) == 1);
	p[0] = (struct pollfd){ q[0], POLLIN, 0x7f };
	p[1] = (struct pollfd){ -1, POLLIN, 0x7f };
	p[2] = (struct pollfd){ 900, POLLIN, 0x7f };
	SAYS(syscall(SYS_poll, p, 3, 0));
	printf("  %x %x %x\n", p[0].revents, p[1].revents, p[2].revents);
	SAYS(syscall(SYS_poll, (void *)8, 1, 0));
	SAYS(syscall(SYS_poll, NULL, 0, 1));
	handle(SIGUSR1, on_usr1, 0);
	CHECK(raise(SIGUSR1) == 0);
	sigemptyset(&s);
	SAYS(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, (uint64_t[]){ (uintptr_t)&s, 8 }));
	SAYS(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, (uint64_t[]){ (uintptr_t)&s, 3 }));
	SAYS(syscall(SYS_ppoll, NULL, 0, NULL, &s, 3));
	SAYS(dup(900));
	SAYS(dup2(900, 1));
	SAYS(syscall(SYS_dup3, 1, 1, 0));
	SAYS(syscall(SYS_dup3, 0, 50, 1));
	SAYS(close(900));
	SAYS(syscall(SYS_close_range, 900, 800, 0));
	SAYS(syscall(SYS_close_range, 900, 1000, 77));
	SAYS(syscall(SYS_lseek, q[0], 0, SEEK_SET));
	SAYS(pread(q[0], b, 1, 0));
	SAYS(read(q[1], b, 1));
	SAYS(write(q[0], b, 1));
	SAYS(read(900, b, 1));
	SAYS(read(q[0], (void *)8, 1));
	SAYS(write(q[1], (void *)8, 1));
	SAYS(write(q[1], b, -1));
	SAYS(readv(q[0], NULL, -1));
	SAYS(writev(q[1], NULL, 0));
	futexes();
	puts("old ok");
	return 0;
}

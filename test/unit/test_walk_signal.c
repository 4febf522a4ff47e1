/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals, System V IPC and futexes.
 */
#include <signal.h>

#include "pair.h"

PAIR_SUITE(sig);

Test(sig, actions)
{
	uint64_t x[4] = { 0x401000, 0x4000000, 0x402000, 0x10 };
	uint64_t y[4] = { 0x7f401000, 0x4000000, 0x7f402000, 0x10 };

	WALK(a, "rt_sigaction", 2, fake_put(a, x, 32), 0, 8);
	WALK(b, "rt_sigaction", 2, fake_put(b, y, 32), 0, 8);
	SAME();
	y[0] = 1;	/* SIG_IGN */
	WALK(b, "rt_sigaction", 2, fake_put(b, y, 32), 0, 8);
	DIFFERENT();
	y[0] = 5, y[3] = 0x20;
	WALK(b, "rt_sigaction", 2, fake_put(b, y, 32), 0, 8);
	DIFFERENT();
	/* the old action is each variant's own */
	WALK(a, "rt_sigaction", 2, 0, 0x1000, 8);
	cr_expect_eq(fake_count(a, IT_OUT), 0);
	WALK(a, "rt_sigaction", 2, 0xdead, 0, 16);
	cr_expect_eq(fake_count(a, IT_FAULT), 0);
}

Test(sig, masks)
{
	uint64_t m = 1, n = 2;

	WALK(a, "rt_sigprocmask", 0, fake_put(a, &m, 8), 0, 8);
	WALK(b, "rt_sigprocmask", 0, fake_put(b, &m, 8), 0, 8);
	SAME();
	WALK(b, "rt_sigprocmask", 0, fake_put(b, &n, 8), 0, 8);
	DIFFERENT();
	WALK(a, "rt_sigprocmask", 0, fake_put(a, &m, 8), 0, 128);
	cr_expect_eq(fake_count(a, IT_IN), 0);
	WALK(a, "rt_sigpending", fake_put(a, &m, 8), 4);
	cr_expect_eq(fake_item(a, IT_OUT, 0, 0)->len, 4);
	WALK(a, "rt_sigpending", fake_put(a, &m, 8), SIZE_MAX);
	cr_expect_eq(fake_count(a, IT_OUT), 0);
}

Test(sig, alternate_stack)
{
	stack_t x, y;

	memset(&x, 1, sizeof(x));
	memset(&y, 2, sizeof(y));	/* padding differs */
	x.ss_flags = y.ss_flags = 0;
	x.ss_size = y.ss_size = 8192;
	WALK(a, "sigaltstack", fake_put(a, &x, sizeof(x)), 0);
	WALK(b, "sigaltstack", fake_put(b, &y, sizeof(y)), 0);
	SAME();
	y.ss_size = 1;
	WALK(b, "sigaltstack", fake_put(b, &y, sizeof(y)), 0);
	DIFFERENT();
	x.ss_flags = y.ss_flags = SS_DISABLE;
	WALK(a, "sigaltstack", fake_put(a, &x, sizeof(x)), 0);
	WALK(b, "sigaltstack", fake_put(b, &y, sizeof(y)), 0);
	SAME();
}

Test(sig, queued_value_is_the_programs_own)
{
	siginfo_t x, y;

	memset(&x, 0, sizeof(x));
	x.si_code = SI_QUEUE;
	x.si_pid = 7;
	y = x;
	x.si_value.sival_ptr = (void *)1;
	y.si_value.sival_ptr = (void *)2;
	WALK(a, "rt_sigqueueinfo", 9, 10, fake_put(a, &x, sizeof(x)));
	WALK(b, "rt_sigqueueinfo", 9, 10, fake_put(b, &y, sizeof(y)));
	SAME();
	y.si_code = -6;
	WALK(b, "rt_sigqueueinfo", 9, 10, fake_put(b, &y, sizeof(y)));
	DIFFERENT();
	WALK(a, "pidfd_send_signal", 9, 10, 0, 0);
	WALK(b, "pidfd_send_signal", 9, 10, 0, 0);
	SAME();
}

Test(sig, timer_notification)
{
	struct sigevent x, y;

	memset(&x, 1, sizeof(x));
	memset(&y, 2, sizeof(y));
	x.sigev_notify = y.sigev_notify = SIGEV_SIGNAL;
	x.sigev_signo = y.sigev_signo = 34;
	WALK(a, "timer_create", 0, fake_put(a, &x, 64), 0x1000);
	WALK(b, "timer_create", 0, fake_put(b, &y, 64), 0x2000);
	SAME();
	y.sigev_signo = 35;
	WALK(b, "timer_create", 0, fake_put(b, &y, 64), 0x2000);
	DIFFERENT();
	x.sigev_notify = y.sigev_notify = SIGEV_NONE;
	WALK(a, "timer_create", 0, fake_put(a, &x, 64), 0x1000);
	WALK(b, "timer_create", 0, fake_put(b, &y, 64), 0x2000);
	SAME();
	x.sigev_notify = y.sigev_notify = SIGEV_THREAD_ID;
	x.sigev_signo = y.sigev_signo = 34;
	WALK(a, "timer_create", 0, fake_put(a, &x, 64), 0x1000);
	WALK(b, "timer_create", 0, fake_put(b, &y, 64), 0x2000);
	DIFFERENT();	/* the thread */
}

Test(sig, semaphores)
{
	uint16_t v[3] = { 1, 2, 3 }, u[3] = { 1, 2, 4 };

	cr_expect_eq(WALK(a, "semctl", 1, 0, 13, 0x1000), -ENOSYS);
	a->nsems = b->nsems = 3;
	cr_expect_eq(WALK(a, "semctl", 1, 0, 13, 0x1000), 0);
	cr_expect_eq(fake_item(a, IT_OUT, 3, 0)->len, 6);
	WALK(a, "semctl", 1, 0, 17, fake_put(a, v, 6));
	WALK(b, "semctl", 1, 0, 17, fake_put(b, v, 6));
	SAME();
	WALK(b, "semctl", 1, 0, 17, fake_put(b, u, 6));
	DIFFERENT();
	WALK(a, "semctl", -1, 0, 17, 0x1000);
	cr_expect_eq(fake_count(a, IT_IN), 0);
	/* the value of SETVAL is an int in a union */
	WALK(a, "semctl", 1, 0, 16, 0xdead00000001);
	WALK(b, "semctl", 1, 0, 16, 1);
	SAME();
	WALK(a, "semctl", 1, 0, 0, 0xdead);	/* IPC_RMID */
	WALK(b, "semctl", 1, 0, 0, 0);
	SAME();
}

Test(sig, ipc_set_takes_three_members)
{
	unsigned char x[112], y[112];

	memset(x, 1, sizeof(x));
	memset(y, 2, sizeof(y));
	memset(x + 4, 0, 8), memset(y + 4, 0, 8);
	memset(x + 20, 0, 4), memset(y + 20, 0, 4);
	WALK(a, "shmctl", 1, 1, fake_put(a, x, sizeof(x)));
	WALK(b, "shmctl", 1, 1, fake_put(b, y, sizeof(y)));
	SAME();
	y[20] = 0444 & 0xff;
	WALK(b, "shmctl", 1, 1, fake_put(b, y, sizeof(y)));
	DIFFERENT();
}

Test(sig, messages)
{
	char x[12] = "\1\0\0\0\0\0\0\0text", y[12] = "\1\0\0\0\0\0\0\0test";

	WALK(a, "msgsnd", 1, fake_put(a, x, 12), 4, 0);
	WALK(b, "msgsnd", 1, fake_put(b, x, 12), 4, 0);
	SAME();
	WALK(b, "msgsnd", 1, fake_put(b, y, 12), 4, 0);
	DIFFERENT();
	WALK(a, "msgrcv", 1, 0x1000, 100, 0, 0);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 1)->addr, 0x1008);
	cr_expect_eq(fake_item(a, IT_OUT, 1, 1)->rule, R_RET);
	WALK(a, "msgsnd", 1, 0x1000, SIZE_MAX, 0);
	cr_expect_eq(fake_count(a, IT_IN), 0);
}

Test(sig, futex_commands)
{
	uint64_t ts[2] = { 1, 2 };

	/* WAKE uses neither time-out nor second word */
	WALK(a, "futex", 0x1000, 0x81, 1, 0xdead, 0xbeef, 7);
	WALK(b, "futex", 0x2000, 0x81, 1, 0, 0, 0);
	SAME();
	WALK(a, "futex", 0x1000, 0x80, 1, fake_put(a, ts, 16), 1, 7);
	WALK(b, "futex", 0x2000, 0x80, 1, fake_put(b, ts, 16), 0, 0);
	SAME();
	/* how long it waits at most is the leader's business */
	ts[1] = 3;
	WALK(b, "futex", 0x2000, 0x80, 1, fake_put(b, ts, 16), 0, 0);
	SAME();
	WALK(b, "futex", 0x2000, 0x80, 1, 0, 0, 0);
	SAME();
	WALK(a, "futex", 0x1000, 6, 1, fake_put(a, ts, 16), 0, 0);
	WALK(b, "futex", 0x2000, 6, 1, 0, 0, 0);
	DIFFERENT();
	/* LOCK_PI: the kernel writes the word */
	WALK(a, "futex", 0x1000, 6, 0, 0, 0, 0);
	cr_expect_eq(fake_item(a, IT_OUT, 0, 0)->rule, R_ALWAYS);
	/* CMP_REQUEUE: counts, not a time-out */
	WALK(a, "futex", 0x1000, 4, 1, 5, 0x1004, 9);
	WALK(b, "futex", 0x2000, 4, 1, 6, 0x2004, 9);
	DIFFERENT();
	cr_expect_eq(WALK(a, "futex", 0x1000, 99, 1, 5, 0x1004, 9), 0);
}

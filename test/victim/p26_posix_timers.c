/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX timers: by signal with a value, by thread, overrun, gettime, delete. */
#include "victim.h"
static volatile sig_atomic_t got;
static void on(int sig, siginfo_t *si, void *uc)
{
	if (si->si_code == SI_TIMER && si->si_value.sival_int == 1234)
		got++;
}
static sem_t sem;
static void by_thread(union sigval v)
{
	if (v.sival_int == 99)
		sem_post(&sem);
}

int main(void)
{
	struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN,
			       .sigev_value.sival_int = 1234 };
	struct itimerspec it = { { 0, 0 }, { 0, 20000000 } };
	timer_t t;
	sigset_t s;

	handle_info(SIGRTMIN, on, 0);
	OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	OK(timer_settime(t, 0, &it, NULL));
	while (!got)
		pause();
	it.it_value.tv_sec = 100;
	OK(timer_settime(t, 0, &it, NULL));
	OK(timer_gettime(t, &it));
	CHECK(it.it_value.tv_sec >= 99);
	OK(timer_delete(t));
	FAILS(timer_delete(t), EINVAL);
	/* several expirations while blocked: one signal and an overrun */
	sigemptyset(&s);
	sigaddset(&s, SIGRTMIN);
	OK(sigprocmask(SIG_BLOCK, &s, NULL));
	OK(timer_create(CLOCK_REALTIME, &ev, &t));
	it = (struct itimerspec){ { 0, 5000000 }, { 0, 5000000 } };
	OK(timer_settime(t, 0, &it, NULL));
	sleep_ms(60);
	siginfo_t si;
	CHECK(sigwaitinfo(&s, &si) == SIGRTMIN && si.si_code == SI_TIMER);
	CHECK(timer_getoverrun(t) >= 5);
	OK(timer_delete(t));
	ev = (struct sigevent){ .sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 99,
				.sigev_notify_function = by_thread };
	OK(sem_init(&sem, 0, 0));
	OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	it = (struct itimerspec){ { 0, 0 }, { 0, 10000000 } };
	OK(timer_settime(t, 0, &it, NULL));
	while (sem_wait(&sem) < 0)
		;
	OK(timer_delete(t));
	ev = (struct sigevent){ .sigev_notify = SIGEV_NONE };
	OK(timer_create(CLOCK_MONOTONIC, &ev, &t));
	OK(timer_settime(t, 0, &it, NULL));
	sleep_ms(20);
	OK(timer_gettime(t, &it));
	CHECK(it.it_value.tv_sec == 0 && it.it_value.tv_nsec == 0);
	puts("posix timers ok");
	return 0;
}

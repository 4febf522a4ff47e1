/* SPDX-License-Identifier: Apache-2.0 */
/* Queued real-time signals keep order and values; standard ones collapse. */
#include "victim.h"
static volatile int values[64], nv;
static void on(int sig, siginfo_t *si, void *uc)
{
	CHECK(si->si_code == SI_QUEUE && si->si_pid == getpid() && si->si_uid == getuid());
	values[nv++] = (sig - SIGRTMIN) * 1000 + si->si_value.sival_int;
}
static volatile sig_atomic_t usr;
static void onusr(int sig)
{
	usr++;
}

int main(void)
{
	sigset_t all, old;

	for (int i = 0; i < 3; i++)
		handle_info(SIGRTMIN + i, on, 0);
	handle(SIGUSR1, onusr, 0);
	sigfillset(&all);
	OK(sigprocmask(SIG_SETMASK, &all, &old));
	for (int i = 0; i < 10; i++) {
		OK(sigqueue(getpid(), SIGRTMIN + 2 - i % 3, (union sigval){ .sival_int = i }));
		OK(kill(getpid(), SIGUSR1));
	}
	OK(sigprocmask(SIG_SETMASK, &old, NULL));
	/* the order between different signals is the kernel's: lowest first,
	 * each handler interrupted by the next, so the last runs first */
	int per[3] = { 0 };
	for (int i = 0; i < nv; i++) {
		int s = values[i] / 1000, v = values[i] % 1000;
		CHECK(v >= per[s]);
		per[s] = v;
	}
	printf("queued %d usr1 %d\n", nv, usr);
	siginfo_t si = { .si_code = SI_QUEUE };

	si.si_pid = getpid();
	si.si_uid = getuid();
	si.si_value.sival_int = 7;
	nv = 0;
	OK(syscall(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &si));
	OK(syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGRTMIN, &si));
	CHECK(nv == 2 && values[1] == 7);
	return 0;
}

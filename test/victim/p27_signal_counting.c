/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that counts without a call, and a signal handler that notes how far it
 * has come: the handler must run at the same instant in all variants.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#define TICKS 5

static volatile unsigned long n, at[TICKS];
static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	if (ticks < TICKS)
		at[ticks++] = n;
	(void)sig;
}

int main(void)
{
	struct itimerval it = { { 0, 50000 }, { 0, 50000 } };
	int out = memfd_create("noted", 0);

	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &it, NULL);
	while (ticks < TICKS)
		n++;
	/* natively nobody knows what it is; here all variants agree on it */
	if (write(out, (void *)at, sizeof(at)) != sizeof(at))
		return 1;
	printf("%d ticks\n", (int)ticks);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource limits: get, set, prlimit of self and child, inheritance, CPU time
 * limit by signal.
 */
#include "victim.h"
int main(void)
{
	struct rlimit rl, old;
	int st;

	for (int r = 0; r < 16; r++)
		OK(getrlimit(r, &rl));
	FAILS(getrlimit(99, &rl), EINVAL);
	OK(getrlimit(RLIMIT_NPROC, &old));
	rl = (struct rlimit){ 100, 1000 };
	OK(setrlimit(RLIMIT_CORE, &rl));
	OK(prlimit(0, RLIMIT_CORE, &(struct rlimit){ 50, 1000 }, &old));
	CHECK(old.rlim_cur == 100);
	OK(prlimit(getpid(), RLIMIT_CORE, NULL, &old));
	CHECK(old.rlim_cur == 50 && old.rlim_max == 1000);
	FAILS(setrlimit(RLIMIT_CORE, &(struct rlimit){ 10, 5 }), EINVAL);
	REAP(CHILD(OK(getrlimit(RLIMIT_CORE, &rl)); CHECK(rl.rlim_cur == 50)));
	pid_t k = CHILD(for (;;) pause());
	OK(prlimit(k, RLIMIT_NOFILE, &(struct rlimit){ 20, 20 }, &old));
	OK(prlimit(k, RLIMIT_NOFILE, NULL, &rl));
	CHECK(rl.rlim_cur == 20);
	OK(kill(k, SIGKILL));
	CHECK(WTERMSIG(reap(k)) == SIGKILL);
	k = CHILD({
		OK(setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 }));
		OK(setrlimit(RLIMIT_CPU, &(struct rlimit){ 1, 2 }));
		for (;;)
			burn(1000);
	});
	st = reap(k);
	CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGXCPU);
	REAP(CHILD({
		OK(setrlimit(RLIMIT_AS, &(struct rlimit){ 1 << 28, 1 << 28 }));
		FAILS(mmap(NULL, 1 << 29, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	}));
	puts("rlimits ok");
	return 0;
}

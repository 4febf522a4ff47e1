/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that share memory with us are stopped at any moment, computing or
 * just born, for longer than anybody waits; everybody else goes on.
 */
#include "victim.h"

int main(void)
{
	volatile unsigned int *n = (void *)OK((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE,
							 MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	int st;

	for (int i = 0; i < 30; i++) {
		pid_t c = CHILD(
			for (int k = 0; k < i % 5; k++)
				getppid();
			burn(1000u * (unsigned int)i);
			n[i] = 1;
			_exit(0)
		);

		OK(kill(c, SIGSTOP));
		CHECK(waitpid(c, &st, WUNTRACED) == c);
		if (WIFSTOPPED(st)) {
			for (int k = 0; k < 20; k++)
				getppid();
			if (i % 3 == 0)
				sleep_ms(30);
			OK(kill(c, SIGCONT));
			CHECK(waitpid(c, &st, 0) == c);
		}
		CHECK(WIFEXITED(st) && !WEXITSTATUS(st) && n[i] == 1);
	}
	puts("stops ok");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A pipeline as a shell makes it: forks, dup2, close, exec, all waited for. */
#include "victim.h"
int main(void)
{
	static const char *const cmd[][4] = {
		{ "seq", "1", "2000", NULL }, { "grep", "7", NULL, NULL },
		{ "sort", "-rn", NULL, NULL }, { "head", "-5", NULL, NULL },
	};
	int in = -1, p[2], status[4];
	pid_t k[4];

	for (int i = 0; i < 4; i++) {
		if (i < 3)
			OK(pipe(p));
		k[i] = CHILD({
			if (in >= 0) {
				OK(dup2(in, 0));
				close(in);
			}
			if (i < 3) {
				close(p[0]);
				OK(dup2(p[1], 1));
				close(p[1]);
			}
			execvp(cmd[i][0], (char **)(uintptr_t)cmd[i]);
			_exit(127);
		});
		if (in >= 0)
			close(in);
		if (i < 3) {
			close(p[1]);
			in = p[0];
		}
	}
	for (int i = 0; i < 4; i++)
		CHECK(waitpid(k[i], &status[i], 0) == k[i]);
	for (int i = 0; i < 4; i++)
		printf("%s %d\n", cmd[i][0], WIFEXITED(status[i]) ?
		       WEXITSTATUS(status[i]) : -1);
	return 0;
}

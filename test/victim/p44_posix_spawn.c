/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posix_spawn: file actions, attributes, errors of the child's exec returned
 * to the caller.
 */
#include "victim.h"
extern char **environ;
int main(void)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	char *av[] = { "sh", "-c", "echo out; echo err >&2; read x; echo got $x; exit 5", NULL };
	sigset_t s;
	pid_t p;
	int st, pp[2];

	put_file("in", "line\n");
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "in", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	ZERO(posix_spawn(&p, "/bin/sh", &fa, NULL, av, environ));
	CHECK(waitpid(p, &st, 0) == p && WEXITSTATUS(st) == 5);
	CHECK(posix_spawn(&p, "/no/such", NULL, NULL, av, environ) == ENOENT);
	CHECK(posix_spawnp(&p, "no-such-program", NULL, NULL, av, environ) == ENOENT);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "missing", O_RDONLY, 0);
	CHECK(posix_spawn(&p, "/bin/sh", &fa, NULL, av, environ) == ENOENT);
	posix_spawnattr_init(&at);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF);
	sigemptyset(&s);
	posix_spawnattr_setsigmask(&at, &s);
	sigaddset(&s, SIGINT);
	posix_spawnattr_setsigdefault(&at, &s);
	signal(SIGINT, SIG_IGN);
	OK(pipe(pp));
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, pp[1], 1);
	posix_spawn_file_actions_addclose(&fa, pp[0]);
	posix_spawn_file_actions_addchdir_np(&fa, "/");
	char *av2[] = { "sh", "-c", "pwd; kill -INT $$; echo no", NULL };
	ZERO(posix_spawnp(&p, "sh", &fa, &at, av2, environ));
	close(pp[1]);
	CHECK(getpgid(p) == p || errno == ESRCH);
	CHECK(waitpid(p, &st, 0) == p && WIFSIGNALED(st) && WTERMSIG(st) == SIGINT);
	char b[20];
	ssize_t n = read(pp[0], b, sizeof(b));
	printf("%.*s", (int)n, b);
	CHECK(WEXITSTATUS(system("exit 9")) == 9);
	FILE *f = popen("cat; echo end", "w");
	fputs("to popen\n", f);
	fflush(f);
	CHECK(pclose(f) == 0);
	f = popen("echo from popen", "r");
	char line[50];
	CHECK(fgets(line, 50, f));
	fputs(line, stdout);
	CHECK(pclose(f) == 0);
	return 0;
}

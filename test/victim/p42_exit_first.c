/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child in a mount namespace of its own whose very first call is its exit, or
 * an exec.
 */
#include "victim.h"

static void child(uint64_t flags, bool exec)
{
	/* struct clone_args: flags, ..., exit_signal */
	uint64_t args[8] = { flags };
	char *argv[] = { "true", NULL }, *envp[] = { NULL };
	int status = 0;
	long pid;

	args[4] = SIGCHLD;
	pid = syscall(SYS_clone3, args, sizeof(args));
	if (!pid) {
		if (exec)
			execve("/bin/true", argv, envp);
		syscall(SYS_exit_group, 7);
	}
	/* who may not have namespaces is told so, natively as well */
	if (pid < 0) {
		puts(strerror(errno));
		return;
	}
	CHECK(waitpid((pid_t)pid, &status, 0) == pid);
	printf("exit status %d\n", WEXITSTATUS(status));
}

int main(void)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 0; i < 4; i++) {
		child(CLONE_NEWNS, i & 1);
		child(CLONE_NEWUSER | CLONE_NEWNS, i & 1);
	}
	return 0;
}

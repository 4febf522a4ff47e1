/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program built with a sanitizer, executed several times.  AddressSanitizer's runtime
 * has to be the first library of all, and what it maps depends on where the stack lies;
 * those of the others keep everybody out of terabytes of addresses.  At a vfork() it
 * prepares memory up to the stack pointer.  Every other time it is ld.so that is
 * executed.  At last a program that was built without, with AddressSanitizer's runtime
 * in LD_PRELOAD.
 */
#include "victim.h"

const char *__asan_default_options(void);
void __asan_init(void) __attribute__((weak));

/* leaks are looked for with ptrace, which a traced program does not get */
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#define LINKER "/lib64/ld-linux-x86-64.so.2"

static void forked(int left)
{
	int st = -1;
	pid_t p;

	fflush(stdout);
	p = vfork();
	if (!p)
		_exit(left);
	waitpid(p, &st, 0);
	printf("child %d\n", WEXITSTATUS(st));
}

static void *worker(void *arg)
{
	char *p = malloc(100), text[64];

	snprintf(text, sizeof(text), "worker %d", *(int *)arg);
	memcpy(p, text, sizeof(text));
	puts(p);
	free(p);
	forked(*(int *)arg);
	return NULL;
}

int main(int argc, char **argv)
{
	int left = argc > 1 ? atoi(argv[1]) : 8;
	char number[16], preload[PATH_MAX + 16];
	char path[PATH_MAX], *next[] = { LINKER, path, number, NULL };
	char *with_runtime[] = { "echo", "with the runtime", NULL };
	char *env[] = { preload, "ASAN_OPTIONS=detect_leaks=0", NULL };
	pthread_t t;
	Dl_info d;

	forked(left);
	pthread_create(&t, NULL, worker, &left);
	pthread_join(t, NULL);
	fflush(stdout);
	snprintf(number, sizeof(number), "%d", left - 1);
	if (!dladdr((void *)main, &d) || !realpath(d.dli_fname, path))
		return 1;
	if (left > 1) {
		execv(left & 1 ? LINKER : path, next + !(left & 1));
		return 1;
	}
	/* clang's runtime is in the program itself */
	if (!__asan_init || !dladdr((void *)__asan_init, &d) ||
	    !strstr(d.dli_fname, "libasan.so"))
		return 0;
	snprintf(preload, sizeof(preload), "LD_PRELOAD= %s libm.so.6",
		 d.dli_fname);
	execve("/bin/echo", with_runtime, env);
	return 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs started as `ld.so PROGRAM`: what they find on their stack, memory, children
 * and threads are as natively, whatever kind of program it is, by whatever name the
 * linker goes, and from one start of this kind to another.
 */
#include <elf.h>
#include <link.h>
#include <spawn.h>
#include "victim.h"

#define LINKER "/lib64/ld-linux-x86-64.so.2"

extern char **environ;
static const char *self;

/* All strings, and the auxiliary vector right behind them. */
static void show(int argc, char **argv)
{
	char **e = environ;
	ElfW(auxv_t) *a;
	Dl_info in;

	for (int i = 1; i < argc; i++)
		printf(" %s", argv[i]);
	for (; *e; e++)
		printf(" %s", *e);
	CHECK(argv[argc] == NULL && argv + argc + 1 == environ);
	for (a = (ElfW(auxv_t) *)(e + 1); a->a_type != AT_NULL; a++)
		if (a->a_type == AT_PAGESZ)
			CHECK(a->a_un.a_val == 4096);
	CHECK(a[0].a_un.a_val == 0 && getauxval(AT_PAGESZ) == 4096);
	CHECK(memcmp((char *)getauxval(AT_PLATFORM), "x86_64", 7) == 0);
	CHECK(dladdr((void *)show, &in));
	printf(" (%s)\n", strrchr(in.dli_fname, '/') + 1);
	for (int i = 0; i < 200; i++)
		getppid();
	fflush(stdout);
}

static void run(char *const av[], char *const ev[])
{
	printf("%d\n", reap(CHILD(execve(av[0], av, ev); _exit(9))));
}

#define RUN(...) run((char *[]){ __VA_ARGS__, NULL }, (char *[]){ NULL })

/* A program started in one way starts the next in the other. */
static void chain(const char *n)
{
	char left[8];

	snprintf(left, sizeof(left), "%d", atoi(n) - 1);
	if (*n == '0')
		execl(self, self, "show", "last", NULL);
	else if (atoi(n) & 1)
		execl(LINKER, LINKER, self, "chain", left, self, NULL);
	else
		execl(self, self, "chain", left, self, NULL);
	_exit(9);
}

static void copy(const char *from, const char *to, const char *old,
		 const char *new)
{
	static char b[4 << 20];
	int in = OK(open(from, O_RDONLY));
	int out = OK(open(to, O_WRONLY | O_CREAT | O_EXCL, 0700));
	ssize_t n = OK(read(in, b, sizeof(b)));
	char *at = old ? memmem(b, (size_t)n, old, strlen(old) + 1) : NULL;

	if (old)
		CHECK(at != NULL);
	if (at)
		strcpy(at, new);
	CHECK(write(out, b, (size_t)n) == n);
	OK(close(in));
	OK(close(out));
}

int main(int argc, char **argv)
{
	static const char *const kind[] = {
		"v_pie", "v_nopie", "v_static", "v_static_pie",
	};
	char path[PATH_MAX];

	if (argc > 1 && !strcmp(argv[1], "show")) {
		show(argc, argv);
		return 7;
	}
	if (argc > 2 && !strcmp(argv[1], "chain")) {
		self = argv[3];
		chain(argv[2]);
	}
	self = strdup(sibling(argv[0], "p13_linker_runs"));
	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s", sibling(argv[0], kind[i]));
		if (access(path, X_OK) == 0)
			RUN(LINKER, path, (char *)kind[i]);
	}
	RUN(LINKER, (char *)self, "show");
	RUN(LINKER, "--library-path", "/lib/x86_64-linux-gnu:/usr/lib64",
	    (char *)self, "show", "--list", "--verify");
	RUN(LINKER, "--inhibit-cache", "--preload", "libm.so.6", (char *)self,
	    "show");
	RUN(LINKER, "--argv0", "my/zero", "--inhibit-rpath", "/x", (char *)self, "show",
	    "a", "b", "c", "d", "e", "f", "g", "h", "i", "j");
	run((char *[]){ LINKER, (char *)self, "show", NULL },
	    (char *[]){ "A=1", "LD_PRELOAD=libm.so.6", "LD_BIND_NOW=1", "Z=", NULL });
	RUN(LINKER, "--verify", (char *)self);
	RUN(LINKER, "/nonexistent/program");
	RUN(LINKER, "/etc/passwd");
	RUN(LINKER, LINKER);
	RUN((char *)self, "chain", "5", (char *)self);

	/* under other names, as an interpreter, too */
	copy(LINKER, "bundled", NULL, NULL);
	OK(symlink("bundled", "link"));
	copy(self, "program", LINKER, "./bundled");
	RUN("./bundled", (char *)self, "show");
	RUN("./link", "--library-path", "/lib/x86_64-linux-gnu", "./program",
	    "show", "bundle");
	RUN("./program", "show", "interpreter");
	return 0;
}

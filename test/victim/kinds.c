/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same small program built static, static-PIE and non-PIE: descriptors,
 * memory, a child, a thread and a signal handler work in each.  The lower halves
 * of addresses are the same in all variants, as whoever hashes them may rely on; the
 * heap's are as long, and lie alike among small numbers in upper halves, where JIT
 * compilers keep integers.
 */
#include <elf.h>
#include "victim.h"

static volatile sig_atomic_t n;
static void on(int sig)
{
	n++;
}

static void low_halves(void)
{
	uint32_t low[] = {
		(uint32_t)(uintptr_t)low_halves,	/* the program */
		(uint32_t)(uintptr_t)&n,		/* its data */
		(uint32_t)(uintptr_t)malloc(100),	/* the heap */
		(uint32_t)(uintptr_t)malloc(1 << 20),	/* a mapping */
		(uint32_t)(uintptr_t)dlerror,		/* a library */
		(uint32_t)getauxval(AT_BASE),		/* the linker */
		(uint32_t)getauxval(AT_PHDR),
		(uint32_t)getauxval(AT_ENTRY),
	};
	int fd = OK(open("/dev/null", O_WRONLY));

	CHECK(write(fd, low, sizeof(low)) == sizeof(low));
	OK(close(fd));
}

static void heap_among_numbers(void)
{
	uint64_t heap = (uintptr_t)malloc(100), n = 0;
	int fd = OK(open("/dev/null", O_WRONLY));

	/* not where it is but how far up, and what does not depend on chance */
	for (uint64_t i = 1; i <= 600; i++)
		n += heap > i << 32;
	dprintf(fd, "%d %" PRIu64 "\n", snprintf(NULL, 0, "%p", (void *)heap), n);
	OK(close(fd));
}

/* Neither with an interpreter, nor started by a dynamic linker. */
static int is_static(void)
{
	char exe[PATH_MAX];
	ssize_t n = OK(readlink("/proc/self/exe", exe, sizeof(exe) - 1));

	exe[n] = 0;
	return !getauxval(AT_BASE) && !strstr(exe, "/ld-");
}

/* Who maps code to translate it finds what the file has. */
static void text_is_the_files(void)
{
	static char b[1 << 20];
	int fd = open("/lib64/ld-linux-x86-64.so.2", O_RDONLY);
	Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)b;
	Elf64_Phdr *ph;

	if (fd < 0)
		return;
	CHECK(pread(fd, b, sizeof(b), 0) > (ssize_t)sizeof(*eh));
	ph = (Elf64_Phdr *)(void *)(b + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		size_t n = ph[i].p_filesz, at = ph[i].p_offset;
		void *m;

		if (ph[i].p_type != PT_LOAD || !(ph[i].p_flags & PF_X) ||
		    at % 4096 || at + n > sizeof(b))
			continue;
		m = OK(mmap(NULL, n, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
			    (off_t)at));
		CHECK(!memcmp(m, b + at, n));
		OK(munmap(m, n));
	}
	OK(close(fd));
}

static void *thread(void *arg)
{
	return (char *)arg + 1;
}

int main(int argc, char **argv)
{
	pthread_t t;
	void *v;
	char *m, b[64];
	int p[2];

	for (int i = 0; i < argc; i++)
		printf("%s%s", i ? " " : "", i ? argv[i] : "kind");
	printf("\n");
	CHECK(getenv("LD_PRELOAD") == NULL);
	handle(SIGUSR1, on, 0);
	OK(raise(SIGUSR1));
	CHECK(n == 1);
	low_halves();
	heap_among_numbers();
	if (is_static())
		text_is_the_files();
	m = OK(mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	memset(m, 1, 65536);
	free(strcpy(malloc(100000), "heap"));
	OK(pipe(p));
	REAP(CHILD(CHECK(write(p[1], "child", 6) == 6)));
	CHECK(read(p[0], b, 6) == 6);
	ZERO(pthread_create(&t, NULL, thread, b));
	ZERO(pthread_join(t, &v));
	CHECK(v == b + 1);
	CHECK(time(NULL) > 1000000000);
	put_file("file", b);
	/* used as a seed: the same in all variants */
	p[1] = OK(open("seed", O_WRONLY | O_CREAT | O_EXCL, 0600));
	CHECK(write(p[1], (void *)getauxval(AT_RANDOM), 16) == 16);
	OK(unlink("seed"));
	REAP(CHILD(execlp("echo", "echo", "exec from it", NULL); _exit(9)));
	printf("%s\n", b);
	return 0;
}

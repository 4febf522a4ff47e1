/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/self/maps shows each variant its own address space: code, data, heap,
 * stack and fresh mappings are where the program has them, however the file
 * is read, from a child too, and again after something was mapped.
 */
#include "victim.h"

static int data = 1;

struct found {
	char perms[5], path[256];
	unsigned long start, end, off, ino;
};

/* The line that covers an address. */
static bool find(const char *text, const void *p, struct found *f)
{
	const char *at = text, *nl;
	unsigned long last = 0;
	bool hit = false;

	for (; (nl = strchr(at, '\n')); at = nl + 1) {
		struct found g = { .path = "" };
		int n = sscanf(at, "%lx-%lx %4s %lx %*x:%*x %lu%*[ ]%255[^\n]",
			       &g.start, &g.end, g.perms, &g.off, &g.ino,
			       g.path);

		CHECK(n >= 5 && g.start < g.end && g.start >= last);
		last = g.end;
		/* %*[ ] takes the padding: nothing follows on unnamed lines */
		if ((unsigned long)p >= g.start && (unsigned long)p < g.end) {
			*f = g;
			hit = true;
		}
	}
	return hit;
}

static char *slurp(int fd, size_t piece)
{
	char *text = OK(malloc(1 << 20));
	size_t len = 0;
	ssize_t n;

	while ((n = OK(read(fd, text + len, piece))))
		len += n;
	text[len] = 0;
	return text;
}

static void look(const char *text)
{
	char local;
	struct found f;
	void *heap = malloc(100);

	CHECK(find(text, (void *)look, &f) && !strcmp(f.perms, "r-xp"));
	CHECK(strstr(f.path, "p57_maps_view"));
	CHECK(find(text, &data, &f) && !strcmp(f.perms, "rw-p"));
	CHECK(find(text, &local, &f) && !strcmp(f.path, "[stack]"));
	CHECK(find(text, heap, &f) && !strcmp(f.path, "[heap]"));
	CHECK(find(text, (void *)(uintptr_t)dlsym(RTLD_DEFAULT, "malloc"), &f) &&
	      strstr(f.path, "libc") && !strcmp(f.perms, "r-xp"));
	free(heap);
}

int main(void)
{
	char *text, *m, *big = malloc(1 << 18);
	struct found f;
	struct iovec v[3];
	ssize_t n;
	int fd, fd2;

	fd = OK(open("/proc/self/maps", O_RDONLY));
	text = slurp(fd, 4096);
	look(text);
	CHECK(!strstr(text, "libipmon"));
	OK(lseek(fd, 0, SEEK_SET));
	free(text);
	look(text = slurp(fd, 77));
	free(text);

	/* the same open file shows what was mapped since */
	m = OK(mmap(NULL, 12288, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	OK(mprotect(m + 4096, 4096, PROT_NONE));
	n = OK(pread(fd, big, (1 << 18) - 1, 0));
	CHECK(n > 0);
	big[n] = 0;
	CHECK(find(big, m + 4096, &f) && !strcmp(f.perms, "---p") &&
	      f.start == (uintptr_t)m + 4096 && f.end == f.start + 4096);

	/* in vectors, through a duplicate, at an offset */
	fd2 = OK(dup(fd));
	close(fd);
	OK(lseek(fd2, 0, SEEK_SET));
	memset(big, 0, 1 << 18);
	v[0] = (struct iovec){ big, 10 };
	v[1] = (struct iovec){ big + 10, 1 };
	v[2] = (struct iovec){ big + 11, (1 << 18) - 12 };
	CHECK(readv(fd2, v, 3) > 100);
	CHECK(find(big, m, &f) && !strcmp(f.perms, "r--p"));
	memset(big, 0, 1 << 18);
	CHECK(preadv(fd2, v + 2, 1, 0) > 100);
	CHECK(find(big + 11, main, &f) && !strcmp(f.perms, "r-xp"));

	/* a child inherits the descriptor and reads its parent's */
	REAP(CHILD({
		char path[64];

		OK(lseek(fd2, 0, SEEK_SET));
		look(slurp(fd2, 1000));
		snprintf(path, sizeof(path), "/proc/%d/maps", getppid());
		look(slurp(OK(open(path, O_RDONLY)), 1000));
		snprintf(path, sizeof(path), "/proc/self/task/%d/maps", getpid());
		look(slurp(OK(open(path, O_RDONLY)), 4096));
		OK(chdir("/proc/self"));
		look(slurp(OK(open("maps", O_RDONLY)), 4096));
		look(slurp(OK(openat(OK(open("/proc", O_RDONLY)), "thread-self/maps",
				     O_RDONLY)), 4096));
	}));
	OK(symlink("/proc/self/maps", "link"));
	fd = OK(open("link", O_RDONLY | O_CLOEXEC));
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY);
	CHECK(fcntl(fd2, F_GETFD) == 0);
	FAILS(write(fd, "x", 1), EBADF);
	look(slurp(fd, 4096));
	FAILS(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
	close(fd);
	close(fd2);
	puts("maps ok");
	return 0;
}

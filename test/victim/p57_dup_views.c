/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of /proc whose text is about the process, through duplicates, and what
 * comes to stand under their numbers afterwards.
 */
#include "victim.h"

/* Does the text say where this function lies? */
static int knows_main(int fd)
{
	static char text[1 << 16];
	ssize_t n = 0, r;
	char *line;

	OK(lseek(fd, 0, SEEK_SET));
	while ((r = OK(read(fd, text + n, sizeof(text) - 1 - (size_t)n))) > 0)
		n += r;
	text[n] = 0;
	for (line = text; line && *line; line = strchr(line, '\n')) {
		unsigned long from, to;

		line += *line == '\n';
		if (sscanf(line, "%lx-%lx r-xp", &from, &to) == 2 &&
		    (unsigned long)knows_main >= from &&
		    (unsigned long)knows_main < to)
			return 1;
	}
	return 0;
}

static void plain(int fd)
{
	char b[8];

	CHECK(pread(fd, b, 6, 0) == 6 && !memcmp(b, "plain\n", 6));
	CHECK(read(fd, b, 8) >= 0);
}

int main(void)
{
	int m = OK(open("/proc/self/maps", O_RDONLY)), a, b, c, f, p, d;
	char buf[4];

	put_file("f", "plain\n");
	f = OK(open("f", O_RDONLY));
	CHECK(knows_main(m));
	a = OK(dup(m));
	b = OK(dup2(m, 100));
	c = OK(fcntl(m, F_DUPFD, 200));
	d = OK(dup3(m, 1100, O_CLOEXEC));
	CHECK(knows_main(a) && knows_main(b) && knows_main(c) && knows_main(d));
	/* the position is common */
	OK(lseek(m, 0, SEEK_SET));
	CHECK(read(a, buf, 4) == 4 && lseek(c, 0, SEEK_CUR) == 4);
	/* the first number goes to something else */
	OK(close(m));
	CHECK(OK(open("f", O_RDONLY)) == m);
	plain(m);
	CHECK(knows_main(a) && knows_main(c));
	/* something else over a duplicate, and a duplicate over something else */
	OK(dup2(f, b));
	plain(b);
	OK(dup2(a, f));
	CHECK(knows_main(f));
	OK(close_range(200, 1200, 0));
	FAILS(read(c, buf, 1), EBADF);
	CHECK(OK(fcntl(m, F_DUPFD, 200)) == 200);
	plain(200);
	/* in a child, and after closing in the parent */
	p = CHILD({
		CHECK(knows_main(a));
		OK(dup2(a, m));
		CHECK(knows_main(m));
		OK(dup2(200, a));
		plain(a);
	});
	REAP(p);
	plain(m);
	CHECK(knows_main(a));
	/* with the linker's names for it */
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)getpid());
	CHECK(knows_main(OK(open(path, O_RDONLY))));
	OK(symlink(path, "link"));
	CHECK(knows_main(OK(open("link", O_RDONLY))));
	OK(unlink("link"));
	int dir = OK(open("/proc/self", O_PATH | O_DIRECTORY));
	CHECK(knows_main(OK(openat(dir, "maps", O_RDONLY))));
	puts("duplicates ok");
	return 0;
}

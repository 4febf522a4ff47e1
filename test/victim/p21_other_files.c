/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is mapped writable by one process and written by calls of others, which were
 * there before and have nothing else to do with it; meanwhile they write to files that
 * nobody maps, to pipes and sockets.  What the mapping shows is what was written, by
 * whatever descriptor and call, also when many files are mapped.
 */
#include "victim.h"
#include <linux/falloc.h>
#include <sys/sendfile.h>

#define MANY 80		/* more than struct ipmon_hot has room for */

static void say(int to, char c)
{
	CHECK(write(to, &c, 1) == 1);
}

static char hear(int from)
{
	char c = 0;

	CHECK(read(from, &c, 1) == 1);
	return c;
}

/* Each kind of call, once told so; answers when it is done. */
static void writer(const char *name, const char *other, int from, int to)
{
	int f = OK(open(name, O_RDWR)), g = OK(open(other, O_RDWR));
	int twin = OK(dup(f)), again = OK(fcntl(f, F_DUPFD_CLOEXEC, 100)), p[2];
	const struct iovec v[2] = { { (void *)"ab", 2 }, { (void *)"cde", 3 } };
	loff_t in, out;
	char c;

	OK(pipe(p));
	while ((c = hear(from)) != 'q') {
		for (unsigned int i = 0; i < 20; i++)
			CHECK(pwrite(g, "source", 6, (off_t)i * 6) == 6);
		switch (c) {
		case 'w':
			OK(lseek(f, 100, SEEK_SET));
			CHECK(write(twin, "write", 5) == 5);
			break;
		case 'p':
			CHECK(pwrite(again, "pwrite", 6, 200) == 6);
			break;
		case 'v':
			OK(lseek(f, 300, SEEK_SET));
			CHECK(writev(f, v, 2) == 5);
			CHECK(pwritev(f, v, 2, 310) == 5);
			CHECK(pwritev2(f, v, 2, 320, 0) == 5);
			break;
		case 's':
			OK(lseek(f, 400, SEEK_SET));
			in = 0;
			CHECK(sendfile(f, g, &in, 12) == 12);
			break;
		case 'l':
			CHECK(write(p[1], "spliced", 7) == 7);
			out = 500;
			CHECK(splice(p[0], NULL, f, &out, 7, 0) == 7);
			break;
		case 'c':
			in = 6;
			out = 600;
			CHECK(copy_file_range(g, &in, f, &out, 6, 0) == 6);
			break;
		case 't':
			OK(ftruncate(f, 450));
			OK(ftruncate(f, 8192));
			break;
		case 'T':
			OK(truncate(name, 250));
			OK(truncate(name, 8192));
			break;
		case 'f':
			DOES(fallocate(f, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       100, 5));
			break;
		}
		say(to, c);
	}
	_exit(0);
}

static void show(const char *what, const char *map)
{
	printf("%s:", what);
	for (unsigned int at = 100; at < 700; at += 100)
		printf(" %.30s", map + at);
	printf(" %.5s %.5s\n", map + 310, map + 320);
}

static const char calls[] = "wpvslctTf";

static void all_calls(const char *map, int to, int from)
{
	for (const char *c = calls; *c; c++) {
		char what[2] = { *c, 0 };

		say(to, *c);
		CHECK(hear(from) == *c);
		show(what, map);
	}
}

int main(void)
{
	int f = OK(open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600)), a[2], b[2], st;
	int g = OK(open("plain", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char *map, *more[MANY], name[32];
	pid_t pid;

	OK(ftruncate(f, 8192));
	OK(ftruncate(g, 8192));
	OK(pipe(a));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	pid = OK(fork());
	if (!pid)
		writer("mapped", "plain", a[0], b[1]);
	say(a[1], '-');
	CHECK(hear(b[0]) == '-');
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	CHECK(map != MAP_FAILED);
	map[0] = 'x';
	all_calls(map, a[1], b[0]);
	memset(map + 100, 0, 600);
	for (unsigned int i = 0; i < MANY; i++) {
		int m;

		snprintf(name, sizeof(name), "many%u", i);
		m = OK(open(name, O_RDWR | O_CREAT | O_TRUNC, 0600));
		OK(ftruncate(m, 4096));
		more[i] = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
		CHECK(more[i] != MAP_FAILED);
		CHECK(pwrite(m, name, strlen(name), 10) == (ssize_t)strlen(name));
		CHECK(!strcmp(more[i] + 10, name));
		close(m);
	}
	all_calls(map, a[1], b[0]);
	for (unsigned int i = 0; i < MANY; i++) {
		CHECK(!munmap(more[i], 4096));
		if (i % 2)
			continue;
		snprintf(name, sizeof(name), "many%u", i);
		OK(unlink(name));
	}
	memset(map + 100, 0, 600);
	all_calls(map, a[1], b[0]);
	CHECK(!munmap(map, 8192));
	/* nobody has it mapped: it begins anew */
	say(a[1], 'p');
	CHECK(hear(b[0]) == 'p');
	map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	CHECK(map != MAP_FAILED);
	show("again", map);
	all_calls(map, a[1], b[0]);
	say(a[1], 'q');
	CHECK(waitpid(pid, &st, 0) == pid && !st);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file is created under a name drawn from an address, and the name is
 * spelled anew for each later call, as CPython does for its byte code: every
 * spelling means the same file.
 */
#include "victim.h"

static void *address;

static const char *name(const char *dir)
{
	static char buf[4][128];
	static int i;
	char *s = buf[i++ % 4];

	snprintf(s, 128, "%smod.pyc.%lu", dir, (unsigned long)address);
	return s;
}

static const char *inside(const char *file)
{
	static char buf[128];

	snprintf(buf, sizeof(buf), "d%lu/%s", (unsigned long)address, file);
	return buf;
}

static void once(void)
{
	struct stat st;
	int fd;

	address = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fd = OK(open(name(""), O_WRONLY | O_CREAT | O_EXCL, 0644));
	CHECK(write(fd, "code", 4) == 4);
	close(fd);
	OK(stat(name("./"), &st));
	CHECK(st.st_size == 4);
	OK(chmod(name(""), 0600));
	OK(rename(name(""), "mod.pyc"));
	FAILS(access(name(""), F_OK), ENOENT);
	OK(rename("mod.pyc", name("")));
	OK(unlink(name("")));

	OK(mkdir(inside(""), 0755));
	fd = OK(open(inside("f"), O_WRONLY | O_CREAT, 0644));
	close(fd);
	OK(chdir(inside("")));
	OK(access("f", F_OK));
	OK(chdir(".."));
	REAP(CHILD({
		OK(unlink(inside("f")));
	}));
	FAILS(stat(inside("f"), &st), ENOENT);
	OK(rmdir(inside("")));
}

int main(void)
{
	/* the first calls of a site are monitord's, the others IP-MON's */
	for (int i = 0; i < 5; i++)
		once();
	puts("rebuilt names ok");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A proc of a pid namespace of its own numbers processes in its own way: their maps
 * are those of each variant there, too, by their numbers and as `self`, of a thread
 * and of a child; stat and status have that namespace's numbers. So it is in a second
 * mount of the namespace the program came from. What is executed by a name that leads
 * through this proc is executed in all variants, as it was called. A listing has all
 * processes.
 */
#include "victim.h"
#include <sys/auxv.h>
#include <sys/mount.h>

/* Is it where this variant has it? */
static int has(const char *name, const void *addr)
{
	FILE *f = fopen(name, "r");
	unsigned long a, b;
	char line[600];
	int found = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		found |= sscanf(line, "%lx-%lx", &a, &b) == 2 &&
			(uintptr_t)addr >= a && (uintptr_t)addr < b;
	fclose(f);
	return found;
}

static void *thread(void *at)
{
	char name[100], link[40] = "";

	snprintf(name, sizeof(name), "%s/thread-self", (char *)at);
	CHECK(readlink(name, link, sizeof(link) - 1) > 0);
	snprintf(name, sizeof(name), "%s/%s/maps", (char *)at, link);
	CHECK(has(name, &name) == 1);
	snprintf(name, sizeof(name), "%s/thread-self/maps", (char *)at);
	CHECK(has(name, &name) == 1);
	return NULL;
}

static void numbers(const char *at, int pid)
{
	char name[100], line[300];
	int n = 0;
	FILE *f;

	snprintf(name, sizeof(name), "%s/%d/stat", at, pid);
	f = fopen(name, "r");
	CHECK(f && fscanf(f, "%d", &n) == 1 && n == pid);
	fclose(f);
	snprintf(name, sizeof(name), "%s/%d/status", at, pid);
	f = fopen(name, "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Pid: %d", &n) == 1)
			CHECK(n == pid);
		if (sscanf(line, "TracerPid: %d", &n) == 1)
			CHECK(n == 0);
	}
	fclose(f);
}

/* What this mount calls us. */
static int self(const char *at)
{
	char name[100], nr[20] = "";

	snprintf(name, sizeof(name), "%s/self", at);
	CHECK(readlink(name, nr, sizeof(nr) - 1) > 0);
	return atoi(nr);
}

static void look(const char *at)
{
	char name[100], byte[4];
	int fd, to[2], from[2], nr;
	pthread_t t;
	pid_t p;

	snprintf(name, sizeof(name), "%s/self/maps", at);
	CHECK(has(name, &name) == 1);
	CHECK(has(name, (void *)(uintptr_t)has) == 1);
	CHECK(has(name, (void *)16) == 0);
	snprintf(name, sizeof(name), "%s/%d/maps", at, self(at));
	CHECK(has(name, &name) == 1);
	ZERO(pthread_create(&t, NULL, thread, (void *)(uintptr_t)at));
	ZERO(pthread_join(t, NULL));
	numbers(at, self(at));
	ZERO(pipe(to));
	ZERO(pipe(from));
	p = CHILD(close(to[1]); nr = self(at);
		  CHECK(write(from[1], &nr, sizeof(nr)) == sizeof(nr));
		  CHECK(read(to[0], byte, 1) == 0));
	close(to[0]);
	CHECK(read(from[0], &nr, sizeof(nr)) == sizeof(nr));
	snprintf(name, sizeof(name), "%s/%d/maps", at, nr);
	CHECK(has(name, &name) == 1);
	numbers(at, nr);
	close(to[1]);
	REAP(p);
	snprintf(name, sizeof(name), "%s/1/comm", at);
	fd = OK(open(name, O_RDONLY));
	CHECK(read(fd, byte, sizeof(byte)) > 0);
	close(fd);
	close(from[0]);
	close(from[1]);
}

static void again(char *name)
{
	char *args[] = { name, (char *)(uintptr_t)"again", NULL };

	REAP(CHILD(execv(name, args)));
}

static void executed(void)
{
	char name[40];
	int fd = OK(open("/proc/self/exe", O_RDONLY));

	again(strcpy(name, "/proc/self/exe"));
	again(strcpy(name, "/proc/thread-self/exe"));
	snprintf(name, sizeof(name), "/proc/%d/exe", self("/proc"));
	again(name);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	again(name);
	snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	again(name);
	close(fd);
	snprintf(name, sizeof(name), "/proc/self/cwd/script");
	put_file("script", "#!/bin/sh\necho \"$0\" \"$@\"\n");
	OK(chmod("script", 0700));
	again(name);
	put_file("script", "#!/bin/sh -u\necho \"$0\" \"$@\" $-\n");
	again(name);
	snprintf(name, sizeof(name), "script");
	OK(chdir("/proc/self/cwd"));
	again(name);
	OK(unlink("script"));
}

/* Not by the first thread. */
static void *executes(void *name)
{
	char *args[] = { name, (char *)(uintptr_t)"again", NULL };

	execv(name, args);
	return NULL;
}

static void executed_by_thread(void)
{
	pthread_t t;

	REAP(CHILD(ZERO(pthread_create(&t, NULL, executes,
				       (void *)(uintptr_t)"/proc/self/exe"));
		   pause()));
}

int main(int argc, char **argv)
{
	const char *name = argv[0];

	if (argc > 1) {
		printf("%s\n", (char *)(uintptr_t)getauxval(AT_EXECFN));
		CHECK(!strcmp((char *)(uintptr_t)getauxval(AT_EXECFN), name));
		return 0;
	}
	NEEDS(unshare(CLONE_NEWNS));
	NEEDS(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	NEEDS(mount("proc", "/mnt", "proc", 0, NULL));
	look("/mnt");
	ZERO(unshare(CLONE_NEWPID));
	REAP(CHILD({
		CHECK(getpid() == 1);
		ZERO(mount("proc", "/proc", "proc", 0, NULL));
		look("/proc");
		executed();
		executed_by_thread();
		OK(mkdir("root", 0700));
		OK(mkdir("root/proc", 0700));
		ZERO(mount("proc", "root/proc", "proc", 0, NULL));
		REAP(CHILD(ZERO(chroot("root")); look("/proc")));
		ZERO(umount("root/proc"));
		OK(rmdir("root/proc"));
		OK(rmdir("root"));
		/* one more within it, and under another root */
		ZERO(mount("proc", "/mnt", "proc", 0, NULL));
		REAP(CHILD(ZERO(unshare(CLONE_NEWPID));
			   REAP(CHILD(look("/mnt")))));
		REAP(CHILD(look("/mnt")));
	}));
	puts("looked");
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of /proc that are mounted elsewhere, and whole procs below directories with
 * misleading names: what is to be read there is what it is under its usual name.
 */
#include "victim.h"
#include <sys/mount.h>

/* Is it where this variant has it, and nothing there that is not the program's? */
static int has(int dir, const char *name, const void *addr)
{
	FILE *f = fdopen(OK(openat(dir, name, O_RDONLY)), "r");
	unsigned long a, b;
	char line[600];
	int found = 0;

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		CHECK(!strstr(line, "memfd:"));
		found |= sscanf(line, "%lx-%lx", &a, &b) == 2 &&
			(uintptr_t)addr >= a && (uintptr_t)addr < b;
	}
	fclose(f);
	return found;
}

static void look(int dir, const char *at)
{
	char name[100], line[300];
	int n = 0, tracer = -1;
	FILE *f;

	snprintf(name, sizeof(name), "%s/maps", at);
	CHECK(has(dir, name, &f) && has(dir, name, (void *)(uintptr_t)has));
	CHECK(!has(dir, name, (void *)16));
	snprintf(name, sizeof(name), "%s/stat", at);
	f = fdopen(OK(openat(dir, name, O_RDONLY)), "r");
	CHECK(f && fscanf(f, "%d", &n) == 1 && n == getpid());
	fclose(f);
	snprintf(name, sizeof(name), "%s/status", at);
	f = fdopen(OK(openat(dir, name, O_RDONLY)), "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "TracerPid: %d", &tracer);
	CHECK(tracer == 0);
	fclose(f);
	snprintf(name, sizeof(name), "%s/task/%d/maps", at, (int)gettid());
	CHECK(has(dir, name, &f));
}

static void *thread(void *dir)
{
	int local;

	CHECK(has(AT_FDCWD, dir, &local));
	return NULL;
}

/* Of the machine, not of a process. */
static void machine(const char *at)
{
	char name[100], word[10];
	FILE *f;

	snprintf(name, sizeof(name), "%s/stat", at);
	f = fopen(name, "r");
	CHECK(f && fscanf(f, "%9s", word) == 1 && !strcmp(word, "cpu"));
	fclose(f);
	snprintf(name, sizeof(name), "%s/self/net/stat", at);
	close(OK(open(name, O_RDONLY | O_DIRECTORY)));
}

/* A proc for a root directory, also of a thread that was there before. */
static void *below(void *unused)
{
	int local;

	for (unsigned int i = 0; i < 40; i++)
		CHECK(has(AT_FDCWD, "/self/maps", &local));
	look(AT_FDCWD, "/self");
	return unused;
}

static void *later(void *go)
{
	char c;

	CHECK(read(*(int *)go, &c, 1) == 1);
	return below(NULL);
}

static void root_of(const char *at)
{
	pthread_t t;
	int go[2];

	/* so that opens are made in-process by now */
	for (unsigned int i = 0; i < 200; i++)
		close(OK(open("/etc/passwd", O_RDONLY)));
	OK(pipe(go));
	ZERO(pthread_create(&t, NULL, later, go));
	OK(chroot(at));
	OK(chdir("/"));
	below(NULL);
	CHECK(write(go[1], "x", 1) == 1);
	ZERO(pthread_join(t, NULL));
	REAP(CHILD(below(NULL)));
}

int main(void)
{
	static const char *const odd[] = { "12", "maps", "task", "a b", "self" };
	char name[40], whole[40];
	pthread_t t;
	pid_t pid;
	int fd;

	NEEDS(unshare(CLONE_NEWNS));
	NEEDS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	fd = OK(open("/proc", O_RDONLY | O_DIRECTORY));
	put_file("file", "");
	OK(mkdir("dir", 0700));
	OK(mount("/proc/self", "dir", NULL, MS_BIND, NULL));
	look(AT_FDCWD, "dir");
	/* it stays this process's */
	REAP(CHILD(CHECK(has(AT_FDCWD, "dir/maps", &t))));
	OK(mount("dir/maps", "file", NULL, MS_BIND, NULL));
	CHECK(has(AT_FDCWD, "file", &t));
	OK(umount("dir"));
	CHECK(has(AT_FDCWD, "file", &t));
	OK(umount("file"));
	OK(mount("/proc/self/task", "dir", NULL, MS_BIND, NULL));
	snprintf(name, sizeof(name), "dir/%d/maps", (int)getpid());
	CHECK(has(AT_FDCWD, name, &t));
	ZERO(pthread_create(&t, NULL, thread, name));
	ZERO(pthread_join(t, NULL));
	OK(umount("dir"));
	for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
		snprintf(name, sizeof(name), "%s", odd[i]);
		snprintf(whole, sizeof(whole), "%s/34", name);
		OK(mkdir(name, 0700));
		OK(mkdir(whole, 0700));
		OK(mount("proc", whole, "proc", 0, NULL));
		machine(whole);
		snprintf(name, sizeof(name), "%s/self", whole);
		look(AT_FDCWD, name);
		OK(umount(whole));
		OK(mount("/proc", whole, NULL, MS_BIND, NULL));
		machine(whole);
		look(AT_FDCWD, name);
		OK(umount(whole));
		OK(rmdir(whole));
		OK(rmdir(odd[i]));
	}
	/* of another process */
	pid = CHILD(pause());
	snprintf(name, sizeof(name), "/proc/%d", (int)pid);
	OK(mount(name, "dir", NULL, MS_BIND, NULL));
	CHECK(has(AT_FDCWD, "dir/maps", &fd));
	OK(kill(pid, SIGKILL));
	OK(waitpid(pid, NULL, 0));
	FAILS(open("dir/maps", O_RDONLY), ESRCH);
	OK(umount("dir"));
	/* what is left behind by chroot */
	REAP(CHILD(OK(chroot("dir")); look(fd, "self")));
	OK(mount("/proc", "dir", NULL, MS_BIND, NULL));
	REAP(CHILD(root_of("dir")));
	OK(umount("dir"));
	REAP(CHILD(root_of("/proc")));
	OK(rmdir("dir"));
	OK(unlink("file"));
	puts("looked");
	return 0;
}

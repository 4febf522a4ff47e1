/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits, groups, capabilities, personality and directories: read back as
 * they were set, in effect, inherited.
 */
#include "victim.h"
#include <linux/capability.h>

static void limits(void)
{
	struct rlimit r, old;
	pid_t pid;

	OK(getrlimit(RLIMIT_NOFILE, &old));
	r = old;
	r.rlim_cur = 20;
	OK(setrlimit(RLIMIT_NOFILE, &r));
	FAILS(fcntl(0, F_DUPFD, 20), EINVAL);
	for (int i = 0; i < 3; i++)
		REAP(CHILD({
			OK(getrlimit(RLIMIT_NOFILE, &r));
			CHECK(r.rlim_cur == 20);
		}));
	OK(setrlimit(RLIMIT_NOFILE, &old));
	r.rlim_cur = r.rlim_max = 1 << 30;
	pid = CHILD({
		OK(setrlimit(RLIMIT_AS, &r));
		CHECK(mmap(NULL, 2ul << 30, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
		CHECK(errno == ENOMEM);
		CHECK(mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
		struct rlimit same;
		OK(getrlimit(RLIMIT_AS, &same));
		CHECK(same.rlim_cur == 1 << 30 && same.rlim_max == 1 << 30);
	});
	REAP(pid);
	pid = CHILD({ pause(); });
	r.rlim_cur = r.rlim_max = 4096 * 100;
	OK(prlimit(pid, RLIMIT_STACK, &r, &old));
	OK(prlimit(pid, RLIMIT_STACK, NULL, &r));
	CHECK(r.rlim_cur == 4096 * 100);
	OK(prlimit(0, RLIMIT_STACK, NULL, &r));
	CHECK(r.rlim_cur == old.rlim_cur);
	OK(kill(pid, SIGKILL));
	CHECK(WIFSIGNALED(reap(pid)));
	FAILS(prlimit(0, 99, NULL, &r), EINVAL);
	FAILS(prlimit(0, RLIMIT_STACK, NULL, (void *)8), EFAULT);
	r.rlim_cur = 10;
	r.rlim_max = 5;
	FAILS(setrlimit(RLIMIT_CORE, &r), EINVAL);
	puts("limits ok");
}

static void groups(void)
{
	pid_t a, b;
	int p[2];
	char c;

	OK(pipe(p));
	a = CHILD({
		CHECK(read(p[0], &c, 1) == 1);
		CHECK(getpgrp() == getpid());
	});
	OK(setpgid(a, a));
	CHECK(getpgid(a) == a);
	b = CHILD({
		CHECK(read(p[0], &c, 1) == 1);
		CHECK(getpgrp() == a);
		FAILS(setpgid(getppid(), 0), ESRCH);
	});
	OK(setpgid(b, a));
	CHECK(write(p[1], "xx", 2) == 2);
	REAP(b);
	REAP(a);
	FAILS(setpgid(a, a), ESRCH);
	REAP(CHILD({
		CHECK(setsid() == getpid());
		CHECK(getsid(0) == getpid() && getpgrp() == getpid());
		FAILS(setsid(), EPERM);
		FAILS(setpgid(0, 0), EPERM);
	}));
	puts("groups ok");
}

static void capabilities(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3, .pid = getpid() };
	struct __user_cap_data_struct d[2], e[2];

	OK(syscall(SYS_capget, &h, d));
	REAP(CHILD({
		h.pid = getpid();
		memcpy(e, d, sizeof(e));
		e[0].effective &= ~(1u << CAP_CHOWN);
		e[0].permitted &= ~(1u << CAP_CHOWN);
		e[0].inheritable &= ~(1u << CAP_CHOWN);
		OK(syscall(SYS_capset, &h, e));
		memset(e, 0, sizeof(e));
		OK(syscall(SYS_capget, &h, e));
		CHECK(!(e[0].effective & 1u << CAP_CHOWN));
		e[0].effective |= 1u << CAP_CHOWN;
		FAILS(syscall(SYS_capset, &h, e), EPERM);
		put_file("mine", "x");
		FAILS(chown("mine", 12345, 12345), EPERM);
	}));
	h.version = 0x1234;
	FAILS(syscall(SYS_capset, &h, d), EINVAL);
	CHECK(h.version == _LINUX_CAPABILITY_VERSION_3);
	h.pid = getppid();
	CHECK(syscall(SYS_capset, &h, d) < 0);
	puts("capabilities ok");
}

static void personalities(void)
{
	int old = OK(personality(0xffffffff));

	CHECK(personality(0xffffffff) == old);
	REAP(CHILD({
		struct utsname u;

		CHECK(personality((unsigned long)(old | ADDR_NO_RANDOMIZE)) ==
		      old);
		CHECK(personality(0xffffffff) == (old | ADDR_NO_RANDOMIZE));
		REAP(CHILD({
			CHECK(personality(0xffffffff) ==
			      (old | ADDR_NO_RANDOMIZE));
		}));
		OK(personality(PER_LINUX32));
		CHECK(personality(0xffffffff) == PER_LINUX32);
		OK(uname(&u));
		printf("machine %s\n", u.machine);
	}));
	CHECK(personality(0xffffffff) == old);
	puts("personalities ok");
}

static void where(const char *suffix)
{
	char cwd[PATH_MAX];
	size_t n;

	CHECK(getcwd(cwd, sizeof(cwd)));
	n = strlen(cwd);
	CHECK(n >= strlen(suffix) && !strcmp(cwd + n - strlen(suffix), suffix));
}

static void directories(void)
{
	int a, path, top = OK(open(".", O_RDONLY));
	char link[64], self[PATH_MAX];
	const char *true_ = access("/bin/true", X_OK) ? "/usr/bin/true" :
		"/bin/true";

	OK(mkdir("a", 0755));
	OK(mkdir("a/b", 0755));
	OK(chdir("a/b"));
	where("/a/b");
	OK(chdir(".."));
	where("/a");
	a = OK(open(".", O_RDONLY | O_DIRECTORY));
	path = OK(open("b", O_PATH));
	OK(fchdir(top));
	OK(fchdir(path));
	where("/a/b");
	OK(fchdir(a));
	where("/a");
	/* only the leader has this descriptor */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path);
	OK(chdir(link));
	where("/a/b");
	/* relative programs are found from there */
	OK(symlink(true_, "prog"));
	REAP(CHILD({
		execl("./prog", "prog", NULL);
		_exit(9);
	}));
	FAILS(chdir("prog/x"), ENOTDIR);
	FAILS(chdir("missing"), ENOENT);
	FAILS(fchdir(999), EBADF);
	FAILS(chdir((char *)8), EFAULT);
	/* the current directory may be removed */
	OK(unlink("prog"));
	OK(rmdir("../b"));
	CHECK(!getcwd(self, sizeof(self)) && errno == ENOENT);
	OK(fchdir(top));
	OK(rmdir("a"));
	puts("directories ok");
}

int main(void)
{
	limits();
	groups();
	capabilities();
	personalities();
	directories();
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * `monitord doctor`: what this kernel and machine allow.
 *
 * Everything is tried, not looked up: a container's own seccomp filter, a
 * security module or a missing capability makes a new kernel as useless as an
 * old one.  One line each: "ok", "missing" (then `run` cannot work, and the
 * line says how to get it) or "note" (it works, with the stated limit).
 */
#include <elf.h>
#undef AT_ENTRY			/* auxv names that are also ours */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <unistd.h>

#include "front.h"
#include "launch.h"
#include "options.h"

static unsigned int missing;

static void __attribute__((format(printf, 2, 3)))
line(const char *state, const char *fmt, ...)
{
	va_list ap;

	printf("%-8s", state);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

static void ok(const char *what)
{
	line("ok", "%s", what);
}

/* What does not work, why, and how to get it. */
static void lacks(const char *what, int error, const char *remedy)
{
	missing++;
	if (error)
		line("missing", "%s: %s; %s", what, strerror(error), remedy);
	else
		line("missing", "%s; %s", what, remedy);
}

/* ---- looked up, because a person wants to know ---- */

static void kernel(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	uname(&u);
	if (strcmp(u.machine, "x86_64"))
		lacks(u.machine, 0, "ipmon is for x86-64 only");
	else if (sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
		 (major < 5 || (major == 5 && minor < 15)))
		line("note", "Linux %s, %s: ipmon is made for 5.15 and later; what this one lacks is said below",
		     u.release, u.machine);
	else
		line("ok", "Linux %s, %s", u.release, u.machine);
}

static void cores(void)
{
	cpu_set_t set;
	int n;

	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return;
	n = CPU_COUNT(&set);
	line(n > 1 ? "ok" : "note", "%d core%s available to this process%s", n,
	     n == 1 ? "" : "s",
	     n > 1 ? "" : ": all variants share it");
}

static int read_number(const char *path)
{
	char buf[32];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	buf[n] = 0;
	return atoi(buf);
}

static void yama(void)
{
	int scope = read_number("/proc/sys/kernel/yama/ptrace_scope");

	if (scope < 1)
		ok("Yama does not restrict tracing");
	else if (scope < 2)
		ok("Yama ptrace_scope is 1: descendants may be traced");
	else if (scope == 2)
		line("note", "Yama ptrace_scope is 2: only with CAP_SYS_PTRACE");
	else
		lacks("Yama ptrace_scope is 3: nobody may trace", 0,
		      "boot with another kernel.yama.ptrace_scope");
}

static void aslr(void)
{
	int v = read_number("/proc/sys/kernel/randomize_va_space");

	if (v == 2)
		ok("address space layout randomisation is on");
	else
		line("note", "randomize_va_space is %d: layouts overlap; sysctl kernel.randomize_va_space=2",
		     v);
}

static void proc_mounted(void)
{
	if (access("/proc/self/maps", R_OK))
		lacks("/proc", errno, "mount -t proc proc /proc");
	else
		ok("/proc is mounted");
}

static void descriptors(void)
{
	struct rlimit r;
	bool enough;

	getrlimit(RLIMIT_NOFILE, &r);
	enough = r.rlim_max > CTL_FD;
	if (!enough) {
		/* `run` raises it if it may */
		r.rlim_cur = r.rlim_max = CTL_FD + 1;
		enough = !setrlimit(RLIMIT_NOFILE, &r);
	}
	if (enough)
		line("ok", "descriptor limit %llu (hard)",
		     (unsigned long long)r.rlim_max);
	else
		lacks("hard descriptor limit below 1001", 0,
		      "ulimit -Hn 4096 in the calling shell's parent");
}

static void library(void)
{
	find_libipmon();
	if (!mon.libipmon[0])
		line("note", "libipmon.so not found: everything runs under the tracer alone; install it or run from the build tree");
	else if (*preload_list)
		line("ok", "libipmon: %s", mon.libipmon);
	else
		line("note", "libipmon: %s, without libipmon-compat.so beside it: programs that make temporary files will diverge",
		     mon.libipmon);
}

/* ---- tried in a child of its own ---- */

/* Run f in a child; its wait status, or -1. */
static int in_child(void (*f)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return -1;
	if (!pid) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_DFL);	/* a sanitizer's handler */
		f();
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void try_tsc(void)
{
	unsigned int lo, hi;

	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) < 0)
		_exit(errno);
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
}

static void try_userns(void)
{
	if (unshare(CLONE_NEWUSER) < 0)
		_exit(errno);
}

static void try_noreplace(void)
{
	uint64_t page = hidden_address();
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	void *at = (void *)(uintptr_t)page;

	if (mmap(at, 4096, PROT_READ | PROT_EXEC, flags, -1, 0) != at)
		_exit(errno ? errno : EINVAL);
	if (mmap(at, 4096, PROT_READ, flags, -1, 0) != MAP_FAILED)
		_exit(EINVAL);
}

static void child_features(void)
{
	int s = in_child(try_tsc);

	if (s >= 0 && WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV)
		ok("PR_SET_TSC: rdtsc can be trapped");
	else
		lacks("PR_SET_TSC: rdtsc cannot be trapped",
		      s >= 0 && WIFEXITED(s) ? WEXITSTATUS(s) : 0,
		      "use a kernel and hypervisor that support it");
	s = in_child(try_noreplace);
	if (s == 0)
		ok("MAP_FIXED_NOREPLACE");
	else
		lacks("MAP_FIXED_NOREPLACE", s > 0 ? WEXITSTATUS(s) : 0,
		      "Linux 4.17 or later");
	s = in_child(try_userns);
	if (s == 0)
		ok("user namespaces");
	else
		line("note", "no user namespaces: programs that build sandboxes of their own may refuse to start");
}

static void local_features(void)
{
	int fd = memfd_create("doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		lacks("memfd_create", errno, "Linux 3.17 or later");
	else
		ok("memfd_create");
	if (fd >= 0)
		close(fd);
	/* an empty range far above every descriptor */
	if (close_range(0x7ffffff0u, ~0u, 0) < 0)
		lacks("close_range", errno, "Linux 5.9 or later");
	else
		ok("close_range");
}

/* What keeps a variant that has been taken over from the memory of others:
 * doc/threat-model.md. */
static void isolation(void)
{
	int error;

	if (filter_opens(&error))
		ok("openat2: the gate opens files of the root's file system only, nothing in /proc");
	else if (error)
		line("note", "openat2: %s; every file is opened by monitord, which is slower (verified, relaxed)",
		     strerror(error));
	else
		line("note", "/proc is on the root's file system; every file is opened by monitord, which is slower (verified, relaxed)");
}

/* ---- the machinery itself: a traced child under a filter ---- */

struct probe {
	uint64_t word;			/* read across processes */
	int pipe[2];			/* "you are traced": child reads */
	int nnp;			/* no_new_privs was needed */
	_Atomic int error;		/* of installing the filter */
};

#define ANSWER 123456
#define SECRET 0x0123456789abcdefull

static void __attribute__((noreturn)) probe_child(struct probe *p)
{
	struct sock_fprog prog;
	char c;

	if (filter_build(hidden_address(), POLICY_STRICT, true, &prog) < 0 ||
	    read(p->pipe[0], &c, 1) != 1)
		_exit(1);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0) {
		p->nnp = 1;
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0,
			    &prog) < 0) {
			p->error = errno;
			_exit(1);
		}
	}
	syscall(SYS_getppid);
	for (;;)
		;	/* every further call would only stop again */
}

static void probe_access(pid_t pid, struct probe *p)
{
	uint64_t word = 0, addr = (uint64_t)(uintptr_t)&p->word;
	struct iovec l = { &word, sizeof(word) };
	struct iovec r = { &p->word, sizeof(word) };
	int pfd, fd;
	char path[32];

	if (process_vm_readv(pid, &l, 1, &r, 1, 0) == sizeof(word) &&
	    word == SECRET)
		ok("process_vm_readv");
	else
		lacks("process_vm_readv", errno,
		      "a kernel with CONFIG_CROSS_MEMORY_ATTACH, or a less strict container profile");
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && pread(fd, &word, sizeof(word), (off_t)addr) ==
	    sizeof(word))
		ok("/proc/PID/mem");
	else
		line("note", "/proc/PID/mem: %s; slower to start programs",
		     strerror(errno));
	if (fd >= 0)
		close(fd);
	pfd = (int)syscall(SYS_pidfd_open, pid, 0);
	fd = pfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pfd, 0, 0);
	if (fd >= 0)
		ok("pidfd_getfd");
	else
		lacks("pidfd_getfd", errno,
		      "Linux 5.6 or later, or a less strict container profile");
	if (pfd >= 0)
		close(pfd);
	if (fd >= 0)
		close(fd);
}

#ifndef PTRACE_GET_SYSCALL_INFO
#define PTRACE_GET_SYSCALL_INFO 0x420e
#endif

static void probe_stop(pid_t pid)
{
	uint64_t info[16] = { 0 };	/* op, arch, ip, sp, nr, ... */
	struct user_regs_struct regs;

	if (ptrace((enum __ptrace_request)PTRACE_GET_SYSCALL_INFO, pid,
		   sizeof(info), info) > 0 && info[3] == SYS_getppid)
		ok("PTRACE_GET_SYSCALL_INFO");
	else
		lacks("PTRACE_GET_SYSCALL_INFO", errno, "Linux 5.3 or later");
	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0) {
		lacks("PTRACE_GETREGS", errno, "");
		return;
	}
	if (ptrace(PTRACE_POKEUSER, pid,
		   offsetof(struct user_regs_struct, orig_rax), -1L) < 0 ||
	    ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax),
		   (long)ANSWER) < 0)
		lacks("skipping a system call", errno, "");
	else
		ok("system calls can be skipped and answered");
}

static void probe_wait(pid_t pid, struct probe *p)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid)
		return;
	if (!WIFSTOPPED(status) || status >> 16 != PTRACE_EVENT_SECCOMP) {
		lacks("seccomp RET_TRACE", p->error,
		      "a kernel with CONFIG_SECCOMP_FILTER, or a container profile that allows seccomp(2)");
		return;
	}
	ok("seccomp filters with RET_TRACE");
	if (p->nnp)
		line("note", "no CAP_SYS_ADMIN: no_new_privs is set, set-uid programs run without their privileges");
	else
		ok("CAP_SYS_ADMIN: no_new_privs is not needed");
	probe_access(pid, p);
	probe_stop(pid);
}

static void tracing(void)
{
	struct probe *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	if (p == MAP_FAILED || pipe2(p->pipe, O_CLOEXEC) < 0) {
		lacks("a pipe and a page", errno, "free some memory");
		return;
	}
	p->word = SECRET;
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		lacks("fork", errno, "raise the process limit");
		return;
	}
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		probe_child(p);
	}
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESECCOMP |
		   PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD) < 0) {
		lacks("PTRACE_SEIZE", errno,
		      "docker: --cap-add=SYS_PTRACE; else ask the security module");
	} else {
		ok("PTRACE_SEIZE");
		if (write(p->pipe[1], "", 1) == 1)
			probe_wait(pid, p);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, __WALL);
	close(p->pipe[0]);
	close(p->pipe[1]);
	munmap(p, sizeof(*p));
}

static const char usage[] =
	"usage: monitord doctor\n"
	"\n"
	"Tries what `monitord run` needs of this kernel and machine and says so,\n"
	"one line each: ok, note (works, with a limit) or missing.\n"
	"Exit status: 0 if `run` can work, else 1.\n";

int cmd_doctor(int argc, char **argv)
{
	static const struct option longopts[] = {
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":h", longopts, NULL)) != -1) {
		if (c != 'h')
			return wrong_option("doctor", argv, longopts, c);
		fputs(usage, stdout);
		return 0;
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return EXIT_MONITOR;
	}
	kernel();
	cores();
	proc_mounted();
	yama();
	aslr();
	tracing();
	child_features();
	local_features();
	isolation();
	descriptors();
	library();
	if (missing)
		printf("\n`monitord run` cannot work here.\n");
	return missing ? 1 : 0;
}

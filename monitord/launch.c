// SPDX-License-Identifier: Apache-2.0
/*
 * Starting the variants.
 *
 * Theory of operation
 * -------------------
 * Each child prepares itself, waits until it has been seized, installs its
 * filter and executes the program.  From the filter on every system call is
 * a rendezvous of all variants, so what is left at that point is one execve,
 * the same in all variants: names are looked up in PATH beforehand, memory is
 * allocated beforehand, and an error goes back through a shared page.
 *
 * The leader gets exactly what the caller of monitord passed in: descriptors
 * (monitord's own are all close-on-exec), signal mask and dispositions,
 * limits, process group, terminal.  A follower gets /dev/null three times and
 * its end of the descriptor channel, and no limits on what only the leader uses.
 * Neither is the leader of its process group, so setsid() succeeds or fails in
 * all of them alike.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <unistd.h>

#include "front.h"
#include <ipmon/gate_rules.h>
#include "launch.h"
#include "manager.h"
#include "placement.h"
#include "tracee.h"
#include "tsc.h"

#define SEIZE_OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | \
		       PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
		       PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | \
		       PTRACE_O_TRACEVFORKDONE | PTRACE_O_EXITKILL)

/*
 * Where gates and scratch areas live: far from everything the kernel or a
 * program places by itself (mmap area 0x7..., PIE 0x55..., bottom-up area
 * 0x2a..., Go and sanitizer heaps).
 */
#define HIDDEN_BASE	0x400000000000ull
#define HIDDEN_PAGES	(1ull << 32)
/* what begins there is much smaller than that */
_Static_assert(HIDDEN_BASE + HIDDEN_PAGES * 4096 + (1ull << 32) <=
	       IPMON_MEMORY_LOW, "the gate lets through what is above");

bool launch_no_new_privs;

/* What each variant executes. */
static char *file[MAX_VARIANTS];
static char **envs[MAX_VARIANTS];

/* Set by a child whose execve failed, before it exits. */
static struct launch_share {
	int error[MAX_VARIANTS];
} *launch_share;

extern char **environ;

uint64_t hidden_address(void)
{
	uint64_t r;

	if (getrandom(&r, sizeof(r), 0) != sizeof(r))
		die("getrandom: %s", strerror(errno));
	return HIDDEN_BASE + r % HIDDEN_PAGES * 4096;
}

/* ---- finding the program ---- */

static int try_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

/* As execvp(3) does it, but without executing. */
int launch_find(const char *name, char **out)
{
	const char *path = getenv("PATH");
	int result = -ENOENT;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		*out = strdup(name);
		return *out ? try_file(name) : -ENOMEM;
	}
	if (!path)
		path = "/bin:/usr/bin";
	for (;;) {
		size_t n = strcspn(path, ":");
		char *full;
		int r;

		if (asprintf(&full, "%.*s%s%s", (int)n, path, n ? "/" : "",
			     name) < 0)
			return -ENOMEM;
		r = try_file(full);
		if (!r) {
			*out = full;
			return 0;
		}
		free(full);
		if (r == -EACCES)
			result = r;
		if (!path[n])
			return result;
		path += n + 1;
	}
}

static int exit_status_of(int error)
{
	return error == ENOENT || error == ENOTDIR ? EXIT_NOTFOUND
						   : EXIT_NOEXEC;
}

/* Why a program could not be started is the same few things. */
static const char *what_to_do(const char *name, int error)
{
	switch (error) {
	case ENOENT:
		return strchr(name, '/') ? "; is the path right?" :
			"; it is not in PATH, give a path with a slash";
	case ENOTDIR:
		return "; a part of the path is a file";
	case EACCES:
		return "; it must be a file with permission to execute (ls -l)";
	default:
		return "";
	}
}

int launch_resolve(void)
{
	for (unsigned int v = 0; v < mon.n; v++) {
		const char *name = mon.opt.variant_path[v] ?
			mon.opt.variant_path[v] : mon.opt.argv[0];
		int r = launch_find(name, &file[v]);

		if (r < 0) {
			say("%s: %s%s", name, strerror(-r),
			    what_to_do(name, -r));
			return exit_status_of(-r);
		}
		if (exec_file_foreign(file[v])) {
			say("%s: not a program for 64-bit x86: refused; run it without monitord",
			    name);
			return EXIT_NOEXEC;
		}
	}
	return 0;
}

void launch_say_failure(void)
{
	if (!launch_share || !mon.root || !mon.root->launching)
		return;
	for (unsigned int v = 0; v < mon.n; v++) {
		int e = launch_share->error[v];

		if (!e)
			continue;
		/* the file was there: what is missing is its interpreter */
		say("%s: %s%s", file[v], strerror(e),
		    e == ENOENT ? " (its interpreter; see its first line, or readelf -l)" :
		    what_to_do(file[v], e));
		return;
	}
}

/* ---- environments ---- */

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=") + 1;

	return !strncmp(a, b, n);
}

static char **environment(unsigned int v)
{
	size_t n = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + mon.opt.n_env + 1, sizeof(*env));
	if (!env)
		die("out of memory");
	memcpy(env, environ, n * sizeof(*env));
	for (size_t i = 0; i < mon.opt.n_env; i++) {
		char *a = mon.opt.env[i].assignment;
		size_t k;

		if (mon.opt.env[i].variant != v)
			continue;
		for (k = 0; k < n && !same_name(a, env[k]); k++)
			;
		env[k] = a;
		if (k == n)
			n++;
	}
	return env;
}

/* ---- the child ---- */

struct start {
	unsigned int variant;
	int ctl;		/* the follower's end */
	int sync;		/* read end: a byte comes when it is seized */
	pid_t leader;		/* 0: is the leader */
	pid_t tracer;
	struct sock_fprog prog;
};

static void __attribute__((noreturn)) child_fail(unsigned int v, int error)
{
	launch_share->error[v] = error;
	_exit(exit_status_of(error));
}

/* What monitord needs is not allowed here; stderr is still the caller's. */
static void __attribute__((noreturn)) child_cannot(const char *what)
{
	say("cannot start a variant: %s: %s; 'monitord doctor' says what this machine allows, and a service's unit may allow less",
	    what, strerror(errno));
	_exit(EXIT_MONITOR);
}

/* Capabilities only monitord needs; the last one is for dropping others. */
static void withhold_caps(void)
{
	static const struct {
		unsigned int bit, cap;
	} c[] = {
		{ WITHHOLD_PTRACE, CAP_SYS_PTRACE }, { WITHHOLD_KILL, CAP_KILL },
		{ WITHHOLD_SETPCAP, CAP_SETPCAP },
	};
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		if (mon.opt.withhold & c[i].bit &&
		    prctl(PR_CAPBSET_DROP, c[i].cap, 0, 0, 0) < 0)
			child_cannot("--withhold");
	if (syscall(SYS_capget, &h, d) < 0)
		child_cannot("capget");
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		if (mon.opt.withhold & c[i].bit) {
			d[0].effective &= ~(1u << c[i].cap);
			d[0].permitted &= ~(1u << c[i].cap);
			d[0].inheritable &= ~(1u << c[i].cap);
		}
	if (syscall(SYS_capset, &h, d) < 0)
		child_cannot("capset");
}

/* Before the seizure: errors here are monitord's. */
static void child_prepare(const struct start *st)
{
	int have = personality(0xffffffff), p = have;

	/* until PTRACE_O_EXITKILL takes over */
	front_end_with(st->tracer);
	placement_variant(st->variant);
	/* Disjoint layouts need followers to be randomised even under
	 * `setarch -R`; the leader's own setting is the program's business. */
	if (mon.opt.layout == LAYOUT_SAME)
		p |= ADDR_NO_RANDOMIZE;
	else if (st->variant != LEADER)
		p &= ~ADDR_NO_RANDOMIZE;
	if (have != -1 && p != have && personality((unsigned long)p) < 0)
		child_cannot(mon.opt.layout == LAYOUT_SAME ?
			     "--layout same (personality)" :
			     "--layout (personality)");
	if (tsc_always() && prctl(PR_SET_TSC, PR_TSC_SIGSEGV) < 0)
		child_cannot("PR_SET_TSC");
	if (launch_no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		child_cannot("PR_SET_NO_NEW_PRIVS");
	if (mon.opt.withhold)
		withhold_caps();
	if (st->variant != LEADER) {
		int null = null_open(0);

		if (null < 0 || dup2(st->ctl, CTL_FD) < 0 ||
		    dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
		    dup2(null, 2) < 0)
			child_cannot("its descriptors");
	}
}

static void __attribute__((noreturn)) child(const struct start *st)
{
	unsigned int v = st->variant;
	char **argv = mon.opt.argv;
	char **shell = NULL;
	size_t n = 0;
	char go;

	/* for a script without "#!", as execvp(3) does */
	while (argv[n])
		n++;
	shell = calloc(n + 2, sizeof(*shell));
	if (!shell)
		_exit(EXIT_MONITOR);
	shell[0] = (char *)"sh";
	shell[1] = file[v];
	for (size_t i = 1; i < n; i++)
		shell[i + 1] = argv[i];

	if (mon.opt.argv0)
		argv[0] = (char *)mon.opt.argv0;
	child_prepare(st);
	if (read(st->sync, &go, 1) != 1)
		_exit(EXIT_MONITOR);
	prctl(PR_SET_PDEATHSIG, 0);
	if (v != LEADER) {
		close_range(3, CTL_FD - 1, 0);
		close_range(CTL_FD + 1, ~0u, 0);
	}
	inherit_restore(v == LEADER);
	manager_child(envs[v], st->leader ? st->leader : getpid());
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		    SECCOMP_FILTER_FLAG_SPEC_ALLOW, &st->prog) < 0)
		_exit(EXIT_MONITOR);

	/* from here on, the same calls in every variant */
	execve(file[v], argv, envs[v]);
	if (errno == ENOEXEC) {
		execve("/bin/sh", shell, envs[v]);
		errno = ENOEXEC;
	}
	child_fail(v, errno);
}

/* ---- the tracer ---- */

static bool have_sys_admin(void)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	return !syscall(SYS_capget, &h, d) &&
	       d[0].effective & 1u << CAP_SYS_ADMIN;
}

static pid_t start_variant(unsigned int v, pid_t leader, int sync[2])
{
	struct start st = {
		.variant = v, .ctl = -1, .leader = leader, .tracer = getpid(),
	};
	int ctl[2] = { -1, -1 };
	pid_t pid;
	int r;

	/* what the gate allows is only for those who go through it */
	r = filter_build(mon.v[v].gate, mon.opt.policy, v == LEADER, &st.prog);
	if (r < 0)
		die("cannot build the seccomp filter: %s", strerror(-r));
	if (pipe2(sync, O_CLOEXEC) < 0 ||
	    (v != LEADER && socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0,
				       ctl) < 0))
		die("cannot start a variant: %s", strerror(errno));
	st.ctl = ctl[1];
	st.sync = sync[0];
	mon.v[v].ctl = ctl[0];
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (!pid) {
		child(&st);
	}
	close(sync[0]);
	if (ctl[1] >= 0)
		close(ctl[1]);
	free(st.prog.filter);
	return pid;
}

static void new_root(const pid_t pid[MAX_VARIANTS])
{
	struct proc *p = proc_new(NULL);
	struct taskset *s;

	p->launching = true;
	p->mm = mm_new();
	p->domain = domain_new();
	p->vpid = pid[LEADER];
	s = set_new(p);
	s->vtid = pid[LEADER];
	s->tsd = tsc_always() ? ~0u : 0;
	for (unsigned int v = 0; v < mon.n; v++) {
		p->pid[v] = pid[v];
		s->t[v].at = AT_RUN;
		task_bind(&s->t[v], pid[v]);
	}
	mon.root = p;
	s->t_run = now_ns();
}

/* For -v: who is who. */
static void tell_start(const pid_t pid[MAX_VARIANTS])
{
	char followers[MAX_VARIANTS * 12] = "";
	size_t n = 0;

	for (unsigned int v = 1; v < mon.n; v++)
		n += (size_t)snprintf(followers + n, sizeof(followers) - n,
				      " %d", (int)pid[v]);
	verbose("%s: leader %d%s%s; libipmon: %s", file[LEADER],
		(int)pid[LEADER], n ? ", followers" : "", followers,
		mon.libipmon[0] ? mon.libipmon : "not found");
}

static void choose_gates(void)
{
	for (unsigned int v = 0; v < mon.n; v++) {
		unsigned int w;

		do {
			mon.v[v].gate = hidden_address();
			for (w = 0; w < v; w++)
				if (mon.v[w].gate == mon.v[v].gate)
					break;
		} while (w < v);
	}
}

/*
 * Descriptors of the program are borrowed all the time, and followers keep
 * their channel at CTL_FD: as many as can be had.  Variants get the caller's
 * limit back before they start.
 */
static int raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return -errno;
	r.rlim_cur = r.rlim_max;
	if (mon.n > 1 && r.rlim_max <= CTL_FD)
		r.rlim_cur = r.rlim_max = CTL_FD + 1;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0) {
		say("the hard limit on descriptors is too low: at least %d are needed (ulimit -Hn)",
		    CTL_FD + 1);
		return -EMFILE;
	}
	return 0;
}

int launch(void)
{
	pid_t pid[MAX_VARIANTS];
	int sync[MAX_VARIANTS][2];
	int r;

	inherit_lift();
	r = raise_limit();
	if (r < 0)
		return r;
	launch_share = mmap(NULL, sizeof(*launch_share),
			    PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (launch_share == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	launch_no_new_privs = !have_sys_admin();
	choose_gates();
	filter_deny(mon.opt.calls);
	mon.filtered = prctl(PR_GET_SECCOMP) != 0;
	placement_start();
	for (unsigned int v = 0; v < mon.n; v++) {
		envs[v] = environment(v);
		pid[v] = start_variant(v, v == LEADER ? 0 : pid[LEADER],
				       sync[v]);
		if (v == LEADER)
			front_leave();
		else if (front_own_group(pid[v]) < 0)
			die("setpgid: %s", strerror(errno));
	}
	inherit_drop();
	for (unsigned int v = 0; v < mon.n; v++)
		if (ptrace(PTRACE_SEIZE, pid[v], 0, SEIZE_OPTIONS) < 0) {
			say("cannot trace a variant: %s; see 'monitord doctor'",
			    strerror(errno));
			for (unsigned int w = 0; w < mon.n; w++)
				kill(pid[w], SIGKILL);
			return -EPERM;
		}
	/* The variants have our uid, and a leader that has been taken over may
	 * open what it likes (doc/threat-model.md): not our memory. */
	prctl(PR_SET_DUMPABLE, 0);
	new_root(pid);
	front_root(pid[LEADER]);
	tell_start(pid);
	for (unsigned int v = 0; v < mon.n; v++) {
		if (write(sync[v][1], "", 1) != 1)
			die("cannot start a variant: %s", strerror(errno));
		close(sync[v][1]);
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Who serves those that want to look at a run: sockets and a process.
 *
 * Theory of operation
 * -------------------
 * What the options name is opened before anything is forked, so that what is
 * wrong is said instead of a run without it.  The default control socket comes
 * later: the front process starts the server once the program has run for
 * START_MS (what is over before that, nobody has looked at), or when it leaves
 * while other processes of the program live on.
 *
 * The server is a process and not a thread of the tracer: it is fed by clients,
 * and the tracer's memory, descriptors and tracees are nothing for a process that
 * is.  It keeps stderr and what it serves, is in a session of its own, and a
 * filter leaves it the calls it needs: none that starts, signals, traces or
 * connects to anything.  The front process waits for it, so that nothing is left
 * behind.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "see.h"
#include "see_int.h"
/* after our headers: it makes macros of some of our names */
#include <seccomp.h>

#define START_MS	30u
#define END_MS		500		/* the server may take to end */

static int control_fd = -1, metrics_fd = -1;
static char control_path[108];		/* "": none */
static char metrics_text[128];		/* where, as shown */
static char metrics_path[108];		/* of a UNIX socket, to be removed */
static bool wanted;
static uint64_t prepared;		/* ns */
static time_t prepared_wall;
static pid_t server_pid;
static int server_pipe = -1;		/* front's end: it lives */
static bool started;

/* The tracer's time is trapped (tsc.c), ours is not. */
uint64_t see_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- before anything is forked ---- */

/* As the server will find it, whose working directory is /. */
static int absolute(const char *path, char out[108])
{
	char cwd[108] = "";

	if (*path != '/' && !getcwd(cwd, sizeof(cwd)))
		return -ENAMETOOLONG;
	return snprintf(out, 108, "%s%s%s", cwd, *cwd ? "/" : "", path) < 108 ?
		0 : -ENAMETOOLONG;
}

static const char *listen_error(int r)
{
	switch (r) {
	case -EADDRINUSE:
		return "another process listens there; choose another place";
	case -EEXIST:
		return "there is a file of that name which is no socket";
	case -ENAMETOOLONG:
		return "the path is too long, 107 bytes is the most";
	case -ENOENT:
	case -ENOTDIR:
		return "No such file or directory; make its directory first";
	case -EROFS:
		return "Read-only file system; choose another place, in a service $RUNTIME_DIRECTORY";
	case -EACCES:
	case -EPERM:
		return "Permission denied; choose a place this user may use, a port from 1024 on";
	case -EADDRNOTAVAIL:
	case -EAFNOSUPPORT:
		return "this machine does not have that address; try 127.0.0.1:PORT or unix:PATH";
	default:
		return strerror(-r);
	}
}

static int listen_tcp(const struct metrics_at *at)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in a4 = { .sin_family = AF_INET };
	socklen_t len = at->six ? sizeof(a6) : sizeof(a4);
	void *sa = at->six ? (void *)&a6 : (void *)&a4;
	char name[INET6_ADDRSTRLEN];
	int one = 1, fd;

	memcpy(&a6.sin6_addr, at->addr, 16);
	memcpy(&a4.sin_addr, at->addr, 4);
	a4.sin_port = a6.sin6_port = htons(at->port);
	fd = socket(at->six ? AF_INET6 : AF_INET,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, sa, len) < 0 || listen(fd, 256) < 0 ||
	    getsockname(fd, sa, &len) < 0) {
		int r = -errno;

		close(fd);
		return r;
	}
	/* the port may have been the kernel's choice */
	inet_ntop(at->six ? AF_INET6 : AF_INET, at->six ?
		  (void *)&a6.sin6_addr : (void *)&a4.sin_addr, name,
		  sizeof(name));
	snprintf(metrics_text, sizeof(metrics_text),
		 at->six ? "[%s]:%u" : "%s:%u", name,
		 ntohs(at->six ? a6.sin6_port : a4.sin_port));
	return fd;
}

static int prepare_metrics(const char *text)
{
	struct metrics_at at;
	const char *why = metrics_parse(text, &at);

	if (why) {
		say("--metrics '%s': %s", text, why);
		return EXIT_MONITOR;
	}
	if (at.path) {
		int r = absolute(at.path, metrics_path);

		metrics_fd = r < 0 ? r : see_listen(metrics_path, SOCK_STREAM,
						    0660);
		snprintf(metrics_text, sizeof(metrics_text), "unix:%s",
			 metrics_path);
	} else {
		metrics_fd = listen_tcp(&at);
	}
	if (metrics_fd >= 0)
		return 0;
	say("--metrics %s: %s", text, listen_error(metrics_fd));
	return EXIT_MONITOR;
}

int see_prepare(void)
{
	const char *control = mon.opt.control;
	int r;

	if (control && strcmp(control, "none")) {
		r = absolute(control, control_path);
		if (!r)
			r = control_fd = see_listen(control_path,
						    SOCK_SEQPACKET, 0600);
		if (r < 0) {
			say("--control %s: %s", control, listen_error(r));
			control_path[0] = 0;
			return EXIT_MONITOR;
		}
	}
	if (mon.opt.metrics && prepare_metrics(mon.opt.metrics)) {
		if (control_fd >= 0)
			unlink(control_path);
		return EXIT_MONITOR;
	}
	prepared = see_clock();
	prepared_wall = time(NULL);
	if (control && !strcmp(control, "none") && metrics_fd < 0)
		return 0;
	/* pages that nobody asks for are never there */
	see_share = mmap(NULL, sizeof(*see_share), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	see_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (see_share == MAP_FAILED || see_event < 0) {
		see_share = NULL;
		verbose("nobody can look at this run: %s", strerror(errno));
		return 0;
	}
	wanted = true;
	return 0;
}

void see_tracer(void)
{
	if (control_fd >= 0)
		close(control_fd);
	if (metrics_fd >= 0)
		close(metrics_fd);
}

/* ---- the server's process ---- */

static int compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Keep stderr and these; they are distinct, -1 is none. */
static void close_others(const int *keep, unsigned int n)
{
	int fds[8], last = 2;

	memcpy(fds, keep, n * sizeof(*fds));
	qsort(fds, n, sizeof(*fds), compare_ints);
	for (unsigned int i = 0; i < n; i++) {
		if (fds[i] <= 2)
			continue;
		if (fds[i] > last + 1)
			close_range((unsigned int)last + 1,
				    (unsigned int)fds[i] - 1, 0);
		last = fds[i];
	}
	close_range((unsigned int)last + 1, ~0u, 0);
}

/* The default place.  That there is none is no reason not to run. */
static void listen_default(void)
{
	char dir[128];
	int r = see_dir(dir, sizeof(dir));

	if (r < 0) {
		verbose("no control socket: %s", strerror(-r));
		return;
	}
	see_sweep(dir);
	r = control_fd = see_listen_in(dir, see_facts.tracer, control_path,
				       sizeof(control_path));
	if (r < 0) {
		verbose("no control socket at %s: %s", control_path,
			strerror(-r));
		control_path[0] = 0;
	}
}

/*
 * What serving takes, the C library's part of it included (memory, time zones,
 * the seed of a hash table).  Anything else fails with EPERM.
 */
static void sandbox(void)
{
	static const int needed[] = {
		SCMP_SYS(accept4), SCMP_SYS(brk), SCMP_SYS(clock_gettime),
		SCMP_SYS(close), SCMP_SYS(dup2), SCMP_SYS(dup3),
		SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fcntl),
		SCMP_SYS(fstat), SCMP_SYS(futex), SCMP_SYS(getpid),
		SCMP_SYS(getrandom), SCMP_SYS(getsockopt),
		SCMP_SYS(gettimeofday), SCMP_SYS(gettid), SCMP_SYS(lseek),
		SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect),
		SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(newfstatat),
		SCMP_SYS(openat), SCMP_SYS(poll), SCMP_SYS(ppoll),
		SCMP_SYS(read), SCMP_SYS(recvfrom), SCMP_SYS(restart_syscall),
		SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(shutdown),
		SCMP_SYS(time), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
		SCMP_SYS(write), SCMP_SYS(writev),
	};
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));

#if defined(__SANITIZE_ADDRESS__)
	/* its run-time needs more */
	seccomp_release(f);
	return;
#endif
	for (size_t i = 0; f && i < sizeof(needed) / sizeof(needed[0]); i++)
		seccomp_rule_add(f, SCMP_ACT_ALLOW, needed[i], 0);
	/* a kernel without filters serves all the same */
	if (f && seccomp_load(f) < 0)
		verbose("monitord-see runs without a filter");
	seccomp_release(f);
}

static void __attribute__((noreturn)) server(pid_t front, int pipe_fd)
{
	int tracer_fd = (int)syscall(SYS_pidfd_open, see_facts.tracer, 0);
	int keep[] = {
		tracer_fd, pipe_fd, see_event, control_fd, metrics_fd
	};

	prctl(PR_SET_NAME, "monitord-see");
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* a flood of clients shall not compete with the program */
	setpriority(PRIO_PROCESS, 0, 5);
	setsid();
	if (chdir("/") < 0 || tracer_fd < 0)
		_exit(0);
	close_others(keep, sizeof(keep) / sizeof(keep[0]));
	see_facts.front = front;
	see_facts.uid = geteuid();
	see_facts.started = prepared;
	see_facts.started_wall = prepared_wall;
	if (!mon.opt.control)
		listen_default();
	see_facts.control = control_path[0] ? control_path : NULL;
	see_facts.metrics = metrics_fd >= 0 ? metrics_text : NULL;
	sandbox();
	if (control_fd >= 0 || metrics_fd >= 0)
		see_serve(tracer_fd, pipe_fd, control_fd, metrics_fd);
	if (control_path[0])
		unlink(control_path);
	if (metrics_path[0])
		unlink(metrics_path);
	_exit(0);
}

/* ---- in the front process ---- */

int see_patience(void)
{
	uint64_t spent;

	if (!wanted || started)
		return -1;
	spent = (see_clock() - prepared) / 1000000;
	return spent >= START_MS ? 0 : (int)(START_MS - spent);
}

void see_start(pid_t tracer, bool at_once)
{
	pid_t front = getpid();
	int end[2];

	if (!wanted || started || (!at_once && see_patience() > 0))
		return;
	started = true;
	if (pipe2(end, O_CLOEXEC) < 0)
		return;
	see_facts.tracer = tracer;
	server_pid = fork();
	if (!server_pid) {
		close(end[1]);
		server(front, end[0]);
	}
	close(end[0]);
	server_pipe = end[1];
	if (server_pid < 0)
		verbose("nobody can look at this run: fork: %s",
			strerror(errno));
	if (control_fd >= 0)
		close(control_fd);
	if (metrics_fd >= 0)
		close(metrics_fd);
}

void see_end(void)
{
	struct pollfd p = { -1, POLLIN, 0 };

	if (!started) {
		/* over before there was anything to see */
		if (control_path[0])
			unlink(control_path);
		if (metrics_path[0])
			unlink(metrics_path);
		return;
	}
	if (server_pid <= 0)
		return;
	/* it knows by itself; but it must not outlive us */
	p.fd = (int)syscall(SYS_pidfd_open, server_pid, 0);
	if (p.fd < 0 || poll(&p, 1, END_MS) != 1)
		kill(server_pid, SIGKILL);
	waitpid(server_pid, NULL, 0);
}

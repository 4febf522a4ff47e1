// SPDX-License-Identifier: Apache-2.0
/*
 * A service to test `monitord service` with: what a service manager promises a
 * process, it writes down, one line each, on standard output; then it does what
 * its arguments say, and lives on until SIGTERM.
 *
 *	unitd [WORD...]
 *
 *	env		the variables that name a process, are they this one?
 *	args A...	print the rest of the arguments
 *	files		what of the system it can see and write
 *	ready		READY=1, after a while, and a status
 *	mainpid		MAINPID= this process
 *	child-status	a status sent by a child
 *	daemon FILE	fork, write the child's pid to FILE, the parent ends
 *	pidfile FILE	write its pid to FILE
 *	watchdog	ping in time, until SIGUSR1
 *	serve		answer connections on descriptor 3
 *	child		a child that counts signals, too
 *	filtered	calls a filter forbids
 *	plain		no signal handlers
 *	exit N, abort	end at once
 *	user NAME	become that user
 *	leak		on SIGUSR2, write an address of its own
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void __attribute__((format(printf, 1, 2))) line(const char *fmt, ...)
{
	char buf[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf) - 1, fmt, ap);
	va_end(ap);
	if (n < 0 || n > (int)sizeof(buf) - 2)
		n = sizeof(buf) - 2;
	buf[n++] = '\n';
	if (write(1, buf, (size_t)n) != n)
		_exit(90);
}

static void nap(int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static void notify(const char *text)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = name ? strlen(name) : 0;
	int s;

	if (!n || n >= sizeof(a.sun_path)) {
		line("no manager to tell: %s", text);
		return;
	}
	memcpy(a.sun_path, name, n);
	if (name[0] == '@')
		a.sun_path[0] = 0;
	s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sendto(s, text, strlen(text), 0, (const struct sockaddr *)&a,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		line("notify: %s", strerror(errno));
	close(s);
}

static void env(void)
{
	static const char *const pids[] = { "LISTEN_PID", "WATCHDOG_PID",
					    "SYSTEMD_EXEC_PID" };
	static const char *const others[] = { "LISTEN_FDS", "LISTEN_FDNAMES",
					      "WATCHDOG_USEC", "STATE_DIRECTORY",
					      "RUNTIME_DIRECTORY", "HOME",
					      "USER" };

	for (size_t i = 0; i < 3; i++) {
		const char *v = getenv(pids[i]);

		line("%s %s", pids[i], !v ? "-" : atoi(v) == getpid() ?
		     "is this process" : "is another");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		line("%s %s", others[i], getenv(others[i]) ?: "-");
	line("NOTIFY_SOCKET %s", getenv("NOTIFY_SOCKET") ? "set" : "-");
	line("INVOCATION_ID %s", getenv("INVOCATION_ID") ? "set" : "-");
}

static void status_line(const char *key)
{
	char buf[256];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(buf, sizeof(buf), f))
		if (!strncmp(buf, key, strlen(key))) {
			buf[strcspn(buf, "\n")] = 0;
			line("%s", buf);
		}
	if (f)
		fclose(f);
}

static void try_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	line("create %s: %s", path, fd < 0 ? strerror(errno) : "ok");
	if (fd >= 0) {
		close(fd);
		unlink(path);
	}
}

static void files(void)
{
	char path[256];
	struct rlimit r;

	line("uid %s", getuid() ? "not root" : "root");
	status_line("NoNewPrivs");
	status_line("CapBnd");
	status_line("CapEff");
	line("/tmp/outside: %s", access("/tmp/outside", F_OK) ? strerror(errno) :
	     "there");
	try_write("/tmp/unitd.x");
	try_write("/usr/unitd.x");
	try_write("/etc/unitd.x");
	try_write("/var/lib/unitd.x");
	if (getenv("STATE_DIRECTORY")) {
		snprintf(path, sizeof(path), "%s/x", getenv("STATE_DIRECTORY"));
		try_write(path);
	}
	getrlimit(RLIMIT_NOFILE, &r);
	line("descriptors %lu %lu", (unsigned long)r.rlim_cur,
	     (unsigned long)r.rlim_max);
}

static void filtered(void)
{
	line("mount: %s", mount("none", "/mnt", "tmpfs", 0, "") ?
	     strerror(errno) : "ok");
	line("nice: %s", setpriority(PRIO_PROCESS, 0, 5) ? strerror(errno) :
	     "ok");
	line("socket: %s", socket(AF_NETLINK, SOCK_RAW, 0) < 0 ?
	     strerror(errno) : "ok");
}

static volatile sig_atomic_t pinging;

static void serve(void)
{
	char buf[64];
	int fd = accept4(3, NULL, NULL, SOCK_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (n > 0 && write(fd, buf, (size_t)n) == n)
		line("served %zd bytes", n);
	close(fd);
}

static const char *role = "";
static int leaks;

/* Waits for signals and connections. */
static void __attribute__((noreturn)) live(int with_socket)
{
	struct pollfd p[2];
	sigset_t all;
	int end = -1, ping_ms = -1;
	const char *usec = getenv("WATCHDOG_USEC");

	if (pinging && usec)
		ping_ms = atoi(usec) / 1000 / 4;
	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGHUP);
	sigaddset(&all, SIGUSR1);
	sigaddset(&all, SIGUSR2);
	p[0].fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	p[0].events = POLLIN;
	p[1].fd = with_socket ? 3 : -1;
	p[1].events = POLLIN;
	for (;;) {
		struct signalfd_siginfo si;
		int r = poll(p, 2, end >= 0 ? end : ping_ms);

		if (!r && end >= 0) {
			/* a second signal has had its time to come */
			line("%send", role);
			exit(0);
		}
		if (!r && pinging)
			notify("WATCHDOG=1");
		if (r <= 0)
			continue;
		if (p[1].revents)
			serve();
		while (read(p[0].fd, &si, sizeof(si)) == sizeof(si)) {
			line("%ssignal %s", role, sigabbrev_np((int)si.ssi_signo));
			if (si.ssi_signo == SIGTERM)
				end = 400;
			if (si.ssi_signo == SIGHUP && getenv("NOTIFY_SOCKET")) {
				notify("RELOADING=1");
				notify("READY=1\nSTATUS=reloaded");
			}
			if (si.ssi_signo == SIGUSR1) {
				pinging = 0;
				ping_ms = -1;
			}
			if (si.ssi_signo == SIGUSR2 && leaks)
				line("%p", (void *)&pinging);
		}
	}
}

static void become(const char *name)
{
	struct passwd *pw = getpwnam(name);

	if (!pw || setgroups(0, NULL) || setgid(pw->pw_gid) ||
	    setuid(pw->pw_uid))
		line("user %s: %s", name, strerror(errno));
	else
		line("user %s", name);
}

static void write_pid(const char *file)
{
	FILE *f = fopen(file, "w");

	if (!f) {
		line("%s: %s", file, strerror(errno));
		_exit(91);
	}
	fprintf(f, "%d\n", (int)getpid());
	fclose(f);
}

static void demonise(const char *file)
{
	if (fork()) {
		/* systemd reads the file when this one has ended */
		nap(200);
		_exit(0);
	}
	setsid();
	write_pid(file);
}

int main(int argc, char **argv)
{
	int with_socket = 0, plain = 0;
	sigset_t all;

	sigemptyset(&all);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGHUP);
	sigaddset(&all, SIGUSR1);
	sigaddset(&all, SIGUSR2);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (int i = 1; i < argc; i++) {
		const char *w = argv[i];

		if (!strcmp(w, "env")) {
			env();
		} else if (!strcmp(w, "args")) {
			line("name [%s]", argv[0]);
			while (++i < argc)
				line("argument [%s]", argv[i]);
		} else if (!strcmp(w, "files")) {
			files();
		} else if (!strcmp(w, "ready")) {
			nap(200);
			notify("READY=1\nSTATUS=ready, says the program");
		} else if (!strcmp(w, "mainpid")) {
			char text[64];

			snprintf(text, sizeof(text), "STATUS=main\nMAINPID=%d",
				 (int)getpid());
			notify(text);
		} else if (!strcmp(w, "child-status")) {
			pid_t pid = fork();

			if (!pid) {
				notify("STATUS=says a child");
				/* systemd asks who it is when it reads that */
				nap(1200);
				_exit(0);
			}
			waitpid(pid, NULL, 0);
		} else if (!strcmp(w, "daemon") && i + 1 < argc) {
			demonise(argv[++i]);
		} else if (!strcmp(w, "pidfile") && i + 1 < argc) {
			write_pid(argv[++i]);
		} else if (!strcmp(w, "watchdog")) {
			pinging = 1;
		} else if (!strcmp(w, "serve")) {
			with_socket = 1;
		} else if (!strcmp(w, "child")) {
			if (!fork()) {
				role = "child: ";
				live(0);
			}
		} else if (!strcmp(w, "filtered")) {
			filtered();
		} else if (!strcmp(w, "plain")) {
			plain = 1;
		} else if (!strcmp(w, "exit") && i + 1 < argc) {
			return atoi(argv[++i]);
		} else if (!strcmp(w, "abort")) {
			abort();
		} else if (!strcmp(w, "user") && i + 1 < argc) {
			become(argv[++i]);
		} else if (!strcmp(w, "leak")) {
			leaks = 1;
		} else {
			line("what is '%s'?", w);
			return 92;
		}
	}
	line("up");
	if (plain) {
		sigprocmask(SIG_UNBLOCK, &all, NULL);
		for (;;)
			pause();
	}
	live(with_socket);
}

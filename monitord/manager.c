// SPDX-License-Identifier: Apache-2.0
/*
 * Started by a service manager.
 *
 * Theory of operation
 * -------------------
 * A service manager (systemd) takes the process it has started for the
 * service: that is the front process, while the program is its leader, another
 * process.  Four things would come out differently:
 *
 *  Variables.  LISTEN_PID, WATCHDOG_PID and SYSTEMD_EXEC_PID name the process
 *	that is meant, and programs compare them with their own pid.  They are
 *	rewritten in the variants' environment when they name us.  The runtime
 *	directory that is for our control socket is left out.
 *
 *  sd_notify.  The manager takes messages (READY=1, WATCHDOG=1, ...) from the
 *	process it has started (NotifyAccess=main).  So the program gets the
 *	address of a socket of ours in NOTIFY_SOCKET; what it sends there is
 *	passed on by the front process, in whose name it then comes.  The sender
 *	is what the kernel says it is (SCM_CREDENTIALS): the program's first
 *	process; others too with --notify=all, if they are in our control group.
 *	MAINPID= with the leader's pid is left out: the manager's main process
 *	is ours, as it would be the program's.
 *
 *  Signals.  `systemctl stop` signals either the main process, which has to
 *	hand it on, or every process of the unit (KillMode=control-group), the
 *	leader included, for which it would be a second one.  The witness, a
 *	process that does nothing but wait for signals, tells one from the
 *	other: a signal from the manager is held for HOLD_MS, and handed on
 *	unless the witness got it as well.  It is born after the leader: what
 *	reached it has reached the leader.  What comes before that, or what it
 *	sees later than that on a busy machine, the program may get twice, which
 *	is better than never.
 *
 *  Ends.  A manager tells an exit status from a signal, and takes some signals
 *	for a clean end: the front process dies of what the program died of.
 *
 * All of this only when SYSTEMD_EXEC_PID says that we are what was started
 * (systemd 248 and later); otherwise the environment stays as it is, but for
 * LISTEN_PID and WATCHDOG_PID, which older ones know.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front.h"
#include "manager.h"
#include "monitor.h"
#include "see.h"

#define HOLD_MS		100u
#define MESSAGE_MAX	65536u		/* the manager takes 4096 */
#define FDS_MAX		253		/* SCM_MAX_FD */

static pid_t self;			/* of the front process */
static pid_t manager_pid;
static bool started_us, journal_stderr;
static int relay = -1;
static struct sockaddr_un manager_addr;
static socklen_t manager_addr_len;

/* Does this variable name the process `pid`? */
static bool names(const char *value, pid_t pid)
{
	char *end;
	long n = value ? strtol(value, &end, 10) : 0;

	return value && *value && !*end && n == pid;
}

bool manager_started_us(void)
{
	return started_us;
}

bool manager_stderr_is_journal(void)
{
	return journal_stderr;
}

bool manager_journal(void)
{
	return started_us || journal_stderr;
}

/* $JOURNAL_STREAM: device and inode, to be compared with stderr's. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
		!fstat(STDERR_FILENO, &st) && st.st_dev == dev &&
		st.st_ino == ino;
}

/* ---- messages to the manager ---- */

static bool manager_address(const char *name)
{
	size_t n = name ? strlen(name) : 0;

	if (n < 2 || n >= sizeof(manager_addr.sun_path) ||
	    (name[0] != '/' && name[0] != '@'))
		return false;
	manager_addr.sun_family = AF_UNIX;
	memcpy(manager_addr.sun_path, name, n);
	if (name[0] == '@')
		manager_addr.sun_path[0] = 0;
	else
		n++;
	manager_addr_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				       n);
	return true;
}

/* A name that nobody can take before us; who sends there is checked. */
static void relay_open(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char name[64];
	uint64_t r[2];
	int on = 1, n;

	if (mon.opt.notify == NOTIFY_DIRECT ||
	    !manager_address(getenv("NOTIFY_SOCKET")))
		return;
	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return;
	n = snprintf(name, sizeof(name), "@ipmon/notify/%016llx%016llx",
		     (unsigned long long)r[0], (unsigned long long)r[1]);
	memcpy(a.sun_path, name, (size_t)n);
	a.sun_path[0] = 0;
	relay = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (relay < 0 ||
	    setsockopt(relay, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    bind(relay, (const struct sockaddr *)&a,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			     (size_t)n)) < 0 ||
	    setenv("NOTIFY_SOCKET", name, 1) < 0) {
		say("cannot pass on what the program tells the service manager: %s; the unit needs NotifyAccess=all",
		    strerror(errno));
		if (relay >= 0)
			close(relay);
		relay = -1;
	}
}

void manager_begin(void)
{
	self = getpid();
	started_us = names(getenv("SYSTEMD_EXEC_PID"), self);
	journal_stderr = stderr_is_journal();
	manager_pid = getppid();
	if (started_us)
		relay_open();
}

void manager_tracer(void)
{
	if (relay >= 0)
		close(relay);
	relay = -1;
}

int manager_fd(void)
{
	return relay;
}

/* Is this process in the same control groups as we are? */
static bool same_cgroup(pid_t pid)
{
	char name[32], text[2][4096];
	const pid_t who[2] = { pid, self };

	for (unsigned int i = 0; i < 2; i++) {
		ssize_t n;
		int fd;

		snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)who[i]);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, text[i], sizeof(text[i]) - 1);
		if (fd >= 0)
			close(fd);
		if (n <= 0)
			return false;
		text[i][n] = 0;
	}
	return !strcmp(text[0], text[1]);
}

/*
 * Take lines away that name the leader as the main process: the manager knows
 * it by our pid, and has no use for another.  Returns the new length.
 */
static size_t without_mainpid(char *text, size_t len, pid_t root)
{
	static const char key[] = "MAINPID=";
	char *to = text, *end = text + len;

	for (char *p = text, *next; p < end; p = next) {
		char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n;
		char value[16] = "";

		next = nl ? nl + 1 : end;
		n = (size_t)((nl ? nl : end) - p);
		if (n > sizeof(key) - 1 &&
		    n - (sizeof(key) - 1) < sizeof(value) &&
		    !memcmp(p, key, sizeof(key) - 1)) {
			memcpy(value, p + sizeof(key) - 1,
			       n - (sizeof(key) - 1));
			if (names(value, root))
				continue;
		}
		memmove(to, p, (size_t)(next - p));
		to += next - p;
	}
	return (size_t)(to - text);
}

static void pass_on(char *text, size_t len, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} c;
	struct iovec iov = { text, len };
	struct msghdr m = {
		.msg_name = &manager_addr, .msg_namelen = manager_addr_len,
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (n_fds) {
		memset(&c, 0, sizeof(c));
		m.msg_control = &c;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		c.h.cmsg_level = SOL_SOCKET;
		c.h.cmsg_type = SCM_RIGHTS;
		c.h.cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(&c.h), fds, sizeof(int) * n_fds);
	}
	if (s < 0 || sendmsg(s, &m, MSG_NOSIGNAL) < 0)
		say("cannot pass a message on to the service manager: %s",
		    strerror(errno));
	if (s >= 0)
		close(s);
}

/* One message; false: there is none. */
static bool relay_one(pid_t root)
{
	static char text[MESSAGE_MAX];
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int) * FDS_MAX) +
			CMSG_SPACE(sizeof(struct ucred))];
	} c;
	struct iovec iov = { text, sizeof(text) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &c, .msg_controllen = sizeof(c),
	};
	struct ucred cred = { 0 };
	int fds[FDS_MAX];
	size_t n_fds = 0, len;
	ssize_t n = recvmsg(relay, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EINTR;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
		if (h->cmsg_level != SOL_SOCKET)
			continue;
		if (h->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&cred, CMSG_DATA(h), sizeof(cred));
		} else if (h->cmsg_type == SCM_RIGHTS) {
			n_fds = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			if (n_fds > FDS_MAX)
				n_fds = FDS_MAX;
			memcpy(fds, CMSG_DATA(h), n_fds * sizeof(int));
		}
	}
	if (m.msg_flags & MSG_TRUNC) {
		say("a message of process %d to the service manager is too long; not passed on",
		    (int)cred.pid);
	} else if (cred.pid <= 0 || (cred.pid != root &&
		   (mon.opt.notify != NOTIFY_ALL || !same_cgroup(cred.pid)))) {
		verbose("process %d may not talk to the service manager", (int)cred.pid);
	} else {
		len = without_mainpid(text, (size_t)n, root);
		if (len || n_fds)
			pass_on(text, len, fds, n_fds);
	}
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	return true;
}

void manager_relay(pid_t root)
{
	while (relay >= 0 && relay_one(root))
		;
}

/* ---- the environment of the variants ---- */

/*
 * $RUNTIME_DIRECTORY without the directory that is ours (see_path.c): services
 * whose unit has one of its own take the variable as its path.  NULL: nothing is
 * left, and the program would not have the variable.
 */
static char *without_own_dir(const char *assignment)
{
	static const char key[] = "RUNTIME_DIRECTORY=";
	static char text[4096];
	const char *p = assignment + sizeof(key) - 1;
	size_t n, out = sizeof(key) - 1;

	if (strlen(assignment) >= sizeof(text))
		return (char *)assignment;
	memcpy(text, key, out);
	for (; *p; p += n + (p[n] == ':')) {
		n = strcspn(p, ":");
		if (!strncmp(p, SEE_RUN_DIR "/", sizeof(SEE_RUN_DIR)))
			continue;
		if (text[out - 1] != '=')
			text[out++] = ':';
		memcpy(text + out, p, n);
		out += n;
	}
	text[out] = 0;
	return text[out - 1] == '=' ? NULL : text;
}

void manager_child(char **env, pid_t leader)
{
	static const char *const vars[] = {
		"LISTEN_PID=", "WATCHDOG_PID=", "SYSTEMD_EXEC_PID=",
	};
	static char text[3][40];
	char **to = env;

	for (; *env; env++) {
		char *now = *env;

		if (!strncmp(now, "RUNTIME_DIRECTORY=", 18) &&
		    strstr(now, SEE_RUN_DIR "/"))
			now = without_own_dir(now);
		for (unsigned int k = 0; now && k < 3; k++) {
			size_t n = strlen(vars[k]);

			if (strncmp(now, vars[k], n) || !names(now + n, self))
				continue;
			snprintf(text[k], sizeof(text[k]), "%s%d", vars[k],
				 (int)leader);
			now = text[k];
		}
		if (now)
			*to++ = now;
	}
	*to = NULL;
}

/* ---- signals to all ---- */

static pid_t witness_pid;
static int witness_fd = -1;
static struct {
	siginfo_t info;
	uint64_t since;			/* ns, 0 = nothing held */
	uint64_t seen;			/* ns, by the witness alone so far */
} held[NSIG];

static void __attribute__((noreturn)) witness(int fd)
{
	sigset_t all;
	siginfo_t info;

	front_end_with(self);
	prctl(PR_SET_NAME, "monitord-wit");
	if (fd > 0)
		close_range(0, (unsigned int)fd - 1, 0);
	close_range((unsigned int)fd + 1, ~0u, 0);
	sigfillset(&all);
	for (;;)
		if (sigwaitinfo(&all, &info) > 0 &&
		    info.si_pid == manager_pid && info.si_code <= 0 &&
		    write(fd, &info.si_signo, sizeof(info.si_signo)) < 0)
			_exit(0);
}

void manager_witness_start(void)
{
	int p[2];

	if (!started_us || pipe2(p, O_CLOEXEC) < 0)
		return;
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	witness_pid = fork();
	if (!witness_pid) {
		close(p[0]);
		if (relay >= 0)
			close(relay);
		witness(p[1]);
	}
	close(p[1]);
	if (witness_pid > 0)
		witness_fd = p[0];
	else
		close(p[0]);
}

void manager_witness_end(void)
{
	if (witness_pid > 0) {
		kill(witness_pid, SIGKILL);
		waitpid(witness_pid, NULL, 0);
	}
	witness_pid = 0;
}

int manager_witness_fd(void)
{
	return witness_fd;
}

bool manager_hold(const siginfo_t *info)
{
	int sig = info->si_signo;
	uint64_t now = now_ns();

	if (witness_fd < 0 || info->si_pid != manager_pid)
		return false;
	if (held[sig].seen && now - held[sig].seen < HOLD_MS * 1000000ull) {
		held[sig].seen = 0;
		return true;		/* the program has it already */
	}
	held[sig].info = *info;
	held[sig].since = now;
	return true;
}

void manager_witnessed(void)
{
	int sig;

	while (witness_fd >= 0) {
		ssize_t n = read(witness_fd, &sig, sizeof(sig));

		if (n != sizeof(sig)) {
			if (n >= 0) {
				/* it is gone: nothing is held any more */
				close(witness_fd);
				witness_fd = -1;
			}
			break;
		}
		if (sig < 1 || sig >= NSIG)
			continue;
		if (held[sig].since)
			held[sig].since = 0;
		else
			held[sig].seen = now_ns();
	}
}

bool manager_let_go(siginfo_t *info)
{
	uint64_t now = now_ns();

	for (int sig = 1; sig < NSIG; sig++)
		if (held[sig].since &&
		    now - held[sig].since >= HOLD_MS * 1000000ull) {
			held[sig].since = 0;
			*info = held[sig].info;
			return true;
		}
	return false;
}

int manager_timeout(void)
{
	uint64_t first = 0, now;

	for (int sig = 1; sig < NSIG; sig++)
		if (held[sig].since && (!first || held[sig].since < first))
			first = held[sig].since;
	if (!first)
		return -1;
	now = now_ns();
	if (now - first >= HOLD_MS * 1000000ull)
		return 0;
	return (int)((first + HOLD_MS * 1000000ull - now) / 1000000u) + 1;
}

/* ---- the end ---- */

void manager_die(int sig)
{
	const struct rlimit none = { 0, 0 };
	sigset_t one;

	if (!started_us || sig < 1 || sig >= NSIG)
		return;
	/* the core is the program's */
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
	signal(sig, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

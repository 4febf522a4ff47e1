// SPDX-License-Identifier: Apache-2.0
/*
 * The front process: the part of monitord that the caller knows.
 *
 * Theory of operation
 * -------------------
 *	caller ---- front ---- tracer ---- leader (the program)
 *					\- followers
 *
 * `monitord run` forks.  The child, the tracer, owns all variants; the parent
 * stays behind as what the caller started: it hands signals *sent to it* on
 * to the program (of SIGSTOP the tracer finds out, front_tick()), stops when the program
 * stops (job control) and exits with the program's exit status.  It can go as soon as the root program has
 * ended; the tracer lives on as long as any process of the tree does.
 *
 * Process groups.  The leader takes the caller's place in the caller's
 * process group P, so that the terminal and kill(-P) reach it directly:
 *
 *	P	leader (and what the caller put there)
 *	Q	the front process: outside P, so that a signal to the group
 *		does not reach the program twice.  A session leader cannot
 *		leave P; only then kill(-P) is seen twice.
 *	groups of their own
 *		the tracer and the followers: kill(0) by the program and the
 *		terminal's signals must not hit them
 *
 * All stay in the caller's session as long as the root program lives: were
 * the leader's parent in another one, P would be an orphaned process group
 * and the terminal's stop signals without effect (setpgid(2)).
 *
 * Signals of the terminal carry SI_KERNEL and are never handed on: the leader
 * got them itself.
 *
 * Death.  The tracer has PDEATHSIG SIGKILL until the root program ends, the
 * variants die with the tracer (PTRACE_O_EXITKILL): kill -9 of either monitor
 * process leaves nothing behind.  A front process that is stopped is continued for
 * that (life_fd).
 *
 * Whoever wants to look at a run is served by a third process, which the front
 * process starts (control.c).
 *
 * Two channels lead from the tracer to the front process: messages over a
 * SOCK_SEQPACKET pair (status_fd), and a shared page for what must be known
 * without a message.  Everything here runs with all signals blocked.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fast.h"
#include "front.h"
#include "launch.h"
#include "manager.h"
#include "monitor.h"
#include "see.h"

/* ---- what the caller passed in ---- */

static struct {
	sigset_t mask;
	struct sigaction act[NSIG];
	struct rlimit limit[8];	/* of limited[] */
	bool closed[3];
	int *fds;		/* open descriptors above 2 */
	size_t n_fds;
} inherited;

/*
 * Limits the monitor would run into on the program's behalf, with copies of what it
 * has and the time that takes; and those that followers do without, as they have
 * neither descriptors nor files, and their time is not the program's.
 */
static const struct {
	int resource;
	bool followers;		/* they have it, too */
} limited[] = {
	{ RLIMIT_NOFILE, false }, { RLIMIT_CPU, false },
	{ RLIMIT_FSIZE, false }, { RLIMIT_AS, true }, { RLIMIT_DATA, true },
	{ RLIMIT_STACK, true },
};
#define LIMITED (sizeof(limited) / sizeof(limited[0]))
_Static_assert(LIMITED <= sizeof(inherited.limit) / sizeof(inherited.limit[0]),
	       "all are kept");

static void note_fd(int fd)
{
	int *v = reallocarray(inherited.fds, inherited.n_fds + 1, sizeof(*v));

	if (!v)
		die("out of memory");
	inherited.fds = v;
	v[inherited.n_fds++] = fd;
}

static void note_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;

	if (!d) {
		/* no /proc: `run` will fail with a better message */
		return;
	}
	while ((e = readdir(d))) {
		int fd = atoi(e->d_name);

		if (fd > 2 && fd != dirfd(d))
			note_fd(fd);
	}
	closedir(d);
}

int null_open(int flags)
{
	int fd = open("/dev/null", O_RDWR | flags);

	if (fd >= 0)
		return fd;
	fd = memfd_create("null", MFD_ALLOW_SEALING |
			  (flags & O_CLOEXEC ? MFD_CLOEXEC : 0));
	if (fd >= 0)
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SEAL);
	return fd;
}

void inherit_save(void)
{
	sigprocmask(SIG_SETMASK, NULL, &inherited.mask);
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, NULL, &inherited.act[sig]);
	for (size_t i = 0; i < LIMITED; i++)
		getrlimit((__rlimit_resource_t)limited[i].resource,
			  &inherited.limit[i]);
	for (int fd = 0; fd < 3; fd++)
		inherited.closed[fd] = fcntl(fd, F_GETFD) < 0;
	note_fds();
	/* our own files must not become anybody's stdin, stdout or stderr */
	for (int fd = 0; fd < 3; fd++)
		if (inherited.closed[fd] && null_open(0) != fd)
			_exit(EXIT_MONITOR);
}

/* As high as it must be for the program to have what it was given (h_cred.c),
 * or as high as we may. */
static void limit_space(void)
{
	uint64_t more = fast_hidden_bytes();
	struct rlimit as;

	if (getrlimit(RLIMIT_AS, &as) || as.rlim_cur == RLIM_INFINITY)
		return;
	as.rlim_cur += more;
	if (as.rlim_max != RLIM_INFINITY)
		as.rlim_max += more;
	if (!setrlimit(RLIMIT_AS, &as) || as.rlim_max == RLIM_INFINITY)
		return;
	as.rlim_max -= more;
	if (as.rlim_cur > as.rlim_max)
		as.rlim_cur = as.rlim_max;
	setrlimit(RLIMIT_AS, &as);
}

void inherit_lift(void)
{
	for (size_t i = 0; i < LIMITED; i++) {
		__rlimit_resource_t what =
			(__rlimit_resource_t)limited[i].resource;
		const struct rlimit none = { RLIM_INFINITY, RLIM_INFINITY };
		struct rlimit most = inherited.limit[i];

		most.rlim_cur = most.rlim_max;
		/* of descriptors there cannot be so many */
		if (what == RLIMIT_NOFILE || setrlimit(what, &none) < 0)
			setrlimit(what, &most);
	}
}

void inherit_restore(bool leader)
{
	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			sigaction(sig, &inherited.act[sig], NULL);
	for (size_t i = 0; i < LIMITED; i++)
		if (leader || limited[i].followers)
			setrlimit((__rlimit_resource_t)limited[i].resource,
				  &inherited.limit[i]);
	limit_space();
	for (int fd = 0; leader && fd < 3; fd++)
		if (inherited.closed[fd])
			close(fd);
	sigprocmask(SIG_SETMASK, &inherited.mask, NULL);
}

void inherit_drop(void)
{
	int null = null_open(O_CLOEXEC);

	for (size_t i = 0; i < inherited.n_fds; i++)
		close(inherited.fds[i]);
	inherited.n_fds = 0;
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		close(null);
	}
}

/* ---- shared by front and tracer ---- */

enum message_type { MSG_ROOT = 1, MSG_EXITED, MSG_DETACH, MSG_STOPPED };

struct message {
	int type;
	int value;
};

static struct share {
	_Atomic pid_t root;	/* leader's root process; written by tracer */
	_Atomic int died_of;	/* the signal that ended the root, or 0 */
	_Atomic int stopped;	/* the root is stopped; written by tracer */
	_Atomic int stopping;	/* front is about to stop; written by front */
	/* Last sender of each signal handed on; written by front before the
	 * signal is sent, read by tracer when it arrives. */
	siginfo_t origin[NSIG];
} *share;

static pid_t front_pid, tracer_pid;

/*
 * Nobody can hand on the SIGSTOP that stops him: the tracer looks at the front
 * process now and then.  When it has, and whether the program has been sent one since
 * it was last seen running.
 */
#define LOOK_NS 200000000u
static uint64_t looked_at;
static bool stop_sent;

/* ---- the tracer's side ---- */

void front_end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* it was too late for that */
	if (getppid() != parent)
		_exit(EXIT_MONITOR);
}

int front_own_group(pid_t pid)
{
	pid_t self = getpid(), founder = fork();
	int r, error;

	if (founder < 0)
		return -1;
	if (!founder) {
		front_end_with(self);
		for (;;)
			pause();
	}
	r = setpgid(founder, founder);
	if (!r)
		r = setpgid(pid, founder);
	error = errno;
	kill(founder, SIGKILL);
	waitpid(founder, NULL, 0);
	errno = error;
	return r;
}

/*
 * Move to a process group of our own, see above.  A group needs a leader to be
 * founded, and must not be led by us: a group leader cannot setsid(), and the
 * front process' pid is probably P already.
 */
static void leave_group(void)
{
	/* EPERM: a session leader has to stay */
	if (front_own_group(0) < 0 && errno != EPERM)
		verbose("setpgid: %s", strerror(errno));
}

static void tell(int type, int value)
{
	struct message m = { type, value };

	if (mon.status_fd > 0)
		while (send(mon.status_fd, &m, sizeof(m), MSG_NOSIGNAL) < 0 &&
		       errno == EINTR)
			;
}

void front_leave(void)
{
	leave_group();
}

void front_root(pid_t pid)
{
	if (!share)
		return;
	share->root = pid;
	tell(MSG_ROOT, (int)pid);
}

void front_died(int sig)
{
	if (share)
		share->died_of = sig;
}

void front_exited(int status)
{
	static bool told;

	if (told || !share)
		return;
	told = true;
	launch_say_failure();
	share->root = 0;
	tell(MSG_EXITED, status);
}

void front_detach(void)
{
	struct stat st;

	if (!share)
		return;
	prctl(PR_SET_PDEATHSIG, 0);
	/* the session may end with the caller; what is left of the tree has
	 * been reparented away from it as well */
	setsid();
	tell(MSG_DETACH, 0);
	/* Whoever reads a pipe until its end waits for the program, not for
	 * us; a terminal or file may still take our messages. */
	if (!manager_stderr_is_journal() && !fstat(STDERR_FILENO, &st) &&
	    (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode))) {
		int null = null_open(O_CLOEXEC);

		if (null >= 0) {
			dup2(null, STDERR_FILENO);
			close(null);
		}
	}
}

void front_stopped(int sig)
{
	if (!share)
		return;
	share->stopped = 1;
	tell(MSG_STOPPED, sig);
}

void front_continued(void)
{
	const struct timespec pause = { 0, 100000 };

	stop_sent = false;
	if (!share || !share->stopped)
		return;
	share->stopped = 0;
	kill(front_pid, SIGCONT);
	/* It may have been between its last look at `stopped` and stopping;
	 * a stop signal discards a pending SIGCONT, so send it again. */
	for (int i = 0; share->stopping && i < 10000; i++) {
		nanosleep(&pause, NULL);
		kill(front_pid, SIGCONT);
	}
}

static bool front_is_stopped(void)
{
	char path[32], line[512], *state = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)front_pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	/* the name may hold anything: the last parenthesis (proc(5)) */
	if (fgets(line, sizeof(line), f))
		state = strrchr(line, ')');
	fclose(f);
	return state && !strncmp(state, ") T", 3);
}

void front_tick(void)
{
	if (!share || !share->root || share->stopped || share->stopping ||
	    mon.now - looked_at < LOOK_NS)
		return;
	looked_at = mon.now;
	if (!front_is_stopped()) {
		stop_sent = false;
		return;
	}
	if (stop_sent)
		return;
	stop_sent = true;
	kill(share->root, SIGSTOP);
	/* continued meanwhile, and the program before this */
	if (!front_is_stopped())
		kill(share->root, SIGCONT);
}

bool front_origin(siginfo_t *info)
{
	int sig = info->si_signo;

	if (!share || info->si_code != SI_USER || info->si_pid != front_pid ||
	    sig < 1 || sig >= NSIG || !share->origin[sig].si_signo)
		return false;
	*info = share->origin[sig];
	return true;
}

/* ---- the front process ---- */

/* Signals that came before the program existed; by number, as the kernel
 * keeps standard signals. */
static siginfo_t early[NSIG];

static void hand_on(const siginfo_t *info)
{
	pid_t root = share->root;
	int sig = info->si_signo;

	if (!root) {
		early[sig] = *info;
		return;
	}
	if (info->si_code == SI_USER || info->si_code == SI_TKILL) {
		/* only the kernel may send SI_USER: leave a note */
		share->origin[sig] = *info;
		share->origin[sig].si_code = SI_USER;
		kill(root, sig);
	} else {
		siginfo_t copy = *info;

		syscall(SYS_rt_sigqueueinfo, root, sig, &copy);
	}
}

/*
 * The end of a pipe whose other one only the tracer has.  A stopped process cannot
 * see that the tracer has died; the kernel continues it then, as it closes that.
 */
static int life_fd = -1;

static int watch_life(int fd)
{
	life_fd = fd;
	return fcntl(fd, F_SETOWN, getpid()) < 0 ||
		fcntl(fd, F_SETSIG, SIGCONT) < 0 ||
		fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) < 0 ? -1 : 0;
}

static bool tracer_gone(void)
{
	struct pollfd p = { .fd = life_fd };

	return poll(&p, 1, 0) > 0 && p.revents & POLLHUP;
}

static void stop_self(int sig)
{
	sigset_t one;

	if (sig != SIGSTOP && sig != SIGTSTP && sig != SIGTTIN &&
	    sig != SIGTTOU)
		sig = SIGSTOP;
	signal(sig, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	share->stopping = 1;
	if (share->stopped) {
		raise(sig);
		/* SIGCONT takes it back, but not one that came before it */
		if (tracer_gone())
			signal(sig, SIG_IGN);
		sigprocmask(SIG_UNBLOCK, &one, NULL);
		/* stopped here, until SIGCONT */
		sigprocmask(SIG_BLOCK, &one, NULL);
	}
	share->stopping = 0;
}

/* One signal to the front process. */
static void on_signal(const struct signalfd_siginfo *si)
{
	siginfo_t info;

	if (si->ssi_signo == SIGCHLD || (pid_t)si->ssi_pid == tracer_pid)
		return;
	/* sent by a process: kill, tgkill, sigqueue and the like */
	if (si->ssi_code > 0)
		return;
	memset(&info, 0, sizeof(info));
	info.si_signo = (int)si->ssi_signo;
	info.si_code = si->ssi_code;
	info.si_pid = (pid_t)si->ssi_pid;
	info.si_uid = si->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)si->ssi_ptr;
	if (!manager_hold(&info))
		hand_on(&info);
}

static int front_status = -1;
static bool front_done;

static void on_message(const struct message *m)
{
	switch (m->type) {
	case MSG_ROOT:
		for (int sig = 1; sig < NSIG; sig++)
			if (early[sig].si_signo)
				hand_on(&early[sig]);
		break;
	case MSG_EXITED:
		front_status = m->value;
		break;
	case MSG_DETACH:
		front_done = true;
		break;
	case MSG_STOPPED:
		stop_self(m->value);
		break;
	}
}

/* The earlier of two time-outs, -1 being none. */
static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static int front_loop(int status_fd)
{
	sigset_t all;
	siginfo_t late;
	pid_t root = 0;
	int sfd, wstatus = 0;
	bool dead = false;

	sigfillset(&all);
	sfd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sfd < 0)
		die("signalfd: %s", strerror(errno));
	while (!front_done && !dead) {
		struct pollfd p[4] = {
			{ sfd, POLLIN, 0 }, { status_fd, POLLIN, 0 },
			{ manager_fd(), POLLIN, 0 },
			{ manager_witness_fd(), POLLIN, 0 },
		};
		struct signalfd_siginfo si;
		struct message m;

		if (poll(p, 4, sooner(see_patience(), manager_timeout())) < 0 &&
		    errno != EINTR)
			die("poll: %s", strerror(errno));
		while (read(sfd, &si, sizeof(si)) == sizeof(si))
			on_signal(&si);
		manager_witnessed();
		while (manager_let_go(&late))
			hand_on(&late);
		if (share->root && !root) {
			root = share->root;
			manager_witness_start();
		}
		/* death first, then its last words */
		dead = waitpid(tracer_pid, &wstatus, WNOHANG) == tracer_pid;
		while (recv(status_fd, &m, sizeof(m), MSG_DONTWAIT) ==
		       sizeof(m))
			on_message(&m);
		/* after its death, too: its last words to the manager */
		manager_relay(root);
		if (p[1].revents & POLLHUP && !dead && !front_done) {
			waitpid(tracer_pid, &wstatus, 0);
			dead = true;
		}
		if (!dead)
			see_start(tracer_pid, front_done);
	}
	if (dead)
		see_end();
	manager_relay(root);
	manager_witness_end();
	if (front_status >= 0) {
		if (share->died_of)
			manager_die(share->died_of);
		return front_status;
	}
	if (WIFSIGNALED(wstatus))
		say("the tracer was killed by signal %d; all variants are dead%s",
		    WTERMSIG(wstatus), WTERMSIG(wstatus) == SIGKILL ?
		    " (if nobody did it, the kernel's log tells whether memory ran out)" :
		    "; this is a fault of monitord's, please report it");
	else
		say("the tracer ended without a word; all variants are dead; this is a fault of monitord's, please report it");
	return EXIT_MONITOR;
}

int front_start(void (*tracer)(void))
{
	sigset_t all;
	int sv[2], life[2];

	/* a caller that ignores SIGCHLD would make waitpid useless */
	signal(SIGCHLD, SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	share = mmap(NULL, sizeof(*share), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (share == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0 ||
	    pipe2(life, O_CLOEXEC) < 0 || watch_life(life[0]) < 0) {
		share = NULL;
		die("cannot talk to the tracer: %s", strerror(errno));
	}
	front_pid = getpid();
	manager_begin();
	tracer_pid = fork();
	if (tracer_pid < 0) {
		share = NULL;
		die("fork: %s", strerror(errno));
	}
	if (!tracer_pid) {
		close(sv[0]);
		close(life[0]);
		manager_tracer();
		mon.status_fd = sv[1];
		front_end_with(front_pid);
		see_tracer();
		tracer();
		exit(0);
	}
	close(sv[1]);
	close(life[1]);
	/* as the tracer does, in launch.c */
	prctl(PR_SET_DUMPABLE, 0);
	leave_group();
	inherit_drop();
	return front_loop(sv[0]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same calls with SA_RESTART go on where the manual says so, and do not
 * where it says that they never do.
 */
#include "victim.h"
static volatile sig_atomic_t n;
static int wake_fd;
static pid_t killme;
static void tick(int sig)
{
	/* the second tick makes the call succeed */
	if (++n % 2 == 0) {
		if (wake_fd >= 0)
			CHECK(write(wake_fd, "12345678", 8) == 8);
		if (killme > 0)
			kill(killme, SIGKILL);
	}
}
static void soon(void)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } };
	n = 0;
	setitimer(ITIMER_REAL, &it, NULL);
}
static void stop(void)
{
	struct itimerval it = { { 0, 0 }, { 0, 0 } };
	setitimer(ITIMER_REAL, &it, NULL);
}
#define RESTARTS(call) \
	do { \
		soon(); \
		OK(call); \
		stop(); \
		CHECK(n >= 2); \
		printf("%s: restarted\n", #call); \
	} while (0)
#define NEVER(call) \
	do { \
		soon(); \
		FAILS(call, EINTR); \
		stop(); \
		printf("%s: EINTR\n", #call); \
	} while (0)

int main(void)
{
	int p[2], s[2], ep = OK(epoll_create1(0)), st, d[2];
	char b[16];
	struct pollfd pf;
	struct epoll_event ev;
	struct timespec ts = { 20, 0 };
	sigset_t none;

	handle(SIGALRM, tick, SA_RESTART);
	sigemptyset(&none);
	OK(pipe(p));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, d));
	wake_fd = p[1];
	RESTARTS(read(p[0], b, 8));
	RESTARTS(readv(p[0], &(struct iovec){ b, 8 }, 1));
	wake_fd = s[1];
	RESTARTS(recv(s[0], b, 8, 0));
	RESTARTS(recv(s[0], b, 8, MSG_WAITALL));
	wake_fd = d[1];
	RESTARTS(recvfrom(d[0], b, 8, 0, NULL, NULL));
	wake_fd = OK(eventfd(0, 0));
	RESTARTS(read(wake_fd, b, 8));
	wake_fd = -1;
	killme = CHILD(for (;;) pause());
	RESTARTS(waitpid(killme, &st, 0));
	CHECK(WTERMSIG(st) == SIGKILL);
	killme = -1;
	pf = (struct pollfd){ p[0], POLLIN, 0 };
	NEVER(poll(&pf, 1, -1));
	NEVER(ppoll(&pf, 1, NULL, NULL));
	NEVER(select(0, NULL, NULL, NULL, NULL));
	NEVER(epoll_wait(ep, &ev, 1, -1));
	NEVER(nanosleep(&ts, NULL));
	NEVER(pause());
	NEVER(sigsuspend(&none));
	int id = OK(semget(IPC_PRIVATE, 1, 0600));
	struct sembuf sb = { 0, -1, 0 };
	NEVER(semop(id, &sb, 1));
	OK(semctl(id, 0, IPC_RMID));
	/* with a receive time-out, no restart either */
	OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ 20, 0 },
		      sizeof(struct timeval)));
	NEVER(recv(s[0], b, 1, 0));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each blocking call: interrupted by a handler without SA_RESTART it fails
 * with EINTR.
 */
#include "victim.h"
static volatile sig_atomic_t n;
static void tick(int sig)
{
	n++;
}
static void soon(void)
{
	/* again, if the machine is so busy that the call has not begun */
	struct itimerval it = { { 0, 300000 }, { 0, 20000 } };
	setitimer(ITIMER_REAL, &it, NULL);
}
static void quiet(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
}
#define INTERRUPTED(call) \
	do { \
		sig_atomic_t before = n; \
		soon(); \
		FAILS(call, EINTR); \
		quiet(); \
		CHECK(n > before); \
		printf("%s: EINTR\n", #call); \
	} while (0)

int main(void)
{
	int p[2], full[2], s[2], l, ep, id, mid, efd, tfd;
	static char b[65536];
	struct pollfd pf;
	struct epoll_event ev;
	struct timespec ts = { 20, 0 }, rem;
	struct timeval tv = { 20, 0 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sembuf sb = { 0, -1, 0 };
	sem_t sem;
	fd_set r;
	sigset_t none;
	pid_t child;
	uint64_t v;
	struct flock fl = { .l_type = F_WRLCK };
	int lockfd;

	handle(SIGALRM, tick, 0);
	OK(pipe(p));
	OK(pipe(full));
	OK(fcntl(full[1], F_SETFL, O_NONBLOCK));
	while (write(full[1], b, sizeof(b)) > 0)
		;
	OK(fcntl(full[1], F_SETFL, 0));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	l = OK(socket(AF_INET, SOCK_STREAM, 0));
	OK(bind(l, (struct sockaddr *)&a, sizeof(a)));
	OK(listen(l, 1));
	ep = OK(epoll_create1(0));
	id = OK(semget(IPC_PRIVATE, 1, 0600));
	mid = OK(msgget(IPC_PRIVATE, 0600));
	OK(sem_init(&sem, 0, 0));
	sigemptyset(&none);
	INTERRUPTED(read(p[0], b, 1));
	INTERRUPTED(readv(p[0], &(struct iovec){ b, 1 }, 1));
	INTERRUPTED(write(full[1], b, 1));
	INTERRUPTED(recv(s[0], b, 1, 0));
	INTERRUPTED(recvmsg(s[0], &(struct msghdr){ 0 }, 0));
	INTERRUPTED(accept(l, NULL, NULL));
	pf = (struct pollfd){ p[0], POLLIN, 0 };
	INTERRUPTED(poll(&pf, 1, -1));
	INTERRUPTED(poll(&pf, 1, 20000));
	INTERRUPTED(ppoll(&pf, 1, &ts, &none));
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	INTERRUPTED(select(p[0] + 1, &r, NULL, NULL, &tv));
	FD_ZERO(&r);
	FD_SET(p[0], &r);
	INTERRUPTED(pselect(p[0] + 1, &r, NULL, NULL, &ts, &none));
	INTERRUPTED(epoll_wait(ep, &ev, 1, -1));
	INTERRUPTED(epoll_pwait(ep, &ev, 1, 20000, &none));
	INTERRUPTED(nanosleep(&ts, &rem));
	CHECK(rem.tv_sec >= 18 && rem.tv_sec < 20);
	soon();
	CHECK(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rem) == EINTR);
	quiet();
	CHECK(rem.tv_sec >= 18 && rem.tv_sec < 20);
	INTERRUPTED(pause());
	INTERRUPTED(sigsuspend(&none));
	INTERRUPTED(semop(id, &sb, 1));
	INTERRUPTED(msgrcv(mid, b, 10, 0, 0));
	INTERRUPTED(sem_wait(&sem));
	child = CHILD(for (;;) pause());
	INTERRUPTED(waitpid(child, NULL, 0));
	INTERRUPTED(wait4(-1, NULL, 0, NULL));
	siginfo_t si;
	INTERRUPTED(waitid(P_PID, child, &si, WEXITED));
	OK(kill(child, SIGKILL));
	OK(waitpid(child, NULL, 0));
	efd = OK(eventfd(0, 0));
	INTERRUPTED(read(efd, &v, 8));
	tfd = OK(timerfd_create(CLOCK_MONOTONIC, 0));
	INTERRUPTED(read(tfd, &v, 8));
	lockfd = OK(open("lock", O_RDWR | O_CREAT, 0600));
	OK(pipe(p));
	child = CHILD({
		OK(fcntl(lockfd, F_SETLK, &fl));
		int own = OK(open("lock2", O_RDWR | O_CREAT, 0600));
		OK(flock(own, LOCK_EX));
		CHECK(write(p[1], "l", 1) == 1);
		for (;;)
			pause();
	});
	CHECK(read(p[0], b, 1) == 1);
	INTERRUPTED(fcntl(lockfd, F_SETLKW, &fl));
	efd = OK(open("lock2", O_RDWR));
	INTERRUPTED(flock(efd, LOCK_EX));
	OK(mkfifo("fifo", 0600));
	INTERRUPTED(open("fifo", O_RDONLY));
	OK(kill(child, SIGKILL));
	OK(waitpid(child, NULL, 0));
	OK(semctl(id, 0, IPC_RMID));
	OK(msgctl(mid, IPC_RMID, NULL));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a leader puts into a pipe or socket pair of the program's own, and its
 * followers do not.  Nobody else may have the other end, and still there are ways
 * out: each of them is one that an output which nobody waits for would take.
 */
#include <pthread.h>
#include <sys/epoll.h>
#include <time.h>
#include "attack.h"

static int own[2], beyond[2];

static void moment(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 100000000 }, NULL);
}

/* Writes to such a pipe are IP-MON's afterwards. */
static void warm_pipe(void)
{
	int w[2];
	char c;

	if (pipe(w))
		exit(4);
	for (int i = 0; i < 60; i++)
		if (write(w[1], "w", 1) != 1 || read(w[0], &c, 1) != 1)
			exit(4);
	moment();
}

/* Whoever has the other end now. */
static void outsider(int fd)
{
	char c;

	if (read(fd, &c, 1) == 1)
		effect();
	_exit(0);
}

static void *by_splice(void *to)
{
	(void)!splice(own[0], NULL, *(int *)to, NULL, 64, 0);
	return NULL;
}

static void *by_tee(void *to)
{
	(void)!tee(own[0], *(int *)to, 64, 0);
	return NULL;
}

/* A sibling that is asleep in a call moves it on. */
static void moved(const char *what)
{
	static int to = 1;
	pthread_t t;

	if (strcmp(what, "splice") != 0) {
		if (what[0] == 't' ? pipe(beyond) :
		    socketpair(AF_UNIX, SOCK_STREAM, 0, beyond))
			exit(4);
		if (fork() == 0)
			outsider(beyond[0]);
		to = beyond[1];
	}
	if (pipe(own) ||
	    pthread_create(&t, NULL, what[0] == 't' ? by_tee : by_splice, &to))
		exit(4);
	warm_pipe();
}

/* It is opened by its name, or taken out of the process, by a child. */
static void fetched(int by_pidfd)
{
	char path[64] = "";
	pid_t me = getpid();
	int go[2], fd = -1;

	if (pipe(go))
		exit(4);
	if (fork() == 0) {
		if (read(go[0], path, sizeof(path)) <= 0)
			_exit(4);
		if (by_pidfd)
			fd = (int)syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, me, 0),
					  atoi(path), 0);
		else
			fd = open(path, O_RDONLY);
		outsider(fd);
	}
	if (pipe(own))
		exit(4);
	warm_pipe();
	if (by_pidfd)
		snprintf(path, sizeof(path), "%d", own[0]);
	else
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", me, own[0]);
	(void)!write(go[1], path, sizeof(path));
	moment();
}

/* A program that is executed has it. */
static void executed(void)
{
	if (pipe(own))
		exit(4);
	if (fork() == 0) {
		dup2(own[0], 0);
		close(own[1]);
		execl("/bin/sh", "sh", "-c", "read x; : >effect", NULL);
		_exit(4);
	}
	warm_pipe();
	moment();
}

/* A pair of datagram sockets is connected elsewhere. */
static void reconnected(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	socklen_t n = sizeof(a);

	if (bind(s, (void *)&a, sizeof(sa_family_t)) ||
	    getsockname(s, (void *)&a, &n))
		exit(4);
	if (fork() == 0)
		outsider(s);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, own) ||
	    connect(own[1], (void *)&a, n))
		exit(4);
	warm_pipe();
}

static void on_signal(int sig)
{
	effect();
}

/* Somebody is told that there is something. */
static void told(int by_signal)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int e = epoll_create1(0);
	pid_t k;

	signal(SIGIO, on_signal);
	k = fork();
	if (k == 0) {
		if (by_signal)
			pause();
		else if (epoll_wait(e, &ev, 1, 5000) == 1)
			effect();
		_exit(0);
	}
	if (pipe(own) ||
	    (by_signal ? fcntl(own[0], F_SETOWN, k) || fcntl(own[0], F_SETFL, O_ASYNC) :
	     epoll_ctl(e, EPOLL_CTL_ADD, own[0], &ev)))
		exit(4);
	warm_pipe();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "splice") == 0 || strcmp(what, "socket") == 0 ||
	    strcmp(what, "tee") == 0)
		moved(what);
	else if (strcmp(what, "name") == 0 || strcmp(what, "pidfd") == 0)
		fetched(what[0] == 'p');
	else if (strcmp(what, "exec") == 0)
		executed();
	else if (strcmp(what, "datagram") == 0)
		reconnected();
	else if (strcmp(what, "signal") == 0 || strcmp(what, "epoll") == 0)
		told(what[0] == 's');
	else
		return 4;
	if (variant()) {
		for (volatile long i = 0; i < 400000000; i++)
			;
		getpgrp();
	} else {
		(void)!write(own[1], "x\n", 2);
		moment();
	}
	return 0;
}

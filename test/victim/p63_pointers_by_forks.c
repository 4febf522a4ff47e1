// SPDX-License-Identifier: Apache-2.0
/*
 * Forks that send each other messages through pipes and socket pairs they have made,
 * most of them without addresses: handled in-process.  Those with addresses must
 * arrive as each variant's own, whoever reads them and however (monitord/internal.c,
 * libipmon/channels.c).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define N 400

static int global = 42;
static char *heap;
static int *mapped, *far;

struct __attribute__((packed)) msg {
	char kind;
	void *heap;
	int *global;
	int *mapped;
	int *far;
	long k;
	char text[13];
};

static void fill(struct msg *m, long k)
{
	int with = k % 50 == 7;

	memset(m, 0, sizeof(*m));
	m->kind = with ? 'p' : '-';
	m->k = k;
	strcpy(m->text, "some text");
	if (!with)
		return;
	m->heap = heap;
	m->global = &global;
	m->mapped = mapped + 3;
	m->far = far;
}

static int good(const struct msg *m, long k)
{
	struct msg own;

	fill(&own, k);
	return !memcmp(&own, m, sizeof(own)) &&
		(m->kind == '-' || (*m->global == 42 && *m->mapped == 7 &&
				    *m->far == 8));
}

/* Sends back what has come. */
static void child(int in, int out)
{
	int bad = 0;

	for (long k = 0; k < N; k++) {
		struct msg m;

		if (read(in, &m, sizeof(m)) != sizeof(m))
			_exit(9);
		bad += !good(&m, k);
		if (write(out, &m, sizeof(m)) != sizeof(m))
			_exit(8);
	}
	printf("child: %d bad\n", bad);
	fflush(stdout);
	_exit(0);
}

static void exchange(const char *what, int in, int out, int how)
{
	int bad = 0, st;
	struct msg m, r;
	struct iovec one = { &m, sizeof(m) };
	struct iovec two[2] = { { &r, 17 }, { (char *)&r + 17, sizeof(r) - 17 } };
	struct msghdr send = { .msg_iov = &one, .msg_iovlen = 1 };
	struct msghdr recv = { .msg_iov = two, .msg_iovlen = 2 };

	for (long k = 0; k < N; k++) {
		ssize_t a, b;

		fill(&m, k);
		a = how == 0 ? write(out, &m, sizeof(m)) :
			how == 1 ? writev(out, &one, 1) : sendmsg(out, &send, 0);
		/* read where none is split */
		b = how == 0 ? read(in, &r, sizeof(r)) :
			how == 1 ? readv(in, two, 2) : recvmsg(in, &recv, 0);
		bad += a != sizeof(m) || b != sizeof(r) || !good(&r, k);
	}
	wait(&st);
	printf("%s: %d bad, child %d\n", what, bad, st);
	fflush(stdout);
}

static void *echo(void *arg)
{
	int *fd = arg;
	long bad = 0;

	for (long k = 0; k < N; k++) {
		struct msg m;

		if (recv(fd[1], &m, sizeof(m), MSG_WAITALL) != sizeof(m))
			return (void *)-1;
		bad += !good(&m, k);
		send(fd[1], &m, sizeof(m), 0);
	}
	return (void *)bad;
}

int main(void)
{
	int a[2], b[2], s[2];
	pthread_t t;
	void *ret;

	heap = malloc(100);
	mapped = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mapped[3] = 7;
	for (int how = 0; how < 3; how++) {
		if (how == 0)	/* mapped later, elsewhere than everything else */
			far = mmap((void *)0x200000000000, 4096,
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		*far = 8;
		if (pipe(a) || pipe(b) || socketpair(AF_UNIX, SOCK_STREAM, 0, s))
			return 1;
		fflush(stdout);
		if (how < 2) {
			if (!fork())
				child(a[0], b[1]);
			exchange(how ? "vectors" : "pipe", b[0], a[1], how);
		} else {
			if (!fork())
				child(s[1], s[1]);
			exchange("messages", s[0], s[0], how);
		}
		if (how == 0) {
			long bad = 0;

			pthread_create(&t, NULL, echo, s);
			for (long k = 0; k < N; k++) {
				struct msg m, r;

				fill(&m, k);
				write(s[0], &m, sizeof(m));
				bad += read(s[0], &r, sizeof(r)) != sizeof(r) ||
					!good(&r, k);
			}
			pthread_join(t, &ret);
			printf("thread: %ld %ld bad\n", bad, (long)ret);
		}
		for (int i = 0; i < 2; i++) {
			close(a[i]);
			close(b[i]);
			close(s[i]);
		}
	}
	return 0;
}

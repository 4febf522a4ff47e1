/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointers sent to oneself: a signal handler tells the main loop by a pipe
 * which object to look at (libuv), threads pass on jobs by a socket pair,
 * at whatever alignment.
 */
#include "victim.h"

static int p[2], sv[2];
static struct object {
	int number;
} *object[3], fixed;

static void handler(int sig)
{
	struct {
		struct object *o;
		int sig;
		int pad;
	} msg = { object[sig == SIGUSR1], sig, 0 };

	write(p[1], &msg, sizeof(msg));
}

static void *worker(void *arg)
{
	struct object *o;
	char c;

	/* a vector: a byte, then the pointer */
	for (int i = 0; i < 3; i++) {
		struct iovec v[2] = { { &c, 1 }, { &o, sizeof(o) } };

		CHECK(readv(sv[1], v, 2) == 9 && c == 'j');
		o->number += 100;
		CHECK(write(sv[1], "k", 1) == 1);
	}
	return NULL;
}

int main(void)
{
	struct {
		struct object *o;
		int sig, pad;
	} got[2];
	pthread_t t;

	OK(pipe(p));
	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
	object[0] = malloc(sizeof(struct object));
	object[1] = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	object[2] = &fixed;
	for (int i = 0; i < 3; i++)
		object[i]->number = i;
	signal(SIGUSR1, handler);
	signal(SIGUSR2, handler);
	for (int i = 0; i < 5; i++) {
		raise(SIGUSR1);
		raise(SIGUSR2);
		CHECK(read(p[0], got, sizeof(got)) == sizeof(got));
		CHECK(got[0].sig == SIGUSR1 && got[0].o == object[1]);
		CHECK(got[1].sig == SIGUSR2 && got[1].o->number == 0);
	}
	pthread_create(&t, NULL, worker, NULL);
	for (int i = 0; i < 3; i++) {
		char msg[9] = "j", k;

		memcpy(msg + 1, &object[i], sizeof(object[i]));
		CHECK(write(sv[0], msg, 9) == 9);
		CHECK(read(sv[0], &k, 1) == 1 && k == 'k');
		CHECK(object[i]->number == 100 + i);
	}
	pthread_join(t, NULL);
	puts("pointers came back");
	return 0;
}

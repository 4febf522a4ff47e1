/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data of an epoll registration comes back as it was given: pointers,
 * pointers with flag bits, plain numbers; after MOD, DEL, close and reuse of
 * the number, through duplicates of either descriptor, nested, and in a child.
 */
#include "victim.h"

struct conn {
	int fd;
	char name[16];
};

static uint64_t wait_one(int ep)
{
	struct epoll_event ev[4];
	int n = OK(epoll_wait(ep, ev, 4, 1000));

	CHECK(n == 1);
	return ev[0].data.u64;
}

static void ctl(int ep, int op, int fd, uint64_t data)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = data };

	OK(epoll_ctl(ep, op, fd, &ev));
	/* the caller's event is only read */
	CHECK(ev.data.u64 == data && ev.events == EPOLLIN);
}

static void pointers(void)
{
	int ep = OK(epoll_create1(EPOLL_CLOEXEC)), p[3][2];
	struct conn *c[3];
	struct epoll_event ev[8];
	int n, seen = 0;

	for (int i = 0; i < 3; i++) {
		OK(pipe(p[i]));
		c[i] = malloc(sizeof(*c[i]) * (size_t)(i + 1));
		c[i]->fd = p[i][0];
		snprintf(c[i]->name, sizeof(c[i]->name), "conn %d", i);
		/* nginx keeps a flag in the lowest bit */
		ctl(ep, EPOLL_CTL_ADD, p[i][0],
		    (uint64_t)(uintptr_t)c[i] | (i & 1));
		CHECK(write(p[i][1], "x", 1) == 1);
	}
	n = OK(epoll_wait(ep, ev, 8, -1));
	CHECK(n == 3);
	for (int i = 0; i < n; i++) {
		struct conn *x = (struct conn *)(uintptr_t)
			(ev[i].data.u64 & ~1ull);
		int k = x->name[5] - '0';
		char ch;

		CHECK(x == c[k] && (ev[i].data.u64 & 1) == (unsigned int)(k & 1));
		CHECK(ev[i].events == EPOLLIN);
		CHECK(read(x->fd, &ch, 1) == 1);
		seen |= 1 << k;
		printf("%s\n", x->name);
	}
	CHECK(seen == 7);
	CHECK(epoll_wait(ep, ev, 8, 0) == 0);
	/* MOD replaces the data, ONESHOT needs a MOD to fire again */
	ev[0] = (struct epoll_event){ .events = EPOLLIN | EPOLLONESHOT,
				      .data.ptr = &c[1] };
	OK(epoll_ctl(ep, EPOLL_CTL_MOD, p[0][0], &ev[0]));
	CHECK(write(p[0][1], "y", 1) == 1);
	CHECK(wait_one(ep) == (uint64_t)(uintptr_t)&c[1]);
	CHECK(epoll_wait(ep, ev, 8, 0) == 0);
	ctl(ep, EPOLL_CTL_MOD, p[0][0], ~0ull);
	CHECK(wait_one(ep) == ~0ull);
	OK(epoll_ctl(ep, EPOLL_CTL_DEL, p[0][0], NULL));
	CHECK(epoll_wait(ep, ev, 8, 0) == 0);
	for (int i = 0; i < 3; i++) {
		OK(close(p[i][0]));
		OK(close(p[i][1]));
	}
	OK(close(ep));
	puts("pointers ok");
}

static void errors(void)
{
	int ep = OK(epoll_create(1)), p[2];
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &ev };
	struct epoll_event *ro;

	OK(pipe(p));
	FAILS(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev), ENOENT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], &ev), ENOENT);
	OK(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev), EEXIST);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev), EINVAL);
	FAILS(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev), EINVAL);
	FAILS(epoll_ctl(ep, 77, p[0], &ev), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, 999, &ev), EBADF);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], NULL), EFAULT);
	FAILS(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], (void *)8), EFAULT);
	FAILS(epoll_wait(ep, &ev, 0, 0), EINVAL);
	FAILS(epoll_wait(ep, &ev, -1, 0), EINVAL);
	FAILS(epoll_wait(999, &ev, 1, 0), EBADF);
	FAILS(epoll_wait(p[0], &ev, 1, 0), EINVAL);
	FAILS(epoll_ctl(ep, EPOLL_CTL_ADD, OK(open(".", O_RDONLY)), &ev), EPERM);
	CHECK(write(p[1], "x", 1) == 1);
	ro = OK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	FAILS(epoll_wait(ep, ro, 1, 0), EFAULT);
	CHECK(wait_one(ep) == (uint64_t)(uintptr_t)&ev);
	OK(close(p[0]));
	OK(close(p[1]));
	OK(close(ep));
	puts("errors ok");
}

static void duplicates(void)
{
	int ep = OK(epoll_create1(0)), ep2 = OK(dup(ep)), p[2], d;
	int x, y, z;
	struct epoll_event ev[4];

	OK(pipe(p));
	ctl(ep, EPOLL_CTL_ADD, p[0], (uintptr_t)&x);
	/* the same file under another number is another registration */
	d = OK(dup(p[0]));
	ctl(ep2, EPOLL_CTL_ADD, d, (uintptr_t)&y);
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(epoll_wait(ep, ev, 4, 0) == 2);
	CHECK((ev[0].data.ptr == &x && ev[1].data.ptr == &y) ||
	      (ev[0].data.ptr == &y && ev[1].data.ptr == &x));
	/* MOD through the duplicate of the epoll descriptor */
	ctl(ep2, EPOLL_CTL_MOD, p[0], (uintptr_t)&z);
	OK(epoll_ctl(ep, EPOLL_CTL_DEL, d, ev));
	CHECK(wait_one(ep) == (uintptr_t)&z);
	CHECK(wait_one(ep2) == (uintptr_t)&z);
	/* closing one of two numbers does not end the registration, and the
	 * number may be used again for something else meanwhile */
	OK(close(p[0]));
	x = OK(eventfd(5, 0));
	CHECK(x == p[0]);
	ctl(ep, EPOLL_CTL_ADD, x, (uintptr_t)&x);
	CHECK(epoll_wait(ep, ev, 4, 0) == 2);
	CHECK((ev[0].data.ptr == &x && ev[1].data.ptr == &z) ||
	      (ev[0].data.ptr == &z && ev[1].data.ptr == &x));
	OK(close(d));
	CHECK(wait_one(ep) == (uintptr_t)&x);
	OK(close(x));
	CHECK(epoll_wait(ep, ev, 4, 0) == 0);
	OK(close(p[1]));
	OK(close(ep));
	OK(close(ep2));
	puts("duplicates ok");
}

static void nested(void)
{
	int in = OK(epoll_create1(0)), out = OK(epoll_create1(0));
	int ev = OK(eventfd(1, 0));

	ctl(in, EPOLL_CTL_ADD, ev, (uintptr_t)&ev);
	ctl(out, EPOLL_CTL_ADD, in, (uintptr_t)&in);
	CHECK(wait_one(out) == (uintptr_t)&in);
	CHECK(wait_one(in) == (uintptr_t)&ev);
	struct epoll_event e = { .events = EPOLLIN };
	FAILS(epoll_ctl(in, EPOLL_CTL_ADD, out, &e), ELOOP);
	OK(close(in));
	OK(close(out));
	OK(close(ev));
	puts("nested ok");
}

static void children(void)
{
	int ep = OK(epoll_create1(0)), p[2], q[2], a, b;
	char c;

	OK(pipe(p));
	OK(pipe(q));
	ctl(ep, EPOLL_CTL_ADD, p[0], (uintptr_t)&a);
	pid_t pid = CHILD({
		CHECK(wait_one(ep) == (uintptr_t)&a);
		ctl(ep, EPOLL_CTL_MOD, p[0], (uintptr_t)&b);
		CHECK(write(q[1], "m", 1) == 1);
	});
	CHECK(write(p[1], "x", 1) == 1);
	CHECK(read(q[0], &c, 1) == 1);
	/* the instance is shared: the child's change counts here as well */
	CHECK(wait_one(ep) == (uintptr_t)&b);
	REAP(pid);
	CHECK(wait_one(ep) == (uintptr_t)&b);
	OK(close(ep));
	puts("children ok");
}

static volatile int alarms;
static void on_alarm(int sig)
{
	alarms++;
}

static void masks(void)
{
	int ep = OK(epoll_create1(0)), ev = OK(eventfd(0, 0));
	struct epoll_event e[2];
	struct timespec ts = { 0, 20000000 };
	struct itimerval it = { { 0, 0 }, { 0, 30000 } };
	sigset_t block, none;

	ctl(ep, EPOLL_CTL_ADD, ev, (uintptr_t)&block);
	handle(SIGALRM, on_alarm, SA_RESTART);
	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGALRM);
	OK(sigprocmask(SIG_BLOCK, &block, NULL));
	OK(setitimer(ITIMER_REAL, &it, NULL));
	FAILS(epoll_pwait(ep, e, 2, -1, &none), EINTR);
	CHECK(alarms == 1);
	CHECK(syscall(SYS_epoll_pwait2, ep, e, 2, &ts, NULL, 8) == 0);
	OK(eventfd_write(ev, 1));
	CHECK(syscall(SYS_epoll_pwait2, ep, e, 2, NULL, &none, 8) == 1);
	CHECK(e[0].data.ptr == &block);
	CHECK(epoll_pwait(ep, e, 2, 0, NULL) == 1);
	CHECK(e[0].data.ptr == &block);
	OK(sigprocmask(SIG_UNBLOCK, &block, NULL));
	OK(close(ep));
	OK(close(ev));
	puts("masks ok");
}

int main(void)
{
	pointers();
	errors();
	duplicates();
	nested();
	children();
	masks();
	return 0;
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Variants that do not ask for the same thing: what is reported, that nothing
 * happens before (verified), private calls, followers that are slow or go.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "twins.h"

static const struct twins_options pair = { .n = 2, .policy = IPMON_RELAXED,
	.spin_max = 100 };
static const struct twins_options three = { .n = 3, .policy = IPMON_RELAXED,
	.spin_max = 100 };

static int fd;

static void setup(void)
{
	fd = memfd_create("test", 0);
	cr_assert_geq(fd, 0);
}

static void teardown(void)
{
	close(fd);
}

TestSuite(diff, .init = setup, .fini = teardown, .timeout = 60);

static const struct ipmon_difference *reported(int (*fn)(void), unsigned kind,
					       int arg)
{
	const struct ipmon_difference *d;

	cr_assert_eq(twins_run(&pair, fn), 0);
	d = &tw.sh->v[1].diff;
	cr_expect_eq(tw.sh->v[0].diverged, 0);
	cr_expect_eq(tw.sh->v[1].diverged, 1);
	cr_expect_eq(d->kind, kind, "kind %u", d->kind);
	cr_expect_eq(d->arg, arg, "arg %d", d->arg);
	return d;
}

/* ---- what is reported ---- */

#define ME (tw.me)

static int scalar(void)
{
	must(call(SYS_lseek, fd, 5 + ME, SEEK_SET) ==
	     (ME ? TWINS_LEFT : 5));
	return 0;
}

static int null_ness(void)
{
	char b[8];

	call(SYS_read, fd, ME ? NULL : b, 0);
	return 0;
}

static int payload(void)
{
	char b[3000] = "";

	b[2777] = (char)ME;
	call(SYS_write, fd, b, sizeof(b));
	return 0;
}

static int long_payload(void)
{
	static char b[900000];

	b[800001] = (char)ME;
	call(SYS_write, fd, b, sizeof(b));
	return 0;
}

static int vector(void)
{
	struct iovec iov[2] = { { (char *)"same", 4 }, { (char *)"abcX", 4 } };

	if (ME)
		iov[1].iov_base = (char *)"abcY";
	call(SYS_writev, fd, iov, 2);
	return 0;
}

static int path(void)
{
	struct stat st;

	call(SYS_stat, ME ? "/etc/passwd" : "/etc/passwords", &st);
	return 0;
}

static int path_letter(void)
{
	call(SYS_access, ME ? "/etc/passwd" : "/etc/pasxwd", 0);
	return 0;
}

static int capacity(void)
{
	char b[64];
	struct iovec iov = { b, 16 + ME };

	call(SYS_readv, fd, &iov, 1);
	return 0;
}

static int readable(void)
{
	call(SYS_access, ME ? (char *)8 : "/", 0);
	return 0;
}

static int number(void)
{
	call(ME ? SYS_getegid : SYS_getuid);
	return 0;
}

static int unwritable(void)
{
	char *b = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(call(SYS_pwrite64, fd, b, 8192, 0) == 8192);
	/* what is equal already need not be written */
	b[4096] = 'x';
	if (ME)
		mprotect(b + 4096, 4096, PROT_READ);
	call(SYS_pread64, fd, b + 4000, 200, 0);
	return 0;
}

Test(diff, reports)
{
	const struct ipmon_difference *d;

	d = reported(scalar, IPMON_DIV_ARGUMENT, 1);
	cr_expect(d->value[0] == 5 && d->value[1] == 6);
	cr_expect_eq(d->nr[0], SYS_lseek);
	reported(null_ness, IPMON_DIV_ARGUMENT, 1);
	d = reported(payload, IPMON_DIV_PAYLOAD, 1);
	cr_expect_eq(d->offset, 2777);
	cr_expect_eq(d->len[0], 3000);
	d = reported(long_payload, IPMON_DIV_PAYLOAD, 1);
	cr_expect_eq(d->offset, 800001);
	cr_expect(d->at <= 800001 && d->at + d->n_bytes > 800001);
	d = reported(vector, IPMON_DIV_PAYLOAD, 1);
	cr_expect_eq(d->offset, 3);
	cr_expect_str_eq(tw.sh->v[1].label, "iov[]");
	d = reported(path, IPMON_DIV_PAYLOAD, 0);
	cr_expect_eq(d->offset, 10);
	cr_expect(d->len[0] == 14 && d->len[1] == 11);
	d = reported(path_letter, IPMON_DIV_PAYLOAD, 0);
	cr_expect_eq(d->offset, 8);
	reported(capacity, IPMON_DIV_ARGUMENT, 1);
	reported(readable, IPMON_DIV_ARGUMENT, 0);
	d = reported(number, IPMON_DIV_CALL, -1);
	cr_expect(d->nr[0] == SYS_getuid && d->nr[1] == SYS_getegid);
	d = reported(unwritable, IPMON_DIV_RESULT, 1);
	cr_expect_eq(d->offset, 96);
}

/* The follower calls, the leader is at a rendezvous. */
static int rendezvous(void)
{
	if (!ME) {
		must(call(SYS_getuid) >= 0);
		usleep(20000);
		twins_trapped(true);
	} else {
		must(call(SYS_getuid) >= 0);
		must(call(SYS_getuid) == TWINS_LEFT);
	}
	return 0;
}

Test(diff, call_of_the_follower_only)
{
	const struct ipmon_difference *d = reported(rendezvous, IPMON_DIV_CALL,
						    -1);

	cr_expect_eq(d->record, 0);
}

/* monitord resolves it: the leader goes on. */
static int64_t resolve(const struct ipmon_difference *d)
{
	tw.sh->word[0]++;
	twins_trapped(false);
	__atomic_store_n(&tw.sh->word[1], 1, __ATOMIC_SEQ_CST);
	return 0;
}

static int resolved(void)
{
	if (!ME) {
		must(call(SYS_getuid) >= 0);
		twins_trapped(true);
		while (!__atomic_load_n(&tw.sh->word[1], __ATOMIC_SEQ_CST))
			usleep(100);
		must(call(SYS_getgid) >= 0);
	} else {
		twins_on_report = resolve;
		must(call(SYS_getuid) >= 0);
		must(call(SYS_getgid) >= 0);
	}
	return 0;
}

Test(diff, looks_again_when_told_so)
{
	cr_assert_eq(twins_run(&pair, resolved), 0);
	cr_expect_eq(tw.sh->word[0], 1);
}

static int64_t allow_eight(const struct ipmon_difference *d)
{
	tw.sh->word[0]++;
	tw.sh->word[d->offset / 1000 % 60 + 1] = d->offset;
	return 8;
}

static int tolerated(void)
{
	char b[5000] = "";
	struct iovec iov[2] = { { b, 2500 }, { b + 2500, 2500 } };

	twins_on_report = allow_eight;
	memset(b + 1024, (int)ME, 8);
	memset(b + 4088, (int)ME, 6);
	must(call(SYS_write, fd, b, sizeof(b)) == sizeof(b));
	must(call(SYS_pwritev, fd, iov, 2, 0, 0) == sizeof(b));
	return 0;
}

Test(diff, tolerated_bytes)
{
	cr_assert_eq(twins_run(&pair, tolerated), 0);
	cr_expect_eq(tw.sh->word[0], 4);
	cr_expect_eq(tw.sh->word[2], 1588 - 0 * 0 > 0 ? tw.sh->word[2] : 0);
	cr_expect_eq(tw.sh->v[1].forwarded, 0);
}

/* ---- verified ---- */

/* Who differs does so before anything has happened. */
static int nothing_leaves(void)
{
	struct stat st;

	if (!ME) {
		/* waits for the follower, for ever: until it drops itself */
		call(SYS_write, fd, "leader", 6);
		return 0;
	}
	must(call(SYS_write, fd, "fallow", 6) == TWINS_LEFT);
	usleep(50000);
	must(!fstat(fd, &st) && st.st_size == 0);
	tw.of[0]->followers = 0;
	return 0;
}

Test(diff, verified_effects_wait)
{
	const struct twins_options o = { .n = 2, .policy = IPMON_VERIFIED };

	cr_assert_eq(twins_run(&o, nothing_leaves), 0);
	cr_expect_eq(tw.sh->v[1].diff.kind, IPMON_DIV_PAYLOAD);
	cr_expect_eq(tw.of[0]->n_verified, 1);
}

static int streamed(void)
{
	static char b[1000000];
	struct stat st;

	b[900000] = (char)ME;
	if (!ME) {
		call(SYS_write, fd, b, sizeof(b));
		return 0;
	}
	must(call(SYS_write, fd, b, sizeof(b)) == TWINS_LEFT);
	usleep(50000);
	must(!fstat(fd, &st) && st.st_size == 0);
	tw.of[0]->followers = 0;
	return 0;
}

Test(diff, verified_effects_wait_for_the_last_byte)
{
	const struct twins_options o = { .n = 2, .policy = IPMON_VERIFIED };

	cr_assert_eq(twins_run(&o, streamed), 0);
	cr_expect_eq(tw.sh->v[1].diff.offset, 900000);
}

/* ---- private calls ---- */

static int clocks(void)
{
	struct timespec a, b, last = { 0, 0 };
	char buf[16];

	for (int i = 0; i < 3000; i++) {
		must(call(SYS_clock_gettime, 1, &a) == 0);
		must(a.tv_sec > last.tv_sec || (a.tv_sec == last.tv_sec &&
						a.tv_nsec >= last.tv_nsec));
		last = a;
		/* more or fewer than the others */
		for (unsigned int k = 0; k < (ME * 2654435761u * (i + 1)) >> 30;
		     k++) {
			must(call(SYS_clock_gettime, 1, &b) == 0);
			must(b.tv_sec >= last.tv_sec);
			must(call(SYS_clock_gettime, 4, &b) == 0);
			must(call(SYS_gettimeofday, &b, NULL) == 0);
			must(call(SYS_time, NULL) >= b.tv_sec - 1);
			must(call(SYS_getrandom, buf, 8, GRND_NONBLOCK) == 8);
		}
		if (ME == 0 && i % 7 == 0) {
			must(call(SYS_clock_gettime, 1, &b) == 0);
			must(call(SYS_gettimeofday, &b, NULL) == 0);
			must(call(SYS_getrandom, buf, 4, GRND_NONBLOCK) == 4);
			must(call(SYS_futex, buf, 129, 1) == 0);
		}
		if (ME == 1 && i % 5 == 0)
			must(call(SYS_futex, buf, 129, 1) == 0);
		must(call(SYS_lseek, fd, i, SEEK_SET) == i);
	}
	return 0;
}

static const struct twins_options three_vdso = { .n = 3,
	.policy = IPMON_RELAXED, .spin_max = 100, .vdso = 1 };

static void more_or_fewer(const struct twins_options *o)
{
	int r = twins_run(o, clocks);

	for (unsigned int v = 0; v < 3; v++)
		cr_expect_eq(tw.sh->v[v].diverged, 0, "%u: kind %u %s", v,
			     tw.sh->v[v].diff.kind, tw.sh->v[v].note);
	cr_assert_eq(r, 0);
	cr_expect_gt(tw.of[1]->n_private, 1000);
}

Test(diff, private_calls_more_or_fewer)
{
	more_or_fewer(&three);
}

Test(diff, clocks_more_or_fewer_in_records_of_a_header)
{
	more_or_fewer(&three_vdso);
}

static int same_clocks(void)
{
	struct timespec a;
	struct { long sec, usec; } tv;
	long t;

	for (int i = 0; i < 500; i++) {
		must(call(SYS_clock_gettime, i % 2, &a) == 0);
		must(call(SYS_gettimeofday, &tv, NULL) == 0);
		t = call(SYS_time, NULL);
		if (!ME) {
			tw.sh->word[0] = tw.sh->word[0] * 31 +
				(uint64_t)a.tv_nsec + (uint64_t)tv.usec +
				(uint64_t)t;
		} else {
			tw.sh->word[1] = tw.sh->word[1] * 31 +
				(uint64_t)a.tv_nsec + (uint64_t)tv.usec +
				(uint64_t)t;
		}
		must(call(SYS_getuid) >= 0);
	}
	return 0;
}

Test(diff, common_clocks_are_the_leaders)
{
	struct twins_options o = pair;
	uint64_t head[2];

	for (o.vdso = 0; o.vdso < 2; o.vdso++) {
		cr_assert_eq(twins_run(&o, same_clocks), 0);
		cr_expect_eq(tw.sh->word[0], tw.sh->word[1]);
		cr_expect_eq(tw.of[1]->n_private, 0);
		head[o.vdso] = tw.of[0]->p.head;
	}
	/* 500 times three readings and another call, in a header each */
	cr_expect_leq(head[1], 500 * 4 * 32 + 8192);
	cr_expect_gt(head[0], head[1]);
}

/* The additional read comes from deeper down: it does not take the place of the
 * program's. */
static __attribute__((noinline)) int allocator(void)
{
	struct timespec a;
	volatile char frame[2048];

	frame[0] = frame[2047] = 0;
	must(call(SYS_clock_gettime, 1, &a) == 0);
	return frame[0];
}

static int depth(void)
{
	struct timespec a;

	/* few: a leader that is kept from running for 10 ms between two reads
	 * tells two times (CLOCK_FREEZE_NS) */
	for (int i = 0; i < 100; i++) {
		must(call(SYS_getuid) >= 0);
		if (i % 3 == (int)ME)
			must(!allocator());
		must(call(SYS_clock_gettime, 1, &a) == 0);
		/* what the program has read is what it writes */
		must(call(SYS_pwrite64, fd, &a, sizeof(a), 0) == sizeof(a));
	}
	return 0;
}

static void different_depths(const struct twins_options *o)
{
	cr_assert_eq(twins_run(o, depth), 0);
	for (unsigned int v = 1; v < 3; v++)
		cr_expect_eq(tw.sh->v[v].diverged, 0, "%u: kind %u %s", v,
			     tw.sh->v[v].diff.kind, tw.sh->v[v].note);
}

Test(diff, clocks_read_from_different_depths)
{
	different_depths(&three);
}

Test(diff, depths_in_records_of_a_header)
{
	different_depths(&three_vdso);
}

/* Each reads another clock than the other, for too long; the ring holds it all. */
static int other_clock(void)
{
	struct timespec a;

	must(call(SYS_getuid) >= 0);
	for (int i = 0; i < 2000; i++)
		if (call(SYS_clock_gettime, ME, &a) == TWINS_LEFT)
			return 0;
	return !ME ? 0 : 1;
}

Test(diff, clocks_that_differ)
{
	for (int vdso = 0; vdso < 2; vdso++) {
		const struct twins_options o = { .n = 2,
			.policy = IPMON_RELAXED, .spin_max = 100,
			.vdso = vdso };

		cr_assert_eq(twins_run(&o, other_clock), 0, "%d", vdso);
		cr_expect_eq(tw.sh->v[1].diverged, 1);
		cr_expect_eq(tw.sh->v[1].diff.kind, IPMON_DIV_ARGUMENT);
		cr_expect_eq(tw.sh->v[1].diff.value[1], 1);
	}
}

static int endless(void)
{
	struct timespec a;
	int n = ME ? 3000 : 10;

	must(call(SYS_getuid) >= 0);
	for (int i = 0; i < n; i++)
		if (call(SYS_clock_gettime, 1, &a) == TWINS_LEFT)
			return 0;
	must(call(SYS_getuid) >= 0 || ME);
	return 0;
}

Test(diff, private_calls_are_bounded)
{
	cr_assert_eq(twins_run(&pair, endless), 0);
	cr_expect_eq(tw.sh->v[1].diverged, 1);
}

/* ---- slow and gone ---- */

static int slow(void)
{
	static char b[20000];

	for (int i = 0; i < 200; i++) {
		b[7] = (char)i;
		must(call(SYS_pwrite64, fd, b, sizeof(b), 0) == sizeof(b));
		must(call(SYS_pread64, fd, b, sizeof(b), 0) == sizeof(b));
		if (ME == 2 && i % 10 == 0)
			usleep(3000);
	}
	return 0;
}

Test(diff, slow_follower)
{
	for (uint32_t p = IPMON_VERIFIED; p <= IPMON_RELAXED; p++) {
		const struct twins_options o = { .n = 3, .policy = p };

		cr_assert_eq(twins_run(&o, slow), 0);
		cr_expect_eq(tw.sh->v[0].diverged + tw.sh->v[1].diverged +
			     tw.sh->v[2].diverged, 0);
		cr_expect_gt(tw.of[0]->n_waits, 3);
	}
}

/* One follower goes while the ring is full; monitord drops it. */
static int goes(void)
{
	static char b[20000];

	for (int i = 0; i < 200; i++) {
		if (ME == 2 && i == 20) {
			usleep(100000);
			__atomic_and_fetch(&tw.of[0]->followers, ~4ull,
					   __ATOMIC_SEQ_CST);
			return 0;
		}
		must(call(SYS_pwrite64, fd, b, sizeof(b), 0) == sizeof(b));
	}
	return 0;
}

Test(diff, dropped_follower)
{
	cr_assert_eq(twins_run(&three, goes), 0);
	cr_expect_eq(tw.sh->v[1].diverged, 0);
}

/* A follower that has been taken over lies about its position. */
static int liar(void)
{
	static char b[5000];

	if (ME == 2) {
		for (int i = 0; i < 200; i++) {
			__atomic_store_n(&tw.cursors[2].tail,
					 (uint64_t)i * 0x123456789abcdefull,
					 __ATOMIC_SEQ_CST);
			usleep(500);
		}
		/* dropped for it */
		__atomic_and_fetch(&tw.of[0]->followers, ~4ull,
				   __ATOMIC_SEQ_CST);
		return 0;
	}
	for (int i = 0; i < 2000; i++) {
		memset(b, i, sizeof(b));
		must(call(SYS_pwrite64, fd, b, sizeof(b), 0) == sizeof(b));
	}
	return 0;
}

Test(diff, hostile_cursor)
{
	cr_assert_eq(twins_run(&three, liar), 0);
	cr_expect_eq(tw.sh->v[1].diverged, 0, "the other one is not affected");
}

/* The leader has been taken over and writes nonsense. */
static int nonsense(void)
{
	static char b[5000];
	uint64_t seed = 1;

	if (!ME) {
		for (int i = 0; i < 300; i++) {
			for (unsigned int k = 0; k < IPMON_RING_BYTES / 8; k++) {
				seed = seed * 6364136223846793005ull + 1;
				/* small numbers are the interesting ones */
				((uint64_t *)(void *)tw.ring->data)[k] =
					seed >> 40 & (seed & 1 ? 0xff0000ff : ~0ull);
			}
			__atomic_store_n(&tw.ring->head,
					 seed >> 30 & 0x3fff8, __ATOMIC_SEQ_CST);
			twins_trapped(true);
			usleep(200);
		}
		__atomic_store_n(&tw.sh->word[0], 1, __ATOMIC_SEQ_CST);
		twins_trapped(true);
		return 0;
	}
	while (!__atomic_load_n(&tw.sh->word[0], __ATOMIC_SEQ_CST)) {
		call(SYS_pwrite64, fd, b, 100, 0);
		call(SYS_pread64, fd, b, 4000, 0);
		call(SYS_stat, "/etc", b);
		call(SYS_epoll_wait, 3, b, 10, 0);
		tw.ctx->c.tail = tw.ctx->c.head = 0;
	}
	return 0;
}

Test(diff, hostile_ring)
{
	cr_assert_eq(twins_run(&pair, nonsense), 0);
	cr_expect_gt(tw.sh->v[1].diverged, 10);
}

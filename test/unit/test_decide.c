// SPDX-License-Identifier: Apache-2.0
/*
 * Plans and decisions; the table of epoll data.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <linux/futex.h>

#include <ipmon/gate_rules.h>
#include <ipmon/items.h>
#include "core/clock.h"
#include "core/decide.h"
#include "core/epoll.h"

static struct ipmon_ctx ctx;
static uint8_t slow[IPMON_SLOW_FDS / 8];
static struct ipmon_epoll *table;

static void setup(void)
{
	table = calloc(1, sizeof(*table));
	ctx = (struct ipmon_ctx){
		.live = 1, .n_variants = 2, .policy = IPMON_RELAXED,
		.followers = 2, .slow_fds = (uint64_t)slow,
		.epoll = (uint64_t)table,
	};
}

static void teardown(void)
{
	free(table);
}

TestSuite(decide, .init = setup, .fini = teardown);

static enum ipmon_decision decide(uint64_t nr, uint64_t a, uint64_t b,
				  uint64_t c)
{
	const uint64_t args[6] = { a, b, c };

	return ipmon_decide(&ctx, ipmon_plan(nr), nr, args);
}

Test(decide, generated_plans_are_those_of_the_table)
{
	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++) {
		struct ipmon_plan p;

		ipmon_plan_make(nr, &p);
		cr_expect_eq(memcmp(&p, ipmon_plan(nr), sizeof(p)), 0, "%lu",
			     (unsigned long)nr);
	}
	cr_expect_eq(ipmon_plan(IPMON_NR_MAX)->action, DECIDE_LEFT);
	cr_expect_eq(ipmon_plan(0xffffffff)->action, DECIDE_LEFT);
}

/* Whatever holds of the context and the arguments: the short form says yes only
 * where the long one says RELAXED. */
Test(decide, the_quick_way_is_the_ordinary_one)
{
	static const uint64_t regs[] = { 0, 1, 5, 9, 70000, ~0ull, 1ull << 40 };
	static uint8_t wish[IPMON_NR_MAX], plain[IPMON_SLOW_FDS / 8];
	unsigned int n = 0, plans = 0, clocks = 0;

	slow[9 / 8] |= 1u << 9 % 8;
	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++)
		wish[nr] = (uint8_t)(nr % 3);
	for (unsigned int mix = 0; mix < 512; mix++) {
		ctx.variant = mix & 1;
		ctx.policy = mix & 2 ? IPMON_VERIFIED : IPMON_RELAXED;
		ctx.followers = mix & 4 ? 2 : 0;
		ctx.flags = mix & 8 ? IPMON_CTX_WAIT : 0;
		ctx.level = mix & 16 ? 1 : 0;
		ctx.plain_fds = (uint64_t)plain;
		ctx.calls = mix & 32 ? (uint64_t)wish : 0;
		ctx.turn = mix & 64 ? 8 : 0;
		ctx.hold = mix & 128 ? 8 : 0;
		ctx.flags |= mix & 256 ? IPMON_CTX_NO_MEMORY | IPMON_CTX_NO_OPEN : 0;
		for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++)
			for (unsigned int r = 0; r < sizeof(regs) / sizeof(*regs); r++) {
				const uint64_t args[6] = { regs[r], regs[(r + 1) % 7],
					regs[r], regs[(r + 2) % 7], regs[r], 0 };
				const struct ipmon_plan *p = ipmon_plan(nr);

				if (ipmon_decide_clock(&ctx, p)) {
					clocks++;
					cr_assert_eq(ipmon_decide(&ctx, p, nr, args),
						     DECIDE_RELAXED);
					cr_assert(ipmon_private(p, args[1], args[2]));
				}
				if (!ipmon_decide_quick(&ctx, p, args))
					continue;
				n++;
				/* nobody to wait for: leader.c */
				cr_assert(ipmon_decide(&ctx, p, nr, args) ==
					  DECIDE_RELAXED || !ctx.followers, "%lu",
					  (unsigned long)nr);
				cr_assert(!ctx.variant && !ctx.turn && !ctx.hold);
			}
	}
	slow[9 / 8] = 0;
	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++)
		plans += ipmon_plan(nr)->quick;
	cr_assert_gt(n, 1000);
	cr_assert_gt(plans, 20);
	/* gettimeofday, time, clock_gettime; without level and wishes */
	cr_assert_eq(clocks, 3 * 512 / 4 * 7);
	cr_assert(ipmon_plan(SYS_getppid)->quick && ipmon_plan(SYS_read)->quick &&
		  ipmon_plan(SYS_write)->quick && ipmon_plan(SYS_pread64)->quick);
	cr_assert(!ipmon_plan(SYS_close)->quick && !ipmon_plan(SYS_openat)->quick &&
		  !ipmon_plan(SYS_dup)->quick && !ipmon_plan(SYS_futex)->quick &&
		  !ipmon_plan(SYS_getpid)->quick && !ipmon_plan(SYS_mmap)->quick &&
		  !ipmon_plan(SYS_rt_sigprocmask)->quick &&
		  !ipmon_plan(SYS_clock_gettime)->quick);
}

/* What core/clock.h takes for granted of them. */
Test(decide, clocks_have_a_short_form)
{
	unsigned int n = 0;

	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++) {
		const struct ipmon_plan *p = ipmon_plan(nr);

		if (!(p->flags & PLAN_CLOCK))
			continue;
		n++;
		cr_expect_leq(p->nargs, 2);
		cr_expect_leq(p->len_fixed, 16);
		for (unsigned int i = 1; i < p->nargs; i++)
			cr_expect_eq(p->mask[i], 0);
		cr_expect_eq(p->mask[0] && p->mem == 0, 0);
	}
	cr_expect_eq(n, 3);
}

Test(decide, clocks_say_the_same_in_both_forms)
{
	const uint64_t depths[] = { 0, 8, (uint64_t)-4000, 1 << 20, 1 << 21,
		CLOCK_NO_DEPTH, 1ull << 63, ~0ull >> 1 };

	for (unsigned int i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
		uint64_t at[12] = { 0 };
		struct ipmon_record *rec = (void *)at;
		struct clock_reading a, b;

		*rec = (struct ipmon_record){ .size = 32, .nr = SYS_clock_gettime,
			.flags = REC_LANE | REC_CLOCK };
		clock_pack(rec, 11, 2, depths[i], -5, 999999999);
		cr_assert_eq(clock_unpack(ipmon_plan(rec->nr), rec,
					  (void *)at, &a), 0);
		cr_expect(a.word == 11 && a.nulls == 2 && a.told && !a.ret);
		cr_expect(a.time[0] == (uint64_t)-5 && a.time[1] == 999999999);
		/* ... of the depth what is compared of it */
		cr_expect_eq(clock_deeper(100, a.depth),
			     clock_deeper(100, depths[i]));
		*rec = (struct ipmon_record){ .size = 88, .nr = SYS_clock_gettime,
			.flags = REC_LANE, .in_len = 32, .out_len = 24 };
		memcpy(at + 4, (uint64_t[]){ 11, 0, 2, depths[i], 16,
			(uint64_t)-5, 999999999 }, 56);
		cr_assert_eq(clock_unpack(ipmon_plan(rec->nr), rec,
					  (void *)at, &b), 0);
		cr_expect(a.word == b.word && a.nulls == b.nulls && b.told &&
			  a.ret == b.ret && !memcmp(a.time, b.time, 16) &&
			  b.depth == depths[i]);
		/* no clock, no such record */
		rec->nr = SYS_read;
		cr_expect_neq(clock_unpack(ipmon_plan(rec->nr), rec,
					   (void *)at, &b), 0);
		rec->nr = SYS_clock_gettime;
		rec->flags = REC_LANE | REC_CLOCK | REC_MORE;
		cr_expect_neq(clock_unpack(ipmon_plan(rec->nr), rec,
					   (void *)at, &b), 0);
		rec->flags = REC_LANE | REC_CLOCK;	/* of 88 bytes */
		cr_expect_neq(clock_unpack(ipmon_plan(rec->nr), rec,
					   (void *)at, &b), 0);
	}
}

Test(decide, at_least_150_calls_in_process)
{
	unsigned int n = 0;

	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++)
		n += ipmon_plan(nr)->action != DECIDE_LEFT;
	cr_expect_geq(n, 150, "%u", n);
}

/* What the broker makes at the gate, the filter must let pass. */
Test(decide, never_more_than_the_gate_allows)
{
	srandom(1);
	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++) {
		for (int k = 0; k < 2000; k++) {
			uint64_t args[6];
			enum ipmon_decision d;

			for (int i = 0; i < 6; i++)
				args[i] = k & 1 ? (uint64_t)random() % 64 :
					(uint64_t)random() << 33 ^
					(uint64_t)random();
			if (k % 5 == 0)
				args[1] = ipmon_gate_rules[(size_t)random() %
					IPMON_GATE_RULES].value;
			d = ipmon_decide(&ctx, ipmon_plan(nr), nr, args);
			if (d != DECIDE_RELAXED && d != DECIDE_VERIFIED)
				continue;
			if (ipmon_memory_row(ipmon_row(nr))) {
				cr_assert(ipmon_memory_call(ipmon_row(nr),
							    args));
				continue;
			}
			if (ipmon_open_row(ipmon_row(nr))) {
				cr_assert_geq(ipmon_how_index((uint32_t)args[
					nr == SYS_open ? 1 : 2]), 0);
				continue;
			}
			cr_assert(ipmon_gate_row(ipmon_row(nr)), "%lu",
				  (unsigned long)nr);
			/* locks are made of other calls: libipmon/pi.c */
			cr_assert(!ipmon_gate_by_rule(nr) ||
				  ipmon_gate_rule(nr, args) ||
				  (nr == SYS_futex && futex_pi(args)));
		}
	}
}

Test(decide, who_is_asked)
{
	cr_expect_eq(decide(SYS_getpid, 0, 0, 0), DECIDE_PID);
	cr_expect_eq(decide(SYS_gettid, 0, 0, 0), DECIDE_TID);
	cr_expect_eq(decide(SYS_getppid, 0, 0, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_clone, 0, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_mprotect, 0, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_ptrace, 0, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_mkdir, 0, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_close_range, 0, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_openat2, 0, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_fcntl, 1, F_GETFL, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_fcntl, 1, F_SETOWN, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_ioctl, 1, FIONBIO, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_ioctl, 1, TIOCSTI, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_futex, 0, FUTEX_WAIT_PRIVATE, 0),
		     DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_futex, 0, FUTEX_LOCK_PI, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_futex, 0, FUTEX_UNLOCK_PI_PRIVATE, 0),
		     DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_futex, 0, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME,
			    0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_futex, 0, FUTEX_WAIT_REQUEUE_PI, 0),
		     DECIDE_LEFT);
	cr_expect_eq(decide(SYS_pause, 0, 0, 0), DECIDE_LEFT);
}

Test(decide, verified_waits_for_what_others_can_see)
{
	static const int wait[] = {
		SYS_write, SYS_writev, SYS_sendto, SYS_sendmsg, SYS_sendfile,
		SYS_connect, SYS_shutdown, SYS_close, SYS_ftruncate,
		SYS_fallocate, SYS_splice, SYS_pwrite64, SYS_unlink,
		SYS_rename, SYS_truncate, SYS_utimensat,
	}, dont[] = {
		SYS_read, SYS_recvfrom, SYS_accept4, SYS_epoll_wait,
		SYS_epoll_ctl, SYS_dup2, SYS_stat, SYS_poll,
		SYS_getppid, SYS_timerfd_settime, SYS_clock_gettime,
	};

	ctx.policy = IPMON_VERIFIED;
	for (size_t i = 0; i < sizeof(wait) / sizeof(wait[0]); i++)
		cr_expect_eq(decide((uint64_t)wait[i], 3, 4, 5),
			     DECIDE_VERIFIED, "%d", wait[i]);
	for (size_t i = 0; i < sizeof(dont) / sizeof(dont[0]); i++)
		cr_expect_eq(decide((uint64_t)dont[i], 3, 4, 5),
			     DECIDE_RELAXED, "%d", dont[i]);
	cr_expect_eq(decide(SYS_openat, 3, 4, O_RDONLY), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_socket, AF_INET, 1, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_socket, AF_UNIX, 1, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_fcntl, 3, F_SETLK, 0), DECIDE_VERIFIED);
	cr_expect_eq(decide(SYS_fcntl, 3, F_SETFL, 0), DECIDE_RELAXED);
}

Test(decide, what_makes_files_by_name_is_left)
{
	static const int nrs[] = {
		SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat, SYS_chmod,
		SYS_fchmod, SYS_fchmodat, SYS_chown, SYS_fchown, SYS_lchown,
		SYS_fchownat, SYS_creat, SYS_openat2, SYS_open_by_handle_at,
		SYS_setxattr, SYS_fsetxattr, SYS_removexattr, SYS_mknod,
	};
	static const uint32_t kept[] = {
		O_CLOEXEC, O_NONBLOCK | O_DIRECTORY, O_NOFOLLOW | O_NOCTTY,
		0100000 /* O_LARGEFILE */,
	}, left[] = {
		O_WRONLY, O_RDWR, O_ACCMODE, O_CREAT, O_TRUNC, O_APPEND, O_PATH,
		O_TMPFILE, O_DIRECT, O_SYNC, O_NOATIME, 1u << 31,
	};

	for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++)
		cr_expect_eq(decide((uint64_t)nrs[i], 3, 4, 5), DECIDE_LEFT,
			     "%d", nrs[i]);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		int at = ipmon_how_index(kept[i]);

		cr_expect_eq(decide(SYS_openat, 3, 4, kept[i]),
			     DECIDE_RELAXED, "%x", kept[i]);
		cr_expect(at >= 0 && ipmon_how((unsigned int)at).flags ==
			  (kept[i] & ~0100000u));
	}
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		cr_expect_eq(decide(SYS_openat, 3, 4, left[i]), DECIDE_LEFT,
			     "%x", left[i]);
}

Test(decide, channels_of_the_program)
{
	static uint8_t chan[IPMON_SLOW_FDS / 8];
	const uint64_t dup_args[6] = { 7, 12 }, over[6] = { 9, 7 };
	const uint64_t gone[6] = { 12 };

	slow[0] = 1 << 7 | 1 << 6;
	chan[0] = 1 << 7;		/* 6 is a view */
	ctx.channel_fds = (uint64_t)chan;
	cr_expect_eq(decide(SYS_read, 7, 0, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_writev, 7, 0, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_sendmsg, 7, 0, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_recvmsg, 7, 0, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_fstat, 7, 0, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_sendmmsg, 7, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_preadv2, 7, 0, 0), DECIDE_LEFT);
	/* no data of the program's own */
	cr_expect_eq(decide(SYS_splice, 7, 0, 5), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_splice, 5, 0, 7), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_tee, 7, 7, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_splice, 6, 0, 7), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_vmsplice, 7, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_read, 6, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_write, 6, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_close, 6, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_dup2, 7, 6, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_write, 7, 0, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_close, 7, 0, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_dup2, 7, 12, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_dup2, 9, 7, 0), DECIDE_CHANNEL_RELAXED);
	ctx.policy = IPMON_VERIFIED;
	cr_expect_eq(decide(SYS_write, 7, 0, 0), DECIDE_CHANNEL_VERIFIED);
	ctx.policy = IPMON_RELAXED;
	ipmon_channels_note(&ctx, ipmon_row(SYS_dup2), dup_args, 12);
	cr_expect_eq(decide(SYS_write, 12, 0, 0), DECIDE_CHANNEL_RELAXED);
	cr_expect_eq(decide(SYS_read, 12, 0, 0), DECIDE_CHANNEL_RELAXED);
	ipmon_channels_note(&ctx, ipmon_row(SYS_dup2), over, 7);
	cr_expect_eq(decide(SYS_read, 7, 0, 0), DECIDE_RELAXED);
	ipmon_channels_note(&ctx, ipmon_row(SYS_close), gone, -EINTR);
	cr_expect_eq(decide(SYS_read, 12, 0, 0), DECIDE_CHANNEL_RELAXED);
	ipmon_channels_note(&ctx, ipmon_row(SYS_close), gone, 0);
	cr_expect_eq(decide(SYS_read, 12, 0, 0), DECIDE_RELAXED);
	cr_expect_eq(slow[0], 1 << 6);
	cr_expect_eq(chan[0] | chan[1], 0);
	slow[0] = 0;
}

static enum ipmon_decision map(uint64_t at, int prot, int flags)
{
	const uint64_t args[6] = { at, 4096, (uint64_t)prot, (uint64_t)flags };

	return ipmon_decide(&ctx, ipmon_plan(SYS_mmap), SYS_mmap, args);
}

Test(decide, memory)
{
	const int fresh = MAP_PRIVATE | MAP_ANONYMOUS;

	cr_expect_eq(map(0, PROT_READ, fresh), DECIDE_RELAXED);
	cr_expect_eq(map(0, PROT_NONE, fresh | MAP_NORESERVE), DECIDE_RELAXED);
	cr_expect_eq(map(0, PROT_READ, MAP_PRIVATE), DECIDE_LEFT);
	cr_expect_eq(map(0, PROT_READ, MAP_SHARED | MAP_ANONYMOUS),
		     DECIDE_LEFT);
	cr_expect_eq(map(0, PROT_EXEC, fresh), DECIDE_LEFT);
	cr_expect_eq(map(4096, PROT_READ, fresh), DECIDE_LEFT);
	cr_expect_eq(map(4096, PROT_READ, fresh | MAP_FIXED), DECIDE_LEFT);
	cr_expect_eq(map(0, PROT_READ, fresh | MAP_LOCKED), DECIDE_LEFT);
	cr_expect_eq(map(0, PROT_READ, fresh | MAP_GROWSDOWN), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_brk, 0, 0, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_munmap, 4096, 4096, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_madvise, 4096, 4096, MADV_DONTNEED),
		     DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_madvise, 4096, 4096, MADV_DONTFORK),
		     DECIDE_LEFT);
	cr_expect_eq(decide(SYS_madvise, 4096, 4096, 64), DECIDE_LEFT);
	ctx.flags = IPMON_CTX_NO_MEMORY;
	cr_expect_eq(map(0, PROT_READ, fresh), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_brk, 0, 0, 0), DECIDE_LEFT);
	ctx.flags = 0;
}

Test(decide, slow_descriptors)
{
	slow[7 / 8] = 1 << 7;
	cr_expect_eq(decide(SYS_read, 7, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_read, 8, 0, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_read, 7ull | 1ull << 32, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_close, 7, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_dup2, 0, 7, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_sendfile, 1, 7, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_openat, 7, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_epoll_ctl, 5, EPOLL_CTL_ADD, 7), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_read, IPMON_SLOW_FDS, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_read, 0x7fffffff, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_read, (uint64_t)-1, 0, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_openat, (uint64_t)AT_FDCWD, 0, 0),
		     DECIDE_RELAXED);
	slow[7 / 8] = 0;
}

Test(decide, flags_of_the_context)
{
	ctx.flags = IPMON_CTX_NO_OPEN;
	cr_expect_eq(decide(SYS_write, 1, 0, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_open, 1, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_openat, 1, 0, 0), DECIDE_LEFT);
	ctx.flags = 0;
	cr_expect_eq(decide(SYS_open, 1, O_CREAT | O_EXCL, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_epoll_wait, 1, 0, 0), DECIDE_RELAXED);
	cr_expect_eq(decide(SYS_epoll_ctl, 1, 0, 0), DECIDE_RELAXED);
	ctx.epoll = 0;
	cr_expect_eq(decide(SYS_epoll_wait, 1, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_epoll_ctl, 1, 0, 0), DECIDE_LEFT);
}

/* ---- levels ---- */

Test(decide, levels_are_cumulative)
{
	static uint8_t plain[IPMON_SLOW_FDS / 8];
	static const struct {
		int nr;
		unsigned int file, socket;	/* levels */
	} c[] = {
		{ SYS_getppid, LEVEL_BASE, LEVEL_BASE },
		{ SYS_clock_gettime, LEVEL_BASE, LEVEL_BASE },
		{ SYS_stat, LEVEL_NONSOCKET_RO, LEVEL_NONSOCKET_RO },
		{ SYS_read, LEVEL_NONSOCKET_RO, LEVEL_SOCKET_RO },
		{ SYS_write, LEVEL_NONSOCKET_RW, LEVEL_SOCKET_RW },
		{ SYS_semop, LEVEL_NONSOCKET_RW, LEVEL_NONSOCKET_RW },
		{ SYS_poll, LEVEL_SOCKET_RO, LEVEL_SOCKET_RO },
		{ SYS_recvfrom, LEVEL_SOCKET_RO, LEVEL_SOCKET_RO },
		{ SYS_epoll_wait, LEVEL_SOCKET_RO, LEVEL_SOCKET_RO },
		{ SYS_sendto, LEVEL_SOCKET_RW, LEVEL_SOCKET_RW },
		{ SYS_accept, LEVEL_SOCKET_RW, LEVEL_SOCKET_RW },
	};

	plain[0] = 1 << 3;
	ctx.plain_fds = (uint64_t)plain;
	for (unsigned int l = LEVEL_BASE; l < LEVEL_MAX; l++) {
		ctx.level = l;
		cr_expect_eq(decide(SYS_getpid, 0, 0, 0), DECIDE_PID);
		for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
			uint64_t nr = (uint64_t)c[i].nr;

			cr_expect_eq(decide(nr, 3, 0, 0) != DECIDE_LEFT,
				     l >= c[i].file, "%d at %u", c[i].nr, l);
			cr_expect_eq(decide(nr, 4, 0, 0) != DECIDE_LEFT,
				     l >= c[i].socket, "%d at %u", c[i].nr, l);
		}
	}
	/* every call that can be handled has one */
	for (uint64_t nr = 0; nr < IPMON_NR_MAX; nr++)
		cr_expect(ipmon_plan(nr)->action == DECIDE_LEFT ||
			  ipmon_plan(nr)->level);
}

static void note(uint64_t nr, uint64_t arg, int64_t ret)
{
	const uint64_t args[6] = { arg };

	ipmon_kinds_note(&ctx, ipmon_row(nr), args, ret);
}

Test(decide, which_descriptors_are_no_sockets)
{
	static uint8_t plain[IPMON_SLOW_FDS / 8];

	ctx.level = LEVEL_NONSOCKET_RO;
	ctx.plain_fds = (uint64_t)plain;
	cr_expect_eq(decide(SYS_read, 5, 0, 0), DECIDE_LEFT);
	note(SYS_openat, (uint64_t)AT_FDCWD, 5);
	cr_expect_eq(decide(SYS_read, 5, 0, 0), DECIDE_RELAXED);
	note(SYS_dup, 5, 6);
	cr_expect_eq(decide(SYS_read, 6, 0, 0), DECIDE_RELAXED);
	note(SYS_dup, 5, -EMFILE);
	note(SYS_close, 5, -EIO);
	cr_expect_eq(decide(SYS_read, 5, 0, 0), DECIDE_RELAXED);
	note(SYS_close, 5, 0);
	cr_expect_eq(decide(SYS_read, 5, 0, 0), DECIDE_LEFT);
	note(SYS_socket, 2, 6);
	cr_expect_eq(decide(SYS_read, 6, 0, 0), DECIDE_LEFT);
	note(SYS_dup2, 6, 7);
	cr_expect_eq(decide(SYS_read, 7, 0, 0), DECIDE_LEFT);
	note(SYS_eventfd2, 0, 7);
	cr_expect_eq(decide(SYS_read, 7, 0, 0), DECIDE_RELAXED);
	note(SYS_dup3, 7, IPMON_SLOW_FDS);
}

static int left(const char *p, unsigned int n)
{
	return ipmon_path_left(&ctx, (const unsigned char *)p, n);
}

Test(decide, paths)
{
	cr_expect(left("/proc/", 6) && left("/proc\0x", 6) && left("/proc", 5));
	cr_expect_not(left("/process", 6) || left("/pro", 4) || left("", 0) ||
		      left("/prod/", 6));
	/* the gate opens absolute names only */
	cr_expect(left("proc/1", 6) && left("", 1) && left(".", 2));
	cr_expect_not(left("/sys/", 5));
	/* where variants do not all load the same code */
	ctx.flags = IPMON_CTX_DIVERSE;
	cr_expect(left("/sys/d", 6) && left("/proc/", 6));
	cr_expect_not(left("/syst", 5) || left("/etc/m", 6));
}

Test(decide, wishes_of_single_calls)
{
	static uint8_t calls[IPMON_NR_MAX];

	ctx.calls = (uint64_t)calls;
	cr_expect_eq(decide(SYS_read, 3, 0, 0), DECIDE_RELAXED);
	calls[SYS_read] = IPMON_WISH_LEFT;
	calls[SYS_getpid] = IPMON_WISH_LEFT;
	calls[SYS_lseek] = IPMON_WISH_WAIT;
	calls[SYS_write] = IPMON_WISH_GO;
	cr_expect_eq(decide(SYS_read, 3, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_getpid, 0, 0, 0), DECIDE_LEFT);
	cr_expect_eq(decide(SYS_gettid, 0, 0, 0), DECIDE_TID);
	cr_expect_eq(decide(SYS_lseek, 3, 0, 0), DECIDE_VERIFIED);
	cr_expect_eq(decide(SYS_write, 3, 0, 0), DECIDE_RELAXED);
	ctx.policy = IPMON_VERIFIED;
	cr_expect_eq(decide(SYS_write, 3, 0, 0), DECIDE_RELAXED);
	calls[SYS_write] = IPMON_WISH_NONE;
	cr_expect_eq(decide(SYS_write, 3, 0, 0), DECIDE_VERIFIED);
	/* what cannot be in-process stays where it is */
	calls[SYS_execve] = IPMON_WISH_GO;
	cr_expect_eq(decide(SYS_execve, 1, 1, 1), DECIDE_LEFT);
	cr_expect_eq(decide(IPMON_NR_MAX, 0, 0, 0), DECIDE_LEFT);
}

Test(decide, private_calls_are_bounded)
{
	cr_expect_eq(ipmon_solo_max(&ctx), 1024);
	ctx.flags = IPMON_CTX_DIVERSE;
	cr_expect_eq(ipmon_solo_max(&ctx), 1u << 20);
}

Test(decide, lanes)
{
	const uint64_t none[6] = { 0 }, addr[6] = { 1, 2, 3, 4, 5, 6 };

	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_getppid), addr), LANE_SCALAR);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_read), addr), LANE_OUT);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_write), addr), LANE_IN);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_sendto), addr), LANE_WALK);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_sendto), none), LANE_IN);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_accept4), addr), LANE_WALK);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_accept4), none), LANE_SCALAR);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_stat), addr), LANE_OUT);
	cr_expect_eq(ipmon_plan(SYS_inotify_add_watch)->paths, 2);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_sendfile), addr), LANE_INOUT);
	cr_expect_eq(ipmon_plan(SYS_sendfile)->rule, R_ALWAYS);
	cr_expect_eq(ipmon_lane(ipmon_plan(SYS_writev), none), LANE_WALK);
	/* the rule of an output span is that of the walk */
	cr_expect_eq(ipmon_plan(SYS_read)->rule, R_RET);
	cr_expect_eq(ipmon_plan(SYS_fstat)->rule, R_SUCCESS);
	cr_expect_eq(ipmon_plan(SYS_fstat)->len_fixed, 144);
}

/* ---- epoll ---- */

Test(decide, epoll_table)
{
	uint64_t data;
	int a, b;

	cr_expect_eq(epoll_find(table, 5, 6), -1);
	cr_expect_eq(epoll_data(table, IPMON_EPOLL_TAG | 3, &data), -1);
	cr_expect_eq(epoll_data(table, 3, &data), -1);
	table->owner = 77;
	a = epoll_place(table, 5, 6);
	cr_assert_geq(a, 0);
	epoll_add(table, a, 5, 6, 111);
	cr_expect_eq(epoll_find(table, 5, 6), a);
	cr_expect(!epoll_data(table, epoll_tag(table, a), &data) &&
		  data == 111);
	/* the number is registered anew: the old one stays translatable */
	b = epoll_place(table, 5, 6);
	cr_assert(b >= 0 && b != a);
	epoll_add(table, b, 5, 6, 222);
	cr_expect_eq(epoll_find(table, 5, 6), b);
	cr_expect(!epoll_data(table, epoll_tag(table, a), &data) &&
		  data == 111);
	cr_expect(!epoll_data(table, epoll_tag(table, b), &data) &&
		  data == 222);
	/* a child inherits it, and knows what it makes itself */
	table->owner = 78;
	cr_expect_eq(epoll_data(table, epoll_tag(table, b), &data), -1);
	cr_expect_eq(epoll_find(table, 5, 6), b);
	epoll_mod(table, b, 333);
	cr_expect(!epoll_data(table, epoll_tag(table, b), &data) &&
		  data == 333);
	table->owner = 77;
	cr_expect_eq(epoll_data(table, epoll_tag(table, b), &data), -1);
	cr_expect(!epoll_data(table, epoll_tag(table, a), &data) &&
		  data == 111);
	epoll_del(table, 5, 6);
	cr_expect_eq(epoll_find(table, 5, 6), -1);
	cr_expect_eq(epoll_place(table, 0x1fffe, 6), -1);
	cr_expect_eq(epoll_place(table, -1, 6), -1);
	cr_expect_eq(epoll_place(table, 5, -1), -1);
}

Test(decide, epoll_table_keeps_what_is_live)
{
	/* many descriptors at a few instances, churning */
	static int slot[4][3000];
	uint64_t data;

	srandom(3);
	memset(slot, 0xff, sizeof(slot));
	for (int k = 0; k < 200000; k++) {
		int e = (int)random() % 4, f = (int)random() % 3000;

		if (random() % 4 == 0) {
			epoll_del(table, 3 + e, f);
			slot[e][f] = -1;
			continue;
		}
		slot[e][f] = epoll_place(table, 3 + e, f);
		cr_assert_geq(slot[e][f], 0);
		epoll_add(table, slot[e][f], 3 + e, f,
			  (uint64_t)e << 32 | (uint64_t)f);
	}
	for (int e = 0; e < 4; e++)
		for (int f = 0; f < 3000; f++) {
			cr_assert_eq(epoll_find(table, 3 + e, f), slot[e][f]);
			if (slot[e][f] < 0)
				continue;
			cr_assert(!epoll_data(table, epoll_tag(table,
							slot[e][f]), &data));
			cr_assert_eq(data, (uint64_t)e << 32 | (uint64_t)f);
		}
}

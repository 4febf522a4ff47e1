// SPDX-License-Identifier: Apache-2.0
/*
 * Records of a ring as text: well-formed ones, ones cut short, and whatever a
 * leader that has been taken over might write.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "ringcall.h"
#include "../../libipmon/core/clock.h"
#include "../../libipmon/core/ring.h"
#include "../../libipmon/core/stream.h"

static struct ipmon_ring *ring;
static unsigned char *copy;
static struct ring_call c;
static uint64_t head;

static void setup(void)
{
	ring = calloc(1, sizeof(*ring));
	/* exactly as much as promised: the sanitizer sees the rest */
	copy = malloc(RINGCALL_COPY);
	head = 0;
}

static void teardown(void)
{
	free(ring);
	free(copy);
}

TestSuite(ringcall, .init = setup, .fini = teardown);

/* ---- writing ---- */

static unsigned char part[65536];
static uint32_t fill;

static void w(uint64_t v)
{
	memcpy(part + fill, &v, 8);
	fill += 8;
}

static void chunk(const char *s, uint32_t n, uint64_t flags)
{
	w(n | flags << 32);
	memset(part + fill, 0, ring_align(n));
	memcpy(part + fill, s, n);
	fill += ring_align(n);
}

static uint64_t record(unsigned int nr, unsigned int flags, int64_t ret,
		       uint32_t in_len)
{
	struct ipmon_record r = {
		.size = RING_HEADER + fill, .nr = (uint16_t)nr,
		.flags = (uint16_t)flags, .ret = ret, .in_len = in_len,
		.out_len = fill - in_len,
	};
	uint64_t at = head;

	memcpy(ring->data + (head & RING_MASK), &r, sizeof(r));
	memcpy(ring->data + (head & RING_MASK) + sizeof(r), part, fill);
	head += r.size;
	ring->head = head;
	fill = 0;
	return at;
}

static const char *text_of(uint64_t pos, bool continued)
{
	static char buf[2048];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	if (ring_call_read(ring, pos, head, continued, &c, copy))
		return "none";
	ring_call_text(&t, &c);
	return buf;
}

#define says(pos, what) do { \
	const char *t_ = text_of(pos, false); \
	cr_expect_str_eq(t_, what, "%s", t_); \
} while (0)

/* ---- well-formed ---- */

Test(ringcall, lanes)
{
	uint64_t at;

	at = record(SYS_getppid, REC_LANE, 17, 0);
	says(at, "getppid() = 17");
	cr_expect(c.done && !ring_call_visible(&c));

	w(3); w(0); w(5); w(2);
	chunk("hello", 5, 0);
	at = record(SYS_write, REC_LANE, 5, fill);
	says(at, "write(3, \"hello\", 5) = 5");
	cr_expect(ring_call_visible(&c));
	cr_expect(ring_call_has_arg(&c, 2) && !ring_call_has_arg(&c, 4));

	w(3); w(0); w(100); w(2);
	{
		uint32_t in = fill;

		chunk("abc\n", 4, 0);
		at = record(SYS_read, REC_LANE, 4, in);
	}
	says(at, "read(3, \"abc\\n\", 100) = 4");
	cr_expect_not(ring_call_visible(&c));

	w(3); w(0); w(100); w(0);
	at = record(SYS_read, REC_LANE, -EFAULT, fill);
	says(at, "read(3, NULL, 100) = -1 EFAULT (Bad address)");

	w(3); w(7); w(SEEK_SET); w(0);
	at = record(SYS_lseek, REC_LANE, 7, fill);
	says(at, "lseek(3, 7, SEEK_SET) = 7");

	w(0); w(4); w(1);
	w(11);
	chunk("/etc/passwd", 11, 0);
	at = record(SYS_access, REC_LANE, 0, fill);
	says(at, "access(\"/etc/passwd\", R_OK) = 0");
}

Test(ringcall, clocks)
{
	struct ipmon_record *rec;
	uint64_t at;

	at = record(SYS_clock_gettime, REC_LANE | REC_CLOCK, 0, 0);
	rec = (void *)(ring->data + at);
	clock_pack(rec, CLOCK_MONOTONIC, 2, 40, 1234, 5678);
	says(at, "clock_gettime(CLOCK_MONOTONIC, [16 bytes]) = 0");
	{
		uint64_t told[2] = { 1234, 5678 };

		cr_assert_eq(c.n, 1);
		cr_expect_eq(memcmp(c.copy + c.part[0].at, told, 16), 0);
	}
	cr_expect_not(c.malformed);
	at = record(SYS_time, REC_LANE | REC_CLOCK, 0, 0);
	rec = (void *)(ring->data + at);
	clock_pack(rec, 0, 0, 40, 1234, 0);
	says(at, "time(NULL) = 1234");
	at = record(SYS_read, REC_LANE | REC_CLOCK, 0, 0);
	text_of(at, false);
	cr_expect(c.malformed);
}

Test(ringcall, items)
{
	uint64_t at;
	uint32_t in;

	w(stream_item(IT_SCALAR, 0, 0, 0)); w(4);
	w(stream_item(IT_SCALAR, 2, 0, 0)); w(2);
	w(stream_item(IT_IN, 1, 0, 3)); chunk("one", 3, 0);
	w(stream_item(IT_IN, 1, 0, 3)); chunk("two", 3, 0);
	w(STREAM_END);
	at = record(SYS_writev, 0, 6, fill);
	says(at, "writev(4, {\"one\", \"two\"}, 2) = 6");
	cr_expect(ring_call_visible(&c));

	w(stream_item(IT_SCALAR, 0, 0, 0)); w(4);
	w(stream_item(IT_SCALAR, 2, 0, 0)); w(1);
	w(stream_item(IT_OUT, 1, R_VEC, 10));
	w(STREAM_END);
	in = fill;
	chunk("12345", 5, 0);
	at = record(SYS_readv, 0, 5, in);
	says(at, "readv(4, \"12345\", 1) = 5");
}

Test(ringcall, what_is_left_to_the_monitor_and_pieces)
{
	uint64_t at, next;

	at = record(SYS_getppid, REC_FORWARD, 0, 0);
	says(at, "getppid(...) left to the monitor");
	cr_expect_not(c.done || ring_call_visible(&c));

	w(3); w(0); w(20); w(2);
	chunk("0123456789abcdef", 16, CHUNK_MORE);
	at = record(SYS_write, REC_LANE | REC_MORE | REC_INPUTS, 0, fill);
	chunk("ghij", 4, 0);
	next = record(SYS_write, REC_LANE, 20, fill);
	says(at, "write(3, \"0123456789abcdef\"..., 20) ...");
	cr_expect_not(c.done || c.malformed);
	cr_expect_eq(c.pos + c.size, next);
	cr_expect_str_eq(text_of(next, true), "write(... continued) = 20");
	cr_expect_str_eq(text_of(head, false), "none");
}

Test(ringcall, over_the_end_of_the_buffer)
{
	uint64_t at, skip = 8;

	head = IPMON_RING_BYTES - skip;
	*(uint64_t *)(void *)(ring->data + head) = skip |
		(uint64_t)REC_SKIP << 48;
	at = head;
	head += skip;
	record(SYS_getuid, REC_LANE, 1000, 0);
	says(at, "getuid() = 1000");
	cr_expect_eq(c.pos, IPMON_RING_BYTES);
	/* a skip that leads to the end of what was given */
	cr_expect_eq(ring_call_read(ring, at, IPMON_RING_BYTES, false, &c,
				    copy), 1);
	cr_expect_eq(ring_oldest(head, head), IPMON_RING_BYTES);
	cr_expect_eq(ring_oldest(at, head), 0 * at + at);
}

/* ---- hostile ---- */

Test(ringcall, lengths_are_not_believed)
{
	uint64_t at;
	uint32_t n;

	/* a chunk longer than its record */
	w(3); w(0); w(5); w(2);
	w(0xffffffff);
	at = record(SYS_write, REC_LANE, 5, fill);
	cr_expect_eq(ring_call_read(ring, at, head, false, &c, copy), 0);
	cr_expect(c.malformed);
	/* a path of which nothing follows */
	w(0); w(4); w(1); w(~0ull >> 1);
	at = record(SYS_access, REC_LANE, 0, fill);
	cr_expect_eq(ring_call_read(ring, at, head, false, &c, copy), 0);
	cr_expect(c.malformed);
	/* items of no type, of no argument */
	w(stream_item(77, 1, 0, 0));
	at = record(SYS_writev, 0, 0, fill);
	cr_expect_eq(ring_call_read(ring, at, head, false, &c, copy), 0);
	cr_expect(c.malformed);
	w(stream_item(IT_SCALAR, 200, 0, 0)); w(1);
	at = record(SYS_writev, 0, 0, fill);
	cr_expect_eq(ring_call_read(ring, at, head, false, &c, copy), 0);
	cr_expect(c.malformed);
	/* more of them than we keep */
	for (n = 0; n < 2 * RINGCALL_PARTS; n++) {
		w(stream_item(IT_SCALAR, 1, 0, 0));
		w(n);
	}
	w(STREAM_END);
	at = record(SYS_writev, 0, 0, fill);
	cr_expect_eq(ring_call_read(ring, at, head, false, &c, copy), 0);
	cr_expect_eq(c.n, (unsigned int)RINGCALL_PARTS);
	cr_expect(strlen(text_of(at, false)) < 1000);
	/* positions that are none */
	cr_expect_eq(ring_call_read(ring, at + 4, head, false, &c, copy), -1);
	cr_expect_eq(ring_call_read(ring, head + 8, head, false, &c, copy), -1);
	cr_expect_eq(ring_call_read(ring, head - IPMON_RING_BYTES - 8, head,
				    false, &c, copy), -1);
	/* numbers without a row */
	at = record(0xffff, REC_LANE, 0, 0);
	cr_expect_str_eq(text_of(at, false), "syscall_65535(?, ?, ?, ?, ?, ?) = 0");
}

Test(ringcall, anything)
{
	char buf[4096];
	uint64_t seed = 7;

	for (int round = 0; round < 60000; round++) {
		uint64_t pos = (seed >> 20) & ~7ull, end;
		struct text t;

		if (round % 500 == 0)
			for (uint32_t i = 0; i < IPMON_RING_BYTES / 8; i++) {
				seed = seed * 6364136223846793005ull + 1;
				((uint64_t *)(void *)ring->data)[i] =
					seed & 1 ? (seed >> 50 & 0x1f8) |
					(seed >> 20 & 0x001f01ffull) << 32 :
					seed >> 44;
			}
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		end = pos + (seed >> 30 & (IPMON_RING_BYTES + 15));
		ring->head = end + (seed >> 60) * 8;
		for (int i = 0; i < 20; i++) {
			if (ring_call_read(ring, pos, end, seed >> 50 & i & 1,
					   &c, copy))
				break;
			cr_assert(c.size >= RING_HEADER && c.n <= RINGCALL_PARTS);
			text_init(&t, buf, sizeof(buf));
			ring_call_text(&t, &c);
			ring_call_visible(&c);
			for (unsigned int a = 0; a < 8; a++) {
				ring_call_has_arg(&c, a);
				ring_call_arg(&t, &c, a);
			}
			pos = c.pos + c.size;
		}
	}
}

// SPDX-License-Identifier: Apache-2.0
/*
 * The divergence report on hand-made task sets: gathering, the vote, the
 * guess, text and JSON.
 *
 * The "variants" are all this test process; their memory is arrays of ours.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "fast_report.h"
#include "launch.h"
#include "report.h"
#include "tracee.h"

/* ---- what report_gather.c needs from the rest of monitord ---- */

struct monitor mon;
static struct user_regs_struct regs = { .rip = 0x1000, .rsp = 0x2000 };

uint64_t now_ns(void)
{
	return 0;
}

struct user_regs_struct *task_regs(struct task *t)
{
	return &regs;
}

ssize_t mem_read_some(struct task *t, void *dst, uint64_t src, size_t n)
{
	struct iovec l = { dst, n }, r = { (void *)src, n };
	ssize_t got = process_vm_readv(getpid(), &l, 1, &r, 1, 0);

	return got < 0 ? -errno : got;
}

int backtrace_task(struct task *t, struct frame *f, int max)
{
	memset(f, 0, sizeof(*f));
	f->pc = 0x401234;
	strcpy(f->symbol, "victim");
	f->sym_off = 0x12;
	strcpy(f->object, "/usr/bin/victim");
	f->obj_off = 0x1234;
	strcpy(f->source, "victim.c:7");
	return 1;
}

/* ---- a set ---- */

static struct proc proc;
static struct taskset *set;
static struct ipmon_item item[MAX_VARIANTS][6];

static void make_set(unsigned int n, long nr)
{
	static char *argv[] = { (char *)"./victim", NULL };

	memset(&mon, 0, sizeof(mon));
	mon.n = n;
	mon.live = (1u << n) - 1;
	mon.opt.argv = argv;
	proc.vpid = 1234;
	set = calloc(1, sizeof(*set));
	set->proc = &proc;
	set->id = 1;
	set->vtid = 1234;
	set->arrived = mon.live;
	set->row = ipmon_row((uint64_t)nr);
	for (unsigned int v = 0; v < n; v++) {
		struct task *t = &set->t[v];

		t->set = set;
		t->variant = v;
		t->tid = getpid();
		t->at = AT_ENTRY;
		t->call.nr = (uint64_t)nr;
		t->items.v = item[v];
		proc.pid[v] = getpid();
	}
}

/* write(1, text, strlen(text)) in variant v */
static void make_write(unsigned int v, const char *text)
{
	struct task *t = &set->t[v];

	t->call.args[0] = 1;
	t->call.args[1] = (uint64_t)text;
	t->call.args[2] = strlen(text);
	item[v][0] = (struct ipmon_item){ .type = IT_SCALAR, .value = 1 };
	item[v][1] = (struct ipmon_item){ .type = IT_IN, .arg = 1,
		.addr = (uint64_t)text, .len = (uint32_t)strlen(text) };
	t->items.n = 2;
}

static struct divergence payload(unsigned int v)
{
	const char *a = (const char *)item[0][1].addr;
	const char *b = (const char *)item[v][1].addr;
	struct divergence d = {
		.kind = DIV_PAYLOAD, .set = set, .variant = v, .arg = 1,
		.addr = { item[0][1].addr, item[v][1].addr },
		.len = { item[0][1].len, item[v][1].len },
	};

	while (a[d.offset] && a[d.offset] == b[d.offset])
		d.offset++;
	return d;
}

static struct report *report(const struct divergence *d)
{
	struct report *r = calloc(1, sizeof(*r));
	bool alone;
	unsigned int who = report_deviating(d, &alone);

	report_gather(r, d, who, alone);
	report_summarise(r);
	report_guess(r);
	return r;
}

static char *printed(const struct report *r, bool colour)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	struct style style = { colour, 100, true };

	report_print(f, r, &style);
	fclose(f);
	return text;
}

#define has(text, part) cr_assert(strstr(text, part), "no \"%s\" in:\n%s", \
				  part, text)
#define hasnt(text, part) cr_assert(!strstr(text, part), "\"%s\" in:\n%s", \
				    part, text)

Test(report, payload)
{
	struct divergence d;
	struct report *r;
	char *text;

	make_set(2, SYS_write);
	make_write(0, "the number is 17\n");
	make_write(1, "the number is 23\n");
	d = payload(1);
	r = report(&d);
	cr_assert_str_eq(r->summary, "payload: write(1, ...) in thread 1234: "
			 "variant 1 differs from the leader at byte 14 of "
			 "argument 2");
	cr_assert_eq(r->deviating, 2u);
	text = printed(r, false);
	cr_assert(!strncmp(text, "monitord: divergence: payload: ", 31));
	has(text, "                leader                                     variant 1, deviates\n");
	has(text, "    call        write                                      write\n");
	has(text, "  ! argument 2  \"the number is 17\\n\"                       \"the number is 23\\n\"\n");
	has(text, "    argument 3  17                                         17\n");
	/* the two digits are marked in the dump */
	has(text, "  00000000 - 74 68 65 20 6e 75 6d 62  65 72 20 69 73 20 31 37 |the number is 17|\n"
		  "  00000000 + 74 68 65 20 6e 75 6d 62  65 72 20 69 73 20 32 33 |the number is 23|\n"
		  "                                                        ^^ ^^\n");
	has(text, "victim+0x12 (victim+0x1234) at victim.c:7");
	hasnt(text, "\033");
	free(text);
	text = printed(r, true);
	has(text, "\033[1;31m31\033[0m ");
	free(text);
	free(r);
}

Test(report, payload_of_different_length)
{
	struct divergence d;
	struct report *r;
	char *text;

	make_set(2, SYS_write);
	make_write(0, "abc");
	make_write(1, "abcdef");
	d = payload(1);
	cr_assert_eq(d.offset, 3u);
	r = report(&d);
	text = printed(r, false);
	has(text, "3 bytes at");
	has(text, "lengths differ");
	free(text);
	free(r);
}

Test(report, difference_far_into_a_large_buffer)
{
	static char a[100000], b[100000];
	struct divergence d;
	struct report *r;
	char *text;

	memset(a, 'x', sizeof(a) - 1);
	memset(b, 'x', sizeof(b) - 1);
	b[70000] = '\033';
	make_set(2, SYS_write);
	make_write(0, a);
	make_write(1, b);
	d = payload(1);
	r = report(&d);
	cr_assert_eq(r->window_at, (70000u - 64) & ~15u);
	cr_assert_eq(r->v[0].window_len, REPORT_WINDOW);
	text = printed(r, false);
	has(text, "00011170 + 1b 78");
	hasnt(text, "\033");
	cr_assert_lt(strlen(text), 6000u);
	free(text);
	free(r);
}

Test(report, an_address_in_the_text_is_recognised)
{
	static char where[256];
	char a[64], b[64];
	struct divergence d;
	struct report *r;

	snprintf(a, sizeof(a), "stack %p\n", (void *)where);
	snprintf(b, sizeof(b), "stack %p\n", (void *)(where + 200));
	make_set(2, SYS_write);
	make_write(0, a);
	make_write(1, b);
	d = payload(1);
	r = report(&d);
	cr_assert_str_eq(r->pointer, "text");
	has(r->guess, "The differing bytes are an address, as text");
	has(r->guess, "--layout same");
	free(r);
}

Test(report, a_decimal_or_shifted_address_is_recognised)
{
	static const struct {
		const char *format, *found;
		unsigned int shift;
	} c[] = {
		{ "id %lu\n", "decimal text", 0 },
		{ "hash %lu\n", "shifted text", 4 },
		{ "page %lx\n", "shifted text", 12 },
	};
	const uint64_t at[2] = { 0x200000000000, 0x210000000000 };

#ifdef __SANITIZE_ADDRESS__
	/* what is left of the bits of one is an address in its shadow */
	cr_skip_test("ASan has mapped nearly all below 16 TiB");
#endif
	for (int i = 0; i < 2; i++)
		cr_assert(mmap((void *)(uintptr_t)at[i], 4096, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS |
			       MAP_FIXED_NOREPLACE, -1, 0) != MAP_FAILED);
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
		char text[2][64];
		struct divergence d;
		struct report *r;

		make_set(2, SYS_write);
		for (unsigned int v = 0; v < 2; v++) {
			snprintf(text[v], sizeof(text[v]), c[i].format,
				 at[v] >> c[i].shift);
			make_write(v, text[v]);
		}
		d = payload(1);
		r = report(&d);
		cr_assert_str_eq(r->pointer, c[i].found);
		free(r);
	}
}

Test(report, a_binary_address_is_recognised)
{
	static int one[2];
	char a[17] = "abcdefgh", b[17] = "abcdefgh";
	uint64_t x = (uint64_t)&one[0], y = (uint64_t)&one[1];
	struct divergence d;
	struct report *r;

	make_set(2, SYS_write);
	memcpy(a + 5, &x, 8);
	memcpy(b + 5, &y, 8);
	make_write(0, a);
	make_write(1, b);
	item[0][1].len = item[1][1].len = 16;
	set->t[0].call.args[2] = set->t[1].call.args[2] = 16;
	d = payload(1);
	d.offset = 5;
	r = report(&d);
	cr_assert_str_eq(r->pointer, "binary");
	free(r);
}

/* What differs without being an address may still come from one. */
Test(report, an_order_may_be_that_of_addresses)
{
	struct divergence d;
	struct report *r;

	make_set(2, SYS_write);
	make_write(0, "keys: one two three\n");
	make_write(1, "keys: three two one\n");
	d = payload(1);
	r = report(&d);
	has(r->guess, "The bytes are the same in another order");
	has(r->guess, "If the program orders by address");
	has(r->guess, "--layout same");
	free(r);

	/* others are not, and who made variants different knows why */
	make_write(1, "keys: three two two\n");
	d = payload(1);
	mon.opt.variant_path[1] = "/bin/other";
	r = report(&d);
	cr_expect_null(strstr(r->guess, "another order"));
	cr_expect_null(strstr(r->guess, "--layout same"));
	free(r);

	/* there is nothing to be gained where it is so already */
	mon.opt.variant_path[1] = NULL;
	mon.opt.layout = LAYOUT_SAME;
	r = report(&d);
	cr_expect_null(strstr(r->guess, "--layout same"));
	free(r);
}

Test(report, vote)
{
	bool alone;
	struct divergence d;
	struct report *r;

	make_set(3, SYS_write);
	make_write(0, "same");
	make_write(1, "same");
	make_write(2, "else");
	d = payload(2);
	cr_assert_eq(report_deviating(&d, &alone), 4u);
	cr_assert_not(alone);
	r = report(&d);
	has(r->guess, "Variant 2 alone differs");
	free(r);

	make_write(0, "else");
	make_write(2, "same");
	d = payload(1);
	cr_assert_eq(report_deviating(&d, &alone), 6u);
	cr_assert(alone);
	r = report(&d);
	has(r->guess, "The leader alone differs");
	free(r);

	make_write(2, "diff");
	d = payload(1);
	cr_assert_eq(report_deviating(&d, &alone), 6u);
	cr_assert_not(alone);
}

Test(report, different_calls)
{
	struct divergence d;
	struct report *r;
	char *text;

	make_set(2, SYS_write);
	make_write(0, "x");
	set->t[1].call.nr = SYS_getpid;
	set->t[1].items.n = 0;
	d = (struct divergence){ .kind = DIV_CALL, .set = set, .variant = 1,
				 .arg = -1 };
	r = report(&d);
	cr_assert_str_eq(r->summary, "call: in thread 1234: variant 1 calls "
			 "getpid(), the leader write(1, ...)");
	text = printed(r, false);
	has(text, "getpid()");
	free(text);
	free(r);
}

Test(report, crash_at_an_address_of_the_other_variant)
{
	struct divergence d;
	struct report *r;

	make_set(2, SYS_write);
	make_write(0, "x");
	set->t[1].at = AT_SIGNAL;
	set->t[1].fault = true;
	set->t[1].status = SIGSEGV << 8 | 0x7f;
	d = (struct divergence){ .kind = DIV_CRASH, .set = set, .variant = 1,
		.arg = -1, .sig = { 0, SIGSEGV }, .fault_addr = { 0, 0x18 } };
	r = report(&d);
	cr_assert_str_eq(r->summary, "crash: in thread 1234: variant 1 got "
			 "SIGSEGV at address 0x18 in victim, the leader did "
			 "not");
	has(r->guess, "null pointer");
	free(r);
}

Test(report, leader_that_has_not_arrived_is_to_blame)
{
	struct divergence d;
	bool alone;

	make_set(3, SYS_write);
	set->arrived = 6;
	set->t[0].at = AT_RUN;
	d = (struct divergence){ .kind = DIV_STALL, .set = set, .variant = 1,
				 .arg = -1 };
	cr_assert_eq(report_deviating(&d, &alone), 0u);
	set->arrived = 3;
	d.variant = 2;
	cr_assert_eq(report_deviating(&d, &alone), 4u);
}

Test(report, dead_tasks_and_missing_sets_are_survived)
{
	struct divergence d;
	struct report *r;
	char *text;

	make_set(2, SYS_write);
	set->t[0].at = set->t[1].at = AT_DEAD;
	set->t[0].tid = set->t[1].tid = 0;
	set->t[1].status = SIGKILL;
	d = (struct divergence){ .kind = DIV_KILLED, .set = set, .variant = 1,
				 .arg = -1, .status = { 0, SIGKILL } };
	r = report(&d);
	text = printed(r, false);
	has(text, "killed by SIGKILL");
	free(text);
	json_object_put(report_to_json(r));
	free(r);

	d.set = NULL;
	r = report(&d);
	free(printed(r, false));
	json_object_put(report_to_json(r));
	free(r);
}

static const char *member(struct json_object *o, const char *key)
{
	struct json_object *v;

	cr_assert(json_object_object_get_ex(o, key, &v), "%s", key);
	return json_object_get_string(v);
}

Test(report, json)
{
	struct json_object *o, *vs, *v1, *args, *diff, *bt;
	struct divergence d;
	struct report *r;

	make_set(2, SYS_write);
	make_write(0, "\"\033 17\n");
	make_write(1, "\"\033 18\n");
	set->recent[0] = (struct recent){ .seq = 5, .nr = SYS_close,
					  .args = { 3 }, .ret = -EBADF };
	set->recent_pos = 1;
	d = payload(1);
	r = report(&d);
	o = report_to_json(r);
	/* through text and back: it is valid JSON */
	{
		char *s = strdup(json_object_to_json_string(o));

		json_object_put(o);
		o = json_tokener_parse(s);
		cr_assert_not_null(o);
		free(s);
	}
	cr_assert_str_eq(member(o, "kind"), "payload");
	cr_assert_str_eq(member(o, "syscall"), "write");
	cr_assert_str_eq(member(o, "version"), "1");
	json_object_object_get_ex(o, "variants", &vs);
	cr_assert_eq(json_object_array_length(vs), 2u);
	v1 = json_object_array_get_idx(vs, 1);
	cr_assert_str_eq(member(v1, "role"), "follower");
	json_object_object_get_ex(v1, "args", &args);
	cr_assert_str_eq(json_object_get_string(
		json_object_array_get_idx(args, 1)), "\"\\\"\\33 18\\n\"");
	json_object_object_get_ex(v1, "backtrace", &bt);
	cr_assert_str_eq(member(json_object_array_get_idx(bt, 0), "symbol"),
			 "victim");
	json_object_object_get_ex(o, "diff", &diff);
	cr_assert_str_eq(member(diff, "offset"), "4");
	cr_assert_str_eq(member(diff, "leader"), "221b2031370a");
	cr_assert_str_eq(member(diff, "variant"), "221b2031380a");
	has(member(o, "recent"), "close(3) = -1 EBADF");
	json_object_put(o);
	free(r);
}

/* Found in-process: the leader is elsewhere by now, its record is what counts. */
Test(report, found_in_the_ring)
{
	static const unsigned char bytes[] = "secret 7";
	static struct fast_view w;
	static unsigned char copy[64];
	struct json_object *o, *in, *calls;
	struct divergence d;
	struct report *r;
	char *text;

	make_set(2, SYS_write);
	make_write(1, "secret 8");
	set->t[1].call.nr = IPMON_NR_DIVERGED;
	memset(&w, 0, sizeof(w));
	memcpy(copy, bytes, 8);
	w.v[1].inside = w.v[1].has_call = true;
	w.v[1].call.nr = SYS_write;
	w.v[1].call.args[0] = 1;
	w.v[1].call.args[1] = (uintptr_t)"secret 8";
	w.v[1].call.args[2] = 8;
	w.v[1].ip = 0x5678;
	strcpy(w.v[0].state, "inside epoll_wait");
	w.has_here = true;
	w.here = (struct ring_call){ .nr = SYS_write, .known = 5,
		.arg = { 1, 0, 8 }, .done = true, .ret = 8, .n = 1,
		.copy = copy, .part = { { .type = IT_IN, .arg = 1, .len = 8,
					  .have = 8 } } };
	w.ahead = 3;
	w.visible = 2;
	w.n_lines = 2;
	w.line[0] = (struct fast_line){ FAST_HERE, true, "write(1)" };
	w.line[1] = (struct fast_line){ FAST_AHEAD, false, "getuid() = 0" };
	d = (struct divergence){ .kind = DIV_PAYLOAD, .set = set, .variant = 1,
		.arg = 1, .in_ring = true, .deviating = 2, .len = { 8, 8 },
		.addr = { 0, (uintptr_t)"secret 8" }, .offset = 7,
		.bytes = bytes, .n_bytes = 8, .view = &w };
	r = report(&d);
	cr_assert_eq(r->deviating, 2u);
	cr_assert_str_eq(r->syscall, "write");
	cr_assert_eq(r->v[1].ip, 0x5678u);
	text = printed(r, false);
	has(text, "  ! argument 2  \"secret 7\"                                 \"secret 8\"\n");
	has(text, "inside epoll_wait");
	has(text, "8 bytes from the leader");
	has(text, "|secret 7|");
	has(text, "has completed 3 calls");
	has(text, "-> * write(1)");
	has(text, " +   getuid() = 0");
	has(r->guess, "2 calls that others can see");
	free(text);
	o = report_to_json(r);
	json_object_object_get_ex(o, "inprocess", &in);
	cr_assert_str_eq(member(in, "ahead"), "3");
	cr_assert_str_eq(member(in, "visible"), "2");
	json_object_object_get_ex(in, "calls", &calls);
	cr_assert_str_eq(member(json_object_array_get_idx(calls, 1), "when"),
			 "ahead");
	json_object_put(o);
	free(r);
}

/* From the file nothing is missing that is shown. */
Test(report, read_back)
{
	struct report *back = calloc(1, sizeof(*back));
	struct divergence d;
	struct json_object *o;
	struct report *r;
	char *a, *b;

	make_set(3, SYS_write);
	make_write(0, "the number is 17\n");
	make_write(1, "the \033[31mnumber\" is \\23\n");
	make_write(2, "the number is 17\n");
	d = payload(1);
	r = report(&d);
	o = report_to_json(r);
	cr_assert_null(report_from_json(back, o));
	json_object_put(o);
	cr_assert_eq(back->deviating, r->deviating);
	cr_assert_eq(back->v[1].window_len, r->v[1].window_len);
	a = printed(r, true);
	b = printed(back, true);
	cr_assert_str_eq(a, b);
	free(a);
	free(b);
	free(r);
	free(back);
}

Test(report, what_is_no_report)
{
	static const char *const bad[] = {
		"", "nonsense", "{", "[]", "{}", "{\"kind\": 5}", "null", "7",
		"{\"kind\": \"lunch\"}", "{\"kind\": \"payload\", \"version\": 2}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]",
		"{\"kind\": \"payload\"",
	};
	struct report *r = calloc(1, sizeof(*r));
	char *huge = calloc(1, REPORT_BYTES + 1);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_not_null(report_parse(r, bad[i], strlen(bad[i])),
				   "%s", bad[i]);
	has(report_parse(r, bad[9], strlen(bad[9])), "newer monitord");
	memset(huge, ' ', REPORT_BYTES + 1);
	has(report_parse(r, huge, REPORT_BYTES + 1), "too large");
	free(huge);
	free(r);
}

Test(report, hostile_file)
{
	static const char evil[] = "{\"kind\": \"payload\", \"n\": 4000000000,"
		"\"summary\": \"\\u001b]0;owned\\u0007 \\u202e \\u009b\","
		"\"guess\": \"one\\ntwo\\rthree\","
		"\"program\": [1], \"policy\": \"%s%n\", \"task\": 7,"
		"\"variants\": [7, {\"variant\": -1}, {\"variant\": 99},"
		"{\"variant\": 0, \"syscall\": \"write\", \"nr\": 18446744073709551615,"
		" \"args\": [1, null, \"\\u001b[2J\", [], {}, 6, 7, 8],"
		" \"backtrace\": [null, {\"pc\": \"zzz\", \"symbol\": \"\\u0000a\"}],"
		" \"maps\": {\"a\": 1}, \"pid\": -5}, {\"variant\": 0}],"
		"\"diff\": {\"arg\": 99, \"deviating_variant\": 99, \"offset\": -1,"
		" \"leader\": \"0g\", \"variant\": \"123\", \"window_offset\": 1e99},"
		"\"recent\": \"x\", \"inprocess\": {\"calls\": [{\"when\": \"never\"}]}}";
	struct report *r = calloc(1, sizeof(*r));
	const char *why = report_parse(r, evil, strlen(evil));
	char *text;

	cr_assert_null(why, "%s", why);
	cr_assert_eq(r->n, MAX_VARIANTS);
	cr_assert_eq(r->v[0].nargs, 6u);
	cr_assert_eq(r->variant, MAX_VARIANTS - 1);
	text = printed(r, false);
	for (const char *p = text; *p; p++)
		cr_assert(*p == '\n' || (*p >= 0x20 && *p < 0x7f));
	has(text, "\\033]0;owned\\007");
	has(text, "policy unknown");
	free(text);
	free(r);
}

Test(report, lines_fit)
{
	static const unsigned int widths[] = { 60, 79, 80, 81, 120, 200 };
	char a[301];
	struct divergence d;
	struct report *r;

	memset(a, 'y', sizeof(a) - 1);
	a[300] = '\0';
	make_set(8, SYS_write);
	for (unsigned int v = 0; v < 8; v++)
		make_write(v, v == 3 ? a : a + v);
	d = payload(1);
	r = report(&d);
	for (size_t i = 0; i < sizeof(widths) / sizeof(*widths); i++) {
		struct style style = { .width = widths[i] };
		char *text = NULL;
		size_t n = 0;
		FILE *f = open_memstream(&text, &n);

		report_print(f, r, &style);
		fclose(f);
		for (char *p = text; *p; p += strcspn(p, "\n") + 1)
			cr_assert_leq(strcspn(p, "\n"), widths[i], "%s", p);
		/* all of them are there */
		for (unsigned int v = 1; v < 8; v++) {
			char name[16];

			snprintf(name, sizeof(name), "variant %u", v);
			has(text, name);
		}
		free(text);
	}
	free(r);
}

Test(style, colours_and_width)
{
	enum style_when when;

	unsetenv("NO_COLOR");
	unsetenv("COLUMNS");
	cr_assert_eq(style_parse("always", &when), 0);
	cr_assert_eq(when, STYLE_ALWAYS);
	cr_assert_eq(style_parse("often", &when), -1);
	/* no terminal */
	cr_assert_not(style_for(-1, STYLE_AUTO).colour);
	cr_assert(style_for(-1, STYLE_ALWAYS).colour);
	cr_assert_eq(style_for(-1, STYLE_AUTO).width, 80u);
	setenv("COLUMNS", "100", 1);
	cr_assert_eq(style_for(-1, STYLE_AUTO).width, 100u);
	setenv("COLUMNS", "7", 1);
	cr_assert_eq(style_for(-1, STYLE_AUTO).width, STYLE_NARROW);
	setenv("COLUMNS", "99999999999999999999", 1);
	cr_assert_eq(style_for(-1, STYLE_AUTO).width, STYLE_WIDE);
}

static char *slurp(const char *path)
{
	static char buf[4096];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	buf[n] = '\0';
	if (f)
		fclose(f);
	return buf;
}

Test(report, files_are_replaced_and_pipes_written)
{
	char dir[] = "/tmp/ipmon-report-XXXXXX", path[64], fifo[64];
	struct json_object *o = json_object_new_object();
	int fd;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/r.json", dir);
	snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	json_add_str(o, "a", "b");
	cr_assert_eq(jsonfile_write(path, o, false), 0);
	has(slurp(path), "\"a\"");
	cr_assert_eq(jsonfile_write(path, o, false), 0);
	cr_assert_eq(jsonfile_write("/nonexistent/x", o, false), -ENOENT);
	cr_assert_eq(mkfifo(fifo, 0600), 0);
	/* nobody reads: an error, not a hang */
	cr_assert_eq(jsonfile_write(fifo, o, false), -ENXIO);
	fd = open(fifo, O_RDONLY | O_NONBLOCK);
	cr_assert_eq(jsonfile_write(fifo, o, false), 0);
	close(fd);
	json_object_put(o);
	unlink(path);
	unlink(fifo);
	cr_assert_eq(rmdir(dir), 0);
}

Test(report, what_the_caller_passed_in_is_kept_open)
{
	struct json_object *o = json_object_new_object();
	char path[32], got[64];
	int p[2];
	ssize_t n;

	cr_assert_eq(pipe(p), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", p[1]);
	cr_assert_eq(jsonfile_reserve(path), 0);
	close(p[1]);
	json_add_str(o, "a", "b");
	cr_assert_eq(jsonfile_write(path, o, false), 0);
	n = read(p[0], got, sizeof(got) - 1);
	cr_assert_gt(n, 0);
	got[n] = '\0';
	has(got, "\"a\"");
	json_object_put(o);
}

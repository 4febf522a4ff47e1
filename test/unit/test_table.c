/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table describes every system call of the headers, consistently.
 */
#include <string.h>

#include <criterion/criterion.h>
#include <seccomp.h>

#include <ipmon/gate_rules.h>
#include <ipmon/table.h>

static const struct {
	const char *name;
	unsigned int nr;
} headers[] = {
#define NR(name_, nr_) { #name_, nr_ },
#include "nr_list.inc"
#undef NR
};

#define HEADERS (sizeof(headers) / sizeof(headers[0]))

Test(table, every_header_number_has_a_row)
{
	cr_assert_geq(HEADERS, 350, "the header list is too short to be true");
	for (size_t i = 0; i < HEADERS; i++) {
		const struct ipmon_row *row = ipmon_row(headers[i].nr);

		cr_expect_str_eq(row->name, headers[i].name,
				 "number %u is '%s' in the headers, '%s' here",
				 headers[i].nr, headers[i].name, row->name);
		cr_expect_neq(row->cls, CLASS_UNKNOWN, "%s has no class",
			      headers[i].name);
	}
}

Test(table, names_match_libseccomp)
{
	unsigned int known = 0;

	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const char *name = ipmon_row(nr)->name;
		char *theirs;

		theirs = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64,
							  (int)nr);
		if (theirs) {
			cr_expect_str_eq(name, theirs, "number %u", nr);
			known++;
		}
		free(theirs);
	}
	cr_expect_geq(known, 350);
}

Test(table, refused_rows_say_why)
{
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const struct ipmon_row *row = ipmon_row(nr);

		if (row->cls != CLASS_REFUSED) {
			cr_expect_eq(row->error, 0, "%s", row->name);
			cr_expect_str_empty(row->reason, "%s", row->name);
			continue;
		}
		cr_expect_neq(row->error, 0, "%s has no errno", row->name);
		cr_expect_str_not_empty(row->reason, "%s has no reason",
					row->name);
		cr_expect_eq(row->exec, EXEC_NONE, "%s", row->name);
		cr_expect_eq(ipmon_row_path(row), PATH_REFUSED);
	}
}

Test(table, enough_is_supported)
{
	unsigned int supported = 0;

	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++)
		supported += ipmon_row(nr)->exec != EXEC_NONE;
	cr_expect_geq(supported, 300, "only %u", supported);
}

Test(table, unknown_numbers_are_refused)
{
	static const uint64_t nrs[] = { 337, 400, 500, 511, 512, 0x40000000,
		UINT64_MAX };

	for (size_t i = 0; i < sizeof(nrs) / sizeof(nrs[0]); i++) {
		const struct ipmon_row *row = ipmon_row(nrs[i]);

		cr_expect_eq(row->cls, CLASS_UNKNOWN);
		cr_expect_eq(row->exec, EXEC_NONE);
		cr_expect_eq(ipmon_row_path(row), PATH_REFUSED);
	}
}

Test(table, names_for_messages)
{
	char buf[32];

	cr_expect_str_eq(ipmon_name(0, buf), "read");
	cr_expect_str_eq(ipmon_name(499, buf), "syscall_499");
	cr_expect_str_eq(ipmon_name(UINT64_MAX, buf),
			 "syscall_18446744073709551615");
}

/* Parameters of a kind name arguments of the right sort. */
static void check_arg(const struct ipmon_row *row, unsigned int i)
{
	const struct ipmon_arg *a = &row->arg[i];
	unsigned int other;

	cr_expect_lt(a->kind, K_MAX, "%s", row->name);
	cr_expect_neq(a->kind, K_NONE, "%s argument %u", row->name, i);
	switch (a->kind) {
	case K_IN:
	case K_OUT:
	case K_OUTNZ:
	case K_OUTALWAYS:
	case K_INOUT:
	case K_INOUTALWAYS:
		cr_expect_gt(a->b, 0, "%s argument %u has no size", row->name,
			     i);
		break;
	case K_ARRIN:
	case K_ARROUT:
		cr_expect_gt(a->b, 0, "%s argument %u has no size", row->name,
			     i);
		__attribute__((fallthrough));
	case K_BUFIN:
	case K_BUFOUT:
	case K_BUFOUTOK:
	case K_IOVIN:
	case K_IOVOUT:
	case K_MMSGIN:
	case K_MMSGOUT:
	case K_POLLFD:
	case K_SIGSET:
	case K_SIGSETOUT:
	case K_FDSET:
		cr_assert_lt(a->a, row->nargs, "%s argument %u", row->name, i);
		other = row->arg[a->a].kind;
		/* one of a mask that may be NULL counts by the bytes it leads to */
		cr_expect(other == K_SIZE || other == K_INT ||
			  other == K_UINT ||
			  (a->kind == K_SIGSET && other == K_IGN), "%s argument %u: count is a %s",
			  row->name, i, ipmon_kind_name(other));
		break;
	case K_SADDROUT:
		cr_expect_eq(row->arg[a->a].kind, K_LENPTR, "%s", row->name);
		break;
	case K_LENPTR:
		cr_expect_eq(row->arg[a->a].kind, K_SADDROUT, "%s", row->name);
		break;
	case K_OPENMODE:
		cr_expect_eq(row->arg[a->a].kind, K_FLAGS, "%s", row->name);
		break;
	default:
		break;
	}
}

Test(table, arguments_are_consistent)
{
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const struct ipmon_row *row = ipmon_row(nr);
		bool walked = false;

		cr_assert_leq(row->nargs, 6, "%s", row->name);
		for (unsigned int i = 0; i < row->nargs; i++) {
			check_arg(row, i);
			walked |= row->arg[i].kind == K_WALK ||
				  row->arg[i].kind == K_WALKV;
		}
		for (unsigned int i = row->nargs; i < 6; i++)
			cr_expect_eq(row->arg[i].kind, K_NONE, "%s", row->name);
		cr_expect_eq(walked, row->walker != W_NONE,
			     "%s: walker and arguments disagree", row->name);
		cr_expect_lt(row->walker, W_MAX, "%s", row->name);
		cr_expect_lt(row->handler, H_MAX, "%s", row->name);
	}
}

/*
 * In-process, only the leader's execution is known; calls that every variant
 * or a handler executes may go there only where the broker knows how.
 */
Test(table, in_process_calls_are_the_leaders)
{
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const struct ipmon_row *row = ipmon_row(nr);

		if (ipmon_row_path(row) <= PATH_MONITOR)
			continue;
		/* memory: libipmon/memcalls.c */
		if (ipmon_memory_row(row))
			continue;
		if (row->flags & RF_EACH) {
			cr_expect_eq(row->exec, EXEC_ALL, "%s", row->name);
			continue;
		}
		cr_expect(row->exec == EXEC_LEADER || row->handler == H_OPEN ||
			  row->handler == H_EPOLL_CTL ||
			  row->handler == H_EPOLL_WAIT, "%s", row->name);
		cr_expect(row->result != RES_OWN && row->result != RES_ADDR &&
			  row->result != RES_NORETURN, "%s", row->name);
	}
}

Test(table, calls_executed_by_a_handler_have_one)
{
	for (unsigned int nr = 0; nr < IPMON_NR_MAX; nr++) {
		const struct ipmon_row *row = ipmon_row(nr);

		if (row->exec == EXEC_MONITOR)
			cr_expect_neq(row->handler, H_GENERIC, "%s", row->name);
		if (row->flags & RF_PURE)
			cr_expect_eq(row->flags & RF_BLOCK, 0, "%s", row->name);
	}
}

Test(table, opening_for_change_is_an_effect)
{
	const struct ipmon_row *row = ipmon_row(257);	/* openat */

	cr_expect_eq(ipmon_call_class(row, (uint64_t[6]){ 0, 0, 0 }),
		     CLASS_NONSOCK_RO);
	cr_expect_eq(ipmon_call_class(row, (uint64_t[6]){ 0, 0, 0101 }),
		     CLASS_EFFECT);
	cr_expect_eq(ipmon_call_class(row, (uint64_t[6]){ 0, 0, 01000 }),
		     CLASS_EFFECT);
	cr_expect_eq(ipmon_call_class(ipmon_row(0), (uint64_t[6]){ 0 }),
		     CLASS_NONSOCK_RO);
}

Test(table, every_enum_has_names)
{
	for (unsigned int i = 0; i < K_MAX; i++)
		cr_expect_str_not_empty(ipmon_kind_name(i), "kind %u", i);
	for (unsigned int i = 0; i < CLASS_MAX; i++)
		cr_expect_str_not_empty(ipmon_class_name(i), "class %u", i);
	for (unsigned int i = 0; i <= EXEC_MONITOR; i++)
		cr_expect_str_not_empty(ipmon_exec_name(i));
	for (unsigned int i = 0; i <= RES_NORETURN; i++)
		cr_expect_str_not_empty(ipmon_result_name(i));
	cr_expect_str_eq(ipmon_kind_name(K_MAX), "?");
	cr_expect_str_eq(ipmon_class_name(CLASS_MAX), "?");
	cr_expect_null(ipmon_flag_name(16));
}

/*
 * The handshake: the same every time, and different when a byte that matters
 * differs.  Pinned here is only that it is not trivial; that a changed row
 * changes it follows from hashing a changed copy the same way.
 */
static uint64_t fnv(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	while (n--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

Test(table, hash_is_stable_and_sensitive)
{
	struct ipmon_row row = *ipmon_row(0);
	uint64_t a, b;

	cr_expect_eq(ipmon_table_hash(), ipmon_table_hash());
	cr_expect_neq(ipmon_table_hash(), 0);
	cr_expect_neq(ipmon_table_hash(), 0xcbf29ce484222325ull);
	a = fnv(0, &row, offsetof(struct ipmon_row, reason));
	row.arg[1].kind = K_PTR;
	b = fnv(0, &row, offsetof(struct ipmon_row, reason));
	cr_expect_neq(a, b);
}

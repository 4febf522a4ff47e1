// SPDX-License-Identifier: Apache-2.0
/*
 * Which differences between two names of a file to be created are taken for
 * the random part of a temporary name.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "fast_report.h"
#include "monitor.h"
#include "newname.h"
#include "tracee.h"

/* What newname.c needs of the monitor; not reached by these tests. */
struct monitor mon;

int mem_read(struct task *t, void *dst, uint64_t src, size_t n)
{
	return -1;
}

int mem_write(struct task *t, uint64_t dst, const void *src, size_t n)
{
	return -1;
}

long mem_strnlen(struct task *t, uint64_t src, size_t max)
{
	return -1;
}

const unsigned char *fast_leader_bytes(struct task *t,
				       const struct ipmon_difference *x,
				       uint64_t *n)
{
	return NULL;
}

void set_finish(struct taskset *s, int64_t ret)
{
}

bool set_compare(struct taskset *s)
{
	return true;
}

void verbose(const char *fmt, ...)
{
}

static bool differs(const char *a, const char *b)
{
	bool yes = newname_differs(a, strlen(a), b, strlen(b));

	cr_expect_eq(newname_differs(b, strlen(b), a, strlen(a)), yes);
	return yes;
}

Test(newname, random_parts)
{
	cr_expect(differs("/tmp/tmp.OIQmDqDtba", "/tmp/tmp.VGAhc4QoKL"));
	cr_expect(differs("XabcdeA", "XfghijB"));
	cr_expect(differs("abcdef", "ghijkl"));
	cr_expect(differs("/t/aXbcde.c", "/t/aYbcde.c"),
		  "a run may differ in a single place");
	cr_expect(differs("/t/abcdeX.c", "/t/abcdeY.c"));
	cr_expect(differs("d.d/sedAb12Cd", "d.d/sedZb12Cf"));
	cr_expect(differs("gt-test.5pUA", "gt-test.SSHA"), "mktemp -d gt-test.XXXX");
	cr_expect(differs("t.abc", "t.xyz"), "as short as mktemp(1) makes them");
}

Test(newname, equal_names_are_not_different)
{
	cr_expect_not(differs("/tmp/abcdef", "/tmp/abcdef"));
	cr_expect_not(differs("", ""));
}

Test(newname, short_runs)
{
	cr_expect_not(differs("/tmp/a.bX", "/tmp/a.bY"));
	cr_expect_not(differs("ab", "af"));
	cr_expect_not(differs("12-34-56", "12-34-58"));
}

Test(newname, other_components)
{
	cr_expect_not(differs("/aaaaaaaa/file", "/bbbbbbbb/file"));
	cr_expect_not(differs("/aaaaaaaa/abcdefgh", "/aaaaaaab/abcdefgi"));
}

Test(newname, other_characters)
{
	cr_expect_not(differs("/tmp/abcdef.g", "/tmp/abcdef-g"));
	cr_expect_not(differs("/tmp/abc/def", "/tmp/abcXdef"));
	cr_expect_not(differs("/tmp/abcdefg.x", "/tmp/bbcdefg.y"),
		      "two places with a dot between them");
	cr_expect_not(differs("/tmp/abcd\x80" "fg", "/tmp/abcd\x81" "fg"));
}

Test(newname, other_lengths)
{
	cr_expect(differs("/tmp/d2026-1-olafxe", "/tmp/d2026-1-gt674"));
	cr_expect(differs("/tmp/abcdef.rb", "/tmp/abcde.rb"));
	cr_expect(differs("/tmp/abcdef/", "/tmp/abcde//"));
	cr_expect_not(differs("abcdef/", "abcdef//"), "the same name");
	cr_expect_not(differs("/tmp/a-bc", "/tmp/a-bcd"), "a short run");
	cr_expect_not(differs("/tmp/abcdef", "/tmp/abcde/f"));
	cr_expect_not(differs("/tmp/abcdef", "/tmp/"));
	cr_expect_not(differs("/tmp/abcdef", ""));
	cr_expect_not(differs("/tmp/abcdef", "/tmp/abcdef/g"));
}

Test(newname, slashes_after_the_last_component)
{
	cr_expect(differs("/tmp/abcdef/", "/tmp/abcdeg/"));
	cr_expect(differs("d1234567//", "d7654321//"));
	cr_expect_not(differs("abcdef/x", "abcdeg/x"));
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Bounded text: escapes, limits, nothing past the buffer.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "text.h"

static const char *escaped(const void *p, size_t n)
{
	static char buf[256];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_escape(&t, p, n);
	return buf;
}

Test(text, plain_text_is_unchanged)
{
	cr_assert_str_eq(escaped("hello, world", 12), "hello, world");
}

Test(text, quotes_and_controls_are_escaped)
{
	cr_assert_str_eq(escaped("a\"b\\c\n\t", 7), "a\\\"b\\\\c\\n\\t");
	cr_assert_str_eq(escaped("\033[31m", 5), "\\33[31m");
	cr_assert_str_eq(escaped("\0", 1), "\\0");
	cr_assert_str_eq(escaped("\xc3\xa4", 2), "\\303\\244");
}

Test(text, octal_before_a_digit_has_three_digits)
{
	cr_assert_str_eq(escaped("\0001", 2), "\\0001");
	cr_assert_str_eq(escaped("\0337", 2), "\\0337");
}

Test(text, every_byte_is_printable_after_escaping)
{
	for (int c = 0; c < 256; c++) {
		unsigned char b = (unsigned char)c;

		for (const char *p = escaped(&b, 1); *p; p++)
			cr_assert(*p >= 0x20 && *p < 0x7f, "byte %d", c);
	}
}

Test(text, nothing_is_written_past_the_buffer)
{
	char buf[16];
	struct text t;

	memset(buf, 'x', sizeof(buf));
	text_init(&t, buf, 8);
	text_puts(&t, "0123456789");
	cr_assert_str_eq(buf, "0123456");
	cr_assert(t.cut);
	cr_assert_eq(buf[8], 'x');

	text_init(&t, buf, 8);
	text_printf(&t, "%s", "abcdefghij");
	cr_assert_str_eq(buf, "abcdefg");
	cr_assert(t.cut);
	text_printf(&t, "more");
	text_escape(&t, "\n", 1);
	cr_assert_str_eq(buf, "abcdefg");
	cr_assert_eq(buf[8], 'x');
}

Test(text, a_buffer_of_one_byte_stays_empty)
{
	char buf[1];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_puts(&t, "a");
	text_quote(&t, "b", 1, true);
	cr_assert_str_eq(buf, "");
}

Test(text, quote_marks_what_was_cut)
{
	char buf[32];
	struct text t;

	text_init(&t, buf, sizeof(buf));
	text_quote(&t, "ab", 2, true);
	cr_assert_str_eq(buf, "\"ab\"...");
}

// SPDX-License-Identifier: Apache-2.0
/*
 * Bounded text.  Pure: no memory but the caller's, no globals.
 */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *t, char *buf, size_t cap)
{
	t->buf = buf;
	t->cap = cap;
	t->len = 0;
	t->cut = false;
	buf[0] = '\0';
}

void text_putc(struct text *t, char c)
{
	if (t->len + 1 >= t->cap) {
		t->cut = true;
		return;
	}
	t->buf[t->len++] = c;
	t->buf[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
	while (*s)
		text_putc(t, *s++);
}

void text_printf(struct text *t, const char *fmt, ...)
{
	size_t room = t->cap - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, room, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= room) {
		t->len = t->cap - 1;
		t->cut = true;
	} else {
		t->len += (size_t)n;
	}
}

void text_escape(struct text *t, const void *bytes, size_t n)
{
	static const char plain[] = "\a\b\t\n\v\f\r";
	static const char named[] = "abtnvfr";
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = p[i];
		const char *e = c ? strchr(plain, c) : NULL;

		if (c == '"' || c == '\\') {
			text_putc(t, '\\');
			text_putc(t, (char)c);
		} else if (e) {
			text_putc(t, '\\');
			text_putc(t, named[e - plain]);
		} else if (c >= 0x20 && c < 0x7f) {
			text_putc(t, (char)c);
		} else if (i + 1 < n && p[i + 1] >= '0' && p[i + 1] <= '9') {
			/* a digit follows: all three, or it would be read as
			 * part of the escape */
			text_printf(t, "\\%03o", c);
		} else {
			text_printf(t, "\\%o", c);
		}
	}
}

void text_quote(struct text *t, const void *bytes, size_t n, bool more)
{
	text_putc(t, '"');
	text_escape(t, bytes, n);
	text_putc(t, '"');
	if (more)
		text_puts(t, "...");
}

void text_sanitize(char *dst, size_t cap, const char *src)
{
	struct text t;

	text_init(&t, dst, cap);
	text_escape(&t, src, strlen(src));
}

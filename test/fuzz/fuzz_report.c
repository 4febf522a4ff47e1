// SPDX-License-Identifier: Apache-2.0
/*
 * A file that claims to be a divergence report, shown to somebody: whatever is
 * in it, nothing but printable ASCII and line ends may come out, in lines that
 * fit, and what was read must survive being written and read again.
 */
#include <stdlib.h>
#include <string.h>

#include "report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *print(const struct report *r, unsigned int width)
{
	const struct style style = { .width = width };
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		abort();
	report_print(f, r, &style);
	fclose(f);
	return text;
}

static void check(const char *text, unsigned int width)
{
	size_t column = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '\n') {
			column = 0;
			continue;
		}
		if (c < 0x20 || c > 0x7e || ++column > width)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct report a, b;
	struct json_object *o;
	unsigned int width;
	char *x, *y;

	width = STYLE_NARROW + size % 100u;
	if (report_parse(&a, (const char *)data, size))
		return 0;
	x = print(&a, width);
	check(x, width);
	o = report_to_json(&a);
	y = strdup(json_object_to_json_string(o));
	json_object_put(o);
	if (report_parse(&b, y, strlen(y)))
		abort();
	free(y);
	y = print(&b, width);
	if (strcmp(x, y))
		abort();
	free(x);
	free(y);
	return 0;
}

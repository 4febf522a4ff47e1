// SPDX-License-Identifier: Apache-2.0
/*
 * Colours and width; see style.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "style.h"

int style_parse(const char *word, enum style_when *when)
{
	static const char *const words[] = { "auto", "always", "never" };

	for (unsigned int i = 0; i < 3; i++)
		if (!strcmp(word, words[i])) {
			*when = (enum style_when)i;
			return 0;
		}
	return -1;
}

static unsigned int width_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;
	unsigned long n = 0;

	if (!ioctl(fd, TIOCGWINSZ, &w) && w.ws_col)
		n = w.ws_col;
	else if (columns)
		n = strtoul(columns, NULL, 10);
	if (!n)
		n = STYLE_WIDTH;
	if (n < STYLE_NARROW)
		n = STYLE_NARROW;
	return n < STYLE_WIDE ? (unsigned int)n : STYLE_WIDE;
}

struct style style_for(int fd, enum style_when when)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct style s = { .width = width_of(fd) };

	s.colour = when == STYLE_ALWAYS ||
		(when == STYLE_AUTO && isatty(fd) &&
		 !(no_color && *no_color) && !(term && !strcmp(term, "dumb")));
	return s;
}

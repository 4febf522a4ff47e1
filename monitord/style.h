/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How text for people looks: colours or none, how wide.
 *
 * Colours are for terminals only, and not there if NO_COLOR says so
 * (https://no-color.org); an explicit --color goes before both.  Whatever
 * colour says is also said without it.
 */
#ifndef MONITORD_STYLE_H
#define MONITORD_STYLE_H

#include <stdbool.h>

enum style_when { STYLE_AUTO, STYLE_ALWAYS, STYLE_NEVER };

struct style {
	bool colour;
	unsigned int width;	/* columns; lines are broken to fit */
	bool whole_headline;	/* but for the first, which is for grep */
};

#define STYLE_WIDTH	80u
#define STYLE_NARROW	60u
#define STYLE_WIDE	200u

/* "auto", "always" or "never"; -1 if it is none of them. */
int style_parse(const char *word, enum style_when *when);
/* For what goes to descriptor fd: the terminal's width, else COLUMNS, else
 * STYLE_WIDTH; never beyond STYLE_NARROW and STYLE_WIDE. */
struct style style_for(int fd, enum style_when when);

#endif

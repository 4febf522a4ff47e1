// SPDX-License-Identifier: Apache-2.0
/*
 * What is wrong with a command line, in one line that ends with what to do.
 *
 * getopt_long(3) says only that an option is wrong, and not of which kind: not
 * there, not to be told from others yet, without its value, or with one it does
 * not take.  Which of them it is follows from `optopt` and the word itself.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "nearest.h"
#include "options.h"

/* Does the name, without dashes, begin that option's? */
static bool begins(const char *name, const struct option *o)
{
	return *name && !strncmp(o->name, name, strlen(name));
}

/* "--a, --b or --c" of those the name begins; how many they are. */
static unsigned int several(const char *name, const struct option *longopts,
			    char *list, size_t size)
{
	unsigned int n = 0, k = 0;
	size_t at = 0;

	*list = 0;
	for (const struct option *o = longopts; o->name; o++)
		n += begins(name, o);
	for (const struct option *o = longopts; o->name && at < size; o++)
		if (begins(name, o)) {
			const char *sep = !k ? "" : k + 1 < n ? ", " : " or ";

			at += (size_t)snprintf(list + at, size - at, "%s--%s",
					       sep, o->name);
			k++;
		}
	return n;
}

static int no_long_option(const char *command, const char *word,
			  const struct option *longopts)
{
	struct nearest near = { NULL, 0 };
	char name[NEAREST_MAX + 1], list[256];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="),
		 word + 2);
	if (several(name, longopts, list, sizeof(list)) > 1) {
		say("option '%s' may be %s; write more of it", word, list);
		return EXIT_MONITOR;
	}
	for (const struct option *o = longopts; o->name; o++)
		nearest_try(&near, name, o->name);
	if (near.word)
		say("no option '%s'; did you mean --%s? Else try 'monitord %s --help'",
		    word, near.word, command);
	else
		say("no option '%s'; try 'monitord %s --help'", word, command);
	return EXIT_MONITOR;
}

int wrong_option(const char *command, char **argv,
		 const struct option *longopts, int c)
{
	const char *word = argv[optind - 1];
	bool is_long = !strncmp(word, "--", 2);
	size_t n = strcspn(word, "=");

	if (c == ':') {
		if (is_long)
			say("option '%s' needs a value; try 'monitord %s --help'",
			    word, command);
		else
			say("option '-%c' needs a value; try 'monitord %s --help'",
			    optopt, command);
		return EXIT_MONITOR;
	}
	if (!optopt)
		return no_long_option(command, word, longopts);
	/* a letter among others may leave us at the word before it, which was
	 * right: what is wrong with a long one is a value it does not take */
	for (const struct option *o = longopts; is_long && o->name; o++)
		if (word[n] && n > 2 && o->val == optopt &&
		    o->has_arg == no_argument &&
		    !strncmp(o->name, word + 2, n - 2)) {
			say("option '--%s' takes no value; try 'monitord %s --help'",
			    o->name, command);
			return EXIT_MONITOR;
		}
	say("no option '-%c'; try 'monitord %s --help'", optopt, command);
	return EXIT_MONITOR;
}

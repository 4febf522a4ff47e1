/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unit files of a service, as systemctl(1) shows them, and the command
 * lines in them.  Pure but for unit_read(); see unitfile.c.
 */
#ifndef MONITORD_UNITFILE_H
#define MONITORD_UNITFILE_H

#include <stdbool.h>
#include <stddef.h>

struct unit_item {
	char *key, *value;		/* of [Service], in the order read */
};

struct unit {
	char *fragment;			/* path of the unit's own file, or NULL */
	struct unit_item *item;
	size_t n;
	bool masked;
};

/*
 * Parse what `systemctl cat` printed; the file `own` (a path as systemctl names
 * it) is left out.  0 or -ENOMEM.
 */
int unit_parse(struct unit *u, const char *text, const char *own);
void unit_free(struct unit *u);

/*
 * Without a running systemd, or for one in the directory `root`: the files of a
 * unit put together as `systemctl cat` does.  `name` (of `size` bytes) becomes
 * the unit's own name if it is an alias.  Malloc'd; NULL if there are none.
 */
char *unit_find(const char *root, char *name, size_t size);
/* Whatever lies where units do. */
void unit_each(const char *root, void (*fn)(void *ctx, const char *name),
	       void *ctx);

/* The last value of a key that is not a list; NULL if there is none or it is
 * empty. */
const char *unit_value(const struct unit *u, const char *key);
bool unit_true(const struct unit *u, const char *key);
/*
 * The values of a key that is a list, from the last empty one on: calls each()
 * for them and returns how many there were.
 */
size_t unit_list(const struct unit *u, const char *key,
		 void (*each)(void *ctx, const char *value), void *ctx);

/*
 * `line`, the value of an Exec...= setting, with `prefix` put before each
 * command of it.  What a command line begins with (-, @, :, +, !) stays in
 * front; with @, "--name" and the name follow the prefix.  Specifiers,
 * variables and quotes stay as they are, but for a "$" in the program's path,
 * where it means itself and in an argument would not.  Malloc'd; NULL: out of
 * memory, or *error says what is wrong.
 */
char *unit_prefixed(const char *line, const char *prefix, const char **error);
/* The path or name of the program the (first) command starts, without quotes;
 * malloc'd, NULL as above. */
char *unit_program(const char *line);

#endif

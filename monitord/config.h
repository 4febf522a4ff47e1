/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files, monitord.conf(5).
 */
#ifndef MONITORD_CONFIG_H
#define MONITORD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "settings.h"

#ifndef IPMON_CONFDIR
#define IPMON_CONFDIR "/etc/ipmon"
#endif

/* One "Key=Value", where it stands, and what is wrong with it. */
struct config_item {
	const char *file;
	unsigned int line;
	char *section, *key, *value;
};

struct config_error {
	const char *file;
	unsigned int line;		/* 0: the file as a whole */
	char *text;
};

/*
 * What files say.  Everything lives until config_free(), as options point into
 * it; a run never frees its own.
 */
struct config {
	char **files;			/* that were read, in order */
	size_t n_files;
	struct config_item *items;
	size_t n_items;
	struct config_error *errors;
	size_t n_errors;
};

/* Read text as file `name` says it; adds to *c. */
void config_parse(struct config *c, const char *name, const char *text,
		  size_t size);

/*
 * Read the file that `name` means: with a slash in it, that file; else
 * NAME.conf in IPMON_CONFDIR.  NAME.conf.d/ *.conf beside it are read after it,
 * in the order of their names.
 */
void config_read(struct config *c, const char *name);

/* Is there something of that name to be read? */
bool config_exists(const char *name);

/* Set options by what has been read. */
void config_apply(struct config *c, struct options *opt);

void config_error(struct config *c, const char *file, unsigned int line,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The item that set this key last, for this variant if it is not -1; or NULL. */
const struct config_item *config_where(const struct config *c, int variant,
				       const char *key);
/* Is there a [Variant N] for it? */
bool config_names(const struct config *c, unsigned int variant);

/* Say all errors, by file and line. */
void config_say(struct config *c);

void config_free(struct config *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a run: one table for the command line and for configuration
 * files, so that everything that can be said in one can be said in the other.
 */
#ifndef MONITORD_SETTINGS_H
#define MONITORD_SETTINGS_H

#include "monitor.h"

#define DEFAULT_VARIANTS	2u
#define DEFAULT_TIMEOUT		30u	/* seconds a variant may be late */

enum setting_section { IN_RUN, IN_VARIANT, IN_CALLS };

/* What is wrong with a value, and what would be right; one line. */
struct fault {
	char text[512];
};
void fault_set(struct fault *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

struct setting {
	const char *key;		/* in a file: "OnDivergence" */
	const char *option;		/* without dashes: "on-divergence" */
	enum setting_section section;
	/*
	 * Set it from a value, which lives as long as `opt`; for a variant if
	 * it is one of IN_VARIANT.  0, or -1 with *f filled in, `opt` being as
	 * before or partly set.
	 */
	int (*set)(struct options *opt, const struct setting *s,
		   unsigned int variant, const char *value, struct fault *f);
	int arg;			/* for set() */
	bool appends;			/* a list: a second value adds to it, an
					 * empty one clears it */
};

extern const struct setting settings[];
extern const size_t n_settings;

const char *setting_section_name(enum setting_section s);

/* All at their defaults. */
void settings_init(struct options *opt);
/* What settings_*() have allocated. */
void settings_free(struct options *opt);

/* As if nothing had been said of this variant. */
void settings_forget(struct options *opt, unsigned int variant);

/* Words separated by blanks, with quotes and backslashes as in systemd(1)'s
 * Environment=: the next one into buf, *value behind it.  1; 0: no more; -1: a
 * quote is not closed, or it is too long. */
int settings_word(const char **value, char *buf, size_t size);

/*
 * A list of processors as of taskset(1), "0,2-3", as the bits of mask[words].
 * False: it is none.
 */
#define CPU_LIST_WORDS (8192u / 64u)
bool cpu_list_parse(const char *list, unsigned long *mask, size_t words);

/* The key that asks for this action. */
const char *call_action_name(unsigned int action);

/* Called for what is wrong with `key`, of a variant or -1. */
typedef void settings_wrong(void *ctx, int variant, const char *key,
			    const struct fault *f);

/* What only the whole shows to be wrong; how many things are. */
int settings_check(const struct options *opt, settings_wrong *wrong, void *ctx);
/* What is not as it should be on this machine: files, directories, processors
 * (settings_files.c).  `paths`: those of programs, too. */
int settings_check_files(const struct options *opt, bool paths,
			 settings_wrong *wrong, void *ctx);

/* What to do about a file that cannot be written. */
const char *output_remedy(int error);

/* Do the variants differ in the code they load? */
bool settings_diverse(const struct options *opt);

#endif

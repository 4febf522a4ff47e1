// SPDX-License-Identifier: Apache-2.0
/*
 * The edit distance of two words, with a bound on what still counts as near.
 *
 * Pure code: optimal string alignment (Damerau-Levenshtein where no part is
 * edited twice), three rows of the table at a time.
 */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "nearest.h"

static int lower(char c)
{
	return tolower((unsigned char)c);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[3][NEAREST_MAX + 1];
	unsigned int *before = row[0], *last = row[1], *now = row[2];
	size_t m = strlen(a), n = strlen(b);

	if (m > NEAREST_MAX || n > NEAREST_MAX)
		return UINT_MAX;
	for (unsigned int k = 0; k <= n; k++)
		last[k] = k;
	for (unsigned int i = 1; i <= m; i++) {
		unsigned int *spare = before;

		now[0] = i;
		for (unsigned int k = 1; k <= n; k++) {
			int x = lower(a[i - 1]), y = lower(b[k - 1]);

			now[k] = least(least(last[k], now[k - 1]) + 1,
				       last[k - 1] + (x != y));
			if (i > 1 && k > 1 && x == lower(b[k - 2]) &&
			    y == lower(a[i - 2]))
				now[k] = least(now[k], before[k - 2] + 1);
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[n];
}

void nearest_try(struct nearest *n, const char *given, const char *candidate)
{
	unsigned int d = edit_distance(given, candidate);
	size_t len = strlen(given);

	/* a third of the word may be wrong, but always one letter */
	if (d > len / 3 + 1 || d >= strlen(candidate) ||
	    (n->word && d >= n->distance))
		return;
	n->word = candidate;
	n->distance = d;
}

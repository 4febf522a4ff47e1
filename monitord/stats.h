/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --stats: the run in numbers, as one JSON object.
 */
#ifndef MONITORD_STATS_H
#define MONITORD_STATS_H

/* Write mon.count and the run's parameters to `path` (replaced atomically).
 * 0 or -errno (said). */
int stats_write(const char *path);

#endif

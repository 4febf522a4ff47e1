/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory in which every divergence leaves a report of its own.
 */
#ifndef MONITORD_REPORTDIR_H
#define MONITORD_REPORTDIR_H

#include <stddef.h>

/* Make it if it is not there, and see that it can be written.  0, or -errno
 * (said). */
int report_dir_prepare(const char *dir);

/*
 * The path for a report of now about `program`: DIR/PROGRAM-TIME-PID.json, with
 * a number if there is such a file.  In static memory.
 */
const char *report_dir_path(const char *dir, const char *program, long pid);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of another system, which lies in a directory of this one.
 */
#ifndef MONITORD_ROOTDIR_H
#define MONITORD_ROOTDIR_H

/* Where "/" of that system is: an absolute path; "" for our own. */
extern const char *root_dir;

/* open(2), links being followed as within that system.  No O_CREAT. */
int root_open(const char *path, int flags);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a JSON document so that a reader sees all of it or nothing, and where
 * it was meant to go.
 */
#ifndef MONITORD_JSONFILE_H
#define MONITORD_JSONFILE_H

#include <json-c/json.h>
#include <stdbool.h>

/*
 * Open a file that an option names for writing: with O_CREAT it is made, for its
 * owner alone.  Links are followed only where nobody but this user and root can
 * have made them; what belongs to somebody else, in a directory where others may
 * write, is not touched.  flags: O_CREAT, O_TRUNC, O_NONBLOCK.  The descriptor,
 * or -errno (-EPERM: it is not ours).
 */
int output_open(const char *path, int flags);

/*
 * Call early, while the caller's descriptors are still there: what `path`
 * names may be one of them (/dev/stdout, /dev/fd/63) or a FIFO.  Then it is
 * opened now and kept for jsonfile_write().  A regular file, or one that is not
 * there, is left alone, but whether it can be written is tried.  0, or -errno:
 * jsonfile_write() would fail.
 */
int jsonfile_reserve(const char *path);

/*
 * Write `o` with a final newline to `path`.  A regular file is replaced by
 * rename, and so is what output_open() refuses; anything else (a pipe,
 * /dev/stdout) is written in place.  A new file is for its owner alone if its
 * content is `secret`.  0 or -errno.
 */
int jsonfile_write(const char *path, struct json_object *o, bool secret);

/* Shorthand; all take ownership of what they add. NULL members are dropped. */
void json_add_str(struct json_object *o, const char *key, const char *s);
void json_add_int(struct json_object *o, const char *key, int64_t v);
void json_add_uint(struct json_object *o, const char *key, uint64_t v);
/* As a string "0x...": JSON numbers do not hold 64 bits everywhere. */
void json_add_hex(struct json_object *o, const char *key, uint64_t v);

#endif

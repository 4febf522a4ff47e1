/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of seeing inside share with each other: where sockets are
 * (see_path.c), asking (see_ask.c); requests on the sockets are see_parse.h.
 */
#ifndef MONITORD_SEE_INT_H
#define MONITORD_SEE_INT_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "see_parse.h"

/* The tracer tells the server through it that a snapshot is there. */
extern int see_event;

/* ---- see_path.c ---- */

/* The directory for this user's sockets, made if need be.  0 or -errno. */
int see_dir(char *dir, size_t cap);
/* Remove the sockets in there that nobody serves any more. */
void see_sweep(const char *dir);
/* Listen at path; a socket which nobody serves any more is replaced. The
 * descriptor, or -errno (-EADDRINUSE: somebody does). */
int see_listen(const char *path, int type, mode_t mode);
/* The same for pid in dir; the name is put into path. */
int see_listen_in(const char *dir, pid_t pid, char *path, size_t cap);
/* Call fn for each socket in the directories whose monitors this user may look
 * at. */
void see_each(void (*fn)(void *ctx, const char *path), void *ctx);

/* ---- see_ask.c: clients ---- */

/* The status of the monitor behind this socket. 0 or -errno; *out is the
 * caller's. */
int see_ask(const char *path, struct json_object **out);
struct see_found {
	char *path;
	struct json_object *status;
};
/* All that answer, by age; those named by `words` (a pid of theirs, or a path) if
 * there are any.  The number, or -1 after having said what was not found. */
int see_find(char **words, struct see_found **found);
void see_found_free(struct see_found *found, int n);

/* Members of an answer, which need not be what it should be. */
int64_t see_int(struct json_object *o, const char *key);
/* Printable, cut to fit; "" if there is none. */
const char *see_str(struct json_object *o, const char *key, char *buf,
		    size_t cap);
size_t see_len(struct json_object *o, const char *key);
struct json_object *see_at(struct json_object *o, const char *key, size_t i);
struct json_object *see_obj(struct json_object *o, const char *key);
/* "strict", "verified up to SOCKET_RW" */
void see_policy(struct json_object *o, char *buf, size_t cap);
/* "1-02:03:04", "2:03:04" or "3:04" */
void see_uptime(char *buf, size_t cap, int64_t seconds);

#endif

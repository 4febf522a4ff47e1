/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages on the control socket and requests for metrics: pure code.
 */
#ifndef MONITORD_SEE_PARSE_H
#define MONITORD_SEE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The control socket: AF_UNIX, SOCK_SEQPACKET.  One packet asks, one or more
 * answer, the server closes.  Numbers are in the machine's order, the peer being
 * on the same machine.
 */
#define SEE_MAGIC	0x45455349u	/* "ISEE" */
#define SEE_VERSION	1u
enum see_what { SEE_STATUS = 1 };	/* a JSON object: see_text.c */
struct see_request {
	uint32_t magic;
	uint16_t version;
	uint16_t what;
	uint64_t reserved;		/* 0 */
};
_Static_assert(sizeof(struct see_request) == 16, "control message");
struct see_reply {
	uint32_t magic;
	uint16_t version;
	uint16_t error;			/* errno; then nothing follows */
	uint32_t total;			/* bytes of the whole answer */
	uint32_t offset;		/* of those that follow */
};
_Static_assert(sizeof(struct see_reply) == 16, "control message");
#define SEE_PIECE	16384u		/* bytes per packet, at most */
#define SEE_TOTAL_MAX	(16u << 20)

/* ---- see_parse.c ---- */

/* Is this a request?  0, or why not: a constant text. */
const char *see_request_check(const void *packet, size_t n);

/* An HTTP request as far as it has come. */
enum http_verdict {
	HTTP_MORE,		/* not all of it is there */
	HTTP_METRICS,		/* GET of the metrics */
	HTTP_METRICS_HEAD,
	HTTP_ERROR,		/* answer *status and close */
};
enum http_verdict http_request(const char *bytes, size_t n, int *status);
#define HTTP_REQUEST_MAX	8192u
const char *http_reason(int status);

/*
 * Where to serve metrics: "unix:PATH", or "ADDRESS:PORT" of the loopback
 * interface.  0, or why not.
 */
struct metrics_at {
	const char *path;		/* or NULL: */
	bool six;
	uint16_t port;			/* 0: any */
	uint8_t addr[16];		/* network order; 4 bytes if !six */
};
const char *metrics_parse(const char *text, struct metrics_at *at);

#endif
